"""What no platform sends: that a record which an earlier full export had is not in a later one.

The observation is made by this program and is kept like a capture, so that it too can be derived again.
"""

from collections.abc import Iterable, Sequence

import msgspec

from archiver.errors import SourceError
from archiver.records import Gone
from archiver.sources.base import Capture, Item


class Observation(msgspec.Struct, frozen=True):
    """One record found absent."""

    kind: str
    id: str
    how: str
    noticed_ms: int


def comparison_capture(of: Capture, key: int, generated_ms: int) -> Capture:
    """The capture that holds what was found absent from one export."""
    return msgspec.structs.replace(
        of,
        key=key,
        source="comparison",
        request=f"comparison of {of.request.partition('!')[0]} with what was seen before",
        body_kind="comparison",
        layout="comparison-1",
        fetched_ms=generated_ms,
        context={},
    )


def absent_items(capture_key: int, kind: str, ids: Iterable[str], how: str, noticed_ms: int) -> list[Item]:
    """An item for each id found absent."""
    items = []
    for one in ids:
        body = msgspec.json.encode(Observation(kind, one, how, noticed_ms))
        items.append(Item("gone", f"{kind}:{one}", noticed_ms, body, ((capture_key, body),)))
    return items


def parse_comparison(capture: Capture, kind: str, slices: Sequence[bytes]) -> Gone:
    """One observation as a record; raise SourceError unless it is one."""
    try:
        seen = msgspec.json.decode(slices[0], type=Observation)
    except (msgspec.DecodeError, IndexError, RecursionError) as error:
        raise SourceError(f"{capture.request}: not an observation: {error}") from error
    return Gone(
        platform=capture.platform,
        platform_id=seen.id,
        account=capture.account,
        kind=seen.kind,
        noticed_ms=seen.noticed_ms,
        how=seen.how,
    )
