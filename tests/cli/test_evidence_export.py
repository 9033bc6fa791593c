"""`archiver evidence export` and `list`: what goes into a pack, judged by programs that are not ours, how
it is selected and numbered, and in which forms it can be had."""

import csv
import hashlib
import io
import json
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bagit
import pytest

from archiver.formats import age
from archiver.times import parse_time
from tests.authority import Authority, authority, openssl_verifies
from tests.cli.runner import PROGRAM, Runner, start_process
from tests.faults.folders import make_folder, sample
from tests.homes import Home
from tests.packs import (
    EDITED_TEXT,
    NAMED,
    OTHER_PHOTO,
    PHOTO,
    SCREENSHOT,
    SECRET_TEXT,
    WITHOUT_PDF,
    Rich,
    copied,
    export,
    read_pack,
    records_of,
    say,
    write_ids,
)
from tests.programs import require_program
from tests.unit.evidence.bag.test_writing import load_profile, run_bagit
from tests.unit.evidence.graph.graphs import validate

FLAT_COLUMNS = "action,id,name,user,location,profile_desc,image_url,profile_url,is_protected,time,message"


@dataclass(frozen=True)
class Exported:
    """A pack of every kind of record, with a time stamp."""

    path: Path
    files: dict[str, bytes]
    home: Home
    one: Authority

    @property
    def records(self) -> dict[str, dict[str, Any]]:
        """By kind and id."""
        return {f"{one['kind']} {one['id']}": one for one in records_of(self.files)}


@pytest.fixture(scope="module")
def pack(rich: Rich, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exported]:
    folder = tmp_path_factory.mktemp("exported")
    home = copied(rich.home, folder / "home")
    ids = write_ids(folder / "ids", rich.ids)
    with authority(folder / "authority") as one:
        with (home.folder / "archiver.toml").open("a") as settings:
            settings.write(one.settings())
        result = export(home, folder / "ABC_1", "--ids", ids, "--format", WITHOUT_PDF)
        assert "time stamp by test" in result.output
        yield Exported(folder / "ABC_1", read_pack(folder / "ABC_1"), home, one)


@pytest.fixture
def home(rich: Rich, tmp_path: Path) -> Home:
    """One whose numbers nobody else takes."""
    return copied(rich.home, tmp_path / "home")


def exported_ids(path: Path) -> list[str]:
    return [one["id"] for one in records_of(read_pack(path))]


def list_lines(home: Home, *arguments: str) -> list[dict[str, Any]]:
    return list(say(home, "--json", "evidence", "list", *arguments).json_lines())


# What judges it


def test_bagit_and_the_profile_find_the_pack_good(pack: Exported) -> None:
    done = run_bagit(pack.path)
    assert done.returncode == 0, done.stderr
    assert load_profile().validate(bagit.Bag(str(pack.path)))


def test_case_validate_finds_the_graph_good(home: Home, rich: Rich, tmp_path: Path) -> None:
    """Of few records: it takes the square of their number."""
    scene = rich.scene
    ids = write_ids(
        tmp_path / "ids", [scene.reply, rich.edited, rich.told, rich.deleted, scene.author.id, rich.moderated]
    )
    export(home, tmp_path / "p", "--ids", ids, "--format", WITHOUT_PDF)
    code, said = validate(tmp_path / "p" / "case.jsonld")
    assert (code, "Conforms: True" in said) == (0, True), said


def test_ssh_keygen_and_openssl_find_signature_and_time_stamp_good(pack: Exported) -> None:
    signed = pack.files["tagmanifest-sha512.txt"]
    command = [
        require_program("ssh-keygen"), "-Y", "verify", "-f", "allowed_signers", "-I", "records", "-n",
        "archiver-evidence", "-s", "tagmanifest-sha512.txt.sig",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=pack.path, input=signed, capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b'Good "archiver-evidence" signature for records')
    altered = subprocess.run(command, cwd=pack.path, input=signed + b"\n", capture_output=True, timeout=30)
    assert altered.returncode != 0
    token = pack.files["tagmanifest-sha512.txt.tsr"]
    assert openssl_verifies(token, signed, pack.one.root_path, pack.one.folder)
    assert not openssl_verifies(token, signed + b"\n", pack.one.root_path, pack.one.folder)


# What is in it


