"""What lies in the spool: pages, media files, problems, captures, and one answer of an interface as it is
stored."""

from collections.abc import Sequence
from itertools import accumulate

import msgspec
import zstandard
from msgspec import Struct

from archiver.formats import age
from archiver.progress import Step
from archiver.sources.base import Capture, Problem, Route


class Page(Struct, frozen=True, gc=False, array_like=True):
    """Records of one capture and kind in order of time posted, a column each, and their verbatim bytes:
    `payload` is one after the other with a line end between, `lengths` without it.

    `changes`: new, changed, back (it was gone), again (it came another way before) or other (a version that
    is not newer, its number negative). Sparse columns are by the record's index: `record_ids` of
    edits, `joined` further verbatim bytes that belong to a record, as (capture id, bytes).

    Where the payload is the capture's whole body, `starts` says where each record begins in it, and
    `within` the offset and length of what else in it belongs to a record."""

    platform: str
    account: str
    generated_ms: int
    ids: list[str]
    posted_ms: list[int]
    versions: list[int]
    changes: list[str]
    digests: list[bytes]
    lengths: list[int]
    record_ids: dict[int, str]
    joined: dict[int, list[tuple[int, bytes]]]
    payload: bytes
    route: Route = "export"
    series: str = ""
    """The name under which the state knows its records; empty: their kind. Nobody asks the state for those
    of `context` and of the moderation register, and their pages may come from another run, between those of
    one that holds the collector's lock. So the state may never note them, and need not."""
    starts: list[int] | None = None
    within: dict[int, list[tuple[int, int]]] = {}

    def offsets(self) -> list[int]:
        """Where each record's bytes begin in the payload."""
        if self.starts is not None:
            return self.starts
        return list(accumulate((length + 1 for length in self.lengths[:-1]), initial=0))


class PageInfo(Struct, frozen=True):
    """A page without its body."""

    id: int
    capture: int
    kind: str
    records: int
    posted_from: int | None
    posted_to: int | None
    plain_bytes: int


class SpooledMedia(Struct, frozen=True):
    """A media file in the spool, or why there is none."""

    id: int
    account: str
    file_name: str
    sha256: str | None
    size: int | None
    missing: str | None


NOT_WANTED = "pictures are switched off in the settings"
"""Why a media file is missing that nobody asked for: no shortage."""


class MissingMedia(Struct, frozen=True):
    """A file that a record shows and its source did not have."""

    account: str
    file_name: str
    reason: str


class SpooledProblem(Struct, frozen=True):
    """What a source did not bring, or brought and was not understood."""

    id: int
    source_sha256: str
    source_name: str
    noticed_ms: int
    what: str
    reason: str
    detail: str


class SpooledCapture(Struct, frozen=True):
    id: int
    source_sha256: str
    capture: Capture
    taken_ms: int
    body_size: int | None
    body_sha256: str | None


class AnswerToKeep(Struct, frozen=True, kw_only=True):
    """One answer of an interface: its capture and pages, if anything in it is worth keeping, and in any
    case how far it takes the collecting, where it is part of that."""

    source_sha256: str
    source_name: str
    capture: Capture
    taken_ms: int
    body_size: int
    body_sha256: str
    pages: Sequence[tuple[PageInfo, bytes]] = ()
    missing: Sequence[MissingMedia] = ()
    problems: Sequence[Problem] = ()
    step: Step | None = None


class PageSealer:
    """Turns pages into spool bodies. Its work is compressing and encrypting, outside Python's lock."""

    def __init__(self, recipient: age.Recipient) -> None:
        self._recipients = [recipient]
        self._compressor = zstandard.ZstdCompressor(level=1)
        self._encoder = msgspec.msgpack.Encoder()

    def seal(self, page: Page) -> bytes:
        return age.encrypt(self._recipients, self._compressor.compress(self._encoder.encode(page)))
