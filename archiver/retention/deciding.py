"""Whether an archive may be disposed of: the order of decisions of docs/retention.md."""

from collections.abc import Sequence
from dataclasses import dataclass

from archiver.custody.entry import CustodyEntry
from archiver.custody.register import Custody
from archiver.errors import ArchiverError, UsageError
from archiver.retention.due import NEVER_MS, Due
from archiver.retention.holding import scope_in_words
from archiver.times import as_datetime, format_date

MOST_NAMED = 3


class RefusedError(ArchiverError):
    """An archive must not be disposed of, whoever wants it."""


@dataclass(frozen=True)
class Standing:
    """What is known of an archive when somebody would dispose of it."""

    archive: str
    due: Due
    holds: Sequence[CustodyEntry]
    appeals: Sequence[str]
    review: CustodyEntry | None
    now_ms: int


def require_disposable(standing: Standing) -> CustodyEntry:
    """The review that decided it. Raise RefusedError for the first reason against it: a hold; an appeal that
    is open; the minimum, or the rules' period, not over; no decision of a named reviewer."""
    name = standing.archive
    if standing.holds:
        holds = "; ".join(hold_in_words(one) for one in standing.holds[:MOST_NAMED])
        more = len(standing.holds) - MOST_NAMED
        raise RefusedError(
            f"archive {name} is held: {holds}" + (f" and {more} more" if more > 0 else ""),
            "a hold is released by: archiver hold release ID --reason TEXT",
        )
    if standing.appeals:
        appeals = ", ".join(one[:8] for one in standing.appeals[:MOST_NAMED])
        raise RefusedError(
            f"archive {name} holds moderation records with an appeal that is not decided: {appeals}",
            "decide it first: archiver moderation appeal",
        )
    _require_time(name, standing.due, standing.now_ms)
    return _require_review(name, standing.review, standing.now_ms)


def _require_time(name: str, due: Due, now_ms: int) -> None:
    if now_ms < due.floor_ms:
        raise RefusedError(
            f"archive {name} is kept until {date_of(due.floor_ms)} at least: the minimum is not reached",
            "the settings say so: retention.minimum_years",
        )
    if due.at_ms is None:
        what = f"no rule covers {due.uncovered[0]}" if due.uncovered else "no rule covers it"
        raise RefusedError(
            f"archive {name} is never due: {what}", "the rules are in the settings: [[retention.rule]]"
        )
    if now_ms < due.at_ms:
        raise RefusedError(
            f"archive {name} is due on {date_of(due.at_ms)}, not before, by rule {due.rule}",
            "the rules are in the settings: [[retention.rule]]",
        )


def _require_review(name: str, review: CustodyEntry | None, now_ms: int) -> CustodyEntry:
    command = f"archiver retention review {name} --decision dispose --reviewer NAME --reason TEXT"
    if review is None:
        raise RefusedError(f"nobody has decided that archive {name} be disposed of", f"decide it: {command}")
    if review.decision != "dispose":
        until = f" until {review.until}" if review.until else ""
        raise RefusedError(
            f"archive {name} is kept{until}: decided by {review.reviewer} on {review.at[:10]}",
            f"the latest decision counts: {command}",
        )
    return review


def is_kept(review: CustodyEntry | None, now_ms: int) -> bool:
    """Whether the latest review says to keep an archive, and its time is not over."""
    if review is None or review.decision != "keep":
        return False
    return review.until is None or format_date(now_ms) < review.until


def open_disposal(custody: Custody, archive: str, review: CustodyEntry) -> CustodyEntry | None:
    """The entry that carries out a review and was left without its certificate, by a run that was cut off."""
    for one in reversed(custody.disposals):
        if archive in one.scope.archives and review.id in one.of:
            return one
    return None


def hold_in_words(hold: CustodyEntry) -> str:
    """A hold: its id, what it covers, for which case, by whom, since when."""
    case = f", case {hold.case}" if hold.case else ""
    return f"hold {hold.id[:8]} on {scope_in_words(hold)}{case}, by {hold.by} since {hold.at[:10]}"


def date_of(at_ms: int) -> str:
    """A date in UTC, or that there is none."""
    return "no date that a calendar has" if at_ms >= NEVER_MS else as_datetime(at_ms).date().isoformat()


def require_date(text: str) -> str:
    """A day as 2026-11-01. Raise UsageError for anything else."""
    from datetime import date

    try:
        if date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise UsageError(f"{text[:40]!r} is no day", "year, month and day, as 2026-11-01")
