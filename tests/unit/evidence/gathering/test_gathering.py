"""Exhibits made of a vault: every version with its bytes, captures named once, nothing that is not sealed."""

from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from archiver.errors import ArchiverError, IntegrityError
from archiver.evidence.gathering import Gathered, Gatherer, Pack, found_names
from archiver.evidence.gathering.media import MediaBook, MediaReader
from archiver.evidence.model import Original
from archiver.search.record import find_records
from archiver.search.record.sightings import RecordName
from archiver.search.run import Searcher
from tests.made_vaults import ACCOUNT, OTHER_ACCOUNT, Made, VaultMaker, like, message, moderation, post
from tests.packs import Rich

NOTICE, ANSWER, SECOND, TOLD = "101", "102", "103", "201"
HOUR = 3_600_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> VaultMaker:
    """Two archives: a notice, an answer to it, a message, a like; later the notice edited, and moderation."""
    maker = VaultMaker(tmp_path_factory.mktemp("made") / "vault")
    maker.add(
        "2026-10-01",
        [
            post(NOTICE, "The road is closed", HOUR),
            post(ANSWER, "Until when?", 2 * HOUR, author_id="9", author_handle="someone", kind="reply",
                 in_reply_to_id=NOTICE, conversation_id=NOTICE),
            message(TOLD, "A tip", 3 * HOUR),
            like("900", "A liked post", 4 * HOUR),
            like(NOTICE, "The same id as the notice", 4 * HOUR),
        ],
        fetched_ms=5 * HOUR,
    )  # fmt: skip
    maker.add(
        "2026-10-02",
        [
            Made(post(NOTICE, "The road is open", HOUR), version=2),
            moderation("m-1", item_id=ANSWER, item_type="reply", action="hidden", text="Until when?"),
        ],
        fetched_ms=30 * HOUR,
    )
    return maker


@pytest.fixture
def searcher(made: VaultMaker) -> Searcher:
    return made.searcher()


def names_of(searcher: Searcher, *ids: str) -> list[RecordName]:
    return list(found_names(find_records(searcher, ids)))


def gather(searcher: Searcher, names: list[RecordName]) -> tuple[Gatherer, list[Gathered]]:
    gatherer = Gatherer(searcher, Pack("ABC", 7), names)
    return gatherer, list(gatherer.gather())


def originals(one: Gathered) -> list[Original]:
    exhibit = one.exhibit
    return [
        *(original for version in exhibit.versions for original in version.originals),
        *(original for note in exhibit.moderation for original in note.originals),
        *(notice.original for notice in exhibit.gone if notice.original is not None),
    ]


# Which records


def test_of_one_id_posts_and_messages_are_meant_and_of_each_id_what_there_is(searcher: Searcher) -> None:
    assert names_of(searcher, NOTICE) == [("x", ACCOUNT, "post", NOTICE)]
    assert names_of(searcher, "900") == [("x", ACCOUNT, "like", "900")]
    assert names_of(searcher, "900", TOLD, NOTICE) == [
        ("x", ACCOUNT, "post", NOTICE), ("x", ACCOUNT, "message", TOLD), ("x", ACCOUNT, "like", "900"),
    ]  # fmt: skip
    assert names_of(searcher, "nothing") == []


def test_names_come_with_the_time_of_each(searcher: Searcher) -> None:
    found = found_names(find_records(searcher, [TOLD, ANSWER, NOTICE]))
    assert list(found.values()) == [HOUR, 2 * HOUR, 3 * HOUR]


# What is made of them


def test_exhibits_are_numbered_as_they_are_named(searcher: Searcher) -> None:
    names = names_of(searcher, TOLD, NOTICE)[::-1]
    exhibits = [one.exhibit for one in gather(searcher, names)[1]]
    assert [(one.number, one.reference, one.stem, one.id) for one in exhibits] == [
        (1, "ABC/7/1", "ABC_7_1", TOLD), (2, "ABC/7/2", "ABC_7_2", NOTICE),
    ]  # fmt: skip


def test_every_version_of_every_archive_is_there_with_what_changed(searcher: Searcher) -> None:
    (found,) = gather(searcher, names_of(searcher, NOTICE))[1]
    first, second = found.exhibit.versions
    assert (first.archive, first.text, first.changed_text) == ("2026-10-01", "The road is closed", ())
    assert (second.archive, second.text) == ("2026-10-02", "The road is open")
    assert "".join(one.text for one in second.changed_text if one.kind != "removed") == second.text
    assert (first.captured_ms, second.captured_ms) == (5 * HOUR, 30 * HOUR)
    assert found.exhibit.captured == (5 * HOUR, 30 * HOUR)
    assert first.manifest_sha256 != second.manifest_sha256


def test_bodies_are_the_bytes_that_the_originals_name(searcher: Searcher) -> None:
    gathered = gather(searcher, [*names_of(searcher, NOTICE, ANSWER, TOLD, "900")])[1]
    for one in gathered:
        named = {str(original.path): original for original in originals(one)}
        assert set(named) == set(one.bodies)
        for path, body in one.bodies.items():
            assert (sha256(body).hexdigest(), len(body)) == (named[path].sha256, named[path].size)
            assert path.startswith(f"data/originals/{one.exhibit.stem}.")


