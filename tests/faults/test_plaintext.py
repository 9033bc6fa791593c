"""No plaintext on disk, at any instant, and no secret in anything a command says."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import apsw
import pytest

from archiver.disk import PARTIAL_PREFIX
from archiver.formats import age
from archiver.keys import load_identity
from tests.cli.runner import Runner, start_process
from tests.faults.folders import (
    copy_folder,
    edit_json,
    edit_posts,
    make_folder,
    open_whole_vault,
    read_contents,
    rewrite,
    sample,
)
from tests.programs import PROJECT

MARKER = "Zyzzogeton"
"""In posts, long posts, messages, liked posts, the profile and pictures of the export, and nowhere else."""
AGE_MAGIC = b"age-encryption.org/v1\n"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export with the marker wherever there is text."""
    folder = tmp_path_factory.mktemp("export")
    plain = sample(folder / "plain.zip", months=12)

    def mark_posts(posts: list[dict[str, Any]]) -> None:
        for post in posts:
            if "… https" not in post["full_text"]:  # a long post's opening must fit its note
                post["full_text"] += f" {MARKER}"

    def mark_notes(items: list[dict[str, Any]]) -> None:
        for item in items:
            item["noteTweet"]["core"]["text"] += f" {MARKER}"

    def mark_messages(items: list[dict[str, Any]]) -> None:
        for item in items:
            for message in item["dmConversation"]["messages"]:
                if "messageCreate" in message:
                    message["messageCreate"]["text"] += f" {MARKER}"

    def mark_likes(items: list[dict[str, Any]]) -> None:
        for item in items:
            item["like"]["fullText"] += f" {MARKER}"

    def mark_profile(items: list[dict[str, Any]]) -> None:
        items[0]["profile"]["description"]["bio"] += f" {MARKER}"

    changes: dict[str, Any] = {
        "data/tweets.js": edit_posts(mark_posts),
        "data/note-tweet.js": edit_json(mark_notes),
        "data/direct-messages.js": edit_json(mark_messages),
        "data/like.js": edit_json(mark_likes),
        "data/profile.js": edit_json(mark_profile),
    }
    marked = rewrite(plain, folder / "marked.zip", changes)
    with zipfile.ZipFile(marked) as archive:
        pictures = [name for name in archive.namelist() if name.endswith(".png")]
    return rewrite(marked, folder / "export.zip", dict.fromkeys(pictures, _with_marker))


def _with_marker(picture: bytes) -> bytes:
    return picture + MARKER.encode() * 4


def files_with(folder: Path, needle: str) -> list[str]:
    """Files below a folder that hold a text, in any of the shapes in which text lies in files."""
    shapes = {
        needle.encode(), needle.lower().encode(), needle.encode().hex().encode(),
        needle.encode("utf-16-le"), needle.encode("utf-16-be"),
    }  # fmt: skip
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and any(shape in path.read_bytes() for shape in shapes)
    ]


def check_encrypted(folder: Path) -> None:
    """What holds content is an age file from its first byte: packing alone would hide a marker too."""
    for path in [*(folder / "vault").rglob("*.age"), *(folder / "spool" / "media").iterdir()]:
        data = path.read_bytes()
        assert data.startswith(AGE_MAGIC) or (path.name.startswith(PARTIAL_PREFIX) and len(data) < 100), path
    with apsw.Connection(str(folder / "spool" / "spool.sqlite")) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        assert {"page", "media", "capture"} <= tables
        for (body,) in connection.execute("SELECT body FROM page"):
            assert bytes(body).startswith(AGE_MAGIC)


