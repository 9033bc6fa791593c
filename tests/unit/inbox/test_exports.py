"""Exports from inbox and command line: taken oldest first, refused one by one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.errors import ArchiverError, ConfigurationError
from archiver.inbox.exports import Imported, import_exports
from archiver.wiring.collector import Collector, open_collector
from tests.faults.folders import LATER, UNTIL, edit_json, make_folder, rewrite, sample
from tests.homes import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(make_folder(tmp_path / "home"))


@pytest.fixture
def collector(home: Home) -> Iterator[Collector]:
    with open_collector(home.settings) as opened:
        yield opened


def take(collector: Collector, *paths: Path, may_add_account: bool = True) -> list[Imported]:
    return import_exports(collector, paths, may_add_account=may_add_account, clock=lambda: 5)


def test_exports_are_taken_oldest_first_and_one_that_is_refused_stops_no_other(
    collector: Collector, tmp_path: Path
) -> None:
    later = sample(tmp_path / "a-later.zip", until=LATER, months=3)
    earlier = sample(tmp_path / "b-earlier.zip", until=UNTIL, months=2)
    (tmp_path / "broken.zip").write_bytes(b"no zip")
    results = take(collector, later, tmp_path / "broken.zip", earlier)
    assert [one.name for one in results] == ["broken.zip", "b-earlier.zip", "a-later.zip"]
    assert results[0].report is None
    assert isinstance(results[0].error, ArchiverError)
    first, second = (one.report for one in results[1:])
    assert first is not None
    assert second is not None
    assert first.count("post", "unchanged") == 0
    assert second.count("post", "unchanged") > 100
    assert second.count("post", "new") > 20


def test_the_same_export_under_two_names_is_taken_once(collector: Collector, tmp_path: Path) -> None:
    export = sample(tmp_path / "one.zip")
    (tmp_path / "two.zip").write_bytes(export.read_bytes())
    results = take(collector, export)
    assert [one.error for one in results] == [None]
    (again,) = take(collector, tmp_path / "two.zip")
    assert again.report is not None
    assert again.report.repeated


def test_another_accounts_export_is_refused_until_it_may_be_added(
    collector: Collector, home: Home, tmp_path: Path
) -> None:
    export = sample(tmp_path / "one.zip")
    (refused,) = take(collector, export, may_add_account=False)
    assert isinstance(refused.error, ConfigurationError)
    assert "which the settings do not name" in refused.error.message
    assert refused.error.hint == "if it is yours: archiver import --add-account one.zip"
    assert collector.spool.is_empty()
    (taken,) = take(collector, export)
    assert taken.error is None
    (account,) = home.settings.accounts
    assert account.id == taken.report.account if taken.report else False
    (known,) = take(collector, sample(tmp_path / "later.zip", until=LATER), may_add_account=False)
    assert known.error is None


def test_the_limits_of_the_settings_hold(home: Home, tmp_path: Path) -> None:
    with (home.folder / "archiver.toml").open("a", encoding="utf-8") as settings:
        settings.write("\n[limits]\nmembers = 5\n")
    with open_collector(home.settings) as collector:
        (refused,) = take(collector, sample(tmp_path / "one.zip"))
    assert refused.report is None
    assert isinstance(refused.error, ArchiverError)


def test_a_broken_member_leaves_the_rest_taken_and_the_report_incomplete(
    collector: Collector, tmp_path: Path
) -> None:
    export = sample(tmp_path / "whole.zip")
    broken = rewrite(export, tmp_path / "broken.zip", {"data/like.js": b"window.YTD.like.part0 = [ {"})
    (taken,) = take(collector, broken)
    assert taken.report is not None
    assert not taken.report.complete
    assert taken.report.count("post", "new") > 100
    assert any("like" in one.what for one in taken.report.problems)


def test_an_export_whose_manifest_counts_more_is_incomplete(collector: Collector, tmp_path: Path) -> None:
    def count_more(manifest: dict[str, dict[str, dict[str, list[dict[str, str]]]]]) -> None:
        listed = manifest["dataTypes"]["like"]["files"][0]
        listed["count"] = str(int(listed["count"]) + 1)

    export = sample(tmp_path / "whole.zip")
    changed = rewrite(export, tmp_path / "more.zip", {"data/manifest.js": edit_json(count_more)})
    (taken,) = take(collector, changed)
    assert taken.report is not None
    assert [one.reason for one in taken.report.problems] == ["count differs"]
