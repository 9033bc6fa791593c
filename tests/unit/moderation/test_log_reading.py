"""A log's file to rows: every row with its line, what is wrong with one said of that one alone."""

import tracemalloc
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.errors import ArchiverError, ConfigurationError, SourceError, UsageError
from archiver.moderation.log_lines import CELL_BYTES, COLUMNS, ROW_BYTES
from archiver.moderation.log_reading import BadRow, Row, open_log
from archiver.moderation.mapping import LogMapping, own_mapping
from tests.unit.moderation.logs import csv_text

A_AND_B = LogMapping({"text": "a", "action": "b"})
WINDOWS = LogMapping({"text": "a", "action": "b"}, encoding="windows-1252")


def read(
    folder: Path, data: bytes, mapping: LogMapping = A_AND_B, name: str = "log.csv"
) -> list[Row | BadRow]:
    (folder / name).write_bytes(data)
    with open_log(folder / name, mapping) as log:
        return list(log.rows())


def cells(rows: list[Row | BadRow]) -> list[tuple[int, dict[str, str]]]:
    return [(one.line, dict(one.cells)) for one in rows if isinstance(one, Row)]


def bad(rows: list[Row | BadRow]) -> list[tuple[int, str]]:
    return [(one.line, " ".join(one.problems)) for one in rows if isinstance(one, BadRow)]


# CSV


def test_rows_come_with_the_lines_they_begin_on(tmp_path: Path) -> None:
    data = b'a,b\r\n1,2\r\n\r\n"three\r\nlines\nhere","4"\r\n5,"6 ""quoted"", with a comma"\n,\r\n7,8'
    assert cells(read(tmp_path, data)) == [
        (2, {"a": "1", "b": "2"}),
        (4, {"a": "three\r\nlines\nhere", "b": "4"}),
        (7, {"a": "5", "b": '6 "quoted", with a comma'}),
        (9, {"a": "7", "b": "8"}),
    ]


@pytest.mark.parametrize("delimiter", [";", "|", "\t"])
def test_cells_are_parted_as_the_mapping_says(tmp_path: Path, delimiter: str) -> None:
    data = f'a{delimiter}b\n1,5{delimiter}"2{delimiter}3"\n'.encode()
    mapping = LogMapping({"text": "a"}, delimiter=delimiter)
    assert cells(read(tmp_path, data, mapping)) == [(2, {"a": "1,5", "b": f"2{delimiter}3"})]


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    assert cells(read(tmp_path, b'\xef\xbb\xbf"a",b\n1,2\n')) == [(2, {"a": "1", "b": "2"})]


def test_text_of_older_spreadsheets_is_read_as_windows_1252(tmp_path: Path) -> None:
    rows = read(tmp_path, b"a,b\n\x80\x93caf\xe9\x94,1\nx\x81,2\n", WINDOWS)
    assert cells(rows) == [(2, {"a": "€“café”", "b": "1"})]
    assert bad(rows) == [(3, "cell 1 is no windows-1252 text; the mapping says what it is: encoding")]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'1,"2" 3', "its quotes are not balanced"),
        (b'1,2"3"', "its quotes are not balanced"),
        (b'1,"he said "hi" to me"', "its quotes are not balanced"),
        (b"1,2,3", "it has 3 cells, and the header has 2"),
        (b"1", "it has 1 cell, and the header has 2"),
        (b"1,\x00", "cell 2 has NUL bytes"),
        (b"1,\xff", "cell 2 is no utf-8 text; the mapping says what it is: encoding"),
        (b"1,\xed\xa0\x80", "cell 2 is no utf-8 text; the mapping says what it is: encoding"),
        (b"1,a\rb", "a line feed or carriage return stands in a cell without quotes"),
        (b"1," + b"x" * (CELL_BYTES + 1), f"cell 2 is larger than the {CELL_BYTES:,} bytes it may have"),
        (
            b"1," + b"x" * (ROW_BYTES + 1),
            f"it is longer than {ROW_BYTES:,} bytes, or a quote in it is never closed",
        ),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_read(tmp_path: Path, line: bytes, said: str) -> None:
    rows = read(tmp_path, b"a,b\n1,2\n" + line + b"\n3,4\n")
    assert bad(rows) == [(3, said)]
    assert [one.line for one in rows] == [2, 3, 4]


def test_a_quote_that_is_never_closed_costs_its_own_row_alone(tmp_path: Path) -> None:
    rows = read(tmp_path, b'a,b\n1,"open\n2,x\n"3",y\n4,z\n')
    assert bad(rows) == [(2, "a quote is opened in it and never closed")]
    assert [one.line for one in rows] == [2, 3, 4, 5]
    rows = read(tmp_path, b'a,b\n1,"open\n2,x\n3,"open too\n4,z\n')
    assert bad(rows) == [(2, "its quotes are not balanced"), (4, "a quote is opened in it and never closed")]
    assert cells(rows) == [(3, {"a": "2", "b": "x"}), (5, {"a": "4", "b": "z"})]


