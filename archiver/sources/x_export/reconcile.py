"""Are all records there that the header files name? Answered in bounded memory, whatever the export's size.

Ids are added up as hashes while they pass: equal counts and sums mean equal sets (a miss has odds of
2**-64, and the hash is keyed anew in every process). Only where they differ are the files read again, one
bucket of ids after the other, to name what is missing.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec
from msgspec import Struct

from archiver.sources.base import Problem

BUCKET_IDS: Final = 250_000
"""Ids held at a time when naming what is missing: about 25 MB."""


class Header(Struct, frozen=True, gc=False):
    post_id: str | None = msgspec.field(name="tweet_id", default=None)
    camel_id: str | None = msgspec.field(name="tweetId", default=None)
    deleted_at: str | None = None
    camel_deleted: str | None = msgspec.field(name="deletedAt", default=None)


class HeaderElement(Struct, frozen=True, gc=False):
    """An element of tweet-headers.js and deleted-tweet-headers.js: wrapped, or bare."""

    tweet: Header | None = None
    post_id: str | None = msgspec.field(name="tweet_id", default=None)
    camel_id: str | None = msgspec.field(name="tweetId", default=None)
    deleted_at: str | None = None
    camel_deleted: str | None = msgspec.field(name="deletedAt", default=None)


decode_header = msgspec.json.Decoder(HeaderElement).decode


def header_of(element: HeaderElement) -> tuple[str | None, str | None]:
    """The id, and when it was deleted."""
    header = element.tweet or element
    return header.post_id or header.camel_id, header.deleted_at or header.camel_deleted


class IdTally:
    """Count and order-independent sum of the ids seen."""

    __slots__ = ("count", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0

    def add(self, ids: list[str]) -> None:
        self.count += len(ids)
        self.total += sum(map(hash, ids))

    def agrees(self, other: "IdTally") -> bool:
        return self.count == other.count and self.total == other.total


ReadIds = Callable[[], Iterator[list[str]]]
"""Reads files again and yields ids, a list at a time."""


def missing_problems(
    what: str, stated: int, read_headers: ReadIds, read_records: ReadIds, named_ids: int
) -> list[Problem]:
    """A problem for each of the first ids that headers name and no record has, and one for how many more."""
    buckets = max(1, -(-stated // BUCKET_IDS))
    named: list[str] = []
    missing = 0
    for bucket in range(buckets):
        absent = _absent(bucket, buckets, read_headers(), read_records())
        missing += len(absent)
        named.extend(sorted(absent)[: max(0, named_ids - len(named))])
    problems = [
        Problem(f"{what} {each}", "missing", "named in the headers, not in the export") for each in named
    ]
    if missing > len(named):
        detail = f"and {missing - len(named):,} more of {stated:,} named in the headers"
        problems.append(Problem(f"{what}s", "missing", detail))
    return problems


def _absent(
    bucket: int, buckets: int, headers: Iterable[list[str]], records: Iterable[list[str]]
) -> set[str]:
    absent = {each for ids in headers for each in ids if hash(each) % buckets == bucket}
    for ids in records:
        absent.difference_update(ids)
    return absent
