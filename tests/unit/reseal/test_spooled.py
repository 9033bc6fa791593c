"""Records taken out of what is not sealed yet: pages of exports and of X's answers, the moderation register's
entries about them, and what quotes them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from msgspec import structs

from archiver.collect.pages import Decided, page_of
from archiver.cutting.needles import Needles
from archiver.inbox.exports import import_exports
from archiver.moderation.keeping import keep_entries
from archiver.rebuild import rebuild_segment
from archiver.records import Moderation
from archiver.reseal.names import RecordName
from archiver.reseal.spooled import SpooledReduction, erase_from_spool, reduce_spool
from archiver.reseal.survey import Wanted
from archiver.seal import seal
from archiver.sources.base import Item
from archiver.sources.moderation import decode_entry
from archiver.spool import PageSealer, Spool
from archiver.wiring.collector import Collector, open_collector
from archiver.wiring.seal import seal_options
from tests.faults.folders import make_folder, sample
from tests.homes import NOW_MS, Home
from tests.made_vaults import ACCOUNT
from tests.unit.reseal.erased import ID, OTHER_ID, POLITE, RUDE, THIRD_ID, post_name
from tests.unit.seal.spooled import answer_of, with_screenshot, x_post

NEEDLES = Needles([ID], [RUDE])


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(make_folder(tmp_path / "home"))


@pytest.fixture
def collector(home: Home) -> Iterator[Collector]:
    with open_collector(home.settings) as collector:
        yield collector


@pytest.fixture
def spool(collector: Collector) -> Spool:
    return collector.spool


def collect(spool: Spool, *posts: Mapping[str, object]) -> None:
    spool.add_answer(answer_of(spool, *posts, body_kind="mentions", series="post", change="new"))


def moderate(spool: Spool) -> None:
    """A decision about the post, and one about something else."""
    entries = [
        with_screenshot(spool, "m1", b"a picture", text=RUDE, item_id=ID, reason_codes=("abusive",)),
        with_screenshot(spool, "m2", b"another", text="else", item_id=OTHER_ID, entry_note=f"beside {ID}"),
    ]
    keep_entries(spool, entries, [])


def ids(spool: Spool) -> set[tuple[str, str]]:
    return {(info.kind, one) for info in spool.pages() for one in spool.read_page(info.id).ids}


def payload(spool: Spool) -> bytes:
    pages = [spool.read_page(info.id) for info in spool.pages()]
    joined = [data for page in pages for some in page.joined.values() for _, data in some]
    return b"\n".join([*(page.payload for page in pages), *joined])


def entries(spool: Spool) -> dict[str, Moderation]:
    found = {}
    for info in spool.pages():
        page = spool.read_page(info.id)
        if info.kind == "moderation":
            for start, length in zip(page.offsets(), page.lengths, strict=True):
                entry = decode_entry(page.payload[start : start + length])
                found[entry.record_id] = entry
    return found


def erase(spool: Spool, *, everywhere: bool = False, entries: bool = False) -> SpooledReduction:
    wanted = Wanted((post_name(ID),), everywhere=everywhere, entries=entries)
    reduction = reduce_spool(spool, wanted, NEEDLES)
    erase_from_spool(spool, reduction, NEEDLES)
    return reduction


def require_sound(home: Home, collector: Collector) -> None:
    """Seal what is left, and read every record again from its captures."""
    seal(collector.spool, collector.state, home.vault, seal_options(home.settings), lambda: NOW_MS)
    (archive,) = home.archives
    for file in archive.manifest.segments:
        rebuilt = rebuild_segment(home.vault, archive, file, home.identities)
        assert (rebuilt.different, rebuilt.named) == (0, [])


def test_a_post_leaves_an_answer_that_stays_whole_around_it(
    home: Home, collector: Collector, spool: Spool
) -> None:
    collect(spool, x_post(ID, RUDE), x_post(OTHER_ID, POLITE))
    reduction = erase(spool)
    assert (reduction.rows, reduction.quotes, reduction.about) == (1, [], set())
    assert ids(spool) == {("post", OTHER_ID)}
    left = json.loads(payload(spool))
    assert [one["id"] for one in left["data"]] == [OTHER_ID]
    assert left["includes"]["users"]
    require_sound(home, collector)


def test_an_answer_that_has_nothing_else_stays_without_it(spool: Spool) -> None:
    """What X said besides is its own, and the capture's."""
    collect(spool, x_post(ID, RUDE))
    erase(spool)
    assert ids(spool) == set()
    assert json.loads(payload(spool))["data"] == []


