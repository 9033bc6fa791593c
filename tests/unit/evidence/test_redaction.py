"""Redaction, each kind of rule by itself, on the made-up pack that uses every field."""

import base64
import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest

from archiver.errors import ConfigurationError
from archiver.evidence.model import REDACTED, Exhibit, Person, Redaction, ShownLink, ThreadLine
from archiver.evidence.redaction import Redactor, parse_rules
from archiver.search.record.differences import Change, compare_texts
from tests.exhibit_parts import ARABIC, FORCE_NOW, RESIDENT, ZALGO, make_exhibit, make_picture, make_version
from tests.exhibits import exhibits, files, found, production, strange


def redactor(*rules: str) -> Redactor:
    text = "".join(f'[[rule]]\nreason = "section 40(2)"\n{one}\n' for one in rules)
    return Redactor(parse_rules(text.encode(), Path("rules.toml")), files().get)


def run(rules: Sequence[str], *made: Exhibit) -> list[Exhibit]:
    work = redactor(*rules)
    for one in made:
        work.learn(one)
    done = [work.redact(one) for one in made]
    assert work.find_leaks([("records.jsonl", [msgspec.json.encode(done)])]) == []
    return done


def shown(text: str, **fields: object) -> Exhibit:
    """A post with this text."""
    return make_exhibit(1, **found(1, "post", make_version(1, text, **fields)))


def text_of(exhibit: Exhibit) -> str:
    assert exhibit.now is not None
    return exhibit.now.text


# Names


@pytest.mark.parametrize(
    "written",
    [
        "José García", "jose garcia", "JOSÉ GARCÍA", "Jose\u0301 Garci\u0301a", "José\u00a0García",
        "José\n García", "José_García", "josé-garcía", "José   García", "Ｊｏｓé García", "Jos\u200bé García",
        "J\u0336o\u0336s\u0336é\u0336 García", "\u202eJosé García\u202c", "JoséGarcía", "Jo\ud83dsé García",
        "𝐉𝐨𝐬𝐞 𝐆𝐚𝐫𝐜𝐢𝐚", "José, García",
    ],
)  # fmt: skip
def test_a_name_is_found_however_it_is_written(written: str) -> None:
    cleaned = redactor('name = "José García"').clean(f"ask {written} about it")
    assert cleaned.replace("\u202e", "").replace("\u202c", "") == f"ask {REDACTED} about it"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Robin Example's house", f"{REDACTED} house"),
        ("ROBIN EXAMPLES house", f"{REDACTED} house"),
        ("Robin Example’s", REDACTED),
        ("Robin Examplesque", "Robin Examplesque"),
        ("Trobin Example", "Trobin Example"),
        ("(Robin Example)", f"({REDACTED})"),
        ("#RobinExample", f"#{REDACTED}"),
        ("警察Robin Example在", f"警察{REDACTED}在"),
        ("two Robin Example, Robin Example", f"two {REDACTED}, {REDACTED}"),
    ],
)
def test_a_name_is_whole_words_and_its_possessive_forms(text: str, cleaned: str) -> None:
    assert redactor('name = "Robin Example"').clean(text) == cleaned


@pytest.mark.parametrize(
    ("name", "text", "cleaned"),
    [
        ("Groß", "Herr GROSS und Herr groß", f"Herr {REDACTED} und Herr {REDACTED}"),
        ("İpek", "ipek, IPEK, İPEK", f"{REDACTED}, {REDACTED}, {REDACTED}"),
        ("O'Brien", "O’Brien or OBRIEN", f"{REDACTED} or {REDACTED}"),
        ("王伟", "我看见王伟了", f"我看见{REDACTED}了"),
        ("أحمد", "مع وأحمد هنا", f"مع و{REDACTED} هنا"),
        ("Łukasz", "LUKASZ", REDACTED),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ", REDACTED),
        (
            "김철수",
            unicodedata.normalize("NFD", "김철수는"),
            f"{REDACTED}" + unicodedata.normalize("NFD", "는"),
        ),
    ],
)
def test_names_of_every_script_whatever_their_capitals(name: str, text: str, cleaned: str) -> None:
    assert redactor(f'name = "{name}"').clean(text) == cleaned


