"""Which files are parts of one export."""

import zipfile
from pathlib import Path

import pytest

from archiver.errors import SourceError
from archiver.inbox.groups import Group, StrayPartError, group_exports
from archiver.sources.x_export import Limits
from tests.faults.folders import LATER, edit_json, rewrite, sample
from tests.unit.inbox.boxes import split


def names(groups: list[Group]) -> list[list[str]]:
    return [[path.name for path in group.paths] for group in groups]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample(tmp_path_factory.mktemp("export") / "whole.zip")


def test_a_later_part_goes_with_the_export_that_lists_what_it_holds(export: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "one.zip", tmp_path / "other.zip"
    split(export, first, second)
    later = sample(tmp_path / "later.zip", until=LATER)
    (alone,) = group_exports([first], Limits())
    assert alone.wants_more
    assert alone.lacking == {("like", 0)}
    for paths in ([second, first, later], [later, first, second]):
        groups = group_exports(paths, Limits())
        assert names(groups) == [["one.zip", "other.zip"], ["later.zip"]]
        assert not any(group.wants_more for group in groups)


def test_of_two_exports_that_lack_the_same_the_one_that_is_called_alike_gets_the_part(tmp_path: Path) -> None:
    for name, until in (("october", LATER), ("september", None)):
        export = sample(tmp_path / "whole.zip", **({"until": until} if until else {}))
        split(export, tmp_path / f"{name}-part1.zip", tmp_path / f"{name}-part2.zip")
    parts = [tmp_path / f"{name}-part{number}.zip" for name in ("october", "september") for number in (1, 2)]
    assert names(group_exports(parts, Limits())) == [
        ["september-part1.zip", "september-part2.zip"],
        ["october-part1.zip", "october-part2.zip"],
    ]
    unclear = parts[1].rename(tmp_path / "unclear.zip")
    left = group_exports([parts[0], parts[2], unclear], Limits())
    assert names(left) == [["unclear.zip"], ["september-part1.zip"], ["october-part1.zip"]]
    assert isinstance(left[0].error, StrayPartError)


def test_a_part_of_pictures_goes_by_its_name(export: Path, tmp_path: Path) -> None:
    pictures = tmp_path / "whole (2).zip"
    with zipfile.ZipFile(pictures, "w") as archive:
        archive.writestr("data/tweets_media/1-a.jpg", b"jpeg")
    (group,) = group_exports([pictures, export], Limits())
    assert group.error is None
    assert len(group.paths) == 2
    (stray, _) = group_exports([pictures.rename(tmp_path / "strange.zip"), export], Limits())
    assert isinstance(stray.error, StrayPartError)


def test_a_file_marked_as_partial_wants_more_until_another_part_is_there(
    export: Path, tmp_path: Path
) -> None:
    partial = edit_json(lambda manifest: manifest["archiveInfo"].update(isPartialArchive=True))
    first = rewrite(export, tmp_path / "a.zip", {"data/manifest.js": partial})
    (alone,) = group_exports([first], Limits())
    assert alone.wants_more
    (both,) = group_exports([first, rewrite(first, tmp_path / "b.zip", {})], Limits())
    assert not both.wants_more


def test_what_is_no_export_is_refused_first_and_stops_no_other(export: Path, tmp_path: Path) -> None:
    (tmp_path / "no.zip").write_bytes(b"no zip")
    groups = group_exports([export, tmp_path / "no.zip"], Limits())
    assert names(groups) == [["no.zip"], ["whole.zip"]]
    assert isinstance(groups[0].error, SourceError)


def test_a_file_larger_than_any_export_is_refused_without_being_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.zip").open("wb") as file:
        file.truncate(2**40)
    (group,) = group_exports([tmp_path / "huge.zip"], Limits())
    assert group.error is not None
    assert "1,099,511,627,776 bytes, the limit is 549,755,813,888" in group.error.message