@pytest.mark.parametrize("everywhere", [False, True])
def test_a_reply_in_another_answer_quotes_it_and_loses_that_only_where_asked(
    home: Home, collector: Collector, spool: Spool, *, everywhere: bool
) -> None:
    collect(spool, x_post(ID, RUDE))
    reply = x_post(THIRD_ID, "what do you mean", referenced_tweets=[{"type": "replied_to", "id": ID}])
    collect(spool, reply)
    reduction = erase(spool, everywhere=everywhere)
    assert reduction.quotes == [f"post {THIRD_ID} in the spool"]
    assert ids(spool) == {("post", THIRD_ID)}
    assert (ID.encode() in payload(spool)) is not everywhere
    assert b"what do you mean" in payload(spool)
    require_sound(home, collector)


def test_another_that_says_the_same_words_itself_is_no_quote_and_keeps_them(
    home: Home, collector: Collector, spool: Spool
) -> None:
    collect(spool, x_post(ID, RUDE), x_post(OTHER_ID, RUDE))
    collect(spool, x_post(THIRD_ID, RUDE, note=f"as {ID} says"))
    reduction = erase(spool, everywhere=True)
    assert reduction.quotes == [f"post {THIRD_ID} in the spool"]
    assert payload(spool).count(RUDE.encode()) == 2
    assert ID.encode() not in payload(spool)
    require_sound(home, collector)


@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize(
    "words", [{"text": f"RT @rude_example: {RUDE[:30]}…"}, {"text": "RT @rude_example: x", "of": ID}]
)
def test_a_repost_of_it_goes_too_where_it_is_to_go_everywhere(
    home: Home, collector: Collector, spool: Spool, words: dict[str, str], *, everywhere: bool
) -> None:
    more = {"referenced_tweets": [{"type": "retweeted", "id": words.get("of", "1588091220244360000")}]}
    collect(spool, x_post(ID, RUDE))
    collect(spool, x_post(THIRD_ID, words["text"], **more), x_post(OTHER_ID, POLITE))
    reduction = erase(spool, everywhere=everywhere)
    assert reduction.quotes == ([] if everywhere else [f"post {THIRD_ID} in the spool"])
    assert ids(spool) == {("post", OTHER_ID)} | (set() if everywhere else {("post", THIRD_ID)})
    require_sound(home, collector)


@pytest.mark.parametrize("everywhere", [False, True])
def test_a_like_of_it_goes_too_where_it_is_to_go_everywhere_and_a_message_with_its_id_stays(
    home: Home, collector: Collector, spool: Spool, tmp_path: Path, *, everywhere: bool
) -> None:
    export = sample(tmp_path / "sample.zip", months=1)
    (result,) = import_exports(collector, [export], may_add_account=True, clock=lambda: NOW_MS)
    assert result.error is None
    before = ids(spool)
    like = sorted(one for kind, one in before if kind == "like")[0]
    message = sorted(one for kind, one in before if kind == "message")[0]
    needles = Needles([like, message], [])
    wanted = Wanted((post_name(like), post_name(message)), everywhere=everywhere)
    reduction = reduce_spool(spool, wanted, needles)
    erase_from_spool(spool, reduction, needles)
    assert (f"like {like} in the spool" in reduction.quotes) is not everywhere
    assert before - ids(spool) == ({("like", like)} if everywhere else set())
    require_sound(home, collector)


