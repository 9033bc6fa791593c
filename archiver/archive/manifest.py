"""The manifest: what makes an archive exist, and what it says of itself without a key.

No post's text and no third party's name: it is read by whoever can read the store.
"""

from typing import Any, Literal

import msgspec
from msgspec import Struct

from archiver.chain import Head, require_known_format
from archiver.errors import IntegrityError, format_error, repair_hint

FORMAT = "archiver-manifest-1"
NAMESPACE = "archiver-manifest"
"""Of the SSH signature over it (PROTOCOL.sshsig)."""
MAX_BYTES = 16 * 1024 * 1024
TOKEN = "manifest.json.tsr"  # noqa: S105  # a file's name
"""Beside the manifest: a time stamp over it (RFC 3161), where an authority gave one."""


def token_name(archive: str) -> str:
    """The name in a store of the time stamp over an archive's manifest."""
    return f"archives/{archive}/{TOKEN}"


class File(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One sealed file. `plain_size` is the database's or the tar's."""

    name: str
    kind: Literal["records", "media"]
    size: int
    sha256: str
    plain_size: int
    records: dict[str, int] = {}
    """Rows of each table that holds records, for a segment."""
    gone: dict[str, int] = {}
    """Rows of `gone` by the kind of what is gone, so that a search asks no other segment."""
    revised: int = 0
    """Rows of records that have other versions, here or in another archive."""
    again: int = 0
    """Rows that are no version of their own: the same record had come another way before."""
    posted_from: str | None = None
    posted_to: str | None = None


class Count(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one account brought of one kind."""

    platform: str
    account: str
    kind: str
    new: int = 0
    changed: int = 0
    back: int = 0
    """Were gone and are there again."""
    missing: dict[str, int] = {}
    """Number by reason: media that records show and their source did not have."""
    other: int = 0
    """Versions that are not newer than what was there: from an older export, or differing in the same."""
    again: int = 0
    """No versions of their own: the same records had come another way before, or were captured for the
    moderation register alone."""
    unparsed: int = 0
    """Kept verbatim, but not understood."""


class Origin(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was read, when the platform made it, and the SHA-256 of the export it came from. Of an interface:
    one path asked in one walk, `requests` answers of it, the first and the last of them. Of the moderation
    register: all entries, and all captures around what they are about, an origin each for an account.

    A body's own SHA-256 is only inside the archive: that of a short file would confirm a guess at it."""

    source: str
    route: str
    account: str
    request: str
    fetched_at: str
    source_sha256: str
    fetched_until: str | None = None
    requests: int = 0


class KnownGap(Struct, frozen=True, kw_only=True):
    """Records of one kind of one account that were out of reach when asked for: after one id and time and
    before another, null where there is no bound."""

    platform: str
    account: str
    kind: str
    after_id: str | None
    after: str | None
    before_id: str | None
    before: str | None
    noticed_at: str
    reason: str


class ModerationCount(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is in this archive of one account's decisions on one action that were entered in one month: codes
    and numbers.

    `month` is in UTC. `decisions`: those whose first entry is here. `reasons`: how many of them gave each; a
    decision with two counts under both, one that gives none under the empty text. `reversals`: entries here
    that undo such a decision, call it off or take it back, whichever archive holds the decision."""

    platform: str
    account: str
    month: str
    action: str
    decisions: int = 0
    reasons: dict[str, int] = {}
    reversals: int = 0


class Manifest(Struct, frozen=True, kw_only=True):
    """See docs/format.md for every field. Times are ISO 8601 in UTC."""

    format: str
    vault: str
    archive: str
    sequence: int
    previous: str | None
    """SHA-256 of the previous archive's manifest.json, None for the first."""
    sealed_at: str
    covers_from: str | None
    covers_to: str | None
    recipient: str
    """The archive's own public key: what `key.age` must open to."""
    mark: str
    """This sealing's own random number, so that a run cut off can tell its own archive."""
    files: list[File]
    counts: list[Count]
    problems: dict[str, int]
    """Number by reason of what a source did not bring, or brought and was not understood."""
    origins: list[Origin]
    tool: str
    configuration: str
    gaps: list[KnownGap] = []
    moderation: list[ModerationCount] = []
    logs: dict[str, Head] = {}
    """The end of each chain of the log in the store that was sealed into, as it was then."""
    replaces: str | None = None
    """The archive of which this is what is left, without records that were erased."""
    erased: int = 0
    """How many records were erased, in this archive and in those that it replaces."""
    first_sealed_at: str | None = None
    """When the first of those that it replaces was sealed: periods run from then."""
    disposal_sha256: str | None = None
    """What a certificate of disposal must fit: only who can open the archive knows the number that has this
    SHA-256 (`archiver.disposal`). None in archives of before."""
    claim: Head | None = None
    """The claim by which the host that sealed held the vault (`archiver.claims`)."""

    @property
    def record_count(self) -> int:
        """How many rows of records the archive holds."""
        return sum(sum(file.records.values()) for file in self.files)

    @property
    def file_bytes(self) -> int:
        """Its bytes in a store, without the few of manifest and key."""
        return sum(file.size for file in self.files)

    @property
    def segments(self) -> list[File]:
        return [file for file in self.files if file.kind == "records"]


def manifest_fields(manifest: Manifest) -> dict[str, Any]:
    """What is written: some fields only where they say something, as in archives of before."""
    fields: dict[str, Any] = msgspec.to_builtins(manifest)
    for name in ("moderation", "logs", "claim", "disposal_sha256", "replaces", "erased", "first_sealed_at"):
        if not fields[name]:
            del fields[name]
    return fields


def _reason(error: Exception) -> str:
    """What msgspec says, as a part of a sentence: it ends as `… - at `$.files[0]``."""
    reason, _, place = str(error).partition(" - at ")
    return f"{reason[:1].lower()}{reason[1:]}" + (f", at {place}" if place else "")


def _restore_hint(name: str) -> str:
    folder, _, rest = name.partition("/")
    return (
        repair_hint(rest.partition("/")[0])
        if folder == "archives"
        else "restore it from another store: archiver repair"
    )


def parse_manifest(data: bytes, name: str) -> Manifest:
    """Read a manifest; raise IntegrityError, naming the file, unless it is one."""
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, RecursionError) as error:
        require_known_format(data, name, FORMAT)
        raise IntegrityError(f"{name} is not a manifest: {_reason(error)}", _restore_hint(name)) from error
    if manifest.format != FORMAT:
        raise format_error(name, manifest.format, FORMAT)
    return manifest
