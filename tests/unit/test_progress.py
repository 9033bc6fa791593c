"""How far each kind of each account was collected, what it cost and what it missed: kept in the spool."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from archiver.errors import ArchiverError, IntegrityError
from archiver.formats import age
from archiver.progress import Cursor, Gap, Spend, Step, Walk
from archiver.spool import Spool

IDENTITY = age.X25519Identity.generate()
WALK = Walk(
    digest="ab" * 32, started_ms=5, since="10", newest="30", oldest="20", token="next", taken=7, met=True,
    complete=True, sound=False,
)  # fmt: skip
CURSOR = Cursor(
    mark="30", walk=WALK, started_ms=1, finished_ms=2, taken=9, shortfall=-4, counts={"followers": 12}
)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with closing(Spool(tmp_path / "spool", IDENTITY)) as opened:
        yield opened


def step(
    kind: str = "posts",
    cursor: Cursor = CURSOR,
    spend: Spend | None = None,
    gaps: tuple[Gap, ...] = (),
    account: str = "1001",
) -> Step:
    return Step(platform="x", account=account, kind=kind, cursor=cursor, spend=spend, gaps=gaps)


def spend(
    kind: str = "posts",
    month: str = "2026-11",
    account: str = "1001",
    requests: int = 1,
    resources: int = 100,
) -> Spend:
    return Spend(month, "x", account, kind, requests, resources, resources * 5_000)


def gap(kind: str = "mentions", after_id: str | None = "10", before_id: str | None = "90") -> Gap:
    return Gap(
        platform="x", account="1001", kind=kind, after_id=after_id, after_ms=1 if after_id else None,
        before_id=before_id, before_ms=2 if before_id else None, noticed_ms=3,
        reason="X shows the newest 800 only",
    )  # fmt: skip


def damage(spool: Spool, sql: str) -> None:
    """What no code of ours does to the database."""
    connection = apsw.Connection(str(spool.folder / "spool.sqlite"))
    connection.execute(sql)
    connection.close()


# Cursors


def test_a_kind_never_collected_has_an_empty_cursor(spool: Spool) -> None:
    assert spool.progress.cursor("x", "1001", "posts") == Cursor()
    assert spool.progress.cursors() == {}


def test_a_cursor_is_there_again_as_it_was_when_the_spool_is_opened_again(spool: Spool) -> None:
    spool.save_step(step())
    with closing(Spool(spool.folder, IDENTITY)) as again:
        assert again.progress.cursor("x", "1001", "posts") == CURSOR


def test_a_cursor_survives_a_kill_right_after_it_was_saved(spool: Spool, tmp_path: Path) -> None:
    spool.save_step(step())
    copied = tmp_path / "copied"  # the files as a kill leaves them: the write-ahead log not taken in
    copied.mkdir()
    for path in spool.folder.glob("spool.sqlite*"):
        (copied / path.name).write_bytes(path.read_bytes())
    with closing(Spool(copied, IDENTITY)) as again:
        assert again.progress.cursor("x", "1001", "posts") == CURSOR


def test_each_kind_of_each_account_has_its_own_and_the_last_saved_counts(spool: Spool) -> None:
    spool.save_step(step())
    spool.save_step(step("mentions", Cursor(mark="1")))
    spool.save_step(step("mentions", Cursor(mark="2")))
    spool.save_step(step("posts", Cursor(), account="1002"))
    assert spool.progress.cursors() == {
        ("x", "1001", "posts"): CURSOR,
        ("x", "1001", "mentions"): Cursor(mark="2"),
        ("x", "1002", "posts"): Cursor(),
    }


def test_a_cursor_that_cannot_be_read_is_named(spool: Spool) -> None:
    spool.save_step(step())
    damage(spool, "UPDATE cursor SET position = x'7b'")
    for read in (lambda: spool.progress.cursor("x", "1001", "posts"), spool.progress.cursors):
        with pytest.raises(
            IntegrityError, match=r"spool\.sqlite: the cursor of posts cannot be read"
        ) as caught:
            read()
        assert caught.value.hint == "the spool was altered; keep it for examination"


# Money


def test_what_requests_cost_is_summed_by_month_account_and_kind(spool: Spool) -> None:
    for one in (
        spend(), spend(resources=7), spend("mentions", requests=2), spend(month="2026-12"),
        spend(account="1002"),
    ):  # fmt: skip
        spool.save_step(step(one.kind, spend=one, account=one.account))
    assert spool.progress.spent("2026-11") == [
        Spend("2026-11", "x", "1001", "mentions", 2, 100, 500_000),
        Spend("2026-11", "x", "1001", "posts", 2, 107, 535_000),
        Spend("2026-11", "x", "1002", "posts", 1, 100, 500_000),
    ]
    assert spool.progress.spent_by("2026-11", "x", "1001") == 1_035_000
    assert spool.progress.spent_by("2026-11", "x", "1002") == 500_000
    assert spool.progress.spent_by("2026-12", "x", "1001") == 500_000


def test_a_month_in_which_nothing_was_asked_cost_nothing(spool: Spool) -> None:
    assert spool.progress.spent("2026-11") == []
    assert spool.progress.spent_by("2026-11", "x", "1001") == 0


def test_a_step_without_a_request_costs_nothing(spool: Spool) -> None:
    spool.save_step(step())
    assert spool.progress.spent("2026-11") == []


# Gaps


def test_gaps_are_kept_with_their_bounds_in_the_order_noticed(spool: Spool) -> None:
    gaps = (gap(), gap("posts", None), gap("messages", "5", None))
    spool.save_step(step(gaps=gaps[:2]))
    spool.save_step(step(gaps=gaps[2:]))
    found = spool.progress.gaps()
    assert [one for _, one in found] == list(gaps)
    assert [number for number, _ in found] == sorted({number for number, _ in found})
    assert spool.last_ids() == (0, 0, 0, found[-1][0])


def test_a_gap_that_an_archive_names_stays_known_and_is_not_named_again(spool: Spool) -> None:
    spool.save_step(step(gaps=(gap("posts"), gap("mentions"))))
    (first, _), (last, _) = spool.progress.gaps()
    spool.empty(0, 0, 0, first)
    assert [number for number, _ in spool.progress.gaps(unsealed=True)] == [last]
    assert [number for number, _ in spool.progress.gaps()] == [first, last]
    spool.empty(*spool.last_ids())
    assert spool.progress.gaps(unsealed=True) == []
    assert len(spool.progress.gaps()) == 2


def test_emptying_leaves_cursors_and_money(spool: Spool) -> None:
    spool.save_step(step(spend=spend(), gaps=(gap(),)))
    spool.empty(*spool.last_ids())
    assert spool.progress.cursor("x", "1001", "posts") == CURSOR
    assert spool.progress.spent_by("2026-11", "x", "1001") == 500_000


# All or none


def without_reason() -> Gap:
    """Which the table refuses."""
    return Gap(
        platform="x", account="1001", kind="posts", after_id=None, after_ms=None, before_id=None,
        before_ms=None, noticed_ms=3, reason=None,  # type: ignore[arg-type]  # on purpose
    )  # fmt: skip


def test_of_a_step_that_cannot_be_saved_nothing_is(spool: Spool) -> None:
    spool.save_step(step("posts", Cursor(mark="1"), spend()))
    with pytest.raises(ArchiverError):
        spool.save_step(step("posts", Cursor(mark="2"), spend(), (gap(), without_reason())))
    assert spool.progress.cursor("x", "1001", "posts") == Cursor(mark="1")
    assert spool.progress.spent_by("2026-11", "x", "1001") == 500_000
    assert spool.progress.gaps() == []


def test_an_older_cursor_without_later_fields_is_read_with_their_defaults(spool: Spool) -> None:
    spool.save_step(step())
    damage(spool, """UPDATE cursor SET position = CAST('{"mark":"5","later":{}}' AS BLOB)""")
    assert spool.progress.cursor("x", "1001", "posts") == Cursor(mark="5")
