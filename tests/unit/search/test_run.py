"""Searching sealed segments: what is found, in which order, and with what is known of each record."""

from contextlib import closing
from copy import copy
from pathlib import Path

import pytest

from archiver.errors import IntegrityError, NoKeyError, repair_hint
from archiver.formats import age
from archiver.records import Gone, MediaReference
from archiver.search.language import parse_query
from archiver.search.run import Hit, Result, Searcher
from archiver.search.sql.statement import Order
from tests.made_vaults import (
    ACCOUNT,
    DAY_MS,
    OTHER_ACCOUNT,
    OTHER_HANDLE,
    Made,
    VaultMaker,
    like,
    message,
    post,
)


@pytest.fixture(scope="module", params=["near", "far"])
def is_far(request: pytest.FixtureRequest) -> bool:
    """Every search here is made of a vault in a folder, and of one that is read by requests."""
    return bool(request.param == "far")


@pytest.fixture
def maker(tmp_path: Path, is_far: bool) -> VaultMaker:
    return VaultMaker(tmp_path / "vault", is_far=is_far)


def search(maker: VaultMaker, text: str, order: Order = "newest", limit: int = 50) -> Result:
    with closing(maker.searcher()) as searcher:
        return searcher.search(parse_query(text), order=order, limit=limit)


def found(maker: VaultMaker, text: str, order: Order = "newest", limit: int = 50) -> list[str]:
    return [hit.id for hit in search(maker, text, order, limit).hits]


def gone(platform_id: str, noticed_ms: int, kind: str = "post", account: str = ACCOUNT) -> Gone:
    return Gone(
        platform="x",
        platform_id=platform_id,
        account=account,
        kind=kind,
        noticed_ms=noticed_ms,
        how="absent from the export",
    )


def pictured(platform_id: str, text: str, *alt_texts: str | None) -> object:
    media = [MediaReference(None, "photo", "https://x/1", f"{n}.png", alt) for n, alt in enumerate(alt_texts)]
    return post(platform_id, text, int(platform_id), media=tuple(media))


TEXTS = {
    "1": "Flooding on Bridge Street: the road is closed",
    "2": "The flood at Bridge-Street has gone. ROAD open!",
    "3": "A burglary in the café on Elm street",
    "4": "Straße, naïve Ærøskøbing, Ελλάδα, МОСКВА, 42nd",
    "5": "it's @SpringfieldPD's #OpDay_2026 https://example.org/Road?x=1",
}


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory, is_far: bool) -> VaultMaker:
    maker = VaultMaker(tmp_path_factory.mktemp("texts") / "vault", is_far=is_far)
    maker.add("2026-01-01", [post(one, text, int(one)) for one, text in TEXTS.items()])
    return maker


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("road", "521"),
        ("ROAD", "521"),
        ("road closed", "1"),
        ('"road is"', "1"),
        ('"is road"', ""),
        ('"bridge street"', "21"),
        ("bridge-street", "21"),
        ("flood", "21"),
        ('"flood"', "2"),
        ("floods", "21"),
        ("flood*", "21"),
        ('flood* OR "burglary in"', "321"),
        ("flood* -closed", "2"),
        ('street -"road is"', "32"),
        ("-road", "43"),
        ("-road -burglar*", "4"),
        ("cafe", "3"),
        ("CAFÉ", "3"),
        ("cafe\u0301", "3"),
        ("naive", "4"),
        ("straße", "4"),
        ("ΕΛΛΆΔΑ", "4"),
        ("москва", "4"),
        ("42nd", "4"),
        ("it's", "5"),
        ("springfieldpd", "5"),
        ("@SpringfieldPD", "5"),
        ("opday*", "5"),
        ("*pday*", "5"),
        ("*ελλαδ*", "4"),
        ("OpDay_2026", "5"),
        ("opday 2026", "5"),
        ("https://example.org/road", "5"),
        ("nothere", ""),
        ("road nothere", ""),
        ("since:1970", "54321"),
    ],
)
def test_words_are_found_whatever_their_case_accents_and_punctuation(
    texts: VaultMaker, query: str, ids: str
) -> None:
    assert "".join(found(texts, query)) == ids
    assert "".join(found(texts, query, "oldest")) == ids[::-1]


