"""`archiver moderation show`: a record as it stands, and what each entry of it said otherwise."""

from collections.abc import Iterator, Mapping

import click
import msgspec

from archiver.audit.entry import Asked
from archiver.cli._acts import host_act, reader_options
from archiver.cli._group import Session, examples, pass_session
from archiver.cli._restricted import require_reason_for, restricted_option
from archiver.cli._session import one_line, printable
from archiver.cli.moderation._lines import (
    acts_in_words,
    place_in_words,
    record_fields,
    second,
    standing_words,
)
from archiver.cli.moderation._reading import (
    FEWEST_CHARACTERS,
    choose,
    find_sources,
    hidden_of,
    knows_all,
    name_held,
    name_row,
    open_sources,
    spooled_records,
)
from archiver.errors import ArchiverError
from archiver.records import Attachment, Moderation
from archiver.register import compose
from archiver.search.moderation import TABLE, FilePlace, Held, HeldRecord, sealed_files
from archiver.search.run import Searcher
from archiver.wiring.spool import find_spooled_media

_Places = Mapping[tuple[str, str], str]
"""Where each file lies, by entry and file name."""
_OF_AN_ENTRY = frozenset(
    {
        "id", "record_id", "number", "entry", "entered_ms", "entered_by", "schema_version", "corrects",
        "entry_note", "cleared",
    }
)  # fmt: skip
"""Fields that say something of an entry itself, and nothing of the record."""
_APART = ("reason_codes", "action", "state", "text", "unseen", "reason_text", "attachments",
          "context_sha256", "context_missing", "imported")  # fmt: skip
"""Fields that have a place of their own where the record stands."""
_SAME_IN_ALL = frozenset({"platform", "account"})
_ADDED_UP = frozenset({"attachments", "context_sha256", "context_missing"})
"""Of these the record has those of all entries."""
_LABELS = {
    "action_ms": "acted at", "action_by": "acted by", "until_ms": "until", "reason_codes": "reasons",
    "reason_text": "note", "unseen": "not seen", "context_sha256": "context SHA-256",
    "context_missing": "MISSING",
}  # fmt: skip
"""What some fields are called for a person; the others by their names."""


@click.command(
    "show",
    epilog=examples(
        "archiver moderation show 3f2a6c11",
        "archiver moderation show https://x.com/example/status/1588091220244369409",
        "archiver moderation show --raw 3f2a6c11-9d0e-4b6f-8a53-1c7f0e5d2b90",
    ),
)
@click.argument("name", metavar="RECORD|ITEM|@HANDLE")
@click.option("--raw", is_flag=True, help="The entries as they were written, a line of JSON each.")
@restricted_option
@reader_options
@pass_session
def command(
    session: Session, name: str, raw: bool, restricted: bool, reason: str | None, case: str | None
) -> int:
    """Show a record as it stands, and below it each of its entries: when and by whom it was made, and what it
    said that is not so any more, or changed. The record is named by its id or the beginning of it; or all
    records about an item, by its number or address, or an account's @HANDLE.

    A keyholder's key is needed where part of it is sealed. With --json one object for the record, then one
    for each entry."""
    session.require_reason(reason)
    require_reason_for(restricted, reason)
    detail: dict[str, object] = {"restricted": True} if restricted else {}
    asked = Asked("show", "moderation show", ids=[name], case=case, reason=reason, detail=detail)
    return show_records(session, name, asked, raw=raw, restricted=restricted)


