"""`archiver keys`: new, add, remove, rewrap, list."""

import json
import stat
import subprocess
from pathlib import Path

import pytest

from archiver.disk import Lock
from archiver.errors import NoKeyError
from archiver.formats import age
from archiver.keys import (
    Identity,
    Keyholders,
    load_identity,
    new_identity,
    open_archive_key,
    seal_archive_key,
)
from archiver.stores.local import LocalStore
from tests.cli.runner import Runner, run_on_terminal
from tests.programs import require_program


@pytest.fixture
def home(run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A vault of the keyholder `records`, the current folder."""
    assert run("init", tmp_path / "v", "--holder", "records", "--no-passphrase", "--classic").code == 0
    monkeypatch.chdir(tmp_path / "v")
    return tmp_path / "v"


def make_key(run: Runner, name: str) -> str:
    """A key pair in NAME.identity of the current folder; return its public key."""
    result = run("keys", "new", name, "--out", f"{name}.identity", "--no-passphrase", "--classic")
    assert result.code == 0
    return result.output.strip()


def seal_archive(home: Path, name: str = "2026-11-01") -> Identity:
    """An archive with nothing but its key and what its manifest says of it."""
    store, own = LocalStore(home / "vault"), new_identity(classic=True)
    recipients = Keyholders.load(home / "keys" / "recipients.txt").recipients()
    store.put_new(f"archives/{name}/key.age", seal_archive_key(own, recipients))
    manifest = {"recipient": own.recipient().encode()}
    store.put_new(f"archives/{name}/manifest.json", json.dumps(manifest).encode())
    return own


def opens(home: Path, identity_file: str, archive: str = "2026-11-01") -> bool:
    try:
        open_archive_key(LocalStore(home / "vault"), archive, [load_identity(home / identity_file)])
    except NoKeyError:
        return False
    return True


def listed(run: Runner) -> list[object]:
    return [line["name"] for line in run("keys", "list", "--json").json_lines()]


def test_a_new_key_is_private_and_its_public_half_is_printed(run: Runner, tmp_path: Path) -> None:
    path = tmp_path / "bert.identity"
    result = run("keys", "new", "bert", "--out", path, "--no-passphrase")
    assert result.code == 0
    assert result.output == f"{load_identity(path).recipient().encode()}\n"
    assert result.output.startswith("age1pq1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "AGE-SECRET" not in result.output + result.errors


def test_a_new_key_never_overwrites_a_file(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"ours")
    error = run.fails(2, "keys", "new", "bert", "--out", tmp_path / "key", "--no-passphrase")
    assert error.startswith(f"{tmp_path}/key is there already")
    assert (tmp_path / "key").read_bytes() == b"ours"
    assert "cannot be a keyholder's name" in run.fails(2, "keys", "new", "a/b", "--out", tmp_path / "k")


def test_a_new_key_is_encrypted_to_a_passphrase_typed_on_a_terminal(tmp_path: Path) -> None:
    answers = {"New passphrase of bert: ": "correct horse", "Once more: ": "correct horse"}
    code, shown = run_on_terminal(["keys", "new", "bert", "--out", tmp_path / "key", "--classic"], answers)
    assert code == 0
    plain = age.decrypt([age.ScryptIdentity("correct horse")], (tmp_path / "key").read_bytes())
    (identity,) = age.parse_identities(plain.decode())
    assert identity.recipient().encode() in shown
    assert "horse" not in shown


def test_age_keygen_finds_the_same_public_key(run: Runner, tmp_path: Path) -> None:
    program = require_program("age-keygen")
    result = run("keys", "new", "bert", "--out", tmp_path / "key", "--no-passphrase", "--classic", "--json")
    found = subprocess.run([program, "-y", str(tmp_path / "key")], capture_output=True, text=True, check=True)
    assert result.json_lines() == [
        {
            "type": "identity",
            "name": "bert",
            "file": f"{tmp_path}/key",
            "signing_key": f"{tmp_path}/bert.signing_key.age",
            "recipient": found.stdout.strip(),
        }
    ]


def test_a_keyholder_who_is_added_opens_old_archives_and_new_ones(run: Runner, home: Path) -> None:
    seal_archive(home)
    recipient = make_key(run, "bert")
    assert not opens(home, "bert.identity")
    result = run("keys", "add", "bert", recipient)
    assert result.output == "bert can read what is sealed from now on, and what is sealed in 1 archive now.\n"
    seal_archive(home, "2026-12-01")
    for archive in ("2026-11-01", "2026-12-01"):
        assert opens(home, "bert.identity", archive)
        assert opens(home, "keys/records.identity", archive)
    assert listed(run) == ["records", "bert"]


def test_a_keyholder_can_be_added_from_a_file_and_again(run: Runner, home: Path) -> None:
    (home / "bert.pub").write_text(f"# sent by post\n{make_key(run, 'bert')}\n")
    for _ in range(2):
        assert run("keys", "add", "bert", "bert.pub").code == 0
    assert listed(run) == ["records", "bert"]


def test_a_keyholder_who_is_removed_opens_nothing_any_more(run: Runner, home: Path) -> None:
    assert run("keys", "add", "bert", make_key(run, "bert")).code == 0
    seal_archive(home)
    assert opens(home, "bert.identity")
    result = run("keys", "remove", "bert", "--json")
    assert result.json_lines() == [{"type": "keyholders", "names": ["records"], "archives": 1}]
    assert not opens(home, "bert.identity")
    assert opens(home, "keys/records.identity")
    assert "there is no keyholder bert" in run.fails(2, "keys", "remove", "bert")
    assert "records is the only keyholder" in run.fails(2, "keys", "remove", "records")


def test_nobody_removes_the_key_that_is_needed_for_it(run: Runner, home: Path) -> None:
    assert run("keys", "add", "bert", make_key(run, "bert")).code == 0
    seal_archive(home)
    assert "would be shut out" in run.fails(2, "keys", "remove", "records")
    assert listed(run) == ["records", "bert"]


def test_a_removal_that_was_cut_off_is_completed(run: Runner, home: Path) -> None:
    path = home / "keys" / "recipients.txt"
    assert run("keys", "add", "bert", make_key(run, "bert")).code == 0
    seal_archive(home)
    Keyholders.load(path).remove("bert").save(path)
    assert opens(home, "bert.identity")
    assert run("keys", "rewrap").code == 0
    assert not opens(home, "bert.identity")


def test_archives_that_the_identity_does_not_open_are_named(run: Runner, home: Path) -> None:
    seal_archive(home)
    store = LocalStore(home / "vault")
    stranger = new_identity(classic=True)
    store.put_new("archives/2026-12-01/key.age", seal_archive_key(stranger, [stranger.recipient()]))
    error = run.fails(12, "keys", "add", "bert", make_key(run, "bert"))
    assert error.startswith("1 of 2 archives' keys were encrypted again, but not archives/2026-12-01")
    assert opens(home, "bert.identity")


def test_on_a_host_without_an_identity_only_an_empty_vault_takes_keyholders(run: Runner, home: Path) -> None:
    text = (home / "archiver.toml").read_text()
    head, _, rest = text.partition("[keyholder]")
    (home / "archiver.toml").write_text(head + rest[rest.index("# Accounts") :])
    assert run("keys", "add", "bert", make_key(run, "bert")).code == 0
    seal_archive(home)
    assert "names no keyholder" in run.fails(12, "keys", "remove", "bert")
    assert listed(run) == ["records", "bert"]


def test_an_identity_with_a_passphrase_is_opened_on_the_terminal(run: Runner, home: Path) -> None:
    path = home / "keys" / "records.identity"
    path.write_bytes(age.encrypt([age.ScryptRecipient("correct horse", 8)], path.read_bytes(), armor=True))
    seal_archive(home)
    recipient = make_key(run, "bert")
    assert "there is no terminal to ask for it" in run.fails(12, "keys", "add", "bert", recipient)
    command: list[str | Path] = ["--config", home, "keys", "add", "bert", recipient]
    code, shown = run_on_terminal(command, {"Passphrase of records.identity: ": "wrong horse"})
    assert code == 12
    assert "archiver: error: this passphrase does not open" in shown
    code, shown = run_on_terminal(command, {"Passphrase of records.identity: ": "correct horse"})
    assert code == 0
    assert "horse" not in shown
    assert opens(home, "bert.identity")


def test_a_private_key_in_a_public_ones_place_is_refused_and_not_repeated(run: Runner, home: Path) -> None:
    make_key(run, "bert")
    secret = load_identity(home / "bert.identity").encode()
    error = run.fails(2, "keys", "add", "bert", secret)
    assert error.startswith("this is a private key")
    assert secret not in error
    assert run.fails(2, "keys", "add", "bert", "bert.identity").startswith(
        "bert.identity is a private identity"
    )
    assert listed(run) == ["records"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "this is not a public key"),
        (b"age1nonsense", "this is not a public key"),
        (b"\xff", "is not text"),
    ],
)
def test_what_is_no_public_key_is_refused(run: Runner, home: Path, data: bytes, message: str) -> None:
    (home / "file").write_bytes(data)
    assert message in run("keys", "add", "bert", "file").errors
    assert listed(run) == ["records"]


def test_what_is_neither_key_nor_file_is_refused(run: Runner, home: Path) -> None:
    assert "absent is neither a public key nor a file" in run.fails(2, "keys", "add", "bert", "absent")
    assert "is a directory" in run.fails(1, "keys", "add", "bert", home)
    assert "not a public key" in run.fails(2, "keys", "add", "bert", "age1nonsense")
    two = f"{make_key(run, 'bert')}\n{make_key(run, 'carl')}\n"
    (home / "two").write_text(two)
    assert "two holds 2 keys where one is needed" in run.fails(2, "keys", "add", "bert", "two")


def test_keyholders_are_listed_with_what_fits_a_line(run: Runner, home: Path, tmp_path: Path) -> None:
    classic = Keyholders.load(home / "keys" / "recipients.txt").entries[0]
    assert run("keys", "list").output == f"records\t{classic.added}\t{classic.recipient.encode()}\n"
    run("init", tmp_path / "q", "--holder", "q", "--no-passphrase")
    line = run("--config", tmp_path / "q", "keys", "list").output
    assert line.startswith("q\t")
    assert len(line) < 60


def test_keyholders_do_not_change_while_another_run_is_at_work(run: Runner, home: Path) -> None:
    recipient = make_key(run, "bert")
    with Lock(home / "state.sqlite.lock"):
        for arguments in (("add", "bert", recipient), ("remove", "bert"), ("rewrap",)):
            assert "is at work here" in run.fails(11, "keys", *arguments)
    assert run("keys", "add", "bert", recipient).code == 0
