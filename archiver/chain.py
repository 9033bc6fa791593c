"""Hash-chained signed documents: each names its number and the one before it by SHA-256, and is signed.

So a document that is altered, missing, put elsewhere or signed by somebody else shows, with no private
key. That the last ones were cut off shows only against a head known from elsewhere.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from archiver.errors import IntegrityError, NewerVersionError, format_error
from archiver.formats.ssh_signature import (
    AllowedSigners,
    SignatureError,
    Signer,
    SigningKey,
    UnknownSignerError,
    verify,
)

Document = Mapping[str, object]
BEGINNING = "the beginning"
"""What the first document comes after."""


@dataclass(frozen=True)
class Head:
    """The newest document of a chain: its number and the SHA-256 of its bytes, hexadecimal."""

    sequence: int
    sha256: str


@dataclass(frozen=True)
class Link:
    """A document whose place in the chain and whose signature were found right."""

    name: str
    head: Head
    document: dict[str, object]
    principal: str
    """Who signed it, as the list of allowed signers says."""
    fingerprint: str


def encode_document(document: Document) -> bytes:
    """Canonical bytes: UTF-8 JSON, keys sorted, one space a level, a line end. Raise ValueError for what
    JSON cannot hold exactly (NaN, lone surrogates)."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1)
    return text.encode("utf-8") + b"\n"


def document_sha256(data: bytes) -> str:
    """The hash by which the next document names this one."""
    return hashlib.sha256(data).hexdigest()


def next_fields(head: Head | None) -> dict[str, object]:
    """`sequence` and `previous` of the document after `head`; of the first one for None."""
    if head is None:
        return {"sequence": 1, "previous": None}
    return {"sequence": head.sequence + 1, "previous": head.sha256}


def sign_document(document: Document, key: SigningKey, namespace: str) -> tuple[bytes, bytes]:
    """A document's bytes and its signature."""
    data = encode_document(document)
    return data, key.sign(data, namespace)


def parse_document(data: bytes, name: str) -> dict[str, object]:
    """A document's fields. Raise IntegrityError, naming it, for bytes that are no JSON object, or one
    with a key twice, which two readers could read differently."""
    try:
        document = json.loads(data.decode("utf-8"), object_pairs_hook=_unique_keys)
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{name} is not a JSON document: {error}") from error
    if not isinstance(document, dict):
        raise IntegrityError(f"{name} is not a JSON object")
    return document


def require_known_format(data: bytes, name: str, known: str) -> None:
    """Raise NewerVersionError where bytes that cannot be read as they should be are a JSON object of a later
    format than the one `known`, which may have other fields; else do nothing."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return
    named = found.get("format") if isinstance(found, dict) else None
    if isinstance(named, str) and named != known:
        error = format_error(name, named, known)
        if isinstance(error, NewerVersionError):
            raise error


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key stands there twice")
    return fields


def follow_chain(
    documents: Iterable[tuple[str, bytes, bytes]],
    allowed: AllowedSigners,
    namespace: str,
    known_head: Head | None = None,
) -> Iterator[Link]:
    """Check (name, bytes, signature) one after the other and yield what is right.

    Raise IntegrityError at the first that is not: wrongly signed, by an unknown signer, out of order,
    after a hole, not naming the one before by its hash; and at the end where the chain does not hold
    the head known from elsewhere."""
    head: Head | None = None
    before = BEGINNING
    met = known_head is None
    for name, data, signature in documents:
        link = check_link(name, data, signature, allowed, namespace, head, before)
        head, before = link.head, name
        met = met or meets(name, head, known_head)
        yield link
    if not met and known_head is not None:
        last = head.sequence if head else 0
        raise IntegrityError(
            f"number {known_head.sequence} was noted as written, but the chain ends at {last}, {before}",
            "the last ones were cut off: another store may have them: archiver sync",
        )


def check_link(
    name: str,
    data: bytes,
    signature: bytes,
    allowed: AllowedSigners,
    namespace: str,
    head: Head | None,
    before: str,
) -> Link:
    """One document of a chain, found to be rightly signed and to come after `head`, which `before` names;
    None and `BEGINNING` for the first. Raise IntegrityError where it is not."""
    signer = _check_signature(name, data, signature, allowed, namespace)
    document = parse_document(data, name)
    _check_place(name, document, head, before)
    sequence = 1 if head is None else head.sequence + 1
    return Link(name, Head(sequence, document_sha256(data)), document, signer.principal, signer.fingerprint)


def verify_chain(
    documents: Iterable[tuple[str, bytes, bytes]],
    allowed: AllowedSigners,
    namespace: str,
    known_head: Head | None = None,
) -> None:
    """Raise IntegrityError, as `follow_chain` does, unless every document is right."""
    for _ in follow_chain(documents, allowed, namespace, known_head):
        pass


def _check_signature(
    name: str, data: bytes, signature: bytes, allowed: AllowedSigners, namespace: str
) -> Signer:
    try:
        return verify(signature, data, namespace, allowed)
    except UnknownSignerError as error:
        raise IntegrityError(
            f"{name} is signed by somebody else: {error}",
            "if the collector's key was changed, the new one belongs into allowed_signers",
        ) from error
    except SignatureError as error:
        raise IntegrityError(f"{name}: {error}", "it or its signature was altered") from error


def _check_place(name: str, document: Document, head: Head | None, before: str) -> None:
    """Raise where this is not the document that comes after `head`, whose name is `before`."""
    expected = next_fields(head)
    sequence, due = document.get("sequence"), expected["sequence"]
    if sequence != due or isinstance(sequence, bool):
        raise IntegrityError(
            f"{name} has number {_shown(sequence)} where {due} is due, after {before}",
            "what should be between was removed, or the order was changed: archiver sync, if another has it",
        )
    if document.get("previous", "") != expected["previous"]:
        raise IntegrityError(
            f"{name} does not name the document before it ({before}) by its hash",
            f"{before} was replaced by another: archiver repair brings it from another store",
        )


def _shown(sequence: object) -> str:
    return str(sequence) if isinstance(sequence, int) and 0 <= sequence < 10**12 else "none"


def meets(name: str, head: Head, known_head: Head | None) -> bool:
    """Whether this is the known head. Raise where another document has its number."""
    if known_head is None or head.sequence != known_head.sequence:
        return False
    if head.sha256 != known_head.sha256:
        raise IntegrityError(
            f"{name} is not the number {head.sequence} that was noted", "the chain was written anew since"
        )
    return True
