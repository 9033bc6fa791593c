"""What an evidence pack says of a production and of each record, before it is written in any form.

Every form (page, PDF, tables, graph) is made from these and from nothing else, so that what is redacted here
is redacted everywhere. Times are milliseconds since 1970 in UTC; paths are within the pack, as `data/…`.
"""

from typing import Final

from msgspec import Struct

from archiver.records import Moderation
from archiver.search.record.differences import Change, Piece

REDACTED: Final = "[redacted]"
"""Stands in every form for what was taken out of a text, a name or a handle."""


NOT_SHOWN: Final = "[restricted]"
"""Stands for what is of a record that is kept in the vault and not shown."""


class Person(Struct, frozen=True, gc=False):
    """Somebody as known at capture. `role` says how a message or a relation names them; empty of authors."""

    id: str | None = None
    handle: str | None = None
    name: str | None = None
    role: str = ""


class Production(Struct, frozen=True, kw_only=True):
    """What the whole pack is: who produces which records of which vault, for what, and how they were found.

    The pack is the exhibit `initials/number`, its records are its sub-exhibits. `question` is the query as
    typed, or says how the records were named; `head_sequence` and `head_sha256` are the vault's last archive
    (0 and nothing where there is none). `public`: for publication, without what only a court needs."""

    case: str
    initials: str
    number: int
    produced_by: str
    made_ms: int
    question: str
    records: int
    vault: str
    head_sequence: int
    head_sha256: str
    keyholder: str
    signer: str
    """Fingerprint of the key that signs the pack, as "SHA256:…"."""
    system_account: str
    host: str
    tool: str
    configuration: str
    organisation: str | None = None
    contact: str | None = None
    purpose: str | None = None
    recipient: str | None = None
    reason: str | None = None
    is_redacted: bool = False
    public: bool = False
    unsearched: tuple[str, ...] = ()
    """Archives that could not be read, each with why, where the pack was made without them."""
    notes: tuple[str, ...] = ()
    """What a reader has to know of this pack beside what every pack says."""

    @property
    def exhibit(self) -> str:
        """As it is written: ABC/1."""
        return f"{self.initials}/{self.number}"

    @property
    def stem(self) -> str:
        """As files are called: ABC_1."""
        return f"{self.initials}_{self.number}"


class Medium(Struct, frozen=True, kw_only=True):
    """A picture, video or screenshot. `path` is None where the pack does not hold it: `missing` says why."""

    media_type: str
    url: str | None = None
    file_name: str | None = None
    mime_type: str = "application/octet-stream"
    alt_text: str | None = None
    sha256: str | None = None
    size: int | None = None
    path: str | None = None
    missing: str | None = None


class ShownLink(Struct, frozen=True, gc=False):
    """A link as it stood in a text, and where it led, where the platform said so."""

    short: str
    expanded: str | None = None


class Capture(Struct, frozen=True, kw_only=True):
    """How bytes were got from the platform. `name` is its name in the pack, as `C000001`; `path` the file
    with the bytes that the records stand on: a whole answer of an interface, or the slices of an export;
    None where they are left out. `not_whole`: why of an answer the pack has but slices; then it has no hash
    and no size of the whole either, as these would confirm a guess of what is not shown."""

    name: str
    source: str
    route: str
    platform: str
    account: str
    handle: str | None
    request: str
    body_kind: str
    layout: str
    fetched_ms: int
    taken_ms: int
    status: int | None
    headers: str | None
    body_size: int | None
    body_sha256: str | None
    source_sha256: str | None
    tool: str
    configuration: str
    archive: str
    path: str | None = None
    not_whole: str | None = None


class Original(Struct, frozen=True, kw_only=True):
    """A record's verbatim bytes. `segment`, `part`, `offset` say where they lie in the vault, `capture` which
    capture they are of, by its name; `path` is None where the pack does not hold them. Of another record
    that is not shown, as one that this one quotes, `sha256` is NOT_SHOWN."""

    sha256: str
    size: int
    segment: str
    part: int
    offset: int
    path: str | None = None
    capture: str | None = None


