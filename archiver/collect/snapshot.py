"""Followers, blocks, likes, lists: the whole of it each time; who was there and is absent is gone."""

from typing import Final

import msgspec

from archiver.collect.asking import Asker
from archiver.collect.report import KindReport
from archiver.collect.taking import PLATFORM, Taken
from archiver.collect.walks import MOST_PAGES, MOST_RESTARTS, begin, comparison, corrected, finish
from archiver.progress import Cursor, Walk, walk_digest
from archiver.sources.base import Item, Problem
from archiver.sources.comparison import absent_items
from archiver.sources.x_api.client import StaleTokenError
from archiver.sources.x_api.endpoints import Endpoint
from archiver.sources.x_api.errors import KindError
from archiver.sources.x_api.pace import Patience
from archiver.sources.x_api.people import LIST_OF

ABSENT: Final = "absent from X's answer"


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
        restarts, pages = 0, {walk.token or ""} - {""}
        for _ in range(MOST_PAGES):
            if walk.complete:
                break
            try:
                taken = self._ask(walk)
            except StaleTokenError:
                if walk.token is None or restarts == MOST_RESTARTS:
                    raise
                restarts, pages = restarts + 1, set()
                walk = msgspec.structs.replace(walk, token=None, taken=0, digest=walk_digest())
                continue
            if taken.reading.refusal is not None and self.list_id is not None:
                self._note_list_gone(cursor, walk, taken)
                return
            self.asker.refuse(taken)
            origin = self.asker.origin(walk.digest, self.endpoint.kind)
            reading = taken.reading
            walk = corrected(walk, taken.fetched_ms)
            walk = msgspec.structs.replace(
                walk,
                token=reading.meta.next_token,
                taken=walk.taken + len(reading.items),
                sound=walk.sound and not reading.problems,
                complete=reading.meta.next_token is None,
            )
            circles = walk.token in pages
            pages.add(walk.token or "")
            on = msgspec.structs.replace(
                cursor, walk=msgspec.structs.replace(walk, token=None, taken=0) if circles else walk
            )
            step = self.asker.step(self.kind, on, taken.spend)
            self.asker.keep(taken, origin, step, self.report, seen_ms=walk.started_ms)
            if circles:
                raise KindError(f"{self.endpoint.path}: X names the same page again and again")
        else:
            raise KindError(f"{self.endpoint.path}: more than {MOST_PAGES:,} pages")
        self._conclude(cursor, walk, expected)

    def _note_list_gone(self, cursor: Cursor, walk: Walk, taken: Taken) -> None:
        """The list itself is gone since it was seen: nothing is said of who was on it."""
        gone = Problem(f"list {self.list_id}", "missing", "X does not show it, or its members, any more")
        done = finish(cursor, walk, self.asker.now_ms)
        self.asker.conclude(
            comparison(self.asker, self.kind, self.asker.now_ms), [],
            self.asker.origin(walk.digest, self.endpoint.kind),
            self.asker.step(self.kind, done, taken.spend), self.report, [gone], self.asker.now_ms,
        )  # fmt: skip

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
        believed = {"taken": cursor.taken, "doubted": walk.taken} if problems else {"doubted": None}
        done = finish(cursor, walk, self.asker.now_ms, shortfall=shortfall, **believed)
        capture = comparison(self.asker, self.kind, walk.started_ms)
        # How far back X shows likes is not known: what falls off the end has not been taken back.
        reached = self.kind != "likes" or (expected is not None and walk.taken >= expected)
        absent = self._absent(walk) if walk.sound and reached and not problems else []
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
        elif self._is_much_shorter(cursor, walk):
            detail = f"X showed {walk.taken:,} and had shown {cursor.taken:,}; nobody is taken for gone yet"
            return [Problem(self.kind, "count differs", detail)]
        return []

    def _is_much_shorter(self, cursor: Cursor, walk: Walk) -> bool:
        """Than the walk before, by more than a tenth; unless the one after that was as short."""
        before = cursor.taken or 0
        if before - walk.taken <= max(5, before // 10):
            return False
        return cursor.doubted is None or abs(walk.taken - cursor.doubted) > max(2, cursor.doubted // 100)

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
