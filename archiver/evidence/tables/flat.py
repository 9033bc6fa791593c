"""`--format flat`: one CSV file with the columns that the service had which this program replaces.

A row a record, of its newest version, and below it a row for each moderation record about it (once in the
file). What a cell says depends on the row's `action`:

| action | id | name, user | time | message |
| --- | --- | --- | --- | --- |
| post, reply, quote, repost | the post's | its author's name and handle | posted | its text |
| message | the message's | its sender's | sent | its text |
| follower, following, block, mute, own_list_member … | the person's | theirs | begun | empty |
| like | the liked post's | its author's, where known | begun | its text |
| list_created, list_member, list_subscribed | the list's | its name; its owner's handle | begun | empty |
| profile | the account's | its own | when captured | what else was known, as `name: value; …` |
| moderation_hidden, moderation_blocked … | the item's | its author's | done | the item's text |

`begun` is when it came about, and where nobody says so, when it was first captured. `done` is when somebody
acted, else when the record was entered; where the item's text is not held, `message` is why it was done.

`location`, `profile_desc`, `image_url` and `is_protected` (true, false) are those of the person or account in
the row. A platform tells them with a profile or a relation only, and an export of X not even then: they are
empty where they are not known, and for authors of posts. `profile_url` is made of the handle, or of the id
where no handle is known; of a list it is the list's. `name`, `user` and `profile_desc` of a person come from
the relation's own fields or from its text: `Name @handle`, a line end, and the description. `id` of a person
on an own list is the person's alone. Times are UTC.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from archiver.evidence.model import Exhibit, ModerationNote, Person, Production, ShownVersion
from archiver.evidence.tables.cells import CsvRows, joined, refuse_public, utc
from archiver.evidence.tables.summary import fact
from archiver.records import RELATION_KINDS
from archiver.register import compose

FLAT_COLUMNS: Final = (
    "action", "id", "name", "user", "location", "profile_desc", "image_url", "profile_url", "is_protected",
    "time", "message",
)  # fmt: skip
_LISTS: Final = frozenset({"list_created", "list_member", "list_subscribed"})
_PEOPLE: Final = frozenset(RELATION_KINDS) - _LISTS - {"like", "message_mute"}
_SHOWN: Final = re.compile(r"(?:(?P<name>.*?) )?@(?P<handle>\w{1,64})")
"""A relation's first line of text, as sources write it."""
_HANDLE: Final = re.compile(r"[A-Za-z0-9_]{1,64}")
_NUMBER: Final = re.compile(r"[0-9]{1,24}")
_OWN_CELL: Final = frozenset({"location", "description", "bio", "protected", "handle", "name"})
_NOBODY: Final = Person()
Cells = list[str]


def flat_records(production: Production, exhibits: Iterable[Exhibit]) -> Iterator[bytes]:
    """The file, header first, cells guarded. Raise UsageError of a pack for the public."""
    refuse_public(production, "the flat form")
    row = CsvRows()
    yield row(FLAT_COLUMNS)
    written: set[str] = set()  # ids of moderation records: 90 bytes each
    for exhibit in exhibits:
        if exhibit.kind != "moderation":
            yield row(_cells(exhibit))
        for note in exhibit.moderation:
            if note.entries and note.record_id not in written:
                written.add(note.record_id)
                yield row(_moderation(note))


def _cells(exhibit: Exhibit) -> Cells:
    version = exhibit.now
    if version is None:
        noticed = exhibit.gone[-1].noticed_ms if exhibit.gone else None
        return [exhibit.kind, exhibit.id, *[""] * 7, utc(noticed), ""]
    if exhibit.kind in _PEOPLE:
        return _person(exhibit, version)
    if exhibit.kind in _LISTS:
        return _list(exhibit, version)
    if exhibit.kind == "account":
        return _profile(exhibit, version)
    known = next((one for one in version.people if one.role in ("author", "sender")), _NOBODY)
    author = known if exhibit.kind == "like" else version.author
    return [
        exhibit.kind, exhibit.id, author.name or "", author.handle or "", "", "", "",
        profile_url(exhibit.platform, author), "", _time(exhibit, version), version.text,
    ]  # fmt: skip


def _person(exhibit: Exhibit, version: ShownVersion) -> Cells:
    own = exhibit.id.rpartition("/")[2]
    first, _, described = version.text.partition("\n")
    shown = _SHOWN.fullmatch(first)
    known = version.people[0] if version.people else _NOBODY
    person = Person(
        known.id or own,
        known.handle or (shown["handle"] if shown else None),
        known.name or (shown["name"] if shown else None if "@" in first else first),
    )
    return [
        exhibit.kind, own, person.name or "", person.handle or "", fact(version, "location"),
        fact(version, "description", "bio") or described, _portrait(version),
        profile_url(exhibit.platform, person), _protected(version), _time(exhibit, version), "",
    ]  # fmt: skip


def _list(exhibit: Exhibit, version: ShownVersion) -> Cells:
    name, _, described = version.text.partition("\n")
    owner = version.people[0] if version.people else _NOBODY
    return [
        exhibit.kind, exhibit.id, name, owner.handle or "", "", described, "",
        exhibit.url or fact(version, "url", "address"), "", _time(exhibit, version), "",
    ]  # fmt: skip


def _profile(exhibit: Exhibit, version: ShownVersion) -> Cells:
    author = version.author
    more = [f"{name}: {value}" for name, value in version.facts if name.casefold() not in _OWN_CELL]
    return [
        "profile", author.id or exhibit.id, author.name or fact(version, "name"),
        author.handle or fact(version, "handle"), fact(version, "location"),
        fact(version, "description", "bio") or version.text, _portrait(version),
        profile_url(exhibit.platform, author), _protected(version), utc(version.captured_ms), joined(more),
    ]  # fmt: skip


def _moderation(note: ModerationNote) -> Cells:
    record = compose(note.entries)
    now = record.now
    author = Person(now.author_id, now.author_handle, now.author_name)
    return [
        f"moderation_{record.decided or now.action or 'none'}", now.item_id or now.author_id or now.record_id,
        author.name or "", author.handle or "", "", "", "", profile_url(now.platform, author), "",
        utc(now.action_ms if now.action_ms is not None else now.entered_ms),
        now.text or now.reason_text or joined(now.reason_codes),
    ]  # fmt: skip


def profile_url(platform: str, person: Person) -> str:
    """The address of somebody's profile on X; of other platforms none is made up."""
    if platform != "x":
        return ""
    if person.handle and _HANDLE.fullmatch(person.handle):
        return f"https://x.com/{person.handle}"
    return f"https://x.com/i/user/{person.id}" if person.id and _NUMBER.fullmatch(person.id) else ""


def _portrait(version: ShownVersion) -> str:
    return next((one.url for one in version.media if one.media_type == "avatar" and one.url), "")


def _protected(version: ShownVersion) -> str:
    said = fact(version, "protected").casefold()
    return {"yes": "true", "no": "false"}.get(said, said if said in ("true", "false") else "")


def _time(exhibit: Exhibit, version: ShownVersion) -> str:
    """When it was posted or came about; else when it was first captured."""
    if version.posted_ms is not None:
        return utc(version.posted_ms)
    return fact(version, "created", "created at") or utc(min(exhibit.captured, default=version.captured_ms))
