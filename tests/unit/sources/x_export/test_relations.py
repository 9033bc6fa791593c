from pathlib import Path

import pytest

from archiver.records import Relation
from tests.unit.sources.x_export import builder as make
from tests.unit.sources.x_export.reading_helper import read, record_of

USERS = [{"accountId": "7", "userLink": "https://twitter.com/intent/user?user_id=7"}, {"accountId": "8"}]


@pytest.mark.parametrize(
    ("stem", "key", "kind"),
    [
        ("follower", "follower", "follower"),
        ("following", "following", "following"),
        ("block", "blocking", "block"),
        ("mute", "muting", "mute"),
        ("smartblock", "smartBlock", "smartblock"),
        ("direct-message-mute", "directMessageMute", "message_mute"),
    ],
)
def test_accounts_are_named_by_id_whatever_the_key_is_called(
    tmp_path: Path, stem: str, key: str, kind: str
) -> None:
    found = read(make.export(tmp_path / "x.zip", {stem: [{key: user} for user in USERS]}))
    assert found.ids(kind) == ["7", "8"]
    assert kind in found.absences
    records = [record_of(found, item) for item in found.of(kind)]
    assert [(each.kind, each.platform_id) for each in records if isinstance(each, Relation)] == [
        (kind, "7"),
        (kind, "8"),
    ]


def test_a_link_to_a_profile_is_neither_kept_in_the_record_nor_a_version(tmp_path: Path) -> None:
    found = read(make.export(tmp_path / "x.zip", {"follower": [{"follower": user} for user in USERS]}))
    records = [record_of(found, item) for item in found.of("follower")]
    assert all(isinstance(each, Relation) and each.url is None for each in records)
    assert all(b"intent" not in item.content for item in found.items)


def test_a_like_has_its_text_unescaped_and_its_link(tmp_path: Path) -> None:
    like = {"tweetId": "5", "fullText": "A &amp; B", "expandedUrl": "https://twitter.com/i/web/status/5"}
    found = read(make.export(tmp_path / "x.zip", {"like": [{"like": like}]}))
    record = record_of(found, found.of("like")[0])
    assert isinstance(record, Relation)
    assert (record.platform_id, record.text, record.url) == ("5", "A & B", like["expandedUrl"])


def test_a_like_whose_host_changed_is_the_same_version(tmp_path: Path) -> None:
    contents = []
    for host in ("twitter.com", "x.com"):
        like = {"tweetId": "5", "fullText": "A", "expandedUrl": f"https://{host}/i/web/status/5"}
        path = make.export(tmp_path / f"{host}.zip", {"like": [{"like": like}]})
        contents.append(read(path).of("like")[0].content)
    assert contents[0] == contents[1]


@pytest.mark.parametrize(
    ("stem", "kind"),
    [
        ("lists-created", "list_created"),
        ("lists-member", "list_member"),
        ("lists-subscribed", "list_subscribed"),
    ],
)
def test_a_list_is_named_by_the_path_of_its_address(tmp_path: Path, stem: str, kind: str) -> None:
    for host in ("twitter.com", "x.com"):
        row = {"userListInfo": {"url": f"https://{host}/resident/lists/near-me"}}
        found = read(make.export(tmp_path / f"{host}.zip", {stem: [row]}))
        assert found.ids(kind) == ["resident/lists/near-me"]
        record = record_of(found, found.of(kind)[0])
        assert isinstance(record, Relation)
        assert record.url == row["userListInfo"]["url"]


def test_a_smart_block_has_its_times(tmp_path: Path) -> None:
    row = {"accountId": "7", "createdAt": "2022-11-03T08:50:26.000Z", "expiresAt": "2022-11-10T08:50:26.000Z"}
    found = read(make.export(tmp_path / "x.zip", {"smartblock": [{"smartblock": row}]}))
    record = record_of(found, found.of("smartblock")[0])
    assert isinstance(record, Relation)
    assert (record.created_ms, record.expires_ms) == (make.FIRST_MS, make.FIRST_MS + 7 * 86_400_000)


def test_a_numeric_id_and_a_bare_element_are_understood(tmp_path: Path) -> None:
    rows = [{"follower": {"accountId": 7}}, {"accountId": "8"}]
    assert read(make.export(tmp_path / "x.zip", {"follower": rows})).ids("follower") == ["7", "8"]


@pytest.mark.parametrize("row", [{}, {"follower": {}}, {"follower": {"userLink": "x"}}, 5, [], "x"])
def test_one_that_names_nobody_is_reported_and_makes_nobody_look_gone(tmp_path: Path, row: make.Json) -> None:
    found = read(make.export(tmp_path / "x.zip", {"follower": [row, {"follower": USERS[0]}]}))
    assert found.ids("follower") == ["7"]
    assert found.reasons() == ["broken"]
    assert "follower" not in found.absences
