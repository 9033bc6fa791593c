"""What every source yields: captures, items of captures, media, and what it could not take.

A source reads and never writes. It yields events in this order for each member it reads:
`Capture` (a member was opened), any number of `Batch`, then `CaptureEnd` (read to its end, with the
whole body's SHA-256) or `Problem` (it was not). `Absence` says that a set of ids is whole, so that what
was there before and is not in it is gone.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import IO, Literal, Protocol

from msgspec import Struct

from archiver.records import MediaReference, Record

Route = Literal["export", "api", "manual"]
Reason = Literal[
    "broken", "unknown layout", "count differs", "missing", "refused", "partial", "conflict", "context",
    "clock",
]  # fmt: skip


class Capture(Struct, frozen=True, kw_only=True):
    """How bytes were got. `key` is the source's own number for it within one run."""

    key: int
    source: str
    route: Route
    platform: str
    account: str
    handle: str | None
    name: str | None
    request: str
    """What was asked for: the export's file name, `!`, the member's name."""
    body_kind: str
    """How to parse its slices: for X exports the type in the manifest, as `tweets` or `noteTweet`. One that
    begins with `deleted` holds what is gone from the platform already."""
    layout: str
    """The generation of the format, as `x-2022`."""
    fetched_ms: int
    """When the platform made it."""
    context: dict[str, str] = {}
    """More that the parser needs to derive the same record again."""
    status: int | None = None
    headers: dict[str, str] | None = None
    """Of an answer: its status and its headers, without credentials."""


class Item(Struct, frozen=True, gc=False, array_like=True):
    """One record's verbatim bytes.

    kind: "post", "message", "account", "gone" or a relation's kind; with account and id it names the
    record in the state. content: canonical bytes of what makes a version of it (no counters, no layout);
    equal content means unchanged. slices: (capture key, verbatim bytes); the first is the record's own,
    more are joined to it (a long post's note). media: what it should have brought along.

    series: the name under which the state knows it, where that is not its kind. places: offset and length
    of each slice in the capture's body, where the whole body is kept. truncated: the source itself had
    only a part of it. words: the text as a person reads it, where all of it is there: what two routes
    that bring the same record must agree on."""

    kind: str
    id: str
    posted_ms: int | None
    content: bytes
    slices: tuple[tuple[int, bytes], ...]
    record_id: str | None = None
    media: tuple[MediaReference, ...] = ()
    series: str = ""
    places: tuple[tuple[int, int], ...] = ()
    truncated: bool = False
    words: bytes = b""


def digest_of(item: Item, content_hash: Callable[[bytes], bytes]) -> bytes:
    """What the state keeps of an item: the hash of its content and, of its words, the beginning of theirs."""
    if not item.words:
        return content_hash(item.content)
    return content_hash(item.content) + content_hash(item.words)[:WORDS_DIGEST_BYTES]


CONTENT_DIGEST_BYTES = 16
WORDS_DIGEST_BYTES = 8


class Batch(Struct, frozen=True, gc=False, array_like=True):
    """Items of one capture, about a mebibyte together."""

    capture_key: int
    items: list[Item]


class CaptureEnd(Struct, frozen=True):
    """The member was read to its end. sha256 is over its whole inflated body; expected is the source's
    own count, where it has one; unread lists nothing here."""

    capture_key: int
    sha256: str
    size: int
    records: int
    expected: int | None


class Problem(Struct, frozen=True):
    """Something that could not be taken: a run with one ends in exit 3. `what` names member or record."""

    what: str
    reason: Reason
    detail: str


class Unread(Struct, frozen=True):
    """A member outside the allow-list: named, its content never read."""

    name: str


class Absence(Struct, frozen=True):
    """Every id of `kind` in this export was yielded and the export is a full one, so what an earlier
    full export had and this one has not is gone."""

    kind: str
    how: str


Event = Capture | Batch | CaptureEnd | Problem | Unread | Absence


class Source(Protocol):
    """One thing to collect from: an export, an account at an API."""

    platform: str
    account: str
    handle: str | None
    name: str | None
    digest: str
    """SHA-256 of what is read, hexadecimal; the same digest again is a no-op."""
    generated_ms: int
    partial: bool

    def events(self) -> Iterator[Event]:
        """Read everything once, in bounded memory."""
        ...

    def open_media(self, file_name: str) -> IO[bytes] | None:
        """The media file a record refers to, or None where the source has none."""
        ...


class Parser(Protocol):
    """Bytes of one item to its record: used when sealing and again by `archiver rebuild`."""

    def __call__(self, capture: Capture, kind: str, slices: Sequence[bytes]) -> Record: ...
