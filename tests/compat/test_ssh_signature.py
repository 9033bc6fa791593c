"""OpenSSH signatures against the program ssh-keygen, both ways."""

import importlib.util
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archiver.formats.ssh_signature import (
    AllowedSigners,
    MalformedKeyError,
    MalformedSignatureError,
    SignatureError,
    Signer,
    SigningKey,
    allowed_signers_line,
    public_key_fingerprint,
    verify,
)
from tests.programs import require_program

NAMESPACE = "archiver-manifest"
MESSAGE = b"the manifest\n"


@pytest.fixture
def ssh_keygen() -> str:
    return require_program("ssh-keygen")


def make_key(ssh_keygen: str, folder: Path, *options: str) -> Path:
    """A key by ssh-keygen: unencrypted Ed25519 unless the options say otherwise."""
    path = folder / "theirs"
    kind = [] if "-t" in options else ["-t", "ed25519"]
    passphrase = [] if "-N" in options else ["-N", ""]
    command = [ssh_keygen, "-q", "-f", str(path), *kind, *passphrase, *options]
    subprocess.run(command, check=True, capture_output=True)
    return path


def save_key(folder: Path, key: SigningKey) -> Path:
    path = folder / "ours"
    path.touch(mode=0o600)
    path.write_bytes(key.to_openssh())
    return path


def their_signature(ssh_keygen: str, key: Path, *options: str) -> bytes:
    command = [ssh_keygen, "-Y", "sign", "-f", str(key), "-n", NAMESPACE, *options]
    return subprocess.run(command, input=MESSAGE, capture_output=True, check=True).stdout


def they_accept(
    ssh_keygen: str,
    folder: Path,
    signature: bytes,
    allowed: str,
    *options: str,
    environment: dict[str, str] | None = None,
) -> bool:
    (folder / "signature").write_bytes(signature)
    (folder / "allowed_signers").write_text(allowed + "\n")
    files = ["-f", str(folder / "allowed_signers"), "-s", str(folder / "signature")]
    command = [ssh_keygen, "-Y", "verify", "-I", "signer", "-n", NAMESPACE, *files, *options]
    result = subprocess.run(
        command, input=MESSAGE, capture_output=True, check=False, env={**os.environ, **(environment or {})}
    )
    return result.returncode == 0


@pytest.fixture(params=["our key", "their key"])
def key_path(request: pytest.FixtureRequest, ssh_keygen: str, tmp_path: Path) -> Path:
    if request.param == "our key":
        return save_key(tmp_path, SigningKey.generate("made here"))
    return make_key(ssh_keygen, tmp_path, "-C", "made there")


def test_ssh_keygen_accepts_our_signature_and_only_over_that_message_and_namespace(
    ssh_keygen: str, key_path: Path, tmp_path: Path
) -> None:
    key = SigningKey.parse(key_path.read_bytes())
    allowed = allowed_signers_line("signer", key.public_line(), [NAMESPACE])
    assert they_accept(ssh_keygen, tmp_path, key.sign(MESSAGE, NAMESPACE), allowed)
    assert not they_accept(ssh_keygen, tmp_path, key.sign(MESSAGE + b"!", NAMESPACE), allowed)
    assert not they_accept(ssh_keygen, tmp_path, key.sign(MESSAGE, "other"), allowed)


@pytest.mark.parametrize("hash_name", ["sha512", "sha256"])
def test_we_accept_ssh_keygens_signature_and_only_over_that_message_and_namespace(
    ssh_keygen: str, key_path: Path, hash_name: str
) -> None:
    key = SigningKey.parse(key_path.read_bytes())
    allowed = AllowedSigners.parse(allowed_signers_line("signer", key.public_line(), [NAMESPACE]))
    signature = their_signature(ssh_keygen, key_path, "-O", f"hashalg={hash_name}")
    assert verify(signature, MESSAGE, NAMESPACE, allowed) == Signer("signer", key.fingerprint())
    for message, namespace in [(MESSAGE + b"!", NAMESPACE), (MESSAGE, "other")]:
        with pytest.raises(SignatureError):
            verify(signature, message, namespace, allowed)


def test_both_write_the_same_signature(ssh_keygen: str, key_path: Path) -> None:
    key = SigningKey.parse(key_path.read_bytes())
    assert key.sign(MESSAGE, NAMESPACE) == their_signature(ssh_keygen, key_path)


def test_public_line_comment_and_fingerprint_are_ssh_keygens(ssh_keygen: str, key_path: Path) -> None:
    key = SigningKey.parse(key_path.read_bytes())
    public = subprocess.run(
        [ssh_keygen, "-y", "-f", str(key_path)], capture_output=True, text=True, check=True
    ).stdout
    assert public == key.public_line() + "\n"
    shown = subprocess.run(
        [ssh_keygen, "-l", "-f", str(key_path)], capture_output=True, text=True, check=True
    ).stdout
    assert key.fingerprint() == public_key_fingerprint(public) == shown.split()[1]


