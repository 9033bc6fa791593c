"""The job `check` and a bucket: asked once a day, and read only where the settings say so."""

from pathlib import Path

import pytest

from archiver.cli import main
from archiver.schedule.due import DAY_MS
from archiver.stores.s3 import S3Store
from tests.cli.stores import add_bucket
from tests.faults.folders import copy_folder
from tests.homes import NOW_MS, Home, make_home
from tests.seaweed import Seaweed, seaweed
from tests.unit.jobs.checked import Checked

__all__ = ["seaweed"]
PERIOD_DAYS = 28
MONTHLY = "\n[checks]\nread_all_months = 1\n"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_home(tmp_path_factory.mktemp("checking-far"))


def make_checked(sealed: Home, server: Seaweed, folder: Path, more: str) -> tuple[Checked, str]:
    """A folder whose vault lies in a bucket too, and the bucket."""
    home = Home(copy_folder(sealed.folder, folder / "home"))
    bucket = server.make_bucket("versioned")
    add_bucket(home, "bucket", server, bucket, required=False, tries=1)
    with (home.folder / "archiver.toml").open("a") as file:
        file.write(more)
    assert main(["--config", str(home.folder), "sync"]) == 0
    return Checked(home), bucket


def read_bytes(checked: Checked) -> dict[str, int]:
    """Within a period, by store."""
    read = {"vault": 0, "bucket": 0}
    for day in range(PERIOD_DAYS + 1):
        report = checked.must_run(24 * day)
        assert report.problems == []
        for name, facts in checked.told:
            if name == "check.read":
                read[str(facts["store"])] += int(str(facts["bytes"]))
    return read


def test_a_bucket_is_asked_once_a_day_and_a_folder_whenever_it_changes(
    sealed: Home, seaweed: Seaweed, tmp_path: Path
) -> None:
    checked, _ = make_checked(sealed, seaweed, tmp_path, MONTHLY)
    assert checked.must_run().facts["stores"] == ["vault", "bucket"]
    assert checked.run(1) is None
    (archive,) = checked.home.archives
    (checked.home.folder / "vault" / "archives" / archive.name / "key.age").touch()
    assert checked.must_run(2).facts["stores"] == ["vault"]
    assert checked.must_run(24).facts["stores"] == ["vault", "bucket"]


def test_its_bytes_are_read_only_where_the_settings_say_so(
    sealed: Home, seaweed: Seaweed, tmp_path: Path
) -> None:
    (archive,) = sealed.archives
    size = sum(file.size for file in archive.manifest.files)
    checked, _ = make_checked(sealed, seaweed, tmp_path / "one", MONTHLY)
    assert read_bytes(checked) == {"vault": size, "bucket": 0}
    assert checked.note("bucket").read_to_ms is None
    checked, _ = make_checked(sealed, seaweed, tmp_path / "two", f"{MONTHLY}read_far = true\n")
    assert read_bytes(checked) == {"vault": size, "bucket": size}
    assert checked.note("bucket").read_to_ms is not None


def test_what_is_put_over_a_file_is_said_until_it_is_mended(
    sealed: Home, seaweed: Seaweed, tmp_path: Path
) -> None:
    checked, bucket = make_checked(sealed, seaweed, tmp_path, MONTHLY)
    checked.must_run()
    (archive,) = checked.home.archives
    name = archive.path(archive.manifest.segments[0])
    store = S3Store(seaweed.options(bucket))
    data = store.read(name, 1 << 24)
    seaweed.client().put_object(Bucket=bucket, Key=name, Body=data[:-1] + b"!")
    assert checked.run(1) is None, "it is asked once a day"
    for hours in (24, 25, 26):
        report = checked.must_run(hours)
        assert report.code != 0
        assert any(problem.startswith(f"store bucket: {name}") for problem in report.problems)
    assert main(["--config", str(checked.home.folder), "repair"]) in (0, 3)
    report = checked.must_run(27)
    assert report.code in (0, 3)
    assert not any("altered" in problem for problem in report.problems)


def test_one_that_is_away_is_said_and_waits_for_nobody(
    sealed: Home, seaweed: Seaweed, tmp_path: Path
) -> None:
    checked, _ = make_checked(sealed, seaweed, tmp_path, MONTHLY)
    settings = checked.home.folder / "archiver.toml"
    right = settings.read_text()
    settings.write_text(right.replace(seaweed.endpoint, "http://127.0.0.1:9"))
    for day in range(3):
        report = checked.must_run(24 * day)
        assert report.code == 3
        assert len(report.problems) == 1
        assert report.problems[0].startswith("store bucket: ")
    assert checked.note("vault").whole_ms == NOW_MS + 2 * DAY_MS
    settings.write_text(right)
    assert checked.must_run(49).code == 0
