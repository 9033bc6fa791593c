"""Private keys on disk and archives' keys in a store: make, load, unwrap.

An identity file is the age program's: one key a line, plain or encrypted to a passphrase. An archive's
`key.age` holds the archive's own identity, encrypted to every keyholder.
"""

import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from archiver import disk
from archiver.errors import ConfigurationError, IntegrityError, NoKeyError, repair_hint
from archiver.formats import age
from archiver.formats.age.header import parse_header
from archiver.formats.age.payload import NONCE_BYTES, TAG_BYTES
from archiver.formats.ssh_signature import MalformedKeyError, SigningKey
from archiver.keyholders import Keyholder, Keyholders, Recipient
from archiver.secrets import resolve_secret
from archiver.settings import KeyholderSettings
from archiver.stores.base import NotInStoreError, SmallFiles
from archiver.times import format_date

__all__ = [
    "MAXIMUM_KEY_BYTES",
    "Identity",
    "Keyholder",
    "Keyholders",
    "Recipient",
    "archive_key_name",
    "encode_identity_file",
    "is_age_file",
    "load_identities",
    "load_identity",
    "load_keyholder_signing_key",
    "load_signing_key",
    "new_identity",
    "new_keyholder_signing_key",
    "open_archive_key",
    "seal_archive_key",
]

Identity = age.X25519Identity | age.HybridIdentity

WORK_FACTOR = 18
"""Of scrypt, as in the age program: 256 MiB and about a second for each try."""
MAXIMUM_KEY_BYTES = 1 << 20
"""Of a key file; 256 keyholders' post-quantum stanzas take 400 KiB."""
_ENCRYPTED = (b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----")


def new_identity(*, classic: bool = False) -> Identity:
    """A new key pair from the operating system's randomness: post-quantum, or X25519."""
    return age.X25519Identity.generate() if classic else age.HybridIdentity.generate()


def encode_identity_file(
    identity: Identity,
    name: str,
    now_ms: int,
    passphrase: str | None = None,
    work_factor: int = WORK_FACTOR,
) -> bytes:
    """An identity file as the age program makes it; with a passphrase encrypted to it, and armored."""
    text = (
        f"# created: {format_date(now_ms)}, for {name}\n"
        f"# public key: {identity.recipient().encode()}\n"
        f"{identity.encode()}\n"
    ).encode()
    if passphrase is None:
        return text
    return age.encrypt([age.ScryptRecipient(passphrase, work_factor)], text, armor=True)


def load_identity(path: Path) -> Identity:
    """The one identity in a plain file, as the spool's. Raise ConfigurationError where it is absent,
    malformed, or readable by others."""
    identities = _parse_identity_file(_read_private(path), path)
    if len(identities) != 1:
        raise ConfigurationError(f"{path} holds {len(identities)} identities where one is needed")
    return identities[0]


def load_identities(
    keyholder: KeyholderSettings, environ: Mapping[str, str], prompt: Callable[[str], str]
) -> list[Identity]:
    """A keyholder's identities, asking for the passphrase by its reference, else by `prompt(question)`.

    Raise NoKeyError where the file is absent or the passphrase wrong, ConfigurationError where it is
    malformed, readable by others though plain, or the reference leads nowhere."""
    path = keyholder.identity
    if not path.is_file():
        raise NoKeyError(
            f"there is no identity file {path} of keyholder {keyholder.name}",
            "bring it there, or say in the settings where it is: keyholder.identity",
        )
    data = _read(path)
    if not data.startswith(_ENCRYPTED):
        _check_private(path)
        return _parse_identity_file(data, path)
    if keyholder.passphrase is not None:
        passphrase = resolve_secret(keyholder.passphrase, environ, path.parent)
    else:
        passphrase = prompt(f"Passphrase of {path.name}")
    return _parse_identity_file(_decrypt_identity_file(data, path, passphrase), path)


def needs_passphrase(keyholder: KeyholderSettings) -> bool:
    """Whether a keyholder's identity file is there and encrypted, so that somebody or something has to give
    its passphrase."""
    try:
        return keyholder.identity.is_file() and _read(keyholder.identity).startswith(_ENCRYPTED)
    except ConfigurationError:
        return False


def _decrypt_identity_file(data: bytes, path: Path, passphrase: str) -> bytes:
    try:
        return age.decrypt([age.ScryptIdentity(passphrase)], data)
    except (age.NoMatchError, age.KeyFormatError) as error:
        raise NoKeyError(f"this passphrase does not open {path}", "try again") from error
    except age.AgeError as error:
        raise NoKeyError(f"{path} is damaged: {error}", "take the copy of it that was put by") from error


def _parse_identity_file(data: bytes, path: Path) -> list[Identity]:
    try:
        return age.parse_identities(data.decode("utf-8"))
    except (age.KeyFormatError, UnicodeDecodeError) as error:
        reason = error if isinstance(error, age.KeyFormatError) else "it is not text"
        raise ConfigurationError(f"{path} is not an age identity file: {reason}") from None


def load_signing_key(path: Path) -> SigningKey:
    """The collector's key. Raise ConfigurationError where it is absent, malformed or readable by others."""
    try:
        return SigningKey.parse(_read_private(path))
    except MalformedKeyError as error:
        raise ConfigurationError(f"{path} is not an Ed25519 OpenSSH private key: {error}") from error


def new_keyholder_signing_key(identity: Identity, name: str) -> tuple[SigningKey, bytes]:
    """A new key for a keyholder's part of the log and for evidence packs, and the file that holds it: an
    OpenSSH private key encrypted to the keyholder's own identity, so that what unlocks that unlocks this."""
    key = SigningKey.generate(name)
    return key, age.encrypt([identity.recipient()], key.to_openssh())


def load_keyholder_signing_key(keyholder: KeyholderSettings, identities: Sequence[Identity]) -> SigningKey:
    """A keyholder's signing key, unlocked by the keyholder's identities. Raise NoKeyError where it is absent,
    or none of them opens it, ConfigurationError where it holds something else."""
    path = keyholder.signing_key
    if not path.is_file():
        raise NoKeyError(
            f"there is no signing key {path} of keyholder {keyholder.name}",
            "bring it there from where the identity is from, or say where it is: keyholder.signing_key",
        )
    try:
        return SigningKey.parse(age.decrypt(identities, _read(path)))
    except age.NoMatchError as error:
        raise NoKeyError(
            f"{path}: none of these identities opens it", "it was made for another identity of this keyholder"
        ) from error
    except (age.AgeError, MalformedKeyError) as error:
        raise ConfigurationError(
            f"{path} is no Ed25519 OpenSSH private key, encrypted with age: {error}",
            "take the copy of it that was put by",
        ) from error


def _read_private(path: Path) -> bytes:
    data = _read(path)
    _check_private(path)
    return data


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAXIMUM_KEY_BYTES)
    except FileNotFoundError as error:
        raise ConfigurationError(f"there is no key file {path}") from error
    except OSError as error:
        raise disk.translate_os_error(error, "reading", path) from error


