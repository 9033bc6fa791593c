from dataclasses import dataclass
from pathlib import Path

import pytest

from archiver.records import Post
from tests.unit.sources.x_export import builder as make
from tests.unit.sources.x_export.reading_helper import only_record, read, record_of


def parsed(tmp_path: Path, **changes: make.Json) -> Post:
    record = only_record(
        make.export(tmp_path / "x.zip", {"tweets": make.wrapped(make.post(**changes))}), "post"
    )
    assert isinstance(record, Post)
    return record


def test_a_post_keeps_its_bytes_as_the_export_wrote_them(tmp_path: Path) -> None:
    path = make.export(tmp_path / "x.zip", {"tweets": make.wrapped(make.post("21"), make.post("22"))})
    body = make.export_files({"tweets": make.wrapped(make.post("21"), make.post("22"))})["data/tweets.js"]
    found = read(path)
    assert found.ids("post") == ["21", "22"]
    for item in found.of("post"):
        ((_, piece),) = item.slices
        assert isinstance(body, str)
        assert piece.decode() in body
        assert piece.startswith(b'{\n    "tweet" : {')
        assert piece.endswith(b"\n  }")


def test_a_post_has_the_accounts_names_its_time_and_its_counts(tmp_path: Path) -> None:
    post = parsed(tmp_path)
    assert (post.platform, post.platform_id, post.record_id) == ("x", make.FIRST_ID, make.FIRST_ID)
    assert (post.account, post.author_id) == (make.ACCOUNT, make.ACCOUNT)
    assert (post.author_handle, post.author_name) == (make.HANDLE, make.NAME)
    assert (post.posted_ms, post.kind, post.text) == (make.FIRST_MS, "post", "Road closed.")
    assert (post.language, post.client) == ("en", "Twitter Web App")
    assert (post.like_count, post.repost_count) == (3, 1)
    assert not post.truncated


def test_text_is_unescaped_exactly_once(tmp_path: Path) -> None:
    post = parsed(tmp_path, text="A &amp; B &lt;b&gt; &amp;lt; ?a=1&para=2")
    assert post.text == "A & B <b> &lt; ?a=1&para=2"


def test_a_reply_names_the_post_and_the_user_it_answers(tmp_path: Path) -> None:
    post = parsed(
        tmp_path,
        in_reply_to_status_id_str="10",
        in_reply_to_user_id_str="20",
        in_reply_to_screen_name="resident",
    )
    assert post.kind == "reply"
    assert (post.in_reply_to_id, post.in_reply_to_user_id) == ("10", "20")
    assert post.in_reply_to_handle == "resident"


def test_a_reply_to_a_user_without_a_post_is_a_reply(tmp_path: Path) -> None:
    post = parsed(tmp_path, in_reply_to_user_id_str="20", in_reply_to_screen_name="resident")
    assert (post.kind, post.in_reply_to_id, post.in_reply_to_user_id) == ("reply", None, "20")


def test_a_repost_cut_by_x_is_marked_as_truncated(tmp_path: Path) -> None:
    post = parsed(tmp_path, text="RT @firebrigade: " + "a" * 122 + "…")
    assert (post.kind, post.repost_of_handle, post.repost_of_id) == ("repost", "firebrigade", None)
    assert post.truncated


def test_a_short_repost_that_ends_in_an_ellipsis_is_whole(tmp_path: Path) -> None:
    post = parsed(tmp_path, text="RT @firebrigade: wait for it…")
    assert (post.kind, post.truncated) == ("repost", False)


def test_text_that_only_mentions_rt_is_no_repost(tmp_path: Path) -> None:
    assert parsed(tmp_path, text="RT if you saw this car").kind == "post"


@pytest.mark.parametrize(
    "address",
    [
        "https://twitter.com/resident/status/123",
        "https://x.com/resident/status/123?s=20",
        "http://mobile.twitter.com/resident/statuses/123",
        "https://twitter.com/i/web/status/123",
    ],
)
def test_a_link_to_another_post_makes_a_quote(tmp_path: Path, address: str) -> None:
    post = parsed(tmp_path, entities={"urls": [make.link(address)]})
    assert (post.kind, post.quote_of_id) == ("quote", "123")
    assert post.links[0].expanded == address


