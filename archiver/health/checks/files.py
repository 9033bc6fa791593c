"""Who may read and write the files that a run works with."""

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from archiver.health.checkup import Check, Finding, Subject, failed, ok, warning
from archiver.inbox.files import find_in_inbox
from archiver.keys import is_age_file
from archiver.settings import Settings
from archiver.sources.x_api.token_store import token_file

_HEADER_BYTES = 1 << 20


def checks(subject: Subject) -> list[Check]:
    """One for what must be kept secret, one for what nobody else may change, one for whose they are; on a
    host that collects one for whether exports can be seen where they are put."""
    settings = subject.settings
    collects = settings.spool_identity.exists()
    return [
        Check("private files", lambda: _private(settings)),
        Check("files that decide", lambda: _decisive(settings)),
        Check("owners of files", lambda: _owners(settings)),
        *([Check("inbox", lambda: _inbox(settings))] if collects else []),
    ]


def _private(settings: Settings) -> Iterator[Finding]:
    """Nobody but their owner may read them."""
    what = "private files"
    found = [path for path in _secret_files(settings) if path.is_file()]
    open_to_others = [path for path in found if _mode(path) & 0o077]
    for path in open_to_others:
        yield failed(what, f"{path} can be read or written by others", f"chmod 600 {path}")
    folders = [path for path in (settings.spool, settings.log_queue) if path.is_dir() and _mode(path) & 0o077]
    for path in folders:
        yield warning(what, f"{path} can be looked into by others", f"chmod go-rwx {path}")
    if not open_to_others and not folders:
        yield ok(what, f"{len(found)} are for their owner alone")


def _secret_files(settings: Settings) -> list[Path]:
    """Keys that are not encrypted, tokens, and what the collector remembers."""
    paths = [settings.signing_key, settings.spool_identity, settings.state, settings.journal]
    if settings.keyholder is not None and not _is_encrypted(settings.keyholder.identity):
        paths.append(settings.keyholder.identity)
    for account in settings.accounts:
        path = None if account.api is None else token_file(account.api.credentials, settings.home)
        paths += [] if path is None else [path]
    return paths


def _is_encrypted(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            data = file.read(_HEADER_BYTES)
    except OSError:
        return True  # it is not here, or not for us: nobody else's eyes to fear by its mode alone
    return is_age_file(data) or data.startswith(b"-----BEGIN AGE ENCRYPTED FILE-----")


def _decisive(settings: Settings) -> Iterator[Finding]:
    """Who can change them decides what is run, who can read, and who signs."""
    what = "files that decide"
    paths = [settings.path, settings.home, settings.recipients, settings.recipients.parent, settings.inbox]
    found = [path for path in dict.fromkeys(paths) if path.exists()]
    everybody = [path for path in found if _mode(path) & stat.S_IWOTH and not _mode(path) & stat.S_ISVTX]
    for path in everybody:
        yield failed(what, f"everybody on this machine can change {path}", f"chmod o-w {path}")
    group = [path for path in found if path not in everybody and _mode(path) & stat.S_IWGRP]
    for path in group:
        if path != settings.inbox:  # which others are meant to put exports into
            yield warning(what, f"its group can change {path}", f"chmod g-w {path}, unless that is meant")
    if not everybody and set(group) <= {settings.inbox}:
        yield ok(what, f"{len(found)} can be changed by their owner alone")


def _owners(settings: Settings) -> Iterator[Finding]:
    """A run by root among files of another account leaves files that the other cannot write."""
    what = "owners of files"
    paths = [settings.path, settings.spool, settings.state, settings.journal, settings.signing_key]
    paths += [settings.spool_identity]
    found = [path for path in paths if path.exists()]
    me = os.getuid()
    foreign = [path for path in found if path.stat().st_uid != me]
    if not foreign:
        yield ok(what, f"{len(found)} belong to {account_name(me)}, who runs this")
        return
    owner = account_name(foreign[0].stat().st_uid)
    yield warning(
        what,
        f"{foreign[0]} belongs to {owner}, and this is run by {account_name(me)}",
        f"run it as {owner}: sudo -u {owner} archiver doctor; or give the files to one account: chown",
    )
    for path in foreign:
        if not os.access(path, os.R_OK):
            yield failed(what, f"{path} cannot be read by {account_name(me)}", f"ls -l {path}")


def _inbox(settings: Settings) -> Iterator[Finding]:
    """What a run asks first; it raises where the folder cannot be read."""
    waiting = len(find_in_inbox(settings.inbox))
    yield ok("inbox", f"{settings.inbox} can be read; {waiting:,} export{'' if waiting == 1 else 's'} there")


def account_name(number: int) -> str:
    """Of an account of the operating system."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