def test_a_quote_that_is_closed_too_late_is_given_up(tmp_path: Path) -> None:
    line = b"x" * 1000 + b"\n"
    rows = read(tmp_path, b'a,b\n1,"open\n' + line * 2200 + b'"3",y\n')
    assert bad(rows)[0] == (2, f"it is longer than {ROW_BYTES:,} bytes, or a quote in it is never closed")
    assert cells(rows) == [(2203, {"a": "3", "b": "y"})]
    assert len(rows) == 2202


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1))
@settings(max_examples=50)
def test_whatever_a_csv_writer_wrote_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    rows = [(a.replace("\0", "0"), b.replace("\0", "0")) for a, b in rows]
    expected = [{k: v for k, v in zip("ab", one, strict=True) if v} for one in rows if "".join(one).strip()]
    found = read(tmp_path_factory.mktemp("log"), csv_text(*rows, header=("a", "b")).encode())
    assert bad(found) == []
    assert [one for _, one in cells(found)] == expected


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_with_a_line(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    for name in ("log.csv", "log.jsonl"):
        try:
            rows = read(tmp_path_factory.mktemp("log"), b"a,b\n" + data, LogMapping({"text": "a"}), name)
        except ArchiverError:
            continue
        assert all(one.line >= 1 for one in rows)
        assert [one.line for one in rows] == sorted({one.line for one in rows})


# Whole files


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "log.csv is empty"),
        (b"\r\n\r\n", "log.csv is empty"),
        (b"\xef\xbb\xbf", "log.csv is empty"),
        (b"a,b\r\n", "log.csv has a header and no row"),
        (b"a,b\r\n\r\n  \r\n", "log.csv has a header and no row"),
        ("a,b\r\n1,2".encode("utf-16"), "log.csv is UTF-16 text"),
        (b'a,"b\n1,2\n', "line 1, the header: a quote is opened in it and never closed"),
        (b"a,\xff\n1,2\n", "line 1, the header: cell 2 is no utf-8 text"),
        (b"a,b\r1,2\r", "line 1, the header: a line feed or carriage return stands in a cell without quotes"),
        (b",".join(b"c%d" % one for one in range(COLUMNS + 1)) + b"\n1\n", "has 1,001 columns"),
    ],
)
def test_a_file_that_is_no_log_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read(tmp_path, data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a, a ,b\n1,2,3\n", "two columns of one name: 'a'"),
        (b"x,y\n1,2\n", r"lacks columns that the mapping names: 'a' \(text\), 'b' \(action\)"),
    ],
)
def test_columns_that_are_not_what_the_mapping_says_are_told_before_any_row(
    tmp_path: Path, data: bytes, said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        read(tmp_path, data)
    assert caught.value.exit_code == 2


def test_columns_without_a_name_are_called_after_their_place(tmp_path: Path) -> None:
    assert cells(read(tmp_path, b" a ,b,,\n1,2,,3\n")) == [(2, {"a": "1", "b": "2", "column 4": "3"})]


def test_without_a_mapping_a_column_that_is_not_ours_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not know: 'txt'") as caught:
        read(tmp_path, b"action,txt\n1,2\n", own_mapping())
    assert "--mapping" in (caught.value.hint or "")
    assert cells(read(tmp_path, b"action,entries\nnone,1\n", own_mapping()))


@pytest.mark.parametrize("name", ["log.xlsx", "log"])
def test_what_is_neither_csv_nor_json_lines_by_its_ending_needs_a_mapping(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"does not end in \.csv"):
        read(tmp_path, b"a,b\n1,2\n", A_AND_B, name)
    as_csv = LogMapping({"text": "a"}, format="csv")
    assert cells(read(tmp_path, b"a,b\n1,2\n", as_csv, name)) == [(2, {"a": "1", "b": "2"})]


def test_a_file_that_is_not_there_and_a_folder_are_said(tmp_path: Path) -> None:
    with pytest.raises(ArchiverError, match="no such file"), open_log(tmp_path / "no.csv", A_AND_B):
        pass
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UsageError, match="is not a file"), open_log(tmp_path / "folder.csv", A_AND_B):
        pass


def test_a_file_that_cannot_be_read_is_said() -> None:
    unreadable = Path("/proc/self/mem")  # there is nothing at its beginning
    as_csv = LogMapping({"text": "a"}, format="csv")
    with pytest.raises(ArchiverError, match="input/output error"), open_log(unreadable, as_csv):
        pass


