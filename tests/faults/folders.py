"""Folders to do harm to: how one is made, what its vault holds, whether anything half is left, and exports
with something wrong in them."""

import contextlib
import datetime as dt
import json
import os
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from archiver.disk import PARTIAL_PREFIX
from archiver.initialise import initialise
from archiver.keys import load_identities
from archiver.sample import write_sample_export
from archiver.settings import load_settings
from archiver.spool import Spool
from archiver.state import State
from archiver.vault import Archive, Vault
from archiver.verification import verify_vault
from archiver.wiring.spool import load_identity
from archiver.wiring.stores import open_vault

SOAK = os.environ.get("ARCHIVER_SOAK") == "1"
"""More rounds, for a machine that has the time."""
UNTIL = dt.date(2026, 9, 30)
LATER = dt.date(2026, 10, 31)
HOLDER = "records"
Contents = Counter[tuple[Any, ...]]
_ROWS = {
    "post": "SELECT 'post', platform_id, version, kind, text, posted_ms FROM post",
    "message": "SELECT 'message', platform_id, version, kind, text, posted_ms FROM message",
    "relation": "SELECT 'relation', platform_id, version, kind, text, captured_ms FROM relation",
    "account": "SELECT 'account', platform_id, version, aspect, facts, captured_ms FROM account",
    "gone": "SELECT 'gone', platform_id, 0, kind, how, noticed_ms FROM gone",
    "moderation": "SELECT 'moderation', id, number, entry, state, entered_ms FROM moderation",
    "media": "SELECT 'media', file_name, 0, missing, sha256, size FROM media",
}


def make_folder(path: Path, *, segment_mebibytes: int = 1, classic: bool = True) -> Path:
    """A folder as `archiver init` makes it, with small segments; its keyholder needs no passphrase."""
    settings = initialise(path, HOLDER, now_ms=0, classic=classic)
    with settings.open("a", encoding="utf-8") as file:
        file.write(f"\n[seal]\nsegment_mebibytes = {segment_mebibytes}\n")
    return path


def copy_folder(source: Path, target: Path) -> Path:
    """The same folder again: every path in its settings is taken from where they lie."""
    shutil.copytree(source, target, symlinks=True)
    return target


def open_whole_vault(folder: Path) -> tuple[Vault, list[Archive]]:
    """The vault and its archives, nothing wrong with their chain."""
    settings = load_settings(folder / "archiver.toml")
    vault = open_vault(settings)
    with closing(State(settings.state)) as state:
        return vault, list(vault.list_archives(state.head()).require_sound())


def read_contents(folder: Path) -> Contents:
    """Every record of every archive with how often it is there, once all of it was found unaltered."""
    settings = load_settings(folder / "archiver.toml")
    vault, archives = open_whole_vault(folder)
    identities = load_identities(settings.keyholder, {}, str) if settings.keyholder else []
    with closing(State(settings.state)) as state:
        verify_vault(vault, known_head=state.head(), identities=identities).raise_first()
    contents: Contents = Counter()
    for archive in archives:
        for file in archive.manifest.segments:
            with vault.open_segment(archive, file, identities) as segment:
                tables = {name for (name,) in segment.connection.execute("SELECT name FROM sqlite_schema")}
                for table, sql in _ROWS.items():
                    if table in tables:  # an earlier version's segment has fewer
                        contents.update(segment.connection.execute(sql))
    return contents


def check_nothing_half(folder: Path) -> None:
    """No partial file, no archive without a manifest, nothing in the spool, no sealing under way."""
    assert list(folder.rglob(f"{PARTIAL_PREFIX}*")) == []
    archives = folder / "vault" / "archives"
    if archives.is_dir():
        assert [path.name for path in archives.iterdir() if not (path / "manifest.json").is_file()] == []
    with open_spool(folder) as spool:
        assert spool.is_empty()
        assert spool.media() == []
    assert list((folder / "spool" / "media").iterdir()) == []
    with closing(State(folder / "state.sqlite")) as state:
        assert state.sealing() is None


@contextlib.contextmanager
def open_spool(folder: Path) -> Iterator[Spool]:
    """The folder's spool."""
    settings = load_settings(folder / "archiver.toml")
    with closing(Spool(settings.spool, load_identity(settings.spool_identity))) as spool:
        yield spool


def sample(path: Path, *, months: int = 2, until: dt.date = UNTIL, **options: Any) -> Path:
    """The built-in sample, short."""
    write_sample_export(path, until=until, months=months, **options)
    return path


Change = bytes | None | Callable[[bytes], bytes]


def rewrite(source: Path, target: Path, changes: Mapping[str, Change]) -> Path:
    """An export with members put in, altered, or (None) left out."""
    waiting = dict(changes)
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            change = waiting.pop(info.filename, old.read(info))
            if change is not None:
                new.writestr(info, change(old.read(info)) if callable(change) else change)
        for name, added in waiting.items():
            assert isinstance(added, bytes), f"{name} is not in the export"
            new.writestr(name, added)
    return target


def edit_json(edit: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    """A change of what a member assigns: `edit` alters it in place, or returns another."""

    def change(data: bytes) -> bytes:
        head, _, body = data.decode().partition("=")
        value = json.loads(body)
        edited = edit(value)
        return f"{head}= {json.dumps(value if edited is None else edited)}".encode()

    return change


def edit_posts(edit: Callable[[list[dict[str, Any]]], None]) -> Callable[[bytes], bytes]:
    """A change of the posts in data/tweets.js, newest first."""
    return edit_json(lambda items: edit([item["tweet"] for item in items]))


def read_posts(export: Path, member: str = "data/tweets.js") -> list[dict[str, Any]]:
    """The posts of an export, newest first."""
    with zipfile.ZipFile(export) as archive:
        text = archive.read(member).decode()
    return [item["tweet"] for item in json.loads(text[text.index("=") + 1 :])]


def same_but_once(contents: Contents) -> None:
    """Fail where a record or a picture's row is there more than once."""
    twice = {row: number for row, number in contents.items() if number > 1}
    if twice:
        pytest.fail(f"{len(twice)} rows are there more than once, as {next(iter(twice.items()))}")


def made_later(export: Path, target: Path, dropped: str, changed: str, text: str) -> Path:
    """An export of the week after, without one of the posts, and with another text in one."""

    def edit(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for one in items:
            if one["tweet"]["id_str"] == changed:
                one["tweet"]["full_text"] = text
        return [one for one in items if one["tweet"]["id_str"] != dropped]

    def leave_out(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [one for one in items if one["tweet"]["tweet_id"] != dropped]

    def describe(manifest: dict[str, Any]) -> None:
        manifest["archiveInfo"]["generationDate"] = "2026-10-07T20:00:00.000Z"
        for kind in ("tweets", "tweetHeaders"):
            (file,) = manifest["dataTypes"][kind]["files"]
            file["count"] = str(int(file["count"]) - 1)

    return rewrite(
        export,
        target,
        {
            "data/tweets.js": edit_json(edit),
            "data/tweet-headers.js": edit_json(leave_out),
            "data/manifest.js": edit_json(describe),
        },
    )
