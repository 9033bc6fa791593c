"""Erasing, step by step. Each step leaves what the same command goes on from:

the decision is on record; the state knows the record by a hash alone, so that nothing brings it back; it is
out of the spool; every archive that had it is sealed anew, and in every required store; then each old archive
is certified and its key destroyed. So the record is nowhere lost before what is left is safe, and nowhere
kept once that is."""

import secrets
from collections.abc import Sequence
from contextlib import closing

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import share_log
from archiver.cli._custody import Opened, load_register, open_to_decide
from archiver.cli._group import Session
from archiver.cli._progress import clear_progress, step_progress
from archiver.cli._records import NamedRecords, open_named_records
from archiver.cli._search_opening import open_catalogue
from archiver.cli._session import one_line, print_error
from archiver.cli._tombstones import find_tombstones
from archiver.cli.erase._asking import Request, confirm, require_both_keys, require_one_each
from archiver.cli.erase._deciding import decide, find_against
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
                names, disposed = work.run()
            finally:
                clear_progress(session)
            act.end(results=len(names), detail={"decision": work.decision, "archives": work.resealed})
    code = share_log(session)
    return max(code, _report(session, names, work, disposed))


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

    def run(self) -> tuple[list[RecordName], list[Disposed]]:
        """The records, and what became of the archives that had them."""
        self.resealer.finish()
        disposed = dispose_replaced(self.session, self.resealer)  # of a run that was cut off
        self.opened = open_to_decide(self.session, first_name(self.session.settings))
        with open_named_records(self.session) as held:
            names = self._names(held, finished=bool(disposed))
            if not names:
                return [], disposed
            wanted = self.request.wanted(names)
            found = self._surveyor().survey(wanted, [one.connection for one in held.spool])
            spooled = reduce_spool(self.collector.spool, found.wanted, found.needles)
            pictures = self._spooled_pictures(held, names, spooled)
        self._check(names, found, spooled)
        confirm(self.session, names, found, spooled.rows, yes=self.request.yes)
        entry = decide(self.session, self.opened, self.request, names, found.archives)
        self.decision = entry.id
        erasure = Erasure(found.wanted, found.needles, frozenset(found.spots), entry.id, secrets.token_bytes)
        self._forget(names, erasure)
        self._empty_spool(spooled, erasure, pictures)
        for name in found.archives:
            new = self.resealer.reseal(name, erasure)
            self.resealed.append(new.name)
        disposed += dispose_replaced(self.session, self.resealer)
        self._forget_here()
        return names, disposed

    def _surveyor(self) -> Surveyor:
        archives = readable(self.opened.listed.archives)
        return Surveyor(self.opened.vault, archives, self.session.identities(), self.progress)

    def _names(self, held: NamedRecords, *, finished: bool) -> list[RecordName]:
        """Those that are held. Of one that was erased before a line says so."""
        identities, archives = self.session.identities(), readable(self.opened.listed.archives)
        stones = find_tombstones(self.opened.vault, archives, identities, self.request.records)
        left = [text for text in self.request.records if text not in stones]
        for text, stone in stones.items():
            when = format_time(stone.erased_ms)[:10]
            self.session.note(one_line(f"{text} was erased on {when} by decision {stone.decision}"))
        try:
            found = held.find(self.opened.vault, archives, identities, left)
        except ArchiverError:
            if not finished:
                raise
            return []
        return require_one_each(found)

    def _check(self, names: Sequence[RecordName], found: Surveyed, spooled: SpooledReduction) -> None:
        if spooled.about:
            found.about.setdefault("the spool", set()).update(spooled.about)
        request = self.request
        require_complete(
            found, everywhere=request.everywhere, entries=request.entries, spooled=spooled.quotes
        )
        custody = load_register(self.session, self.opened, to_dispose=True)
        require_erasable(names, find_against(self.session, self.opened, custody, found, request))

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

    def _forget(self, names: Sequence[RecordName], erasure: Erasure) -> None:
        """The state knows them by a hash alone from now on."""
        state, key = self.collector.state, self.collector.key
        ids = {*names, *(RecordName(one.platform, one.kind, own) for one in names if one.kind == "post"
                         for own in erasure.needles.ids)}  # fmt: skip
        with state.transaction():
            state.note_erased([key(erased_content(*one)) for one in ids], ids)
            state.forget_media(erasure.spots)

    def _empty_spool(
        self, spooled: SpooledReduction, erasure: Erasure, pictures: set[tuple[str, str]]
    ) -> None:
        erase_from_spool(self.collector.spool, spooled, erasure.needles, pictures)

    def _forget_here(self) -> None:
        """Let this host's catalogue go of what it has of the old archives."""
        listed = self.resealer.vault.list_archives()
        vault = self.resealer.vault
        with closing(open_catalogue(self.session, vault, listed, self.session.identities())) as catalogue:
            catalogue.save()


def _report(session: Session, names: Sequence[RecordName], work: _Work, disposed: Sequence[Disposed]) -> int:
    for name in names:
        if session.json:
            session.print_json(
                "erased", platform=name.platform, kind=name.kind, id=name.id, decision=work.decision,
                archives=work.resealed,
            )  # fmt: skip
        else:
            click.echo(one_line(f"{name} is erased; decision {work.decision}"))
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
    if names and not session.json:
        session.note(_ELSEWHERE)
    return code


_ELSEWHERE = (
    "What may still exist elsewhere: copies of a store, its snapshots and backups; a bucket's replica; caches"
    " on other hosts; folders that were restored; evidence packs that were exported. See docs/retention.md."
)