@pytest.mark.parametrize("name", ["log.csv", "LOG.JSONL"])
def test_the_hash_is_of_the_whole_file(tmp_path: Path, name: str) -> None:
    data = b"a,b\n1,2\n" if name.endswith("csv") else b'{"a":"1","b":"2"}\n'
    (tmp_path / name).write_bytes(data)
    with open_log(tmp_path / name, A_AND_B) as log:
        assert log.sha256 == sha256(data).hexdigest()
        assert log.columns == ("a", "b")


def test_a_file_that_is_changed_while_it_is_read_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b"a,b\n1,2\n")
    with open_log(path, A_AND_B) as log:
        path.write_bytes(b"a,b\n1,3\n")
        with pytest.raises(SourceError, match="was changed while it was read"):
            list(log.rows())


# JSON lines


def test_json_lines_come_with_their_lines_and_their_values_as_they_stand(tmp_path: Path) -> None:
    data = (
        b'\xef\xbb\xbf{"a":"one \\u00e9 \\n","b":null}\n\n{"a":12345678901234567890,"b":["x","y"]}\r\n'
        b'{"a":1.10,"b":{"c":[1, 2]}}\n{"a":null}\n{"a":true,"b":""}'
    )
    assert cells(read(tmp_path, data, name="log.ndjson")) == [
        (1, {"a": "one é \n"}),
        (3, {"a": "12345678901234567890", "b": '["x","y"]'}),
        (4, {"a": "1.10", "b": '{"c":[1, 2]}'}),
        (6, {"a": "true"}),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"[1]", "it is JSON, but no object"),
        (b'"text"', "it is JSON, but no object"),
        (b"{", "it is not JSON on one line"),
        (b'{"a":1} {"a":2}', "it is not JSON on one line"),
        (b'{"a":NaN}', "it is not JSON on one line"),
        (b'{"a":"\\ud800"}', "it is not JSON on one line"),
        (b'{"a":' + b"[" * 100_000, "it is not JSON on one line"),
        (b'{"a":1,"a":2}', "it has a key twice"),
        (b'{"a":"\\u0000"}', "'a' has NUL characters"),
        (b'{"a":"\xff"}', "it is no utf-8 text; the mapping says what it is: encoding"),
        (b'{"a":"' + b"x" * CELL_BYTES + b'"}', f"'a' is larger than the {CELL_BYTES:,} bytes it may have"),
        (b'{"a":"' + b"x" * ROW_BYTES + b'"}', f"it is longer than {ROW_BYTES:,} bytes"),
    ],
)
def test_a_line_that_is_no_object_is_named_and_the_others_are_read(
    tmp_path: Path, line: bytes, said: str
) -> None:
    rows = read(tmp_path, b'{"a":"1","b":"2"}\n' + line + b'\n{"a":"3"}\n', name="log.jsonl")
    assert bad(rows) == [(2, said)]
    assert [one.line for one in rows] == [1, 2, 3]


def test_keys_that_no_line_has_are_told_before_any_row(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"lacks columns that the mapping names: 'b' \(action\)"):
        read(tmp_path, b'{"a":"1"}\n{"a":"2"}\n', name="log.jsonl")


def test_a_file_without_one_line_of_json_has_only_bad_rows(tmp_path: Path) -> None:
    assert len(bad(read(tmp_path, b"a,b\n1,2\n", name="log.jsonl"))) == 2


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "log.jsonl is empty"),
        (b"\n\n", "log.jsonl is empty"),
        ('{"a":1}'.encode("utf-16"), "log.jsonl is UTF-16 text"),
        (b"".join(b'{"k%d":1}\n' % one for one in range(COLUMNS + 1)), "more than 1,000 different keys"),
    ],
)
def test_a_file_that_is_no_json_lines_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read(tmp_path, data, name="log.jsonl")


# What it costs


@pytest.mark.parametrize(
    "data",
    [
        b"a,b\n" + b"1,2\n" * 50_000,
        b"a,b\n" + b"x" * 30_000_000 + b"\n1,2\n",
        b'a,b\n1,"' + b'""' * 500_000 + b'"\n',
        b"a,b\n" + b'"\n' * 100_000,
        b"a,b\n" + b'1,"\n2,3\n' * 30_000,
    ],
)
def test_a_large_or_hostile_file_is_read_in_little_memory(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "log.csv").write_bytes(data)
    tracemalloc.start()
    with open_log(tmp_path / "log.csv", A_AND_B) as log:
        for _ in log.rows():
            pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40 * 1024 * 1024
