"""What the journal takes for noted. Its file lies on a disk like any other, so anything may stand in it."""

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from archiver.errors import IntegrityError
from archiver.inbox.notes import Notes
from archiver.jobs.told import NOTE, Told
from archiver.schedule.checks import load_read_note, load_store_notes
from archiver.schedule.drills import load_drill
from archiver.schedule.journal import Journal

NEVER = [253_402_300_800_000, 2**70, -1, -(10**15)]
"""The year 10000, what no number of 64 bits is, before 1970, before the year 1."""


def _lie(path: Path, table: str, name: str, text: str) -> None:
    with closing(Journal(path)):
        pass
    with closing(apsw.Connection(str(path))) as database:
        database.execute(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", (name, text.encode()))  # noqa: S608


@pytest.mark.parametrize("never_ms", NEVER)
@pytest.mark.parametrize("field", ["started_ms", "finished_ms", "good_ms"])
def test_a_job_at_a_time_that_no_clock_has_shown_is_damage(tmp_path: Path, field: str, never_ms: int) -> None:
    path = tmp_path / "schedule.sqlite"
    _lie(path, "job", "run", f'{{"{field}":{never_ms}}}')
    with (
        closing(Journal(path)) as journal,
        pytest.raises(IntegrityError, match="run cannot be read") as error,
    ):
        journal.job("run")
    assert error.value.hint is not None


@pytest.mark.parametrize("never_ms", NEVER)
def test_so_is_every_other_note_with_such_a_time(tmp_path: Path, never_ms: int) -> None:
    path = tmp_path / "schedule.sqlite"
    _lie(path, "note", NOTE, f'{{"looked_ms":{never_ms}}}')
    _lie(path, "note", "drill", f'{{"at_ms":{never_ms},"code":0}}')
    _lie(path, "note", "check.stores", f'{{"vault":{{"place":"/","looked_ms":{never_ms}}}}}')
    _lie(path, "note", "check.read.vault", f'{{"since_ms":1,"files":{{"a":{never_ms}}}}}')
    look = f'{{"inode":1,"size":1,"mtime_ns":1,"first_ms":{never_ms},"since_ms":1}}'
    _lie(path, "note", "inbox", f'{{"a.zip":{look}}}')
    with closing(Journal(path)) as journal:
        for read in (
            lambda: journal.note(NOTE, Told),
            lambda: load_drill(journal),
            lambda: load_store_notes(journal),
            lambda: load_read_note(journal, "vault"),
            lambda: Notes(journal),
        ):
            with pytest.raises(IntegrityError, match="cannot be read"):
                read()


def test_a_note_that_is_nested_without_end_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "schedule.sqlite"
    _lie(path, "note", NOTE, '{"a":' * 5_000 + "1" + "}" * 5_000)
    with closing(Journal(path)) as journal, pytest.raises(IntegrityError, match="told cannot be read"):
        journal.note(NOTE, Told)
