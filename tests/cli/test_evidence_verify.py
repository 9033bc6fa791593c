"""`archiver evidence verify`: whatever is done to a pack is found and named, in a folder, in a ZIP file and
in an age file, and nothing is found in one that nobody touched."""

import base64
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyrage
import pytest

from archiver.formats import age
from archiver.formats.ssh_signature import SigningKey
from archiver.keys import load_keyholder_signing_key
from tests.authority import authority
from tests.cli.runner import Result, Runner, run_on_terminal
from tests.homes import Home
from tests.packs import (
    WITHOUT_PDF,
    Rich,
    copied,
    export,
    quietly,
    read_pack,
    records_of,
    remade,
    say,
    write_folder,
    write_ids,
    write_zip,
)

SIGNATURE = "tagmanifest-sha512.txt.sig"
TOKEN = "tagmanifest-sha512.txt.tsr"
Files = dict[str, bytes]


@dataclass(frozen=True)
class Packs:
    """A pack of all kinds of files, another of the same vault, one of another vault; what the first is called
    in three forms. `identity` opens the age file."""

    folder: Path
    zipped: Path
    sealed: Path
    files: Files
    later: Files
    foreign: Files
    identity: Path
    recipient: str
    home: Home
    fingerprint: str


@pytest.fixture(scope="module")
def packs(rich: Rich, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Packs]:
    folder = tmp_path_factory.mktemp("verified")
    home = copied(rich.home, folder / "home")
    other = copied(rich.home, folder / "other")
    key = age.X25519Identity.generate()
    identity = folder / "theirs.identity"
    identity.write_text(f"{key.encode()}\n")
    identity.chmod(0o600)
    public = key.recipient().encode()
    with authority(folder / "authority") as one:
        for each in (home, other):
            with (each.folder / "archiver.toml").open("a") as settings:
                settings.write(one.settings())
        export(home, folder / "ABC_1", "is:moderated", "--format", WITHOUT_PDF)
        ids = write_ids(folder / "ids", [rich.own, rich.told])
        export(home, folder / "ABC_2", "--ids", ids, "--format", WITHOUT_PDF)
        export(home, folder / "zipped.zip", "is:moderated", "--format", WITHOUT_PDF)
        export(home, folder / "sealed.age", "is:moderated", "--format", WITHOUT_PDF, "--encrypt-to", public)
        export(other, folder / "foreign", "is:moderated", "--format", WITHOUT_PDF)
    files = read_pack(folder / "ABC_1")
    said = say(home, "evidence", "verify", folder / "ABC_1").output
    fingerprint = said.split("by records, ")[1].split()[0]
    return Packs(
        folder / "ABC_1", folder / "zipped.zip", folder / "sealed.age", files, read_pack(folder / "ABC_2"),
        read_pack(folder / "foreign"), identity, public, home, fingerprint,
    )  # fmt: skip


def verify(pack: Path, *options: str | Path) -> Result:
    result = quietly("evidence", "verify", *options, pack)
    assert "Traceback" not in result.errors
    return result


def named_as_wrong(pack: Path, *options: str | Path) -> str:
    """What it says of a pack in which something is wrong."""
    result = verify(pack, *options)
    assert result.code == 20, result.output
    assert "was altered, or is not a whole pack" in result.errors
    return result.output


# Whole ones


def test_a_pack_is_good_in_every_form_and_says_what_was_checked(packs: Packs) -> None:
    for pack, options in (
        (packs.folder, ()), (packs.zipped, ()), (packs.sealed, ("--identity", packs.identity))
    ):  # fmt: skip
        result = verify(pack, *options)
        assert (result.code, result.errors) == (0, "")
        titles = [line for line in result.output.splitlines() if not line.startswith(" ")]
        assert len(titles) == 7
        assert all(line.endswith(": good") for line in titles)
        assert "1 records, " in result.output
        assert "4 archives" in result.output


def test_the_right_signer_is_found_and_another_refused(packs: Packs) -> None:
    said = verify(packs.folder, "--signer", packs.fingerprint)
    assert said.code == 0
    assert "own word: compare" not in said.output
    other = SigningKey.generate("other").fingerprint()
    for wrong in (other, packs.fingerprint[:-1], "nonsense"):
        assert "2. signature: wrong" in named_as_wrong(packs.folder, "--signer", wrong)


