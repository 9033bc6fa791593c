"""Ways through X's pages: a timeline back to what is known, a list from end to end, records by their ids.

Each page is kept with the cursor behind it, so that a walk which is cut off anywhere goes on from there.
"""

from typing import Final

import msgspec

from archiver.collect.asking import PLATFORM, Asker, Taken, walk_digest
from archiver.collect.report import KindReport
from archiver.progress import Cursor, Gap, Walk
from archiver.sources.base import Capture, Item, Problem
from archiver.sources.comparison import absent_items
from archiver.sources.x.times import DAY_MS, SNOWFLAKE_EPOCH_MS, snowflake_ms
from archiver.sources.x_api.client import StaleTokenError
from archiver.sources.x_api.endpoints import ENDPOINTS, MESSAGE_DAYS, Endpoint
from archiver.sources.x_api.errors import KindError
from archiver.sources.x_api.pace import Patience
from archiver.sources.x_api.people import LIST_OF
from archiver.sources.x_api.reading import MENTION_SERIES

NEARLY: Final = 0.95
"""A walk that took this much of what X shows at most has come to that limit: X counts what it hides."""
FIRST_MESSAGES: Final = 20
"""How many messages are asked for first once earlier ones are known: all of a page is paid for."""
MOST_PAGES: Final = 50_000
ABSENT: Final = "absent from X's answer"
COUNTED: Final = {"followers": "followers", "following": "following", "likes": "likes"}
"""Which of the profile's counts tells how many records a snapshot should have."""


def begin(cursor: Cursor, now_ms: int) -> Walk:
    """The walk that is under way, or a new one."""
    return cursor.walk or Walk(digest=walk_digest(), started_ms=now_ms, since=cursor.mark)


def finish(cursor: Cursor, walk: Walk, now_ms: int, **changes: object) -> Cursor:
    """The cursor behind a walk that is through."""
    return msgspec.structs.replace(
        cursor,
        mark=walk.newest or cursor.mark,
        walk=None,
        started_ms=walk.started_ms,
        finished_ms=now_ms,
        taken=walk.taken,
        **changes,
    )


# One answer


def take_profile(asker: Asker, report: KindReport, patience: Patience) -> dict[str, int]:
    """The account as it shows itself; X's counts of its followers, posts and so on."""
    endpoint = ENDPOINTS["profile"]
    cursor = asker.cursor("profile")
    walk = begin(cursor, asker.now_ms)
    asker.afford(endpoint, 1)
    taken = asker.ask(endpoint, {}, patience, report)
    asker.refuse(taken, everything=True)
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


# Timelines


class Timeline:
    """Newest first, until what an earlier walk had is met."""

    def __init__(
        self,
        asker: Asker,
        endpoint: Endpoint,
        report: KindReport,
        patience: Patience,
        expected: int | None = None,
    ) -> None:
        """`expected`: X's own count of what there is, where it is known."""
        self.asker = asker
        self.endpoint = endpoint
        self.report = report
        self.patience = patience
        self.expected = expected
        self.by_id = endpoint.depth is not None
        """Posts can be asked for between two ids; messages only page by page."""
        self.edit_ids: set[str] = set()

    def run(self) -> int:
        """Walk to the end; when the walk began."""
        kind = self.endpoint.body_kind
        cursor = self.asker.cursor(kind)
        walk = begin(cursor, self.asker.now_ms)
        resumed_at = walk.oldest
        if self.by_id:  # an id to go on from does not age; the name of a page may
            walk = msgspec.structs.replace(walk, token=None)
        for _ in range(MOST_PAGES):
            try:
                taken = self._ask(walk, resumed_at)
            except StaleTokenError:
                if walk.token is None:
                    raise
                # Under a new number: the same page may be asked for once more, and is another capture.
                walk = msgspec.structs.replace(walk, token=None, digest=walk_digest())
                resumed_at = walk.oldest
                continue
            self.asker.refuse(taken, everything=False)
            origin = self.asker.origin(walk.digest, self.endpoint.kind)
            self.edit_ids |= taken.reading.edit_ids
            before, walk = walk, self._advanced(walk, taken)
            if walk.token is not None and walk.token == before.token:
                raise KindError(f"{self.endpoint.path}: X names the same page again and again")
            if walk.token is None or (walk.met and not self.by_id):
                gaps = self._gaps(walk)
                done = finish(cursor, walk, self.asker.now_ms)
                step = self.asker.step(kind, done, taken.spend, gaps)
                self.asker.keep(taken, origin, step, self.report)
                return walk.started_ms
            on = msgspec.structs.replace(cursor, walk=walk)
            self.asker.keep(taken, origin, self.asker.step(kind, on, taken.spend), self.report)
        raise KindError(f"{self.endpoint.path}: more than {MOST_PAGES:,} pages")

    def _ask(self, walk: Walk, resumed_at: str | None) -> Taken:
        size = self.endpoint.page
        if not self.by_id and walk.since is not None and walk.token is None:
            size = FIRST_MESSAGES
        size = self.asker.afford(self.endpoint, size)
        parameters: dict[str, object] = {"max_results": size}
        if self.by_id and walk.since is not None:
            # The mark itself is asked for once more: if it comes, nothing lies between.
            parameters["since_id"] = str(int(walk.since) - 1)
        if self.by_id and resumed_at is not None:
            parameters["until_id"] = resumed_at
        if walk.token is not None:
            parameters["pagination_token"] = walk.token
        return self.asker.ask(self.endpoint, parameters, self.patience, self.report)

    def _advanced(self, walk: Walk, taken: Taken) -> Walk:
        numbers = [int(item.id) for item in taken.reading.items if item.id.isascii() and item.id.isdigit()]
        newest, oldest = max(numbers, default=None), min(numbers, default=None)
        known = None if walk.since is None else int(walk.since)
        return msgspec.structs.replace(
            walk,
            newest=_larger(walk.newest, newest),
            oldest=_smaller(walk.oldest, oldest),
            token=taken.reading.meta.next_token,
            taken=walk.taken + len(taken.reading.items),
            met=walk.met or (known is not None and oldest is not None and oldest <= known),
        )

    def _gaps(self, walk: Walk) -> tuple[Gap, ...]:
        """What lies between the oldest record of this walk and what was known, where X shows no more."""
        if walk.met:
            return ()
        depth = self.endpoint.depth
        if depth is not None:
            if walk.taken < depth * NEARLY:
                return ()
            if walk.since is None and self.expected is not None and walk.taken >= self.expected:
                return ()
            reason = f"X shows the newest {depth:,} only"
        else:
            reach = self.asker.now_ms - MESSAGE_DAYS * DAY_MS
            if walk.since is None or (snowflake_ms(walk.since) or reach) >= reach:
                return ()
            reason = f"X shows messages of the last {MESSAGE_DAYS} days only"
        return (
            Gap(
                platform=PLATFORM,
                account=self.asker.account.id,
                kind=self.endpoint.kind,
                after_id=walk.since,
                after_ms=None if walk.since is None else snowflake_ms(walk.since),
                before_id=walk.oldest,
                before_ms=None if walk.oldest is None else snowflake_ms(walk.oldest),
                noticed_ms=self.asker.now_ms,
                reason=reason,
            ),
        )


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


