"""The checks of `archiver run` and the drill: how fast sealed bytes are read again, what a look at 120
archives costs, and how long and how much memory it takes to restore 100,000 posts in memory and compare them.

    python -m bench.checks FOLDER

reads the newest archive of the vault in a folder again, looks at all, and prints how long each took.
"""

import argparse
import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from archiver.archive.verify import verify_bytes, verify_file
from archiver.drill.tools import Tools, cannot_open, find_tools
from archiver.jobs.near import stat_of_store
from archiver.keys import ask_nobody, load_identities
from archiver.settings import load_settings
from archiver.vault import Vault
from archiver.verification import verify_vault
from archiver.wiring.stores import open_vault
from bench import monthly
from bench.main_job import run_main_job
from bench.memory import watched
from bench.results import NOTHING, Asked, Row, megabytes
from bench.workplace import BenchError, Workplace, archiver, make_export, module, remove, run, say

POSTS = 100_000
ARCHIVES = 120
POSTS_OF_MONTH = 50
ROUNDS = 5
BEST_OF = 9
DRILL_MB = 500
_HASHED = (
    "the files of an archive read from the page cache and hashed, as `archiver run` does each day with some"
    " of them; the peer is sha256sum, in turns"
)
_OPENED = (
    "the same decrypted, decompressed and counted, where an identity opens unattended; the peer is"
    " `age -d | zstd -d` of the same files, where that age opens their key"
)
_READINGS = (
    ("sealed bytes read again", "hash", "sha256sum", _HASHED),
    ("sealed files read inside", "inside", "age", _OPENED),
)


def measure(place: Workplace) -> list[Row]:
    """All rows, of two vaults of their own."""
    return [*_measure_large(place), *_measure_many(place)]


def _measure_large(place: Workplace) -> list[Row]:
    """One archive of many posts: read again, and drilled."""
    posts = min(POSTS, place.posts)
    home = place.folder / f"checks-{posts}"
    try:
        run_main_job(home, make_export(place.folder, posts))
        command = archiver(home, "--json", "drill")
        seconds = [run(command).seconds for _ in range(ROUNDS)]
        finished, sampled = watched(command)
        told = json.loads(finished.output.splitlines()[0])
        if told["records"] < posts or told["problems"]:
            raise BenchError(f"the drill compared {told['records']:,} of {posts:,} posts")
        read = json.loads(run(module("checks", str(home))).output)
    finally:
        if not place.keep:
            remove(home)
    say(f"drill of {posts:,} posts: {min(seconds):.1f} s, {megabytes(sampled.pss_bytes)}; read again: {read}")
    counts = f"{posts:,} posts, {megabytes(told['bytes'])} sealed, {megabytes(told['plain_bytes'])} inside"
    return [
        *_reading_rows(read),
        Row(
            "`archiver drill`, whole process",
            counts,
            f"{min(seconds):.1f} s (worst {max(seconds):.1f})",
            NOTHING,
            min(seconds),
            "one archive restored in memory: decrypted, decompressed, checked by SQLite, every record derived"
            " again from its capture and compared; one segment by age, zstd and sha256sum, where that age"
            f" opens its key; the best of {ROUNDS} runs.",
            unit="s",
        ),
        Row(
            "peak memory of `archiver drill`",
            f"{counts}; processes at most: {sampled.processes}",
            megabytes(sampled.pss_bytes),
            NOTHING,
            sampled.pss_bytes / 1e6,
            "the most that all its processes held together (PSS, every 50 ms), in a run that is not timed. A"
            " segment at a time is in memory, of 256 MiB at most.",
            Asked(DRILL_MB, "MB"),
            "MB",
        ),
    ]


def _reading_rows(read: dict[str, float]) -> list[Row]:
    counts = megabytes(int(read["bytes"]))
    rows = []
    for what, ours, peer, meaning in _READINGS:
        speed = read["bytes"] / read[ours] / 1e6
        other = read["bytes"] / read[peer] / 1e6 if peer in read else None
        rows.append(
            Row(
                what,
                counts,
                f"{speed:.0f} MB/s",
                NOTHING if other is None else f"{other:.0f} MB/s",
                speed if other is None else speed / other,
                f"{meaning}; the best of {BEST_OF} rounds each; MB of sealed bytes.",
            )
        )
    return rows


