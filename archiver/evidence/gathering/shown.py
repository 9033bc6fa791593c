"""Versions, notices and threads as they are held, to what a pack says of them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from hashlib import sha256
from typing import Any

from msgspec.structs import replace

from archiver.evidence.gathering.captures import CaptureBook
from archiver.evidence.gathering.media import MediaBook
from archiver.evidence.gathering.withheld import Withheld
from archiver.evidence.model import (
    NOT_SHOWN,
    GoneNotice,
    Original,
    Person,
    ShownLink,
    ShownVersion,
    ThreadLine,
)
from archiver.search.record import Version
from archiver.search.record.differences import Differences, find_differences
from archiver.search.record.sightings import Missing
from archiver.search.record.thread import Line, Thread
from archiver.times import format_time

_APART = frozenset(
    {
        "platform", "platform_id", "record_id", "version", "account", "author_id", "author_handle",
        "author_name", "posted_ms", "kind", "text", "alt_text", "truncated", "language", "client",
        "in_reply_to_id", "in_reply_to_handle", "conversation_id", "repost_of_id", "repost_of_handle",
        "quote_of_id", "like_count", "repost_count", "sender_id", "captured_ms", "aspect",
    }
)  # fmt: skip
"""Columns that are fields of a version, or of its exhibit, and no further facts."""
_LINE_CHARACTERS = 280
"""Of a text that a thread's line has at most: `archiver.search.record.thread`."""
_NO_DIFFERENCES = Differences((), ())


class Books:
    """What the records of one pack share: captures and media. `withheld`: what must not be in it."""

    def __init__(self, disposed: Collection[str] = (), withheld: Withheld | None = None) -> None:
        self.withheld = withheld
        self.captures = CaptureBook(withheld)
        self.media = MediaBook(disposed)


def shown_version(version: Version, before: Version | None, books: Books, stem: str) -> ShownVersion:
    """One version. `before`: the version before it; `stem`: what the files of its bytes are called."""
    fields = version.fields
    differences = _NO_DIFFERENCES if before is None else find_differences(before, version)
    return ShownVersion(
        archive=version.archive,
        manifest_sha256=version.manifest_sha256,
        kind=fields.get("kind") or fields.get("aspect") or version.table,
        version=fields["version"],
        author=_author(version),
        captured_ms=version.capture["fetched_ms"],
        posted_ms=fields.get("posted_ms") or None,  # 0: the platform says no time
        text=fields.get("text") or "",
        capture=books.captures.capture(
            version.archive, version.segment, version.capture, version.places[0].part
        ),
        originals=_originals(version, books, stem),
        again=version.again,
        alt_text=fields.get("alt_text") or None,
        language=fields.get("language"),
        client=fields.get("client"),
        in_reply_to_id=fields.get("in_reply_to_id"),
        in_reply_to_handle=fields.get("in_reply_to_handle"),
        conversation_id=fields.get("conversation_id"),
        repost_of_id=fields.get("repost_of_id"),
        repost_of_handle=fields.get("repost_of_handle"),
        quote_of_id=fields.get("quote_of_id"),
        like_count=fields.get("like_count"),
        repost_count=fields.get("repost_count"),
        truncated=bool(fields.get("truncated")),
        media=tuple(books.media.medium(row) for row in version.media),
        links=tuple(ShownLink(row["short"], row["expanded"]) for row in version.links),
        people=tuple(
            Person(row["user_id"], row["handle"], row["name"], row["role"]) for row in version.people
        ),
        hashtags=version.hashtags,
        mentions=tuple(
            Person(row["user_id"], row["handle"], row["name"], "mention") for row in version.mentions
        ),
        facts=_facts(fields),
        changed_text=differences.text,
        changes=differences.fields,
    )


def _author(version: Version) -> Person:
    """Of a message who sent it, of a profile whose it is; nobody of a like or a follower."""
    fields = version.fields
    if version.table == "post":
        return Person(fields["author_id"], fields["author_handle"], fields["author_name"])
    if version.table == "message":
        sender = next((row for row in version.people if row["role"] == "sender"), None)
        if sender is not None:
            return Person(fields["sender_id"], sender["handle"], sender["name"])
        is_own = fields["sender_id"] == fields["account"]
        return Person(fields["sender_id"], version.capture["handle"] if is_own else None)
    if version.table == "account":
        return Person(fields["platform_id"], fields["handle"], fields["name"])
    return Person()


def _facts(fields: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    found = [(name, value) for name, value in fields.items() if name not in _APART and value is not None]
    return tuple(
        (
            name.removesuffix("_ms").replace("_", " "),
            format_time(value) if name.endswith("_ms") else str(value),
        )
        for name, value in found
    )


def _originals(version: Version, books: Books, stem: str) -> tuple[Original, ...]:
    if version.table == "moderation":
        return ()
    found = []
    for number, (place, raw, row) in enumerate(
        zip(version.places, version.raw, version.captures, strict=True), start=1
    ):
        capture = books.captures.capture(version.archive, version.segment, row, place.part)
        name = f"{stem}.{number}" if number > 1 else stem
        one = original(raw, version.segment, place.part, place.offset, name, capture.name)
        if books.captures.is_copy(raw):  # of the post that this one quotes, or that was liked
            one = replace(one, path=None, sha256=NOT_SHOWN, size=0)
        else:
            books.captures.add_slice(capture, str(one.path))
        found.append(one)
    return tuple(found)


def original(
    raw: bytes, segment: str, part: int, offset: int, stem: str, capture: str | None = None
) -> Original:
    """Verbatim bytes, which lie in the pack under this name."""
    end = "json" if raw[:1] in (b"{", b"[", b'"') else "txt"
    return Original(
        sha256=sha256(raw).hexdigest(),
        size=len(raw),
        segment=segment,
        part=part,
        offset=offset,
        path=f"data/originals/{stem}.{end}",
        capture=capture,
    )


def gone_notice(missing: Missing, row: Mapping[str, Any] | None, books: Books, stem: str) -> GoneNotice:
    """That a record was found missing; `row`: what says so, as it is held."""
    capture = shown = None
    if row is not None:
        capture = books.captures.capture(row["archive"], row["segment"], row["capture"], row["part"])
        shown = original(row["raw"], row["segment"], row["part"], row["offset"], stem, capture.name)
        books.captures.add_slice(capture, str(shown.path))
    return GoneNotice(
        noticed_ms=missing.noticed_ms,
        how=missing.how,
        deleted_ms=missing.deleted_ms,
        archive=missing.archive,
        back_ms=missing.back_ms,
        capture=capture,
        original=shown,
    )


def thread_lines(thread: Thread, reference: Callable[[Line], str | None]) -> tuple[ThreadLine, ...]:
    """The lines around a record and its own, where there are others; `reference`: a line's own exhibit
    reference, where the pack has it."""
    lines: Sequence[Line] = thread.lines
    if not thread.before and not thread.after:
        return ()
    return tuple(
        ThreadLine(
            id=line.id,
            author=Person(line.author_id, line.author),
            posted_ms=line.posted_ms,
            kind=line.kind,
            text=line.text,
            is_cut=len(line.text) >= _LINE_CHARACTERS,
            is_record=line is thread.record,
            exhibit=reference(line),
        )
        for line in lines
    )