def test_a_time_stamp_is_by_whom_the_settings_name_or_by_the_packs_own_word(
    run: Runner, packs: Packs, rich: Rich
) -> None:
    assert "Z by test" in run("--config", packs.home.folder, "evidence", "verify", packs.folder).output
    assert "by whom is the pack's own word" in verify(packs.folder).output
    assert "own word" in run("--config", rich.home.folder, "evidence", "verify", packs.folder).output


def test_json_says_each_check_and_a_summary(run: Runner, packs: Packs, tmp_path: Path) -> None:
    lines = run("--json", "evidence", "verify", packs.folder).json_lines()
    assert [one["result"] for one in lines[:-1]] == ["good"] * 7
    assert lines[-1] == {"type": "summary", "pack": str(packs.folder), "good": True}
    broken = write_folder(tmp_path / "p", packs.files | {"custody.csv": b""})
    result = run("--json", "evidence", "verify", broken)
    assert result.code == 20
    assert result.json_lines()[-1]["good"] is False
    assert any("custody.csv" in line for one in result.json_lines() for line in one.get("lines", []))  # type: ignore[attr-defined]


# Every file in turn


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


HARM: dict[str, Callable[[bytes], bytes | None]] = {
    "one bit altered": flipped,
    "cut short": lambda data: data[:-1],
    "added to": lambda data: data + b"\n",
    "emptied": lambda data: b"",
    "removed": lambda data: None,
}


def harmed(files: Files, name: str, harm: str) -> Files:
    made = HARM[harm](files[name])
    return {one: data for one, data in files.items() if one != name} | ({} if made is None else {name: made})


@pytest.mark.parametrize("harm", HARM)
def test_harm_to_any_file_in_a_folder_is_found_and_the_file_named(
    packs: Packs, tmp_path: Path, harm: str
) -> None:
    folder = write_folder(tmp_path / "p", packs.files)
    assert len(packs.files) > 40
    for name, data in packs.files.items():
        made = HARM[harm](data)
        if made is None and name == TOKEN:
            continue
        (folder / name).unlink()
        if made is not None:
            (folder / name).write_bytes(made)
        said = named_as_wrong(folder)
        assert f" {name}" in said, (name, said)
        (folder / name).write_bytes(data)
    assert verify(folder).code == 0


@pytest.mark.parametrize("harm", HARM)
def test_harm_to_any_file_in_a_zip_file_is_found_and_the_file_named(
    packs: Packs, tmp_path: Path, harm: str
) -> None:
    for name in packs.files:
        if harm == "removed" and name == TOKEN:
            continue
        said = named_as_wrong(write_zip(tmp_path / "p.zip", harmed(packs.files, name, harm)))
        assert f" {name}" in said, (name, said)


def test_a_time_stamp_that_was_taken_away_is_said_not_to_be_there(packs: Packs, tmp_path: Path) -> None:
    """No list has it: it is made of the last list. But the pack names whom it asked."""
    result = verify(write_folder(tmp_path / "p", harmed(packs.files, TOKEN, "removed")))
    assert result.code == 3
    assert "3. time stamp: not there" in result.output
    assert "it was taken away since" in result.output


@pytest.mark.parametrize("harm", HARM)
def test_harm_within_an_age_file_is_found_and_the_file_named(packs: Packs, tmp_path: Path, harm: str) -> None:
    """Made by somebody who can encrypt to the recipient, as anybody can."""
    names = sorted(packs.files)
    for name in [*names[::9], SIGNATURE, "data/records.jsonl"]:
        plain = write_zip(tmp_path / "p.zip", harmed(packs.files, name, harm)).read_bytes()
        sealed = pyrage.encrypt(plain, [pyrage.x25519.Recipient.from_str(packs.recipient)])
        (tmp_path / "p.age").write_bytes(sealed)
        said = named_as_wrong(tmp_path / "p.age", "--identity", packs.identity)
        assert f" {name}" in said, (name, said)


@pytest.mark.parametrize(
    "name",
    ["more.txt", "data/more.txt", "manifest-chain/000009-x.json", "data/originals/more.json", "fetch.txt"],
)
def test_a_file_that_was_added_is_named(packs: Packs, tmp_path: Path, name: str) -> None:
    for pack in (
        write_folder(tmp_path / "p", packs.files | {name: b""}),
        write_zip(tmp_path / "p.zip", packs.files | {name: b"more"}),
    ):
        assert f" {name}" in named_as_wrong(pack)


