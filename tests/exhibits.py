"""A made-up pack with every kind of exhibit and every field of the model, for tests of the forms of a pack.

The force is the fictional one of `archiver.sample`. What `path` names in the exhibits lies in `files()`, and
sizes and hashes are those of these bytes. The texts are awkward on purpose: several scripts and directions,
stacked marks, letters that nobody sees, formulas, markup.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import msgspec

from archiver.evidence.model import (
    REDACTED,
    Exhibit,
    GoneNotice,
    Medium,
    ModerationNote,
    Person,
    Production,
    Redaction,
    ShownLink,
    ThreadLine,
)
from archiver.evidence.trimming import paths_in
from archiver.records import Moderation
from archiver.sample.people import COUNCIL, FORCE, ROADS
from archiver.search.record.differences import Change, compare_texts
from tests.exhibit_parts import (
    ARABIC,
    ARCHIVE,
    CHINESE,
    DAY_MS,
    EMOJI,
    FETCHED,
    FORCE_NOW,
    FORMULA,
    HEBREW,
    HIDDEN,
    LATER,
    MADE,
    MARKUP,
    MINUTE_MS,
    NOBODY,
    OTHER,
    OVERRIDDEN,
    OWN_RECORD_ID,
    POSTED,
    RECORD_ID,
    RESIDENT,
    ZALGO,
    digest,
    files_held,
    found,
    from_export,
    held,
    make_capture,
    make_exhibit,
    make_picture,
    make_version,
    moderation_entries,
)


def production(**changes: Any) -> Production:
    """The pack as a whole, with every field said; `changes` are other values of its fields."""
    fields: dict[str, Any] = {
        "case": "SP/2026/0417", "initials": "ABC", "number": 1, "produced_by": "A. B. C., Disclosure",
        "made_ms": MADE, "question": 'closed "Main Street" since:2026-07-01', "records": len(exhibits()),
        "vault": "0b7c2f5e-2f0c-4b55-8a4e-9f1f4f1f7a10", "head_sequence": 13,
        "head_sha256": digest("manifest 13"), "keyholder": "disclosure",
        "signer": "SHA256:Uq0C3b1dVv5m2k9Zt7y8xw4r6s0aBcDeFgHiJkLmNoP", "system_account": "evidence",
        "host": "archive-01", "tool": "archiver 0.5.0", "configuration": digest("settings"),
        "organisation": "Springfield Police", "contact": "disclosure@springfield-police.invalid",
        "purpose": "Complaint about replies to the notice on Main Street",
        "recipient": "Springfield Complaints Authority", "reason": "Asked for by letter of 20 November",
        "is_redacted": True, "unsearched": (f"{LATER}: records-001.sqlite.zst.age cannot be read",),
        "notes": ("The account's followers are counted, not listed.",),
    }  # fmt: skip
    return Production(**fields | changes)


def exhibits() -> list[Exhibit]:
    """One of each kind, numbered from 1."""
    made = (
        _post(), _edited(), _reply(), _with_media(), _quote(), _repost(), _redacted(), _redacted_whole(),
        _message(), _relation(), _profile(), _moderation_alone(), _only_missing(), _markup(),
    )  # fmt: skip
    return [make_exhibit(number, **fields) for number, fields in enumerate(made, 1)]


def strange(text: str = HIDDEN) -> Exhibit:
    """An exhibit whose every text, name, address and code is this one, which no platform would send."""
    person = Person(text, text, text, text)
    medium = Medium(
        media_type=text, url=text, file_name=text, mime_type=text, alt_text=text, sha256=text, missing=text
    )
    version = make_version(
        1, text, name="strange", kind=text, author=person, alt_text=text, language=text, client=text,
        in_reply_to_id=text, in_reply_to_handle=text, conversation_id=text, repost_of_id=text,
        repost_of_handle=text, quote_of_id=text, media=(medium,), links=(ShownLink(text, text),),
        people=(person,), hashtags=(text,), mentions=(person,), facts=((text, text),),
        changed_text=tuple(compare_texts("before", text)),
        changes=(Change("client", text, [text]),),
    )  # fmt: skip
    entry = msgspec.structs.replace(
        moderation_entries()[0], text=text, reason_text=text, author_name=text, outcome=text, entered_by=text
    )
    return make_exhibit(
        1, kind="post", id=text, url=text, account_handle=text, versions=(version,),
        gone=(GoneNotice(noticed_ms=FETCHED, how=text, deleted_ms=None, archive=ARCHIVE),),
        thread=(ThreadLine(id=text, author=person, posted_ms=POSTED, kind=text, text=text, is_record=True),),
        moderation=(ModerationNote(record_id=text, entries=(entry,), archives=(ARCHIVE,)),),
        redactions=(Redaction("text", text),),
    )  # fmt: skip


def files(more: Iterable[Exhibit] = ()) -> dict[str, bytes]:
    """Everything that an exhibit, or one of these besides, gives a path for: media, verbatim records,
    captures. What other tests made up is not among it."""
    named = set(paths_in([*exhibits(), *more]))
    return {path: data for path, data in files_held().items() if path in named}


def read_medium(medium: Medium) -> bytes:
    """The bytes of a picture or video that the pack holds."""
    exhibits()
    return files_held()[medium.path or ""]


# Exhibits


def _post() -> dict[str, Any]:
    text = (
        "UPDATE: Main Street is closed between the station and Northgate after a burst water main. "
        "@SpringfieldRoads are there. Please find another route.\n\nhttps://t.co/abc123 #SpringfieldTraffic"
    )
    links = (
        ShownLink("https://t.co/abc123", "https://springfield-roads.invalid/closures?road=main&day=1"),
        ShownLink("https://t.co/gone", None),
    )
    roads = Person(ROADS.user_id, ROADS.handle, ROADS.name)
    version = make_version(1, text, links=links, hashtags=("SpringfieldTraffic",), mentions=(roads,))
    return found(
        1, "post", version, captured=(FETCHED, FETCHED + 19 * DAY_MS), last_seen_ms=FETCHED + 19 * DAY_MS
    )


def _edited() -> dict[str, Any]:
    texts = (
        "Main Street is closed until six. Please use Station Road.",
        "Main Street is closed until eight tonight. Please use Station Road or the ring road.",
        "Main Street is open again. Please drive carefully.",
    )
    then = POSTED + 2 * DAY_MS
    first = make_version(2, texts[0], name="ABC_1_2_v1", capture=from_export(20))
    second = make_version(
        2, texts[1], name="ABC_1_2_v2", version=2, captured_ms=FETCHED + DAY_MS, archive=LATER,
        changed_text=tuple(compare_texts(texts[0], texts[1])),
        changes=(Change("posted_ms", then, then + MINUTE_MS), Change("client", "Web", None)),
    )  # fmt: skip
    third = make_version(
        2, texts[2], name="ABC_1_2_v3", version=3, captured_ms=FETCHED + 2 * DAY_MS, archive=LATER,
        changed_text=tuple(compare_texts(texts[1], texts[2])),
        changes=(Change("links", None, ["https://example.org/map"]),),
    )  # fmt: skip
    same = make_version(2, texts[2], name="ABC_1_2_v4", version=3, again=True, capture=from_export(21))
    return found(2, "post", first, second, third, same)


def _reply() -> dict[str, Any]:
    version = make_version(
        3, f"{ARABIC}\n{HEBREW}", kind="reply", author=RESIDENT, language="ar", in_reply_to_id="1800001",
        in_reply_to_handle=FORCE.handle, conversation_id="1800001", like_count=0, repost_count=0,
        hashtags=("شكرا",), mentions=(FORCE_NOW,),
    )  # fmt: skip
    notice = "UPDATE: Main Street is closed between the station and Northgate"
    lines = (
        ThreadLine(id="1800001", author=FORCE_NOW, posted_ms=POSTED + DAY_MS, kind="post", text=notice,
                   is_cut=True, exhibit="ABC/1/1"),
        ThreadLine(id="1800003", author=RESIDENT, posted_ms=POSTED + 3 * DAY_MS, kind="reply", text=ARABIC,
                   is_record=True, exhibit="ABC/1/3"),
        ThreadLine(id="1800099", author=OTHER, posted_ms=POSTED + 4 * DAY_MS, kind="reply", text=HEBREW),
    )  # fmt: skip
    gone = (
        GoneNotice(noticed_ms=FETCHED + 2 * DAY_MS, how="X's interface: not found", deleted_ms=None,
                   archive=LATER, back_ms=FETCHED + 3 * DAY_MS),
        GoneNotice(noticed_ms=FETCHED + 9 * DAY_MS, how="deleted-tweets.js", deleted_ms=FETCHED + 8 * DAY_MS,
                   archive=LATER),
    )  # fmt: skip
    screenshot = make_picture(
        "ABC_1_3", "screen.png", media_type="screenshot", url=None, alt_text="The reply as it stood"
    )
    note = ModerationNote(
        record_id=RECORD_ID,
        entries=moderation_entries(),
        archives=(ARCHIVE, ARCHIVE, LATER, LATER, None),
        media=(screenshot,),
    )
    return found(
        3, "reply", version, thread=lines, more_before=2, more_after=31, gone=gone, moderation=(note,),
        url=f"https://x.com/{RESIDENT.handle}/status/1800003",
    )  # fmt: skip


def _with_media() -> dict[str, Any]:
    clip = b"\0\0\0\x18ftypmp42" + bytes(4000)
    video = Medium(
        media_type="video", url="https://video.example.org/clip.mp4", file_name="clip.mp4",
        mime_type="video/mp4", sha256=sha256(clip).hexdigest(), size=len(clip),
        path=held("data/media/ABC_1_4/clip.mp4", clip),
    )  # fmt: skip
    lost = Medium(
        media_type="photo", url="https://pbs.example.org/media/lost.jpg", file_name="lost.jpg",
        mime_type="image/jpeg", alt_text=f"A road sign: {CHINESE}", missing="the platform answered 404",
    )  # fmt: skip
    media = (
        make_picture("ABC_1_4", "road.png"),
        make_picture("ABC_1_4", "plain.png", alt_text=None),
        video,
        lost,
    )
    alt_text = "A blue and yellow band across a grey sky\nA road sign"
    return found(4, "post", make_version(4, "Pictures from Main Street.", media=media, alt_text=alt_text))


def _quote() -> dict[str, Any]:
    text = f"{CHINESE}\n{ZALGO}\n{EMOJI}\n{OVERRIDDEN}"
    return found(
        5, "quote", make_version(5, text, kind="quote", author=OTHER, language="zh", quote_of_id="1800001")
    )


def _repost() -> dict[str, Any]:
    version = make_version(
        6, f"RT @{COUNCIL.handle}: Bins will be collected on Monday and all the other days on which …",
        kind="repost", repost_of_id="1799000", repost_of_handle=COUNCIL.handle, truncated=True,
        language="und",
    )  # fmt: skip
    return found(6, "repost", version, url=None)


def _redacted() -> dict[str, Any]:
    text = f"@{REDACTED} lives at {REDACTED}, come and see."
    version = make_version(
        7, text, author=NOBODY, mentions=(NOBODY,), originals=(), capture=make_capture(7, path=None),
        media=(Medium(media_type="photo", file_name=REDACTED, missing="redacted: shows a house"),),
    )  # fmt: skip
    reasons = (
        Redaction("text", "an address"),
        Redaction("person", "a witness"),
        Redaction("media", "shows a house"),
    )
    line = ThreadLine(
        id="1800007", author=NOBODY, posted_ms=POSTED + 7 * DAY_MS, kind="post", text=text, is_record=True
    )
    return found(7, "post", version, redactions=reasons, url=None, thread=(line,))


def _redacted_whole() -> dict[str, Any]:
    version = make_version(
        8, REDACTED, author=NOBODY, originals=(), capture=make_capture(8, path=None), client=None
    )
    return found(
        8, "post", version, redactions=(Redaction("record", "a child's post"),), id=REDACTED, url=None
    )


def _message() -> dict[str, Any]:
    sender = Person(RESIDENT.id, RESIDENT.handle, RESIDENT.name, "sender")
    recipient = Person(FORCE.user_id, FORCE.handle, FORCE.name, "recipient")
    version = make_version(
        9, "Is the road open?\n\tSent from my telephone", kind="message", author=RESIDENT, client=None,
        conversation_id=f"{RESIDENT.id}-{FORCE.user_id}", people=(sender, recipient), like_count=None,
        repost_count=None, language=None,
        media=(make_picture("ABC_1_9", "sent.png", alt_text="The barrier"),),
        links=(ShownLink("https://t.co/xyz", "javascript:alert(1)"),),
    )  # fmt: skip
    return found(9, "message", version, url=None)


def _relation() -> dict[str, Any]:
    version = make_version(
        10, "", kind="block", author=Person(), posted_ms=None, client=None, language=None, like_count=None,
        repost_count=None, people=(Person(OTHER.id, OTHER.handle, OTHER.name, "blocked"),),
        facts=(("user id", OTHER.id or ""), ("address", f"https://x.com/intent/user?user_id={OTHER.id}")),
    )  # fmt: skip
    return found(10, "block", version, url=None, last_seen_ms=None)


def _profile() -> dict[str, Any]:
    version = make_version(
        11, "Official account of a fictional force. Not monitored 24/7: dial 999.", kind="account",
        posted_ms=None, client=None,
        facts=(("name", FORCE.name), ("website", "https://springfield-police.invalid"),
               ("location", "Springfield (fictional)"), ("created", "2009-03-02 10:00:00 UTC")),
    )  # fmt: skip
    return found(11, "account", version)


def _moderation_alone() -> dict[str, Any]:
    entry = Moderation(
        id=OWN_RECORD_ID, record_id=OWN_RECORD_ID, number=1, entry="decision", entered_ms=FETCHED,
        entered_by="moderator-1", platform="x", account=FORCE.user_id, item_type="user", content="unseen",
        unseen="the account was suspended before anybody looked", action="blocked", state="failed",
        way="hand", reason_codes=("impersonation",), outcome="not found",
    )  # fmt: skip
    note = ModerationNote(record_id=OWN_RECORD_ID, entries=(entry,), archives=(None,))
    return found(12, "moderation", moderation=(note,), id=OWN_RECORD_ID, url=None, captured=(FETCHED,))


def _only_missing() -> dict[str, Any]:
    notice = GoneNotice(
        noticed_ms=FETCHED, how="deleted-tweets.js", deleted_ms=FETCHED - 6 * DAY_MS, archive=ARCHIVE
    )
    return found(13, "post", gone=(notice,), last_seen_ms=None, captured=())


def _markup() -> dict[str, Any]:
    return found(14, "post", make_version(14, f"{FORMULA}\n{MARKUP}", author=OTHER))
