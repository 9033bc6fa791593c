"""The words of moderation records: a full-text index of what they say and ever said, made in memory for one
query."""

from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Self

import apsw
import Stemmer
from msgspec import structs

from archiver.archive.tokenizer import TOKENIZER
from archiver.search.language import Query
from archiver.search.language.tree import Filter, Near, Node, Words, replaced
from archiver.search.moderation import HeldRecord
from archiver.search.sql.functions import register_functions
from archiver.search.sql.matching import check_near, expression, nears
from archiver.search.sql.ranking import Rankings, counts_of
from archiver.search.sql.statement import match_of

_SCHEMA = f"""
CREATE TABLE said (
    key INTEGER PRIMARY KEY, record INTEGER NOT NULL, now INTEGER NOT NULL, ever INTEGER NOT NULL,
    text TEXT NOT NULL, note TEXT NOT NULL);
CREATE VIRTUAL TABLE said_fts USING fts4 (
    content="said", text, note, tokenize={TOKENIZER}, order=desc);
CREATE VIRTUAL TABLE words USING fts4aux (said_fts);
"""
"""A record's words as it stands (`now`) and all it ever had (`ever`), in one row where they are the same."""
_FIND = (
    "SELECT s.record, s.now, s.ever FROM said_fts AS f CROSS JOIN said AS s ON s.key = f.docid"
    " WHERE f.said_fts MATCH ?"
)
_SCORE = (
    "SELECT s.record, rank(?, l.size, matchinfo(f.said_fts, 'y')) FROM said_fts AS f"
    " CROSS JOIN said AS s ON s.key = f.docid CROSS JOIN said_fts_docsize AS l ON l.docid = f.docid"
    " WHERE f.said_fts MATCH ?"
)
_APART = "\n\ue000\n"
"""Between two texts of one column: for the index a word, so that no phrase spans them."""
_COLUMNS = 2


class WordIndex:
    """Made of records, asked by their numbers. To be closed. `language`: of the stemmer."""

    def __init__(self, records: Sequence[HeldRecord], query: Query, language: str) -> None:
        self._records = records
        self._query = query
        self._stem: Callable[[str], str] = str if language == "none" else Stemmer.Stemmer(language).stemWord
        self._rankings = Rankings()
        self._made: apsw.Connection | None = None
        self._by_stem: dict[str, list[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._made is not None:
            self._made.close()

    def find(self, node: Words | Near) -> tuple[frozenset[int], frozenset[int]]:
        """The records that ever said this, and those that say it as they stand."""
        rows: list[Any] = self._connection().execute(_FIND, (expression(self._bound(node)),)).fetchall()
        ever = frozenset(record for record, _, is_ever in rows if is_ever)
        return ever, frozenset(record for record, is_now, _ in rows if is_now)

    def find_where(self, test: Callable[[str], bool]) -> tuple[frozenset[int], frozenset[int]]:
        """As `find`, by what is true of a text."""
        rows: list[Any] = (
            self._connection().execute("SELECT record, now, ever, text, note FROM said").fetchall()
        )
        some = [row for row in rows if test(row[3]) or test(row[4])]
        return frozenset(row[0] for row in some if row[2]), frozenset(row[0] for row in some if row[1])

    def scores(self, root: Node) -> dict[int, float]:
        """How well each record's words match those that must be there, the lower the better."""
        match = match_of(self._bound(root))
        if match is None:
            return {}
        number = self._rankings.number_of(counts_of(self._connection(), "said", _COLUMNS, match))
        best: dict[int, float] = {}
        rows: Iterable[Any] = self._connection().execute(_SCORE, (number, expression(match)))
        for record, score in rows:
            best[record] = min(score, best.get(record, score))
        return best

    def _bound(self, root: Node) -> Node:
        """With the other forms that occur."""

        def change(one: Words | Filter) -> Words | Filter:
            if isinstance(one, Filter) or len(one.tokens) > 1 or one.prefix or one.exact or self._query.exact:
                return one
            word = one.tokens[0]
            others = self._forms(word, one.edits)
            return structs.replace(one, also=tuple(other for other in others if other != word))

        bound = replaced(root, change)
        for near in nears(bound):
            check_near(near, self._query.text)
        return bound

    def _forms(self, word: str, edits: int) -> Sequence[str]:
        if edits:
            from archiver.search.catalogue.similarity import similar_words

            return [one.word for one in similar_words(word, edits, ((each, 1) for each in self._words()))]
        if not self._by_stem:
            for each in self._words():
                self._by_stem.setdefault(self._stem(each), []).append(each)
        return self._by_stem.get(self._stem(word), ())

    def _words(self) -> list[str]:
        rows: list[Any] = self._connection().execute("SELECT term FROM words WHERE col = '*'").fetchall()
        return [row[0] for row in rows]

    def _connection(self) -> apsw.Connection:
        """The index, made when it is first asked."""
        if self._made is None:
            connection = apsw.Connection(":memory:")
            connection.execute("PRAGMA temp_store=MEMORY")  # nothing readable on a disk
            register_functions(connection, self._rankings.score)
            connection.execute(_SCHEMA)
            with connection:
                connection.executemany(
                    "INSERT INTO said (record, now, ever, text, note) VALUES (?,?,?,?,?)",
                    (row for number, held in enumerate(self._records) for row in _rows(number, held)),
                )
                connection.execute("INSERT INTO said_fts (said_fts) VALUES ('rebuild')")
            self._made = connection
        return self._made


def _rows(number: int, held: HeldRecord) -> list[tuple[int, int, int, str, str]]:
    """What a record says as it stands, and what it ever said. Why an entry was made is a note as well."""
    entries, now = held.record.entries, held.record.now
    whys = [one.entry_note for one in entries]
    standing = (_joined([now.text]), _joined([now.reason_text, *whys]))
    ever = (
        _joined([one.text for one in entries]),
        _joined([*(one.reason_text for one in entries), *whys]),
    )
    if standing == ever:
        return [(number, 1, 1, *standing)]
    return [(number, 1, 0, *standing), (number, 0, 1, *ever)]


def _joined(texts: Iterable[str | None]) -> str:
    """Each text once, the newest first."""
    return _APART.join(reversed(dict.fromkeys(text for text in texts if text)))
