"""The main job from the command line: the demo, a vault of one's own, cron's backup, and real exports."""

import json
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from archiver.disk import PARTIAL_PREFIX
from archiver.keys import load_identity
from archiver.sample import SAMPLE_ACCOUNT_ID
from tests.cli.runner import Runner
from tests.faults.folders import (
    LATER,
    check_nothing_half,
    make_folder,
    open_whole_vault,
    read_contents,
    read_posts,
    same_but_once,
    sample,
)
from tests.programs import require_shared_data


def test_the_demo_runs_whole_and_a_second_time_adds_nothing(run: Runner, tmp_path: Path) -> None:
    first = run("demo", tmp_path / "demo")
    assert first.code == 0, first
    for part in (
        "2,013 posts", "252 messages", "followers", "1 archive, 2 files", "No archive is missing or altered",
        "search flooding", "burglary", str(tmp_path / "demo" / "vault"),
    ):  # fmt: skip
        assert part in first.output
    before = read_contents(tmp_path / "demo")
    second = run("demo", tmp_path / "demo")
    assert second.code == 0, second
    assert "taken before, nothing new" in second.output
    assert "Nothing new to seal." in second.output
    assert len(open_whole_vault(tmp_path / "demo")[1]) == 1
    assert read_contents(tmp_path / "demo") == before
    same_but_once(before)
    check_nothing_half(tmp_path / "demo")


@pytest.mark.parametrize("classic", [True, False], ids=["classic", "post-quantum"])
def test_a_vault_of_ones_own_from_the_first_command_to_the_last(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, classic: bool
) -> None:
    export = sample(tmp_path / "export.zip", months=2)
    posts = read_posts(export)
    options = ["--classic"] if classic else []
    assert run("init", tmp_path / "v", "--holder", "bert", "--no-passphrase", *options).code == 0
    monkeypatch.chdir(tmp_path / "v")
    assert run("config", "check").code == 0
    assert run("import", "--add-account", export).code == 0
    (waiting,) = [line for line in run("status", "--json").json_lines() if line["type"] == "waiting"]
    assert waiting["spool_records"] > len(posts)  # type: ignore[operator]  # it is a number
    sealed = run("seal", "--json").json_lines()
    assert [line["type"] for line in sealed] == ["sealed"]
    archive = str(sealed[0]["archive"])
    assert sealed[0]["sequence"] == 1
    check_nothing_half(Path.cwd())

    kinds = "kind:post OR kind:reply OR kind:repost OR kind:quote"
    found = run("search", "--json", "--limit", "0", kinds)
    *hits, summary = found.json_lines()
    assert summary["count"] == len(hits) > 100
    assert {post["id_str"] for post in posts} - {hit["id"] for hit in hits} == edited(posts)
    for field in ("platform", "id", "account", "author", "posted_at", "text", "archive", "versions"):
        assert all(field in hit for hit in hits)
    assert {hit["archive"] for hit in hits} == {archive}
    post = next(post for post in posts if post["full_text"].startswith("@"))
    assert run("search", "--json", f'kind:reply "{post["full_text"].split(" ", 1)[1][:30]}"').code == 0
    shown = run("show", "--raw", post["id_str"])
    assert json.loads(shown.output)["tweet"]["full_text"] == post["full_text"]

    for arguments in (("verify",), ("verify", "--contents"), ("verify", archive), ("rebuild",)):
        assert run(*arguments).code == 0
    head = f"1:{sealed[0]['manifest_sha256']}"
    assert run("verify", "--head", head).code == 0
    assert run("verify", "--head", f"2:{'0' * 64}").code == 20

    assert run("restore", archive, "--to", "restored").code == 0
    database = Path("restored", archive, "records-000.sqlite")
    with closing(sqlite3.connect(database)) as connection:
        texts = dict(connection.execute("SELECT platform_id, text FROM post"))
    assert {one["id_str"] for one in posts} <= set(texts)
    pictures = list(Path("restored", archive, "media").rglob("*.png"))
    assert len(pictures) > 5
    assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)
    assert stat.S_IMODE(Path("restored", archive).stat().st_mode) == 0o700
    assert "is there already" in run.fails(2, "restore", archive, "--to", "restored")
    assert run("seal").output == "Nothing new to seal.\n"
    assert not list(Path.cwd().rglob(f"{PARTIAL_PREFIX}*"))


def edited(posts: list[dict[str, object]]) -> set[str]:
    """Ids of earlier versions: search shows the newest only."""
    found = set()
    for post in posts:
        information = post.get("edit_info")
        if isinstance(information, dict) and "initial" in information:
            ids = information["initial"]["editTweetIds"]
            found |= set(ids[:-1])
    return found


