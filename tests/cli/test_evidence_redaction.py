"""What redaction takes out of a pack is in none of its bytes, however they are read: a search of every file,
decompressed and with all escapes undone, that finds all of it in the pack without rules."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from archiver.settings import toml_text
from tests.cli.runner import Runner
from tests.homes import Home
from tests.packs import (
    NAMED,
    OTHER_PHOTO,
    PHOTO,
    SCREENSHOT,
    SECRET_TEXT,
    WITHOUT_PDF,
    WITNESS,
    WITNESS_HANDLE,
    Rich,
    Texts,
    copied,
    export,
    files_with_bytes,
    quietly,
    read_pack,
    records_of,
    say,
    spellings,
    texts_of,
    write_ids,
)


@dataclass(frozen=True)
class Plain:
    """The pack without rules, with every form, and all that can be read in it."""

    home: Home
    ids: Path
    files: dict[str, bytes]
    texts: Texts
    rich: Rich

    def originals(self) -> dict[str, set[str]]:
        return originals_of(self.files)


@pytest.fixture(scope="module")
def plain(rich: Rich, tmp_path_factory: pytest.TempPathFactory) -> Plain:
    folder = tmp_path_factory.mktemp("plain")
    home = copied(rich.home, folder / "home")
    ids = write_ids(folder / "ids", rich.ids)
    export(home, folder / "ABC_1", "--ids", ids)
    files = read_pack(folder / "ABC_1")
    return Plain(home, ids, files, texts_of(files), rich)


def originals_of(files: dict[str, bytes]) -> dict[str, set[str]]:
    """Of each record, by kind and id, the hashes of the bytes that the pack has of it."""
    return {
        f"{one['kind']} {one['id']}": {
            original["sha256"]
            for version in one["versions"]
            for original in version["originals"]
            if original["path"] in files
        }
        for one in records_of(files)
    }


def redacted(
    plain: Plain, folder: Path, rules: str, form: str = WITHOUT_PDF, code: int = 0
) -> dict[str, bytes]:
    (folder / "rules.toml").write_text(rules)
    export(
        plain.home, folder / "p", "--ids", plain.ids, "--redact", folder / "rules.toml", "--format", form,
        code=code,
    )  # fmt: skip
    assert say(plain.home, "evidence", "verify", folder / "p").code == 0
    return read_pack(folder / "p")


def rule(**fields: object) -> str:
    """One rule of a file."""
    lines = [
        f"{key} = {toml_text(value) if isinstance(value, str) else json.dumps(value)}"
        for key, value in fields.items()
    ]
    return "\n".join(["[[rule]]", *lines, 'reason = "section 40"', ""])


@dataclass(frozen=True)
class Case:
    """Rules, what then must not be read anywhere, which pictures must not be there, and how many files of the
    plain pack say or hold it at least."""

    rules: str
    secrets: Sequence[str]
    pictures: Sequence[bytes] = ()
    least: int = 5


def case_of(name: str, rich: Rich) -> Case:
    digest = sha256(PHOTO).hexdigest()
    return {
        "name": Case(rule(names=[WITNESS.upper()]), [WITNESS], [PHOTO], least=8),
        "handle": Case(rule(handle=f"@{WITNESS_HANDLE}"), [WITNESS_HANDLE], [PHOTO], least=8),
        "person": Case(
            rule(person=rich.witness_id),
            [WITNESS, WITNESS_HANDLE, rich.witness_id, rich.witnessed],
            [PHOTO],
            least=8,
        ),
        "text": Case(rule(text="lives at 12 Sample Lane"), [SECRET_TEXT, "12 Sample Lane"]),
        "loose text": Case(rule(text="LIVES at 12 sample lane", loose=True), [SECRET_TEXT]),
        "pattern": Case(rule(pattern=r"\d+ Sample [A-Z]\w+"), ["12 Sample Lane"]),
        "picture by hash": Case(rule(media=digest), [digest], [PHOTO]),
        "whole message": Case(rule(record=rich.told), [SECRET_TEXT, rich.told, "come <b>soon"]),
        "parts of a message": Case(rule(record=rich.told, spans=[[21, 35]]), ["12 Sample Lane"]),
        "whole post": Case(
            rule(record=rich.scene.reply), [rich.scene.reply, "=you are all"], [SCREENSHOT], least=8
        ),
    }[name]


KINDS = (
    "name", "handle", "person", "text", "loose text", "pattern", "picture by hash", "whole message",
    "parts of a message", "whole post",
)  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_what_a_rule_takes_out_can_be_read_nowhere_in_the_pack(
    plain: Plain, tmp_path: Path, name: str
) -> None:
    case = case_of(name, plain.rich)
    for secret in case.secrets:
        assert plain.texts.that_say(secret), secret
    assert len(plain.texts.that_say(*case.secrets)) >= case.least
    assert all(len(files_with_bytes(plain.files, one)) >= 5 for one in case.pictures)
    files = redacted(plain, tmp_path, case.rules)
    texts = texts_of(files)
    for secret in case.secrets:
        assert texts.that_say(secret) == set(), secret
    for picture in case.pictures:
        assert files_with_bytes(files, picture) == set()
    assert texts.that_say("section 40")


@pytest.mark.parametrize("name", KINDS)
def test_redacted_records_lose_their_bytes_whole_and_the_others_keep_theirs(
    plain: Plain, tmp_path: Path, name: str
) -> None:
    case = case_of(name, plain.rich)
    files = redacted(plain, tmp_path, case.rules, "jsonl,originals,captures,media,load,html")
    before, after = records_of(plain.files), records_of(files)
    assert len(before) == len(after)
    changed = [new for new in after if new["redactions"]]
    assert changed
    assert len(changed) < len(after)
    texts = {one: plain.texts.of(one) for one in plain.files}
    for old, new in zip(before, after, strict=True):
        kept = paths_of(new)
        assert kept <= set(files)
        if new["redactions"]:
            assert not any(says(texts[path], case.secrets) for path in renamed(kept, plain, old))
        else:
            assert {sha256(files[path]).hexdigest() for path in kept} == {
                sha256(plain.files[path]).hexdigest()
                for path in paths_of(old)
                if not path.startswith("data/captures/")
            } | {sha256(files[path]).hexdigest() for path in kept if path.startswith("data/captures/")}
    named = set().union(*(paths_of(one) for one in after))
    there = {one for one in files if one.startswith(("data/originals/", "data/media/"))}
    assert there == {one for one in named if one.startswith(("data/originals/", "data/media/"))}


def paths_of(value: Any) -> set[str]:
    """All files that a record names and has."""
    if isinstance(value, dict):
        own = {value["path"]} if isinstance(value.get("path"), str) else set()
        return own.union(*map(paths_of, value.values())) if value else own
    return set().union(*map(paths_of, value)) if isinstance(value, list) and value else set()


def renamed(paths: set[str], plain: Plain, record: dict[str, Any]) -> set[str]:
    """The same files in the plain pack, which has another number."""
    number = record["reference"].split("/")[1]
    found = {re.sub(r"/ABC_\d+_", f"/ABC_{number}_", one) for one in paths}
    return {one for one in found if one in plain.files}


def says(texts: Sequence[str], secrets: Sequence[str]) -> bool:
    return any(form in text for secret in secrets for form in spellings(secret) for text in texts)


def test_every_rule_together_with_every_form_leaves_nothing(plain: Plain, tmp_path: Path) -> None:
    """The PDF is looked at here: its text layer, its streams and its pictures."""
    rich = plain.rich
    rules = "".join(case_of(name, rich).rules for name in KINDS if name != "whole message")
    secrets = [one for name in KINDS for one in case_of(name, rich).secrets if one != rich.told]
    secrets = [one for one in secrets if one not in (SECRET_TEXT, "come <b>soon")]
    assert "data/report.pdf" in plain.texts.that_say(WITNESS)
    assert "data/report.pdf" in plain.texts.that_say("12 Sample Lane")
    assert "data/report.pdf" in files_with_bytes(plain.files, PHOTO)
    files = redacted(plain, tmp_path, rules, f"{WITHOUT_PDF},pdf", code=3)  # one rule leaves another nothing
    texts = texts_of(files)
    for secret in secrets:
        assert texts.that_say(secret) == set(), secret
    assert files_with_bytes(files, PHOTO) == set()
    assert files_with_bytes(files, SCREENSHOT) == set()
    assert "data/report.html" in files_with_bytes(files, OTHER_PHOTO)
    assert "data/report.pdf" in texts.that_say("redacted")
    assert b"REDACTED: what stands as [redacted] was taken out" in files["README.txt"]


def test_a_zip_file_is_redacted_as_a_folder_is(plain: Plain, tmp_path: Path) -> None:
    case = case_of("person", plain.rich)
    (tmp_path / "rules.toml").write_text(case.rules)
    export(
        plain.home, tmp_path / "p.zip", "--ids", plain.ids, "--redact", tmp_path / "rules.toml", "--format",
        WITHOUT_PDF,
    )  # fmt: skip
    whole = texts_of({"p.zip": (tmp_path / "p.zip").read_bytes()})
    assert [one for one in case.secrets if whole.that_say(one)] == []
    assert whole.that_say("redacted")


def test_the_query_itself_is_redacted(plain: Plain, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(rule(handle=WITNESS_HANDLE))
    export(
        plain.home, tmp_path / "p", f"from:{WITNESS_HANDLE}", "--redact", tmp_path / "rules.toml", "--format",
        "html,csv,jsonl",
    )  # fmt: skip
    texts = texts_of(read_pack(tmp_path / "p"))
    assert texts.that_say(WITNESS_HANDLE) == set()
    assert {"README.txt", "search-record.json"} <= texts.that_say("redacted")
    result = say(plain.home, "evidence", "verify", tmp_path / "p")
    assert "left out, as they held what was redacted" in result.output


def test_a_rule_that_matches_nothing_is_warned_of_and_the_pack_is_made(plain: Plain, tmp_path: Path) -> None:
    rules = rule(handle=WITNESS_HANDLE) + rule(text="nobody ever said this")
    (tmp_path / "rules.toml").write_text(rules)
    result = export(
        plain.home, tmp_path / "p", "--ids", plain.ids, "--redact", tmp_path / "rules.toml", "--format",
        "jsonl", code=3,
    )  # fmt: skip
    assert "warning: rule 2 of the redaction, text, matches nothing" in result.errors
    assert "nobody ever" not in result.errors
    assert say(plain.home, "evidence", "verify", tmp_path / "p").code == 0


def test_a_span_beyond_the_text_is_refused_and_nothing_is_made(
    run: Runner, plain: Plain, tmp_path: Path
) -> None:
    (tmp_path / "rules.toml").write_text(rule(record=plain.rich.told, spans=[[0, 5000]]))
    command = ["--ids", plain.ids, *NAMED, "--redact", tmp_path / "rules.toml", "-o", tmp_path / "p"]
    message = run.fails(2, "--config", plain.home.folder, "evidence", "export", *command)
    assert "lies beyond the" in message
    assert "Sample Lane" not in message
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("[[rule]\n", "is not TOML"),
        ("", "there is no rule"),
        ('[[rule]]\ntext = "somebody"\n', "reason"),
        ('[[rule]]\nreason = "x"\n', "a rule says one thing to take out"),
        ('[[rule]]\ntext = "ab"\nreason = "x"\n', "letters or digits"),
        ('[[rule]]\npattern = "(a+"\nreason = "x"\n', "no regular expression"),
        ('[[rule]]\npattern = "(x+x+)+y"\nreason = "x"\n', "takes for ever"),
        ('[[rule]]\ntext = "sha256"\nreason = "x"\n', "word of the pack itself"),
        ('[[rule]]\ntext = "somebody"\nreasons = "x"\n', "reasons"),
    ],
)  # fmt: skip
def test_a_broken_rule_file_is_refused_before_anything_is_opened(
    run: Runner, plain: Plain, tmp_path: Path, rules: str, said: str
) -> None:
    (tmp_path / "rules.toml").write_text(rules)
    result = run(
        "--config", plain.home.folder, "evidence", "export", "--ids", plain.ids, *NAMED, "--redact",
        tmp_path / "rules.toml", "-o", tmp_path / "p",
    )  # fmt: skip
    assert (result.code, result.output) == (2, "")
    assert said in result.errors
    assert not (tmp_path / "p").exists()


def test_a_rule_file_that_is_not_there_is_named(run: Runner, plain: Plain, tmp_path: Path) -> None:
    message = run.fails(
        2, "--config", plain.home.folder, "evidence", "export", "--ids", plain.ids, *NAMED, "--redact",
        tmp_path / "no.toml", "-o", tmp_path / "p",
    )  # fmt: skip
    assert "no.toml" in message


def test_what_the_user_types_is_searched_too(run: Runner, plain: Plain, tmp_path: Path) -> None:
    """A case's reference that names the witness: it is taken out, or the pack refused, never published."""
    (tmp_path / "rules.toml").write_text(rule(names=[WITNESS]))
    result = run(
        "--config", plain.home.folder, "evidence", "export", "--ids", plain.ids, "--case", f"CO {WITNESS}",
        "--exhibit", "ABC", "--produced-by", "A. B. Example", "--redact", tmp_path / "rules.toml", "--format",
        "jsonl,csv,html", "-o", tmp_path / "p",
    )  # fmt: skip
    if result.code == 0:
        assert texts_of(read_pack(tmp_path / "p")).that_say(WITNESS) == set()
    else:
        assert result.code == 20
        assert not (tmp_path / "p").exists()


