from pathlib import Path

import pytest

from archiver.errors import SourceError
from archiver.records import Account, Post
from archiver.sources.base import Batch
from archiver.sources.x_export import Limits, XExport
from tests.programs import require_shared_data
from tests.unit.sources.x_export import builder as make
from tests.unit.sources.x_export.reading_helper import read, record_of


def test_an_export_says_whose_it_is_and_when_it_was_made(tmp_path: Path) -> None:
    with XExport.open(make.export(tmp_path / "x.zip", {})) as source:
        assert (source.platform, source.account) == ("x", make.ACCOUNT)
        assert (source.handle, source.name) == (make.HANDLE, make.NAME)
        assert source.generated_ms == 1_685_599_200_000
        assert source.partial is False


def test_a_capture_says_how_its_bytes_were_got(tmp_path: Path) -> None:
    found = read(make.export(tmp_path / "x.zip", {"tweets": make.wrapped(make.post())}))
    (capture,) = [each for each in found.captures.values() if each.body_kind == "tweets"]
    assert (capture.source, capture.route, capture.platform) == ("x_export", "export", "x")
    assert capture.request == "x.zip!data/tweets.js"
    assert (capture.account, capture.fetched_ms) == (make.ACCOUNT, 1_685_599_200_000)


def test_a_folder_packed_around_the_export_is_understood(tmp_path: Path) -> None:
    extra = {"data/tweets_media/1-a.jpg": b"jpeg"}
    path = make.export(
        tmp_path / "x.zip", {"tweets": make.wrapped(make.post())}, prefix="my export/", extra=extra
    )
    found = read(path)
    assert found.ids("post") == [make.FIRST_ID]
    assert found.problems == []
    with XExport.open(path) as source:
        assert source.open_media("1-a.jpg") is not None


def test_what_a_mac_adds_is_only_listed(tmp_path: Path) -> None:
    extra = {"__MACOSX/data/._manifest.js": b"junk", ".DS_Store": b"junk"}
    found = read(make.export(tmp_path / "x.zip", {}, extra=extra))
    assert set(found.unread) == set(extra)


def test_what_is_not_on_the_list_is_named_and_never_read(tmp_path: Path) -> None:
    """Its bytes are damaged so that reading them would fail."""
    secret = "data/ip-audit.js"
    body = b"window.YTD.ip_audit.part0 = [ 203.0.113.7 ]" * 100
    path = make.export(tmp_path / "x.zip", {"tweets": make.wrapped(make.post())}, extra={secret: body})
    raw = bytearray(path.read_bytes())
    at = raw.index(secret.encode()) + len(secret)
    raw[at : at + 20] = b"\xff" * 20
    path.write_bytes(bytes(raw))
    found = read(path)
    assert found.unread == [secret]
    assert found.problems == []
    assert all(secret not in each.request for each in found.captures.values())


def test_a_manifest_cannot_make_an_unlisted_file_be_read(tmp_path: Path) -> None:
    types = {
        "tweets": {
            "files": [
                {"fileName": "data/ip-audit.js", "count": "1"},
                {"fileName": "data/tweets.js", "count": "0"},
            ]
        }
    }
    extra = {
        "data/ip-audit.js": "window.YTD.ip_audit.part0 = []",
        "data/manifest.js": make.manifest({}, dataTypes=types),
    }
    found = read(make.export(tmp_path / "x.zip", {}, extra=extra))
    assert found.unread == ["data/ip-audit.js"]


def test_media_is_found_in_every_folder_for_it(tmp_path: Path) -> None:
    kinds = (
        "tweets",
        "tweet",
        "direct_messages_group",
        "deleted_tweets",
        "community_tweet",
        "twitter_circle_tweet",
    )
    folders = [f"{kind}_media" for kind in kinds]
    extra = {f"data/{folder}/{number}-a.jpg": folder.encode() for number, folder in enumerate(folders)}
    path = make.export(tmp_path / "x.zip", {}, extra=extra | {"data/moments_media/9-a.jpg": b"x"})
    with XExport.open(path) as source:
        for number, folder in enumerate(folders):
            stream = source.open_media(f"{number}-a.jpg")
            assert stream is not None
            assert stream.read() == folder.encode()
        assert source.open_media("9-a.jpg") is None
        assert source.open_media("../data/account.js") is None
    assert read(path).unread == ["data/moments_media/9-a.jpg"]


