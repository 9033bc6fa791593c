"""Rebuilding: every row comes from the captured bytes, and one that does not is named."""

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from archiver.errors import IntegrityError
from archiver.formats import age
from archiver.formats.seekable_zstd import SeekableWriter
from archiver.inbox.exports import import_exports
from archiver.keys import archive_key_name, seal_archive_key
from archiver.moderation.keeping import keep_entries
from archiver.rebuild import NAMED_DIFFERENCES, Rebuilt, rebuild_segment
from archiver.seal import seal
from archiver.wiring.collector import open_collector
from archiver.wiring.seal import seal_options
from tests.faults.folders import make_folder, sample
from tests.homes import NOW_MS, Home
from tests.made_vaults import VaultMaker
from tests.unit.seal.spooled import answer_of, with_screenshot, x_post


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The short sample, and two decisions with a screenshot each and what X showed around one of them."""
    folder = tmp_path_factory.mktemp("rebuild")
    home = Home(make_folder(folder / "home"))
    with open_collector(home.settings) as collector:
        export = sample(folder / "sample.zip")
        (result,) = import_exports(collector, [export], may_add_account=True, clock=lambda: NOW_MS)
        assert result.error is None
        spool = collector.spool
        entries = [
            with_screenshot(spool, f"m{number}", b"a picture", text="rude", reason_codes=("abusive",))
            for number in (1, 2)
        ]
        keep_entries(spool, entries, [answer_of(spool, x_post("70001", "rude"))])
        seal(spool, collector.state, home.vault, seal_options(home.settings), lambda: NOW_MS)
    return home


def test_a_sealed_sample_is_derived_again_and_equal(home: Home) -> None:
    (archive,) = home.archives
    results = [
        rebuild_segment(home.vault, archive, file, home.identities) for file in archive.manifest.segments
    ]
    assert [(one.different, one.named) for one in results] == [(0, [])] * len(results)
    sealed = sum(sum(file.records.values()) for file in archive.manifest.files)
    assert archive.manifest.files[0].records["moderation"] == 2
    assert sum(one.records for one in results) == sealed
    assert sealed > 300


def forged(home: Home, folder: Path, change: Callable[[apsw.Connection], object]) -> Rebuilt:
    """Rebuild the sample's segment after somebody who can sign altered rows in it."""
    (archive,) = home.archives
    (file,) = archive.manifest.segments
    with home.vault.open_segment(archive, file, home.identities) as segment:
        plain = segment.frames.read_at(0, segment.frames.size)
    database = apsw.Connection(":memory:")
    database.deserialize("main", plain)
    change(database)
    plain = database.serialize("main")
    database.close()
    maker, identity = VaultMaker(folder / "forged"), age.X25519Identity.generate()
    with (
        maker.store.create(archive.path(file)) as target,
        age.encrypt_stream([identity.recipient()], target) as sealed,
        SeekableWriter(sealed) as frames,
    ):
        frames.write(plain)
    key = seal_archive_key(identity, [maker.holder.recipient()])
    maker.store.put_new(archive_key_name(archive.name), key)
    maker.sign(archive.name, maker.manifest(archive.name, [file], identity))
    (signed,) = maker.vault().list_archives().require_sound()
    return rebuild_segment(maker.vault(), signed, file, [maker.holder])


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("UPDATE post SET text = 'never said' WHERE key = 5", "post 5: text"),
        (
            "UPDATE post SET author_handle = 'x', posted_ms = 1 WHERE key = 6",
            "post 6: author_handle, posted_ms",
        ),
        ("UPDATE message SET text = 'never said' WHERE key = 2", "message 2: text"),
        ("UPDATE relation SET platform_id = '5' WHERE key = 3", "relation 3: platform_id"),
        ("UPDATE account SET facts = '[]', handle = 'x' WHERE key = 1", "account 1: "),
        ("UPDATE gone SET how = 'x' WHERE key = 1", "gone 1: how"),
        ("DELETE FROM mention WHERE post = (SELECT min(post) FROM mention)", ": only made anew"),
        ("INSERT INTO hashtag VALUES (9, 77, 'added')", "hashtag 9/77: only sealed"),
        ("UPDATE link SET expanded = 'https://example.org/' WHERE position = 0", "link post/"),
        ("UPDATE media SET alt_text = 'x' WHERE position = 0", ": alt_text"),
        ("DELETE FROM record_capture WHERE record_table = 'post'", ": text, truncated"),
        ("UPDATE moderation SET text = 'polite' WHERE key = 1", "moderation 1: text"),
        (
            "UPDATE moderation SET \"case\" = 'K', reason_codes = '[]' WHERE key = 2",
            "moderation 2: reason_codes, case",
        ),
        ("DELETE FROM moderation WHERE key = 2", "media moderation/2/0: only sealed"),
        ("PRAGMA user_version = 2; UPDATE moderation SET hold = 'x' WHERE key = 1", "moderation 1: hold"),
        ("DELETE FROM media WHERE record_table = 'moderation'", "media moderation/1/0: only made anew"),
        (
            "UPDATE media SET file_name = 'x' WHERE record_table = 'moderation'",
            "media moderation/1/0: file_name",
        ),
        ("ALTER TABLE post ADD COLUMN more", "post: its columns are not those that this version makes"),
    ],
)
def test_a_row_that_its_capture_does_not_give_is_named(
    home: Home, tmp_path: Path, sql: str, named: str
) -> None:
    result = forged(home, tmp_path, lambda database: database.execute(sql))
    assert 1 <= result.different < 100
    assert any(named in one for one in result.named), result.named


def test_altered_captured_bytes_show_in_the_rows_that_lie_in_them(home: Home, tmp_path: Path) -> None:
    sql = (
        "UPDATE capture_part SET body = zeroblob(length(body))"
        " WHERE id = (SELECT part FROM post WHERE key = 1)"
    )
    result = forged(home, tmp_path, lambda database: database.execute(sql))
    assert result.different > NAMED_DIFFERENCES
    assert len(result.named) == NAMED_DIFFERENCES


def test_a_capture_that_is_missing_is_a_difference_and_not_the_end(home: Home, tmp_path: Path) -> None:
    result = forged(home, tmp_path, lambda database: database.execute("DELETE FROM capture_part"))
    assert result.different > 0


def test_a_table_that_its_schema_should_have_is_missed(home: Home, tmp_path: Path) -> None:
    sql = "DROP VIEW moderation_raw; DROP TABLE moderation"
    with pytest.raises(IntegrityError, match="no such table: moderation"):
        forged(home, tmp_path, lambda database: database.execute(sql))


def test_an_altered_segment_is_told_before_anything_is_compared(home: Home) -> None:
    (archive,) = home.archives
    (file,) = archive.manifest.segments
    path = home.folder / "vault" / archive.path(file)
    data = path.read_bytes()
    home.replace(archive.path(file), data[:-1] + bytes([data[-1] ^ 1]))
    try:
        with pytest.raises(IntegrityError, match=file.name):
            rebuild_segment(home.vault, archive, file, home.identities)
    finally:
        home.replace(archive.path(file), data)
