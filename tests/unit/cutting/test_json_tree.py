"""Cutting values out of JSON: what stays is the same JSON, byte for byte, without them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.cutting.edits import Edits
from archiver.cutting.json_tree import DEEPEST, Node, NotJsonError, cut_parts, parse_tree, walk

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
LAYOUTS = st.sampled_from([None, 1, 3])


def shown(node: Node, data: bytes) -> Any:
    return json.loads(data[node.start : node.end])


def without(value: Any, doomed: set[int]) -> Any:
    kept = [number for number in range(len(value)) if number not in doomed]
    if isinstance(value, dict):
        items = list(value.items())
        return dict(items[number] for number in kept)
    return [value[number] for number in kept]


@given(VALUES, LAYOUTS, st.booleans())
def test_every_value_is_found_at_its_place(value: Any, indent: int | None, ascii_only: bool) -> None:
    data = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    tree = parse_tree(data)
    assert (tree.start, tree.end) == (0, len(data))
    for node in walk(tree):
        found = json.loads(data[node.start : node.end].decode("utf-8", "replace"))
        if node.is_string:
            assert found == node.text
        elif node.text is None:
            assert isinstance(found, list | dict)
            assert len(node.parts) == len(found)


@given(
    st.lists(VALUES, max_size=5) | st.dictionaries(st.text(max_size=3), VALUES, max_size=5),
    LAYOUTS,
    st.data(),
)
def test_what_is_left_after_a_cut_is_json_without_it(
    value: Any, indent: int | None, data: st.DataObject
) -> None:
    doomed = data.draw(st.sets(st.integers(0, max(0, len(value) - 1)), max_size=5)) if value else set()
    body = json.dumps(value, indent=indent).encode()
    left = Edits(cut_parts(parse_tree(body), doomed)).apply(body)
    assert json.loads(left) == without(value, doomed)


@given(st.binary(max_size=40))
def test_bytes_that_are_no_json_are_told_from_it(data: bytes) -> None:
    try:
        tree = parse_tree(data)
    except NotJsonError:
        return
    assert tree.end <= len(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"a" 1}',
        b'{"a": }',
        b"[1,]",
        b"[1 2]",
        b'"open',
        b"nul",
        b"1 2",
        b"\xff",
        b'{"a":1,}',
        b"{1:2}",
    ],
)
def test_what_is_almost_json_is_none(data: bytes) -> None:
    with pytest.raises(NotJsonError):
        parse_tree(data)


def test_what_is_nested_without_end_costs_no_stack() -> None:
    with pytest.raises(NotJsonError):
        parse_tree(b"[" * 100_000)
    assert parse_tree(b"[" * DEEPEST + b"]" * DEEPEST).end == 2 * DEEPEST


def test_a_string_with_half_a_character_or_bytes_that_are_none_has_its_place() -> None:
    tree = parse_tree(b'{"a": "\\ud83d", "b": "\xff", "c": 1}')
    assert [part.name for part in tree.parts] == ["a", "b", "c"]
    assert tree.parts[1].text == "\ufffd"
