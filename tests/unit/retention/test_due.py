"""When an archive is due, by its manifest."""

import dataclasses
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.archive.manifest import FORMAT, Count, Manifest, Origin
from archiver.retention.due import NEVER_MS, Part, due_of, later, parts_of, retention_due_count
from archiver.settings import parse_settings
from archiver.settings.retention import RetentionRule, RetentionSettings
from archiver.times import format_time, parse_time

SEALED, POSTED = "2026-11-01T03:00:00.000Z", "2026-10-31T22:15:00.000Z"


def origin(route: str, account: str = "1") -> Origin:
    return Origin(
        source="x", route=route, account=account, request="r", fetched_at=SEALED, source_sha256="0" * 64
    )


def count(kind: str, account: str = "1") -> Count:
    return Count(platform="x", account=account, kind=kind, new=1)


def manifest(
    *counts: Count, origins: tuple[Origin, ...] = (origin("export"),), covers_to: str | None = POSTED
) -> Manifest:
    return Manifest(
        format=FORMAT, vault="v", archive="2026-11-01", sequence=1, previous=None, sealed_at=SEALED,
        covers_from=None, covers_to=covers_to, recipient="age1", mark="m", files=[], counts=list(counts),
        problems={}, origins=list(origins), tool="t", configuration="",
    )  # fmt: skip


def rules(*some: RetentionRule, minimum_years: int = 0) -> RetentionSettings:
    return RetentionSettings(minimum_years, some)


def due_at(settings: RetentionSettings, one: Manifest) -> str | None:
    at_ms = due_of(one, settings).at_ms
    return None if at_ms is None else format_time(at_ms)[:10]


POSTS = RetentionRule("posts", kinds=("post",), years=7)
ALL = RetentionRule("all", years=1, then="dispose")


def test_without_a_rule_nothing_is_ever_due() -> None:
    due = due_of(manifest(count("post")), rules())
    assert (due.at_ms, due.rule, due.is_over(1 << 59)) == (None, None, False)


def test_the_period_runs_from_when_the_newest_was_posted_or_it_was_sealed() -> None:
    posted, sealed = RetentionRule("p", years=7), RetentionRule("s", years=7, trigger="sealed")
    assert due_at(rules(posted), manifest(count("post"))) == "2033-10-31"
    assert due_at(rules(sealed), manifest(count("post"))) == "2033-11-01"
    assert due_at(rules(posted), manifest(count("follower"), covers_to=None)) == "2033-11-01"


def test_of_several_rules_the_longest_counts_and_names_itself() -> None:
    due = due_of(manifest(count("post")), rules(ALL, POSTS))
    assert (due.rule, due.then) == ("posts", "review")
    assert due.at_ms == due_of(manifest(count("post")), rules(POSTS, ALL)).at_ms
    review = RetentionRule("same", years=1)
    for order in ((ALL, review), (review, ALL)):
        assert due_of(manifest(count("post")), rules(*order)).then == "review"


def test_an_archive_is_due_when_everything_in_it_is() -> None:
    messages = RetentionRule("messages", kinds=("message",), years=9)
    both = rules(POSTS, messages)
    assert due_at(both, manifest(count("post"))) == "2033-10-31"
    assert due_at(both, manifest(count("post"), count("message"))) == "2035-10-31"


def test_what_no_rule_covers_keeps_the_archive_for_ever_and_is_named() -> None:
    due = due_of(manifest(count("post"), count("follower")), rules(POSTS))
    assert due.at_ms is None
    assert due.uncovered == (Part("1", "follower", "export"),)
    other = due_of(
        manifest(count("post"), count("post", "2"), origins=(origin("export"), origin("api", "2"))),
        rules(RetentionRule("one account", accounts=("1",), years=1)),
    )
    assert other.uncovered == (Part("2", "post", "api"),)


def test_a_rule_of_one_way_does_not_cover_what_came_by_another() -> None:
    by_export = RetentionRule("exports", routes=("export",), years=1)
    both = manifest(count("post"), origins=(origin("export"), origin("api")))
    assert due_of(both, rules(by_export)).uncovered == (Part("1", "post", "api"),)
    assert due_at(rules(by_export, RetentionRule("api", routes=("api",), years=2)), both) == "2028-10-31"


def test_pictures_and_notices_go_with_the_records_and_captures_without_any_count_too() -> None:
    assert parts_of(manifest(count("post"), count("media"), count("gone"))) == [Part("1", "post", "export")]
    nothing = manifest(count("media"), origins=(origin("export"),))
    assert parts_of(nothing) == [Part("1", "capture", "export")]
    assert due_of(nothing, rules(POSTS)).at_ms is None
    assert parts_of(manifest(count("post"), origins=())) == [Part("1", "post", "unknown")]


