"""A drill proves what it says, and finds what no hash and no signature can tell."""

import os
import shutil
from functools import partial
from operator import mod
from pathlib import Path

import pytest

from archiver.drill import Drilled, choose_archives, drill_archive
from archiver.drill.stores import NothingLeftError, has_restored, plan_drill, run_drill
from archiver.drill.tools import Tools, find_tools
from archiver.errors import IncompleteError, IntegrityError, NoKeyError, NoVaultError, UsageError
from archiver.formats import age
from archiver.jobs.drilling_work import code_of
from archiver.keys import new_identity
from archiver.verification import verify_vault
from archiver.wiring.stores import named_stores
from tests.cli.stores import add_store
from tests.disposals import dispose_at_home
from tests.faults.folders import copy_folder, make_folder, sample
from tests.homes import Home, make_home
from tests.made_vaults import VaultMaker, post
from tests.packs import Rich
from tests.programs import require_program
from tests.unit.drill.resealed import drop_member, edit_member, edit_rows, reseal

NO_TOOLS = "not here"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_home(tmp_path_factory.mktemp("drill"))


@pytest.fixture
def home(sealed: Home, tmp_path: Path) -> Home:
    return Home(copy_folder(sealed.folder, tmp_path / "home"))


def drill(home: Home, tools: Tools | str = NO_TOOLS) -> Drilled:
    (archive,) = home.archives
    return drill_archive(home.vault, archive, home.identities, tools)


def messages(drilled: Drilled) -> list[str]:
    return [one.message for one in drilled.problems]


def test_a_whole_archive_is_proven_to_its_last_record_and_picture(home: Home) -> None:
    (archive,) = home.archives
    files = archive.manifest.files
    drilled = drill(home)
    assert messages(drilled) == []
    assert drilled.records == sum(sum(file.records.values()) for file in files)
    assert drilled.media == 9
    assert (drilled.files, drilled.segments) == (len(files), len(archive.manifest.segments))
    assert drilled.bytes == sum(file.size for file in files)
    assert drilled.plain_bytes == sum(file.plain_size for file in files)


def test_answers_and_moderation_records_are_proven_too(rich: Rich) -> None:
    found = []
    for archive in rich.home.archives:
        drilled = drill_archive(rich.home.vault, archive, rich.home.identities, NO_TOOLS)
        assert messages(drilled) == []
        found.append(drilled)
    assert sum(one.answers for one in found) > 0
    assert sum(one.media for one in found) > 0


def test_the_public_programs_give_the_same(home: Home) -> None:
    for name in ("age", "zstd", "sha256sum"):
        require_program(name)
    tools = find_tools(os.environ["PATH"])
    assert isinstance(tools, Tools)
    drilled = drill(home, tools)
    assert (messages(drilled), drilled.tools_agree) == ([], True)
    assert drilled.tools == "give the same for records-000.sqlite.zst.age"


def test_a_row_that_its_capture_does_not_give_is_named(home: Home) -> None:
    reseal(home, "records", edit_rows("UPDATE post SET like_count = 70000 WHERE key = 3"))
    assert_hashes_are_right(home)
    drilled = drill(home)
    assert drilled.different == 1
    assert drilled.named == [f"{drilled.archive}/records-000.sqlite.zst.age: post 3: like_count"]
    (problem,) = drilled.problems
    assert problem.exit_code == 20
    assert problem.message == f"{drilled.archive}: 1 row differs from what the captures give"


def test_a_row_that_is_gone_shows(home: Home) -> None:
    reseal(home, "records", edit_rows("DELETE FROM message WHERE key = 2"))
    drilled = drill(home)
    assert any("rows in message, its manifest says" in one for one in messages(drilled))


def test_an_altered_picture_shows_by_the_hash_in_its_record(home: Home) -> None:
    name = reseal(home, "media", edit_member)
    assert_hashes_are_right(home)
    drilled = drill(home)
    (message,) = messages(drilled)
    assert message.startswith(f"archives/{drilled.archive}/{name}: the file at byte ")
    assert message.endswith("has not the SHA-256 that its record shows")
    assert drilled.media == 8


def test_a_pack_without_what_records_show_is_found_and_each_file_said_once(home: Home) -> None:
    reseal(home, "media", drop_member)
    drilled = drill(home)
    assert any("has no file at byte" in one for one in messages(drilled))
    assert len(messages(drilled)) == len(set(messages(drilled)))


def test_an_answer_that_is_not_what_came_shows(home: Home) -> None:
    reseal(
        home,
        "records",
        edit_rows(
            "UPDATE capture SET route = 'api', body_sha256 = 'ab',"
            " body_size = (SELECT length(body) FROM capture_part WHERE capture = capture.id)"
            " WHERE id = (SELECT min(capture) FROM capture_part)"
        ),
    )
    assert any("has not the SHA-256 that was noted" in one for one in messages(drill(home)))


