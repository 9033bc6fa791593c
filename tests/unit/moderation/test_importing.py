"""A log into the register: each row an entry that says where it comes from, and nothing twice."""

import json
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest

from archiver.disk import Lock
from archiver.errors import LockedError
from archiver.moderation import importing
from archiver.moderation.exporting import csv_records, json_records
from archiver.moderation.importing import Imported
from archiver.moderation.keeping import keep_entries
from archiver.moderation.log_reading import BadRow
from archiver.records import Moderation
from archiver.register import records_of
from archiver.spool import Spool, media
from archiver.times import parse_time
from tests.unit.moderation.logs import (
    ACCOUNTS,
    HEADER,
    IDENTITY,
    MAPPING,
    WITHOUT_REFERENCE,
    Import,
    csv_text,
    mapping_of,
    row,
)


@pytest.fixture
def take(tmp_path: Path) -> Iterator[Import]:
    with closing(Spool(tmp_path / "spool", IDENTITY)) as spool:
        yield Import(spool)


def log(folder: Path, *rows: list[str], header: tuple[str, ...] = HEADER, name: str = "log.csv") -> Path:
    (folder / name).write_bytes(csv_text(*rows, header=header).encode())
    return folder / name


# What a row becomes


def test_a_row_becomes_a_decision_with_the_row_it_comes_from(take: Import, tmp_path: Path) -> None:
    path = log(tmp_path, row("R7", Comment="=1+1 “Grüße” 🙂\r\nsecond line ", Reason="Racism, spam"))
    assert take(path, mapping_of(tmp_path)) == Imported(1, 0, 0)
    (entry,) = take.entries
    assert entry.imported is not None
    assert entry.imported.cells == dict(
        zip(HEADER, row("R7", Comment="=1+1 “Grüße” 🙂\r\nsecond line ", Reason="Racism, spam"), strict=True)
    )
    assert entry == Moderation(
        id=entry.record_id,
        record_id=entry.record_id,
        number=1,
        entry="decision",
        entered_ms=parse_time("2026-11-24T14:05:00Z"),
        entered_by="Clerk A",
        platform="x",
        account="1001",
        account_handle="SpringfieldPD",
        content="given",
        text="=1+1 “Grüße” 🙂\r\nsecond line ",
        reason_codes=("abusive", "discriminatory", "spam"),
        action="removed",
        state="done",
        way="hand",
        imported=entry.imported,
    )
    assert (entry.imported.file, entry.imported.line) == ("log.csv", 2)
    assert entry.imported.sha256 == sha256(path.read_bytes()).hexdigest()
    assert UUID(entry.record_id).version == 5


FULL = """
timezone = "Europe/London"
[columns]
""" + "\n".join(
    f'{name} = "{name}"'
    for name in (
        "reference", "platform", "account", "entered_at", "entered_by", "item_type", "item_url", "author_id",
        "author_handle", "author_name", "posted_at", "text", "language", "detected_at", "detected_by",
        "detection", "house_rule", "house_rule_version", "reason_codes", "reason_text", "legal_ground",
        "action", "state", "action_at", "action_by", "authorised_by", "until_at", "outcome", "notified_at",
        "notified_how", "not_notified", "escalated", "escalated_reference", "appeal_received_at",
        "appeal_decided_by", "appeal_decided_at", "appeal_outcome", "exhibit", "case",
        "retention_rule", "hold",
    )
)  # fmt: skip
EVERYTHING = {
    "reference": "17", "platform": "x", "account": "@springfieldpd", "entered_at": "24/11/2026 15:00",
    "entered_by": "Clerk A", "item_type": "Reply", "item_url": "https://twitter.com/nobody/status/771",
    "author_id": "91", "author_handle": "@nobody", "author_name": "No Body", "posted_at": "24/11/2026",
    "text": "words", "language": "en", "detected_at": "24/11/2026 14:00", "detected_by": "Clerk B",
    "detection": "staff", "house_rule": "3", "house_rule_version": "2026-01", "reason_codes": "abusive,spam",
    "reason_text": "called names", "legal_ground": "an act", "action": "hidden", "state": "done",
    "action_at": "24/11/2026 14:30", "action_by": "Clerk C", "authorised_by": "Inspector D",
    "until_at": "24/11/2027", "outcome": "gone", "notified_at": "24/11/2026 14:31", "notified_how": "reply",
    "not_notified": "", "escalated": "crime", "escalated_reference": "C/1",
    "appeal_received_at": "24/11/2026 14:40", "appeal_decided_by": "E",
    "appeal_decided_at": "24/11/2026 14:50", "appeal_outcome": "partly", "exhibit": "ABC/1", "case": "K1",
    "retention_rule": "6 years", "hold": "inquest",
}  # fmt: skip


