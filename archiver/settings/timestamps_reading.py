"""`[[timestamp]]` of `archiver.toml`, read into the dataclass of `archiver.settings.timestamps`.

Plain http is taken, and needs no word of its own: a token is signed by a certificate that is pinned here and
bound to our question by its nonce, and all that goes out is a hash of what is encrypted or public anyway.
Whoever sits in between can keep a token from coming, as with https. The large public authorities answer on
http alone.
"""

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from archiver.settings.table import Table
from archiver.settings.timestamps import AuthoritySettings

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

AUTHORITY_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
MAXIMUM_CERTIFICATES_BYTES: Final = 256 * 1024
MOST_CERTIFICATES: Final = 32
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*")
_ADDRESS: Final = re.compile(r"[!-~]{1,2000}")
_POLICY: Final = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,20}){1,30}")
_POLICY_HINT: Final = "an object identifier, as 1.3.6.1.4.1.4146.2.3"


class _UnusableError(Exception):
    """Why a file of certificates cannot be taken, in words; and what to do."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


def read_timestamps(top: Table, home: Path) -> tuple[AuthoritySettings, ...]:
    """The authorities in the order in which they are asked; none without such a table."""
    authorities: list[AuthoritySettings] = []
    for table in top.tables("timestamp"):
        one = _read_authority(table, home)
        if one.name and any(known.name == one.name for known in authorities):
            table.problem("name", f"an authority {one.name} is given twice", "give each a name of its own")
        authorities.append(one)
    return tuple(authorities)


def _read_authority(table: Table, home: Path) -> AuthoritySettings:
    default = AuthoritySettings("", "", (), ())
    name = table.text("name", pattern=AUTHORITY_NAME, hint="up to 64 of A-Z a-z 0-9 . _ @ -")
    certificates = _read_file(table, "certificate", home)
    _check_usage(table, certificates)
    roots = _read_roots(table, home, certificates)
    return AuthoritySettings(
        name=name,
        url=_read_url(table),
        certificates=_encoded(certificates),
        roots=_encoded(roots),
        policy=_read_policy(table),
        timeout_seconds=table.integer("timeout_seconds", default.timeout_seconds, 1, 120),
        ca_file=table.path("ca_file", None, home, must_exist=True) if table.has("ca_file") else None,
    )


def _read_url(table: Table) -> str:
    """What is there is not repeated in a problem: it may hold a user's name and password."""
    text = table.text("url", pattern=re.compile(r"(?s).+"), hint="as https://timestamp.example.org/tsr")
    if text and not _is_address(text):
        table.problem(
            "url",
            "this is not the address of an authority",
            "as https://timestamp.example.org/tsr, without user and fragment; http will do",
        )
        return ""
    return text


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # a port that is none, brackets that do not match
        return False
    return (
        _ADDRESS.fullmatch(text) is not None
        and parts.scheme in ("http", "https")
        and _HOST.fullmatch(host) is not None
        and port != 0
        and "@" not in parts.netloc
        and "#" not in text
    )


def _read_policy(table: Table) -> str | None:
    policy = table.optional_text("policy", pattern=_POLICY, hint=_POLICY_HINT)
    if policy is None or not _POLICY.fullmatch(policy):
        return None
    from cryptography.x509 import ObjectIdentifier

    try:
        ObjectIdentifier(policy)
    except ValueError:
        table.problem("policy", f"{policy!r} cannot be right", _POLICY_HINT)
    return policy


def _read_roots(table: Table, home: Path, certificates: "list[Certificate]") -> "list[Certificate]":
    """The file `root`; without one the authority's own certificates, where these sign themselves."""
    if table.has("root"):
        return _read_file(table, "root", home)
    if any(one.issuer != one.subject for one in certificates):
        table.problem(
            "root",
            "this is missing: the authority's certificate is signed by another",
            "a PEM file of that one, and of those above it",
        )
    return certificates


def _read_file(table: Table, key: str, home: Path) -> "list[Certificate]":
    """The certificates of a PEM file; none where it cannot be taken, which is noted."""
    path = table.path(key, None, home, must_exist=True)
    if not table.has(key) or not path.is_file():
        return []
    try:
        return _load(path)
    except _UnusableError as error:
        table.problem(key, error.what, error.hint)
        return []


def _load(path: Path) -> "list[Certificate]":
    """Imported here: only hosts with authorities need it."""
    from cryptography.x509 import load_pem_x509_certificates

    hint = "as the authority publishes it: -----BEGIN CERTIFICATE----- …"
    try:
        with path.open("rb") as file:
            data = file.read(MAXIMUM_CERTIFICATES_BYTES + 1)
    except OSError as error:
        raise _UnusableError(f"{path} cannot be read: {error.strerror}", "let this user read it") from error
    if len(data) > MAXIMUM_CERTIFICATES_BYTES:
        raise _UnusableError(f"{path} is larger than {MAXIMUM_CERTIFICATES_BYTES:,} bytes", hint)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is odd in it
            found = load_pem_x509_certificates(data)
            for one in found:  # what is parsed only when it is asked for
                _ = one.subject, one.issuer, one.serial_number, list(one.extensions)
    except Exception as error:  # ValueError, and whatever else a hostile file brings up
        raise _UnusableError(f"{path} holds no certificates in PEM", hint) from error
    if not 0 < len(found) <= MOST_CERTIFICATES:
        raise _UnusableError(f"{path} holds {len(found)} certificates", f"1 to {MOST_CERTIFICATES}")
    return found


def _check_usage(table: Table, certificates: "list[Certificate]") -> None:
    """Each must be for time stamps, and say so as critical (RFC 3161, 2.3): a web server's is often given by
    mistake, and the root in the signing certificate's place."""
    for one in certificates:
        if not _is_for_time_stamps(one):
            table.problem(
                "certificate",
                "not every certificate in this file is for signing time stamps (extended key usage"
                " timeStamping, critical)",
                "the authority's own signing certificate goes here, and what signed it into root",
            )
            return


def _is_for_time_stamps(one: "Certificate") -> bool:
    from cryptography.x509 import ExtendedKeyUsage, ExtensionNotFound
    from cryptography.x509.oid import ExtendedKeyUsageOID

    try:
        usage = one.extensions.get_extension_for_class(ExtendedKeyUsage)
    except ExtensionNotFound:
        return False
    return usage.critical and ExtendedKeyUsageOID.TIME_STAMPING in usage.value


def _encoded(certificates: "list[Certificate]") -> tuple[bytes, ...]:
    from cryptography.hazmat.primitives.serialization import Encoding

    return tuple(dict.fromkeys(one.public_bytes(Encoding.DER) for one in certificates))