def _larger(known: str | None, new: int | None) -> str | None:
    return known if new is None else str(new if known is None else max(int(known), new))


def _smaller(known: str | None, new: int | None) -> str | None:
    return known if new is None else str(new if known is None else min(int(known), new))


# Snapshots


class Snapshot:
    """All of a list each time: who is absent from it and was there before is gone."""

    def __init__(
        self,
        asker: Asker,
        endpoint: Endpoint,
        report: KindReport,
        patience: Patience,
        *,
        list_id: str | None = None,
    ) -> None:
        self.asker = asker
        self.endpoint = endpoint
        self.report = report
        self.patience = patience
        self.list_id = list_id
        self.kind = endpoint.body_kind if list_id is None else f"{endpoint.body_kind}/{list_id}"

    def run(self, expected: int | None = None) -> None:
        """Walk to the end. `expected`: X's own count, where it is known."""
        cursor = self.asker.cursor(self.kind)
        walk = begin(cursor, self.asker.now_ms)
        for _ in range(MOST_PAGES):
            if walk.complete:
                break
            try:
                taken = self._ask(walk)
            except StaleTokenError:
                if walk.token is None:
                    raise
                walk = msgspec.structs.replace(walk, token=None, taken=0, digest=walk_digest())
                continue
            self.asker.refuse(taken, everything=False)
            origin = self.asker.origin(walk.digest, self.endpoint.kind)
            before, reading = walk, taken.reading
            walk = msgspec.structs.replace(
                walk,
                token=reading.meta.next_token,
                taken=walk.taken + len(reading.items),
                sound=walk.sound and not reading.problems,
                complete=reading.meta.next_token is None,
            )
            if walk.token is not None and walk.token == before.token:
                raise KindError(f"{self.endpoint.path}: X names the same page again and again")
            on = msgspec.structs.replace(cursor, walk=walk)
            step = self.asker.step(self.kind, on, taken.spend)
            self.asker.keep(taken, origin, step, self.report, seen_ms=walk.started_ms)
        else:
            raise KindError(f"{self.endpoint.path}: more than {MOST_PAGES:,} pages")
        self._conclude(cursor, walk, expected)

    def _ask(self, walk: Walk) -> Taken:
        parameters: dict[str, object] = {"max_results": self.asker.afford(self.endpoint, self.endpoint.page)}
        if walk.token is not None:
            parameters["pagination_token"] = walk.token
        return self.asker.ask(
            self.endpoint,
            parameters,
            self.patience,
            self.report,
            subject=self.list_id,
            context=None if self.list_id is None else {LIST_OF: self.list_id},
        )

    def _conclude(self, cursor: Cursor, walk: Walk, expected: int | None) -> None:
        """All pages are taken: note who is gone, if nothing speaks against its being the whole."""
        problems = self._doubts(cursor, walk, expected)
        shortfall = None if expected is None else expected - walk.taken
        done = finish(cursor, walk, self.asker.now_ms, shortfall=shortfall)
        capture = comparison(self.asker, self.kind, walk.started_ms)
        absent = self._absent(walk) if walk.sound and not problems else []
        self.asker.conclude(
            capture, absent, self.asker.origin(walk.digest, self.endpoint.kind),
            self.asker.step(self.kind, done), self.report, problems, walk.started_ms,
        )  # fmt: skip

    def _doubts(self, cursor: Cursor, walk: Walk, expected: int | None) -> list[Problem]:
        """Why this may not be the whole. X's counts hold some that it does not show, so what matters is
        that the difference grows."""
        if expected is not None:
            usual = max(0, cursor.shortfall or 0) + max(2, expected // 100)
            if expected - walk.taken > usual:
                detail = f"X counts {expected:,} and showed {walk.taken:,}; nobody is taken for gone"
                return [Problem(self.kind, "count differs", detail)]
        elif walk.taken == 0 and (cursor.taken or 0) >= 10:
            detail = f"X showed none and had shown {cursor.taken:,} before; nobody is taken for gone"
            return [Problem(self.kind, "count differs", detail)]
        return []

    def _absent(self, walk: Walk) -> list[Item]:
        keeper, record = self.asker.shared.keeper, self.endpoint.record
        with keeper.lock:
            series = keeper.state.series(PLATFORM, self.asker.account.id, record, "api")
            if self.list_id is None:
                keeper.state.note_full(series, walk.started_ms)
                gone = keeper.state.find_gone(series)
            else:
                before = keeper.state.present(series, before_ms=walk.started_ms)
                gone = [one for one in before if one.startswith(f"{self.list_id}/")]
        return absent_items(0, record, gone, ABSENT, walk.started_ms)


def own_lists(asker: Asker) -> list[str]:
    """The lists the account has made, as last seen."""
    keeper = asker.shared.keeper
    with keeper.lock:
        series = keeper.state.series(PLATFORM, asker.account.id, "list_created", "api")
        return sorted(keeper.state.present(series))


# Records asked for again


class Recheck:
    """Posts of the last days, asked for once more by their ids: what was edited, and what is gone."""

    def __init__(self, asker: Asker, report: KindReport, patience: Patience) -> None:
        self.asker = asker
        self.endpoint = ENDPOINTS["recheck"]
        self.report = report
        self.patience = patience

    def run(self, started_ms: int, edit_ids: set[str]) -> None:
        """`started_ms`: posts seen since then need no second look. `edit_ids`: versions that the timeline
        named; those not held yet are fetched as well."""
        cursor = self.asker.cursor("recheck")
        walk = begin(cursor, started_ms)
        for name, days in self._series():
            self._look_up(cursor, walk, self._due(name, walk, days), name, edit_ids)
        done: set[str] = set()
        # Edits are at most five; each lookup may name more versions.
        for _ in range(6):
            new = [one for one in sorted(edit_ids - done) if not self._is_known(one)]
            done |= edit_ids
            if not new:
                break
            self._look_up(cursor, walk, new, "post", edit_ids)
        self.asker.save(self.asker.step("recheck", finish(cursor, walk, self.asker.now_ms)))

    def _series(self) -> list[tuple[str, int]]:
        days = self.asker.api.recheck_days
        series = [("post", days)] if days else []
        if days and self.asker.api.recheck_mentions:
            series.append((MENTION_SERIES, days))
        return series

    def _due(self, name: str, walk: Walk, days: int) -> list[str]:
        """Ids of the last days not seen since the walk began; an id holds the time it was given."""
        keeper = self.asker.shared.keeper
        first = ((self.asker.now_ms - days * DAY_MS - SNOWFLAKE_EPOCH_MS) << 22) if days else 0
        with keeper.lock:
            series = keeper.state.series(PLATFORM, self.asker.account.id, name, "api")
            found = keeper.state.present(series, from_id=max(first, 0), before_ms=walk.started_ms)
        return [one for one in found if one.isdigit()]

    def _is_known(self, post_id: str) -> bool:
        keeper = self.asker.shared.keeper
        with keeper.lock:
            series = keeper.state.series(PLATFORM, self.asker.account.id, "post", "api")
            return bool(keeper.state.find_seen(series, [int(post_id)])) if post_id.isdigit() else True

    def _look_up(self, cursor: Cursor, walk: Walk, ids: list[str], name: str, edit_ids: set[str]) -> None:
        origin = self.asker.origin(walk.digest, "posts looked up again")
        on = msgspec.structs.replace(cursor, walk=walk)
        waiting = list(ids)
        while waiting:
            size = self.asker.afford(self.endpoint, min(self.endpoint.page, len(waiting)))
            some, waiting = waiting[:size], waiting[size:]
            taken = self.asker.ask(
                self.endpoint, {"ids": ",".join(some)}, self.patience, self.report, asked=some
            )
            edit_ids |= taken.reading.edit_ids
            gone = [
                msgspec.structs.replace(one, id=f"{name}:{one.id.partition(':')[2]}")
                for one in taken.reading.gone
            ]
            self.asker.keep(
                taken,
                origin,
                self.asker.step("recheck", on, taken.spend),
                self.report,
                items=[*taken.reading.items, *gone],
            )
