"""A run over all accounts that are asked for: what is due, several at a time, each on its own.

One account that fails does not stop the others; what X wants of the app as a whole (money, its cap) does.
"""

import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from archiver.collect.asking import Asker, Shared
from archiver.collect.keeping import AccountKeeper
from archiver.collect.recheck import Recheck
from archiver.collect.report import AccountReport, KindReport
from archiver.collect.snapshot import Snapshot, own_lists
from archiver.collect.taking import PLATFORM
from archiver.collect.timeline import Timeline
from archiver.collect.walks import reconcile_posts, take_profile
from archiver.errors import ArchiverError, ConfigurationError, SourceError
from archiver.progress import Cursor
from archiver.schedule.kinds import cursors_of, due_kinds, is_due
from archiver.settings import AccountSettings
from archiver.settings.api import COLLECT_KINDS, OWN_KINDS, AccountApi, CollectKind
from archiver.sources.base import Problem
from archiver.sources.x_api.client import SKEW_SHOWN_MS, XClient
from archiver.sources.x_api.endpoints import ENDPOINTS
from archiver.sources.x_api.errors import EverythingError, KindError, LateError
from archiver.sources.x_api.media import MediaSource
from archiver.sources.x_api.pace import Patience
from archiver.sources.x_api.reading import MENTION_SERIES
from archiver.sources.x_api.tokens import missing_scopes
from archiver.times import format_date

Connect = Callable[[AccountSettings, AccountApi], XClient]
"""Makes an account's connection; raises where there is no key."""
OpenMedia = Callable[[AccountApi], MediaSource | None]
Told = Callable[[AccountSettings, KindReport], None]


def collect_accounts(
    shared: Shared,
    accounts: Sequence[tuple[AccountSettings, AccountApi]],
    connect: Connect,
    open_media: OpenMedia,
    only: Sequence[CollectKind] = (),
    told: Told = lambda account, kind: None,
) -> list[AccountReport]:
    """Collect what is due of every account into the spool; a report for each, in the order given."""
    workers = max(1, min(shared.settings.side_by_side, len(accounts)))
    with ThreadPoolExecutor(workers, thread_name_prefix="account") as executor:
        futures = [
            executor.submit(_collect_account, shared, account, api, connect, open_media, only, told)
            for account, api in accounts
        ]
        try:
            return [future.result() for future in futures]
        except BaseException as error:
            shared.halt(error if isinstance(error, ArchiverError) else KindError("the run was interrupted"))
            executor.shutdown(cancel_futures=True)
            raise


def _collect_account(
    shared: Shared,
    account: AccountSettings,
    api: AccountApi,
    connect: Connect,
    open_media: OpenMedia,
    only: Sequence[CollectKind],
    told: Told,
) -> AccountReport:
    report = AccountReport(
        platform=account.platform,
        account=account.id,
        handle=account.handle,
        ceiling_micro_usd=api.max_spend_micro_usd,
    )
    try:
        with shared.keeper.lock:
            cursors = {
                name: shared.keeper.spool.progress.cursor(PLATFORM, account.id, name)
                for kind in COLLECT_KINDS
                for name in cursors_of(kind)
            }
        kinds = due_kinds(api, cursors.__getitem__, shared.clock(), only)
        if not kinds:
            return report
        report.due = list(kinds)
        client = connect(account, api)
    except ArchiverError as error:
        report.error = error
        return report
    media = open_media(api)
    keeper = AccountKeeper(shared.keeper, PLATFORM, account.id, media)
    run = _AccountRun(Asker(shared, account, api, client, keeper, report), report, told, forced=bool(only))
    try:
        run.collect(kinds)
    except EverythingError as error:
        shared.halt(error)
        report.error = error
    except (SourceError, ConfigurationError) as error:
        report.error = error
    except ArchiverError as error:  # a full disk, a damaged spool: nobody's answers can be kept
        shared.halt(error)
        report.error = error
    except Exception as error:  # noqa: BLE001  # a defect of ours in one account must not stop the others
        report.error = _own_defect(error)
    finally:
        client.close()
        if media is not None:
            media.close()
    _check_clock(client, report)
    with shared.keeper.lock:
        month = format_date(client.now_ms())[:7]
        report.month_micro_usd = shared.keeper.spool.progress.spent_by(month, PLATFORM, account.id)
    return report


