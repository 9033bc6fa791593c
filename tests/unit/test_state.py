"""The state: what was seen, which exports were taken, what is being sealed; brought up to the spool."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archiver.chain import Head
from archiver.errors import ArchiverError, IntegrityError
from archiver.formats import age
from archiver.sources.base import Capture, Item, Route, digest_of
from archiver.spool import Page, PageInfo, PageSealer, Spool
from archiver.state import (
    KeyedHash,
    SealedMedia,
    Sealing,
    Seen,
    State,
    as_key,
    other_words,
    same_content,
)

IDENTITY = age.X25519Identity.generate()


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with closing(State(tmp_path / "state.sqlite")) as opened:
        yield opened


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with closing(Spool(tmp_path / "spool", IDENTITY)) as opened:
        yield opened


def page(
    ids: list[str],
    *,
    generated_ms: int = 5,
    versions: list[int] | None = None,
    changes: list[str] | None = None,
    record_ids: dict[int, str] | None = None,
    digest: bytes = b"d",
) -> Page:
    count = len(ids)
    return Page(
        "x", "1001", generated_ms, ids, [0] * count, versions or [1] * count, changes or ["new"] * count,
        [digest] * count, [1] * count, record_ids or {}, {}, b"",
    )  # fmt: skip


def add_page(spool: Spool, kind: str, held: Page) -> int:
    request = Capture(
        key=1, source="x_export", route="export", platform="x", account="1001", handle=None, name=None,
        request="e.zip!a", body_kind="tweets", layout="x-2022", fetched_ms=5,
    )  # fmt: skip
    capture = spool.begin_capture("aa", request, 1)
    info = PageInfo(0, capture, kind, len(held.ids), 0, 0, 1)
    (number,) = spool.add_pages([(info, PageSealer(IDENTITY.recipient()).seal(held))])
    return number


# Ids as keys


@given(st.one_of(st.text(max_size=30), st.from_regex(r"[0-9]{1,25}", fullmatch=True)))
@example("0")
@example("007")
@example(str(2**63 - 1))
@example(str(2**63))
@example("٣")
@example("²")
@example("")
@example("1_000")
@example("+1")
def test_a_key_gives_back_its_id_and_is_an_integer_where_sqlite_can_hold_it(platform_id: str) -> None:
    key = as_key(platform_id)
    assert str(key) == platform_id
    plain = platform_id.isascii() and platform_id.isdigit() and str(int(platform_id)) == platform_id
    assert isinstance(key, int) == (plain and 0 < int(platform_id) < 2**63)


ODD_IDS = ["1", "01", "0", str(2**63 - 1), str(2**63), "a", "A", "a\0b", "a\0", "é", "e\u0301", "", " ", "😀"]


def test_every_id_is_seen_again_as_itself(state: State) -> None:
    series = state.series("x", "1001", "post")
    keys = [as_key(one) for one in ODD_IDS]
    assert state.find_seen(series, keys) == {}
    with state.transaction():
        state.note_page(1, series, page(ODD_IDS, versions=list(range(1, len(ODD_IDS) + 1))))
    found = state.find_seen(series, keys)
    assert {str(key): seen.version for key, seen in found.items()} == {
        one: version for version, one in enumerate(ODD_IDS, start=1)
    }
    assert state.find_seen(series, [as_key("nothere"), 2]) == {}
    state.note_full(series, 9)
    assert sorted(state.find_gone(series)) == sorted(ODD_IDS)
    state.note_unchanged(series, 9, [as_key(one) for one in ODD_IDS[:-2]])
    assert sorted(state.find_gone(series)) == sorted(ODD_IDS[-2:])


def test_accounts_platforms_and_kinds_are_apart(state: State) -> None:
    series = {
        state.series(*one)
        for one in (("x", "1", "post"), ("x", "2", "post"), ("x", "1", "like"), ("y", "1", "post"))
    }
    assert len(series) == 4
    assert state.series("x", "1", "post") == min(series)
    with state.transaction():
        state.note_page(1, min(series), page(["5"]))
    assert [one for one in sorted(series) if state.find_seen(one, [5])] == [min(series)]


# Versions and what is gone


def test_a_later_page_replaces_what_is_known_and_the_same_twice_changes_nothing(state: State) -> None:
    series = state.series("x", "1001", "post")
    with state.transaction():
        state.note_page(1, series, page(["5"], generated_ms=10))
    changed = page(["5"], generated_ms=20, versions=[2], digest=b"e")
    for _ in range(2):
        with state.transaction():
            state.note_page(2, series, changed)
        assert state.find_seen(series, [5]) == {5: Seen(b"e", 2, 0, 20)}
    assert state.note("last_page") == 2


def test_the_versions_of_an_edited_record_are_counted_over_its_ids(state: State) -> None:
    series = state.series("x", "1001", "post")
    assert state.versions_of(series, "10") == 0
    with state.transaction():
        state.note_page(1, series, page(["10", "11", "x"], versions=[1, 2, 9], record_ids={1: "10"}))
    assert state.versions_of(series, "10") == 2
    assert state.versions_of(series, "11") == 2
    assert state.versions_of(state.series("x", "1001", "like"), "10") == 0


def test_gone_is_what_a_newer_full_export_has_not_and_once_marked_is_not_found_again(state: State) -> None:
    series = state.series("x", "1001", "post")
    with state.transaction():
        state.note_page(1, series, page(["1", "2"], generated_ms=10))
        state.note_page(2, series, page(["3"], generated_ms=17))
        state.note_unchanged(series, 20, [2])
    assert state.find_gone(series) == []
    state.note_full(series, 20)
    assert sorted(state.find_gone(series)) == ["1", "3"]
    state.note_full(series, 15)  # an older one, taken later
    assert sorted(state.find_gone(series)) == ["1", "3"]
    state.mark_gone(series, ["1"], 20)
    assert state.find_gone(series) == ["3"]
    assert state.find_seen(series, [1])[1].gone == 20


def test_a_gone_page_marks_records_by_kind_and_a_bare_id_a_post(state: State) -> None:
    posts, likes = state.series("x", "1001", "post"), state.series("x", "1001", "like")
    with state.transaction():
        state.note_page(1, posts, page(["1", "2", "3"]))
        state.note_page(2, likes, page(["2", "4:5"]))
        state.note_gone_page(page(["post:1", "3", "like:4:5"], generated_ms=30))
    assert {key: seen.gone for key, seen in state.find_seen(posts, [1, 2, 3]).items()} == {1: 30, 2: 0, 3: 30}
    assert {key: seen.gone for key, seen in state.find_seen(likes, [2, "4:5"]).items()} == {2: 0, "4:5": 30}


# Routes


def test_what_each_route_brought_is_known_apart(state: State) -> None:
    by_export, by_api = state.series("x", "1001", "post"), state.series("x", "1001", "post", "api")
    assert by_export != by_api
    with state.transaction():
        state.note_page(1, by_export, page(["1"], digest=b"e"))
        state.note_page(2, by_api, page(["1"], digest=b"a"))
    assert state.find_seen(by_export, [1])[1].digest == b"e"
    assert state.find_seen(by_api, [1])[1].digest == b"a"
    assert state.series("x", "1001", "post", "export") == by_export
    assert len({by_api, by_export, state.series("x", "1001", "post", "manual")}) == 3


def test_a_series_is_found_only_once_its_route_has_brought_something(state: State) -> None:
    assert state.find_series("x", "1001", "post", "export") is None
    number = state.series("x", "1001", "post")
    assert state.find_series("x", "1001", "post", "export") == number
    assert state.find_series("x", "1001", "post", "api") is None
    assert state.find_series("x", "1002", "post", "export") is None


def test_present_are_ids_not_gone_from_an_id_on_and_seen_before_a_time(state: State) -> None:
    series = state.series("x", "1001", "post", "api")
    with state.transaction():
        state.note_page(1, series, page(["9", "10", "11", "odd"], generated_ms=10))
        state.note_page(2, series, page(["12"], generated_ms=20))
        state.mark_gone(series, ["11"], 15)
    assert sorted(state.present(series)) == ["10", "12", "9", "odd"]
    assert sorted(state.present(series, from_id=10)) == ["10", "12", "odd"]  # no number comes after it
    assert sorted(state.present(series, before_ms=20)) == ["10", "9", "odd"]
    assert sorted(state.present(series, from_id=10, before_ms=20)) == ["10", "odd"]
    assert sorted(state.present(series, from_id=13, before_ms=10)) == []
    assert state.present(series, gone=True) == ["11"]
    assert state.present(series, gone=True, from_id=12) == []
    with state.transaction():
        state.note_unchanged(series, 30, [9])
        state.mark_gone(series, ["11"], 0)
    assert sorted(state.present(series, before_ms=30)) == ["10", "11", "12", "odd"]


def test_all_versions_of_an_edited_record_count_once(state: State) -> None:
    series = state.series("x", "1001", "post", "api")
    assert state.count_present(series) == 0
    with state.transaction():
        state.note_page(1, series, page(["10", "11", "12", "20"], record_ids={1: "10", 2: "10"}))
    assert state.count_present(series) == 2
    with state.transaction():
        state.mark_gone(series, ["10", "20"], 9)
    assert state.count_present(series) == 1
    with state.transaction():
        state.note_page(2, series, page(["odd", str(2**63)]))
    assert state.count_present(series) == 3


def test_what_is_gone_by_one_route_is_there_by_the_other(state: State) -> None:
    by_export, by_api = state.series("x", "1001", "post"), state.series("x", "1001", "post", "api")
    gone = page(["post:1"], generated_ms=30)
    with state.transaction():
        state.note_page(1, by_export, page(["1"]))
        state.note_page(2, by_api, page(["1"]))
        state.note_gone_page(msgspec.structs.replace(gone, route="api"))
    assert state.find_seen(by_api, [1])[1].gone == 30
    assert state.find_seen(by_export, [1])[1].gone == 0


def test_words_are_compared_between_routes_and_content_within_one() -> None:
    key = KeyedHash(b"one secret")

    def digest(content: bytes, words: bytes) -> bytes:
        return digest_of(Item("post", "1", 1, content, (), words=words), key)

    one = digest(b"a", b"words")
    assert same_content(one, digest(b"a", b"other"))
    assert not same_content(one, digest(b"b", b"words"))
    assert same_content(one, digest(b"a", b""))  # as version 0.1 noted it
    assert other_words(one, digest(b"b", b"other"))
    assert not other_words(one, digest(b"b", b"words"))
    assert not other_words(one, digest(b"b", b""))
    assert not other_words(digest(b"b", b""), one)


def test_a_version_beside_the_newest_is_known_by_its_content(state: State) -> None:
    series = state.series("x", "1001", "post")
    known, words = b"c" * 16, b"w" * 8
    with state.transaction():
        state.note_page(1, series, page(["1"]))
        state.note_page(2, series, page(["1"], changes=["other"], versions=[-2], digest=known + words))
    assert state.is_other(series, 1, known)
    assert state.is_other(series, 1, known + b"v" * 8)
    assert not state.is_other(series, 1, b"d" * 16)
    assert state.find_seen(series, [1])[1].digest == b"d"


def test_what_is_back_is_no_longer_gone(state: State) -> None:
    series = state.series("x", "1001", "post", "api")
    with state.transaction():
        state.note_page(1, series, page(["1", "2"]))
        state.mark_gone(series, ["1", "2"], 8)
        state.note_page(2, series, page(["1"], changes=["back"], versions=[2], generated_ms=9))
    found = state.find_seen(series, [1, 2])
    assert (found[1].gone, found[1].version, found[2].gone) == (0, 2, 8)


# Brought up to the spool


def test_pages_that_a_kill_left_unnoted_are_noted_from_the_spool(state: State, spool: Spool) -> None:
    add_page(spool, "post", page(["1"]))
    assert state.recover(spool) == 1
    add_page(spool, "post", page(["2"], generated_ms=8))
    add_page(spool, "like", page(["3"]))
    add_page(spool, "gone", page(["post:1"], generated_ms=9))
    assert state.recover(spool) == 3
    assert state.recover(spool) == 0
    posts = state.series("x", "1001", "post")
    assert state.find_seen(posts, [1, 2]) == {1: Seen(b"d", 1, 9, 5), 2: Seen(b"d", 1, 0, 8)}
    assert list(state.find_seen(state.series("x", "1001", "like"), [3])) == [3]


def test_pages_are_noted_under_the_route_and_series_they_came_by(state: State, spool: Spool) -> None:

    def of_api(*ids: str, **more: Any) -> Page:
        return msgspec.structs.replace(page([*ids]), route="api", **more)

    add_page(spool, "post", page(["1"]))
    add_page(spool, "post", of_api("1"))
    add_page(spool, "post", of_api("2", series="mention"))
    add_page(spool, "gone", of_api("mention:2", "post:1", series="gone", generated_ms=9))
    assert state.recover(spool) == 4
    by_export = state.find_series("x", "1001", "post", "export")
    by_api = state.find_series("x", "1001", "post", "api")
    mentions = state.find_series("x", "1001", "mention", "api")
    assert by_export is not None
    assert by_api is not None
    assert mentions is not None
    assert state.find_seen(by_export, [1, 2]) == {1: Seen(b"d", 1, 0, 5)}
    assert state.find_seen(by_api, [1, 2]) == {1: Seen(b"d", 1, 9, 5)}
    assert state.find_seen(mentions, [1, 2]) == {2: Seen(b"d", 1, 9, 5)}
    assert state.find_series("x", "1001", "mention", "export") is None


def test_a_spool_page_that_was_altered_stops_recovery_and_what_came_before_is_kept(
    state: State, spool: Spool
) -> None:
    add_page(spool, "post", page(["1"]))
    spool.add_pages([(PageInfo(0, 1, "post", 1, 0, 0, 1), b"altered")])
    with pytest.raises(IntegrityError, match="page 2"):
        state.recover(spool)
    assert state.note("last_page") == 1
    assert list(state.find_seen(state.series("x", "1001", "post"), [1])) == [1]


# Notes, imports, media


def test_what_is_noted_is_there_when_opened_again_and_what_failed_is_not(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    sealing, head = Sealing("2026-01-01", "mark", 5, 6, 7), Head(3, "ab" * 32)
    with closing(State(path)) as state:
        assert (state.sealing(), state.head(), state.note("other")) == (None, None, None)
        with state.transaction():
            state.set_sealing(sealing)
            state.set_head(head)
        with pytest.raises(ArchiverError), state.transaction():
            raise ArchiverError("not noted" if state.set_sealing(None) is None else "")
    with closing(State(path)) as state:
        assert state.sealing() == sealing
        assert state.head() == head
        with state.transaction():
            state.set_sealing(None)
        assert state.sealing() is None


def test_the_newest_export_of_an_account_is_the_newest_that_was_read_to_its_end(state: State) -> None:
    assert state.newest_exports() == {}
    for digest, account, made_ms in (("aa", "1001", 5), ("bb", "1001", 3), ("cc", "1001", 9), ("dd", "7", 4)):
        state.begin_import(digest, "x", account, "export.zip", made_ms, False, 100)
        if digest != "cc":
            state.end_import(digest, 200, {})
    assert state.newest_exports() == {("x", "1001"): 5, ("x", "7"): 4}


def test_an_import_is_known_by_its_digest_and_done_when_it_has_a_summary(state: State) -> None:
    assert state.find_import("aa") is None
    state.begin_import("aa", "x", "1001", "export.zip", 5, True, 100)
    state.begin_import("bb", "x", "1001", "other.zip", 6, False, 101)
    begun = state.find_import("aa")
    assert begun is not None
    assert (begun.name, begun.partial, begun.started_ms, begun.summary) == ("export.zip", True, 100, None)
    state.begin_import("aa", "x", "1001", "export.zip", 5, True, 200)
    state.end_import("aa", 300, {"counts": {"post": 1}})
    done = state.find_import("aa")
    assert done is not None
    assert (done.started_ms, done.finished_ms, done.summary) == (200, 300, {"counts": {"post": 1}})
    assert [(one.digest, one.partial) for one in state.imports()] == [("aa", True), ("bb", False)]


def test_media_of_earlier_sealings_are_known_by_account_and_name(state: State) -> None:
    assert not state.holds_media("1001")
    with state.transaction():
        state.add_media([("1001", "a.png", "00", 5, "2026-01-01", "media-000.tar.age", 512)])
        state.add_media([("1001", "a.png", "00", 5, "2026-01-02", "media-000.tar.age", 512)])
    assert state.find_media("1001", "a.png") == SealedMedia("00", 5, "2026-01-02", "media-000.tar.age", 512)
    assert state.find_media("1002", "a.png") is None
    assert state.holds_media("1001")


def test_a_damaged_state_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").write_bytes(b"no database " * 1000)
    with pytest.raises(IntegrityError, match=r"state\.sqlite is damaged") as caught:
        State(tmp_path / "state.sqlite")
    assert caught.value.hint == "keep it aside; what it remembers can be made again by importing an export"


@pytest.mark.parametrize("note", ["", "{}", "5", "no JSON", '{"archive": 1, "mark": ""}'])
def test_notes_that_cannot_be_read_are_named(state: State, note: str) -> None:
    with state.transaction():
        state.set_note("sealing", note)
        state.set_note("head", note)
    with pytest.raises(IntegrityError, match=r"state\.sqlite: its note sealing cannot be read"):
        state.sealing()
    with pytest.raises(IntegrityError, match=r"state\.sqlite: its note head cannot be read"):
        state.head()


def test_of_what_was_erased_no_series_knows_the_id_any_more(state: State) -> None:
    routes: tuple[Route, ...] = ("export", "api")
    kinds = ("post", "mention", "context", "like", "account", "gone", "follower")
    numbers = {(kind, route): state.series("x", "1001", kind, route) for kind in kinds for route in routes}
    ids = ["7", "8", "7:profile", "7:label:2026", "70:profile", "post:7", "mention:7", "like:7", "post:8"]
    with state.transaction():
        for page_id, number in enumerate(numbers.values(), 1):
            state.note_page(page_id, number, page(ids))
        state.note_erased([b"h" * 16], [("x", "post", "7")])
    left = {key: set(ids) - set(state.present(number)) for key, number in numbers.items()}
    for route in routes:
        assert all(left[kind, route] == {"7"} for kind in ("post", "mention", "context", "like"))
        assert left["gone", route] == {"7", "post:7", "mention:7", "like:7"}
        assert left["account", route] == left["follower", route] == set()
    with state.transaction():
        state.note_erased([b"i" * 16], [("x", "account", "7")])
    assert set(ids) - set(state.present(numbers["account", "api"])) == {"7", "7:profile", "7:label:2026"}
    assert set(ids) - set(state.present(numbers["follower", "api"])) == set()
    assert state.erased() == {b"h" * 16, b"i" * 16}


def test_content_is_remembered_by_a_hash_that_needs_the_key() -> None:
    one, other = KeyedHash(b"one secret"), KeyedHash(b"another")
    assert one(b"text") == KeyedHash(b"one secret")(b"text")
    assert len({one(b"text"), one(b"text "), other(b"text")}) == 3
    assert len(one(b"")) == 16
