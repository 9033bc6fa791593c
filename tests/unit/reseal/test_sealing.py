"""An archive sealed anew: everything else is as it was, and nothing is left of what was to go."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from archiver.formats import age
from archiver.rebuild import rebuild_segment
from archiver.reseal.packs import ERASED_MEMBER
from archiver.reseal.searching import LeftoverError
from archiver.reseal.segment import REDUCED
from archiver.reseal.survey import Wanted
from archiver.reseal.tombstones import read_tombstones
from archiver.vault import Archive
from archiver.verification import verify_vault
from tests.faults.folders import copy_folder
from tests.homes import NOW_MS, Home
from tests.unit.reseal.erased import (
    DAY_MS,
    DECISION,
    ID,
    OTHER_ID,
    POLITE,
    RUDE,
    THIRD_ID,
    make_mixed_home,
    post_name,
    reseal,
    reseal_in,
    survey,
)

ROWS = {
    "post": "SELECT platform_id, version, author_id, posted_ms, kind, text, in_reply_to_id FROM post",
    "message": "SELECT platform_id, version, text, posted_ms, kind FROM message",
    "relation": "SELECT platform_id, version, kind, text FROM relation",
    "account": "SELECT platform_id, version, aspect, facts FROM account",
    "gone": "SELECT platform_id, kind, how FROM gone",
    "moderation": "SELECT id, number, 0, item_id, text, author_handle, reason_codes FROM moderation",
    "media": "SELECT file_name, sha256, size, pack, offset, missing FROM media",
    "mention": "SELECT platform_id, position, handle FROM mention JOIN post ON key = post",
    "hashtag": "SELECT platform_id, position, tag FROM hashtag JOIN post ON key = post",
    "raw": "SELECT platform_id, raw FROM post_raw",
    "problem": "SELECT what, reason, detail FROM problem",
    "again": "SELECT record_table FROM again",
    "person": "SELECT record_table, role, user_id FROM person",
    "link": "SELECT record_table, position, expanded FROM link",
}


ALONE = """
SELECT platform_id FROM post WHERE kind = 'post'
AND key NOT IN (SELECT record_key FROM media WHERE record_table = 'post')
AND platform_id NOT IN (SELECT in_reply_to_id FROM post WHERE in_reply_to_id IS NOT NULL) ORDER BY key DESC"""
"""A post without a picture that nothing quotes."""
SHOWN_ONCE = """
SELECT p.platform_id, m.pack, m.offset, m.size FROM media AS m JOIN post AS p ON p.key = m.record_key
WHERE m.record_table = 'post' AND m.pack IS NOT NULL GROUP BY m.sha256 HAVING count(*) = 1 LIMIT 1"""
"""A post with a picture that no other shows, and where that lies."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_mixed_home(tmp_path_factory.mktemp("reseal"))


@pytest.fixture
def home(made: Home, tmp_path: Path) -> Home:
    return Home(copy_folder(made.folder, tmp_path / "home"))


def rows(home: Home, archive: Archive) -> "dict[str, Counter[tuple[Any, ...]]]":
    found: dict[str, Counter[tuple[Any, ...]]] = {table: Counter() for table in ROWS}
    for file in archive.manifest.segments:
        with home.vault.open_segment(archive, file, home.identities) as segment:
            for table, sql in ROWS.items():
                found[table].update(segment.connection.execute(sql))
    return found


def ask(home: Home, archive: Archive, sql: str, *values: Any) -> list[Any]:
    (file,) = archive.manifest.segments
    with home.vault.open_segment(archive, file, home.identities) as segment:
        return segment.connection.execute(sql, values).fetchall()


def plain(home: Home, archive: Archive) -> bytes:
    """All that is in a segment's database."""
    (file,) = archive.manifest.segments
    with home.vault.open_segment(archive, file, home.identities) as segment:
        return segment.frames.read_at(0, segment.frames.size)


