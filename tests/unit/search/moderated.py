"""Entries of the moderation register, made up, and folders that hold some, for tests of reading them."""

import re
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

from archiver.moderation.keeping import keep_entries
from archiver.records import Attachment, EntryKind, LogRow, Moderation
from archiver.times import parse_time
from tests.cli.runner import Runner
from tests.homes import Home, make_home

NOVEMBER_MS = parse_time("2026-11-03T14:22:05Z")
MINUTE_MS = 60_000
ACCOUNT = "451207733"
"""The built-in sample's."""
HANDLE = "SpringfieldPolice"


def record_id(number: int) -> str:
    """The id of a record made up: its first eight characters are its number, hexadecimal."""
    return f"{number:08x}-0000-4000-8000-{number:012x}"


def decision(number: int, **fields: Any) -> Moderation:
    """The first entry of a record: a reply was hidden, unless the fields say otherwise."""
    known: dict[str, Any] = {
        "id": record_id(number), "record_id": record_id(number), "number": 1, "entry": "decision",
        "entered_ms": NOVEMBER_MS + number * MINUTE_MS, "entered_by": "Duty Officer", "platform": "x",
        "account": ACCOUNT, "account_handle": HANDLE, "item_type": "reply", "item_id": f"77{number}",
        "item_url": f"https://x.com/nobody_{number}/status/77{number}", "content": "captured",
        "author_id": f"9{number}", "author_handle": f"nobody_{number}", "author_name": "Nobody",
        "posted_ms": NOVEMBER_MS - MINUTE_MS, "text": f"You are all donkeys, number {number}",
        "reason_codes": ("abusive",), "reason_text": "called officers names", "action": "hidden",
        "state": "planned", "way": "api",
    }  # fmt: skip
    return Moderation(**{**known, **fields})


def later(before: Moderation, entry: EntryKind, **fields: Any) -> Moderation:
    """The entry that follows another one of its record."""
    known: dict[str, Any] = {
        "id": before.record_id[:-2] + f"{before.number + 1:02x}" + f"-{before.number + 1}",
        "record_id": before.record_id, "number": before.number + 1, "entry": entry,
        "entered_ms": before.entered_ms + MINUTE_MS, "entered_by": "Duty Officer",
        "platform": before.platform, "account": before.account, "corrects": before.id,
    }  # fmt: skip
    return Moderation(**{**known, **fields})


def done(before: Moderation, **fields: Any) -> Moderation:
    """What came of an action: it was done."""
    known: dict[str, Any] = {
        "state": "done", "action": before.action, "action_by": "Duty Officer", "outcome": "hidden: true",
        "action_ms": before.entered_ms + MINUTE_MS,
    }  # fmt: skip
    return later(before, "outcome", **{**known, **fields})


def keep(home: Home, *entries: Moderation) -> None:
    """Entries into the open spool."""
    with home.open_spool() as spool:
        keep_entries(spool, entries)


def seal_all(home: Home) -> None:
    """All that waits in the spool into an archive."""
    home.take()


# A folder that holds four records

PNG = b"\x89PNG made up"
SCREENSHOT = Attachment(
    role="screenshot", file_name="screenshot-1.png", media_type="image/png", sha256=sha256(PNG).hexdigest()
)
LOST = Attachment(
    role="media", file_name="7-lost.jpg", media_type="photo", alt_text="a donkey", missing="X answered 404"
)
SEALED = decision(
    1, attachments=(SCREENSHOT, LOST), context_sha256=("ab" * 32,), context_missing=("the thread",)
)
CORRECTION = later(done(SEALED), "correction", reason_codes=("spam",), entry_note="wrong box ticked")
BLOCKED = decision(
    2, action="blocked", way="hand", reason_codes=("threatening", "abusive"),
    text="I know\nwhere you live \x1b[2J", entered_by="Night Desk", authorised_by="Inspector Example",
)  # fmt: skip
UNSEEN = decision(
    3, item_url=None, author_handle=None, content="unseen", unseen="X says that it is not there", text=None,
    reason_codes=("own_error",), action="none", state="done", way=None,
    entered_ms=NOVEMBER_MS - 20 * 86_400_000,
)  # fmt: skip
OTHER = decision(
    4, platform="facebook", account="99", account_handle="SpringfieldTown", item_url="https://example.org/p/4",
    imported=LogRow(file="log.csv", sha256="cd" * 32, line=7, cells={"Why": "rude", "When": "3 Nov"}),
)  # fmt: skip


def make_register_home(folder: Path) -> Home:
    """The sample is sealed; after it a record whose reply was hidden, and one in October that nobody saw. The
    first one's correction waits in the spool, with two records more."""
    home = make_home(folder)
    with home.open_spool() as spool:
        spool.add_media(ACCOUNT, SCREENSHOT.file_name, BytesIO(PNG))
        keep_entries(spool, [SEALED, UNSEEN])
        keep_entries(spool, [done(SEALED)])
    seal_all(home)
    for entry in (CORRECTION, BLOCKED, OTHER):
        keep(home, entry)
    return home


def without_keyholder(home: Home) -> Home:
    """The same folder as a host has it that only collects."""
    path = home.folder / "archiver.toml"
    path.write_text(re.sub(r"(?s)\[keyholder\].*?(?=\n\[)", "", path.read_text()))
    return home


def without_spool(home: Home) -> Home:
    """The same folder as a host has it that only searches."""
    for path in (home.folder / "spool").rglob("*"):
        if path.is_file():
            path.unlink()
    return home


# What commands say of them


def run_json(run: Runner, home: Home, *arguments: str) -> list[dict[str, object]]:
    result = run("--config", home.folder, "--json", *arguments)
    assert result.code == 0, result
    return result.json_lines()


def numbers(lines: list[dict[str, object]]) -> list[int]:
    """Of the records among lines of JSON."""
    return [int(str(line["id"])[:8], 16) for line in lines if line["type"] == "moderation"]