def test_damaged_media_is_told_while_it_is_read(tmp_path: Path) -> None:
    path = make.export(tmp_path / "x.zip", {}, extra={"data/tweets_media/1-a.jpg": bytes(range(256)) * 9})
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"data/tweets_media/1-a.jpg") + 60] ^= 0xFF
    path.write_bytes(bytes(raw))
    with XExport.open(path) as source:
        stream = source.open_media("1-a.jpg")
        assert stream is not None
        with pytest.raises(SourceError):
            stream.read()


def test_events_can_be_read_again(tmp_path: Path) -> None:
    path = make.export(tmp_path / "x.zip", {"tweets": make.wrapped(make.post())})
    with XExport.open(path) as source:
        assert list(source.events()) == list(source.events())


def test_a_partial_export_is_taken_and_nothing_in_it_is_gone(tmp_path: Path) -> None:
    path = make.export(
        tmp_path / "x.zip", {"tweets": make.wrapped(make.post())}, archiveInfo={"isPartialArchive": True}
    )
    found = read(path)
    assert found.ids("post") == [make.FIRST_ID]
    assert found.reasons() == ["partial"]
    assert found.absences == set()
    with XExport.open(path) as source:
        assert source.partial


def test_a_full_export_says_what_is_whole(tmp_path: Path) -> None:
    found = read(make.export(tmp_path / "x.zip", {"tweets": make.wrapped(make.post()), "like": []}))
    assert found.absences == {"post", "like"}


def test_an_export_of_2018_without_manifest_proves_no_absence(tmp_path: Path) -> None:
    found = read(make.export_2018(tmp_path / "x.zip", [make.post("21"), make.post("22")]))
    assert (found.ids("post"), found.ids("follower")) == (["21", "22"], ["7"])
    assert found.problems == []
    assert found.absences == set()


def test_an_export_of_2018_with_a_manifest_is_held_against_it(tmp_path: Path) -> None:
    manifest = make.manifest({"tweet": 1, "account": 1, "follower": 1})
    found = read(make.export_2018(tmp_path / "x.zip", [make.post("21")], extra={"manifest.js": manifest}))
    assert found.problems == []
    assert found.absences == {"post", "follower"}


def test_counts_that_differ_are_reported_with_both_numbers(tmp_path: Path) -> None:
    found = read(
        make.export(tmp_path / "x.zip", {"tweets": make.wrapped(make.post())}, counts={"tweets": 1986})
    )
    (problem,) = found.problems
    assert problem.reason == "count differs"
    assert "1 records" in problem.detail
    assert "1,986" in problem.detail
    assert "post" not in found.absences


def test_a_listed_file_that_is_absent_is_reported(tmp_path: Path) -> None:
    found = read(make.export(tmp_path / "x.zip", {}, counts={"like": 7, "block": 0}))
    assert {(each.what, each.reason) for each in found.problems} == {
        ("x.zip!like.js", "missing"),
        ("x.zip!block.js", "missing"),
    }
    assert found.absences == {"post"}


def test_a_missing_part_of_the_posts_is_reported_with_and_without_manifest(tmp_path: Path) -> None:
    rows = make.wrapped(make.post())
    listed = read(
        make.export(tmp_path / "a.zip", {"tweets": rows, "tweets-part2": rows}, counts={"tweets-part1": 5})
    )
    assert [(each.what, each.reason) for each in listed.problems] == [("a.zip!tweets-part1.js", "missing")]
    files = make.export_files({"tweets": rows, "tweets-part2": rows})
    del files["data/manifest.js"]
    unlisted = read(make.write_zip(tmp_path / "b.zip", files))
    assert [(each.what, each.reason) for each in unlisted.problems] == [("tweets.js", "missing")]
    assert "tweets-part1.js" in unlisted.problems[0].detail
    assert "post" not in listed.absences | unlisted.absences


