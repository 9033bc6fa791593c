"""Making a pack: what is selected is gathered, numbered, redacted, written, signed, and noted as finished."""

import shlex
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import click

from archiver.audit.acts import Act
from archiver.audit.entry import Asked
from archiver.cli._restricted import note_hidden
from archiver.cli._search_opening import Opened
from archiver.cli._session import Session, one_line, print_error
from archiver.cli.evidence._options import Options
from archiver.cli.evidence._parts import (
    PUBLISHER,
    Paper,
    Stamper,
    draft_production,
    open_register,
    read_chain,
    read_log,
    signers_of,
)
from archiver.cli.evidence._selecting import (
    Selected,
    missing_in_words,
    open_sealed,
    read_ids,
    select_by_ids,
    select_by_query,
    select_by_record,
)
from archiver.cli.moderation._lines import number_of
from archiver.cycles import look_for_cycles_rarely
from archiver.disk import create_exclusively
from archiver.errors import ArchiverError, IncompleteError
from archiver.evidence.contents import Contents
from archiver.evidence.gathering import Gatherer, Pack, archives_of
from archiver.evidence.gathering.media import MediaReader
from archiver.evidence.gathering.vaulted import VaultReader
from archiver.evidence.packing import Packed, Packer
from archiver.evidence.redacting import Redacted, redact
from archiver.evidence.references import Reference
from archiver.evidence.register import Claim, Finished, Register
from archiver.evidence.sink import new_pack
from archiver.evidence.tables import flat_records
from archiver.evidence.tag_files import SIGNATURE_NAMESPACE
from archiver.keyholders import Keyholders
from archiver.keys import load_keyholder_signing_key
from archiver.sizes import byte_size
from archiver.times import system_clock
from archiver.vault import current_names
from archiver.wiring.seal import available_cores


@dataclass(frozen=True)
class _Made:
    """A finished pack, for the lines that say so."""

    reference: Reference
    packed: Packed
    records: int
    redacted: int
    is_short: bool
    """Something could not be printed, or a rule matched nothing."""


def export(session: Session, options: Options, asked: Asked) -> int:
    """Make it; the exit code. Raise ArchiverError where nothing matches, and as reading the vault does."""
    look_for_cycles_rarely()
    ids = None if options.ids is None else read_ids(options.ids)
    identities = session.identities()
    vault = session.open_vault(options.store)
    listed = session.list_archives(vault)
    session.note_disposed(listed)
    if listed.problems and not options.keep_going:
        raise listed.problems[0]
    with (
        session.act(asked) as act,
        open_sealed(session, vault, listed, identities, act, restricted=options.restricted) as opened,
    ):
        selected = _select(session, opened, options, ids)
        _require_whole(opened, options, selected)
        if options.is_flat:
            number = _write_flat(session, opened, options, selected)
            act.end(results=number)
            return _report_flat(session, opened, options, selected, number)
        made = _make(session, opened, options, selected, act)
        act.end(
            results=made.records,
            detail={"exhibit": made.reference.written, "tagmanifest_sha512": made.packed.signed_sha512},
        )
    _report(session, options, made)
    note_hidden(session, len(opened.searcher.restricted.names))
    if options.lacks_paper:
        session.note("there is no report.pdf in it: typst is not installed (pip install 'archiver[pdf]')")
    has_stamp = made.packed.stamp is not None or options.is_public or not session.settings.timestamps
    return _code(session, opened, selected, is_short=made.is_short or options.lacks_paper or not has_stamp)


# What goes in


def _select(session: Session, opened: Opened, options: Options, ids: Sequence[str] | None) -> Selected:
    if options.query is not None:
        return select_by_query(session, opened, options.query)
    if options.record is not None and options.replay is not None:
        return select_by_record(opened, options.record, options.replay.read_bytes(), options.replay)
    return select_by_ids(opened, ids or [], f"{len(ids or [])} records named by their ids")


def _require_whole(opened: Opened, options: Options, selected: Selected) -> None:
    """Raise where an archive could not be read, a record that was named is not held, or there is none at
    all: an empty pack would prove that nothing was there."""
    unsearched = opened.searcher.unsearched
    if unsearched and not options.keep_going:
        error = unsearched[0].error
        raise type(error)(
            f"archive {unsearched[0].archive} cannot be read, so the pack would not be whole:"
            f" {error.message}",
            f"{error.hint}; or --keep-going, without what it holds" if error.hint else "or --keep-going",
        )
    if selected.missing and not options.keep_going:
        raise ArchiverError(
            f"{number_of(len(selected.missing), 'record')} named there {_is(selected.missing)} in no archive:"
            f" {missing_in_words(selected.missing)}",
            "seal what waits in the spool: archiver seal; or --keep-going, without them",
        )
    if not selected.names:
        raise ArchiverError(
            "no sealed record matches, and no empty pack is made",
            "see what there is: archiver search; what is not sealed yet is sealed by: archiver seal",
        )


def _is(some: Sequence[str]) -> str:
    return "is" if len(some) == 1 else "are"


# The pack


