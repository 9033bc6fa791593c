"""Bad input on the command line: a sentence, a hint, the right exit code, nothing lost, nothing half."""

import io
import json
import os
import re
import shutil
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archiver.cli import main
from archiver.formats import age
from archiver.formats.ssh_signature import SigningKey
from archiver.keys import load_identities, new_identity
from archiver.settings import load_settings
from tests.cli.runner import Result, Runner
from tests.faults.folders import (
    Contents,
    check_nothing_half,
    copy_folder,
    edit_json,
    edit_posts,
    make_folder,
    open_spool,
    open_whole_vault,
    read_contents,
    read_posts,
    rewrite,
    same_but_once,
    sample,
)

LYING_BYTES = 0x0212_3456


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample(tmp_path_factory.mktemp("export") / "export.zip", months=1)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("fresh") / "v")


@pytest.fixture
def folder(tmp_path: Path, fresh: Path) -> Path:
    return copy_folder(fresh, tmp_path / "v")


def check_said(result: Result, code: int, *parts: str) -> str:
    """One sentence and one hint on standard error, no traceback; the sentence."""
    assert result.code == code, result
    assert "Traceback" not in result.errors + result.output
    lines = result.errors.splitlines()
    assert [line.split(" ", 2)[:2] for line in lines] == [["archiver:", "error:"], ["archiver:", "hint:"]], (
        lines
    )
    sentence = lines[0].removeprefix("archiver: error: ")
    for part in parts:
        assert part in sentence, sentence
    assert lines[1].removeprefix("archiver: hint: ").strip()
    return sentence


def check_named(result: Result, *parts: str) -> None:
    """Something sealed is altered: it is named among what else is said, with a hint, and ends in 20."""
    assert result.code == 20, result
    assert "Traceback" not in result.errors + result.output
    lines = result.errors.splitlines()
    (number,) = [at for at, line in enumerate(lines) if line.startswith("archiver: error: ")]
    assert all(part in lines[number] for part in parts), lines
    assert lines[number + 1].startswith("archiver: hint: ")


def take(run: Runner, folder: Path, *exports: Path, code: int = 0) -> dict[str, Any]:
    """Import and seal; what the import said."""
    result = run("--config", folder, "import", "--json", "--add-account", *exports)
    assert result.code == code, result
    assert "Traceback" not in result.errors
    assert run("--config", folder, "seal").code == 0
    check_nothing_half(folder)
    said: dict[str, Any] = result.json_lines()[0]
    return said


def problems(said: dict[str, Any], reason: str) -> list[str]:
    return [f"{one['what']}: {one['detail']}" for one in said["problems"] if one["reason"] == reason]


def posts_of(folder: Path) -> dict[str, list[str]]:
    """Texts of every post in the vault, by id."""
    found: dict[str, list[str]] = {}
    for row in read_contents(folder):
        if row[0] == "post":
            found.setdefault(row[1], []).append(row[4])
    return found


# Exports that are refused


def not_a_zip(export: Path, target: Path) -> None:
    target.write_bytes(b"This is a letter, not an export.\n" * 100)


def empty_file(export: Path, target: Path) -> None:
    target.write_bytes(b"")