def test_every_field_of_a_log_can_be_taken(take: Import, tmp_path: Path) -> None:
    path = log(tmp_path, list(EVERYTHING.values()), header=tuple(EVERYTHING))
    assert take(path, mapping_of(tmp_path, FULL)) == Imported(1, 0, 0), take.problems
    (entry,) = take.entries
    times = {
        "entered_ms": "15:00", "detected_ms": "14:00", "action_ms": "14:30", "notified_ms": "14:31",
        "appeal_received_ms": "14:40", "appeal_decided_ms": "14:50", "posted_ms": "00:00",
    }  # fmt: skip
    for name, hour in times.items():
        assert getattr(entry, name) == parse_time(f"2026-11-24T{hour}:00Z"), name
    assert entry.until_ms == parse_time("2027-11-24T00:00:00Z")
    assert (entry.account, entry.account_handle, entry.item_id) == ("1001", "SpringfieldPD", "771")
    assert (entry.item_type, entry.author_handle, entry.reason_codes) == (
        "reply",
        "nobody",
        ("abusive", "spam"),
    )
    for name in (
        "item_url", "author_id", "author_name", "text", "language", "detected_by", "detection", "house_rule",
        "house_rule_version", "reason_text", "legal_ground", "action", "state", "action_by", "authorised_by",
        "outcome", "notified_how", "escalated", "escalated_reference", "appeal_decided_by", "appeal_outcome",
        "exhibit", "case", "retention_rule", "hold",
    ):  # fmt: skip
        assert getattr(entry, name) == EVERYTHING[name], name
    assert entry.not_notified is None


def test_a_reason_may_stand_whole_in_the_mapping_though_it_holds_what_parts_reasons(
    take: Import, tmp_path: Path
) -> None:
    text = MAPPING + '"Spam, adverts" = "spam"\n'
    path = log(tmp_path, row(1, Reason="spam, ADVERTS"), row(2, Reason="spam, copyright,"), row(3, Reason=""))
    assert take(path, mapping_of(tmp_path, text)) == Imported(3, 0, 0)
    assert [one.reason_codes for one in take.entries] == [("spam",), ("spam", "copyright"), ()]


def test_a_row_that_could_not_be_read_is_named_among_those_that_are_wrong(
    take: Import, tmp_path: Path
) -> None:
    path = log(tmp_path, row(1, Action="Vanished"), row(2), row(3, Action="Vanished"))
    path.write_bytes(path.read_bytes().replace(b"words 2", b"words \xff"))
    assert take(path, mapping_of(tmp_path)) == Imported(0, 0, 3)
    assert [line for line, _ in take.problems] == [2, 3, 4]
    assert take.problems[1][1].startswith("cell 4 is no utf-8 text")


def test_an_apostrophe_of_the_logs_own_stays(take: Import, tmp_path: Path) -> None:
    take(log(tmp_path, row(1, Comment="'=1+1")), mapping_of(tmp_path))
    assert [one.text for one in take.entries] == ["'=1+1"]


def test_a_row_without_text_says_that_nobody_has_it(take: Import, tmp_path: Path) -> None:
    take(log(tmp_path, row(1, Comment="  ")), mapping_of(tmp_path))
    (entry,) = take.entries
    assert (entry.content, entry.text, entry.unseen) == ("unseen", None, "not in the imported log")