def test_every_kind_of_record_is_in_it_with_all_that_is_held_of_it(pack: Exported, rich: Rich) -> None:
    records, scene = pack.records, rich.scene
    assert {"post", "reply", "message", "block", "author", "moderation"} <= {
        name.split()[0] for name in records
    }
    edited = records[f"post {rich.edited}"]
    texts = [one["text"] for one in edited["versions"] if not one["again"]]
    assert texts == ["Main Street is closed until six.", EDITED_TEXT]
    changed = records[f"post {rich.changed}"]
    assert len([one for one in changed["versions"] if not one["again"]]) == 2
    assert changed["versions"][-1]["text"].startswith(EDITED_TEXT)
    assert [one["how"] for one in records[f"post {rich.deleted}"]["gone"]] == ["X's interface: deleted"]
    (dropped,) = [one for one in records.values() if one["id"] == rich.dropped]
    assert [one["how"] for one in dropped["gone"]] == ["absent from the export"]
    lines = records[f"reply {scene.reply}"]["thread"]
    assert [one["id"] for one in lines][:3] == [scene.notice, scene.question, scene.reply]
    assert [one["is_record"] for one in lines].index(True) == 2
    assert lines[0]["exhibit"] == records[f"post {scene.notice}"]["reference"]
    assert records[f"message {rich.told}"]["versions"][0]["text"].startswith(SECRET_TEXT)
    people = records[f"block {scene.author.id}"]["versions"][0]["people"]
    assert people == [] or people[0]["id"] == scene.author.id


def test_a_moderated_reply_and_its_record_have_the_entries_and_the_screenshot(
    pack: Exported, rich: Rich
) -> None:
    for name in (f"reply {rich.scene.reply}", f"moderation {rich.moderated}"):
        (note,) = pack.records[name]["moderation"]
        assert [one["entry"] for one in note["entries"]] == ["decision", "outcome"]
        (picture,) = [one for one in note["media"] if one["media_type"] == "screenshot"]
        assert pack.files[picture["path"]] == SCREENSHOT


def test_every_picture_original_and_capture_that_is_named_is_there_as_it_was_got(
    pack: Exported, rich: Rich
) -> None:
    named = dict(named_files(list(pack.records.values())))
    there = {name for name in pack.files if name.startswith(("data/media/", "data/originals/"))}
    assert there == {name for name in named if not name.startswith("data/captures/")}
    record = pack.records[f"post {rich.own}"]
    own = record["versions"][0]
    assert pack.files[own["media"][0]["path"]] == OTHER_PHOTO
    assert PHOTO in pack.files.values()
    answer = json.loads(pack.files[record["captures"][own["capture"]]["path"]])
    assert rich.own in {one["id"] for one in answer["data"]}
    original = json.loads(pack.files[own["originals"][0]["path"]])
    assert original["id"] == rich.own
    assert original in answer["data"]
    (dropped,) = [one for one in pack.records.values() if one["id"] == rich.dropped]
    export_slices = pack.files[dropped["captures"][dropped["versions"][0]["capture"]]["path"]]
    assert any(rich.dropped.encode() in line for line in export_slices.splitlines())


def named_files(value: Any) -> Iterator[tuple[str, str | None]]:
    if isinstance(value, dict):
        if isinstance(value.get("path"), str):
            yield value["path"], value.get("sha256")
        for one in value.values():
            yield from named_files(one)
    elif isinstance(value, list):
        for one in value:
            yield from named_files(one)


def test_records_are_numbered_in_the_order_of_time(pack: Exported) -> None:
    records = records_of(pack.files)
    assert [one["reference"] for one in records] == [f"ABC/1/{n}" for n in range(1, len(records) + 1)]
    assert [one["stem"] for one in records] == [f"ABC_1_{n}" for n in range(1, len(records) + 1)]
    times = [moment_of(one) for one in records]
    assert times == sorted(times)
    kinds = [one["kind"] for one in records]
    assert kinds.index("moderation") < len(kinds) - 1, "something is younger than it"


def moment_of(record: dict[str, Any]) -> int:
    if record["kind"] == "moderation":
        return as_ms(record["moderation"][0]["entries"][0], "entered")
    first = record["versions"][0]
    return as_ms(first, "posted") or as_ms(first, "captured")


def as_ms(fields: dict[str, Any], name: str) -> int:
    if f"{name}_ms" in fields:
        return int(fields[f"{name}_ms"] or 0)
    return parse_time(fields[f"{name}_at"]) if fields.get(f"{name}_at") else 0


def test_the_readme_lists_every_file_and_the_statement_is_a_draft(pack: Exported) -> None:
    readme = pack.files["README.txt"].decode()
    for name in ("data/report.html", "custody.csv", "case.jsonld", "manifest-chain/", "data/originals/"):
        assert name in readme
    assert "Exhibit ABC/1" in readme
    assert "Case           CO/17/26" in readme
    assert b"NOT SIGNED" in pack.files["statement-DRAFT.txt"]