def require_sound(home: Home, archive: Archive) -> None:
    """The chain is whole, every byte verifies, and every row comes from the captures."""
    with home.open_state() as state:
        known = state.head()
    assert known == archive.head
    assert verify_vault(home.vault, known_head=known, identities=home.identities).problems == []
    for file in archive.manifest.segments:
        rebuilt = rebuild_segment(home.vault, archive, file, home.identities)
        assert (rebuilt.different, rebuilt.named) == (0, [])


def picked(home: Home, sql: str) -> str:
    (archive,) = home.archives
    return str(ask(home, archive, sql)[0][0])


def test_all_but_the_record_is_as_it_was(home: Home) -> None:
    one = picked(home, ALONE)
    (old,) = home.archives
    before = rows(home, old)
    (new,) = reseal(home, Wanted((post_name(one),)))
    after = rows(home, new)
    for table in ROWS:
        gone = before[table] - after[table]
        assert after[table] - before[table] == Counter(), table
        own = {"post": 1, "raw": 1}.get(table)
        if own is not None:
            assert [row[0] for row in gone] == [one], table
        elif table in ("mention", "hashtag"):
            assert {row[0] for row in gone} <= {one}, table
        elif table != "link":
            assert gone == Counter(), table
    require_sound(home, new)


def test_the_new_archive_is_the_end_of_the_chain_and_names_the_old_one(home: Home) -> None:
    (old,) = home.archives
    (new,) = reseal(home, Wanted((post_name(OTHER_ID),)))
    assert home.archives == [old, new]
    assert (new.name, new.manifest.sequence, new.manifest.previous) == ("2026-10-27", 2, old.head.sha256)
    assert (new.manifest.replaces, new.manifest.erased) == (old.name, 1)
    assert new.manifest.recipient != old.manifest.recipient
    counts = {(one.kind, one.account): one for one in old.manifest.counts}
    less = {
        key for one in new.manifest.counts for key in [(one.kind, one.account)] if one.new != counts[key].new
    }
    assert less == {("post", "1001")}
    assert new.manifest.origins != []


def test_nothing_of_it_is_left_in_any_byte(home: Home) -> None:
    (old,) = home.archives
    assert POLITE.encode() in plain(home, old)
    (new,) = reseal(home, Wanted((post_name(OTHER_ID),)))
    left = plain(home, new)
    assert POLITE.encode() not in left
    assert OTHER_ID.encode() not in left
    assert ask(home, old, "SELECT count(*) FROM post_fts WHERE post_fts MATCH 'polite'") == [(1,)]
    assert ask(home, new, "SELECT count(*) FROM post_fts WHERE post_fts MATCH 'polite'") == [(0,)]
    assert ask(home, new, "SELECT count(*) FROM term WHERE term = 'polite'") == [(0,)]
    assert ask(home, new, "PRAGMA freelist_count") == [(0,)]
    assert ask(home, new, "PRAGMA integrity_check") == [("ok",)]


def test_an_answer_that_is_cut_stays_json_and_says_so(home: Home) -> None:
    (new,) = reseal(home, Wanted((post_name(OTHER_ID),)))
    bodies = ask(
        home, new,
        "SELECT p.body, c.body_size, c.request, c.context FROM capture_part AS p"
        " JOIN capture AS c ON c.id = p.capture WHERE c.source = 'x_api'",
    )  # fmt: skip
    cut = [(body, size, request) for body, size, request, context in bodies if REDUCED in json.loads(context)]
    ((body, size, request),) = cut
    assert [one["id"] for one in json.loads(body)["data"]] == [ID]
    assert len(body) < size
    assert ID in request
    assert OTHER_ID not in request
    whole = [body for body, size, _, context in bodies if REDUCED not in context and len(body) == size]
    assert len(whole) == 1  # the other answer is as it came


def test_what_quotes_it_is_named_and_nothing_is_sealed_unless_it_is_to_go_too(home: Home) -> None:
    found = survey(home, Wanted((post_name(ID),)))
    (old,) = home.archives
    assert {str(one) for one in found.quotes[old.name]} == {f"post {THIRD_ID}", "moderation m1"}
    assert found.about == {old.name: {"m1"}}
    before = sorted(home.vault.store.list())
    with pytest.raises(LeftoverError, match="still in the verbatim bytes"):
        reseal(home, Wanted((post_name(ID),)))
    assert sorted(home.vault.store.list()) == before
    with home.open_state() as state:
        assert state.sealing() is None