def test_a_row_that_names_no_time_of_its_own_has_that_of_its_action_or_of_its_detection(
    take: Import, tmp_path: Path
) -> None:
    header = ("Who", "Action", "Seen", "Done")
    path = log(
        tmp_path,
        ["A", "none", "1/11/2026 10:00", "2/11/2026 10:00"],
        ["B", "none", "3/11/2026 10:00", ""],
        ["C", "none", "", ""],
        header=header,
    )
    text = (
        'timezone="UTC"\naccount="1002"\n[columns]\nentered_by="Who"\naction="Action"\n'
        'detected_at="Seen"\naction_at="Done"'
    )
    assert take(path, mapping_of(tmp_path, text)) == Imported(2, 0, 1)
    days = {entry.entered_by: entry.entered_ms for entry in take.entries}
    assert days == {"A": parse_time("2026-11-02T10:00:00Z"), "B": parse_time("2026-11-03T10:00:00Z")}
    assert take.problems == [(4, "entered_at: there is no time: when it was entered, acted on or detected")]


def test_comments_of_other_platforms_are_taken_with_any_account_and_any_id(
    take: Import, tmp_path: Path
) -> None:
    header = ("Who", "Logged", "Action", "Site", "Page", "Id", "By", "Link")
    path = log(
        tmp_path,
        [
            "A",
            "24/11/2026",
            "hidden",
            "facebook",
            "Our Page",
            "1_2",
            "Some Body",
            "https://example.invalid/1",
        ],
        ["A", "24/11/2026", "hidden", "Insta", "Our Page", "1_2", "@Some Body", ""],
        ["A", "24/11/2026", "hidden", "Face Book", "Our Page", "1_2", "Some Body", ""],
        ["A", "24/11/2026", "hidden", "", "Our Page", "1_2", "Some Body", "javascript:alert(1)"],
        header=header,
    )
    text = (
        'timezone="UTC"\n[columns]\nentered_by="Who"\nentered_at="Logged"\naction="Action"\nplatform="Site"\n'
        'account="Page"\nitem_id="Id"\nauthor_handle="By"\nitem_url="Link"\n[values.platform]\nInsta="instagram"'
    )
    assert take(path, mapping_of(tmp_path, text)) == Imported(2, 0, 2)
    found = {(one.platform, one.account, one.item_id, one.author_handle) for one in take.entries}
    assert found == {(name, "Our Page", "1_2", "Some Body") for name in ("facebook", "instagram")}
    assert take.problems == [
        (
            4,
            "Site (platform): 'Face Book' is no platform's name: small letters, digits, - and _, as facebook",
        ),
        (5, "Page (account): 'Our Page' is no x account of the settings, which have: @SpringfieldPD, 1002"),
        (5, "Link (item_url): 'javascript:alert(1)' is no address: it begins with https://"),
        (5, "Id (item_id): '1_2' is no id of X, which is a number"),
        (5, "By (author_handle): 'Some Body' is no handle of X; a name belongs in author_name"),
    ]


@pytest.mark.parametrize(
    ("url", "item_id", "expected"),
    [
        ("https://x.com/nobody/status/771", "", "771"),
        ("https://mobile.twitter.com/nobody/status/771?s=20", "", "771"),
        ("https://x.com/i/web/status/771", "771", "771"),
        ("https://t.co/aBcD", "5", "5"),
        ("https://X.com./i/lists/771", "5", "5"),
        ("https://x.com/nobody", "", None),
    ],
)
def test_an_address_of_x_gives_the_posts_id(
    take: Import, tmp_path: Path, url: str, item_id: str, expected: str | None
) -> None:
    header = ("Who", "Logged", "Action", "Link", "Id")
    text = (
        'timezone="UTC"\naccount="1002"\n[columns]\nentered_by="Who"\nentered_at="Logged"\naction="Action"\n'
        'item_url="Link"\nitem_id="Id"'
    )
    take(log(tmp_path, ["A", "24/11/2026", "none", url, item_id], header=header), mapping_of(tmp_path, text))
    assert [(one.item_id, one.item_url) for one in take.entries] == [(expected, url)]


