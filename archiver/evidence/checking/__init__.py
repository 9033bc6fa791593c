"""Checking a pack, as `archiver evidence verify` does it: with nothing but the pack, no vault and no key.

Each check stands alone and says what it found, so that one that fails hides no other. VERIFY.md in a pack
does the same with public programs.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from archiver.errors import IntegrityError
from archiver.evidence.bag import PackSource, verify_bag
from archiver.evidence.checking.chain import check_chain
from archiver.evidence.checking.files import Files
from archiver.evidence.checking.log import check_log
from archiver.evidence.checking.records import check_custody, check_records
from archiver.evidence.checking.signed import MAY_BE_MISSING, check_signature, check_token
from archiver.evidence.tag_files import SIGNATURE, TOKEN
from archiver.settings.timestamps import AuthoritySettings

Result = Literal["good", "wrong", "not there"]


class Check(NamedTuple):
    """One check: its title, its result, and a line for each thing that it found."""

    title: str
    result: Result
    lines: tuple[str, ...] = ()


def check_pack(
    source: PackSource, *, signer: str | None = None, authorities: Sequence[AuthoritySettings] = ()
) -> Iterator[Check]:
    """Every check, one after the other. `signer`: the fingerprint that the signature has to be by; without it
    the pack's own word is taken, and said. `authorities`: whose time stamps are believed; without any the
    certificates in the pack are. Raise ArchiverError where the pack cannot be read at all."""
    files = Files(source)
    problems = verify_bag(source, (SIGNATURE, TOKEN))
    yield Check(
        "every file is as it was listed, and none was added",
        "wrong" if problems else "good",
        tuple(map(str, problems)) or (f"{files.count:,} files, {files.size:,} bytes",),
    )
    checks: list[tuple[str, Callable[[], list[str] | None]]] = [
        ("signature", lambda: check_signature(files, signer)),
        ("time stamp", lambda: check_token(files, authorities)),
        ("chain of archives", lambda: check_chain(files)),
        ("log", lambda: check_log(files)),
        ("records and their bytes", lambda: check_records(files)),
        ("custody", lambda: check_custody(files)),
    ]
    for title, check in checks:
        yield _run(title, check)


def _run(title: str, check: Callable[[], list[str] | None]) -> Check:
    try:
        lines = check()
    except IntegrityError as error:
        return Check(title, "wrong", (error.message,))
    if lines is None:
        return Check(title, "not there")
    if lines[:1] == [MAY_BE_MISSING]:
        return Check(title, "not there", tuple(lines))
    return Check(title, "good", tuple(lines))
