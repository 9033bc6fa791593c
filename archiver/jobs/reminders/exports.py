"""Exports that are due: nobody but the holder of an account can ask its platform for one."""

from collections.abc import Iterator

from archiver.jobs.base import JobContext
from archiver.jobs.reminders.base import Reminder
from archiver.schedule.due import DAY_MS, export_due_ms, trusted
from archiver.settings import AccountSettings
from archiver.times import format_date

_HOW = (
    "Whoever can sign in to the account asks for it on x.com, in a browser: More, Settings and privacy, Your"
    " account, Download an archive of your data. X asks for the password, sends a code, and writes again when"
    " the file is ready, a day later or more. Download it then, do not unpack it, and put the ZIP file, or"
    " all of them if there are several, into {inbox} of the host that collects. Never give the password or"
    " the code to a program, or to anybody who asks for it: the archiver needs neither and never asks."
)
_HOW_AGAIN = (
    "It may have been asked for, and lie in somebody's e-mail: X's link to the file ends after some days."
)

_CLOCK = "Set the clock right: until then nobody can tell when the next is due."


def find_exports(context: JobContext) -> Iterator[Reminder]:
    """An account whose newest export is older than its `export_every_days`; late once it is that by
    `stale_days` more. One of which none was ever taken is due and not late: there is no day to count from."""
    now_ms = context.clock()
    newest = context.collector.state.newest_exports()
    stale_ms = context.settings.schedule.stale_days * DAY_MS
    for account in context.settings.accounts:
        noted_ms = newest.get((account.platform, account.id))
        export_ms = trusted(noted_ms, now_ms)
        due_ms = export_due_ms(account.export_every_days, export_ms, now_ms)
        if due_ms is None or now_ms < due_ms:
            continue
        if noted_ms is not None and export_ms is None:
            yield Reminder(f"export {account.platform} {account.id}", _ahead(account, noted_ms), _CLOCK)
            continue
        is_late = export_ms is not None and now_ms >= due_ms + stale_ms
        how = _HOW.format(inbox=context.settings.inbox)
        yield Reminder(
            f"export {account.platform} {account.id}",
            _what(account, export_ms, due_ms, now_ms, is_late=is_late),
            f"{how} {_HOW_AGAIN}" if is_late else how,
            is_late,
        )


def _ahead(account: AccountSettings, noted_ms: int) -> str:
    return (
        f"The newest export of {_name(account)} was made on {format_date(noted_ms)}, which has not come yet"
        " by this host's clock."
    )


def _name(account: AccountSettings) -> str:
    return f"@{account.handle}" if account.handle else f"the account {account.id}"


def _what(account: AccountSettings, export_ms: int | None, due_ms: int, now_ms: int, *, is_late: bool) -> str:
    name = _name(account)
    if export_ms is None:
        return f"An export of {name} is wanted from X: none has been taken in here yet."
    made = f"the newest was made on {format_date(export_ms)}"
    if is_late:
        late = (now_ms - due_ms) // DAY_MS
        return (
            f"The export of {name} is {late} days late: {made}. What is deleted on X meanwhile may be in none"
            " that follows, as X keeps it for about 14 days."
        )
    return f"An export of {name} is due: {made}, and one is wanted every {account.export_every_days} days."
