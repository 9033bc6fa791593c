"""An export taken in elsewhere says what it said: what was over is not to be done, nothing is invented."""

import csv
import io
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.errors import UsageError
from archiver.moderation.dsa import dsa_statements
from archiver.moderation.exporting import (
    ENTRY_COLUMNS,
    RECORD_COLUMNS,
    csv_entries,
    csv_records,
    json_entries,
    json_records,
)
from archiver.moderation.importing import Imported
from archiver.moderation.keeping import keep_entries
from archiver.moderation.log_entry import CONTENTS, WAYS
from archiver.moderation.mapping import own_mapping
from archiver.records import Attachment, Moderation
from archiver.register import ModerationRecord, compose, records_of
from archiver.settings.moderation import ModerationSettings
from archiver.spool import Spool
from archiver.times import parse_time
from tests.unit.moderation.logs import IDENTITY, NOW_MS, Import, mapping_of
from tests.unit.moderation.test_exporting import correction, decision

HOUR = 3_600_000
MAY_DIFFER = {"entries", "imported_from"}
"""How many entries a record has, and which file it comes from."""
CAPTURED: dict[str, Any] = {
    "item_type": "reply", "item_id": "771", "item_url": "https://x.com/nobody_1/status/771",
    "content": "captured", "author_id": "91", "author_handle": "nobody_1", "author_name": " No Body ",
    "posted_ms": NOW_MS - 40 * HOUR, "text": "\n=1+1 you are all donkeys\u00a0", "language": "en",
    "detected_ms": NOW_MS - 30 * HOUR, "detected_by": "Clerk A", "detection": "staff",
    "reason_codes": ("abusive", "spam"), "reason_text": " said twice ", "house_rule": "3",
    "house_rule_version": "2026-01", "context_sha256": ("aa",),
    "attachments": (
        Attachment(role="media", file_name="771-a.jpg", media_type="photo", sha256="aa"),
        Attachment(role="media", file_name="771-b.MP4", media_type="video", sha256="bb"),
        Attachment(role="media", file_name="771-c.bin", media_type="", sha256="bb"),
        Attachment(role="screenshot", file_name="screenshot-1-1.png", media_type="image/png", sha256="cc"),
    ),
}  # fmt: skip
GONE = {
    "item_id": "772", "item_url": "https://x.com/i/status/772", "item_type": "comment", "content": "unseen",
    "unseen": "X says that its author's account is suspended", "reason_codes": ("threatening",),
}  # fmt: skip
SCREENSHOT = Attachment(role="screenshot", file_name="screenshot-2-1.png", media_type="image/png")
DONE = {"state": "done", "action_ms": NOW_MS - HOUR, "action_by": "Clerk B"}


def after(first: Moderation, number: int, entry: str, **fields: Any) -> Moderation:
    before = first.id if number == 2 else f"{first.id[:-1]}{number - 1}"
    known = {"id": f"{first.id[:-1]}{number}", "number": number, "entry": entry, "corrects": before}
    return correction(first, **{**known, "entered_ms": first.entered_ms + number * HOUR, **fields})


