"""Erasing one post of an archive of 100,000 against sealing that archive: time and memory of real processes.

    python -m bench.erase [POSTS]

Prints a line each. The archive is sealed anew for each round, and the best of the rounds counts."""

import json
import shutil
import sys
import tempfile
from pathlib import Path

from bench.memory import Sampled, watched
from bench.results import megabytes
from bench.workplace import Finished, archiver, make_export, program, run

POSTS = 100_000
ROUNDS = 3
WHY = ("--reason", "a measurement", "--reviewer", "The Bench", "--everywhere", "--yes")


def _measure(folder: Path, posts: int) -> dict[str, list[tuple[Finished, Sampled]]]:
    export = make_export(folder, posts)
    home = folder / "home"
    run([program(), "init", str(home), "--holder", "bench", "--no-passphrase"])
    run(archiver(home, "import", "--add-account", str(export.path)), (0, 3))
    found: dict[str, list[tuple[Finished, Sampled]]] = {"seal": [], "erase one": []}
    for number in range(ROUNDS):
        copy = Path(shutil.copytree(home, folder / f"round-{number}", symlinks=True))
        found["seal"].append(watched(archiver(copy, "seal")))
        said = run(archiver(copy, "search", "--json", "--limit", "1", "kind:post"))
        own = str(json.loads(said.output.splitlines()[0])["id"])
        found["erase one"].append(watched(archiver(copy, "erase", own, *WHY)))
        shutil.rmtree(copy)
    return found


def main() -> None:
    posts = int(sys.argv[1]) if len(sys.argv) > 1 else POSTS
    with tempfile.TemporaryDirectory() as folder:
        for what, rounds in _measure(Path(folder), posts).items():
            finished, sampled = min(rounds, key=lambda one: one[0].seconds)
            peak = megabytes(sampled.pss_bytes)
            print(f"{what}: {posts:,} posts, {finished.seconds:.1f} s, peak {peak} in all processes")


if __name__ == "__main__":
    main()
