"""Keyholders, identity files, and archives' keys."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from archiver.errors import ArchiverError, ConfigurationError, IntegrityError, NoKeyError
from archiver.formats import age
from archiver.formats.ssh_signature import SigningKey
from archiver.keys import (
    Identity,
    Keyholder,
    Keyholders,
    encode_identity_file,
    load_identities,
    load_identity,
    load_signing_key,
    new_identity,
    open_archive_key,
    seal_archive_key,
)
from archiver.settings import KeyholderSettings
from archiver.stores.local import LocalStore
from tests.programs import require_program

NOW = 1_793_500_000_000  # 2026-11-01
ANNE, BERT, CARL = (new_identity(classic=True) for _ in range(3))
QUANTUM = new_identity()


def keyholders(*pairs: tuple[str, Identity]) -> Keyholders:
    held = Keyholders()
    for name, identity in pairs:
        held = held.add(Keyholder(name, identity.recipient(), "2026-11-01"))
    return held


def write_key(folder: Path, data: bytes, mode: int = 0o600) -> Path:
    path = folder / "key"
    path.write_bytes(data)
    path.chmod(mode)
    return path


def encoded(identities: Sequence[Identity]) -> list[str]:
    """Identities themselves compare by object."""
    return [identity.encode() for identity in identities]


def never(question: str) -> str:
    raise AssertionError(f"nobody should be asked: {question}")


# Identity files


@pytest.mark.parametrize("classic", [True, False])
def test_a_plain_identity_file_is_loaded_without_asking(tmp_path: Path, classic: bool) -> None:
    identity = new_identity(classic=classic)
    path = write_key(tmp_path, encode_identity_file(identity, "anne", NOW))
    assert encoded(load_identities(KeyholderSettings("anne", path), {}, never)) == [identity.encode()]
    assert load_identity(path).encode() == identity.encode()
    assert path.read_text().splitlines()[:2] == [
        "# created: 2026-11-01, for anne",
        f"# public key: {identity.recipient().encode()}",
    ]


def test_an_identity_file_opens_by_the_passphrase_that_is_typed(tmp_path: Path) -> None:
    data = encode_identity_file(ANNE, "anne", NOW, "correct horse", 4)
    assert data.startswith(b"-----BEGIN AGE ENCRYPTED FILE-----")
    path = write_key(tmp_path, data, 0o644)
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return "correct horse"

    assert encoded(load_identities(KeyholderSettings("anne", path), {}, answer)) == [ANNE.encode()]
    assert asked == ["Passphrase of key"]


def test_an_identity_file_opens_by_a_reference_armored_or_not(tmp_path: Path) -> None:
    holder = KeyholderSettings("anne", tmp_path / "key", "env:PASS")
    plain = encode_identity_file(ANNE, "anne", NOW)
    for armor in (True, False):
        write_key(tmp_path, age.encrypt([age.ScryptRecipient("correct horse", 4)], plain, armor=armor))
        assert encoded(load_identities(holder, {"PASS": "correct horse"}, never)) == [ANNE.encode()]
    with pytest.raises(ConfigurationError, match="no variable PASS"):
        load_identities(holder, {}, never)


@pytest.mark.parametrize("passphrase", ["wrong horse", ""])
def test_a_wrong_passphrase_is_said_to_be_one(tmp_path: Path, passphrase: str) -> None:
    path = write_key(tmp_path, encode_identity_file(ANNE, "anne", NOW, "correct horse", 4))
    with pytest.raises(NoKeyError, match=r"this passphrase does not open .*key$") as caught:
        load_identities(KeyholderSettings("anne", path), {}, lambda _: passphrase)
    assert caught.value.exit_code == 12
    assert "horse" not in f"{caught.value.message}{caught.value.hint}{caught.value.__cause__}"


def test_a_damaged_or_absent_identity_file_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(NoKeyError, match=r"there is no identity file .*key of keyholder anne"):
        load_identities(KeyholderSettings("anne", tmp_path / "key"), {}, never)
    data = encode_identity_file(ANNE, "anne", NOW, "correct horse", 4)
    path = write_key(tmp_path, data[: len(data) // 2])
    with pytest.raises(NoKeyError, match="is damaged"):
        load_identities(KeyholderSettings("anne", path), {}, lambda _: "correct horse")
    for broken in (b"", b"\xff\xfe", b"AGE-SECRET-KEY-1NONSENSE"):
        with pytest.raises(ConfigurationError, match="is not an age identity file") as caught:
            load_identities(KeyholderSettings("anne", write_key(tmp_path, broken)), {}, never)
        assert "NONSENSE" not in f"{caught.value.message}{caught.value.__cause__}"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_plain_private_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = write_key(tmp_path, encode_identity_file(ANNE, "anne", NOW), mode)
    for load in (
        lambda: load_identities(KeyholderSettings("anne", path), {}, never),
        lambda: load_identity(path),
        lambda: load_signing_key(path),
    ):
        with pytest.raises(ConfigurationError, match="can be read by others") as caught:
            load()
        assert caught.value.hint == f"chmod 600 {path}"


def test_the_spool_has_one_identity(tmp_path: Path) -> None:
    path = write_key(tmp_path, f"{ANNE.encode()}\n{BERT.encode()}\n".encode())
    with pytest.raises(ConfigurationError, match="holds 2 identities where one is needed"):
        load_identity(path)
    with pytest.raises(ConfigurationError, match="there is no key file"):
        load_identity(tmp_path / "absent")
    with pytest.raises(ArchiverError, match="is a directory while reading"):
        load_identity(tmp_path)


def test_the_age_program_opens_what_an_identity_file_of_ours_may_open(tmp_path: Path) -> None:
    program = require_program("age")
    path = write_key(tmp_path, encode_identity_file(ANNE, "anne", NOW))
    sealed = age.encrypt([ANNE.recipient()], b"text")
    opened = subprocess.run([program, "-d", "-i", str(path)], input=sealed, capture_output=True, check=True)
    assert opened.stdout == b"text"


def test_a_signing_key_is_loaded_and_anything_else_refused(tmp_path: Path) -> None:
    key = SigningKey.generate("collector")
    assert load_signing_key(write_key(tmp_path, key.to_openssh())).public_line() == key.public_line()
    with pytest.raises(ConfigurationError, match="is not an Ed25519 OpenSSH private key"):
        load_signing_key(write_key(tmp_path, b"nonsense"))


# Archives' keys


def make_vault(folder: Path, count: int, *owners: Identity) -> tuple[LocalStore, dict[str, Identity]]:
    """Archives with nothing but a key and what a manifest says of it."""
    (folder / "vault").mkdir()
    store = LocalStore(folder / "vault")
    own: dict[str, Identity] = {}
    for number in range(1, count + 1):
        name = f"2026-{number:02d}-01"
        own[name] = new_identity(classic=True)
        store.put_new(
            f"archives/{name}/key.age", seal_archive_key(own[name], [one.recipient() for one in owners])
        )
        manifest = {"recipient": own[name].recipient().encode()}
        store.put_new(f"archives/{name}/manifest.json", json.dumps(manifest).encode())
    return store, own


def openable(store: LocalStore, archives: dict[str, Identity], identity: Identity) -> list[str]:
    """Those archives whose own key the identity opens, and rightly so."""
    found = []
    for name, own in archives.items():
        try:
            opened = open_archive_key(store, name, [identity], own.recipient().encode())
            assert opened.encode() == own.encode()
            found.append(name)
        except NoKeyError:
            pass
    return found


def test_each_keyholder_opens_an_archives_key_and_nobody_else(tmp_path: Path) -> None:
    store, archives = make_vault(tmp_path, 1, ANNE, BERT)
    assert openable(store, archives, ANNE) == openable(store, archives, BERT) == list(archives)
    with pytest.raises(
        NoKeyError, match=r"^archives/2026-01-01/key\.age: none of these identities opens it$"
    ):
        open_archive_key(store, "2026-01-01", [CARL])


def test_the_age_program_opens_an_archives_key(tmp_path: Path) -> None:
    program = require_program("age")
    store, archives = make_vault(tmp_path, 1, ANNE, BERT)
    path = write_key(tmp_path, encode_identity_file(BERT, "bert", NOW))
    arguments = ["-d", "-i", str(path), str(store.root / "archives" / "2026-01-01" / "key.age")]
    opened = subprocess.run([program, *arguments], capture_output=True, check=True)
    assert opened.stdout.decode() == archives["2026-01-01"].encode() + "\n"


def test_another_archives_key_in_its_place_is_an_integrity_error(tmp_path: Path) -> None:
    store, archives = make_vault(tmp_path, 2, ANNE)
    store.replace_key("archives/2026-01-01/key.age", store.read("archives/2026-02-01/key.age", 10_000))
    expected = archives["2026-01-01"].recipient().encode()
    with pytest.raises(IntegrityError, match="this is not the key of archive 2026-01-01"):
        open_archive_key(store, "2026-01-01", [ANNE], expected)


@pytest.mark.parametrize(
    "data",
    [b"", b"nonsense", *(age.encrypt([ANNE.recipient()], text) for text in (
        b"", b"\xff", b"no key", f"{BERT.encode()}\n{CARL.encode()}\n".encode()))],
)  # fmt: skip
def test_a_key_file_that_holds_no_key_is_an_integrity_error(tmp_path: Path, data: bytes) -> None:
    store, _ = make_vault(tmp_path, 1, ANNE)
    store.replace_key("archives/2026-01-01/key.age", data)
    with pytest.raises(IntegrityError, match=r"^archives/2026-01-01/key\.age: ") as caught:
        open_archive_key(store, "2026-01-01", [ANNE])
    assert BERT.encode() not in f"{caught.value.message}{caught.value.__cause__}"
