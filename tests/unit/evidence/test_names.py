"""Names of a pack's files: what fits everywhere passes, what leads elsewhere or collides does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.evidence.names import find_fault, fit_name, folded, shown


@pytest.mark.parametrize(
    "path",
    ["bagit.txt", "data/records/ABC_1_17.json", "data/media/été ☂.jpg", "a/b/c/d", "100%.txt", "x.con"],
)
def test_an_ordinary_name_has_no_fault(path: str) -> None:
    assert find_fault(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "", "/etc/passwd", "..", "../x", "a/../x", "a//b", "a/", "./a", "a/.", "a\\b", "..\\x", "C:/x", "a:b",
        "a\nb", "a\rb", "a\x00b", "a\x1b[2Jb", "a\x85b", "\ud800", "a?", "a*b", "a|b", "a<b", 'a"b', "a.",
        "a ", "CON", "con.txt", "data/NUL", "lpt1.json", "COM¹", "x" * 256,
        "é" * 128, "/".join(["x" * 200] * 6),
    ],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_or_is_none_everywhere_has_a_fault(path: str) -> None:
    assert find_fault(path)


@pytest.mark.parametrize(
    ("one", "other"),
    [("a/B.txt", "A/b.TXT"), ("é", "e\u0301"), ("É", "e\u0301"), ("straße", "STRASSE"), ("\u212b", "å")],
)
def test_names_that_some_file_systems_take_for_the_same_fold_alike(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_different_names_fold_differently() -> None:
    assert len({folded(name) for name in ("a", "b", "a/b", "ab", "é", "e")}) == 6


@given(st.text(st.characters(exclude_categories=())))
def test_any_name_can_be_shown_on_one_line_of_a_terminal(path: str) -> None:
    seen = shown(path)
    assert seen.encode().decode() == seen
    assert seen.isprintable()
    assert seen == path or not path.isprintable()


@given(st.text(st.characters(exclude_categories=())))
def test_any_name_is_made_to_fit(name: str) -> None:
    fitted = fit_name(name)
    assert find_fault(fitted) is None
    assert "/" not in fitted
    assert "%" not in fitted
    assert fit_name(fitted) == fitted


@pytest.mark.parametrize(
    ("name", "fitted"),
    [
        ("photo_1.jpg", "photo_1.jpg"), ("été ☂.png", "été ☂.png"), ("e\u0301.png", "é.png"),
        ("../../etc/passwd", "passwd"), ("C:\\Users\\x.jpg", "x.jpg"), ("a\nb?.jpg", "a_b_.jpg"),
        ("100%.jpg", "100_.jpg"), ("con.txt", "_con.txt"), ("", "file"), ("..", "file"), ("a/", "file"),
        (".htaccess", "htaccess"), ("x" * 300 + ".jpeg", "x" * 95 + ".jpeg"), ("é" * 300, "é" * 50),
        ("a." + "x" * 300, "a." + "x" * 98), ("\ud800.jpg", "_.jpg"), ("a .jpg", "a.jpg"),
    ],
)  # fmt: skip
def test_a_name_keeps_what_fits(name: str, fitted: str) -> None:
    assert fit_name(name) == fitted
