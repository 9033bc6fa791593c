"""A folder for the moderation register's commands, and a log with its mapping, made up."""

import csv
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from archiver.keys import load_identity
from archiver.records import Moderation
from archiver.seal import seal
from archiver.search.moderation import spooled_entries
from archiver.settings import AccountSettings, Settings, add_account, load_settings
from archiver.spool import Spool
from archiver.wiring.collector import open_collector
from archiver.wiring.seal import seal_options
from archiver.wiring.stores import open_vault
from tests.faults.folders import make_folder

HEADER = ("Ref", "Logged", "Who", "Comment", "Posted", "Author", "Reason", "Notes", "Action", "Done")
MAPPING = """
timezone = "Europe/London"
account = "SpringfieldPD"
[columns]
reference = "Ref"
entered_at = "Logged"
entered_by = "Who"
text = "Comment"
posted_at = "Posted"
author_handle = "Author"
reason_codes = "Reason"
reason_text = "Notes"
action = "Action"
action_at = "Done"
[values.action]
Deleted = "removed"
"""


def row(number: int | str, **changed: str) -> list[str]:
    """A row under HEADER in which nothing is wrong."""
    cells = (
        str(number), "24/11/2024 14:05", "Clerk A", f"you are all donkeys, number {number}",
        "24/11/2024 13:00", "@nobody_1", "abusive", "@nobody_1 called officers names", "Deleted",
        "24/11/2024 14:00",
    )  # fmt: skip
    return list((dict(zip(HEADER, cells, strict=True)) | changed).values())


def write_log(path: Path, *rows: Sequence[str], header: Sequence[str] = HEADER) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


ACCOUNTS = (AccountSettings("x", "1001", "SpringfieldPD"), AccountSettings("x", "1002", "ShelbyvillePD"))


def make_register(folder: Path, accounts: Sequence[AccountSettings] = ACCOUNTS) -> Path:
    """A folder as `archiver init` makes it, with two accounts; `map.toml` in it reads such logs."""
    home = make_folder(folder / "home")
    for account in accounts:
        add_account(home / "archiver.toml", account)
    (home / "map.toml").write_text(MAPPING)
    return home


def settings_of(home: Path) -> Settings:
    return load_settings(home / "archiver.toml")


def open_spool(home: Path) -> "closing[Spool]":
    settings = settings_of(home)
    return closing(Spool(settings.spool, load_identity(settings.spool_identity)))


def entries_of(home: Path) -> list[Moderation]:
    with open_spool(home) as spool:
        return list(spooled_entries(spool))


def seal_all(home: Path) -> None:
    settings = settings_of(home)
    with open_collector(settings) as collector:
        seal(
            collector.spool, collector.state, open_vault(settings), seal_options(settings),
            lambda: 1_793_000_000_000,
        )  # fmt: skip
