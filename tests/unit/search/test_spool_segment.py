"""The spool's segments among those of the archives: what both are to a search, and which are left out."""

from pathlib import Path

from archiver.archive.read import SegmentReader
from archiver.seal.unsealed import UnsealedSegment
from archiver.search.spool_segment import OpenSegment, SpoolSegment, not_in_archives, spool_archive
from archiver.state import Sealing
from archiver.wiring.collector import open_collector
from archiver.wiring.spool import open_spool_segments
from tests.faults.folders import LATER, sample
from tests.homes import make_home
from tests.unit.seal.spooled import answer_of, x_post
from tests.unit.seal.test_unsealed import take

POSTS = "SELECT count(*) FROM post_fts WHERE post_fts MATCH ?"


def asked(segment: OpenSegment, word: str) -> int:
    """All that a search does with a segment."""
    segment.gather([(POSTS, [word])])
    segment.limit_memory(1 << 19, 1 << 19)
    ((number,),) = segment.connection.execute(POSTS, (word,)).fetchall()
    segment.let_go()
    assert segment.requests == 0
    assert segment.sealed.bytes_read >= segment.sealed.chunks_read
    assert segment.frames.frames_read > 0
    segment.close()
    return int(number)


def sealed(segment: SegmentReader) -> OpenSegment:
    return segment


def unsealed(segment: UnsealedSegment) -> SpoolSegment:
    return segment


def test_a_search_asks_sealed_and_unsealed_segments_alike(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    (archive,) = home.archives
    take(home, sample(tmp_path / "later.zip", months=3, until=LATER))
    (ours,) = open_spool_segments(home.settings)
    (file,) = archive.manifest.segments
    assert spool_archive([ours]).manifest.segments == [ours.file]
    assert asked(unsealed(ours), "road*") > 0
    assert asked(sealed(home.vault.open_segment(archive, file, home.identities)), "road*") > 0


def test_what_a_sealing_left_in_the_spool_is_not_counted_twice(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    (archive,) = home.archives
    with open_collector(home.settings) as collector:
        answer = answer_of(collector.spool, x_post("70001", "Sealed"))
        last = collector.spool.add_answer(answer)[-1]
        collector.spool.add_answer(answer_of(collector.spool, x_post("70002", "Not sealed")))
        with collector.state.transaction():  # as where a store that must have the archive too is away
            collector.state.set_sealing(Sealing(archive.name, archive.manifest.mark, last, 0))
    segments = open_spool_segments(home.settings)
    assert len(segments) == 2
    (left,) = not_in_archives(segments, [archive])
    assert left.connection.execute("SELECT platform_id FROM post").fetchall() == [("70002",)]
    assert not_in_archives(open_spool_segments(home.settings), home.archives[:0])[0].records == 2


def test_of_a_sealing_whose_archive_is_not_there_everything_is_in_the_spool(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    with open_collector(home.settings) as collector:
        pages = collector.spool.add_answer(answer_of(collector.spool, x_post("70001", "Not sealed")))
        with collector.state.transaction():
            collector.state.set_sealing(Sealing("2026-01-01", "another mark", pages[-1], 0))
    segments = open_spool_segments(home.settings)
    assert not_in_archives(segments, home.archives) == segments
    assert [one.mark for one in segments] == ["another mark"]
