"""`docs/threat-model.md`: the promises that no other test holds, and the limits it admits, as they are."""

import json
import re
import shutil
import sqlite3
import zipfile
from pathlib import Path

import pytest

from archiver.archive.manifest import NAMESPACE, ModerationCount
from archiver.chain import document_sha256, encode_document
from archiver.cli import main
from archiver.formats.ssh_signature import SigningKey, allowed_signers_line
from archiver.sample import SAMPLE_ACCOUNT_ID, SAMPLE_HANDLE
from tests.cli.runner import Runner
from tests.docs.documents import table_rows
from tests.programs import PROJECT

DOCUMENT = PROJECT / "docs" / "threat-model.md"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sealed") / "home"
    assert main(["demo", str(folder)]) == 0
    return folder


@pytest.fixture
def home(sealed: Path, tmp_path: Path) -> Path:
    """A collector that has sealed the sample, with its keyholder's identity beside it."""
    shutil.copytree(sealed, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def spooled(run: Runner, home: Path, tmp_path: Path) -> Path:
    """Another collector, which has taken the same export and not sealed it."""
    folder = tmp_path / "spooled"
    assert run("init", folder, "--holder", "records", "--no-passphrase").code == 0
    taken = run("--config", folder, "import", "--add-account", home / "sample-export.zip")
    assert taken.code == 0
    return folder


def file_of(export: Path, name: str) -> str:
    with zipfile.ZipFile(export) as archive:
        return archive.read(name).decode()


def private_words(export: Path) -> set[str]:
    """Texts of posts and messages, the e-mail address, names: nothing of it may lie about in the clear."""
    posts = re.findall(r'"full_text" ?: "([^"\\]{30,})"', file_of(export, "data/tweets.js"))
    messages = re.findall(r'"text" ?: "([^"\\]{20,})"', file_of(export, "data/direct-messages.js"))
    emails = re.findall(r'"email" ?: "([^"]+@[^"]+)"', file_of(export, "data/account.js"))
    assert len(posts) > 1000
    assert len(messages) > 50
    assert len(emails) == 1
    return {*posts, *messages, *emails}


def files_below(*folders: Path) -> list[Path]:
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return found + [path for path in folders if path.is_file()]


def assert_no_words(files: list[Path], words: set[str]) -> None:
    needles = {word.encode() for word in words} | {word[:24].encode() for word in words}
    for path in files:
        data = path.read_bytes()
        assert not [needle for needle in needles if needle in data], path


def test_the_test_would_find_content_that_lies_about(home: Path, tmp_path: Path) -> None:
    words = private_words(home / "sample-export.zip")
    (tmp_path / "leak").write_text(file_of(home / "sample-export.zip", "data/account.js"))
    with pytest.raises(AssertionError):
        assert_no_words([tmp_path / "leak"], words)


def test_no_content_lies_in_the_clear_in_vault_spool_or_state(home: Path, spooled: Path) -> None:
    words = private_words(home / "sample-export.zip")
    parts = ("vault", "spool", "state.sqlite", "collector", "keys")
    files = files_below(*(folder / part for folder in (home, spooled) for part in parts))
    assert any(path.name == "spool.sqlite" and path.stat().st_size > 200_000 for path in files)
    assert_no_words(files, words)


def test_a_manifest_tells_no_text_and_no_name(home: Path) -> None:
    (path,) = (home / "vault" / "archives").glob("*/manifest.json")
    manifest = path.read_text()
    assert SAMPLE_ACCOUNT_ID in manifest
    assert SAMPLE_HANDLE not in manifest
    handles = set(
        re.findall(r'"screen_name" ?: "(\w+)"', file_of(home / "sample-export.zip", "data/tweets.js"))
    )
    assert len(handles) > 5
    assert_no_words([path], private_words(home / "sample-export.zip") | handles)


def test_the_state_has_the_ids_that_the_document_says_it_has(home: Path) -> None:
    export = home / "sample-export.zip"
    state = sqlite3.connect(home / "state.sqlite")
    seen = {str(key) for (key,) in state.execute("SELECT id FROM seen")}
    state.close()
    for name, field in (("follower", "accountId"), ("block", "accountId"), ("direct-messages", "id")):
        ids = set(re.findall(rf'"{field}" ?: "(\d+)"', file_of(export, f"data/{name}.js")))
        assert ids
        assert ids <= seen, name


def test_the_email_address_is_in_no_row(run: Runner, home: Path, tmp_path: Path) -> None:
    (archive,) = (path.name for path in (home / "vault" / "archives").iterdir())
    assert run("--config", home, "restore", archive, "--to", tmp_path).code == 0
    (email,) = re.findall(r'"email" ?: "([^"]+)"', file_of(home / "sample-export.zip", "data/account.js"))
    database = sqlite3.connect(tmp_path / archive / "records-000.sqlite")
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    holding = [
        table
        for table in tables
        for row in database.execute(f"SELECT * FROM {table}")  # noqa: S608  # the schema's own names
        if email.encode() in b"\0".join(one if isinstance(one, bytes) else str(one).encode() for one in row)
    ]
    assert holding == ["capture_part"]
    named = email.partition("@")[0]
    assert database.execute("SELECT count(*) FROM term WHERE term = ?", (named,)).fetchone() == (0,)
    database.close()


def leave_only_the_collector(home: Path) -> None:
    """As the document says: the identity is moved away, the table [keyholder] taken out."""
    for path in (home / "keys").glob("*.identity"):
        path.unlink()
    settings = home / "archiver.toml"
    text = re.sub(r"^\[keyholder\]\n(?:[^\[].*\n|\n)*", "", settings.read_text(), flags=re.MULTILINE)
    settings.write_text(text)


def test_a_collector_without_an_identity_backs_up_and_verifies_and_cannot_search(
    run: Runner, spooled: Path
) -> None:
    leave_only_the_collector(spooled)
    assert run("--config", spooled, "config", "check").code == 0
    backup = run("--config", spooled, "backup")
    assert backup.code == 0, backup.errors
    assert "Sealed archive" in backup.output
    assert run("--config", spooled, "verify").code == 0
    assert "names no keyholder" in run.fails(12, "--config", spooled, "search", "burglary")
    assert "names no keyholder" in run.fails(12, "--config", spooled, "show", "1")


def replace_vault_by_one_of_their_own(vault: Path) -> None:
    """What somebody can do who writes to the store and has no key: sign everything anew as themselves."""
    key = SigningKey.generate("collector")
    previous = None
    for number, folder in enumerate(sorted((vault / "archives").iterdir()), start=1):
        document = json.loads((folder / "manifest.json").read_text())
        document |= {"sequence": number, "previous": previous, "sealed_at": "2030-01-01T00:00:00.000Z"}
        document.pop("logs", None)
        document.pop("claim", None)
        data = encode_document(document)
        for name, content in (("manifest.json", data), ("manifest.json.sig", key.sign(data, NAMESPACE))):
            (folder / name).unlink()
            (folder / name).write_bytes(content)
        previous = document_sha256(data)
    shutil.rmtree(vault / "collectors")
    (vault / "allowed_signers").unlink()
    (vault / "allowed_signers").write_text(
        allowed_signers_line("collector", key.public_line(), [NAMESPACE]) + "\n"
    )


def test_a_vault_put_in_place_of_this_one_shows_to_who_knows_the_head_and_to_nobody_else(
    run: Runner, home: Path
) -> None:
    (head,) = set(re.findall(r"chain head (\S+)", run("--config", home, "verify").output))
    replace_vault_by_one_of_their_own(home / "vault")
    assert "was noted" in run("--config", home, "verify").errors  # the collector remembers
    (home / "state.sqlite").unlink()
    assert "which audit/_collector/" in run("--config", home, "verify").errors  # and so does the log
    forget_the_log(home)
    assert run("--config", home, "verify").code == 0  # the limit that the document admits
    assert run("--config", home, "verify", "--head", head).code == 20


def test_archives_cut_off_at_the_end_show_to_who_knows_the_head(run: Runner, home: Path) -> None:
    (head,) = set(re.findall(r"chain head (\S+)", run("--config", home, "verify").output))
    (archive,) = (home / "vault" / "archives").iterdir()
    shutil.rmtree(archive)
    assert run("--config", home, "verify").code == 20
    (home / "state.sqlite").unlink()
    assert "archive number 1 is missing, which audit/_collector/" in run("--config", home, "verify").errors
    forget_the_log(home)
    assert run("--config", home, "verify").code == 0
    assert run("--config", home, "verify", "--head", head).code == 20


def forget_the_log(home: Path) -> None:
    """Take away the log, and what this host remembers of it."""
    shutil.rmtree(home / "vault" / "audit")
    shutil.rmtree(home / "spool" / "log")
    (home / "keys" / "sample-holder.log-head").unlink(missing_ok=True)


def test_what_a_manifest_counts_of_moderation_is_named() -> None:
    whole = DOCUMENT.read_text()
    (told,) = re.findall(r"^Sees the names of files.*?\n\n", whole, flags=re.MULTILINE | re.DOTALL)
    (counted,) = re.findall(r"how many moderation decisions[^;]*;", " ".join(told.split()))
    words = {
        "decisions": "decisions",
        "reasons": "reason",
        "reversals": "reversed",
        "account": "account's id",
    }
    for name in ModerationCount.__struct_fields__:
        where = told if name == "account" else counted
        assert name == "platform" or words.get(name, name) in where, name


def test_every_test_that_the_document_names_is_there() -> None:
    rows = table_rows(DOCUMENT, "promise")
    assert len(rows) >= 10
    for promise, tests in rows:
        named = re.findall(r"`(tests/[^`]+)`", tests)
        assert named, promise
        for name in named:
            assert (PROJECT / name).exists(), name
