"""A pack's contents without what the rules name: exhibits, bytes, the search record and the log."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from archiver.errors import IntegrityError
from archiver.evidence.contents import LogLine
from archiver.evidence.forms import FORMS
from archiver.evidence.gathering import Gathered
from archiver.evidence.gathering.captures import Answer
from archiver.evidence.gathering.media import MediaPlace
from archiver.evidence.gathering.shown import Books
from archiver.evidence.redacting import Redacted, redact
from archiver.evidence.redaction import parse_rules
from archiver.evidence.trimming import paths_in
from tests.exhibits import exhibits, files, production

RECORD = json.dumps({"query": "from:nobody Main Street", "ids": []}).encode()
LOG = [LogLine(b"link one", b"sig one", b'{"query": "Main Street"}'), LogLine(b"link two", b"sig two", b"{}")]


class Held:
    """Reads the made-up files."""

    def answer(self, place: Answer, /) -> bytes:
        return files()[place.segment]

    def media(self, place: MediaPlace, /) -> Iterator[bytes]:
        yield files()[place.pack]


class Plain(Held):
    """Reads captures in which nothing is written."""

    def answer(self, place: Answer, /) -> bytes:
        return b"{}"


def made(rules: str | None, forms: tuple[str, ...] = tuple(FORMS), **said: Any) -> Redacted:
    """The made-up pack's contents of these forms, by these rules."""
    books, bodies = Books(), files()
    for path, data in bodies.items():
        if path.startswith("data/captures/"):
            books.captures.answers[path] = Answer(path, 1)
        elif path.startswith("data/media/"):
            books.media.places[path] = MediaPlace("", path, 0, len(data), sha256(data).hexdigest())
    records = [
        Gathered(one, {path: bodies[path] for path in paths_in([one]) if path.startswith("data/records/")})
        for one in exhibits()
    ]
    parsed = None if rules is None else parse_rules(rules.encode(), Path("rules.toml"))
    return redact(parsed, forms, production(**said), records, books, Held(), RECORD, LOG)


def rule(kind: str, value: str) -> str:
    return f'[[rule]]\n{kind} = {json.dumps(value)}\nreason = "private"\n'


def test_without_rules_everything_goes_in_as_it_is() -> None:
    found = made(None)
    assert [one.exhibit for one in found.records] == exhibits()
    there = {*found.answers, *found.media, *(path for one in found.records for path in one.bodies)}
    assert there == set(paths_in(exhibits()))
    assert (found.search_record, found.log, found.count, found.warnings) == (RECORD, LOG, 0, ())
    assert found.leaks is None
    found.watch("a file", iter([b"Main Street"]))
    found.require_clean()


def test_a_pack_of_few_forms_takes_few_files() -> None:
    found = made(None, ("csv",))
    assert (dict(found.answers), dict(found.media), dict(found.slices)) == ({}, {}, {})
    assert all(one.bodies == {} for one in found.records)


def test_what_a_rule_names_is_in_no_exhibit_and_its_bytes_are_not_there() -> None:
    found = made(rule("text", "Main Street"))
    assert found.count == sum(
        one.exhibit.redactions != old.redactions for one, old in zip(found.records, exhibits(), strict=True)
    )
    assert found.count > 2
    assert "Main Street" not in str([one.exhibit for one in found.records])
    bodies = [
        *(body for one in found.records for body in one.bodies.values()),
        *(files()[path] for path in (*found.answers, *found.media)),
    ]  # fmt: skip
    assert bodies
    assert not any(b"Main Street" in one for one in bodies)
    assert any(b"Main Street" in one for one in files().values())


def test_records_that_hold_nothing_of_it_are_the_same_objects_with_their_bytes() -> None:
    shown = exhibits()
    found = made(rule("text", "Main Street"))
    same = [
        (new, old)
        for new, old in zip(found.records, shown, strict=True)
        if new.exhibit.redactions == old.redactions
    ]
    assert len(same) > 3
    for new, old in same:
        own = {path for path in paths_in([old]) if path.startswith("data/records/")}
        assert set(new.bodies) == own


def test_the_question_the_search_record_and_the_log_are_redacted() -> None:
    found = made(rule("text", "Main Street"))
    assert "Main Street" not in found.production.question
    record = json.loads(found.search_record)
    assert "Main Street" not in record["query"]
    assert record["redacted"] is True
    assert [(one.link, one.signature, one.entry) for one in found.log] == [
        (b"link one", b"sig one", None), (b"link two", b"sig two", b"{}"),
    ]  # fmt: skip


def test_documents_that_hold_nothing_of_it_stay_to_the_byte() -> None:
    found = made(rule("text", "burst water main"))
    assert (found.search_record, list(found.log)) == (RECORD, LOG)


def test_a_rule_that_finds_nothing_is_named_without_what_it_says() -> None:
    found = made(rule("text", "burst water main") + rule("handle", "nobody_of_that_name"))
    assert found.warnings == ("rule 2 of the redaction, handle, matches nothing",)


def test_a_file_that_still_holds_it_stops_the_pack() -> None:
    found = made(rule("text", "burst water main"))
    found.watch("data/good", iter([b"nothing ", b"of it"]))
    found.require_clean()
    found.watch("data/bad", iter([b"a burst wa", b"ter main"]))
    with pytest.raises(IntegrityError, match=r"data/bad \(rule 1\) would still hold"):
        found.require_clean()


def test_a_redacted_pack_for_the_public_is_both() -> None:
    found = made(rule("text", "burst water main"), ("csv", "html"), public=True)
    text = str([one.exhibit for one in found.records])
    assert "burst water main" not in text
    assert "[redacted]" in text
    assert "member of the public" in text
    assert not any(one.exhibit.versions and one.exhibit.versions[0].archive for one in found.records)


def test_moderation_records_lose_bytes_and_pictures_where_something_is_taken_out() -> None:
    """Of the made-up reply, whose moderation record has a screenshot: the note says who was notified."""
    (noted,) = [one for one in exhibits() if one.kind == "reply" and one.moderation]
    words = [entry.reason_text for entry in noted.moderation[0].entries if entry.reason_text]
    assert words
    assert noted.moderation[0].media[0].path is not None
    found = made(rule("text", str(words[0])))
    (after,) = [one.exhibit for one in found.records if one.exhibit.number == noted.number]
    note = after.moderation[0]
    assert all(one.path is None for one in (*note.originals, *note.media))
    assert str(words[0]) not in str(after)


def test_a_capture_that_a_redacted_record_loses_is_left_out_for_all_records_that_share_it() -> None:
    """The picture's name stands in none of its bytes: only the record that shows it says so."""
    pictured, other = exhibits()[3], exhibits()[0]
    capture = pictured.versions[0].capture
    shared = replace(other, versions=tuple(replace(one, capture=capture) for one in other.versions))
    books = Books()
    path = str(capture.path)
    books.captures.answers[path] = Answer(path, 1)
    rules = parse_rules(rule("media", "road.png").encode(), Path("rules.toml"))
    records = [Gathered(pictured, {}), Gathered(shared, {})]
    found = redact(rules, tuple(FORMS), production(), records, books, Plain(), RECORD, LOG)
    assert found.records[1].exhibit.redactions == shared.redactions
    assert path not in set(paths_in(one.exhibit for one in found.records))
    assert found.answers == {}
