"""From settings to parts: what a collector works with, and what can be known without disturbing it."""

import shutil
from pathlib import Path

import pytest

from archiver.chain import Head
from archiver.disk import Lock
from archiver.errors import ConfigurationError, LockedError, NoVaultError
from archiver.formats import age
from archiver.state import Sealing
from archiver.wiring.collector import open_collector
from archiver.wiring.seal import seal_options
from archiver.wiring.spool import remembered_head
from archiver.wiring.stores import open_vault
from tests.faults.folders import make_folder
from tests.homes import Home


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
    assert not home.settings.state.exists()


def test_the_chains_end_and_a_sealing_under_way_are_remembered(home: Home) -> None:
    with open_collector(home.settings) as collector:
        head = Head(4, "ab" * 32)
        with collector.state.transaction():
            collector.state.set_head(head)
            collector.state.set_sealing(Sealing("2026-01-01", "mark", 1, 1, 1))
        assert remembered_head(home.settings) == (head, "2026-01-01")