def cut(export: Path, target: Path) -> None:
    data = export.read_bytes()
    target.write_bytes(data[: len(data) * 2 // 3])


def cut_directory(export: Path, target: Path) -> None:
    data = export.read_bytes()
    target.write_bytes(data[:-30])


def climbing(export: Path, target: Path) -> None:
    rewrite(export, target, {"../../outside.js": b"x"})


def absolute(export: Path, target: Path) -> None:
    rewrite(export, target, {"/etc/cron.d/x": b"x"})


def backslashes(export: Path, target: Path) -> None:
    rewrite(export, target, {"data/x.js": b"x"})
    target.write_bytes(target.read_bytes().replace(b"data/x.js", b"..\\..\\x.j"))


def symlink(export: Path, target: Path) -> None:
    info = zipfile.ZipInfo("data/link.js")
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    shutil.copy(export, target)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(info, b"/etc/passwd")


def bomb(export: Path, target: Path) -> None:
    rewrite(export, target, {"data/tweets-part1.js": bytes(64 * 1024 * 1024)})


def lying_bomb(export: Path, target: Path) -> None:
    """Its directory says 100 bytes."""
    rewrite(export, target, {"data/tweets-part1.js": bytes(LYING_BYTES)})
    data = target.read_bytes()
    size = struct.pack("<L", LYING_BYTES)
    assert data.count(size) == 2  # before the member and in the directory
    target.write_bytes(data.replace(size, struct.pack("<L", 100)))


def twice(export: Path, target: Path) -> None:
    shutil.copy(export, target)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(target, "a") as archive:
        archive.writestr("data/tweets.js", b"window.YTD.tweets.part0 = [ ]")


def encrypted(export: Path, target: Path) -> None:
    """The flag is set, as `zip -e` sets it."""
    data = bytearray(export.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    target.write_bytes(data)


def no_export(export: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("holiday/beach.txt", "sand")


def unknown_layout(export: Path, target: Path) -> None:
    """As if X had named everything anew."""
    with zipfile.ZipFile(export) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name.replace("data/", "content/v9-"), old.read(name))


def empty_zip(export: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w"):
        pass


def nobody(export: Path, target: Path) -> None:
    """Whose it is stands nowhere."""
    rewrite(export, target, {"data/manifest.js": None, "data/account.js": None})


def two_accounts(export: Path, target: Path) -> None:
    def other(items: list[dict[str, Any]]) -> None:
        items[0]["account"]["accountId"] = "999"

    rewrite(export, target, {"data/account.js": edit_json(other)})


def broken_manifest(export: Path, target: Path) -> None:
    rewrite(export, target, {"data/manifest.js": b"window.__THAR_CONFIG = {"})


REFUSED: dict[Callable[[Path, Path], None], str] = {
    not_a_zip: "not a ZIP file",
    empty_file: "not a ZIP file",
    cut: "cut off",
    cut_directory: "",
    climbing: "leads out of the export",
    absolute: "absolute name",
    backslashes: "backslash",
    symlink: "symbolic link",
    bomb: "inflates more than 200 times",
    twice: "twice",
    encrypted: "encrypted",
    no_export: "not an export of X",
    unknown_layout: "not an export of X in any known layout",
    empty_zip: "",
    nobody: "whose account",
    two_accounts: "account",
    broken_manifest: "manifest.js",
}


@pytest.mark.parametrize("make", REFUSED, ids=lambda make: make.__name__)
def test_an_export_that_cannot_be_trusted_is_refused_as_a_whole(
    run: Runner, tmp_path: Path, fresh: Path, folder: Path, export: Path, make: Callable[[Path, Path], None]
) -> None:
    bad = tmp_path / "bad.zip"
    make(export, bad)
    result = run("--config", folder, "import", "--add-account", bad)
    check_said(result, 1, "bad.zip", REFUSED[make])
    assert result.output == ""
    assert (folder / "archiver.toml").read_bytes() == (fresh / "archiver.toml").read_bytes()
    check_nothing_half(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.zip", "v"]


def test_a_member_that_inflates_past_what_it_states_is_told_and_the_others_are_taken(
    run: Runner, tmp_path: Path, folder: Path, export: Path
) -> None:
    lying_bomb(export, tmp_path / "bad.zip")
    result = run("--config", folder, "import", "--add-account", tmp_path / "bad.zip")
    assert result.code in (1, 3)
    assert "Traceback" not in result.errors
    assert "tweets-part1.js" in result.errors + result.output
    assert "inflates past the 100 bytes it states" in result.errors + result.output


def test_one_refused_export_does_not_stop_the_others(
    run: Runner, tmp_path: Path, folder: Path, export: Path
) -> None:
    cut(export, tmp_path / "bad.zip")
    result = run("--config", folder, "import", "--add-account", tmp_path / "bad.zip", export)
    assert result.code == 3
    assert "archiver: error: bad.zip: cut off" in result.errors
    assert "export.zip: export of @SpringfieldPolice" in result.output
    with open_spool(folder) as spool:
        assert not spool.is_empty()


def test_backup_leaves_an_export_that_may_still_come_in_the_inbox_and_takes_the_others(
    run: Runner, tmp_path: Path, folder: Path, export: Path
) -> None:
    inbox = folder / "inbox"
    cut(export, inbox / "bad.zip")
    shutil.copy(export, inbox / "good.zip")
    (inbox / "notes.txt").write_text("not an export")
    result = run("--config", folder, "backup", "--add-account")
    assert result.code == 3
    assert "archiver: error: bad.zip: cut off" in result.errors
    assert sorted(path.name for path in inbox.iterdir()) == ["bad.zip", "done", "notes.txt"]
    assert [path.name for path in (inbox / "done").iterdir()] == ["good.zip"]
    assert len(posts_of(folder)) > 50
    shutil.copy(export, inbox / "good.zip")
    (inbox / "bad.zip").unlink()
    assert run("--config", folder, "backup").code == 0
    assert sorted(path.name for path in (inbox / "done").iterdir()) == ["good.2.zip", "good.zip"]


def test_another_accounts_export_is_refused_without_the_flag(
    run: Runner, tmp_path: Path, folder: Path, export: Path
) -> None:
    before = (folder / "archiver.toml").read_bytes()
    sentence = check_said(run("--config", folder, "import", export), 2, "export.zip", "@SpringfieldPolice")
    assert "the settings do not name" in sentence
    assert (folder / "archiver.toml").read_bytes() == before
    with open_spool(folder) as spool:
        assert spool.is_empty()
    assert run("--config", folder, "import", "--add-account", export).code == 0
    assert run("--config", folder, "import", export).code == 0


def test_what_is_no_file_is_told(run: Runner, tmp_path: Path, folder: Path) -> None:
    check_said(run("--config", folder, "import", tmp_path / "absent.zip"), 1, "absent.zip")
    check_said(run("--config", folder, "import", tmp_path), 1, "a folder")


def test_a_name_that_steers_a_terminal_is_shown_harmlessly(
    run: Runner, tmp_path: Path, folder: Path, export: Path
) -> None:
    for name in (
        "\x1b]0;owned\x07\x1b[31m.zip",
        "new\nline.zip",
        "-option.zip",
        "übung 雨.zip",
        "a,b; $(x).zip",
    ):
        odd = tmp_path / name
        shutil.copy(export, odd)
        result = run("--config", folder, "import", "--add-account", "--", odd)
        assert result.code == 0, result
        assert "\x1b" not in result.output + result.errors
        assert "\x07" not in result.output
        odd.write_bytes(b"no longer")
        refused = run("--config", folder, "import", "--", odd)
        assert refused.code == 1
        assert "\x1b" not in refused.errors
        assert refused.errors.startswith("archiver: error: ")
    assert run("--config", folder, "seal").code == 0
    unencodable = tmp_path / os.fsdecode(b"\xff\xfe.zip")
    sample(unencodable, months=2)
    assert run("--config", folder, "import", unencodable).code == 0
    assert run("--config", folder, "seal").code == 0
    assert run("--config", folder, "verify", "--contents").code == 0
    check_nothing_half(folder)


def test_an_inbox_that_cannot_be_read_is_told(run: Runner, folder: Path) -> None:
    (folder / "inbox").rmdir()
    sentence = run("--config", folder, "backup")
    assert sentence.code in (1, 2)
    assert sentence.errors.startswith("archiver: error: ")
    assert str(folder / "inbox") in sentence.errors
    assert "archiver: hint: " in sentence.errors
    (folder / "inbox").write_text("a file")
    assert run("--config", folder, "backup").code in (1, 2)


# Exports with something wrong in them: all that is right is taken


def test_a_partial_export_is_taken_and_named_incomplete(
    run: Runner, tmp_path: Path, folder: Path, export: Path
) -> None:
    def partial(manifest: dict[str, Any]) -> None:
        manifest["archiveInfo"]["isPartialArchive"] = True

    bad = rewrite(export, tmp_path / "bad.zip", {"data/manifest.js": edit_json(partial)})
    said = take(run, folder, bad, code=3)
    assert problems(said, "partial")
    assert len(posts_of(folder)) == len(read_posts(export)) + 1  # and the deleted one


def test_a_missing_part_is_named_and_a_rerun_with_it_completes(
    run: Runner, tmp_path: Path, folder: Path, export: Path
) -> None:
    posts = read_posts(export)
    half = len(posts) // 2

    def first(items: list[Any]) -> list[Any]:
        return items[:half]

    with zipfile.ZipFile(export) as archive:
        second = edit_json(lambda items: items[half:])(archive.read("data/tweets.js"))
    second = second.replace(b"part0", b"part1", 1)

    def list_both(manifest: dict[str, Any]) -> None:
        files = manifest["dataTypes"]["tweets"]["files"]
        files[0]["count"] = str(half)
        files.append(
            {
                "fileName": "data/tweets-part1.js",
                "globalName": "YTD.tweets.part1",
                "count": str(len(posts) - half),
            }
        )

    changes: dict[str, Any] = {"data/tweets.js": edit_json(first), "data/manifest.js": edit_json(list_both)}
    one = rewrite(export, tmp_path / "twitter-1.zip", changes)
    said = take(run, folder, one, code=3)
    assert any("tweets-part1.js" in each for each in problems(said, "missing"))
    assert sum(not one.startswith("note-") for one in posts_of(folder)) == half + 1
    two = rewrite(
        export,
        tmp_path / "twitter-2.zip",
        {
            name: None
            for name in zipfile.ZipFile(export).namelist()
            if name.endswith(".js") and name != "data/manifest.js"
        }
        | {"data/manifest.js": edit_json(list_both), "data/tweets-part1.js": second},
    )
    said = take(run, folder, one, two)
    assert said["counts"]["post"]["new"] == len(posts) - half
    assert set(posts_of(folder)) >= {post["id_str"] for post in posts}
    same_but_once(read_contents(folder))


@pytest.mark.parametrize(
    "member",
    ["data/tweets.js", "data/direct-messages.js", "data/follower.js", "data/like.js", "data/profile.js"],
)
def test_broken_json_in_one_member_is_named_and_the_others_are_taken(
    run: Runner, tmp_path: Path, folder: Path, export: Path, member: str
) -> None:
    bad = rewrite(export, tmp_path / "bad.zip", {member: lambda data: data[: len(data) * 2 // 3]})
    said = take(run, folder, bad, code=3)
    assert any(member in each for each in problems(said, "broken"))
    counts = said["counts"]
    for kind, of in (("post", "data/tweets.js"), ("follower", "data/follower.js"), ("like", "data/like.js")):
        assert counts[kind]["new"] > 0
        if member != of:
            whole = {"post": len(read_posts(export)) + 1}.get(kind)
            assert whole is None or counts[kind]["new"] == whole
    printed = run("--config", folder, "import", bad)
    assert printed.code == 3
    assert f"PROBLEM bad.zip!{member}: broken" in printed.output
    assert "Incomplete" in printed.output


def test_a_member_whose_checksum_is_wrong_is_named(
    run: Runner, tmp_path: Path, folder: Path, export: Path
) -> None:
    stored = tmp_path / "bad.zip"
    with zipfile.ZipFile(export) as old, zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    data = bytearray(stored.read_bytes())
    at = data.rindex(b'"full_text" : "') + 20
    data[at] ^= 1
    stored.write_bytes(data)
    said = take(run, folder, stored, code=3)
    assert any("data/tweets.js" in each and "checksum" in each for each in problems(said, "broken"))


def test_equal_posts_in_two_parts_are_one_and_differing_ones_are_both_kept_and_told(
    run: Runner, tmp_path: Path, folder: Path, export: Path
) -> None:
    plain = [post for post in read_posts(export) if "media" not in post["entities"]]
    equal, differing = plain[0]["id_str"], plain[1]["id_str"]

    def other(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        kept = [item for item in items if item["tweet"]["id_str"] in (equal, differing)]
        for item in kept:
            if item["tweet"]["id_str"] == differing:
                item["tweet"]["full_text"] = "Quokka, said otherwise"
        return kept

    with zipfile.ZipFile(export) as archive:
        second = edit_json(other)(archive.read("data/tweets.js")).replace(b"part0", b"part1", 1)

    def list_both(manifest: dict[str, Any]) -> None:
        manifest["dataTypes"]["tweets"]["files"].append(
            {"fileName": "data/tweets-part1.js", "globalName": "YTD.tweets.part1", "count": "2"}
        )

    changes: dict[str, Any] = {"data/tweets-part1.js": second, "data/manifest.js": edit_json(list_both)}
    bad = rewrite(export, tmp_path / "bad.zip", changes)
    said = take(run, folder, bad, code=3)
    (told,) = problems(said, "conflict")
    assert differing in told
    posts = posts_of(folder)
    assert len(posts[equal]) == 1
    assert len(posts[differing]) == 2
    assert "Quokka, said otherwise" in posts[differing]


def test_odd_posts_are_kept(run: Runner, tmp_path: Path, folder: Path, export: Path) -> None:
    """Dates out of range, a lone surrogate, NUL and other controls, a very long text."""
    ids: list[str] = []
    long_text = "Wombat " + "é雨" * 50_000

    def odd(posts: list[dict[str, Any]]) -> None:
        plain = [
            post
            for post in posts
            if "media" not in post["entities"]
            and not post["entities"]["urls"]
            and post["full_text"][0] != "@"
        ][:7]
        ids.extend(post["id_str"] for post in plain)
        plain[0]["created_at"] = "Mon Jan 32 99:99:99 +0000 99999"
        plain[1]["created_at"] = "Mon Jan 01 00:00:00 +0000 0001"
        plain[2]["full_text"] = "Quokka lone \ud83d surrogate"
        plain[3]["full_text"] = "Quokka NUL \0 and \x1b[2J controls"
        plain[4]["full_text"] = long_text
        plain[5]["created_at"] = None
        plain[6]["full_text"] = "Quokka \N{RIGHT-TO-LEFT OVERRIDE}evil"

    bad = rewrite(export, tmp_path / "bad.zip", {"data/tweets.js": edit_posts(odd)})
    said = take(run, folder, bad, code=3)
    told = " ".join(problems(said, "broken"))
    assert ids[0] in told
    assert ids[2] in told
    posts = posts_of(folder)
    assert set(posts) >= set(ids)
    assert posts[ids[4]] == [long_text]
    hits = run("--config", folder, "search", "--json", "quokka").json_lines()
    assert {hit["id"] for hit in hits[:-1]} == {ids[2], ids[3], ids[6]}
    plain = run("--config", folder, "search", "quokka")
    assert plain.code == 0
    assert not re.search(r"[\x00\x1b\u202e\ud83d]", plain.output)
    for post_id in ids:
        shown = run("--config", folder, "show", post_id)
        assert shown.code == 0
        assert not re.search(r"[\x00\x1b\u202e]", shown.output)
        assert run("--config", folder, "show", "--raw", post_id).code == 0
        assert run("--config", folder, "show", "--json", post_id).code == 0
    assert run("--config", folder, "rebuild").code == 0
    hits = run("--config", folder, "search", "--json", "wombat").json_lines()
    assert [hit.get("id") for hit in hits[:-1]] == [ids[4]]


def test_a_manifest_that_lists_absent_files_and_wrong_counts_is_not_believed(
    run: Runner, tmp_path: Path, folder: Path, export: Path
) -> None:
    def lie(manifest: dict[str, Any]) -> None:
        manifest["dataTypes"]["tweets"]["files"].append(
            {"fileName": "data/tweets-part7.js", "globalName": "YTD.tweets.part7", "count": "5000"}
        )
        manifest["dataTypes"]["follower"]["files"][0]["count"] = "100000"

    bad = rewrite(export, tmp_path / "bad.zip", {"data/manifest.js": edit_json(lie)})
    said = take(run, folder, bad, code=3)
    assert any("tweets-part7.js" in each for each in problems(said, "missing"))
    assert any("follower.js" in each and "100,000" in each for each in problems(said, "count differs"))


def test_no_posts_where_the_manifest_counts_some_is_no_success(
    run: Runner, tmp_path: Path, folder: Path, export: Path
) -> None:
    empty = {"data/tweets.js": b"window.YTD.tweets.part0 = [ ]"}
    take(run, folder, rewrite(export, tmp_path / "bad.zip", empty), code=3)
    renamed = {"data/tweets.js": None, "data/posts.js": b"window.YTD.posts.part0 = [ ]"}
    said = take(run, folder, rewrite(export, tmp_path / "renamed.zip", renamed), code=3)
    assert "data/posts.js" in said["unread"]


# A vault or a key with something wrong


@pytest.fixture(scope="module")
def vault_of_three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three archives; the holder's identity is encrypted to a passphrase."""
    base = tmp_path_factory.mktemp("three")
    folder = make_folder(base / "v")
    for months in (1, 2, 3):
        export = sample(base / f"{months}.zip", months=months)
        assert main(["--config", str(folder), "import", "--add-account", str(export)]) == 0
        assert main(["--config", str(folder), "seal"]) == 0
    return folder


@pytest.fixture(scope="module")
def sound(vault_of_three: Path) -> Contents:
    return read_contents(vault_of_three)


@pytest.fixture
def home(tmp_path: Path, vault_of_three: Path) -> Path:
    return copy_folder(vault_of_three, tmp_path / "home")


def archives(home: Path) -> list[Path]:
    """The archives' folders, oldest first."""
    return sorted(
        (home / "vault" / "archives").iterdir(), key=lambda path: int(path.name.partition(".")[2] or 1)
    )


def alter(path: Path, change: Callable[[bytearray], object]) -> None:
    """Write over a sealed file, as nobody should."""
    data = bytearray(path.read_bytes())
    change(data)
    path.chmod(0o644)
    path.write_bytes(data)


def flip(position: float) -> Callable[[bytearray], None]:
    """One bit, at a fraction of the length (or, below 0, so many bytes from the end)."""

    def change(data: bytearray) -> None:
        data[int(position) if position < 0 else min(len(data) - 1, int(position * len(data)))] ^= 4

    return change


def another_letter(data: bytearray, position: int) -> None:
    """Whatever is there by chance."""
    data[position] = ord("A") if data[position] != ord("A") else ord("B")


DAMAGES: dict[str, Callable[[bytearray], object]] = {
    "first byte": flip(0),
    "in the header": lambda data: data.__setitem__(60, data[60] ^ 1),
    "header's code": lambda data: another_letter(data, data.index(b"\n---") + 6),
    "nonce": lambda data: another_letter(data, data.index(b"\n", data.index(b"\n---") + 1) + 3),
    "a quarter": flip(0.25),
    "the middle": flip(0.5),
    "three quarters": flip(0.75),
    "near the end": flip(-40),
    "last byte": flip(-1),
    "one byte cut": lambda data: data.pop(),
    "one byte more": lambda data: data.append(0),
    "half cut": lambda data: data.__delitem__(slice(len(data) // 2, None)),
    "emptied": lambda data: data.clear(),
}
QUERIES = (("search", "--json", "--limit", "0", "kind:post"), ("search", "--json", "flood*"), ("rebuild",))


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_altered_segment_shows_and_no_command_takes_it_for_sound(
    run: Runner, home: Path, vault_of_three: Path, damage: str
) -> None:
    archive = archives(home)[1]
    segment = archive / "records-000.sqlite.zst.age"
    alter(segment, DAMAGES[damage])
    name = f"archives/{archive.name}/{segment.name}"
    for arguments in (("verify",), ("verify", "--contents")):
        result = run("--config", home, *arguments)
        check_said(result, 20, name)
    post_id = read_post_id(vault_of_three, archive.name)
    seen = 0
    for arguments in (*QUERIES, ("show", "--json", post_id)):
        result = run("--config", home, *arguments)
        if result.code == 0:
            assert result.output == run("--config", vault_of_three, *arguments).output
        else:
            check_named(result, name)
            seen += 1
    assert seen or damage in ("one byte more",)
    target = home / "restored"
    check_said(run("--config", home, "restore", archive.name, "--to", target), 20, name)
    assert not list(target.rglob("*.sqlite"))


def read_post_id(folder: Path, archive: str) -> str:
    """Some post's id that lies in an archive."""
    settings = load_settings(folder / "archiver.toml")
    assert settings.keyholder is not None
    vault, found = open_whole_vault(folder)
    (one,) = [each for each in found if each.name == archive]
    identities = load_identities(settings.keyholder, {}, str)
    with vault.open_segment(one, one.manifest.segments[0], identities) as segment:
        return str(segment.connection.execute("SELECT platform_id FROM post LIMIT 1").fetchall()[0][0])


def remove_segment(home: Path) -> str:
    path = archives(home)[1] / "records-000.sqlite.zst.age"
    path.unlink()
    return path.name


def remove_media(home: Path) -> str:
    path = archives(home)[1] / "media-000.tar.age"
    path.unlink()
    return path.name


def alter_media(home: Path) -> str:
    path = archives(home)[1] / "media-000.tar.age"
    alter(path, flip(0.5))
    return path.name


def remove_middle(home: Path) -> str:
    shutil.rmtree(archives(home)[1])
    return "number 3 where 2 is due"


def remove_first(home: Path) -> str:
    shutil.rmtree(archives(home)[0])
    return "number 2 where 1 is due"


def remove_last(home: Path) -> str:
    shutil.rmtree(archives(home)[2])
    return "number 3 was noted as written, but the chain ends at 2"


def remove_manifest(home: Path) -> str:
    (archives(home)[1] / "manifest.json").unlink()
    return "number 3 where 2 is due"


def alter_manifest(home: Path) -> str:
    path = archives(home)[1] / "manifest.json"
    alter(path, lambda data: data.__setitem__(data.index(b'"new": ') + 7, ord("9")))
    return f"{archives(home)[1].name}/manifest.json"


def alter_manifest_of_the_last(home: Path) -> str:
    path = archives(home)[2] / "manifest.json"
    alter(path, lambda data: data.extend(b" "))
    return f"{archives(home)[2].name}/manifest.json"


def spoil_manifest(home: Path) -> str:
    alter(archives(home)[1] / "manifest.json", lambda data: data.clear())
    return "is not a manifest"


def alter_signature(home: Path) -> str:
    path = archives(home)[1] / "manifest.json.sig"
    alter(path, lambda data: data.__setitem__(150, 65 if data[150] != 65 else 66))
    return f"{archives(home)[1].name}/manifest.json"


def remove_signature(home: Path) -> str:
    (archives(home)[1] / "manifest.json.sig").unlink()
    return "has no signature"


def sign_anew(home: Path) -> str:
    """By somebody who is not allowed."""
    path = archives(home)[1] / "manifest.json"
    signature = SigningKey.generate().sign(path.read_bytes(), "archiver-manifest")
    alter(path.with_name("manifest.json.sig"), lambda data: data.__setitem__(slice(None), signature))
    return "signed by somebody else"


def swap_archives(home: Path) -> str:
    first, second, _ = archives(home)
    first.rename(first.with_name("aside"))
    second.rename(first)
    first.with_name("aside").rename(second)
    return "belongs to the archive"


def swap_segments(home: Path) -> str:
    first, second, _ = (path / "records-000.sqlite.zst.age" for path in archives(home))
    data = first.read_bytes()
    alter(first, lambda old: old.__setitem__(slice(None), second.read_bytes()))
    alter(second, lambda old: old.__setitem__(slice(None), data))
    return "records-000.sqlite.zst.age"


def remove_key(home: Path) -> str:
    (archives(home)[1] / "key.age").unlink()
    return "key.age is missing"


def add_file(home: Path) -> str:
    (archives(home)[1] / "records-009.sqlite.zst.age").write_bytes(b"x")
    return "records-009.sqlite.zst.age is not in the manifest"


def spoil_signers(home: Path) -> str:
    alter(home / "vault" / "allowed_signers", lambda data: data.__setitem__(slice(None), b"collector none\n"))
    return "allowed_signers"


def spoil_description(home: Path) -> str:
    alter(home / "vault" / "vault.json", lambda data: data.__setitem__(slice(None), b"[]"))
    return "vault.json"


WRONGS = (
    remove_segment, remove_media, alter_media, remove_middle, remove_first, remove_last, remove_manifest,
    alter_manifest, alter_manifest_of_the_last, spoil_manifest, alter_signature, remove_signature, sign_anew,
    swap_archives, swap_segments, remove_key, add_file, spoil_signers, spoil_description,
)  # fmt: skip


@pytest.mark.parametrize("harm", WRONGS, ids=lambda harm: harm.__name__)
def test_harm_to_a_vault_shows_without_a_key_and_in_the_code_of_every_command(
    run: Runner, home: Path, harm: Callable[[Path], str]
) -> None:
    expected = harm(home)
    result = run("--config", home, "verify")
    assert result.code == 20, result
    assert "Traceback" not in result.errors
    assert expected in result.errors
    lines = result.errors.splitlines()
    assert lines[0].startswith("archiver: error: ")
    assert len(lines) == 2 * sum(line.startswith("archiver: hint: ") for line in lines), "each has a hint"
    assert "No archive is missing" not in result.output
    if harm not in (remove_last, alter_media, remove_media, add_file):
        assert run("--config", home, "search", "--limit", "0", "kind:post").code == 20
    if harm not in (alter_media, remove_media, remove_segment, swap_segments, remove_key, add_file):
        before = sorted(path for path in (home / "vault").rglob("*") if "audit" not in path.parts)
        check_said(run("--config", home, "seal"), 20)
        after = sorted(path for path in (home / "vault").rglob("*") if "audit" not in path.parts)
        assert after == before, "nothing but what the log says of it"


def test_a_segment_that_is_missing_ends_search_and_show_with_20(
    run: Runner, home: Path, vault_of_three: Path
) -> None:
    archive = archives(home)[1].name
    name = f"archives/{archive}/{remove_segment(home)}"
    check_named(run("--config", home, "search", "--limit", "0", "kind:post"), name)
    check_named(run("--config", home, "show", read_post_id(vault_of_three, archive)), name)
    check_said(run("--config", home, "rebuild"), 20, name)


def test_harm_to_one_archive_does_not_hide_the_others(run: Runner, home: Path, sound: Contents) -> None:
    sign_anew(home)
    result = run("--config", home, "search", "--json", "--limit", "0", "kind:post")
    assert result.code == 20
    assert len(result.json_lines()) > 70  # two archives of three


def test_without_a_vault_every_command_ends_with_10(run: Runner, home: Path, tmp_path: Path) -> None:
    (home / "vault").rename(tmp_path / "elsewhere")
    for arguments in (("verify",), ("search", "word"), ("show", "1"), ("seal",), ("status",), ("backup",)):
        check_said(run("--config", home, *arguments), 10, "vault")
    (home / "vault").mkdir()
    for arguments in (("verify",), ("search", "word"), ("seal",)):
        check_said(run("--config", home, *arguments), 10, "vault")
    assert list((home / "vault").iterdir()) == []


def test_without_settings_every_command_ends_with_2(run: Runner, tmp_path: Path) -> None:
    for arguments in (("verify",), ("search", "word"), ("import", "x.zip"), ("backup",), ("config", "check")):
        check_said(run("--config", tmp_path / "absent.toml", *arguments), 2, "absent.toml")


# Keys


def test_an_identity_that_fits_nothing_ends_with_12(run: Runner, home: Path) -> None:
    path = home / "keys" / "records.identity"
    for classic in (True, False):
        path.write_text(f"{new_identity(classic=classic).encode()}\n")
        for arguments in (
            ("search", "word"), ("show", "1"), ("verify", "--contents"), ("rebuild",),
            ("restore", archives(home)[0].name, "--to", home / "out"),
        ):  # fmt: skip
            result = run("--config", home, *arguments)
            assert result.code == 12, result
            assert "Traceback" not in result.errors
            assert "archiver: hint: " in result.errors
        assert not (home / "out").exists()
    assert run("--config", home, "verify").code == 0


def test_a_wrong_passphrase_ends_with_12(run: Runner, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = home / "keys" / "records.identity"
    path.write_bytes(age.encrypt([age.ScryptRecipient("correct horse", 8)], path.read_bytes(), armor=True))
    text = (home / "archiver.toml").read_text()
    identity = next(line for line in text.splitlines() if line.startswith("identity = "))
    (home / "archiver.toml").write_text(text.replace(identity, f'{identity}\npassphrase = "env:PASSPHRASE"'))
    monkeypatch.setenv("PASSPHRASE", "correct horse")
    assert run("--config", home, "search", "kind:post").code == 0
    monkeypatch.setenv("PASSPHRASE", "wrong horse battery")
    for arguments in (("search", "word"), ("verify", "--contents"), ("show", "1")):
        result = run("--config", home, *arguments)
        check_said(result, 12, "passphrase")
        assert "battery" not in result.errors
    assert run("--config", home, "verify").code == 0
    assert run("--config", home, "seal").code == 0


def test_a_spool_that_was_altered_is_not_sealed(
    run: Runner, tmp_path: Path, folder: Path, export: Path
) -> None:
    assert run("--config", folder, "import", "--add-account", export).code == 0
    (folder / "collector" / "spool.identity").write_text(f"{new_identity(classic=True).encode()}\n")
    check_said(run("--config", folder, "seal"), 20, "spool")
    assert not list((folder / "vault").rglob("manifest.json"))


@pytest.mark.parametrize("name", ["state.sqlite", "spool/spool.sqlite"])
def test_a_damaged_database_of_the_collector_is_told(
    run: Runner, folder: Path, export: Path, name: str
) -> None:
    assert run("--config", folder, "import", "--add-account", export).code == 0
    (folder / name).write_bytes(b"This is not a database. " * 4096)
    for arguments in (("seal",), ("import", export), ("status",)):
        check_said(run("--config", folder, *arguments), 20, name)


def test_json_of_a_refusal_is_json(run: Runner, tmp_path: Path, folder: Path, export: Path) -> None:
    not_a_zip(export, tmp_path / "bad.zip")
    result = run("--config", folder, "import", "--json", tmp_path / "bad.zip")
    assert result.code == 1
    lines = [json.loads(line) for line in io.StringIO(result.output)]
    assert [line["type"] for line in lines] in ([], ["refused"])
