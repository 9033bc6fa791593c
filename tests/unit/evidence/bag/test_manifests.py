"""Manifests: what is written is read again, and nothing else is read."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.evidence.bag.manifests import decode_path, encode_path, format_hashes, parse_manifest

HASH = "0123456789abcdef" * 4
PATHS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1)


@given(st.dictionaries(PATHS, st.just(HASH)))
def test_a_manifest_gives_the_same_files_again(hashes: dict[str, str]) -> None:
    assert parse_manifest("sha256", format_hashes(hashes)) == hashes


@given(st.dictionaries(PATHS, st.just(HASH), min_size=1, max_size=3), st.data())
def test_no_byte_of_a_manifest_can_differ_without_being_refused_or_meaning_something_else(
    hashes: dict[str, str], data: st.DataObject
) -> None:
    written = format_hashes(hashes)
    at = data.draw(st.integers(0, len(written) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda octet: octet != written[at]))
    altered = written[:at] + bytes([other]) + written[at + 1 :]
    for cut in (altered, written[:at] + written[at + 1 :], written[:at] + bytes([other]) + written[at:]):
        try:
            assert parse_manifest("sha256", cut) != hashes or cut == written
        except ValueError:
            continue


@pytest.mark.parametrize(
    ("path", "encoded"),
    [("a\rb", "a%0Db"), ("a\nb", "a%0Ab"), ("100%", "100%25"), ("%0A", "%250A"), ("é b\t", "é b\t")],
)
def test_line_ends_and_percent_signs_are_encoded_and_nothing_else(path: str, encoded: str) -> None:
    assert encode_path(path) == encoded
    assert decode_path(encoded) == path


@pytest.mark.parametrize(
    "data",
    [
        f"{HASH}  a",
        f"{HASH} a\n",
        f"{HASH}\ta\n",
        f"{HASH} *a\n",
        f"{HASH.upper()}  a\n",
        f"{HASH[1:]}  a\n",
        f"{HASH}  \n",
        "\n",
        f"\ufeff{HASH}  a\n",
        f"{HASH}  a\r\n",
        f"{HASH}  a%0a\n",
        f"{HASH}  a%20b\n",
        f"{HASH}  a%\n",
        f"{HASH}  b\n{HASH}  a\n",
        f"{HASH}  a\n\n{HASH}  b\n",
        f"\\{HASH}  a\n",
    ],
)
def test_what_is_written_in_another_way_is_refused(data: str) -> None:
    with pytest.raises(ValueError, match=r"line|percent"):
        parse_manifest("sha256", data.encode())


def test_a_file_that_is_named_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=re.escape("line 2 names a file for the second time: 'a'")):
        parse_manifest("sha256", f"{HASH}  a\n{HASH}  a\n".encode())
