"""Erasing, step by step. Each step leaves what the same command goes on from:

the decision is on record; the state knows the record by a hash alone, so that nothing brings it back; it is
out of the spool; every archive that had it is sealed anew, and in every required store; then each old archive
is certified and its key destroyed. So the record is nowhere lost before what is left is safe, and nowhere
kept once that is."""

import secrets
from collections.abc import Collection, Sequence
from contextlib import closing

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import share_log
from archiver.cli._custody import Opened, load_register, open_to_decide
from archiver.cli._group import Session
from archiver.cli._progress import clear_progress, step_progress
from archiver.cli._records import NamedRecords, not_held, open_named_records
from archiver.cli._search_opening import open_catalogue
from archiver.cli._session import one_line, print_error
from archiver.cli._tombstones import find_tombstones, name_of
from archiver.cli.erase._asking import Request, confirm, require_both_keys, require_one_each
from archiver.cli.erase._deciding import decide, decided_before, find_against
from archiver.cli.erase._disposing import Disposed, dispose_replaced
from archiver.errors import ArchiverError, IncompleteError
from archiver.reseal.names import RecordName
from archiver.reseal.refusing import require_complete, require_erasable
from archiver.reseal.rows import find_rows
from archiver.reseal.sealing import Erasure, Resealer
from archiver.reseal.spooled import SpooledReduction, erase_from_spool, reduce_spool
from archiver.reseal.survey import Surveyed, Surveyor
from archiver.state import erased_content
from archiver.times import format_time, system_clock
from archiver.vault import readable
from archiver.wiring.claims import require_holder
from archiver.wiring.collector import Collector, open_collector
from archiver.wiring.seal import first_name, open_first, other_stores, seal_options


def erase(session: Session, request: Request) -> int:
    """Erase what was asked for; the exit code."""
    require_both_keys(session)
    settings = session.settings
    require_holder(settings)
    with open_collector(settings) as collector:
        opened = open_to_decide(session, first_name(settings))
        asked = Asked(
            "erase", "erase", case=request.case, reason=request.reason,
            detail={"records": len(request.records), "reviewer": request.reviewer},
        )  # fmt: skip
        with session.act(asked) as act:
            work = _Work(session, request, collector, opened)
            try:
                names = work.run()
            except ArchiverError:  # what a run before had begun is finished all the same
                _report_disposed(session, work.disposed)
                raise
            finally:
                clear_progress(session)
            act.end(results=len(names), detail={"decision": work.decision, "archives": work.resealed})
    code = share_log(session)
    return max(code, _report(session, names, work))


_SPOOLED_FILES = """
SELECT record_table, record_key, file_name FROM media WHERE archive IS NOT NULL AND pack IS NULL"""


