"""Evidence packs beside what is restricted: no file of one holds bytes of a record that is not shown."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.cli.runner import Result, Runner
from tests.faults.folders import copy_folder
from tests.homes import Home
from tests.packs import WITHOUT_PDF, read_pack, records_of
from tests.unit.reseal.erased import ID, OTHER_ID, POLITE, RUDE, THIRD_ID, make_mixed_home
from tests.unit.seal.spooled import answer_of, x_post

BESIDE = "1588091220244379503"
ALL = ("--case", "C/1", "--exhibit", "ABC", "--produced-by", "A Person")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_mixed_home(tmp_path_factory.mktemp("packs"))


class Maker:
    """A folder with the command line on it, and packs of it."""

    def __init__(self, run: Runner, home: Home, folder: Path) -> None:
        self.run = run
        self.home = home
        self.folder = folder

    def __call__(self, *words: str | Path, code: int = 0) -> Result:
        result = self.run("--config", self.home.folder, *words)
        assert result.code == code, result
        return result

    def pack(self, *words: str | Path, forms: str = WITHOUT_PDF) -> dict[str, bytes]:
        """The files of a new pack, which the checker finds good."""
        path = self.folder / f"pack{len(list(self.folder.iterdir()))}"
        self("evidence", "export", *words, *ALL, "--format", forms, "-o", path)
        self("evidence", "verify", path)
        return read_pack(path)

    def keep_beside(self, way: str) -> None:
        """A post that quotes or repeats the other one, as X sends both, sealed."""
        with self.home.open_spool() as spool:
            quoting = x_post(
                BESIDE, "RT @rude_example: see what…", referenced_tweets=[{"type": way, "id": OTHER_ID}]
            )
            around = [x_post(OTHER_ID, POLITE)]
            spool.add_answer(
                answer_of(spool, quoting, body_kind="mentions", series="post", change="new", around=around)
            )
        self("seal")


@pytest.fixture
def maker(run: Runner, made: Home, tmp_path: Path) -> Maker:
    (tmp_path / "packs").mkdir()
    return Maker(run, Home(copy_folder(made.folder, tmp_path / "home")), tmp_path / "packs")


def holding(files: dict[str, bytes], *needles: str) -> list[str]:
    return [path for path, data in files.items() if any(one.encode() in data for one in needles)]


def captures_of(files: dict[str, bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files["data/captures/captures.jsonl"].splitlines()]


def test_of_an_answer_that_holds_it_a_pack_has_the_slices_of_its_own_records(maker: Maker) -> None:
    whole = maker.pack("rude", "kind:post")
    (before,) = captures_of(whole)
    assert before["not_whole"] is None
    assert sha256(whole[before["path"]]).hexdigest() == before["body_sha256"]
    assert holding(whole, POLITE) == [before["path"]]
    maker("restrict", OTHER_ID, "--reason", "x")
    files = maker.pack("rude", "kind:post")
    assert holding(files, POLITE, OTHER_ID) == []
    (record,) = records_of(files)
    (original, *others) = record["versions"][0]["originals"]
    assert json.loads(files[original["path"]])["id"] == ID
    (capture,) = captures_of(files)
    assert (capture["path"], capture["body_sha256"], capture["body_size"]) == (
        "data/captures/C000001.slices", None, None,
    )  # fmt: skip
    slices = [files[one["path"]] for one in (original, *others)]
    assert files[capture["path"]] == b"".join(one + b"\n" for one in slices)
    assert ID in capture["request"]
    assert "[restricted]" in capture["request"]
    assert "also holds a record that is kept and not shown" in capture["not_whole"]
    for path in ("data/report.html", "data/records.jsonl", "case.jsonld"):
        assert b"also holds a record that is kept and not shown" in files[path], path
    readme = files["README.txt"].decode()
    assert "NOTE: of the whole vault 1 record is kept and not shown: not searched" in readme
    assert "NOTE: 1 answer of the platform is not whole in this pack" in readme


def test_a_printed_pack_says_so_too(maker: Maker) -> None:
    maker("restrict", OTHER_ID, "--reason", "x")
    files = maker.pack("rude", "kind:post", forms="pdf,captures")
    assert holding(files, POLITE, OTHER_ID) == []


def test_with_a_reason_the_answer_is_in_it_whole(maker: Maker) -> None:
    maker("restrict", OTHER_ID, "--reason", "x")
    files = maker.pack("rude", "kind:post", "--restricted", "--reason", "court")
    (capture,) = captures_of(files)
    assert sha256(files[capture["path"]]).hexdigest() == capture["body_sha256"]
    assert POLITE.encode() in files[capture["path"]]
    assert b"NOTE" not in files["README.txt"]


def test_an_answer_that_only_names_it_stays_whole(maker: Maker) -> None:
    maker("restrict", ID, "--reason", "x")
    files = maker.pack("mean", "kind:reply")
    assert [one["id"] for one in records_of(files)] == [THIRD_ID]
    (capture,) = captures_of(files)
    assert capture["not_whole"] is None
    assert sha256(files[capture["path"]]).hexdigest() == capture["body_sha256"]
    assert holding(files, RUDE) == []


def test_of_a_post_that_quotes_it_a_pack_has_the_own_bytes_alone(maker: Maker) -> None:
    maker.keep_beside("quoted")
    before = maker.pack("kind:quote", "author:rude_example")
    assert len(holding(before, POLITE)) == 1
    maker("restrict", OTHER_ID, "--reason", "x")
    files = maker.pack("kind:quote", "author:rude_example")
    assert [one["id"] for one in records_of(files)] == [BESIDE]
    assert holding(files, POLITE) == []
    assert captures_of(files)[0]["path"].endswith(".slices")


def test_of_a_repost_a_pack_has_no_bytes_of_the_post_that_it_repeats(maker: Maker) -> None:
    """Its text is the repost's own, and stays."""
    maker.keep_beside("retweeted")
    asked = ("kind:repost", "author:rude_example")
    bytes_of = ("data/originals/", "data/captures/")
    before = maker.pack(*asked)
    assert len([one for one in holding(before, POLITE) if one.startswith(bytes_of)]) == 2
    maker("restrict", OTHER_ID, "--reason", "x")
    files = maker.pack(*asked)
    assert [one for one in holding(files, POLITE) if one.startswith(bytes_of)] == []
    (record,) = records_of(files)
    left_out = [one for one in record["versions"][0]["originals"] if one["path"] is None]
    assert [(one["sha256"], one["size"]) for one in left_out] == [("[restricted]", 0)]
    (capture,) = captures_of(files)
    assert capture["path"].endswith(".slices")
    assert len(files[capture["path"]].splitlines()) == len(record["versions"][0]["originals"]) - 1


