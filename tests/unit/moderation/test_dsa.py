"""Statements of reasons: in the documented shape, and without personal data."""

import json
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from archiver.moderation.dsa import VISIBILITY, dsa_statements, languages, statement_of, why_left_out
from archiver.records import Attachment, Moderation
from archiver.register import ModerationRecord, compose
from archiver.settings.moderation import (
    DSA_CATEGORIES,
    DSA_KEYWORDS,
    UK_REASONS,
    HouseRule,
    ModerationSettings,
    Reason,
)
from archiver.times import parse_time
from tests.unit.moderation.test_exporting import correction, decision

SCHEMA = json.loads((files("archiver.moderation") / "dsa.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=FormatChecker(["date"]))
SETTINGS = ModerationSettings(
    rules=(HouseRule("3", "2026-01", "Be civil to people."), HouseRule("4", None, "No advertising."))
)
POSTED, DONE = parse_time("2026-11-23T10:00:00Z"), parse_time("2026-11-24T10:00:00Z")


def hidden(**fields: Any) -> Moderation:
    known: dict[str, Any] = {
        "item_type": "reply", "text": "you are all donkeys", "author_handle": "nobody_1", "posted_ms": POSTED,
        "reason_codes": ("abusive",), "reason_text": "insulting to officers", "action": "hidden",
        "state": "done", "action_ms": DONE, "house_rule": "3", "house_rule_version": "2026-01",
        "language": "en", "detection": "staff",
    }  # fmt: skip
    return decision(**{**known, **fields})


def statement(**fields: Any) -> dict[str, Any]:
    """The only statement of one record, which the schema passes."""
    document = dsa_statements([compose([hidden(**fields)])], SETTINGS).document
    VALIDATOR.validate(document)
    (found,) = document["statements"]
    return dict(found)


# What stands in it


def test_a_hidden_reply_becomes_a_statement() -> None:
    assert statement() == {
        "decision_visibility": ["DECISION_VISIBILITY_CONTENT_DISABLED"],
        "decision_facts": "insulting to officers",
        "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
        "incompatible_content_ground": "House rule 3 (version 2026-01): Be civil to people.",
        "incompatible_content_explanation": "insulting to officers",
        "content_type": ["CONTENT_TYPE_TEXT"],
        "content_language": "EN",
        "category": "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH",
        "category_specification": ["KEYWORD_CYBER_HARASSMENT"],
        "content_date": "2026-11-23",
        "application_date": "2026-11-24",
        "source_type": "SOURCE_VOLUNTARY",
        "automated_detection": "No",
        "automated_decision": "AUTOMATED_DECISION_NOT_AUTOMATED",
        "puid": "00000001-0000-4000-8000-000000000001",
    }


def test_the_document_says_its_schema() -> None:
    document = dsa_statements([], SETTINGS).document
    VALIDATOR.validate(document)
    assert (document["schema"], document["statements"]) == ("2", [])
    assert "A person must read them first" in document["note"]


@pytest.mark.parametrize(
    ("action", "visibility"),
    [
        ("removed", "CONTENT_REMOVED"),
        ("hidden", "CONTENT_DISABLED"),
        ("comments_off", "CONTENT_INTERACTION_RESTRICTED"),
        ("blocked", "OTHER"),
        ("muted", "OTHER"),
    ],
)
def test_each_restriction_has_its_decision(action: str, visibility: str) -> None:
    found = statement(action=action)
    assert found["decision_visibility"] == [f"DECISION_VISIBILITY_{visibility}"]
    assert ("decision_visibility_other" in found) == (visibility == "OTHER")


def test_what_is_unlawful_names_its_law() -> None:
    found = statement(legal_ground="section 127 of an act")
    assert found["decision_ground"] == "DECISION_GROUND_ILLEGAL_CONTENT"
    assert found["illegal_content_legal_ground"] == "section 127 of an act"
    assert found["illegal_content_explanation"] == "insulting to officers"
    assert "incompatible_content_ground" not in found


@pytest.mark.parametrize(
    ("fields", "ground"),
    [
        ({"house_rule": None}, "abuse of a person"),
        ({"house_rule_version": "2025-01"}, "House rule 3 (version 2025-01)"),
        ({"house_rule": "4", "house_rule_version": None}, "House rule 4: No advertising."),
        ({"house_rule": "9", "house_rule_version": None}, "House rule 9"),
    ],
)
def test_the_ground_is_the_house_rule_as_it_was_or_the_reasons_words(
    fields: dict[str, Any], ground: str
) -> None:
    assert statement(**fields)["incompatible_content_ground"] == ground


@pytest.mark.parametrize("said", [None, "", "   "])
def test_without_words_of_its_own_the_reasons_words_are_the_facts(said: str | None) -> None:
    found = statement(reason_text=said, reason_codes=("threatening", "spam"))
    assert found["decision_facts"] == "a threat; spam"


def test_the_first_reason_is_the_category_and_the_others_are_added() -> None:
    found = statement(reason_codes=("own_error", "threatening", "abusive", "discriminatory", "spam"))
    assert found["category"] == "STATEMENT_CATEGORY_VIOLENCE"
    assert found["category_addition"] == [
        "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH",
        "STATEMENT_CATEGORY_OTHER_VIOLATION_TC",
    ]
    assert found["category_specification"] == ["KEYWORD_CYBER_HARASSMENT", "KEYWORD_DISCRIMINATION"]


@pytest.mark.parametrize(
    ("fields", "types", "other"),
    [
        ({"attachments": ("image/png", "animated_gif")}, ["IMAGE", "TEXT", "VIDEO"], None),
        ({"attachments": ("photo",), "text": None}, ["IMAGE"], None),
        ({"attachments": ("application/pdf",)}, ["OTHER", "TEXT"], "A file of another type."),
        ({"text": None}, ["OTHER"], "Content that was not kept."),
        ({"item_type": "user", "text": None, "action": "blocked"}, ["OTHER"], "A user account."),
    ],
)
def test_the_kinds_of_content_are_told(fields: dict[str, Any], types: list[str], other: str | None) -> None:
    media = tuple(
        Attachment(role="media", file_name="a", media_type=one) for one in fields.pop("attachments", ())
    )
    screenshot = Attachment(role="screenshot", file_name="s.png", media_type="image/png")
    found = statement(**fields, attachments=(*media, screenshot))
    assert found["content_type"] == [f"CONTENT_TYPE_{one}" for one in types]
    assert found.get("content_type_other") == other


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "EN"), ("en-GB", "EN"), ("in", "ID"), ("iw", "HE"), ("cy", "CY"), ("und", None), ("qme", None),
     ("xx", None), (None, None)],
)  # fmt: skip
def test_the_language_is_a_code_of_iso_639_1_or_left_out(language: str | None, expected: str | None) -> None:
    assert statement(language=language).get("content_language") == expected


