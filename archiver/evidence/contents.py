"""What goes into a pack beside the exhibits, and by what it is signed and stamped."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from archiver.evidence.gathering import Gathered
from archiver.evidence.gathering.answers import Answer
from archiver.evidence.gathering.media import MediaPlace
from archiver.evidence.model import Capture, Production


class Vaulted(Protocol):
    """Reads in the vault what is too large to be held: answers of an interface, pictures and videos."""

    def answer(self, place: Answer, /) -> bytes: ...

    def media(self, place: MediaPlace, /) -> Iterator[bytes]: ...


@dataclass(frozen=True)
class ChainLink:
    """An archive's manifest as it lies in the vault, its signature, and its time stamp if it has one."""

    archive: str
    sequence: int
    manifest: bytes
    signature: bytes
    token: bytes | None = None


@dataclass(frozen=True)
class LogLine:
    """An entry of the log: the link that gives it its place, its signature, and the entry, None where it is
    left out."""

    link: bytes
    signature: bytes
    entry: bytes | None


@dataclass(frozen=True)
class Stamp:
    """A time stamp, and the name of who gave it."""

    token: bytes
    authority: str


@dataclass(frozen=True)
class Contents:
    """All of one pack. `records`: the exhibits with the bytes of their originals; `captures`: how all of it
    was got; `answers` and `media`: by path in the pack, where those lie in the vault; `slices`: by path,
    which originals a file is made of. `authorities`: certificates (PEM) of the time stamp authorities that
    are asked. `stamp` gives None where none is, or none answers."""

    production: Production
    forms: Sequence[str]
    records: Sequence[Gathered]
    captures: Sequence[Capture]
    answers: Mapping[str, Answer]
    slices: Mapping[str, Iterable[str]]
    media: Mapping[str, MediaPlace]
    vaulted: Vaulted
    chain: Sequence[ChainLink]
    vault_signers: bytes
    search_record: bytes
    log: Sequence[LogLine]
    pack_signers: bytes
    sign: Callable[[bytes], bytes]
    authorities: Sequence[bytes] = ()
    stamp: Callable[[bytes], Stamp | None] = lambda data: None
    is_query: bool = True
