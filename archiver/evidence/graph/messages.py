"""Posts and messages: the nodes of a version, of what it answers, and of its thread."""

from typing import Final

from archiver.evidence.graph.scope import SHA256, Scope
from archiver.evidence.graph.terms import Node, as_string, as_time, refer
from archiver.evidence.model import REDACTED, Exhibit, Medium, Person, ShownVersion, ThreadLine

_POST_KINDS: Final = ("post", "reply", "repost", "quote")


def class_of(platform: str, kind: str) -> str:
    if kind in _POST_KINDS:
        return "uco-observable:Tweet" if platform == "x" else "uco-observable:Post"
    return "uco-observable:Message"


def message_id(scope: Scope, exhibit: Exhibit, kind: str, platform_id: str) -> str:
    """The same for a post wherever it is met; what has no id any more is itself alone."""
    if not platform_id or platform_id == REDACTED:
        return scope.ids.make("message-of", exhibit.reference, kind)
    names = ("post",) if kind in _POST_KINDS else ("message", kind)
    return scope.ids.make(*names, exhibit.platform, as_string(platform_id, f"the id of {exhibit.reference}"))


def write_message(scope: Scope, exhibit: Exhibit, version: ShownVersion, identity: str) -> None:
    """One version as it read, and its relations to other posts."""
    place = f"{exhibit.reference}#{version.version}"
    facet: Node = {
        "@id": scope.ids.make("message-facet", identity, exhibit.reference),
        "@type": "uco-observable:MessageFacet",
        "uco-observable:application": {"@id": scope.application(exhibit.platform)},
        "uco-observable:messageID": as_string(exhibit.id, f"the id of {exhibit.reference}"),
        "uco-observable:messageText": version.text,
        "uco-observable:messageType": version.kind,
    }
    author = scope.account(exhibit.platform, version.author, f"{place} author")
    if author is not None:
        facet["uco-observable:from"] = {"@id": author}
    if version.posted_ms is not None:
        facet["uco-observable:sentTime"] = as_time(version.posted_ms)
    if version.conversation_id is not None:
        facet["uco-observable:sessionID"] = version.conversation_id
    if to := _others(scope, exhibit, version.people, author, place):
        facet["uco-observable:to"] = refer(*to)
    scope.out.append(
        {"@id": identity, "@type": class_of(exhibit.platform, version.kind), "uco-core:hasFacet": [facet]}
    )
    for kind, other_id, handle in (
        ("Reply_To", version.in_reply_to_id, version.in_reply_to_handle),
        ("Repost_Of", version.repost_of_id, version.repost_of_handle),
        ("Quote_Of", version.quote_of_id, None),
    ):
        if other_id is not None:
            scope.relate(identity, write_named(scope, exhibit, version.kind, other_id, handle), kind)


def _others(
    scope: Scope, exhibit: Exhibit, people: tuple[Person, ...], author: str | None, place: str
) -> list[str]:
    """Everybody whom a message names but its sender."""
    accounts = [
        scope.account(exhibit.platform, person, f"{place} {number}")
        for number, person in enumerate(people)
        if person.role != "sender"
    ]
    return [each for each in dict.fromkeys(accounts) if each is not None and each != author]


def write_named(
    scope: Scope, exhibit: Exhibit, kind: str, platform_id: str, handle: str | None = None
) -> str:
    """A post of which a record only names the id. Where the pack holds it, its own record says the rest."""
    identity = message_id(scope, exhibit, kind, platform_id)
    if platform_id == REDACTED:
        identity = scope.ids.make("redacted-message", exhibit.reference, kind)
    facet: Node = {
        "@id": scope.ids.make("named", identity, handle or ""),
        "@type": "uco-observable:MessageFacet",
        "uco-observable:messageID": as_string(platform_id, f"an id named by {exhibit.reference}"),
    }
    if handle is not None:
        author = scope.account(
            exhibit.platform, Person(None, handle), f"{exhibit.reference} named {identity}"
        )
        facet["uco-observable:from"] = {"@id": author}
    scope.out.append(
        {"@id": identity, "@type": class_of(exhibit.platform, kind), "uco-core:hasFacet": [facet]}
    )
    return identity


