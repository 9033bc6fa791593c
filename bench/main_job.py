"""The main job as real processes, import and seal into a new vault; and the peer's build."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bench.peer import TUNED_PAGE_BYTES
from bench.results import Asked, Detail, Row, megabytes, significant
from bench.workplace import (
    BenchError,
    Export,
    Finished,
    Workplace,
    archiver,
    make_export,
    module,
    program,
    remove,
    run,
    say,
)

ROUNDS = 2
DEFAULT_PAGES, TUNED_PAGES = "SQLCipher's own pages of 4 KiB", "pages tuned to 16 KiB"


class Built(NamedTuple):
    """One build: its wall time, its steps, and the bytes it left."""

    seconds: float
    steps: dict[str, float]
    bytes: int
    peak_bytes: int = 0


Runner = Callable[[Sequence[str], tuple[int, ...]], Finished]


def settle(export: Export) -> None:
    """Write out what earlier steps left to be written, and bring the export into the page cache."""
    os.sync()
    with export.path.open("rb") as file:
        while file.read(1 << 20):
            pass


def run_main_job(home: Path, export: Export, runner: Runner = run) -> Built:
    """Import and seal into a new vault in `home`; raise BenchError unless every post was taken."""
    remove(home)
    run([program(), "init", str(home), "--holder", "bench", "--no-passphrase"])
    settle(export)
    # The export lists pictures that it does not hold: import says so with exit code 3.
    importing = runner(archiver(home, "import", "--add-account", "--json", str(export.path)), (0, 3))
    sealing = runner(archiver(home, "seal", "--json"), (0,))
    taken = _lines(importing.output, "import")["counts"]["post"]["new"]
    if taken != export.posts:
        raise BenchError(f"the import took {taken:,} of {export.posts:,} posts")
    if not _lines(sealing.output, "sealed")["archive"]:
        raise BenchError("nothing was sealed")
    size = sum(path.stat().st_size for path in (home / "vault" / "archives").rglob("*") if path.is_file())
    steps = {"import": importing.seconds, "seal": sealing.seconds}
    return Built(sum(steps.values()), steps, size)


def _lines(output: str, kind: str) -> dict[str, Any]:
    for line in output.splitlines():
        found: dict[str, Any] = json.loads(line)
        if found["type"] == kind:
            return found
    raise BenchError(f"the program's output has no line of type {kind}")


def build_peer(database: Path, export: Export, page_size: int | None) -> Built:
    """Build the peer's database in a process of its own."""
    settle(export)
    arguments = [] if page_size is None else ["--page-size", str(page_size)]
    done = run(module("peer", "build", str(export.path), str(database), *arguments))
    figures = json.loads(done.output)
    if figures["posts"] != export.posts:
        raise BenchError(f"the peer took {figures['posts']:,} of {export.posts:,} posts")
    steps = {"insert": figures["insert_seconds"], "index": figures["index_optimize_seconds"]}
    size = sum(path.stat().st_size for path in database.parent.glob(f"{database.name}*"))
    return Built(done.seconds, steps, size, int(figures["peak_rss"]))