def test_everywhere_takes_it_out_of_what_quotes_it_and_entries_lose_who_said_what(home: Home) -> None:
    (old,) = home.archives
    before = rows(home, old)
    (new,) = reseal(home, Wanted((post_name(ID),), everywhere=True, entries=True))
    left = plain(home, new)
    assert RUDE.encode() not in left
    assert ID.encode() not in left
    after = rows(home, new)
    (reply,) = [row for row in after["post"] if row[0] == THIRD_ID]
    assert reply[5] == "@rude_example what do you mean"
    assert reply[6] is None
    entries = {row[0]: row for row in after["moderation"]}
    assert entries["m1"][3:] == (None, None, None, '["abusive"]')
    assert [row for row in before["moderation"] if row[0] == "m2"] == [entries["m2"]]
    require_sound(home, new)


def test_a_like_of_it_goes_with_it_everywhere(home: Home) -> None:
    one = picked(home, "SELECT platform_id FROM relation WHERE kind = 'like'")
    wanted = Wanted((post_name(one),), everywhere=True)
    (old,) = home.archives
    likes = len(ask(home, old, "SELECT 1 FROM relation WHERE kind = 'like'"))
    (new,) = reseal(home, wanted)
    assert len(ask(home, new, "SELECT 1 FROM relation WHERE kind = 'like'")) == likes - 1
    require_sound(home, new)


def test_a_picture_that_nothing_else_shows_is_blanked_and_the_others_stay(home: Home) -> None:
    (old,) = home.archives
    one, pack, offset, size = ask(home, old, SHOWN_ONCE)[0]
    (new,) = reseal(home, Wanted((post_name(one),), everywhere=True))
    data = (home.folder / "vault" / "archives" / new.name / pack).read_bytes()
    tar = age.decrypt([home.vault.open_key(new, home.identities)], data)
    assert tar[offset : offset + size] == bytes(size)
    assert ERASED_MEMBER.encode() in tar
    assert one.encode() not in tar
    shown = ask(home, new, "SELECT archive, pack, offset FROM media WHERE pack IS NOT NULL")
    assert {archive for archive, _, _ in shown} == {new.name}
    assert (new.name, pack, offset) not in shown
    require_sound(home, new)


def test_a_tombstone_is_left_that_only_whoever_knows_the_id_can_tell(home: Home) -> None:
    name = post_name(OTHER_ID)
    (new,) = reseal(home, Wanted((name,)))
    (file,) = new.manifest.segments
    with home.vault.open_segment(new, file, home.identities) as segment:
        (stone,) = read_tombstones(segment.connection)
    assert stone.is_of(name)
    assert not stone.is_of(post_name(ID))
    assert not stone.is_of(name._replace(kind="message"))
    assert (stone.decision, stone.erased_ms, stone.versions) == (DECISION, NOW_MS + DAY_MS, 1)


def test_an_archive_that_was_sealed_anew_can_be_again(home: Home) -> None:
    (old,) = home.archives
    (first,) = reseal(home, Wanted((post_name(OTHER_ID),)))
    home.replace(f"archives/{old.name}/key.age", None)  # as disposing of it does
    latest = Home(home.folder)
    found = [one for one in latest.archives if one.name == first.name]
    assert found == [first]
    (second,) = reseal_in(home, [first], Wanted((post_name(THIRD_ID),)))
    assert (second.manifest.replaces, second.manifest.erased) == (first.name, 2)
    (file,) = second.manifest.segments
    with home.vault.open_segment(second, file, home.identities) as segment:
        assert [one.replaces for one in read_tombstones(segment.connection)] == [old.name, first.name]
    rebuilt = rebuild_segment(home.vault, second, file, home.identities)
    assert rebuilt.different == 0


def test_what_is_not_there_changes_nothing(home: Home) -> None:
    found = survey(home, Wanted((post_name("1588091220244360000"),)))
    assert (found.archives, found.versions, found.quotes) == ([], Counter(), {})