def _records() -> dict[str, list[Moderation]]:
    """A record in every state that the commands leave one in."""

    def planned(serial: int, way: str, action: str = "hidden", **more: Any) -> Moderation:
        fields = {**CAPTURED, "action": action, "state": "planned", "way": way, **more}
        return decision(serial, entered_ms=NOW_MS - 30 * HOUR + serial, **fields)

    def decided(serial: int, **fields: Any) -> Moderation:
        return decision(serial, entered_ms=NOW_MS - 30 * HOUR + serial, **fields)

    one, two, three, four, five = (planned(number, "api") for number in range(1, 6))
    called_off, appealed, corrected = planned(6, "hand", "blocked"), planned(7, "api"), planned(8, "api")
    refused = {"state": "failed", "way": "api", "action": "hidden", "outcome": "X refused it"}
    done = {**DONE, "way": "api", "action": "hidden", "outcome": "hidden"}
    unhidden = {"action": "unhidden", "state": "planned", "way": "hand", "authorised_by": "Inspector C"}
    return {
        "planned": [planned(9, "api")],
        "planned by hand": [planned(10, "hand", "reported", until_ms=NOW_MS + 99 * HOUR)],
        "done": [one, after(one, 2, "outcome", **done)],
        "done by hand": [decided(11, **{**CAPTURED, **DONE, "action": "warned", "way": "hand"})],
        "nothing done": [decided(12, **{**CAPTURED, "action": "none", "state": "done", "text": None})],
        "failed with way": [two, after(two, 2, "outcome", **refused)],
        "failed for good": [
            decided(13, **GONE, action="hidden", state="failed", outcome="nothing was done: it is gone")
        ],
        "reversed": [
            three,
            after(three, 2, "outcome", **done),
            after(three, 3, "reversal", **unhidden),
            after(three, 4, "outcome", **{**DONE, "action": "unhidden", "way": "hand"}),
        ],
        "reversal to be done": [
            four, after(four, 2, "outcome", **done), after(four, 3, "reversal", **unhidden),
        ],
        "called off": [called_off, after(called_off, 2, "reversal", action="none", state="done")],
        "corrected": [
            corrected,
            after(corrected, 2, "correction", reason_codes=("off_topic",), text=" another\r\ntext",
                  cleared=("house_rule", "house_rule_version"), attachments=(SCREENSHOT,)),
        ],
        "appealed": [
            appealed,
            after(appealed, 2, "outcome", **done),
            after(appealed, 3, "appeal", appeal_received_ms=NOW_MS - 2 * HOUR),
            after(appealed, 4, "appeal", appeal_outcome="partly", appeal_decided_by="D",
                  appeal_decided_ms=NOW_MS - HOUR),
        ],
        "unseen": [decided(14, **GONE, action="reported", state="planned", way="hand")],
        "by hand": [
            decided(15, **{**CAPTURED, "content": "given", "unseen": "X does not show it"}, action="removed",
                    state="planned", way="api")
        ],
        "told and passed on": [
            five,
            after(five, 2, "correction", notified_how="reply", notified_ms=NOW_MS - HOUR, hold="inquest",
                  escalated="crime", escalated_reference="C/1", retention_rule="6 years", exhibit="A/1",
                  legal_ground="an act", not_notified="-"),
        ],
        "an account": [
            decided(16, item_type="user", item_id="91", item_url="https://x.com/nobody_1", content="captured",
                    text="", action="muted", state="done", way="api", account_handle="OldSpringfield")
        ],
        "a message": [
            decided(17, item_type="message", item_id="5", item_url="https://x.com/messages", text="words",
                    content="given", action="none", state="done", account="1002", account_handle=None,
                    posted_ms=NOW_MS - 30 * HOUR + 60_000)  # by a clock that was a little ahead
        ],
        "elsewhere": [
            decided(18, platform="facebook", account="Our Page", account_handle=None, item_id="1_2",
                    author_handle="@Some Body", action="hidden", state="done", way="hand",
                    item_url="https://facebook.com/1", content="unseen", unseen="not in the imported log")
        ],
    }  # fmt: skip


RECORDS = _records()
FORMS = ("csv", "jsonl")
Taken = Callable[[Path], Import]


def exported(records: list[ModerationRecord], form: str) -> bytes:
    return b"".join(csv_records(records) if form == "csv" else json_records(records))


def rows(data: bytes, form: str) -> list[dict[str, Any]]:
    """What the file says, but for what has to differ."""
    if form == "csv":
        found: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    else:
        found = [json.loads(line) for line in data.splitlines()]
    return [{name: cell for name, cell in row.items() if name not in MAY_DIFFER} for row in found]


