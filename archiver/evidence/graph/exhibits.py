"""One exhibit: its record in every version, what it stands on, what was done about it, its reference."""

from typing import Final

from archiver.evidence.graph.captures import write_capture
from archiver.evidence.graph.messages import (
    message_id,
    write_media,
    write_message,
    write_named,
    write_thread,
)
from archiver.evidence.graph.moderation import write_moderation
from archiver.evidence.graph.scope import Scope
from archiver.evidence.graph.terms import Node, as_string, refer
from archiver.evidence.model import Exhibit, Person, ShownVersion
from archiver.records import RELATION_KINDS
from archiver.times import format_time

_RELATIONS: Final = {
    "follower": "Follows", "following": "Follows", "block": "Blocks", "mute": "Mutes", "like": "Likes",
    "list_member": "Member_Of", "own_list_member": "Has_Member",
}  # fmt: skip
_TOWARDS_US: Final = ("follower",)


def write_exhibit(scope: Scope, exhibit: Exhibit) -> Node:
    """Everything of an exhibit into the scope; return what its production adds to the export's node."""
    reference = as_string(exhibit.reference, "an exhibit's number")
    markings = [scope.marking(f"Redacted ({each.what}): {each.reason}") for each in exhibit.redactions]
    things: dict[str, None] = {}
    record = _write_versions(scope, exhibit, things)
    if record is None and exhibit.kind != "moderation":
        record = write_named(scope, exhibit, exhibit.kind, exhibit.id)
        things[record] = None
    for note in exhibit.moderation:
        things |= dict.fromkeys(write_moderation(scope, exhibit, note, record))
        record = record or next(iter(things))
    if record is not None:
        scope.annotate(record, _sightings(exhibit), reference)
        if markings:
            scope.out.append({"@id": record, "uco-core:objectMarking": markings})
    provenance: Node = {
        "@id": scope.ids.make("provenance", reference),
        "@type": "case-investigation:ProvenanceRecord",
        "uco-core:name": exhibit.stem,
        "uco-core:description": f"{exhibit.kind} {exhibit.id}",
        "case-investigation:exhibitNumber": reference,
        "case-investigation:rootExhibitNumber": scope.production.exhibit,
        "uco-core:object": refer(*things),
    }
    scope.out.append(provenance | ({"uco-core:objectMarking": markings} if markings else {}))
    return {"uco-action:object": refer(*things), "uco-action:result": refer(provenance["@id"])}


def _write_versions(scope: Scope, exhibit: Exhibit, things: dict[str, None]) -> str | None:
    """All versions, the newest under the record's own id, each older one before the next; what is the same
    captured again has only its capture and its bytes."""
    newest = exhibit.now
    ids: dict[int, str] = {}
    before: str | None = None
    for number, version in enumerate(exhibit.versions):
        identity = ids.get(version.version) if version.again and newest is not version else None
        if identity is None:
            own = None if version is newest else scope.ids.make("version", exhibit.reference, str(number))
            identity = ids[version.version] = _write_version(scope, exhibit, version, own)
            if before is not None and before != identity:
                scope.relate(before, identity, "Version_Before")
            before = identity
        _write_grounds(scope, exhibit, version, identity, number, things)
    if newest is None or before is None:
        return None
    record = ids[newest.version]
    write_thread(scope, exhibit, record, newest.kind, newest.conversation_id)
    return record


def _write_version(scope: Scope, exhibit: Exhibit, version: ShownVersion, identity: str | None) -> str:
    """What it is, by its kind: an account, a relation, or something said."""
    if exhibit.kind == "account":
        ours = Person(exhibit.account, exhibit.account_handle)
        place = f"{exhibit.reference} account"
        account = scope.account(exhibit.platform, version.author, place)
        return account or scope.account(exhibit.platform, ours, place) or _nobody(scope, exhibit)
    if exhibit.kind in RELATION_KINDS:
        return _write_relation(scope, exhibit, version)
    identity = identity or message_id(scope, exhibit, version.kind, exhibit.id)
    write_message(scope, exhibit, version, identity)
    return identity


