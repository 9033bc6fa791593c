"""OpenSSH's file signatures (SSHSIG) with Ed25519 keys, and the lists of who may sign.

`ssh-keygen -Y verify` accepts what `SigningKey.sign` makes, and `verify` what `ssh-keygen -Y sign` makes.

Source: OpenSSH's PROTOCOL.sshsig (signatures), PROTOCOL.key (private keys), ssh-keygen(1), "ALLOWED
SIGNERS", with sshsig.c and misc.c where the manual is silent; RFC 8709 (Ed25519 in SSH).
"""

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from archiver.formats.errors import FormatError

_KEY_TYPE = b"ssh-ed25519"
_PREAMBLE = b"SSHSIG"
_VERSION = 1
_HASHES = {b"sha256": hashlib.sha256, b"sha512": hashlib.sha512}
_ARMOR_BEGIN = b"-----BEGIN SSH SIGNATURE-----\n"
_ARMOR_END = b"\n-----END SSH SIGNATURE-----"
_KEY_BEGIN = b"-----BEGIN OPENSSH PRIVATE KEY-----\n"
_KEY_END = b"\n-----END OPENSSH PRIVATE KEY-----"
_KEY_MAGIC = b"openssh-key-v1\0"
_LINE_CHARACTERS = 70  # as ssh-keygen wraps both
_MAX_ARMOR_BYTES = 1 << 16  # an Ed25519 signature or key takes some hundreds


class SignatureError(FormatError):
    """A signature, key or list of signers that is malformed or does not vouch for the message.

    SignatureError
    ├── MalformedSignatureError   not an SSHSIG of a kind read here
    ├── WrongNamespaceError       made, or its signer allowed, for another purpose
    ├── BadSignatureError         another message, or not by the key it names
    ├── UnknownSignerError        by a key that is not on the list
    ├── SignerNotValidError       by a key on the list, outside the times given there
    ├── MalformedKeyError         a private or public key that cannot be read
    └── AllowedSignersError       a list of signers that cannot be read
    """


class MalformedSignatureError(SignatureError):
    """Not an SSHSIG of a kind read here."""


class WrongNamespaceError(SignatureError):
    """Made for another namespace, or by a key not allowed in this one."""


class BadSignatureError(SignatureError):
    """The message is not what was signed, or the key not the one that signed it."""


class UnknownSignerError(SignatureError):
    """Valid, but by a key that is not on the list."""


class SignerNotValidError(SignatureError):
    """By a key on the list, outside the times given there."""


class MalformedKeyError(SignatureError):
    """A private or public key that cannot be read."""


class AllowedSignersError(SignatureError):
    """A list of allowed signers that cannot be read."""


@dataclass(frozen=True)
class Signer:
    """Who made a signature: the list's name for the key, and the key's fingerprint ("SHA256:…")."""

    principal: str
    fingerprint: str


