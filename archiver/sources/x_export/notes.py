"""Long posts: X exports the text beyond 280 characters apart from the post, under an id that is not the
post's.

A note belongs to the post of the same second whose text agrees once both are unescaped and links and the
ellipsis are taken away (as neodb-social/neodb#1865 found). So notes are read first and wait, compressed and
ordered by second: 10,000 of 3,000 characters cost about 24 MB. Past a limit they are not kept waiting but
taken alone.
"""

import re
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from msgspec import Struct

from archiver.errors import SourceError
from archiver.records import Link, Mention, Post
from archiver.sources.base import Capture, Item, Problem
from archiver.sources.x.lenient import clean_text, decode_leniently
from archiver.sources.x.times import parse_time
from archiver.sources.x_export.posts import NoteMatch

_LINK: Final = re.compile(r"https?://\S+")
_LEADING_MENTIONS: Final = re.compile(r"^(?:@\w{1,20}\s+)+", re.ASCII)
_SPACES: Final = re.compile(r"\s+")
OPENING_CHARACTERS: Final = 100
"""A post's text without ellipsis is taken for a note's opening from this length on."""


class NoteUrl(Struct, frozen=True, gc=False):
    short: str | None = msgspec.field(name="shortUrl", default=None)
    expanded: str | None = msgspec.field(name="expandedUrl", default=None)
    display: str | None = msgspec.field(name="displayUrl", default=None)


class NoteMention(Struct, frozen=True, gc=False):
    handle: str | None = msgspec.field(name="screenName", default=None)
    user_id: str | None = msgspec.field(name="userId", default=None)


class NoteHashtag(Struct, frozen=True, gc=False):
    tag: str | None = None
    text: str | None = None


class NoteCore(Struct, frozen=True, gc=False):
    text: str | None = None
    urls: list[NoteUrl] = []
    mentions: list[NoteMention] = []
    hashtags: list[NoteHashtag] = []


class NoteBody(Struct, frozen=True, gc=False):
    note_id: str | None = msgspec.field(name="noteTweetId", default=None)
    created_at: str | None = msgspec.field(name="createdAt", default=None)
    core: NoteCore | None = None


class NoteElement(Struct, frozen=True, gc=False):
    note: NoteBody | None = msgspec.field(name="noteTweet", default=None)
    deleted: NoteBody | None = msgspec.field(name="deletedNoteTweet", default=None)


decode_note = msgspec.json.Decoder(NoteElement).decode
_encode = msgspec.json.Encoder().encode


class _Waiting:
    """One note: its bytes compressed, and which post has taken it."""

    __slots__ = ("capture_key", "note_id", "packed", "taken_by", "why")

    def __init__(self, note_id: str, capture_key: int, packed: bytes) -> None:
        self.note_id = note_id
        self.capture_key = capture_key
        self.packed = packed
        self.taken_by: str | None = None
        self.why = "no post of its second begins as it does"