def _nobody(scope: Scope, exhibit: Exhibit) -> str:
    return scope.shared("uco-observable:ObservableObject", exhibit.reference)


def _write_relation(scope: Scope, exhibit: Exhibit, version: ShownVersion) -> str:
    """From our account to the other side, a follower's the other way round. A liked post, a list: what is
    known of it is its id."""
    ours = scope.account(exhibit.platform, Person(exhibit.account, exhibit.account_handle), exhibit.reference)
    others = [
        scope.account(exhibit.platform, person, f"{exhibit.reference} {number}")
        for number, person in enumerate(version.people)
    ]
    other = next((each for each in others if each is not None), None)
    if other is None and exhibit.kind == "like":
        other = write_named(scope, exhibit, "post", exhibit.id)
    if other is None:
        other = scope.shared(
            "uco-observable:ObservableObject", exhibit.reference, exhibit.id, name=exhibit.id
        )
    kind = _RELATIONS.get(exhibit.kind, exhibit.kind)
    source, target = ours or _nobody(scope, exhibit), other
    if exhibit.kind in _TOWARDS_US:
        source, target = target, source
    return scope.relate(source, target, kind)


def _write_grounds(
    scope: Scope,
    exhibit: Exhibit,
    version: ShownVersion,
    identity: str,
    number: int,
    things: dict[str, None],
) -> None:
    """What a version stands on: its verbatim bytes, its media, its capture; and what else is known of it."""
    own = [identity, *write_media(scope, exhibit, version.media, identity, f"version {number}")]
    for original in version.originals:
        if original.path is not None:
            own.append(scope.file(original.path, None, original.sha256))
            scope.relate(identity, own[-1], "Contained_Within")
    is_message = exhibit.kind not in RELATION_KINDS and exhibit.kind != "account"
    scope.annotate(identity, _statements(version, is_message=is_message), exhibit.reference, str(number))
    write_capture(scope, version.capture, own)
    things |= dict.fromkeys(own)


def _statements(version: ShownVersion, *, is_message: bool) -> list[str]:
    """What has no property in the ontology. A text that no message facet holds stands here."""
    named: list[tuple[str, object]] = [
        ("version", version.version), ("captured", format_time(version.captured_ms)),
        ("archive", version.archive), ("SHA-256 of its manifest", version.manifest_sha256),
        ("text", None if is_message else version.text or None), ("alternative text", version.alt_text),
        ("language", version.language), ("client", version.client), ("likes", version.like_count),
        ("reposts", version.repost_count), ("again", "captured another way" if version.again else None),
        ("cut", "the source gave a part of the text" if version.truncated else None),
    ]  # fmt: skip
    named += [("link", f"{link.short} {link.expanded or ''}".rstrip()) for link in version.links]
    named += [("hashtag", tag) for tag in version.hashtags]
    named += [("mention", _named(person)) for person in version.mentions]
    named += [("person", _named(person)) for person in version.people]
    named += version.facts
    named += [
        ("original", f"{one.sha256}, {one.size} bytes, {one.segment}, part {one.part}, offset {one.offset}")
        for one in version.originals
    ]
    return [f"{name}: {value}" for name, value in named if value is not None]


def _named(person: Person) -> str:
    known = (person.role, person.id, person.handle and f"@{person.handle}", person.name)
    return ", ".join(each for each in known if each)


def _sightings(exhibit: Exhibit) -> list[str]:
    """When a record was seen and missed."""
    said = [f"captured: {format_time(each)}" for each in exhibit.captured]
    if exhibit.last_seen_ms is not None:
        said.append(f"last seen: {format_time(exhibit.last_seen_ms)}")
    if exhibit.url is not None:
        said.append(f"address: {exhibit.url}")
    for notice in exhibit.gone:
        said.append(f"missing: {format_time(notice.noticed_ms)}, {notice.how}, archive {notice.archive}")
        if notice.deleted_ms is not None:
            said.append(f"deleted: {format_time(notice.deleted_ms)}")
        if notice.back_ms is not None:
            said.append(f"back: {format_time(notice.back_ms)}")
    return said
