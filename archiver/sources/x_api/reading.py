"""An answer of X as items: what makes a version of each, where its bytes lie, and what the answer says is
missing."""

from collections.abc import Collection, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from archiver.errors import SourceError
from archiver.records import Account, Message, Post, Record, Relation
from archiver.sources.base import Capture, Item, Problem
from archiver.sources.x.words import whole_words
from archiver.sources.x_api.answer import Answer, Piece, decode_shape
from archiver.sources.x_api.endpoints import Endpoint
from archiver.sources.x_api.parse import FIELD_NOT_SHOWN, NOT_THERE, parse_with_context, reason_of
from archiver.sources.x_api.related import Context
from archiver.sources.x_api.shapes import ApiProblem, Meta, Related, UserMetrics

MENTION_SERIES: Final = "mention"
"""Posts of others are known apart from the account's own, so that these alone can be asked for again."""
_encode = msgspec.json.Encoder().encode
_related = msgspec.json.Decoder(Related)


class AnswerReading(Struct, kw_only=True):
    """`remarks`: by a record's id, what in it was not understood. `gone`: records asked for by id that X says
    are not there. `context`: what an answer lacks around its records (the post quoted is deleted).
    `refusal`: what X says of the account itself, instead of data."""

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
    """The account's own handle and id, of a profile."""


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
    context = _context_of(answer)
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


def _context_of(answer: Answer) -> Context:
    context = Context()
    for pieces in answer.includes.values():
        for piece in pieces:
            try:
                context.add(decode_shape(piece.data, _related, Related)[0], piece)
            except SourceError:
                continue  # no object: nothing can refer to it, and its bytes stay in the answer
    return context


def _item(
    capture: Capture, endpoint: Endpoint, piece: Piece, context: Context, reading: AnswerReading
) -> Item | None:
    context.used = {}
    try:
        parsed = parse_with_context(capture, endpoint.record, piece.data, context)
    except SourceError as error:
        reading.problems.append(Problem(f"a record of {endpoint.body_kind}", "broken", error.message))
        return None
    record = parsed.record
    pieces = [piece, *context.used.values()]
    item_id, series, content = _describe(capture, endpoint, record)
    if parsed.remarks:
        detail = f"has {', '.join(parsed.remarks)}; kept as it is"
        reading.remarks[item_id] = Problem(f"{series} {item_id}", "broken", detail)
    if isinstance(record, Post):
        reading.edit_ids.update(record.edit_ids)
    return Item(
        endpoint.record,
        item_id,
        record.posted_ms if isinstance(record, Post | Message) else None,
        content,
        tuple([(capture.key, one.data) for one in pieces]),
        record.record_id if isinstance(record, Post) and record.edit_ids else None,
        record.media if isinstance(record, Post | Message | Account) else (),
        series,
        tuple([(one.offset, len(one.data)) for one in pieces]),
        isinstance(record, Post) and record.truncated,
        _words(record, piece.data),
    )


def _words(record: Record, data: bytes) -> bytes:
    """The text to be compared with an export's. An export cuts reposts and long posts, and has no article
    in its post."""
    if isinstance(record, Message):
        return record.text.encode("utf-8", "replace")
    if not isinstance(record, Post) or b'"article"' in data:
        return b""
    return whole_words(record.text)


def _describe(capture: Capture, endpoint: Endpoint, record: Record) -> tuple[str, str, bytes]:
    """A record's id, the series it is known in, and what makes a version of it. Left out are counters, what
    X may leave away one day (client, language), and what was captured with it only by chance (handles)."""
    kind = endpoint.record
    if isinstance(record, Post):
        content = _encode(
            (
                record.text if record.repost_of_id is None else None,
                record.posted_ms,
                record.in_reply_to_id,
                record.in_reply_to_user_id,
                record.repost_of_id,
                record.quote_of_id,
                [(link.short, link.expanded) for link in record.links],
                [one.user_id for one in record.mentions],
                [one.media_id for one in record.media],
                record.audience,
            )
        )
        own = record.author_id == capture.account or (record.author_id is None and endpoint.kind == "posts")
        return record.platform_id, "post" if own else MENTION_SERIES, content
    if isinstance(record, Message):
        content = _encode(
            (
                record.conversation_id,
                record.kind,
                record.posted_ms,
                record.sender_id,
                record.text,
                [one.media_id for one in record.media],
            )
        )
        return record.platform_id, kind, content
    if isinstance(record, Relation):
        named = kind not in ("follower", "like", "own_list_member")
        people = [(one.handle, one.name) for one in record.people] if named else None
        text = record.text if kind.startswith("list_") else None
        return record.platform_id, kind, _encode((kind, record.platform_id, people, text))
    if isinstance(record, Account):
        content = _encode(
            (
                record.handle,
                record.name,
                record.created_ms,
                record.bio,
                record.website,
                record.location,
                record.facts,
                [one.file_name for one in record.media],
            )
        )
        return f"{capture.account}:{record.aspect}", kind, content
    raise SourceError(f"a {kind} is no record of an answer's data")


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
        elif endpoint.walk != "lookup" and error.parameter == "id" and not reading.items:
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
