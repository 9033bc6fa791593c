"""The monthly notice: what came in, what is missing, where it lies, whether it is whole, what to do next.

It also carries the chain's head out of the house: that the newest archives were cut off shows only against a
head that lies elsewhere, as in a mailbox.
"""

from dataclasses import asdict

from archiver.archive.manifest import KnownGap
from archiver.health.month import MOST_LISTED, AccountMonth, Month
from archiver.health.notices import INCOMPLETE, Origin
from archiver.health.snapshot import Snapshot, StoreHealth
from archiver.health.texts import day, items, number_of, paragraph, section
from archiver.health.words import first_sentence
from archiver.notify.base import Notice
from archiver.settings import Settings
from archiver.settings.api import format_usd
from archiver.sizes import byte_size
from archiver.times import format_time

MOST_LINES = 60
"""Of one list: accounts, archives and keyholders of a large force."""


def monthly_notice(origin: Origin, settings: Settings, snapshot: Snapshot, month: Month) -> Notice:
    """The whole of it; nothing personal, no handle but those of the body's own accounts."""
    lines = [*paragraph(f"How the archive stands on {day(snapshot.at_ms)}. {first_sentence(snapshot)}"), ""]
    lines += section("What to do next", items(_advice(snapshot)))
    if month.error is not None:
        lines += section("What could not be looked at", items([month.error]))
    lines += section("Sealed since the last monthly notice", items(_sealed(month), MOST_LINES))
    for account in month.accounts:
        title = f"Account {_account_name(settings, account.platform, account.account)}"
        lines += section(title, items(_account(account), MOST_LINES))
    lines += section("Not taken or not understood", items(_problems(month)))
    lines += section("Cost", items(_cost(settings, snapshot, month), MOST_LINES))
    lines += section("Chain head", _chain_head(month, snapshot))
    lines += section("Ends of the log", _log_heads(month))
    lines += section("Stores", items(map(_store, snapshot.stores)))
    lines += section("Who can read the archives", items(snapshot.keyholders, MOST_LINES))
    lines += section("What waits", items(_waiting(snapshot), MOST_LINES))
    subject = origin.subject(f"the month to {day(snapshot.at_ms)}, {_in_short(snapshot, month)}")
    code = 0 if snapshot.healthy and month.error is None else INCOMPLETE
    facts = _facts(snapshot, month)
    return Notice("monthly", subject, origin.text(lines), snapshot.at_ms, code, facts)


def _in_short(snapshot: Snapshot, month: Month) -> str:
    sealed = number_of(len(month.archives), "archive") + " sealed"
    return sealed if snapshot.healthy else f"{sealed}, not all is well"


def _advice(snapshot: Snapshot) -> list[str]:
    """Each problem, and what to do about it. Always: to keep this."""
    found: list[str] = []
    for number, problem in enumerate(snapshot.problems):
        advice = snapshot.advice[number] if number < len(snapshot.advice) else ""
        found.append(f"{problem}: {advice}" if advice else problem)
    due = snapshot.more.get("disposal_due")
    if isinstance(due, int) and due:
        found.append(f"{number_of(due, 'archive is', 'archives are')} due for review: archiver retention due")
    return [*found, "keep this notice: the chain head below shows whether archives were removed later"]


def _sealed(month: Month) -> list[str]:
    if not month.archives:
        return ["no archive"] if month.error is None else []
    found = [
        f"archive {one.name}: {number_of(one.manifest.record_count, 'record')},"
        f" {byte_size(one.manifest.file_bytes)}"
        for one in month.archives[-MOST_LISTED:]
    ]
    earlier = len(month.archives) - len(found)
    total = f"in all {number_of(month.total_archives, 'archive')}, {byte_size(month.total_bytes)}"
    return [*([f"{number_of(earlier, 'archive')} before these"] if earlier else []), *found, total]


def _account(account: AccountMonth) -> list[str]:
    found: list[str] = []
    for group, brought in account.brought.items():
        parts = [
            f"{number:,} {word}"
            for number, word in ((brought.new, "new"), (brought.changed, "edited"), (brought.back, "back"))
            if number
        ]
        if parts:
            found.append(f"{group}: {', '.join(parts)}")
    if account.gone:
        found.append(f"gone from the platform: {account.gone:,}")
    found += [f"missing, {reason}: {number:,}" for reason, number in sorted(account.missing.items())]
    if account.not_understood:
        found.append(f"kept, but not understood: {account.not_understood:,}")
    found += [f"gap in {gap.kind}: {_gap(gap)}" for gap in account.gaps]
    decisions = [f"{action} {number:,}" for action, number in sorted(account.decisions.items())]
    if decisions:
        found.append(f"moderation: {', '.join(decisions)}")
    if account.reversals:
        found.append(f"moderation taken back: {account.reversals:,}")
    return found or ["nothing new"]