def test_a_key_written_again_is_byte_for_byte_as_long_and_as_good(ssh_keygen: str, tmp_path: Path) -> None:
    path = make_key(ssh_keygen, tmp_path, "-C", "a comment of words")
    key = SigningKey.parse(path.read_bytes())
    assert len(key.to_openssh()) == len(path.read_bytes())
    assert their_signature(ssh_keygen, save_key(tmp_path, key)) == their_signature(ssh_keygen, path)


def test_an_encrypted_key_needs_its_passphrase_and_bcrypt(ssh_keygen: str, tmp_path: Path) -> None:
    data = make_key(ssh_keygen, tmp_path, "-N", "correct horse", "-a", "1").read_bytes()
    with pytest.raises(MalformedKeyError, match="encrypted and needs its passphrase"):
        SigningKey.parse(data)
    if importlib.util.find_spec("bcrypt") is None:
        with pytest.raises(MalformedKeyError, match="bcrypt"):
            SigningKey.parse(data, b"correct horse")
    else:
        assert SigningKey.parse(data, b"correct horse").public_line().startswith("ssh-ed25519 ")
        with pytest.raises(MalformedKeyError, match="does not open"):
            SigningKey.parse(data, b"wrong horse")


@pytest.mark.parametrize("options", [["-t", "rsa", "-b", "2048"], ["-t", "ecdsa"]], ids=["rsa", "ecdsa"])
def test_keys_and_signatures_of_other_types_are_refused_and_pass_in_a_list(
    ssh_keygen: str, tmp_path: Path, options: list[str]
) -> None:
    path = make_key(ssh_keygen, tmp_path, *options)
    public_line = path.with_suffix(".pub").read_text()
    with pytest.raises(MalformedKeyError):
        SigningKey.parse(path.read_bytes())
    with pytest.raises(MalformedKeyError, match="only Ed25519"):
        public_key_fingerprint(public_line)
    with pytest.raises(MalformedSignatureError, match="only Ed25519"):
        verify(
            their_signature(ssh_keygen, path),
            MESSAGE,
            NAMESPACE,
            AllowedSigners.parse(f"signer {public_line}"),
        )


@pytest.mark.parametrize(
    ("options", "at"),
    [
        ("", "20261101120000"),
        (f'namespaces="{NAMESPACE}"', "20261101120000"),
        ('namespaces="archiver-*"', "20261101120000"),
        ('namespaces="*,!archiver-manifest"', "20261101120000"),
        ('namespaces="file,git"', "20261101120000"),
        ('namespaces=""', "20261101120000"),
        ('NAMESPACES="archiver-manifes?"', "20261101120000"),
        ("cert-authority", "20261101120000"),
        ("unheard-of", "20261101120000"),
        ('namespaces="a",', "20261101120000"),
        ('namespaces="*",namespaces="*"', "20261101120000"),
        ('valid-after="20261101120000"', "20261101115959"),
        ('valid-after="20261101120000"', "20261101120000"),
        ('valid-after="202611011200"', "20261101115959"),
        ('valid-after="202611011200"', "20261101120000"),
        ('valid-after="20261102"', "20261101235959"),
        ('valid-after="20261102"', "20261102000000"),
        ('valid-before="20261101120000"', "20261101120000"),
        ('valid-before="20261101120000"', "20261101120001"),
        ('valid-before="20260701"', "20260701000000"),
        ('valid-before="20260701"', "20260701000001"),
        ('valid-after="20260101",valid-before="20270101",namespaces="archiver-manifest"', "20261101120000"),
        ('valid-after="20270101",valid-before="20260101"', "20261101120000"),
        ('valid-after="2026"', "20261101120000"),
        ('valid-after="20261301"', "20271101120000"),
        ('valid-after="19690101"', "20271101120000"),
    ],
)
def test_every_option_of_a_list_means_what_it_means_to_ssh_keygen(
    ssh_keygen: str, tmp_path: Path, options: str, at: str
) -> None:
    key = SigningKey.generate()
    allowed = f"signer {options} {key.public_line()}".replace("  ", " ")
    signature = key.sign(MESSAGE, NAMESPACE)
    # Neither time states a zone: both programs take the machine's.
    moment = datetime.strptime(at, "%Y%m%d%H%M%S").astimezone()
    try:
        verify(signature, MESSAGE, NAMESPACE, AllowedSigners.parse(allowed), at=moment)
        we_accept = True
    except SignatureError:
        we_accept = False
    assert they_accept(ssh_keygen, tmp_path, signature, allowed, "-O", f"verify-time={at}") == we_accept


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/St_Johns"])
def test_a_time_with_z_is_universal_in_every_zone(ssh_keygen: str, tmp_path: Path, zone: str) -> None:
    key = SigningKey.generate()
    allowed = f'signer valid-after="20261101120000Z" {key.public_line()}'
    entry = AllowedSigners.parse(allowed).entries[0]
    assert entry.valid_after == datetime(2026, 11, 1, 12, tzinfo=UTC)
    signature = key.sign(MESSAGE, NAMESPACE)
    for at, accepted in (("20261101115959Z", False), ("20261101120000Z", True)):
        environment = {"TZ": zone}
        options = ["-O", f"verify-time={at}"]
        assert (
            they_accept(ssh_keygen, tmp_path, signature, allowed, *options, environment=environment)
            == accepted
        )
