"""Later exports of the same account: what is new or changed is stored, the rest is not stored again, what is
gone is noted; and nothing is said to be gone, changed or back that is not."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from archiver.cli import main
from tests.cli.runner import Runner
from tests.faults.folders import (
    LATER,
    UNTIL,
    check_nothing_half,
    copy_folder,
    edit_json,
    edit_posts,
    make_folder,
    open_whole_vault,
    read_contents,
    read_posts,
    rewrite,
    same_but_once,
    sample,
)

ABSENT = "absent from the export"
DELETED = "deleted-tweets.js"


class Home:
    """A folder with the command line on it."""

    def __init__(self, run: Runner, folder: Path) -> None:
        self.run = run
        self.folder = folder

    def take(self, *exports: Path, code: int = 0) -> dict[str, Any]:
        """Import and seal; what the import said, its `counts` foremost."""
        result = self.run("--config", self.folder, "import", "--json", "--add-account", *exports)
        assert result.code == code, result
        (said,) = result.json_lines()
        assert self.run("--config", self.folder, "seal").code == 0
        return said

    def counts(self, *exports: Path) -> dict[str, dict[str, int]]:
        """Changes of an import and sealing, without what was unchanged."""
        counts = self.take(*exports)["counts"]
        changes = {
            kind: {change: number for change, number in found.items() if change != "unchanged" and number}
            for kind, found in counts.items()
        }
        return {kind: found for kind, found in changes.items() if found}

    def search(self, *words: str) -> list[dict[str, Any]]:
        result = self.run("--config", self.folder, "search", "--json", "--limit", "0", *words)
        assert result.code == 0, result
        return result.json_lines()[:-1]

    def show(self, platform_id: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Versions, and what was noted of it as gone."""
        result = self.run("--config", self.folder, "show", "--json", platform_id)
        assert result.code == 0, result
        lines = result.json_lines()
        return (
            [line["record"] for line in lines if line["type"] == "version"],
            [line for line in lines if line["type"] == "gone"],
        )

    def archives(self) -> int:
        return len(open_whole_vault(self.folder)[1])


