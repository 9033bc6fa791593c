"""Texts, people, times and parts of `tests.exhibits`, and the bytes of what these exhibits name."""

import json
from hashlib import sha256
from typing import Any

from archiver.evidence.model import (
    REDACTED,
    Capture,
    Exhibit,
    Medium,
    Original,
    Person,
    ShownVersion,
)
from archiver.records import Attachment, LogRow, Moderation
from archiver.sample.people import FORCE, RESIDENTS
from archiver.sample.pictures import png_picture
from archiver.times import parse_time

ARABIC = "شكرا للشرطة @SpringfieldPolice 👮‍♀️ على المساعدة (اليوم) #شكرا"
HEBREW = "הכביש סגור: Main Street 12, עד 18:30!"
CHINESE = "道路已封闭，请绕行。駅前の道は通れません。도로가 통제되었습니다."
ZALGO = (
    "c\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308\u0309" * 3
    + "losed"
    + "\u0316\u0317\u0318\u0319" * 6
)
EMOJI = "🚓👩🏽‍🚒🏳️‍🌈🇬🇧 1️⃣ ✅"
OVERRIDDEN = "Totally \u202eeceilop laer\u202c\u200b police"
FORMULA = '=HYPERLINK("https://example.org/","press") @SpringfieldPolice'
MARKUP = "<script>alert(1)</script> & <b>not bold</b> ]]> &amp; 'quoted' \"twice\""
HIDDEN = (
    "nul \x00, bell \x07, escape \x1b[31m, tab\t, return\r\n, lone half \ud83d, soft\u00adhyphen,"
    " tag \U000e0041, the end"
)
"""Texts of exhibits. `HIDDEN` holds what XML forbids and UTF-8 cannot hold; only `strange()` has it."""

FORCE_NOW = Person(FORCE.user_id, FORCE.handle, FORCE.name)
RESIDENT = Person(RESIDENTS[6].user_id, RESIDENTS[6].handle, "مقيم Springfield")
OTHER = Person(RESIDENTS[7].user_id, RESIDENTS[7].handle, f"Resident {EMOJI}")
NOBODY = Person(None, REDACTED, REDACTED)
ARCHIVE, LATER = "2026-11-01", "2026-11-20.2"
RECORD_ID = "3f2a6c11-9d0e-4b6f-8a53-1c7f0e5d2b90"
OWN_RECORD_ID = "77b0c1de-0f7e-4a53-9c4e-3f5f0f6a1b22"
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
POSTED = parse_time("2026-07-01T12:00:00.000Z")
FETCHED = parse_time("2026-11-01T03:00:00.000Z")
MADE = parse_time("2026-11-25T09:41:07.250Z")

_files: dict[str, bytes] = {}


def files_held() -> dict[str, bytes]:
    """What the exhibits made so far give a path for: media, verbatim records, captures."""
    return dict(_files)


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def held(path: str, body: bytes) -> str:
    """The path of what the pack holds, once it does."""
    _files[path] = body
    return path


def make_exhibit(number: int, **fields: Any) -> Exhibit:
    named = {
        "number": number, "reference": f"ABC/1/{number}", "stem": f"ABC_1_{number}", "platform": "x",
        "account": FORCE.user_id, "account_handle": FORCE.handle,
    }  # fmt: skip
    return Exhibit(**named | fields)


def make_capture(number: int, **changes: Any) -> Capture:
    """An answer of X's interface, in a file of its own."""
    body = json.dumps({"data": [{"page": number}]}).encode()
    fields: dict[str, Any] = {
        "name": f"C{number:06}", "source": "x_api", "route": "api", "platform": "x", "account": FORCE.user_id,
        "handle": FORCE.handle, "request": f"GET /2/users/{FORCE.user_id}/tweets?max_results=100",
        "body_kind": "tweets", "layout": "2", "fetched_ms": FETCHED, "taken_ms": FETCHED + 250, "status": 200,
        "headers": '{"content-type": "application/json", "date": "Sun, 01 Nov 2026 03:00:00 GMT"}',
        "body_size": len(body), "body_sha256": sha256(body).hexdigest(), "archive": ARCHIVE,
        "source_sha256": digest(f"walk {number}"), "tool": "archiver 0.5.0",
        "configuration": digest("settings"),
    }  # fmt: skip
    if "path" not in changes:
        fields["path"] = held(f"data/captures/C{number:06}.json", body)
    return Capture(**fields | changes)


def from_export(number: int) -> Capture:
    """A slice of an export: not an answer, so without status and headers."""
    return make_capture(
        number, source="x_export", route="export", request="twitter-2026-10-31.zip: data/tweets.js",
        body_kind="tweets", layout="2023", status=None, headers=None, body_size=None, body_sha256=None,
    )  # fmt: skip


