import json
from collections.abc import Iterator

import msgspec
import pytest

from archiver.sources.x_export.cut import BrokenJsonError, JsonReader

decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
LIMIT = 1 << 20


def blocks(text: bytes, size: int) -> Iterator[bytes]:
    return (text[at : at + size] for at in range(0, len(text), size))


def elements(text: bytes, size: int = 1 << 16, limit: int = LIMIT) -> list[bytes]:
    reader = JsonReader(blocks(text, size), limit)
    reader.skip_assignment()
    reader.expect("[")
    pieces = [piece for batch in reader.elements(decode) for piece, _ in batch]
    reader.finish()
    return pieces


ROWS = [
    {"tweet": {"id": str(number), "urls": [{"a": "},\n  {"}, {"b": '}},{"tweet":'}]}} for number in range(50)
]


@pytest.mark.parametrize("indent", [None, 0, 1, 2, 8])
@pytest.mark.parametrize("size", [1, 7, 64, 1 << 16])
def test_elements_come_out_as_they_stand_in_any_formatting(indent: int | None, size: int) -> None:
    text = ("window.YTD.tweets.part0 = " + json.dumps(ROWS, indent=indent)).encode()
    found = elements(text, size)
    assert [json.loads(piece) for piece in found] == ROWS
    assert all(piece in text for piece in found)


def test_formatting_that_changes_inside_a_file_is_followed() -> None:
    parts = [json.dumps(row, indent=indent) for indent in (None, 2, 4) for row in ROWS]
    text = f"x=[{' , '.join(parts)}]".encode()
    assert [piece.decode() for piece in elements(text)] == parts


def test_a_border_inside_a_string_cuts_nothing() -> None:
    rows = [{"a": '}\n  },\n  {\n    "a"'}, {"a": '},{"a":'}] * 20
    for indent in (None, 2):
        text = ("x=" + json.dumps(rows, indent=indent)).encode()
        assert [json.loads(piece) for piece in elements(text)] == rows


def test_an_empty_array_has_no_elements_and_a_semicolon_may_follow() -> None:
    assert elements(b"x = [ ] ; \n") == []


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        (b'x=[{"a":1},{"a":2}', 18),
        (b'x=[{"a":1} {"a":2}]', 11),
        (b'x=[{"a":1},]', 11),
        (b'x=[{"a":1},{"a":tru}]', 16),
        (b'x=[{"a":1}] more', 12),
        (b'x=[{"a":1},{"a":NaN}]', 11),
        (b'x=[{"a":"line\nbreak"}]', 13),
        (b'x=[{"a":"\xff"},{"a":"\\q"}]', 19),
        (b'x={"a":1}', 2),
        (b"x=", 2),
    ],
)
def test_a_break_is_told_with_its_offset(text: bytes, offset: int) -> None:
    with pytest.raises(BrokenJsonError) as caught:
        elements(text)
    assert caught.value.offset == offset


def test_what_is_sound_before_a_break_comes_out_first() -> None:
    text = ("x=" + json.dumps(ROWS, indent=2)).encode()
    broken = text[: text.rindex(b'"id": "40"')] + b"?"
    reader = JsonReader(blocks(broken, 100), LIMIT)
    reader.skip_assignment()
    reader.expect("[")
    found: list[object] = []
    with pytest.raises(BrokenJsonError):
        found.extend(json.loads(piece) for batch in reader.elements(decode) for piece, _ in batch)
    assert found == ROWS[:40]


def test_nesting_without_end_is_a_break_not_a_crash() -> None:
    with pytest.raises(BrokenJsonError, match="nested too deep"):
        elements(b'x=[{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}]")


def test_an_element_past_the_limit_is_a_break() -> None:
    long = json.dumps({"a": "b" * 300_000}).encode()
    assert len(elements(b"x=[" + long + b"," + long + b"]", limit=400_000)) == 2
    with pytest.raises(BrokenJsonError, match="no value ends within 200,000 bytes"):
        elements(b"x=[" + long + b"," + long + b"]", limit=200_000)


def test_a_file_without_assignment_is_a_break() -> None:
    with pytest.raises(BrokenJsonError, match="no assignment"):
        elements(b"[" * 10_000)


def test_an_element_that_the_decoder_refuses_comes_undecoded() -> None:
    reader = JsonReader(iter([b'[{"a":1},5,{"a":"\\ud83d"},{"a":2}]']), LIMIT)
    reader.expect("[")
    found = [pair for batch in reader.elements(decode) for pair in batch]
    assert [piece for piece, _ in found] == [b'{"a":1}', b"5", b'{"a":"\\ud83d"}', b'{"a":2}']
    assert [value is None for _, value in found] == [False, True, True, False]


def test_numbers_cut_by_a_block_are_whole() -> None:
    reader = JsonReader(iter([b"[12", b"34", b"5, 6", b"]"]), LIMIT)
    reader.expect("[")
    assert [piece for batch in reader.elements(decode) for piece, _ in batch] == [b"12345", b"6"]


def test_the_head_of_a_file_can_be_seen_without_taking_it() -> None:
    reader = JsonReader(iter([b"x=[ ", b'{"twe', b'et":{}}]']), LIMIT)
    reader.skip_assignment()
    reader.expect("[")
    assert reader.head(9) == b'{"tweet":'
    assert [piece for batch in reader.elements(decode) for piece, _ in batch] == [b'{"tweet":{}}']
