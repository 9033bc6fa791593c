"""The captures that the records of a pack stand on: each named once, and what its file in the pack holds.

Of a platform's interface that is a whole answer, as it was sent. Of an export, of which the vault has but the
records taken, and of the moderation register, it is the slices of the pack's own records, a line feed after
each."""

from typing import Any, NamedTuple

from archiver.evidence.model import Capture

_ANSWERS = "x_api"
"""Of this source a part of a capture is a whole answer."""


class Answer(NamedTuple):
    """An answer of a platform's interface: the segment (its name in the vault) and the part that hold it."""

    segment: str
    part: int


class CaptureBook:
    """Names are given in the order in which captures are met, so that one pack made twice has the same.

    `answers`: path in the pack to where that answer lies; `slices`: path to the paths of the originals."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, int], str] = {}
        self._captures: dict[tuple[str, int, int], Capture] = {}
        self._parts: dict[tuple[str, int], int] = {}
        self.answers: dict[str, Answer] = {}
        self.slices: dict[str, dict[str, None]] = {}

    def capture(self, archive: str, segment: str, row: dict[str, Any], part: int) -> Capture:
        """The capture of which a part is, by its row in that segment."""
        number = int(row["id"])
        key = archive, number, part if row["source"] == _ANSWERS else 0
        known = self._captures.get(key)
        if known is None:
            name = self._names.setdefault(key[:2], f"C{len(self._names) + 1:06}")
            path = f"data/captures/{name}.slices"
            if row["source"] == _ANSWERS:
                path = self._path(name, key[:2])
                self.answers[path] = Answer(segment, part)
            known = self._captures[key] = _capture(row, name, archive, path)
        return known

    def _path(self, name: str, key: tuple[str, int]) -> str:
        """What a capture has beside its first answer, as that others are gone, is numbered."""
        self._parts[key] = number = self._parts.get(key, 0) + 1
        return f"data/captures/{name}.json" if number == 1 else f"data/captures/{name}.{number}.json"

    def add_slice(self, capture: Capture, path: str) -> None:
        """An original that is a slice of a capture."""
        if capture.source != _ANSWERS and capture.path is not None:
            self.slices.setdefault(capture.path, {})[path] = None

    def all(self) -> list[Capture]:
        """Each once, by name."""
        return sorted({one.name: one for one in reversed(self._captures.values())}.values(), key=_by_name)


def _by_name(capture: Capture) -> str:
    return capture.name


def _capture(row: dict[str, Any], name: str, archive: str, path: str | None) -> Capture:
    return Capture(
        name=name,
        source=row["source"],
        route=row["route"],
        platform=row["platform"],
        account=row["account"],
        handle=row["handle"],
        request=row["request"],
        body_kind=row["body_kind"],
        layout=row["layout"],
        fetched_ms=row["fetched_ms"],
        taken_ms=row["taken_ms"],
        status=row["status"],
        headers=row["headers"],
        body_size=row["body_size"],
        body_sha256=row["body_sha256"],
        source_sha256=row["source_sha256"],
        tool=row["tool"],
        configuration=row["configuration"],
        archive=archive,
        path=path,
    )
