"""`archiver show`: one record, whole."""

import re
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import NamedTuple

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import reader_options
from archiver.cli._group import Session, examples, pass_session, store_option
from archiver.cli._restricted import (
    hidden_records,
    require_not_restricted,
    require_reason_for,
    restricted_option,
)
from archiver.cli._search_notes import not_searched
from archiver.cli._search_opening import answer_of, open_catalogue
from archiver.cli._session import one_line, print_error
from archiver.cli._shown import before_each, print_raw, print_versions, times_as_text, version_fields
from archiver.cli._shown_thread import (
    AROUND,
    gone_lines,
    has_more,
    heading,
    line_fields,
    naming_lines,
    naming_of,
    sightings_fields,
    thread_fields,
    thread_lines,
    time_lines,
)
from archiver.cli._tombstones import find_tombstones
from archiver.cli.moderation._lines import acts_in_words, record_fields, second
from archiver.cli.moderation.show import show_records
from archiver.errors import ArchiverError, IncompleteError, IntegrityError, NoKeyError
from archiver.keys import Identity
from archiver.search.language.fields import plain_id
from archiver.search.moderation import HeldRecord, about_item
from archiver.search.record import Record, Version, find_record
from archiver.search.record.sightings import RecordName, Sightings, find_sightings, name_of
from archiver.search.record.thread import Anchor, Line, Thread, find_naming, find_thread
from archiver.search.run import Searcher
from archiver.search.spool_segment import not_in_archives
from archiver.times import format_time
from archiver.vault import Archive, Vault, readable
from archiver.wiring.spool import open_entries, open_spool_segments

_MODERATION_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
"""A UUID, which no platform gives a record."""

_NOT_SHOWN_OF_GONE = ("key", "part", "segment", "capture", "raw")


class _Found(NamedTuple):
    """All that is shown. `threads` has those of posts and messages; `naming`: posts that name one which is
    not held."""

    record: Record
    moderated: list[HeldRecord]
    sightings: dict[RecordName, Sightings]
    threads: dict[RecordName, Thread]
    naming: list[Line]


@click.command(
    "show",
    epilog=examples(
        "archiver show 1588091220244369409",
        "archiver show --raw 1588091220244369409",
        "archiver show --json 1588091220244369409",
    ),
)
@click.argument("platform_id", metavar="ID")
@click.option("--raw", is_flag=True, help="The verbatim bytes as the platform delivered them.")
@store_option
@restricted_option
@reader_options
@pass_session
def command(
    session: Session,
    platform_id: str,
    raw: bool,
    store: str | None,
    restricted: bool,
    reason: str | None,
    case: str | None,
) -> int:
    """Show the record with this id, or the post with this address: every version held and what changed in it,
    its pictures, how it was captured and where that lies, when it was posted, captured, last seen and found
    missing, its thread, and the moderation records about it. The whole id of a moderation record shows that.

    Of an id that is not held but answered, quoted or repeated, it shows by which posts. What is captured and
    not sealed yet is shown too, where the spool's key is at hand."""
    platform_id = plain_id(platform_id)
    session.require_reason(reason)
    require_reason_for(restricted, reason)
    detail: dict[str, object] = {"restricted": True} if restricted else {}
    asked = Asked("show", "show", ids=[platform_id], case=case, reason=reason, detail=detail)
    if _MODERATION_ID.fullmatch(platform_id):
        return show_records(session, platform_id, asked, raw=raw, store=store, restricted=restricted)
    identities = session.identities()
    # The spool before the archives: a seal moves records from the one to the other.
    spooled, unsealed = open_entries(session.settings), open_spool_segments(session.settings)
    vault = session.open_vault(store)
    listed = session.list_archives(vault)
    session.note_disposed(listed)
    hidden = hidden_records(session, listed.archives, identities, shown=restricted)
    with session.act(asked) as act, closing(open_catalogue(session, vault, listed, identities)) as catalogue:
        searcher = Searcher(
            vault,
            listed.archives,
            identities,
            catalogue=catalogue,
            spooled=spooled,
            restricted=hidden,
            spool=not_in_archives(unsealed, listed.archives),
        )
        with closing(searcher):
            found = answer_of(
                searcher,
                lambda: searcher.without_unreadable(
                    lambda: _find(searcher, platform_id, raw=raw and not session.json)
                ),
                None,
            )
        act.end(results=0 if found is None else len(found.record.versions) + len(found.moderated))
    unread = _name_unread(searcher)
    if found is None or not any((found.record.versions, found.record.gone, found.moderated, found.naming)):
        require_not_restricted(platform_id, searcher.restricted.all_ids)
        _require_not_erased(vault, readable(listed.archives), identities, platform_id)
        if unread:
            session.note(one_line(f"no record {platform_id} is in what could be searched"))
            return NoKeyError.exit_code if found is None and unread != IntegrityError.exit_code else unread
        if listed.problems:
            raise listed.problems[0]
        raise ArchiverError(
            f"no record {platform_id} is in the vault", "search for its words: archiver search WORDS"
        )
    if session.json:
        _print_json(session, platform_id, found)
    elif raw:
        print_raw(found.record.versions)
    else:
        _print(platform_id, found)
    _print_moderated(session, found.moderated, raw=raw)
    if listed.problems:
        raise listed.problems[0]
    return session.worst(unread)


