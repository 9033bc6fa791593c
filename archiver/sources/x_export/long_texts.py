"""Articles and community notes: long texts the account published beside its posts."""

import json
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec import Struct

from archiver.errors import SourceError
from archiver.records import Post
from archiver.sources.base import Capture, Item, Problem
from archiver.sources.x.lenient import clean_text, decode_leniently
from archiver.sources.x.times import parse_milliseconds, parse_time, snowflake_ms
from archiver.sources.x_export.posts import gone_item

PUBLISHED: Final = "published"


class CommunityNote(Struct, frozen=True):
    """A community note, or the tombstone of one."""

    note_id: str | None = msgspec.field(name="noteId", default=None)
    post_id: str | None = msgspec.field(name="tweetId", default=None)
    created_at: str | None = msgspec.field(name="createdAt", default=None)
    deleted_at: str | None = msgspec.field(name="deletedAt", default=None)
    summary: str | None = None


class _CommunityNoteElement(Struct, frozen=True):
    community: CommunityNote | None = msgspec.field(name="communityNote", default=None)
    birdwatch: CommunityNote | None = msgspec.field(name="birdwatchNote", default=None)
    community_tombstone: CommunityNote | None = msgspec.field(name="communityNoteTombstone", default=None)
    birdwatch_tombstone: CommunityNote | None = msgspec.field(name="birdwatchNoteTombstone", default=None)


class ArticleMetadata(Struct, frozen=True):
    """What article-metadata.js says: a draft is not taken."""

    article_id: str | None = msgspec.field(name="articleId", default=None)
    id: str | None = None
    visibility: str | None = None
    created: str | None = msgspec.field(name="createdAtMs", default=None)
    published: str | None = msgspec.field(name="publishedAtMs", default=None)

    @property
    def key(self) -> str | None:
        return self.article_id or self.id


class _MetadataElement(Struct, frozen=True):
    article: ArticleMetadata | None = msgspec.field(name="articleMetadata", default=None)
    twitter: ArticleMetadata | None = msgspec.field(name="twitterArticleMetadata", default=None)


_encode = msgspec.json.Encoder().encode


def community_note_items(
    pairs: Iterable[tuple[bytes, Any]], capture_key: int, problems: list[Problem], *, tombstones: bool
) -> list[Item]:
    """Community notes as posts; their tombstones as the fact that they are gone."""
    items = []
    for piece, _ in pairs:
        try:
            note = _community_note(piece)
        except SourceError as error:
            problems.append(Problem("a community note", "broken", error.message))
            continue
        name = f"community-note-{note.note_id}"
        if tombstones:
            items.append(gone_item(name, _time(note.deleted_at), capture_key, piece))
            continue
        posted = _posted(note)
        content = _encode((note.post_id, posted, clean_text(note.summary or "")))
        items.append(Item("post", name, posted, content, ((capture_key, piece),)))
    return items


def parse_community_note(capture: Capture, piece: bytes) -> Post:
    """A community note as a post on the post it annotates."""
    note = _community_note(piece)
    name = f"community-note-{note.note_id}"
    text = clean_text(note.summary or "")
    return _post(capture, name, _posted(note), text, "community note", note.post_id)


def tombstone_of(piece: bytes) -> tuple[str, int | None]:
    """Id of the deleted community note and when it was deleted."""
    note = _community_note(piece)
    return f"community-note-{note.note_id}", _time(note.deleted_at)


def _community_note(piece: bytes) -> CommunityNote:
    element, _ = decode_leniently(piece, _CommunityNoteElement)
    for name in element.__struct_fields__:
        note: CommunityNote | None = getattr(element, name)
        if note is not None and note.note_id:
            return note
    raise SourceError("a record that holds no community note")


def _posted(note: CommunityNote) -> int:
    return _time(note.created_at) or snowflake_ms(note.note_id or "") or 0


def _time(text: str | None) -> int | None:
    return parse_time(text) or parse_milliseconds(text)


class Told(Struct, frozen=True):
    """One article's metadata with the bytes it was read from, which travel beside the article's own."""

    metadata: ArticleMetadata
    capture_key: int
    piece: bytes


