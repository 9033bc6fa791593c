"""What age files and age keys can be refused for.

FormatError
└── AgeError
    ├── HeaderError            the header, or a stanza meant for one of our identities, is malformed
    ├── NoMatchError           no identity opens any stanza
    ├── HmacError              the header was altered after it was written
    ├── PayloadError           a chunk is altered, missing, cut or out of order
    ├── ArmorError             the ASCII armor is malformed
    ├── KeyFormatError         an identity, recipient or passphrase that is none
    └── MixedRecipientsError   recipients that must not share a file

No message ever contains key material or a passphrase.
"""

from archiver.formats.errors import FormatError


class AgeError(FormatError):
    """The base: bytes, keys or recipients that age does not accept."""


class HeaderError(AgeError):
    """The header does not follow the specification ("Header")."""


class NoMatchError(AgeError):
    """The header is well formed, but none of the identities opens it."""


class HmacError(AgeError):
    """The header's MAC does not fit the file key ("Header MAC")."""


class PayloadError(AgeError):
    """A chunk failed; `chunk` is its number, counted from zero."""

    def __init__(self, chunk: int, problem: str) -> None:
        super().__init__(f"chunk {chunk} {problem}")
        self.chunk = chunk


class ArmorError(AgeError):
    """The ASCII armor is not the strict PEM that the specification asks for ("ASCII armor")."""


class KeyFormatError(AgeError):
    """Text that is no age identity or recipient, or an empty passphrase."""


class MixedRecipientsError(AgeError):
    """A passphrase beside anything else, or post-quantum beside classic recipients."""