def run_process(
    folder: Path, temporary: Path, *arguments: str | Path, step: int = 0, code: int = 0
) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        [
            sys.executable,
            *("-m", "tests.faults.killed_run", str(folder), str(step), "--config", str(folder)),
            *map(str, arguments),
        ],
        cwd=PROJECT,
        env={**os.environ, "TMPDIR": str(temporary), "SQLITE_TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == code, done.stderr
    return done


def test_no_command_leaves_plaintext_on_the_disk(export: Path, tmp_path: Path) -> None:
    folder, temporary = make_folder(tmp_path / "v"), tmp_path / "temporary"
    temporary.mkdir()
    reading = (
        ("search", "--limit", "0", MARKER), ("show", "1"), ("verify", "--contents"), ("rebuild",),
        ("status",),
    )  # fmt: skip
    for arguments in (("import", "--add-account", export), ("seal",)):
        run_process(folder, temporary, *arguments)
        assert files_with(tmp_path, MARKER) == []
        check_encrypted(folder)
    found = run_process(folder, temporary, *reading[0])
    assert found.stdout.count(MARKER) > 500, "the marker is in the vault"
    codes = {"show": 1, "status": 3}  # the export is older than the settings want
    for arguments in reading[1:]:
        run_process(folder, temporary, *arguments, code=codes.get(arguments[0], 0))
    assert files_with(tmp_path, MARKER) == []
    assert list(temporary.iterdir()) == []
    (archive,) = open_whole_vault(folder)[1]
    run_process(folder, temporary, "restore", archive.name, "--to", tmp_path / "asked-for")
    assert files_with(tmp_path / "asked-for", MARKER) != [], "the search finds what is there"
    assert list(temporary.iterdir()) == []
    assert files_with(folder, MARKER) == []


def test_nothing_is_in_the_clear_at_the_instant_of_a_kill(export: Path, tmp_path: Path) -> None:
    fresh = make_folder(tmp_path / "fresh")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    spooled = copy_folder(fresh, tmp_path / "spooled")
    steps = {
        "import": run_process(spooled, temporary, "import", "--add-account", export).stderr,
        "seal": run_process(copy_folder(spooled, tmp_path / "sealed"), temporary, "seal").stderr,
    }
    for name, source in (("import", fresh), ("seal", spooled)):
        number = int(steps[name].rpartition("steps ")[2])
        for part in (1, 3, 5, 7):
            folder = copy_folder(source, tmp_path / f"{name}{part}")
            arguments = (name, "--add-account", export) if name == "import" else (name,)
            run_process(folder, temporary, *arguments, step=number * part // 8, code=-9)
            assert files_with(tmp_path, MARKER) == []
            check_encrypted(folder)
            shutil.rmtree(folder)
    assert list(temporary.iterdir()) == []


def test_metadata_beside_what_is_sealed_names_no_third_party(export: Path, tmp_path: Path) -> None:
    """Manifests and the state are read by whoever can read the disk: counts, times, hashes, ids."""
    folder = make_folder(tmp_path / "v")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    for arguments in (("import", "--add-account", export), ("seal",)):
        run_process(folder, temporary, *arguments)
    followers = {row[1] for row in read_contents(folder) if row[0] == "relation" and row[3] == "follower"}
    assert len(followers) > 100
    for path in (folder / "vault").rglob("manifest.json"):
        text = path.read_text()
        assert not [one for one in followers if one in text]
        for name in ("SpringfieldFire", "SpringfieldGov", "Springfield Police"):
            assert name not in text


def test_what_opens_the_archives_is_nowhere_on_the_collector(export: Path, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "v")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    (folder / "keys" / "records.identity").rename(tmp_path / "in-the-safe")
    for arguments in (("import", "--add-account", export), ("seal",)):
        run_process(folder, temporary, *arguments)
    assert files_with(folder, "AGE-SECRET-KEY-") == ["collector/spool.identity"]
    own = load_identity(folder / "collector" / "spool.identity")
    sealed = list((folder / "vault").rglob("*.age"))
    assert len(sealed) >= 3
    for path in sealed:
        with pytest.raises(age.NoMatchError):
            age.decrypt([own], path.read_bytes())


# Secrets


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A folder with every secret known; its keyholder's identity is encrypted to a passphrase."""
    folder = make_folder(tmp_path / "v")
    path = folder / "keys" / "records.identity"
    identity = load_identity(path).encode()
    passphrase = "correct-horse-7319"
    path.write_bytes(age.encrypt([age.ScryptRecipient(passphrase, 8)], path.read_bytes(), armor=True))
    settings = folder / "archiver.toml"
    text = settings.read_text()
    line = next(line for line in text.splitlines() if line.startswith("identity = "))
    settings.write_text(text.replace(line, f'{line}\npassphrase = "env:PASSPHRASE"'))
    monkeypatch.setenv("PASSPHRASE", passphrase)
    signing = (folder / "collector" / "signing_key").read_text().splitlines()[2]
    return {
        "identity": identity.removeprefix("AGE-SECRET-KEY-"),
        "spool": load_identity(folder / "collector" / "spool.identity")
        .encode()
        .removeprefix("AGE-SECRET-KEY-"),
        "passphrase": passphrase,
        "signing key": signing,
    }


def check_silent(secrets: Mapping[str, str], text: str) -> None:
    for name, secret in secrets.items():
        assert secret not in text, f"the {name} was shown"
        assert secret[10:40] not in text, f"a piece of the {name} was shown"
    assert not re.search("AGE-SECRET-KEY-(PQ-)?1[A-Z0-9]{6}", text)


def test_no_command_says_a_secret(
    run: Runner, export: Path, tmp_path: Path, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "v"
    commands: list[tuple[str | Path, ...]] = [
        ("config", "check"), ("import", "--add-account", export), ("status",), ("seal",), ("backup",),
        ("verify", "--contents"), ("search", "--effort", MARKER), ("show", "1"), ("rebuild",),
        ("keys", "list"), ("keys", "rewrap"),
        ("keys", "new", "carl", "--out", tmp_path / "carl", "--no-passphrase", "--classic"),
    ]  # fmt: skip
    said = ""
    for arguments in commands:
        for more in ((), ("--json",)):
            result = run("--config", folder, *more, *arguments)
            assert result.code in (0, 1, 2, 3), result
            said += result.output + result.errors
    secrets["carl"] = load_identity(tmp_path / "carl").encode().removeprefix("AGE-SECRET-KEY-")
    check_silent(secrets, said)
    assert json.loads(run("--config", folder, "--json", "keys", "list").output.splitlines()[0])


def test_no_failure_says_a_secret(
    run: Runner, export: Path, tmp_path: Path, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "v"
    assert run("--config", folder, "import", "--add-account", export).code == 0
    assert run("--config", folder, "seal").code == 0
    said = ""

    def fail(*arguments: str) -> None:
        nonlocal said
        result = run("--config", folder, *arguments)
        assert result.code not in (0, 3), result
        said += result.output + result.errors

    monkeypatch.setenv("PASSPHRASE", secrets["passphrase"] + "x")
    fail("search", "word")
    monkeypatch.setenv("PASSPHRASE", secrets["passphrase"])
    path = folder / "keys" / "records.identity"
    kept = path.read_bytes()
    for text in (
        f"AGE-SECRET-KEY-{secrets['identity'][:-1]}\n",  # cut short
        f"AGE-SECRET-KEY-{secrets['identity']} # mine\n",
        f"# a note\nAGE-SECRET-KEY-{secrets['spool']}x\n",
        f"{secrets['passphrase']}\n",
    ):
        path.write_text(text)
        fail("search", "word")
        fail("verify", "--contents")
    path.write_bytes(kept)
    for name in ("spool.identity", "signing_key"):
        key = folder / "collector" / name
        good = key.read_text()
        key.write_text(good[:-20] + "\n")
        fail("seal")
        key.write_text(good)
        key.chmod(0o644)
        fail("seal")
        key.chmod(0o600)
    text = (folder / "archiver.toml").read_text()
    (folder / "archiver.toml").write_text(text.replace('"env:PASSPHRASE"', f'"{secrets["passphrase"]}"'))
    fail("search", "word")
    fail("config", "check")
    (folder / "archiver.toml").write_text(text + f'\nsecret = "{secrets["passphrase"]}"\n')
    fail("status")
    check_silent(secrets, said)


def test_no_process_of_a_sealing_has_a_secret_in_its_arguments(
    run: Runner, export: Path, tmp_path: Path, secrets: dict[str, str]
) -> None:
    folder = tmp_path / "v"
    assert run("--config", folder, "import", "--add-account", export).code == 0
    process = start_process("--config", folder, "seal")
    seen: dict[int, str] = {}
    while process.poll() is None:
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) not in seen:
                try:
                    status = (entry / "stat").read_text().rpartition(")")[2].split()
                    if int(status[1]) == process.pid:
                        arguments = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                        seen[int(entry.name)] = arguments.decode("utf-8", "replace")
                except OSError:  # it has ended
                    continue
        time.sleep(0.002)
    process.communicate()
    assert process.returncode == 0
    if len(os.sched_getaffinity(0)) > 1:
        assert len(seen) >= 2, "workers were seen"
    given = {name: secret for name, secret in secrets.items() if name != "passphrase"}  # it is in ours
    for text in seen.values():
        check_silent(given, text)
