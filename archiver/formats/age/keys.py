"""Identities and recipients from text: single keys, and files of one key a line."""

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from archiver.formats.age.errors import KeyFormatError
from archiver.formats.age.header import Stanza
from archiver.formats.age.stanzas.hybrid import HybridIdentity, HybridRecipient
from archiver.formats.age.stanzas.x25519 import X25519Identity, X25519Recipient

_Key = TypeVar("_Key")


class Recipient(Protocol):
    """What a file is encrypted to. Recipients share a file only if their labels are the same."""

    @property
    def labels(self) -> frozenset[str]: ...

    def wrap(self, file_key: bytes) -> Stanza: ...


def parse_identity(text: str) -> X25519Identity | HybridIdentity:
    """Read one `AGE-SECRET-KEY-1…` or `AGE-SECRET-KEY-PQ-1…`; raise KeyFormatError, not quoting it."""
    text = text.strip()
    if text.startswith("AGE-SECRET-KEY-PQ-1"):
        return HybridIdentity.parse(text)
    if text.startswith("AGE-SECRET-KEY-1"):
        return X25519Identity.parse(text)
    raise KeyFormatError("an identity starts with AGE-SECRET-KEY-1 or AGE-SECRET-KEY-PQ-1")


def parse_recipient(text: str) -> X25519Recipient | HybridRecipient:
    """Read one `age1…` or `age1pq1…`; raise KeyFormatError, not quoting it: it may be a secret, misplaced."""
    text = text.strip()
    if text.startswith("age1pq1"):
        return HybridRecipient.parse(text)
    if text.startswith("age1"):
        return X25519Recipient.parse(text)
    raise KeyFormatError("a recipient starts with age1 or age1pq1")


def parse_identities(text: str) -> list[X25519Identity | HybridIdentity]:
    """Read an identity file: one a line, `#` comments and empty lines skipped; raise KeyFormatError."""
    return list(_parse_lines(text, parse_identity, "identity"))


def parse_recipients(text: str) -> list[X25519Recipient | HybridRecipient]:
    """Read a recipients file: one a line, `#` comments and empty lines skipped; raise KeyFormatError."""
    return list(_parse_lines(text, parse_recipient, "recipient"))


def _parse_lines(text: str, parse: Callable[[str], _Key], noun: str) -> Iterator[_Key]:
    found = False
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        found = True
        try:
            yield parse(line)
        except KeyFormatError as error:
            raise KeyFormatError(f"line {number}: {error}") from error
    if not found:
        raise KeyFormatError(f"the file holds no {noun}")