@pytest.mark.parametrize(
    ("detection", "source", "automated"),
    [("staff", "SOURCE_VOLUNTARY", "No"), ("rule", "SOURCE_VOLUNTARY", "Yes"),
     (None, "SOURCE_VOLUNTARY", "No"), ("platform", "SOURCE_VOLUNTARY", "No"),
     ("public", "SOURCE_TYPE_OTHER_NOTIFICATION", "No"), ("partner", "SOURCE_TYPE_OTHER_NOTIFICATION", "No")],
)  # fmt: skip
def test_who_noticed_it_is_the_source(detection: str | None, source: str, automated: str) -> None:
    found = statement(detection=detection)
    assert (found["source_type"], found["automated_detection"]) == (source, automated)


@pytest.mark.parametrize(
    ("until", "expected"),
    [("2027-01-01T00:00:00Z", "2027-01-01"), ("2026-11-24T09:00:00Z", "2026-11-24"),
     ("2026-11-23T00:00:00Z", None), ("2050-01-01T00:00:00Z", None)],
)  # fmt: skip
def test_a_restriction_that_ends_says_when(until: str, expected: str | None) -> None:
    assert statement(until_ms=parse_time(until)).get("end_date_visibility_restriction") == expected


def test_an_action_on_the_day_of_its_content_is_one_though_a_log_knows_only_the_day() -> None:
    found = statement(action_ms=parse_time("2026-11-23T00:00:00Z"))
    assert found["application_date"] == found["content_date"] == "2026-11-23"


