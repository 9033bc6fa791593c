"""What a snapshot says of decisions about archives, and of the host that keeps the vault."""

from dataclasses import replace
from pathlib import Path

import pytest

from archiver.disposal import FORMAT, Disposal, certificate_name, custody_signers_name, signature_name
from archiver.health.gather import gather
from archiver.health.more import Seen
from archiver.health.told_of_archives import (
    tell_of_holder,
    tell_of_retention,
    tell_of_unfinished_disposals,
)
from archiver.settings import Settings, load_settings
from archiver.settings.retention import RetentionRule, RetentionSettings
from archiver.vault import Vault
from tests.disposals import AT, KEEPER, certificate_of
from tests.homes import NOW_MS, make_home
from tests.made_vaults import VaultMaker, post

NAMES = ("2026-01-01", "2026-02-01")
OLD = NAMES[0]


@pytest.fixture
def maker(tmp_path: Path) -> VaultMaker:
    maker = VaultMaker(tmp_path / "a")
    for number, name in enumerate(NAMES):
        maker.add(name, [post(str(number), f"word {number}", number)])
    return maker


def seen(maker: VaultMaker, settings: Settings, now_ms: int = NOW_MS) -> Seen:
    vault = Vault(maker.store)
    return Seen(settings, vault, vault.list_archives().archives, now_ms, {})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "archiver.toml").write_text("")
    return load_settings(tmp_path / "archiver.toml")


def test_archives_whose_period_is_over_are_counted_and_are_no_trouble(tmp_path: Path) -> None:
    home = make_home(tmp_path / "homes")
    rules = RetentionSettings(rules=(RetentionRule(name="all", trigger="sealed", years=1),))
    ruled = replace(home.settings, retention=rules)
    year_ms = 366 * 86_400_000
    for now_ms, due in ((NOW_MS, 0), (NOW_MS + year_ms, 1)):
        assert tell_of_retention(Seen(ruled, home.vault, tuple(home.archives), now_ms, {})) == (
            {"disposal_due": due},
            [],
        )
    (archive,) = home.archives
    said = Disposal(
        format=FORMAT, vault=home.vault.id, archive=archive.name, manifest_sha256=archive.head.sha256,
        reason="retention", keyholder=KEEPER, at=AT, decision="1",
    )  # fmt: skip
    disposed = replace(archive, disposed=said)
    assert tell_of_retention(Seen(ruled, home.vault, (disposed,), NOW_MS + year_ms, {}))[0] == {
        "disposal_due": 0
    }


def test_a_disposal_that_was_cut_off_is_a_trouble_with_what_finishes_it(
    maker: VaultMaker, settings: Settings
) -> None:
    assert tell_of_unfinished_disposals(seen(maker, settings)) == ({"disposals_unfinished": 0}, [])
    certificate = certificate_of(maker, OLD)
    maker.store.put_new(custody_signers_name(KEEPER), certificate.signers)
    maker.store.put_new(signature_name(OLD), certificate.signature)
    maker.store.put_new(certificate_name(OLD), certificate.data)
    facts, (trouble,) = tell_of_unfinished_disposals(seen(maker, settings))
    assert facts == {"disposals_unfinished": 1}
    assert (OLD in trouble.what, trouble.advice) == (True, f"finish: archiver retention dispose {OLD}")


def test_where_no_store_was_read_nothing_is_said(settings: Settings) -> None:
    nothing = Seen(settings, None, (), NOW_MS, {})
    assert tell_of_unfinished_disposals(nothing) == ({}, [])


def test_the_host_that_keeps_the_vault_is_named(tmp_path: Path) -> None:
    home = make_home(tmp_path / "homes")
    found = gather(home.settings, NOW_MS, {}).snapshot.more
    assert found["kept_by"]
    assert found["disposals_unfinished"] == 0


def test_on_a_host_that_another_took_over_from_all_is_not_well(tmp_path: Path) -> None:
    home = make_home(tmp_path / "homes")
    archives, vault = tuple(home.archives), home.vault
    facts, troubles = tell_of_holder(Seen(home.settings, vault, archives, NOW_MS, {}))
    assert (facts["kept_by"], troubles) == (home.settings.host_name, [])
    elsewhere = replace(home.settings, host="another-host")
    _, (trouble,) = tell_of_holder(Seen(elsewhere, vault, archives, NOW_MS, {}))
    assert home.settings.host_name in trouble.what
    assert "archiver schedule take-over" in trouble.advice
    reader = replace(elsewhere, spool_identity=tmp_path / "none")
    assert tell_of_holder(Seen(reader, vault, archives, NOW_MS, {}))[1] == []
