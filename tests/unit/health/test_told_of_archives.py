"""What a snapshot says of decisions about archives, and of the host that keeps the vault."""

from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from archiver.disposal import FORMAT, Disposal, certificate_name, custody_signers_name, signature_name
from archiver.health.gather import gather
from archiver.health.more import Seen
from archiver.health.told_of_archives import (
    tell_of_holder,
    tell_of_retention,
    tell_of_unfinished_disposals,
    tell_of_unfinished_erasures,
)
from archiver.reseal.survey import Wanted
from archiver.settings import Settings, load_settings
from archiver.settings.retention import RetentionRule, RetentionSettings
from archiver.vault import Vault
from tests.disposals import AT, KEEPER, certificate_of
from tests.homes import NOW_MS, make_home
from tests.made_vaults import VAULT_ID, VaultMaker, post
from tests.unit.reseal.erased import OTHER_ID, make_mixed_home, post_name, reseal

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


def test_an_erasing_that_was_cut_off_is_a_trouble_until_the_old_archive_is_disposed_of(
    maker: VaultMaker, settings: Settings
) -> None:
    assert tell_of_unfinished_erasures(seen(maker, settings)) == ({"erasures_unfinished": 0}, [])
    known = seen(maker, settings)
    old, new = known.archives
    successor = replace(new, manifest=structs.replace(new.manifest, replaces=OLD))
    facts, (trouble,) = tell_of_unfinished_erasures(replace(known, archives=(old, successor)))
    assert facts == {"erasures_unfinished": 1}
    assert trouble.what == (
        f"archive {OLD} is replaced by {NAMES[1]} and its key is still there: an erasing was cut off"
    )
    assert "archiver erase" in trouble.advice
    said = Disposal(
        format=FORMAT, vault=VAULT_ID, archive=OLD, manifest_sha256=old.head.sha256, reason="erased",
        keyholder=KEEPER, at=AT, decision="1", successor=NAMES[1],
    )  # fmt: skip
    gone = replace(old, disposed=said)
    assert tell_of_unfinished_erasures(replace(known, archives=(gone, successor)))[1] == []


def test_status_says_that_an_erasing_was_cut_off(tmp_path: Path) -> None:
    """Killed when the new archive was there, before anything of the old one was destroyed."""
    home = make_mixed_home(tmp_path / "homes")
    (old,) = home.archives
    (new,) = reseal(home, Wanted((post_name(OTHER_ID),)))
    snapshot = gather(home.settings, NOW_MS, {}).snapshot
    said = [one for one in snapshot.problems if f"archive {old.name} is replaced by {new.name}" in one]
    assert (len(said), snapshot.more["erasures_unfinished"], snapshot.code) == (1, 1, 3)


def test_where_no_store_was_read_nothing_is_said(settings: Settings) -> None:
    nothing = Seen(settings, None, (), NOW_MS, {})
    assert tell_of_unfinished_disposals(nothing) == ({}, [])
    assert tell_of_unfinished_erasures(nothing) == ({}, [])


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
