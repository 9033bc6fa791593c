"""A chain of the log followed from entry to entry, each held against everything that can be known of it
without a private key."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from archiver.audit.bundle import unpack
from archiver.audit.link import LogLink, parse_link
from archiver.audit.names import NAMESPACE, entry_name, parse_entry_name, signers_name, stem_of
from archiver.chain import BEGINNING, Head, check_link, document_sha256
from archiver.errors import IntegrityError
from archiver.formats import FormatError
from archiver.formats.ssh_signature import (
    AllowedSigners,
    SignatureError,
    SigningKey,
    allowed_signers_line,
    verify,
)

SYNC_HINT = "another store may have it: archiver sync"


@dataclass(frozen=True)
class Unpacked:
    """An entry taken apart, its shape and names right and its sealed bytes those that the link names. Whether
    it is rightly signed and in its place was not looked at."""

    name: str
    head: Head
    link: LogLink
    link_data: bytes
    signature: bytes
    sealed: bytes


def unpack_entry(data: bytes, name: str) -> Unpacked:
    """Take an entry apart by its name in the store. Raise IntegrityError, naming it, for anything else than
    one of that chain and number whose sealed bytes are those that its link says."""
    place = parse_entry_name(name)
    if place is None:
        raise IntegrityError(
            f"{name} is no name of an entry of the log", "it was put there by something else"
        )
    chain, sequence = place
    bundle = unpack(data, stem_of(sequence), name)
    link = parse_link(bundle.link, name)
    if (link.chain, link.sequence) != (chain, sequence):
        raise IntegrityError(
            f"{name} is number {link.sequence} of the log of {link.chain[:80]!r}", "it was moved here"
        )
    if hashlib.sha256(bundle.sealed).hexdigest() != link.sealed_sha256:
        raise IntegrityError(f"{name} was altered: what is sealed in it is not what its link says")
    head = Head(sequence, document_sha256(bundle.link))
    return Unpacked(name, head, link, bundle.link, bundle.signature, bundle.sealed)


def parse_signers(data: bytes, chain: str) -> AllowedSigners:
    """Who may sign a chain, as its own list says; raise IntegrityError where it is none."""
    try:
        return AllowedSigners.parse(data.decode("utf-8", "replace"))
    except FormatError as error:
        raise IntegrityError(f"{signers_name(chain)} is no list of signers: {error}") from error


def may_sign(allowed: AllowedSigners, key: SigningKey) -> bool:
    """Whether a list has this key."""
    try:
        verify(key.sign(b"", NAMESPACE), b"", NAMESPACE, allowed)
    except SignatureError:
        return False
    return True


class Follower:
    """Follows one chain of a vault. `head`: where it is taken up, None for its beginning. `vault` None: of
    whichever vault the first entry that names one is of."""

    def __init__(
        self,
        chain: str,
        allowed: AllowedSigners,
        *,
        vault: str | None = None,
        head: Head | None = None,
    ) -> None:
        self.chain = chain
        self.allowed = allowed
        self.head = head
        self.vault = vault
        self._before = BEGINNING if head is None else entry_name(chain, head.sequence)

    def follow(self, entry: Unpacked) -> None:
        """Take the next entry. Raise IntegrityError, and stay where it was, unless it is rightly signed by
        one who may, names the one before it, and is of this vault."""
        link = check_link(
            entry.name, entry.link_data, entry.signature, self.allowed, NAMESPACE, self.head, self._before
        )
        if link.fingerprint != entry.link.signer or link.principal != self.chain:
            raise IntegrityError(
                f"{entry.name} is signed by {link.principal}, {link.fingerprint}, and says otherwise"
            )
        self._check(entry)
        self.head, self._before = link.head, entry.name

    def follow_alone(self, entry: Unpacked) -> None:
        """Take an entry up by itself, behind one that cannot be held against it. Raise IntegrityError unless
        it is rightly signed and of this vault."""
        before = entry.link.previous
        self.head = None if before is None else Head(entry.head.sequence - 1, before)
        self.follow(entry)

    def restart(self, entry: Unpacked) -> None:
        """Go on behind an entry that is not what it should be, to find what else is wrong."""
        self.head, self._before = entry.head, entry.name

    def _check(self, entry: Unpacked) -> None:
        if entry.link.vault is not None:
            self.vault = self.vault or entry.link.vault
        if entry.link.vault not in (None, self.vault):
            raise IntegrityError(
                f"{entry.name} belongs to the vault {entry.link.vault!r}",
                "it was moved here",
            )
        if entry.link.next_signer is not None:
            self.allowed = allow_more(self.allowed, self.chain, entry.link.next_signer, entry.name)


def allow_more(allowed: AllowedSigners, chain: str, public_line: str, name: str) -> AllowedSigners:
    """The list with a key more, which an entry names that a key of the list signed."""
    try:
        more = AllowedSigners.parse(allowed_signers_line(chain, public_line, [NAMESPACE]))
    except FormatError as error:
        raise IntegrityError(f"{name} names a key to sign the chain that is none: {error}") from error
    return AllowedSigners((*allowed.entries, *more.entries))


def last_of(names: Iterable[str]) -> dict[str, int]:
    """Of names in a store, the highest number of each chain."""
    last: dict[str, int] = {}
    for name in names:
        place = parse_entry_name(name)
        if place is not None and place[1] > last.get(place[0], 0):
            last[place[0]] = place[1]
    return last