def test_the_descriptions_of_pictures_are_searched_too_but_no_phrase_spans_two_texts(
    maker: VaultMaker,
) -> None:
    maker.add("2026-01-01", [pictured("1", "Look at this", "A red van", None, "on a bridge")])
    assert found(maker, "look van bridge") == ["1"]
    assert search(maker, "van").hits[0].alt_text == "A red van\non a bridge"
    assert found(maker, '"this a red"') == []


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory, is_far: bool) -> VaultMaker:
    maker = VaultMaker(tmp_path_factory.mktemp("kinds") / "vault", is_far=is_far)
    maker.add(
        "2026-01-01",
        [
            post("1", "word", 1 * DAY_MS),
            post("2", "word", 2 * DAY_MS, kind="reply"),
            post("3", "word", 3 * DAY_MS, kind="repost", author_id="77", author_handle="Other_Force"),
            post("4", "word", 4 * DAY_MS, kind="quote", author_id=None, author_handle=None),
            message("5", "word", 5 * DAY_MS, sender_id="9"),
            message("6", "word", 6 * DAY_MS, sender_id=ACCOUNT),
            post("7", "word", 7 * DAY_MS, account=OTHER_ACCOUNT, author_id=OTHER_ACCOUNT,
                 author_handle=OTHER_HANDLE),
            like("8", "word", 30 * DAY_MS),
            like("9", "word", 20 * DAY_MS),
            like("10", None, 10 * DAY_MS, kind="follower", url="https://x/word"),
        ],
    )  # fmt: skip
    return maker


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("word", "7654321"),
        ("word kind:reply", "2"),
        ("word (kind:reply OR kind:message)", "652"),
        ("word -kind:reply -kind:message", "7431"),
        ("word kind:like", "89"),
        ("kind:like OR kind:quote word", "894"),
        ("kind:follower", "10"),
        ("word kind:follower", ""),
        ("word from:SpringfieldPD", "621"),
        ("word from:@springfieldpd", "621"),
        (f"word from:{ACCOUNT}", "621"),
        ("word from:Other_Force OR from:9", "53"),
        ("word -from:SpringfieldPD", "7543"),
        ("kind:like OR kind:post from:SpringfieldPD", "1"),
        ("kind:like -from:SpringfieldPD", "89"),
        (f"account:{OTHER_HANDLE}", "7"),
        (f"account:{OTHER_ACCOUNT}", "7"),
        (f"-account:{OTHER_HANDLE}", "654321"),
        (f"account:{OTHER_HANDLE} OR account:SpringfieldPD -kind:message", "74321"),
        ("account:nobody", ""),
        ("since:1970-01-06", "765"),
        ("until:1970-01-03", "21"),
        ("since:1970-01-03 until:1970-01-04", "32"),
        ("-word", ""),
        ("-none since:1970-01-06", "765"),
        ("kind:like since:1970-01-25", "8"),
        ("kind:like until:1970-01-25", "9"),
    ],
)
def test_filters_narrow_and_exclude(kinds: VaultMaker, query: str, ids: str) -> None:
    assert "".join(found(kinds, query)) == ids
    assert "".join(found(kinds, query, "oldest")) == ids[::-1] or ids == "10"
    if query.startswith("word"):
        assert sorted(found(kinds, query, "relevance")) == sorted(ids)


def test_a_hit_says_what_it_is(kinds: VaultMaker) -> None:
    (reply,) = search(kinds, "kind:reply").hits
    assert reply == Hit(
        platform="x", id="2", kind="reply", account=ACCOUNT, author_id=ACCOUNT, author="SpringfieldPD",
        posted_ms=2 * DAY_MS, text="word", alt_text=None, archive="2026-01-01", version=1, record_id="2",
        score=0.0,
    )  # fmt: skip
    sent = search(kinds, "kind:message").hits[0]
    assert (sent.kind, sent.author_id, sent.author, sent.alt_text) == ("message", ACCOUNT, None, None)
    (follower,) = search(kinds, "kind:follower").hits
    assert (follower.text, follower.posted_ms) == ("https://x/word", 10 * DAY_MS)