def test_the_rows_of_the_tables_are_the_records(pack: Exported) -> None:
    records = records_of(pack.files)
    rows = list(csv.DictReader(io.StringIO(pack.files["data/records.csv"].decode("utf-8-sig"))))
    assert [row["exhibit"] for row in rows] == [one["reference"] for one in records]
    page = pack.files["data/report.html"].decode()
    for one in records:
        assert one["reference"] in page
    custody = list(csv.reader(io.StringIO(pack.files["custody.csv"].decode("utf-8-sig"))))
    assert {cell for row in custody for cell in row} >= {one["reference"] for one in records}


# Which records


def test_a_query_finds_what_search_finds(home: Home, tmp_path: Path) -> None:
    export(home, tmp_path / "p", "Main Street", "account:SpringfieldPD", "--format", "jsonl")
    found = say(home, "search", "--ids", "--limit", "0", "Main Street", "account:SpringfieldPD").output
    record = {one["id"] for one in records_of(read_pack(tmp_path / "p"))}
    assert len(record) == len(found.split()) > 2
    said = json.loads(read_pack(tmp_path / "p")["search-record.json"])
    assert said["query"] == "Main Street account:SpringfieldPD"


@pytest.mark.parametrize("query", ["kind:block", "kind:follower", "kind:moderation", "is:moderated"])
def test_relations_and_moderation_records_are_exported_by_their_kind(
    home: Home, tmp_path: Path, query: str
) -> None:
    export(home, tmp_path / "p", query, "--format", "jsonl,html,csv")
    kinds = {one["kind"] for one in records_of(read_pack(tmp_path / "p"))}
    assert kinds == {query.removeprefix("kind:") if query.startswith("kind:") else "reply"}
    assert say(home, "evidence", "verify", tmp_path / "p").code == 0


def test_ids_are_taken_as_ids_and_addresses_each_once(home: Home, rich: Rich, tmp_path: Path) -> None:
    lines = [
        "# of the complaint", rich.own, "", f"https://x.com/SpringfieldPD/status/{rich.own}",
        f"  {rich.edited}  ", rich.own, f"https://twitter.com/i/status/{rich.witnessed}?s=20",
    ]  # fmt: skip
    (tmp_path / "ids").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    export(home, tmp_path / "p", "--ids", tmp_path / "ids", "--format", "jsonl")
    assert sorted(exported_ids(tmp_path / "p")) == sorted([rich.own, rich.edited, rich.witnessed])