def _require_not_erased(
    vault: Vault, archives: Sequence[Archive], identities: list[Identity], platform_id: str
) -> None:
    """Raise ArchiverError, which says so, for a record of which a tombstone is all that is left."""
    stone = find_tombstones(vault, archives, identities, [platform_id]).get(platform_id)
    if stone is not None:
        raise ArchiverError(
            f"the record {platform_id} was erased on {format_time(stone.erased_ms)[:10]}"
            f" by decision {stone.decision}",
            "nothing of it is kept; who decided it and why: archiver log show",
        )


def _name_unread(searcher: Searcher) -> int:
    """Say which archives could not be searched; 20 where one is damaged, 3 for any other."""
    for one in searcher.unsearched:
        print_error(one.error, not_searched(one.archive))
    if any(isinstance(one.error, IntegrityError) for one in searcher.unsearched):
        return IntegrityError.exit_code
    return IncompleteError.exit_code if searcher.unsearched else 0


def _find(searcher: Searcher, platform_id: str, *, raw: bool) -> _Found:
    record = find_record(searcher, platform_id)
    moderated = about_item(searcher.moderation(), platform_id)
    if raw:
        return _Found(record, moderated, {}, {}, [])
    is_held = bool(record.versions)
    naming = [] if is_held else find_naming(searcher, platform_id)
    return _Found(
        record, moderated, find_sightings(searcher, record), _find_threads(searcher, record.versions), naming
    )


def _find_threads(searcher: Searcher, versions: Iterable[Version]) -> dict[RecordName, Thread]:
    newest = {name_of(one): one for one in versions if one.table in ("post", "message")}
    anchors = {
        name: Anchor(
            one.table, name[0], name[1], str(one.fields["platform_id"]), int(one.fields["posted_ms"])
        )
        for name, one in newest.items()
    }
    found = find_thread(searcher, list(anchors.values()), before=AROUND, after=AROUND)
    threads = dict(zip(anchors, found, strict=True))
    return {name: thread for name, thread in threads.items() if has_more(thread)}


def _by_name(versions: Iterable[Version]) -> dict[RecordName, list[Version]]:
    """The versions of each record, as several may have the same id: a post, and a like of it."""
    found: dict[RecordName, list[Version]] = {}
    for version in versions:
        found.setdefault(name_of(version), []).append(version)
    return found


# For a person


def _print(platform_id: str, found: _Found) -> None:
    records = _by_name(found.record.versions)
    of_them = set()
    for number, (name, versions) in enumerate(records.items(), start=1):
        if len(records) > 1:
            click.echo(("\n" if number > 1 else "") + heading(name, number, len(records)))
        print_versions(versions)
        sightings = found.sightings[name]
        _echo(time_lines(sightings))
        if name in found.threads:
            _echo(thread_lines(found.threads[name]))
        _echo(gone_lines(sightings.missing))
        of_them |= {(one.noticed_ms, one.how, one.archive) for one in sightings.missing}
    for row in found.record.gone:  # of what no version is held
        if (row["noticed_ms"], row["how"], row["archive"]) not in of_them:
            click.echo(one_line(f"Gone: noticed {format_time(row['noticed_ms'])}: {row['how']}"))
    if found.naming:
        _echo(naming_lines(platform_id, found.naming))


def _echo(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def _print_moderated(session: Session, moderated: Sequence[HeldRecord], *, raw: bool) -> None:
    """Two lines for each moderation record about it; beside verbatim bytes, to standard error."""
    for held in moderated:
        if session.json:
            session.print_json(
                "moderation", **record_fields(held.record, held.archive, in_spool=held.in_spool)
            )
            continue
        now = held.record.now
        reasons = ", ".join(now.reason_codes) or "no reason"
        click.echo(one_line(f"Moderation record {held.record.id}, {second(now.entered_ms)}"), err=raw)
        click.echo(one_line(f"  {acts_in_words(held.record)}; {reasons}; by {now.entered_by}"), err=raw)


# For a program


def _print_json(session: Session, platform_id: str, found: _Found) -> None:
    before = {
        id(version): previous
        for versions in _by_name(found.record.versions).values()
        for version, previous in zip(versions, before_each(versions), strict=True)
    }
    for version in found.record.versions:
        times = sightings_fields(found.sightings[name_of(version)]) if found.sightings else None
        session.print_json("version", **version_fields(version, before[id(version)]), times=times)
    for (platform, account, kind, own), thread in found.threads.items():
        name = {"platform": platform, "account": account, "kind": kind, "id": own}
        session.print_json("thread", **name, **thread_fields(thread))
    for row in found.record.gone:
        back = {
            missing.back_ms
            for one in found.sightings.values()
            for missing in one.missing
            if (missing.noticed_ms, missing.how) == (row["noticed_ms"], row["how"])
        }
        back_ms = max((one for one in back if one is not None), default=None)
        fields = {name: row[name] for name in row if name not in _NOT_SHOWN_OF_GONE}
        session.print_json("gone", **times_as_text({**fields, "back_ms": back_ms}))
    for line in found.naming:
        session.print_json("naming", **line_fields(line), how=naming_of(line, platform_id))
