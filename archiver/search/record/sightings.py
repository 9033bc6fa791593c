"""When a record was posted, captured, last seen and found missing: as far as a vault proves it.

A collector stores a record once and again when it changed. What it saw unchanged meanwhile leaves no trace in
a vault, so nothing here says when a record was last looked at, only when it was certainly there.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from archiver.search.record import Record, Version
from archiver.search.run import Searcher

_COMPARED = (
    "SELECT DISTINCT g.noticed_ms, c.taken_ms FROM gone AS g JOIN capture_part AS p ON p.id = g.part"
    " JOIN capture AS c ON c.id = p.capture WHERE c.source = 'comparison' AND c.route = 'export'"
    " AND g.platform = ? AND g.account = ? AND g.kind = ?"
)
"""When exports of an account were made that were compared with what was held, and from which records of this
kind were found absent; and when each was taken."""
_SORT = {"relation": "kind", "account": "aspect"}
"""Tables whose rows are of several sorts, and the column that says which."""
RecordName = tuple[str, str, str, str]
"""Platform, account, kind (`post`, `message`, a relation's, or what a fact about an account is) and id: of an
edited post the first version's."""


class Missing(NamedTuple):
    """That a record was found missing: when that was noticed, how, when the platform says it was deleted, and
    which archive says so. `back_ms`: the first capture after that which shows it there, None where there is
    none."""

    noticed_ms: int
    how: str
    deleted_ms: int | None
    archive: str
    back_ms: int | None


class Sightings(NamedTuple):
    """The times of one record.

    `captured`: of all its captures, oldest first. `seen_ms` is the newest of them that shows it there: what
    the platform sent of it when it said that it was deleted is a capture and shows nothing. None where there
    is no other. `compared_ms` is when a later export was made that was whole and was compared with what was
    held: other records of the kind were absent from it, this one was not. None where no such export says so,
    or the record was found missing since. `missing`: each time it was found missing."""

    posted_ms: int | None
    captured: tuple[int, ...]
    seen_ms: int | None
    compared_ms: int | None
    missing: tuple[Missing, ...]

    @property
    def last_seen_ms(self) -> int | None:
        """The latest time at which it was certainly there."""
        return self.compared_ms or self.seen_ms


def name_of(version: Version) -> RecordName:
    """Which record a version is one of."""
    fields = version.fields
    kind = fields[_SORT[version.table]] if version.table in _SORT else version.table
    own = (fields.get("record_id") if version.table == "post" else None) or fields["platform_id"]
    return fields["platform"], account_of(version), kind, own


def account_of(version: Version) -> str:
    """The archived account it was captured of."""
    return str(version.fields.get("account") or version.capture["account"])


class Comparisons:
    """The exports that were compared with what was held; asked of the archives once for each kind of record
    of each account."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher
        self._known: dict[tuple[str, str, str], list[tuple[int, int]]] = {}

    def last_ms(self, name: RecordName, versions: Sequence[Version]) -> int | None:
        """When the last export was made that was compared with these versions of a record. Only an export is
        compared with exports, and only with those taken before it."""
        taken = [one.capture["taken_ms"] for one in versions if one.capture["route"] == "export"]
        if not taken:
            return None
        compared = self._compared(name[:3])
        return max((made for made, after in compared if after >= min(taken)), default=None)

    def _compared(self, of: tuple[str, str, str]) -> list[tuple[int, int]]:
        if of not in self._known:
            segments = self._searcher.segments
            asked = [segment for segment in segments.all if segment.file.gone.get(of[2])]
            segments.gather((segment, [(_COMPARED, list(of))]) for segment in asked)
            rows = [row for segment in asked for row in segments.rows(segment, _COMPARED, of)]
            self._known[of] = [row for row in rows if None not in row]
        return self._known[of]


def find_sightings(
    searcher: Searcher, record: Record, comparisons: Comparisons | None = None
) -> dict[RecordName, Sightings]:
    """The times of each record that versions are of. Raise as `Searcher.search`. `comparisons`: to be given
    by whoever asks often."""
    by_name: dict[RecordName, list[Version]] = {}
    for version in record.versions:
        by_name.setdefault(name_of(version), []).append(version)
    gone: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in sorted(record.gone, key=lambda one: int(one["noticed_ms"])):
        of = row["platform"], row["account"], row["kind"], row["platform_id"]
        gone.setdefault(of, []).append(row)
    known = comparisons or Comparisons(searcher)
    return {name: _sightings(known, name, some, gone) for name, some in by_name.items()}


def _sightings(
    comparisons: Comparisons,
    name: RecordName,
    versions: list[Version],
    all_gone: dict[tuple[str, ...], list[dict[str, Any]]],
) -> Sightings:
    captured = sorted({one.capture["fetched_ms"] for one in versions})
    ids = dict.fromkeys(one.fields["platform_id"] for one in versions)
    gone = [row for one in ids for row in all_gone.get((*name[:3], one), ())]
    gone.sort(key=lambda one: int(one["noticed_ms"]))
    noticed = {row["noticed_ms"] for row in gone}
    there = [one for one in captured if one not in noticed]
    missing = tuple(
        Missing(
            row["noticed_ms"], row["how"], row["deleted_ms"], row["archive"],
            next((one for one in there if one > row["noticed_ms"]), None),
        )
        for row in gone
    )  # fmt: skip
    compared = comparisons.last_ms(name, versions)
    is_later = compared is not None and compared > captured[-1]
    is_gone = bool(missing) and missing[-1].back_ms is None
    return Sightings(
        min((one.fields["posted_ms"] for one in versions if "posted_ms" in one.fields), default=None),
        tuple(captured),
        there[-1] if there else None,
        compared if is_later and not is_gone else None,
        missing,
    )
