"""`archiver init`: a folder that works at once, or nothing at all."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from archiver.archive.manifest import NAMESPACE
from archiver.formats import age
from archiver.formats.ssh_signature import AllowedSigners, verify
from archiver.initialise import _publish, initialise
from archiver.keys import Keyholders, load_identities, load_identity, load_signing_key
from archiver.settings import load_settings
from tests.cli.runner import Runner, run_on_terminal
from tests.programs import PROJECT, require_program

NOW = 1_793_500_000_000


def tree(folder: Path) -> dict[str, int]:
    """Everything in a folder with its mode, under a umask of 022."""
    return {
        path.relative_to(folder).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")
    }


@pytest.fixture(autouse=True)
def _usual_umask() -> None:
    os.umask(0o022)


def make(run: Runner, folder: Path, *options: str) -> None:
    assert run("init", folder, "--holder", "records", "--no-passphrase", *options).code == 0


def test_the_folder_has_all_it_needs_and_its_private_parts_are_private(run: Runner, tmp_path: Path) -> None:
    make(run, tmp_path / "new" / "vault")
    assert tree(tmp_path / "new" / "vault") == {
        "archiver.toml": 0o644,
        "collector": 0o700,
        "collector/signing_key": 0o600,
        "collector/signing_key.pub": 0o644,
        "collector/spool.identity": 0o600,
        "inbox": 0o700,
        "keys": 0o700,
        "keys/recipients.txt": 0o644,
        "keys/records.identity": 0o600,
        "keys/records.signing_key.age": 0o600,
        "spool": 0o700,
        "spool/log": 0o700,
        "spool/log/flush.lock": 0o600,
        "spool/log/head.json": 0o600,
        "spool/log/kept": 0o700,
        "spool/log/kept/00000001.tar": 0o600,
        "spool/log/kept/00000002.tar": 0o600,
        "spool/log/lock": 0o600,
        "vault": 0o755,
        "vault/allowed_signers": 0o444,
        "vault/audit": 0o755,
        "vault/audit/_collector": 0o755,
        "vault/audit/_collector/00000001.tar": 0o444,
        "vault/audit/_collector/00000002.tar": 0o444,
        "vault/audit/_collector/allowed_signers": 0o444,
        "vault/vault.json": 0o444,
    }
    assert os.listdir(tmp_path / "new") == ["vault"]


@pytest.mark.parametrize("classic", [True, False])
def test_its_keys_fit_each_other(run: Runner, tmp_path: Path, classic: bool) -> None:
    make(run, tmp_path / "v", *(["--classic"] if classic else []))
    settings = load_settings(tmp_path / "v" / "archiver.toml")
    assert settings.keyholder is not None
    identities = load_identities(settings.keyholder, {}, input)
    keyholders = Keyholders.load(settings.recipients)
    assert [one.name for one in keyholders.entries] == ["records"]
    assert age.decrypt(identities, age.encrypt(keyholders.recipients(), b"text")) == b"text"
    kind = age.X25519Identity if classic else age.HybridIdentity
    assert isinstance(identities[0], kind)
    assert isinstance(load_identity(settings.spool_identity), age.X25519Identity)
    allowed = AllowedSigners.parse((settings.home / "vault" / "allowed_signers").read_text())
    signature = load_signing_key(settings.signing_key).sign(b"manifest", NAMESPACE)
    assert verify(signature, b"manifest", NAMESPACE, allowed).principal == "collector"
    document = json.loads((settings.home / "vault" / "vault.json").read_text())
    assert sorted(document) == ["created", "format", "vault"]


def test_two_vaults_have_nothing_in_common(run: Runner, tmp_path: Path) -> None:
    for name in ("a", "b"):
        make(run, tmp_path / name)
    for name in (
        "vault/vault.json",
        "keys/recipients.txt",
        "collector/signing_key",
        "collector/spool.identity",
    ):
        assert (tmp_path / "a" / name).read_bytes() != (tmp_path / "b" / name).read_bytes()


def test_the_settings_check_out_at_once_from_anywhere(run: Runner, tmp_path: Path) -> None:
    make(run, tmp_path / "v")
    assert run("--config", tmp_path / "v", "config", "check").code == 0
    (tmp_path / "v").rename(tmp_path / "moved")
    assert run("--config", tmp_path / "moved", "config", "check").code == 0


def test_ssh_keygen_and_age_take_the_keys_as_they_are(run: Runner, tmp_path: Path) -> None:
    keygen, program = require_program("ssh-keygen"), require_program("age")
    make(run, tmp_path / "v", "--classic")
    key = tmp_path / "v" / "collector" / "signing_key"
    public = subprocess.run([keygen, "-y", "-f", str(key)], capture_output=True, check=True).stdout
    assert public == key.with_suffix(".pub").read_bytes()
    keys = tmp_path / "v" / "keys"
    sealed = subprocess.run(
        [program, "-R", str(keys / "recipients.txt")], input=b"text", capture_output=True, check=True
    ).stdout
    arguments = [program, "-d", "-i", str(keys / "records.identity")]
    assert subprocess.run(arguments, input=sealed, capture_output=True, check=True).stdout == b"text"


def test_nothing_that_is_there_is_ever_overwritten(run: Runner, tmp_path: Path) -> None:
    make(run, tmp_path / "v")
    before = {path: path.read_bytes() for path in (tmp_path / "v").rglob("*") if path.is_file()}
    error = run.fails(2, "init", tmp_path / "v", "--holder", "other", "--no-passphrase")
    assert error.startswith(f"{tmp_path}/v is set up already: it holds archiver.toml\n")
    assert {path: path.read_bytes() for path in (tmp_path / "v").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["vault", "keys", "collector", "inbox", "spool", "state.sqlite"])
def test_a_folder_with_something_in_the_way_is_refused_and_left_alone(
    run: Runner, tmp_path: Path, name: str
) -> None:
    if name == "state.sqlite":
        (tmp_path / name).write_bytes(b"ours")
    else:
        (tmp_path / name).mkdir()
        (tmp_path / name / "ours").write_bytes(b"")
    before = tree(tmp_path)
    assert run.fails(2, "init", tmp_path, "--holder", "records", "--no-passphrase").startswith(
        f"{tmp_path}/{name} is there already"
    )
    assert tree(tmp_path) == before


def test_an_existing_folder_is_filled_and_what_lies_there_stays(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes.txt").write_text("ours")
    (tmp_path / "inbox").mkdir()
    monkeypatch.chdir(tmp_path)
    make(run, Path("."))
    assert run("config", "check").code == 0
    assert (tmp_path / "notes.txt").read_text() == "ours"
    assert sorted(os.listdir(tmp_path)) == [
        "archiver.toml", "collector", "inbox", "keys", "notes.txt", "spool", "vault",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["", "a b", "../a", "a/b", "-a", "ä"])
def test_a_holders_name_must_name_a_file(run: Runner, tmp_path: Path, name: str) -> None:
    assert "cannot be a keyholder's name" in run.fails(
        2, "init", tmp_path / "v", f"--holder={name}", "--no-passphrase"
    )
    assert os.listdir(tmp_path) == []


def test_a_file_in_the_folders_place_is_refused(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "v").write_bytes(b"")
    assert "is no folder" in run.fails(2, "init", tmp_path / "v", "--holder", "a", "--no-passphrase")
    assert run.fails(1, "init", tmp_path / "v" / "below", "--holder", "a", "--no-passphrase")
    assert os.listdir(tmp_path) == ["v"]


def test_without_a_terminal_a_passphrase_must_come_from_somewhere(run: Runner, tmp_path: Path) -> None:
    assert run.fails(2, "init", tmp_path / "v", "--holder", "records") == (
        "a passphrase is needed, and there is no terminal to ask for it\n"
        "archiver: hint: give --passphrase-from SECRET, or --no-passphrase"
    )
    assert "contradict" in run.fails(
        2, "init", tmp_path / "v", "--holder", "a", "--no-passphrase", "--passphrase-from", "env:A"
    )
    assert "no variable NOT_SET" in run.fails(
        2, "init", tmp_path / "v", "--holder", "a", "--passphrase-from", "env:NOT_SET"
    )
    assert os.listdir(tmp_path) == []


def test_where_the_passphrase_comes_from_is_remembered_and_the_passphrase_is_not(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("correct horse\n")
    (tmp_path / "secret").chmod(0o600)
    monkeypatch.chdir(tmp_path)
    result = run("init", "v", "--holder", "records", "--classic", "--passphrase-from", "file:secret")
    assert result.code == 0
    settings = load_settings(tmp_path / "v" / "archiver.toml")
    assert settings.keyholder is not None
    assert settings.keyholder.passphrase == f"file:{tmp_path}/secret"
    assert load_identities(settings.keyholder, {}, input)
    for path in (tmp_path / "v").rglob("*"):
        assert not path.is_file() or b"horse" not in path.read_bytes()
    assert "horse" not in result.output + result.errors


def test_a_passphrase_is_asked_for_twice_on_a_terminal_and_never_shown(tmp_path: Path) -> None:
    answers = {"New passphrase of records: ": "correct horse", "Once more: ": "correct horse"}
    code, shown = run_on_terminal(["init", tmp_path / "v", "--holder", "records", "--classic"], answers)
    assert code == 0
    assert "horse" not in shown
    settings = load_settings(tmp_path / "v" / "archiver.toml")
    assert settings.keyholder is not None
    assert settings.keyholder.passphrase is None
    assert load_identities(settings.keyholder, {}, lambda _: "correct horse")


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"New passphrase of records: ": "horse", "Once more: ": "house"}, "the two passphrases differ"),
        ({"New passphrase of records: ": ""}, "the passphrase is empty"),
    ],
)
def test_a_mistyped_or_empty_passphrase_makes_nothing(
    tmp_path: Path, answers: dict[str, str], message: str
) -> None:
    code, shown = run_on_terminal(["init", tmp_path / "v", "--holder", "records"], answers)
    assert code == 2
    assert f"archiver: error: {message}" in shown
    assert os.listdir(tmp_path) == []


def test_the_result_is_one_json_object_where_that_is_asked_for(run: Runner, tmp_path: Path) -> None:
    result = run("init", tmp_path / "v", "--holder", "records", "--no-passphrase", "--json")
    assert result.json_lines() == [
        {
            "type": "vault",
            "settings": f"{tmp_path}/v/archiver.toml",
            "vault": f"{tmp_path}/v/vault",
            "identity": f"{tmp_path}/v/keys/records.identity",
            "recipients": f"{tmp_path}/v/keys/recipients.txt",
            "encrypted": False,
        }
    ]


FILL_AT = """
import resource, sys
from pathlib import Path
from archiver.errors import ArchiverError
from archiver.initialise import initialise
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    initialise(Path(sys.argv[1]), "records", now_ms=0)
    print("no error")
