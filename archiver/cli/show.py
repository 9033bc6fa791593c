"""`archiver show`: one record, whole."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import click

from archiver.cli._group import Session, examples, pass_session, store_option
from archiver.cli._session import one_line, printable
from archiver.cli.moderation._lines import acts_in_words, record_fields, second
from archiver.cli.moderation.show import show_records
from archiver.errors import ArchiverError
from archiver.search.moderation import HeldRecord, about_item
from archiver.search.record import Record, Version, find_record
from archiver.search.run import Searcher
from archiver.times import format_time
from archiver.wiring import open_entries

_MODERATION_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
"""A UUID, which no platform gives a record."""


@click.command(
    "show", epilog=examples("archiver show 1588091220244369409", "archiver show --raw 1588091220244369409")
)
@click.argument("platform_id", metavar="ID")
@click.option("--raw", is_flag=True, help="The verbatim bytes as the platform delivered them.")
@store_option
@pass_session
def command(session: Session, platform_id: str, raw: bool, store: str | None) -> int:
    """Show the record with this id: every version held, its pictures, how it was captured, whether it is
    gone, and the moderation records about it. The whole id of a moderation record shows that."""
    if _MODERATION_ID.fullmatch(platform_id):
        return show_records(session, platform_id, raw=raw, store=store)
    identities = session.identities()
    spooled = open_entries(session.settings)
    vault = session.open_vault(store)
    listed = session.list_archives(vault)
    searcher = Searcher(vault, listed.archives, identities, spooled=spooled)
    try:
        record = find_record(searcher, platform_id)
        moderated = about_item(searcher.moderation(), platform_id)
    finally:
        searcher.close()
    if not record.versions and not record.gone and not moderated:
        if listed.problems:
            raise listed.problems[0]
        raise ArchiverError(
            f"no record {platform_id} is in the vault", "search for its words: archiver search WORDS"
        )
    if session.json:
        for version in record.versions:
            session.print_json("version", **_fields(version))
    else:
        _print_versions(record.versions, raw=raw)
    _print_gone(session, record, raw=raw)
    _print_moderated(session, moderated, raw=raw)
    if listed.problems:
        raise listed.problems[0]
    return session.worst(0)


def _times(fields: dict[str, Any]) -> dict[str, Any]:
    """Times as text."""
    return {
        name.removesuffix("_ms") + "_at" if name.endswith("_ms") else name: format_time(value)
        if name.endswith("_ms") and value is not None
        else value
        for name, value in fields.items()
    }


def _fields(version: Version) -> dict[str, object]:
    return {
        "archive": version.archive,
        "table": version.table,
        "record": _times(version.fields),
        "capture": _times(version.capture),
        "media": list(version.media),
        "links": list(version.links),
        "people": list(version.people),
        "again": version.again,
        "raw": [body.decode("utf-8", "replace") for body in version.raw],
    }


_CAPTURED = {False: "The same, captured another way", True: "Captured for a moderation record"}
"""By whether a row that is no version of its own is the first of its record."""
_OF_ONE_CAPTURE = ("version", "captured_ms", "like_count", "repost_count")
"""What differs between two captures of the same."""


def _titles(versions: list[Version]) -> list[str]:
    """`Version 1 of 2` each, counted by what it is: a block and a follower of one person are no versions of
    each other, the same captured another way is none, and what was captured for a moderation record alone
    is none that was counted."""
    kinds = [(one.table, one.fields.get("kind") if one.table == "relation" else None) for one in versions]
    of = Counter(kind for kind, one in zip(kinds, versions, strict=True) if not one.again)
    numbers: Counter[tuple[str, str | None]] = Counter()
    titles = []
    for kind, one in zip(kinds, versions, strict=True):
        numbers[kind] += not one.again
        titles.append(_CAPTURED[_is_context(one)] if one.again else f"Version {numbers[kind]} of {of[kind]}")
    return titles


def _is_context(version: Version) -> bool:
    """Whether it was captured for a moderation record alone."""
    return version.again and version.fields["version"] == 1


def _print_versions(versions: list[Version], *, raw: bool) -> None:
    """Each of them; what was captured for a moderation record and says nothing else is a line below the one
    that it repeats."""
    repeats: dict[int, list[Version]] = {}
    shown: dict[str, int] = {}
    for number, version in sorted(enumerate(versions), key=lambda one: _is_context(one[1])):
        first = shown.setdefault(_said(version), number)
        if _is_context(version) and first != number:
            repeats.setdefault(first, []).append(version)
        else:
            repeats.setdefault(number, [])
    for number, (title, version) in enumerate(zip(_titles(versions), versions, strict=True)):
        if number in repeats:
            _print_once(title, version, repeats[number], raw=raw)


def _print_once(title: str, version: Version, repeats: Sequence[Version], *, raw: bool) -> None:
    if raw:
        for bodies in dict.fromkeys(one.raw for one in (version, *repeats)):
            for body in bodies:
                click.echo(body.decode("utf-8", "surrogateescape"))
        return
    _print_version(title, version)
    for one in repeats:
        _print_capture(one, "also captured for a moderation record", f", in archive {one.archive}")


def _said(version: Version) -> str:
    """What a version says, to be compared."""
    fields = {name: value for name, value in version.fields.items() if name not in _OF_ONE_CAPTURE}
    below = [
        {name: value for name, value in row.items() if name != "record_key"}
        for row in (*version.media, *version.links, *version.people)
    ]
    return json.dumps([version.table, fields, below], sort_keys=True)


def _print_version(title: str, version: Version) -> None:
    fields = _times(version.fields)
    text = fields.pop("text", None)
    click.echo(f"{title}, in archive {version.archive}")
    del fields["version"]  # counts rows in the order taken, which the titles' order is not
    for name, value in fields.items():
        if value not in (None, "", 0, "[]"):
            click.echo(
                printable(
                    f"  {name.replace('_', ' '):20}{json.dumps(value) if isinstance(value, list) else value}"
                )
            )
    if text:
        click.echo("  " + printable(text).replace("\n", "\n  "))
    for person in version.people:
        click.echo(
            printable(f"  {person['role']:20}@{person['handle']} {person['name']} ({person['user_id']})")
        )
    for link in version.links:
        click.echo(printable(f"  link {link['short']} -> {link['expanded']}"))
    for media in version.media:
        where = (
            f"{media['archive']}/{media['pack']}"
            if media["missing"] is None
            else f"MISSING: {media['missing']}"
        )
        click.echo(printable(f"  {media['media_type']} {media['file_name']}  {where}"))
    _print_capture(version, "captured")


def _print_capture(version: Version, how: str, where: str = "") -> None:
    capture = version.capture
    click.echo(
        printable(
            f"  {how} from {capture['request'].partition('?')[0]}"
            f" ({capture['source']}, route {capture['route']}), {format_time(capture['fetched_ms'])}"
        )
    )
    click.echo(f"  body SHA-256 {capture['body_sha256'] or 'unknown: not read to its end'}{where}")


def _print_gone(session: Session, record: Record, *, raw: bool) -> None:
    for row in record.gone:
        if session.json:
            session.print_json(
                "gone", **_times({name: row[name] for name in row if name not in ("key", "part")})
            )
        elif not raw:
            click.echo(f"Gone: noticed {format_time(row['noticed_ms'])}: {row['how']}")


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