def test_a_name_within_zalgo_text_takes_its_marks_with_it() -> None:
    assert redactor('name = "Cccloséd"').clean(f"see {ZALGO}!") == f"see {REDACTED}!"


# Handles and people


def test_a_handle_is_taken_out_wherever_it_stands() -> None:
    line = ThreadLine(id="1", author=RESIDENT, posted_ms=0, kind="reply", text=f"@{RESIDENT.handle} said")
    exhibit = make_exhibit(
        1,
        **found(
            1, "reply", make_version(
                1, f"ask @{RESIDENT.handle}, {RESIDENT.handle}s: x.com/{RESIDENT.handle}/status/1.",
                author=RESIDENT, facts=(("was", f"{RESIDENT.handle}"),), mentions=(RESIDENT,),
                links=(ShownLink("https://t.co/aaa", f"https://x.com/{RESIDENT.handle}"),),
            ),
            thread=(line,), url=f"https://x.com/{RESIDENT.handle}/status/1800003",
        ),
    )  # fmt: skip
    (done,) = run([f'handle = "@{RESIDENT.handle}"'], exhibit)
    assert done.now is not None
    assert done.now.text == f"ask @{REDACTED}, {RESIDENT.handle}s: {REDACTED}."
    assert done.now.author == Person(RESIDENT.id, REDACTED, RESIDENT.name)
    assert done.now.facts == (("was", REDACTED),)
    assert done.now.links == (ShownLink(REDACTED, REDACTED),)
    assert done.thread[0].text == f"@{REDACTED} said"
    assert done.url is None
    assert done.redactions == (Redaction("person", "section 40(2)"),)


def test_the_short_link_to_an_address_that_is_taken_out_is_taken_out_of_every_text() -> None:
    first = shown("x", links=(ShownLink("https://t.co/aaa", "https://x.com/ResidentExample"),))
    second = shown("see https://t.co/aaa and https://t.co/aaab")
    done = run(['handle = "ResidentExample"'], first, second)
    assert text_of(done[1]) == f"see {REDACTED} and https://t.co/aaab"


def test_a_person_is_taken_out_by_all_that_any_exhibit_knows_of_them() -> None:
    known = Person("98765432101", "OldHandle", "Robin Example")
    later = Person("98765432101", "NewHandle", "🌸")
    only_handle = Person(None, "newhandle", "Alex Specimen")
    made = [
        shown("of OldHandle, @NewHandle, Robin Example's, alex specimen and 98765432101", author=FORCE_NOW),
        shown("first", mentions=(known,)),
        make_exhibit(3, **found(3, "post", make_version(3, "mine", author=later), id="1800555000")),
        shown(
            "third", mentions=(only_handle,), in_reply_to_id="1800555000", conversation_id="98765432101-4512"
        ),
    ]
    done = run(['person = "98765432101"'], *made)
    assert text_of(done[0]) == (f"of {REDACTED}, @{REDACTED}, {REDACTED}, {REDACTED} and {REDACTED}")
    assert done[1].now is not None
    assert done[1].now.mentions == (Person(REDACTED, REDACTED, REDACTED),)
    assert done[2].now is not None
    assert done[2].now.author == Person(REDACTED, REDACTED, REDACTED)
    assert (done[2].id, done[2].url) == (REDACTED, None)
    assert done[3].now is not None
    assert done[3].now.in_reply_to_id == REDACTED
    assert done[3].now.conversation_id == f"{REDACTED}-4512"


