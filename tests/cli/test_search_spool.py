"""What is captured and not yet sealed is searched and shown like what is sealed, and the answer says so."""

import os
from pathlib import Path
from typing import Any

import apsw
import pytest

from archiver.disk import Lock
from archiver.state import Sealing
from tests.cli.runner import Runner
from tests.faults.folders import copy_folder, made_later, make_folder, read_posts, sample
from tests.homes import Home

CHANGED = "Quokka sighted, this was put right"


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample(tmp_path_factory.mktemp("september") / "september.zip", months=2)


@pytest.fixture(scope="module")
def later(export: Path) -> Path:
    """An export of a week later in which one post reads differently and another is not there."""
    changed, dropped = plain_posts(export)[:2]
    return made_later(export, export.with_name("later.zip"), dropped, changed, CHANGED)


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory, export: Path) -> Path:
    """A folder whose vault holds the first export."""
    home = Home(make_folder(tmp_path_factory.mktemp("taken") / "v"))
    home.take(export)
    return home.folder


@pytest.fixture
def home(run: Runner, tmp_path: Path, taken: Path, later: Path) -> Home:
    """The same with the later export in its spool."""
    home = Home(copy_folder(taken, tmp_path / "v"))
    assert run("--config", home.folder, "import", later).code == 0
    return home


def plain_posts(export: Path) -> list[str]:
    """The ids of posts that are neither replies nor reposts nor edited, and show nothing."""
    return [
        one["id_str"]
        for one in read_posts(export)
        if not one["full_text"].startswith(("RT @", "@", "Road closed"))
        and "media" not in one["entities"]
        and not one["entities"]["urls"]
    ]


def search(run: Runner, home: Home, *words: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The hits, and the summary."""
    result = run("--config", home.folder, "search", "--json", "--limit", "0", *words)
    assert result.code == 0, result
    *hits, summary = result.json_lines()
    return hits, summary


def test_a_record_in_the_spool_is_found_and_shown_before_it_is_sealed_as_it_is_afterwards(
    run: Runner, tmp_path: Path, export: Path
) -> None:
    home = Home(make_folder(tmp_path / "v"))
    assert run("--config", home.folder, "import", "--add-account", export).code == 0
    unsealed, summary = search(run, home, "kind:post")
    assert summary["spool_included"] is True
    assert {hit["archive"] for hit in unsealed} == {"spool"}
    shown = run("--config", home.folder, "show", "--json", unsealed[0]["id"]).json_lines()
    raw = run("--config", home.folder, "show", "--raw", unsealed[0]["id"]).output
    assert run("--config", home.folder, "seal").code == 0
    sealed, _ = search(run, home, "kind:post")
    (name,) = {hit["archive"] for hit in sealed}
    assert [{**hit, "archive": name} for hit in unsealed] == sealed
    assert len(sealed) > 50
    assert shown[0]["archive"] == "spool"
    assert run("--config", home.folder, "show", "--json", sealed[0]["id"]).json_lines()[0]["archive"] == name
    assert run("--config", home.folder, "show", "--raw", sealed[0]["id"]).output == raw


def test_what_changed_and_what_is_gone_since_the_last_sealing_is_told(
    run: Runner, home: Home, export: Path
) -> None:
    changed, dropped = plain_posts(export)[:2]
    ((hit,), _) = search(run, home, "quokka")
    assert (hit["id"], hit["archive"], hit["versions"], hit["superseded"]) == (changed, "spool", 2, False)
    before = next(one["full_text"] for one in read_posts(export) if one["id_str"] == changed)
    hits, _ = search(run, home, f'"{before.split()[-1].strip(".")}"')
    assert [(one["superseded"], one["versions"]) for one in hits if one["id"] == changed] == [(True, 2)]
    hits, _ = search(run, home, f"id:{dropped}")
    assert [(one["gone_how"], one["archive"] != "spool") for one in hits] == [
        ("absent from the export", True)
    ]


def test_a_search_waits_for_no_run_that_is_at_work(run: Runner, home: Home) -> None:
    with Lock(home.settings.lock):
        hits, summary = search(run, home, "quokka")
    assert (len(hits), summary["spool_included"]) == (1, True)


def test_where_the_spool_is_not_at_hand_the_answer_says_that_it_is_not_included(
    run: Runner, home: Home
) -> None:
    # As on a keyholder's own machine: it lies on the host that collects.
    (home.settings.spool / "spool.sqlite").unlink()
    hits, summary = search(run, home, "quokka")
    assert (hits, summary["spool_included"]) == ([], False)


UNREADABLE = ["a loop of links", *(["another user"] if os.geteuid() else [])]
"""Root reads whatever another user has, but not a link to itself."""


@pytest.mark.parametrize("of_whom", UNREADABLE)
def test_a_spool_that_is_there_but_cannot_be_read_was_not_searched(
    run: Runner, home: Home, of_whom: str
) -> None:
    database = home.settings.spool / "spool.sqlite"
    if of_whom == "another user":
        database.chmod(0)
    else:
        database.unlink()
        database.symlink_to(database)
    result = run("--config", home.folder, "search", "--json", "--limit", "1", "the")
    assert result.code == 3
    assert f"archiver: error: the spool was not searched: {database} is there, but " in result.errors
    *hits, summary = result.json_lines()
    assert len(hits) == 1
    assert [one["archive"] for one in summary["unsearched"]] == ["spool"]  # type: ignore[attr-defined]  # JSON
    assert "no spool is at hand" not in run("--config", home.folder, "search", "--limit", "1", "the").errors
    assert run("--config", home.folder, "search", "--no-spool", "--limit", "1", "the").code == 0


def test_a_damaged_page_is_named_and_the_archives_are_searched_all_the_same_where_that_is_wished(
    run: Runner, home: Home
) -> None:
    with home.open_spool() as spool:
        page_id = next(page.id for page in spool.pages() if page.kind == "post")
    connection = apsw.Connection(str(home.settings.spool / "spool.sqlite"))
    connection.execute("UPDATE page SET body = x'00' WHERE id = ?", (page_id,))
    connection.close()
    result = run("--config", home.folder, "search", "--limit", "0", "kind:post")
    assert result.code == 20
    assert f"spool.sqlite: page {page_id}: " in result.errors
    result = run("--config", home.folder, "search", "--json", "--limit", "0", "--keep-going", "kind:post")
    assert result.code == 3
    assert f"spool.sqlite: page {page_id}: " in result.errors
    hits = [line for line in result.json_lines() if line["type"] == "post"]
    assert len(hits) > 50
    assert "spool" not in {hit["archive"] for hit in hits}


def test_records_that_a_sealing_left_in_the_spool_are_counted_once(run: Runner, home: Home) -> None:
    """As where another store that must have the archive was away, and the spool was kept."""
    spooled = {path: path.read_bytes() for path in home.settings.spool.glob("spool.sqlite*")}
    with home.open_spool() as spool:
        last_ids = spool.last_ids()
    assert run("--config", home.folder, "seal").code == 0
    wanted = [search(run, home, words)[0] for words in ("quokka", "kind:post")]
    for path, data in spooled.items():
        path.write_bytes(data)
    archive = home.archives[-1]
    with home.open_state() as state, state.transaction():
        state.set_sealing(Sealing(archive.name, archive.manifest.mark, *last_ids))
    assert [search(run, home, words)[0] for words in ("quokka", "kind:post")] == wanted
