"""`archiver show`: one record whole, for a person, for a program, and as it was delivered."""

import json
import zipfile
from pathlib import Path

import pytest

from archiver.moderation.keeping import keep_entries
from tests.cli.runner import Runner
from tests.faults.folders import edit_posts, make_folder, read_posts, rewrite
from tests.homes import Home, make_home
from tests.made_vaults import moderation
from tests.unit.seal.spooled import POSTED_MS, answer_of, x_post


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The first post was changed in a second export, the second is absent from it."""
    home = make_home(tmp_path_factory.mktemp("show"))
    folder = home.folder.parent

    def change(posts: list[dict[str, object]]) -> None:
        posts[0]["full_text"] = "These are other words."
        posts[0]["entities"] = {"hashtags": [], "urls": [], "user_mentions": [], "symbols": []}

    later = rewrite(
        folder / "sample.zip",
        folder / "later.zip",
        {"data/tweets.js": edit_posts(change), "data/manifest.js": _a_day_later},
    )
    home.take(later)
    return home


def _a_day_later(manifest: bytes) -> bytes:
    assert b"2026-09-30T23:59:59" in manifest
    return manifest.replace(b"2026-09-30T23:59:59", b"2026-10-01T23:59:59")


def export(home: Home) -> Path:
    return home.folder.parent / "sample.zip"


def pictured(home: Home) -> dict[str, object]:
    return next(post for post in read_posts(export(home)) if "extended_entities" in post)


def test_every_version_is_shown_oldest_first(run: Runner, home: Home) -> None:
    changed = str(read_posts(export(home))[0]["id_str"])
    result = run("--config", home.folder, "show", changed)
    first, second = (archive.name for archive in home.archives)
    assert result.code == 0
    assert f"Version 1 of 2, in archive {first}\n" in result.output
    assert f"Version 2 of 2, in archive {second}\n" in result.output
    assert result.output.index("Version 1") < result.output.index("These are other words.")
    versions = run("--config", home.folder, "show", "--json", changed).json_lines()
    assert [(one["type"], one["table"], one["archive"]) for one in versions] == [
        ("version", "post", first), ("version", "post", second),
    ]  # fmt: skip
    assert versions[1]["record"]["text"] == "These are other words."
    assert versions[1]["record"]["posted_at"].endswith("Z")


def test_how_a_record_was_captured_is_said(run: Runner, home: Home) -> None:
    post = read_posts(export(home))[3]
    output = run("--config", home.folder, "show", str(post["id_str"])).output
    assert "captured from sample.zip!data/tweets.js (x_export, route export)" in output
    assert "body SHA-256 " in output
    assert "unknown" not in output


def test_the_bytes_are_those_of_the_export(run: Runner, home: Home) -> None:
    post = read_posts(export(home))[5]
    raw = run("--config", home.folder, "show", "--raw", str(post["id_str"])).output.rstrip("\n")
    with zipfile.ZipFile(export(home)) as archive:
        assert raw in archive.read("data/tweets.js").decode()
    assert json.loads(raw)["tweet"] == post
    (version,) = run("--config", home.folder, "show", "--json", str(post["id_str"])).json_lines()
    assert version["raw"] == [raw]


def test_pictures_and_links_are_listed_with_where_they_lie(run: Runner, home: Home) -> None:
    post = pictured(home)
    output = run("--config", home.folder, "show", str(post["id_str"])).output
    assert f"photo {post['id_str']}-" in output
    assert f"{home.archives[0].name}/media-000.tar.age" in output
    version = run("--config", home.folder, "show", "--json", str(post["id_str"])).json_lines()[0]
    assert version["media"][0]["missing"] is None
    linked = next(one for one in read_posts(export(home)) if one["entities"]["urls"])
    assert " link https://t.co/" in run("--config", home.folder, "show", str(linked["id_str"])).output


def test_what_was_captured_for_many_moderation_records_is_shown_once_with_each_capture(
    run: Runner, tmp_path: Path
) -> None:
    home = Home(make_folder(tmp_path / "home"))
    with home.open_spool() as spool:
        for number, text in enumerate(["a notice", "a notice", "a changed notice", "a notice"]):
            metrics = {"like_count": number // 3, "retweet_count": 0, "reply_count": 0, "quote_count": 0}
            answer = answer_of(
                spool, x_post("70001", text, public_metrics=metrics), fetched_ms=POSTED_MS + number * 1000
            )
            keep_entries(spool, [moderation(f"m{number}")], [answer])
    home.take()
    output = run("--config", home.folder, "show", "70001").output
    assert output.count("Captured for a moderation record, in archive ") == 2
    assert [line for line in output.splitlines() if "notice" in line] == ["  a notice", "  a changed notice"]
    first, second = output.split("  a changed notice\n")
    again = "  also captured for a moderation record from GET /2/tweets (x_api, route api), 2026-10-26T"
    assert [line[-4:] for line in first.splitlines() if line.startswith(again)] == ["000Z"] * 2
    assert "also captured" not in second
    assert output.count("  body SHA-256 ") == 4
    assert len(run("--config", home.folder, "show", "--json", "70001").json_lines()) == 4
    assert len(run("--config", home.folder, "show", "--raw", "70001").output.splitlines()) == 2 * 3


def test_what_was_captured_once_more_for_a_record_is_below_the_version_it_repeats(
    run: Runner, tmp_path: Path
) -> None:
    home = Home(make_folder(tmp_path / "home"))
    with home.open_spool() as spool:
        keep_entries(spool, [moderation("m1")], [answer_of(spool, x_post("70001", "a notice"))])
        spool.add_answer(
            answer_of(
                spool, x_post("70001", "a notice"), body_kind="mentions", series="mention", change="new"
            )
        )
    home.take()
    output = run("--config", home.folder, "show", "70001").output
    assert output.startswith("Version 1 of 1, in archive ")
    assert output.count("a notice") == output.count("also captured for a moderation record") == 1


def test_a_deleted_post_is_shown_with_when_that_was_noticed(run: Runner, home: Home) -> None:
    deleted = str(read_posts(export(home), "data/deleted-tweets.js")[0]["id_str"])
    result = run("--config", home.folder, "show", deleted)
    assert "\nGone: noticed 2026-09-30T" in result.output
    kinds = {line["type"] for line in run("--config", home.folder, "show", "--json", deleted).json_lines()}
    assert kinds == {"version", "gone"}
    assert "Gone" not in run("--config", home.folder, "show", "--raw", deleted).output


@pytest.mark.parametrize("platform_id", ["12345", "nothing", "\udcff"])
def test_an_id_that_nothing_has_is_a_failure_with_a_hint(run: Runner, home: Home, platform_id: str) -> None:
    error = run.fails(1, "--config", home.folder, "show", platform_id)
    assert error.startswith("no record ")
    assert "archiver search" in error


def test_in_a_broken_chain_an_id_that_is_not_found_is_an_integrity_failure(run: Runner, home: Home) -> None:
    name = f"archives/{home.archives[0].name}/manifest.json"
    data = (home.folder / "vault" / name).read_bytes()
    home.replace(name, None)
    try:
        assert "is due" in run.fails(20, "--config", home.folder, "show", "12345")
        found = run("--config", home.folder, "show", str(read_posts(export(home))[0]["id_str"]))
    finally:
        home.replace(name, data)
    assert found.code == 20
    assert "These are other words." in found.output
