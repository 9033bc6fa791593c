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
from archiver.archive.vfs import BULK_FRAME_BYTES, FRAME_BYTES
from archiver.cli import main
from archiver.initialise import VAULT_FORMAT
from archiver.records import RELATION_KINDS
from archiver.seal.media import PACK_BYTES
from archiver.sources.x_export.layouts import Layout
from tests.docs.documents import prose
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
    for table in ("post", "capture"):
        rows = re.findall(r"^\| (`[^|]*) \|", sections()[table], flags=re.MULTILINE)
        columns = {row[1] for row in schema.execute(f"PRAGMA table_info({table})")}
        assert named(" ".join(rows)) == columns, table


def test_every_index_is_named(schema: sqlite3.Connection) -> None:
    indexes = set(names_of(schema, "index"))
    assert len(indexes) >= 7
    assert indexes - named(sections()["Indexes"]) == set()


def test_every_field_of_a_manifest_is_described_and_no_other() -> None:
    structs = (manifest.Manifest, manifest.File, manifest.Count, manifest.Origin, manifest.KnownGap)
    fields = {field.name for struct in structs for field in msgspec.structs.fields(struct)}
    rows = re.findall(r"^\| (`[^|]*) \|", sections()["manifest.json"], flags=re.MULTILINE)
    assert named(" ".join(rows)) == fields


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
    layout = {line.split()[0].rpartition("/")[2] for line in listed[1].splitlines()}
    assert {path.name for path in archive.iterdir()} | {"vault.json", "allowed_signers"} == layout


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