def test_cron_takes_what_lies_in_the_inbox_month_after_month(run: Runner, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "v")
    inbox = folder / "inbox"
    assert run("--config", folder, "backup").code == 0
    assert open_whole_vault(folder)[1] == []
    for number, (months, until) in enumerate([(2, None), (3, LATER)], start=1):
        sample(inbox / f"export-{number}.zip", months=months, **({"until": until} if until else {}))
        result = run("--config", folder, "backup", "--json", *(["--add-account"] if number == 1 else []))
        assert result.code == 0, result
        assert [line["type"] for line in result.json_lines()] == ["import", "sealed", "verified"]
        assert len(open_whole_vault(folder)[1]) == number
        assert [path.name for path in inbox.iterdir()] == ["done"]
    again = run("--config", folder, "backup")
    assert again.code == 0
    assert "Nothing new to seal." in again.output
    assert len(open_whole_vault(folder)[1]) == 2
    first, second = open_whole_vault(folder)[1]
    assert second.manifest.previous == first.head.sha256
    assert second.manifest.sequence == 2
    same_but_once(read_contents(folder))
    status = run("--config", folder, "status", "--json").json_lines()
    types = ["account", "store", "archive", "archive", "waiting", "keyholder", "summary"]
    assert [line["type"] for line in status if line["type"] != "job"] == types
    assert status[0]["id"] == SAMPLE_ACCOUNT_ID
    assert str(status[0]["last_export"]).startswith("2026-10-31")


def test_a_host_that_only_collects_works_and_reads_nothing(run: Runner, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "v")
    (folder / "keys" / "records.identity").rename(tmp_path / "in-the-safe")
    export = sample(tmp_path / "export.zip", months=2)
    for arguments in (("import", "--add-account", export), ("seal",), ("verify",), ("backup",)):
        assert run("--config", folder, *arguments).code == 0
    assert run("--config", folder, "status").code == 3, "the export is older than the settings want"
    (archive,) = open_whole_vault(folder)[1]
    for arguments in (
        ("search", "flooding"), ("show", "1"), ("rebuild",), ("verify", "--contents"),
        ("restore", archive.name, "--to", tmp_path / "out"),
    ):  # fmt: skip
        assert "records.identity" in run.fails(12, "--config", folder, *arguments)
    # What a thief of the host would try: the spool's own key.
    os.link(folder / "collector" / "spool.identity", folder / "keys" / "records.identity")
    assert load_identity(folder / "keys" / "records.identity")
    tried = run("--config", folder, "search", "flooding")
    assert tried.code == 12
    assert not tried.output
    assert "none of these identities opens it" in tried.errors
    (folder / "keys" / "records.identity").unlink()
    (tmp_path / "in-the-safe").rename(folder / "keys" / "records.identity")
    assert run("--config", folder, "search", "flooding").code == 0


def test_months_of_media_are_stored_once(run: Runner, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "v")
    for months, until in ((2, None), (3, LATER)):
        export = sample(tmp_path / f"{months}.zip", months=months, **({"until": until} if until else {}))
        assert run("--config", folder, "import", "--add-account", export).code == 0
        assert run("--config", folder, "seal").code == 0
    media = [row for row in read_contents(folder) if row[0] == "media"]
    names = [row[1] for row in media]
    assert len(names) == len(set(names))
    assert all(row[3] is None and row[4] for row in media)
    first, second = open_whole_vault(folder)[1]
    packed = [
        sum(count.new for count in archive.manifest.counts if count.kind == "media")
        for archive in (first, second)
    ]
    assert sum(packed) == len(names)
    assert 0 < packed[1] < packed[0]


@pytest.mark.parametrize(
    ("name", "expected", "exit_code"),
    [
        ("andreruffert-2022.zip", {"post": 1986, "follower": 420, "following": 295, "like": 1359}, 3),
        ("rtiatmla-2021.zip", {"post": 70, "follower": 111}, None),
    ],
)
def test_a_real_export_is_taken_whole(
    run: Runner, tmp_path: Path, name: str, expected: dict[str, int], exit_code: int | None
) -> None:
    export = require_shared_data("x-exports") / name
    folder = make_folder(tmp_path / "v")
    result = run("--config", folder, "import", "--json", "--add-account", export)
    assert result.code in ((0, 3) if exit_code is None else (exit_code,))
    (said,) = result.json_lines()
    counts = said["counts"]
    assert isinstance(counts, dict)
    assert {kind: counts[kind]["new"] for kind in expected} == expected
    if exit_code == 3:
        assert said["media_missing_names"]
    assert run("--config", folder, "seal").code == 0
    assert run("--config", folder, "verify", "--contents").code == 0
    assert run("--config", folder, "rebuild").code == 0
    check_nothing_half(folder)
    same_but_once(read_contents(folder))