def original(name: str, **record: Any) -> Original:
    body = json.dumps(record, ensure_ascii=True).encode()
    path = held(f"data/records/{name}.json", body)
    segment = f"archives/{ARCHIVE}/records-000.sqlite.zst.age"
    return Original(
        sha256=sha256(body).hexdigest(), size=len(body), segment=segment, part=7, offset=1024, path=path
    )


def make_version(number: int, text: str, **changes: Any) -> ShownVersion:
    """A version of the exhibit of that number, posted so many days after the first."""
    posted = POSTED + number * DAY_MS
    name = changes.pop("name", f"ABC_1_{number}")
    fields: dict[str, Any] = {
        "archive": ARCHIVE, "manifest_sha256": digest("manifest 12"), "kind": "post", "version": 1,
        "author": FORCE_NOW, "captured_ms": FETCHED, "posted_ms": posted, "text": text, "language": "en",
        "client": "Springfield Desk", "like_count": 12, "repost_count": 3,
    }  # fmt: skip
    if "capture" not in changes:
        fields["capture"] = make_capture(number)
    if "originals" not in changes:
        fields["originals"] = (original(name, id=str(1_800_000 + number), text=text),)
    return ShownVersion(**fields | changes)


def found(number: int, kind: str, *versions: ShownVersion, **fields: Any) -> dict[str, Any]:
    """What an exhibit says beside its reference."""
    own = str(1_800_000 + number)
    return {
        "kind": kind, "id": own, "url": f"https://x.com/{FORCE.handle}/status/{own}", "versions": versions,
        "captured": tuple(one.captured_ms for one in versions), "last_seen_ms": FETCHED,
    } | fields  # fmt: skip


def make_picture(stem: str, name: str, **changes: Any) -> Medium:
    body = png_picture(name)
    fields: dict[str, Any] = {
        "media_type": "photo", "url": f"https://pbs.example.org/media/{name}", "file_name": name,
        "mime_type": "image/png", "alt_text": "A blue and yellow band across a grey sky", "size": len(body),
        "sha256": sha256(body).hexdigest(), "path": held(f"data/media/{stem}/{name}", body),
    }  # fmt: skip
    return Medium(**fields | changes)


def moderation_entries() -> tuple[Moderation, ...]:
    """A decision and all that can follow it; every field is said in one of them."""
    at = FETCHED + HOUR_MS

    def entry(number: int, kind: Any, **fields: Any) -> Moderation:
        return Moderation(
            id=f"{RECORD_ID[:-1]}{number}", record_id=RECORD_ID, number=number, entry=kind,
            entered_ms=at + number * HOUR_MS, entered_by="moderator-1", platform="x", account=FORCE.user_id,
            **fields
        )  # fmt: skip

    screenshot = Attachment(role="screenshot", file_name="screen.png", media_type="image/png")
    row = LogRow(file="log.csv", sha256=digest("log"), line=7, cells={"Reason": "abuse", "By whom": "M1"})
    decision = entry(
        1, "decision", account_handle=FORCE.handle, item_type="reply", item_id="1800003",
        item_url=f"https://x.com/{RESIDENT.handle}/status/1800003", content="captured", author_id=RESIDENT.id,
        author_handle=RESIDENT.handle, author_name=RESIDENT.name, posted_ms=POSTED + 3 * DAY_MS, text=ARABIC,
        language="ar", attachments=(screenshot,), context_sha256=(digest("context"),),
        context_missing=("the author's profile: not found",), detected_ms=at, detected_by="moderator-2",
        detection="staff", house_rule="3", house_rule_version="2026-01",
        reason_codes=("abusive", "off_topic"), reason_text="Insults another resident.\nSecond time.",
        legal_ground="none", action="hidden", state="planned", way="api", authorised_by="team leader",
        until_ms=at + 30 * DAY_MS, notified_how="reply", notified_ms=at + HOUR_MS, not_notified="no address",
        escalated="crime", escalated_reference="SP-77", exhibit="ABC/1", case="SP/2026/0417",
        retention_rule="moderation", hold="complaint", unseen="the picture was not loaded",
    )  # fmt: skip
    outcome = entry(
        2, "outcome", corrects=decision.id, state="done", action_ms=at + 2 * HOUR_MS, action_by="moderator-1",
        outcome="hidden: true",
    )  # fmt: skip
    correction = entry(
        3, "correction", corrects=outcome.id, entry_note="Wrong reason", reason_codes=("abusive",),
        cleared=("hold",), imported=row,
    )  # fmt: skip
    reversal = entry(
        4, "reversal", corrects=correction.id, entry_note="After appeal", action="unhidden", state="done"
    )
    appeal = entry(
        5, "appeal", corrects=reversal.id, appeal_received_ms=at + 3 * DAY_MS, appeal_decided_by="reviewer",
        appeal_decided_ms=at + 4 * DAY_MS, appeal_outcome="partly",
    )  # fmt: skip
    return decision, outcome, correction, reversal, appeal