def test_ids_come_from_standard_input(home: Home, rich: Rich, tmp_path: Path) -> None:
    found = subprocess.run(
        [*PROGRAM, "--config", str(home.folder), "evidence", "export", "--ids", "-", *NAMED, "--format",
         "jsonl", "-o", str(tmp_path / "p")],
        input=f"{rich.own}\n{rich.told}\n", capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert sorted(exported_ids(tmp_path / "p")) == sorted([rich.own, rich.told])


def test_an_unknown_id_is_named_and_refused_unless_the_rest_is_wanted(
    run: Runner, home: Home, rich: Rich, tmp_path: Path
) -> None:
    ids = write_ids(tmp_path / "ids", [rich.own, "1234567890"])
    command = ["evidence", "export", "--ids", ids, *NAMED, "-o", tmp_path / "p", "--format", "jsonl"]
    message = run.fails(1, "--config", home.folder, *command)
    assert "1 record named there is in no archive: 1234567890" in message
    assert not (tmp_path / "p").exists()
    assert list_lines(home) == []
    result = export(home, tmp_path / "p", "--ids", ids, "--keep-going", "--format", "jsonl", code=3)
    assert "1234567890" in result.errors
    assert exported_ids(tmp_path / "p") == [rich.own]
    files = read_pack(tmp_path / "p")
    assert b"NOTE: named, and in no archive: 1234567890" in files["README.txt"]
    assert json.loads(files["search-record.json"])["missing"] == ["1234567890"]


def test_a_recorded_search_is_exported_as_it_was(home: Home, rich: Rich, tmp_path: Path) -> None:
    record = tmp_path / "search.json"
    say(home, "search", "--record", record, "--limit", "0", "account:SpringfieldPD", "picture OR window")
    export(home, tmp_path / "p", "--replay", record, "--format", "jsonl")
    assert read_pack(tmp_path / "p")["search-record.json"] == record.read_bytes()
    assert set(exported_ids(tmp_path / "p")) >= {rich.own, rich.witnessed}


def test_a_recorded_search_that_was_altered_or_is_of_another_vault_is_refused(
    run: Runner, home: Home, tmp_path: Path
) -> None:
    record, other = tmp_path / "search.json", Home(make_folder(tmp_path / "other"))
    say(home, "search", "--record", record, "--limit", "0", "account:SpringfieldPD", "picture")
    command = ["evidence", "export", *NAMED, "-o", tmp_path / "p"]
    message = run.fails(2, "--config", other.folder, *command, "--replay", record)
    assert "records a search of another vault" in message
    fields = json.loads(record.read_bytes())
    fields["ids"] = fields["ids"][:-1]
    (tmp_path / "fewer.json").write_text(json.dumps(fields, indent=1))
    assert run("--config", home.folder, *command, "--replay", tmp_path / "fewer.json").code == 20
    assert not (tmp_path / "p").exists()


def test_what_was_found_in_the_spool_is_exported_once_it_is_sealed(run: Runner, tmp_path: Path) -> None:
    home = Home(make_folder(tmp_path / "home"))
    say(home, "import", "--add-account", sample(tmp_path / "sample.zip", months=1))
    record = tmp_path / "search.json"
    found = say(home, "search", "--record", record, "--limit", "0", "Station Road").output
    assert found
    message = run.fails(
        1, "--config", home.folder, "evidence", "export", "--replay", record, *NAMED, "-o", tmp_path / "p"
    )
    assert "archiver seal" in message
    say(home, "seal")
    export(home, tmp_path / "p", "--replay", record, "--format", "jsonl")
    recorded = {one["id"] for one in json.loads(record.read_bytes())["ids"]}
    assert set(exported_ids(tmp_path / "p")) == recorded


# Numbers


def test_numbers_follow_each_other_and_are_listed_by_case_and_initials(home: Home, tmp_path: Path) -> None:
    for number in (1, 2):
        export(home, tmp_path / f"p{number}", "is:moderated", "--format", "jsonl")
        references = [one["reference"] for one in records_of(read_pack(tmp_path / f"p{number}"))]
        assert references == [f"ABC/{number}/1"]
    say(
        home, "evidence", "export", "is:moderated", "--case", "FOI/8/26", "--exhibit", "DEF", "--produced-by",
        "D. E. Example", "--recipient", "A requester", "--format", "jsonl", "-o", tmp_path / "p3",
    )  # fmt: skip
    listed = list_lines(home)
    assert [(one["exhibit"], one["case"], one["finished"]) for one in listed] == [
        ("ABC/1", "CO/17/26", True), ("ABC/2", "CO/17/26", True), ("DEF/1", "FOI/8/26", True),
    ]  # fmt: skip
    assert listed[2]["recipient"] == "A requester"
    assert listed[0]["produced_by"] == "A. B. Example"
    signed = (tmp_path / "p3" / "tagmanifest-sha512.txt").read_bytes()
    assert listed[2]["tagmanifest_sha512"] == hashlib.sha512(signed).hexdigest()
    assert [one["exhibit"] for one in list_lines(home, "--case", "FOI/8/26")] == ["DEF/1"]
    assert [one["exhibit"] for one in list_lines(home, "--exhibit", "ABC")] == ["ABC/1", "ABC/2"]


def test_two_exports_at_once_have_two_numbers_and_both_are_listed(home: Home, tmp_path: Path) -> None:
    running = [
        start_process(
            "--config", home.folder, "evidence", "export", "account:SpringfieldPD", *NAMED, "--format",
            "jsonl,csv", "-o", tmp_path / name,
        )
        for name in ("one", "two")
    ]  # fmt: skip
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    first = {records_of(read_pack(tmp_path / name))[0]["reference"] for name in ("one", "two")}
    assert first == {"ABC/1/1", "ABC/2/1"}
    assert [(one["exhibit"], one["finished"]) for one in list_lines(home)] == [
        ("ABC/1", True), ("ABC/2", True),
    ]  # fmt: skip
    for name in ("one", "two"):
        assert say(home, "evidence", "verify", tmp_path / name).code == 0


# The log


def acts(home: Home) -> list[dict[str, Any]]:
    lines = say(home, "--json", "log", "show", "--limit", "0").json_lines()
    return [one for one in lines if one["type"] == "act" and one["command"] == "evidence export"]


def test_the_log_says_what_was_exported_and_to_whom(home: Home, tmp_path: Path) -> None:
    export(home, tmp_path / "p", "is:moderated", "--reason", "asked for", "--format", "jsonl")
    export(home, tmp_path / "q", "is:moderated", "--recipient", "A solicitor", "--format", "jsonl")
    first, second = acts(home)
    assert (first["verb"], first["query"], first["case"]) == ("export", "is:moderated", "CO/17/26")
    assert (first["reason"], first["to"], first["results"]) == ("asked for", None, 1)
    assert (first["outcome"], first["detail"]["exhibit"]) == ("done", "ABC/1")
    assert first["ended_at"] is not None
    assert (second["verb"], second["to"], second["detail"]["exhibit"]) == ("disclose", "A solicitor", "ABC/2")
    extract = [json.loads(one) for one in read_pack(tmp_path / "q")["log-extract.jsonl"].splitlines()]
    assert next(one["link"]["sequence"] for one in extract) == first["sequence"]
    assert extract[-1]["link"]["sequence"] == second["sequence"]


# Other forms


def test_the_flat_form_is_one_table_of_all_kinds(home: Home, rich: Rich, tmp_path: Path) -> None:
    ids = write_ids(tmp_path / "ids", rich.ids)
    result = export(home, tmp_path / "flat.csv", "--ids", ids, "--format", "flat")
    assert "records in" in result.output
    assert list_lines(home) == []
    text = (tmp_path / "flat.csv").read_bytes().decode("utf-8-sig")
    assert text.splitlines()[0] == FLAT_COLUMNS
    rows = {(row["action"], row["id"]): row for row in csv.DictReader(io.StringIO(text))}
    scene = rich.scene
    assert rows["message", rich.told]["message"].startswith(SECRET_TEXT)
    assert rows["message", rich.told]["user"] == "zoe_example77"
    assert rows["post", rich.own]["profile_url"] == "https://x.com/SpringfieldPD"
    assert rows["reply", scene.reply]["user"] == "loud_resident"
    assert rows["block", scene.author.id]["user"] == "loud_resident"
    assert rows["block", scene.author.id]["name"] == "Loud Resident"
    assert rows["moderation_hidden", scene.reply]["user"] == "loud_resident"
    assert [row["time"] for row in rows.values() if row["action"] != "profile" and not row["time"]] == []
    assert all(not cell or cell[0] not in "=+-@\t\r" for row in rows.values() for cell in row.values())


def test_a_zip_file_is_the_same_bag(home: Home, tmp_path: Path) -> None:
    export(home, tmp_path / "p.zip", "kind:block")
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "out")
    assert run_bagit(tmp_path / "out").returncode == 0
    assert (tmp_path / "out" / "data" / "report.pdf").read_bytes().startswith(b"%PDF")
    assert say(home, "evidence", "verify", tmp_path / "p.zip").code == 0
    assert say(home, "evidence", "verify", tmp_path / "out").code == 0


