"""Cutting JSON and rows: whatever the formatting and the blocks, elements come out exactly as they stand."""

import csv
import io
import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.sources.x_export.cut import BrokenJsonError, JsonReader
from archiver.sources.x_export.grailbird import csv_fields, csv_rows
from archiver.sources.x_export.messages import read_conversations

decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

texts = st.text(max_size=12) | st.sampled_from(
    ["}", "},\n  {", '},{"a":', "]", "[", '"', "\\", "\n  },\n  {\n    ", "é💬"]
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
elements = st.dictionaries(st.sampled_from(["a", "tweet", "b"]), values, max_size=3) | values
spaces = st.text(alphabet=" \t\r\n", max_size=3)


def spelled(value: Any, indent: int | None, escaped: bool) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=escaped)


def surrogates(text: str) -> bool:
    return any("\ud800" <= each <= "\udfff" for each in text)


@given(
    rows=st.lists(
        st.tuples(elements, st.sampled_from([None, 0, 2]), st.booleans(), spaces, spaces), max_size=12
    ),
    size=st.integers(1, 200),
    end=spaces,
)
@settings(max_examples=400)
def test_elements_of_any_array_come_out_verbatim(
    rows: list[tuple[Any, int | None, bool, str, str]], size: int, end: str
) -> None:
    pieces = [spelled(value, indent, escaped) for value, indent, escaped, _, _ in rows]
    between = [
        f"{before}{piece}{after}" for piece, (_, _, _, before, after) in zip(pieces, rows, strict=True)
    ]
    text = f"window.YTD.a.part0 ={end}[{','.join(between)}{end}]{end}".encode("utf-8", "surrogatepass")
    reader = JsonReader(iter([text[at : at + size] for at in range(0, len(text), size)]), 1 << 20)
    reader.skip_assignment()
    reader.expect("[")
    found = [piece for batch in reader.elements(decode) for piece, _ in batch]
    reader.finish()
    assert found == [piece.encode("utf-8", "surrogatepass") for piece in pieces]
    assert reader.offset == len(text)


@given(
    rows=st.lists(elements, min_size=1, max_size=8),
    indent=st.sampled_from([None, 2]),
    size=st.integers(1, 100),
    cut=st.integers(0, 10**6),
    junk=st.binary(max_size=3),
)
@settings(max_examples=300)
def test_of_a_damaged_array_only_whole_elements_come_out(
    rows: list[Any], indent: int | None, size: int, cut: int, junk: bytes
) -> None:
    text = ("x=" + json.dumps(rows, indent=indent)).encode()
    at = 2 + cut % (len(text) - 2)
    damaged = text[:at] + junk
    reader = JsonReader(iter([damaged[at : at + size] for at in range(0, len(damaged), size)]), 1 << 20)
    reader.skip_assignment()
    found: list[bytes] = []
    broken_at: int | None = None
    try:
        reader.expect("[")
        for batch in reader.elements(decode):
            found += [piece for piece, _ in batch]
        reader.finish()
    except BrokenJsonError as error:
        broken_at = error.offset
    assert broken_at is None or 0 <= broken_at <= len(damaged)
    if broken_at is None:
        assert json.loads(damaged[2:].decode("utf-8", "replace").rstrip().removesuffix(";")) is not None
    for piece in found:
        json.loads(piece.decode("utf-8", "replace"))
        assert piece in damaged


@given(
    conversations=st.lists(
        st.tuples(
            texts,
            st.lists(
                st.dictionaries(st.just("messageCreate"), st.dictionaries(texts, texts), min_size=1),
                max_size=5,
            ),
            st.booleans(),
        ),
        max_size=5,
    ),
    indent=st.sampled_from([None, 2]),
    size=st.integers(1, 100),
)
@settings(max_examples=200)
def test_every_event_of_every_conversation_comes_out(
    conversations: list[tuple[str, list[Any], bool]], indent: int | None, size: int
) -> None:
    rows = [
        {
            "dmConversation": {"conversationId": name, "messages": events}
            if first
            else {"messages": events, "conversationId": name, "x": 1}
        }
        for name, events, first in conversations
    ]
    text = json.dumps(rows, indent=indent).encode()
    reader = JsonReader(iter([text[at : at + size] for at in range(0, len(text), size)]), 1 << 20)
    opened: list[None] = []
    found = [
        (json.loads(name), json.loads(piece))
        for name, pairs in read_conversations(reader, lambda: opened.append(None))
        for piece, _ in pairs
    ]
    reader.finish()
    assert found == [(name, event) for name, events, _ in conversations for event in events]
    assert len(opened) == len(conversations)


@given(
    rows=st.lists(
        st.lists(
            st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
            min_size=2,
            max_size=4,
        ),
        max_size=8,
    ),
    newline=st.sampled_from(["\n", "\r\n"]),
    size=st.integers(1, 50),
)
@settings(max_examples=200)
def test_rows_come_out_verbatim(rows: list[list[str]], newline: str, size: int) -> None:
    spelled_rows = []
    for row in rows:
        out = io.StringIO(newline="")
        csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator=newline).writerow(row)
        spelled_rows.append(out.getvalue().encode())
    text = b"".join(spelled_rows)
    blocks = [text[at : at + size] for at in range(0, len(text), size)]
    found = [row for batch in csv_rows(blocks, 1 << 20) for row in batch]
    assert found == spelled_rows
    for piece, row in zip(found, rows, strict=True):
        fields = csv_fields(piece)
        # the reader strips a byte-order mark and the newline at the end, both outside quotes
        assert fields == row
