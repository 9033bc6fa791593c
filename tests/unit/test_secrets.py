"""Where secrets come from, and that no error repeats one."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from archiver import secrets
from archiver.errors import ConfigurationError
from archiver.secrets import check_secret_reference, resolve_secret

VALUE = "correct horse battery staple"


def private_file(folder: Path, data: bytes, mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_bytes(data)
    path.chmod(mode)
    return path


def refusal(reference: str, environ: dict[str, str] | None = None, home: Path | None = None) -> str:
    """The whole error, in which the secret must not stand."""
    with pytest.raises(ConfigurationError) as caught:
        resolve_secret(reference, environ or {}, home)
    text = f"{caught.value.message} {caught.value.hint}"
    assert "horse" not in f"{text} {caught.value!r} {caught.value.__cause__!r}"
    return text


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_is_the_content_of_a_file_less_its_line_end(tmp_path: Path, end: str) -> None:
    path = private_file(tmp_path, f" {VALUE} {end}".encode())
    assert resolve_secret(f"file:{path}", {}) == f" {VALUE} "
    assert resolve_secret("file:secret", {}, tmp_path) == f" {VALUE} "


def test_a_secret_may_come_through_a_pipe_in_pieces_and_late(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)

    def write() -> None:
        time.sleep(0.1)
        with (tmp_path / "pipe").open("wb", buffering=0) as file:
            for piece in (VALUE[:5].encode(), VALUE[5:].encode()):
                file.write(piece)
                time.sleep(0.1)

    writer = threading.Thread(target=write)
    writer.start()
    assert resolve_secret("file:pipe", {}, tmp_path) == VALUE
    writer.join()
    reader, other = os.pipe()  # as a shell's <(…) gives one
    os.write(other, f"{VALUE}\n".encode())
    os.close(other)
    assert resolve_secret(f"file:/dev/fd/{reader}", {}) == VALUE
    os.close(reader)


@pytest.mark.parametrize("held", [False, True])
def test_a_pipe_that_nobody_writes_into_or_ends_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: bool
) -> None:
    monkeypatch.setattr(secrets, "COMMAND_TIMEOUT_SECONDS", 0.2)
    os.mkfifo(tmp_path / "pipe", 0o600)
    ours = [os.open(tmp_path / "pipe", os.O_RDWR)] if held else []
    for each in ours:
        os.write(each, b"horse")
    start = time.monotonic()
    for reference, environ in (
        (f"file:{tmp_path}/pipe", {}),
        ("credential:pipe", {"CREDENTIALS_DIRECTORY": str(tmp_path)}),
    ):
        assert f"the secret in {tmp_path}/pipe, a pipe, did not come to its end" in refusal(
            reference, environ
        )
    assert time.monotonic() - start < 10
    for each in ours:
        os.close(each)


def test_a_pipe_that_never_ends_is_not_read_for_ever(tmp_path: Path) -> None:
    reader, other = os.pipe()
    process = subprocess.Popen(["cat", "/dev/zero"], stdout=other)
    os.close(other)
    assert "is over 65536 bytes" in refusal(f"file:/dev/fd/{reader}")
    os.close(reader)
    process.wait(10)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o601])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = private_file(tmp_path, VALUE.encode(), mode)
    assert refusal(f"file:{path}") == f"the secret in {path} can be read by others chmod 600 {path}"


def test_a_secret_is_the_value_of_a_variable() -> None:
    assert resolve_secret("env:PASS", {"PASS": VALUE}) == VALUE
    assert refusal("env:PASS", {"OTHER": VALUE}).startswith("the environment has no variable PASS")
    assert refusal("env:PASS", {"PASS": ""}).startswith("the variable PASS is empty")


def test_a_secret_is_what_a_program_prints_without_any_shell() -> None:
    code = "import os, sys; print(sys.argv[1] + os.environ['MORE'])"
    reference = f"command:{sys.executable} -c {code!r} '$HOME;'"
    assert resolve_secret(reference, {"MORE": "!"}) == "$HOME;!"


def test_a_program_that_fails_is_named_without_its_arguments() -> None:
    text = refusal(f"command:{sys.executable} -c 'import sys; print(\"horse\"); sys.exit(3)' horse")
    assert "failed with exit 3" in text
    assert "python" in text
    assert refusal("command:/nowhere/pass horse").startswith("the program pass for a secret does not start")
    assert refusal("command:pass 'horse").startswith("the command's quotes do not match")


def test_a_program_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "COMMAND_TIMEOUT_SECONDS", 0.2)
    start = time.monotonic()
    assert "gave none within 0 seconds" in refusal("command:sleep 60", {"PATH": "/usr/bin:/bin"})
    # Its own child holds the pipe open; that must not hold us.
    assert "gave none within" in refusal("command:sh -c 'sleep 20 & sleep 20'", {"PATH": "/usr/bin:/bin"})
    assert time.monotonic() - start < 10


def test_a_program_that_prints_without_end_is_ended_before_memory_is() -> None:
    start = time.monotonic()
    assert "the program cat is over 65536 bytes" in refusal(
        "command:cat /dev/zero", {"PATH": "/usr/bin:/bin"}
    )
    assert time.monotonic() - start < 10


def test_a_secret_is_a_credential_that_systemd_gives(tmp_path: Path) -> None:
    private_file(tmp_path, VALUE.encode(), 0o400)
    assert resolve_secret("credential:secret", {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == VALUE
    assert "LoadCredential=secret:PATH" in refusal("credential:secret")
    assert "cannot be read" in refusal("credential:other", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    for name in ("../secret", "a/b", "..", "."):
        assert "no slash" in refusal(f"credential:{name}", {"CREDENTIALS_DIRECTORY": str(tmp_path)})


def test_secrets_that_are_empty_too_long_or_no_text_are_refused(tmp_path: Path) -> None:
    for data, message in ((b"", "is empty"), (b"\n", "is empty"), (b"\xff horse", "is not UTF-8 text"),
                          (b"horse" * 20_000, "is over 65536 bytes")):  # fmt: skip
        assert message in refusal(f"file:{private_file(tmp_path, data)}")
    assert "cannot be read: no such file" in refusal("file:absent", {}, tmp_path)
    assert "cannot be read: is a directory" in refusal_of_folder(tmp_path)


def refusal_of_folder(folder: Path) -> str:
    (folder / "folder").mkdir(mode=0o700)
    return refusal("file:folder", {}, folder)


@pytest.mark.parametrize("reference", ["horse", "horse:battery", "", ":", "FILE:horse", "https://horse"])
def test_what_is_no_reference_may_be_the_secret_and_is_not_repeated(reference: str) -> None:
    assert refusal(reference).startswith("this is not a reference to a secret")


@pytest.mark.parametrize("reference", ["file:", "env: ", "command:", "credential:", "command:''"])
def test_a_reference_to_nothing_is_refused(reference: str) -> None:
    with pytest.raises(ConfigurationError):
        check_secret_reference(reference)