def show_records(
    session: Session, name: str, asked: Asked, *, raw: bool, restricted: bool, store: str | None = None
) -> int:
    """Show the records that a person names, from the store named or the first that can be read. Raise
    ArchiverError where there is none, UsageError for a beginning that several have, NoKeyError where part is
    sealed and no identity is at hand."""
    sources = find_sources(session, store)
    whole, rows = spooled_records(sources.here)
    # What is about an edit of a restricted post only the archives tell.
    is_enough = knows_all(sources) and not hidden_of(session, sources, shown=restricted)
    ids = choose([*map(name_held, whole), *map(name_row, rows)], name) if is_enough else []
    spooled = {one.record.id: one for one in whole}
    if ids and all(one in spooled for one in ids):
        with host_act(session, asked) as act:
            places = [_places(session, spooled[one], None) for one in ids]
            act.end(results=len(ids))
        for one, there in zip(ids, places, strict=True):
            _show(session, spooled[one], there, raw=raw)
    else:
        with open_sources(session, sources, asked, restricted=restricted) as (searcher, act):
            records = {one.record.id: one for one in searcher.moderation()}
            ids = choose(map(name_held, records.values()), name)
            if not ids:
                sources.raise_problem()
                raise _not_found(name)
            places = [_places(session, records[one], searcher) for one in ids]
            act.end(results=len(ids))
            for one, there in zip(ids, places, strict=True):
                _show(session, records[one], there, raw=raw)
    sources.raise_problem()
    return session.worst(0)


def _not_found(name: str) -> ArchiverError:
    hint = "see: archiver moderation list"
    if name.strip().startswith("@"):
        hint = f"for what they wrote: archiver search kind:moderation author:{name.strip()[1:80]}"
    elif len(name.strip()) < FEWEST_CHARACTERS:
        hint = f"give at least {FEWEST_CHARACTERS} characters of its id; {hint}"
    return ArchiverError(f"there is no moderation record {name[:200]}", hint)


def _show(session: Session, held: HeldRecord, places: _Places, *, raw: bool) -> None:
    if raw:
        for one in held.held:
            click.echo(one.raw.decode("utf-8", "replace"))
    elif session.json:
        session.print_json("moderation", **record_fields(held.record, held.archive, in_spool=held.in_spool))
        for one in held.held:
            session.print_json("entry", **_entry_fields(one, places))
    else:
        _print_record(held, places)
        for number, one in enumerate(held.held):
            _print_entry(one, held, number)


def _entry_fields(held: Held, places: _Places) -> dict[str, object]:
    """The entry as it was written, where it lies, and where its files do."""
    return {
        "archive": held.archive,
        "entry": msgspec.json.decode(held.raw),
        "files": {
            one.file_name: places.get((held.entry.id, one.file_name)) for one in held.entry.attachments
        },
    }


# Where files lie


def _places(session: Session, held: HeldRecord, searcher: Searcher | None) -> dict[tuple[str, str], str]:
    """In which pack of an archive each file lies, in the spool, or why it is missing."""
    places: dict[tuple[str, str], str] = {}
    if searcher is not None:
        for _, reader, _ in searcher.readers(TABLE):
            for one in sealed_files(reader, held.record.id):
                places[one.entry, one.file_name] = _sealed_place(one)
    waiting = {
        (one.entry.id, file.file_name): file
        for one in held.held
        for file in one.entry.attachments
        if (one.entry.id, file.file_name) not in places
    }
    account = held.record.now.account
    spooled = find_spooled_media(session.settings, {(account, name) for _, name in waiting})
    for (entry, name), file in waiting.items():
        found = spooled.get((account, name))
        there = found is not None and found.missing is None and found.sha256 in (file.sha256, None)
        places[entry, name] = "in the spool" if there else f"MISSING: {file.missing or 'not in the spool'}"
    return places


def _sealed_place(place: FilePlace) -> str:
    return f"MISSING: {place.missing}" if place.missing is not None else f"in {place.archive}/{place.pack}"


# For a person


def _print_record(held: HeldRecord, places: _Places) -> None:
    """All that it says as it stands, with its files and where they lie."""
    record, now = held.record, held.record.now
    click.echo(printable(f"Moderation record {record.id}"))
    _print_field("recorded", f"{second(now.entered_ms)} by {now.entered_by}")
    _print_field("lies in", place_in_words(held.archive, in_spool=held.in_spool))
    _print_field("reasons", ", ".join(now.reason_codes) or "none named")
    _print_field("action", acts_in_words(record))
    if record.is_pending:
        _print_field("pending", f"finish it: archiver moderation pending {record.id[:8]}")
    for name in now.__struct_fields__:
        if name not in _OF_AN_ENTRY and name not in _APART:
            _print_value(now, name)
    if now.text and now.unseen:
        _print_field("not seen", now.unseen)
    for words in standing_words(now):
        click.echo("  " + printable(words).replace("\n", "\n  "))
    for one in held.held:
        for file in one.entry.attachments:
            _print_file(file, places.get((one.entry.id, file.file_name), "nowhere"))
    for name in ("context_sha256", "context_missing"):
        for value in getattr(now, name):
            _print_field(_label(name), value)
    if now.imported is not None:
        log = now.imported
        _print_field("imported from", f"{log.file}, line {log.line}, SHA-256 {log.sha256}")
        for column, cell in log.cells.items():
            _print_field(f"  {column}", cell)
    if held.held[0].entry.number != 1:
        click.echo(f"  MISSING: its first {held.held[0].entry.number - 1} entries, in an archive not at hand")