def write_media(
    scope: Scope, exhibit: Exhibit, media: tuple[Medium, ...], owner: str, place: str
) -> list[str]:
    """Files that the pack holds, and what is known of those that it does not."""
    made = []
    for number, medium in enumerate(media):
        said = [
            f"{name}: {value}"
            for name, value in (
                ("media type", medium.media_type), ("address", medium.url), ("name", medium.file_name),
                ("alternative text", medium.alt_text), ("missing", medium.missing),
            )
            if value is not None
        ]  # fmt: skip
        if medium.path is not None:
            identity = scope.file(medium.path, medium.mime_type, medium.sha256)
        else:
            identity = _write_missing(scope, medium, f"{exhibit.reference} {place} {number}")
        made.append(identity)
        scope.relate(identity, owner, "Attachment_Of", description=said)
    return made


def _write_missing(scope: Scope, medium: Medium, place: str) -> str:
    identity = scope.ids.make("missing-file", place)
    content: Node = {
        "@id": scope.ids.make("content", place),
        "@type": "uco-observable:ContentDataFacet",
        "uco-observable:mimeType": medium.mime_type,
    }
    if medium.sha256 is not None and SHA256.fullmatch(medium.sha256):
        content["uco-observable:hash"] = [
            {
                "@id": scope.ids.make("hash", place),
                "@type": "uco-types:Hash",
                "uco-types:hashMethod": "SHA256",
                "uco-types:hashValue": {"@type": "xsd:hexBinary", "@value": medium.sha256},
            }
        ]
    scope.out.append({"@id": identity, "@type": "uco-observable:File", "uco-core:hasFacet": [content]})
    return identity


def write_thread(scope: Scope, exhibit: Exhibit, record: str, kind: str, conversation: str | None) -> None:
    """The thread of a record, and the posts around it that the pack shows beside it."""
    if conversation is None and not exhibit.thread:
        return
    if conversation is None or conversation == REDACTED:
        thread = scope.ids.make("thread-of", exhibit.reference)
        node: Node = {"@id": thread, "@type": "uco-observable:MessageThread"}
    else:
        thread = scope.ids.make("thread", exhibit.platform, conversation)
        node = {"@id": thread, "@type": "uco-observable:MessageThread", "uco-core:name": conversation}
    if scope.is_new(thread):
        scope.out.append(node)
    scope.relate(record, thread, "Contained_Within")
    for number, line in enumerate(exhibit.thread):
        if not line.is_record:
            scope.relate(_write_line(scope, exhibit, kind, line, number), thread, "Contained_Within")
    left_out = (("before", exhibit.more_before), ("after", exhibit.more_after))
    statements = [f"{count} more {where} what stands here" for where, count in left_out if count]
    scope.annotate(thread, statements, exhibit.reference)


def _write_line(scope: Scope, exhibit: Exhibit, kind: str, line: ThreadLine, number: int) -> str:
    """A post around a record; one that is an exhibit itself is only named."""
    kind = line.kind if kind in _POST_KINDS or kind == line.kind else kind
    if line.exhibit is not None:
        return write_named(scope, exhibit, kind, line.id)
    identity = message_id(scope, exhibit, kind, line.id)
    if line.id == REDACTED:
        identity = scope.ids.make("redacted-line", exhibit.reference, str(number))
    place = f"{exhibit.reference} thread {number}"
    facet: Node = {
        "@id": scope.ids.make("message-facet", place),
        "@type": "uco-observable:MessageFacet",
        "uco-observable:messageID": as_string(line.id, f"an id in the thread of {exhibit.reference}"),
        "uco-observable:messageText": line.text,
        "uco-observable:sentTime": as_time(line.posted_ms),
    }
    author = scope.account(exhibit.platform, line.author, place)
    if author is not None:
        facet["uco-observable:from"] = {"@id": author}
    scope.out.append(
        {"@id": identity, "@type": class_of(exhibit.platform, kind), "uco-core:hasFacet": [facet]}
    )
    if line.is_cut:
        scope.annotate(identity, [f"the text beside {exhibit.reference} is cut"], place)
    return identity
