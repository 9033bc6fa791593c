"""Answers of X as pages of the spool, outside the ordinary collecting.

The records in them are marked as captured another way: what collecting knows of them is neither asked nor
changed, so that moderation needs no lock that a collect or a seal holds.
"""

from collections.abc import Sequence
from hashlib import sha256

from archiver.collect.pages import Decided, page_of, unread_page
from archiver.collect.taking import Taken
from archiver.keys import Identity
from archiver.sources.base import Item, digest_of
from archiver.spool import AnswerToKeep, PageSealer
from archiver.state import KeyedHash

SERIES = "context"
"""The name under which the state knows these records, apart from those that are collected."""


def answer_to_keep(identity: Identity, walk: str, taken: Taken, items: Sequence[Item]) -> AnswerToKeep:
    """An answer with its whole body, and a page for each kind of record in it. `walk`: the number that its
    captures share."""
    sealer, key = PageSealer(identity.recipient()), KeyedHash.of(identity)
    of = (taken.capture.platform, taken.capture.account, taken.fetched_ms)
    by_kind: dict[str, list[Decided]] = {}
    for item in items:
        by_kind.setdefault(item.kind, []).append(Decided(item, "again", 1, digest_of(item, key)))
    # The first page has the whole body; those of further kinds only what their records need.
    pages = [
        page_of(*of, kind, SERIES, some, None if number else taken.body)
        for number, (kind, some) in enumerate(by_kind.items())
    ]
    return AnswerToKeep(
        source_sha256=walk,
        source_name=f"{taken.endpoint.body_kind} through X's interface",
        capture=taken.capture,
        taken_ms=taken.fetched_ms,
        body_size=len(taken.body),
        body_sha256=sha256(taken.body).hexdigest(),
        pages=[(info, sealer.seal(page)) for info, page in pages or [unread_page(*of, taken.body)]],
    )
