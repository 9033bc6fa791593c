"""Relevance: what counts in BM25 counts here."""

import apsw
import pytest

from archiver.search.rank import register_rank


@pytest.fixture
def database() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    register_rank(connection)
    connection.execute("CREATE VIRTUAL TABLE texts USING fts4 (text)")
    return connection


def ranked(database: apsw.Connection, words: str) -> list[int]:
    return [
        key
        for (key,) in database.execute(
            "SELECT docid FROM texts WHERE texts MATCH ? ORDER BY rank(matchinfo(texts, 'pcnalx')), docid",
            (words,),
        )
    ]


def fill(database: apsw.Connection, *texts: str) -> None:
    database.executemany("INSERT INTO texts (text) VALUES (?)", [(text,) for text in texts])


def test_more_of_the_word_in_less_text_comes_first(database: apsw.Connection) -> None:
    fill(database, *["something else entirely"] * 9, "road " + "filler " * 30, "road works", "road road road")
    assert ranked(database, "road") == [12, 11, 10]


def test_the_rarer_of_two_words_weighs_more(database: apsw.Connection) -> None:
    fill(
        database, *["something else entirely"] * 12, *["police news"] * 5, "police flood", "flood alert today"
    )
    assert ranked(database, "police OR flood")[:2] == [18, 19]
