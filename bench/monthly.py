"""A vault of many monthly archives, as ten or twenty years of backups leave it, with made-up posts.

    python -m bench.monthly FOLDER --archives 240 --posts 8333

Each month's posts come as an export of that month alone, taken by a collector that begins anew: an export
without earlier posts would say that those are gone. A vault of fewer months is the beginning of the chain,
its files linked (`prefix`).
"""

import argparse
import json
import os
import random
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bench.workplace import BenchError, Workplace, module, program, remove, run, say
from bench.x_export import Span, write_export
from bench.x_posts import PostWriter

SEED = 7
LAST_MONTH = (2026, 10)
ALL_ARCHIVES = 240
POSTS_OF_ARCHIVES = 120
"""The posts that a run is asked for are those of so many months."""
KEYS = ("keys", "collector")
"""Folders that every vault made of another one shares with it."""


def month_span(number: int) -> Span:
    """The month so many before the last one: from its first millisecond to its last, in UTC."""
    first, after = _first_day(number), _first_day(number - 1)
    return Span(after, after - first)


def months_before(number: int) -> tuple[int, int]:
    """The year and month so many months before the last one."""
    months = LAST_MONTH[0] * 12 + LAST_MONTH[1] - 1 - number
    return months // 12, months % 12 + 1


def _first_day(number: int) -> int:
    return int(datetime(*months_before(number), 1, tzinfo=UTC).timestamp()) * 1000


# Making a vault


def build(home: Path, archives: int, posts: int) -> dict[str, float]:
    """Make the vault, oldest month first; how long it took and what it weighs."""
    started = time.perf_counter()
    run([program(), "init", str(home), "--holder", "bench", "--no-passphrase"])
    for number, export in enumerate(_exports(home / "inbox", archives, posts), start=1):
        _take_month(home, export)
        export.unlink()
        if number % 20 == 0:
            say(f"{number} of {archives} archives")
    size = sum(path.stat().st_size for path in (home / "vault").rglob("*") if path.is_file())
    return {"archives": archives, "posts": posts, "seconds": time.perf_counter() - started, "bytes": size}


def _exports(folder: Path, archives: int, posts: int) -> Iterator[Path]:
    """An export for each month, oldest first. The next one is written meanwhile in a process of its own: it
    takes a third of the time of a month."""
    with ProcessPoolExecutor(1) as writing:  # one, as each goes on where the one before it ended
        waiting: list[tuple[Path, Future[None]]] = []
        for number in reversed(range(archives)):
            path = folder / f"month-{number}.zip"
            waiting.append((path, writing.submit(_write_month, path, number, posts)))
            if len(waiting) > 1:
                yield _written(*waiting.pop(0))
        for path, future in waiting:
            yield _written(path, future)


def _written(path: Path, future: Future[None]) -> Path:
    future.result()
    return path


def _write_month(path: Path, number: int, posts: int) -> None:
    write_export(path, posts, span=month_span(number), writer=_writer())


@cache
def _writer() -> PostWriter:
    """One for all months: the same people are mentioned in each."""
    return PostWriter(random.Random(SEED))  # noqa: S311 - repeatable, not secret


def _take_month(home: Path, export: Path) -> None:
    """Import one export and seal it, and forget everything but the vault."""
    from archiver.inbox.exports import import_exports
    from archiver.seal import seal
    from archiver.settings import load_settings
    from archiver.times import system_clock
    from archiver.vault import Vault
    from archiver.wiring.collector import open_collector
    from archiver.wiring.seal import seal_options
    from archiver.wiring.stores import first_store

    settings = load_settings(home / "archiver.toml")
    with open_collector(settings) as collector:
        for one in import_exports(collector, [export], may_add_account=True, clock=system_clock):
            if one.error is not None:
                raise one.error
        vault = Vault(first_store(settings))
        seal(collector.spool, collector.state, vault, seal_options(settings), system_clock)
    shutil.rmtree(settings.spool)
    for path in home.glob("state.sqlite*"):
        path.unlink()


def prefix(home: Path, other: Path, archives: int) -> None:
    """In `other` a vault of the first archives of the one in `home`, by hard links, with settings and a cache
    of its own. Raise BenchError where there are not so many."""
    from archiver.vault import archive_order

    remove(other)
    (other / "vault" / "archives").mkdir(parents=True)
    for name in KEYS:
        shutil.copytree(home / name, other / name)
    shutil.copy2(home / "archiver.toml", other / "archiver.toml")
    names = sorted((path.name for path in (home / "vault" / "archives").iterdir()), key=archive_order)
    if len(names) < archives:
        raise BenchError(f"{home} has {len(names)} archives, and {archives} are wanted")
    for name in names[:archives]:
        shutil.copytree(
            home / "vault" / "archives" / name, other / "vault" / "archives" / name, copy_function=os.link
        )
    for name in ("vault.json", "allowed_signers"):
        shutil.copy2(home / "vault" / name, other / "vault" / name)


# The vaults of a run


class Months(NamedTuple):
    """A vault of so many months and, where it was made, the peer's database of the same posts."""

    home: Path
    archives: int
    posts: int
    peer: Path

    @property
    def first(self) -> tuple[int, int]:
        """Its first month."""
        return months_before(ALL_ARCHIVES - 1)

    @property
    def middle(self) -> tuple[int, int]:
        return months_before(ALL_ARCHIVES - 1 - self.archives // 2)


def ensure_months(place: Workplace, archives: int) -> Months:
    """The vault of so many first months, made of the whole one; that too where it was not kept."""
    posts = max(1, round(place.posts / POSTS_OF_ARCHIVES))
    whole = place.months / "all"
    mark = whole / "bench-complete"
    if not mark.exists():
        remove(place.months)
        say(f"making a vault of {ALL_ARCHIVES} months of {posts:,} posts …")
        made = run(module("monthly", str(whole), "--posts", str(posts)))
        mark.write_text(made.output)
        say(f"made in {json.loads(made.output)['seconds']:.0f} s")
    home = place.months / str(archives)
    if not home.exists():
        prefix(whole, home, archives)
    return Months(home, archives, archives * posts, place.months / f"peer-{archives}.db")


def main() -> None:
    parser = argparse.ArgumentParser(description="A vault of monthly archives.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--archives", type=int, default=ALL_ARCHIVES)
    parser.add_argument("--posts", type=int, default=8333)
    arguments = parser.parse_args()
    print(json.dumps(build(arguments.folder, arguments.archives, arguments.posts)))


if __name__ == "__main__":
    main()
