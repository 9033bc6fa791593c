"""`archiver evidence export` with something wrong: one sentence says what and where, nothing is made, and no
number is taken where it could be told before. And records whose texts are awkward."""

import csv
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from archiver.formats import age
from tests.cli.runner import Runner
from tests.exhibit_parts import ARABIC, EMOJI, HEBREW, MARKUP, OVERRIDDEN, ZALGO
from tests.faults.folders import edit_posts, make_folder, rewrite, sample
from tests.homes import Home
from tests.packs import (
    NAMED,
    OTHER_PHOTO,
    PHOTO,
    SCREENSHOT,
    Rich,
    Texts,
    copied,
    export,
    files_with_bytes,
    read_pack,
    records_of,
    say,
    texts_of,
    write_ids,
)
from tests.unit.evidence.bag.test_writing import run_bagit

Words = tuple[str | Path, ...]


@pytest.fixture
def home(rich: Rich, tmp_path: Path) -> Home:
    return copied(rich.home, tmp_path / "home")


def refused(run: Runner, home: Home, code: int, *words: str | Path) -> str:
    """What it says; that it took no number; that nothing lies beside what was there."""
    message = run.fails(code, "--config", home.folder, "evidence", "export", *words)
    assert "Traceback" not in message
    assert numbers(home) == []
    return message


def numbers(home: Home) -> list[tuple[str, bool]]:
    lines = say(home, "--json", "evidence", "list").json_lines()
    return [(str(one["exhibit"]), bool(one["finished"])) for one in lines]


# What is asked for


def test_a_query_that_finds_nothing_makes_no_pack(run: Runner, home: Home, tmp_path: Path) -> None:
    for output in ("p", "p.zip", "p.age"):
        message = refused(run, home, 1, "nobodysaidthis", *NAMED, "-o", tmp_path / output)
        assert "no sealed record matches, and no empty pack is made" in message
        assert not (tmp_path / output).exists()
    lines = say(home, "--json", "log", "show", "--limit", "0").json_lines()
    logged = [one for one in lines if one.get("command") == "evidence export"]
    assert len(logged) == 3
    assert {one["outcome"] for one in logged} == {"failed: ArchiverError"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "give a query, or --ids FILE, or --replay RECORD"),
        (("word", "--ids", "ids"), 2, "exclude each other"),
        (("from:",), 2, "from:"),
        (("word", "--format", "docx"), 2, "there is no form 'docx'"),
        (("word", "--format", ","), 2, "no form is named"),
        (("word", "--format", "flat,csv"), 2, "goes with no other form"),
        (("word", "--format", "flat", "--encrypt-to", age.X25519Identity.generate().recipient().encode()), 2,
         "neither encrypted nor redacted"),
        (("word", "--encrypt-to", "nonsense"), 2, "neither a public key nor a file"),
        (("word", "--encrypt-to", "age1nonsense"), 2, "this is not a public key"),
        (("word", "--recipient", " "), 2, "--recipient needs a text of one line"),
        (("word", "--purpose", "x\x1b[2J"), 2, "--purpose needs a text of one line"),
        (("word", "--purpose", "x" * 501), 2, "--purpose needs a text of one line"),
        (("--ids", "/no/such/file"), 1, "/no/such/file"),
        (("--replay", "/no/such/file"), 1, "/no/such/file"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for_is_said(
    run: Runner, home: Home, tmp_path: Path, words: Words, code: int, said: str
) -> None:
    write_ids(tmp_path / "ids", ["1"])
    given = tuple(tmp_path / "ids" if one == "ids" else one for one in words)
    assert said in refused(run, home, code, *given, *NAMED, "-o", tmp_path / "p")
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    "initials", ["", "A", "abc", "ABCDE", "AB C", "ABC/1", "ÄBC", "ABC123", "../A", "A1"]
)
def test_initials_that_are_none_are_refused(run: Runner, home: Home, tmp_path: Path, initials: str) -> None:
    message = refused(
        run, home, 2, "word", "--case", "C", "--exhibit", initials, "--produced-by", "A. B. Example", "-o",
        tmp_path / "p",
    )  # fmt: skip
    assert "cannot be the initials" in message
    assert "as ABC" in message


def test_initials_of_another_person_are_refused(run: Runner, home: Home, tmp_path: Path) -> None:
    export(home, tmp_path / "p", "is:moderated", "--format", "jsonl")
    words = ["is:moderated", "--case", "C", "--exhibit", "ABC", "--format", "jsonl", "-o", tmp_path / "q"]
    message = run.fails(
        2, "--config", home.folder, "evidence", "export", *words, "--produced-by", "Another Boss Called"
    )
    assert "exhibits ABC are those of another person, since ABC/1" in message
    assert "ABC2" in message
    assert not (tmp_path / "q").exists()
    assert numbers(home) == [("ABC/1", True)]
    say(home, "evidence", "export", *words, "--produced-by", "a. b.  EXAMPLE")
    assert numbers(home) == [("ABC/1", True), ("ABC/2", True)]


