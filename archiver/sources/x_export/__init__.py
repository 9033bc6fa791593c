"""X's data exports, every generation since 2012: one ZIP file or several, read without unpacking."""

from archiver.sources.x_export.client import XExport
from archiver.sources.x_export.limits import Limits
from archiver.sources.x_export.parse import parse_item
from archiver.sources.x_export.parts import PartFacts, look_at_part

__all__ = ["Limits", "PartFacts", "XExport", "look_at_part", "parse_item"]