def _own_defect(error: Exception) -> ArchiverError:
    """Where it happened, without the words of the error, which may hold anything."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{place.filename.rpartition('/')[2]}:{place.lineno}"
    return ArchiverError(
        f"a defect of this program ended it: {type(error).__name__} at {where}",
        "report it; what was kept before is kept, and the next run goes on from there",
    )


def _check_clock(client: XClient, report: AccountReport) -> None:
    skew = client.pace.skew_ms or 0
    if abs(skew) > SKEW_SHOWN_MS:
        side = "slow" if skew > 0 else "fast"
        detail = f"is {abs(skew) // 1000:,} seconds {side}, by X's; captures carry X's time meanwhile"
        report.problems.append(Problem("the clock of this host", "clock", detail))


class _AccountRun:
    """One account's kinds, one after the other."""

    def __init__(self, asker: Asker, report: AccountReport, told: Told, *, forced: bool) -> None:
        """`forced`: kinds were asked for by name, so that all of them is due."""
        self.asker = asker
        self.forced = forced
        self.report = report
        self.told = told
        self.counts: dict[str, int] = asker.cursor("profile").counts

    def collect(self, kinds: Sequence[CollectKind]) -> None:
        """Each kind; one that X refuses does not stop the others, a refusal of the account does."""
        for kind in kinds:
            report = KindReport(kind=kind, media_missing_names=[], problems=[], gaps=[])
            self.report.kinds.append(report)
            try:
                patience = self.asker.shared.patience()
                self._check_keys(kind, report, patience)
                self._collect_kind(kind, report, patience)
            except KindError as error:
                report.error = error
            finally:
                with suppress(Exception):
                    self.told(self.asker.account, report)

    def _check_keys(self, kind: CollectKind, report: KindReport, patience: Patience) -> None:
        """What can be known before asking: scopes, and that messages, blocks and mutes are this account's,
        which X would take for granted."""
        missing = missing_scopes(self.asker.client.keys, kind)
        if missing:
            raise KindError(
                f"{kind}: the token lacks the scope {', '.join(missing)}",
                f"with {kind} among the account's kinds in the settings, sign in again:"
                f" archiver login x --account {self.asker.account.id}",
            )
        if kind not in OWN_KINDS or self.asker.client.keys.way == "bearer":
            return
        if self.asker.owner is None:
            self.asker.learn_owner(report, patience)
        if self.asker.owner != self.asker.account.id:
            raise KindError(
                f"{kind}: the token is of the account {self.asker.owner}, not of {self.asker.account.id}",
                f"sign in as that account: archiver login x --account {self.asker.account.id}",
            )

    def _collect_kind(self, kind: CollectKind, report: KindReport, patience: Patience) -> None:
        if kind == "profile":
            self.counts = take_profile(self.asker, report, patience) or self.counts
        elif kind == "posts":
            expected = self.counts.get("posts") if self._profile_is_fresh() else None
            timeline = Timeline(self.asker, ENDPOINTS["posts"], report, patience, expected)
            started_ms = timeline.run()
            Recheck(self.asker, report, patience).run(started_ms, timeline.edit_ids)
            if expected is not None:
                reconcile_posts(self.asker, report, expected)
        elif kind in ("mentions", "messages"):
            started_ms = Timeline(self.asker, ENDPOINTS[kind], report, patience).run()
            if kind == "mentions" and self.asker.api.recheck_mentions:
                Recheck(self.asker, report, patience, MENTION_SERIES).run(started_ms, set())
        elif kind == "lists":
            self._collect_lists(report, patience)
        else:
            expected = self.counts.get(kind) if self._profile_is_fresh() else None
            Snapshot(self.asker, ENDPOINTS[kind], report, patience).run(expected)

    def _collect_lists(self, report: KindReport, patience: Patience) -> None:
        """Those of the four ways that are due: a run may have been cut off after the first."""
        days = self.asker.api.every_days.get("lists", 1)
        due = [
            name
            for name in cursors_of("lists")
            if self.forced or is_due(self.asker.cursor(name), days, self.asker.now_ms)
        ]
        for name in due:
            if name != "list_members":
                Snapshot(self.asker, ENDPOINTS[name], report, patience).run()
        if "list_members" in due:
            started_ms = self.asker.now_ms
            for list_id in own_lists(self.asker):
                self._collect_members(list_id, report, patience)
            done = Cursor(started_ms=started_ms, finished_ms=self.asker.now_ms)
            self.asker.save(self.asker.step("list_members", done))

    def _collect_members(self, list_id: str, report: KindReport, patience: Patience) -> None:
        """Who is on one list; that X refuses one says nothing of the others."""
        try:
            Snapshot(self.asker, ENDPOINTS["list_members"], report, patience, list_id=list_id).run()
        except LateError:
            raise
        except KindError as error:
            report.add_problem(Problem(f"list {list_id}", "refused", error.message))

    def _profile_is_fresh(self) -> bool:
        """Whether X's counts are of this run: older ones are compared with nothing."""
        return any(kind.kind == "profile" and kind.error is None for kind in self.report.kinds)