LINKED = (
    'timezone="UTC"\naccount="1002"\n[columns]\nentered_by="Who"\nentered_at="Logged"\naction="Action"\n'
    'item_url="Link"\n'
)


@pytest.mark.parametrize(
    ("host", "platform"),
    [
        ("www.facebook.com", ""),
        ("facebook.com:443", 'platform="x"\n'),
        ("x.com.example.invalid", ""),
        ("x.com@example.invalid", ""),
        ("notx.com", 'platform="x"\n'),
    ],
)
def test_a_link_to_another_site_is_no_row_of_x(
    take: Import, tmp_path: Path, host: str, platform: str
) -> None:
    path = log(
        tmp_path,
        ["A", "24/11/2026", "none", f"https://{host}/posts/771"],
        header=("Who", "Logged", "Action", "Link"),
    )
    assert take(path, mapping_of(tmp_path, platform + LINKED)) == Imported(0, 0, 1)
    ((_, said),) = take.problems
    name = host.partition("@")[2] or host.partition(":")[0]
    assert said == f"Link (item_url): it leads to {name}, and the row's platform is x: set its platform"
    elsewhere = mapping_of(tmp_path, 'platform="facebook"\n' + LINKED)
    assert take(path, elsewhere) == Imported(1, 0, 0)


def test_a_link_of_x_in_a_row_that_says_so_and_one_that_cannot_be_read(take: Import, tmp_path: Path) -> None:
    header = ("Who", "Logged", "Action", "Link", "Site")
    path = log(
        tmp_path,
        ["A", "24/11/2026", "none", "https://facebook.com/1", "x"],
        ["A", "24/11/2026", "none", "https://[::1/1", "x"],
        ["A", "24/11/2026", "none", "https://:80/", "x"],
        ["A", "24/11/2026", "none", "https://pbs.twimg.com/media/1.jpg", "x"],
        header=header,
    )
    assert take(path, mapping_of(tmp_path, LINKED + 'platform="Site"')) == Imported(1, 0, 3)
    assert [said.split(": ", 1)[1].split(",")[0] for _, said in take.problems] == [
        "it leads to facebook.com",
        "'https://[::1/1' is no address: it begins with https://",
        "'https://:80/' is no address: it begins with https://",
    ]


# What it means


@pytest.mark.parametrize(
    ("word", "action"),
    [("hide", "hidden"), ("HIDE", "hidden"), ("Comments-Off", "comments_off"), ("Hidden", "hidden"),
     ("Warn", "warned"), ("none", "none"), (" Remove ", "removed")],
)  # fmt: skip
def test_an_action_may_be_said_by_its_verb(take: Import, tmp_path: Path, word: str, action: str) -> None:
    assert take(log(tmp_path, row(1, Action=word)), mapping_of(tmp_path)) == Imported(1, 0, 0)
    assert [one.action for one in take.entries] == [action]


def test_the_only_account_of_the_settings_is_meant_where_nothing_names_one(
    take: Import, tmp_path: Path
) -> None:
    mapping = mapping_of(tmp_path, MAPPING.replace('account = "SpringfieldPD"\n', ""))
    path = log(tmp_path, row(1))
    assert take(path, mapping, accounts=()) == Imported(0, 0, 1)
    assert take(path, mapping, accounts=ACCOUNTS) == Imported(0, 0, 1)
    assert take.problems == [(2, "account: this is missing; give --account, or account in the mapping")]
    assert take(path, mapping, accounts=ACCOUNTS[:1]) == Imported(1, 0, 0)
    assert [(one.account, one.account_handle) for one in take.entries] == [("1001", "SpringfieldPD")]
    elsewhere = mapping_of(
        tmp_path, 'platform = "facebook"\n' + MAPPING.replace('account = "SpringfieldPD"\n', "")
    )
    assert take(path, elsewhere, accounts=ACCOUNTS[:1]) == Imported(0, 0, 1)


