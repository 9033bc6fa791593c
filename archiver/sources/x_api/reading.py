"""An answer of X as items, and what it says is missing."""

from collections.abc import Collection, Sequence

import msgspec
from msgspec import Struct

from archiver.errors import SourceError
from archiver.records import Post
from archiver.sources.base import Capture, Item, Problem
from archiver.sources.x_api.answer import Answer, Piece, decode_shape
from archiver.sources.x_api.endpoints import Endpoint
from archiver.sources.x_api.items import MENTION_SERIES as MENTION_SERIES
from archiver.sources.x_api.items import context_of_answer, item_of
from archiver.sources.x_api.parse import FIELD_NOT_SHOWN, NOT_THERE, parse_with_context, reason_of
from archiver.sources.x_api.related import Context
from archiver.sources.x_api.shapes import ApiProblem, Meta, UserMetrics

_encode = msgspec.json.Encoder().encode


class AnswerReading(Struct, kw_only=True):
    """`remarks`: by a record's id, what in it was not understood. `gone`: records asked for by id that X says
    are not there. `context`: what an answer lacks around its records (the post quoted is deleted).
    `refusal`: what X says of the account asked about, instead of data."""

    items: list[Item]
    gone: list[Item]
    context: list[Problem]
    problems: list[Problem]
    remarks: dict[str, Problem]
    meta: Meta
    resources: int
    included: int
    short: bool = False
    """It has fewer records than it says itself, or says that something failed."""
    edit_ids: set[str]
    """Ids of all versions of the posts that were edited."""
    refusal: ApiProblem | None = None
    metrics: UserMetrics | None = None
    handle: str | None = None
    owner: str | None = None
    """Handle and id of the account asked about, of a profile."""


class _Profile(Struct, frozen=True):
    id: str | None = None
    username: str | None = None
    public_metrics: UserMetrics | None = None


_profiles = msgspec.json.Decoder(_Profile)


def read_answer(
    capture: Capture, answer: Answer, endpoint: Endpoint, asked: Collection[str] = ()
) -> AnswerReading:
    """Given an answer of 200, its records as items. `asked`: the ids of a lookup. What is odd about a record
    is a problem of its own."""
    reading = AnswerReading(
        items=[],
        gone=[],
        context=[Problem(endpoint.body_kind, "unknown layout", one) for one in answer.remarks],
        problems=[],
        remarks={},
        meta=answer.meta,
        resources=answer.resources,
        included=answer.included,
        edit_ids=set(),
    )
    context = context_of_answer(answer)
    known: set[str] = set()
    for piece in answer.data if endpoint.body_kind != "owner" else ():
        item = _item(capture, endpoint, piece, context, reading)
        if item is not None and item.id not in known:
            known.add(item.id)
            reading.items.append(item)
    _check_count(endpoint, answer, reading)
    _check_fields(endpoint, answer, reading)
    named = _sort_errors(capture, endpoint, answer.errors, asked, reading)
    for missing in sorted(set(asked) - known - named):
        reading.problems.append(
            Problem(f"post {missing}", "missing", "was asked for, and X said nothing of it")
        )
    if endpoint.walk == "single" and answer.data:
        profile = decode_shape(answer.data[0].data, _profiles, _Profile)[0]
        reading.metrics = profile.public_metrics
        reading.handle, reading.owner = profile.username, profile.id
    return reading


def _item(
    capture: Capture, endpoint: Endpoint, piece: Piece, context: Context, reading: AnswerReading
) -> Item | None:
    context.used = {}
    try:
        parsed = parse_with_context(capture, endpoint.record, piece.data, context)
    except SourceError as error:
        reading.problems.append(Problem(f"a record of {endpoint.body_kind}", "broken", error.message))
        return None
    item = item_of(capture, endpoint.record, piece, context, parsed.record)
    if parsed.remarks:
        detail = f"has {', '.join(parsed.remarks)}; kept as it is"
        reading.remarks[item.id] = Problem(f"{item.series} {item.id}", "broken", detail)
    if isinstance(parsed.record, Post):
        reading.edit_ids.update(parsed.record.edit_ids)
    return item


def _check_count(endpoint: Endpoint, answer: Answer, reading: AnswerReading) -> None:
    stated = answer.meta.result_count
    if stated is not None and stated != len(answer.data):
        detail = f"an answer has {len(answer.data):,} records, and its own count is {stated:,}"
        reading.problems.append(Problem(endpoint.body_kind, "count differs", detail))
        reading.short = True


def _check_fields(endpoint: Endpoint, answer: Answer, reading: AnswerReading) -> None:
    """X might ignore names that it does not know any more, instead of refusing them."""
    if (
        endpoint.group == "posts"
        and answer.data
        and not any(b'"created_at"' in one.data for one in answer.data)
    ):
        detail = "no post has a time, though it was asked for: see x_api.field_names in the settings"
        reading.problems.append(Problem(endpoint.body_kind, "unknown layout", detail))


def _sort_errors(
    capture: Capture,
    endpoint: Endpoint,
    errors: Sequence[tuple[Piece, ApiProblem]],
    asked: Collection[str],
    reading: AnswerReading,
) -> set[str]:
    """Tell errors about what was asked for from those about what stands around it, by `parameter`; the ids
    asked for of which any speaks."""
    found = {item.id for item in reading.items}
    waiting = set(asked) - found
    for piece, error in errors:
        subject, reason = error.resource_id or error.value or "", reason_of(error)
        if subject in waiting and error.parameter in ("ids", None) and reason in NOT_THERE:
            waiting.remove(subject)
            content = _encode(("gone", subject, reason, capture.fetched_ms))
            slices, places = ((capture.key, piece.data),), ((piece.offset, len(piece.data)),)
            reading.gone.append(
                Item(
                    "gone", f"post:{subject}", capture.fetched_ms, content, slices, None, (), "gone", places
                )
            )  # fmt: skip
        elif endpoint.walk != "lookup" and error.parameter == endpoint.subject and not reading.items:
            reading.refusal = error
        else:
            _note_error(error, subject, reason, reading)
    about = [error for _, error in errors if error.parameter in ("ids", None)]
    return {error.resource_id or error.value or "" for error in about}


def _note_error(error: ApiProblem, subject: str, reason: str, reading: AnswerReading) -> None:
    """What an answer says of the posts and people around its records is listed; that something failed on
    X's side is a problem, as nobody can say what is missing for it."""
    what = f"{error.resource_type or 'record'} {subject}".strip()[:200]
    where = f" ({error.parameter})" if error.parameter else ""
    if reason in (*NOT_THERE, FIELD_NOT_SHOWN):
        reading.context.append(Problem(what, "context", f"{reason}{where}"))
    else:
        reading.problems.append(Problem(what, "missing", f"X says: {reason}{where}"))
        reading.short = True


def was_refused(error: ApiProblem) -> str:
    """What X says of an account instead of its records, as a sentence's end."""
    reason = reason_of(error)
    return {
        "deleted": "does not exist, or no longer",
        "suspended": "is suspended",
        "protected": "is protected, and this token may not read it",
    }.get(reason, f"is not shown: {reason}")
