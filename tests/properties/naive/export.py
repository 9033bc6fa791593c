"""X's exports read anew: every file's JSON as a whole, the records in it one after the other.

Knows exports since 2020 (`{"tweet": {…}}`). Takes several exports of an account in the order they were made:
what one has no more was deleted."""

import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.properties.naive.records import Person, Record, Version

_RELATIONS = {
    "follower": "follower", "following": "following", "block": "block", "mute": "mute", "like": "like",
    "lists-created": "list_created", "lists-member": "list_member", "lists-subscribed": "list_subscribed",
}  # fmt: skip
_ESCAPED = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&"}
_STATUS = re.compile(
    r"https?://(?:(?:www|mobile|m)\.)?(?:twitter|x)\.com/[^/]+(?:/web)?/status(?:es)?/(\d+)", re.I
)
Json = dict[str, Any]


def _plain(text: str) -> str:
    """Without the escapes that X writes."""
    return re.sub("&(?:lt|gt|quot|#39|amp);", lambda found: _ESCAPED[found[0]], text)


def _milliseconds(text: str) -> int:
    """Wed Sep 30 15:05:12 +0000 2026, or 2026-09-30T15:05:12.000Z."""
    if text[0].isdigit():
        moment = datetime.fromisoformat(text)
    else:
        moment = datetime.strptime(text, "%a %b %d %H:%M:%S %z %Y")
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


@dataclass
class _Member:
    """The files of one export, read as they are asked for."""

    archive: zipfile.ZipFile

    def list(self, stem: str) -> list[Json]:
        """All elements of one kind of file, of all its parts; none where there is none."""
        pattern = re.compile(rf"data/{stem}(?:-part\d+)?\.js")
        names = [name for name in self.archive.namelist() if pattern.fullmatch(name)]
        return [element for name in names for element in self.value(name)]

    def value(self, name: str) -> Any:
        return json.loads(self.archive.read(name).partition(b"=")[2])


@dataclass
class Exports:
    """What exports of any accounts hold together."""

    records: dict[tuple[str, str, str], Record] = field(default_factory=dict)
    """By account's id, sort and key."""

    def take(self, path: Path) -> None:
        """Read one more export, made after those before it."""
        with zipfile.ZipFile(path) as archive:
            files = _Member(archive)
            profile = files.list("account")[0]["account"]
            owner = Person(profile["accountId"], profile["username"])
            made = _milliseconds(files.value("data/manifest.js")["archiveInfo"]["generationDate"])
            deleted = {_post_of(one)["id_str"] for one in files.list("deleted-tweets")}
            edited = {post["id_str"] for post in map(_post_of, files.list("tweets?")) if _is_edited(post)}
            found = [
                *_posts(files, owner),
                *_messages(files),
                *_relations(files, made),
            ]
        there = {self._add(owner, key, version) for key, version in found}
        for place, record in self.records.items():
            if place[0] == owner.id:
                ids = {version.id for version in record.versions}
                record.is_deleted = place not in there or bool(record.sort == "post" and ids & deleted)
                record.is_edited = record.is_edited or (record.sort == "post" and bool(ids & edited))

    def _add(self, owner: Person, key: str, version: Version) -> tuple[str, str, str]:
        made = Record("x", owner, key, [version])
        place = (owner.id or "", made.sort, key)
        record = self.records.setdefault(place, made)
        if version.id not in {one.id for one in record.versions}:
            age = (version.posted_ms, len(record.versions) + 1)
            record.versions.append(replace(version, age=age))
            record.is_edited = True
        return place


def _post_of(element: Json) -> Json:
    post: Json = element["tweet"]
    return post


def _is_edited(post: Json) -> bool:
    """Whether it says itself that there are other versions of it, be they here or not."""
    info = post.get("edit_info", {})
    return "edit" in info or len(info.get("initial", {}).get("editTweetIds", ())) > 1


