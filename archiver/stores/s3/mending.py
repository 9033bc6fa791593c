"""What the server says of each file, and putting back what is damaged."""

from base64 import b64decode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, cast

from archiver.errors import IntegrityError, StoreError
from archiver.stores.base import HashingWriter, Inspection, NotInStoreError, copy_all
from archiver.stores.s3.objects import Head, Objects
from archiver.stores.s3.options import S3Options
from archiver.stores.s3.upload import uploading
from archiver.stores.s3.versions import History, Version
from archiver.times import as_datetime

SET_ASIDE = "set-aside"
"""Where what lay in a file's place is kept, where the server lets it be moved."""
_NAMED = 3
"""Versions of somebody else's that a message names."""
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_LOCK_SLACK = timedelta(days=1)
"""The lock runs from our clock, the server's time of the put from its own."""


def inspect(objects: Objects, name: str, history: History, version: Version | None) -> Inspection:
    """What the server says of the version that counts. Raise NotInStoreError where there is none."""
    head = None if version is None else objects.head(name, version.id)
    if version is None or head is None:
        raise NotInStoreError(name, objects.location)
    problems = (*_overlaid(objects, name, history), *_unlocked(head, objects.options))
    return Inspection(head.size, whole_sha256(head), problems)


def whole_sha256(head: Head) -> str | None:
    """A version's SHA-256 (hexadecimal) as the server keeps it; None where it has none, or one of parts."""
    if head.checksum is None or "-" in head.checksum:
        return None
    return b64decode(head.checksum).hex()


def _overlaid(objects: Objects, name: str, history: History) -> list[str]:
    problems = []
    if history.hidden:
        problems.append("a delete marker lies over it")
    later = [] if name.endswith("/key.age") else history.versions[:-1]
    if later:
        were = "1 later version lies" if len(later) == 1 else f"{len(later)} later versions lie"
        named = ", ".join(_described(objects, name, one) for one in later[:_NAMED])
        more = ", …" if len(later) > _NAMED else ""
        problems.append(f"{were} over it, put there by somebody else: {named}{more}")
    return problems


def _described(objects: Objects, name: str, version: Version) -> str:
    """A version by its id, and until when the server keeps it."""
    head = objects.head(name, version.id)
    kept = None if head is None else _kept(objects, head)
    return f"version {version.id}" + ("" if kept is None else f" under {kept}")


def _kept(objects: Objects, head: Head) -> str | None:
    """What makes the server keep a version now; None where nothing does."""
    if head.legal_hold:
        return "a legal hold"
    if head.locked_until is not None and head.locked_until > as_datetime(objects.connection.clock()):
        return f"a lock until {head.locked_until:%Y-%m-%d}"
    return None


def _unlocked(head: Head, options: S3Options) -> list[str]:
    """Where the lock is not as this store is asked to set it."""
    problems = []
    if options.object_lock != "none":
        asked = options.object_lock.upper()
        if head.lock_mode is None or head.locked_until is None:
            problems.append("it is not locked")
        elif asked == "COMPLIANCE" and head.lock_mode != asked:
            problems.append(f"its lock is {head.lock_mode.lower()} where {options.object_lock} is asked for")
        elif head.modified is not None:
            asked_until = head.modified + timedelta(days=options.lock_days)
            if head.locked_until < asked_until - _LOCK_SLACK:
                problems.append(
                    f"it is locked until {head.locked_until:%Y-%m-%d}, not {asked_until:%Y-%m-%d} as asked"
                )
    if options.legal_hold and not head.legal_hold:
        problems.append("it has no legal hold")
    return problems


def replace_key(objects: Objects, name: str, data: bytes) -> None:
    """Put another version of an archive's key, and read it back."""
    if objects.find(name) is None:
        raise NotInStoreError(name, objects.location)
    heads: list[Head] = []
    with uploading(objects, name, condition=False, done=heads.append) as writer:
        writer.write(data)
    version = Version(heads[0].version, heads[0].size, heads[0].etag, 0)
    if version.size and objects.read(name, version, 0, version.size) != data:
        raise IntegrityError(f"{name} in {objects.location} is not what was written there a moment ago")


def destroy_key(objects: Objects, name: str) -> list[Version]:
    """Delete every version of an archive's key, and of what was set aside of it; return those of the key.
    Raise StoreError where the server keeps one, saying until when, after all others are gone."""
    aside = objects.list_below(f"{SET_ASIDE}/{name}.")
    destroyed: list[Version] = []
    keeps: list[str] = []
    for one, history in {**aside, name: objects.look_up(name)}.items():
        for version in history.versions:
            head = objects.head(one, version.id)
            kept = None if head is None else _kept(objects, head)
            if kept is not None:
                keeps.append(kept)
                continue
            objects.delete(one, version.id)
            destroyed += [version] if one == name else []
        for marker in history.markers:
            objects.delete(one, marker)
    if not keeps and objects.look_up(name).versions:
        raise StoreError(f"{name} was deleted from {objects.location} and is still there")
    if keeps:
        raise StoreError(
            f"{objects.location} keeps {name} under {max(keeps)}: it cannot be destroyed before that is over",
            f"when it is over: archiver retention dispose {name.split('/')[1]}",
        )
    return destroyed