def test_the_minimum_holds_whatever_the_rules_say() -> None:
    due = due_of(manifest(count("post")), rules(ALL, minimum_years=3))
    assert format_time(due.floor_ms)[:10] == "2029-11-01"
    assert due.at_ms == due.floor_ms


def test_a_moment_before_its_time_an_archive_is_not_due() -> None:
    due = due_of(manifest(count("post")), rules(ALL))
    assert due.at_ms is not None
    assert (due.is_over(due.at_ms - 1), due.is_over(due.at_ms)) == (False, True)


@pytest.mark.parametrize(
    ("at", "period", "then"),
    [
        ("2028-02-29T10:00:00.000Z", {"years": 1}, "2029-03-01T10:00:00.000Z"),
        ("2028-02-29T10:00:00.000Z", {"years": 4}, "2032-02-29T10:00:00.000Z"),
        ("2026-01-31T00:00:00.000Z", {"months": 1}, "2026-03-01T00:00:00.000Z"),
        ("2026-12-31T23:59:59.999Z", {"months": 2}, "2027-03-01T23:59:59.999Z"),
        ("2026-11-01T00:00:00.000Z", {"years": 1, "months": 14, "days": 30}, "2029-01-31T00:00:00.000Z"),
        ("1969-12-31T00:00:00.000Z", {"days": 1}, "1970-01-01T00:00:00.000Z"),
    ],
)
def test_nothing_is_due_a_day_too_early(at: str, period: dict[str, int], then: str) -> None:
    assert format_time(later(parse_time(at), **period)) == then


def test_what_lies_past_any_calendar_is_never_due() -> None:
    far = parse_time("9990-01-01T00:00:00.000Z")
    assert later(far, years=200) == NEVER_MS
    assert later(far, days=366 * 200) == NEVER_MS


@given(st.integers(-(10**12), 10**13), st.integers(0, 200), st.integers(0, 2400), st.integers(0, 70_000))
def test_more_time_is_never_earlier(at_ms: int, years: int, months: int, days: int) -> None:
    ends_ms = later(at_ms, years=years, months=months, days=days)
    assert ends_ms >= at_ms + days * 86_400_000
    assert ends_ms <= later(at_ms, years=years, months=months, days=days + 1)
    assert ends_ms <= later(at_ms, years=years, months=months + 1, days=days) + 86_400_000
    assert later(at_ms, months=12 * years) == later(at_ms, years=years)


@given(
    st.lists(
        st.builds(
            RetentionRule,
            name=st.text("abc", min_size=1, max_size=3),
            accounts=st.sampled_from([(), ("1",), ("2",)]),
            kinds=st.sampled_from([(), ("post",), ("message",)]),
            trigger=st.sampled_from(["posted", "sealed"]),
            years=st.integers(0, 3),
            days=st.integers(0, 2),
        ),
        max_size=4,
        unique_by=lambda rule: rule.name,
    ),
    st.integers(0, 3),
    st.integers(0, 5 * 366),
)
def test_the_number_of_archives_due_is_that_of_those_listed_as_due(
    some: list[RetentionRule], minimum: int, days: int
) -> None:
    retention = rules(*some, minimum_years=minimum)
    manifests = [
        manifest(count("post")),
        manifest(count("post"), count("message")),
        manifest(count("post"), count("post", "2"), origins=(origin("export"), origin("api", "2"))),
    ]
    manifests += [
        msgspec.structs.replace(one, sealed_at="2040-01-01T00:00:00.000Z", first_sealed_at=one.sealed_at)
        for one in manifests
    ]  # as after an erasing
    now_ms = parse_time(POSTED) + days * 86_400_000
    settings = dataclasses.replace(parse_settings(b"", Path("/nowhere/archiver.toml")), retention=retention)
    due = sum(due_of(one, retention).is_over(now_ms) for one in manifests)
    assert retention_due_count(settings, manifests, now_ms) == due


def test_an_archive_that_was_sealed_anew_counts_from_when_it_was_sealed_first() -> None:
    """Else each erasing would keep all else in it for another period."""
    retention = rules(minimum_years=5)
    first = manifest(count("post"))
    anew = msgspec.structs.replace(
        first, sealed_at="2040-01-01T00:00:00.000Z", first_sealed_at=first.sealed_at
    )
    assert due_of(anew, retention).floor_ms == due_of(first, retention).floor_ms
    later_first = msgspec.structs.replace(anew, first_sealed_at=None)
    assert due_of(later_first, retention).floor_ms > due_of(first, retention).floor_ms
