"""A link of the log's chain: what everybody who reads the store can see of an entry.

It says which chain it belongs to, what it comes after, and which bytes the entry has, sealed and plain; and
how far the archives and the other chains had come, so that cutting off the end of any of them shows.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from archiver.chain import Document, Head, parse_document, require_known_format
from archiver.errors import IntegrityError, format_error

FORMAT = "archiver-log-1"
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
MOST_CHAINS = 1_000


class LogLink(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`vault` is None where no store could be asked for it yet. `signer`: the key's fingerprint; where the
    key changes, `next_signer` is the public line of one that may sign from then on."""

    format: str
    vault: str | None
    chain: str
    sequence: int
    previous: Sha256 | None
    sealed_sha256: Sha256
    entry_sha256: Sha256
    archives: Head | None
    logs: Annotated[dict[str, Head], Meta(max_length=MOST_CHAINS)]
    signer: str
    next_signer: str | None = None


def link_fields(link: LogLink) -> Document:
    """What is written: `next_signer` only where there is one."""
    fields: dict[str, Any] = msgspec.to_builtins(link)
    return fields


def parse_link(data: bytes, name: str) -> LogLink:
    """Read a link; raise IntegrityError, naming it, unless it is one of a format that is read here."""
    document = parse_document(data, name)
    try:
        link = msgspec.convert(document, LogLink)
    except msgspec.ValidationError as error:
        require_known_format(data, name, FORMAT)
        raise IntegrityError(f"{name} is no link of the log: {error}") from error
    if link.format != FORMAT:
        raise format_error(name, link.format, FORMAT)
    return link
