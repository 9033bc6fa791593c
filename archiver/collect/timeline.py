"""Posts, mentions and messages: newest first, until what an earlier walk had is met."""

from typing import Final

import msgspec

from archiver.collect.asking import PLATFORM, Asker, Taken, walk_digest
from archiver.collect.report import KindReport
from archiver.collect.walks import MOST_PAGES, begin, finish
from archiver.progress import Cursor, Gap, Walk
from archiver.sources.x.times import DAY_MS, snowflake_ms
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
                gaps = self._gaps(walk, cursor)
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

    def _gaps(self, walk: Walk, cursor: Cursor) -> tuple[Gap, ...]:
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
            # Whatever came since the last walk began is still shown, if that is not too long ago.
            reach = self.asker.now_ms - MESSAGE_DAYS * DAY_MS
            if walk.since is None or (cursor.started_ms or reach) >= reach:
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


def _larger(known: str | None, new: int | None) -> str | None:
    return known if new is None else str(new if known is None else max(int(known), new))


def _smaller(known: str | None, new: int | None) -> str | None:
    return known if new is None else str(new if known is None else min(int(known), new))