def round_trip(folder: Path, records: list[ModerationRecord], form: str) -> list[ModerationRecord]:
    """Exported, and imported into a new spool."""
    (folder / f"records.{form}").write_bytes(exported(records, form))
    with closing(Spool(folder / "elsewhere", IDENTITY)) as spool:
        take = Import(spool)
        assert take(folder / f"records.{form}") == Imported(len(records), 0, 0), take.problems
        pending = {one.record_id for one in spool.register.pending()}
        assert take(folder / f"records.{form}") == Imported(0, len(records), 0), take.problems
        found = records_of(take.entries)
    assert pending == {one.id for one in found if one.is_pending}
    return found


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("state", RECORDS)
def test_a_record_in_any_state_comes_back_as_it_stood(tmp_path: Path, state: str, form: str) -> None:
    before = compose(RECORDS[state])
    (after,) = round_trip(tmp_path, [before], form)
    said, again = (rows(exported([one], form), form) for one in (before, after))
    if form == "jsonl":  # a text of nothing says nothing
        said = [{name: value for name, value in row.items() if value != ""} for row in said]
    assert again == said
    assert (after.is_pending, after.id) == (before.is_pending, before.id)
    for name in ("state", "way", "content", "unseen", "action", "outcome", "account_handle"):
        assert getattr(after.now, name) == getattr(before.now, name), name


@pytest.mark.parametrize("form", FORMS)
def test_a_whole_register_comes_back_with_as_much_to_be_done(tmp_path: Path, form: str) -> None:
    with closing(Spool(tmp_path / "spool", IDENTITY)) as spool:
        for entries in RECORDS.values():
            for entry in entries:
                keep_entries(spool, [entry])
        records = records_of(Import(spool).entries)
        pending = {one.record_id for one in spool.register.pending()}
    found = round_trip(tmp_path, records, form)
    assert len(found) == len(RECORDS)
    assert {one.id for one in found if one.is_pending} == pending
    assert 0 < len(pending) < len(records)
    if form == "csv":
        assert rows(exported(found, form), form) == rows(exported(records, form), form)
    settings = ModerationSettings()
    assert dsa_statements(found, settings).document == dsa_statements(records, settings).document


def test_the_files_of_a_record_are_named_and_said_to_be_elsewhere(tmp_path: Path) -> None:
    (found,) = round_trip(tmp_path, [compose(RECORDS["done"])], "csv")
    assert [(one.role, one.file_name, one.media_type) for one in found.now.attachments] == [
        ("media", "771-a.jpg", "image/jpeg"),
        ("media", "771-b.MP4", "video/mp4"),
        ("media", "771-c.bin", "application/octet-stream"),
        ("screenshot", "screenshot-1-1.png", "image/png"),
    ]
    assert {one.missing for one in found.now.attachments} == {"its file was not in the imported log"}
    assert {one.sha256 for one in found.now.attachments} == {None}


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
NAMES = st.one_of(st.none(), TEXTS.filter(bool))


