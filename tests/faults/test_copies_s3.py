"""Sealing into a folder and a bucket under a compliance lock, either of them first; killed, wiped, restored.

A real server, `tests/seaweed.py`; every run that is killed is a process of its own, killed after a drawn
time."""

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from archiver.cli import main
from archiver.stores.base import Store
from archiver.stores.local import LocalStore
from archiver.vault import Vault
from archiver.verification import verify_vault
from archiver.wiring.stores import named_stores
from tests.cli.runner import Runner, start_process
from tests.faults.folders import SOAK, copy_folder, make_folder, read_contents, sample
from tests.homes import Home
from tests.seaweed import Seaweed, seaweed

__all__ = ["seaweed"]
ROUNDS = 30 if SOAK else 2


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose spool holds an export; its stores are to be named."""
    base = tmp_path_factory.mktemp("fresh")
    folder = make_folder(base / "home")
    export = sample(base / "export.zip", months=2)
    assert main(["--config", str(folder), "import", "--add-account", str(export)]) == 0
    return folder


def bucket_table(server: Seaweed, folder: Path, bucket: str, *, required: bool = True) -> str:
    """The store's lines in the settings; its keys in files that only the owner reads."""
    for name, secret in (("access", server.access_key), ("secret", server.secret_key)):
        path = folder / f"{name}.key"
        path.write_text(secret)
        path.chmod(0o600)
    return f"""
[[store]]
name = "bucket"
kind = "s3"
bucket = "{bucket}"
endpoint = "{server.endpoint}"
region = "us-east-1"
addressing = "path"
access_key_id = "file:{folder}/access.key"
secret_access_key = "file:{folder}/secret.key"
object_lock = "compliance"
lock_days = 1
required = {str(required).lower()}
tries = 2
"""


def make_home(server: Seaweed, fresh: Path, folder: Path, *, bucket_first: bool = False) -> Path:
    """A copy of the folder with a bucket beside its vault, before it or after it."""
    copy_folder(fresh, folder)
    table = bucket_table(server, folder, server.make_bucket("locked"))
    settings = folder / "archiver.toml"
    text = settings.read_text()
    if bucket_first:
        text = text.replace('vault = "vault"\n', "", 1)
        table += '\n[[store]]\nname = "vault"\nkind = "local"\npath = "vault"\n'
    settings.write_text(text + table)
    return folder


def bucket_of(folder: Path) -> Store:
    return next(one for one in named_stores(Home(folder).settings) if one.name == "bucket").open()


def contents(store: Store) -> dict[str, bytes]:
    """Every file of the vault in a store."""
    names = [name for name in store.list() if not name.startswith("checks/")]
    found = store.read_many(dict.fromkeys(names, 1 << 30))
    return {name: data for name, data in found.items() if isinstance(data, bytes)}


def check_equal(folder: Path) -> None:
    """Both have the same, and each is a sound vault by itself."""
    bucket = bucket_of(folder)
    assert contents(bucket) == contents(LocalStore(folder / "vault"))
    assert verify_vault(Vault(bucket), known_head=None).problems == []
    identities = Home(folder).identities
    assert verify_vault(Vault(bucket), known_head=None, identities=identities).problems == []


def test_an_archive_goes_into_the_folder_and_into_a_locked_bucket(
    seaweed: Seaweed, fresh: Path, tmp_path: Path, run: Runner
) -> None:
    folder = make_home(seaweed, fresh, tmp_path / "home")
    result = run("--config", folder, "seal")
    assert result.code == 0, result
    assert ", in vault and bucket, read back and verified." in result.output
    check_equal(folder)
    whole = contents(LocalStore(folder / "vault"))
    assert run("--config", folder, "sync").code == 0
    shutil.rmtree(folder / "vault")
    assert run("--config", folder, "sync").code == 10
    (folder / "vault").mkdir()
    assert run("--config", folder, "sync").code == 0
    again = contents(LocalStore(folder / "vault"))
    assert {name: again[name] for name in whole} == whole
    assert all(name.startswith("audit/") for name in again.keys() - whole.keys()), "the log has grown"
    assert run("--config", folder, "verify").code == 0
    for secret in (seaweed.access_key, seaweed.secret_key):
        assert secret not in result.output + result.errors


def test_an_archive_is_sealed_into_a_bucket_first_and_then_goes_into_the_folder(
    seaweed: Seaweed, fresh: Path, tmp_path: Path, run: Runner
) -> None:
    folder = make_home(seaweed, fresh, tmp_path / "home", bucket_first=True)
    assert run("--config", folder, "sync").code == 0  # the bucket begins with the folder's vault
    result = run("--config", folder, "seal")
    assert result.code == 0, result
    assert ", in bucket and vault, read back and verified." in result.output
    check_equal(folder)


def test_keyholders_change_in_the_bucket_too(
    seaweed: Seaweed, fresh: Path, tmp_path: Path, run: Runner
) -> None:
    folder = make_home(seaweed, fresh, tmp_path / "home")
    assert run("--config", folder, "seal").code == 0
    key = run(
        "keys", "new", "bert", "--out", tmp_path / "bert", "--no-passphrase", "--classic"
    ).output.strip()
    assert run("--config", folder, "keys", "add", "bert", key).code == 0
    check_equal(folder)
    assert run("--config", folder, "sync").code == 0


def test_an_unreachable_bucket_keeps_the_spool_where_it_is_required(
    seaweed: Seaweed, fresh: Path, tmp_path: Path, run: Runner
) -> None:
    folder = make_home(seaweed, fresh, tmp_path / "home")
    settings = (folder / "archiver.toml").read_text()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and not listening: whoever connects is refused
        port = nobody.getsockname()[1]
        away = settings.replace(seaweed.endpoint, f"http://127.0.0.1:{port}")
        (folder / "archiver.toml").write_text(away)
        result = run("--config", folder, "seal")
    assert result.code == 1
    assert "is not in every required store: store bucket: " in result.errors
    assert "Traceback" not in result.errors
    with Home(folder).open_spool() as spool:
        assert not spool.is_empty()
    (folder / "archiver.toml").write_text(settings)
    result = run("--config", folder, "seal")
    assert result.code == 0, result
    check_equal(folder)


@pytest.mark.parametrize("bucket_first", [False, True])
def test_sealing_killed_at_any_time_completes_in_both(
    seaweed: Seaweed, fresh: Path, tmp_path: Path, bucket_first: bool
) -> None:
    def begin(name: str) -> Path:
        folder = make_home(seaweed, fresh, tmp_path / name, bucket_first=bucket_first)
        assert main(["--config", str(folder), "sync"]) == 0
        return folder

    folder = begin("usual")
    began = time.monotonic()
    process = start_process("--config", folder, "seal")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    usual_seconds = time.monotonic() - began
    expected = read_contents(folder)
    draw = random.Random(str(bucket_first))  # noqa: S311  # repeatable, not secret
    for number in range(ROUNDS):
        folder = begin(str(number))
        process = start_process("--config", folder, "seal")
        try:
            process.wait((number + draw.random()) * usual_seconds / ROUNDS)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        code = main(["--config", str(folder), "seal"])
        assert code == 0
        check_equal(folder)
        assert read_contents(folder) == expected
