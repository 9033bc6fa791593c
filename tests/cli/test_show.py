"""`archiver show`: one record whole, for a person, for a program, and as it was delivered."""

import json
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from archiver.moderation.keeping import keep_entries
from tests.cli.runner import Runner, run_on_terminal
from tests.faults.folders import copy_folder, edit_json, edit_posts, make_folder, read_posts, rewrite, sample
from tests.homes import Home, make_home
from tests.made_vaults import VaultMaker, moderation, post
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


def test_with_a_damaged_archive_the_others_are_shown_and_it_is_named(
    run: Runner, home: Home, tmp_path: Path
) -> None:
    copied = Home(copy_folder(home.folder, tmp_path / "home"))
    changed = str(read_posts(export(home))[0]["id_str"])
    named = f"archiver: error: archive {copied.damage(0)} was not searched: "
    for arguments in ([changed], ["--raw", changed], ["--json", changed]):
        result = run("--config", copied.folder, "show", *arguments)
        assert result.code == 20
        assert "These are other words." in result.output
        assert named in result.errors
    absent = run("--config", copied.folder, "show", "12345")
    assert (absent.code, absent.output) == (20, "")
    assert named in absent.errors
    assert "no record 12345 is in what could be searched\n" in absent.errors
    both = (named, f"archiver: error: archive {copied.damage(1)} was not searched: ")
    result = run("--config", copied.folder, "show", changed)
    assert (result.code, result.output) == (20, "")
    assert all(one in result.errors for one in both)


def test_an_archive_that_no_key_opens_is_named_and_the_others_are_shown(
    run: Runner, home: Home, tmp_path: Path
) -> None:
    copied = Home(copy_folder(home.folder, tmp_path / "home"))
    changed = str(read_posts(export(home))[0]["id_str"])
    other = VaultMaker(tmp_path / "other")
    other.add("2026-01-01", [post("1", "of others")])
    key = (other.folder / "archives/2026-01-01/key.age").read_bytes()
    for number, code in enumerate((3, 12)):
        copied.replace(f"archives/{copied.archives[number].name}/key.age", key)
        result = run("--config", copied.folder, "show", changed)
        assert result.code == code
        assert ("These are other words." in result.output) == (code == 3)
        assert f"archive {copied.archives[number].name} was not searched: " in result.errors


# Differences, times, thread


def test_what_changed_in_a_version_is_shown_word_by_word_and_by_fields(run: Runner, home: Home) -> None:
    changed = str(read_posts(export(home))[0]["id_str"])
    output = run("--config", home.folder, "show", changed).output
    first, second = output.split("\nVersion 2 of 2")
    assert "changed from" not in first
    assert "  changed from the version before:\n    text\n      [-" in second
    assert "{+These+} are" in second
    (_, version) = run("--config", home.folder, "show", "--json", changed).json_lines()
    kinds = {piece["kind"] for piece in version["differences"]["text"]}
    assert kinds == {"same", "removed", "added"}
    assert "".join(
        piece["text"] for piece in version["differences"]["text"] if piece["kind"] != "removed"
    ) == "These are other words."  # fmt: skip
    code, shown = run_on_terminal(["--config", home.folder, "show", changed], {})
    assert code == 0
    assert "\x1b[32m{+These+}\x1b[0m" in shown


def test_times_are_in_utc_and_in_uk_time(run: Runner, home: Home) -> None:
    changed = str(read_posts(export(home))[0]["id_str"])
    output = run("--config", home.folder, "show", changed).output
    assert "  first captured    2026-09-30 23:59:59 UTC, 2026-10-01 00:59:59 BST\n" in output
    assert "  captured again    2026-10-01 23:59:59 UTC, 2026-10-02 00:59:59 BST\n" in output
    assert "  last seen         2026-10-01 23:59:59 UTC, 2026-10-02 00:59:59 BST\n" in output
    times = run("--config", home.folder, "show", "--json", changed).json_lines()[0]["times"]
    assert times["first_captured_at"] == "2026-09-30T23:59:59.000Z"
    assert times["last_seen_at"] == times["last_captured_at"] == "2026-10-01T23:59:59.000Z"
    assert times["first_missing_at"] is times["back_at"] is None


