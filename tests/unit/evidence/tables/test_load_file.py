"""records.dat and its texts, read back by a reader that is written from the convention alone."""

import posixpath
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from archiver.evidence.model import Exhibit
from archiver.evidence.tables import LOAD_FILE_COLUMNS, load_file, text_files
from tests.exhibit_parts import make_exhibit, make_version
from tests.exhibits import exhibits, files, production, strange
from tests.unit.evidence.tables.hostile import hostile_exhibits, texts


def _read(data: bytes) -> list[dict[str, str]]:
    """Documents by their columns. A line a document; cells between þ, 0x14 between them; ® is a line
    break."""
    text = data.decode("utf-8-sig")
    assert data.startswith(b"\xef\xbb\xbf")
    assert text.endswith("\r\n")
    lines = [[cell.strip("þ") for cell in line.split("\x14")] for line in text.splitlines()]
    for line in text.splitlines():
        assert all(cell.startswith("þ") and cell.endswith("þ") for cell in line.split("\x14"))
        assert line.count("þ") == 2 * len(LOAD_FILE_COLUMNS)
    header, *rows = lines
    return [dict(zip(header, (cell.replace("®", "\n") for cell in row), strict=True)) for row in rows]


def _documents(made: list[Exhibit]) -> list[dict[str, str]]:
    return _read(b"".join(load_file(production(), made, confidentiality="OFFICIAL")))


def test_the_columns_stand_in_the_order_of_the_convention() -> None:
    (document, *_) = _documents(exhibits())
    assert " ".join(document) == (
        "BEGBATES ENDBATES BEGATTACH ENDATTACH CUSTODIAN DOCTYPE FROM TO DATESENT TIMESENT TIMEZONE URL"
        " PLATFORM POSTID THREADID PARENTID DELETED EDITED SHA256HASH NATIVEPATH TEXTPATH PAGECOUNT"
        " CONFIDENTIALITY"
    )


def test_a_record_is_a_document_with_its_date_its_people_and_what_became_of_it() -> None:
    by_number = {one["BEGBATES"]: one for one in _documents(exhibits())}
    reply = by_number["ABC_1_3"]
    assert (reply["DATESENT"], reply["TIMESENT"], reply["TIMEZONE"]) == ("20260704", "12:00:00", "UTC")
    assert reply["FROM"].endswith("@SpringfieldRes07 (713626142)")
    assert (reply["TO"], reply["PARENTID"], reply["THREADID"]) == ("@SpringfieldPolice", "1800001", "1800001")
    assert (reply["DELETED"], reply["EDITED"], reply["CONFIDENTIALITY"]) == ("Y", "N", "OFFICIAL")
    assert (by_number["ABC_1_2"]["DELETED"], by_number["ABC_1_2"]["EDITED"]) == ("N", "Y")
    assert by_number["ABC_1_9"]["TO"] == "Springfield Police @SpringfieldPolice (451207733)"


def test_pictures_are_documents_of_the_same_family() -> None:
    family = [one for one in _documents(exhibits()) if one["BEGATTACH"] == "ABC_1_4"]
    assert [one["BEGBATES"] for one in family] == ["ABC_1_4", "ABC_1_4_1", "ABC_1_4_2", "ABC_1_4_3"]
    assert {one["ENDATTACH"] for one in family} == {"ABC_1_4_3"}
    assert [one["DOCTYPE"] for one in family] == ["post", "photo", "photo", "video"]
    assert family[1]["PARENTID"] == "1800004"
    assert all(not one["BEGATTACH"] for one in _documents(exhibits()) if one["BEGBATES"] == "ABC_1_1")


def test_paths_are_relative_and_name_what_the_pack_holds() -> None:
    made = dict(text_files(production(), exhibits()))
    held = {**files(), **made}
    documents = _documents(exhibits())
    paths = [document[column] for document in documents for column in ("NATIVEPATH", "TEXTPATH")]
    named = {posixpath.normpath(posixpath.join("data", one)) for one in paths if one}
    assert not named - set(held)
    assert set(made) <= named
    for document in documents:
        if document["NATIVEPATH"]:
            body = held[f"data/{document['NATIVEPATH']}"]
            assert document["SHA256HASH"] == sha256(body).hexdigest()
    assert len([one for one in documents if one["NATIVEPATH"]]) == 15


def test_texts_are_the_records_own_words() -> None:
    made = dict(text_files(production(), exhibits()))
    now = exhibits()[4].now
    assert now is not None
    assert made["data/text/ABC_1_5.txt"].decode() == now.text
    assert made["data/text/ABC_1_4_1.txt"].decode() == "A blue and yellow band across a grey sky"
    assert made["data/text/ABC_1_10.txt"].decode().startswith("user id: 715556419\n")
    assert made["data/text/ABC_1_13.txt"] == b""


def test_the_three_signs_are_spelt_out() -> None:
    exhibit = make_exhibit(1, kind="post", id="1\x14þ®\r\n2", versions=(make_version(1, "þ\x14®"),))
    (document,) = _documents([exhibit])
    assert document["POSTID"] == "1 th(R)\n2"
    assert dict(text_files(production(), [exhibit]))["data/text/ABC_1_1.txt"] == "þ\x14®".encode()


def test_no_odd_text_breaks_the_file() -> None:
    assert len(_documents([strange(), *exhibits()])) == 1 + len(_documents(exhibits()))


@given(st.lists(hostile_exhibits(), max_size=3))
def test_any_documents_are_read_back_in_their_columns(made: list[Exhibit]) -> None:
    documents = _documents(made)
    assert len(documents) == len(made)
    for document, exhibit in zip(documents, made, strict=True):
        assert list(document) == list(LOAD_FILE_COLUMNS)
        assert document["POSTID"] == _as_read(exhibit.id)
        assert document["URL"] == _as_read(exhibit.url or "")


@given(texts)
def test_any_text_is_whole_in_its_file(text: str) -> None:
    exhibit = make_exhibit(1, kind="post", id="1", versions=(make_version(1, text, facts=()),))
    ((path, data),) = text_files(production(), [exhibit])
    assert path == "data/text/ABC_1_1.txt"
    assert data.decode() == "".join(
        "\ufffd" if one == "\0" or "\ud800" <= one <= "\udfff" else one for one in text
    )


def _as_read(text: str) -> str:
    """What a reader of the convention can make of a cell at best."""
    for sign, instead in (("þ", "th"), ("®", "(R)"), ("\x14", " "), ("\r\n", "\n"), ("\0", "\ufffd")):
        text = text.replace(sign, instead)
    text = "".join("\ufffd" if "\ud800" <= one <= "\udfff" else one for one in text)
    return "".join("\n" if one in "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029" else one for one in text)
