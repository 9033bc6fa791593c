import json
import tracemalloc
from pathlib import Path

import pytest

from archiver.records import Message
from archiver.sources.base import Batch
from archiver.sources.x_export import Limits, XExport
from tests.unit.sources.x_export import builder as make
from tests.unit.sources.x_export.reading_helper import read, record_of


def event(kind: str, second: int, **fields: make.Json) -> make.Json:
    return {kind: {"createdAt": f"2022-11-03T08:50:{second}.000Z"} | fields}


EVENTS = [
    make.message("30", "Thank you &amp; goodbye"),
    event("joinConversation", 20, initiatingUserId="500", participantsSnapshot=["500", "501"]),
    event("participantsJoin", 21, initiatingUserId="500", userIds=["501"]),
    event("participantsLeave", 22, userIds=["501", "502"]),
    event("conversationNameUpdate", 23, initiatingUserId="500", name="Fête"),
    event("somethingNew", 24),
]


def messages(path: Path) -> list[Message]:
    found = read(path)
    records = [record_of(found, item) for item in found.of("message")]
    return [each for each in records if isinstance(each, Message)]


def test_every_kind_of_event_becomes_a_message(tmp_path: Path) -> None:
    path = make.export(tmp_path / "x.zip", {"direct-messages-group": [make.conversation("c1", *EVENTS)]})
    found = messages(path)
    assert [each.kind for each in found] == [
        "message", "join", "participants_join", "participants_leave", "name_update", "something_new",
    ]  # fmt: skip
    assert {each.conversation_id for each in found} == {"c1"}
    assert [each.text for each in found] == ["Thank you & goodbye", "", "", "", "Fête", ""]
    assert [each.sender_id for each in found] == ["500", "500", "500", None, "500", None]
    assert [each.recipient_id for each in found] == [make.ACCOUNT, None, "501", None, None, None]
    assert found[0].posted_ms == make.FIRST_MS + 744


def test_events_without_ids_have_names_that_stay_the_same(tmp_path: Path) -> None:
    first = make.export(tmp_path / "a.zip", {"direct-messages": [make.conversation("c1", *EVENTS)]})
    second = make.export(
        tmp_path / "b.zip", {"direct-messages": [make.conversation("c1", *reversed(EVENTS))]}, indent=None
    )
    ids = read(first).ids("message")
    assert len(set(ids)) == len(EVENTS)
    assert ids == read(second).ids("message")[::-1]


def test_an_item_can_be_parsed_without_its_conversation(tmp_path: Path) -> None:
    found = read(
        make.export(tmp_path / "x.zip", {"direct-messages": [make.conversation('500-"1', *EVENTS[:1])]})
    )
    (item,) = found.of("message")
    assert [piece for _, piece in item.slices][1] == b'"500-\\"1"'
    record = record_of(found, item)
    assert isinstance(record, Message)
    assert record.conversation_id == '500-"1'


def test_an_id_written_after_its_messages_is_found(tmp_path: Path) -> None:
    row = {"dmConversation": {"messages": EVENTS[:1], "conversationId": "c9"}}
    (found,) = messages(make.export(tmp_path / "x.zip", {"direct-messages": [row]}))
    assert found.conversation_id == "c9"


def test_pictures_and_videos_have_the_names_of_their_files(tmp_path: Path) -> None:
    media = [
        "https://ton.twitter.com/dm/30/777/picture.jpg",
        "https://video.twimg.com/dm_video/9/vid/a.mp4?tag=1",
    ]
    path = make.export(
        tmp_path / "x.zip",
        {"direct-messages": [make.conversation("c", make.message("30", "", mediaUrls=media))]},
        extra={"data/direct_messages_media/30-picture.jpg": b"jpeg"},
    )
    (found,) = messages(path)
    assert [(each.file_name, each.media_type, each.media_id) for each in found.media] == [
        ("30-picture.jpg", "photo", "777"), ("30-a.mp4", "video", None),
    ]  # fmt: skip
    with XExport.open(path) as source:
        stream = source.open_media("30-picture.jpg")
        assert stream is not None
        assert stream.read() == b"jpeg"
        assert source.open_media("30-a.mp4") is None


def test_links_in_messages_are_kept(tmp_path: Path) -> None:
    urls = [{"url": "https://t.co/a", "expanded": "https://example.org/a", "display": "example.org/a"}]
    path = make.export(
        tmp_path / "x.zip", {"direct-messages": [make.conversation("c", make.message("30", "", urls=urls))]}
    )
    (found,) = messages(path)
    assert [(each.short, each.expanded, each.display) for each in found.links] == [
        ("https://t.co/a", "https://example.org/a", "example.org/a")
    ]


