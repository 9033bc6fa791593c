"""What one ZIP file says of the export that it is a part of, before anything of it is read."""

from pathlib import Path

from msgspec import Struct

from archiver.sources.x_export.client import whose
from archiver.sources.x_export.limits import Limits
from archiver.sources.x_export.part import open_part


class PartFacts(Struct, frozen=True, kw_only=True):
    """`account` and `generated_ms` are None for a later part, which holds neither manifest nor account.
    `names`: the data files that the manifest lists, `holds`: those that are there, both as (stem, number).
    `partial`: X marked it as a part."""

    account: str | None
    generated_ms: int | None
    names: frozenset[tuple[str, int]]
    holds: frozenset[tuple[str, int]]
    partial: bool


def look_at_part(path: Path, limits: Limits) -> PartFacts:
    """Open one ZIP file and look around in it. Raise SourceError where it is no part of an export."""
    part = open_part(path, limits, alone=False)
    with part.archive:
        known = part.layout is not None
        manifest = part.manifest
        return PartFacts(
            account=whose([part])[0] if known else None,
            generated_ms=part.generated_ms if known else None,
            names=frozenset(
                (each.kind.stem, each.part)
                for each in (manifest.files() if manifest is not None else ())
                if each.count != 0
            ),
            holds=frozenset((each.kind.stem, each.number) for each in part.data),
            partial=manifest is not None and manifest.partial,
        )
