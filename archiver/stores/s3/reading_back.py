"""After an upload: whether what the server has is what was sent, and is locked as was asked."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from archiver.errors import ArchiverError, IntegrityError, StoreError
from archiver.stores.s3.objects import Head, Objects
from archiver.stores.s3.versions import Version

_LOCK_SLACK = timedelta(minutes=1)
"""Servers round the time until which they lock."""


@dataclass(frozen=True)
class Sent:
    """An object as it was sent: its writer's token, and each part's size and SHA-256. `in_parts`: by
    multipart upload, of which the server's checksum is one of the parts' checksums."""

    name: str
    token: str
    sizes: tuple[int, ...]
    sums: tuple[bytes, ...]
    in_parts: bool

    @property
    def checksum(self) -> str:
        """As the server should say it."""
        if not self.in_parts:
            return b64encode(self.sums[0]).decode()
        whole = hashlib.sha256(b"".join(self.sums)).digest()
        return f"{b64encode(whole).decode()}-{len(self.sums)}"


def verify_sent(objects: Objects, sent: Sent, version: str | None, asked: Mapping[str, Any]) -> Head:
    """What the server says of the object. Raise IntegrityError where it is not what was sent, StoreError
    where it is not locked as was asked; what is there by then is removed, where no lock keeps it."""
    head = objects.head(sent.name, version)
    what = f"{sent.name} in {objects.location}"
    if head is None or head.writer != sent.token:  # another's: it is not ours to remove
        raise IntegrityError(
            f"{what} is not what was written there a moment ago",
            "another writer's or a fault of the server's: archiver verify --store NAME --deep",
        )
    if not _is_right(objects, sent, head):
        left = _remove(objects, sent.name, head)
        raise IntegrityError(f"{what} is not what was written there a moment ago", left)
    if lacks := _lacking(head, asked):
        left = _remove(objects, sent.name, head)
        rights = "the server takes a lock and does not keep it, or hides it from these credentials"
        raise StoreError(f"{what} is not kept as was asked: {lacks}", f"{rights}; {left}")
    return head


def _is_right(objects: Objects, sent: Sent, head: Head) -> bool:
    """Whether the server has the bytes that were sent: by its checksum, and where it keeps none by reading
    them."""
    if head.size != sum(sent.sizes):
        return False
    if head.checksum is not None:
        return head.checksum == sent.checksum
    read, offset = Version(head.version, head.size, head.etag, 0), 0
    for digest, length in zip(sent.sums, sent.sizes, strict=True):
        data = objects.read(sent.name, read, offset, length) if length else b""
        if hashlib.sha256(data).digest() != digest:
            return False
        offset += length
    return True


def _lacking(head: Head, asked: Mapping[str, Any]) -> str:
    """What a put said of the lock and the object has not; empty where it is as asked."""
    mode, until = asked.get("ObjectLockMode"), asked.get("ObjectLockRetainUntilDate")
    if mode is not None and head.lock_mode != mode:
        return f"it has {f'a {head.lock_mode.lower()} lock' if head.lock_mode else 'no lock'}"
    if until is not None and (head.locked_until is None or head.locked_until < until - _LOCK_SLACK):
        return (
            f"it is locked until {head.locked_until:%Y-%m-%d %H:%M} alone" if head.locked_until else "no lock"
        )
    if asked.get("ObjectLockLegalHoldStatus") == "ON" and not head.legal_hold:
        return "it has no legal hold"
    return ""


def _remove(objects: Objects, name: str, head: Head) -> str:
    """Remove this very version; return what became of it, as a hint."""
    if head.lock_mode is None and not head.legal_hold:
        try:
            objects.delete(name, head.version)
        except ArchiverError:
            pass
        else:
            return "it was removed again; see what this store can do: archiver stores check"
    return "it stays there, as the server keeps it: use another bucket or prefix for this store"