def pieces_said(plain: Plain) -> list[str]:
    """Some of what records of the pack say: parts of texts, names, addresses, descriptions of pictures."""
    found: dict[str, None] = {}
    for record in records_of(plain.files):
        for version in record["versions"]:
            for text in (version["text"], version["alt_text"] or "", version["author"]["name"] or ""):
                words = text.split()
                for start in range(0, len(words), 3):
                    found[" ".join(words[start : start + 2])] = None
    return [one for one in found if sum(map(str.isalnum, one)) >= 6]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_taken_out_by_random_rules_is_read_nowhere(plain: Plain, data: st.DataObject) -> None:
    pieces = data.draw(st.lists(st.sampled_from(pieces_said(plain)), min_size=1, max_size=3, unique=True))
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rules.toml").write_text("".join(rule(text=one, loose=True) for one in pieces))
        result = quietly(
            "--config", plain.home.folder, "evidence", "export", "--ids", plain.ids, *NAMED, "--redact",
            folder / "rules.toml", "--format", WITHOUT_PDF, "-o", folder / "p",
        )  # fmt: skip
        event(f"exit {result.code}")
        if result.code in (2, 20):  # a word of the pack itself: no pack is made
            assert not (folder / "p").exists()
            return
        assert result.code in (0, 3), result
        texts = texts_of(read_pack(folder / "p"))
        for piece in pieces:
            assert plain.texts.that_say(piece)
            assert texts.that_say(piece) == set(), piece
