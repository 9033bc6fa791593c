"""Which parser makes records of which source's captures: when sealing, and again when rebuilding."""

from collections.abc import Sequence

from archiver.errors import SourceError
from archiver.records import Record
from archiver.sources.base import Capture, Parser


def parser_for(source: str) -> Parser:
    """The parser of one source's captures; raise SourceError for a source this version does not know."""
    if source == "x_export":
        from archiver.sources.x_export import parse_item

        return parse_item
    if source == "x_api":
        from archiver.sources.x_api.parse import parse_item as parse_api_item

        return parse_api_item
    if source == "comparison":
        from archiver.sources.comparison import parse_comparison

        return parse_comparison
    if source == "moderation":
        from archiver.sources.moderation import parse_register

        return parse_register
    raise SourceError(f"captures of the source {source!r} are not known", "use a newer version of archiver")


def parse_record(capture: Capture, kind: str, slices: Sequence[bytes]) -> Record:
    """One record from its verbatim bytes."""
    return parser_for(capture.source)(capture, kind, slices)