def test_captures_are_named_once_and_their_slices_are_the_originals_of_the_pack(searcher: Searcher) -> None:
    gatherer, gathered = gather(searcher, names_of(searcher, NOTICE, TOLD))
    captures = gatherer.books.captures.all()
    assert [one.name for one in captures] == ["C000001", "C000002"]
    slices = gatherer.books.captures.slices
    assert set(slices) == {f"data/captures/{one.name}.slices" for one in captures}
    sliced = [path for some in slices.values() for path in some]
    assert sorted(sliced) == sorted(path for one in gathered for path in one.bodies)


def test_a_thread_names_the_exhibits_that_the_pack_has(searcher: Searcher) -> None:
    both = gather(searcher, names_of(searcher, NOTICE, ANSWER))[1]
    lines = both[1].exhibit.thread
    assert [(one.id, one.exhibit, one.is_record) for one in lines] == [
        (NOTICE, "ABC/7/1", False), (ANSWER, "ABC/7/2", True),
    ]  # fmt: skip
    (alone,) = gather(searcher, names_of(searcher, ANSWER))[1]
    assert [one.exhibit for one in alone.exhibit.thread] == [None, "ABC/7/1"]


def test_moderation_is_told_with_its_item_and_by_itself(searcher: Searcher) -> None:
    (reply,) = gather(searcher, names_of(searcher, ANSWER))[1]
    (alone,) = gather(searcher, [("x", ACCOUNT, "moderation", "m-1")])[1]
    for one in (reply, alone):
        (note,) = one.exhibit.moderation
        assert (note.record_id, note.archives, note.entries[0].action) == ("m-1", ("2026-10-02",), "hidden")
        assert [original.path for original in note.originals] == [
            f"data/originals/{one.exhibit.stem}.m1.1.json"
        ]
    assert alone.exhibit.versions == ()
    assert alone.exhibit.kind == "moderation"


def test_an_address_is_given_for_posts_alone(searcher: Searcher) -> None:
    gathered = gather(searcher, names_of(searcher, NOTICE, TOLD, "900"))[1]
    assert [one.exhibit.url for one in gathered] == [f"https://x.com/i/status/{NOTICE}", None, None]


@pytest.mark.parametrize(
    "name",
    [
        ("x", ACCOUNT, "post", "404"), ("x", OTHER_ACCOUNT, "post", NOTICE),
        ("x", ACCOUNT, "message", NOTICE),
        ("x", ACCOUNT, "moderation", "m-404"),
    ],
)  # fmt: skip
def test_a_record_that_no_archive_holds_is_named(searcher: Searcher, name: RecordName) -> None:
    with pytest.raises(ArchiverError, match=f"{name[2]} {name[3]} of account {name[1]} is in no archive"):
        gather(searcher, [*names_of(searcher, TOLD), name])


def test_more_records_than_are_read_together_are_all_there(tmp_path: Path) -> None:
    maker = VaultMaker(tmp_path / "vault")
    maker.add("2026-10-01", [post(str(number), f"Notice {number}", number) for number in range(1, 1_102)])
    searcher = maker.searcher()
    names = names_of(searcher, *(str(number) for number in range(1, 1_102)))
    exhibits = [one.exhibit for one in gather(searcher, names)[1]]
    assert [(one.number, one.id) for one in exhibits] == [(n, str(n)) for n in range(1, 1_102)]
    assert len({one.stem for one in exhibits}) == 1_101


def test_pictures_that_are_held_and_that_are_not_say_so() -> None:
    book = MediaBook()
    row = {"file_name": "a.PNG", "media_type": "photo", "url": "", "alt_text": "", "sha256": "ab", "size": 3,
           "pack": "media-000.tar.age", "offset": 512, "archive": "2026-10-01", "missing": None}  # fmt: skip
    held = book.medium(row)
    assert (held.path, held.mime_type, held.missing) == ("data/media/ab.png", "image/png", None)
    assert list(book.places) == ["data/media/ab.png"]
    assert book.medium({**row, "archive": "later"}).path == held.path
    assert book.places["data/media/ab.png"].archive == "2026-10-01"
    strange = book.medium({**row, "sha256": "cd", "file_name": "../../etc/passwd.svg"})
    assert (strange.path, strange.mime_type) == ("data/media/cd.bin", "application/octet-stream")
    waiting = book.medium({**row, "pack": None, "sha256": "ef"})
    assert (waiting.path, waiting.missing) == (None, "not sealed yet")
    gone = book.medium({**row, "pack": None, "sha256": None, "missing": "404"})
    assert (gone.path, gone.missing) == (None, "404")
    disposed = MediaBook({"2026-10-01"})
    lost = disposed.medium(row)
    assert (lost.path, lost.missing) == (None, "in archive 2026-10-01, which was disposed of")
    assert disposed.places == {}


def test_a_picture_is_read_in_blocks_and_checked_at_its_end(rich: Rich) -> None:
    home = rich.home
    searcher = Searcher(home.vault, home.archives, home.identities)
    gatherer, _ = gather(searcher, names_of(searcher, rich.own))
    (place,) = gatherer.books.media.places.values()
    with closing(MediaReader(home.vault, home.archives, home.identities)) as media:
        assert sha256(b"".join(media.read(place))).hexdigest() == place.sha256
        for wrong in (
            place._replace(sha256="0" * 64), place._replace(size=place.size - 1),
            place._replace(offset=place.offset + 1), place._replace(size=1 << 40),
            place._replace(archive="2020-01-01"),
        ):  # fmt: skip
            with pytest.raises(IntegrityError):
                list(media.read(wrong))
    searcher.close()