@pytest.mark.parametrize("too", [False, True])
def test_a_decision_about_it_stays_and_loses_who_said_what_only_where_asked(
    home: Home, collector: Collector, spool: Spool, *, too: bool
) -> None:
    collect(spool, x_post(ID, RUDE))
    moderate(spool)
    before = entries(spool)
    reduction = erase(spool, entries=too)
    (about,) = reduction.about
    assert before[about].text == RUDE
    after = entries(spool)
    assert after.keys() == before.keys()
    assert after[about].reason_codes == ("abusive",)
    assert after[about].entered_ms == before[about].entered_ms
    if too:
        assert (after[about].text, after[about].item_id, after[about].author_handle) == (None, None, None)
        assert after[about].attachments == ()
        assert RUDE.encode() not in payload(spool)
    else:
        assert after[about] == before[about]
    require_sound(home, collector)


@pytest.mark.parametrize("everywhere", [False, True])
def test_a_decision_about_another_that_names_it_is_a_quote(spool: Spool, *, everywhere: bool) -> None:
    moderate(spool)
    (other,) = [one for one in entries(spool).values() if one.item_id == OTHER_ID]
    reduction = erase(spool, everywhere=everywhere)
    assert reduction.rows == 0
    (quote,) = reduction.quotes
    assert quote.startswith("moderation ")
    note = entries(spool)[other.record_id].entry_note
    assert note == ("beside [erased]" if everywhere else f"beside {ID}")


@pytest.mark.parametrize("kind", ["post", "message", "like", "account"])
def test_a_record_of_an_export_leaves_its_page_and_no_other_does(
    home: Home, collector: Collector, spool: Spool, tmp_path: Path, kind: str
) -> None:
    export = sample(tmp_path / "sample.zip", months=1)
    (result,) = import_exports(collector, [export], may_add_account=True, clock=lambda: NOW_MS)
    assert result.error is None
    before = ids(spool)
    chosen = sorted(one for table, one in before if table == kind)[0]
    words = Needles([chosen] if kind in ("post", "message") else [], [])
    # An account is named by its id, and all that its files say of it goes.
    name = chosen.partition(":")[0] if kind == "account" else chosen
    wanted = Wanted((RecordName("x", kind, name),), everywhere=True)
    reduction = reduce_spool(spool, wanted, words)
    erase_from_spool(spool, reduction, words)
    assert reduction.rows >= 1
    assert before - ids(spool) == {
        one for one in before if one[0] == kind and one[1].partition(":")[0] == name
    }
    require_sound(home, collector)


@pytest.mark.parametrize("said", [ID, f"post:{ID}", f"mention:{ID}"])
def test_that_it_is_gone_is_in_the_spool_no_more_by_whatever_series(spool: Spool, said: str) -> None:
    answer = answer_of(spool, x_post(OTHER_ID, POLITE), body_kind="mentions", series="post", change="new")
    found = json.dumps({"resource_id": ID}).encode()
    gone = Decided(Item("gone", said, 1, b"", ((0, found),)), "new", 1, b"d")
    info, page = page_of("x", ACCOUNT, 1, "gone", "gone", [gone], None)
    sealer = PageSealer(spool.identity.recipient())
    spool.add_answer(structs.replace(answer, pages=[*answer.pages, (info, sealer.seal(page))]))
    assert ("gone", said) in ids(spool)
    erase(spool)
    assert ids(spool) == {("post", OTHER_ID)}


def test_what_has_nothing_of_it_is_left_as_it_is(spool: Spool) -> None:
    collect(spool, x_post(OTHER_ID, POLITE))
    before = payload(spool)
    reduction = erase(spool, everywhere=True, entries=True)
    assert (reduction.rows, reduction.pages, reduction.quotes) == (0, {}, [])
    assert payload(spool) == before
