"""What a vault holds of some records: in which archives, in how many versions, with which pictures, and what
quotes them. Read before anything is changed; one segment is open at a time."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import apsw
from msgspec import Struct, field, structs

from archiver.archive.manifest import File
from archiver.archive.read import SegmentReader
from archiver.cutting.needles import Needles
from archiver.keys import Identity
from archiver.reseal.media import MediaSpot, spots_of
from archiver.reseal.names import RecordName
from archiver.reseal.reduction import Quote, Reducer, Reduction
from archiver.reseal.rows import Found, find_rows, tables_of
from archiver.vault import Archive, Vault, current_names

Progress = Callable[[str, int, int], None]
_FIRST = "coalesce(record_id, platform_id)"
_NAMED_BY_ID = (
    f"SELECT DISTINCT platform, 'post', {_FIRST} FROM post WHERE platform_id = ?1 OR {_FIRST} = ?1",  # noqa: S608  # constants
    "SELECT DISTINCT platform, 'message', platform_id FROM message WHERE platform_id = ?1",
    "SELECT DISTINCT platform, kind, platform_id FROM relation WHERE platform_id = ?1",
    "SELECT DISTINCT platform, 'account', platform_id FROM account WHERE platform_id = ?1",
)


_POSTS = """
SELECT platform, 'post', platform_id FROM post WHERE key IN (SELECT value FROM json_each(?))"""
_OF_REGISTER = "SELECT DISTINCT platform, 'moderation', record_id FROM moderation WHERE record_id = ?1"


_ITEMS = (
    "SELECT DISTINCT platform, iif(item_type = 'message', 'message', 'post'), item_id FROM moderation"
    " WHERE item_id = ?1 AND item_type IS NOT 'user'"
)


class Wanted(Struct, frozen=True):
    """Which records are to go, and how far. `everywhere`: also out of what quotes them; `entries`: entries of
    the moderation register about them lose who said what. `decisions`: the ids of the moderation records
    about them, once they are known (`Surveyed.wanted`)."""

    names: tuple[RecordName, ...]
    everywhere: bool = False
    entries: bool = False
    decisions: frozenset[str] = frozenset()


class Surveyed(Struct):
    """What there is of them. `wanted`: what was asked for, with all decisions about them; `archives`: those
    that would be sealed anew, those that say what the records were last, else oldest first; `spots`: the
    files in packs that nothing else shows; `quotes`: by archive, other records that hold something of one;
    `about`: ids of records of the moderation register about one, by archive; `versions_in`: how many rows of
    them an archive has; `posts`: all that go, reposts of one too."""

    wanted: Wanted
    needles: Needles
    archives: list[str] = field(default_factory=list)
    versions: Counter[RecordName] = field(default_factory=Counter)
    spots: set[MediaSpot] = field(default_factory=set)
    quotes: dict[str, list[Quote]] = field(default_factory=dict)
    about: dict[str, set[str]] = field(default_factory=dict)
    versions_in: Counter[str] = field(default_factory=Counter)
    shown_elsewhere: set[MediaSpot] = field(default_factory=set)
    posts: set[RecordName] = field(default_factory=set)


def find_names(connections: Iterable[apsw.Connection], text: str) -> set[RecordName]:
    """The records that an id alone may mean: posts, messages, relations, facts of accounts, records of the
    moderation register."""
    found: set[RecordName] = set()
    for connection in connections:
        statements = [*_NAMED_BY_ID, *([_OF_REGISTER] if "moderation" in tables_of(connection) else [])]
        for sql in statements:
            found |= {RecordName(*row) for row in connection.execute(sql, (text,))}
    return found


class Surveyor:
    """Reads archives with a keyholder's identities. Raise as `Vault.open_segment` does."""

    def __init__(
        self,
        vault: Vault,
        archives: Sequence[Archive],
        identities: list[Identity],
        progress: Progress = lambda phase, done, total: None,
    ) -> None:
        self._vault = vault
        self._archives = archives
        self._identities = identities
        self._progress = progress
        self._current = current_names(archives)

    def resolve(self, texts: Iterable[str]) -> dict[str, set[RecordName]]:
        """For each id the records that it may mean."""
        found: dict[str, set[RecordName]] = {text: set() for text in texts}
        for _, _, segment in self._segments("looking for the records"):
            for text, names in found.items():
                names |= find_names([segment.connection], text)
        return found

    def resolve_items(self, ids: Sequence[str]) -> dict[str, set[RecordName]]:
        """For each id the posts or messages that decisions of the moderation register are about."""
        found: dict[str, set[RecordName]] = {own: set() for own in ids}
        for _, _, segment in self._segments("looking for decisions") if found else ():
            if "moderation" in tables_of(segment.connection):
                for own, names in found.items():
                    names |= {RecordName(*row) for row in segment.connection.execute(_ITEMS, (own,))}
        return found

    def survey(self, wanted: Wanted, also: Iterable[apsw.Connection] = ()) -> Surveyed:
        """All there is of them, in every archive. `also`: segments of what is not sealed yet, for what the
        records say there."""
        wanted, needles = self._gather(wanted, also)
        result = Surveyed(wanted, needles)
        changed: set[str] = set()
        for archive, _, segment in self._segments("looking for what quotes them"):
            try:
                reduction = reduce_segment(segment.connection, wanted, needles)
                self._add(result, archive, segment.connection, reduction, changed)
            except apsw.Error as error:
                raise segment.translated(error) from error
        result.spots -= result.shown_elsewhere
        changed |= {spot.archive for spot in result.spots}
        names = [one.name for one in self._archives if one.name in changed]
        # Last those that say what the records were: after a run that was cut off that must be known still, to
        # find what quotes them.
        result.archives = sorted(names, key=lambda one: (result.versions_in[one] > 0, one in result.about))
        return result

    def _gather(self, wanted: Wanted, also: Iterable[apsw.Connection]) -> tuple[Wanted, Needles]:
        """All decisions about them, ids and texts of theirs that any archive has. An edit may lie in another
        archive than the post, and what was added to a decision in another than that."""
        ids: set[str] = set()
        texts: set[str] = set()
        decisions: set[str] = set()

        def add(connection: apsw.Connection) -> None:
            found = find_rows(connection, wanted.names)
            ids.update(found.ids)
            texts.update(found.texts)
            decisions.update(_records_of(connection, found))

        for _, _, segment in self._segments("reading the records"):
            add(segment.connection)
        for connection in also:
            add(connection)
        ids |= {name.id for name in wanted.names if name.kind in ("post", "message")}
        return structs.replace(wanted, decisions=frozenset(decisions)), Needles(ids, texts)

    def _add(
        self,
        result: Surveyed,
        archive: Archive,
        connection: apsw.Connection,
        reduction: Reduction,
        changed: set[str],
    ) -> None:
        found = reduction.found
        result.versions.update(found.versions)
        result.versions_in[archive.name] += sum(found.versions.values())
        keys = json.dumps(sorted(found.keys["post"]))
        result.posts |= {RecordName(*row) for row in connection.execute(_POSTS, (keys,))}
        # What an entry about one names, as a screenshot, goes with who said what.
        entries = found.about if result.wanted.entries else set()
        gone, shown = spots_of(connection, {**found.keys, "moderation": entries})
        result.spots |= {self._now(one) for one in gone}
        result.shown_elsewhere |= {self._now(one) for one in shown}
        if reduction.quotes:
            result.quotes.setdefault(archive.name, []).extend(reduction.quotes)
        if found.about:
            result.about.setdefault(archive.name, set()).update(_records_of(connection, found))
        if reduction.edits or any(found.keys.values()):
            changed.add(archive.name)

    def _now(self, spot: MediaSpot) -> MediaSpot:
        """Where it lies now: the archive that it was sealed in may have been replaced."""
        return spot._replace(archive=self._current.get(spot.archive, spot.archive))

    def _segments(self, phase: str) -> Iterator[tuple[Archive, File, SegmentReader]]:
        todo = [(one, file) for one in self._archives for file in one.manifest.segments]
        for number, (archive, file) in enumerate(todo):
            self._progress(phase, number, len(todo))
            with self._vault.open_segment(archive, file, self._identities) as segment:
                try:
                    yield archive, file, segment
                except apsw.Error as error:
                    raise segment.translated(error) from error