def _make(session: Session, opened: Opened, options: Options, selected: Selected, act: Act) -> _Made:
    settings = session.settings
    keyholder = settings.keyholder
    assert keyholder is not None  # noqa: S101 - whose identities opened the vault
    key = load_keyholder_signing_key(keyholder, session.identities())
    recipients = Keyholders.load(settings.recipients).recipients()
    register = open_register(session, opened.vault)
    claim = Claim(options.initials, options.produced_by, options.case, keyholder.name)
    reference = register.take(claim, recipients, session.identities(), system_clock)
    replaced = current_names(opened.archives)  # their pictures lie in what took their place
    disposed = {one.name for one in opened.archives if one.disposed is not None} - replaced.keys()
    gatherer = Gatherer(opened.searcher, Pack(reference.initials, reference.number), selected.names, disposed)
    records = list(gatherer.gather())
    opened.searcher.segments.let_go()
    opened.progress.clear()
    draft = draft_production(
        session, opened, options, selected, reference, key.fingerprint(), len(records), gatherer.books
    )
    with closing(MediaReader(opened.vault, opened.archives, session.identities())) as media:
        reader = VaultReader(opened.searcher, media)
        signer = PUBLISHER if options.is_public else keyholder.name
        log = read_log(session, act, options.case, gatherer.books.withheld)
        redacted = redact(
            options.rules, options.forms, draft, records, gatherer.books, reader, selected.record, log
        )
        _warn(session, redacted)
        stamper = Stamper(session)
        contents = Contents(
            production=redacted.production,
            forms=options.forms,
            records=redacted.records,
            captures=redacted.captures,
            answers=redacted.answers,
            slices=redacted.slices,
            media=redacted.media,
            vaulted=reader,
            chain=read_chain(opened),
            vault_signers=opened.vault.read("allowed_signers", 1 << 20),
            search_record=redacted.search_record,
            log=redacted.log,
            pack_signers=signers_of(signer, key),
            sign=lambda data: key.sign(data, SIGNATURE_NAMESPACE),
            authorities=stamper.certificates,
            stamp=stamper.stamp,
            is_query=options.ids is None,
        )
        paper = Paper(session, redacted.production) if "pdf" in options.forms else None
        packed = _write(options, contents, redacted, opened, paper)
    said = Finished(
        records=len(records),
        sha512=packed.signed_sha512,
        redacted=options.rules is not None,
        formats=options.forms,
        recipient=options.recipient,
        encrypted=bool(options.recipients),
        archives=archives_of((one.exhibit for one in records), gatherer.books),
    )
    register.finish(reference, said, recipients, system_clock)
    _note_not_copied(session, register)
    return _Made(
        reference,
        packed,
        len(records),
        redacted.count,
        bool(redacted.warnings or (paper and paper.is_short)),
    )


def _write(
    options: Options, contents: Contents, redacted: Redacted, opened: Opened, paper: Paper | None
) -> Packed:
    """The pack at its place, whole or not at all. What of it still holds something redacted is named, and
    the pack is not made."""
    made_ms = contents.production.made_ms
    with new_pack(options.output.absolute(), made_ms, options.recipients) as sink:
        packed = Packer(
            sink,
            contents,
            render_paper=None if paper is None else paper.render,
            watch=redacted.watch if redacted.leaks is not None else None,
            may_fork=opened.vault.store.is_near and available_cores() > 1,
            progress=opened.progress,
        ).write()
        redacted.require_clean()
    opened.progress.clear()
    return packed


def _warn(session: Session, redacted: Redacted) -> None:
    for line in redacted.warnings:
        session.note(one_line(f"warning: {line}"))


def _note_not_copied(session: Session, register: Register) -> None:
    for error in register.not_copied:
        print_error(error, "the register of exhibits is not in every store yet")


# One CSV file


def _write_flat(session: Session, opened: Opened, options: Options, selected: Selected) -> int:
    """The flat form; of how many records. It is no exhibit and takes no number."""
    gatherer = Gatherer(opened.searcher, Pack(options.initials, 0), selected.names)
    exhibits = [one.exhibit for one in gatherer.gather()]
    production = draft_production(
        session, opened, options, selected, Reference(options.initials, 0), "", len(exhibits), gatherer.books
    )
    data = b"".join(flat_records(production, exhibits))
    opened.progress.clear()
    create_exclusively(options.output.absolute(), data)
    return len(exhibits)


# What is said


def _report_flat(session: Session, opened: Opened, options: Options, selected: Selected, number: int) -> int:
    if session.json:
        session.print_json("flat", file=str(options.output), records=number)
    else:
        click.echo(one_line(f"{number_of(number, 'record')} in {options.output}"))
    return _code(session, opened, selected)


def _report(session: Session, options: Options, made: _Made) -> None:
    packed, reference = made.packed, made.reference
    if session.json:
        session.print_json(
            "pack",
            exhibit=reference.written,
            file=str(options.output),
            records=made.records,
            redacted=made.redacted,
            files=packed.files,
            bytes=packed.bytes,
            tagmanifest_sha256=packed.signed_sha256,
            tagmanifest_sha512=packed.signed_sha512,
            time_stamp=None if packed.stamp is None else packed.stamp.authority,
            encrypted=bool(options.recipients),
        )
        return
    click.echo(
        one_line(f"exhibit {reference.written}: {number_of(made.records, 'record')} in {options.output}")
    )
    if options.rules is not None:
        click.echo(f"  something was taken out of {number_of(made.redacted, 'record')}")
    click.echo(f"  {packed.files:,} files, {byte_size(packed.bytes)}")
    click.echo(f"  SHA-256 of tagmanifest-sha512.txt: {packed.signed_sha256}")
    if packed.stamp is not None:
        click.echo(one_line(f"  time stamp by {packed.stamp.authority}"))
    session.note(f"check it: archiver evidence verify {shlex.quote(str(options.output))}")


def _code(session: Session, opened: Opened, selected: Selected, *, is_short: bool = False) -> int:
    """3 where --keep-going left something out, or the pack lacks something it should have."""
    is_short = is_short or bool(opened.searcher.unsearched or selected.missing or opened.problems)
    for one in opened.searcher.unsearched:
        print_error(one.error, f"archive {one.archive} is not in it")
    if selected.missing:
        session.note(one_line(f"not in it, as no archive has them: {missing_in_words(selected.missing)}"))
    return session.worst(IncompleteError.exit_code if is_short else 0)
