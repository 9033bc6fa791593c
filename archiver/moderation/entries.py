"""Entries added to records that are there, each naming the one it follows."""

from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

from msgspec import Struct

from archiver.errors import UsageError
from archiver.moderation.decision import OF_AUTHOR
from archiver.moderation.item import PLATFORM, parse_item_name
from archiver.moderation.keeping import keep_entries, row_after
from archiver.records import EntryKind, Moderation
from archiver.register import Registered
from archiver.spool import Spool
from archiver.times import Clock

FEWEST_CHARACTERS: Final = 4
"""Of the beginning of a record's id."""
NAMED: Final = 5


def new_id() -> str:
    """A random UUID (RFC 9562, version 4)."""
    return str(uuid4())


class EntryWriter(Struct, frozen=True):
    """Adds entries to the register of one spool, for one person."""

    spool: Spool
    clock: Clock
    by: str
    make_id: Callable[[], str] = new_id

    def find(self, text: str, fits: Callable[[Registered], bool] = lambda row: True) -> Registered:
        """The record that a person names: by its id or the beginning of it, by its item's number or address.
        Where that is several, the one that `fits` what is to be done. Raise UsageError where there is none,
        or still more than one."""
        found = self._found(text.strip())
        fitting = [row for row in found if fits(row)]
        # The beginning of an id is not enough to choose by: it may have been meant for another record.
        by_item = all(not row.record_id.startswith(text.strip().lower()) for row in found)
        found = fitting if by_item and len(fitting) == 1 else found
        if len(found) == 1:
            return found[0]
        if not found:
            raise UsageError(
                f"there is no moderation record {text[:80]!r} on this host", "see: archiver moderation list"
            )
        shown = ", ".join(f"{one.record_id} ({one.action}, {one.state})" for one in found[:NAMED])
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        raise UsageError(f"{text[:80]!r} is {len(found)} records", f"say which: {shown}{more}")

    def _found(self, text: str) -> list[Registered]:
        table = self.spool.register
        if not text.isprintable():
            return []
        if len(text) >= FEWEST_CHARACTERS and (found := table.beginning_with(text.lower())):
            return found
        rows = table.all()
        if named := [one for one in rows if one.item_id == text]:
            return named
        try:
            name = parse_item_name(text)
        except UsageError:
            return []
        if name.kind == "user":
            raise UsageError(
                f"the register knows no names, so not @{name.handle}",
                "name the record, or the account's number",
            )
        return [one for one in rows if one.platform == PLATFORM and one.item_id == name.id]

    def add(
        self,
        row: Registered,
        entry: EntryKind,
        note: str | None = None,
        *,
        said_hash: bytes | None = None,
        **fields: Any,
    ) -> Registered:
        """One more entry, durable on return; the record's row after it. `said_hash`: of what a person said
        anew. Raise OvertakenError where another run has added to the record since the row was read."""
        made = Moderation(
            id=self.make_id(),
            record_id=row.record_id,
            number=row.entries + 1,
            entry=entry,
            corrects=row.last_entry,
            entered_ms=self.clock(),
            entered_by=self.by,
            entry_note=note,
            platform=row.platform,
            account=row.account,
            **fields,
        )
        keep_entries(self.spool, [made], said_hashes={} if said_hash is None else {row.record_id: said_hash})
        return row_after(row, made, said_hash=said_hash)

    def of_target(self, row: Registered) -> list[Registered]:
        """Other records whose actions are about what this one's is: the author, or the item."""
        table, of = self.spool.register, (row.platform, row.account)
        if row.action in OF_AUTHOR:
            rows = table.by_author(*of, row.author_id) if row.author_id else []
        else:
            rows = table.about(*of, row.item_id) if row.item_id else []
        return [one for one in rows if one.record_id != row.record_id]

    def fresh(self, row: Registered) -> Registered:
        """The record's row as it is now: another run may have added to it."""
        return self.spool.register.find(row.record_id) or row
