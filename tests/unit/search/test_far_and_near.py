"""Whatever is asked, in whatever order and number: far away the same is found as near."""

import hashlib
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archiver.records import Gone
from archiver.search.language import parse_query
from archiver.search.record import find_record
from archiver.search.run import Searcher
from archiver.search.sql.statement import Order
from archiver.vault import Vault
from tests.made_vaults import (
    ACCOUNT,
    DAY_MS,
    HANDLE,
    OTHER_ACCOUNT,
    OTHER_HANDLE,
    Made,
    VaultMaker,
    like,
    message,
    moderation,
    post,
)

KINDS = ("post", "reply", "repost", "quote")
LONG = "long " * 60_000
PARTS = 4
POSTS = 300


def _made(part: int) -> list[list[Made | Gone]]:
    """Two segments, the latter with what another part's records became; some kinds in each."""
    rng = random.Random(part)  # noqa: S311 - made-up records
    posts: list[Made | Gone] = []
    late: list[Made | Gone] = []
    for number in range(POSTS):
        key = part * POSTS + number
        when = key * DAY_MS // 10
        account = ACCOUNT if number % 3 else OTHER_ACCOUNT
        text = f"common the {hashlib.shake_128(b'%d' % key).hexdigest(120)} word{rng.randrange(40)}"
        fields = {"account": account, "author_id": account if number % 4 else "77"}
        fields["author_handle"] = (HANDLE if account == ACCOUNT else OTHER_HANDLE) if number % 4 else "other"
        fields["kind"] = KINDS[number % 7 % 4]
        posts.append(Made(post(str(key), text, when, **fields)))
        if number % 90 == 0:  # edited in the other segment, and again in the same
            edited = {**fields, "record_id": str(key)}
            late.append(Made(post(f"{key}001", f"{text} edited", when + 600_000, **edited), 2))
            posts.append(Made(post(f"{key}002", f"{text} twice rare", when + 900_000, **edited), 3))
        if number % 110 == 0:
            late.append(Made(post(str(key), f"{text} changed", when, **fields), 2))
        if number % 120 == 0:
            late.append(Made(post(str(key), text, when, **fields), 1, again=True))
        if number % 35 == 0:
            how = "not in the export any more"
            late.append(Gone(platform="x", platform_id=str(key), account=account, kind="post",
                             noticed_ms=when + DAY_MS, how=how))  # fmt: skip
        if number % 10 == 0:
            posts.append(Made(message(f"m{key}", f"the message common {number}", when + 1, account=account)))
            late.append(Made(like(f"l{key}", f"common liked {key}", when, account=account)))
    posts.append(Made(post(f"long{part}", f"{LONG} the end{part} common", part * POSTS * DAY_MS // 10 + 5)))
    late.append(Made(message(f"longmessage{part}", LONG, part * 1000)))
    return [posts, late]


@pytest.fixture(scope="module")
def maker(module_memory_path: Path) -> VaultMaker:
    """Archives of earlier schemas, some with edits elsewhere, empty segments, and tiny ones."""
    maker = VaultMaker(module_memory_path / "vault", is_far=True)
    for schema in (1, 2):
        maker.add_sealed_before(schema)
    for part in range(PARTS):
        posts, late = _made(part)
        maker.add(f"2027-{part + 1:02d}-01", posts, [], fetched_ms=part * DAY_MS)
        entry = moderation(f"mod{part}", text="common words", entered_ms=part * DAY_MS)
        maker.add(f"2027-{part + 1:02d}-02", late, [entry], fetched_ms=part * DAY_MS)  # type: ignore[list-item]
    for number in range(6):
        maker.add(f"2028-01-{number + 1:02d}", [post(f"tiny{number}", "common tiny", number)])
    return maker


@pytest.fixture(scope="module")
def near(maker: VaultMaker) -> Iterator[Searcher]:
    vault = Vault(maker.store)
    archives = vault.list_archives().require_sound()
    with closing(Searcher(vault, archives, [maker.holder])) as searcher:
        yield searcher


@pytest.fixture
def far(maker: VaultMaker) -> Iterator[Searcher]:
    with closing(maker.searcher()) as searcher:
        yield searcher


QUERIES = [
    "common", "rare", "nothere", "the", '"common the"', '"the common"', "comm*", "wo*", "word3 OR word4",
    "common word7", "common -word7", "-common", "-the", "edited", "twice", "changed", "liked", "long", "end2",
    "tiny", "police", "common from:77", "from:77", f"from:{HANDLE}", "from:nobody", "common from:nobody",
    "kind:reply", "kind:quote common", "kind:message", "-kind:message common", "kind:like", "kind:like liked",
    "kind:like OR kind:post common", f"account:{OTHER_ACCOUNT}", f"account:{OTHER_HANDLE} common",
    f"-account:{ACCOUNT} the", "since:1970-03", "until:1970-02-10", "common since:1970-05 until:1970-06",
    "since:1971 from:nobody", "kind:moderation", "kind:moderation OR kind:post common",
    "-word1 -word2 -word3",
    "edited kind:reply -from:77", "since:2026", "kind:follower",
]  # fmt: skip


@pytest.mark.parametrize("text", QUERIES)
def test_far_away_the_same_is_found_as_near(far: Searcher, near: Searcher, text: str) -> None:
    query = parse_query(text)
    orders: list[Order] = ["newest", "oldest", *(["relevance"] if query.has_words else [])]  # type: ignore[list-item]
    for order in orders:
        for limit in (1, 50, 0):
            found, expected = (one.search(query, order=order, limit=limit) for one in (far, near))
            assert found.more == expected.more, (order, limit)
            assert found == expected, (order, limit)


@pytest.mark.parametrize("text", ["common", "from:nobody", "kind:like", "long", "kind:quote the"])
@pytest.mark.parametrize("limit", [0, 1, 5000])
def test_a_first_search_far_away_finds_the_same(far: Searcher, near: Searcher, text: str, limit: int) -> None:
    query = parse_query(text)
    for order in ("oldest", "newest"):
        expected = near.search(query, order=order, limit=limit)
        assert far.search(query, order=order, limit=limit) == expected


@pytest.mark.parametrize("asked", ["0", "90", "240", "long1", "m10", "l20", "90001", "longmessage2", "tiny3"])
def test_a_record_is_shown_far_away_as_near(far: Searcher, near: Searcher, asked: str) -> None:
    found = find_record(far, asked)
    assert found == find_record(near, asked)
    assert found.versions


def test_among_more_archives_than_are_asked_in_two_waves_the_same_is_found(memory_path: Path) -> None:
    """One, 32 and 128 of them (`archiver.search.ahead`)."""
    maker = VaultMaker(memory_path / "vault", is_far=True)
    for number in range(165):
        made = [post(f"{number}", "common word", number * 30 * DAY_MS)]
        edited = Made(
            post(f"{number}1", "common edited", number * 30 * DAY_MS + 1000, record_id=str(number)), 2
        )
        maker.add(f"{2010 + number // 12}-{number % 12 + 1:02d}-01", [*made, edited])
    vault = Vault(maker.store)
    archives = vault.list_archives().require_sound()
    with closing(maker.searcher()) as far, closing(Searcher(vault, archives, [maker.holder])) as near:
        for text, orders in (("word", ("newest", "oldest", "relevance")), ("edited", ("newest",)),
                             ("nothere", ("oldest",))):  # fmt: skip
            for order in orders:
                query = parse_query(text)
                for limit in (1, 0):
                    expected = near.search(query, order=order, limit=limit)
                    assert far.search(query, order=order, limit=limit) == expected, (text, order, limit)