except ArchiverError as error:
    print(error.message)
"""


@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.parametrize("limit", [100, 300, 1000, 2120])
def test_a_full_disk_at_any_file_leaves_nothing(tmp_path: Path, existing: bool, limit: int) -> None:
    if existing:
        (tmp_path / "v").mkdir()
        (tmp_path / "v" / "ours").write_bytes(b"")
    before = tree(tmp_path)
    result = subprocess.run(
        [sys.executable, "-c", FILL_AT, str(tmp_path / "v"), str(limit)],
        cwd=PROJECT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert result.stdout.startswith("the disk is full while writing ")
    assert tree(tmp_path) == before


def test_an_existing_folder_that_fails_at_the_last_step_is_as_before(tmp_path: Path) -> None:
    """Another run's settings came first: everything that had taken its place goes again."""
    finished, taken = tmp_path / "finished", tmp_path / "taken"
    initialise(finished, "records", now_ms=NOW)
    taken.mkdir()
    (taken / "archiver.toml").write_text("another run's")
    complete = tree(finished)
    with pytest.raises(FileExistsError):
        _publish(finished, taken, existed=True)
    assert os.listdir(taken) == ["archiver.toml"]
    assert (taken / "archiver.toml").read_text() == "another run's"
    assert tree(finished) == complete


INITIALISE = """
import sys
from pathlib import Path
from archiver.initialise import initialise
print("go", flush=True)
initialise(Path(sys.argv[1]), "records", now_ms=0)
"""


def test_a_killed_init_leaves_no_folder_that_looks_complete(tmp_path: Path) -> None:
    for number, delay_seconds in enumerate((0.001, 0.003, 0.006, 0.01, 0.015, 0.02)):
        folder = tmp_path / str(number)
        child = subprocess.Popen(
            [sys.executable, "-c", INITIALISE, str(folder)], cwd=PROJECT, stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"go\n"
        try:
            child.wait(delay_seconds)
        except subprocess.TimeoutExpired:
            child.kill()
        child.communicate()
        if not folder.exists():
            initialise(folder, "records", now_ms=NOW)
        assert Keyholders.load(load_settings(folder / "archiver.toml").recipients)
        assert (folder / "vault" / "vault.json").is_file()
