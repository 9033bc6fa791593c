"""Which forms a pack can have, as a user names them."""

import pytest

from archiver.errors import UsageError
from archiver.evidence.forms import FLAT, FORMS, is_public, read_forms


def test_without_a_word_a_pack_has_every_form() -> None:
    assert read_forms(None) == tuple(FORMS)
    assert FLAT not in read_forms(None)


def test_forms_are_read_once_each_in_their_own_order() -> None:
    assert read_forms(" PDF ,html,,pdf") == ("html", "pdf")


@pytest.mark.parametrize("text", ["docx", "html,docx", "", ",", "html csv", "flat,flat2"])
def test_a_form_that_there_is_not_is_refused_with_those_that_there_are(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_forms(text)
    assert "flat" in str(raised.value.hint)


def test_the_flat_form_stands_alone() -> None:
    assert read_forms("flat") == (FLAT,) == read_forms("flat,FLAT")
    with pytest.raises(UsageError, match="goes with no other form"):
        read_forms("csv,flat")


@pytest.mark.parametrize(
    ("forms", "public"),
    [(("csv",), True), (("html",), True), (("html", "csv"), True), (("csv", "jsonl"), False),
     (tuple(FORMS), False), ((FLAT,), False)],
)  # fmt: skip
def test_only_tables_and_pages_are_for_the_public(forms: tuple[str, ...], public: bool) -> None:
    assert is_public(forms) is public
