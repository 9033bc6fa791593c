"""One record whole: every version of it, its bytes as they were delivered, its media, whether it is gone."""

import subprocess
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from archiver.records import Gone, Link, MediaReference
from archiver.search.record import Record, find_record
from tests.made_vaults import ACCOUNT, Made, VaultMaker, like, message, post
from tests.programs import require_program


@pytest.fixture
def maker(tmp_path: Path) -> VaultMaker:
    return VaultMaker(tmp_path / "vault")


def record(maker: VaultMaker, platform_id: str) -> Record:
    with closing(maker.searcher()) as searcher:
        return find_record(searcher, platform_id)


def test_all_versions_are_found_by_the_id_of_any_of_them_oldest_first(maker: VaultMaker) -> None:
    first = post("10", "one", 1, edit_ids=("10", "11", "12"))
    second = post("11", "two", 2, record_id="10", edit_ids=("10", "11", "12"))
    third = post("12", "three", 3, record_id="10", edit_ids=("10", "11", "12"))
    maker.add("2026-01-01", [Made(third, 3), post("99", "other", 5)])
    maker.add("2026-01-02", [Made(first, 1)], [Made(second, 2)])
    for asked in ("10", "11", "12"):
        versions = record(maker, asked).versions
        assert [one.fields["text"] for one in versions] == ["one", "two", "three"]
        assert [one.archive for one in versions] == ["2026-01-02", "2026-01-02", "2026-01-01"]
        assert versions[0].fields["edit_ids"] == ["10", "11", "12"]


def test_an_edit_that_names_no_others_is_found_by_its_first_versions_id(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [post("10", "one", 1), Made(post("11", "two", 2, record_id="10"), 2)])
    for asked in ("10", "11"):
        assert [one.fields["text"] for one in record(maker, asked).versions] == ["one", "two"]


def test_a_version_comes_with_its_bytes_capture_media_and_links(maker: VaultMaker) -> None:
    shown = post(
        "1",
        "look",
        1,
        media=(MediaReference("7", "photo", "https://x/1.png", "1-a.png", "a van"),),
        links=(Link("https://t.co/a", "https://example.org", None),),
    )
    maker.add("2026-01-01", [post("0", "before"), shown, post("2", "after")], fetched_ms=77)
    (version,) = record(maker, "1").versions
    assert version.table == "post"
    assert version.raw == (msgspec.json.encode(shown),)
    assert (version.capture["request"], version.capture["fetched_ms"]) == ("made.zip!data/made.js", 77)
    assert [(one["file_name"], one["missing"]) for one in version.media] == [("1-a.png", "not captured")]
    assert [(one["short"], one["expanded"]) for one in version.links] == [
        ("https://t.co/a", "https://example.org")
    ]
    assert not {"key", "part", "offset", "length"} & set(version.fields)


def test_an_id_finds_every_kind_of_record_that_has_it(maker: VaultMaker) -> None:
    gone = Gone(platform="x", platform_id="1", account=ACCOUNT, kind="post", noticed_ms=9, how="absent")
    maker.add("2026-01-01", [post("1", "a", 1), message("1", "b", 2), like("1", "c", 3), gone])
    found = record(maker, "1")
    assert [one.table for one in found.versions] == ["post", "message", "relation"]
    assert [(one["how"], one["archive"]) for one in found.gone] == [("absent", "2026-01-01")]


@pytest.mark.parametrize("platform_id", ["3", "", "a\udcff", "a\0b", '"', "') OR 1=1 --"])
def test_an_id_that_nothing_has_finds_nothing(maker: VaultMaker, platform_id: str) -> None:
    maker.add("2026-01-01", [post("1", "a")])
    assert record(maker, platform_id) == Record([], [])


def test_where_a_record_lies_and_its_hash_are_found_with_other_programs(
    maker: VaultMaker, tmp_path: Path
) -> None:
    age, zstd, sqlite3 = (require_program(name) for name in ("age", "zstd", "sqlite3"))
    maker.add("2026-01-01", [post("0", "before")])
    maker.add(
        "2026-01-02", [post("1", "a")], [post("0", "£ before"), post("2", "wanted"), post("3", "after")]
    )
    (version,) = record(maker, "2").versions
    manifest = (maker.folder / "archives" / "2026-01-02" / "manifest.json").read_bytes()
    assert version.manifest_sha256 == sha256(manifest).hexdigest()
    assert version.segment == "archives/2026-01-02/records-001.sqlite.zst.age"
    holder, key, database = tmp_path / "holder", tmp_path / "key", tmp_path / "database"
    holder.write_text(f"{maker.holder.encode()}\n")
    sealed_key = maker.folder / "archives" / "2026-01-02" / "key.age"
    subprocess.run([age, "-d", "-i", holder, "-o", key, sealed_key], check=True)
    packed = subprocess.run(
        [age, "-d", "-i", key, maker.folder / version.segment], check=True, capture_output=True
    )
    subprocess.run([zstd, "-d", "-q", "-o", database], input=packed.stdout, check=True)
    (place,) = version.places
    cut = f"substr(body, {place.offset} + 1, {place.length})"
    sql = f"SELECT hex({cut}) FROM capture_part WHERE id = {place.part}"  # noqa: S608  # three numbers
    found = subprocess.run([sqlite3, database, sql], check=True, capture_output=True, text=True).stdout
    assert bytes.fromhex(found) == version.raw[0]
    assert version.raw_sha256 == (sha256(bytes.fromhex(found)).hexdigest(),)
    assert b"wanted" in bytes.fromhex(found)
