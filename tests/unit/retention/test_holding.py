"""What holds an archive, and in which order what stands in the way is said."""

from dataclasses import replace

import pytest

from archiver.custody.entry import CustodyEntry, Draft, Scope, make_custody
from archiver.custody.register import Custody
from archiver.errors import UsageError
from archiver.evidence.references import Reference
from archiver.evidence.register import FINISHED_FORMAT, TAKEN_FORMAT, FinishedEntry, Listed, TakenEntry
from archiver.retention.deciding import (
    RefusedError,
    Standing,
    is_kept,
    open_disposal,
    require_date,
    require_disposable,
)
from archiver.retention.due import Due, Part
from archiver.retention.holding import (
    BY_CASE,
    CaseArchives,
    case_archives,
    holds_on,
    is_held_by,
    may_be_held_by,
    open_appeals,
    took_from,
)
from archiver.search.moderation import Held, HeldRecord
from archiver.search.moderation import hold as hold_entries
from tests.made_vaults import VaultMaker, moderation, post

DAY = 86_400_000
NOW = 20_000 * DAY
A, B = "2026-11-01", "2026-12-01"


def entry(draft: Draft, number: int = 1, at: str = "2026-11-05T00:00:00.000Z") -> CustodyEntry:
    return make_custody(draft, entry_id=f"{number:08d}-0000-4000-8000-000000000000", at=at, by="records")


def hold(scope: Scope, *, number: int = 1, case: str | None = None, **detail: object) -> CustodyEntry:
    return entry(
        Draft(kind="hold", reason="a complaint", scope=scope, case=case, detail=dict(detail)), number
    )


def exhibit(number: int, case: str, *archives: str, finished: bool = True) -> Listed:
    taken = TakenEntry(
        format=TAKEN_FORMAT, exhibit=f"ABC/{number}", produced_by="A. B. C.", case=case, keyholder="records",
        made_at="2026-11-05T00:00:00.000Z", vault="v",
    )  # fmt: skip
    done = FinishedEntry(
        format=FINISHED_FORMAT, exhibit=f"ABC/{number}", records=1, sha512="ab" * 64, redacted=False,
        formats=("html",), recipient=None, encrypted=False, finished_at="2026-11-05T00:00:00.000Z",
        archives=archives,
    )  # fmt: skip
    return Listed(Reference("ABC", number), taken, done if finished else None, finished)


def nothing(query: str) -> set[str]:
    raise AssertionError(f"{query} was asked for")


def test_a_hold_covers_what_it_names_and_one_on_everything_what_is_still_to_come() -> None:
    one = hold(Scope(archives=(A,)))
    assert is_held_by({A}, one, nothing, [])
    assert not is_held_by({B}, one, nothing, [])
    assert is_held_by({"2099-01-01"}, hold(Scope(everything=True)), nothing, [])


def test_a_hold_by_query_covers_what_it_found_then_and_what_it_finds_now() -> None:
    one = hold(Scope(archives=(A,), query="parade"))
    assert is_held_by({A}, one, nothing, []), "what was found then is not asked for again"
    assert is_held_by({B}, one, lambda query: {B} if query == "parade" else set(), [])
    assert not is_held_by({B}, one, lambda query: set(), [])
    assert may_be_held_by({B}, one) is None
    assert may_be_held_by({A}, one) is True
    assert may_be_held_by({B}, hold(Scope(archives=(A,)))) is False


def test_a_case_holds_what_its_packs_took_and_everything_where_that_is_not_known() -> None:
    exhibits = [exhibit(1, "C/1", A), exhibit(2, "C/1", A, B), exhibit(3, "C/2", "2027-01-01")]
    assert case_archives("C/1", exhibits) == CaseArchives((A, B), True)
    assert case_archives("C/9", exhibits) == CaseArchives((), False)
    for unknown in (
        exhibit(4, "C/1"),  # made by a version that did not note it
        exhibit(4, "C/1", finished=False),
        Listed(Reference("ABC", 4)),  # cannot be read, and may be of any case
    ):
        assert not case_archives("C/1", [*exhibits, unknown]).is_known


def test_a_hold_by_case_covers_what_later_packs_took() -> None:
    one = hold(Scope(archives=(A,)), case="C/1", by=BY_CASE)
    assert not is_held_by({B}, one, nothing, [exhibit(1, "C/1", A)])
    assert is_held_by({B}, one, nothing, [exhibit(1, "C/1", A), exhibit(2, "C/1", B)])
    assert is_held_by({B}, one, nothing, [exhibit(1, "C/1", A), exhibit(2, "C/1", finished=False)])
    named = hold(Scope(archives=(A,)), case="C/1")  # a case beside a name is a note
    assert not is_held_by({B}, named, nothing, [exhibit(2, "C/1", B)])


def test_an_archive_is_held_by_the_names_of_those_whose_place_it_has_taken() -> None:
    """What is left of the one that was held is in it."""
    names = {"2027-01-01", A}
    for one in (hold(Scope(archives=(A,))), hold(Scope(archives=(B,)), case="C/1", by=BY_CASE)):
        assert is_held_by(names, one, nothing, [exhibit(1, "C/1", A)])
        assert not is_held_by({"2027-01-01"}, one, nothing, [exhibit(1, "C/1", A)])
    assert is_held_by(names, hold(Scope(query="parade")), lambda query: {A}, [])
    assert may_be_held_by(names, hold(Scope(archives=(A,)))) is True
    assert took_from(exhibit(1, "C/1", A), names)
    assert not took_from(exhibit(1, "C/1", B), names)
    assert not took_from(exhibit(1, "C/1", A, finished=False), names)


