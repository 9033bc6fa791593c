"""What a search adds to SQL: addresses by domain and path, characters anywhere, folded texts."""

import apsw
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archiver.search.language.fields import plain_url
from archiver.search.sql.functions import has_url, register_functions
from archiver.search.words import fold

KEPT = "https://www.Example.org/News/2026/storm?id=7&x=1#top"


@pytest.mark.parametrize(
    ("wanted", "url"),
    [
        ("example.org", "https://example.org"),
        ("example.org", "http://example.org/"),
        ("example.org", "https://news.example.org/a"),
        ("EXAMPLE.org", "https://WWW.EXAMPLE.ORG/a"),
        ("example.org", "https://example.org:8443/a"),
        ("example.org", "https://name:word@example.org/a"),
        ("example.org", "https://example.org?q=1"),
        ("example.org", "https://example.org#part"),
        ("example.org", "example.org/a"),
        ("example.org", "  https://example.org/a "),
        ("https://example.org/", "ftp://example.org/a"),
        ("www.example.org", "https://example.org/a"),
        ("example.org/news", KEPT),
        ("example.org/news/2026/storm", KEPT),
        ("example.org/news/2026/storm?id=7", "https://example.org/news/2026/storm?id=7"),
        ("example.org/news/", KEPT),
        ("bücher.example", "https://BÜCHER.example/a"),
        ("xn--bcher-kva.example", "https://xn--bcher-kva.example/a"),
    ],
)
def test_an_address_is_found_by_its_domain_those_above_it_and_its_path(wanted: str, url: str) -> None:
    assert has_url(plain_url(wanted), url)


@pytest.mark.parametrize(
    ("wanted", "url"),
    [
        ("example.org", "https://notexample.org/"),
        ("example.org", "https://example.org.test/"),
        ("example.org", "https://test/example.org"),
        ("example.org", "https://test/?u=https://example.org/"),
        ("example.org", "https://example.org@test/"),
        ("news.example.org", "https://example.org/news"),
        ("example.org/news", "https://example.org/newsletter"),
        ("example.org/news", "https://example.org/"),
        ("example.org/news", "https://example.org/old/news"),
        ("example.org", None),
        ("example.org", ""),
        ("example.org", "https://"),
        ("example.org", "://example"),
    ],
)
def test_an_address_elsewhere_is_not_found(wanted: str, url: str | None) -> None:
    assert not has_url(plain_url(wanted), url)


@given(st.text(max_size=20), st.text(max_size=40))
@example("[::1", "http://[::1/a")
@example("a:b", "a:b:c@d:e//f")
@example("\0", "\0")
def test_no_text_is_too_strange_for_an_address(wanted: str, url: str) -> None:
    assert has_url(wanted, url) in (True, False)


@given(
    st.sampled_from(["a.example", "b.a.example", "c.example"]),
    st.sampled_from(["", "/", "/x", "/x/y", "/xy"]),
)
def test_every_address_is_found_by_itself(host: str, path: str) -> None:
    assert has_url(plain_url(f"https://{host}{path}"), f"https://{host}{path}")


@pytest.fixture(scope="module")
def connection() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    register_functions(connection, lambda number, lengths, hits: 0.0)
    return connection


def contains(connection: apsw.Connection, part: str, text: str | None, alt_text: str | None = None) -> bool:
    (found,) = connection.execute("SELECT contains(?, ?, ?)", (part, text, alt_text)).fetchone()  # type: ignore[misc]  # a row
    return bool(found)


@given(st.text(min_size=1, max_size=5), st.text(max_size=20), st.none() | st.text(max_size=20))
@example("ss", "Straße", None)
@example("É", "cafe\u0301", None)
@example("東", "東京", None)
@example("a", None, "A")
def test_characters_are_found_wherever_they_stand_whatever_their_case_and_accents(
    part: str, text: str | None, alt_text: str | None
) -> None:
    connection = apsw.Connection(":memory:")
    register_functions(connection, lambda number, lengths, hits: 0.0)
    wanted = fold(part)
    clean = [None if one is None else one.replace("\0", " ") for one in (text, alt_text)]
    expected = any(one is not None and wanted.replace("\0", " ") in fold(one) for one in clean)
    assert contains(connection, wanted.replace("\0", " "), *clean) == expected


def test_nothing_is_found_in_no_text(connection: apsw.Connection) -> None:
    assert not contains(connection, "a", None)
    assert connection.execute("SELECT fold(NULL), fold('ÉCOLE')").fetchone() == (None, "ecole")
