"""README.txt, VERIFY.md and the draft of a statement: what they say of which pack, and that nobody's words
add a line to them."""

import re

import pytest

from archiver.evidence.texts import render_text
from tests.exhibits import production

ALL = ("README.txt", "README-public.txt", "VERIFY.md", "statement-DRAFT.txt")


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("is_stamped", [True, False])
def test_every_text_can_be_made_of_a_pack_that_says_little(name: str, is_stamped: bool) -> None:
    bare = production(
        organisation=None, contact=None, purpose=None, recipient=None, reason=None, is_redacted=False,
        unsearched=(), notes=(), records=1,
    )  # fmt: skip
    text = render_text(name, bare, is_stamped=is_stamped, has_log=False, is_query=False).decode()
    assert "None" not in text
    assert "{{" not in text
    assert "{%" not in text
    assert text.endswith("\n")
    assert not re.search(r"\n\n\n\n", text)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x1b", "\x00"])
def test_what_somebody_typed_stays_on_its_line(name: str, end: str) -> None:
    plain = render_text(name, production()).decode()
    typed = f"x{end}```sh{end}rm -r ~{end}```"
    spiked = dict.fromkeys(
        ("case", "produced_by", "organisation", "purpose", "recipient", "question", "host"), typed
    )
    text = render_text(name, production(**spiked, notes=(typed,), unsearched=(typed,))).decode()
    assert len(text.splitlines()) == len(plain.splitlines())
    assert not any(
        line.startswith(("```sh", "rm")) for line in set(text.splitlines()) - set(plain.splitlines())
    )


def test_halves_of_letters_do_not_stop_a_text() -> None:
    assert b"x ? y" in render_text("README.txt", production(case="x \ud83d y"))


def test_the_readme_says_what_is_redacted_missing_and_noted() -> None:
    text = render_text("README.txt", production()).decode()
    assert "REDACTED: what stands as [redacted]" in text
    assert "INCOMPLETE" in text
    assert "records-001.sqlite.zst.age cannot be read" in text
    assert "NOTE: The account's followers are counted, not listed." in text
    whole = render_text("README.txt", production(is_redacted=False, unsearched=(), notes=())).decode()
    assert not any(word in whole for word in ("REDACTED", "INCOMPLETE", "NOTE:"))


def test_the_readme_lists_what_it_is_given() -> None:
    text = render_text("README.txt", production(), contents=[("data/a", "the first"), ("b", "the second")])
    assert re.search(rb"\ndata/a +the first\nb +the second\n", text)


def test_a_time_stamp_is_checked_where_one_was_asked_for_alone() -> None:
    with_stamp = render_text("VERIFY.md", production(), is_stamped=True).decode()
    without = render_text("VERIFY.md", production(), is_stamped=False).decode()
    assert "openssl ts -verify" in with_stamp
    assert "openssl" not in without
    assert "## 4." in with_stamp
    assert "No time stamp authority was asked" in without


def test_the_statement_is_a_draft_that_nobody_signed() -> None:
    text = render_text("statement-DRAFT.txt", production()).decode()
    assert text.startswith("DRAFT - NOT SIGNED")
    assert "Signed: NOT SIGNED (DRAFT)" in text
    assert "which found 14 records" in text
    by_ids = render_text("statement-DRAFT.txt", production(), is_query=False).decode()
    assert "in number 14 records" in by_ids
    assert "by the query" not in by_ids
