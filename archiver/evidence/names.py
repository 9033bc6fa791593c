"""Which names a pack's files may have: those that lie in the pack on every system, and nowhere else.

Media are called as somebody else called them, and a pack that is checked may be made by anybody.
"""

import re
import unicodedata
from typing import Final

_MAX_PART_BYTES: Final = 255
_MAX_BYTES: Final = 1024
_MAX_FITTED_BYTES: Final = 100
_MAX_SUFFIX_BYTES: Final = 12
_FORBIDDEN: Final = re.compile(r'[\x00-\x1f\x7f-\x9f\ud800-\udfff\\<>:"|?*]')
"""Control characters, halves of characters, and what Windows has other meanings for: backslash, drives."""
_DEVICES: Final = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?")


def find_fault(path: str) -> str | None:
    """What is wrong with a path within a pack, to follow its name in a sentence; None where nothing is.

    Source: RFC 8493, 5.2.1 "Special Characters" and 6.1 "Path Traversal"; Microsoft, "Naming Files, Paths,
    and Namespaces"."""
    if not path or path.startswith("/"):
        return "is an absolute path" if path else "is an empty name"
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return "leads out of its folder, or has an empty part"
    if _FORBIDDEN.search(path):
        return "has a character in its name that is no part of one everywhere"
    if any(part[-1] in ". " or _DEVICES.fullmatch(part) for part in parts):
        return "has a name that is none on Windows"
    octets = [len(part.encode()) for part in parts]
    if max(octets) > _MAX_PART_BYTES or sum(octets) + len(octets) > _MAX_BYTES:
        return "has a name that is too long"
    return None


def fit_name(name: str, otherwise: str = "file") -> str:
    """A name for a file of a pack, made of what somebody else called it: without folders, and without what
    `find_fault` finds. A percent sign goes as well: a manifest would encode it, and neither `bagit` nor
    `sha256sum` undoes that. Long ones keep their suffix. Two names may become one."""
    last = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    last = _FORBIDDEN.sub("_", last).replace("%", "_").strip(". ")
    stem, dot, suffix = last.rpartition(".")
    suffix = f"{dot}{suffix}" if stem and len(suffix.encode()) <= _MAX_SUFFIX_BYTES else ""
    octets = last[: len(last) - len(suffix)].encode()[: _MAX_FITTED_BYTES - len(suffix.encode())]
    fitted = octets.decode("utf-8", "ignore").rstrip(". ") + suffix
    if _DEVICES.fullmatch(fitted):
        fitted = f"_{fitted}"
    return fitted if fitted and find_fault(fitted) is None else otherwise


def folded(path: str) -> str:
    """Equal for names that some file systems take for the same: by case, or by how letters are composed."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def shown(path: str) -> str:
    """A name for a message: what would move a terminal's cursor, or could not be written, is escaped."""
    if path.isascii() and path.isprintable():
        return path
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in path)
