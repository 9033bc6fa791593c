"""Moderation records are made while an archive is sealed: nothing is lost, and nothing is sealed twice."""

import io
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from archiver.inbox.exports import import_exports
from archiver.moderation.keeping import keep_entries
from archiver.rebuild import rebuild_segment
from archiver.seal import SealResult, seal
from archiver.sources.moderation import KIND
from archiver.sources.x.media_names import media_file_name
from archiver.spool import MissingMedia
from archiver.state import Sealing
from archiver.stores.base import StoredFile
from archiver.stores.local import LocalStore
from archiver.vault import Vault
from archiver.verification import verify_vault
from archiver.wiring.collector import Collector, open_collector
from archiver.wiring.seal import seal_options
from tests.faults.folders import check_nothing_half, make_folder, sample
from tests.homes import NOW_MS, Home
from tests.made_vaults import ACCOUNT, moderation
from tests.programs import PROJECT
from tests.unit.seal.spooled import answer_of, keep_one, x_post


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(make_folder(tmp_path / "home"))


def take(collector: Collector, export: Path) -> None:
    (result,) = import_exports(collector, [export], may_add_account=True, clock=lambda: NOW_MS)
    assert result.error is None


def sealed(home: Home, collector: Collector, vault: Vault | None = None, workers: int = 1) -> SealResult:
    options = replace(seal_options(home.settings), workers=workers)
    return seal(collector.spool, collector.state, vault or home.vault, options, lambda: NOW_MS)