# Order and limits over segments and archives


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory, is_far: bool) -> VaultMaker:
    """Three archives of two segments each; post N says "word" and was posted on day N."""
    maker = VaultMaker(tmp_path_factory.mktemp("months") / "vault", is_far=is_far)
    for archive in range(3):
        days = range(archive * 20, archive * 20 + 20)
        segments = [[post(str(day), "word " * (day % 5 + 1), day * DAY_MS) for day in days[half::2]]
                    for half in (0, 1)]  # fmt: skip
        maker.add(f"2026-01-0{archive + 1}", *segments)
    return maker


def test_newest_and_oldest_run_through_all_segments_in_order_of_time(months: VaultMaker) -> None:
    everything = [str(day) for day in range(60)]
    assert found(months, "word", limit=0) == everything[::-1]
    assert found(months, "word", "oldest", limit=0) == everything
    assert found(months, "word", limit=7) == everything[:-8:-1]
    assert found(months, "word", "oldest", limit=7) == everything[:7]
    assert found(months, "word since:1970-01-21 until:1970-01-24", limit=3) == ["23", "22", "21"]


@pytest.mark.parametrize("order", ["newest", "oldest", "relevance"])
def test_more_is_said_exactly_where_there_are_more(months: VaultMaker, order: Order) -> None:
    for limit, more in ((0, False), (1, True), (59, True), (60, False), (61, False)):
        result = search(months, "word", order, limit)
        assert (len(result.hits), result.more) == (min(limit or 60, 60), more)
    assert search(months, "none", order, 5) == Result([], more=False)


def test_relevance_puts_those_that_say_it_most_first(months: VaultMaker) -> None:
    hits = search(months, "word", "relevance", 0).hits
    assert [hit.score for hit in hits] == sorted(hit.score for hit in hits)
    many = VaultMaker(months.folder.parent / "many", is_far=months.is_far)
    many.add("2026-01-01", [post(str(n), "road " * n + "and some more words " * 3, n) for n in range(9)])
    assert found(many, "road", "relevance", 3) == ["8", "7", "6"]


def test_ranking_in_several_processes_finds_the_same_and_counts_what_it_read(months: VaultMaker) -> None:
    with closing(months.searcher()) as alone, closing(months.searcher(processes=3)) as together:
        together._best.side_by_side_records = 0
        query = parse_query("word")
        expected = alone.search(query, order="relevance", limit=7)
        assert together.search(query, order="relevance", limit=7) == expected
        assert together.effort() == alone.effort()
        for limit in (1, 0):
            expected = alone.search(query, order="relevance", limit=limit)
            assert together.search(query, order="relevance", limit=limit) == expected


def test_a_search_opens_no_more_segments_than_it_needs(months: VaultMaker) -> None:
    months = copy(months)
    months.is_far = False
    catalogue = months.catalogue()
    with closing(months.searcher(catalogue=catalogue)) as searcher:
        assert searcher.effort().segments == 0
        searcher.search(parse_query("word"), limit=5)
        first = searcher.effort()
        assert first.segments == 2
        assert min(first._replace(requests=1)) > 0
        assert first.requests == 0
        searcher.search(parse_query("word"), limit=5)
        assert searcher.effort().segments == 2
        searcher.search(parse_query("word until:1970-01-10"), limit=50)
        assert searcher.effort().segments == 4
        searcher.search(parse_query("word"), limit=0)
        assert searcher.effort().segments == 6
    for nowhere in ("word kind:message", "absent", "word absent", "absent OR missing"):
        with closing(months.searcher(catalogue=catalogue)) as searcher:
            assert searcher.search(parse_query(nowhere), limit=5) == Result([], more=False)
            assert searcher.effort().segments == 0
    with closing(months.searcher()) as searcher:  # all are catalogued first, where none is
        searcher.search(parse_query("word kind:message"), limit=5)
        assert searcher.effort().segments == 6