@pytest.mark.parametrize(
    "address",
    [
        f"https://twitter.com/SpringfieldPD/status/{make.FIRST_ID}/photo/1",
        "https://nottwitter.com/resident/status/123",
        "https://example.org/?u=https://twitter.com/resident/status/123",
        "https://twitter.com/resident",
    ],
)
def test_a_link_to_itself_or_elsewhere_makes_no_quote(tmp_path: Path, address: str) -> None:
    post = parsed(tmp_path, entities={"urls": [make.link(address)]})
    assert (post.kind, post.quote_of_id) == ("post", None)


def test_a_reply_that_quotes_is_a_reply_and_names_what_it_quotes(tmp_path: Path) -> None:
    address = "https://twitter.com/resident/status/123"
    post = parsed(tmp_path, in_reply_to_status_id_str="10", entities={"urls": [make.link(address)]})
    assert (post.kind, post.quote_of_id) == ("reply", "123")


def test_versions_of_an_edited_post_share_the_first_ones_id(tmp_path: Path) -> None:
    ids = ["21", "22", "23"]
    posts = [make.post(each, f"version {each}", edit_info=make.edited(each, ids)) for each in ids]
    found = read(make.export(tmp_path / "x.zip", {"tweets": make.wrapped(*posts)}))
    assert found.ids("post") == ids
    assert {item.record_id for item in found.of("post")} == {"21"}
    for item in found.of("post"):
        record = record_of(found, item)
        assert isinstance(record, Post)
        assert (record.record_id, record.edit_ids) == ("21", ("21", "22", "23"))


def test_hashtags_mentions_and_links_are_kept(tmp_path: Path) -> None:
    post = parsed(
        tmp_path,
        entities={
            "user_mentions": [
                {"name": "Fire Brigade", "screen_name": "firebrigade", "id_str": "77", "id": "77"},
                {"name": "", "screen_name": "gone", "id_str": "-1", "id": "-1"},
            ],
            "urls": [make.link("https://example.org/a")],
            "hashtags": [{"text": "Springfield", "indices": ["0", "1"]}],
        },
    )
    assert post.hashtags == ("Springfield",)
    assert [(each.user_id, each.handle) for each in post.mentions] == [("77", "firebrigade"), (None, "gone")]
    assert [(each.short, each.expanded) for each in post.links] == [
        ("https://t.co/abc", "https://example.org/a")
    ]


def test_all_pictures_come_from_extended_entities(tmp_path: Path) -> None:
    pictures = [make.picture(str(number), f"P{number}.jpg") for number in range(4)]
    post = parsed(tmp_path, entities={"media": pictures[:1]}, extended_entities={"media": pictures})
    assert [each.file_name for each in post.media] == [
        f"{make.FIRST_ID}-P{number}.jpg" for number in range(4)
    ]


def test_a_video_is_its_mp4_of_highest_bitrate_without_query(tmp_path: Path) -> None:
    variants = [
        {"content_type": "application/x-mpegURL", "url": "https://video.twimg.com/v/list.m3u8"},
        {"bitrate": "256000", "content_type": "video/mp4", "url": "https://video.twimg.com/v/small.mp4"},
        {
            "bitrate": "2176000",
            "content_type": "video/mp4",
            "url": "https://video.twimg.com/v/large.mp4?tag=12",
        },
    ]
    video = make.picture("5", "thumb.jpg", type="video", video_info={"variants": variants})
    (media,) = parsed(tmp_path, extended_entities={"media": [video]}).media
    assert media.url == "https://video.twimg.com/v/large.mp4"
    assert media.file_name == f"{make.FIRST_ID}-large.mp4"
    assert media.media_type == "video"


def test_a_hostile_media_address_makes_a_plain_file_name(tmp_path: Path) -> None:
    hostile = make.picture("5", "x", media_url_https="https://pbs.twimg.com/a\\..\\b\n")
    (media,) = parsed(tmp_path, extended_entities={"media": [hostile]}).media
    assert not set(media.file_name) & set("/\\\n")


def test_counters_and_names_do_not_make_a_new_version(tmp_path: Path) -> None:
    first = read(make.export(tmp_path / "a.zip", {"tweets": make.wrapped(make.post())}))
    later = make.post(favorite_count="99", retweet_count="50", retweeted=True, favorited=True)
    second = read(make.export(tmp_path / "b.zip", {"tweets": make.wrapped(later)}))
    assert first.of("post")[0].content == second.of("post")[0].content