def test_the_short_id_of_a_persons_post_is_taken_out_of_the_fields_that_hold_ids() -> None:
    author = Person("98765432101", "ResidentExample", None)
    first = make_exhibit(1, **found(1, "post", make_version(1, "x", author=author), id="18003"))
    second = shown("18003 miles", in_reply_to_id="18003")
    done = run(['person = "98765432101"'], first, second)
    assert done[0].id == REDACTED
    assert done[1].now is not None
    assert (done[1].now.in_reply_to_id, done[1].now.text) == (REDACTED, "18003 miles")


def test_a_short_id_is_found_where_it_can_be_nothing_else() -> None:
    work = redactor('person = "1001"')
    work.learn(shown("x", author=Person("1001", "ResidentExample", None)))
    assert work.clean("1001 metres") == "1001 metres"
    assert work.clean("https://x.com/i/user/1001") == REDACTED
    assert work.withholds(b'{"author_id": "1001"}')
    assert not work.withholds(b'{"offset": 1001}')


# Texts and patterns


def test_a_text_is_taken_as_it_is_written_unless_it_is_loose() -> None:
    assert redactor('text = "Main Street"').clean("Main Street, MAIN STREET, Main  Street") == (
        f"{REDACTED}, MAIN STREET, Main  Street"
    )
    assert redactor('text = "Main Street"\nloose = true').clean("Main Streets, MAIN\nSTREET") == (
        f"{REDACTED}s, {REDACTED}"
    )


def test_a_pattern_takes_out_what_it_matches_and_no_hash() -> None:
    exhibit = shown("call 07700900123 now")
    (done,) = run(["pattern = '[0-9]{5,}'"], exhibit)
    assert text_of(done) == f"call {REDACTED} now"
    assert done.now is not None
    assert exhibit.now is not None
    assert done.now.manifest_sha256 == exhibit.now.manifest_sha256
    assert done.now.archive == exhibit.now.archive


def test_a_pattern_does_not_match_what_stands_for_something() -> None:
    assert redactor("pattern = '[a-z]{4,}'").clean("a abcd c") == f"a {REDACTED} c"


def test_a_pattern_that_takes_for_ever_stops_the_export() -> None:
    with pytest.raises(ConfigurationError, match="rule 1: its pattern takes for ever"):
        redactor(r"pattern = '^(\p{Greek}|\p{Greek}\p{Greek})+$'").clean("α" * 5000 + "-")


def test_what_was_changed_tells_nothing_across_its_pieces() -> None:
    before, after = "Robin Example is here", "Robin Specimen is there"
    version = make_version(
        1, after, version=2, changed_text=tuple(compare_texts(before, after)),
        changes=(Change("author_name", "Robin Example", None), Change("links", None, ["https://e.org/robin-example"])),
    )  # fmt: skip
    exhibit = make_exhibit(1, **found(1, "post", make_version(1, before), version))
    (done,) = run(['name = "Robin Example"'], exhibit)
    assert done.now is not None
    assert "".join(one.text for one in done.now.changed_text if one.kind != "added") == f"{REDACTED} is here"
    assert "".join(one.text for one in done.now.changed_text if one.kind != "removed") == after
    assert done.now.changes == (Change("author_name", REDACTED, None), Change("links", None, [REDACTED]))


def test_a_text_that_was_cut_within_a_name_shows_no_half_of_it() -> None:
    line = ThreadLine(id="1", author=FORCE_NOW, posted_ms=0, kind="post", text="ask Robin Exam…", is_cut=True)
    exhibit = make_exhibit(1, **found(1, "post", make_version(1, "x"), thread=(line,)))
    (done,) = run(['name = "Robin Example"'], exhibit)
    assert done.thread[0].text == f"ask {REDACTED}…"
    (done,) = run(['name = "Robin Example"'], shown("RT: ask Robin Exam…", truncated=True))
    assert text_of(done) == f"RT: ask {REDACTED}…"
    (done,) = run(['name = "Robin Example"'], shown("ask Robin Exam"))
    assert text_of(done) == "ask Robin Exam"


# Pictures and records


