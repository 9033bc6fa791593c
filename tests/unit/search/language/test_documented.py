"""What docs/search.md shows can be typed, and it leaves no field out."""

import re
from pathlib import Path

import pytest

from archiver.search.language import FIELDS, KINDS, QueryMistake, parse_query
from archiver.search.language.fields import ALIASES, HAS, IS
from archiver.search.language.parse import MAXIMUM_CHARACTERS, MAXIMUM_DEPTH, MAXIMUM_PARTS

DOCUMENT = (Path(__file__).parents[4] / "docs" / "search.md").read_text()
ROWS = re.findall(r"^\| (?:type|field) \|.*\n\|[- |]*\n((?:\|.*\n)+)", DOCUMENT, re.MULTILINE)


def examples() -> list[str]:
    """What the first cells of the tables say one can type."""
    cells = [line.split(" | ")[0] for table in ROWS for line in table.splitlines()]
    return [typed for cell in cells for typed in re.findall(r"`([^`]+)`", cell)]


def test_every_example_can_be_typed() -> None:
    shown = examples()
    assert len(shown) > 30
    for typed in shown:
        if typed.endswith(":"):
            assert ALIASES.get(typed[:-1], typed[:-1]) in FIELDS
        elif not typed.startswith("…"):
            parse_query(typed)


def test_every_field_and_what_it_takes_is_explained() -> None:
    for name in (*FIELDS, *ALIASES):
        assert f"`{name}:" in DOCUMENT
        assert f'"{name}"' in DOCUMENT
    for value in (*KINDS, *HAS, *IS):
        assert f"`{value}`" in DOCUMENT
    for limit in (MAXIMUM_CHARACTERS, MAXIMUM_PARTS, MAXIMUM_DEPTH):
        assert f"{limit:,}" in DOCUMENT


def test_the_mistake_shown_is_the_one_that_is_made() -> None:
    with pytest.raises(QueryMistake) as caught:
        parse_query("flooding frm:SpringfieldPD")
    hint = str(caught.value.hint)
    assert f"archiver: error: {caught.value.message}\n" in DOCUMENT
    assert f"archiver: hint: {hint[: hint.index('tag:')]}…" in DOCUMENT
