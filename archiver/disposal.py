"""The certificate of disposal: `archives/NAME/disposed.json` and `.sig`. It says that an archive's key was
destroyed on purpose, by whose decision, so that everybody who reads the store tells that from a loss.

No private key is needed to check it, and it holds no personal data. Two things speak for it. The signature of
the keyholder, by the list of who may sign that keyholder's chain of the custody register. And a proof that
whoever made it could open the archive: a number that only the archive's identity gives, whose hash the
manifest has. Archives sealed before manifests had that hash have the signature alone.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from archiver.chain import Document, encode_document, parse_document
from archiver.errors import IntegrityError
from archiver.formats import FormatError
from archiver.formats.ssh_signature import AllowedSigners, SignatureError, SigningKey, verify
from archiver.keys import Identity
from archiver.settings import KEYHOLDER_NAME
from archiver.store_names import check_name
from archiver.stores.base import Store

FORMAT: Final = "archiver-disposal-1"
NAMESPACE: Final = "archiver-disposal"
"""Of the SSH signature over it (PROTOCOL.sshsig)."""
CERTIFICATE: Final = "disposed.json"
SIGNATURE: Final = f"{CERTIFICATE}.sig"
CUSTODY: Final = "_custody"
"""The custody register: chains of the names `_custody.KEYHOLDER` (`archiver.audit.names`)."""
MAXIMUM_BYTES: Final = 1 << 20
SYNC_HINT: Final = "another store may have it: archiver sync"


class Disposal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What it says. `manifest_sha256`: of the archive's `manifest.json`; `rule` of the settings, where the
    reason is retention; `successor`: the archive that took its place, where it is that records were erased.
    `decision`: the id of the register's entry. `proof`: hexadecimal, None of an archive of before."""

    format: str
    vault: str
    archive: str
    manifest_sha256: str
    reason: Literal["retention", "erased"]
    keyholder: str
    at: str
    decision: str
    rule: str | None = None
    successor: str | None = None
    proof: str | None = None

    @property
    def is_proven(self) -> bool:
        """Whether whoever made it could open the archive: what a checked certificate has if its archive's
        manifest lets that be told."""
        return self.proof is not None


@dataclass(frozen=True)
class Place:
    """The archive that a certificate lies beside: what must be in it. `commitment`: the manifest's
    `disposal_sha256`."""

    vault: str
    archive: str
    manifest_sha256: str
    commitment: str | None


def finish_hint(archive: str) -> str:
    """What to do about a disposal that was begun."""
    return f"finish: archiver retention dispose {archive}"


def certificate_name(archive: str) -> str:
    """Where an archive's certificate lies in a store."""
    return f"archives/{archive}/{CERTIFICATE}"


def signature_name(archive: str) -> str:
    """Where its signature lies."""
    return f"archives/{archive}/{SIGNATURE}"


def custody_signers_name(keyholder: str) -> str:
    """Where the list lies of who may sign a keyholder's certificates. Raise ArchiverError for what cannot be
    a keyholder's name."""
    return check_name(f"audit/{CUSTODY}.{keyholder}/allowed_signers")


def proof_of(identity: Identity) -> str:
    """The number that only an archive's identity gives: HMAC-SHA256, hexadecimal. It tells nothing of it."""
    return hmac.new(identity.encode().encode(), FORMAT.encode(), hashlib.sha256).hexdigest()


def commitment_of(identity: Identity) -> str:
    """What the manifest says of that number: its SHA-256."""
    return hashlib.sha256(bytes.fromhex(proof_of(identity))).hexdigest()


def sign_disposal(disposal: Disposal, key: SigningKey) -> tuple[bytes, bytes]:
    """The certificate's bytes and its signature: of the same the same, so that a run that was cut off can be
    gone on with."""
    fields: Document = msgspec.to_builtins(disposal)
    data = encode_document(fields)
    return data, key.sign(data, NAMESPACE)