class NoteBook:
    """Notes waiting for their posts, by the second in which they were written."""

    def __init__(self, limit_bytes: int, problems: list[Problem]) -> None:
        self._limit = limit_bytes
        self._problems = problems
        self._held = 0
        self._by_second: dict[int, list[_Waiting]] = {}

    def add(self, pairs: Iterable[tuple[bytes, NoteElement | None]], capture_key: int) -> list[Item]:
        """Keep these notes waiting; return as items those that cannot wait, each with its problem."""
        alone = []
        for piece, _ in pairs:
            try:
                body = note_body(piece)
            except SourceError as error:
                self._problems.append(Problem("a long post's text", "broken", error.message))
                continue
            written = parse_time(body.created_at)
            packed = zlib.compress(piece, 1)
            if written is None or self._held + len(packed) > self._limit:
                why = "has no time" if written is None else "waited with too many others"
                alone.append(_alone(piece, body, capture_key))
                self._problems.append(_problem(body, f"{why}; kept as a post of its own"))
                continue
            self._held += len(packed)
            waiting = _Waiting(note_name(body, piece), capture_key, packed)
            self._by_second.setdefault(written // 1000, []).append(waiting)
        return alone

    def find(self, post_id: str, posted_ms: int, text: str) -> NoteMatch | None:
        """The one note that continues this post's text; None, remembering why, where there is none or two."""
        candidates = self._by_second.get(posted_ms // 1000)
        if candidates is None:
            return None
        opening, cut = _opening(text)
        found = [
            (each, piece)
            for each, piece in _unpacked(candidates)
            if _continues(opening, cut, note_text(piece))
        ]
        if len(found) != 1:
            for each, _ in found:
                each.why = f"post {post_id} begins as it and another note do"
            return None
        waiting, piece = found[0]
        if waiting.taken_by not in (None, post_id):
            detail = f"posts {waiting.taken_by} and {post_id} both begin as it does; joined to the first"
            self._problems.append(Problem(waiting.note_id, "conflict", detail))
            return None
        waiting.taken_by = post_id
        return NoteMatch(waiting.capture_key, piece, note_text(piece))

    def left(self, capture_key: int) -> Iterator[Item]:
        """Notes of one capture that no post took, as items of their own, each with its problem."""
        for candidates in self._by_second.values():
            for waiting, piece in _unpacked(candidates):
                if waiting.capture_key == capture_key and waiting.taken_by is None:
                    body = note_body(piece)
                    self._problems.append(_problem(body, f"{waiting.why}; kept as a post of its own"))
                    yield _alone(piece, body, capture_key)

    def __bool__(self) -> bool:
        return bool(self._by_second)


def _unpacked(candidates: Iterable[_Waiting]) -> list[tuple[_Waiting, bytes]]:
    return [(each, zlib.decompress(each.packed)) for each in candidates]


def _opening(text: str) -> tuple[str, bool]:
    """A post's text without links, leading mentions and ellipsis, and whether it had an ellipsis."""
    plain = _plain(text)
    cut = plain.endswith(("…", "..."))
    return plain.rstrip("….").rstrip(), cut


def _plain(text: str) -> str:
    return _SPACES.sub(" ", _LEADING_MENTIONS.sub("", _LINK.sub("", text))).strip()


def _continues(opening: str, cut: bool, whole: str) -> bool:
    if not opening:
        return False
    plain = _plain(whole)
    if plain.rstrip("….").rstrip() == opening:
        return True
    return (cut or len(opening) >= OPENING_CHARACTERS) and plain.startswith(opening)


def note_body(piece: bytes) -> NoteBody:
    """Raise SourceError for bytes that are no object."""
    try:
        element = decode_note(piece)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        element, _ = decode_leniently(piece, NoteElement)
    body = element.note or element.deleted
    if body is None:
        raise SourceError("a record that holds no long post")
    return body


def note_text(piece: bytes) -> str:
    """The whole text of a note, unescaped."""
    core = note_body(piece).core
    return clean_text(core.text or "") if core is not None else ""


def note_name(body: NoteBody, piece: bytes) -> str:
    """The id of a note that became a post of its own."""
    return f"note-{body.note_id or format(zlib.crc32(piece), '08x')}"


def _problem(body: NoteBody, why: str) -> Problem:
    return Problem(f"note {body.note_id}", "conflict", why)


def _alone(piece: bytes, body: NoteBody, capture_key: int) -> Item:
    core = body.core or NoteCore()
    written = parse_time(body.created_at) or 0
    text = clean_text(core.text or "")
    content = _encode((text, written, [each.expanded or each.short for each in core.urls]))
    return Item("post", note_name(body, piece), written, content, ((capture_key, piece),))


def parse_note(capture: Capture, piece: bytes) -> Post:
    """The record of a note whose post was not found."""
    body = note_body(piece)
    core = body.core or NoteCore()
    name = note_name(body, piece)
    return Post(
        platform="x",
        platform_id=name,
        record_id=name,
        account=capture.account,
        author_id=capture.account,
        author_handle=capture.handle,
        author_name=capture.name,
        posted_ms=parse_time(body.created_at) or 0,
        kind="post",
        text=clean_text(core.text or ""),
        hashtags=_hashtags(core),
        mentions=_mentions(core),
        links=_links(core),
    )


def join_note(post: Post, piece: bytes) -> Post:
    """The post with its note's whole text, links, mentions and hashtags."""
    core = note_body(piece).core or NoteCore()
    if core.text is None:
        return post
    known = {each.handle.lower() for each in post.mentions}
    mentions = tuple([each for each in _mentions(core) if each.handle.lower() not in known])
    return msgspec.structs.replace(
        post,
        text=clean_text(core.text),
        truncated=False,
        hashtags=_hashtags(core) or post.hashtags,
        mentions=post.mentions + mentions,
        links=_links(core) or post.links,
    )


def _hashtags(core: NoteCore) -> tuple[str, ...]:
    return tuple([tag for each in core.hashtags if (tag := each.tag or each.text)])


def _mentions(core: NoteCore) -> tuple[Mention, ...]:
    return tuple([Mention(each.user_id, each.handle, None) for each in core.mentions if each.handle])


def _links(core: NoteCore) -> tuple[Link, ...]:
    return tuple([Link(each.short or "", each.expanded, each.display) for each in core.urls])
