"""A source read in another process brings the same as read here, and says so when it cannot."""

import datetime as dt
import hashlib
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from archiver.errors import ArchiverError, SourceError
from archiver.sample import write_sample_export
from archiver.sources.apart import ApartSource
from archiver.sources.base import Batch, Event, digest_of
from archiver.sources.x_export import XExport


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("apart") / "export.zip"
    write_sample_export(path, until=dt.date(2026, 3, 31), months=2)
    return path


def short_hash(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()[:16]


def with_hashes(events: Iterator[Event]) -> list[object]:
    """Events as tuples, each item's content replaced by its hash."""
    return [
        [
            (item.id, item.posted_ms, digest_of(item, short_hash), item.slices, item.media)
            for item in event.items
        ]
        if isinstance(event, Batch)
        else event
        for event in events
    ]


def test_the_same_events_come_with_hashes_in_the_place_of_contents(sample: Path) -> None:
    with XExport.open(sample) as export:
        apart = ApartSource(export, partial(XExport.open, sample), short_hash)
        assert (apart.account, apart.digest, apart.partial) == (export.account, export.digest, export.partial)
        expected = with_hashes(export.events())
        found = [
            [(item.id, item.posted_ms, item.content, item.slices, item.media) for item in event.items]
            if isinstance(event, Batch)
            else event
            for event in apart.events()
        ]
    assert found == expected
    assert len(found) > 20


def test_media_are_opened_here(sample: Path) -> None:
    with XExport.open(sample) as export:
        names = [
            one.file_name
            for event in export.events()
            if isinstance(event, Batch)
            for item in event.items
            for one in item.media
        ]
        apart = ApartSource(export, partial(XExport.open, sample), short_hash)
        for name in names[:3]:
            here, there = apart.open_media(name), export.open_media(name)
            assert here is not None
            assert there is not None
            assert here.read() == there.read()


def refuse() -> XExport:
    raise SourceError("export.zip: cannot be read", "give another")


def die() -> XExport:
    os._exit(9)


def test_what_the_source_refuses_is_raised_here(sample: Path) -> None:
    with (
        XExport.open(sample) as export,
        pytest.raises(SourceError, match=r"^export\.zip: cannot be read$") as caught,
    ):
        list(ApartSource(export, refuse, short_hash).events())
    assert caught.value.hint == "give another"


def test_a_process_that_dies_is_told_and_not_taken_for_the_end(sample: Path) -> None:
    with XExport.open(sample) as export, pytest.raises(ArchiverError, match="ended before its time"):
        list(ApartSource(export, die, short_hash).events())


def test_who_stops_listening_leaves_no_process_behind(sample: Path) -> None:
    with XExport.open(sample) as export:
        events = ApartSource(export, partial(XExport.open, sample), short_hash).events()
        next(events)
        events.close()  # type: ignore[attr-defined]  # a generator is what comes
    assert not [one for one in children() if "spawn_main" in one]


def children() -> list[str]:
    """Command lines of this process's children."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[1]) == os.getpid() and fields[0] != "Z":
                found.append((path.parent / "cmdline").read_text())
        except (OSError, IndexError):
            continue
    return found
