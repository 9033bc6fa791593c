"""Two runs at once: the second is told so and changes nothing, the first is not disturbed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.runner import Runner
from tests.faults.folders import check_nothing_half, make_folder, open_whole_vault, read_contents, sample
from tests.faults.standing import ended, standing_still


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


@contextmanager
def stopped(folder: Path, when: Callable[[], bool], *arguments: str | Path) -> Iterator[int]:
    """A run that stands still at some moment, then goes on and must end well; its process id."""
    with standing_still(folder, when, *arguments) as process:
        yield process.pid
    assert ended(process) == (0, "")


def test_a_second_run_beside_an_import_is_refused_and_names_the_first(run: Runner, tmp_path: Path) -> None:
    folder, export = make_folder(tmp_path / "v"), sample(tmp_path / "e.zip", months=24)
    lock, pages = folder / "state.sqlite.lock", folder / "spool" / "spool.sqlite-wal"
    (folder / "inbox" / "other.zip").write_bytes(b"not looked at")
    with stopped(
        folder, lambda: pages.exists() and pages.stat().st_size > 200_000, "import", "--add-account", export
    ) as first:
        for arguments in (("import", export), ("seal",), ("backup",), ("keys", "rewrap")):
            error = run.fails(11, "--config", folder, *arguments)
            assert error.startswith(f"process {first} is at work here and holds {lock}\narchiver: hint: ")
            assert f"ps {first}" in error
        assert run("--config", folder, "status").code in (0, 3)
        assert run("--config", folder, "config", "check").code == 0
    assert (folder / "inbox" / "other.zip").exists()
    assert run("--config", folder, "seal").code == 0
    assert sum(row[0] == "post" for row in read_contents(folder)) > 1900


def test_a_sealing_under_way_does_not_keep_anybody_from_reading(run: Runner, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "v")
    assert run("--config", folder, "import", "--add-account", sample(tmp_path / "a.zip", months=1)).code == 0
    assert run("--config", folder, "seal").code == 0
    later = sample(tmp_path / "b.zip", months=20)
    assert run("--config", folder, "import", later).code == 0
    archives = folder / "vault" / "archives"
    with stopped(
        folder, lambda: any(path.parts[-1].startswith("records") for path in archives.glob("*.2/*")), "seal"
    ):
        assert "is at work here" in run.fails(11, "--config", folder, "seal")
        assert run("--config", folder, "verify").code == 0
        assert run("--config", folder, "search", "kind:post", "--limit", "1").code == 0
        assert run("--config", folder, "status").code in (0, 3)
        assert len(open_whole_vault(folder)[1]) == 1
    check_nothing_half(folder)
    assert run("--config", folder, "verify", "--contents").code == 0
    assert len(open_whole_vault(folder)[1]) == 2
