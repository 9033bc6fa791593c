"""References of exhibits, as written and as files are called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.errors import ArchiverError, UsageError
from archiver.evidence.references import (
    HIGHEST,
    INITIALS,
    Reference,
    check_initials,
    exhibit_reference,
    file_stem,
    parse_reference,
    parse_stem,
)

NUMBERS = st.integers(1, HIGHEST)
REFERENCES = st.builds(
    Reference,
    st.from_regex(INITIALS, fullmatch=True, alphabet=st.characters(codec="ascii")),
    NUMBERS,
    st.lists(NUMBERS, max_size=3).map(tuple),
)


def test_an_exhibit_and_its_parts_are_written_as_forces_write_them() -> None:
    assert exhibit_reference("ABC", 1) == "ABC/1"
    assert exhibit_reference("ABC", 1, 17) == "ABC/1/17"
    assert file_stem("AXC2", 12, 3, 4) == "AXC2_12_3_4"
    assert parse_reference("ABC/1/17") == Reference("ABC", 1, (17,))


@given(REFERENCES)
def test_what_was_written_is_read_again(reference: Reference) -> None:
    assert parse_reference(reference.written) == reference
    assert parse_stem(reference.stem) == reference


@pytest.mark.parametrize("good", ["AB", "ABC", "AXC", "ABCD", "ABC2", "ABC12"])
def test_initials_are_capital_letters_and_perhaps_a_digit(good: str) -> None:
    assert check_initials(good) == good


@pytest.mark.parametrize(
    "bad", ["", "A", "ABCDE", "abc", "A B", "ABC/", "ABC123", "1AB", "ÄBC", "ABC\n", "ABC٣", "../A"]
)
def test_other_initials_are_refused_with_an_example(bad: str) -> None:
    with pytest.raises(UsageError, match="initials") as error:
        check_initials(bad)
    assert "as ABC" in str(error.value.hint)


@pytest.mark.parametrize(
    "bad",
    ["ABC", "ABC/", "ABC/0", "ABC/01", "ABC_1", "abc/1", "ABC/1/", "ABC/1/x", "ABC/123456789", "ABC/1\n"],
)
def test_what_is_no_reference_is_refused(bad: str) -> None:
    with pytest.raises(UsageError, match="no reference"):
        parse_reference(bad)


@pytest.mark.parametrize("number", [0, -1, HIGHEST + 1])
def test_a_number_that_is_none_is_refused(number: int) -> None:
    with pytest.raises(ArchiverError, match="cannot be an exhibit's number"):
        exhibit_reference("ABC", number)