class _Work:
    """One run."""

    def __init__(self, session: Session, request: Request, collector: Collector, opened: Opened) -> None:
        self.session = session
        self.request = request
        self.collector = collector
        self.opened = opened
        self.progress = step_progress(session)
        self.decision: str | None = None
        self.resealed: list[str] = []
        self.disposed: list[Disposed] = []
        self._erased: dict[str, tuple[str, str]] = {}  # as typed; when, and by which decision
        self.resealer = Resealer(
            collector.spool,
            collector.state,
            open_first(session.settings),
            session.identities(),
            seal_options(session.settings),
            other_stores(session.settings),
            system_clock,
            self.progress,
        )

    def run(self) -> list[RecordName]:
        """The records that were erased; `disposed` and `resealed` say what became of the archives that had
        them. Killed at any instant, the same command goes on: whatever says what the records were goes last,
        an archive or the spool, so that what quotes them is found again."""
        self.resealer.finish()
        dispose_replaced(self.session, self.resealer, self.disposed)  # of a run that was cut off
        self.opened = open_to_decide(self.session, first_name(self.session.settings))
        with open_named_records(self.session) as held:
            names = self._names(held)
            found = self._surveyor().survey(
                self.request.wanted(names), [one.connection for one in held.spool]
            )
            spooled = reduce_spool(self.collector.spool, found.wanted, found.needles)
            pictures = self._spooled_pictures(held, names, spooled)
        if self._is_gone(found, spooled):
            self._note_erased(names, found.needles.ids)
            self._say_gone()
            return []
        self._check(names, found, spooled)
        if confirm(self.session, names, found, spooled.rows, yes=self.request.yes):
            self._check(names, found, spooled)  # what came while somebody thought about it
        entry = decide(self.session, self.opened, self.request, names, found.archives)
        self.decision = entry.id
        erasure = Erasure(found.wanted, found.needles, frozenset(found.spots), entry.id, secrets.token_bytes)
        with self.collector.state.transaction():
            self.collector.state.forget_media(erasure.spots)
        # Once they are gone nobody knows any more what repeated the records.
        repeating = {one for one in (*found.posts, *spooled.posts) if one.id not in found.needles.ids}
        self._note_erased(repeating)
        for name in found.archives:
            new = self.resealer.reseal(name, erasure)
            self.resealed.append(new.name)
        self._note_erased(names, erasure.needles.ids)
        erase_from_spool(self.collector.spool, spooled, erasure.needles, pictures)
        dispose_replaced(self.session, self.resealer, self.disposed)
        self._forget_here()
        return names

    def _surveyor(self) -> Surveyor:
        archives = readable(self.opened.listed.archives)
        return Surveyor(self.opened.vault, archives, self.session.identities(), self.progress)

    def _names(self, held: NamedRecords) -> list[RecordName]:
        """Those that are held; and those that were erased before, of which something may have been left by a
        run that was cut off, or come since. Raise ArchiverError for a name that means neither."""
        identities, archives = self.session.identities(), readable(self.opened.listed.archives)
        texts = self.request.records
        found = held.look(self.opened.vault, archives, identities, texts)
        gone = [text for text, names in found.items() if not names]
        if gone:
            stones = find_tombstones(self.opened.vault, archives, identities, gone)
            decided = decided_before(load_register(self.session, self.opened, to_dispose=True), gone)
            for text in gone:
                if text in stones:
                    name, stone = name_of(stones[text], text), stones[text]
                    self._erased[text] = format_time(stone.erased_ms), stone.decision
                elif text in decided:
                    name, entry = decided[text]
                    self._erased[text] = entry.at, entry.id
                else:
                    raise not_held(text)
                found[text] = {name}
        return require_one_each(found)

    def _is_gone(self, found: Surveyed, spooled: SpooledReduction) -> bool:
        """Whether nothing is left of what was erased before."""
        if len(self._erased) < len(set(self.request.records)):
            return False
        return not (found.archives or found.quotes or found.about or spooled.pages or spooled.quotes)

    def _say_gone(self) -> None:
        for text, (at, decision) in self._erased.items():
            self.session.note(one_line(f"{text} was erased on {at[:10]} by decision {decision}"))

    def _check(self, names: Sequence[RecordName], found: Surveyed, spooled: SpooledReduction) -> None:
        if spooled.about:
            found.about["the spool"] = set(spooled.about)
        request = self.request
        require_complete(
            found, everywhere=request.everywhere, entries=request.entries, spooled=spooled.quotes
        )
        custody = load_register(self.session, self.opened, to_dispose=True)
        in_spool = bool(spooled.pages or spooled.rows or spooled.about)
        against = find_against(self.session, self.opened, custody, found, request, in_spool=in_spool)
        require_erasable(names, against)

    def _spooled_pictures(
        self, held: NamedRecords, names: Sequence[RecordName], spooled: SpooledReduction
    ) -> set[tuple[str, str]]:
        """Files in the spool, by account and name, that nothing else there shows."""
        gone, shown = set(spooled.dropped), set(spooled.named)
        for segment in held.spool:
            connection = segment.connection
            keys = find_rows(connection, names).keys
            rows = connection.execute(_SPOOLED_FILES)
            for table, key, file_name in rows:
                account = "platform_id" if table == "account" else "account"
                sql = f"SELECT {account} FROM {table} WHERE key = ?"  # noqa: S608  # tables of the schema
                ((owner,),) = connection.execute(sql, (key,)).fetchall()
                (gone if key in keys.get(table, ()) else shown).add((str(owner), str(file_name)))
        return gone - shown

    def _note_erased(self, names: Collection[RecordName], ids: Collection[str] = ()) -> None:
        """The state knows them by a hash alone from now on, posts by these ids too; nothing brings them
        back."""
        state, key = self.collector.state, self.collector.key
        versions = {
            RecordName(one.platform, "post", own) for one in names if one.kind == "post" for own in ids
        }
        noted = versions.union(names)
        with state.transaction():
            state.note_erased([key(erased_content(*one)) for one in noted], noted)

    def _forget_here(self) -> None:
        """Let this host's catalogue go of what it has of the old archives."""
        listed = self.resealer.vault.list_archives()
        vault = self.resealer.vault
        with closing(open_catalogue(self.session, vault, listed, self.session.identities())) as catalogue:
            catalogue.save()


def _report(session: Session, names: Sequence[RecordName], work: _Work) -> int:
    for name in names:
        if session.json:
            session.print_json(
                "erased", platform=name.platform, kind=name.kind, id=name.id, decision=work.decision,
                archives=work.resealed,
            )  # fmt: skip
        else:
            click.echo(one_line(f"{name} is erased; decision {work.decision}"))
    code = _report_disposed(session, work.disposed)
    if names and not session.json:
        session.note(_ELSEWHERE)
    return code


def _report_disposed(session: Session, disposed: Sequence[Disposed]) -> int:
    code = 0
    for one in disposed:
        if not session.json:
            click.echo(one_line(f"archive {one.archive} is replaced by {one.successor}"))
        for store, error in one.unfinished:
            print_error(
                IncompleteError(error.message, error.hint or "run the same command again"),
                f"store {store}: the key of archive {one.archive} is not destroyed there yet",
            )
            code = IncompleteError.exit_code
    return code


_ELSEWHERE = (
    "What may still exist elsewhere: copies of a store, its snapshots and backups; a bucket's replica; caches"
    " on other hosts; folders that were restored; evidence packs that were exported. See docs/retention.md."
)