def _gap(gap: KnownGap) -> str:
    """Days alone: ids are for `archiver status`."""
    before = (gap.before or "?")[:10]
    if gap.after_id is None:
        return f"what is older than {before} is out of reach, {gap.reason}"
    return f"from {(gap.after or '?')[:10]} to {before} is out of reach, {gap.reason}"


def _problems(month: Month) -> list[str]:
    return [f"{reason}: {number:,}" for reason, number in sorted(month.problems.items())]


def _cost(settings: Settings, snapshot: Snapshot, month: Month) -> list[str]:
    """Of the month before, and of this one so far: only where X is asked."""
    found: list[str] = []
    for account in snapshot.accounts:
        if account.spent_micro_usd is None:
            continue
        before = month.spent.get(account.id, 0)
        most = account.most_micro_usd
        found.append(
            f"{_account_name(settings, account.platform, account.id)}: {format_usd(before)} in"
            f" {month.spent_month}, {format_usd(account.spent_micro_usd)} this month so far"
            + ("" if most is None else f", at most {format_usd(most)} a month")
        )
    return found


def _chain_head(month: Month, snapshot: Snapshot) -> list[str]:
    """On a line of its own, to be copied."""
    head = month.head or snapshot.head
    if head is None:
        return []
    return [
        f"{head.sequence}:{head.sha256}",
        *paragraph("To check later that no archive was removed: archiver verify --head, and this line."),
    ]


def _log_heads(month: Month) -> list[str]:
    """As of the newest archive, each on a line of its own, to be copied; the chain of the host itself is
    `_collector`."""
    heads = [f"{name}:{head.sequence}:{head.sha256}" for name, head in sorted(month.logs.items())]
    said = paragraph("To check later that no entry was removed: archiver log verify --head, and a line.")
    return [*heads[:MOST_LINES], *said] if heads else []


def _store(store: StoreHealth) -> str:
    said = [store.name + ("" if store.required else " (not required)")]
    whole = "not yet checked" if store.verified_ms is None else f"found whole {day(store.verified_ms)}"
    read = "" if store.read_ms is None else f", every byte read again {day(store.read_ms)}"
    said.append(f"{whole}{read}")
    if store.problem is not None:
        said.append(store.problem)
    return ": ".join(said)


def _waiting(snapshot: Snapshot) -> list[str]:
    """What is captured and not sealed, and what persons have not done."""
    spool = number_of(snapshot.spool_records, "record")
    found = [f"{spool} captured and not yet sealed, {byte_size(snapshot.spool_bytes)}"]
    if snapshot.inbox_files:
        found.append(f"{number_of(snapshot.inbox_files, 'file')} in the inbox")
    if snapshot.moderation_pending:
        found.append(
            f"{number_of(snapshot.moderation_pending, 'moderation act')} decided and not done:"
            " archiver moderation pending"
        )
    holds = snapshot.more.get("holds")
    if isinstance(holds, int) and holds:
        found.append(f"{number_of(holds, 'hold is', 'holds are')} in force: archiver hold list")
    found += [
        f"next export of @{one.handle or one.id} due {day(one.export_due_ms)}"
        for one in snapshot.accounts
        if one.export_due_ms
    ]
    return found


def _account_name(settings: Settings, platform: str, account_id: str) -> str:
    for one in settings.accounts:
        if (one.platform, one.id) == (platform, account_id) and one.handle:
            return f"@{one.handle} ({account_id})"
    return f"{platform} {account_id}"


def _facts(snapshot: Snapshot, month: Month) -> dict[str, object]:
    """The same for a machine."""
    head = month.head or snapshot.head
    return {
        "at": format_time(snapshot.at_ms),
        "healthy": snapshot.healthy,
        "problems": list(snapshot.problems),
        "advice": list(snapshot.advice),
        "error": month.error,
        "archives": [
            {"archive": one.name, "records": one.manifest.record_count, "bytes": one.manifest.file_bytes}
            for one in month.archives
        ],
        "total_archives": month.total_archives,
        "total_bytes": month.total_bytes,
        "accounts": [asdict(one) | {"gaps": len(one.gaps)} for one in month.accounts],
        "not_taken": dict(month.problems),
        "spent_month": month.spent_month,
        "spent_micro_usd": dict(month.spent),
        "head": None if head is None else f"{head.sequence}:{head.sha256}",
        "logs": {name: f"{one.sequence}:{one.sha256}" for name, one in month.logs.items()},
        "stores": [
            {
                "store": one.name,
                "verified_ms": one.verified_ms,
                "read_ms": one.read_ms,
                "problem": one.problem,
            }
            for one in snapshot.stores
        ],
        "keyholders": list(snapshot.keyholders),
        "spool_records": snapshot.spool_records,
        "moderation_pending": snapshot.moderation_pending,
        "more": dict(snapshot.more),
    }
