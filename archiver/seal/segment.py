"""One segment, from the spool's pages to a sealed file in the store that was read back and verified.

Runs in a process of its own when an archive has several segments."""

from msgspec import Struct

from archiver.archive.build import SegmentBuilder
from archiver.archive.manifest import File
from archiver.copying import verify_sealed
from archiver.formats import age
from archiver.formats.seekable_zstd import SeekableWriter
from archiver.keys import Identity
from archiver.seal.hashing import MeasuringWriter
from archiver.seal.plan import SegmentPlan
from archiver.seal.segment_build import Decided, SegmentBuild, SegmentContext
from archiver.spool import Spool
from archiver.state import State
from archiver.stores.base import Store
from archiver.times import format_time


class SealedSegment(Struct, frozen=True):
    """A segment in the store, and what it brought: (capture, kind, change) to a number of records.

    Of the moderation register: how many decisions, how many of them gave each reason, and how many reversals,
    whose decisions may lie elsewhere."""

    file: File
    changes: dict[tuple[int, str, str], int]
    problems: list[str]
    decisions: dict[Decided, int]
    reasons: dict[tuple[Decided, str], int]
    reversals: dict[Decided, int]


def seal_segment(
    plan: SegmentPlan, spool: Spool, state: State, store: Store, context: SegmentContext
) -> SealedSegment:
    """Build, seal, store and verify one segment; raise IntegrityError if what is read back differs."""
    build = SegmentBuild(plan, spool, state, context)
    try:
        build.add_records()
        build.add_captures()
        name = f"archives/{context.archive}/records-{plan.number:03d}.sqlite.zst.age"
        identity = age.parse_identity(context.archive_identity)
        file = store_segment(store, name, build.builder, identity)
    finally:
        build.builder.close()
    verify_sealed(store, context.archive, file, identity)
    return SealedSegment(
        file,
        dict(build.changes),
        build.problems,
        dict(build.decisions),
        dict(build.reasons),
        dict(build.reversals),
    )


def store_segment(store: Store, name: str, builder: SegmentBuilder, identity: Identity) -> File:
    """Encrypt a finished segment into the store."""
    with store.create(name) as file:
        hashing = MeasuringWriter(file)
        with (
            age.encrypt_stream([identity.recipient()], hashing) as sealed,
            SeekableWriter(sealed) as frames,
        ):
            for frame, plain_size in builder.frames():
                frames.write_frame(frame, plain_size)
    return file_of(name.rpartition("/")[2], builder, hashing, frames.plain_size)


def file_of(name: str, builder: SegmentBuilder, measured: MeasuringWriter, plain_size: int) -> File:
    """What the manifest says of a segment that was built and written."""
    return File(
        name=name,
        kind="records",
        size=measured.size,
        sha256=measured.sha256,
        plain_size=plain_size,
        records=builder.counts,
        gone=builder.gone,
        revised=builder.revised,
        again=builder.again,
        posted_from=None if builder.posted_from is None else format_time(builder.posted_from),
        posted_to=None if builder.posted_to is None else format_time(builder.posted_to),
    )
