"""The built-in sample is a complete, consistent X export, and the same every time."""

import datetime as dt
import html
import json
import re
import struct
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from archiver.sample import SAMPLE_ACCOUNT_ID, SampleExport, write_sample_export
from tests.programs import require_shared_data

UNTIL = dt.date(2026, 10, 31)
SHORT_LINK = re.compile(r"\s*https://t\.co/\w+")


class Export:
    """A sample export on disk, with its members parsed on demand."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.path = path
        self.written: SampleExport = write_sample_export(path, **{"until": UNTIL, **options})
        self.archive = zipfile.ZipFile(path)
        self.names = self.archive.namelist()
        self.manifest = self.parsed("data/manifest.js")

    def parsed(self, name: str) -> Any:
        text = self.archive.read(name).decode()
        return json.loads(text[text.index("=") + 1 :])

    def posts(self, name: str = "data/tweets.js") -> list[dict[str, Any]]:
        return [item["tweet"] for item in self.parsed(name)]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Export:
    return Export(tmp_path_factory.mktemp("sample") / "export.zip")


def test_every_listed_file_is_there_with_the_count_the_manifest_states(export: Export) -> None:
    listed = [entry for kind in export.manifest["dataTypes"].values() for entry in kind.get("files", [])]
    assert len(listed) > 40
    for entry in listed:
        text = export.archive.read(entry["fileName"]).decode()
        assert text.startswith(f"window.{entry['globalName']} = ")
        assert len(export.parsed(entry["fileName"])) == int(entry["count"]), entry["fileName"]
    scripts = {name for name in export.names if name.endswith(".js")} - {"data/manifest.js"}
    assert scripts == {entry["fileName"] for entry in listed}


def test_what_is_returned_agrees_with_what_was_written(export: Export) -> None:
    written = export.written
    assert written.counts["tweets"] == len(export.posts()) == len(written.post_ids)
    assert [post["id_str"] for post in export.posts()] == list(written.post_ids)
    assert written.media_count == sum("_media/" in name for name in export.names)
    assert written.account_id == SAMPLE_ACCOUNT_ID == export.manifest["userInfo"]["accountId"]


def test_the_same_arguments_give_the_same_bytes(export: Export, tmp_path: Path) -> None:
    again = Export(tmp_path / "again.zip")
    assert again.path.read_bytes() == export.path.read_bytes()
    assert {member.date_time for member in export.archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    other = Export(tmp_path / "other.zip", seed=2)
    assert set(other.written.post_ids).isdisjoint(export.written.post_ids)


def test_two_years_hold_about_two_thousand_posts_of_every_kind(export: Export) -> None:
    posts = export.posts()
    assert 1_900 <= len(posts) <= 2_100
    reposts = [post for post in posts if post["full_text"].startswith("RT @")]
    replies = [post for post in posts if "in_reply_to_user_id" in post]
    quotes = [post for post in posts for url in post["entities"]["urls"] if "/status/" in url["expanded_url"]]
    pictured = [post for post in posts if "extended_entities" in post]
    edited = [post for post in posts if "edit" in post["edit_info"]]
    assert len(reposts) > 200
    assert len(replies) > 300
    assert len(quotes) > 60
    assert len(pictured) > 40
    assert len(edited) == 12
    assert any(len(post["extended_entities"]["media"]) == 2 for post in pictured)
    assert any("in_reply_to_status_id" not in post for post in replies)


def test_ids_are_unique_fall_and_hold_the_time_posted(export: Export) -> None:
    ids = [int(post["id_str"]) for post in export.posts()]
    assert ids == sorted(set(ids), reverse=True)
    for post in export.posts():
        posted = dt.datetime.strptime(post["created_at"], "%a %b %d %H:%M:%S %z %Y")
        assert (int(post["id_str"]) >> 22) + 1_288_834_974_657 == pytest.approx(
            posted.timestamp() * 1000, abs=999.5
        )


def test_headers_list_exactly_the_posts(export: Export) -> None:
    for kind in ("tweet", "deleted-tweet"):
        posts = export.posts("data/tweets.js" if kind == "tweet" else "data/deleted-tweets.js")
        headers = export.posts(f"data/{kind}-headers.js")
        assert [(header["tweet_id"], header["created_at"]) for header in headers] == [
            (post["id_str"], post["created_at"]) for post in posts
        ]


def test_no_text_is_longer_than_x_allows_and_every_entity_stands_where_it_says(export: Export) -> None:
    for post in export.posts():
        text = html.unescape(post["full_text"])
        assert len(SHORT_LINK.sub("", text)) <= 280
        assert int(post["display_text_range"][1]) == len(text)
        for member, sign, name in (("user_mentions", "@", "screen_name"), ("hashtags", "#", "text")):
            for entity in post["entities"][member]:
                start, end = map(int, entity["indices"])
                assert text[start:end] == sign + entity[name]
        for entity in [*post["entities"]["urls"], *post["entities"].get("media", [])]:
            start, end = map(int, entity["indices"])
            assert text[start:end] == entity["url"]
        assert "{" not in text


def test_all_media_of_posts_and_messages_are_there_and_nothing_else(export: Export) -> None:
    expected = {
        f"data/tweets_media/{post['id_str']}-{media['media_url_https'].rpartition('/')[2]}"
        for post in export.posts()
        for media in post.get("extended_entities", {}).get("media", [])
    }
    for message in _messages(export, "direct-messages"):
        for url in message.get("mediaUrls", []):
            expected.add(f"data/direct_messages_media/{message['id']}-{url.rpartition('/')[2]}")
    avatar = export.parsed("data/profile.js")[0]["profile"]["avatarMediaUrl"].rpartition("/")[2]
    expected.add(f"data/profile_media/{SAMPLE_ACCOUNT_ID}-{avatar}")
    assert {name for name in export.names if "_media/" in name} == expected


def test_pictures_are_valid_png_files(export: Export) -> None:
    pictures = [name for name in export.names if name.endswith(".png")]
    bodies = {export.archive.read(name) for name in pictures}
    assert len(bodies) == len(pictures) > 40
    for body in bodies:
        assert body[:8] == b"\x89PNG\r\n\x1a\n"
        chunks = _png_chunks(body)
        assert [kind for kind, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
        width, height, depth, colour = struct.unpack(">IIBB", chunks[0][1][:10])
        assert (depth, colour) == (8, 2)
        assert len(zlib.decompress(chunks[1][1])) == height * (1 + 3 * width)


def _png_chunks(body: bytes) -> list[tuple[bytes, bytes]]:
    chunks, at = [], 8
    while at < len(body):
        length, kind = struct.unpack(">I4s", body[at : at + 8])
        data = body[at + 8 : at + 8 + length]
        assert struct.unpack(">I", body[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + data)
        chunks.append((kind, data))
        at += 12 + length
    return chunks


def test_a_long_post_joins_its_note_by_second_and_opening_text_alone(export: Export) -> None:
    seconds = Counter(post["created_at"] for post in export.posts())
    posts = {post["created_at"]: post for post in export.posts()}
    notes = [item["noteTweet"] for item in export.parsed("data/note-tweet.js")]
    assert len(notes) == 24
    for note in notes:
        created = dt.datetime.fromisoformat(note["createdAt"])
        post = posts[created.strftime("%a %b %d %H:%M:%S +0000 %Y")]
        opening = SHORT_LINK.sub("", html.unescape(post["full_text"])).rstrip("…")
        assert seconds[post["created_at"]] == 1
        assert len(note["core"]["text"]) > 280
        assert note["core"]["text"].startswith(opening)
        assert len(opening) > 200
        assert note["noteTweetId"] != post["id_str"]


def test_both_versions_of_an_edited_post_are_rows_that_name_each_other(export: Export) -> None:
    posts = {post["id_str"]: post for post in export.posts()}
    for post in posts.values():
        if "edit" in post["edit_info"]:
            first_id = post["edit_info"]["edit"]["initialTweetId"]
            versions = post["edit_info"]["edit"]["editControlInitial"]["editTweetIds"]
            assert versions == [first_id, post["id_str"]]
            assert posts[first_id]["edit_info"]["initial"]["editTweetIds"] == versions


def test_the_deleted_post_says_when_and_is_not_among_the_standing_ones(export: Export) -> None:
    (deleted,) = export.posts("data/deleted-tweets.js")
    assert deleted["deleted_at"] == "Sat Oct 24 " + deleted["created_at"][11:]
    assert deleted["id_str"] not in export.written.post_ids


def test_messages_are_newest_first_and_their_headers_repeat_them_without_words(export: Export) -> None:
    for name, headers in (
        ("direct-messages", "direct-message-headers"),
        ("direct-messages-group", "direct-message-group-headers"),
    ):
        messages, bare = _messages(export, name), _messages(export, headers)
        assert [fields["createdAt"] for fields in messages] == [fields["createdAt"] for fields in bare]
        assert not any("text" in fields for fields in bare)
    for item in export.parsed("data/direct-messages.js"):
        times = [next(iter(entry.values()))["createdAt"] for entry in item["dmConversation"]["messages"]]
        assert times == sorted(times, reverse=True)
    group = export.parsed("data/direct-messages-group.js")[0]["dmConversation"]["messages"]
    assert {kind for entry in group for kind in entry} == {
        *(
            "messageCreate",
            "joinConversation",
            "participantsJoin",
            "participantsLeave",
            "conversationNameUpdate",
        ),
    }
    assert any(fields.get("reactions") for fields in _messages(export, "direct-messages"))


def _messages(export: Export, name: str) -> list[dict[str, Any]]:
    return [
        fields
        for item in export.parsed(f"data/{name}.js")
        for entry in item["dmConversation"]["messages"]
        for fields in entry.values()
    ]


def test_next_months_export_repeats_every_post_and_adds_a_month(export: Export, tmp_path: Path) -> None:
    later = Export(tmp_path / "later.zip", until=dt.date(2026, 11, 30), months=25)
    before = {post["id_str"]: post for post in export.posts()}
    after = {post["id_str"]: post for post in later.posts()}
    assert {post_id: after.get(post_id) for post_id in before} == before
    added = [after[post_id] for post_id in after.keys() - before.keys()]
    assert 70 < len(added) < 100
    assert all(" Nov " in post["created_at"] for post in added)


def test_an_export_in_mid_month_ends_on_its_day(export: Export, tmp_path: Path) -> None:
    earlier = Export(tmp_path / "earlier.zip", until=dt.date(2026, 10, 15))
    ids = set(earlier.written.post_ids)
    assert ids < set(export.written.post_ids)
    newest = earlier.posts()[0]["created_at"]
    assert newest[4:10] <= "Oct 15"
    assert max(fields["createdAt"] for fields in _messages(earlier, "direct-messages")) < "2026-10-16"


def test_a_dropped_post_is_nowhere_and_a_deleted_one_only_among_the_deleted(
    export: Export, tmp_path: Path
) -> None:
    pictured = next(post["id_str"] for post in export.posts() if "extended_entities" in post)
    long_note = next(post["id_str"] for post in export.posts() if "… https" in post["full_text"])
    other = Export(
        tmp_path / "other.zip",
        drop_post_ids=[pictured, long_note],
        delete_post_ids=[export.written.post_ids[9]],
    )
    whole = b"".join(other.archive.read(name) for name in other.names) + " ".join(other.names).encode()
    assert pictured.encode() not in whole
    assert other.written.counts["noteTweet"] == 23
    assert export.written.post_ids[9] in {post["id_str"] for post in other.posts("data/deleted-tweets.js")}
    assert set(export.written.post_ids) - set(other.written.post_ids) == {
        *(pictured, long_note, export.written.post_ids[9])
    }


def test_relations_are_many_distinct_and_keyed_as_x_keys_them(export: Export) -> None:
    for name, key in (
        ("follower", "follower"),
        ("following", "following"),
        ("block", "blocking"),
        ("mute", "muting"),
    ):
        ids = [item[key]["accountId"] for item in export.parsed(f"data/{name}.js")]
        assert len(ids) == len(set(ids)) > 5


def test_the_words_one_would_search_for_occur(export: Export) -> None:
    texts = [post["full_text"].lower() for post in export.posts()]
    for word in ("burglary", "witness", "a7032", "flooding", "football", "recruitment", "speeding", "&amp;"):
        assert sum(word in text for text in texts) > 5, word
    assert len(set(texts)) > 1_500


def test_every_address_in_it_is_reserved_and_the_readme_says_it_is_fiction(export: Export) -> None:
    text = "".join(export.archive.read(name).decode() for name in export.names if not name.endswith(".png"))
    assert set(re.findall(r"[\w.]+@[\w-]+\.[\w.]+", text)) == {"communications@springfield-police.invalid"}
    hosts = set(re.findall(r"https?://([\w.-]+)", text))
    assert hosts - {"www.springfield-police.example"} <= _hosts_of_x()
    assert "fictional" in export.archive.read("data/README.txt").decode()


def _hosts_of_x() -> set[str]:
    names = (
        "about.twitter.com",
        "mobile.twitter.com",
        "pbs.twimg.com",
        "t.co",
        "ton.twitter.com",
        "twitter.com",
    )
    return set(names)


def test_posts_have_the_fields_of_a_real_export_in_its_order(export: Export) -> None:
    real = _real_posts()
    real_orders = {tuple(post) for post in real}
    assert {tuple(post) for post in export.posts()} <= real_orders
    real_media = {
        tuple(media) for post in real for media in post.get("extended_entities", {}).get("media", [])
    }
    ours = {tuple(m) for post in export.posts() for m in post.get("extended_entities", {}).get("media", [])}
    assert ours <= real_media
    assert {tuple(post["entities"]) for post in export.posts()} == {tuple(post["entities"]) for post in real}


def _real_posts() -> list[dict[str, Any]]:
    path = require_shared_data("x-exports") / "andreruffert-2022.zip"
    with zipfile.ZipFile(path) as archive:
        text = archive.read("data/tweets.js").decode()
    return [item["tweet"] for item in json.loads(text[text.index("=") + 1 :])]


def test_the_json_is_laid_out_as_x_lays_it_out(export: Export) -> None:
    text = export.archive.read("data/tweets.js").decode()
    assert text.startswith('window.YTD.tweets.part0 = [\n  {\n    "tweet" : {\n      "edit_info" : {\n')
    assert text.endswith("\n    }\n  }\n]")
    assert '"symbols" : [ ]' in text
    assert export.archive.read("data/contact.js") == b"window.YTD.contact.part0 = [ ]"


def test_files_an_archive_must_not_read_have_something_in_them(export: Export) -> None:
    for name in ("ip-audit", "ad-impressions", "personalization", "phone-number", "account-creation-ip"):
        assert export.parsed(f"data/{name}.js"), name