def test_a_picture_is_taken_out_with_its_description_and_every_copy_and_others_of_its_record() -> None:
    made = exhibits()
    done = run(['media = "road.png"'], *made)
    now = done[3].now
    assert now is not None
    road, plain = now.media[0], now.media[1]
    assert (road.path, road.sha256, road.size, road.file_name, road.url) == (
        None,
        None,
        None,
        REDACTED,
        REDACTED,
    )
    assert road.alt_text == REDACTED
    assert road.missing == "redacted: section 40(2)"
    assert (plain.path, plain.missing) == (None, "redacted with its record")
    assert now.alt_text == f"{REDACTED}\nA road sign"
    assert done[3].redactions == (Redaction("media", "section 40(2)"),)
    copy = shown("y", media=(make_picture("ABC_1_1", "road.png", file_name="other.png"),))
    assert run(['media = "road.png"'], *made, copy)[-1].now.media[0].path is None  # type: ignore[union-attr]


def test_a_picture_is_found_by_its_hash_and_its_bytes_are_withheld() -> None:
    medium = make_picture("ABC_1_4", "road.png")
    work = redactor(f'media = "{medium.sha256}"')
    data = files()[medium.path or ""]
    assert work.withholds(data)
    assert not work.withholds(data + b"\0")
    assert work.withholds(f"see {medium.sha256}".encode())
    assert work.find_leaks([("data/media/a.png", [data[:9], data[9:]])]) == [("data/media/a.png", 1)]


def test_a_record_is_taken_out_in_all_its_versions_and_wherever_it_is_shown() -> None:
    made = exhibits()
    quoting = shown(f"RT: {made[0].versions[0].text}", repost_of_id=made[0].id)
    line = ThreadLine(
        id=made[0].id, author=FORCE_NOW, posted_ms=0, kind="post", text="UPDATE: Main", is_cut=True
    )
    around = make_exhibit(5, **found(5, "post", make_version(5, "x"), thread=(line,)))
    done = run([f'record = "{made[0].id}"'], made[0], quoting, around)
    now = done[0].now
    assert now is not None
    assert (now.text, now.links, now.hashtags, now.mentions) == (REDACTED, (), (), ())
    assert (done[0].id, done[0].url) == (REDACTED, None)
    assert text_of(done[1]) == REDACTED
    assert done[2].thread[0].text == REDACTED


def test_only_some_characters_of_a_record_are_taken_out() -> None:
    made = exhibits()[1]
    done = run([f'record = "{made.id}"\nspans = [[0, 11], [15, 19]]'], made)[0]
    assert [one.text for one in done.versions[:3]] == [
        f"{REDACTED} is closed until six. Please use Station Road.",
        f"{REDACTED} is closed until eight tonight. Please use Station Road or the ring road.",
        f"{REDACTED} is {REDACTED} again. Please drive carefully.",
    ]
    assert done.id == made.id
    assert [one.capture.path for one in done.versions] == [None] * 4


def test_a_span_beyond_the_text_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match=r"rule 1 \(record\): the span \[5, 999\] lies beyond"):
        run(['record = "1800001"\nspans = [[5, 999]]'], exhibits()[0])


# Bytes


def test_the_verbatim_bytes_of_what_is_redacted_are_withheld_and_so_is_what_would_confirm_a_guess() -> None:
    made = exhibits()[2]
    (done,) = run([f'person = "{RESIDENT.id}"'], made)
    version = done.versions[0]
    assert (version.capture.path, version.capture.body_sha256, version.capture.body_size) == (
        None,
        None,
        None,
    )
    (original,) = version.originals
    assert (original.path, original.sha256, original.size) == (None, REDACTED, 0)
    assert original.segment == made.versions[0].originals[0].segment
    assert done.moderation[0].entries[0].context_sha256 == ()


def test_the_verbatim_bytes_of_a_redacted_text_are_withheld_whatever_they_hold() -> None:
    rules = parse_rules(b'[[rule]]\nreason = "r"\nname = "Robin Example"\n', Path("r.toml"))
    done = Redactor(rules).redact(shown("of Robin Example"))
    assert (done.versions[0].originals[0].path, done.versions[0].capture.path) == (None, None)


