"""bag-info.txt: any value stays one value, and is read again."""

from pathlib import Path

import bagit
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.evidence.bag.info import format_bag_info, make_bag_info, parse_bag_info
from archiver.evidence.model import PackFile
from tests.exhibits import production

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(st.lists(st.tuples(st.sampled_from(["Contact-Name", "External-Description"]), ANY_TEXT)))
def test_any_values_come_back_one_each_with_their_white_space_as_single_spaces(
    info: list[tuple[str, str]],
) -> None:
    written = format_bag_info(info)
    read = parse_bag_info(written)
    assert [label for label, _ in read] == [label for label, _ in info]
    for (_, before), (_, after) in zip(info, read, strict=True):
        words = before.encode("utf-8", "replace").decode().split()
        assert len(after.split()) == max(len(words), 1 if words else 2)  # nothing is "not stated"
        if before.isprintable() and words:
            assert after == " ".join(words)


def test_a_long_value_is_folded_at_spaces_and_a_long_word_stays_whole() -> None:
    text = " ".join(["word"] * 60 + ["x" * 200])
    lines = format_bag_info([("External-Description", text)]).decode().splitlines()
    assert len(lines) > 4
    assert all(len(line) < 79 for line in lines[:-1])
    assert all(line[0] == " " for line in lines[1:])
    assert parse_bag_info(("\n".join(lines) + "\n").encode()) == (("External-Description", text),)


def test_a_value_cannot_add_a_label_of_its_own(tmp_path: Path) -> None:
    info = [("Contact-Name", "A\nExternal-Identifier: XYZ/9\r\nPayload-Oxum: 0.0\u2028Bag-Size: 0\x85x: y")]
    for each, value in parse_bag_info(format_bag_info(info)):
        assert each == "Contact-Name"
        assert value == "A External-Identifier: XYZ/9 Payload-Oxum: 0.0 Bag-Size: 0 x: y"
    (tmp_path / "tags").write_bytes(format_bag_info(info))
    assert list(bagit._load_tag_file(str(tmp_path / "tags"))) == ["Contact-Name"]


@pytest.mark.parametrize(
    ("contact", "labels"),
    [
        (None, []),
        ("disclosure@springfield-police.invalid", ["Contact-Email"]),
        ("telephone 101, or a@b.invalid", ["Contact-Name"]),
    ],
)
def test_a_contact_stands_under_the_label_that_fits(contact: str | None, labels: list[str]) -> None:
    info = make_bag_info(production(contact=contact), {})
    assert [label for label, value in info if value == contact] == labels


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 KB"), (25_130_000, "25.1 MB"), (10**16, "10000.0 TB")],
)
def test_the_size_is_said_for_people_and_exactly_for_programs(size: int, said: str) -> None:
    files = {"data/x": PackFile(size, "", ""), "case.jsonld": PackFile(5, "", "")}
    info = dict(make_bag_info(production(), files))
    assert info["Bag-Size"] == said
    assert info["Payload-Oxum"] == f"{size}.1"


@pytest.mark.parametrize("data", [b"a: b", b"a\n", b" a: b\n", b": b\n", b"a : b\n", b"a:b\n", b"\n"])
def test_what_is_no_line_with_a_label_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="line"):
        parse_bag_info(data)


def test_a_file_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(UnicodeDecodeError):
        parse_bag_info(b"a: \xff\n")