def test_only_holds_that_stand_count() -> None:
    one, two = hold(Scope(archives=(A,))), hold(Scope(archives=(A,)), number=2)
    release = entry(Draft(kind="release", reason="over", of=(one.id,)), 3)
    assert holds_on({A}, Custody.of([one, two, release]), nothing, []) == [two]


# The order of decisions

DUE = Due(NOW - DAY, "seven years", "review", NOW - 2 * DAY)


def review(decision: str = "dispose", until: str | None = None, number: int = 9) -> CustodyEntry:
    return entry(
        Draft(
            kind="review", reason="looked at", reviewer="A. B. Clerk", until=until,
            decision="keep" if decision == "keep" else "dispose", scope=Scope(archives=(A,)),
        ),
        number,
    )  # fmt: skip


STANDING = Standing(A, DUE, [], [], review(), NOW)


def test_what_is_decided_due_and_held_by_nothing_may_go() -> None:
    assert require_disposable(STANDING) == review()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"holds": [hold(Scope(archives=(A,)), case="C/1")]}, r"is held: hold 00000001 on .*, case C/1"),
        ({"appeals": ["11112222-aaaa"]}, "an appeal that is not decided: 11112222"),
        ({"due": replace(DUE, floor_ms=NOW + 1)}, "the minimum is not reached"),
        ({"due": replace(DUE, at_ms=None, rule=None)}, "never due: no rule covers it"),
        (
            {"due": replace(DUE, at_ms=None, uncovered=(Part("1", "like", "api"),))},
            "never due: no rule covers like of account 1 by api",
        ),
        ({"due": replace(DUE, at_ms=NOW + 1)}, "not before, by rule seven years"),
        ({"review": None}, "nobody has decided"),
        ({"review": review("keep", "2030-01-01")}, "is kept until 2030-01-01: decided by A. B. Clerk"),
    ],
)
def test_each_reason_against_it_refuses_whatever_else_speaks_for_it(
    change: dict[str, object], why: str
) -> None:
    with pytest.raises(RefusedError, match=why) as caught:
        require_disposable(replace(STANDING, **change))  # type: ignore[arg-type]
    assert caught.value.exit_code == 1
    assert caught.value.hint


def test_a_hold_is_said_before_all_else() -> None:
    worst = Standing(
        A, replace(DUE, floor_ms=NOW + 1, at_ms=None), [hold(Scope(everything=True))] * 5, ["a"], None, NOW
    )
    with pytest.raises(RefusedError, match=r"is held: .*hold .*hold .*and 2 more"):
        require_disposable(worst)
    with pytest.raises(RefusedError, match="appeal"):
        require_disposable(replace(worst, holds=[]))
    with pytest.raises(RefusedError, match="minimum"):
        require_disposable(replace(worst, holds=[], appeals=[]))


def test_what_is_kept_is_kept_until_its_day() -> None:
    until = review("keep", "2024-10-05")
    day = 20_001 * DAY  # 2024-10-05
    assert is_kept(until, day - 1)
    assert not is_kept(until, day)
    assert is_kept(review("keep"), 1 << 44)
    assert not is_kept(review(), 0)
    assert not is_kept(None, 0)


def test_an_entry_of_a_run_that_was_cut_off_is_found_again_and_one_of_another_review_is_not() -> None:
    decided = review()
    begun = entry(Draft(kind="dispose", reason="x", scope=Scope(archives=(A,)), of=(decided.id,)), 10)
    custody = Custody.of([decided, begun])
    assert open_disposal(custody, A, decided) == begun
    assert open_disposal(custody, B, decided) is None
    assert open_disposal(custody, A, review(number=11)) is None


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2026-2-1", "01/02/2030", "2030-02-30", "20300201", "2030-W01-1"]
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        require_date(text)
    assert require_date("2030-02-01") == "2030-02-01"


# Appeals


def held(name: str, archive: str | None, **fields: object) -> HeldRecord:
    (record,) = hold_entries([Held(moderation(name, **fields), b"", archive)], [])
    return record


def test_an_appeal_that_is_not_decided_holds_the_archives_that_have_an_entry_of_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    maker = VaultMaker(tmp_path_factory.mktemp("made") / "vault")
    maker.add(A, [post("1", "word")])
    (archive,) = maker.vault().list_archives().require_sound()
    records = [
        held("open", A, appeal_received_ms=1),
        held("decided", A, appeal_received_ms=1, appeal_outcome="upheld"),
        held("elsewhere", B, appeal_received_ms=1),
        held("in the spool", None, appeal_received_ms=1),
        held("none", A),
    ]
    assert open_appeals(records, archive) == ["open"]
    received = moderation("2", number=2, entry="appeal", record_id="none")
    (later,) = hold_entries([Held(moderation("none"), b"", A)], [received])
    assert open_appeals([later], archive) == ["none"], "received since, and not sealed yet"
