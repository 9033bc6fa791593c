"""What a later version of this program made: refused by every command that would read it, with what to do,
and nothing changed."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from archiver.archive.manifest import NAMESPACE
from archiver.audit.bundle import Bundle, pack, unpack
from archiver.audit.names import NAMESPACE as LOG_NAMESPACE
from archiver.chain import encode_document
from archiver.formats.ssh_signature import SigningKey
from archiver.keys import load_signing_key
from tests.cli.runner import Runner
from tests.cli.stores import add_store
from tests.faults.folders import copy_folder
from tests.homes import Home, make_home

READING = (
    ("search", "burglary"), ("show", "1"), ("verify",), ("restore", "2026-10-26", "--to", "out"),
    ("rebuild",), ("seal",), ("backup",), ("sync",), ("status",), ("moderation", "list"),
    ("evidence", "export", "x", "--case", "1", "--exhibit", "ABC", "--produced-by", "A", "-o", "pack"),
    ("repair", "2026-10-26"),
)  # fmt: skip
BESIDE = {"log", "audit", "schedule.sqlite"}
PASSING = (".sqlite-shm", ".sqlite-wal", ".lock")
UPDATE = "update this program, then run the same command again; nothing was changed"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from archiver.cli import main

    home = make_home(tmp_path_factory.mktemp("made")).folder
    assert main(["--config", str(home), "search", "burglary"]) == 0  # the keyholder's log begins
    assert main(["--config", str(home), "sync"]) == 0
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.chdir(tmp_path)
    return Home(copy_folder(made, tmp_path / "home"))


def files_of(folder: Path) -> dict[str, bytes]:
    """All but the log and the journal of what was tried, which are written before anything is read, and what
    SQLite keeps."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not BESIDE & set(path.parts) and path.suffix not in PASSING
    }


def key_of(home: Home) -> SigningKey:
    return load_signing_key(home.settings.signing_key)


def raise_vault(home: Home) -> None:
    data = (home.folder / "vault" / "vault.json").read_bytes()
    home.replace("vault.json", data.replace(b"archiver-vault-1", b"archiver-vault-2"))


def raise_manifest(home: Home) -> None:
    """Rightly signed, with a field of another type than now."""
    (archive,) = home.archives
    name = f"archives/{archive.name}/manifest.json"
    document = json.loads((home.folder / "vault" / name).read_bytes())
    document |= {"format": "archiver-manifest-2", "files": {"records-000.sqlite.zst.age": {}}}
    home.replace(name, encode_document(document))
    home.replace(f"{name}.sig", key_of(home).sign(encode_document(document), NAMESPACE))


@pytest.mark.parametrize("command", READING, ids=lambda words: words[0])
@pytest.mark.parametrize("what", [raise_vault, raise_manifest])
def test_a_vault_of_a_later_version_is_refused_by_every_command_and_nothing_is_changed(
    run: Runner, home: Home, command: tuple[str, ...], what: Callable[[Home], None]
) -> None:
    what(home)
    before = files_of(home.folder)
    result = run("--config", home.folder, *command)
    assert result.code == 1, result
    lines = [line for line in result.errors.splitlines() if line.startswith("archiver: ")]
    assert len(lines) == 2, lines
    assert "was made by a newer version of this program: it has the format archiver-" in lines[0]
    assert lines[1] == f"archiver: hint: {UPDATE}"
    assert files_of(home.folder) == before


@pytest.mark.parametrize(
    "command", [("keys", "rewrap"), ("schedule", "take-over", "--reason", "x")], ids=lambda words: words[0]
)
def test_what_reads_no_manifest_sees_it_by_the_vaults_description(
    run: Runner, home: Home, command: tuple[str, ...]
) -> None:
    raise_vault(home)
    before = files_of(home.folder)
    error = run.fails(1, "--config", home.folder, *command)
    assert "was made by a newer version of this program: it has the format archiver-vault-2" in error
    assert files_of(home.folder) == before