def test_an_index_that_is_not_of_the_rows_shows_by_sqlites_own_check(home: Home) -> None:
    reseal(home, "records", edit_rows("UPDATE post SET text = 'other' WHERE key = 3"))
    found = messages(drill(home))
    assert any("SQLite's check says: " in one for one in found)
    assert any("row differs" in one for one in found)


def test_altered_bytes_of_each_file_are_found_with_the_command_that_mends_them(home: Home) -> None:
    (archive,) = home.archives
    for file in archive.manifest.files:
        path = home.folder / "vault" / archive.path(file)
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    drilled = drill(home)
    assert [one.exit_code for one in drilled.problems] == [20, 20]
    assert {one.hint for one in drilled.problems} == {
        f"restore it from another store: archiver repair {archive.name}"
    }
    assert drilled.files == 0


@pytest.mark.parametrize("more_bytes", [-1, 1])
@pytest.mark.parametrize("kind", ["records", "media"])
def test_a_file_that_holds_another_size_than_its_manifest_says_is_found(
    home: Home, kind: str, more_bytes: int
) -> None:
    reseal(home, kind, lambda plain: plain, more_bytes=more_bytes)
    (message,) = messages(drill(home))
    assert "its manifest says" in message


def test_a_file_that_is_missing_is_found(home: Home) -> None:
    (archive,) = home.archives
    (home.folder / "vault" / archive.path(archive.manifest.files[-1])).unlink()
    (message,) = messages(drill(home))
    assert "is missing from" in message


def test_a_key_that_is_not_the_archives_opens_nothing(home: Home) -> None:
    (archive,) = home.archives
    with pytest.raises(NoKeyError):
        drill_archive(home.vault, archive, [new_identity(classic=True)], NO_TOOLS)


def assert_hashes_are_right(home: Home) -> None:
    """What `verify --contents` looks at finds nothing: without it the test would prove less than it says."""
    found = verify_vault(home.vault, known_head=None, identities=home.identities)
    assert found.problems == []


# The public programs


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)


def test_programs_that_are_not_there_are_named(home: Home, tmp_path: Path) -> None:
    assert find_tools(str(tmp_path)) == "age and zstd and sha256sum are not installed here"
    program(tmp_path / "bin", "age", "echo 1.1.1")
    program(tmp_path / "bin", "zstd", "exit 0")
    said = find_tools(str(tmp_path / "bin"))
    assert said == "sha256sum is not installed here"
    assert drill(home, said).tools == "not asked: sha256sum is not installed here"


def test_programs_that_say_something_else_or_fail_are_a_problem(home: Home, tmp_path: Path) -> None:
    for name in ("age", "sha256sum"):
        os.symlink(require_program(name), tmp_path / name)
    program(tmp_path, "zstd", "cat > /dev/null")
    tools = find_tools(str(tmp_path))
    assert isinstance(tools, Tools)
    drilled = drill(home, tools)
    assert not drilled.tools_agree
    assert "give another database than this program" in messages(drilled)[0]
    (tmp_path / "age").unlink()
    program(tmp_path, "age", "exit 1")
    tools = find_tools(str(tmp_path))
    assert isinstance(tools, Tools)
    assert "age ended with 1" in messages(drill(home, tools))[0]


def test_an_age_that_is_too_old_for_post_quantum_keys_is_not_asked(tmp_path: Path) -> None:
    home = Home(make_folder(tmp_path / "home", classic=False))
    home.take(sample(tmp_path / "sample.zip", months=1))
    program(tmp_path / "bin", "age", "echo v1.2.1")
    for name in ("zstd", "sha256sum"):
        os.symlink(require_program(name), tmp_path / "bin" / name)
    drilled = drill(home, find_tools(str(tmp_path / "bin")))
    assert messages(drilled) == []
    assert drilled.tools == "not asked: the age here is 1.2, and post-quantum keys need 1.3"


# Which archives, of which stores


def test_the_newest_is_drilled_and_each_of_the_others_by_chance(tmp_path: Path) -> None:
    maker = VaultMaker(tmp_path)
    for month in range(1, 6):
        maker.add(f"2026-0{month}-01", [post(str(month), "word")])
    archives = maker.vault().list_archives().archives
    drawn = set()
    for number in range(4):
        newest, other = choose_archives(archives, partial(mod, number))
        assert newest.name == "2026-05-01"
        drawn.add(other.name)
    assert drawn == {f"2026-0{month}-01" for month in range(1, 5)}
    assert [one.name for one in choose_archives(archives[:1])] == ["2026-01-01"]


