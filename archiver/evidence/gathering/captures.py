"""The captures that the records of a pack stand on: each named once, and what its file in the pack holds.

Of a platform's interface that is a whole answer, as it was sent. Of an export, of which the vault has but the
records taken, and of the moderation register, it is the slices of the pack's own records, a line feed after
each; so it is of an answer that also holds a record which is kept and not shown."""

from typing import Any

from msgspec.structs import replace

from archiver.evidence.gathering.answers import Answer
from archiver.evidence.gathering.withheld import NOT_WHOLE, Withheld
from archiver.evidence.model import Capture

_ANSWERS = "x_api"
"""Of this source a part of a capture is a whole answer."""


class CaptureBook:
    """Names are given in the order in which captures are met, so that one pack made twice has the same.

    `withheld`: what must not be in any; None where nothing is restricted. `answers`: path in the pack to
    where that answer lies; `slices`: path to the paths of the originals."""

    def __init__(self, withheld: Withheld | None = None) -> None:
        self._withheld = withheld
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
            is_answer = row["source"] == _ANSWERS
            is_cut = is_answer and self._withheld is not None and self._withheld.is_in_answer(segment, part)
            path = f"data/captures/{name}.slices"
            if is_answer:
                path = self._path(name, key[:2], "slices" if is_cut else "json")
            if is_answer and not is_cut:
                self.answers[path] = Answer(segment, part)
            known = self._captures[key] = self._shown(_capture(row, name, archive, path), is_cut=is_cut)
        return known

    def _shown(self, capture: Capture, *, is_cut: bool) -> Capture:
        if self._withheld is not None:
            capture = replace(capture, request=self._withheld.unnamed(capture.request))
        if is_cut:
            capture = replace(capture, body_size=None, body_sha256=None, not_whole=NOT_WHOLE)
        return capture

    def _path(self, name: str, key: tuple[str, int], end: str) -> str:
        """What a capture has beside its first answer, as that others are gone, is numbered."""
        self._parts[key] = number = self._parts.get(key, 0) + 1
        return f"data/captures/{name}.{end}" if number == 1 else f"data/captures/{name}.{number}.{end}"

    def add_slice(self, capture: Capture, path: str) -> None:
        """An original that is a slice of a capture."""
        if capture.path is not None and capture.path not in self.answers:
            self.slices.setdefault(capture.path, {})[path] = None

    def all(self) -> list[Capture]:
        """Each once, by name. Where one of several answers of a capture is not whole, that one says so."""
        found: dict[str, Capture] = {}
        for one in self._captures.values():
            if found.setdefault(one.name, one).not_whole is None and one.not_whole is not None:
                found[one.name] = one
        return sorted(found.values(), key=_by_name)

    @property
    def not_whole(self) -> int:
        """How many answers are not whole for what is not shown."""
        return sum(one.not_whole is not None for one in self._captures.values())

    def is_copy(self, raw: bytes) -> bool:
        """Whether bytes are those of a record that is not shown."""
        return self._withheld is not None and self._withheld.is_copy(raw)


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
