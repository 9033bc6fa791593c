"""What earlier versions sealed opens, verifies, is found and made again, alone and beside what is sealed."""

import re
from contextlib import closing
from pathlib import Path

import pytest

from archiver.archive.build import SCHEMA_VERSION
from archiver.rebuild import rebuild_segment
from archiver.search.language import parse_query
from archiver.search.record import find_record
from archiver.vault import Vault
from archiver.verification import verify_vault
from tests.made_vaults import SEALED_BEFORE, VaultMaker, moderation, post

SCHEMAS = (1, 2, 3)
VERSIONS = {1: "archiver 0.1.0", 2: "archiver 0.2.0", 3: "archiver 0.4.0"}


@pytest.fixture
def maker(tmp_path: Path) -> VaultMaker:
    return VaultMaker(tmp_path / "vault")


def ask(maker: VaultMaker, vault: Vault, sql: str) -> list[list[tuple[object, ...]]]:
    """The answer of each archive's segment."""
    found = []
    for archive in vault.list_archives().require_sound():
        with vault.open_segment(archive, archive.manifest.files[0], [maker.holder]) as segment:
            found.append(segment.connection.execute(sql).fetchall())
    return found


def test_there_is_a_segment_of_every_schema_before_this_one() -> None:
    kept = {int(re.sub(r"\D", "", path.name)) for path in SEALED_BEFORE.iterdir()}
    assert kept == set(SCHEMAS) == set(range(1, SCHEMA_VERSION))


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_segment_of_an_earlier_version_is_what_that_version_made(maker: VaultMaker, schema: int) -> None:
    maker.add_sealed_before(schema)
    assert ask(maker, maker.vault(), "PRAGMA user_version") == [[(schema,)]]
    assert ask(maker, maker.vault(), "SELECT value FROM meta WHERE name = 'tool'") == [[(VERSIONS[schema],)]]
    tables = {name for (name,) in ask(maker, maker.vault(), "SELECT name FROM sqlite_schema")[0]}
    assert ({"person", "again"} & tables != set()) == (schema >= 2)
    assert ("moderation" in tables) == (schema >= 3)
    assert "post_in_reply_to_id" not in tables


@pytest.mark.parametrize("schema", SCHEMAS)
def test_it_is_whole_and_every_record_is_made_again_alike(maker: VaultMaker, schema: int) -> None:
    maker.add_sealed_before(schema)
    vault = maker.vault()
    assert verify_vault(vault, known_head=maker.head, identities=[maker.holder]).problems == []
    (archive,) = vault.list_archives().require_sound()
    (file,) = archive.manifest.files
    rebuilt = rebuild_segment(vault, archive, file, [maker.holder])
    assert (rebuilt.different, rebuilt.named) == (0, [])
    assert rebuilt.records == sum(file.records.values()) > 10


def test_records_of_all_schemas_are_found_side_by_side(maker: VaultMaker) -> None:
    for schema in SCHEMAS:
        maker.add_sealed_before(schema)
    maker.add("2026-12-01", [post("1", "Bridge open again", 1), moderation("m1", item_id="2", text="rude")])
    with closing(maker.searcher()) as searcher:
        hits = searcher.search(parse_query("bridge"), limit=0).hits
        assert len({hit.archive for hit in hits}) == 4
        (message,) = searcher.search(parse_query("tip sandbags kind:message")).hits
        assert message.versions == 1  # which came both ways
        assert searcher.search(parse_query("kind:follower"), limit=0).hits
        for hit in hits:
            (*versions,) = find_record(searcher, hit.id).versions
            assert {one.archive for one in versions} == {hit.archive}
    assert verify_vault(maker.vault(), known_head=maker.head, identities=[maker.holder]).problems == []
