"""What every way through X's pages has in common: where it begins, and what stands behind it.

Each page is kept with the cursor behind it, so that a walk which is cut off anywhere goes on from there.
"""

from typing import Final

import msgspec

from archiver.collect.asking import Asker
from archiver.collect.report import KindReport
from archiver.collect.taking import PLATFORM
from archiver.progress import Cursor, Walk, walk_digest
from archiver.sources.base import Capture, Problem
from archiver.sources.x_api.endpoints import ENDPOINTS
from archiver.sources.x_api.pace import Patience

MOST_PAGES: Final = 50_000
"""No list of X's is longer: a walk that comes so far goes in circles."""
MOST_RESTARTS: Final = 1
"""So often a walk begins anew in one run because X no longer knows the page: each costs what it took."""


def begin(cursor: Cursor, now_ms: int) -> Walk:
    """The walk that is under way, or a new one."""
    return cursor.walk or Walk(digest=walk_digest(), started_ms=now_ms, since=cursor.mark)


def corrected(walk: Walk, fetched_ms: int) -> Walk:
    """The walk as begun no later than its first answer: until then a wrong clock is not known to be wrong."""
    return msgspec.structs.replace(walk, started_ms=min(walk.started_ms, fetched_ms))


def finish(cursor: Cursor, walk: Walk, now_ms: int, **changes: object) -> Cursor:
    """The cursor behind a walk that is through."""
    return msgspec.structs.replace(
        cursor,
        mark=walk.newest or cursor.mark,
        walk=None,
        started_ms=walk.started_ms,
        finished_ms=now_ms,
        **{"taken": walk.taken, **changes},
    )


def comparison(asker: Asker, kind: str, noticed_ms: int) -> Capture:
    """The capture of what no platform sent: that something is not there any more."""
    return Capture(
        key=0,
        source="comparison",
        route="api",
        platform=PLATFORM,
        account=asker.account.id,
        handle=asker.account.handle,
        name=None,
        request=f"comparison of {kind} with what was seen before",
        body_kind="comparison",
        layout="comparison-1",
        fetched_ms=noticed_ms,
    )


def take_profile(asker: Asker, report: KindReport, patience: Patience) -> dict[str, int]:
    """The account as it shows itself; X's counts of its followers, posts and so on."""
    endpoint = ENDPOINTS["profile"]
    cursor = asker.cursor("profile")
    walk = begin(cursor, asker.now_ms)
    asker.afford(endpoint, 1)
    taken = asker.ask(endpoint, {}, patience, report)
    asker.refuse(taken)
    walk = corrected(walk, taken.fetched_ms)
    asker.report.current_handle = taken.reading.handle
    metrics = taken.reading.metrics
    counts = {}
    if metrics is not None:
        posts = metrics.tweet_count if metrics.post_count is None else metrics.post_count
        named = {
            "followers": metrics.followers_count,
            "following": metrics.following_count,
            "posts": posts,
            "likes": metrics.like_count,
        }
        counts = {name: number for name, number in named.items() if number is not None}
    done = finish(cursor, walk, asker.now_ms, counts=counts or cursor.counts)
    asker.keep(taken, asker.origin(walk.digest, "profile"), asker.step("profile", done, taken.spend), report)
    return counts


def reconcile_posts(asker: Asker, report: KindReport, expected: int) -> None:
    """Compare X's own count of the account's posts with those known. What counts is that the difference
    grows: at first it is what lies beyond X's reach, and a post deleted long ago lessens X's count alone."""
    keeper, cursor = asker.shared.keeper, asker.cursor("posts")
    with keeper.lock:
        known = keeper.state.count_present(keeper.state.series(PLATFORM, asker.account.id, "post", "api"))
    shortfall = expected - known
    problems = []
    if shortfall > max(0, cursor.shortfall or 0) and not report.gaps:
        detail = f"X counts {expected:,} posts of this account, and {known:,} are known"
        problems.append(Problem("posts", "count differs", detail))
    changed = msgspec.structs.replace(cursor, shortfall=shortfall)
    asker.conclude(
        comparison(asker, "posts", asker.now_ms), [], asker.origin(walk_digest(), "posts"),
        asker.step("posts", changed), report, problems, asker.now_ms,
    )  # fmt: skip
