"""Open, read and parse in one step, as tests want it."""

from pathlib import Path

from archiver.records import Record
from archiver.sources.base import Item
from archiver.sources.x_export import Limits, XExport, parse_item
from tests.unit.sources.x_export.builder import Read


def read(path: Path, *more: Path, limits: Limits | None = None) -> Read:
    """All events of an export in one or several ZIP files."""
    with XExport.open_all([path, *more], limits=limits) as source:
        return Read(list(source.events()))


def record_of(found: Read, item: Item) -> Record:
    """The record of one item, parsed as sealing does."""
    capture = found.captures[item.slices[0][0]]
    return parse_item(capture, item.kind, [piece for _, piece in item.slices])


def only_record(path: Path, kind: str) -> Record:
    """The one record of a kind in an export."""
    found = read(path)
    (item,) = found.of(kind)
    return record_of(found, item)
