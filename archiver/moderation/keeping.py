"""Entries into the spool: durable, together with what they stand on, before anything else happens."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import groupby
from types import MappingProxyType

from archiver.errors import UsageError
from archiver.progress import walk_digest
from archiver.records import Moderation
from archiver.register import Registered
from archiver.sources.base import CONTENT_DIGEST_BYTES, Item
from archiver.sources.moderation import KIND, REQUEST, encode_entry, register_capture
from archiver.spool import AnswerToKeep, Page, PageInfo, PageSealer, Spool

NO_HASHES: Mapping[str, bytes] = MappingProxyType({})
MAXIMUM_ENTRY_BYTES = 4 * 1024 * 1024


def keep_entries(
    spool: Spool,
    entries: Sequence[Moderation],
    answers: Sequence[AnswerToKeep] = (),
    content_hashes: Mapping[str, bytes] = NO_HASHES,
    said_hashes: Mapping[str, bytes] = NO_HASHES,
    taken_ms: int | None = None,
) -> None:
    """Store entries and the answers of a platform that they stand on: all or none, durable on return.

    Entries of one account become one page. `content_hashes`: by a record's id, what an imported row is known
    by; `said_hashes`: what a decision made here is known by. `taken_ms`: when they came here, where that is
    not when they were entered. Raise OvertakenError where another run has added to one of the records since
    it was looked at, UsageError for an entry that is no text or too large."""
    sealer = PageSealer(spool.identity.recipient())
    pages = [
        _page_of(account_entries, sealer, taken_ms)
        for _, some in groupby(sorted(entries, key=_account), key=_account)
        if (account_entries := list(some))
    ]
    rows: dict[str, Registered] = {}
    for entry in entries:
        before = rows.get(entry.record_id) or spool.register.find(entry.record_id)
        rows[entry.record_id] = row_after(
            before, entry, content_hashes.get(entry.record_id), said_hashes.get(entry.record_id)
        )
    spool.add_entries([*answers, *pages], list(rows.values()))


def _account(entry: Moderation) -> tuple[str, str]:
    return entry.platform, entry.account


def row_after(
    before: Registered | None,
    entry: Moderation,
    content_hash: bytes | None = None,
    said_hash: bytes | None = None,
) -> Registered:
    """The register's row of a record once it has this entry."""
    known = before or Registered(
        record_id=entry.record_id,
        entries=0,
        last_entry="",
        platform=entry.platform,
        account=entry.account,
        entered_ms=entry.entered_ms,
        content_hash=content_hash,
    )
    return Registered(
        record_id=known.record_id,
        entries=entry.number,
        last_entry=entry.id,
        platform=known.platform,
        account=known.account,
        item_type=entry.item_type or known.item_type,
        item_id=entry.item_id or known.item_id,
        author_id=entry.author_id or known.author_id,
        decided=known.decided or entry.action,
        action=entry.action or known.action,
        state=entry.state or known.state,
        way=entry.way or known.way,
        entered_ms=known.entered_ms,
        content_hash=known.content_hash,
        said_hashes=((known.said_hashes or b"") + (said_hash or b"")) or None,
        taken_back=int(known.taken_back or (entry.entry == "reversal" and entry.action is None)),
    )


def _page_of(entries: Sequence[Moderation], sealer: PageSealer, taken_ms: int | None) -> AnswerToKeep:
    first = entries[0]
    moment = first.entered_ms if taken_ms is None else taken_ms
    bodies = [_encoded(entry) for entry in entries]
    capture = register_capture(first.platform, first.account, first.account_handle, moment)
    items = [
        Item(KIND, entry.id, None, body, ((0, body),)) for entry, body in zip(entries, bodies, strict=True)
    ]
    payload = b"\n".join(bodies)
    page = Page(
        first.platform,
        first.account,
        moment,
        [item.id for item in items],
        [0] * len(items),
        [entry.number for entry in entries],
        ["new"] * len(items),
        [sha256(item.id.encode()).digest()[:CONTENT_DIGEST_BYTES] for item in items],  # tells nothing of it
        [len(body) for body in bodies],
        {},
        {},
        payload,
        "manual",
    )
    info = PageInfo(0, 0, KIND, len(items), None, None, len(payload))
    return AnswerToKeep(
        source_sha256=walk_digest(),
        source_name=REQUEST,
        capture=capture,
        taken_ms=moment,
        body_size=len(payload),
        body_sha256=sha256(payload).hexdigest(),
        pages=[(info, sealer.seal(page))],
    )


def _encoded(entry: Moderation) -> bytes:
    try:
        body = encode_entry(entry)
    except UnicodeEncodeError as error:
        raise UsageError(
            "a text for the record has bytes that are no characters", "give it in UTF-8"
        ) from error
    if len(body) > MAXIMUM_ENTRY_BYTES:
        raise UsageError(
            f"an entry of {len(body):,} bytes is larger than the {MAXIMUM_ENTRY_BYTES:,} it may be",
            "give long texts as a screenshot or a file",
        )
    return body
