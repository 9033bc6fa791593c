"""`docs/format.md` names all that is in a vault: held against the schema, the manifest and a real vault."""

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from archiver.archive import manifest
from archiver.archive.build import APPLICATION_ID, PAGE_BYTES, SCHEMA_VERSION, read_schema
from archiver.archive.segment_file import BULK_FRAME_BYTES, FRAME_BYTES
from archiver.audit.entry import VERBS, Entry
from archiver.audit.link import LogLink
from archiver.audit.names import CUSTODY_KEY
from archiver.claims.claim import FORMAT, NAMESPACE, Claim
from archiver.cli import main
from archiver.custody.entry import FORMAT as CUSTODY_FORMAT
from archiver.custody.entry import KINDS as CUSTODY_KINDS
from archiver.custody.entry import CustodyEntry, Scope
from archiver.disposal import CERTIFICATE, SIGNATURE, Disposal
from archiver.evidence.register import FINISHED_FORMAT, TAKEN_FORMAT, FinishedEntry, TakenEntry
from archiver.initialise import VAULT_FORMAT
from archiver.records import RELATION_KINDS, Attachment, LogRow, Moderation
from archiver.seal.counting import CONTEXT_REQUEST
from archiver.seal.media import PACK_BYTES
from archiver.sources.moderation import LAYOUT, REQUEST, SOURCE, encode_entry
from archiver.sources.x_api.endpoints import AROUND, ENDPOINTS
from archiver.sources.x_export.layouts import Layout
from tests.docs.documents import prose
from tests.made_vaults import moderation
from tests.programs import PROJECT

DOCUMENT = PROJECT / "docs" / "format.md"