def test_a_file_whose_name_says_it_is_left_out() -> None:
    (done,) = run(
        ['name = "Robin Example"'], shown("x", media=(make_picture("ABC_1_1", "robin_example.png"),))
    )
    assert done.now is not None
    assert (done.now.media[0].path, done.now.media[0].file_name) == (None, REDACTED)


def test_bytes_that_hold_something_no_field_shows_are_withheld() -> None:
    exhibit = shown("nothing here")
    path = exhibit.versions[0].originals[0].path or ""
    capture = exhibit.versions[0].capture.path or ""
    body = json.dumps({"user": {"description": "Robin Exämple"}}).encode()
    held = {path: body, capture: b"[]"}
    rules = parse_rules('[[rule]]\nreason = "r"\nname = "Robin Exämple"\n'.encode(), Path("r.toml"))
    work = Redactor(rules, held.get)
    work.learn(exhibit)
    done = work.redact(exhibit)
    assert done.versions[0].originals[0].path is None
    assert done.versions[0].capture == exhibit.versions[0].capture
    assert done.redactions == (Redaction("person", "r"),)
    held |= {path: b"{}", capture: body}
    work = Redactor(rules, held.get)
    done = work.redact(exhibit)
    assert done.versions[0].capture.path is None
    assert done.versions[0].originals == exhibit.versions[0].originals
    assert done.redactions == ()


def test_a_capture_of_a_record_with_a_short_text_is_withheld_from_every_record_of_it() -> None:
    first = make_exhibit(1, **found(1, "post", make_version(1, "ok"), id="1800001"))
    second = make_exhibit(2, **found(2, "post", make_version(2, "other", capture=first.versions[0].capture)))
    rules = parse_rules(b'[[rule]]\nreason = "r"\nrecord = "1800001"\nspans = [[0, 2]]\n', Path("r.toml"))
    work = Redactor(rules)
    for one in (first, second):
        work.learn(one)
    assert work.withholds_capture(first.versions[0].capture.name)
    assert work.redact(second).versions[0].capture.path is None


WRITTEN = "José Examplé"


@pytest.mark.parametrize(
    "data",
    [
        WRITTEN.encode(),
        unicodedata.normalize("NFD", WRITTEN).encode(),
        WRITTEN.upper().encode(),
        WRITTEN.encode("utf-16"),
        ("x" * 20 + " " + WRITTEN).encode("utf-16-le"),
        ("x" * 20 + " " + WRITTEN).encode("utf-16-be"),
        json.dumps(WRITTEN).encode(),
        json.dumps(json.dumps(WRITTEN)).encode(),
        b"Jos&eacute; Exampl&#xe9;",
        b"Jos&amp;eacute; Exampl&amp;#233;",
        quote(WRITTEN).encode(),
        quote(quote(WRITTEN)).encode(),
        b"q=Jos%C3%A9+Exampl%c3%a9&x",
        b'{"a": "\\nJos\\u00e9\\nExampl\\u00e9"}',
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40 + WRITTEN.encode() + bytes(range(255, -1, -1)) * 40,
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40 + WRITTEN.encode("utf-16-be") + bytes(range(256)) * 40,
        b"\xff\xfe\xfd" * 4000 + WRITTEN.encode("cp1252") + b"\xff\xfe\xfd" * 4000,
        b"a damaged \xff letter, and " + WRITTEN.lower().encode(),
    ],
)  # fmt: skip
def test_bytes_are_withheld_in_whatever_writing(data: bytes) -> None:
    assert redactor(f'name = "{WRITTEN}"').withholds(data)


def test_an_emoji_is_found_as_two_halves_as_well() -> None:
    work = redactor('text = "abc 👮 def"')
    assert work.withholds(rb'{"t": "abc \ud83d\udc6e def"}')
    assert work.clean("x abc \ud83d\udc6e def") == f"x {REDACTED}"