@pytest.mark.parametrize(
    "change",
    [
        {"full_text": "Road open."},
        {"created_at": "Thu Nov 03 08:50:27 +0000 2022"},
        {"lang": "de"},
        {"source": "x"},
        {"in_reply_to_status_id_str": "5"},
        {"in_reply_to_user_id_str": "5"},
        {"entities": {"urls": [make.link("https://example.org/b")]}},
        {"entities": {"user_mentions": [{"id_str": "8"}]}},
        {"extended_entities": {"media": [make.picture("1", "P.jpg")]}},
        {"edit_info": make.edited(make.FIRST_ID, [make.FIRST_ID, "99"])},
    ],
)
def test_a_change_of_what_was_said_makes_a_new_version(tmp_path: Path, change: dict[str, make.Json]) -> None:
    first = read(make.export(tmp_path / "a.zip", {"tweets": make.wrapped(make.post())}))
    second = read(make.export(tmp_path / "b.zip", {"tweets": make.wrapped(make.post(**change))}))
    assert first.of("post")[0].content != second.of("post")[0].content


def test_the_same_post_has_equal_content_in_the_layouts_of_2018_2020_and_2022(tmp_path: Path) -> None:
    entities = {"urls": [make.link("https://example.org/a")], "user_mentions": [{"id_str": "8", "name": "n"}]}
    media = {"media": [make.picture("1", "P.jpg")]}
    plain = make.post(entities=entities, extended_entities=media)
    with_edits = plain | {"edit_info": make.edited(make.FIRST_ID, [make.FIRST_ID])}
    paths = [
        make.export_2018(tmp_path / "2018.zip", [plain]),
        make.export(tmp_path / "2020.zip", {"tweet": make.wrapped(plain)}),
        make.export(tmp_path / "2022.zip", {"tweets": make.wrapped(with_edits)}),
        make.export(tmp_path / "minified.zip", {"tweets": make.wrapped(with_edits)}, indent=None),
    ]
    contents = {read(path).of("post")[0].content for path in paths}
    layouts = [next(iter(read(path).captures.values())).layout for path in paths]
    assert len(contents) == 1
    assert layouts == ["x-2018", "x-2020", "x-2022", "x-2022"]


def test_a_rounded_numeric_id_is_not_used(tmp_path: Path) -> None:
    post = parsed(tmp_path, id=1.5880912202443694e18)
    assert post.platform_id == make.FIRST_ID


def test_a_post_without_id_is_kept_under_a_name_of_its_bytes(tmp_path: Path) -> None:
    path = make.export(tmp_path / "x.zip", {"tweets": make.wrapped(make.post(id_str=..., id=...))})
    found = read(path)
    (item,) = found.of("post")
    assert item.id.startswith("unnamed-")
    assert found.reasons() == ["broken"]
    assert found.problems[0].what == item.id
    record = record_of(found, item)
    assert isinstance(record, Post)
    assert record.platform_id == item.id


@dataclass
class OddTime:
    stated: str
    post_id: str
    used_ms: int


@pytest.mark.parametrize(
    "odd",
    [
        OddTime("Thu Feb 30 08:50:26 +0000 2022", make.FIRST_ID, make.FIRST_MS),
        OddTime("Thu Nov 03 08:50:26 +0000 9999", make.FIRST_ID, make.FIRST_MS),
        OddTime("yesterday", make.FIRST_ID, make.FIRST_MS),
        OddTime("yesterday", "21", 0),
    ],
)
def test_a_post_with_a_time_out_of_range_is_kept_and_named(tmp_path: Path, odd: OddTime) -> None:
    row = make.post(odd.post_id, created_at=odd.stated)
    found = read(make.export(tmp_path / "x.zip", {"tweets": make.wrapped(row)}))
    (item,) = found.of("post")
    record = record_of(found, item)
    assert isinstance(record, Post)
    assert item.posted_ms == record.posted_ms == odd.used_ms
    assert [each.what for each in found.problems] == [f"post {odd.post_id}"]


