"""What is on record of an item already, and what a person says anew of it."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from archiver.errors import UsageError
from archiver.moderation.acting import undoes
from archiver.moderation.attachments import take_screenshots
from archiver.moderation.capture import Seen
from archiver.moderation.decision import OF_AUTHOR, Facts, Given
from archiver.moderation.entries import EntryWriter
from archiver.moderation.item import PLATFORM, ItemName
from archiver.moderation.screenshots import Screenshot
from archiver.records import Attachment, Moderation, ModerationAction
from archiver.register import Registered
from archiver.settings import AccountSettings
from archiver.state import KeyedHash

HASH_BYTES: Final = 16
"""Of `KeyedHash`."""
SAID_AGAIN: Final = "said when the same was decided on again"


class Decision(Struct, frozen=True, kw_only=True):
    """What a person wants done about one item. `given`: its content by hand, for when X does not show it.
    `done_ms`: when the person did it on X already. `anew`: make another record although there is one."""

    name: ItemName
    account: AccountSettings
    action: ModerationAction
    facts: Facts
    given: Given | None = None
    screenshots: Sequence[Screenshot] = ()
    done_ms: int | None = None
    anew: bool = False

    @property
    def is_of_ours(self) -> bool:
        """Whether the item's address names our own account."""
        handle = self.name.handle
        return handle is not None and handle.lower() == (self.account.handle or "").lower()


class Recorded(Struct, frozen=True, kw_only=True):
    """A decision that is on record, before anything is done about it. `known`: the record was there before;
    `added`: what was said anew is a further entry of it. `entry`: the decision, where it was made now.
    `notes`: what to know beside. `short`: something is missing."""

    row: Registered
    known: bool = False
    added: bool = False
    entry: Moderation | None = None
    notes: tuple[str, ...] = ()
    short: bool = False


class Known:
    """The register, asked whether the same was decided on before."""

    def __init__(self, writer: EntryWriter) -> None:
        self._writer = writer
        self._spool = writer.spool
        self._key = KeyedHash.of(writer.spool.identity)

    def hash(self, decision: Decision, *, with_given: bool, short: bool) -> bytes:
        """By which what is said is known again: all that a person says but who says it, and when it was done.
        `with_given`: content by hand is part of it. `short`: something was missing when it was recorded."""
        given = decision.given if with_given else None
        files = [one.sha256 for one in decision.screenshots]
        return self._key(msgspec.msgpack.encode((decision.facts, given, files, short)))

    def find(self, decision: Decision, item_id: str | None, seen: Seen | None = None) -> Registered | None:
        """The record of the same action on the same item, where there is one that still stands; once X was
        asked and the item is not there, also one that could not be carried out for that. Raise UsageError
        where an earlier record is still to undo what is decided on now."""
        if decision.anew:
            return None
        table, of = self._spool.register, (PLATFORM, decision.account.id)
        rows = [row for row in table.about(*of, item_id or "") if _kind_of(row) == decision.name.kind]
        authors = [seen.author_id] if seen is not None else [row.author_id for row in rows]
        by_author = [
            row
            for author in dict.fromkeys(authors)
            if author and decision.action in OF_AUTHOR
            for row in table.by_author(*of, author)
        ]
        for row in (*rows, *by_author):
            if undoes(row, decision.action):
                raise UsageError(
                    f"by the record {row.record_id} it is still to be {row.action}",
                    f"call that off, which also does this: archiver moderation reverse {row.record_id[:8]}",
                )
        is_gone = seen is not None and seen.content == "unseen"
        standing = [row for row in rows if row.action == row.decided == decision.action]
        lasting = [row for row in standing if is_gone or row.state != "failed" or row.way is not None]
        return lasting[-1] if lasting else None

    def other_versions(self, decision: Decision, seen: Seen) -> list[str]:
        """Other versions of a post that was edited are items of their own: each said something else."""
        ids = [one for one in seen.edit_ids if one != seen.item_id]
        table, account = self._spool.register, decision.account.id
        rows = [row for one in ids for row in table.about(PLATFORM, account, one)]
        return [f"another version of this post is on record as {row.record_id}" for row in rows]

    def add(self, row: Registered, decision: Decision) -> Recorded:
        """What a person says anew of a known record, as a further entry; the same again adds nothing. Content
        by hand is added where X did not show the item, screenshots always. The caller is within
        `Spool.appending`."""
        uses_given = decision.given is not None and row.state == "failed" and row.way is None
        met = self._said_before(row, decision, uses_given=uses_given)
        if met is not None:
            missing = (
                f"what was missing when it was recorded still is: see moderation show {row.record_id[:8]}"
            )
            return Recorded(
                row=row,
                known=True,
                notes=(missing,) if met else (),
                short=met or row.state == "failed",
            )
        fields = dict(decision.facts.said)
        notes: list[str] = []
        if decision.given is not None and uses_given:
            given = msgspec.structs.asdict(decision.given)
            fields |= {"content": "given", **{name: value for name, value in given.items() if value}}
        elif decision.given is not None:
            notes.append("the item is on record: its content as given by hand was not used")
        if decision.facts.reason_codes:
            notes.append(f"its reasons are now: {', '.join(decision.facts.reason_codes)}")
        files = self._take(decision)
        if files:
            fields["attachments"] = tuple(files)
        said = self.hash(decision, with_given=uses_given, short=False)
        row = self._writer.add(row, "correction", SAID_AGAIN, said_hash=said, **fields)
        return Recorded(row=row, known=True, added=True, notes=tuple(notes), short=row.state == "failed")

    def _take(self, decision: Decision) -> list[Attachment]:
        made_by = self._writer.make_id()
        return take_screenshots(self._spool, decision.account.id, made_by, decision.screenshots)

    def _said_before(self, row: Registered, decision: Decision, *, uses_given: bool) -> bool | None:
        """Whether something was missing when the same was said; None where it was not said before."""
        said = row.said_hashes or b""
        before = {said[at : at + HASH_BYTES] for at in range(0, len(said), HASH_BYTES)}
        for short in (True, False):
            for with_given in (True,) if uses_given else (True, False):
                if self.hash(decision, with_given=with_given, short=short) in before:
                    return short
        return None


def _kind_of(row: Registered) -> str:
    """As an item's name has it."""
    return row.item_type if row.item_type in ("message", "user") else "post"