def test_a_reaction_makes_a_new_version_and_the_order_of_keys_does_not(tmp_path: Path) -> None:
    plain = make.message("30", "Hello")
    shuffled = {"messageCreate": dict(reversed(plain["messageCreate"].items()))}
    reacted = make.message(
        "30", "Hello", reactions=[{"senderId": "7", "reactionKey": "like", "eventId": "8"}]
    )
    contents = []
    for number, event in enumerate((plain, shuffled, reacted)):
        path = make.export(tmp_path / f"{number}.zip", {"direct-messages": [make.conversation("c", event)]})
        contents.append(read(path).of("message")[0].content)
    assert contents[0] == contents[1] != contents[2]


@pytest.mark.parametrize("count", [2, 5])
def test_the_manifests_count_may_be_of_conversations_or_of_messages(tmp_path: Path, count: int) -> None:
    first = [make.message(str(number), "Hello") for number in range(3)]
    second = [make.message(str(number), "Hello") for number in range(3, 5)]
    rows = [make.conversation("a", *first), make.conversation("b", *second)]
    found = read(
        make.export(tmp_path / "x.zip", {"direct-messages": rows}, counts={"direct-messages": count})
    )
    assert found.problems == []
    assert "message" in found.absences


def test_a_count_that_is_neither_is_reported(tmp_path: Path) -> None:
    rows = [make.conversation("a", *EVENTS)]
    found = read(make.export(tmp_path / "x.zip", {"direct-messages": rows}, counts={"direct-messages": 9}))
    assert found.reasons() == ["count differs"]
    assert "message" not in found.absences


def test_headers_that_name_a_message_in_vain_are_reported(tmp_path: Path) -> None:
    header = {"messageCreate": {"id": "31", "senderId": "1", "createdAt": "2022-11-03T08:50:26.744Z"}}
    data = {
        "direct-messages": [make.conversation("c", make.message("30", "Hello"))],
        "direct-message-headers": [make.conversation("c", make.message("30", "Hello"), header)],
    }
    found = read(make.export(tmp_path / "x.zip", data))
    assert [(each.what, each.reason) for each in found.problems] == [("message 31", "missing")]
    assert "message" not in found.absences


def test_an_event_that_holds_nothing_is_reported_and_the_others_taken(tmp_path: Path) -> None:
    rows = [make.conversation("c", {}, 5, make.message("30", "Hello"))]
    found = read(make.export(tmp_path / "x.zip", {"direct-messages": rows}))
    assert found.ids("message") == ["30"]
    assert found.reasons() == ["broken", "broken"]
    assert "message" not in found.absences


def test_half_a_character_in_a_message_is_named(tmp_path: Path) -> None:
    files = make.export_files({"direct-messages": [make.conversation("c", make.message("30", "HALF"))]})
    body = str(files["data/direct-messages.js"]).replace("HALF", "\\ud83d")
    path = make.write_zip(tmp_path / "x.zip", files | {"data/direct-messages.js": body})
    (found,) = messages(path)
    assert found.text == "\ufffd"
    assert [each.what for each in read(path).problems] == ["message 30"]


def test_one_long_conversation_is_never_held_whole(tmp_path: Path) -> None:
    """50 MB in one conversation, limited to 1 MiB for one value, read in less than 40 MB."""
    events = ",\n".join(json.dumps(make.message(str(number), "word " * 200)) for number in range(40_000))
    body = f'x = [{{"dmConversation":{{"conversationId":"c","messages":[{events}]}}}}]'
    path = make.write_zip(
        tmp_path / "x.zip",
        make.export_files({"direct-messages": []}, counts={"direct-messages": 1})
        | {"data/direct-messages.js": body},
    )
    del events, body
    tracemalloc.start()
    with XExport.open(path, limits=Limits(element_bytes=1 << 20)) as source:
        count = sum(len(each.items) for each in source.events() if isinstance(each, Batch))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 40_001
    assert peak < 40_000_000


def test_message_headers_are_held_against_a_file_that_breaks_off(tmp_path: Path) -> None:
    events = [make.message("30", "Hello"), make.message("31", "Bye")]
    data = {
        "direct-messages": [make.conversation("c", *events)],
        "direct-message-headers": [make.conversation("c", *events)],
    }
    files = make.export_files(data)
    body = str(files["data/direct-messages.js"])
    files["data/direct-messages.js"] = body[: body.index('"31"')]
    found = read(make.write_zip(tmp_path / "x.zip", files))
    assert found.ids("message") == ["30"]
    assert [(each.what, each.reason) for each in found.problems] == [
        ("x.zip!data/direct-messages.js", "broken"), ("message 31", "missing"),
    ]  # fmt: skip