def test_the_only_account_is_not_meant_where_a_row_names_another(take: Import, tmp_path: Path) -> None:
    text = MAPPING.replace('account = "SpringfieldPD"\n', "") + '[values.account]\nWeb = "ShelbyvillePD"\n'
    mapping = mapping_of(tmp_path, text.replace("[columns]", '[columns]\naccount = "Whose"'))
    path = log(tmp_path, ["Web", *row(1)], header=("Whose", *HEADER))
    assert take(path, mapping, accounts=ACCOUNTS[:1]) == Imported(0, 0, 1)
    assert "'ShelbyvillePD' is no x account of the settings" in take.problems[0][1]


def test_a_key_without_a_name_is_no_field_that_the_mapping_leaves_out(take: Import, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    line = {
        "": "noon",
        "Ref": "1",
        "Logged": "2026-11-24T14:05Z",
        "Who": "A",
        "Comment": "",
        "Action": "none",
    }
    path.write_text(json.dumps({**line, "Reason": "spam"}))
    assert take(path, mapping_of(tmp_path)) == Imported(1, 0, 0), take.problems


# What is wrong with a row


def test_every_problem_of_a_bad_row_is_named_with_its_line(take: Import, tmp_path: Path) -> None:
    bad = dict.fromkeys(EVERYTHING, "") | {
        "entered_at": "25/10/2026 01:30", "account": "@Unknown", "posted_at": "29/03/2026 01:30",
        "action_at": "24/11/2027", "detected_at": "noon", "reason_codes": "rude, spam", "action": "Vanished",
        "item_type": "Tweet", "item_url": "https://x.com/nobody/status/771", "author_id": "1.58809E+18",
        "appeal_outcome": "lost",
    }  # fmt: skip
    path = log(tmp_path, list(EVERYTHING.values()), list(bad.values()), header=tuple(EVERYTHING))
    assert take(path, mapping_of(tmp_path, FULL)) == Imported(1, 0, 1)
    said = dict(problem.split(": ", 1) for line, problem in take.problems if line == 3)
    assert set(said) == {
        "entered_at", "entered_by", "account", "posted_at", "action_at", "detected_at", "reason_codes",
        "action", "item_type", "author_id", "appeal_outcome",
    }  # fmt: skip
    assert "came twice" in said["entered_at"]
    assert "does not exist" in said["posted_at"]
    assert said["action_at"] == "'24/11/2027' lies in the future"
    assert said["reason_codes"].startswith("'rude' is none of: abusive, discriminatory,")
    assert said["reason_codes"].endswith("say in a mapping what it stands for, under [values.reason_codes]")
    assert said["action"].startswith("'Vanished' is none of: none, warned, replied, hidden,")
    assert "shortened by a spreadsheet" in said["author_id"]
    assert said["entered_by"] == "this is missing; give --by WHO"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"posted_at": "25/11/2026 09:00"}, "posted_at: it was posted after it was entered in the log"),
        ({"action": ""}, "action: this is missing; map the column that says what was done"),
        ({"author_id": "x"}, "author_id: 'x' is no id of X, which is a number"),
        ({"account": ""}, "account: this is missing; give --account, or account in the mapping"),
        ({"account": "@"}, "account: '@' is no x account of the settings, which have: @SpringfieldPD, 1002"),
        ({"reason_codes": "[\"spam\", \"rude\"]"}, "reason_codes: 'rude' is none of"),
        ({"state": "finished"}, "state: 'finished' is none of: planned, done, failed;"),
        ({"detected_at": "24/11/26"}, "detected_at: '24/11/26' is not a time"),
    ],
)  # fmt: skip
def test_one_thing_wrong_is_one_problem(
    take: Import, tmp_path: Path, changed: dict[str, str], said: str
) -> None:
    path = log(tmp_path, list((EVERYTHING | changed).values()), header=tuple(EVERYTHING))
    assert take(path, mapping_of(tmp_path, FULL)) == Imported(0, 0, 1)
    ((line, problem),) = take.problems
    assert line == 2
    assert problem.startswith(said)


