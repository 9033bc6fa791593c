"""Metrics in a file: whole or not at all, for another user to read."""

import os
import resource
from pathlib import Path

import pytest

from archiver.notify.base import Notice, NoticeError
from archiver.notify.textfile import TextfileNotifier
from archiver.settings.notices import TextfileSettings


def notifier(path: Path) -> TextfileNotifier:
    return TextfileNotifier(TextfileSettings("metrics", path))


def run(metrics: str = "archiver_up 1\n", code: int = 0) -> Notice:
    return Notice("done" if code == 0 else "failed", "done", "text", 0, code, metrics=metrics)


def test_every_end_of_a_run_replaces_the_file_which_others_can_read(tmp_path: Path) -> None:
    path = tmp_path / "archiver.prom"
    before = os.umask(0o077)
    try:
        notifier(path).send(run())
        notifier(path).send(run("archiver_up 0\n", 20))
    finally:
        os.umask(before)
    assert path.read_text() == "archiver_up 0\n"
    assert path.stat().st_mode & 0o777 == 0o644
    assert os.listdir(tmp_path) == ["archiver.prom"]


def test_without_metrics_the_file_stays_as_it_is(tmp_path: Path) -> None:
    notifier(tmp_path / "archiver.prom").send(run(""))
    notifier(tmp_path / "archiver.prom").send(Notice("monthly", "a month", "text", 0, metrics="x 1\n"))
    assert os.listdir(tmp_path) == []


def test_a_test_proves_that_a_file_can_be_written_and_leaves_none(tmp_path: Path) -> None:
    path = tmp_path / "archiver.prom"
    path.write_text("archiver_up 1\n")
    notifier(path).send(Notice("test", "a test", "text", 0))
    assert (os.listdir(tmp_path), path.read_text()) == (["archiver.prom"], "archiver_up 1\n")
    with pytest.raises(NoticeError, match=r"notice metrics: .*no such file or directory"):
        notifier(tmp_path / "none" / "archiver.prom").send(Notice("test", "a test", "text", 0))


def test_a_full_disk_is_said_and_the_old_file_stays(tmp_path: Path) -> None:
    """A limit on a file's size (setrlimit(2), RLIMIT_FSIZE) fails as a full disk does."""
    path = tmp_path / "archiver.prom"
    notifier(path).send(run())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(NoticeError, match="notice metrics: the disk is full while writing"):
            notifier(path).send(run("x" * 100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_text() == "archiver_up 1\n"
    assert os.listdir(tmp_path) == ["archiver.prom"]
