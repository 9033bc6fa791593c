"""That what a pack says of the log was signed by whoever signed the pack."""

import base64
import hashlib
from typing import Any

import msgspec

from archiver.audit.link import parse_link
from archiver.audit.names import NAMESPACE
from archiver.errors import IntegrityError
from archiver.evidence.checking.files import Files
from archiver.evidence.checking.signed import read_signers
from archiver.formats.ssh_signature import AllowedSigners, SignatureError, verify

PATH = "log-extract.jsonl"


def check_log(files: Files) -> list[str] | None:
    """How many entries; None where the pack has none. Raise IntegrityError at the first that is wrong."""
    if not files.has(PATH):
        return None
    allowed = read_signers(files, "allowed_signers")
    found = [
        _check_line(line, f"{PATH}: line {number}", allowed)
        for number, line in enumerate(files.lines(PATH), start=1)
    ]
    left_out = found.count(False)
    said = [f"{len(found):,} entries"]
    return [*said, f"{left_out:,} of them left out, as they held what was redacted"] if left_out else said


def _check_line(line: bytes, name: str, allowed: AllowedSigners) -> bool:
    """Whether the entry itself is there."""
    try:
        fields: dict[str, Any] = msgspec.json.decode(line)
        data, signature, entry = (
            base64.b64decode(fields[one], validate=True)
            for one in ("link_base64", "signature_base64", "entry_base64")
        )
        if fields["link"] != msgspec.json.decode(data):
            raise IntegrityError(f"{name} shows another link than the one that was signed")
        if fields["entry"] != (msgspec.json.decode(entry) if entry else None):
            raise IntegrityError(f"{name} shows another entry than the one that was logged")
        verify(signature, data, NAMESPACE, allowed)
    except (msgspec.DecodeError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise IntegrityError(f"{name} is no entry of the log") from error
    except SignatureError as error:
        raise IntegrityError(f"{name}: {error}") from error
    link = parse_link(data, name)
    if entry and hashlib.sha256(entry).hexdigest() != link.entry_sha256:
        raise IntegrityError(f"{name}: the entry is not the one that the link names")
    return bool(entry)