def test_an_id_that_contradicts_the_address_is_a_problem(take: Import, tmp_path: Path) -> None:
    header = (*EVERYTHING, "item_id")
    path = log(tmp_path, [*EVERYTHING.values(), "772"], header=header)
    take(path, mapping_of(tmp_path, FULL + '\nitem_id = "item_id"'))
    assert take.problems == [(2, "item_id: 772 is not the post that item_url leads to, 771")]


def test_a_time_without_a_zone_is_a_problem_where_the_mapping_names_none(
    take: Import, tmp_path: Path
) -> None:
    path = log(tmp_path, row(1), row(2, Logged="2026-11-24T14:05Z"))
    assert take(path, mapping_of(tmp_path, MAPPING.replace('timezone = "Europe/London"', ""))) == Imported(
        1, 0, 1
    )
    assert take.problems == [
        (2, "Logged (entered_at): '24/11/2026 14:05' names no time zone, and the mapping has no timezone")
    ]


def test_what_the_command_line_says_stands_for_what_a_row_does_not(take: Import, tmp_path: Path) -> None:
    text = MAPPING.replace('account = "SpringfieldPD"\n', "")
    path = log(tmp_path, row(1, Who=""), row(2))
    assert take(path, mapping_of(tmp_path, text), account="1002", entered_by="web team") == Imported(2, 0, 0)
    assert take(path, mapping_of(tmp_path, text), account="1002", entered_by="somebody") == Imported(0, 2, 0)
    assert take(path, mapping_of(tmp_path), account="1002", entered_by="web team") == Imported(0, 2, 0)
    assert [(one.account, one.entered_by) for one in take.entries] == [
        ("1002", "web team"),
        ("1002", "Clerk A"),
    ]


def test_an_entry_too_large_for_the_register_is_a_bad_row(
    take: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "MAXIMUM_ENTRY_BYTES", 1000)
    path = log(tmp_path, row(1, Comment="x" * 1000), row(2))
    assert take(path, mapping_of(tmp_path)) == Imported(1, 0, 1)
    ((line, problem),) = take.problems
    assert (line, problem.split(", and")[1]) == (2, " 1,000 are taken at most")


# Nothing twice


@pytest.mark.parametrize("text", [MAPPING, WITHOUT_REFERENCE])
def test_the_same_log_again_imports_nothing(take: Import, tmp_path: Path, text: str) -> None:
    path = log(tmp_path, *[row(number) for number in range(5)])
    mapping = mapping_of(tmp_path, text)
    assert take(path, mapping) == Imported(5, 0, 0)
    before = take.entries
    assert take(path, mapping, entered_by="somebody else") == Imported(0, 5, 0)
    assert take.entries == before


@pytest.mark.parametrize("text", [MAPPING, WITHOUT_REFERENCE])
def test_a_log_that_has_grown_brings_its_new_rows(take: Import, tmp_path: Path, text: str) -> None:
    mapping = mapping_of(tmp_path, text)
    take(log(tmp_path, row(1), row(2)), mapping)
    wider = ("New column", *HEADER)
    path = log(tmp_path, *[["", *row(number)] for number in (3, 2, 1)], header=wider, name="later.csv")
    assert take(path, mapping) == Imported(1, 2, 0)


def test_equal_rows_are_both_kept_and_known_again(take: Import, tmp_path: Path) -> None:
    mapping = mapping_of(tmp_path, WITHOUT_REFERENCE)
    path = log(tmp_path, row(1), row(1), row(2), row(1))
    assert take(path, mapping) == Imported(4, 0, 0)
    assert len({one.record_id for one in take.entries}) == 4
    assert take(path, mapping) == Imported(0, 4, 0)
    assert take(log(tmp_path, *[row(1)] * 5), mapping) == Imported(2, 3, 0)