def test_half_a_character_is_kept_in_the_bytes_and_replaced_in_the_text(tmp_path: Path) -> None:
    files = make.export_files(
        {"tweets": make.wrapped(make.post("21"), make.post("22", "HALF"), make.post("23"))}
    )
    body = str(files["data/tweets.js"]).replace("HALF", "cut \\ud83d off")
    found = read(make.write_zip(tmp_path / "x.zip", files | {"data/tweets.js": body}))
    assert found.ids("post") == ["21", "22", "23"]
    item = found.of("post")[1]
    assert b"\\ud83d off" in item.slices[0][1]
    record = record_of(found, item)
    assert isinstance(record, Post)
    assert record.text == "cut \ufffd off"
    assert [each.what for each in found.problems] == ["post 22"]


def test_bytes_that_are_no_utf8_are_kept_and_replaced_in_the_text(tmp_path: Path) -> None:
    files = make.export_files({"tweets": make.wrapped(make.post("21", "HALF"), make.post("22"))})
    body = str(files["data/tweets.js"]).encode().replace(b"HALF", b"caf\xe9")
    found = read(make.write_zip(tmp_path / "x.zip", files | {"data/tweets.js": body}))
    assert found.ids("post") == ["21", "22"]
    record = record_of(found, found.of("post")[0])
    assert isinstance(record, Post)
    assert record.text == "caf\ufffd"
    assert [each.what for each in found.problems] == ["post 21"]


def test_nul_is_kept_in_the_bytes_and_replaced_in_the_text(tmp_path: Path) -> None:
    found = read(make.export(tmp_path / "x.zip", {"tweets": make.wrapped(make.post(text="a\0b"))}))
    (item,) = found.of("post")
    assert b"a\\u0000b" in item.slices[0][1]
    record = record_of(found, item)
    assert isinstance(record, Post)
    assert record.text == "a\ufffdb"


def test_a_text_of_100000_characters_is_kept_whole(tmp_path: Path) -> None:
    assert parsed(tmp_path, text="ä" * 100_000).text == "ä" * 100_000


def test_posts_of_a_circle_and_a_community_say_who_could_see_them(tmp_path: Path) -> None:
    data = {
        "tweets": make.wrapped(make.post("21")),
        "community-tweet": make.wrapped(make.post("22")),
        "twitter-circle-tweet": make.wrapped(make.post("23")),
    }
    found = read(make.export(tmp_path / "x.zip", data))
    seen = {item.id: record_of(found, item) for item in found.of("post")}
    audiences = {key: each.audience for key, each in seen.items() if isinstance(each, Post)}
    assert audiences == {"21": None, "22": "community", "23": "circle"}


def test_a_field_of_another_type_does_not_lose_the_post(tmp_path: Path) -> None:
    row = make.post(full_text=5, lang=["en"], favorite_count=7, id_str=int(make.FIRST_ID))
    found = read(make.export(tmp_path / "x.zip", {"tweets": make.wrapped(row)}))
    (item,) = found.of("post")
    record = record_of(found, item)
    assert isinstance(record, Post)
    assert (item.id, record.text, record.like_count) == (make.FIRST_ID, "5", 7)
    assert "lang" in found.problems[0].detail


def test_an_element_that_is_no_object_is_reported_and_keeps_posts_from_looking_gone(tmp_path: Path) -> None:
    rows = [*make.wrapped(make.post("21")), 5, *make.wrapped(make.post("22"))]
    found = read(make.export(tmp_path / "x.zip", {"tweets": rows}))
    assert found.ids("post") == ["21", "22"]
    assert found.reasons() == ["broken"]
    assert "post" not in found.absences


def test_a_later_version_that_names_only_the_first_is_joined_to_it(tmp_path: Path) -> None:
    post = parsed(tmp_path, edit_info={"edit": {"initialTweetId": "21"}})
    assert (post.record_id, post.edit_ids) == ("21", ("21", make.FIRST_ID))


def test_a_post_of_which_id_alone_is_whole_is_named_by_it(tmp_path: Path) -> None:
    for post_id in (21, "21"):
        found = read(
            make.export(tmp_path / "x.zip", {"tweets": make.wrapped(make.post(id_str=..., id=post_id))})
        )
        assert found.ids("post") == ["21"]
        record = record_of(found, found.of("post")[0])
        assert isinstance(record, Post)
        assert record.platform_id == "21"
