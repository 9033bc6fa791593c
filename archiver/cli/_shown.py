"""The versions of a record as `archiver show` prints them, and as JSON."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import click

from archiver.cli._session import one_line
from archiver.cli._shown_lines import differences_in_words, field, in_both_times, in_words, indented
from archiver.search.hit import SPOOL
from archiver.search.record import Version
from archiver.search.record.differences import Differences, find_differences
from archiver.times import format_time

_CAPTURED = {False: "The same, captured another way", True: "Captured for a moderation record"}
"""By whether a row that is no version of its own is the first of its record."""
_OF_ONE_CAPTURE = ("version", "captured_ms", "like_count", "repost_count")
"""What differs between two captures of the same."""
_APART = frozenset(
    {
        "version", "text", "alt_text", "author_handle", "author_name", "author_id", "in_reply_to_id",
        "in_reply_to_handle", "in_reply_to_user_id", "repost_of_handle", "audience", "record_id",
    }
)  # fmt: skip
"""Fields that are shown in words; descriptions of pictures stand with the pictures. `version` counts rows in
the order taken, which the titles' order is not."""
_LABELS = {"like_count": "likes", "repost_count": "reposts", "platform_id": "id", "repost_of_id": "reposts",
           "quote_of_id": "quotes", "conversation_id": "conversation"}  # fmt: skip


def version_fields(version: Version, before: Version | None) -> dict[str, object]:
    """A version as JSON. `differences` from the one before; null for a first one, and for what is none."""
    return {
        "archive": version.archive,
        "table": version.table,
        "record": times_as_text(version.fields),
        "capture": times_as_text(version.capture),
        "media": list(version.media),
        "links": list(version.links),
        "people": list(version.people),
        "again": version.again,
        "raw": [body.decode("utf-8", "replace") for body in version.raw],
        "raw_sha256": list(version.raw_sha256),
        "segment": version.segment,
        "places": [place._asdict() for place in version.places],
        "manifest_sha256": version.manifest_sha256,
        "differences": None if before is None else _differences_fields(find_differences(before, version)),
    }


def _differences_fields(differences: Differences) -> dict[str, object]:
    changed = {
        one.name: {"before": one.before, "after": one.after}
        for one in differences.fields
        if not one.name.endswith("_ms")
    }
    timed = {
        one.name.removesuffix("_ms") + "_at": {
            "before": None if one.before is None else format_time(one.before),
            "after": None if one.after is None else format_time(one.after),
        }
        for one in differences.fields
        if one.name.endswith("_ms")
    }
    return {"text": [one._asdict() for one in differences.text], "fields": changed | timed}


