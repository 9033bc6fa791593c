"""Moderation records sealed: rows as entered, their files, what stands around them, and the manifest."""

import io
import json
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from archiver.moderation.keeping import keep_entries
from archiver.rebuild import rebuild_segment
from archiver.records import Attachment, LogRow, Moderation
from archiver.seal import seal
from archiver.seal.counting import CONTEXT_REQUEST
from archiver.search.language import parse_query
from archiver.search.run import Hit, Searcher
from archiver.sources.moderation import encode_entry
from archiver.sources.x.media_names import media_file_name
from archiver.spool import MissingMedia, Spool
from archiver.times import parse_time
from archiver.vault import Archive
from archiver.verification import verify_vault
from archiver.wiring.collector import open_collector
from archiver.wiring.seal import seal_options
from tests.faults.folders import make_folder
from tests.homes import NOW_MS, Home
from tests.made_vaults import ACCOUNT, OTHER_ACCOUNT, Made, VaultMaker, moderation, post
from tests.unit.seal.spooled import AUTHOR, AUTHOR_HANDLE, answer_of, with_screenshot, x_post

EVERYTHING = moderation(
    "full",
    record_id="first",
    number=2,
    entry="correction",
    corrects="first",
    entry_note="the wrong rule",
    cleared=("exhibit",),
    account_handle="SpringfieldPD",
    item_type="reply",
    item_id="70001",
    item_url="https://x.com/rude_example/status/70001",
    content="captured",
    unseen="nobody looked",
    author_id=AUTHOR,
    author_handle=AUTHOR_HANDLE,
    author_name="Rude “Example”",
    posted_ms=1,
    text="what\0was said\n",
    language="en",
    context_sha256=("aa", "bb"),
    context_missing=("older posts",),
    detected_ms=2,
    detected_by="M. Example",
    detection="public",
    house_rule="3 Respect",
    house_rule_version="2026-01",
    reason_codes=("abusive", "spam"),
    reason_text="insults",
    legal_ground="none",
    action="hidden",
    state="planned",
    way="api",
    action_ms=3,
    action_by="program",
    authorised_by="R. Sample",
    until_ms=4,
    outcome="hidden: true",
    notified_ms=5,
    notified_how="reply",
    not_notified="no way to",
    escalated="crime",
    escalated_reference="C-1",
    appeal_received_ms=6,
    appeal_decided_by="R. Sample",
    appeal_decided_ms=7,
    appeal_outcome="partly",
    exhibit="ME/1",
    case="K-7",
    retention_rule="7 years",
    hold="inquest",
    imported=LogRow(file="log.csv", sha256="00", line=3, cells={"Grund": "Beleidigung"}),
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(make_folder(tmp_path / "home"))


def sealed(home: Home, *, now_ms: int = NOW_MS) -> Archive:
    with open_collector(home.settings) as collector:
        options = seal_options(home.settings)
        result = seal(collector.spool, collector.state, home.vault, options, lambda: now_ms)
        assert collector.spool.is_empty()
    assert result.problems == ()
    assert result.archive is not None
    assert verify_vault(home.vault, known_head=None, identities=home.identities).problems == []
    return result.archive


def rows(home: Home, sql: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for archive in home.archives:
        for file in archive.manifest.segments:
            with home.vault.open_segment(archive, file, home.identities) as segment:
                found += segment.connection.execute(sql)
            rebuilt = rebuild_segment(home.vault, archive, file, home.identities)
            assert rebuilt.different == 0, rebuilt.named
    return found


def keep(home: Home, *entries: Moderation, spool: Spool | None = None) -> None:
    with home.open_spool() as opened:
        keep_entries(spool or opened, entries)


# Rows


def test_every_field_of_an_entry_has_its_column_and_the_bytes_it_came_from(home: Home) -> None:
    with home.open_spool() as spool:
        screenshot = with_screenshot(spool, "full", b"a picture of it").attachments
        spool.add_media(ACCOUNT, "70001-a.jpg", io.BytesIO(b"the picture itself"))
        shown = Attachment(
            role="media", file_name="70001-a.jpg", media_type="photo", url="https://pbs/a.jpg",
            alt_text="a fist", sha256=sha256(b"the picture itself").hexdigest(),
        )  # fmt: skip
        entry = msgspec.structs.replace(EVERYTHING, attachments=(shown, *screenshot))
        keep_entries(spool, [entry])
    values = msgspec.structs.asdict(entry)
    assert [name for name, value in values.items() if value in (None, ())] == [], "a field is not tried"
    archive = sealed(home)
    (found,) = rows(home, "SELECT * FROM moderation")
    (names,) = [[row[1] for row in rows(home, "PRAGMA table_info(moderation)")]]
    row = dict(zip(names, found, strict=True))
    for name in ("cleared", "context_sha256", "context_missing", "reason_codes"):
        assert tuple(json.loads(row.pop(name))) == values.pop(name)
    assert json.loads(row.pop("imported")) == msgspec.structs.asdict(values.pop("imported"))
    assert json.loads(row.pop("media_sha256")) == [shown.sha256]
    assert json.loads(row.pop("screenshot_sha256")) == [screenshot[0].sha256]
    del values["attachments"]
    assert [row.pop(name) for name in ("key", "part", "offset")] == [1, 1, 0]
    assert row.pop("length") == len(encode_entry(entry))
    assert row == values
    assert rows(home, "SELECT key, id, record_id, raw FROM moderation_raw") == [
        (1, "full", "first", encode_entry(entry).decode())
    ]
    pack = (archive.name, "media-000.tar.age", None)
    shown_columns = "record_table, record_key, media_type, url, file_name, alt_text, sha256"
    assert rows(home, f"SELECT {shown_columns}, archive, pack, missing FROM media") == [  # noqa: S608
        ("moderation", 1, "photo", shown.url, "70001-a.jpg", "a fist", shown.sha256, *pack),
        ("moderation", 1, "screenshot", "", "screenshot-full-1.png", None, screenshot[0].sha256, *pack),
    ]


def test_an_entry_that_says_little_has_nulls_and_no_empty_lists(home: Home) -> None:
    keep(home, moderation("m1"))
    sealed(home)
    (found,) = rows(home, "SELECT * FROM moderation")
    assert [value for value in found if value is not None] == [
        1, "m1", "m1", 1, "decision", 1, 0, "M. Example", "x", ACCOUNT,
        1, 0, len(encode_entry(moderation("m1"))),
    ]  # fmt: skip


def test_rows_stand_in_the_order_entered_and_each_has_its_own_bytes(home: Home) -> None:
    entries = [moderation(f"m{number}", text=f"text {number}") for number in range(9)]
    keep(home, *entries[:4])
    keep(home, *entries[4:])
    archive = sealed(home)
    assert rows(home, "SELECT id FROM moderation ORDER BY key") == [(one.id,) for one in entries]
    assert [raw for (raw,) in rows(home, "SELECT raw FROM moderation_raw ORDER BY key")] == [
        encode_entry(one).decode() for one in entries
    ]
    (file,) = archive.manifest.segments
    assert file.records == {"moderation": 9}
    assert (file.posted_from, file.again, file.revised) == (None, 0, 0)
    assert (
        rows(home, "SELECT source, route, request, layout, body_kind FROM capture")
        == [("moderation", "manual", "moderation register", "moderation-1", "moderation")] * 2
    )


def test_records_and_items_are_looked_up_by_an_index(home: Home) -> None:
    keep(home, moderation("m1", item_id="5"))
    sealed(home)
    for column in ("record_id", "item_id"):
        ((*_, plan),) = rows(home, f"EXPLAIN QUERY PLAN SELECT * FROM moderation WHERE {column} = '5'")  # noqa: S608
        assert f"USING INDEX moderation_{column}" in plan


def test_words_of_entries_are_in_no_vocabulary(home: Home) -> None:
    keep(home, moderation("m1", text="unmistakable"))
    sealed(home)
    assert rows(home, "SELECT * FROM term") == []


# Files


def test_a_file_named_before_its_entry_is_found_where_an_earlier_archive_has_it(home: Home) -> None:
    with home.open_spool() as spool:
        entry = with_screenshot(spool, "m1", b"seen")
        keep_entries(spool, [moderation("m0")])
    first = sealed(home)
    keep(home, entry)
    second = sealed(home)
    assert rows(home, "SELECT archive, missing FROM media") == [(first.name, None)]
    assert [file.kind for file in second.manifest.files] == ["records"]


def test_a_file_that_could_not_be_had_is_missing_for_the_reason_that_the_entry_has(home: Home) -> None:
    url = "https://pbs.example/media/a.jpg"
    name = media_file_name("70001", url)

    def entry(entry_id: str, **more: object) -> Moderation:
        known: dict[str, Any] = {"role": "media", "file_name": name, "media_type": "photo"}
        return moderation(entry_id, attachments=(Attachment(**{**known, **more}),))

    with home.open_spool() as spool:
        answer = answer_of(
            spool,
            x_post("70001", "look", attachments={"media_keys": ["3_1"]}),
            media=[{"media_key": "3_1", "type": "photo", "url": url}],
            missing=[MissingMedia(ACCOUNT, name, "X does not have it")],
        )
        keep_entries(
            spool, [entry("m1", missing="404"), entry("m2"), entry("m3", sha256="00" * 32)], [answer]
        )
    sealed(home)
    assert rows(home, "SELECT record_table, missing FROM media ORDER BY record_table, record_key") == [
        ("moderation", "404"),
        ("moderation", "not captured"),
        ("moderation", "not captured"),
        ("post", "X does not have it"),
    ]


def test_pictures_of_somebody_elses_profile_are_those_kept_for_the_account(home: Home) -> None:
    url = "https://pbs.example/profile_images/1/a_normal.jpg"
    with home.open_spool() as spool:
        answer = answer_of(spool, body_kind="author", profile_image_url=url)
        keep_entries(spool, [moderation("m0")], [answer])
    sealed(home)
    ((name,),) = rows(home, "SELECT file_name FROM media")
    with home.open_spool() as spool:
        spool.add_media(ACCOUNT, name, io.BytesIO(b"a face"))
        keep_entries(spool, [moderation("m1")], [answer_of(spool, body_kind="author", profile_image_url=url)])
    second = sealed(home)
    assert rows(home, "SELECT archive, missing FROM media ORDER BY archive IS NULL DESC") == [
        (None, "not captured"), (second.name, None),
    ]  # fmt: skip


def test_a_row_names_no_file_that_is_not_the_entrys_own(home: Home) -> None:
    with home.open_spool() as spool:
        entry = with_screenshot(spool, "m1", b"one picture")
        other = msgspec.structs.replace(entry.attachments[0], sha256=sha256(b"another").hexdigest())
        keep_entries(spool, [entry, moderation("m2", attachments=(other,))])
    sealed(home)
    found = rows(home, "SELECT m.id, media.sha256 IS NULL, media.missing FROM moderation AS m"
                       " JOIN media ON media.record_key = m.key ORDER BY m.id")  # fmt: skip
    assert found == [("m1", 0, None), ("m2", 1, "another file has its name")]


# What stands around an item


def test_posts_and_profiles_around_an_item_are_no_versions_and_count_as_such(home: Home) -> None:
    with home.open_spool() as spool:
        keep_entries(
            spool, [moderation("m1")], [answer_of(spool, x_post("70001", "rude"), x_post("70002", "why"))]
        )
    archive = sealed(home)
    (file,) = archive.manifest.segments
    assert file.records == {"post": 2, "account": 1, "moderation": 1}
    assert (file.again, file.revised) == (3, 0)
    counted = {count.kind: (count.new, count.again) for count in archive.manifest.counts}
    assert counted == {"post": (0, 2), "account": (0, 1), "moderation": (1, 0)}
    assert rows(home, "SELECT version, record_id, author_handle FROM post") == [(1, None, AUTHOR_HANDLE)] * 2
    assert rows(home, "SELECT platform_id, handle, version FROM account") == [(AUTHOR, AUTHOR_HANDLE, 1)]
    assert rows(home, "SELECT * FROM again ORDER BY 1, 2") == [("account", 1), ("post", 1), ("post", 2)]


def hits(home: Home, query: str) -> list[Hit]:
    with closing(Searcher(home.vault, home.archives, home.identities)) as searcher:
        return searcher.search(parse_query(query)).hits


def ordinary(spool: Spool, text: str, version: int = 1, change: str = "new") -> None:
    spool.add_answer(
        answer_of(
            spool,
            x_post("70001", text),
            body_kind="mentions",
            series="mention",
            change=change,
            version=version,
        )
    )


def around(spool: Spool, text: str) -> None:
    keep_entries(spool, [moderation("m1")], [answer_of(spool, x_post("70001", text))])


def test_a_post_that_is_there_for_the_register_alone_is_found_as_one_version(home: Home) -> None:
    with home.open_spool() as spool:
        around(spool, "very rude")
    sealed(home)
    (hit,) = hits(home, "rude kind:post")
    assert (hit.id, hit.versions, hit.superseded) == ("70001", 1, False)


@pytest.mark.parametrize("apart", [False, True], ids=["one archive", "two archives"])
@pytest.mark.parametrize("first", ["ordinary", "around"])
def test_a_post_that_collecting_brought_too_is_found_once_with_its_versions_as_before(
    home: Home, apart: bool, first: str
) -> None:
    def take(what: str) -> None:
        with home.open_spool() as spool:
            if what == "around":
                return around(spool, "very rude")
            ordinary(spool, "rude")
            return ordinary(spool, "very rude", 2, "changed")

    take(first)
    if apart:
        sealed(home)
    take("around" if first == "ordinary" else "ordinary")
    sealed(home)
    (hit,) = hits(home, "rude kind:post")
    assert (hit.id, hit.versions, hit.text, hit.superseded) == ("70001", 2, "very rude", False)
    (file, *_) = home.archives[-1].manifest.segments
    assert sum(one.again for archive in home.archives for one in archive.manifest.segments) == 2
    assert file.records["post"] == (2 if apart and first == "around" else 1 if apart else 3)


@pytest.mark.parametrize("apart", [False, True], ids=["one archive", "two archives"])
def test_an_edited_post_that_was_captured_around_an_item_has_its_versions_as_before(
    tmp_path: Path, apart: bool
) -> None:
    maker, ids = VaultMaker(tmp_path / "vault"), ("10", "11")
    edited = post("11", "rude two", 2, record_id="10", edit_ids=ids)
    versions = [Made(post("10", "rude one", 1, edit_ids=ids), 1), Made(edited, 2)]
    around = Made(edited, 1, again=True)
    maker.add("2026-01-01", versions if apart else [*versions, around])
    if apart:
        maker.add("2026-01-02", [around])
    with closing(maker.searcher()) as searcher:
        (hit,) = searcher.search(parse_query("rude")).hits
    assert (hit.id, hit.versions, hit.superseded) == ("11", 2, False)


def test_what_collecting_knows_is_not_changed_by_what_the_register_captured(home: Home) -> None:
    with home.open_spool() as spool:
        around(spool, "very rude")
    with open_collector(home.settings) as collector:
        series = collector.state.series("x", ACCOUNT, "mention", "api")
        assert collector.state.find_seen(series, [70001]) == {}
        assert collector.state.find_seen(collector.state.series("x", ACCOUNT, "post", "api"), [70001]) == {}


# The manifest


NOVEMBER_MS, DECEMBER_MS = parse_time("2026-11-30T23:59:59.999Z"), parse_time("2026-12-01T00:00:00Z")


def record(name: int, account: str = ACCOUNT, **fields: Any) -> Moderation:
    return moderation(f"r{name}", account=account, **{"entered_ms": NOVEMBER_MS, **fields})


def later(name: int, number: int, entry: str, **fields: Any) -> Moderation:
    known = {"id": f"r{name}-{number}", "record_id": f"r{name}", "entered_ms": DECEMBER_MS}
    return record(name, **{**known, "number": number, "entry": entry, **fields})


def counted(archive: Archive) -> list[tuple[object, ...]]:
    return [msgspec.structs.astuple(one)[1:] for one in archive.manifest.moderation]


def test_decisions_are_counted_by_account_month_action_and_reason(home: Home) -> None:
    keep(
        home,
        record(1, reason_codes=("abusive",), action="hidden", text="what nobody may read"),
        record(2, reason_codes=("abusive", "spam", "spam"), action="hidden"),
        record(3, reason_codes=("spam",), action="removed", author_handle="a_name_of_somebody"),
        record(4, action="none"),
        record(5, OTHER_ACCOUNT, reason_codes=("abusive",), action="hidden"),
        record(6, reason_codes=("abusive",), action="hidden", entered_ms=DECEMBER_MS),
        later(1, 2, "outcome", state="done", action="hidden"),
        later(2, 2, "correction", reason_codes=("hateful",)),
        later(4, 2, "appeal", appeal_outcome="upheld"),
    )
    archive = sealed(home)
    assert counted(archive) == [
        (ACCOUNT, "2026-11", "hidden", 2, {"abusive": 2, "spam": 1}, 0),
        (ACCOUNT, "2026-11", "none", 1, {"": 1}, 0),
        (ACCOUNT, "2026-11", "removed", 1, {"spam": 1}, 0),
        (ACCOUNT, "2026-12", "hidden", 1, {"abusive": 1}, 0),
        (OTHER_ACCOUNT, "2026-11", "hidden", 1, {"abusive": 1}, 0),
    ]
    assert {(one.account, one.kind, one.new) for one in archive.manifest.counts} == {
        (ACCOUNT, "moderation", 8), (OTHER_ACCOUNT, "moderation", 1),
    }  # fmt: skip
    text = (home.folder / "vault/archives" / archive.name / "manifest.json").read_text()
    for hidden in ("what nobody", "a_name_of", "M. Example", "r1"):
        assert hidden not in text


@pytest.mark.parametrize("apart", [False, True], ids=["one archive", "two archives"])
def test_reversals_are_counted_with_what_they_undo_and_under_no_reason(home: Home, apart: bool) -> None:
    """Undone, called off, taken back: each in another month than the decision, perhaps in another archive."""
    keep(
        home, *(record(number, reason_codes=("spam",), action="hidden", state="planned") for number in (1, 2))
    )
    keep(home, record(3, action="warned", state="done"))
    if apart:
        sealed(home)
    keep(home, later(1, 2, "reversal", action="none", state="done"))
    keep(home, later(2, 2, "outcome", action="hidden", state="done"))
    keep(home, later(2, 3, "reversal", action="unhidden", state="planned"))
    keep(home, later(3, 2, "reversal"))
    archive = sealed(home)
    decisions = [(2, {"spam": 2}), (1, {"": 1})] if not apart else [(0, {}), (0, {})]
    assert counted(archive) == [
        (ACCOUNT, "2026-11", "hidden", *decisions[0], 2),
        (ACCOUNT, "2026-11", "warned", *decisions[1], 1),
    ]
    fields = json.loads((home.folder / "vault/archives" / archive.name / "manifest.json").read_text())
    assert all(("decisions" in one) is ("reasons" in one) is not apart for one in fields["moderation"])


def test_a_manifest_without_moderation_says_nothing_of_it(home: Home) -> None:
    with home.open_spool() as spool:
        ordinary(spool, "rude")
    archive = sealed(home)
    assert archive.manifest.moderation == []
    text = (home.folder / "vault/archives" / archive.name / "manifest.json").read_text()
    assert "moderation" not in text
    assert "decisions" not in text


def test_the_many_small_captures_of_the_register_are_one_origin_each_way(home: Home) -> None:
    with home.open_spool() as spool:
        for number in range(5):
            at = NOW_MS + number * 1000
            entry = moderation(f"m{number}", entered_ms=at)
            answers = [
                answer_of(spool, x_post(f"7000{number}", "rude"), fetched_ms=at),
                answer_of(spool, body_kind="author", fetched_ms=at + 1),
            ]
            keep_entries(spool, [entry], answers)
        keep_entries(spool, [moderation("other", account=OTHER_ACCOUNT)])
        ordinary(spool, "rude")
    archive = sealed(home)
    found = sorted((one.source, one.account, one.request, one.requests) for one in archive.manifest.origins)
    assert found == [
        ("moderation", ACCOUNT, "moderation register", 5),
        ("moderation", OTHER_ACCOUNT, "moderation register", 1),
        ("x_api", ACCOUNT, "GET /2/m", 1),
        ("x_api", ACCOUNT, CONTEXT_REQUEST, 10),
    ]
    (register,) = [one for one in archive.manifest.origins if one.requests == 5]
    assert (register.fetched_at[-13:], (register.fetched_until or "")[-13:]) == (
        "07:33:20.000Z",
        "07:33:24.000Z",
    )
    assert len({one.source_sha256 for one in archive.manifest.origins}) == 4
    text = (home.folder / "vault/archives" / archive.name / "manifest.json").read_text()
    assert AUTHOR not in text
    assert AUTHOR_HANDLE not in text


def test_an_entry_that_a_newer_version_made_is_kept_and_named(home: Home) -> None:
    with home.open_spool() as spool:
        keep_entries(spool, [moderation("m1", schema_version=99), moderation("m2", entered_ms=1)])
    with open_collector(home.settings) as collector:
        options = seal_options(home.settings)
        result = seal(collector.spool, collector.state, home.vault, options, lambda: NOW_MS)
    assert result.problems == ("moderation m1: an entry of the moderation register has the schema 99",)
    manifest = home.archives[0].manifest
    assert [(count.new, count.unparsed) for count in manifest.counts] == [(1, 1)]
    assert [(count.month, count.decisions) for count in manifest.moderation] == [("1970-01", 1)]
    assert rows(home, "SELECT id FROM moderation") == [("m2",)]
    ((body,),) = rows(home, "SELECT CAST(body AS TEXT) FROM capture_part")
    assert '"id":"m1"' in body