def test_likes_are_found_by_the_time_they_were_captured_whenever_posts_were_posted(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [like("1", "word", 50 * DAY_MS), post("2", "word", 90 * DAY_MS)])
    maker.add("2026-02-01", [like("4", "word", 80 * DAY_MS), like("5", "word", 20 * DAY_MS)])
    maker.add("2026-03-01", [post("6", "word", 10 * DAY_MS), like("7", "word", 60 * DAY_MS)])
    assert found(maker, "kind:like", limit=2) == ["4", "7"]
    assert found(maker, "kind:like", "oldest", limit=2) == ["5", "1"]
    assert found(maker, "kind:like word since:1970-02-25", limit=2) == ["4", "7"]
    assert found(maker, "kind:like word until:1970-02-10") == ["5"]


# Versions, and what is gone


def test_a_changed_record_is_shown_once_in_its_newest_version(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [post("1", "first words", 5), post("2", "words", 6)])
    maker.add("2026-02-01", [Made(post("1", "second words", 5), 2)])
    maker.add("2026-03-01", [Made(post("1", "third", 5), 3), Made(message("9", "words", 1), 1)])
    orders: tuple[Order, ...] = ("newest", "oldest", "relevance")
    for order in orders:
        hits = {hit.id: hit for hit in search(maker, "words", order).hits}
        assert set(hits) == {"1", "2", "9"}
        assert (hits["1"].text, hits["1"].version, hits["1"].archive) == ("second words", 2, "2026-02-01")
        assert (hits["1"].versions, hits["1"].superseded) == (3, True)
        assert (hits["2"].versions, hits["2"].superseded) == (1, False)
    (newest,) = search(maker, "third").hits
    assert (newest.versions, newest.superseded) == (3, False)


@pytest.mark.parametrize("order", ["newest", "oldest", "relevance"])
def test_the_newest_version_is_shown_even_where_the_limit_falls_between_two(
    maker: VaultMaker, order: Order
) -> None:
    edits = [Made(post(f"1{n}", f"word{' word' * n}", 10 + n * 10, record_id="10"), n + 1) for n in range(6)]
    maker.add("2026-01-01", [*edits[:4], post("2", "word word", 15)])
    maker.add("2026-02-01", edits[4:])
    for limit in (1, 2, 3):
        hits = {hit.id: hit for hit in search(maker, "word", order, limit).hits}
        assert set(hits) <= {"15", "2"}
        assert "15" not in hits or (hits["15"].versions, hits["15"].superseded) == (6, False)
    assert found(maker, "word", "oldest", 1) == ["2"]
    assert found(maker, "word", "newest", 1) == ["15"]


@pytest.mark.parametrize("apart", [False, True])
def test_versions_that_fill_the_limit_push_no_other_record_out(maker: VaultMaker, apart: bool) -> None:
    edits = [Made(post(f"1{n}", "word", 30 + n, record_id="10"), n + 1) for n in range(5)]
    newer = [*edits, post("2", "word", 20)]
    older = [message("3", "word", 10), message("4", "word", 9)]
    if apart:
        maker.add("2026-01-01", older, newer)
    else:
        maker.add("2026-01-01", [*older, *newer])
    result = search(maker, "word", limit=2)
    assert ([hit.id for hit in result.hits], result.more) == (["14", "2"], True)
    assert found(maker, "word", limit=3) == ["14", "2", "3"]
    assert search(maker, "word kind:post", limit=2).more is False
    edited = search(maker, "word since:1970-01-01", "relevance", limit=3)
    assert len({hit.id for hit in edited.hits} - {"14", "2", "3", "4"}) == 0
    assert len(edited.hits) == 3


def test_a_version_that_came_late_from_an_older_export_is_superseded(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [post("1", "new words", 5)])
    maker.add("2026-02-01", [Made(post("1", "old words", 5), -2)])
    (hit,) = search(maker, "words").hits
    assert (hit.text, hit.versions, hit.superseded) == ("new words", 2, False)
    (hit,) = search(maker, "old").hits
    assert (hit.text, hit.versions, hit.superseded) == ("old words", 2, True)


