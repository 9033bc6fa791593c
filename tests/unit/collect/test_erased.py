"""What was erased is in nothing that is kept of an answer or an export: neither itself nor as a copy."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from archiver.collect.erased import CUT, ErasedFilter, Left
from archiver.errors import SourceError
from archiver.formats import age
from archiver.records import Post
from archiver.sources.base import Capture, Item, Problem
from archiver.sources.parsers import parse_record
from archiver.sources.x_api.answer import cut_answer
from archiver.sources.x_api.endpoints import ENDPOINTS
from archiver.sources.x_api.reading import read_answer
from archiver.spool import Spool
from archiver.state import KeyedHash, State, erased_content

IDENTITY = age.X25519Identity.generate()
ID, OTHER, OWN, LATER = (f"158809122024436940{number}" for number in range(1, 5))
SAID = "what the neighbour said about the bridge & the ford"
FORCE, AUTHOR, FAN = "1001", "9001", "9002"
USERS = [
    {"id": FORCE, "username": "SpringfieldPD", "name": "Springfield Police"},
    {"id": AUTHOR, "username": "loud_example", "name": "Loud Example"},
    {"id": FAN, "username": "fan_example", "name": "Fan Example"},
]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with closing(State(tmp_path / "state.sqlite")) as opened:
        yield opened


@pytest.fixture
def erased(tmp_path: Path, state: State) -> Iterator[ErasedFilter]:
    """Of a folder in which nothing was erased yet: `erase` before it is asked."""
    with closing(Spool(tmp_path / "spool", IDENTITY)) as spool:
        yield ErasedFilter(spool, state, "x")


def erase(state: State, kind: str = "post", own: str = ID) -> None:
    key = KeyedHash.of(IDENTITY)
    with state.transaction():
        state.note_erased([key(erased_content("x", kind, own))], [("x", kind, own)])


def post(own: str, text: str, author: str = FORCE, **more: object) -> dict[str, Any]:
    return {"id": own, "text": text, "author_id": author, "created_at": "2026-10-01T10:00:00.000Z", **more}


def refers(kind: str, own: str = ID) -> dict[str, object]:
    return {"referenced_tweets": [{"type": kind, "id": own}]}


COPY = post(
    ID, SAID.replace("&", "&amp;"), AUTHOR, conversation_id=ID, attachments={"media_keys": ["3_1", "3_2"]}
)
QUOTE = post(OWN, "We do not agree.", **refers("quoted"), attachments={"media_keys": ["3_2"]})
MEDIA = [
    {"media_key": "3_1", "type": "photo", "url": "https://pbs.example/1.jpg", "alt_text": "a rude sign"},
    {"media_key": "3_2", "type": "photo", "url": "https://pbs.example/2.jpg"},
]


def capture_of(kind: str = "posts", request: str = "GET /2/users/1001/tweets?max_results=100") -> Capture:
    return Capture(
        key=0, source="x_api", route="api", platform="x", account=FORCE, handle=None, name=None,
        request=request, body_kind=kind, layout="x-api-tweet", fetched_ms=1, status=200, headers={},
    )  # fmt: skip


def body_of(*posts: object, includes: object = None, **more: object) -> bytes:
    found = {"data": posts, "includes": {"tweets": [COPY], "users": USERS, "media": MEDIA}, **more}
    return json.dumps(found if includes is None else {**found, "includes": includes}).encode()


def items_of(body: bytes, kind: str = "posts") -> list[Item]:
    reading = read_answer(capture_of(kind), cut_answer(body), ENDPOINTS[kind])
    return [*reading.items, *reading.gone]


def cut(erased: ErasedFilter, body: bytes, kind: str = "posts") -> Left:
    return erased.cut(capture_of(kind), body, items_of(body, kind))


def require_readable(left: Left) -> dict[str, Any]:
    """What is left is JSON, every item lies in it where it says and is read again; that JSON."""
    assert left.body is not None
    for item in left.items:
        for (start, length), (_, data) in zip(item.places, item.slices, strict=True):
            assert left.body[start : start + length] == data
        parse_record(left.capture, item.kind, [data for _, data in item.slices])
    found: dict[str, Any] = json.loads(left.body)
    return found


# An answer


def test_where_nothing_was_erased_the_answer_is_not_even_read(erased: ErasedFilter) -> None:
    body = b"no JSON, " + ID.encode()
    capture, items = capture_of(), items_of(body_of(QUOTE))
    left = erased.cut(capture, body, items)
    assert left.capture is capture
    assert left.body is body
    assert left.items == items
    assert "_key" not in vars(erased)


def test_an_answer_without_it_stays_byte_for_byte_and_a_number_is_hashed_once(
    erased: ErasedFilter, state: State
) -> None:
    erase(state)
    asked: list[bytes] = []

    class Counting(KeyedHash):
        def __call__(self, content: bytes) -> bytes:
            asked.append(content)
            return super().__call__(content)

    vars(erased)["_key"] = Counting.of(IDENTITY)
    body = body_of(
        *[post(str(int(OTHER) + n), "x", **refers("quoted", OTHER)) for n in range(9)], includes={}
    )
    left = cut(erased, body)
    assert left.body is body
    assert left.items == items_of(body)
    assert left.capture == capture_of()
    assert len(asked) == len(set(asked))
    assert erased_content("x", "post", OTHER) in asked


@pytest.mark.parametrize("way", ["quoted", "replied_to"])
def test_what_refers_to_it_stays_without_the_copy(erased: ErasedFilter, state: State, way: str) -> None:
    erase(state)
    own = post(OWN, "We do not agree.", **refers(way), conversation_id=ID, in_reply_to_user_id=AUTHOR)
    body = body_of(own, post(OTHER, "Another notice."))
    before = items_of(body)
    left = cut(erased, body)
    found = require_readable(left)
    assert left.capture.context == CUT
    assert [one["text"] for one in found["data"]] == ["We do not agree.", "Another notice."]
    assert found["includes"]["tweets"] == []
    assert found["data"][0]["referenced_tweets"] == []
    for gone in (ID, "neighbour", "rude sign", "1.jpg"):
        assert left.body is not None
        assert gone.encode() not in left.body
    # The same answer is unchanged the next time: what makes a version is what X sent.
    assert [(one.id, one.content, one.words) for one in left.items] == [
        (one.id, one.content, one.words) for one in before
    ]
    record = parse_record(left.capture, "post", [data for _, data in left.items[0].slices])
    assert isinstance(record, Post)
    assert (record.text, record.quote_of_id, record.in_reply_to_id) == ("We do not agree.", None, None)


def test_a_picture_that_another_shows_too_stays(erased: ErasedFilter, state: State) -> None:
    erase(state)
    left = cut(erased, body_of(QUOTE))
    assert require_readable(left)["includes"]["media"] == MEDIA[1:]
    assert [one.url for one in left.items[0].media] == ["https://pbs.example/2.jpg"]


def test_a_repost_of_it_and_a_like_of_it_are_not_kept(erased: ErasedFilter, state: State) -> None:
    erase(state)
    repost = post(OWN, f"RT @loud_example: {SAID[:20]}…", **refers("retweeted"))
    left = cut(erased, body_of(repost, post(OTHER, "Another notice.")))
    assert [one["id"] for one in require_readable(left)["data"]] == [OTHER]
    assert [one.id for one in left.items] == [OTHER]
    assert b"neighbour" not in (left.body or b"")
    assert OWN.encode() not in (left.body or b"")
    liked = cut(erased, body_of(COPY, post(OTHER, "Another notice.", FAN), includes={}), "likes")
    assert [one["id"] for one in require_readable(liked)["data"]] == [OTHER]
    assert [(one.kind, one.id) for one in liked.items] == [("like", OTHER)]


def test_a_repost_of_another_stays_with_its_whole_text(erased: ErasedFilter, state: State) -> None:
    erase(state, own=OTHER)
    body = body_of(
        post(OWN, "RT @loud_example: what the…", **refers("retweeted")), post(OTHER, "gone by now")
    )
    left = cut(erased, body)
    require_readable(left)
    (kept,) = left.items
    record = parse_record(left.capture, "post", [data for _, data in kept.slices])
    assert isinstance(record, Post)
    assert record.text == f"RT @loud_example: {SAID}"


def test_a_later_version_of_it_is_it(erased: ErasedFilter, state: State) -> None:
    erase(state)
    versions = {"edit_history_tweet_ids": [ID, LATER]}
    later = post(LATER, "the neighbour says it in other words now", AUTHOR, **versions)
    quote = post(OWN, "We do not agree.", **refers("quoted", LATER))
    left = cut(erased, body_of(quote, includes={"tweets": [later]}))
    assert require_readable(left)["data"] == [{**quote, "referenced_tweets": []}]
    assert LATER.encode() not in (left.body or b"")
    assert cut(erased, body_of(later, includes={})).items == []


def test_words_that_another_says_itself_stay_its_words(erased: ErasedFilter, state: State) -> None:
    erase(state)
    same = post(OTHER, COPY["text"], FAN)
    left = cut(erased, body_of(same, COPY, includes={}), "mentions")
    assert require_readable(left)["data"] == [same]


def test_a_mention_of_its_id_alone_is_cut_out_and_is_in_no_problem(
    erased: ErasedFilter, state: State
) -> None:
    erase(state)
    error = {"resource_id": ID, "value": ID, "parameter": "referenced_tweets.id", "title": "Not Found Error",
             "detail": f"Could not find tweet with referenced_tweets.id: [{ID}]."}  # fmt: skip
    body = body_of(post(OWN, "Please be civil.", **refers("replied_to")), includes={}, errors=[error])
    asked = capture_of(request=f"GET /2/tweets?ids={OWN},{ID}")
    left = erased.cut(asked, body, items_of(body))
    assert require_readable(left)["errors"] == []
    assert left.capture.request == f"GET /2/tweets?ids={OWN},[erased]"
    (said,) = left.reworded([Problem(f"tweet {ID}", "context", f"deleted ({ID})")])
    assert (said.what, said.detail) == ("tweet [erased]", "deleted ([erased])")


@pytest.mark.parametrize("name", [f"post:{ID}", f"mention:{ID}", f"like:{ID}", ID])
def test_that_it_is_gone_is_not_kept_either(erased: ErasedFilter, state: State, name: str) -> None:
    erase(state)
    data = json.dumps({"resource_id": ID}).encode()
    gone = Item("gone", name, 1, b"", ((0, data),))
    other = structs.replace(gone, id=f"post:{OTHER}")
    assert erased.cut(capture_of(), None, [gone, other]).items == [other]
    assert erased.left([gone, other], capture_of()) == [other]


def test_a_post_that_a_message_passes_on_is_cut_out_of_it(erased: ErasedFilter, state: State) -> None:
    erase(state)
    message = {"id": OTHER, "text": "look at this", "event_type": "MessageCreate", "sender_id": FAN,
               "dm_conversation_id": "1001-9002", "created_at": "2026-10-01T10:00:00.000Z",
               "referenced_tweets": [{"id": ID}]}  # fmt: skip
    left = cut(erased, body_of(message), "messages")
    assert [one.id for one in left.items] == [OTHER]
    assert require_readable(left)["includes"]["tweets"] == []
    assert ID.encode() not in (left.body or b"")


def test_facts_of_an_account_go_by_its_id(erased: ErasedFilter, state: State) -> None:
    erase(state, "account", FORCE)
    body = json.dumps({"data": USERS[0]}).encode()
    left = cut(erased, body, "profile")
    assert left.items == []
    assert require_readable(left) == {}
    account = Item("account", f"{FORCE}:screen_name_change:2026-01-01", None, b"", ((0, b"{}"),))
    other = structs.replace(account, id=f"{AUTHOR}:author")
    assert erased.left([account, other], capture_of()) == [other]


def test_an_answer_that_is_nested_too_deep_to_be_cut_is_refused(erased: ErasedFilter, state: State) -> None:
    erase(state)
    body = body_of(QUOTE, deep=json.loads("[" * 300 + "]" * 300))
    with pytest.raises(SourceError, match=r"GET /2/users/1001/tweets: .* cannot be cut"):
        erased.cut(capture_of(), body, [])


# An export


def test_an_old_exports_repost_that_names_it_is_not_taken(erased: ErasedFilter, state: State) -> None:
    erase(state)
    export = structs.replace(
        capture_of("grailbird"), source="x_export", route="export", layout="x-grailbird", status=None
    )

    def repost(own: str, of: str) -> Item:
        piece = {"id_str": own, "text": "RT @loud_example: what…", "created_at": "2015-10-02 20:15:40 +0000",
                 "retweeted_status": {"id_str": of, "text": SAID}}  # fmt: skip
        return Item("post", own, 1, b"", ((0, json.dumps(piece).encode()),))

    broken = Item("post", "5", 1, b"", ((0, b"RT @ no JSON"),))
    some = [repost("3", ID), repost("4", OTHER), broken]
    assert erased.left(some, export) == some[1:]
    assert erased.left([Item("like", ID, None, b"", ()), some[1]], export) == [some[1]]