def test_a_post_that_was_captured_as_deleted_was_never_seen(run: Runner, home: Home) -> None:
    deleted = str(read_posts(export(home), "data/deleted-tweets.js")[0]["id_str"])
    output = run("--config", home.folder, "show", deleted).output
    assert "  last seen         never: it was gone when it was captured\n" in output
    assert "  first missing     2026-09-30 23:59:59 UTC, " in output
    assert "there again" not in output


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A conversation on X, with a name, a text and a client that would steer a terminal."""
    home = Home(make_folder(tmp_path_factory.mktemp("talk") / "home"))

    def answering(number: int, to: int, **more: object) -> dict[str, object]:
        answered = [{"type": "replied_to", "id": str(to)}]
        return x_post(
            str(number), f"answer {number}", conversation_id="70001", referenced_tweets=answered, **more
        )

    evil = "\x1b[31mred\nVersion 9 of 9\u202e"
    posts = [
        x_post("70001", "the question", conversation_id="70001"),
        *(answering(number, 70001) for number in range(70002, 70100)),
        answering(70200, 70050, source=evil),
        x_post("80001", evil, referenced_tweets=[{"type": "quoted", "id": "99999"}]),
    ]
    with home.open_spool() as spool:
        spool.add_answer(
            answer_of(spool, *posts, body_kind="mentions", series="mention", change="new", name=evil)
        )
    home.take()
    return home


def test_the_thread_is_shown_in_order_with_the_record_marked(run: Runner, talk: Home) -> None:
    output = run("--config", talk.folder, "show", "70200").output
    lines = output.partition("\nThread, oldest first, times in UTC\n")[2].splitlines()
    assert lines[0] == "    and 74 more earlier"
    assert [line.split()[-1] for line in lines[1:3]] == ["70001", "70050"]
    assert [line.split()[-1] for line in lines if line.startswith(">>")] == ["70200"]
    assert lines[-1].startswith(">> 2026-10-26 07:33Z  @rude_example  answer 70200 ")
    assert {len(line) for line in lines[1:]} == {80}
    asked = run("--config", talk.folder, "show", "--json", "70200").json_lines()
    assert [line["type"] for line in asked] == ["version", "thread"]
    assert (asked[1]["id"], asked[1]["more_before"], asked[1]["at_least"]) == ("70200", 74, False)
    assert [line["id"] for line in asked[1]["lines"] if line["is_record"]] == ["70200"]


def test_what_a_thread_lacks_is_named(run: Runner, talk: Home) -> None:
    output = run("--config", talk.folder, "show", "80001").output
    assert "    quotes 99999, which is not in the vault\n" in output


def test_an_id_that_is_only_named_by_others_says_by_whom(run: Runner, talk: Home) -> None:
    result = run("--config", talk.folder, "show", "99999")
    assert result.code == 0
    first, line, how = result.output.splitlines()
    assert first == "99999 is not in the vault; 1 post names it:"
    assert line.endswith("  80001")
    assert how == "      quotes 99999"
    (naming,) = run("--config", talk.folder, "show", "--json", "99999").json_lines()
    assert (naming["type"], naming["id"], naming["how"]) == ("naming", "80001", "quotes 99999")
    assert run.fails(1, "--config", talk.folder, "show", "--raw", "99999").startswith("no record 99999")


def test_nothing_that_others_wrote_steers_the_terminal_or_passes_for_a_line_of_ours(
    run: Runner, talk: Home
) -> None:
    for asked in ("70001", "70200", "80001", "99999"):
        output = run("--config", talk.folder, "show", asked).output
        assert not set(output) & {"\x1b", "\u202e"}
        assert [line for line in output.splitlines() if line.startswith("Version 9")] == []
        assert "\x1b" not in run("--config", talk.folder, "show", "--json", asked).output


def test_where_a_version_lies_and_its_hashes_are_shown(run: Runner, home: Home) -> None:
    post = pictured(home)
    output = run("--config", home.folder, "show", str(post["id_str"])).output
    (*_, version) = run("--config", home.folder, "show", "--json", str(post["id_str"])).json_lines()
    archive = home.archives[0]
    assert version["raw_sha256"] == [sha256(body.encode()).hexdigest() for body in version["raw"]]
    place = version["places"][0]
    assert f"  lies in {version['segment']}\n" in output
    assert (
        f"    part {place['part']}, offset {place['offset']}, length {place['length']}, SHA-256\n" in output
    )
    for digest in (*version["raw_sha256"], version["manifest_sha256"], version["media"][0]["sha256"]):
        assert f"    {digest}\n" in output
    manifests = {one.head.sha256 for one in home.archives}
    assert version["manifest_sha256"] in manifests
    assert version["segment"].startswith(f"archives/{archive.name}")


def test_records_of_several_kinds_with_one_id_are_told_apart(run: Runner, tmp_path: Path) -> None:
    home = Home(make_folder(tmp_path / "home"))
    source = sample(tmp_path / "sample.zip")
    liked = read_posts(source)[4]

    def like_it(likes: list[dict[str, dict[str, object]]]) -> None:
        likes[0]["like"]["tweetId"] = liked["id_str"]

    home.take(rewrite(source, tmp_path / "liked.zip", {"data/like.js": edit_json(like_it)}))
    output = run("--config", home.folder, "show", str(liked["id_str"])).output
    headings = [line for line in output.splitlines() if line.startswith("Record ")]
    account = home.archives[0].manifest.counts[0].account
    assert headings == [
        f"Record {number} of 2 with this id: {kind} {liked['id_str']}, account {account} (x)"
        for number, kind in enumerate(("post", "like"), start=1)
    ]
    assert output.count("Version 1 of 1, in archive ") == 2
    assert output.count("\nTimes\n") == 2


def test_what_is_not_sealed_yet_is_shown_beside_what_is(run: Runner, talk: Home, tmp_path: Path) -> None:
    home = Home(copy_folder(talk.folder, tmp_path / "home"))
    answered = [{"type": "replied_to", "id": "70001"}]
    later = x_post("70300", "a late answer", conversation_id="70001", referenced_tweets=answered)
    with home.open_spool() as spool:
        spool.add_answer(answer_of(spool, later, body_kind="mentions", series="mention", change="new"))
    output = run("--config", home.folder, "show", "70300").output
    assert output.startswith("Version 1 of 1, in the spool\n")
    assert "  lies in the spool, not sealed yet\n" in output
    assert "\n>> 2026-10-26 07:33Z  @rude_example  a late answer " in output
    (version, _) = run("--config", home.folder, "show", "--json", "70300").json_lines()
    assert (version["archive"], version["manifest_sha256"]) == ("spool", None)
    thread = run("--config", home.folder, "show", "--json", "70001").json_lines()[1]
    assert thread["more_after"] == 100 - 25
