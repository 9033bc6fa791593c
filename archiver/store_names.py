"""The names that every store takes for its files."""

import re

from archiver.errors import ArchiverError

MAXIMUM_NAME_BYTES = 1024
"""S3's limit for a key."""
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@+-]{0,199}")


def check_name(name: str) -> str:
    """Return the name. Raise ArchiverError for one that is absolute, climbs (`..`), hides (`.x`), is
    empty or over 1024 bytes, or has characters outside `A-Z a-z 0-9 . _ @ + -` and `/`."""
    if len(name) <= MAXIMUM_NAME_BYTES and all(_SEGMENT.fullmatch(part) for part in name.split("/")):
        return name
    raise ArchiverError(f"{name[:80]!r} cannot be a file's name in a store")


def check_key_name(name: str) -> str:
    """Return the name of an archive's key. Raise ArchiverError for any other: only keys are rewritten."""
    if check_name(name).endswith("/key.age"):
        return name
    raise ArchiverError(f"{name} is sealed and is never replaced", "only an archive's key.age is rewritten")
