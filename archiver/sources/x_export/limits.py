"""What an export may cost to read: numbers no honest export reaches, stated in every refusal."""

from msgspec import Struct

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE
GIBIBYTE = 1024 * MEBIBYTE


class Limits(Struct, frozen=True, kw_only=True):
    """Bounds on one ZIP file. X cuts an export into parts of 50 GB, so nothing honest comes near these.

    ratio counts only for members that inflate to more than `ratio_from_bytes`: JSON as X writes it shrinks
    8 to 12 times, Deflate at its best 1,032 times."""

    members: int = 1_000_000
    directory_bytes: int = 256 * MEBIBYTE
    member_bytes: int = 64 * GIBIBYTE
    total_bytes: int = 512 * GIBIBYTE
    ratio: int = 200
    ratio_from_bytes: int = 16 * MEBIBYTE
    element_bytes: int = 16 * MEBIBYTE
    """One JSON value that is held whole: a post, a message, a follower."""
    small_file_bytes: int = 16 * MEBIBYTE
    """manifest.js, account.js and their like, which are read whole."""
    note_bytes: int = 128 * MEBIBYTE
    """Long posts' texts waiting, compressed, for their posts: about 60,000 of 3,000 characters."""
    named_ids: int = 20
    """How many single ids a report names before it says how many more there are."""
