"""What a run of collecting would ask for and cost, told from what earlier runs found. X is asked nothing."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from archiver.collect.asking import INCLUDED_AT_MOST
from archiver.collect.taking import PLATFORM
from archiver.keys import load_identity
from archiver.progress import Cursor
from archiver.schedule.kinds import cursors_of, due_kinds
from archiver.settings import AccountSettings, Settings
from archiver.settings.api import COLLECT_KINDS, AccountApi, CollectKind
from archiver.sources.x.times import first_id
from archiver.sources.x_api.endpoints import ENDPOINTS, MENTIONS_DEPTH, POSTS_DEPTH, Endpoint
from archiver.sources.x_api.prices import price_of
from archiver.sources.x_api.reading import MENTION_SERIES
from archiver.spool import Spool
from archiver.state import State
from archiver.times import format_date

RECHECKED = "posts looked up again"


@dataclass(frozen=True)
class Planned:
    """What one kind of one account would be asked for. `expected` and `at_most`: things returned; None
    where it is not known, or where only the month's ceiling ends it."""

    account: AccountSettings
    kind: str
    why: str
    page: int
    price: int
    expected: int | None
    at_most: int | None

    @property
    def requests(self) -> int:
        """Where nothing is expected, one that says so; but nobody is asked for no post."""
        return max(0 if self.kind == RECHECKED else 1, -(-(self.expected or 0) // self.page))

    @property
    def micro_usd(self) -> int:
        """Of what is expected; 0 where that is not known."""
        return self.price * (self.expected or 0)

    @property
    def most_micro_usd(self) -> int | None:
        return None if self.at_most is None else self.price * self.at_most


@dataclass(frozen=True)
class Plan:
    """All that is due, what was spent this month by account id, and how many things an answer may include
    beside each it holds, where X bills those as well."""

    rows: tuple[Planned, ...]
    spent: Mapping[str, int]
    month: str
    prices_as_of: str
    with_includes: int

    def stops_early(self, account: str) -> bool:
        """Whether an account's ceiling would end the run before all that is due is taken."""
        rows = [row for row in self.rows if row.account.id == account and row.account.api is not None]
        most = sum(row.micro_usd for row in rows) * (1 + self.with_includes)
        return any(
            row.account.api is not None
            and most > row.account.api.max_spend_micro_usd - self.spent.get(account, 0)
            for row in rows
        )


def plan(
    settings: Settings,
    accounts: Sequence[tuple[AccountSettings, AccountApi]],
    now_ms: int,
    only: Sequence[CollectKind],
) -> Plan:
    """What a run now would ask for. Asks X nothing and changes nothing."""
    month = format_date(now_ms)[:7]
    rows: list[Planned] = []
    spent: dict[str, int] = {}
    identity = load_identity(settings.spool_identity)
    with closing(Spool(settings.spool, identity)) as spool, closing(State(settings.state)) as state:
        for account, api in accounts:
            cursors = {
                name: spool.progress.cursor(PLATFORM, account.id, name)
                for kind in COLLECT_KINDS
                for name in cursors_of(kind)
            }
            spent[account.id] = spool.progress.spent_by(month, PLATFORM, account.id)
            for kind in due_kinds(api, cursors.__getitem__, now_ms, only):
                rows += _planned(settings, account, api, kind, cursors, state, now_ms)
    included = INCLUDED_AT_MOST if settings.x_api.prices.includes_billed else 0
    return Plan(tuple(rows), spent, month, settings.x_api.prices.as_of, included)


def _planned(
    settings: Settings,
    account: AccountSettings,
    api: AccountApi,
    kind: CollectKind,
    cursors: Mapping[str, Cursor],
    state: State,
    now_ms: int,
) -> list[Planned]:
    cursor, counts = cursors[cursors_of(kind)[0]], cursors["profile"].counts

    def row(endpoint: Endpoint, expected: int | None, at_most: int | None, name: str = kind) -> Planned:
        # Whether the token is the account's own is known once it is read, which a look ahead does not do.
        price = price_of(endpoint, api, settings.x_api.prices, own_token=api.credentials.of_user)
        return Planned(account, name, _why(cursor), endpoint.page, price, expected, at_most)

    if kind == "profile":
        return [row(ENDPOINTS["profile"], 1, 1)]
    if kind == "posts":
        first = min(POSTS_DEPTH, counts.get("posts", POSTS_DEPTH))
        again = _recheck_ids(account, api, state, now_ms, "post")
        return [
            row(ENDPOINTS["posts"], cursor.taken if cursor.mark else first, POSTS_DEPTH),
            row(ENDPOINTS["recheck"], again, again, RECHECKED),
        ]
    if kind == "mentions":
        rows = [row(ENDPOINTS["mentions"], cursor.taken if cursor.mark else MENTIONS_DEPTH, MENTIONS_DEPTH)]
        if api.recheck_mentions:
            again = _recheck_ids(account, api, state, now_ms, MENTION_SERIES)
            rows.append(row(ENDPOINTS["recheck"], again, again, RECHECKED))
        return rows
    if kind == "messages":
        return [row(ENDPOINTS["messages"], cursor.taken, None)]
    if kind == "lists":
        rows = [
            row(ENDPOINTS[name], cursors[name].taken, None, label)
            for name, label in (
                ("lists_owned", "own lists"),
                ("lists_followed", "lists followed"),
                ("lists_listed", "lists it is on"),
            )
        ]
        return [*rows, row(ENDPOINTS["list_members"], None, None, "members of own lists")]
    return [row(ENDPOINTS[kind], counts.get(kind, cursor.taken), None)]


def _why(cursor: Cursor) -> str:
    if cursor.walk is not None:
        return "goes on"
    return "first time" if cursor.started_ms is None else f"last {format_date(cursor.started_ms)}"


def _recheck_ids(account: AccountSettings, api: AccountApi, state: State, now_ms: int, name: str) -> int:
    """How many posts of the last days would be looked up again."""
    series = state.find_series(PLATFORM, account.id, name, "api")
    if series is None or not api.recheck_days:
        return 0
    return len(state.present(series, from_id=first_id(now_ms, api.recheck_days)))