@given(
    st.fixed_dictionaries(dict.fromkeys((
        "author_name", "text", "language", "detected_by", "house_rule", "reason_text", "outcome", "unseen",
        "legal_ground", "action_by", "notified_how", "exhibit", "hold",
    ), NAMES)),
    st.fixed_dictionaries({
        "way": st.sampled_from([None, *WAYS]),
        "content": st.sampled_from([None, *CONTENTS]),
        "state": st.sampled_from(["planned", "done", "failed"]),
        "action_ms": st.one_of(st.none(), st.integers(parse_time("2000-01-01T00:00Z"), NOW_MS)),
    }),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_whatever_a_record_says_comes_back(
    tmp_path_factory: pytest.TempPathFactory, texts: dict[str, Any], codes: dict[str, Any]
) -> None:
    before = compose([decision(entered_ms=NOW_MS - HOUR, action="hidden", **texts, **codes)])
    for form in FORMS:
        (after,) = round_trip(tmp_path_factory.mktemp("trip"), [before], form)
        for name in (*texts, *codes):
            assert getattr(after.now, name) == (getattr(before.now, name) or None), name


def test_the_codes_of_an_export_are_those_of_an_entry() -> None:
    hints = get_type_hints(Moderation)
    assert get_args(get_args(hints["way"])[0]) == WAYS
    assert get_args(get_args(hints["content"])[0]) == CONTENTS


# What is and what is not an export


def taken(folder: Path, rows: list[dict[str, str]]) -> tuple[list[Moderation], list[tuple[int, str]]]:
    """Imported without a mapping."""
    path = folder / "log.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with closing(Spool(folder / "spool", IDENTITY)) as spool:
        take = Import(spool)
        take(path)
        return take.entries, take.problems


LOG = {"account": "1001", "entered_at": "2026-11-24T10:00Z", "entered_by": " Clerk A ", "action": "hide"}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ("hand", "unseen", "not in the imported log", "done")),
        ({"text": "words", "state": "failed"}, ("hand", "given", None, "failed")),
        ({"way": "api", "content": "", "unseen": ""}, ("api", "unseen", "not in the imported log", "done")),
        ({"unseen": "it was gone"}, ("hand", "unseen", "it was gone", "done")),
        ({"entries": "1", "state": "failed"}, (None, None, None, "failed")),
        (
            {"account_handle": "", "way": "", "content": "", "unseen": "", "attachments": "", "state": ""},
            (None, None, None, None),
        ),
    ],
)
def test_a_log_that_is_called_as_an_export_but_is_none_was_done_by_hand(
    tmp_path: Path, more: dict[str, str], expected: tuple[str | None, ...]
) -> None:
    (entry,), _ = taken(tmp_path, [{**LOG, **more}])
    assert (entry.way, entry.content, entry.unseen, entry.state) == expected
    assert entry.entered_by.strip() == "Clerk A"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"way": "phone"}, "way: 'phone' is none of: api, hand"),
        ({"content": "lost"}, "content: 'lost' is none of: captured, given, unseen"),
        ({"reason_codes": "older"}, "; add it to the reasons of the settings, [[moderation.reason]]"),
        ({"action": "vanish"}, "; say in a mapping what it stands for, under [values.action]"),
    ],
)
def test_a_code_that_there_is_not_is_a_bad_row_that_says_what_to_do(
    tmp_path: Path, more: dict[str, str], said: str
) -> None:
    entries, ((_, problem),) = taken(tmp_path, [{**LOG, "entries": "1", **more}])
    assert entries == []
    assert problem.endswith(said)


@pytest.mark.parametrize("form", FORMS)
def test_single_entries_are_refused_before_any_row(tmp_path: Path, form: str) -> None:
    entries = RECORDS["reversed"]
    path = tmp_path / f"entries.{form}"
    path.write_bytes(b"".join(csv_entries(entries) if form == "csv" else json_entries(entries)))
    with closing(Spool(tmp_path / "spool", IDENTITY)) as spool:
        with pytest.raises(UsageError, match="'entry'") as caught:
            Import(spool)(path)
        assert (caught.value.hint or "").startswith("export the records without --entries")
        assert spool.register.all() == []
    (found,) = round_trip(tmp_path, [compose(entries)], form)
    assert (found.now.action, found.is_pending) == ("unhidden", False)


@pytest.mark.parametrize("name", sorted({*ENTRY_COLUMNS} - {*RECORD_COLUMNS}))
def test_one_column_that_only_entries_have_is_enough_unless_a_mapping_says_what_it_is(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(UsageError, match=f"it has '{name}'"):
        taken(tmp_path, [{**LOG, name: "1"}])
    mapping = mapping_of(
        tmp_path, f'[columns]\nreference = "{name}"\n' + "".join(f'{one} = "{one}"\n' for one in LOG)
    )
    with closing(Spool(tmp_path / "other", IDENTITY)) as spool:
        assert Import(spool)(tmp_path / "log.csv", mapping) == Imported(1, 0, 0)


def test_every_column_of_an_export_is_taken_or_known_to_say_nothing_here() -> None:
    assert {*RECORD_COLUMNS} - {*own_mapping().columns.values()} == MAY_DIFFER