@pytest.mark.parametrize("name", ["pack", "pack.zip", "pack.age"])
@pytest.mark.parametrize("what", ["file", "folder", "empty folder", "dangling link"])
def test_what_is_there_already_is_never_written_over(
    run: Runner, home: Home, tmp_path: Path, name: str, what: str
) -> None:
    output = tmp_path / name
    if what == "file":
        output.write_text("mine")
    elif what == "dangling link":
        output.symlink_to(tmp_path / "nowhere")
    else:
        output.mkdir()
        if what == "folder":
            (output / "mine").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    message = refused(run, home, 1, "is:moderated", *NAMED, "-o", output)
    assert name in message
    assert [one for one in sorted(tmp_path.rglob("*")) if "/home" not in str(one)] == [
        one for one in before if "/home" not in str(one)
    ]


def test_a_folder_that_is_not_there_is_named(run: Runner, home: Home, tmp_path: Path) -> None:
    message = refused(run, home, 2, "is:moderated", *NAMED, "-o", tmp_path / "no" / "p")
    assert f"there is no folder {tmp_path / 'no'}" in message


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "names no record"),
        (b"# nothing\n\n", "names no record"),
        (b"1\ntwo words\n", "line 2 is no id"),
        (b"1\n" + b"9" * 400, "line 2 is no id"),
        (b"1\n\xff\xfe", "byte 2 is not UTF-8 text"),
    ],
)  # fmt: skip
def test_a_file_that_has_no_ids_is_refused(
    run: Runner, home: Home, tmp_path: Path, data: bytes, said: str
) -> None:
    (tmp_path / "ids").write_bytes(data)
    code = 1 if b"\xff" in data else 2
    assert said in refused(run, home, code, "--ids", tmp_path / "ids", *NAMED, "-o", tmp_path / "p")


# The vault


def test_a_damaged_archive_is_named_and_refused_or_told_of(run: Runner, home: Home, tmp_path: Path) -> None:
    name = home.damage(0)
    words = ('"Station Road" OR "Main Street"', *NAMED, "-o", tmp_path / "p", "--format", "html,csv,jsonl")
    message = refused(run, home, 20, *words)
    assert f"archive {name} cannot be read, so the pack would not be whole" in message
    assert "--keep-going" in message
    assert not (tmp_path / "p").exists()
    result = run("--config", home.folder, "evidence", "export", *words, "--keep-going")
    assert result.code == 3, result
    assert f"archive {name} is not in it" in result.errors
    files = read_pack(tmp_path / "p")
    assert "INCOMPLETE" in files["README.txt"].decode()
    assert name in files["README.txt"].decode()
    assert name in files["data/report.html"].decode()
    record = json.loads(files["search-record.json"])
    assert name in json.dumps(record["unsearched"])
    assert say(home, "evidence", "verify", tmp_path / "p").code == 0


def test_an_archive_that_is_gone_is_named(run: Runner, home: Home, tmp_path: Path) -> None:
    name = home.archives[1].name
    shutil.rmtree(home.folder / "vault" / "archives" / name)
    result = run(
        "--config", home.folder, "evidence", "export", "Main Street", *NAMED, "-o", tmp_path / "p",
        "--format", "jsonl",
    )  # fmt: skip
    assert result.code == 20
    assert not (tmp_path / "p").exists()


def test_a_picture_that_is_damaged_stops_the_pack_and_leaves_nothing(
    run: Runner, home: Home, rich: Rich, tmp_path: Path
) -> None:
    packs = sorted((home.folder / "vault" / "archives").rglob("media-*"))
    assert packs
    for path in packs:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    ids = write_ids(tmp_path / "ids", [rich.own, rich.witnessed])
    (tmp_path / "out").mkdir()
    result = run(
        "--config", home.folder, "evidence", "export", "--ids", ids, *NAMED, "-o", tmp_path / "out" / "p",
        "--format", "jsonl,media",
    )  # fmt: skip
    assert result.code == 20, result
    assert list((tmp_path / "out").iterdir()) == []
    assert numbers(home) == [("ABC/1", False)]


