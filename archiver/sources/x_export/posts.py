"""Posts as the export's files hold them, and the items made of them. All layouts, Grailbird's included."""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from archiver.errors import SourceError
from archiver.records import MediaReference
from archiver.sources.base import Item, Problem
from archiver.sources.x.lenient import clean_text, decode_leniently
from archiver.sources.x.media_names import media_file_name
from archiver.sources.x.times import parse_time, snowflake_ms, to_iso
from archiver.sources.x.words import whole_words

ID_DIGITS: Final = 20


class Variant(Struct, frozen=True, gc=False):
    content_type: str | None = None
    url: str | None = None
    bitrate: str | int | None = None


class VideoInfo(Struct, frozen=True, gc=False):
    variants: list[Variant] = []


class Media(Struct, frozen=True, gc=False):
    """A picture or video of a post, from `extended_entities` or, where that is absent, `entities`."""

    media_url: str | None = None
    id_str: str | None = None
    video_info: VideoInfo | None = None
    media_url_https: str | None = None
    type: str | None = None
    ext_alt_text: str | None = None


class MediaList(Struct, frozen=True, gc=False):
    media: list[Media] = []


class EditIds(Struct, frozen=True, gc=False):
    ids: list[str] | None = msgspec.field(name="editTweetIds", default=None)


class LaterEdit(Struct, frozen=True, gc=False):
    initial_id: str | None = msgspec.field(name="initialTweetId", default=None)
    control: EditIds | None = msgspec.field(name="editControlInitial", default=None)


class EditInfo(Struct, frozen=True, gc=False):
    """`edit_info`, since 2022: `initial` in the first version of a post, `edit` in a later one."""

    initial: EditIds | None = None
    edit: LaterEdit | None = None


class _UrlFacts(Struct, frozen=True, gc=False):
    expanded_url: str | None = None


class _UserFacts(Struct, frozen=True, gc=False):
    id_str: str | None = None


class _EntityFacts(Struct, frozen=True, gc=False):
    user_mentions: list[_UserFacts] = []
    urls: list[_UrlFacts] = []
    media: list[Media] = []


class _PostFacts(Struct, frozen=True, gc=False):
    """What makes a version of a post, and nothing else, so that decoding a million stays quick. Fields
    stand in the order in which X writes them: msgspec looks for a key first where it found the last."""

    edit_info: EditInfo | None = None
    source: str | None = None
    entities: _EntityFacts | None = None
    in_reply_to_status_id_str: str | None = None
    id_str: str | None = None
    created_at: str | None = None
    full_text: str | None = None
    lang: str | None = None
    in_reply_to_user_id_str: str | None = None
    extended_entities: MediaList | None = None


class _RepostedFacts(Struct, frozen=True, gc=False):
    id_str: str | None = None
    text: str | None = None


class BarePost(_PostFacts, frozen=True, gc=False):
    """An element of a tweet file until 2019. Grailbird has `text` and the whole original of a repost."""

    id: str | int | float | None = None
    text: str | None = None
    retweeted_status: _RepostedFacts | None = None


class WrappedPost(Struct, frozen=True, gc=False):
    """An element since 2020: `{"tweet": {…}}`."""

    tweet: _PostFacts


class _Deleted(Struct, frozen=True, gc=False):
    id_str: str | None = None
    id: str | int | float | None = None
    deleted_at: str | None = None


class _DeletedElement(_Deleted, frozen=True, gc=False):
    tweet: _Deleted | None = None


class _EitherPost(BarePost, frozen=True, gc=False):
    tweet: BarePost | None = None


PostElement = WrappedPost | BarePost
decode_bare = msgspec.json.Decoder(BarePost).decode
decode_wrapped = msgspec.json.Decoder(WrappedPost).decode
_decode_deleted = msgspec.json.Decoder(_DeletedElement).decode
_encode = msgspec.json.Encoder().encode
_WRAPPED: Final = re.compile(rb'\{\s*"tweet"\s*:')
HEAD_BYTES: Final = 64


