"""What should be in the export, by its own word, and what is known to be missing before a member is read."""

from collections.abc import Iterator, Sequence
from typing import Final

from archiver.errors import SourceError
from archiver.sources.base import Problem
from archiver.sources.x_export.grailbird import IndexedMonth, parse_index
from archiver.sources.x_export.manifest import ListedFile
from archiver.sources.x_export.part import DataFile, ExportPart

POST_STEMS: Final = ("tweet", "tweets")
INDEX: Final = "data/js/tweet_index.js"


class Expected:
    """The manifests' lists and Grailbird's index, and what they name that is not there.

    `short` holds the record kinds of which something is known to be missing."""

    def __init__(self, parts: Sequence[ExportPart], data: Sequence[DataFile]) -> None:
        self._parts = parts
        self._data = data
        self.short: set[str] = set()
        self.listed = [
            (part, each) for part in parts if part.manifest is not None for each in part.manifest.files()
        ]
        self.has_manifest = any(part.manifest is not None for part in parts)
        self.problems = [
            *self._missing_files(), *self._gaps(), *self._unlisted(), *self._partial(), *self._no_posts(),
        ]  # fmt: skip
        self.months = self._indexed_months()

    def count_of(self, file: DataFile) -> int | None:
        """How many records the manifest says this file has: its own ZIP's manifest before another's."""
        found = [
            (part is file.part, each.count)
            for part, each in self.listed
            if (each.kind.stem, each.part) == (file.kind.stem, file.number)
        ]
        return max(found, key=lambda pair: pair[0])[1] if found else None

    def _missing_files(self) -> Iterator[Problem]:
        present = {(each.kind.stem, each.number) for each in self._data}
        absent: dict[tuple[str, int], tuple[ExportPart, ListedFile]] = {}
        for part, each in self.listed:
            key = (each.kind.stem, each.part)
            if key not in present:
                absent.setdefault(key, (part, each))
        for part, each in absent.values():
            if each.count != 0:
                self.short.add(each.kind.record)
            stated = "" if each.count is None else f" with {each.count:,} records"
            detail = f"the manifest names it{stated}, and it is not in the export"
            yield Problem(f"{part.archive.name}!{each.base_name}", "missing", detail)

    def _gaps(self) -> Iterator[Problem]:
        """`tweets-part2.js` without `tweets-part1.js`, where no manifest says so already."""
        numbers: dict[str, set[int]] = {}
        for each in self._data:
            numbers.setdefault(each.kind.stem, set()).add(each.number)
        listed = {(each.kind.stem, each.part) for _, each in self.listed}
        for stem, found in numbers.items():
            gaps = [
                number for number in range(max(found)) if number not in found and (stem, number) not in listed
            ]
            if gaps:
                self.short.update(each.kind.record for each in self._data if each.kind.stem == stem)
                names = ", ".join(
                    f"{stem}-part{number}.js" if number else f"{stem}.js" for number in gaps[:5]
                )
                yield Problem(f"{stem}.js", "missing", f"the export has a later part of it, but not {names}")

    def _unlisted(self) -> Iterator[Problem]:
        if not self.has_manifest:
            return
        listed = {(each.kind.stem, each.part) for _, each in self.listed}
        for each in self._data:
            if (each.kind.stem, each.number) not in listed:
                yield Problem(
                    each.shown, "conflict", "the manifest does not name it; it was taken nevertheless"
                )

    def _partial(self) -> Iterator[Problem]:
        for part in self._parts:
            if part.manifest is not None and part.manifest.partial:
                detail = (
                    "X marked it as partial (isPartialArchive): what it does not hold is not taken for gone"
                )
                yield Problem(part.archive.name, "partial", detail)

    def _no_posts(self) -> Iterator[Problem]:
        """An export without any file of posts is not an account without posts."""
        known = any(each.kind.stem in POST_STEMS for each in self._data)
        months = any(part.months or part.csv_files for part in self._parts)
        listed = any(each.kind.stem in POST_STEMS for _, each in self.listed)
        if not (known or months or listed):
            self.short.add("post")
            detail = "no file of posts under any name known to this version; posts were not read"
            yield Problem(self._parts[0].archive.name, "unknown layout", detail)

    def _indexed_months(self) -> dict[str, int | None] | None:
        """Grailbird's months and their counts; None where there is no index that can be read."""
        found: dict[str, int | None] = {}
        present = {month for part in self._parts for month in part.months}
        indexes = [(part, part.small[INDEX]) for part in self._parts if INDEX in part.small]
        for part, member in indexes:
            try:
                months = parse_index(f"{part.archive.name}!{member.name}", part.read_small(member))
            except SourceError as error:
                self.problems.append(Problem(f"{part.archive.name}!{member.name}", "broken", error.message))
                return None
            found.update(self._months(months))
        for month in sorted(set(found) - present) if present else ():
            self.short.add("post")
            detail = f"the index names it with {found[month]} posts, and it is not in the export"
            self.problems.append(Problem(f"data/js/tweets/{month}.js", "missing", detail))
        return found if indexes else None

    @staticmethod
    def _months(months: list[IndexedMonth]) -> Iterator[tuple[str, int | None]]:
        for each in months:
            if each.key is not None:
                yield each.key, each.expected