class ShownVersion(Struct, frozen=True, kw_only=True):
    """One version of a record as it was captured. `again`: the same as another, captured another way.

    `text` is in full; `changed_text` and `changes` say what differs from the version before. `facts` are
    further fields, name and value, in the order to be shown: of a relation or a profile all there is."""

    archive: str
    manifest_sha256: str | None
    kind: str
    version: int
    author: Person
    captured_ms: int
    posted_ms: int | None
    text: str
    capture: Capture
    originals: tuple[Original, ...] = ()
    again: bool = False
    alt_text: str | None = None
    language: str | None = None
    client: str | None = None
    in_reply_to_id: str | None = None
    in_reply_to_handle: str | None = None
    conversation_id: str | None = None
    repost_of_id: str | None = None
    repost_of_handle: str | None = None
    quote_of_id: str | None = None
    like_count: int | None = None
    repost_count: int | None = None
    truncated: bool = False
    media: tuple[Medium, ...] = ()
    links: tuple[ShownLink, ...] = ()
    people: tuple[Person, ...] = ()
    hashtags: tuple[str, ...] = ()
    mentions: tuple[Person, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    changed_text: tuple[Piece, ...] = ()
    changes: tuple[Change, ...] = ()


class GoneNotice(Struct, frozen=True, kw_only=True):
    """That a record was found missing; `back_ms`: the first capture after that which shows it again.
    `capture` and `original` are what says so."""

    noticed_ms: int
    how: str
    deleted_ms: int | None
    archive: str
    back_ms: int | None = None
    capture: Capture | None = None
    original: Original | None = None


class ThreadLine(Struct, frozen=True, kw_only=True):
    """A post or message around a record. `exhibit`: its own reference, where it is in the pack itself;
    `is_cut`: its text is longer than what stands here. `is_record`: it is the record itself."""

    id: str
    author: Person
    posted_ms: int
    kind: str
    text: str
    is_cut: bool = False
    is_record: bool = False
    exhibit: str | None = None


class ModerationNote(Struct, frozen=True, kw_only=True):
    """A moderation record about a record, or as the record itself: its entries in the order they were made,
    where each lies (an archive, or None: not sealed yet), and its files."""

    record_id: str
    entries: tuple[Moderation, ...]
    archives: tuple[str | None, ...]
    media: tuple[Medium, ...] = ()
    originals: tuple[Original, ...] = ()


class PackFile(Struct, frozen=True, gc=False):
    """What a file of the pack is, by its path in another place: bytes, and the hashes in hexadecimal."""

    size: int
    sha256: str
    sha512: str


class Redaction(Struct, frozen=True, gc=False):
    """What was taken out: `what` is `text`, `person`, `media` or `record`; `reason` as the rule file says."""

    what: str
    reason: str


class Exhibit(Struct, frozen=True, kw_only=True):
    """One record in a pack: a sub-exhibit, as ABC/1/17, in file names ABC_1_17.

    `kind` is post, reply, repost, quote, message, a relation's kind, account or moderation. `versions`:
    oldest first; none of a moderation record, which is `moderation` alone. `captured`: the times of all
    captures of it."""

    number: int
    reference: str
    stem: str
    platform: str
    account: str
    account_handle: str | None
    kind: str
    id: str
    url: str | None = None
    versions: tuple[ShownVersion, ...] = ()
    captured: tuple[int, ...] = ()
    last_seen_ms: int | None = None
    gone: tuple[GoneNotice, ...] = ()
    thread: tuple[ThreadLine, ...] = ()
    more_before: int = 0
    more_after: int = 0
    moderation: tuple[ModerationNote, ...] = ()
    redactions: tuple[Redaction, ...] = ()

    @property
    def now(self) -> ShownVersion | None:
        """The newest version; None of a moderation record, and of what only a notice of its absence is
        held of."""
        own = [one for one in self.versions if not one.again] or self.versions
        return own[-1] if own else None
