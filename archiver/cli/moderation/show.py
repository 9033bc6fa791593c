"""`archiver moderation show`: a record as it stands, and every entry of it."""

from collections.abc import Mapping

import click
import msgspec

from archiver.cli._group import Session, examples, pass_session
from archiver.cli._session import printable
from archiver.cli.moderation._lines import (
    action_in_words,
    minute,
    place_in_words,
    record_fields,
    words_of,
)
from archiver.cli.moderation._reading import (
    FEWEST_CHARACTERS,
    choose,
    find_sources,
    knows_all,
    name_held,
    name_row,
    open_sources,
    spooled_records,
)
from archiver.errors import ArchiverError
from archiver.records import Attachment, Moderation
from archiver.search.moderation import TABLE, FilePlace, Held, HeldRecord, sealed_files
from archiver.search.run import Searcher
from archiver.wiring import find_spooled_media

_Places = Mapping[tuple[str, str], str]
"""Where each file lies, by entry and file name."""
_SAID_ELSEWHERE = frozenset(
    {
        "id", "record_id", "number", "entry", "entered_ms", "entered_by", "schema_version", "text",
        "reason_text", "entry_note", "unseen", "attachments", "context_sha256", "context_missing", "action",
        "state", "reason_codes", "imported",
    }
)  # fmt: skip
"""Fields that have a place of their own in what is printed."""
_LABELS = {"action_ms": "acted at", "action_by": "acted by", "until_ms": "until", "corrects": "follows entry"}
"""What some fields are called for a person; the others by their names."""


@click.command(
    "show",
    epilog=examples(
        "archiver moderation show 3f2a6c11",
        "archiver moderation show https://x.com/example/status/1588091220244369409",
        "archiver moderation show --raw 3f2a6c11-9d0e-4b6f-8a53-1c7f0e5d2b90",
    ),
)
@click.argument("name", metavar="RECORD|ITEM")
@click.option("--raw", is_flag=True, help="The entries as they were written, a line of JSON each.")
@pass_session
def command(session: Session, name: str, raw: bool) -> int:
    """Show a record as it stands and every entry of it, what was corrected included: by its id or the
    beginning of it, or all records about an item, by its number or address.

    A keyholder's key is needed where part of it is sealed. With --json one object for the record, then one
    for each entry."""
    return show_records(session, name, raw=raw)


def show_records(session: Session, name: str, *, raw: bool) -> int:
    """Show the records that a person names. Raise ArchiverError where there is none, UsageError for a
    beginning that several have, NoKeyError where part is sealed and no identity is at hand."""
    sources = find_sources(session)
    whole, rows = spooled_records(sources.here)
    ids = choose([*map(name_held, whole), *map(name_row, rows)], name) if knows_all(sources) else []
    spooled = {one.record.id: one for one in whole}
    if ids and all(one in spooled for one in ids):
        for one in ids:
            _show(session, spooled[one], _places(session, spooled[one], None), raw=raw)
    else:
        with open_sources(session, sources) as searcher:
            records = {one.record.id: one for one in searcher.moderation()}
            ids = choose(map(name_held, records.values()), name)
            if not ids:
                sources.raise_problem()
                raise _not_found(name)
            for one in ids:
                _show(session, records[one], _places(session, records[one], searcher), raw=raw)
    sources.raise_problem()
    return 0


def _not_found(name: str) -> ArchiverError:
    hint = "see: archiver moderation list"
    if len(name.strip()) < FEWEST_CHARACTERS:
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
        _print_record(held)
        for one in held.held:
            _print_entry(one, len(held.held), places)


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


def _print_record(held: HeldRecord) -> None:
    record, now = held.record, held.record.now
    click.echo(printable(f"Moderation record {record.id}"))
    _print_field("recorded", f"{minute(now.entered_ms)} by {now.entered_by}")
    _print_field("lies in", place_in_words(held.archive, in_spool=held.in_spool))
    _print_field("reasons", ", ".join(now.reason_codes) or "none named")
    _print_field("action", action_in_words(now.action, now.state))
    if record.is_pending:
        _print_field("pending", f"finish it: archiver moderation pending {record.id[:8]}")
    _print_fields(now, but={"corrects"})
    for words in words_of(record):
        click.echo("  " + printable(words).replace("\n", "\n  "))
    if held.held[0].entry.number != 1:
        click.echo(f"  MISSING: its first {held.held[0].entry.number - 1} entries, in an archive not at hand")


def _print_entry(held: Held, number: int, places: _Places) -> None:
    entry = held.entry
    place = place_in_words(held.archive, in_spool=held.archive is None)
    click.echo(
        printable(
            f"Entry {entry.number} of {number}: {entry.entry}, {minute(entry.entered_ms)}"
            f" by {entry.entered_by}, in {place}"
        )
    )
    if entry.reason_codes:
        _print_field("reasons", ", ".join(entry.reason_codes))
    if entry.action is not None or entry.state is not None:
        _print_field("action", _act(entry))
    _print_fields(entry, but={"platform", "account", "account_handle"} if entry.number > 1 else set())
    for name, value in (
        ("text", entry.text or (f"not seen: {entry.unseen}" if entry.unseen else None)),
        ("note", entry.reason_text),
        ("why", entry.entry_note),
    ):
        if value:
            _print_field(name, value)
    for file in entry.attachments:
        _print_file(file, places.get((entry.id, file.file_name), "nowhere"))
    for sha256 in entry.context_sha256:
        _print_field("context SHA-256", sha256)
    for what in entry.context_missing:
        _print_field("MISSING", what)
    if entry.imported is not None:
        log = entry.imported
        _print_field("imported from", f"{log.file}, line {log.line}, SHA-256 {log.sha256}")
        for column, cell in log.cells.items():
            _print_field(f"  {column}", cell)


def _act(entry: Moderation) -> str:
    return action_in_words(entry.action, entry.state) if entry.action else str(entry.state)


def _print_file(file: Attachment, place: str) -> None:
    sha256 = "" if file.sha256 is None else f"  SHA-256 {file.sha256}"
    _print_field(file.role, f"{file.file_name} ({file.media_type}){sha256}  {place}")
    if file.alt_text:
        _print_field("described as", file.alt_text)


def _print_fields(entry: Moderation, *, but: set[str]) -> None:
    """What an entry says beside what has a place of its own."""
    for name in entry.__struct_fields__:
        value = getattr(entry, name)
        if name in _SAID_ELSEWHERE or name in but or value in (None, ()):
            continue
        shown = minute(value) if name.endswith("_ms") else str(value)
        _print_field(_LABELS.get(name, name.replace("_ms", "_at").replace("_", " ")), shown)


def _print_field(name: str, value: str) -> None:
    click.echo(printable(f"  {name:20}{value}").replace("\n", "\n" + " " * 22))