def test_long_words_are_cut_to_what_the_fields_take() -> None:
    found = statement(reason_text="word " * 2000, legal_ground="law " * 500)
    assert (len(found["decision_facts"]), len(found["illegal_content_explanation"])) == (5000, 2000)
    assert len(found["illegal_content_legal_ground"]) == 500
    assert found["decision_facts"].endswith("…")


# What is left out


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"action": "warned"}, "no restriction of what is seen"),
        ({"action": "unhidden"}, "no restriction of what is seen"),
        ({"action": None}, "no restriction of what is seen"),
        ({"state": "planned"}, "not done"),
        ({"state": "failed"}, "not done"),
        ({"reason_codes": ("own_error",)}, "no reason with a DSA category"),
        ({"reason_codes": ("of_older_settings",)}, "no reason with a DSA category"),
        ({"reason_codes": ()}, "no reason with a DSA category"),
        ({"posted_ms": None}, "no date of the content"),
        ({"action_ms": None}, "no date of the action"),
        ({"posted_ms": 0}, "content of a date that the schema does not take"),
        (
            {"action_ms": parse_time("2019-12-31T23:59:59Z")},
            "an action of a date that the schema does not take",
        ),
        ({"action_ms": parse_time("2026-11-22T23:59:59Z")}, "an action dated before its content"),
    ],
)
def test_what_makes_no_statement_is_counted_by_its_reason(fields: dict[str, Any], why: str) -> None:
    made = dsa_statements([compose([hidden(**fields)]), compose([hidden()])], SETTINGS)
    assert len(made.document["statements"]) == 1
    assert made.left_out == {why: 1}


def test_what_was_reversed_since_makes_no_statement() -> None:
    first = hidden()
    reversal = correction(first, entry="reversal", action="unhidden", state="done", action_ms=DONE)
    assert dsa_statements([compose([first, reversal])], SETTINGS).left_out == {"reversed since": 1}


# No personal data


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("@nobody_1 again", "[removed] again"),
        ("told by nobody_1", "told by [removed]"),
        ("No  Body wrote to PC 4711", "[removed] wrote to [removed]"),
        ("NO BODY did", "[removed] did"),
        ("Clerk A saw it", "[removed] saw it"),
        ("insulting Sergeant Example and example", "insulting [removed] and example"),
        ("mail to some.one+x@police.example.invalid.", "mail to [removed]."),
        ("see https://x.com/nobody_1/status/771?s=20 there", "see [removed] there"),
        ("see x.com/nobody_1 and www.example.invalid", "see [removed] and [removed]"),
        ("call 07700 900123 or +44 (0)20 7946 0123", "call [removed] or [removed]"),
        ("on 2026-11-24 and 24/11/2026 rule 3.2", "on 2026-11-24 and 24/11/2026 rule 3.2"),
        ("user 9199 of case K/17, exhibit ABC/1", "user [removed] of case [removed], exhibit [removed]"),
        ("said you are  ALL donkeys to us", "said [removed] to us"),
        ('called us "donkeys", under "rule three"', 'called us [removed], under "rule three"'),
        ("called us “all donkeys”", "called us [removed]"),
        ("asked 田中太郎さん", "asked [removed]さん"),
        ("nobodyelse and anobody_1x", "nobodyelse and anobody_1x"),
    ],
)
def test_what_the_record_knows_of_is_taken_out_of_the_reason(said: str, expected: str) -> None:
    found = statement(
        reason_text=said,
        author_name="No Body",
        author_id="9199",
        detected_by="Sergeant Example",
        action_by="PC 4711",
        authorised_by="田中太郎",
        case="K/17",
        exhibit="ABC/1",
    )
    assert found["decision_facts"] == expected


