"""From settings to parts: what a collector works with, and what can be known without disturbing it."""

import shutil
from pathlib import Path

import pytest

from archiver.chain import Head
from archiver.disk import Lock
from archiver.errors import ConfigurationError, LockedError, NoVaultError
from archiver.formats import age
from archiver.inbox.exports import import_exports
from archiver.progress import Cursor, Spend, Step
from archiver.state import Sealing
from archiver.wiring import Waiting, open_collector, open_vault, open_waiting, remembered_head, seal_options
from tests.faults.folders import make_folder, sample
from tests.homes import Home
from tests.unit.search.moderated import decision, keep


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(make_folder(tmp_path / "home"))


def test_a_collector_holds_the_lock_while_it_is_open(home: Home) -> None:
    with open_collector(home.settings), pytest.raises(LockedError), open_collector(home.settings):
        pass
    with Lock(home.settings.lock), pytest.raises(LockedError), open_collector(home.settings):
        pass
    with open_collector(home.settings) as collector:
        assert collector.spool.is_empty()
        assert "AGE-SECRET-KEY" not in repr(collector)


def test_hashes_of_content_are_the_same_in_every_run_and_another_collectors_are_not(
    home: Home, tmp_path: Path
) -> None:
    other = Home(make_folder(tmp_path / "other"))
    hashes = []
    for one in (home, home, other):
        with open_collector(one.settings) as collector:
            hashes.append(collector.key(b"content"))
    assert hashes[0] == hashes[1] != hashes[2]


def test_sealing_is_classic_only_where_every_keyholder_is(home: Home, tmp_path: Path) -> None:
    assert seal_options(home.settings).classic
    hybrid = Home(make_folder(tmp_path / "hybrid", classic=False))
    options = seal_options(hybrid.settings)
    assert not options.classic
    assert isinstance(options.recipients[0], age.HybridRecipient)
    assert options.segment_bytes == 1024 * 1024
    assert options.configuration == hybrid.settings.digest
    assert options.workers >= 1


def test_a_vault_that_is_not_there_is_said_to_be_none(home: Home) -> None:
    shutil.rmtree(home.folder / "vault")
    with pytest.raises(NoVaultError):
        open_vault(home.settings)


def test_a_missing_or_open_spool_key_is_a_matter_of_configuration(home: Home) -> None:
    settings = home.settings
    settings.spool_identity.chmod(0o644)
    with pytest.raises(ConfigurationError, match="can be read by others"), open_collector(settings):
        pass
    settings.spool_identity.unlink()
    with pytest.raises(ConfigurationError, match="no key file"), open_collector(settings):
        pass


def test_without_a_state_nothing_is_remembered_and_none_is_made(home: Home) -> None:
    assert remembered_head(home.settings) == (None, None)
    assert open_waiting(home.settings, "2026-11") == Waiting()
    assert not home.settings.state.exists()


def test_without_a_state_all_that_the_spool_knows_is_told(home: Home) -> None:
    """As after `archiver moderate`, before anything was collected or sealed."""
    keep(home, decision(1), decision(2), decision(3, state="done"))
    cursor = Cursor(mark="5", finished_ms=7)
    with home.open_spool() as spool:
        for micro_usd, account in ((185_000, "1"), (15_000, "1"), (5, "2")):
            spool.save_spend(Spend("2026-11", "x", account, "moderation", 1, 1, micro_usd))
        spool.save_spend(Spend("2026-10", "x", "1", "moderation", 1, 1, 99))
        spool.save_step(Step(platform="x", account="1", kind="mentions", cursor=cursor))
    waiting = open_waiting(home.settings, "2026-11")
    assert waiting.spent == {"1": 200_000, "2": 5}
    assert waiting.cursors == {("x", "1", "mentions"): cursor}
    assert (waiting.records, waiting.moderation_pending) == (3, 2)
    assert waiting.bytes > 500
    assert (waiting.exports, waiting.head) == ({}, None)
    assert not home.settings.state.exists()


def test_what_was_remembered_and_what_waits_is_told_without_the_lock(home: Home, tmp_path: Path) -> None:
    export = sample(tmp_path / "sample.zip")
    with open_collector(home.settings) as collector:
        (taken,) = import_exports(collector, [export], may_add_account=True, clock=lambda: 5)
        assert taken.report is not None
        head = Head(4, "ab" * 32)
        with collector.state.transaction():
            collector.state.set_head(head)
            collector.state.set_sealing(Sealing("2026-01-01", "mark", 1, 1, 1))
        assert remembered_head(home.settings) == (head, "2026-01-01")
        waiting = open_waiting(home.settings, "2026-11")
    stored = sum(
        number
        for changes in taken.report.counts.values()
        for change, number in changes.items()
        if change != "unchanged"
    )
    assert waiting.records == stored > 100
    assert waiting.bytes > 10_000
    assert waiting.exports == {taken.report.account: taken.report.generated_ms}
    assert waiting.head == head
    with Lock(home.settings.lock):
        assert open_waiting(home.settings, "2026-11") == waiting
