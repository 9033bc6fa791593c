"""An entry as a line of JSON: everything it says, legible, and read back as it was."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.errors import SourceError
from archiver.records import Attachment, LogRow, Moderation
from archiver.sources.moderation import (
    KIND,
    SCHEMA_VERSION,
    decode_entry,
    encode_entry,
    parse_register,
    register_capture,
)
from archiver.sources.parsers import parse_record, parser_for
from tests.made_vaults import moderation

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
TIMES = st.integers(min_value=-62_135_596_800_000, max_value=253_402_300_799_999)


def strategy_of(field: msgspec.structs.FieldInfo) -> st.SearchStrategy[Any]:
    name = field.name
    if name.endswith("_ms"):
        return TIMES
    if name == "attachments":
        attachment = st.builds(
            Attachment, role=st.sampled_from(["media", "screenshot"]), file_name=TEXT, media_type=TEXT,
            url=TEXT, alt_text=st.none() | TEXT, sha256=st.none() | TEXT, missing=st.none() | TEXT,
        )  # fmt: skip
        return st.lists(attachment, max_size=2).map(tuple)
    if name == "imported":
        cells = st.dictionaries(TEXT, TEXT, max_size=2)
        return st.builds(LogRow, file=TEXT, sha256=TEXT, line=st.integers(1, 2**40), cells=cells)
    if name in ("context_sha256", "context_missing", "cleared", "reason_codes"):
        return st.lists(TEXT, max_size=2).map(tuple)
    kind = msgspec.inspect.type_info(field.type)
    kinds = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    for one in kinds:
        if isinstance(one, msgspec.inspect.LiteralType):
            return st.sampled_from(one.values)
    if name == "schema_version":
        return st.integers(1, SCHEMA_VERSION)
    return st.integers(1, 2**31) if name == "number" else TEXT


REQUIRED = {one.name: strategy_of(one) for one in msgspec.structs.fields(Moderation) if one.required}
OPTIONAL = {one.name: strategy_of(one) for one in msgspec.structs.fields(Moderation) if not one.required}
ENTRIES = st.fixed_dictionaries(REQUIRED, optional=OPTIONAL).map(lambda fields: Moderation(**fields))


@given(ENTRIES)
def test_an_entry_is_read_back_as_it_was_written(entry: Moderation) -> None:
    data = encode_entry(entry)
    assert decode_entry(data) == entry
    assert b"\n" not in data
    assert encode_entry(decode_entry(data)) == data


def test_what_an_entry_does_not_say_is_not_in_its_line_and_times_are_legible() -> None:
    entry = moderation("m1", entered_ms=1_793_000_000_000, posted_ms=-1, reason_codes=("abusive",), text="ä")
    assert json.loads(encode_entry(entry)) == {
        "id": "m1", "record_id": "m1", "number": 1, "entry": "decision", "schema_version": 1,
        "entered_at": "2026-10-26T07:33:20.000Z", "entered_by": "M. Example", "platform": "x",
        "account": "1001", "posted_at": "1969-12-31T23:59:59.999Z", "reason_codes": ["abusive"], "text": "ä",
    }  # fmt: skip
    assert "ä".encode() in encode_entry(entry)


def line(**changes: object) -> bytes:
    fields = {**json.loads(encode_entry(moderation("m1"))), **changes}
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{}", b"[]", b"null", b'"m1"', b"\xff", b"{" * 100_000, b"[" * 100_000, line()[:-1],
        line(id=None), line(number="1"), line(number=1.5), line(entry="verdict"), line(entered_at=None),
        line(entered_at=5), line(entered_at="yesterday"), line(entered_at="2026-10-26T07:33:20"),
        line(entered_at="0000-01-01T00:00:00Z"), line(action="shadowed"), line(reason_codes="abusive"),
        line(attachments=[{"role": "media"}]),
        line(attachments=[{"role": "x", "file_name": "a", "media_type": "b"}]),
        line(imported={"file": "a"}), line(text=["a"]), line(content="seen"),
    ],
)  # fmt: skip
def test_what_is_no_entry_is_refused(data: bytes) -> None:
    with pytest.raises(SourceError, match=r"^not an entry of the moderation register: "):
        decode_entry(data)


def test_an_entry_of_a_newer_version_is_named_with_what_to_do() -> None:
    with pytest.raises(SourceError, match=f"has the schema {SCHEMA_VERSION + 1}") as caught:
        decode_entry(line(schema_version=SCHEMA_VERSION + 1))
    assert caught.value.hint == "use a newer version of archiver"


def test_what_a_newer_entry_says_more_is_passed_over() -> None:
    assert decode_entry(line(mood="calm")) == moderation("m1")


def test_the_register_is_a_source_whose_captures_were_made_by_hand() -> None:
    capture = register_capture("x", "1001", "SpringfieldPD", 5)
    assert (capture.source, capture.route, capture.body_kind) == ("moderation", "manual", KIND)
    assert (capture.status, capture.headers, capture.fetched_ms) == (None, None, 5)
    assert parser_for(capture.source) is parse_register
    entry = moderation("m1", text="rude")
    assert parse_record(capture, KIND, [encode_entry(entry)]) == entry
    with pytest.raises(SourceError, match="an entry without bytes"):
        parse_record(capture, KIND, [])
