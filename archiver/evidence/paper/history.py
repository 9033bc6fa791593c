"""The versions of a record with what changed, and the captures and bytes that all of it stands on."""

from collections.abc import Iterator

from archiver.evidence.model import Capture, Exhibit, ShownVersion
from archiver.evidence.paper.blocks import (
    Block,
    Field,
    Writer,
    at,
    in_both_times,
    in_words,
    section,
    size_in_words,
)
from archiver.search.record.differences import Change

_NOT_PUBLIC = frozenset(
    {"author_id", "in_reply_to_user_id", "conversation_id", "people", "sender_id", "recipient_id", "part",
     "offset", "length", "account", "platform_id", "edit_ids"}
)  # fmt: skip
"""Fields that name people by numbers, or places in the vault."""


def versions(exhibit: Exhibit, writer: Writer) -> list[Block]:
    """Every version and every capture of the same, oldest first; nothing where there is one only."""
    if len(exhibit.versions) < 2:
        return []
    blocks: list[Block] = []
    for number, one in enumerate(exhibit.versions):
        blocks += _version(one, writer, is_first=number == 0)
    return section("Versions", blocks)


def _version(version: ShownVersion, writer: Writer, *, is_first: bool) -> Iterator[Block]:
    captured = f"captured {in_both_times(version.captured_ms)}"
    if version.again:
        yield ["caption", writer.runs(f"Version {version.version} once more, {captured}: nothing changed.")]
        return
    yield ["caption", writer.runs(f"Version {version.version}, {captured}")]
    if version.text and (is_first or not version.changed_text):
        yield from writer.text(version.text, version.language)
    if version.changed_text:
        yield from writer.pieces(version.changed_text)
        yield from writer.text(version.text, version.language)
    rows = [_change(one) for one in version.changes if not (writer.public and one.name in _NOT_PUBLIC)]
    yield from writer.table((2, 4, 4), ("Changed", "Before", "Since"), rows)


def _change(change: Change) -> tuple[str, str, str]:
    values = [change.before, change.after]
    if change.name.endswith("_ms"):
        values = [in_both_times(one) if isinstance(one, int) else one for one in values]
    name = change.name.removesuffix("_ms").replace("_", " ")
    return name, in_words(values[0]), in_words(values[1])


def captures(exhibit: Exhibit, writer: Writer) -> list[Block]:
    """Where each version comes from: hashes of its bytes, and how they were got. For publication only the
    hashes."""
    blocks: list[Block] = []
    for one in exhibit.versions:
        if len(exhibit.versions) > 1:
            again = " once more" if one.again else ""
            blocks.append(["caption", writer.runs(f"Version {one.version}{again}")])
        blocks += writer.fields(*_bytes(one, writer))
        if not writer.public:
            blocks += writer.fields(*_capture(one.capture))
    return section("Where it comes from", blocks)


def _bytes(version: ShownVersion, writer: Writer) -> Iterator[Field]:
    if not writer.public:
        yield "Archive", version.archive
        yield "Manifest’s SHA-256", version.manifest_sha256
    for one in version.originals:
        yield "Record’s SHA-256", one.sha256
        yield "Size", size_in_words(one.size)
        yield "In the pack", one.path or "its bytes are not in the pack"
        if not writer.public:
            yield "In the vault", f"{one.segment}, part {one.part}, offset {one.offset:,}"
    if not version.originals:
        yield "Record's bytes", "not in the pack"


def _capture(capture: Capture) -> Iterator[Field]:
    handle = f"{at(capture.handle)}, " if capture.handle else ""
    answer = [
        f"status {capture.status}" if capture.status is not None else None,
        size_in_words(capture.body_size),
    ]
    yield (
        "Capture",
        f"{capture.name}: {capture.source} by {capture.route}, {capture.body_kind} {capture.layout}",
    )
    yield "For account", f"{handle}id {capture.account}, {capture.platform}"
    yield "Request", capture.request
    yield "Answer", ", ".join(part for part in answer if part)
    yield "Headers", capture.headers
    yield "Fetched", in_both_times(capture.fetched_ms)
    yield "Taken in", in_both_times(capture.taken_ms)
    yield "Answer’s SHA-256", capture.body_sha256
    yield "Source’s SHA-256", capture.source_sha256
    yield "Taken with", capture.tool
    yield "Settings’ SHA-256", capture.configuration
    yield "In the pack", capture.path or "left out"
    yield "Not whole", capture.not_whole