@pytest.fixture(scope="module")
def september(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample(tmp_path_factory.mktemp("september") / "september.zip", months=2)


@pytest.fixture(scope="module")
def october(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample(tmp_path_factory.mktemp("october") / "october.zip", months=3, until=LATER)


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory, september: Path) -> Path:
    """A folder whose vault holds the export of September."""
    folder = make_folder(tmp_path_factory.mktemp("taken") / "v")
    assert main(["--config", str(folder), "import", "--add-account", str(september)]) == 0
    assert main(["--config", str(folder), "seal"]) == 0
    return folder


@pytest.fixture
def home(run: Runner, tmp_path: Path, taken: Path) -> Home:
    return Home(run, copy_folder(taken, tmp_path / "v"))


@pytest.fixture
def empty(run: Runner, tmp_path: Path) -> Home:
    return Home(run, make_folder(tmp_path / "empty"))


def made(source: Path, target: Path, day: dt.date, **changes: Any) -> Path:
    """The same export as if X had made it on another day; further members as keywords by their stem."""
    members = {f"data/{name.replace('_', '-')}.js": change for name, change in changes.items()}

    def date(manifest: dict[str, Any]) -> None:
        manifest["archiveInfo"]["generationDate"] = f"{day.isoformat()}T20:00:00.000Z"

    before = members.pop("data/manifest.js", None)
    rewritten = rewrite(source, target, {**members, "data/manifest.js": edit_json(date)})
    if before is None:
        return rewritten
    again = rewrite(rewritten, target.with_suffix(".zip2"), {"data/manifest.js": before})
    return again.rename(target)


def without(*ids: str) -> dict[str, Any]:
    """Members for `made` that leave posts out everywhere, with the manifest's counts right."""

    def leave_out(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            item
            for item in items
            if not {item["tweet"].get("id_str"), item["tweet"].get("tweet_id")} & set(ids)
        ]

    return {
        "tweets": edit_json(leave_out),
        "tweet_headers": edit_json(leave_out),
        "manifest": set_counts(tweets=-len(ids), tweetHeaders=-len(ids)),
    }


def set_counts(**differences: int) -> Any:
    def edit(manifest: dict[str, Any]) -> None:
        for name, difference in differences.items():
            file = manifest["dataTypes"][name]["files"][0]
            file["count"] = str(int(file["count"]) + difference)

    return edit_json(edit)


def plain_post(export: Path, number: int = 0) -> dict[str, Any]:
    """The `number`th of the posts that are neither replies, reposts, long, edited nor pictured."""
    return [
        post
        for post in read_posts(export)
        if not post["full_text"].startswith(("RT @", "@"))
        and "media" not in post["entities"]
        and not post["entities"]["urls"]
        and not post["full_text"].startswith("Road closed")  # those are edited
    ][number]


def test_a_later_export_adds_only_what_is_new(home: Home, september: Path, october: Path) -> None:
    before = read_contents(home.folder)
    counts = home.counts(october)
    old = {post["id_str"] for post in read_posts(september)}
    new = {post["id_str"] for post in read_posts(october)} - old
    assert counts["post"]["new"] >= len(new) > 50
    assert "changed" not in counts["post"]
    assert "back" not in counts["post"]
    first, second = open_whole_vault(home.folder)[1]
    posts = [
        sum(file.records.get("post", 0) for file in archive.manifest.segments) for archive in (first, second)
    ]
    assert posts[1] == counts["post"]["new"]
    sizes = [sum(file.size for file in archive.manifest.files) for archive in (first, second)]
    assert sizes[1] < 0.85 * sizes[0]  # one month against two
    after = read_contents(home.folder)
    same_but_once(after)
    assert not before - after
    assert {row[1] for row in after if row[0] == "post" and row[2] > 1} == set()
    relations = sum(row[0] == "relation" for row in after - before)
    assert relations == sum(
        counts.get(kind, {}).get("new", 0) for kind in ("follower", "following", "block", "mute", "like")
    )
    assert 0 < relations < 40


def test_the_same_file_again_is_taken_for_what_it_is(home: Home, september: Path, tmp_path: Path) -> None:
    before = read_contents(home.folder)
    renamed = tmp_path / "renamed.zip"
    renamed.write_bytes(september.read_bytes())
    for export in (september, renamed):
        said = home.take(export)
        assert said["repeated"] is True
        assert said["complete"] is True
    assert home.archives() == 1
    assert read_contents(home.folder) == before


def test_the_same_content_in_an_export_of_another_day_is_not_stored_again(
    home: Home, september: Path, tmp_path: Path
) -> None:
    again = made(september, tmp_path / "again.zip", dt.date(2026, 10, 3))
    assert home.counts(again) == {}
    assert home.archives() == 1


def test_like_counts_alone_make_no_version(home: Home, september: Path, tmp_path: Path) -> None:
    def like(posts: list[dict[str, Any]]) -> None:
        for post in posts:
            post["favorite_count"] = str(int(post["favorite_count"]) + 7)
            post["retweet_count"] = "3"

    liked = made(september, tmp_path / "liked.zip", dt.date(2026, 10, 3), tweets=edit_posts(like))
    assert home.counts(liked) == {}
    assert home.archives() == 1


def test_a_changed_text_is_a_second_version_and_search_shows_the_newest_once(
    home: Home, september: Path, tmp_path: Path
) -> None:
    post_id = plain_post(september, 3)["id_str"]

    def change(posts: list[dict[str, Any]]) -> None:
        (post,) = [one for one in posts if one["id_str"] == post_id]
        post["full_text"] = "Quokka sighted, this was changed by hand"

    changed = made(september, tmp_path / "changed.zip", dt.date(2026, 10, 3), tweets=edit_posts(change))
    assert home.counts(changed) == {"post": {"changed": 1}}
    (hit,) = home.search("quokka")
    assert (hit["id"], hit["versions"], hit["superseded"]) == (post_id, 2, False)
    versions, gone = home.show(post_id)
    assert [version["version"] for version in versions] == [1, 2]
    assert versions[1]["text"].startswith("Quokka")
    assert not gone
    old_word = versions[0]["text"].split()[-1].strip(".")
    assert [hit["superseded"] for hit in home.search(f'"{old_word}"') if hit["id"] == post_id] == [True]
    _, second = open_whole_vault(home.folder)[1]
    assert {name: rows for name, rows in second.manifest.segments[0].records.items() if rows} == {"post": 1}


def test_a_post_that_is_absent_is_gone_and_stays_readable(
    home: Home, september: Path, tmp_path: Path
) -> None:
    post = plain_post(september, 2)
    shorter = made(september, tmp_path / "shorter.zip", dt.date(2026, 10, 3), **without(post["id_str"]))
    counts = home.counts(shorter)
    assert counts["post"] == {"gone": 1}
    versions, gone = home.show(post["id_str"])
    assert len(versions) == 1
    assert [(one["how"], one["noticed_at"][:10]) for one in gone] == [(ABSENT, "2026-10-03")]
    hits = {hit["id"]: hit for hit in home.search("kind:post")}
    assert hits[post["id_str"]]["gone_how"] == ABSENT
    assert sum(hit["gone_at"] is not None for hit in hits.values()) <= 2  # the other deleted itself
    once_more = made(september, tmp_path / "more.zip", dt.date(2026, 10, 4), **without(post["id_str"]))
    assert home.counts(once_more) == {}


def test_a_post_in_deleted_tweets_is_gone_with_that(home: Home, september: Path, tmp_path: Path) -> None:
    post_id = plain_post(september, 2)["id_str"]
    later = sample(tmp_path / "later.zip", months=3, until=LATER, delete_post_ids=[post_id])
    counts = home.counts(later)
    assert "back" not in counts["post"]
    versions, gone = home.show(post_id)
    assert len(versions) == 1
    assert [DELETED in one["how"] for one in gone] == [True]
    assert gone[0]["deleted_at"] is not None


def test_a_deleted_post_that_two_exports_list_is_not_back(
    home: Home, september: Path, tmp_path: Path
) -> None:
    """X lists a deleted post for fourteen days, in every export made meanwhile."""
    before = read_contents(home.folder)
    deleted = [row[1] for row in before if row[0] == "gone"]
    assert len(deleted) == 1
    again = made(september, tmp_path / "again.zip", dt.date(2026, 10, 3))
    assert home.counts(again) == {}
    versions, gone = home.show(deleted[0])
    assert (len(versions), len(gone)) == (1, 1)
    two_weeks_on = made(
        september,
        tmp_path / "on.zip",
        dt.date(2026, 10, 20),
        deleted_tweets=edit_json(lambda items: items.clear()),
        deleted_tweet_headers=edit_json(lambda items: items.clear()),
        manifest=set_counts(deletedTweets=-1, deletedTweetHeaders=-1),
    )
    assert home.counts(two_weeks_on) == {}
    versions, gone = home.show(deleted[0])
    assert (len(versions), len(gone)) == (1, 1)


def test_a_post_that_is_there_again_is_told_and_is_not_gone_any_more(
    home: Home, september: Path, tmp_path: Path
) -> None:
    post_id = plain_post(september, 2)["id_str"]
    home.take(made(september, tmp_path / "a.zip", dt.date(2026, 10, 3), **without(post_id)))
    back = made(september, tmp_path / "b.zip", dt.date(2026, 10, 5))
    assert home.counts(back)["post"] == {"back": 1}
    (hit,) = [hit for hit in home.search("kind:post") if hit["id"] == post_id]
    assert hit["gone_at"] is None
    assert hit["versions"] == 2
    _, gone = home.show(post_id)
    assert len(gone) == 1, "that it was gone for a while stays on record"
    lost = made(september, tmp_path / "c.zip", dt.date(2026, 10, 7), **without(post_id))
    assert home.counts(lost)["post"] == {"gone": 1}
    (hit,) = [hit for hit in home.search("kind:post") if hit["id"] == post_id]
    assert hit["gone_at"].startswith("2026-10-07")


@pytest.mark.parametrize(
    ("stem", "kind", "key"),
    [
        ("follower", "follower", "follower"),
        ("following", "following", "following"),
        ("block", "block", "blocking"),
        ("mute", "mute", "muting"),
    ],
)
def test_a_relation_that_ended_is_gone_and_one_that_began_is_new(
    home: Home, september: Path, tmp_path: Path, stem: str, kind: str, key: str
) -> None:
    ended: list[str] = []

    def edit(items: list[dict[str, Any]]) -> None:
        if items:
            ended.append(items.pop(0)[key]["accountId"])
        items += [
            {key: {"accountId": one, "userLink": "https://twitter.com/x"}} for one in ("777000", "777001")
        ]

    more = made(september, tmp_path / "more.zip", dt.date(2026, 10, 3), **{stem: edit_json(edit)})
    difference = 2 - len(ended)
    counted = rewrite(more, tmp_path / "counted.zip", {"data/manifest.js": set_counts(**{stem: difference})})
    counts = home.counts(counted)
    assert counts[kind] == {"new": 2, **({"gone": 1} if ended else {})}
    assert set(counts) <= {kind, "gone"}
    assert {"777000", "777001"} <= {hit["id"] for hit in home.search(f"kind:{kind}")}
    for account_id in ended:
        _, gone = home.show(account_id)
        assert [(one["kind"], one["how"]) for one in gone] == [(kind, ABSENT)]


def test_a_partial_export_makes_nothing_gone(home: Home, september: Path, tmp_path: Path) -> None:
    ids = [post["id_str"] for post in read_posts(september)[:20]]
    shorter = made(september, tmp_path / "shorter.zip", dt.date(2026, 10, 3), **without(*ids))

    def partial(manifest: dict[str, Any]) -> None:
        manifest["archiveInfo"]["isPartialArchive"] = True

    marked = rewrite(shorter, tmp_path / "partial.zip", {"data/manifest.js": edit_json(partial)})
    said = home.take(marked, code=3)
    assert not any(found.get("gone") for found in said["counts"].values())
    assert not said["counts"].get("gone", {}).get("new")
    assert home.archives() == 1
    assert all(hit["gone_at"] is None for hit in home.search("kind:post") if hit["id"] in ids)


def test_an_export_that_lacks_a_file_makes_nothing_of_that_kind_gone(
    home: Home, september: Path, tmp_path: Path
) -> None:
    lacking = made(september, tmp_path / "lacking.zip", dt.date(2026, 10, 3), follower=None, tweets=None)
    said = home.take(lacking, code=3)
    assert not any(found.get("gone") for found in said["counts"].values())
    assert {"missing"} <= {problem["reason"] for problem in said["problems"]}


def test_a_broken_file_makes_nothing_of_that_kind_gone(home: Home, september: Path, tmp_path: Path) -> None:
    broken = made(
        september,
        tmp_path / "broken.zip",
        dt.date(2026, 10, 3),
        follower=lambda data: data[: len(data) // 2],
        tweets=lambda data: data[: len(data) // 2],
    )
    said = home.take(broken, code=3)
    assert not any(found.get("gone") for found in said["counts"].values())


def test_an_older_export_taken_later_only_adds(empty: Home, september: Path, october: Path) -> None:
    empty.take(october)
    before = read_contents(empty.folder)
    said = empty.take(september)
    after = read_contents(empty.folder)
    same_but_once(after)
    assert not before - after
    ids = {post["id_str"] for post in read_posts(september)}
    assert not [row for row in after if row[0] == "gone" and row[3] == "post" and row[1] in ids]
    deleted = {post["id_str"] for post in read_posts(september, "data/deleted-tweets.js")}
    assert {row[1] for row in after - before if row[0] == "post"} == deleted
    assert {row[0] for row in after - before} <= {"relation", "gone", "post"}
    assert "back" not in said["counts"]["post"]
    assert "changed" not in said["counts"]["post"]


def test_what_an_older_export_has_that_the_newer_had_not_is_gone_since_the_newer(
    empty: Home, september: Path, tmp_path: Path
) -> None:
    post_id = plain_post(september, 2)["id_str"]
    empty.take(made(september, tmp_path / "newer.zip", dt.date(2026, 10, 3), **without(post_id)))
    counts = empty.counts(september)
    assert counts["post"] == {"new": 1, "gone": 1}
    _, gone = empty.show(post_id)
    assert [one["noticed_at"][:10] for one in gone] == ["2026-10-03"]


def test_an_older_export_taken_later_brings_nothing_back(home: Home, september: Path, tmp_path: Path) -> None:
    post_id = plain_post(september, 2)["id_str"]
    home.take(made(september, tmp_path / "newer.zip", dt.date(2026, 10, 3), **without(post_id)))
    older = made(september, tmp_path / "older.zip", dt.date(2026, 9, 29))
    assert home.counts(older) == {}
    versions, gone = home.show(post_id)
    assert (len(versions), len(gone)) == (1, 1)


def test_an_older_text_taken_later_does_not_become_the_newest(
    empty: Home, september: Path, tmp_path: Path
) -> None:
    post_id = plain_post(september, 3)["id_str"]

    def change(posts: list[dict[str, Any]]) -> None:
        (post,) = [one for one in posts if one["id_str"] == post_id]
        post["full_text"] = "Quokka sighted, the newer text"

    newer = made(september, tmp_path / "newer.zip", dt.date(2026, 10, 3), tweets=edit_posts(change))
    empty.take(newer)
    empty.take(september)
    (hit,) = empty.search("quokka")
    assert (hit["id"], hit["superseded"]) == (post_id, False)
    assert hit["versions"] == 2


def test_two_differing_copies_that_every_export_repeats_are_stored_once_each(
    empty: Home, september: Path, tmp_path: Path
) -> None:
    post_id = plain_post(september, 3)["id_str"]

    def double(items: list[dict[str, Any]]) -> None:
        (item,) = [each for each in items if each["tweet"]["id_str"] == post_id]
        items.append({"tweet": {**item["tweet"], "full_text": "Quokka, said otherwise"}})

    changes = {"tweets": edit_json(double), "manifest": set_counts(tweets=1)}
    for number in (1, 2, 3):
        export = made(september, tmp_path / f"{number}.zip", dt.date(2026, 10, number), **changes)
        if number == 1:
            said = empty.take(export, code=3)
            assert [problem["reason"] for problem in said["problems"]] == ["conflict"]
        else:
            assert empty.counts(export) == {}, "both are known"
        versions, gone = empty.show(post_id)
        assert len({version["text"] for version in versions}) == 2
        assert len(versions) == 2, f"after {number} exports"
        assert not gone


def test_exports_given_together_are_taken_from_the_oldest_on(
    empty: Home, september: Path, october: Path
) -> None:
    result = empty.run("--config", empty.folder, "import", "--json", "--add-account", october, september)
    assert result.code == 0
    assert [line["generated"] for line in result.json_lines()] == [UNTIL.isoformat(), LATER.isoformat()]
    assert empty.run("--config", empty.folder, "seal").code == 0
    same_but_once(read_contents(empty.folder))
    check_nothing_half(empty.folder)


def test_when_a_post_was_last_seen_is_what_the_exports_prove(
    run: Runner, home: Home, september: Path, tmp_path: Path
) -> None:
    deleted, kept = plain_post(september, 0), plain_post(september, 1)
    home.take(made(september, tmp_path / "2.zip", dt.date(2026, 10, 3), **without(deleted["id_str"])))
    for post, seen, missing in (
        (deleted, "2026-09-30 23:59:59 UTC", "2026-10-03 20:00:00 UTC"),
        (kept, "2026-10-03 20:00:00 UTC", None),
    ):
        output = run("--config", home.folder, "show", post["id_str"]).output
        assert f"  last seen         {seen}, " in output
        assert ("  first missing     " in output) == (missing is not None)
        assert missing is None or f"  first missing     {missing}, " in output
        assert ("unchanged, so not kept again" in output) == (post is kept)
    home.take(made(september, tmp_path / "3.zip", dt.date(2026, 10, 5)))
    output = run("--config", home.folder, "show", deleted["id_str"]).output
    assert "  there again       2026-10-05 20:00:00 UTC, 2026-10-05 21:00:00 BST\n" in output
    assert "  last seen         2026-10-05 20:00:00 UTC, " in output
    (gone,) = home.show(deleted["id_str"])[1]
    assert gone["back_at"] == "2026-10-05T20:00:00.000Z"