def _print_file(file: Attachment, place: str) -> None:
    _print_field(file.role, f"{file.file_name} ({file.media_type})  {place}")
    if file.sha256 is not None:
        _print_field("SHA-256", file.sha256)
    if file.alt_text:
        _print_field("described as", file.alt_text)


def _print_entry(held: Held, record: HeldRecord, index: int) -> None:
    """When and by whom it was made, and what it says that does not stand above, or that it changed; of what
    it added and stands there, only the names."""
    entry, now = held.entry, record.record.now
    before = compose(one.entry for one in record.held[:index]).now if index else None
    place = place_in_words(held.archive, in_spool=held.archive is None)
    click.echo(
        one_line(
            f"Entry {entry.number} of {record.record.last.number}: {entry.entry},"
            f" {second(entry.entered_ms)} by {entry.entered_by}, in {place}"
        )
    )
    if _acts_otherwise(entry, now, before):
        state = "" if entry.state is None else f", {entry.state}"
        _print_field("action", f"{entry.action or (before and before.action) or 'none named'}{state}")
    added = []
    for name in _said(entry):
        if not _has(now, entry, name) or (before is not None and _is_changed(before, entry, name)):
            _print_value(entry, name)
        elif before is not None and not _has(before, entry, name):
            added.append(_label(name))
    if added:
        _print_field("adds", ", ".join(dict.fromkeys(added)))
    if entry.cleared:
        _print_field("takes back", ", ".join(_label(name) for name in entry.cleared))
    if entry.entry_note:
        _print_field("why", entry.entry_note)


def _said(entry: Moderation) -> Iterator[str]:
    """The names of the fields that say something of the record, but for what is done."""
    for name in entry.__struct_fields__:
        is_apart = name in _OF_AN_ENTRY or name in ("action", "state")
        if not is_apart and name not in _SAME_IN_ALL and getattr(entry, name) not in (None, ()):
            yield name


def _acts_otherwise(entry: Moderation, now: Moderation, before: Moderation | None) -> bool:
    """Whether what it says of the action is not how it stands, or was not so before."""
    said = [name for name in ("action", "state") if getattr(entry, name) is not None]
    return any(
        getattr(entry, name) != getattr(other, name)
        for name in said
        for other in (now, before)
        if other is not None
    )


def _has(other: Moderation, entry: Moderation, name: str) -> bool:
    """Whether another says in a field what the entry says; of what adds up, that and perhaps more."""
    said, has = getattr(entry, name), getattr(other, name)
    return set(said) <= set(has) if name in _ADDED_UP else bool(said == has)


def _is_changed(before: Moderation, entry: Moderation, name: str) -> bool:
    """Whether the record said something else in a field until this entry came."""
    before_it = getattr(before, name)
    return name not in _ADDED_UP and before_it not in (None, ()) and before_it != getattr(entry, name)


def _print_value(entry: Moderation, name: str) -> None:
    value = getattr(entry, name)
    if value not in (None, ()):
        _print_field(_label(name), _shown(name, value))


def _label(name: str) -> str:
    return _LABELS.get(name, name.replace("_ms", "_at").replace("_", " "))


def _shown(name: str, value: object) -> str:
    if name.endswith("_ms") and isinstance(value, int):
        return second(value)
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _print_field(name: str, value: str) -> None:
    click.echo(printable(f"  {name:20}{value}").replace("\n", "\n" + " " * 22))