def test_what_is_so_by_chance_is_no_leak() -> None:
    work = redactor('name = "Abe"', 'person = "123456789"', 'text = "decade"')
    picture = base64.b64encode(b"\0\x10\x83" + b"/Abe+" * 90).decode()
    chance = [
        ("hash", b"sha256:" + b"decade0123456789" * 4),
        ("uuid", b"12345678-abed-4bee-8abe-decade123456"),
        ("picture", f'<img src="data:image/png;base64,{picture}/Abe/{picture}">'.encode()),
        ("number", b'{"offset": 1123456789, "part": 0.123456789, "hash": "a123456789b"}'),
        ("word", b"Aberdeen, babe, abet"),
    ]
    assert work.find_leaks([(name, [data]) for name, data in chance]) == []
    assert work.find_leaks([("a", [b"Abe."]), ("b", [b'"123456789"']), ("c", [b"decades"])]) == [
        ("a", 1), ("b", 2), ("c", 3),
    ]  # fmt: skip


def test_a_leak_is_found_in_the_name_of_a_file_and_across_windows() -> None:
    work = redactor('name = "Robin Example"')
    far = b"x " * ((1 << 19) - 4) + b"Robin Ex"
    assert work.find_leaks(
        [("data/media/robin_example.jpg", [b""]), ("far", [far, b"ample" + b" y" * 1000]), ("none", [far])]
    ) == [("data/media/robin_example.jpg", 1), ("far", 1)]


def test_what_a_pattern_found_is_searched_for_in_the_finished_pack() -> None:
    work = redactor("pattern = '0\\d{10}'")
    assert work.clean("call 07700900123") == f"call {REDACTED}"
    assert work.find_leaks([("a", [b"call 07700900123"]), ("b", [b"07700900999"])]) == [("a", 1)]


# All together


def test_rules_that_match_nothing_are_named() -> None:
    work = redactor('name = "Robin Example"', 'handle = "SpringfieldPolice"', 'person = "99999999"')
    for one in exhibits():
        work.learn(one)
    for one in exhibits():
        work.redact(one)
    assert [str(one) for one in work.unmatched()] == ["rule 1 (name)", "rule 3 (person)"]


def test_the_production_is_cleaned_as_the_exhibits_are() -> None:
    work = redactor('text = "Main Street"')
    made = production()
    done = work.clean_all(made)
    assert "Main Street" not in repr(done)
    assert done.question == f'closed "{REDACTED}" since:2026-07-01'
    assert redactor('text = "Elm Street"').clean_all(made) is made


def test_a_reason_does_not_say_what_it_takes_out() -> None:
    rules = parse_rules(
        b'[[rule]]\nreason = "protects Robin Example"\nname = "Robin Example"\n', Path("r.toml")
    )
    assert Redactor(rules).redact(shown("Robin Example")).redactions == (
        Redaction("person", f"protects {REDACTED}"),
    )


@pytest.mark.parametrize("text", [ZALGO, ARABIC, "Robin Example \ud83d", "\x00 Robin\x00Example \u202e"])
def test_texts_that_no_platform_would_send_are_taken_as_they_are(text: str) -> None:
    work = redactor('name = "Robin Example"')
    exhibit = strange(text)
    work.learn(exhibit)
    done = work.redact(exhibit)
    assert ("Robin" in repr(done)) is False
    assert work.redact(done) is done


def test_every_rule_on_every_exhibit_leaves_nothing_and_changes_nothing_twice() -> None:
    rules = [
        f'person = "{RESIDENT.id}"', 'text = "Main Street"', 'media = "screen.png"', 'record = "1800002"',
        "pattern = '\\bBins\\b'", 'handle = "SpringfieldGov"', 'name = "Springfield Police"',
    ]  # fmt: skip
    done = run(rules, *exhibits())
    work = redactor(*rules)
    for one in done:
        work.learn(one)
    assert all(work.redact(one) is one for one in done)
