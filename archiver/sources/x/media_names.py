"""What a media file is called, whichever way it came, so that the same picture is kept once."""

import re

_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\]")


def media_file_name(record_id: str, address: str) -> str:
    """The export's name for the file at an address, with nothing in it that a path could be made of."""
    name = address.partition("?")[0].rstrip("/").rpartition("/")[2]
    return _UNSAFE.sub("_", f"{record_id}-{name}")[:200]
