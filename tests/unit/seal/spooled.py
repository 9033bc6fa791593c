"""What the moderation register puts into a spool, and what collecting does, both without asking anybody:
answers of X made up here and read by the real parser, entries with their screenshots."""

import io
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from secrets import token_hex
from typing import Any

from archiver.collect.pages import Decided, page_of
from archiver.moderation.keeping import keep_entries
from archiver.records import Attachment, Moderation
from archiver.sources.base import Capture, Item
from archiver.sources.x_api.answer import cut_answer
from archiver.sources.x_api.endpoints import ENDPOINTS
from archiver.sources.x_api.others import read_people
from archiver.sources.x_api.reading import read_answer
from archiver.spool import AnswerToKeep, MissingMedia, PageSealer, Spool
from archiver.times import format_time
from tests.made_vaults import ACCOUNT, HANDLE, moderation

AUTHOR, AUTHOR_HANDLE = "9001", "rude_example"
POSTED_MS = 1_793_000_000_000
"""When every post made here was posted, in October 2026."""
PATHS = {
    "moderated": "/2/tweets?ids=",
    "author": f"/2/users/by/username/{AUTHOR_HANDLE}?",
    "mentions": "/2/m?",
}


def x_post(post_id: str, text: str, **more: object) -> dict[str, Any]:
    """A post of somebody else as X's interface writes it."""
    return {"id": post_id, "text": text, "author_id": AUTHOR, "created_at": format_time(POSTED_MS), **more}


def answer_of(
    spool: Spool,
    *posts: Mapping[str, Any],
    body_kind: str = "moderated",
    series: str = "context",
    change: str = "again",
    version: int = 1,
    fetched_ms: int = POSTED_MS + 1,
    media: Sequence[Mapping[str, Any]] = (),
    missing: Sequence[MissingMedia] = (),
    around: Sequence[Mapping[str, Any]] = (),
    **author: object,
) -> AnswerToKeep:
    """One answer as moderation keeps it: its posts, and in a page of its own their author's profile. Another
    series and change: as collecting keeps it, without the profile. `around`: posts that these quote or
    answer, as X sends them along."""
    user = {"id": AUTHOR, "username": AUTHOR_HANDLE, "name": "Rude Example", **author}
    found: dict[str, object] = {"data": posts, "includes": {"users": [user], "media": media}}
    if around:
        found["includes"] = {"users": [user], "media": media, "tweets": around}
    body = json.dumps(found).encode()
    ids = ",".join(str(one["id"]) for one in posts)
    capture = Capture(
        key=0, source="x_api", route="api", platform="x", account=ACCOUNT, handle=HANDLE, name=None,
        request=f"GET {PATHS[body_kind]}{ids}", body_kind=body_kind, layout="x-api-tweet",
        fetched_ms=fetched_ms, status=200, headers={"date": "now"},
    )  # fmt: skip
    answer = cut_answer(body)
    groups: dict[str, Sequence[Item]] = {"post": read_answer(capture, answer, ENDPOINTS[body_kind]).items}
    if series == "context":
        groups["account"] = read_people(capture, answer, None)
    sealer = PageSealer(spool.identity.recipient())
    pages = []
    for kind, items in groups.items():
        decided = [Decided(item, change, version, sha256(item.content).digest()[:16]) for item in items]
        if decided:
            pages.append(page_of("x", ACCOUNT, fetched_ms, kind, series, decided, None if pages else body))
    return AnswerToKeep(
        source_sha256=token_hex(32), source_name="a walk", capture=capture, taken_ms=fetched_ms,
        body_size=len(body), body_sha256=sha256(body).hexdigest(),
        pages=[(info, sealer.seal(page)) for info, page in pages], missing=missing,
    )  # fmt: skip


def with_screenshot(spool: Spool, entry_id: str, content: bytes, **fields: object) -> Moderation:
    """A decision whose screenshot is in the spool already."""
    name = f"screenshot-{entry_id}-1.png"
    spool.add_media(ACCOUNT, name, io.BytesIO(content))
    attachment = Attachment(
        role="screenshot", file_name=name, media_type="image/png", sha256=sha256(content).hexdigest()
    )
    return moderation(entry_id, attachments=(attachment,), **fields)


def keep_one(spool: Spool, number: int, *, account: str = ACCOUNT) -> str:
    """Do what `archiver moderate` does, beside whatever run there is: a screenshot, an answer of X, an entry;
    the entry's id. Durable on return."""
    entry_id = f"entry-{number:05d}"
    with spool.appending():
        entry = with_screenshot(spool, entry_id, b"screenshot %d" % number, account=account)
        answer = answer_of(spool, x_post(str(70_000 + number), f"reply {number}"))
        keep_entries(spool, [entry], [answer])
    return entry_id