def _posts(files: _Member, owner: Person) -> Iterator[tuple[str, Version]]:
    notes = {}
    for one in files.list("note-tweet"):
        note = one["noteTweet"]
        notes[_milliseconds(note["createdAt"]) // 1000] = note["core"]
    elements = [*files.list("tweets?"), *files.list("deleted-tweets"), *files.list("community-tweet")]
    for element in elements:
        post = _post_of(element)
        note = notes.get(_milliseconds(post["created_at"]) // 1000)
        yield _key_of(post), _with_note(_version(post, owner), note) if note else _version(post, owner)


def _key_of(post: Json) -> str:
    """The id of its first version."""
    later = post.get("edit_info", {}).get("edit")
    return str(later["initialTweetId"] if later else post["id_str"])


def _version(post: Json, owner: Person) -> Version:
    text = _plain(post["full_text"])
    entities: Json = post.get("entities", {})
    links = entities.get("urls", [])
    media = post.get("extended_entities", {}).get("media") or entities.get("media", [])
    parent, parent_user = post.get("in_reply_to_status_id_str"), post.get("in_reply_to_user_id_str")
    kind = "repost" if text.startswith("RT @") else "reply" if parent or parent_user else "post"
    quoted = None
    if kind != "repost":
        statuses = [_STATUS.match(one.get("expanded_url") or "") for one in links]
        quoted = next((one[1] for one in reversed(statuses) if one and one[1] != post["id_str"]), None)
    posted = _milliseconds(post["created_at"])
    is_reply = kind == "reply"
    return Version(
        id=post["id_str"],
        kind="quote" if quoted and not is_reply else kind,
        posted_ms=posted,
        texts=(text, "\n".join(one["ext_alt_text"] for one in media if one.get("ext_alt_text"))),
        age=(posted, 1),
        author=owner,
        to=(Person(parent_user, post.get("in_reply_to_screen_name")),) if is_reply else (),
        mentions=tuple(
            Person(None if one["id_str"] == "-1" else one["id_str"], one["screen_name"])
            for one in entities.get("user_mentions", [])
        ),
        tags=tuple(one["text"] for one in entities.get("hashtags", [])),
        links=tuple(address for one in links for address in (one.get("expanded_url"), one["url"]) if address),
        language=post.get("lang"),
        client=_plain(re.sub("<[^>]*>", "", post.get("source", ""))).strip() or None,
        shows=frozenset(
            [one["type"] for one in media] + ["alt" for one in media if one.get("ext_alt_text")]
        ),
        is_reply=is_reply,
        is_quote=quoted is not None,
    )  # fmt: skip


def _with_note(version: Version, note: Json) -> Version:
    """A long post, with the whole of what it says."""
    known = {one.handle.lower() for one in version.mentions if one.handle}
    mentions = [Person(one.get("toUserId"), one["screenName"]) for one in note["mentions"]]
    tags = tuple(one.get("tag") or one["text"] for one in note["hashtags"])
    links = tuple(
        address for one in note["urls"] for address in (one.get("expandedUrl"), one["shortUrl"]) if address
    )
    return replace(
        version,
        texts=(_plain(note["text"]), *version.texts[1:]),
        mentions=(*version.mentions, *(one for one in mentions if (one.handle or "").lower() not in known)),
        tags=tags or version.tags,
        links=links or version.links,
    )


def _messages(files: _Member) -> Iterator[tuple[str, Version]]:
    for element in [*files.list("direct-messages"), *files.list("direct-messages-group")]:
        conversation = element["dmConversation"]
        for event in conversation["messages"]:
            body = event.get("messageCreate")
            if body is None:
                continue
            posted = _milliseconds(body["createdAt"])
            yield (
                body["id"],
                Version(
                    id=body["id"],
                    kind="message",
                    posted_ms=posted,
                    texts=(_plain(body["text"]),),
                    age=(posted, 1),
                    author=Person(body["senderId"]),
                    to=(Person(body["recipientId"]),) if body.get("recipientId") else (),
                    links=tuple(
                        address
                        for one in body["urls"]
                        for address in (one.get("expanded"), one["url"])
                        if address
                    ),
                    conversation=conversation["conversationId"],
                    shows=frozenset(
                        "video" if url.partition("?")[0].endswith(".mp4") else "photo"
                        for url in body["mediaUrls"]
                    ),
                ),
            )


def _relations(files: _Member, made: int) -> Iterator[tuple[str, Version]]:
    """They have no time of their own: an export shows what was so when it was made."""
    for stem, kind in _RELATIONS.items():
        for element in files.list(stem):
            (body,) = element.values()
            key = body.get("accountId") or body.get("tweetId")
            if key is None:
                key = re.sub("https?://[^/]+/(.+?)/?", r"\1", body["url"])
            text = _plain(body["fullText"]) if body.get("fullText") is not None else None
            address = body.get("expandedUrl") or body.get("url")
            yield (
                key,
                Version(
                    id=key,
                    kind=kind,
                    posted_ms=made,
                    texts=() if text is None else (text,),
                    age=(made, 1),
                    links=(address,) if address else (),
                ),
            )