def test_a_reference_that_is_known_with_something_else_is_a_bad_row(take: Import, tmp_path: Path) -> None:
    mapping = mapping_of(tmp_path)
    take(log(tmp_path, row("R1"), row("R2")), mapping)
    assert take(log(tmp_path, row("R1"), row("R2", Reason="spam")), mapping) == Imported(0, 1, 1)
    ((line, problem),) = take.problems
    record = next(one for one in take.entries if one.text == "words R2").record_id
    said = "the register has this row already, and it said something else; put it right by:"
    assert (line, problem) == (3, f"{said} archiver moderation correct {record}")


def test_a_reference_that_a_log_has_twice_is_one_record_or_a_bad_row(take: Import, tmp_path: Path) -> None:
    path = log(tmp_path, row("R1"), row("R1"), row("R1", Reason="spam"))
    for dry_run in (True, False):
        assert take(path, mapping_of(tmp_path), dry_run=dry_run) == Imported(1, 1, 1)
        assert take.problems == [
            (4, "an earlier row of this log has the same reference, and says something else")
        ]


def test_the_same_row_of_another_account_or_platform_is_another_record(take: Import, tmp_path: Path) -> None:
    path = log(tmp_path, row(1))
    for text in (MAPPING, MAPPING.replace("SpringfieldPD", "1002"), 'platform = "bluesky"\n' + MAPPING):
        assert take(path, mapping_of(tmp_path, text)) == Imported(1, 0, 0)
    assert len({one.record_id for one in take.entries}) == 3


def test_a_row_read_by_another_mapping_is_not_taken_for_another_row(take: Import, tmp_path: Path) -> None:
    path = log(tmp_path, row(1))
    take(path, mapping_of(tmp_path, WITHOUT_REFERENCE))
    other = WITHOUT_REFERENCE.replace('Deleted = "removed"', 'Deleted = "hidden"')
    assert take(path, mapping_of(tmp_path, other)) == Imported(0, 0, 1)
    assert "archiver moderation correct" in take.problems[0][1]


def test_a_dry_run_keeps_nothing_and_says_the_same(take: Import, tmp_path: Path) -> None:
    mapping = mapping_of(tmp_path)
    take(log(tmp_path, row(1)), mapping)
    path = log(tmp_path, row(1), row(2), row(3, Action="Vanished"))
    assert take(path, mapping, dry_run=True) == Imported(1, 1, 1)
    assert len(take.entries) == 1
    assert take(path, mapping) == Imported(1, 1, 1)


# Batches