def put_back(objects: Objects, name: str, source: bytes | BinaryIO, sha256: str) -> None:
    """Have a file's right bytes be the version that counts, locked as is asked, and nothing over it that the
    server lets be taken away; what it keeps of somebody else's, `inspect` goes on naming."""
    history = objects.look_up(name)
    good = _good_version(objects, name, history, sha256)
    if good is None:
        _require_removable(objects, name, history)
        _put(objects, name, source, sha256, history)
        history = objects.look_up(name)
        good = _good_version(objects, name, history, sha256)
    else:
        _require_right(name, source, sha256)
    if good is None:
        raise StoreError(f"{name} was put into {objects.location} and is not there")
    if not name.endswith("/key.age"):
        for version in history.versions[history.versions.index(good) + 1 :]:
            if version.id != "null":  # that one lies aside already
                _set_aside(objects, name, version)
            objects.delete(name, version.id)
        _take_away(objects, name, history.versions[: history.versions.index(good)])
    _lock(objects, name, good)
    if history.hidden:
        for marker in history.markers:
            objects.delete(name, marker)


def _take_away(objects: Objects, name: str, later: Sequence[Version]) -> None:
    """Set aside and delete what somebody put over the version that counts. What is locked stays: it changes
    nothing that is read."""
    for version in later:
        head = objects.head(name, version.id)
        if head is not None and _kept(objects, head) is None:
            _set_aside(objects, name, version)
            objects.delete(name, version.id)


def _lock(objects: Objects, name: str, version: Version) -> None:
    """Put the lock in force that is asked for, where it is not. A longer one stays."""
    head = objects.head(name, version.id)
    if head is None or not _unlocked(head, objects.options):
        return
    asked = objects.connection.lock_arguments()
    place = {"Key": objects.options.key(name), "VersionId": version.id}
    if "ObjectLockMode" in asked:
        until = max(asked["ObjectLockRetainUntilDate"], head.locked_until or _NEVER)
        retention = {"Mode": asked["ObjectLockMode"], "RetainUntilDate": until}
        objects.connection.call("put_object_retention", f"locking {name} in", Retention=retention, **place)
    if objects.options.legal_hold and not head.legal_hold:
        hold = {"Status": "ON"}
        objects.connection.call("put_object_legal_hold", f"holding {name} in", LegalHold=hold, **place)


def _put(objects: Objects, name: str, source: bytes | BinaryIO, sha256: str, history: History) -> None:
    """Put the right bytes there. In a bucket without versions that replaces the wrong ones."""

    def ignore(head: Head) -> None:
        """It is looked up again, with all that lies around it."""

    put = uploading(objects, name, condition=not history.versions, sha256=sha256, done=ignore)
    with put as upload:
        copy_all(source, cast(BinaryIO, upload))
        upload.require_right()
        for version in history.versions:
            if version.id == "null":
                _set_aside(objects, name, version)


def _good_version(objects: Objects, name: str, history: History, sha256: str) -> Version | None:
    """The oldest version with these bytes; of an archive's key only the newest will do."""
    versions = history.versions[:1] if name.endswith("/key.age") else history.versions[::-1]
    return next((one for one in versions if _sha256(objects, name, one) == sha256), None)


def _sha256(objects: Objects, name: str, version: Version) -> str | None:
    head = objects.head(name, version.id)
    if head is None:
        return None
    return whole_sha256(head) or objects.hash(name, version)


def _require_right(name: str, source: bytes | BinaryIO, sha256: str) -> None:
    """Raise IntegrityError where the source has another SHA-256."""

    target = HashingWriter()
    copy_all(source, target)
    target.require(name, sha256)


def _require_removable(objects: Objects, name: str, history: History) -> None:
    """Raise StoreError where a version that would go on counting is locked: then nothing is tried."""
    if name.endswith("/key.age"):
        return
    for version in history.versions:
        head = objects.head(name, version.id)
        kept = None if head is None else _kept(objects, head)
        if kept is not None:
            raise StoreError(
                f"{objects.location} keeps the wrong {name} under {kept}",
                "other stores have the right one; this store must be made anew in another bucket or prefix",
            )


def _set_aside(objects: Objects, name: str, version: Version) -> None:
    """Keep the wrong bytes under another name: they may be evidence of what happened."""
    number = 1
    while objects.look_up(target := f"{SET_ASIDE}/{name}.{number}").versions:
        number += 1

    def ignore(head: Head) -> None:
        """Nothing is known of what lies aside."""

    with uploading(objects, target, condition=True, done=ignore) as writer:
        for piece in objects.pieces(name, version):
            writer.write(piece)