def test_quotes_go_where_nobody_knows_what_was_said() -> None:
    assert statement(text=None, reason_text='called us "donkeys"')["decision_facts"] == "called us [removed]"


def test_names_that_were_corrected_since_are_taken_out_too() -> None:
    first = hidden(author_handle="old_name", author_name="Old Name")
    later = correction(
        first, author_handle="new_name", author_name="New Name", reason_text="old_name, New Name"
    )
    found = statement_of(compose([first, later]), SETTINGS)
    assert found["decision_facts"] == "[removed], [removed]"


def test_each_line_of_a_long_text_is_taken_out() -> None:
    lines = ["the first line of it", "x" * 1000, "the last line of it"]
    found = statement(text="\n".join(lines), reason_text="wrote: " + " / ".join(lines))
    assert "line of it" not in found["decision_facts"]
    assert "xxx" not in found["decision_facts"]


def test_names_stand_nowhere_else_either() -> None:
    found = statement(
        legal_ground="an act, said Clerk A",
        reason_text=None,
        author_name="Abuse",
        house_rule="as Clerk A said",
    )
    assert found["illegal_content_legal_ground"] == "an act, said [removed]"
    assert found["decision_facts"] == "[removed] of a person"
    ground = statement(house_rule="as Clerk A said", house_rule_version=None)["incompatible_content_ground"]
    assert ground == "House rule as [removed] said"


@pytest.mark.parametrize("letter", ["a", "@", "1", ".", " ", '"', "a.", "1 ", "(", "x@", "://"])
def test_a_long_hostile_reason_costs_little(letter: str) -> None:
    assert statement(reason_text="y" + letter * 100_000)["decision_facts"]


# The property: whatever is recorded


NAMES = st.text("äöüßΓΔλ中田", min_size=2, max_size=12)
"""Of letters that stand in no fixed words."""
HANDLES = st.text("QZJX0123456789", min_size=6, max_size=12).map(lambda text: f"Q{text}")
WORDS = st.lists(
    st.sampled_from(["was", "rude,", "again", "to", "the", "staff.", '"so"', "\n", "3.2"]), max_size=6
)


@st.composite
def records(draw: st.DrawFn) -> ModerationRecord:
    """A record with any fields, whose reason names everybody it knows and quotes what was said."""
    people = {
        name: draw(NAMES)
        for name in ("author_name", "entered_by", "detected_by", "action_by", "authorised_by")
    }
    handle, text = draw(HANDLES), draw(st.lists(NAMES, min_size=1, max_size=4).map(" ".join))
    parts = [*people.values(), handle, f"@{handle}", text, f"https://x.com/{handle}/status/1", *draw(WORDS)]
    said = " ".join(draw(st.permutations(parts)))
    any_time = st.integers(parse_time("1999-01-01T00:00Z"), parse_time("2039-01-01T00:00Z"))
    times = st.one_of(st.just(DONE), st.just(DONE), st.just(DONE), any_time, st.none())
    kinds = st.sampled_from(["image/png", "video", "audio/mp3", "x/y", ""])
    entry = hidden(
        **people,
        author_handle=handle,
        text=draw(st.sampled_from([text, text, None])),
        reason_text=draw(st.sampled_from([said, f"{said} " * 40, None, " "])),
        legal_ground=draw(st.sampled_from([None, said])),
        house_rule=draw(st.sampled_from([None, "3", "4", said])),
        house_rule_version=draw(st.sampled_from([None, "2026-01"])),
        reason_codes=tuple(draw(st.lists(st.sampled_from([one.code for one in UK_REASONS]), max_size=4))),
        action=draw(st.sampled_from([*VISIBILITY, "none", "warned"])),
        state=draw(st.sampled_from(["done", "done", "done", "planned"])),
        posted_ms=draw(times),
        action_ms=draw(times),
        until_ms=draw(times),
        language=draw(st.sampled_from([None, "en", "und", "cy-GB", "iw"])),
        detection=draw(st.sampled_from([None, "staff", "rule", "public"])),
        item_type=draw(st.sampled_from([None, "reply", "user", "message"])),
        attachments=tuple(
            Attachment(role="media", file_name="a", media_type=one)
            for one in draw(st.lists(kinds, max_size=2))
        ),
    )
    more = [correction(entry, author_name=draw(NAMES), reason_text=said)] if draw(st.booleans()) else []
    return compose([entry, *more])