def test_a_wrong_passphrase_ends_with_12(
    run: Runner, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home.folder / "keys" / "records.identity"
    path.write_bytes(age.encrypt([age.ScryptRecipient("correct horse", 8)], path.read_bytes(), armor=True))
    settings = home.folder / "archiver.toml"
    text = settings.read_text()
    line = next(one for one in text.splitlines() if one.startswith("identity = "))
    settings.write_text(text.replace(line, f'{line}\npassphrase = "env:PASSPHRASE"'))
    words = ("evidence", "export", "is:moderated", *NAMED, "--format", "jsonl", "-o", tmp_path / "p")
    monkeypatch.setenv("PASSPHRASE", "wrong battery")
    message = run.fails(12, "--config", home.folder, *words)
    assert "battery" not in message
    assert not (tmp_path / "p").exists()
    monkeypatch.setenv("PASSPHRASE", "correct horse")
    assert run("--config", home.folder, *words).code == 0
    assert numbers(home) == [("ABC/1", True)]


def test_a_log_that_cannot_be_written_stops_the_export(run: Runner, home: Home, tmp_path: Path) -> None:
    shutil.rmtree(home.folder / "vault" / "audit")
    (home.folder / "vault" / "audit").write_text("in its place")
    for output in ("p", "flat.csv"):
        form = "flat" if output == "flat.csv" else "jsonl"
        message = run.fails(
            1, "--config", home.folder, "evidence", "export", "is:moderated", *NAMED, "-o",
            tmp_path / output, "--format", form,
        )  # fmt: skip
        assert "the log cannot be written, so nothing is done" in message
        assert not (tmp_path / output).exists()
    assert not (home.folder / "vault" / "exhibits").exists()


def test_a_reason_that_the_settings_ask_for_is_needed(run: Runner, home: Home, tmp_path: Path) -> None:
    with (home.folder / "archiver.toml").open("a") as settings:
        settings.write('\n[log]\nreason = "required"\n')
    words = ("evidence", "export", "is:moderated", *NAMED, "--format", "jsonl", "-o", tmp_path / "p")
    assert "--reason" in run.fails(2, "--config", home.folder, *words)
    assert run("--config", home.folder, *words, "--reason", "asked for").code == 0


def test_the_spool_is_not_exported(run: Runner, tmp_path: Path) -> None:
    home = Home(make_folder(tmp_path / "new"))
    say(home, "import", "--add-account", sample(tmp_path / "sample.zip", months=1))
    message = refused(run, home, 1, "Station Road", *NAMED, "-o", tmp_path / "p")
    assert "archiver seal" in message


# Awkward texts

LONE = "half \ud83d of a letter"
NUL = "nul \x00 and bell \x07 and escape \x1b[31m"
AWKWARD = (ARABIC, HEBREW, ZALGO, EMOJI, OVERRIDDEN, MARKUP, LONE, NUL, "=cmd|' /C calc'!A0", "þ\x14 \r\n ®")


@pytest.fixture(scope="module")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, list[str]]:
    """A vault whose posts say these, and their ids."""
    folder = tmp_path_factory.mktemp("awkward")
    ids: list[str] = []

    def edit(posts: list[dict[str, Any]]) -> None:
        plain = [
            one for one in posts if not one["full_text"].startswith("RT @") and "…" not in one["full_text"]
        ]
        for post, text in zip(plain, AWKWARD, strict=False):
            post["full_text"] = text
            post["display_text_range"] = ["0", str(len(text))]
            post["entities"] = {"hashtags": [], "symbols": [], "user_mentions": [], "urls": []}
            post.pop("extended_entities", None)
            ids.append(post["id_str"])

    first = sample(folder / "first.zip", months=1)
    home = Home(make_folder(folder / "home"))
    home.take(rewrite(first, folder / "second.zip", {"data/tweets.js": edit_posts(edit)}))
    return home, ids