def _measure_many(place: Workplace) -> list[Row]:
    """Many archives: what a run asks, and what it looks at where anything changed."""
    home = place.folder / "checks-months"
    remove(home)
    try:
        monthly.build(home, ARCHIVES, POSTS_OF_MONTH)
        read = json.loads(run(module("checks", str(home))).output)
    finally:
        if not place.keep:
            remove(home)
    say(f"look at {ARCHIVES} archives: {read}")
    counts = f"{ARCHIVES} archives, {read['files']:,} files"
    return [
        Row(
            "whether anything happened to a near store",
            counts,
            f"{1e3 * read['stat']:.1f} ms",
            NOTHING,
            1e3 * read["stat"],
            f"what an idle `archiver run` asks of a folder: names, sizes, times, inodes; best of {BEST_OF}.",
            Asked(30, "ms"),
            "ms",
        ),
        Row(
            "a look at a near store",
            counts,
            f"{1e3 * read['look']:.0f} ms",
            NOTHING,
            1e3 * read["look"],
            "manifests, signatures, the chain, sizes, keys, once a day and where anything happened; best of"
            f" {BEST_OF}.",
            Asked(300, "ms"),
            "ms",
        ),
    ]


def best(*acts: Callable[[], object]) -> list[float]:
    """The shortest time of each, all of them in turns."""
    seconds = [float("inf")] * len(acts)
    for _ in range(BEST_OF):
        for number, act in enumerate(acts):
            started = time.perf_counter()
            act()
            seconds[number] = min(seconds[number], time.perf_counter() - started)
    return seconds


def read_again(home: Path) -> dict[str, float]:
    """Seconds and bytes, in this process; the peers in theirs, where they are installed."""
    settings = load_settings(home / "archiver.toml")
    vault = open_vault(settings)
    archives = vault.list_archives().require_sound()
    newest = archives[-1]
    assert settings.keyholder is not None  # noqa: S101  # as init makes it
    identities = load_identities(settings.keyholder, {}, ask_nobody)
    key = vault.open_key(newest, identities)
    root = settings.stores[0].place
    files = newest.manifest.files
    paths = [str(Path(root, newest.path(file))) for file in files]
    hashed, inside, plain = best(
        lambda: [verify_bytes(vault.store, newest.name, file) for file in files],
        lambda: [verify_file(vault.store, newest.name, file, key) for file in files],
        lambda: subprocess.run(["sha256sum", *paths], check=True, stdout=subprocess.DEVNULL),  # noqa: S603, S607
    )
    stat, look = best(
        lambda: stat_of_store(Path(root)),
        lambda: verify_vault(Vault(vault.store), known_head=archives[-1].head, sizes=True).raise_first(),
    )
    found = {
        "bytes": sum(file.size for file in files),
        "hash": hashed, "inside": inside, "sha256sum": plain, "stat": stat, "look": look,
        "files": sum(len(names) for _, _, names in os.walk(root)),
    }  # fmt: skip
    tools = find_tools(os.environ.get("PATH"))
    if isinstance(tools, Tools) and cannot_open(tools, identities, newest.manifest.recipient) is None:
        found["age"] = _opened_by_age(home, paths, key.encode())
    return found


def _opened_by_age(home: Path, paths: Sequence[str], key: str) -> float:
    identity = home / "bench.identity"
    identity.touch(0o600)
    identity.write_text(f"{key}\n")
    pipe = 'age -d -i "$0" "$1" | zstd -dcq > /dev/null'
    try:
        (seconds,) = best(
            lambda: [
                subprocess.run(["/bin/sh", "-c", pipe, str(identity), path], check=True)  # noqa: S603
                for path in paths
                if path.endswith(".zst.age")
            ]
        )
    finally:
        identity.unlink()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.checks")
    parser.add_argument("folder", type=Path)
    print(json.dumps(read_again(parser.parse_args().folder)))


if __name__ == "__main__":
    main()