def reduce_segment(connection: apsw.Connection, wanted: Wanted, needles: Needles) -> Reduction:
    """What would change in a segment."""
    found = find_rows(connection, wanted.names, ids=needles.ids, decisions=wanted.decisions)
    return Reducer(connection, found, needles, everywhere=wanted.everywhere, entries=wanted.entries).run()


def _records_of(connection: apsw.Connection, found: Found) -> set[str]:
    if "moderation" not in tables_of(connection):
        return set()
    rows = connection.execute("SELECT key, record_id FROM moderation")
    return {str(record_id) for key, record_id in rows if key in found.about}


def removed_counts(
    connection: apsw.Connection, keys: dict[str, set[int]]
) -> "Counter[tuple[str, str, str, str]]":
    """How much of what a manifest counts goes: (platform, account, kind, change) to rows."""
    again: set[tuple[str, int]] = set()
    if "again" in tables_of(connection):
        again = set(connection.execute("SELECT record_table, record_key FROM again"))
    removed: Counter[tuple[str, str, str, str]] = Counter()
    for table, doomed in keys.items():
        account = "platform_id" if table == "account" else "account"
        kind = "kind" if table == "relation" else f"'{table}'"
        version = "1" if table in ("gone", "moderation") else "version"
        if not doomed:
            continue
        for key, *row, number in connection.execute(
            f"SELECT key, platform, {account}, {kind}, {version} FROM {table}"  # noqa: S608  # constants
        ):
            if key in doomed:
                change = "again" if (table, key) in again else _change(number)
                removed[row[0], row[1], row[2], change] += 1
    return removed


def _change(version: int) -> str:
    if version < 0:
        return "other"
    return "new" if version == 1 else "changed"