def post_decoder(head: bytes) -> Callable[[bytes], PostElement]:
    """The decoder for a file whose first element begins with `head`."""
    return decode_wrapped if _WRAPPED.match(head) else decode_bare


def post_id_of(id_text: str | None, id_value: str | float | None, piece: bytes) -> str:
    """The post's id. `id` alone may be a rounded float, so only `id_str`, or `id` where it is whole, counts.
    A post without one is named after its bytes: it must not be lost."""
    for candidate in (id_text, str(id_value) if isinstance(id_value, int) else id_value):
        if isinstance(candidate, str) and _is_id(candidate):
            return candidate
    return f"unnamed-{hashlib.sha256(piece).hexdigest()[:32]}"


def _is_id(text: str) -> bool:
    return text.isdigit() and text.isascii() and len(text) <= ID_DIGITS


def edit_ids(edit_info: EditInfo | None, post_id: str) -> tuple[str, ...]:
    """Ids of all versions, the first version's first; empty for a post never edited."""
    if edit_info is None:
        return ()
    ids: list[str] = []
    if edit_info.initial is not None:
        ids = edit_info.initial.ids or []
        if len(ids) == 1:
            return ()
    elif edit_info.edit is not None:
        control = edit_info.edit.control
        ids = (control.ids if control else None) or [edit_info.edit.initial_id or post_id, post_id]
        if edit_info.edit.initial_id and edit_info.edit.initial_id not in ids:
            ids = [edit_info.edit.initial_id, *ids]
    return tuple(ids) if len(ids) > 1 else ()


def media_references(record_id: str, media: Sequence[Media]) -> tuple[MediaReference, ...]:
    """What a post shows, each with the name its file has in the export: the id, `-`, the address's last
    part."""
    return tuple(_media_reference(record_id, each) for each in media)


def _media_reference(record_id: str, media: Media) -> MediaReference:
    address = media.media_url_https or media.media_url or ""
    if media.video_info is not None and (best := _best_variant(media.video_info)):
        address = best
    return MediaReference(
        media.id_str, media.type or "photo", address, media_file_name(record_id, address), media.ext_alt_text
    )


def _best_variant(video: VideoInfo) -> str | None:
    """The address, without query, of the MP4 of highest bitrate."""
    found = [each for each in video.variants if each.url and each.content_type == "video/mp4"]
    best = max(found, key=lambda each: _number(each.bitrate), default=None)
    return best.url.partition("?")[0] if best and best.url else None


def _number(value: str | int | None) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


class NoteMatch(Struct, frozen=True):
    """A long post's note: its capture, its verbatim bytes, its whole text."""

    capture_key: int
    piece: bytes
    text: str


FindNote = Callable[[str, int, str], NoteMatch | None]
"""(post id, time posted, text) -> the note that belongs to the post."""


def post_items(
    pairs: Iterable[tuple[bytes, PostElement | None]],
    capture_key: int,
    find_note: FindNote | None,
    problems: list[Problem],
) -> list[Item]:
    """Elements of a tweet file as items. What is odd about one is appended to `problems`; none is left
    out."""
    items = []
    for piece, element in pairs:
        if element is None:
            element = _decode_odd_post(piece, problems)
            if element is None:
                continue
        facts = element.tweet if isinstance(element, WrappedPost) else element
        post_id = facts.id_str
        if post_id is None or not (post_id.isdigit() and post_id.isascii() and len(post_id) <= ID_DIGITS):
            post_id = _odd_id(piece, facts, problems)
        posted = parse_time(facts.created_at)
        if posted is None:
            posted = _other_time(post_id, facts, problems)
        text = facts.full_text
        if text is None:
            text = _old_text(facts)
        elif "&" in text or "\0" in text:
            text = clean_text(text)
        shown: Sequence[Media] = ()
        entities = facts.entities
        if entities is not None:
            shown = entities.media
        if facts.extended_entities is not None:
            shown = facts.extended_entities.media or shown
        edits = edit_ids(facts.edit_info, post_id) if facts.edit_info is not None else ()
        note = find_note(post_id, posted, text) if find_note is not None else None
        content = _encode(
            (
                text if note is None else note.text,
                posted,
                facts.lang,
                facts.source,
                facts.in_reply_to_status_id_str,
                facts.in_reply_to_user_id_str,
                entities.urls if entities is not None else (),
                entities.user_mentions if entities is not None else (),
                [(each.id_str, each.media_url_https or each.media_url) for each in shown] if shown else (),
                edits,
            )
        )
        items.append(
            Item(
                "post",
                post_id,
                posted,
                content,
                ((capture_key, piece),)
                if note is None
                else ((capture_key, piece), (note.capture_key, note.piece)),
                edits[0] if edits else None,
                media_references(post_id, shown) if shown else (),
                words=whole_words(text if note is None else note.text),
            )
        )
    return items