@pytest.mark.parametrize("schema", [1, 2, 3])
def test_an_archive_of_an_earlier_version_is_proven_too(tmp_path: Path, schema: int) -> None:
    maker = VaultMaker(tmp_path)
    name = maker.add_sealed_before(schema)
    (archive,) = maker.vault().list_archives().archives
    drilled = drill_archive(maker.vault(), archive, [maker.holder], NO_TOOLS)
    assert archive.name == name
    assert drilled.records > 0
    assert [one for one in messages(drilled) if "media-" not in one] == []


def test_each_store_is_drilled_and_one_that_is_away_stops_none(home: Home) -> None:
    add_store(home, "copy", required=False)
    add_store(home, "away", required=False)
    shutil.copytree(home.folder / "vault", home.folder / "copy")
    plan = plan_drill(named_stores(home.settings))
    run_drill(plan, home.identities, NO_TOOLS)
    assert [len(one.drilled) for one in plan] == [1, 1, 0]
    assert [type(problem) for one in plan for problem in one.all_problems()] == [IncompleteError]


def test_a_required_store_that_is_away_fails(home: Home) -> None:
    add_store(home, "away", required=True)
    plan = plan_drill(named_stores(home.settings))
    assert [type(problem) for one in plan for problem in one.problems] == [NoVaultError]


def test_a_store_that_lacks_the_archive_is_behind(home: Home) -> None:
    add_store(home, "copy", required=False)
    shutil.copytree(home.folder / "vault", home.folder / "copy")
    (archive,) = home.archives
    shutil.rmtree(home.folder / "copy" / "archives" / archive.name)
    plan = plan_drill(named_stores(home.settings), archive.name)
    assert [one.message for one in plan[1].problems] == [
        f"it has no archive {archive.name}, which another store has"
    ]


def test_what_is_not_there_cannot_be_drilled(home: Home, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no archive 2020-01-01"):
        plan_drill(named_stores(home.settings), "2020-01-01")
    empty = Home(make_folder(tmp_path / "empty"))
    with pytest.raises(IncompleteError, match="no archive yet"):
        plan_drill(named_stores(empty.settings))


def test_a_store_with_nothing_while_another_has_archives_is_behind_and_the_drill_is_no_good_one(
    home: Home,
) -> None:
    add_store(home, "copy", required=False)
    shutil.copytree(home.folder / "vault", home.folder / "copy")
    plan = plan_drill(named_stores(home.settings))
    run_drill(plan, home.identities, NO_TOOLS)
    assert (code_of(plan), has_restored(plan)) == (0, True)
    shutil.rmtree(home.folder / "vault" / "archives")
    plan = plan_drill(named_stores(home.settings))
    run_drill(plan, home.identities, NO_TOOLS)
    (problem,) = plan[0].problems
    assert problem.message == "nothing in it can be restored, and another store has archives"
    assert (type(problem), problem.hint) == (IncompleteError, "fill it: archiver sync --store vault")
    assert (code_of(plan), has_restored(plan)) == (3, False)


def test_where_only_stores_that_are_away_may_have_anything_the_drill_is_no_good_one(home: Home) -> None:
    add_store(home, "drawer", required=False)
    shutil.rmtree(home.folder / "vault" / "archives")
    plan = plan_drill(named_stores(home.settings))
    assert [one.message for one in plan[0].problems] == ["nothing in it can be restored"]
    assert (code_of(plan), has_restored(plan)) == (3, False)
    assert not has_restored(plan[1:]), "none was reached"


def test_archives_that_are_gone_are_not_taken_for_archives_that_never_were(home: Home) -> None:
    (archive,) = home.archives
    shutil.rmtree(home.folder / "vault" / "archives")
    with pytest.raises(IntegrityError, match="number 1 was noted as written"):
        plan_drill(named_stores(home.settings), known_head=archive.head)


def test_where_every_archive_was_disposed_of_that_is_what_is_said(home: Home) -> None:
    (archive,) = home.archives
    dispose_at_home(home, archive.name)
    with pytest.raises(NothingLeftError, match="every archive was disposed of") as caught:
        plan_drill(named_stores(home.settings))
    assert caught.value.head == archive.head
    add_store(home, "drawer", required=False)
    with pytest.raises(NothingLeftError):
        plan_drill(named_stores(home.settings))


def test_a_key_that_opens_one_of_two_archives_proves_one(home: Home) -> None:
    home.take(sample(home.folder / "later.zip", seed=3), now_ms=1_796_000_000_000)
    (first, second) = home.archives
    other = age.X25519Identity.generate()
    key = home.vault.open_key(second, home.identities)
    home.replace(
        f"archives/{second.name}/key.age", age.encrypt([other.recipient()], f"{key.encode()}\n".encode())
    )
    plan = plan_drill(named_stores(home.settings))
    run_drill(plan, home.identities, NO_TOOLS)
    assert [one.archive for one in plan[0].drilled] == [first.name]
    assert [problem.exit_code for problem in plan[0].problems] == [12]