def rows(home: Home, sql: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for archive in home.archives:
        for file in archive.manifest.segments:
            with home.vault.open_segment(archive, file, home.identities) as segment:
                found += segment.connection.execute(sql)
    return found


def check_once(home: Home, made: list[str]) -> None:
    """Every entry made is sealed once, with its screenshot and what stood around it, and all is sound."""
    check_nothing_half(home.folder)
    assert Counter(one for (one,) in rows(home, "SELECT id FROM moderation")) == Counter(made)
    numbers = [int(one.rpartition("-")[2]) for one in made]
    hashes = [sha256(b"screenshot %d" % number).hexdigest() for number in numbers]
    held = rows(home, "SELECT sha256, missing FROM media WHERE record_table = 'moderation'")
    assert sorted(held) == sorted((one, None) for one in hashes)
    around = [one for (one,) in rows(home, "SELECT platform_id FROM post WHERE text LIKE 'reply %'")]
    assert sorted(around) == sorted(str(70_000 + number) for number in numbers)
    assert verify_vault(home.vault, known_head=None, identities=home.identities).problems == []
    for archive in home.archives:
        counts = {one.kind: one for one in archive.manifest.counts}
        sealed_here = sum(file.records.get(KIND, 0) for file in archive.manifest.segments)
        assert (counts[KIND].new if KIND in counts else 0) == sealed_here
        requests = sum(one.requests for one in archive.manifest.origins if one.source == "moderation")
        assert requests == sealed_here  # an entry a capture, here
        for file in archive.manifest.segments:
            rebuilt = rebuild_segment(home.vault, archive, file, home.identities)
            assert rebuilt.different == 0, rebuilt.named


class TellingStore(LocalStore):
    """A store that tells before each of its calls, and is an ordinary one besides."""

    tell: Callable[[], None]

    def create(self, name: str, *, sha256: str | None = None) -> Any:
        self.tell()
        return super().create(name, sha256=sha256)

    def put_new(self, name: str, source: bytes | BinaryIO, *, sha256: str | None = None) -> None:
        self.tell()
        super().put_new(name, source, sha256=sha256)

    def open_random(self, name: str) -> StoredFile:
        self.tell()
        return super().open_random(name)

    def list(self, prefix: str = "") -> Any:
        self.tell()
        return super().list(prefix)


def test_records_made_at_every_step_of_a_sealing_are_sealed_once_each(home: Home, tmp_path: Path) -> None:
    made: list[str] = []
    with open_collector(home.settings) as collector, home.open_spool() as beside:

        def tell() -> None:
            made.append(keep_one(beside, len(made)))

        take(collector, sample(tmp_path / "one.zip", months=1))
        tell()
        store = TellingStore(home.folder / "vault")
        store.tell = tell
        first = sealed(home, collector, Vault(store)).archive
        assert first is not None
        begun = sum(file.records[KIND] for file in first.manifest.segments)
        assert 1 <= begun < len(made) - 8, "steps of the sealing brought no more records"
        assert not collector.spool.is_empty()
        assert len([one for one in collector.spool.pages() if one.kind == KIND]) == len(made) - begun
        second = sealed(home, collector).archive
        assert second is not None
    check_once(home, made)
    packed = [one.new for archive in home.archives for one in archive.manifest.counts if one.kind == "media"]
    assert sum(packed) == len(set(rows(home, "SELECT file_name FROM media WHERE missing IS NULL")))


WRITER = """
import sys
from pathlib import Path
from tests.homes import Home
from tests.unit.seal.spooled import keep_one
home, first = Home(Path(sys.argv[1])), int(sys.argv[2])
with home.open_spool() as spool:
    for number in range(first, first + 100_000):
        print(keep_one(spool, number), flush=True)
"""


def wait_until_both_write(*outputs: Path) -> None:
    """However slowly their processes start."""
    for _ in range(1_200):
        if all(output.read_bytes().count(b"\n") > 10 for output in outputs):
            return
        time.sleep(0.1)
    pytest.fail("the writers do not write")


def test_processes_that_make_records_all_the_time_while_archives_are_sealed(
    home: Home, tmp_path: Path
) -> None:
    writers = []
    with open_collector(home.settings) as collector:
        for number in (0, 200_000):
            output = (tmp_path / f"{number}").open("w+")
            writers.append(
                (
                    subprocess.Popen(
                        [sys.executable, "-c", WRITER, str(home.folder), str(number)],
                        cwd=PROJECT,
                        stdout=output,
                    ),
                    output,
                )
            )
        wait_until_both_write(tmp_path / "0", tmp_path / "200000")
        for months in (1, 2, 3):
            take(collector, sample(tmp_path / f"{months}.zip", months=months))
            assert sealed(home, collector, workers=2).archive is not None
        assert [writer.poll() for writer, _ in writers] == [None, None], "a writer ended before its time"
        for writer, _ in writers:
            writer.kill()
            writer.wait()
        sealed(home, collector)
        sealed(home, collector)  # sweeps what a killed writer left
    made = []
    for _, output in writers:
        output.seek(0)
        made += output.read().split()
        output.close()
    sealed_entries = {one for (one,) in rows(home, "SELECT id FROM moderation")}
    assert set(made) <= sealed_entries
    assert len(sealed_entries - set(made)) <= 2, "more than a kill can keep from being told"
    assert len(made) > 20
    with open_collector(home.settings) as collector:
        collector.spool.sweep_media()
        collector.spool.empty(0, collector.spool.last_ids()[1], 0)  # a screenshot whose entry was not made
    check_once(home, sorted(sealed_entries))


def test_what_was_made_after_a_sealing_that_was_cut_off_stays_when_that_is_finished(
    home: Home, tmp_path: Path
) -> None:
    with open_collector(home.settings) as collector:
        made = [keep_one(collector.spool, 0)]
        take(collector, sample(tmp_path / "one.zip", months=1))
        spooled = {path.name: path.read_bytes() for path in home.settings.spool.glob("spool.sqlite*")}
        files = {path.name: path.read_bytes() for path in (home.settings.spool / "media").iterdir()}
        last_ids = collector.spool.last_ids()
        archive = sealed(home, collector).archive
    assert archive is not None
    for name, data in spooled.items():  # as if it was killed right after the manifest was written
        (home.settings.spool / name).write_bytes(data)
    for name, data in files.items():
        (home.settings.spool / "media" / name).write_bytes(data)
    with home.open_spool() as beside:
        made.append(keep_one(beside, 1))
    with open_collector(home.settings) as collector:
        with collector.state.transaction():
            collector.state.set_sealing(Sealing(archive.name, archive.manifest.mark, *last_ids))
        result = sealed(home, collector)
        assert result.finished_earlier
    check_once(home, made)


def test_pages_that_the_state_never_hears_of_are_sealed_and_harm_nothing(home: Home, tmp_path: Path) -> None:
    """Between two pages of a run that holds the lock, another has put its own: the state notes the last one
    of the first run, and those before it count as noted."""
    export = sample(tmp_path / "one.zip", months=1)
    with open_collector(home.settings) as collector, home.open_spool() as beside:
        made = [keep_one(beside, 0)]
        assert collector.state.note("last_page") is None
        take(collector, export)
        made.append(keep_one(beside, 1))
        assert collector.state.recover(collector.spool) == 3  # the answer's two pages and the entry's
        made.append(keep_one(beside, 2))
    with open_collector(home.settings) as collector:
        context = collector.state.series("x", ACCOUNT, "context", "api")
        assert set(collector.state.find_seen(context, [70_000, 70_001, 70_002])) == {70_001, 70_002}
        assert collector.state.find_series("x", ACCOUNT, "mention", "api") is None
        sealed(home, collector)
        take(collector, export)  # known: nothing of it is new
        assert sealed(home, collector).archive is None
    check_once(home, made)


def test_a_picture_that_comes_while_an_archive_is_sealed_is_missing_in_it_and_is_in_the_next(
    home: Home,
) -> None:
    url = "https://pbs.example/media/a.jpg"
    name = media_file_name("70001", url)
    post = x_post("70001", "look", attachments={"media_keys": ["3_1"]})
    media = [{"media_key": "3_1", "type": "photo", "url": url}]
    with open_collector(home.settings) as collector, home.open_spool() as beside:
        missing = [MissingMedia(ACCOUNT, name, "404")]
        keep_entries(
            beside, [moderation("m1")], [answer_of(beside, post, media=media, missing=missing) for _ in "ab"]
        )

        def progress(phase: str, done: int, total: int) -> None:
            if done == 0:
                with beside.appending():
                    beside.add_media(ACCOUNT, name, io.BytesIO(b"there at last"))

        options = seal_options(home.settings)
        first = seal(collector.spool, collector.state, home.vault, options, lambda: NOW_MS, progress).archive
        assert first is not None
        (count,) = [one for one in first.manifest.counts if one.kind == "media"]
        assert (count.new, count.missing) == (0, {"404": 1})
        reason = "not there yet when this was sealed"
        assert rows(home, "SELECT file_name, missing FROM media") == [(name, reason)] * 2
        keep_entries(beside, [moderation("m2")], [answer_of(beside, post, media=media)])
        second = sealed(home, collector).archive
        assert second is not None
    assert rows(home, "SELECT archive FROM media WHERE missing IS NULL") == [(second.name,)]
    check_nothing_half(home.folder)
