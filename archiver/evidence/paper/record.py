"""One exhibit as blocks: the record as it read first, then what is known of it, and where from."""

from collections.abc import Iterator

from archiver.evidence.model import Exhibit, GoneNotice, ShownVersion
from archiver.evidence.paper.blocks import (
    Block,
    Field,
    Writer,
    at,
    in_both_times,
    section,
)
from archiver.evidence.paper.history import captures, versions
from archiver.evidence.paper.media import show_medium
from archiver.evidence.paper.moderation import moderation

KINDS = {
    "post": "Post", "reply": "Reply", "repost": "Repost", "quote": "Quote", "message": "Message",
    "account": "Profile", "moderation": "Moderation record", "follower": "Follower", "following": "Following",
    "block": "Block", "mute": "Mute",
}  # fmt: skip
_MOST_TIMES = 6
_REDACTED = {
    "text": "part of the text",
    "person": "a person",
    "media": "a picture or video",
    "record": "all of it",
}


def exhibit_blocks(exhibit: Exhibit, writer: Writer) -> list[Block]:
    """Everything the report says of one record, its heading first."""
    return [
        heading(exhibit, writer),
        *_redactions(exhibit, writer),
        *_content(exhibit, writer),
        *section("What is known of it", writer.fields(*_facts(exhibit, writer))),
        *_links(exhibit, writer),
        *_gone(exhibit, writer),
        *_thread(exhibit, writer),
        *versions(exhibit, writer),
        *moderation(exhibit, writer),
        *captures(exhibit, writer),
    ]


def heading(exhibit: Exhibit, writer: Writer) -> Block:
    """The reference, and in words what it is; both stand in the contents and the bookmarks."""
    return ["record", exhibit.reference, writer.runs(title(exhibit), 0), exhibit.stem]


def title(exhibit: Exhibit) -> str:
    """As `Reply by @SpringfieldPolice`, or of something without an author `Block`."""
    kind = KINDS.get(exhibit.kind, exhibit.kind.replace("_", " "))
    author = exhibit.now.author if exhibit.now else None
    if author is None or not (author.handle or author.name):
        return kind
    return f"{kind} by {at(author.handle) or author.name}"


def _redactions(exhibit: Exhibit, writer: Writer) -> list[Block]:
    if not exhibit.redactions:
        return []
    said = "; ".join(f"{_REDACTED.get(one.what, one.what)} ({one.reason})" for one in exhibit.redactions)
    return [["alert", writer.runs(f"REDACTED. Taken out: {said}.")]]


# As it read


def _content(exhibit: Exhibit, writer: Writer) -> list[Block]:
    now = exhibit.now
    if now is None:
        if exhibit.moderation:
            return []
        return [writer.note("The record itself is not held: only the notice that it was missing is.")]
    by = " · ".join(filter(None, (writer.person(now.author), in_both_times(now.posted_ms))))
    blocks = writer.text(now.text, now.language, by) if now.text else []
    if now.truncated:
        blocks.append(writer.note("The platform gave this text cut off."))
    blocks += [block for medium in now.media for block in show_medium(medium, writer)]
    return section("As it read", blocks)


# What is known


def _facts(exhibit: Exhibit, writer: Writer) -> Iterator[Field]:
    now = exhibit.now
    handle = at(exhibit.account_handle)
    account = (
        handle if writer.public and handle else ", ".join(filter(None, (handle, f"id {exhibit.account}")))
    )
    yield "Kind", KINDS.get(exhibit.kind, exhibit.kind.replace("_", " "))
    if now is not None:
        yield (
            "Author",
            writer.person(now.author) if now.author.id or now.author.handle or now.author.name else None,
        )
        yield "Posted", in_both_times(now.posted_ms)
    yield "Captured", _times(exhibit.captured)
    yield "Last seen", in_both_times(exhibit.last_seen_ms)
    yield "Platform", exhibit.platform.upper() if exhibit.platform == "x" else exhibit.platform
    yield "Record’s id", None if writer.public and exhibit.kind not in _POSTS else exhibit.id
    yield "Address", exhibit.url
    yield "Archived account", account
    if now is not None:
        yield from _facts_of(now, writer)


_POSTS = ("post", "reply", "repost", "quote")
"""Their ids name posts; those of other records may hold a person's."""


def _times(times: tuple[int, ...]) -> str | None:
    """All of a few; of many the first and the last, and how many there are."""
    if len(times) > _MOST_TIMES:
        return f"{len(times):,} times, from {in_both_times(min(times))} to {in_both_times(max(times))}"
    return "\n".join(filter(None, map(in_both_times, times)))


def _facts_of(now: ShownVersion, writer: Writer) -> Iterator[Field]:
    yield "In reply to", _reference(now.in_reply_to_id, now.in_reply_to_handle)
    yield "Repost of", _reference(now.repost_of_id, now.repost_of_handle)
    yield "Quote of", _reference(now.quote_of_id, None)
    yield "Conversation", None if writer.public else now.conversation_id
    for person in now.people:
        yield person.role.replace("_", " ").capitalize()[:24] or "Person", writer.person(person)
    yield "Mentions", "; ".join(map(writer.person, now.mentions))
    yield "Hashtags", " ".join(f"#{one}" for one in now.hashtags)
    yield "Described as", now.alt_text if not now.media else None
    yield "Language", now.language
    yield "Written with", now.client
    yield "Likes at capture", None if now.like_count is None else f"{now.like_count:,}"
    yield "Reposts at capture", None if now.repost_count is None else f"{now.repost_count:,}"
    for name, value in now.facts if not writer.public or now.kind == "account" else ():
        yield name.replace("_", " ").capitalize()[:24], value


def _reference(record: str | None, handle: str | None) -> str | None:
    """As `@SpringfieldPolice, record 1800001`."""
    parts = [at(handle), f"record {record}" if record else None]
    return ", ".join(part for part in parts if part)


def _links(exhibit: Exhibit, writer: Writer) -> list[Block]:
    links = exhibit.now.links if exhibit.now else ()
    rows = [(one.short, one.expanded or "the platform did not say") for one in links]
    return section("Links", writer.table((3, 7), ("In the text", "Leads to"), rows))


# Around it


def _gone(exhibit: Exhibit, writer: Writer) -> list[Block]:
    return section("Found missing", *(writer.fields(*_notice(one, writer)) for one in exhibit.gone))


def _notice(notice: GoneNotice, writer: Writer) -> Iterator[Field]:
    yield "Noticed", in_both_times(notice.noticed_ms)
    yield "How", notice.how
    yield "Deleted", in_both_times(notice.deleted_ms) or "not known when"
    yield "Seen again", in_both_times(notice.back_ms)
    yield "Notice lies in", None if writer.public else notice.archive


def _thread(exhibit: Exhibit, writer: Writer) -> list[Block]:
    blocks: list[Block] = []
    if exhibit.more_before:
        blocks.append(writer.note(f"{exhibit.more_before:,} earlier ones are not shown."))
    for line in exhibit.thread:
        place = f"This record, {exhibit.reference}" if line.is_record else line.exhibit or f"record {line.id}"
        if writer.public and not line.is_record and line.exhibit is None and line.kind not in _POSTS:
            place = "another record"
        said = f"{writer.person(line.author)} · {in_both_times(line.posted_ms)} · {line.kind} · {place}"
        text = line.text + (" … (cut off here)" if line.is_cut else "")
        blocks.append(["line", line.is_record, writer.runs(said), writer.paragraphs(text)])
    if exhibit.more_after:
        blocks.append(writer.note(f"{exhibit.more_after:,} later ones are not shown."))
    return section("The thread around it", blocks)
