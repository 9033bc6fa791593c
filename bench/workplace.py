"""Where a run of the bench happens: its folder, its exports, and the processes it starts."""

import hashlib
import json
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

SEED = 7
ROOT = Path(__file__).resolve().parent.parent


class BenchError(Exception):
    """A measurement that cannot be made or must not be believed."""


class Export(NamedTuple):
    """An export on disk and what is in it."""

    path: Path
    posts: int
    json_bytes: int
    zip_bytes: int


class Finished(NamedTuple):
    """A process that ended as it should."""

    seconds: float
    output: str


@dataclass(frozen=True)
class Workplace:
    """Where everything of a run lies, for exports of so many posts."""

    folder: Path
    posts: int
    keep: bool = False

    @property
    def home(self) -> Path:
        """The settings, keys and vault of the main job."""
        return self.folder / f"archiver-{self.posts}"

    def peer(self, page_size: int | None) -> Path:
        return self.folder / f"peer-{self.posts}-{page_size or 'default'}.db"

    @property
    def months(self) -> Path:
        """The vaults of monthly archives, and their peer's database."""
        return self.folder / f"months-{self.posts}"

    def clear(self) -> None:
        """Remove the vaults and the peers' databases, unless they are to be kept; exports stay."""
        if self.keep:
            return
        remove(self.home)
        remove(self.months)
        for path in self.folder.glob(f"peer-{self.posts}-*"):
            remove(path)


def say(text: str) -> None:
    """A line of progress."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def program() -> str:
    """The program as it was installed beside this Python."""
    return str(Path(sysconfig.get_path("scripts")) / "archiver")


def archiver(home: Path, *arguments: str) -> list[str]:
    """The program's command line, on a folder made by `init`."""
    return [program(), "--config", str(home), *arguments]


def run(command: Sequence[str], accepted: tuple[int, ...] = (0,)) -> Finished:
    """Run a process to its end and time it whole; raise BenchError for an exit code not accepted."""
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)  # noqa: S603 - the command is made here
    seconds = time.perf_counter() - started
    require_exit_code(command, done.returncode, accepted, done.stderr)
    return Finished(seconds, done.stdout)


def require_exit_code(command: Sequence[str], code: int, accepted: tuple[int, ...], errors: str) -> None:
    if code not in accepted:
        name = " ".join([Path(command[0]).name, *command[1:]])
        raise BenchError(f"{name} ended with {code}:\n{errors[-2000:]}")


def module(name: str, *arguments: str) -> list[str]:
    """The command line of a module of the bench, in a process of its own."""
    return [sys.executable, "-m", f"bench.{name}", *arguments]


def make_export(folder: Path, posts: int, seed: int = SEED) -> Export:
    """An export of so many posts: the one there, if the same code made it; else a new one."""
    path = folder / f"export-{posts}-{seed}.zip"
    described = path.with_suffix(".json")
    made_by = _export_code()
    if path.exists() and described.exists():
        counts = json.loads(described.read_text())
        if counts.get("made_by") == made_by and path.stat().st_size == counts["zip_bytes"]:
            return Export(path, posts, counts["json_bytes"], counts["zip_bytes"])
    say(f"making the export of {posts:,} posts …")
    folder.mkdir(parents=True, exist_ok=True)
    described.unlink(missing_ok=True)
    done = run(module("x_export", str(path), "--posts", str(posts), "--seed", str(seed)))
    counts = json.loads(done.output)
    described.write_text(json.dumps({**counts, "made_by": made_by}))
    return Export(path, posts, counts["json_bytes"], counts["zip_bytes"])


def _export_code() -> str:
    digest = hashlib.sha256()
    for name in ("words.py", "x_export.py", "x_posts.py"):
        digest.update((ROOT / "bench" / name).read_bytes())
    return digest.hexdigest()
