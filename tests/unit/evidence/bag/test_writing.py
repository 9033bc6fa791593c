"""A written bag: the BagIt library and the profile find it good, and sha256sum reads its manifests."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import bagit
import pytest
from bagit_profile import Profile

from archiver.evidence.bag import PROFILE, TAG_MANIFESTS
from archiver.evidence.sink import new_pack
from tests.programs import require_program
from tests.unit.evidence.bag.bags import (
    MADE_MS,
    PAYLOAD,
    TAGS,
    UNLISTED,
    check_folder,
    finish,
    read_bag,
    write_bag,
)


def run_bagit(path: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "bagit", "--validate", str(path)], capture_output=True, text=True, timeout=60
    )


def load_profile() -> Any:
    profile = json.loads(PROFILE.read_bytes())
    return Profile(profile["BagIt-Profile-Info"]["BagIt-Profile-Identifier"], profile=profile)


def test_the_bagit_program_finds_a_bag_valid_and_an_altered_one_not(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "ABC_1")
    done = run_bagit(bag)
    assert done.returncode == 0, done.stderr
    assert "is valid" in done.stderr
    (bag / "case.jsonld").write_bytes(b"{}")
    assert run_bagit(bag).returncode == 1


def test_a_bag_meets_its_profile_and_one_without_a_label_or_a_tag_file_does_not(tmp_path: Path) -> None:
    write_bag(tmp_path / "good")
    assert load_profile().validate(bagit.Bag(str(tmp_path / "good")))
    write_bag(tmp_path / "no-graph", PAYLOAD)
    assert not load_profile().validate(bagit.Bag(str(tmp_path / "no-graph")))
    info = tmp_path / "good" / "bag-info.txt"
    info.write_text(info.read_text().replace("Bag-Group-Identifier", "Group"))
    assert not load_profile().validate(bagit.Bag(str(tmp_path / "good")))


def test_another_library_reads_what_the_bag_is(tmp_path: Path) -> None:
    info = bagit.Bag(str(write_bag(tmp_path / "ABC_1"))).info
    assert info["External-Identifier"] == "ABC/1"
    assert info["Bag-Group-Identifier"] == "SP/2026/0417"
    assert info["Source-Organization"] == "Springfield Police"
    assert info["Contact-Name"] == "A. B. C., Disclosure"
    assert info["Contact-Email"] == "disclosure@springfield-police.invalid"
    assert info["Bagging-Date"] == "2026-11-25"
    assert info["Bag-Software-Agent"] == "archiver 0.5.0"
    assert info["Payload-Oxum"] == f"{sum(len(each) for each in PAYLOAD.values())}.{len(PAYLOAD)}"
    assert info["Bag-Size"] == "27 bytes"


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("kind", ["manifest", "tagmanifest"])
def test_the_usual_programs_check_every_manifest(tmp_path: Path, algorithm: str, kind: str) -> None:
    bag = write_bag(tmp_path / "ABC_1")
    command = [require_program(f"{algorithm}sum"), "--strict", "--quiet", "-c", f"{kind}-{algorithm}.txt"]
    assert subprocess.run(command, cwd=bag, timeout=60).returncode == 0
    (bag / ("case.jsonld" if kind == "tagmanifest" else "data/records.csv")).write_bytes(b"altered")
    assert subprocess.run(command, cwd=bag, capture_output=True, timeout=60).returncode == 1


def test_the_tag_manifests_list_every_tag_file_but_themselves_and_what_comes_after(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "ABC_1")
    listed = [line.split("  ", 1)[1] for line in (bag / "tagmanifest-sha512.txt").read_text().splitlines()]
    assert listed == sorted(
        ["bagit.txt", "bag-info.txt", "manifest-sha256.txt", "manifest-sha512.txt", *TAGS]
    )
    assert set(read_bag(bag)) == {*PAYLOAD, *listed, *TAG_MANIFESTS.values(), *UNLISTED}


def test_the_tag_manifests_are_handed_back_to_be_signed(tmp_path: Path) -> None:
    with new_pack(tmp_path / "p", MADE_MS) as sink:
        sink.open("data/x").close()
        written = finish(sink)
    assert list(written) == ["tagmanifest-sha256.txt", "tagmanifest-sha512.txt"]
    assert all((tmp_path / "p" / name).read_bytes() == data for name, data in written.items())
    assert check_folder(tmp_path / "p") == []
