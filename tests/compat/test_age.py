"""age files exchanged with two other implementations: pyrage (Rust) and the age program (Go)."""

import os
import pty
import subprocess
from pathlib import Path

import pyrage
import pytest

from archiver.formats.age import (
    BytesSource,
    NoMatchError,
    ScryptIdentity,
    ScryptRecipient,
    SeekReader,
    X25519Identity,
    decrypt,
    encrypt,
    parse_identity,
    parse_recipient,
)
from tests.programs import require_program

SIZES = [0, 1, 65536, 65537, 300_000]
PASSPHRASE = "correct horse battery staple, ünïcode"


def make_plain(size: int) -> bytes:
    return bytes(index * 2654435761 >> 9 & 255 for index in range(size))


def talk_on_terminal(command: list[str], answers: list[str]) -> int:
    """Run a program on a terminal of its own, answer its prompts for a passphrase, return its exit code."""
    terminal, inside = pty.openpty()
    with_terminal = [require_program("setsid"), "--wait", "--ctty", *command]
    process = subprocess.Popen(with_terminal, stdin=inside, stdout=inside, stderr=inside)
    os.close(inside)
    seen = b""
    while part := read_terminal(terminal):
        seen += part
        if answers and b"passphrase" in seen and seen.rstrip(b" ").endswith(b":"):
            os.write(terminal, answers.pop(0).encode() + b"\n")
            seen = b""
    os.close(terminal)
    return process.wait()


def read_terminal(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1024)
    except OSError:  # Linux's way of saying that the other end was closed
        return b""


@pytest.mark.parametrize("size", SIZES)
def test_pyrage_opens_what_we_encrypt_and_we_what_it_encrypts(size: int) -> None:
    plain = make_plain(size)
    ours = X25519Identity.generate()
    theirs = pyrage.x25519.Identity.from_str(ours.encode())
    assert str(theirs.to_public()) == ours.recipient().encode()
    assert pyrage.decrypt(encrypt([ours.recipient()], plain), [theirs]) == plain
    sealed = pyrage.encrypt(plain, [theirs.to_public()])
    assert decrypt([ours], sealed) == plain
    assert SeekReader(BytesSource(sealed), [ours]).read_at(0, size) == plain


def test_keys_that_pyrage_makes_read_the_same_here() -> None:
    theirs = pyrage.x25519.Identity.generate()
    ours = parse_identity(str(theirs))
    assert ours.encode() == str(theirs)
    assert parse_recipient(str(theirs.to_public())) == ours.recipient()


def test_pyrage_opens_armor_and_we_its_armor() -> None:
    ours = X25519Identity.generate()
    theirs = pyrage.x25519.Identity.from_str(ours.encode())
    for size in (0, 1, 47, 48, 1000, 70_000):
        plain = make_plain(size)
        assert pyrage.decrypt(encrypt([ours.recipient()], plain, armor=True), [theirs]) == plain
        sealed = pyrage.encrypt(plain, [theirs.to_public()], armored=True)
        assert decrypt([ours], sealed) == plain
        assert SeekReader(BytesSource(sealed), [ours]).read_at(0, size) == plain


def test_each_of_several_recipients_opens_the_file_on_both_sides() -> None:
    plain = make_plain(70_000)
    identities = [X25519Identity.generate() for _ in range(5)]
    recipients = [identity.recipient() for identity in identities]
    theirs = [pyrage.x25519.Identity.from_str(identity.encode()) for identity in identities]
    from_us = encrypt(recipients, plain)
    from_them = pyrage.encrypt(plain, [identity.to_public() for identity in theirs])
    for our_identity, their_identity in zip(identities, theirs, strict=True):
        assert pyrage.decrypt(from_us, [their_identity]) == plain
        assert decrypt([our_identity], from_them) == plain
    with pytest.raises(NoMatchError):
        decrypt([X25519Identity.generate()], from_them)


def test_passphrases_go_both_ways_with_pyrage() -> None:
    plain = make_plain(1000)
    assert pyrage.passphrase.decrypt(encrypt([ScryptRecipient(PASSPHRASE, 10)], plain), PASSPHRASE) == plain
    sealed = pyrage.passphrase.encrypt(plain, PASSPHRASE)
    assert decrypt([ScryptIdentity(PASSPHRASE)], sealed) == plain
    with pytest.raises(NoMatchError):
        decrypt([ScryptIdentity(PASSPHRASE + "!")], sealed)


@pytest.mark.parametrize("armor", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_the_age_program_opens_ours_and_we_open_its(size: int, armor: bool, tmp_path: Path) -> None:
    age = require_program("age")
    plain = make_plain(size)
    identities = [X25519Identity.generate() for _ in range(2)]
    for number, identity in enumerate(identities):
        (tmp_path / f"identity{number}").write_text(f"# a comment\n{identity.encode()}\n")
    sealed = encrypt([identity.recipient() for identity in identities], plain, armor=armor)
    command = [age, "-e", *(["-a"] if armor else [])]
    for number, identity in enumerate(identities):
        command += ["-r", identity.recipient().encode()]
        opened = subprocess.run(
            [age, "-d", "-i", tmp_path / f"identity{number}"], input=sealed, capture_output=True, check=True
        )
        assert opened.stdout == plain
    theirs = subprocess.run(command, input=plain, capture_output=True, check=True).stdout
    for identity in identities:
        assert decrypt([identity], theirs) == plain
        assert SeekReader(BytesSource(theirs), [identity]).read_at(0, size) == plain


def test_the_age_program_refuses_a_file_that_was_given_up(tmp_path: Path) -> None:
    age = require_program("age")
    identity = X25519Identity.generate()
    (tmp_path / "identity").write_text(identity.encode() + "\n")
    sealed = encrypt([identity.recipient()], make_plain(70_000))
    refused = subprocess.run(
        [age, "-d", "-i", tmp_path / "identity"], input=sealed[:-20], capture_output=True, check=False
    )
    assert refused.returncode == 1


def test_the_age_program_takes_our_passphrase_files_and_we_its(tmp_path: Path) -> None:
    age = require_program("age")
    plain, sealed, opened = tmp_path / "plain", tmp_path / "sealed.age", tmp_path / "opened"
    plain.write_bytes(make_plain(70_000))
    assert not talk_on_terminal([age, "-p", "-o", str(sealed), str(plain)], [PASSPHRASE, PASSPHRASE])
    assert decrypt([ScryptIdentity(PASSPHRASE)], sealed.read_bytes()) == plain.read_bytes()
    sealed.write_bytes(encrypt([ScryptRecipient(PASSPHRASE)], plain.read_bytes()))
    assert not talk_on_terminal([age, "-d", "-o", str(opened), str(sealed)], [PASSPHRASE])
    assert opened.read_bytes() == plain.read_bytes()


def test_the_age_program_reads_an_identity_file_under_a_passphrase(tmp_path: Path) -> None:
    age = require_program("age")
    identity = X25519Identity.generate()
    identity_file, opened = tmp_path / "identity.age", tmp_path / "opened"
    identity_file.write_bytes(encrypt([ScryptRecipient(PASSPHRASE, 12)], identity.encode().encode() + b"\n"))
    sealed = tmp_path / "sealed.age"
    sealed.write_bytes(encrypt([identity.recipient()], b"plain"))
    command = [age, "-d", "-i", str(identity_file), "-o", str(opened), str(sealed)]
    assert not talk_on_terminal(command, [PASSPHRASE])
    assert opened.read_bytes() == b"plain"