def _old_text(facts: _PostFacts) -> str:
    """Grailbird's text, with what was reposted."""
    if not isinstance(facts, BarePost):
        return ""
    text = clean_text(facts.text or "")
    reposted = facts.retweeted_status
    return text if reposted is None else f"{text}\n{reposted.id_str}\n{clean_text(reposted.text or '')}"


def _odd_id(piece: bytes, facts: _PostFacts, problems: list[Problem]) -> str:
    if not isinstance(facts, BarePost):
        facts = _decode_either(piece)[0]
    post_id = post_id_of(facts.id_str, facts.id, piece)
    if post_id.startswith("unnamed-"):
        problems.append(Problem(post_id, "broken", "a post without an id; kept under a name of our own"))
    return post_id


def _other_time(post_id: str, facts: _PostFacts, problems: list[Problem]) -> int:
    found = snowflake_ms(post_id)
    instead = f"its id says {to_iso(found)}, which is used" if found else "its id holds none either"
    problems.append(
        Problem(f"post {post_id}", "broken", f"stated time {str(facts.created_at)[:40]!r} is none; {instead}")
    )
    return found or 0


def _decode_either(piece: bytes) -> tuple[BarePost, list[str]]:
    element, remarks = decode_leniently(piece, _EitherPost)
    return element.tweet or element, remarks


def _decode_odd_post(piece: bytes, problems: list[Problem]) -> PostElement | None:
    """What the quick decoder refused: a lone surrogate, another type, or a bare element among wrapped
    ones."""
    try:
        post, remarks = _decode_either(piece)
    except SourceError as error:
        problems.append(Problem("a post", "broken", f"{error.message}; left out"))
        return None
    if remarks:
        name = post_id_of(post.id_str, post.id, piece)
        detail = f"has {', '.join(remarks)}; kept as it is, shown without"
        problems.append(Problem(f"post {name}", "broken", detail))
    return post


def gone_items(pieces: Iterable[bytes], capture_key: int) -> list[Item]:
    """For elements of deleted-tweets.js: that each is deleted, and when. Its problems were named with its
    post."""
    items = []
    for piece in pieces:
        try:
            post_id, deleted_ms = deleted_post(piece)
        except SourceError:
            continue
        items.append(gone_item(post_id, deleted_ms, capture_key, piece))
    return items


def deleted_post(piece: bytes) -> tuple[str, int | None]:
    """Id of a deleted post and when it was deleted. Raise SourceError for bytes that are no object."""
    try:
        element = _decode_deleted(piece)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        element, _ = decode_leniently(piece, _DeletedElement)
    facts = element.tweet or element
    return post_id_of(facts.id_str, facts.id, piece), parse_time(facts.deleted_at)


def gone_item(record_id: str, deleted_ms: int | None, capture_key: int, piece: bytes) -> Item:
    """That a record is deleted. Content leaves out which file told, so that two files telling it fold."""
    return Item("gone", record_id, None, _encode((record_id, deleted_ms)), ((capture_key, piece),))