@pytest.mark.parametrize("what", [raise_vault, raise_manifest])
def test_an_older_copy_is_not_searched_in_its_place(
    run: Runner, home: Home, what: Callable[[Home], None]
) -> None:
    add_store(home, "copy", required=False)
    copy_folder(home.folder / "vault", home.folder / "copy")
    what(home)
    assert "newer version" in run.fails(1, "--config", home.folder, "search", "burglary")
    before = files_of(home.folder)
    (archive,) = (path.name for path in (home.folder / "copy" / "archives").iterdir())
    assert "newer version" in run.fails(1, "--config", home.folder, "repair", archive)
    assert files_of(home.folder) == before


def test_an_optional_copy_that_a_later_version_wrote_into_gets_nothing(run: Runner, home: Home) -> None:
    add_store(home, "copy", required=False)
    copy_folder(home.folder / "vault", home.folder / "copy")
    other = Home(home.folder)
    data = (home.folder / "copy" / "vault.json").read_bytes()
    (home.folder / "copy" / "vault.json").unlink()
    (home.folder / "copy" / "vault.json").write_bytes(data.replace(b"-vault-1", b"-vault-2"))
    before = files_of(home.folder / "copy")
    result = run("--config", other.folder, "sync")
    assert result.code == 1
    assert "store copy: the vault in" in result.errors
    assert files_of(home.folder / "copy") == before


def test_a_later_log_is_refused_by_who_reads_that_chain_or_writes_it(run: Runner, home: Home) -> None:
    (last,) = sorted((home.folder / "vault" / "audit" / "records").glob("*.tar"))[-1:]
    bundle = unpack(last.read_bytes(), last.stem, str(last))
    link = json.loads(bundle.link) | {"format": "archiver-log-2"}
    keys = sorted((home.folder / "keys").glob("*.signing_key.age"))
    assert keys
    data = encode_document(link)
    changed = Bundle(data, key_of(home).sign(data, LOG_NAMESPACE), bundle.sealed)
    last.unlink()
    last.write_bytes(pack(changed, last.stem, 0))
    for command in (("log", "verify"), ("log", "show"), ("search", "burglary")):
        result = run("--config", home.folder, *command)
        assert result.code == 1, result
        assert (
            "was made by a newer version of this program: it has the format archiver-log-2" in result.errors
        )
        assert UPDATE in result.errors


@pytest.mark.parametrize("name", ["spool/spool.sqlite", "state.sqlite"])
@pytest.mark.parametrize("command", [("seal",), ("backup",), ("status",), ("import", "x.zip")], ids=" ".join)
def test_a_spool_or_state_of_a_later_version_is_not_written_into(
    run: Runner, home: Home, name: str, command: tuple[str, ...]
) -> None:
    with closing(sqlite3.connect(home.folder / name)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (1,)
        database.execute("PRAGMA user_version = 2")
        database.execute("CREATE TABLE later (what)")
        database.commit()
    before = files_of(home.folder)
    result = run("--config", home.folder, *command)
    error = result.errors
    assert result.code == 1
    assert f"{home.folder / name} was made by a newer version of this program" in error
    assert "it has tables of version 2, and this one knows 1" in error
    assert UPDATE in error
    assert files_of(home.folder) == before


def test_a_spool_of_a_later_version_is_not_searched_either_and_said(run: Runner, home: Home) -> None:
    with closing(sqlite3.connect(home.folder / "spool" / "spool.sqlite")) as database:
        database.execute("PRAGMA user_version = 2")
        database.commit()
    result = run("--config", home.folder, "search", "burglary")
    assert "was made by a newer version of this program" in result.errors
    assert result.code in (1, 3)


def test_a_file_without_a_number_is_of_the_first_version_and_gets_it(run: Runner, home: Home) -> None:
    for name in ("spool/spool.sqlite", "state.sqlite"):
        with closing(sqlite3.connect(home.folder / name)) as database:
            database.execute("PRAGMA user_version = 0")
    assert run("--config", home.folder, "seal").code == 0
    for name in ("spool/spool.sqlite", "state.sqlite"):
        with closing(sqlite3.connect(home.folder / name)) as database:
            assert database.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_queue_of_the_log_of_a_later_version_is_refused(run: Runner, home: Home) -> None:
    path = home.settings.log_queue / "head.json"
    path.write_bytes(path.read_bytes().replace(b"archiver-log-queue-1", b"archiver-log-queue-2"))
    error = run.fails(1, "--config", home.folder, "seal")
    assert f"{path} was made by a newer version of this program" in error