def test_a_long_log_is_kept_in_batches_and_bad_rows_come_in_the_order_of_the_file(
    take: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_ENTRIES", 10)
    rows = [row(number, Action="Vanished" if number % 7 == 0 else "Deleted") for number in range(100)]
    assert take(log(tmp_path, *rows), mapping_of(tmp_path)) == Imported(85, 0, 15)
    assert [one.line for one in take.bad] == [number + 2 for number in range(0, 100, 7)]
    assert {page.records for page in take.spool.pages()} == {8, 9}
    assert [one.text for one in take.entries] == [f"words {number}" for number in range(100) if number % 7]


def test_a_batch_is_no_larger_than_its_bytes(take: Import, tmp_path: Path) -> None:
    rows = [row(number, Comment="x" * 300_000) for number in range(5)]
    assert take(log(tmp_path, *rows), mapping_of(tmp_path)) == Imported(5, 0, 0)
    assert [page.records for page in take.spool.pages()] == [2, 2, 1]


def test_a_run_that_was_cut_off_is_finished_by_the_next(
    take: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_ENTRIES", 10)
    path = log(
        tmp_path, *[row(number, Action="Vanished" if number == 25 else "Deleted") for number in range(40)]
    )

    def cut_off(bad: BadRow) -> None:
        raise RuntimeError(f"cut off at line {bad.line}")

    with pytest.raises(RuntimeError, match="cut off at line 27"):
        take(path, mapping_of(tmp_path), on_bad_row=cut_off)
    assert len(take.entries) == 29
    assert take(path, mapping_of(tmp_path)) == Imported(10, 29, 1)


def test_a_batch_waits_for_another_run_that_enters_something_and_says_so_in_the_end(
    take: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "APPENDING_WAIT_SECONDS", 0.1)
    path = log(tmp_path, row(1))
    with take.spool.registering(), pytest.raises(LockedError):
        take(path, mapping_of(tmp_path))
    assert take.entries == []
    with take.spool.appending(), closing(Spool(tmp_path / "spool", IDENTITY)) as other, other.appending():
        assert take(path, mapping_of(tmp_path)) == Imported(1, 0, 0)


def test_whoever_is_told_of_bad_rows_keeps_nobody_waiting(take: Import, tmp_path: Path) -> None:
    told: list[int] = []

    def look(bad: BadRow) -> None:
        with Lock(tmp_path / "spool" / "register.lock"):
            told.append(bad.line)

    path = log(tmp_path, row(1, Action="Vanished"), row(2))
    assert take(path, mapping_of(tmp_path), on_bad_row=look) == Imported(1, 0, 1)
    assert told == [2]


# What was exported


def exported(entries: list[Moderation], form: str) -> bytes:
    records = records_of(entries)
    return b"".join(csv_records(records) if form == "csv" else json_records(records))


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_export_is_imported_again_elsewhere_as_it_was(take: Import, tmp_path: Path, form: str) -> None:
    full = {**EVERYTHING, "text": '=1+1, "quoted"\r\n\'twas ＝', "author_name": "'=x"}
    take(log(tmp_path, list(full.values()), header=tuple(full)), mapping_of(tmp_path, FULL))
    path = tmp_path / f"records.{form}"
    path.write_bytes(exported(take.entries, form))
    assert take(path) == Imported(0, 1, 0), take.problems
    with closing(Spool(tmp_path / "elsewhere", IDENTITY)) as spool:
        again = Import(spool)
        assert again(path) == Imported(1, 0, 0), again.problems
        (before,), (after,) = take.entries, again.entries
    for name in Moderation.__struct_fields__:
        if name != "imported":
            assert getattr(after, name) == getattr(before, name), name


def test_a_record_that_was_made_here_is_not_imported_over(take: Import, tmp_path: Path) -> None:
    made = Moderation(
        id="00000000-0000-4000-8000-000000000001", record_id="00000000-0000-4000-8000-000000000001", number=1,
        entry="decision", entered_ms=1_700_000_000_000, entered_by="Clerk A", platform="x", account="1001",
        action="none", state="done",
    )  # fmt: skip
    keep_entries(take.spool, [made])
    path = tmp_path / "records.csv"
    path.write_bytes(exported([made], "csv"))
    assert take(path) == Imported(0, 0, 1)
    said = "the register has this record already, and not from a log; put it right by:"
    assert take.problems == [(2, f"{said} archiver moderation correct {made.record_id}")]


def test_json_lines_of_another_program_are_taken_by_a_mapping(take: Import, tmp_path: Path) -> None:
    lines = [
        {
            "Ref": 1,
            "Logged": "2026-11-24T14:05Z",
            "Who": "A",
            "Comment": "x",
            "Reason": ["abusive", "Racism"],
            "Action": "none",
        },
        {
            "Ref": 2,
            "Logged": "2026-11-24T14:05Z",
            "Who": "A",
            "Comment": None,
            "Reason": "spam",
            "Action": "none",
        },
    ]
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert take(path, mapping_of(tmp_path)) == Imported(2, 0, 0), take.problems
    first, second = take.entries
    assert (first.reason_codes, second.reason_codes) == (("abusive", "discriminatory"), ("spam",))
    assert first.imported is not None
    assert first.imported.cells["Reason"] == '["abusive", "Racism"]'
    assert second.content == "unseen"