def _check_private(path: Path) -> None:
    """Raise ConfigurationError where others than the owner may read a plain private key."""
    with disk.os_errors_reported("reading", path):
        mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise ConfigurationError(f"the private key {path} can be read by others", f"chmod 600 {path}")


def archive_key_name(archive: str) -> str:
    """Where an archive's key lies in a store."""
    return f"archives/{archive}/key.age"


def seal_archive_key(identity: Identity, recipients: Sequence[Recipient]) -> bytes:
    """The bytes of `key.age`: an archive's identity, encrypted to every keyholder."""
    return age.encrypt(recipients, f"{identity.encode()}\n".encode())


def open_archive_key(
    files: SmallFiles, archive: str, identities: Sequence[Identity], recipient: str | None = None
) -> Identity:
    """An archive's identity. `recipient` is what its manifest says it must be.

    Where something that is no key of it was put over it, in a store that keeps what lay there before, the
    newest below counts that is one. A sound file that none of the identities opens is not read past: a
    keyholder who was removed is not let in by an older one. Raise NoKeyError there, IntegrityError where it
    is missing, altered or another archive's."""
    name = archive_key_name(archive)
    try:
        data = files.read(name, MAXIMUM_KEY_BYTES)
        return _open_key(data, archive, identities, recipient)
    except NotInStoreError:
        raise
    except IntegrityError:
        for older in files.read_versions(name, MAXIMUM_KEY_BYTES):
            with suppress(IntegrityError):
                return _open_key(older, archive, identities, recipient)
        raise


def _open_key(data: bytes, archive: str, identities: Sequence[Identity], recipient: str | None) -> Identity:
    name = archive_key_name(archive)
    try:
        found = age.parse_identities(age.decrypt(identities, data).decode("ascii"))
    except age.NoMatchError as error:
        raise NoKeyError(
            f"{name}: none of these identities opens it", "use the identity of another keyholder"
        ) from error
    except (age.AgeError, UnicodeDecodeError) as error:
        reason = error if isinstance(error, age.AgeError) else "it holds no identity"
        raise IntegrityError(f"{name}: {reason}", repair_hint(archive)) from None
    if len(found) != 1 or (recipient is not None and found[0].recipient().encode() != recipient):
        raise IntegrityError(f"{name}: this is not the key of archive {archive}", repair_hint(archive))
    return found[0]


def is_age_file(data: bytes) -> bool:
    """Whether these bytes are a whole age file that holds something (age v1, "Header" and "Payload"). What
    it holds, and whether its header was altered, only an identity tells."""
    try:
        header = parse_header(data)
    except age.AgeError:
        return False
    return len(data) - header.length > NONCE_BYTES + TAG_BYTES