@dataclass(frozen=True)
class MainJob:
    """Every round of the main job, and of the peer's build at each page size (None: SQLCipher's own)."""

    export: Export
    ours: tuple[Built, ...]
    peers: dict[int | None, tuple[Built, ...]]

    def best(self, page_size: int | None) -> Built:
        return min(self.peers[page_size], key=lambda built: built.seconds)

    def rows(self) -> list[Row]:
        ours = min(self.ours, key=lambda built: built.seconds)
        counts = f"{self.export.posts:,} posts, {megabytes(self.export.json_bytes)} of JSON"
        rows: list[Row] = []
        for page_size, asked in ((None, Asked(0.4)), (TUNED_PAGE_BYTES, None)):
            peer = self.best(page_size)
            which = DEFAULT_PAGES if page_size is None else TUNED_PAGES
            rows += [
                self._wall_row(ours, peer, counts, which, asked),
                Row(
                    f"archive bytes, peer with {which}" if asked is None else "archive bytes",
                    counts,
                    megabytes(ours.bytes),
                    megabytes(peer.bytes),
                    ours.bytes / peer.bytes,
                    "every file under `vault/archives`, manifests, signatures and keys included, against"
                    f" the peer's database file; the verbatim JSON is in both. Peer: {which}.",
                    None if asked is None else Asked(0.24),
                ),
            ]
        return sorted(rows, key=lambda row: row.asked is None)

    @staticmethod
    def _wall_row(ours: Built, peer: Built, counts: str, which: str, asked: Asked | None) -> Row:
        steps = ours.steps
        return Row(
            f"import + seal, peer with {which}" if asked is None else "import + seal",
            counts,
            f"{ours.seconds:.1f} s (import {steps['import']:.1f}, seal {steps['seal']:.1f})",
            f"{peer.seconds:.1f} s (rows {peer.steps['insert']:.1f}, indexes {peer.steps['index']:.1f})",
            ours.seconds / peer.seconds,
            "wall time of the processes `archiver import` and `archiver seal` on a new folder (spooled"
            " durably, sealed, read back, verified), against one process that builds the peer in one"
            " transaction and commits it; the export is in the page cache for both, they take turns, and the"
            f" best of {ROUNDS} rounds of each counts. Peer: {which}.",
            asked,
        )

    def detail(self) -> Detail:
        rows = [
            [name, str(number), f"{built.seconds:.1f}", _steps(built), f"{built.bytes:,}"]
            for name, builds in (
                ("archiver", self.ours),
                (f"peer, {DEFAULT_PAGES}", self.peers[None]),
                (f"peer, {TUNED_PAGES}", self.peers[TUNED_PAGE_BYTES]),
            )
            for number, built in enumerate(builds, start=1)
        ]
        return Detail(
            "Every round of the main job",
            f"Export: {self.export.zip_bytes:,} bytes of ZIP, {self.export.json_bytes:,} bytes of JSON in its"
            " four files of posts. The table above takes the quickest round of each. Wall times include the"
            " start of Python; the peer's steps do not.",
            ["who", "round", "wall s", "steps s", "bytes left"],
            rows,
        )


def _steps(built: Built) -> str:
    return ", ".join(f"{name} {significant(seconds)}" for name, seconds in built.steps.items())


def _described(built: Built) -> str:
    return f"{built.seconds:.1f} s ({_steps(built)}), {megabytes(built.bytes)}"


def measure(place: Workplace, rounds: int = ROUNDS) -> MainJob:
    """Ours and the peer at both page sizes in turns, so that a slow hour meets all of them."""
    export = make_export(place.folder, place.posts)
    ours: list[Built] = []
    peers: dict[int | None, list[Built]] = {None: [], TUNED_PAGE_BYTES: []}
    for number in range(1, rounds + 1):
        built = run_main_job(place.home, export)
        say(f"round {number}: import + seal {_described(built)}")
        ours.append(built)
        for page_size, builds in peers.items():
            built = build_peer(place.peer(page_size), export, page_size)
            which = DEFAULT_PAGES if page_size is None else TUNED_PAGES
            say(f"round {number}: peer, {which}: {_described(built)}")
            builds.append(built)
    _mark(place)
    return MainJob(export, tuple(ours), {size: tuple(builds) for size, builds in peers.items()})


def ensure_built(place: Workplace) -> None:
    """For measurements that only search: a vault and the peer's databases, kept from before or made now."""
    if not _mark_path(place).exists():
        say("making the vault and the peer's databases to search …")
        measure(place, rounds=1)


def _mark(place: Workplace) -> None:
    _mark_path(place).write_text("whole\n")


def _mark_path(place: Workplace) -> Path:
    return place.home / "bench-complete"
