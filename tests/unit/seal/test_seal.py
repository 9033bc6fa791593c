"""One sealing: its name, its manifest, what it leaves behind, and how an interrupted one is finished."""

from hashlib import sha256
from pathlib import Path

import pytest

from archiver.errors import IntegrityError
from archiver.inbox.exports import import_exports
from archiver.seal import SealResult, seal
from archiver.state import Sealing
from archiver.verification import verify_vault
from archiver.wiring.collector import Collector, open_collector
from archiver.wiring.seal import seal_options
from tests.faults.folders import LATER, UNTIL, make_folder, sample
from tests.homes import NOW_MS, Home

DAY_MS = 86_400_000


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(make_folder(tmp_path / "home"))


def taken(collector: Collector, export: Path) -> None:
    (result,) = import_exports(collector, [export], may_add_account=True, clock=lambda: NOW_MS)
    assert result.error is None


def sealed(home: Home, collector: Collector, now_ms: int = NOW_MS) -> SealResult:
    return seal(collector.spool, collector.state, home.vault, seal_options(home.settings), lambda: now_ms)


def test_an_empty_spool_makes_no_archive(home: Home) -> None:
    with open_collector(home.settings) as collector:
        assert sealed(home, collector) == SealResult(None)
    assert home.archives == []


def test_archives_are_named_by_day_and_numbered_within_it(home: Home, tmp_path: Path) -> None:
    with open_collector(home.settings) as collector:
        names = []
        for months, now_ms in ((1, NOW_MS), (2, NOW_MS), (3, NOW_MS + DAY_MS)):
            taken(collector, sample(tmp_path / f"{months}.zip", months=months))
            names.append(sealed(home, collector, now_ms).archive)
    assert [one.name for one in names if one] == ["2026-10-26", "2026-10-26.2", "2026-10-27"]
    assert [one.head.sequence for one in home.archives] == [1, 2, 3]


def test_the_manifest_counts_what_was_sealed(home: Home, tmp_path: Path) -> None:
    export = sample(tmp_path / "one.zip")
    with open_collector(home.settings) as collector:
        taken(collector, export)
        archive = sealed(home, collector).archive
        assert archive is not None
        assert collector.spool.is_empty()
        assert collector.state.head() == archive.head
        assert collector.state.sealing() is None
    manifest = archive.manifest
    rows = {
        table: sum(file.records.get(table, 0) for file in manifest.segments) for table in ("post", "message")
    }
    counted = {count.kind: count.new for count in manifest.counts}
    assert {table: counted[table] for table in rows} == rows
    assert counted["media"] > 0
    assert manifest.covers_from is not None
    assert manifest.covers_from[:7] == "2026-08"
    assert manifest.covers_to is not None
    assert manifest.covers_to[:7] == "2026-09"
    assert (manifest.sequence, manifest.previous) == (1, None)
    assert {origin.source_sha256 for origin in manifest.origins} == {sha256(export.read_bytes()).hexdigest()}
    text = (home.folder / "vault/archives" / archive.name / "manifest.json").read_text()
    assert "full_text" not in text


def test_a_second_archive_holds_only_what_is_new(home: Home, tmp_path: Path) -> None:
    with open_collector(home.settings) as collector:
        taken(collector, sample(tmp_path / "one.zip", until=UNTIL, months=2))
        sealed(home, collector)
        taken(collector, sample(tmp_path / "two.zip", until=LATER, months=3))
        sealed(home, collector)
    first, second = (sum(file.records["post"] for file in one.manifest.segments) for one in home.archives)
    assert 0 < second < first
    assert verify_vault(home.vault, known_head=None, identities=home.identities).problems == []


def test_what_a_kill_after_the_manifest_left_is_finished_first(home: Home, tmp_path: Path) -> None:
    with open_collector(home.settings) as collector:
        taken(collector, sample(tmp_path / "one.zip"))
        spooled = {path.name: path.read_bytes() for path in home.settings.spool.glob("spool.sqlite*")}
        archive = sealed(home, collector).archive
    assert archive is not None
    for name, data in spooled.items():  # as if the spool had not been emptied any more
        (home.settings.spool / name).write_bytes(data)
    with open_collector(home.settings) as collector:
        with collector.state.transaction():
            collector.state.set_sealing(Sealing(archive.name, archive.manifest.mark, 10**6, 10**6, 10**6))
        result = sealed(home, collector)
        assert (result.finished_earlier, result.archive) == (True, archive)
        assert collector.spool.is_empty()
        assert collector.state.sealing() is None
    assert len(home.archives) == 1


def test_an_unfinished_archive_is_dropped_and_made_anew(home: Home, tmp_path: Path) -> None:
    with open_collector(home.settings) as collector:
        taken(collector, sample(tmp_path / "one.zip"))
        with collector.state.transaction():
            collector.state.set_sealing(Sealing("2026-10-26", "a mark", 1, 1, 0))
        home.vault.store.put_new("archives/2026-10-26/records-000.sqlite.zst.age", b"half")
        result = sealed(home, collector)
    assert not result.finished_earlier
    assert [one.name for one in home.archives] == ["2026-10-26"]
    assert verify_vault(home.vault, known_head=None, identities=home.identities).problems == []


def test_nothing_is_sealed_onto_a_broken_chain(home: Home, tmp_path: Path) -> None:
    with open_collector(home.settings) as collector:
        taken(collector, sample(tmp_path / "one.zip", months=1))
        sealed(home, collector)
        (archive,) = home.archives
        home.replace(f"archives/{archive.name}/manifest.json", None)
        taken(collector, sample(tmp_path / "two.zip", months=2))
        with pytest.raises(IntegrityError):
            sealed(home, collector)
        assert not collector.spool.is_empty()
