"""One account's requests: each paid for within the month's ceiling, its answer read, kept and counted."""

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from archiver.collect.keeping import AccountKeeper, Keeper, Origin, count_context
from archiver.collect.report import AccountReport, KindReport
from archiver.collect.taking import PLATFORM, Taken, price_for, take_answer
from archiver.errors import ArchiverError
from archiver.progress import Cursor, Gap, Spend, Step, walk_digest
from archiver.settings import AccountSettings
from archiver.settings.api import AccountApi, ApiSettings, format_usd
from archiver.sources.base import Capture, Item, Problem
from archiver.sources.x_api.client import XClient
from archiver.sources.x_api.endpoints import ENDPOINTS, Endpoint
from archiver.sources.x_api.errors import AccountError, CeilingError
from archiver.sources.x_api.pace import Patience
from archiver.sources.x_api.reading import was_refused
from archiver.times import Clock, format_date

INCLUDED_AT_MOST = 3
"""Things an answer includes beside each it holds, at most, for an estimate of its price."""


@dataclass
class Shared:
    """What all accounts of one run share. `stop`: set to what ends the run for all of them."""

    settings: ApiSettings
    keeper: Keeper
    clock: Clock
    patience: Callable[[], Patience]
    stop: threading.Event
    reason: ArchiverError | None = None

    def halt(self, error: ArchiverError) -> None:
        """End the run for every account, at its next request."""
        self.reason = self.reason or error
        self.stop.set()


class Asker:
    """Asks for one account."""

    def __init__(
        self,
        shared: Shared,
        account: AccountSettings,
        api: AccountApi,
        client: XClient,
        keeper: AccountKeeper,
        report: AccountReport,
    ) -> None:
        self.shared = shared
        self.account = account
        self.api = api
        self.client = client
        self.report = report
        self._keeper = keeper
        self.owner = client.keys.user_id
        """Whose token it is, where that is known."""

    @property
    def now_ms(self) -> int:
        return self.client.now_ms()

    def origin(self, digest: str, kind: str) -> Origin:
        return Origin(digest, f"{kind} of {self.account.handle or self.account.id} through X's interface")

    def cursor(self, kind: str) -> Cursor:
        """Where a kind stands."""
        with self.shared.keeper.lock:
            return self.shared.keeper.spool.progress.cursor(PLATFORM, self.account.id, kind)

    def step(self, kind: str, cursor: Cursor, spend: Spend | None = None, gaps: tuple[Gap, ...] = ()) -> Step:
        return Step(
            platform=PLATFORM,
            account=self.account.id,
            kind=kind,
            cursor=cursor,
            spend=spend,
            gaps=gaps,
        )

    def ask(
        self,
        endpoint: Endpoint,
        parameters: Mapping[str, Any],
        patience: Patience,
        report: KindReport,
        *,
        subject: str | None = None,
        context: dict[str, str] | None = None,
        asked: Collection[str] = (),
    ) -> Taken:
        """One request and its answer; `afford` says before how many things it may return."""
        if self.shared.stop.is_set() and self.shared.reason is not None:
            raise self.shared.reason
        taken = take_answer(
            self.client,
            self.account,
            self.api,
            self.shared.settings.prices,
            endpoint,
            parameters,
            patience,
            handle=self.report.current_handle or self.account.handle,
            owner=self.owner,
            subject=subject,
            context=context,
            asked=asked,
        )
        report.requests += taken.spend.requests
        report.resources += taken.spend.resources
        report.micro_usd += taken.spend.micro_usd
        return taken

    def _price(self, endpoint: Endpoint) -> int:
        return price_for(endpoint, self.account, self.api, self.shared.settings.prices, self.owner)

    def afford(self, endpoint: Endpoint, wanted: int) -> int:
        """How many of the things wanted may be asked for within what is left of the month's money. Raise
        CeilingError where that is fewer than X returns at least."""
        each = self._price(endpoint)
        if self.shared.settings.prices.includes_billed:
            each *= 1 + INCLUDED_AT_MOST
        month = format_date(self.now_ms)[:7]
        with self.shared.keeper.lock:
            spent = self.shared.keeper.spool.progress.spent_by(month, PLATFORM, self.account.id)
        most = self.api.max_spend_micro_usd
        affordable = wanted if each == 0 else min(wanted, max(0, most - spent) // each)
        if affordable < min(wanted, endpoint.least):
            raise CeilingError(
                f"{format_usd(spent)} of the {format_usd(most)} for {month} are spent, too much for one more"
                f" request for {endpoint.kind}",
                "it goes on next month, or with a higher account.api.max_spend_usd",
            )
        return affordable

    def learn_owner(self, report: KindReport, patience: Patience) -> None:
        """Ask X whose token this is, where neither the token nor the settings say: messages are those of
        whoever it is."""
        endpoint = ENDPOINTS["owner"]
        self.afford(endpoint, 1)
        taken = self.ask(endpoint, {}, patience, report)
        self.owner = taken.reading.owner
        self.save(self.step("owner", Cursor(finished_ms=self.now_ms), taken.spend))

    def keep(
        self,
        taken: Taken,
        origin: Origin,
        step: Step,
        report: KindReport,
        *,
        seen_ms: int | None = None,
        items: "list[Item] | None" = None,
    ) -> None:
        """Keep an answer, and count what came of it."""
        reading = taken.reading
        self._keeper.keep(
            taken.capture,
            taken.body,
            [*reading.items, *reading.gone] if items is None else items,
            origin,
            step,
            report,
            seen_ms=taken.fetched_ms if seen_ms is None else seen_ms,
            problems=reading.problems,
            context=reading.context,
            remarks=reading.remarks,
        )
        count_context(report, reading.context)
        report.gaps += step.gaps

    def conclude(
        self,
        capture: Capture,
        items: "list[Item]",
        origin: Origin,
        step: Step,
        report: KindReport,
        problems: "list[Problem]",
        seen_ms: int,
    ) -> None:
        """Keep what was found by comparing, and the cursor behind it."""
        self._keeper.keep(capture, None, items, origin, step, report, seen_ms=seen_ms, problems=problems)

    def save(self, step: Step) -> None:
        self._keeper.save(step)

    def refuse(self, taken: Taken) -> None:
        """Raise AccountError where X says something of the account instead of showing its records; the
        archive will say so too."""
        error = taken.reading.refusal
        if error is None:
            return
        shown = f"@{self.account.handle} ({self.account.id})" if self.account.handle else self.account.id
        noted = Problem(f"account {self.account.id}", "refused", f"{was_refused(error)}, says X")
        with self.shared.keeper.lock:
            self.shared.keeper.spool.add_problems(
                walk_digest(), f"{taken.endpoint.kind} of {shown}", taken.fetched_ms, [noted]
            )
        raise AccountError(
            f"the account {shown} {was_refused(error)}, says X",
            "look at its id in the settings, and at the account on X",
        )
