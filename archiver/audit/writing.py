"""The next entry of a chain: made, encrypted, signed and packed, to be put somewhere in one go."""

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from archiver.audit.bundle import MAXIMUM_BYTES, Bundle, pack
from archiver.audit.entry import Entry, encode_entry
from archiver.audit.link import FORMAT, LogLink, link_fields
from archiver.audit.names import NAMESPACE, entry_name, stem_of
from archiver.chain import Head, document_sha256, next_fields, sign_document
from archiver.errors import ArchiverError
from archiver.formats import age
from archiver.formats.ssh_signature import SigningKey
from archiver.keyholders import Recipient
from archiver.times import parse_time

NONCE_BYTES = 16
RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, repr=False)
class ChainWriter:
    """Who writes a chain: its name, the vault it is of, the key that signs it, and who may read it."""

    chain: str
    vault: str | None
    key: SigningKey
    recipients: Sequence[Recipient]


@dataclass(frozen=True)
class Known:
    """What an entry says of the rest: the vault's last archive, and the ends of other chains, as far as this
    program knew them."""

    archives: Head | None = None
    logs: Mapping[str, Head] | None = None


@dataclass(frozen=True)
class Made:
    """An entry that can be put: its place in the chain, its name in a store, and all its bytes."""

    head: Head
    name: str
    data: bytes
    link: LogLink
    link_data: bytes
    signature: bytes
    entry: Entry
    entry_data: bytes


def new_nonce(random_bytes: RandomBytes = secrets.token_bytes) -> str:
    """128 random bits, hexadecimal."""
    return random_bytes(NONCE_BYTES).hex()


def make_next(
    writer: ChainWriter, head: Head | None, entry: Entry, known: Known, *, next_signer: str | None = None
) -> Made:
    """The entry after `head`, the first one for None. `next_signer`: the public line of a key that may sign
    the chain from then on. Raise ArchiverError where nobody could read it, or it would be too large."""
    place = next_fields(head)
    sequence = int(str(place["sequence"]))
    entry = replace(entry, sequence=sequence)
    entry_data = encode_entry(entry)
    try:
        sealed = age.encrypt(writer.recipients, entry_data)
    except age.AgeError as error:
        raise ArchiverError(
            f"the log cannot be encrypted to those who may read it: {error}", "see [log] recipients"
        ) from error
    link = LogLink(
        format=FORMAT,
        vault=writer.vault,
        chain=writer.chain,
        sequence=sequence,
        previous=None if head is None else head.sha256,
        sealed_sha256=hashlib.sha256(sealed).hexdigest(),
        entry_sha256=hashlib.sha256(entry_data).hexdigest(),
        archives=known.archives,
        logs={name: one for name, one in (known.logs or {}).items() if name != writer.chain},
        signer=writer.key.fingerprint(),
        next_signer=next_signer,
    )
    link_data, signature = sign_document(link_fields(link), writer.key, NAMESPACE)
    seconds = parse_time(entry.at) // 1000
    data = pack(Bundle(link_data, signature, sealed), stem_of(sequence), seconds)
    if len(data) > MAXIMUM_BYTES:
        raise ArchiverError(f"an entry of the log would have {len(data):,} bytes", "say it in fewer words")
    return Made(
        Head(sequence, document_sha256(link_data)),
        entry_name(writer.chain, sequence),
        data,
        link,
        link_data,
        signature,
        entry,
        entry_data,
    )
