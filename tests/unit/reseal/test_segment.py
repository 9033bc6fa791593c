"""A segment made anew: of every schema; where others say the same words, repeat it, or hold it in lines of
CSV."""

import json
from pathlib import Path
from typing import Any

import apsw
import pytest

from archiver.archive.build import SegmentBuilder
from archiver.archive.manifest import File
from archiver.cutting.needles import Needles
from archiver.cutting.scrubbing import Scrubber
from archiver.formats import age
from archiver.keys import archive_key_name, new_identity, seal_archive_key
from archiver.rebuild import rebuild_segment
from archiver.reseal.names import RecordName
from archiver.reseal.reduction import Quote, Reduction
from archiver.reseal.rows import find_rows
from archiver.reseal.segment import SegmentResealing
from archiver.reseal.survey import Wanted, reduce_segment
from archiver.seal.segment import store_segment
from archiver.vault import Archive
from tests.made_vaults import Made, VaultMaker, message, post

SCHEMAS = (1, 2, 3)
TEXT = "the very words that more than one person said"


@pytest.fixture
def maker(tmp_path: Path) -> VaultMaker:
    return VaultMaker(tmp_path / "vault")


def only(maker: VaultMaker) -> Archive:
    (archive,) = maker.vault().list_archives().require_sound()
    return archive


def needles_of(connection: apsw.Connection, names: tuple[RecordName, ...]) -> Needles:
    found = find_rows(connection, names)
    return Needles(found.ids, found.texts)


def reduction_of(maker: VaultMaker, name: RecordName, **how: bool) -> Reduction:
    archive = only(maker)
    with maker.vault().open_segment(archive, archive.manifest.files[0], [maker.holder]) as segment:
        needles = needles_of(segment.connection, (name,))
        return reduce_segment(segment.connection, Wanted((name,), **how), needles)


def resealed(maker: VaultMaker, name: RecordName, **how: bool) -> tuple[Archive, File]:
    """The vault's only archive, and one more that was made of it."""
    archive, identity = only(maker), new_identity(classic=True)
    (file,) = archive.manifest.files
    with maker.vault().open_segment(archive, file, [maker.holder]) as segment:
        needles = needles_of(segment.connection, (name,))
        reduction = reduce_segment(segment.connection, Wanted((name,), **how), needles)
        resealing = SegmentResealing(
            segment.connection, reduction, needles, language="english", renamed={archive.name: "2030-01-01"}
        )
        builder: SegmentBuilder = resealing.run([])
        sealed = store_segment(maker.store, f"archives/2030-01-01/{file.name}", builder, identity)
        builder.close()
    maker.store.put_new(
        archive_key_name("2030-01-01"), seal_archive_key(identity, [maker.holder.recipient()])
    )
    assert isinstance(identity, age.X25519Identity)
    maker.sign("2030-01-01", maker.manifest("2030-01-01", [sealed], identity))
    return maker.vault().list_archives().require_sound()[-1], sealed


def ask(maker: VaultMaker, archive: Archive, sql: str) -> list[Any]:
    with maker.vault().open_segment(archive, archive.manifest.files[0], [maker.holder]) as segment:
        return segment.connection.execute(sql).fetchall()


@pytest.mark.parametrize("schema", SCHEMAS)
def test_what_an_earlier_version_sealed_keeps_its_schema(maker: VaultMaker, schema: int) -> None:
    maker.add_sealed_before(schema)
    old = only(maker)
    (one,) = ask(maker, old, "SELECT platform_id FROM post ORDER BY key DESC LIMIT 1")[0]
    new, file = resealed(maker, RecordName("x", "post", one), everywhere=True, entries=True)
    assert ask(maker, new, "PRAGMA user_version") == [(schema,)]
    assert ask(maker, new, "PRAGMA integrity_check") == [("ok",)]
    assert ask(maker, new, "PRAGMA freelist_count") == [(0,)]
    rebuilt = rebuild_segment(maker.vault(), new, file, [maker.holder])
    assert (rebuilt.different, rebuilt.named) == (0, [])
    assert 0 < rebuilt.records < sum(old.manifest.files[0].records.values())
    assert ask(maker, new, "SELECT platform_id FROM post").count((one,)) == 0


def test_a_record_that_says_the_same_words_itself_is_no_quote(maker: VaultMaker) -> None:
    maker.add("2026-10-01", [post("501", TEXT, 1), post("502", TEXT, 2), post("503", f"he said: {TEXT}", 3)])
    found = reduction_of(maker, RecordName("x", "post", "501"))
    assert found.quotes == [Quote("post", "503")]


def test_a_repost_is_known_by_its_beginning_where_x_cut_it(maker: VaultMaker) -> None:
    cut = f"RT @SpringfieldPD: {TEXT[:30]}…"
    maker.add(
        "2026-10-01",
        [
            post("501", TEXT, 1),
            post("502", cut, 2, kind="repost"),
            post("503", cut.replace("very", "other"), 3, kind="repost"),
        ],
    )
    found = reduction_of(maker, RecordName("x", "post", "501"))
    assert found.quotes == [Quote("post", "502")]
    found = reduction_of(maker, RecordName("x", "post", "501"), everywhere=True)
    assert len(found.found.keys["post"]) == 2


def test_all_versions_of_an_edited_post_go_by_the_id_of_any(maker: VaultMaker) -> None:
    edits = ("501", "502")
    maker.add(
        "2026-10-01",
        [
            post("501", "first words of it", 1, edit_ids=edits),
            Made(post("502", "second words of it", 2, record_id="501", edit_ids=edits), version=2),
            post("503", "another", 3),
        ],
    )
    for one in edits:
        found = reduction_of(maker, RecordName("x", "post", one)).found
        assert len(found.keys["post"]) == 2
        assert found.ids == set(edits)


def test_a_message_and_a_post_with_one_id_are_two_records(maker: VaultMaker) -> None:
    maker.add("2026-10-01", [post("501", "a post about it", 1), message("501", "a message about it", 2)])
    found = reduction_of(maker, RecordName("x", "message", "501"))
    assert {table: len(keys) for table, keys in found.found.keys.items() if keys} == {"message": 1}


def test_lines_of_csv_lose_the_line_and_nothing_else() -> None:
    line = b'"77001","2012-01-01","what was said then and there",'
    edits = Scrubber((), (), Needles(["77001"], ["what was said then and there"])).edits(line)
    (edit,) = edits
    assert edit.new == b'"[erased]","2012-01-01","[erased]",'
    assert json.loads(b"[" + edit.new.rstrip(b",") + b"]")[1] == "2012-01-01"
