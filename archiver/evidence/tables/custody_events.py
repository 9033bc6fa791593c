"""What was done with an item of evidence: events as they are noted, and those that a pack itself shows."""

from collections.abc import Iterator

from msgspec import Struct

from archiver.evidence.model import Exhibit, Production, ShownVersion
from archiver.records import Moderation


class CustodyEvent(Struct, frozen=True, gc=False, kw_only=True):
    """`what`: captured, verified, viewed, copied, exported, disclosed, held, released, restricted, disposed.
    `by`: a person, or the program that did it; `to`: where it went. The hashes are SHA-256 of the bytes
    before and after, in hexadecimal, where there were bytes."""

    what: str
    at_ms: int
    by: str
    to: str = ""
    reason: str = ""
    before: str = ""
    after: str = ""


def captured(version: ShownVersion) -> CustodyEvent:
    """That this program took the platform's bytes, by the collecting host's clock: there is none before."""
    capture = version.capture
    return CustodyEvent(
        what="captured",
        at_ms=capture.taken_ms,
        by=capture.tool,
        to=f"archive {version.archive}",
        reason="routine archiving" if capture.source != "moderation" else "moderation",
        after=version.originals[0].sha256 if version.originals else "",
    )


def entered(entry: Moderation, archive: str | None) -> CustodyEvent:
    """That an entry of the moderation register was made."""
    return CustodyEvent(
        what="captured",
        at_ms=entry.entered_ms,
        by=entry.entered_by,
        to=f"archive {archive}" if archive else "the spool, not sealed yet",
        reason=f"moderation: {entry.entry}",
    )


def exported(production: Production, before: str, after: str) -> CustodyEvent:
    """That it went into the pack. A recipient is whom the pack was made for: that it was handed over is
    another event, which the log has."""
    return CustodyEvent(
        what="exported",
        at_ms=production.made_ms,
        by=production.produced_by,
        to=production.recipient or f"pack {production.exhibit}",
        reason=production.reason or production.purpose or "",
        before=before,
        after=after,
    )


def verified(production: Production, files: int) -> CustodyEvent:
    """That all files of the pack that are named were compared with what was noted of them."""
    return CustodyEvent(
        what="verified",
        at_ms=production.made_ms,
        by=production.tool,
        reason=f"SHA-256 of {files} files of the pack compared with those noted at capture: all equal",
    )


def holds(exhibit: Exhibit) -> Iterator[CustodyEvent]:
    """Each time somebody said in the moderation register that the record is held, or is no longer."""
    for note in exhibit.moderation:
        for entry in note.entries:
            if entry.hold is not None:
                yield _of_entry("held", entry, entry.hold)
            elif "hold" in entry.cleared:
                yield _of_entry("released", entry, entry.entry_note or "")


def _of_entry(what: str, entry: Moderation, reason: str) -> CustodyEvent:
    return CustodyEvent(what=what, at_ms=entry.entered_ms, by=entry.entered_by, reason=reason)