def test_a_file_the_manifest_does_not_name_is_taken_and_reported(tmp_path: Path) -> None:
    extra = {"data/block.js": make.javascript("window.YTD.block.part0", [{"blocking": {"accountId": "7"}}])}
    found = read(make.export(tmp_path / "x.zip", {}, extra=extra))
    assert found.ids("block") == ["7"]
    assert found.reasons() == ["conflict"]


def test_an_export_without_any_file_of_posts_is_no_account_without_posts(tmp_path: Path) -> None:
    files = make.export_files({})
    del files["data/tweets.js"]
    files["data/manifest.js"] = make.manifest({"account": 1})
    found = read(make.write_zip(tmp_path / "x.zip", files | {"data/posts.js": "window.YTD.posts.part0 = []"}))
    assert found.reasons() == ["unknown layout"]
    assert found.unread == ["data/posts.js"]
    assert "post" not in found.absences


@pytest.mark.parametrize(
    "files",
    [{}, {"readme.txt": "x"}, {"data/posts.js": "x"}, {"your_instagram_activity/content/posts_1.json": "[]"}],
)
def test_a_zip_that_is_no_export_is_refused(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(SourceError, match="not an export of X in any known layout") as caught:
        XExport.open(make.write_zip(tmp_path / "x.zip", files))
    assert caught.value.hint


def test_two_exports_in_one_zip_are_refused(tmp_path: Path) -> None:
    files = make.export_files({})
    both = {f"{folder}/{name}": body for folder in ("a", "b") for name, body in files.items()}
    with pytest.raises(SourceError, match="more than one export: in 'a/', 'b/'"):
        XExport.open(make.write_zip(tmp_path / "x.zip", both))


def test_files_that_disagree_whose_account_it_is_are_refused(tmp_path: Path) -> None:
    path = make.export(tmp_path / "x.zip", {"account": [make.account(accountId="999")]})
    with pytest.raises(SourceError, match="'999'") as caught:
        XExport.open(path)
    assert make.ACCOUNT in caught.value.message


@pytest.mark.parametrize("account", ["", "x", "1" * 21, "12 3"])
def test_an_account_id_that_is_none_is_refused(tmp_path: Path, account: str) -> None:
    manifest = make.manifest({}, userInfo={"accountId": account})
    with pytest.raises(SourceError, match="no account id"):
        XExport.open(make.write_zip(tmp_path / "x.zip", {"data/manifest.js": manifest}))


@pytest.mark.parametrize("body", ["", "window.__THAR_CONFIG", "x = [", "x = 5", "x = \ud83d"])
def test_a_manifest_that_cannot_be_read_is_refused(tmp_path: Path, body: str) -> None:
    raw = body.encode("utf-8", "surrogatepass")
    with pytest.raises(SourceError, match=r"manifest\.js"):
        XExport.open(make.write_zip(tmp_path / "x.zip", {"data/manifest.js": raw}))


def test_a_display_name_with_half_a_character_does_not_stop_the_export(tmp_path: Path) -> None:
    files = make.export_files(
        {}, userInfo={"accountId": make.ACCOUNT, "userName": make.HANDLE, "displayName": "HALF"}
    )
    manifest = str(files["data/manifest.js"]).replace("HALF", "cut \\ud83d")
    with XExport.open(make.write_zip(tmp_path / "x.zip", files | {"data/manifest.js": manifest})) as source:
        assert source.name == "cut \ufffd"


def test_a_small_file_that_is_large_is_refused(tmp_path: Path) -> None:
    path = make.export(tmp_path / "x.zip", {}, readmeInfo={"x": "y" * 5000})
    with pytest.raises(SourceError, match="limit for this file is 1,000"):
        XExport.open(path, limits=Limits(small_file_bytes=1_000))


def split(tmp_path: Path) -> list[Path]:
    """An export in two ZIP files: the second holds later posts and a picture, and no manifest."""
    first, second = (
        make.wrapped(make.post("21"), make.post("22")),
        make.wrapped(make.post("22"), make.post("23")),
    )
    files = make.export_files({"tweets": first, "tweets-part1": second})
    later = {"data/tweets-part1.js": files.pop("data/tweets-part1.js"), "data/tweets_media/23-a.jpg": b"jpeg"}
    return [make.write_zip(tmp_path / "part1.zip", files), make.write_zip(tmp_path / "part2.zip", later)]


def test_parts_are_one_source_in_any_order(tmp_path: Path) -> None:
    paths = split(tmp_path)
    digests = set()
    for ordered in (paths, paths[::-1]):
        with XExport.open_all(ordered) as source:
            found = [item for each in source.events() if isinstance(each, Batch) for item in each.items]
            assert {item.id for item in found if item.kind == "post"} == {"21", "22", "23"}
            assert source.open_media("23-a.jpg") is not None
            digests.add(source.digest)
        assert read(*ordered).problems == []
    assert len(digests) == 1


def test_one_part_alone_says_what_is_missing(tmp_path: Path) -> None:
    first, second = split(tmp_path)
    found = read(first)
    assert [(each.what, each.reason) for each in found.problems] == [("part1.zip!tweets-part1.js", "missing")]
    assert "post" not in found.absences
    with pytest.raises(SourceError, match="not an export of X"):
        XExport.open(second)
    with pytest.raises(SourceError, match="none of these files holds"):
        XExport.open_all([second, second])


def test_the_same_file_in_two_parts_is_read_once(tmp_path: Path) -> None:
    path = make.export(tmp_path / "a.zip", {"tweets": make.wrapped(make.post())})
    copy = make.export(tmp_path / "b.zip", {"tweets": make.wrapped(make.post())})
    assert read(path, copy).ids("post") == [make.FIRST_ID]


def test_parts_of_two_accounts_are_refused(tmp_path: Path) -> None:
    first = make.export(tmp_path / "a.zip", {})
    rows = [make.account(accountId="999")]
    second = make.export(tmp_path / "b.zip", {"account": rows}, userInfo={"accountId": "999"})
    with pytest.raises(SourceError, match="'999'"):
        XExport.open_all([first, second])


def test_a_real_export_of_2022_is_read_whole() -> None:
    path = require_shared_data("x-exports/andreruffert-2022.zip")
    found = read(path)
    counts = {kind: len(found.of(kind)) for kind in ("post", "follower", "following", "like", "list_member")}
    assert counts == {"post": 1986, "follower": 420, "following": 295, "like": 1359, "list_member": 20}
    assert found.problems == []
    assert {"post", "message", "follower", "following", "block", "like"} <= found.absences
    assert len(found.unread) == 46
    assert "data/ip-audit.js" in found.unread
    kinds = [record.kind for item in found.of("post") if isinstance(record := record_of(found, item), Post)]
    assert len(kinds) == 1986
    with XExport.open(path) as source:
        media = [each for item in found.items for each in item.media]
        absent = [each for each in media if source.open_media(each.file_name) is None]
        videos = [each for each in absent if each.media_type in ("video", "animated_gif")]
        assert (len(media), len(absent), len(videos)) == (157, 27, 26)
        present = [stream for each in media if (stream := source.open_media(each.file_name))]
        assert all(stream.read(4) for stream in present)


def test_a_real_export_of_2021_is_read_whole() -> None:
    found = read(require_shared_data("x-exports/rtiatmla-2021.zip"))
    assert (len(found.of("post")), len(found.of("follower")), len(found.of("following"))) == (70, 111, 124)
    accounts = [
        record for item in found.of("account") if isinstance(record := record_of(found, item), Account)
    ]
    assert [each.aspect for each in accounts].count("handle_change") == 1
    assert set(found.reasons()) == {"missing"}
    assert len(found.problems) == 7
    assert {each.layout for each in found.captures.values()} == {"x-2020"}
