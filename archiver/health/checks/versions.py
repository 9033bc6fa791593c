"""Versions: of what this runs on, and of who sealed what is in the vault."""

import platform
import re
import ssl
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

import apsw

from archiver import __version__
from archiver.health.checks.vaults import near_vault
from archiver.health.checkup import Check, Finding, Subject, failed, ok, warning
from archiver.settings import Settings

LIBRARIES = ("cryptography", "apsw", "zstandard", "msgspec", "requests", "tweepy", "boto3")
_TOOL = re.compile(r"archiver ([0-9]+(?:\.[0-9]+)*)")


def checks(subject: Subject) -> list[Check]:
    return [*of_program(), Check("vault's version", lambda: _vault(subject.settings))]


def of_program() -> list[Check]:
    """What needs no settings."""
    return [Check("versions", _versions)]


def _versions() -> Iterator[Finding]:
    found = {name: _version(name) for name in LIBRARIES}
    missing = [name for name, one in found.items() if one is None]
    if missing:
        yield failed("versions", f"not installed: {', '.join(missing)}", "install the program again: pip")
    said = ", ".join(f"{name} {one}" for name, one in found.items() if one is not None)
    yield ok(
        "versions",
        f"archiver {__version__}, Python {platform.python_version()}, SQLite {apsw.sqlite_lib_version()},"
        f" {ssl.OPENSSL_VERSION.split(' (')[0]}, {said}",
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _vault(settings: Settings) -> Iterator[Finding]:
    """A newer program may have sealed what this one reads in part only."""
    what = "vault's version"
    vault = near_vault(settings)
    if vault is None:
        yield ok(what, "no store at hand says it")
        return
    tools = {archive.manifest.tool for archive in vault.list_archives().archives}
    newest = max((numbers_of(one) for one in tools), default=())
    if newest > numbers_of(f"archiver {__version__}"):
        shown = ".".join(map(str, newest))
        yield warning(
            what,
            f"an archive was sealed by archiver {shown}, and this is {__version__}",
            "update the program",
        )
    elif newest:
        yield ok(what, f"sealed by archiver {'.'.join(map(str, newest))} at most")
    else:
        yield ok(what, "nothing is sealed yet")


def numbers_of(tool: str) -> tuple[int, ...]:
    """`archiver 0.6.0` as numbers that can be compared; empty of anything else."""
    match = _TOOL.match(tool)
    return () if match is None else tuple(int(part) for part in match[1].split(".")[:4] if len(part) < 9)