def test_a_link_in_a_folder_and_a_name_twice_in_a_zip_file_are_named(packs: Packs, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "p", packs.files)
    (tmp_path / "outside").write_bytes(packs.files["custody.csv"])
    (folder / "custody.csv").unlink()
    (folder / "custody.csv").symlink_to(tmp_path / "outside")
    assert " custody.csv" in named_as_wrong(folder)
    zipped = write_zip(tmp_path / "p.zip", packs.files)
    with zipfile.ZipFile(zipped, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("custody.csv", b"another")
    assert "custody.csv: is there twice" in named_as_wrong(zipped)


@pytest.mark.parametrize("place", [0.3, 0.6, 0.9999])
def test_an_age_file_with_an_altered_byte_or_cut_short_is_refused(
    packs: Packs, tmp_path: Path, place: float
) -> None:
    data = packs.sealed.read_bytes()
    where = int(len(data) * place)
    for spoilt in (flipped(data[: 2 * where])[: len(data)] + data[2 * where :], data[:where], data + b"x"):
        (tmp_path / "p.age").write_bytes(spoilt)
        result = verify(tmp_path / "p.age", "--identity", packs.identity)
        assert result.code == 20, result


# Those who know how a pack is made


def test_bytes_exchanged_with_every_list_remade_are_betrayed_by_the_signature(
    packs: Packs, tmp_path: Path
) -> None:
    original = next(name for name in packs.files if name.startswith("data/originals/"))
    said = named_as_wrong(write_folder(tmp_path / "p", remade(packs.files | {original: b'{"id": "1"}'})))
    assert "1. every file is as it was listed, and none was added: good" in said
    assert "2. signature: wrong" in said
    assert f"6. records and their bytes: wrong\n   ABC/1/1: {original} has other bytes than" in said


def test_a_text_exchanged_everywhere_with_every_list_remade_is_betrayed_by_the_signature(
    packs: Packs, tmp_path: Path
) -> None:
    files = {
        name: data.replace(b"=you are all", b"=they are all") if name.startswith("data/") else data
        for name, data in packs.files.items()
    }
    assert files != packs.files
    assert "2. signature: wrong" in named_as_wrong(write_folder(tmp_path / "p", remade(files)))


def test_a_pack_made_anew_by_another_key_is_betrayed_by_its_fingerprint_and_by_the_log(
    packs: Packs, tmp_path: Path
) -> None:
    key = SigningKey.generate("records")
    files = {name: data for name, data in packs.files.items() if name != TOKEN}
    said = named_as_wrong(write_folder(tmp_path / "p", remade(files, key)))
    assert "2. signature: good" in said
    assert key.fingerprint() in said
    assert "5. log: wrong" in said
    without = {name: data for name, data in files.items() if name != "log-extract.jsonl"}
    pack = write_folder(tmp_path / "q", remade(without, key))
    assert key.fingerprint() in verify(pack).output
    assert "2. signature: wrong" in named_as_wrong(pack, "--signer", packs.fingerprint)


def test_the_signature_and_the_time_stamp_of_another_pack_are_wrong(packs: Packs, tmp_path: Path) -> None:
    said = named_as_wrong(write_folder(tmp_path / "p", packs.files | {TOKEN: packs.later[TOKEN]}))
    assert "3. time stamp: wrong" in said
    assert "2. signature: good" in said
    said = named_as_wrong(write_folder(tmp_path / "q", packs.files | {SIGNATURE: packs.later[SIGNATURE]}))
    assert "2. signature: wrong" in said
    assert "3. time stamp: good" in said


def signed_again(packs: Packs, files: Files) -> Files:
    """By the keyholder: only what the other checks find is wrong then."""
    keyholder = packs.home.settings.keyholder
    assert keyholder is not None
    key = load_keyholder_signing_key(keyholder, packs.home.identities)
    made = remade({name: data for name, data in files.items() if name != TOKEN})
    made[SIGNATURE] = key.sign(made["tagmanifest-sha512.txt"], "archiver-evidence")
    return made


def test_the_keyholders_own_remaking_of_an_untouched_pack_is_good(packs: Packs, tmp_path: Path) -> None:
    """So what the tests below find is what they altered: with the old list only its time stamp is lost."""
    result = verify(write_folder(tmp_path / "p", signed_again(packs, packs.files)))
    assert result.code == 3, result.output


def test_a_line_of_the_log_of_another_key_or_put_together_is_wrong(packs: Packs, tmp_path: Path) -> None:
    lines = packs.files["log-extract.jsonl"].splitlines(keepends=True)
    stranger = SigningKey.generate("stranger")
    link = json.loads(lines[0])
    forged = dict(link)
    signature = stranger.sign(base64.b64decode(link["link_base64"]), "archiver-log")
    forged["signature_base64"] = base64.b64encode(signature).decode()
    told = dict(link) | {"entry": dict(link["entry"]) | {"to": "nobody"}}
    other = json.loads(packs.later["log-extract.jsonl"].splitlines()[-1])
    mixed = dict(link) | {"entry_base64": other["entry_base64"], "entry": other["entry"]}
    for number, one in enumerate((forged, told, mixed)):
        line = json.dumps(one, separators=(",", ":")).encode() + b"\n"
        files = signed_again(packs, packs.files | {"log-extract.jsonl": line})
        said = named_as_wrong(write_folder(tmp_path / str(number), files))
        assert "5. log: wrong\n   log-extract.jsonl" in said, said


def test_an_archive_taken_out_of_the_chain_is_wrong(packs: Packs, tmp_path: Path) -> None:
    chain = sorted(name for name in packs.files if name.startswith("manifest-chain/0"))
    second = chain[2][: chain[2].index(".json")]
    files = {name: data for name, data in packs.files.items() if not name.startswith(second)}
    assert "4. chain of archives: wrong" in named_as_wrong(
        write_folder(tmp_path / "p", signed_again(packs, files))
    )


def test_a_record_of_an_archive_that_is_not_in_the_chain_is_wrong(packs: Packs, tmp_path: Path) -> None:
    (record,) = records_of(packs.files)
    record["versions"][0]["manifest_sha256"] = "0" * 64
    line = json.dumps(record).encode() + b"\n"
    files = signed_again(packs, packs.files | {"data/records.jsonl": line})
    assert "ABC/1/1 is from an archive that is not in the chain" in named_as_wrong(
        write_folder(tmp_path / "p", files)
    )


def test_a_row_taken_out_of_the_custody_is_wrong(packs: Packs, tmp_path: Path) -> None:
    rows = packs.files["custody.csv"].split(b"\r\n")
    assert len(rows) > 4
    files = signed_again(packs, packs.files | {"custody.csv": b"\r\n".join([*rows[:2], *rows[3:]])})
    assert "7. custody: wrong" in named_as_wrong(write_folder(tmp_path / "p", files))


# What is no pack


def test_what_is_no_pack_is_refused_in_words(run: Runner, packs: Packs, tmp_path: Path) -> None:
    assert "nothing" in run.fails(1, "evidence", "verify", tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    assert run("evidence", "verify", tmp_path / "empty").code == 20
    for number, data in enumerate((b"", b"no pack", b"PK\x03\x04", packs.zipped.read_bytes()[:-100])):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(data)
        result = run("evidence", "verify", path)
        assert result.code == 20, result
        assert "Traceback" not in result.errors
        assert result.errors


def test_a_zip_bomb_is_not_unpacked_into_memory(run: Runner, packs: Packs, tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in packs.files.items():
            archive.writestr(name, data if name != "allowed_signers" else bytes(200_000_000))
    (tmp_path / "p.zip").write_bytes(made.getvalue())
    assert "allowed_signers" in named_as_wrong(tmp_path / "p.zip")


def test_an_identity_behind_a_passphrase_is_asked_for_it(packs: Packs, tmp_path: Path) -> None:
    locked = tmp_path / "locked.identity"
    locked.write_bytes(
        age.encrypt([age.ScryptRecipient("correct horse", 8)], packs.identity.read_bytes(), armor=True)
    )
    locked.chmod(0o600)
    command = ["evidence", "verify", "--identity", locked, packs.sealed]
    code, shown = run_on_terminal(command, {"assphrase": "correct horse"})
    assert code == 0, shown
    code, shown = run_on_terminal(command, {"assphrase": "battery"})
    assert code == 12, shown
    assert "Traceback" not in shown
    assert "battery" not in shown


def test_an_encrypted_pack_without_an_identity_says_what_to_give(run: Runner, packs: Packs) -> None:
    message = run.fails(12, "evidence", "verify", packs.sealed)
    assert "--identity FILE" in message
