"""What happened since the last monthly notice, from manifests alone: no key is needed, and nothing personal
is in them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from archiver.archive.manifest import Count, KnownGap
from archiver.chain import Head
from archiver.errors import ArchiverError
from archiver.health.local import read_local
from archiver.schedule.due import period_bounds
from archiver.settings import Settings
from archiver.spool import NOT_WANTED
from archiver.times import format_date, parse_time
from archiver.vault import Archive
from archiver.wiring.stores import open_vault_to_read

MOST_LISTED = 31
"""Archives that a notice names: one a day for a month."""
_GROUPS = {"post": "posts", "message": "messages", "media": "pictures and videos", "account": "profile facts"}
_OTHERS = "followers, blocks, lists and the like"
GONE = "gone"


@dataclass
class Brought:
    """Of one group of kinds of one account."""

    new: int = 0
    changed: int = 0
    back: int = 0


@dataclass
class AccountMonth:
    """What archives say of one account. `brought`: by group; `gone`: records found gone; `missing`: by
    reason; `not_understood`: kept verbatim."""

    platform: str
    account: str
    brought: dict[str, Brought] = field(default_factory=dict)
    gone: int = 0
    missing: dict[str, int] = field(default_factory=dict)
    not_understood: int = 0
    gaps: list[KnownGap] = field(default_factory=list)
    decisions: dict[str, int] = field(default_factory=dict)
    reversals: int = 0

    def add(self, count: Count) -> None:
        self.not_understood += count.unparsed
        for reason, number in count.missing.items():
            if reason != NOT_WANTED:
                self.missing[reason] = self.missing.get(reason, 0) + number
        if count.kind == GONE:
            self.gone += count.new
            return
        group = self.brought.setdefault(_GROUPS.get(count.kind, _OTHERS), Brought())
        group.new += count.new
        group.changed += count.changed
        group.back += count.back


@dataclass(frozen=True)
class Month:
    """`since`: the number of the last archive that was told of before. `archives`: those after it, oldest
    first; `total_archives`, `total_bytes`: of all. `spent_month`: the calendar month before, as `2026-10`,
    and `spent` what X cost in it by account. `error`: why archives could not be listed, or not all."""

    since: int
    archives: tuple[Archive, ...] = ()
    total_archives: int = 0
    total_bytes: int = 0
    accounts: tuple[AccountMonth, ...] = ()
    problems: Mapping[str, int] = field(default_factory=dict)
    head: Head | None = None
    logs: Mapping[str, Head] = field(default_factory=dict)
    spent_month: str = ""
    spent: Mapping[str, int] = field(default_factory=dict)
    error: str | None = None

    @property
    def last_sequence(self) -> int:
        return max((one.head.sequence for one in self.archives), default=self.since)


def gather_month(settings: Settings, since: int | None, now_ms: int) -> Month:
    """Look at every manifest of the vault, in the first store that can be read. `since`: the number of the
    last archive told of; None where there was no such notice, and those of the last calendar month and this
    one are told of. Raise nothing: what cannot be read is its `error`."""
    month_ms = period_bounds("monthly", settings.schedule.time_zone, now_ms)[0]
    before_ms = period_bounds("monthly", settings.schedule.time_zone, month_ms - 1)[0]
    spent_month = format_date((before_ms + month_ms) // 2)[:7]
    errors: list[str] = []
    archives: tuple[Archive, ...] = ()
    facts = read_local(settings, (before_ms + month_ms) // 2)
    errors += [one.message for one in facts.errors]
    spent = {account: micro_usd for (_, account), micro_usd in facts.spool.spent.items()}
    try:
        listed = open_vault_to_read(settings).vault.list_archives()
        archives = listed.archives
        errors += [one.message for one in listed.problems[:1]]
    except ArchiverError as error:
        errors.append(error.message)
    if since is None:
        since = max((one.head.sequence for one in archives if _sealed_ms(one) < before_ms), default=0)
    return month_of(archives, since, spent_month, spent, "; ".join(errors) or None)


def _sealed_ms(archive: Archive) -> int:
    """A manifest that is rightly signed may still be of a program that writes times otherwise."""
    try:
        return parse_time(archive.manifest.sealed_at)
    except ValueError:
        return 0


def month_of(
    archives: Sequence[Archive], since: int, spent_month: str, spent: Mapping[str, int], error: str | None
) -> Month:
    """What the archives after number `since` say together; see `Month`."""
    # What was sealed anew brought nothing: its counts were told of when it was sealed first.
    new = tuple(one for one in archives if one.head.sequence > since and one.manifest.replaces is None)
    problems: Counter[str] = Counter()
    for one in new:
        problems.update(one.manifest.problems)
    problems.pop("context", None)  # what X does not show around a record: no shortage
    return Month(
        since=since,
        archives=new,
        total_archives=len(archives),
        total_bytes=sum(one.manifest.file_bytes for one in archives),
        accounts=_accounts(new),
        problems=dict(problems),
        head=archives[-1].head if archives else None,
        logs=dict(archives[-1].manifest.logs) if archives else {},
        spent_month=spent_month,
        spent=dict(spent),
        error=error,
    )


def _accounts(archives: Sequence[Archive]) -> tuple[AccountMonth, ...]:
    found: dict[tuple[str, str], AccountMonth] = {}

    def of(platform: str, account: str) -> AccountMonth:
        return found.setdefault((platform, account), AccountMonth(platform, account))

    for manifest in (one.manifest for one in archives):
        for count in manifest.counts:
            of(count.platform, count.account).add(count)
        for gap in manifest.gaps:
            of(gap.platform, gap.account).gaps.append(gap)
        for made in manifest.moderation:
            one = of(made.platform, made.account)
            if made.decisions:
                one.decisions[made.action] = one.decisions.get(made.action, 0) + made.decisions
            one.reversals += made.reversals
    return tuple(found[key] for key in sorted(found))
