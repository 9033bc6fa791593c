"""What a manifest says of an archive in numbers, and where all of it came from."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

import msgspec

from archiver.archive.manifest import Count, ModerationCount, Origin
from archiver.seal.segment import SealedSegment
from archiver.seal.segment_build import Decided
from archiver.sources import moderation
from archiver.sources.x_api.endpoints import AROUND
from archiver.spool import SpooledCapture, SpooledMedia
from archiver.times import format_time

CONTEXT_REQUEST = "around items of the moderation register"
"""In place of the path, which may name whose post was dealt with."""


def count_records(segments: Sequence[SealedSegment], captures: Mapping[int, SpooledCapture]) -> list[Count]:
    """What each account brought of each kind, and how of it is new."""
    changes: Counter[tuple[str, str, str, str]] = Counter()
    for segment in segments:
        for (number, kind, change), records in segment.changes.items():
            capture = captures[number].capture
            changes[capture.platform, capture.account, kind, change] += records
    return [
        Count(
            platform=platform,
            account=account,
            kind=kind,
            new=changes[platform, account, kind, "new"],
            changed=changes[platform, account, kind, "changed"],
            back=changes[platform, account, kind, "back"],
            other=changes[platform, account, kind, "other"],
            again=changes[platform, account, kind, "again"],
            unparsed=changes[platform, account, kind, "unparsed"],
        )
        for platform, account, kind in sorted({key[:3] for key in changes})
    ]


def count_media(
    media: Sequence[SpooledMedia],
    missing: Sequence[tuple[str, str, int]],
    captures: Mapping[int, SpooledCapture],
) -> list[Count]:
    """How many pictures and videos each account brought, and how many are missing for what reason."""
    platforms = {one.capture.account: one.capture.platform for one in captures.values()}
    accounts = {one.account for one in media} | {account for account, _, _ in missing}
    return [
        Count(
            platform=platforms.get(account, ""),
            account=account,
            kind="media",
            new=sum(one.account == account for one in media),
            missing={reason: number for of, reason, number in missing if of == account},
        )
        for account in sorted(accounts)
    ]


def count_moderation(segments: Sequence[SealedSegment]) -> list[ModerationCount]:
    """Decisions by account, month, action and reason; reversals apart, which give no reason of their own."""
    decisions: Counter[Decided] = Counter()
    reasons: Counter[tuple[Decided, str]] = Counter()
    reversals: Counter[Decided] = Counter()
    for segment in segments:
        decisions.update(segment.decisions)
        reasons.update(segment.reasons)
        reversals.update(segment.reversals)
    return [
        ModerationCount(
            platform=platform,
            account=account,
            month=month,
            action=action,
            decisions=decisions[decided],
            reasons={reason: number for (of, reason), number in sorted(reasons.items()) if of == decided},
            reversals=reversals[decided],
        )
        for decided in sorted({*decisions, *reversals})
        for platform, account, month, action in [decided]
    ]


def list_origins(captures: Iterable[SpooledCapture]) -> list[Origin]:
    """One for each file of an export. Of an interface, whose answers are many, one for each path and walk. Of
    the moderation register, whose captures are small, one for all entries of an account and one for all that
    was captured around them."""
    grouped: dict[tuple[str, ...], list[SpooledCapture]] = {}
    for spooled in captures:
        grouped.setdefault(_group(spooled), []).append(spooled)
    return [_origin(group, spooled) for group, spooled in grouped.items()]


def _group(spooled: SpooledCapture) -> tuple[str, ...]:
    """What the captures of one origin share; its last part is what the origin says was asked for."""
    capture = spooled.capture
    if capture.body_kind in AROUND:
        return capture.source, capture.route, capture.platform, capture.account, CONTEXT_REQUEST
    if capture.source == moderation.SOURCE:
        return capture.source, capture.route, capture.platform, capture.account, capture.request
    asked = capture.request if capture.status is None else capture.request.partition("?")[0]
    return spooled.source_sha256, capture.source, asked


def _origin(group: tuple[str, ...], captures: Sequence[SpooledCapture]) -> Origin:
    capture = captures[0].capture
    numbers = sorted({one.source_sha256 for one in captures})
    origin = Origin(
        source=capture.source,
        route=capture.route,
        account=capture.account,
        request=group[-1],
        fetched_at=format_time(min(one.capture.fetched_ms for one in captures)),
        source_sha256=numbers[0] if len(numbers) == 1 else sha256("".join(numbers).encode()).hexdigest(),
    )
    if capture.status is None and capture.source != moderation.SOURCE:
        return origin
    return msgspec.structs.replace(
        origin,
        fetched_until=format_time(max(one.capture.fetched_ms for one in captures)),
        requests=len(captures),
    )
