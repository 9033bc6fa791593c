"""VERIFY.md of a pack, followed to the letter: its commands are taken out of the pack and run by `sh`, with
the programs that it names and no others on the PATH, and say what it says that they must say."""

import csv
import io
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.authority import authority
from tests.homes import Home
from tests.packs import WITHOUT_PDF, Rich, copied, export, read_pack, records_of, say, write_ids
from tests.programs import require_program

PROGRAMS = (
    "sha256sum", "sha512sum", "ssh-keygen", "openssl", "sed", "sort", "uniq", "find", "grep", "cut", "head",
    "base64", "mkdir", "rm",
)  # fmt: skip
VAULT_PROGRAMS = ("age", "zstd", "sqlite3")
HASH = "[0-9a-f]{64}"


@dataclass(frozen=True)
class Followed:
    """A pack, the vault that it is from, and where the programs lie."""

    pack: Path
    home: Home
    path: Path

    def run(self, commands: str, folder: Path | None = None) -> str:
        """What the commands say, whatever their exit code; nothing of ours is to be found by them."""
        done = subprocess.run(
            [require_program("sh"), "-c", commands], cwd=folder or self.pack, env={"PATH": str(self.path)},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        return done.stdout + done.stderr

    def step(self, number: int, folder: Path | None = None) -> str:
        """What one step's commands say."""
        return self.run("\n".join(blocks(self.text(number))), folder)

    def text(self, number: int) -> str:
        document = (self.pack / "VERIFY.md").read_text()
        return re.split(r"(?m)^## ", document)[number]


def blocks(text: str) -> list[str]:
    return re.findall(r"(?ms)^```sh\n(.*?)^```$", text)


@pytest.fixture(scope="module")
def followed(rich: Rich, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    folder = tmp_path_factory.mktemp("followed")
    home = copied(rich.home, folder / "home")
    path = folder / "programs"
    path.mkdir()
    for name in PROGRAMS:
        (path / name).symlink_to(require_program(name))
    with authority(folder / "authority") as one:
        with (home.folder / "archiver.toml").open("a") as settings:
            settings.write(one.settings())
        export(home, folder / "ABC_1", "is:moderated", "--format", "csv,jsonl")
        ids = write_ids(folder / "ids", rich.ids)
        export(home, folder / "ABC_2", "--ids", ids, "--format", WITHOUT_PDF)
    return Followed(folder / "ABC_2", home, path)


@pytest.fixture
def other(followed: Followed, tmp_path: Path) -> Path:
    """A copy to do harm to."""
    return Path(shutil.copytree(followed.pack, tmp_path / "ABC_2"))


def test_every_step_has_its_commands(followed: Followed) -> None:
    assert [len(blocks(followed.text(number))) for number in range(1, 9)] == [1, 1, 1, 1, 1, 1, 1, 0]
    assert "archiver " not in "".join(blocks((followed.pack / "VERIFY.md").read_text()))


# 1


def test_the_first_step_finds_files_and_lists_good(followed: Followed) -> None:
    assert followed.step(1) == "files: good\nlists: good\n"


def test_the_first_step_names_an_altered_and_a_missing_file(followed: Followed, other: Path) -> None:
    (other / "data" / "records.csv").write_bytes(b"altered")
    (other / "custody.csv").unlink()
    said = followed.step(1, other)
    assert "data/records.csv: FAILED" in said
    assert "custody.csv" in said
    assert "good" not in said


# 2


def test_the_second_step_says_nothing_of_a_whole_pack_and_names_what_was_added(
    followed: Followed, other: Path
) -> None:
    assert followed.step(2) == ""
    (other / "data" / "originals" / "extra.json").write_bytes(b"{}")
    (other / "more.txt").write_bytes(b"")
    (other / "manifest-chain" / "more.txt").write_bytes(b"")
    assert followed.step(2, other).splitlines() == [
        "data/originals/extra.json", "manifest-chain/more.txt", "more.txt",
    ]  # fmt: skip


# 3


def test_the_third_step_says_whose_signature_it_is(followed: Followed, other: Path) -> None:
    said = followed.step(3)
    assert said.startswith('Good "archiver-evidence" signature for records with ED25519 key SHA256:')
    (fingerprint,) = re.findall(r"`(SHA256:\S+)`", followed.text(3))
    assert fingerprint in said
    with (other / "tagmanifest-sha512.txt").open("ab") as file:
        file.write(b"\n")
    assert "Good" not in followed.step(3, other)


# 4


def test_the_fourth_step_says_when_it_existed(followed: Followed, other: Path) -> None:
    said = followed.step(4)
    assert "Verification: OK" in said
    assert re.search(r"Time stamp: \w{3} +\d+ \d\d:\d\d:\d\d", said)
    with (other / "tagmanifest-sha512.txt").open("ab") as file:
        file.write(b"\n")
    assert "Verification: OK" not in followed.step(4, other)


# 5


def test_the_fifth_step_follows_the_archives_to_their_head(followed: Followed) -> None:
    (head,) = re.findall(rf"head of the chain: ({HASH})`", followed.text(5))
    assert followed.step(5) == f"head of the chain: {head}\n"
    assert head == followed.home.archives[-1].head.sha256


@pytest.mark.parametrize("number", [0, 1, 3])
def test_the_fifth_step_finds_an_archive_that_was_taken_out_or_altered(
    followed: Followed, other: Path, number: int
) -> None:
    manifests = sorted((other / "manifest-chain").glob("*.json"))
    said = followed.step(5)
    altered = manifests[number].read_bytes().replace(b'"tool": "archiver', b'"tool": "Archiver')
    assert altered != manifests[number].read_bytes()
    manifests[number].write_bytes(altered)
    assert f"manifest-chain/{manifests[number].name}: wrong signature" in followed.step(5, other)
    manifests[number].unlink()
    after = followed.step(5, other)
    if number == len(manifests) - 1:
        assert after != said
    else:
        assert f"manifest-chain/{manifests[number + 1].name}: does not follow the one before" in after


# 6


def test_the_sixth_step_finds_every_entry_of_the_log_good(followed: Followed) -> None:
    entries = (followed.pack / "log-extract.jsonl").read_bytes().count(b"\n")
    said = followed.step(6)
    assert entries == 3  # of the pack before it that it began and ended, and of this one that it began
    assert said.count('Good "archiver-log" signature for records') == entries
    assert said.count("entry: good") == entries
    assert not Path("/tmp/archiver-log-check").exists()  # what the step says itself


def test_the_sixth_step_finds_an_altered_entry(followed: Followed, other: Path) -> None:
    path = other / "log-extract.jsonl"
    lines = path.read_text().splitlines()
    first, second = (json.loads(line) for line in lines[:2])
    first["entry_base64"] = second["entry_base64"]
    second["link_base64"] = json.loads(lines[2])["link_base64"]
    altered = [json.dumps(one, separators=(",", ":"), ensure_ascii=False) for one in (first, second)]
    path.write_text("\n".join([*altered, lines[2], ""]))
    said = followed.step(6, other)
    assert said.count("entry: good") == 1
    assert said.count("Good ") == 2


# 7


def test_the_seventh_step_gives_the_hashes_that_the_table_says(followed: Followed) -> None:
    table = (followed.pack / "data" / "records.csv").read_text()
    said = followed.step(7).splitlines()
    assert len(said) == 3
    jsonl = (followed.pack / "data" / "records.jsonl").read_text()
    for line in said:
        digest, name = line.split("  ")
        assert digest in table or digest in jsonl
        assert name in jsonl


# 8


def test_the_eighth_step_finds_a_record_in_the_sealed_archive(
    followed: Followed, rich: Rich, tmp_path: Path
) -> None:
    """With the keyholder's identity, as the step says: of a post of X's interface and of one of an export."""
    commands = "\n".join(line.strip() for line in followed.text(8).splitlines() if line.startswith("    "))
    path = tmp_path / "programs"
    shutil.copytree(followed.path, path, symlinks=True)
    for name in VAULT_PROGRAMS:
        (path / name).symlink_to(require_program(name))
    keyholder = followed.home.settings.keyholder
    assert keyholder is not None
    records = records_of(read_pack(followed.pack))
    for own in (rich.own, rich.changed, rich.told):
        (record,) = [one for one in records if one["id"] == own]
        vault = Path(shutil.copytree(followed.home.folder / "vault", tmp_path / own))
        row = row_of_custody(followed.pack, record["reference"])
        place = place_in(row["location"])
        filled = commands
        for word, value in {**place, "KEYHOLDER.identity": str(keyholder.identity)}.items():
            filled = filled.replace(word, value)
        said = Followed(vault, followed.home, path).run(filled)
        hashes = re.findall(rf"({HASH})  ", said)
        assert len(hashes) == 2, said
        assert hashes[0] in manifest_text(followed.pack, place["ARCHIVE"])
        assert hashes[1] == row["sha256"] == record["versions"][0]["originals"][0]["sha256"]
        assert own.encode() in (vault / "record").read_bytes()


def row_of_custody(pack: Path, reference: str) -> dict[str, str]:
    """The first row of a record's first version."""
    rows = csv.DictReader(io.StringIO((pack / "custody.csv").read_bytes().decode("utf-8-sig")))
    return next(row for row in rows if row["exhibit"] == reference and row["location"])


def place_in(location: str) -> dict[str, str]:
    """ARCHIVE, FILE, PART, OFFSET and LENGTH."""
    found = re.fullmatch(
        r"archives/([^/]+)/(.+)\.sqlite\.zst\.age part (\d+) offset (\d+) bytes (\d+)", location
    )
    assert found is not None, location
    return dict(zip(("ARCHIVE", "FILE", "PART", "OFFSET", "LENGTH"), found.groups(), strict=True))


def manifest_text(pack: Path, archive: str) -> str:
    (path,) = (pack / "manifest-chain").glob(f"*-{archive}.json")
    return path.read_text()


# Of other packs


def test_a_pack_without_a_time_stamp_says_so_and_its_other_steps_hold(
    followed: Followed, rich: Rich, tmp_path: Path
) -> None:
    home = copied(rich.home, tmp_path / "home")
    export(home, tmp_path / "p", "is:moderated", "--format", "jsonl,csv,originals")
    alone = Followed(tmp_path / "p", home, followed.path)
    assert "No time stamp authority was asked" in alone.text(4)
    assert alone.step(1) == "files: good\nlists: good\n"
    assert alone.step(2) == ""
    assert alone.step(6).count("entry: good") == 1


def test_the_steps_hold_for_a_redacted_pack(followed: Followed, rich: Rich, tmp_path: Path) -> None:
    home = copied(rich.home, tmp_path / "home")
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rule]]\ntext = "Reads by the window"\nreason = "private"\n')
    query = "Reads by the window"
    say(home, "search", "--case", "CO/17/26", query)
    export(home, tmp_path / "p", "is:moderated", "--redact", rules, "--format", "jsonl,csv")
    redacted = Followed(tmp_path / "p", home, followed.path)
    assert redacted.step(1) == "files: good\nlists: good\n"
    assert redacted.step(2) == ""
    said = redacted.step(6)
    lines = [json.loads(one) for one in (tmp_path / "p" / "log-extract.jsonl").read_text().splitlines()]
    left_out = sum(one["entry"] is None for one in lines)
    assert left_out >= 1
    assert said.count("Good ") == len(lines)
    assert said.count("entry: good") == len(lines) - left_out


def test_the_settings_cannot_add_a_step(followed: Followed, rich: Rich, tmp_path: Path) -> None:
    home = copied(rich.home, tmp_path / "home")
    say(
        home, "evidence", "export", "is:moderated", "--case", "x", "--exhibit", "ABC", "--produced-by",
        "A. B. Example\n```sh\nrm -r ~\n```", "--format", "csv,jsonl", "-o", tmp_path / "p",
    )  # fmt: skip
    mine = Followed(tmp_path / "p", home, followed.path)
    text = (tmp_path / "p" / "VERIFY.md").read_text()
    assert blocks(text) == [
        one.replace("/2", "/1").replace("ABC_2", "ABC_1")
        for one in blocks((followed.pack / "VERIFY.md").read_text())
        if "openssl" not in one
    ]
    assert mine.step(1) == "files: good\nlists: good\n"
