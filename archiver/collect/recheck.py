"""Posts of the last days, asked for once more by their ids: what was edited, and what is gone."""

import msgspec

from archiver.collect.asking import Asker
from archiver.collect.report import KindReport
from archiver.collect.taking import PLATFORM
from archiver.collect.walks import begin, finish
from archiver.progress import Cursor, Walk
from archiver.sources.x.times import first_id
from archiver.sources.x_api.endpoints import ENDPOINTS
from archiver.sources.x_api.pace import Patience


class Recheck:
    """Posts of the last days, asked for once more by their ids: what was edited, and what is gone."""

    def __init__(self, asker: Asker, report: KindReport, patience: Patience, series: str = "post") -> None:
        """`series`: whose posts, the account's own or those of others that mention it."""
        self.asker = asker
        self.series = series
        self.kind = "recheck" if series == "post" else "recheck_mentions"
        self.endpoint = ENDPOINTS["recheck"]
        self.report = report
        self.patience = patience
        self._known_gone: set[str] = set()

    def run(self, started_ms: int, edit_ids: set[str]) -> None:
        """`started_ms`: posts seen since then need no second look. `edit_ids`: versions that the timeline
        named; those not held yet are fetched as well."""
        cursor = self.asker.cursor(self.kind)
        walk = begin(cursor, started_ms)
        if self.asker.api.recheck_days:
            self._look_up(cursor, walk, self._due(walk), edit_ids)
        if self.series == "post":
            self._fetch_versions(cursor, walk, edit_ids)
        self.asker.save(self.asker.step(self.kind, finish(cursor, walk, self.asker.now_ms)))

    def _fetch_versions(self, cursor: Cursor, walk: Walk, edit_ids: set[str]) -> None:
        """Versions of the account's own posts that are named and not held yet."""
        edit_ids |= self._first_versions()
        done: set[str] = set()
        # Edits are at most five; each lookup may name more versions.
        for _ in range(6):
            new = [one for one in sorted(edit_ids - done) if not self._is_known(one)]
            done |= edit_ids
            if not new:
                break
            self._look_up(cursor, walk, new, edit_ids)

    def _due(self, walk: Walk) -> list[str]:
        """Ids of the last days not seen since the walk began."""
        keeper = self.asker.shared.keeper
        first = first_id(self.asker.now_ms, self.asker.api.recheck_days)
        with keeper.lock:
            series = keeper.state.series(PLATFORM, self.asker.account.id, self.series, "api")
            found = keeper.state.present(series, from_id=first, before_ms=walk.started_ms)
            # X bills what it returns: asking whether somebody is there again costs nothing if not.
            gone = keeper.state.present(series, from_id=first, gone=True)
        self._known_gone |= set(gone)
        return [one for one in (*found, *gone) if one.isdigit()]

    def _first_versions(self) -> set[str]:
        """Of edits already held, what a run that was cut off did not come to ask for."""
        keeper, account = self.asker.shared.keeper, self.asker.account.id
        with keeper.lock:
            series = keeper.state.series(PLATFORM, account, "post", "api")
            gone = keeper.state.series(PLATFORM, account, "gone", "api")
            return set(keeper.state.unseen_first_versions(series, gone))

    def _is_known(self, post_id: str) -> bool:
        keeper = self.asker.shared.keeper
        with keeper.lock:
            series = keeper.state.series(PLATFORM, self.asker.account.id, "post", "api")
            return bool(keeper.state.find_seen(series, [int(post_id)])) if post_id.isdigit() else True

    def _look_up(self, cursor: Cursor, walk: Walk, ids: list[str], edit_ids: set[str]) -> None:
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
                msgspec.structs.replace(one, id=f"{self.series}:{one.id.partition(':')[2]}")
                for one in taken.reading.gone
                if one.id.partition(":")[2] not in self._known_gone
            ]
            self.asker.keep(
                taken,
                origin,
                self.asker.step(self.kind, on, taken.spend),
                self.report,
                items=[*taken.reading.items, *gone],
            )