def test_the_same_id_of_two_accounts_or_kinds_is_two_records(maker: VaultMaker) -> None:
    records = [
        post("1", "word", 5),
        message("1", "word", 6),
        post("1", "word", 7, account=OTHER_ACCOUNT),
        like("1", "word", 8),
    ]
    maker.add("2026-01-01", records)
    assert [hit.posted_ms for hit in search(maker, "word").hits] == [7, 6, 5]
    assert [hit.posted_ms for hit in search(maker, "word (kind:like OR kind:post)").hits] == [8, 7, 5]


def test_what_is_gone_is_shown_with_when_and_how_that_was_known(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [post("1", "word", 1), post("2", "word", 2), message("3", "word", 3)])
    maker.add(
        "2026-02-01", [gone("1", 100), gone("3", 100, "message"), gone("2", 100, account=OTHER_ACCOUNT)]
    )
    maker.add("2026-03-01", [gone("1", 200), gone("2", 200, "message")])
    hits = {hit.id: hit.gone for hit in search(maker, "word").hits}
    assert hits == {
        "1": (200, "absent from the export"),
        "2": None,
        "3": (100, "absent from the export"),
    }


def test_what_is_there_again_is_not_called_gone(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [post("1", "word", 1)], fetched_ms=50)
    maker.add("2026-02-01", [gone("1", 100)], fetched_ms=100)
    assert search(maker, "word").hits[0].gone is not None
    maker.add("2026-03-01", [Made(post("1", "word", 1), 2)], fetched_ms=200)
    (hit,) = search(maker, "word").hits
    assert (hit.gone, hit.versions) == (None, 2)
    maker.add("2026-04-01", [gone("1", 300)], fetched_ms=300)
    assert search(maker, "word").hits[0].gone == (300, "absent from the export")


# What goes wrong


def test_without_a_fitting_key_nothing_is_found_and_said_so(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [post("1", "word")])
    archives = maker.vault().list_archives().require_sound()
    with (
        closing(Searcher(maker.vault(), archives, [age.X25519Identity.generate()])) as searcher,
        pytest.raises(NoKeyError, match="none of these identities opens it"),
    ):
        searcher.search(parse_query("word"))


def test_an_altered_segment_is_named_and_never_half_searched(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [post(str(n), f"word w{n} " * 40, n) for n in range(400)])
    path = maker.folder / "archives/2026-01-01/records-000.sqlite.zst.age"
    data = bytearray(path.read_bytes())
    errors = []
    for place in range(300, len(data), 4001):
        path.chmod(0o644)
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        try:
            hits = found(maker, "word", limit=0)
        except IntegrityError as error:
            errors.append(error)
        else:  # the altered byte is not among those that this search reads
            assert hits == [str(n) for n in reversed(range(400))]
    assert len(errors) > 5
    assert all("archives/2026-01-01/records-000.sqlite.zst.age" in one.message for one in errors)
    assert {one.hint for one in errors} == {repair_hint("2026-01-01")}


def test_a_missing_segment_is_named(maker: VaultMaker) -> None:
    maker.add("2026-01-01", [post("1", "word")])
    (maker.folder / "archives/2026-01-01/records-000.sqlite.zst.age").unlink()
    with pytest.raises(IntegrityError, match=r"records-000\.sqlite\.zst\.age is missing"):
        found(maker, "word")


def test_every_segment_is_there_to_be_read_oldest_archive_first(months: VaultMaker) -> None:
    with closing(months.searcher()) as searcher:
        names = [f"{archive.name}/{file.name[:11]}" for archive, _, file in searcher.readers()]
    assert names == [f"2026-01-0{a}/records-00{s}" for a in (1, 2, 3) for s in (0, 1)]


def test_what_was_captured_for_a_moderation_record_alone_is_no_version_and_hides_none(
    maker: VaultMaker,
) -> None:
    first, edit = post("10", "one", 1), post("11", "two", 2, record_id="10")
    maker.add("2026-01-01", [first, Made(edit, 2)])
    maker.add("2026-01-02", [Made(edit, 1, again=True), Made(post("20", "alone", 3), 1, again=True)])
    hits = search(maker, "kind:post").hits
    assert [(hit.id, hit.text, hit.versions) for hit in hits] == [("20", "alone", 1), ("11", "two", 2)]