def test_a_redacted_pack_has_none_of_it_either(maker: Maker, tmp_path: Path) -> None:
    maker("restrict", OTHER_ID, "--reason", "x")
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rule]]\nreason = "a place"\ntext = "bridge"\n')
    files = maker.pack("rude", "kind:post", "--redact", rules)
    assert holding(files, POLITE, OTHER_ID, "bridge") == []


def test_entries_of_the_log_that_name_it_are_left_out(maker: Maker) -> None:
    maker("restrict", OTHER_ID, "--reason", "not for daily use", "--case", "C/1")
    maker("search", "nothing", "--case", "C/1")
    files = maker.pack("rude", "kind:post")
    lines = [json.loads(line) for line in files["log-extract.jsonl"].splitlines()]
    commands = [one["entry"]["command"] if one["entry"] else None for one in lines]
    assert (commands[0], commands[-1]) == (None, "evidence export")
    assert "search" in commands
    assert holding(files, OTHER_ID) == []


def test_what_is_named_and_restricted_makes_no_pack(maker: Maker, tmp_path: Path) -> None:
    record = tmp_path / "search.json"
    maker("search", "--record", record, "--limit", "0", "polite OR rude", "kind:post")
    maker("restrict", OTHER_ID, "--reason", "x")
    ids = tmp_path / "ids"
    ids.write_text(f"{ID}\n{OTHER_ID}\n")
    for named in (("--ids", ids), ("--replay", record)):
        words = ("evidence", "export", *named, *ALL, "--keep-going", "--format", "jsonl")
        refused = maker(*words, "-o", tmp_path / "p", code=1)
        assert f"the record {OTHER_ID} is restricted" in refused.errors
        assert not (tmp_path / "p").exists()


def test_a_pack_says_how_many_of_the_whole_vault_are_not_shown(maker: Maker, tmp_path: Path) -> None:
    maker("restrict", OTHER_ID, ID, "--reason", "x")
    made = maker("evidence", "export", "mean", *ALL, "--format", "jsonl", "-o", tmp_path / "p")
    assert "of the whole vault 2 records are restricted, and not shown whatever is asked" in made.errors
