"""Moderation: every entry of a record is an action of its own, with all that it says."""

from typing import Any, Final

import msgspec

from archiver.evidence.graph.messages import write_media, write_named
from archiver.evidence.graph.scope import Scope
from archiver.evidence.graph.terms import Node, as_interval, refer
from archiver.evidence.model import Exhibit, ModerationNote, Person
from archiver.records import Moderation
from archiver.times import format_time

_STATUS: Final = {"planned": "Pending", "done": "Success", "failed": "Fail"}


def write_moderation(scope: Scope, exhibit: Exhibit, note: ModerationNote, item: str | None) -> list[str]:
    """The actions of a record on `item`, which is found out where it is None; return their ids, the item's
    where it was found out, and those of the files."""
    made = []
    if item is None:
        item = _write_item(scope, exhibit, note)
        made.append(item)
    for entry, archive in zip(note.entries, note.archives, strict=True):
        made.append(_write_entry(scope, exhibit, entry, archive, item))
    return made + write_media(scope, exhibit, note.media, item, f"moderation {note.record_id}")


def _write_item(scope: Scope, exhibit: Exhibit, note: ModerationNote) -> str:
    """What a moderation record that stands for itself is about: a post, a message or somebody."""
    entry = note.entries[0] if note.entries else None
    if entry is not None and entry.item_type != "user" and entry.item_id:
        kind = "message" if entry.item_type == "message" else "post"
        return write_named(scope, exhibit, kind, entry.item_id, entry.author_handle)
    author = (
        Person(entry.author_id or entry.item_id, entry.author_handle, entry.author_name)
        if entry
        else Person()
    )
    account = scope.account(exhibit.platform, author, f"{exhibit.reference} item")
    if account is None:
        ours = Person(exhibit.account, exhibit.account_handle)
        account = scope.account(exhibit.platform, ours, exhibit.reference)
    return account or scope.shared("uco-observable:ObservableObject", exhibit.reference)


def _write_entry(scope: Scope, exhibit: Exhibit, entry: Moderation, archive: str | None, item: str) -> str:
    """By who acted, else by who entered it; at the time of the act, else of the entry."""
    identity = scope.ids.make("moderation", exhibit.reference, entry.id)
    at_ms = entry.action_ms if entry.action_ms is not None else entry.entered_ms
    node: Node = {
        "@id": identity,
        "@type": "uco-action:Action",
        "uco-core:name": f"moderation: {entry.entry} {entry.action or ''}".rstrip(),
        "uco-action:performer": {"@id": scope.identity(entry.action_by or entry.entered_by)},
        "uco-action:object": refer(item),
    }
    if entry.state is not None:
        node["uco-action:actionStatus"] = _STATUS[entry.state]
    scope.out.append(node | as_interval(at_ms, None, exhibit.reference))
    statements = [f"{name}: {_as_text(name, value)}" for name, value in msgspec.to_builtins(entry).items()]
    scope.annotate(identity, [*statements, f"archive: {archive or 'not sealed yet'}"])
    return identity


def _as_text(name: str, value: Any) -> str:
    if name.endswith("_ms"):
        return format_time(value)
    if isinstance(value, str):
        return value
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return repr(value)
