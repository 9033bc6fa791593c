"""Exports that are cut, hostile or short: refused before anything is taken, or taken as far as sound."""

import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.errors import ArchiverError, SourceError
from archiver.records import Post
from archiver.sources.base import Batch
from archiver.sources.x_export import Limits, XExport
from tests.unit.sources.x_export import builder as make
from tests.unit.sources.x_export.reading_helper import read, record_of

DATA = {
    "tweets": make.wrapped(*(make.post(str(number)) for number in range(100, 200))),
    "follower": [{"follower": {"accountId": str(number)}} for number in range(50)],
    "like": [{"like": {"tweetId": "5", "fullText": "liked"}}],
}


def good(path: Path) -> Path:
    return make.export(path, DATA)


def add(path: Path, name: str, body: bytes, mode: int = 0o100644) -> None:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(info, body, zipfile.ZIP_DEFLATED)


def as_text(path: Path) -> None:
    path.write_text("not a ZIP file at all")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def encrypted(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[body.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(body))


def bomb(path: Path) -> None:
    add(path, "data/block.js", b"\0" * 20_000_000)


def another_account(path: Path) -> None:
    make.export(path, DATA | {"account": [make.account(accountId="999")]})


def nobodys(path: Path) -> None:
    make.write_zip(path, {"data/tweets.js": "window.YTD.tweets.part0 = []"})


def unknown(path: Path) -> None:
    make.write_zip(path, {"export/posts.json": "[]"})


REFUSED: list[tuple[Callable[[Path], None], str]] = [
    (as_text, "not a ZIP file"),
    (cut, "cut off"),
    (lambda path: add(path, "data/../../evil.js", b"x"), "leads out of the export"),
    (lambda path: add(path, "/etc/evil.js", b"x"), "absolute"),
    (lambda path: add(path, "data/evil.js", b"/etc/passwd", 0o120777), "symbolic link"),
    (encrypted, "encrypted"),
    (bomb, "inflates more than 200 times"),
    (another_account, "'999'"),
    (nobodys, "does not say whose account"),
    (unknown, "not an export of X in any known layout"),
]


@pytest.mark.parametrize(("spoil", "what"), REFUSED, ids=[what for _, what in REFUSED])
def test_it_is_refused_in_one_sentence_with_a_hint_before_anything_is_yielded(
    tmp_path: Path, spoil: Callable[[Path], None], what: str
) -> None:
    path = good(tmp_path / "export.zip")
    spoil(path)
    with pytest.raises(SourceError) as caught:
        XExport.open(path)
    assert what in caught.value.message
    assert "export.zip" in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 1


def test_a_bomb_that_lies_about_its_size_is_stopped_while_it_inflates(tmp_path: Path) -> None:
    path = make.export(tmp_path / "x.zip", DATA | {"tweets": [{"x": " " * 15_000_000}]})
    body = bytearray(path.read_bytes())
    entry = body.index(b"data/tweets.js", body.index(b"PK\x01\x02")) - 46
    body[entry + 24 : entry + 28] = struct.pack("<I", 9_000_000)
    path.write_bytes(bytes(body))
    with XExport.open(path) as source, pytest.raises(SourceError, match="inflates past the 9,000,000 bytes"):
        for _ in source.events():
            pass


def test_broken_json_in_one_file_leaves_the_others_and_what_was_before_it(tmp_path: Path) -> None:
    files = make.export_files(DATA)
    whole = str(files["data/tweets.js"])
    at = whole.index('"150"')
    files["data/tweets.js"] = f"{whole[:at]}?{whole[at:]}"
    found = read(make.write_zip(tmp_path / "x.zip", files))
    assert found.ids("post") == [str(number) for number in range(100, 150)]
    assert (len(found.of("follower")), len(found.of("like"))) == (50, 1)
    (problem,) = found.problems
    assert (problem.what, problem.reason) == ("x.zip!data/tweets.js", "broken")
    assert f"byte {len(whole[:at].encode()):,}" in problem.detail
    assert "50 records before that were taken" in problem.detail
    assert found.absences == {"follower", "like"}


def test_a_damaged_member_leaves_the_others(tmp_path: Path) -> None:
    path = good(tmp_path / "x.zip")
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("data/follower.js")
    body = bytearray(path.read_bytes())
    for offset in range(10):
        body[info.header_offset + 30 + len(info.filename) + info.compress_size // 2 + offset] ^= 0xFF
    path.write_bytes(bytes(body))
    found = read(path)
    assert (len(found.of("post")), len(found.of("like"))) == (100, 1)
    assert [(each.what, each.reason) for each in found.problems] == [("x.zip!data/follower.js", "broken")]
    assert found.absences == {"post", "like"}


def test_a_wrong_checksum_is_told_though_everything_parsed(tmp_path: Path) -> None:
    path = good(tmp_path / "x.zip")
    body = bytearray(path.read_bytes())
    entry = body.index(b"data/tweets.js", body.index(b"PK\x01\x02")) - 46
    body[entry + 16] ^= 1
    path.write_bytes(bytes(body))
    found = read(path)
    assert len(found.of("post")) == 100
    assert "checksum" in found.problems[0].detail
    assert "post" not in found.absences


def test_posts_that_two_parts_hold_come_alike_and_differing_ones_both(tmp_path: Path) -> None:
    data = {
        "tweets": make.wrapped(make.post("21"), make.post("22", "first")),
        "tweets-part1": make.wrapped(make.post("22", "second"), make.post("21", favorite_count="9")),
    }
    found = read(make.export(tmp_path / "x.zip", data))
    contents = {each: {item.content for item in found.of("post") if item.id == each} for each in ("21", "22")}
    assert [len(contents["21"]), len(contents["22"])] == [1, 2]


def test_hostile_and_odd_posts_are_all_kept(tmp_path: Path) -> None:
    rows = [
        make.post("21", "a\0b"),
        make.post("22", "x" * 100_000),
        make.post("23", created_at="Thu Nov 03 08:50:26 +0000 9999"),
        make.post("24", "HALF"),
    ]
    files = make.export_files({"tweets": make.wrapped(*rows)})
    files["data/tweets.js"] = str(files["data/tweets.js"]).replace("HALF", "\\ud83d")
    found = read(make.write_zip(tmp_path / "x.zip", files))
    records = [record_of(found, item) for item in found.of("post")]
    texts = [each.text for each in records if isinstance(each, Post)]
    assert texts == ["a\ufffdb", "x" * 100_000, "Road closed.", "\ufffd"]
    assert {each.what for each in found.problems} == {"post 23", "post 24"}


def test_an_element_past_the_limit_is_reported_not_held(tmp_path: Path) -> None:
    rows = make.wrapped(make.post("21"), make.post("22", "x" * 3_000_000), make.post("23"))
    found = read(make.export(tmp_path / "x.zip", {"tweets": rows}), limits=Limits(element_bytes=1_000_000))
    assert found.ids("post") == ["21"]
    assert "no value ends within 1,000,000 bytes" in found.problems[0].detail


def test_nesting_without_end_is_reported(tmp_path: Path) -> None:
    body = "window.YTD.tweets.part0 = [" + '{"tweet":' * 200_000
    files = make.export_files(DATA) | {"data/tweets.js": body}
    found = read(make.write_zip(tmp_path / "x.zip", files))
    assert found.problems[0].reason == "broken"
    assert len(found.of("follower")) == 50


@pytest.mark.parametrize("seed", range(4))
def test_a_file_cut_anywhere_is_refused_or_reported(tmp_path: Path, seed: int) -> None:
    """Never read without a word: a cut ZIP is refused, a cut file inside one is broken or short."""
    rng = random.Random(seed)  # noqa: S311 - a repeatable choice, no secret
    path = good(tmp_path / "x.zip")
    whole = path.read_bytes()
    for _ in range(25):
        path.write_bytes(whole[: rng.randrange(len(whole))])
        with pytest.raises(ArchiverError):
            XExport.open(path)
    files = make.export_files(DATA)
    for _ in range(25):
        name = rng.choice(["data/tweets.js", "data/follower.js", "data/like.js"])
        body = str(files[name])
        found = read(make.write_zip(path, files | {name: body[: rng.randrange(len(body))]}))
        assert found.problems


def test_reading_that_is_given_up_leaves_no_thread(tmp_path: Path) -> None:
    import threading

    rows = make.wrapped(*(make.post(str(number), "word " * 400) for number in range(8_000)))
    with XExport.open(make.export(tmp_path / "x.zip", {"tweets": rows})) as source:
        for event in source.events():
            if isinstance(event, Batch) and event.items[0].kind == "post":
                break
    assert not [thread for thread in threading.enumerate() if thread.name == "export"]