def check_disposal(
    data: bytes, signature: bytes, place: Place, signers_of: Callable[[str], bytes | None]
) -> Disposal:
    """The certificate. Raise IntegrityError where it is none of this archive, or made by nobody who may.

    `signers_of`: the list of who may sign a keyholder's chain of the register, by the keyholder's name."""
    name = certificate_name(place.archive)
    disposal = _parse(data, name)
    expected = (place.vault, place.archive, place.manifest_sha256)
    if (disposal.vault, disposal.archive, disposal.manifest_sha256) != expected:
        raise IntegrityError(
            f"{name} is of the archive {disposal.archive[:80]!r} of the vault {disposal.vault[:80]!r},"
            " or of another manifest",
            "it was moved here",
        )
    if not KEYHOLDER_NAME.fullmatch(disposal.keyholder):
        raise IntegrityError(f"{name} names no keyholder")
    _check_signature(name, data, signature, disposal, signers_of(disposal.keyholder))
    if place.commitment is None:
        return msgspec.structs.replace(disposal, proof=None)
    if disposal.proof is None or not _fits(disposal.proof, place.commitment):
        raise IntegrityError(
            f"{name} was made by somebody who could not open the archive",
            "it is no certificate: the archive was not disposed of by a keyholder",
        )
    return disposal


@dataclass(frozen=True)
class Certificate:
    """A certificate as it lies in a store, found right: its bytes, their signature, what it says, and the
    list of who may sign it."""

    data: bytes
    signature: bytes
    disposal: Disposal
    signers: bytes


def load_certificate(store: Store, place: Place) -> Certificate | None:
    """The certificate beside an archive; None where there is none. Raise IntegrityError for anything else."""
    name = certificate_name(place.archive)
    data = store.look(name, MAXIMUM_BYTES)
    if data is None:
        return None
    signature = store.look(signature_name(place.archive), MAXIMUM_BYTES)
    if signature is None:
        raise IntegrityError(f"{name} in {store.location} has no signature beside it", SYNC_HINT)
    signers: list[bytes] = []

    def signers_of(keyholder: str) -> bytes | None:
        found = store.look(custody_signers_name(keyholder), MAXIMUM_BYTES)
        signers.extend([] if found is None else [found])
        return found

    disposal = check_disposal(data, signature, place, signers_of)
    return Certificate(data, signature, disposal, signers[0])


def disposed_in_words(disposal: Disposal) -> str:
    """When, why and by whom an archive was disposed of."""
    why = f"rule {disposal.rule}" if disposal.rule else "retention"
    if disposal.reason == "erased":
        why = f"records in it were erased; {disposal.successor} took its place"
    if not disposal.is_proven:
        why += "; by the signature alone, as its manifest is of before"
    return f"disposed of on {disposal.at[:10]} by {disposal.keyholder} ({why})"


def _parse(data: bytes, name: str) -> Disposal:
    document: dict[str, Any] = parse_document(data, name)
    try:
        disposal = msgspec.convert(document, Disposal)
    except msgspec.ValidationError as error:
        raise IntegrityError(f"{name} is no certificate of disposal: {error}") from error
    if disposal.format != FORMAT:
        raise IntegrityError(
            f"{name} has the format {disposal.format[:40]!r}",
            f"this version reads {FORMAT}: update the program; nothing was changed",
        )
    return disposal


def _check_signature(
    name: str, data: bytes, signature: bytes, disposal: Disposal, signers: bytes | None
) -> None:
    hint = "nobody who may has made it: see who could write to the store"
    if signers is None:
        raise IntegrityError(
            f"{name} is by {disposal.keyholder[:80]!r}, who has decided nothing in this vault", hint
        )
    try:
        allowed = AllowedSigners.parse(signers.decode("utf-8", "replace"))
        signer = verify(signature, data, NAMESPACE, allowed)
    except (FormatError, SignatureError) as error:
        raise IntegrityError(f"{name}: {error}", hint) from error
    if signer.principal != f"{CUSTODY}.{disposal.keyholder}":
        raise IntegrityError(f"{name} is signed by {signer.principal}, and says otherwise", hint)


def _fits(proof: str, commitment: str) -> bool:
    try:
        return hmac.compare_digest(hashlib.sha256(bytes.fromhex(proof)).hexdigest(), commitment)
    except (ValueError, TypeError):
        return False