@given(st.lists(records(), min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
def test_every_export_passes_the_schema_and_names_nobody(found: list[ModerationRecord]) -> None:
    made = dsa_statements(found, SETTINGS)
    VALIDATOR.validate(made.document)
    assert len(made.document["statements"]) + sum(made.left_out.values()) == len(found)
    statements = iter(made.document["statements"])
    for record in found:
        if why_left_out(record, SETTINGS) is None:
            one = next(statements)
            assert one["content_date"] <= one["application_date"]
            text = json.dumps(one, ensure_ascii=False)
            for entry in record.entries:
                for name in (entry.author_name, entry.author_handle, entry.text, *record.people):
                    assert name is None or name not in text


# The schema itself


def test_the_schema_and_the_settings_know_the_same_words() -> None:
    definitions = SCHEMA["$defs"]
    assert definitions["category"]["enum"] == [f"STATEMENT_CATEGORY_{one}" for one in DSA_CATEGORIES]
    assert {f"KEYWORD_{one}" for one in DSA_KEYWORDS} <= set(definitions["keyword"]["enum"])
    assert {"EN", "CY", "GD", "PL"} <= languages()
    Draft202012Validator.check_schema(SCHEMA)


def test_every_category_and_keyword_of_the_settings_makes_a_statement() -> None:
    for category in DSA_CATEGORIES:
        for keyword in (None, *DSA_KEYWORDS):
            reasons = ModerationSettings(reasons=(Reason("abusive", "words", category, keyword),))
            VALIDATOR.validate(dsa_statements([compose([hidden()])], reasons).document)


def good(**changed: Any) -> dict[str, Any]:
    """A statement as the documentation shows one, changed; None leaves a field out."""
    example = {
        "decision_visibility": ["DECISION_VISIBILITY_CONTENT_REMOVED"],
        "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
        "incompatible_content_ground": "house rule 3",
        "incompatible_content_explanation": "it was rude",
        "content_type": ["CONTENT_TYPE_TEXT"],
        "category": "STATEMENT_CATEGORY_VIOLENCE",
        "content_date": "2026-01-02",
        "application_date": "2026-01-03",
        "decision_facts": "facts",
        "source_type": "SOURCE_VOLUNTARY",
        "automated_detection": "No",
        "automated_decision": "AUTOMATED_DECISION_NOT_AUTOMATED",
        "puid": "TK-421_a",
    }
    return {name: value for name, value in (example | changed).items() if value is not None}


ILLEGAL = {
    "decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT",
    "incompatible_content_ground": None,
    "incompatible_content_explanation": None,
    "illegal_content_legal_ground": "a law",
    "illegal_content_explanation": "it breaks it",
}


@pytest.mark.parametrize(
    "changed",
    [
        {},
        ILLEGAL,
        {"decision_visibility": ["DECISION_VISIBILITY_OTHER"], "decision_visibility_other": "x"},
        {"decision_visibility": [f"DECISION_VISIBILITY_CONTENT_{one}" for one in ("LABELLED", "DEMOTED")]},
        {"decision_visibility": None, "decision_account": "DECISION_ACCOUNT_SUSPENDED",
         "account_type": "ACCOUNT_TYPE_PRIVATE", "end_date_account_restriction": "2027-01-01"},
        {"decision_visibility": None, "decision_provision": "DECISION_PROVISION_TOTAL_SUSPENSION"},
        {"decision_monetary": "DECISION_MONETARY_OTHER", "decision_monetary_other": "x"},
        {"decision_monetary": "DECISION_MONETARY_TERMINATION", "end_date_monetary_restriction": "2026-08-08"},
        {"content_type": ["CONTENT_TYPE_OTHER", "CONTENT_TYPE_TEXT"], "content_type_other": "x"},
        {"category_addition": ["STATEMENT_CATEGORY_SELF_HARM"]},
        {"category_specification": ["KEYWORD_OTHER"], "category_specification_other": "x"},
        {"category_specification": ["KEYWORD_OTHER", "KEYWORD_HATE_SPEECH"]},
        {"territorial_scope": ["PT", "ES", "DE"], "content_language": "EN"},
        {"incompatible_content_illegal": "Yes"},
        {"content_id": {"EAN-13": "0123456789123"}, "decision_ground_reference_url": "https://www.anurl.invalid"},
        {"source_type": "SOURCE_TRUSTED_FLAGGER", "source_identity": "x"},
        {"decision_facts": "x" * 5000, "incompatible_content_explanation": "x" * 2000, "puid": "x" * 500},
        {"content_date": "2000-01-01", "application_date": "2020-01-01"},
        {"content_date": "2038-01-01", "end_date_visibility_restriction": "2038-01-01"},
    ],
)  # fmt: skip
def test_a_good_statement_passes(changed: dict[str, Any]) -> None:
    VALIDATOR.validate({"schema": "2", "statements": [good(**changed)]})


@pytest.mark.parametrize(
    ("changed", "where", "what"),
    [
        *[({name: None}, "", f"'{name}' is a required property") for name in (
            "decision_ground", "content_type", "category", "content_date", "application_date",
            "decision_facts", "source_type", "automated_detection", "automated_decision", "puid",
            "incompatible_content_ground", "incompatible_content_explanation",
        )],
        ({"decision_visibility": None}, "", "is not valid under any of the given schemas"),
        ({"decision_visibility": "DECISION_VISIBILITY_OTHER"}, "decision_visibility", "is not of type"),
        ({"decision_visibility": []}, "decision_visibility", "should be non-empty"),
        ({"decision_visibility": ["REMOVED"]}, "decision_visibility.0", "is not one of"),
        ({"decision_visibility": ["DECISION_VISIBILITY_OTHER"]}, "",
         "'decision_visibility_other' is a required property"),
        ({"decision_visibility_other": "x"}, "", "False schema does not allow"),
        ({"decision_monetary": "DECISION_MONETARY_OTHER"}, "", "'decision_monetary_other' is a required"),
        ({"decision_monetary_other": "x"}, "", "False schema does not allow"),
        ({"decision_provision": "x"}, "decision_provision", "is not one of"),
        ({"decision_account": "x"}, "decision_account", "is not one of"),
        ({"account_type": "x"}, "account_type", "is not one of"),
        ({**ILLEGAL, "decision_ground": "x", "illegal_content_legal_ground": None,
          "illegal_content_explanation": None}, "decision_ground", "is not one of"),
        ({**ILLEGAL, "illegal_content_legal_ground": None}, "", "'illegal_content_legal_ground' is a"),
        ({**ILLEGAL, "illegal_content_explanation": None}, "", "'illegal_content_explanation' is a required"),
        ({"illegal_content_explanation": "x"}, "", "False schema does not allow"),
        ({**ILLEGAL, "incompatible_content_ground": "x"}, "", "False schema does not allow"),
        ({**ILLEGAL, "incompatible_content_illegal": "Yes"}, "decision_ground", "was expected"),
        ({"incompatible_content_illegal": True}, "incompatible_content_illegal", "is not one of"),
        ({"content_type": ["CONTENT_TYPE_OTHER"]}, "", "'content_type_other' is a required property"),
        ({"content_type_other": "x"}, "", "False schema does not allow"),
        ({"content_type": ["CONTENT_TYPE_TEXT"] * 2}, "content_type", "has non-unique elements"),
        ({"category": "STATEMENT_CATEGORY_RUDE"}, "category", "is not one of"),
        ({"category_addition": ["VIOLENCE"]}, "category_addition.0", "is not one of"),
        ({"category_specification": ["KEYWORD_RUDE"]}, "category_specification.0", "is not one of"),
        ({"category_specification_other": "x"}, "", "'category_specification' is a required property"),
        ({"category_specification": ["KEYWORD_NUDITY"], "category_specification_other": "x"},
         "category_specification", "does not contain items"),
        ({"content_id": {"EAN-13": "1"}}, "content_id.EAN-13", "does not match"),
        ({"content_id": {"URL": "x"}}, "content_id", "Additional properties are not allowed"),
        ({"territorial_scope": ["GB"]}, "territorial_scope.0", "is not one of"),
        ({"content_language": "en"}, "content_language", "is not one of"),
        ({"content_language": "UND"}, "content_language", "is not one of"),
        ({"content_date": "02/01/2026"}, "content_date", "does not match"),
        ({"content_date": "2026-02-30"}, "content_date", "is not a 'date'"),
        ({"content_date": "1999-12-31"}, "content_date", "does not match"),
        ({"content_date": "2026-01-02 10:00:00"}, "content_date", "does not match"),
        ({"application_date": "2019-12-31"}, "application_date", "does not match"),
        ({"application_date": "2038-01-02"}, "application_date", "does not match"),
        ({"end_date_account_restriction": "2027-01-01"}, "", "'decision_account' is a required property"),
        ({"end_date_service_restriction": "2027-01-01"}, "", "'decision_provision' is a required property"),
        ({"end_date_visibility_restriction": "never"}, "end_date_visibility_restriction", "does not match"),
        ({"decision_facts": "x" * 5001}, "decision_facts", "is too long"),
        ({"decision_facts": ""}, "decision_facts", "should be non-empty"),
        ({"decision_facts": " \n"}, "decision_facts", "does not match"),
        ({"incompatible_content_ground": "x" * 501}, "incompatible_content_ground", "is too long"),
        ({"incompatible_content_explanation": "x" * 2001}, "incompatible_content_explanation", "is too long"),
        ({"source_type": "SOURCE_OWN"}, "source_type", "is not one of"),
        ({"automated_detection": False}, "automated_detection", "is not one of"),
        ({"automated_decision": "No"}, "automated_decision", "is not one of"),
        ({"puid": "a b"}, "puid", "does not match"),
        ({"puid": "x" * 501}, "puid", "does not match"),
        ({"puid": "x\n"}, "puid", "should not be valid"),
        ({"url": "https://x.invalid/1"}, "", "Additional properties are not allowed ('url' was unexpected)"),
        ({"decision_ground_reference_url": "rules"}, "decision_ground_reference_url", "does not match"),
    ],
)  # fmt: skip
def test_a_bad_statement_fails_for_its_own_reason(changed: dict[str, Any], where: str, what: str) -> None:
    document = {"schema": "2", "statements": [good(**changed)]}
    found = [
        (".".join(map(str, list(error.absolute_path)[2:])), error.message)
        for error in VALIDATOR.iter_errors(document)
    ]
    assert [place for place, message in found if place == where and what in message], found
    assert {place for place, _ in found} == {where}


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.pop("schema"),
        lambda document: document.pop("statements"),
        lambda document: document.update(schema="1"),
        lambda document: document.update(statements={}),
        lambda document: document.update(author="x"),
    ],
)
def test_a_bad_document_fails(change: Callable[[dict[str, Any]], object]) -> None:
    document = {"schema": "2", "note": "x", "statements": [good()]}
    VALIDATOR.validate(document)
    change(document)
    assert not VALIDATOR.is_valid(document)


def test_a_record_of_this_program_is_a_number_that_the_database_takes() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,500}", statement()["puid"])
