"""What a spool tells without a key, to a run that must not fail for it."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from archiver.spool.counting import count_registered
from archiver.wiring.spool import count_moderation
from tests.faults.folders import make_folder
from tests.homes import Home
from tests.unit.search.moderated import decision, done, keep, seal_all


def test_counting_records_needs_no_key_and_counts_sealed_ones_too(tmp_path: Path) -> None:
    home = Home(make_folder(tmp_path / "home"))
    settings = home.settings
    assert count_moderation(settings) == 0
    first = decision(1)
    keep(home, first, decision(2))
    seal_all(home)
    keep(home, done(first), decision(4))
    settings.spool_identity.unlink()
    assert count_moderation(settings) == count_registered(settings.spool) == 3


def test_where_nothing_can_be_counted_there_is_nothing(tmp_path: Path) -> None:
    assert count_registered(tmp_path) == 0
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "spool.sqlite").write_bytes(os.urandom(5000))
    assert count_registered(tmp_path) == 0
    (tmp_path / "spool.sqlite").unlink()
    with closing(sqlite3.connect(tmp_path / "spool.sqlite")) as database:
        database.execute("CREATE TABLE page (records INTEGER)")
    assert count_registered(tmp_path) == 0
