"""Posts, mentions and messages: newest first, until what an earlier walk had is met."""

from typing import Final

import msgspec

from archiver.collect.asking import Asker
from archiver.collect.report import KindReport
from archiver.collect.taking import PLATFORM, Taken
from archiver.collect.walks import MOST_PAGES, MOST_RESTARTS, begin, corrected, finish
from archiver.progress import Cursor, Gap, Stretch, Walk, walk_digest
from archiver.sources.x.times import DAY_MS, first_id, snowflake_ms
from archiver.sources.x_api.client import StaleTokenError
from archiver.sources.x_api.endpoints import MESSAGE_DAYS, Endpoint
from archiver.sources.x_api.errors import KindError
from archiver.sources.x_api.pace import Patience

NEARLY: Final = 0.95
"""A walk that took this much of what X shows at most has come to that limit: X counts what it hides."""
FIRST_MESSAGES: Final = 20
"""How many messages are asked for first once earlier ones are known: all of a page is paid for."""


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
        """Walk to the end; since when what was seen needs no second look. A walk that was cut off is gone on
        with, and another follows for what came meanwhile."""
        resumed = self.asker.cursor(self.endpoint.body_kind).walk is not None
        started_ms = self._walk(resumed=resumed)
        if not resumed:
            return started_ms
        again_ms = self._walk(resumed=False)
        return started_ms if again_ms - started_ms < DAY_MS else again_ms

    def _walk(self, *, resumed: bool) -> int:
        kind = self.endpoint.body_kind
        cursor = self.asker.cursor(kind)
        walk = begin(cursor, self.asker.now_ms)
        resumed_at = walk.oldest
        if self.by_id:  # an id to go on from does not age; the name of a page may
            walk = msgspec.structs.replace(walk, token=None)
        restarts, pages = 0, {walk.token or ""} - {""}
        for _ in range(MOST_PAGES):
            try:
                taken = self._ask(walk, resumed_at)
            except StaleTokenError:
                if walk.token is None or restarts == MOST_RESTARTS:
                    raise
                # Under a new number: the same page may be asked for once more, and is another capture.
                walk = msgspec.structs.replace(walk, token=None, digest=walk_digest())
                resumed_at, pages = walk.oldest, set()
                restarts += 1
                continue
            self.asker.refuse(taken)
            origin = self.asker.origin(walk.digest, self.endpoint.kind)
            self.edit_ids |= taken.reading.edit_ids
            walk = self._advanced(corrected(walk, taken.fetched_ms), taken)
            circles = walk.token in pages
            pages.add(walk.token or "")
            if walk.token is None or (walk.met and not self.by_id):
                done, gaps = self._finished(walk, cursor, resumed=resumed)
                step = self.asker.step(kind, done, taken.spend, gaps)
                self.asker.keep(taken, origin, step, self.report)
                return walk.started_ms
            on = msgspec.structs.replace(
                cursor, walk=msgspec.structs.replace(walk, token=None) if circles else walk
            )
            self.asker.keep(taken, origin, self.asker.step(kind, on, taken.spend), self.report)
            if circles:
                raise KindError(f"{self.endpoint.path}: X names the same page again and again")
        raise KindError(f"{self.endpoint.path}: more than {MOST_PAGES:,} pages")

    def _finished(self, walk: Walk, cursor: Cursor, *, resumed: bool) -> tuple[Cursor, tuple[Gap, ...]]:
        """The cursor behind a walk that is through, and what it can no longer reach."""
        gaps = self._of_stretch(walk, cursor, resumed=resumed)
        stretch = None
        if not walk.sound:
            gaps.append(self._gap(walk.since, walk.newest, "an answer of X was not whole"))
        elif not walk.met and self.by_id and resumed and not self._is_at_depth(walk.taken):
            stretch = Stretch(after_id=walk.since, before_id=walk.oldest, taken=walk.taken)
        elif not walk.met:
            gaps += self._at_the_end(walk, cursor, resumed=resumed)
        return finish(cursor, walk, self.asker.now_ms, stretch=stretch), tuple(gaps)

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
        # An id of the future would put the mark beyond all that follows.
        latest = first_id(self.asker.now_ms + DAY_MS, 0)
        numbers = [int(item.id) for item in taken.reading.items if item.id.isascii() and item.id.isdigit()]
        numbers = [number for number in numbers if number < latest]
        newest, oldest = max(numbers, default=None), min(numbers, default=None)
        known = None if walk.since is None else int(walk.since)
        return msgspec.structs.replace(
            walk,
            newest=_larger(walk.newest, newest),
            oldest=_smaller(walk.oldest, oldest),
            token=taken.reading.meta.next_token,
            taken=walk.taken + len(taken.reading.items),
            met=walk.met or (known is not None and oldest is not None and oldest <= known),
            sound=walk.sound and not taken.reading.short,
        )

    def _of_stretch(self, walk: Walk, cursor: Cursor, *, resumed: bool) -> list[Gap]:
        """An earlier walk was cut off, and when it was gone on with X's window had moved by what came
        meanwhile, which this walk has taken: what it pushed out is missing. Where this walk was cut off too,
        nobody knows how much came."""
        stretch = cursor.stretch
        unknown = resumed and not walk.met
        if stretch is None or not (unknown or self._is_at_depth(stretch.taken + walk.taken)):
            return []
        return [self._gap(stretch.after_id, stretch.before_id, self._depth_reason())]

    def _at_the_end(self, walk: Walk, cursor: Cursor, *, resumed: bool) -> list[Gap]:
        """What lies between the oldest record of this walk and what was known, where X shows no more."""
        if self.by_id:
            whole = walk.since is None and self.expected is not None and walk.taken >= self.expected
            if whole or not self._is_at_depth(walk.taken):
                return []
            return [self._gap(walk.since, walk.oldest, self._depth_reason())]
        # Whatever came since the last walk began is still shown, if that is not too long ago; and what a walk
        # that was cut off had before it may be shown no more.
        reach = self.asker.now_ms - MESSAGE_DAYS * DAY_MS
        late = walk.since is not None and (cursor.started_ms or reach) < reach
        cut = resumed and self.asker.now_ms - walk.started_ms > DAY_MS
        if not late and not cut:
            return []
        return [self._gap(walk.since, walk.oldest, f"X shows messages of the last {MESSAGE_DAYS} days only")]

    def _is_at_depth(self, taken: int) -> bool:
        return self.endpoint.depth is not None and taken >= self.endpoint.depth * NEARLY

    def _depth_reason(self) -> str:
        return f"X shows the newest {self.endpoint.depth:,} only"

    def _gap(self, after_id: str | None, before_id: str | None, reason: str) -> Gap:
        return Gap(
            platform=PLATFORM,
            account=self.asker.account.id,
            kind=self.endpoint.kind,
            after_id=after_id,
            after_ms=None if after_id is None else snowflake_ms(after_id),
            before_id=before_id,
            before_ms=None if before_id is None else snowflake_ms(before_id),
            noticed_ms=self.asker.now_ms,
            reason=reason,
        )


def _larger(known: str | None, new: int | None) -> str | None:
    return known if new is None else str(new if known is None else max(int(known), new))


def _smaller(known: str | None, new: int | None) -> str | None:
    return known if new is None else str(new if known is None else min(int(known), new))