@pytest.mark.parametrize("as_file", [False, True])
def test_an_encrypted_pack_opens_for_its_recipient_alone(
    run: Runner, home: Home, tmp_path: Path, as_file: bool
) -> None:
    identity = age.X25519Identity.generate()
    key = tmp_path / "theirs.identity"
    key.write_text(f"{identity.encode()}\n")
    key.chmod(0o600)
    public = tmp_path / "theirs.public"
    public.write_text(f"{identity.recipient().encode()}\n")
    recipient = public if as_file else identity.recipient().encode()
    output = tmp_path / "pack.age"
    say(
        home, "evidence", "export", "kind:moderation", *NAMED, "--format", WITHOUT_PDF, "-o", output,
        "--encrypt-to", recipient,
    )  # fmt: skip
    assert output.read_bytes().startswith(b"age-encryption.org/v1\n")
    command = [require_program("age"), "-d", "-i", str(key), "-o", str(tmp_path / "p.zip"), str(output)]
    assert subprocess.run(command, timeout=60).returncode == 0
    subprocess.run([require_program("unzip"), "-q", "p.zip", "-d", "out"], cwd=tmp_path, check=True)
    assert run_bagit(tmp_path / "out").returncode == 0
    result = run("evidence", "verify", "--identity", key, output)
    assert result.code == 0, result
    other = tmp_path / "other.identity"
    other.write_text(f"{age.X25519Identity.generate().encode()}\n")
    other.chmod(0o600)
    assert run("evidence", "verify", "--identity", other, output).code == 12
    assert run("evidence", "verify", output).code == 12
    assert list_lines(home)[0]["finished"] is True


def test_json_says_what_was_made(home: Home, tmp_path: Path) -> None:
    (line,) = say(
        home, "--json", "evidence", "export", "is:moderated", *NAMED, "--format", "csv,jsonl", "-o",
        tmp_path / "p",
    ).json_lines()  # fmt: skip
    assert (line["type"], line["exhibit"], line["records"]) == ("pack", "ABC/1", 1)
    files = read_pack(tmp_path / "p")
    assert line["files"] == len(files)
    assert line["bytes"] == sum(map(len, files.values()))