class SigningKey:
    """An Ed25519 private key and its comment. Shows its fingerprint, never the key."""

    def __init__(self, private_key: Ed25519PrivateKey, comment: str = "") -> None:
        _require_one_line(comment)
        self._private_key = private_key
        self._public_blob = _public_blob(private_key.public_key().public_bytes_raw())
        self.comment = comment

    @classmethod
    def generate(cls, comment: str = "") -> Self:
        """Make a new key from the operating system's randomness."""
        return cls(Ed25519PrivateKey.generate(), comment)

    @classmethod
    def parse(cls, data: bytes, passphrase: bytes | None = None) -> Self:
        """Read an OpenSSH private key. Raise MalformedKeyError for anything else, a wrong passphrase, or
        an encrypted key where the package bcrypt, which its key derivation needs, is not installed."""
        container = _Fields(_dearmor(data, _KEY_BEGIN, _KEY_END, MalformedKeyError), MalformedKeyError)
        container.expect(_KEY_MAGIC)
        cipher, kdf, _kdf_options = container.string(), container.string(), container.string()
        if cipher == b"none" and kdf == b"none":
            return cls(*_parse_plain_container(container))
        return cls(_load_encrypted(data, passphrase))

    def to_openssh(self) -> bytes:
        """The key as an unencrypted OpenSSH private key file; the caller keeps it from other eyes."""
        public = self._private_key.public_key().public_bytes_raw()
        seed = self._private_key.private_bytes_raw()
        # The two check numbers tell a wrong passphrase; without encryption any equal pair does.
        secret = bytes(8) + _strings(_KEY_TYPE, public, seed + public, self.comment.encode())
        secret += bytes(range(1, 1 + -len(secret) % 8))
        head = _KEY_MAGIC + _strings(b"none", b"none", b"") + struct.pack(">I", 1)
        return _armor(head + _strings(self._public_blob, secret), _KEY_BEGIN, _KEY_END)

    def public_line(self) -> str:
        """The public key as in a `.pub` file, without a line end: type, base64, comment."""
        encoded = base64.b64encode(self._public_blob).decode()
        return f"{_KEY_TYPE.decode()} {encoded} {self.comment}".rstrip()

    def fingerprint(self) -> str:
        """ "SHA256:…" as `ssh-keygen -l` shows it."""
        return _fingerprint(self._public_blob)

    def sign(self, message: bytes, namespace: str) -> bytes:
        """An armored signature over `message`, hashed with SHA-512, good in `namespace` only."""
        if not namespace:
            raise ValueError("a signature's namespace must not be empty")
        name = namespace.encode()
        signature = self._private_key.sign(_signed_data(name, b"sha512", message))
        blob = _PREAMBLE + struct.pack(">I", _VERSION)
        blob += _strings(self._public_blob, name, b"", b"sha512", _strings(_KEY_TYPE, signature))
        return _armor(blob, _ARMOR_BEGIN, _ARMOR_END)

    def __repr__(self) -> str:
        return f"<SigningKey {self.fingerprint()}>"


def public_key_fingerprint(public_line: str) -> str:
    """The fingerprint of a public key line. Raise MalformedKeyError where it is not an Ed25519 key."""
    return _fingerprint(_parse_ed25519_line(public_line))


def written_alike(armored: bytes) -> bytes:
    """The same signature as `sign` writes it: ssh-keygen takes it without its last line end, too, and so does
    `verify`. Raise MalformedSignatureError for what is none."""
    return _armor(
        _dearmor(armored, _ARMOR_BEGIN, _ARMOR_END, MalformedSignatureError), _ARMOR_BEGIN, _ARMOR_END
    )


def verify(
    signature: bytes, message: bytes, namespace: str, allowed: "AllowedSigners", at: datetime | None = None
) -> Signer:
    """Return who on the list `allowed` signed `message` for `namespace`, allowed to at the time `at`.

    Without `at` that is now, as for ssh-keygen. Raise the SignatureError that says what is wrong; the
    checks are made in this order: form, namespace, the signature itself, the signer.
    """
    if at is not None and at.tzinfo is None:
        raise ValueError("the time to verify at needs a time zone")
    if not namespace:
        raise ValueError("a signature's namespace must not be empty")
    parsed = _ParsedSignature.parse(signature)
    if parsed.namespace != namespace.encode():
        raise WrongNamespaceError(f"signed for the namespace {parsed.namespace!r}, not {namespace!r}")
    try:
        Ed25519PublicKey.from_public_bytes(parsed.public_key).verify(
            parsed.signature, _signed_data(parsed.namespace, parsed.hash_name, message)
        )
    except (InvalidSignature, ValueError) as error:
        raise BadSignatureError("the signature does not fit the message") from error
    return allowed.find(_public_blob(parsed.public_key), namespace, at or datetime.now(UTC))


@dataclass(frozen=True)
class AllowedSigner:
    """One line of a list: names, a key, and where and when it may sign."""

    principal: str
    key_blob: bytes
    namespaces: str | None = None
    valid_after: datetime | None = None
    valid_before: datetime | None = None

    def require(self, namespace: str, at: datetime) -> None:
        """Raise where the line's options forbid this use; the last second is still allowed."""
        if self.namespaces is not None and not _in_pattern_list(namespace, self.namespaces):
            raise WrongNamespaceError(f"{self.principal} may not sign for the namespace {namespace!r}")
        if self.valid_after is not None and at < self.valid_after:
            raise SignerNotValidError(f"{self.principal}'s key is valid only after {self.valid_after}")
        if self.valid_before is not None and at > self.valid_before:
            raise SignerNotValidError(f"{self.principal}'s key was valid only before {self.valid_before}")