@pytest.fixture(scope="module")
def awkward_pack(
    awkward: tuple[Home, list[str]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    home, ids = awkward
    folder = tmp_path_factory.mktemp("awkward_pack")
    export(home, folder / "p", "--ids", write_ids(folder / "ids", ids), code=0)
    assert say(home, "evidence", "verify", folder / "p").code == 0
    done = run_bagit(folder / "p")
    assert done.returncode == 0, done.stderr
    return read_pack(folder / "p")


def test_awkward_texts_go_through_every_form(
    awkward_pack: dict[str, bytes], awkward: tuple[Home, list[str]]
) -> None:
    files, (_, ids) = awkward_pack, awkward
    records = {one["id"]: one for one in records_of(files)}
    texts = [records[one]["versions"][0]["text"] for one in ids]
    assert len(texts) == len(AWKWARD)
    for said, given in zip(texts, AWKWARD, strict=True):
        expected = given.replace("\x00", "\ufffd").replace("\ud83d", "\ufffd")
        expected = expected.replace("&amp;", "&")  # as X writes it in a text
        assert said == expected
    rows = {
        row["id"]: row for row in csv.DictReader(io.StringIO(files["data/records.csv"].decode("utf-8-sig")))
    }
    for one in ids:
        assert rows[one]["text"][:1] not in ("=", "+", "-", "@")
    json.loads(files["case.jsonld"])
    page = files["data/report.html"].decode()
    assert "<script>alert" not in page
    assert "\x00" not in page
    assert "\x1b" not in page
    assert files["data/report.pdf"].startswith(b"%PDF")


def test_the_verbatim_bytes_of_awkward_texts_are_what_the_export_had(
    awkward_pack: dict[str, bytes], awkward: tuple[Home, list[str]]
) -> None:
    records = {one["id"]: one for one in records_of(awkward_pack)}
    for own, text in zip(awkward[1], AWKWARD, strict=True):
        body = awkward_pack[records[own]["versions"][0]["originals"][0]["path"]]
        item = json.loads(body)
        assert (item.get("tweet") or item)["full_text"] == text


# For the public


@pytest.fixture(scope="module")
def public(rich: Rich, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("public")
    home = copied(rich.home, folder / "home")
    ids = write_ids(folder / "ids", rich.ids)
    export(home, folder / "p", "--ids", ids, "--format", "csv,html")
    assert say(home, "evidence", "verify", folder / "p").code == 0
    assert run_bagit(folder / "p").returncode == 0
    return read_pack(folder / "p")


@pytest.fixture(scope="module")
def public_texts(public: dict[str, bytes]) -> Texts:
    return texts_of(public)


def test_a_pack_for_the_public_has_these_files_and_no_others(public: dict[str, bytes]) -> None:
    assert {name for name in public if not name.startswith("data/media/")} == {
        "data/records.csv", "data/report.html", "README.txt", "allowed_signers", "bag-info.txt", "bagit.txt",
        "manifest-sha256.txt", "manifest-sha512.txt", "tagmanifest-sha256.txt", "tagmanifest-sha512.txt",
        "tagmanifest-sha512.txt.sig",
    }  # fmt: skip
    readme = public["README.txt"].decode()
    listed = readme[readme.index("WHAT IS IN HERE") : readme.index("There is nothing else")]
    assert "data/records.csv" in listed
    assert "data/report.html" in listed
    assert "data/media/" in listed
    assert "custody" not in listed
    assert "originals" not in listed
    assert OTHER_PHOTO in public.values()
    assert files_with_bytes(public, PHOTO) == set() == files_with_bytes(public, SCREENSHOT)


def test_a_pack_for_the_public_has_only_the_listed_columns(public: dict[str, bytes]) -> None:
    header = public["data/records.csv"].decode("utf-8-sig").splitlines()[0]
    assert header == (
        "exhibit,file_stem,platform,kind,id,url,account_handle,author,posted_at,posted_at_uk,captured_first_at,"
        "found_missing_at,found_missing_how,text,text_is_cut,alt_text,language,links,media_files,versions,"
        "likes,reposts,moderation,redacted"
    )


def test_a_pack_for_the_public_names_nobody_but_the_account(public_texts: Texts, rich: Rich) -> None:
    scene = rich.scene
    for person in (scene.author, scene.bystander):
        for known in (person.id, person.handle, person.name):
            assert public_texts.that_say(known) == set(), known
    for known in (rich.witness_id, "zoe_example77", "Zoë Müller", "duty officer"):
        assert public_texts.that_say(known) == set(), known
    for own in (scene.question, scene.reply, rich.witnessed, rich.told, *rich.hostile):
        assert public_texts.that_say(own) == set(), own
    assert public_texts.that_say("SpringfieldPD")
    assert public_texts.that_say("member of the public")


def test_a_pack_for_the_public_says_nothing_of_the_vault_or_the_staff(
    public_texts: Texts, rich: Rich
) -> None:
    vault = rich.home.vault.id
    for known in (vault, rich.home.archives[0].name + "/", "capture_part", "records-000", "keyholder"):
        assert public_texts.that_say(known) == set(), known
    settings = rich.home.settings
    assert settings.keyholder is not None
    assert public_texts.that_say(settings.digest) == set()


def test_a_pack_for_the_public_has_no_structure_that_is_not_seen(public: dict[str, bytes]) -> None:
    page = public["data/report.html"].decode()
    assert "<!--" not in page.replace("<!doctype html>", "")
    assert "<script" not in page
    assert 'type="hidden"' not in page
    assert " hidden" not in page.split("<body")[1]
    assert not re.search(r"\sdata-[a-z]+=", page)
    assert public["data/records.csv"].startswith(b"\xef\xbb\xbf") or public["data/records.csv"][:1].isalpha()