def sections() -> dict[str, str]:
    """Each heading's text, up to the next heading of any level."""
    parts = re.split(r"^#+ (.+)$", prose(DOCUMENT), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def named(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


@pytest.fixture(scope="module")
def schema() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.executescript(read_schema("schema.sql"))
    connection.executescript(read_schema("indexes.sql"))
    yield connection
    connection.close()


def names_of(schema: sqlite3.Connection, kind: str) -> list[str]:
    shadow = r"(post|message|relation)_fts_\w+|sqlite_.*"
    rows = schema.execute("SELECT name FROM sqlite_schema WHERE type = ?", (kind,))
    return [name for (name,) in rows if not re.fullmatch(shadow, name)]


def test_every_table_and_view_has_a_section_that_names_each_of_its_columns(
    schema: sqlite3.Connection,
) -> None:
    described = {name: text for heading, text in sections().items() for name in heading.split(", ")}
    for table in [*names_of(schema, "table"), *names_of(schema, "view")]:
        columns = {row[1] for row in schema.execute(f"PRAGMA table_info({table})")}
        assert columns - named(described[table]) == set(), table


def test_no_column_is_described_that_is_not_there(schema: sqlite3.Connection) -> None:
    for table in ("post", "capture", "moderation"):
        rows = re.findall(r"^\| (`[^|]*) \|", sections()[table], flags=re.MULTILINE)
        columns = {row[1] for row in schema.execute(f"PRAGMA table_info({table})")}
        assert named(" ".join(rows)) == columns, table


@pytest.mark.parametrize("name", ["format", "operations", "recovery", "retention", "threat-model"])
def test_no_line_outside_of_tables_is_longer_than_120_characters(name: str) -> None:
    lines = (DOCUMENT.parent / f"{name}.md").read_text().splitlines()
    assert [line for line in lines if len(line) > 120 and not line.startswith("|")] == []


def test_every_index_is_named(schema: sqlite3.Connection) -> None:
    indexes = set(names_of(schema, "index"))
    assert len(indexes) >= 7
    assert indexes - named(sections()["Indexes"]) == set()


def test_every_field_of_a_manifest_is_described_and_no_other() -> None:
    structs = (
        manifest.Manifest,
        manifest.File,
        manifest.Count,
        manifest.Origin,
        manifest.KnownGap,
        manifest.ModerationCount,
    )
    fields = {field.name for struct in structs for field in msgspec.structs.fields(struct)}
    rows = re.findall(r"^\| (`[^|]*) \|", sections()["manifest.json"], flags=re.MULTILINE)
    assert named(" ".join(rows)) == fields


def test_every_field_of_the_log_is_described_and_no_other() -> None:
    for heading, struct in (("A link", LogLink), ("An entry of the log", Entry)):
        fields = {field.name for field in msgspec.structs.fields(struct)}
        rows = re.findall(r"^\| (`[^|]*) \|", sections()[heading], flags=re.MULTILINE)
        assert named(" ".join(rows)) == fields
    assert set(VERBS) <= named(sections()["An entry of the log"])


def test_every_field_of_a_claim_is_described_and_no_other() -> None:
    fields = {field.name for field in msgspec.structs.fields(Claim)}
    rows = re.findall(r"^\| (`[^|]*) \|", sections()["collectors/"], flags=re.MULTILINE)
    assert named(" ".join(rows)) == fields
    assert FORMAT in named(sections()["collectors/"])
    assert NAMESPACE in named(sections()["collectors/"])


def texts_of(kind: object) -> set[str]:
    """The texts that a field can be, where it can be only some."""
    found = msgspec.inspect.type_info(kind)
    kinds = found.types if isinstance(found, msgspec.inspect.UnionType) else (found,)
    return {text for one in kinds if isinstance(one, msgspec.inspect.LiteralType) for text in one.values}


def test_every_field_of_an_entrys_json_is_described_with_its_type_and_no_other() -> None:
    names = {"int": "number", "str": "text", "tuple": "list of texts"}
    types = {}
    for field in msgspec.structs.fields(Moderation):
        found = msgspec.inspect.type_info(field.type)
        one = found.types[0] if isinstance(found, msgspec.inspect.UnionType) else found
        kind = type(one).__name__.removesuffix("Type").lower()
        is_time = field.name.endswith("_ms")
        name = f"{field.name.removesuffix('_ms')}_at" if is_time else field.name
        types[name] = "time" if is_time else names.get("tuple" if "tuple" in kind else kind, "text")
    types |= {"attachments": "list of objects", "imported": "object"}
    (_, _, table) = sections()["An entry's JSON"].partition("| field |")
    described = {
        name: cells[1]
        for line in table.splitlines()[2:]
        if len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 3
        for name in named(cells[0])
    }
    assert described == types
    for struct in (Attachment, LogRow):
        assert {field.name for field in msgspec.structs.fields(struct)} <= named(table)


def test_every_field_of_a_certificate_and_of_a_decision_is_described_and_no_other() -> None:
    section = sections()["disposed.json"]
    rows = re.findall(r"^\| (`[^|]*) \|", section, flags=re.MULTILINE)
    assert named(" ".join(rows)) == {field.name for field in msgspec.structs.fields(Disposal)}
    section = sections()["The custody register"]
    rows = re.findall(r"^\| (`[^|]*) \|", section, flags=re.MULTILINE)
    assert named(" ".join(rows)) == {field.name for field in msgspec.structs.fields(CustodyEntry)}
    text = named(section)
    assert {field.name for field in msgspec.structs.fields(Scope)} <= text
    assert set(CUSTODY_KINDS) <= text
    assert {CUSTODY_KEY, CUSTODY_FORMAT} <= text


def test_every_code_of_an_entry_is_named() -> None:
    text = named(sections()["moderation"])
    for field in msgspec.structs.fields(Moderation):
        assert texts_of(field.type) - text == set(), field.name
    kinds = texts_of(Moderation.__annotations__["entry"])
    rows = re.findall(r"^\| (`[^|]*) \|", sections()["Moderation records"], flags=re.MULTILINE)
    assert named(" ".join(rows)) - {"entry"} == kinds


def test_the_smallest_entry_has_the_fields_that_are_said_to_be_always_there() -> None:
    (always,) = re.findall(r"^(.*) are always there\.", sections()["An entry's JSON"], flags=re.M | re.S)
    said = named(always.rpartition("\n\n")[2])
    assert said | {"schema_version"} == set(json.loads(encode_entry(moderation("m1"))))


def test_the_ways_in_which_bytes_were_got_are_named() -> None:
    text = named(sections()["capture"])
    assert {SOURCE, LAYOUT, REQUEST, "manual", *AROUND} <= text
    assert set(AROUND) <= set(ENDPOINTS)
    assert CONTEXT_REQUEST in named(sections()["manifest.json"])


def test_names_and_numbers_are_those_of_the_code() -> None:
    text = prose(DOCUMENT)
    for name in (VAULT_FORMAT, manifest.FORMAT, "archiver-segment-1", f"`{manifest.NAMESPACE}`"):
        assert name in text
    assert f"`{APPLICATION_ID:#x}`" in text
    assert f"`user_version` {SCHEMA_VERSION}" in text
    assert f"Page size {PAGE_BYTES // 1024} KiB" in text
    assert f"frames of {FRAME_BYTES // 1024} KiB" in text
    assert f"of {BULK_FRAME_BYTES // 1024 // 1024} MiB from there" in " ".join(text.split())
    assert f"{PACK_BYTES // 1024**3} GiB" in sections()["Media packs"]
    assert set(RELATION_KINDS) <= named(sections()["relation"])
    assert set(Layout.__args__) <= named(sections()["capture"])  # type: ignore[attr-defined]  # typing's own


def test_a_vaults_files_have_the_names_and_fields_described(tmp_path: Path) -> None:
    home = tmp_path / "sample"
    assert main(["demo", str(home)]) == 0
    vault = home / "vault"
    assert set(json.loads((vault / "vault.json").read_text())) == named(
        " ".join(re.findall(r"^\| (`[^|]*) \|", sections()["vault.json"], flags=re.MULTILINE))
    )
    (archive,) = (vault / "archives").iterdir()
    listed = re.search(r"```\n(vault\.json.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert listed is not None
    names = [line.split()[0] for line in listed[1].splitlines()]
    layout = {name.rpartition("/")[2] for name in names if not name.startswith("exhibits/")}
    own = {"vault.json", "allowed_signers", "00000001.tar", "manifest.json.tsr", CERTIFICATE, SIGNATURE}
    # The last ones are there only where the settings name an authority, and where it was disposed of.
    assert {path.name for path in archive.iterdir()} | own == layout
    chain = {path.name for path in (vault / "audit" / "sample-holder").iterdir()}
    assert chain == {"allowed_signers", "00000001.tar", "00000002.tar"}


def test_the_entries_of_the_register_of_exhibits_have_the_fields_described() -> None:
    section = next(text for title, text in sections().items() if title.startswith("exhibits/"))
    rows = re.findall(r"^\| (`….*?`)? ?\| `(\w+)` \|", section, flags=re.MULTILINE)
    starts = [number for number, (file, _) in enumerate(rows) if file]
    fields = [name for _, name in rows]
    assert fields[: starts[1]] == list(TakenEntry.__struct_fields__)
    assert fields[starts[1] :] == list(FinishedEntry.__struct_fields__)
    assert TAKEN_FORMAT in section
    assert FINISHED_FORMAT in section


def test_a_segment_is_laid_out_as_described(tmp_path: Path) -> None:
    home = tmp_path / "sample"
    assert main(["demo", str(home)]) == 0
    (archive,) = (path.name for path in (home / "vault" / "archives").iterdir())
    assert main(["--config", str(home), "restore", archive, "--to", str(tmp_path / "restored")]) == 0
    database = sqlite3.connect(tmp_path / "restored" / archive / "records-000.sqlite")
    assert database.execute("PRAGMA page_size").fetchone() == (PAGE_BYTES,)
    assert database.execute("PRAGMA freelist_count").fetchone() == (0,)
    found = {name for (name,) in database.execute("SELECT name FROM meta")}
    assert found == named(sections()["meta"]) - {"name", "value", "archiver-segment-1"}
    unordered = database.execute(
        "SELECT count(*) FROM post AS a JOIN post AS b ON b.key = a.key + 1 WHERE b.posted_ms < a.posted_ms"
    ).fetchone()
    assert unordered == (0,)
    for table in ("post", "message"):
        (rows,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
        (read,) = database.execute(f"SELECT count(*) FROM {table}_raw WHERE json_valid(raw)").fetchone()  # noqa: S608
        assert rows == read > 100
    database.close()
