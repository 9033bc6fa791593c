"""Where a page of an answer ended, as text that a person or a program gives back for the next one.

Pages are over the archives that were there at the first one: what is sealed between two of them changes
neither which records come nor their order. Only where the spool was part of the answer and was sealed since,
the archives made of it belong to it too, or its records would be lost.

The text is `s1.` and, in base64url (RFC 4648, 5) without padding, a MessagePack list and four bytes of its
SHA-256. It tells nothing but ids, times and hashes, and is no secret.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

import msgspec
from msgspec import Struct, structs

from archiver.chain import Head
from archiver.errors import IntegrityError, UsageError
from archiver.search.hit import Position
from archiver.search.language import Query, format_query
from archiver.search.sql.statement import Order
from archiver.vault import Archive, with_successors

_PREFIX = "s1."
_CHECK_BYTES = 4
_LONGEST = 4_000
"""Characters; one has some 200."""
_COPIED_HINT = "copy it whole from the end of the page before, or leave --after out to begin again"


class Cursor(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """`asked`: of the query and its options, as `asked_of` gives it. `position`: of the last hit shown.
    `sequence`, `sha256`: the chain's head at the first page; 0 and nothing where there was no archive.
    `spool_page`: up to which page the spool was part of the answer, None where it was not; `spool_entries`:
    so for entries of the moderation register."""

    order: Order
    asked: bytes
    position: Position
    sequence: int
    sha256: bytes
    spool_page: int | None = None
    spool_entries: int | None = None

    @property
    def has_spool(self) -> bool:
        return self.spool_page is not None or self.spool_entries is not None


class Chosen(NamedTuple):
    """The archives that a page is over. `left_out`: how many were sealed since the first one and are not in
    it; `added`: how many were and are, as they hold what lay in the spool."""

    archives: tuple[Archive, ...]
    left_out: int = 0
    added: int = 0


def asked_of(query: Query, *, versions: bool, store: str | None, spool: bool) -> bytes:
    """What two pages must have in common besides the order. `spool`: whether it was asked for."""
    asked = [format_query(query.root), query.exact, versions, store, spool]
    return hashlib.sha256(msgspec.json.encode(asked)).digest()[:12]


def encode_cursor(cursor: Cursor) -> str:
    # A whole number and the same with a point would be two texts for one place.
    position = (float(cursor.position[0]), *cursor.position[1:])
    data = msgspec.msgpack.encode(structs.replace(cursor, position=position))
    data += hashlib.sha256(data).digest()[:_CHECK_BYTES]
    return _PREFIX + urlsafe_b64encode(data).decode().rstrip("=")


def parse_cursor(text: str) -> Cursor:
    """Raise UsageError for any text that `encode_cursor` did not write."""
    text = text.strip()
    if not text.startswith(_PREFIX) or len(text) > _LONGEST:
        raise UsageError("--after takes what an earlier page ended with, and this is not that", _COPIED_HINT)
    try:
        packed = text.removeprefix(_PREFIX).encode("ascii")
        data = urlsafe_b64decode(packed + b"=" * (-len(packed) % 4))
        cursor = msgspec.msgpack.decode(data[:-_CHECK_BYTES], type=Cursor)
    except (ValueError, msgspec.MsgspecError) as error:
        raise UsageError("what --after was given is not whole", _COPIED_HINT) from error
    # Base64 may be written in more ways than one: taking only ours leaves no two cursors for one place.
    if encode_cursor(cursor) != text or not isfinite(cursor.position[0]):
        raise UsageError("what --after was given is not whole", _COPIED_HINT)
    return cursor


def check_asked(cursor: Cursor, order: Order, asked: bytes) -> None:
    """Raise UsageError where the page would not be one of the same answer."""
    if cursor.order != order:
        raise UsageError(
            f"--after goes on with an answer in the order {cursor.order}, and this search is in the order"
            f" {order}",
            f"give --order {cursor.order}, or leave --after out",
        )
    if cursor.asked != asked:
        raise UsageError(
            "--after goes on with the answer to another query, or with other options",
            "give the same query, --exact, --versions, --store and --no-spool as for the page before,"
            " or leave --after out",
        )


def choose_archives(cursor: Cursor, archives: Sequence[Archive]) -> Chosen:
    """Those of all archives of a vault that a later page is over. Raise IntegrityError where the chain no
    longer has the head of the first page, UsageError where a page by relevance would have other scores."""
    if cursor.sequence:
        head = Head(cursor.sequence, cursor.sha256.hex())
        if all(archive.head != head for archive in archives):
            raise IntegrityError(
                f"archive number {cursor.sequence}, the last one when the first page was shown, is missing"
                " or is another one now",
                "see archiver verify; to search what there is, leave --after out",
            )
    before = tuple(
        with_successors((one for one in archives if one.head.sequence <= cursor.sequence), archives)
    )
    since = len(archives) - len(before)
    if not since or not cursor.has_spool:
        return Chosen(before, left_out=since)
    if cursor.order == "relevance":
        raise UsageError(
            "what lay in the spool at the first page was sealed since: records are ranked by other numbers",
            "begin again: leave --after out",
        )
    return Chosen(tuple(archives), added=since)