def times_as_text(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields by their names, times as text under names that end in `_at`."""
    return {
        name.removesuffix("_ms") + "_at" if name.endswith("_ms") else name: format_time(value)
        if name.endswith("_ms") and value is not None
        else value
        for name, value in fields.items()
    }


# Which is a version of which


def before_each(versions: Sequence[Version]) -> list[Version | None]:
    """Of each version of one record, oldest first, the one before it; None for the first, and for what is no
    version of its own."""
    found: list[Version | None] = []
    last = None
    for version in versions:
        found.append(None if version.again else last)
        last = last if version.again else version
    return found


def _titles(versions: Sequence[Version]) -> list[str]:
    """`Version 1 of 2` each: the same captured another way is none, and what was captured for a moderation
    record alone is none that was counted."""
    of = Counter(one.again for one in versions)[False]
    number, titles = 0, []
    for one in versions:
        number += not one.again
        titles.append(_CAPTURED[_is_context(one)] if one.again else f"Version {number} of {of}")
    return titles


def _is_context(version: Version) -> bool:
    """Whether it was captured for a moderation record alone."""
    return version.again and version.fields["version"] == 1


def _said(version: Version) -> str:
    """What a version says, to be compared."""
    fields = {name: value for name, value in version.fields.items() if name not in _OF_ONE_CAPTURE}
    below = [
        {name: value for name, value in row.items() if name != "record_key"}
        for row in (*version.media, *version.links, *version.people)
    ]
    return json.dumps([version.table, fields, below], sort_keys=True)


def _once(versions: Sequence[Version]) -> dict[int, list[Version]]:
    """By its number each that is shown, with those that repeat it: what was captured for a moderation record
    and says nothing else."""
    repeats: dict[int, list[Version]] = {}
    shown: dict[str, int] = {}
    for number, version in sorted(enumerate(versions), key=lambda one: _is_context(one[1])):
        first = shown.setdefault(_said(version), number)
        if _is_context(version) and first != number:
            repeats.setdefault(first, []).append(version)
        else:
            repeats.setdefault(number, [])
    return dict(sorted(repeats.items()))


def print_raw(versions: Sequence[Version]) -> None:
    """The verbatim bytes alone, those of captures that repeat another one's but once."""
    for number, repeats in _once(versions).items():
        for bodies in dict.fromkeys(one.raw for one in (versions[number], *repeats)):
            for body in bodies:
                click.echo(body.decode("utf-8", "surrogateescape"))


def print_versions(versions: Sequence[Version]) -> None:
    """Each of one record's versions, oldest first, with what it says otherwise than the one before; what
    repeats one is a few lines below it."""
    titles, before, between = _titles(versions), before_each(versions), "\n"
    for place, (number, repeats) in enumerate(_once(versions).items()):
        version = versions[number]
        click.echo(f"{between if place else ''}{titles[number]}, in {place_of(version.archive)}")
        for line in _lines(version):
            click.echo(line)
        previous = before[number]
        if previous is not None:
            click.echo("  changed from the version before:")
            for line in differences_in_words(find_differences(previous, version)):
                click.echo(line)
        for line in _captured(version, "captured"):
            click.echo(line)
        for one in repeats:
            where = f", in {place_of(one.archive)}"
            for line in _captured(one, "also captured for a moderation record", where):
                click.echo(line)


# One version


def place_of(archive: str) -> str:
    """Where a record lies, for a person."""
    return "the spool" if archive == SPOOL else f"archive {archive}"


def _lines(version: Version) -> Iterator[str]:
    """What it says."""
    yield from _who(version)
    for name, value in version.fields.items():
        if name in _APART or value in (None, "", 0, "[]"):
            continue
        if name.endswith("_ms"):
            yield field(name.removesuffix("_ms").replace("_", " "), in_both_times(value))
        else:
            label = _LABELS.get(name, name.replace("_", " "))
            yield field(label, json.dumps(value) if isinstance(value, list) else value)
    yield from _about(version.fields)
    if version.fields.get("text"):
        yield indented(version.fields["text"])
    for person in version.people:
        handle = f"@{person['handle']} " if person["handle"] else ""
        yield field(person["role"], f"{handle}{person['name'] or ''} ({person['user_id']})")
    for link in version.links:
        yield "  " + one_line(f"link {link['short']} -> {in_words(link['expanded'])}")
    for media in version.media:
        yield from _picture(media)


def _who(version: Version) -> Iterator[str]:
    fields = version.fields
    if version.table == "post":
        handle = f"@{fields['author_handle']}" if fields["author_handle"] else "somebody"
        name = f" {fields['author_name']}" if fields["author_name"] else ""
        yield field("author", f"{handle}{name} ({fields['author_id'] or 'id unknown'})")


def _about(fields: dict[str, Any]) -> Iterator[str]:
    """What a post answers or repeats, as far as it says, and who can see it."""
    if fields.get("in_reply_to_id") or fields.get("in_reply_to_handle") or fields.get("in_reply_to_user_id"):
        who = f"@{fields['in_reply_to_handle']}" if fields["in_reply_to_handle"] else "somebody"
        user = f" ({fields['in_reply_to_user_id']})" if fields["in_reply_to_user_id"] else ""
        yield field("in reply to", f"{fields['in_reply_to_id'] or 'a post unknown'} of {who}{user}")
    if fields.get("repost_of_handle"):
        yield field("reposts", f"@{fields['repost_of_handle']}")
    if "audience" in fields:
        yield field("audience", fields["audience"] or "everyone")


def _picture(media: dict[str, Any]) -> Iterator[str]:
    missing = media["missing"]
    sealed = f"{media['archive']}/{media['pack']}" if media["pack"] is not None else "in the spool"
    where = sealed if missing is None else f"MISSING: {missing}"
    yield "  " + one_line(f"{media['media_type']} {media['file_name']}  {where}")
    if media["alt_text"]:
        yield indented(f"described as: {media['alt_text']}", 4)
    if media["sha256"]:
        place = f"offset {media['offset']}, " if media["offset"] is not None else ""
        yield f"    {place}{media['size']} bytes, SHA-256"
        yield f"    {media['sha256']}"


def _captured(version: Version, how: str, where: str = "") -> Iterator[str]:
    """How it was captured, and where that lies: enough to find it with other programs."""
    capture = version.capture
    yield "  " + one_line(
        f"{how} from {capture['request'].partition('?')[0]}"
        f" ({capture['source']}, route {capture['route']}), {format_time(capture['fetched_ms'])}"
    )
    yield f"  body SHA-256 {capture['body_sha256'] or 'unknown: not read to its end'}{where}"
    if version.manifest_sha256 is None:
        yield "  lies in the spool, not sealed yet"
        return
    yield f"  lies in {one_line(version.segment)}"
    for place, digest in zip(version.places, version.raw_sha256, strict=True):
        yield f"    part {place.part}, offset {place.offset}, length {place.length}, SHA-256"
        yield f"    {digest}"
    yield "  whose archive's manifest.json has the SHA-256"
    yield f"    {version.manifest_sha256}"