def article_metadata(
    pairs: Iterable[tuple[bytes, Any]], capture_key: int, problems: list[Problem]
) -> list[Told]:
    """What the export says of its articles, in its order."""
    found = []
    for piece, _ in pairs:
        try:
            found.append(Told(_metadata(piece), capture_key, piece))
        except SourceError as error:
            problems.append(Problem("an article's metadata", "broken", error.message))
    return found


def _metadata(piece: bytes) -> ArticleMetadata:
    element, _ = decode_leniently(piece, _MetadataElement)
    return element.article or element.twitter or decode_leniently(piece, ArticleMetadata)[0]


class Article(Struct, frozen=True):
    """An article as far as its shape is known: id, title, and text in sections somewhere inside `data`."""

    article_id: str
    title: str
    text: str


def article_items(
    pairs: Iterable[tuple[bytes, Any]], told: list[Told], capture_key: int, problems: list[Problem]
) -> list[Item]:
    """Published articles as posts. Which are published only the metadata tells, by id or, where it holds
    none, by its place in the file; an article without metadata is reported and left out: it may be a
    draft."""
    by_id = {each.metadata.key: each for each in told if each.metadata.key}
    items = []
    for number, (piece, _) in enumerate(pairs):
        try:
            article = _article(piece)
        except SourceError as error:
            problems.append(Problem("an article", "broken", error.message))
            continue
        found = by_id.get(article.article_id)
        if found is None and not by_id and number < len(told):
            found = told[number]
        if found is None or found.metadata.visibility is None:
            detail = "nothing says whether it was published; left out, as a draft would be"
            problems.append(Problem(f"article {article.article_id}", "missing", detail))
        elif found.metadata.visibility.lower() == PUBLISHED:
            items.append(_article_item(article, found, capture_key, piece))
    return items


def _article_item(article: Article, told: Told, capture_key: int, piece: bytes) -> Item:
    posted = _article_time(article.article_id, told.metadata)
    content = _encode((article.title, posted, article.text))
    slices = ((capture_key, piece), (told.capture_key, told.piece))
    return Item("post", f"article-{article.article_id}", posted, content, slices)


def _article_time(article_id: str, metadata: ArticleMetadata) -> int:
    """When it was first published, else when it was begun."""
    return (
        parse_milliseconds(metadata.published)
        or parse_milliseconds(metadata.created)
        or snowflake_ms(article_id)
        or 0
    )


def parse_article(capture: Capture, piece: bytes, metadata_piece: bytes) -> Post:
    """Given an article and its metadata, both as the export wrote them."""
    article = _article(piece)
    posted = _article_time(article.article_id, _metadata(metadata_piece))
    text = f"{article.title}\n\n{article.text}".strip()
    return _post(capture, f"article-{article.article_id}", posted, text, "article", None)


def _article(piece: bytes) -> Article:
    try:
        value = json.loads(piece.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as cause:
        raise SourceError(f"an article that is no JSON: {cause}") from cause
    body = next(iter(value.values()), None) if isinstance(value, dict) else None
    if not isinstance(body, dict) or not isinstance(body.get("id"), str | int):
        raise SourceError("a record that holds no article")
    title = body.get("title")
    words = _texts(body.get("data", body.get("content")))
    return Article(str(body["id"]), clean(title) if isinstance(title, str) else "", clean("\n".join(words)))


def clean(text: str) -> str:
    """As posts' texts: unescaped once, half characters and NUL replaced."""
    return clean_text(text.encode("utf-8", "surrogatepass").decode("utf-8", "replace"))


def _texts(value: Any) -> list[str]:
    """Every `text` in the article's sections, in order; its shape beyond that is not established."""
    found: list[str] = []
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            text = each.get("text")
            if isinstance(text, str):
                found.append(text)
            waiting.extend(part for key, part in reversed(each.items()) if key != "text")
        elif isinstance(each, list):
            waiting.extend(reversed(each))
        elif isinstance(each, str) and each is value:
            found.append(each)
    return found


def _post(
    capture: Capture, name: str, posted: int, text: str, audience: str, quote_of_id: str | None
) -> Post:
    return Post(
        platform="x",
        platform_id=name,
        record_id=name,
        account=capture.account,
        author_id=capture.account,
        author_handle=capture.handle,
        author_name=capture.name,
        posted_ms=posted,
        kind="post",
        text=text,
        audience=audience,
        quote_of_id=quote_of_id,
    )