@dataclass(frozen=True)
class AllowedSigners:
    """The keys that may sign, as an OpenSSH `allowed_signers` file states them."""

    entries: tuple[AllowedSigner, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the file's text. Raise AllowedSignersError naming the first line that cannot be read.

        Keys of other types than Ed25519 are kept but can match nothing; certificate authorities are
        refused, for a list that allows more than is read here must not pass silently.
        """
        entries = []
        for number, line in enumerate(text.split("\n"), 1):
            stripped = line.strip(" \t\r")
            if stripped and not stripped.startswith("#"):
                try:
                    entries.append(_parse_allowed_line(stripped))
                except AllowedSignersError as error:
                    raise AllowedSignersError(f"line {number}: {error}") from error
        return cls(tuple(entries))

    def find(self, key_blob: bytes, namespace: str, at: datetime) -> Signer:
        """The first line that has the key and allows this use; else raise what the last such forbade."""
        refusal: SignatureError = UnknownSignerError(f"the key {_fingerprint(key_blob)} is not on the list")
        for entry in self.entries:
            if entry.key_blob == key_blob:
                try:
                    entry.require(namespace, at)
                except SignatureError as error:
                    refusal = error
                else:
                    return Signer(entry.principal, _fingerprint(key_blob))
        raise refusal


def allowed_signers_line(principal: str, public_line: str, namespaces: Sequence[str] | None = None) -> str:
    """A line, without its end, that allows the key of `public_line` under the name `principal`.

    Raise AllowedSignersError for names the format cannot hold, MalformedKeyError for the key.
    """
    for name in (principal, *(namespaces or ())):
        if not (name.isprintable() and re.fullmatch(r'(?!#)[^\s",!*?\\]+', name)):
            raise AllowedSignersError(f"{name!r} cannot be a name in a list of signers")
    _parse_ed25519_line(public_line)
    options = "" if namespaces is None else f'namespaces="{",".join(namespaces)}" '
    return f"{principal} {options}{public_line.strip()}"


_QUOTED = r'(?:\\"|[^"\\]|\\(?!"))*'  # exactly one way to match, so that no line takes long
_PRINCIPALS = re.compile(r'([^ \t\r"]*)(?:"([^"]*)"|(?=[ \t\r]))[ \t\r]*')
_OPTIONS = re.compile(rf'((?:\\"|"{_QUOTED}"|[^ \t"\\]|\\(?!"))+)[ \t]+')
_OPTION = re.compile(
    rf'(?:(?P<flag>cert-authority)|(?P<name>namespaces|valid-after|valid-before)="(?P<value>{_QUOTED})")'
    r"(?:,(?=.)|$)",
    re.IGNORECASE,
)
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z|UTC)?", re.IGNORECASE | re.ASCII)


def _parse_allowed_line(line: str) -> AllowedSigner:
    """Principals, options, key and comment of one line. Source: sshsig.c, ssh-keygen(1)."""
    names = _PRINCIPALS.match(line)
    principal = names[1] + (names[2] or "") if names else ""
    if names is None or not principal:
        raise AllowedSignersError("a name and a key are needed")
    rest = line[names.end() :]
    key_blob = _parse_key_words(rest)
    if key_blob is not None:
        return AllowedSigner(principal, key_blob)
    options = _OPTIONS.match(rest)
    key_blob = _parse_key_words(rest[options.end() :]) if options else None
    if options is None or key_blob is None:
        raise AllowedSignersError("there is no key")
    stated = dict(_parse_options(options[1]))
    after, before = (_parse_time(stated.get(name)) for name in ("valid-after", "valid-before"))
    if after is not None and before is not None and before <= after:
        raise AllowedSignersError("valid-before is not later than valid-after")
    return AllowedSigner(principal, key_blob, stated.get("namespaces"), after, before)


def _parse_options(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    seen = set()
    while position < len(text):
        option = _OPTION.match(text, position)
        if option is None:
            raise AllowedSignersError(f"unknown option at {text[position:]!r}")
        if option["flag"]:
            raise AllowedSignersError("certificate authorities are not supported")
        name = option["name"].lower()
        if name in seen:
            raise AllowedSignersError(f"{name} is there twice")
        seen.add(name)
        yield name, option["value"].replace('\\"', '"')
        position = option.end()


def _parse_time(text: str | None) -> datetime | None:
    """YYYYMMDD[HHMM[SS]], in UTC where a Z follows, else in the machine's time zone, as ssh-keygen does."""
    if text is None:
        return None
    match = _TIME.fullmatch(text)
    if match is None:
        raise AllowedSignersError(f"{text!r} is not a time")
    *numbers, zone = match.groups()
    year, month, day, hour, minute, second = (int(number or 0) for number in numbers)
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        if not zone:
            moment = moment.replace(tzinfo=None).astimezone()
    except (ValueError, OverflowError) as error:
        raise AllowedSignersError(f"{text!r} is not a time: {error}") from error
    if moment.timestamp() <= 0:
        raise AllowedSignersError(f"{text!r} is before 1970, which ssh-keygen refuses")
    return moment


def _parse_key_words(text: str) -> bytes | None:
    """The key blob of "type base64 [comment]", None where that is not what the text begins with."""
    words = re.split(r"[ \t]+", text, maxsplit=2)
    if len(words) < 2:
        return None
    try:
        key_type, blob = words[0].encode(), base64.b64decode(words[1], validate=True)
    except ValueError:  # not base64, or not even text that can be encoded
        return None
    return blob if blob.startswith(_strings(key_type)) else None


def _in_pattern_list(name: str, patterns: str) -> bool:
    """Whether the comma-separated patterns (`*`, `?`, `!` to exclude) have the name: ssh_config(5)."""
    found = False
    for pattern in patterns.split(","):
        # fnmatch also knows [classes], which OpenSSH's patterns do not.
        if fnmatchcase(name, pattern.removeprefix("!").replace("[", "[[]")):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def _parse_ed25519_line(public_line: str) -> bytes:
    _require_one_line(public_line.strip())
    blob = _parse_key_words(public_line.strip())
    if blob is None:
        raise MalformedKeyError("this is not a public key line")
    return _public_blob(_parse_public_blob(blob, MalformedKeyError))


@dataclass(frozen=True)
class _ParsedSignature:
    public_key: bytes
    namespace: bytes
    hash_name: bytes
    signature: bytes

    @classmethod
    def parse(cls, armored: bytes) -> Self:
        """Source: PROTOCOL.sshsig, sections 1 and 2. The reserved field is ignored, as it asks."""
        fault = MalformedSignatureError
        fields = _Fields(_dearmor(armored, _ARMOR_BEGIN, _ARMOR_END, fault), fault)
        fields.expect(_PREAMBLE)
        fields.expect(struct.pack(">I", _VERSION))
        public_blob, namespace, _reserved = fields.string(), fields.string(), fields.string()
        hash_name, inner = fields.string(), fields.string()
        fields.expect_end()
        if hash_name not in _HASHES:
            raise fault(f"the hash {hash_name[:32]!r} is not sha256 or sha512")
        signature = _Fields(inner, fault)
        key_type, raw_signature = signature.string(), signature.string()
        signature.expect_end()
        if key_type != _KEY_TYPE or len(raw_signature) != 64:
            raise fault(f"only Ed25519 signatures are read, this is {key_type[:64]!r}")
        return cls(_parse_public_blob(public_blob, fault), namespace, hash_name, raw_signature)


class _Fields:
    """Takes SSH's fields off bytes one by one (RFC 4251, section 5); raises `fault` where they end."""

    def __init__(self, data: bytes, fault: type[SignatureError]) -> None:
        self._data = data
        self._position = 0
        self._fault = fault

    def take(self, length: int) -> bytes:
        end = self._position + length
        if end > len(self._data):
            raise self._fault("it ends too early")
        taken, self._position = self._data[self._position : end], end
        return taken

    def uint32(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        return self.take(self.uint32())

    def rest(self) -> bytes:
        return self.take(len(self._data) - self._position)

    def expect(self, constant: bytes) -> None:
        if self.take(len(constant)) != constant:
            raise self._fault(f"{constant!r} is not where it should be")

    def expect_end(self) -> None:
        if self.rest():
            raise self._fault("something follows its end")


def _parse_plain_container(container: _Fields) -> tuple[Ed25519PrivateKey, str]:
    """The key and the comment of an unencrypted container. Source: PROTOCOL.key, sections 1 to 3."""
    container.expect(struct.pack(">I", 1))
    public = _parse_public_blob(container.string(), MalformedKeyError)
    secret = _Fields(container.string(), MalformedKeyError)
    container.expect_end()
    if secret.uint32() != secret.uint32():
        raise MalformedKeyError("the private key's check numbers differ")
    secret.expect(_strings(_KEY_TYPE, public))
    pair, comment, padding = secret.string(), secret.string(), secret.rest()
    if len(padding) > 255 or padding != bytes(range(1, 1 + len(padding))):
        raise MalformedKeyError("the private key's padding is wrong")
    if len(pair) != 64:
        raise MalformedKeyError("the private key is not 64 bytes")
    key = Ed25519PrivateKey.from_private_bytes(pair[:32])
    # A stated public half that is not the key's own would, in some signers, give the key away.
    if not key.public_key().public_bytes_raw() == pair[32:] == public:
        raise MalformedKeyError("the private and the public key do not belong together")
    shown = comment.decode(errors="replace")
    return key, "".join(character if character.isprintable() else "?" for character in shown)


def _load_encrypted(data: bytes, passphrase: bytes | None) -> Ed25519PrivateKey:
    if passphrase is None:
        raise MalformedKeyError("the private key is encrypted and needs its passphrase")
    # Imported here: it costs 20 ms, and a search signs its log entry with an unencrypted key.
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    try:
        key = load_ssh_private_key(data, passphrase)
    except UnsupportedAlgorithm as error:
        raise MalformedKeyError(f"the encrypted private key cannot be read here: {error}") from error
    except (ValueError, TypeError) as error:
        raise MalformedKeyError("the passphrase does not open the private key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise MalformedKeyError("the private key is not an Ed25519 one")
    return key


def _parse_public_blob(blob: bytes, fault: type[SignatureError]) -> bytes:
    fields = _Fields(blob, fault)
    key_type = fields.string()
    if key_type != _KEY_TYPE:
        raise fault(f"only Ed25519 keys are read, this is {key_type[:64]!r}")
    public = fields.string()
    fields.expect_end()
    if len(public) != 32:
        raise fault("the public key is not 32 bytes")
    return public


def _signed_data(namespace: bytes, hash_name: bytes, message: bytes) -> bytes:
    """PROTOCOL.sshsig, section 3."""
    return _PREAMBLE + _strings(namespace, b"", hash_name, _HASHES[hash_name](message).digest())


def _public_blob(public: bytes) -> bytes:
    return _strings(_KEY_TYPE, public)


def _strings(*values: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(value)) + value for value in values)


def _fingerprint(blob: bytes) -> str:
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _armor(blob: bytes, begin: bytes, end: bytes) -> bytes:
    text = base64.b64encode(blob)
    lines = (text[i : i + _LINE_CHARACTERS] for i in range(0, len(text), _LINE_CHARACTERS))
    return begin + b"\n".join(lines) + end + b"\n"


def _dearmor(armored: bytes, begin: bytes, end: bytes, fault: type[SignatureError]) -> bytes:
    """The bytes between the marks. A carriage return before a line end is let pass."""
    if len(armored) > _MAX_ARMOR_BYTES:
        raise fault(f"{len(armored)} bytes are more than it can have")
    text = armored.replace(b"\r\n", b"\n").rstrip()
    if not (text.startswith(begin) and text.endswith(end)):
        raise fault(f"it is not between {begin.strip().decode()} and {end.strip().decode()}")
    try:
        return base64.b64decode(b"".join(text[len(begin) : -len(end)].split(b"\n")), validate=True)
    except binascii.Error as error:
        raise fault("its base64 is broken") from error


def _require_one_line(text: str) -> None:
    if not text.isprintable():
        raise MalformedKeyError("a key's comment must be one printable line")
