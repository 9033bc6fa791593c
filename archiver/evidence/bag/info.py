"""`bag-info.txt`: what a bag is, in lines `Label: value` (RFC 8493, 2.2.2)."""

import textwrap
from collections.abc import Iterable, Mapping
from typing import Final

from archiver.evidence.model import PackFile, Production
from archiver.times import format_date

Info = tuple[tuple[str, str], ...]
OXUM: Final = "Payload-Oxum"
PROFILE_ID: Final = "urn:uuid:1675d32e-ce23-4338-87a7-9cf035ba4319"
"""Names `profile.json`, the BagIt profile that every bag of ours meets. It is published nowhere else."""
_NOT_STATED: Final = "not stated"
_LINE_CHARACTERS: Final = 78
_UNITS: Final = ("bytes", "KB", "MB", "GB", "TB")


def make_bag_info(production: Production, files: Mapping[str, PackFile]) -> Info:
    """The labels and values for a pack with these files; those below `data/` are its payload."""
    payload = [file.size for path, file in files.items() if path.startswith("data/")]
    contact = production.contact or ""
    by_mail = "@" in contact and not contact.split()[1:]
    more_contact = (("Contact-Email" if by_mail else "Contact-Name", contact),) if contact else ()
    description = f"{production.records} records produced as exhibit {production.exhibit}"
    if production.is_redacted:
        description += ", with parts taken out"
    if production.purpose:
        description += f". {production.purpose}"
    return (
        ("Source-Organization", production.organisation or _NOT_STATED),
        ("Contact-Name", _who(production)),
        *more_contact,
        ("External-Identifier", production.exhibit),
        ("External-Description", description),
        ("Bag-Group-Identifier", production.case),
        ("Bagging-Date", format_date(production.made_ms)),
        ("Bag-Size", _as_size(sum(payload))),
        (OXUM, make_oxum(payload)),
        ("Bag-Software-Agent", production.tool),
        ("BagIt-Profile-Identifier", PROFILE_ID),
    )


def _who(production: Production) -> str:
    """Who produces it; of a pack for publication not a member of staff."""
    if production.public:
        return production.organisation or _NOT_STATED
    return production.produced_by


def make_oxum(sizes: Iterable[int]) -> str:
    """Bytes and number of the payload's files, as `279164409832.1198`."""
    listed = list(sizes)
    return f"{sum(listed)}.{len(listed)}"


def _as_size(size: int) -> str:
    """For people, with one digit after the point where there are units above bytes."""
    amount, unit = float(size), 0
    while amount >= 1000 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.1f} {_UNITS[unit]}" if unit else f"{size} bytes"


def format_bag_info(info: Iterable[tuple[str, str]]) -> bytes:
    """The file. A value stays one value whatever is in it: white space of any kind becomes one space, what
    is no text the replacement character; a long one is folded at spaces, to lines that begin with one."""
    return "".join(f"{_fold(label, _one_line(value))}\n" for label, value in info).encode()


def _one_line(value: str) -> str:
    """Raise nothing: also lone surrogates and control characters are somebody's text."""
    seen = value.encode("utf-8", "replace").decode() if not value.isascii() else value
    seen = " ".join(seen.split())
    return (
        "".join(each if each.isprintable() or each > "\u009f" else "\ufffd" for each in seen) or _NOT_STATED
    )


def _fold(label: str, value: str) -> str:
    """A word stays whole, however long it is, and the first one on the label's line."""
    wrapper = textwrap.TextWrapper(
        _LINE_CHARACTERS,
        initial_indent=f"{label}: ",
        subsequent_indent=" ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return wrapper.fill(value)


def parse_bag_info(data: bytes) -> Info:
    """Labels and values, unfolded. Raise ValueError, saying what is wrong, for what is no such file."""
    pairs: list[tuple[str, str]] = []
    lines = data.decode("utf-8").split("\n")
    if lines.pop():
        raise ValueError("its last line has no end")
    for line in lines:
        if line.startswith(" ") and pairs:
            pairs[-1] = pairs[-1][0], f"{pairs[-1][1]} {line[1:]}"
            continue
        label, colon, value = line.partition(": ")
        if not colon or not label or label != label.strip():
            raise ValueError("it has a line that is no label with a value")
        pairs.append((label, value))
    return tuple(pairs)
