"""People and posts that an answer sends along, as items of their own: what stood around a post to be
moderated.

`read_answer` keeps of these only what its own records need, as their author's name. Here they are records
themselves: `parse_item`, with the same capture and an item's slices, makes the same of them again.
"""

from collections.abc import Collection, Iterator

from archiver.errors import SourceError
from archiver.sources.base import Capture, Item
from archiver.sources.x_api.answer import Answer, Piece
from archiver.sources.x_api.items import CONTEXT_SERIES, context_of_answer, decode_related, item_of
from archiver.sources.x_api.parse import parse_with_context
from archiver.sources.x_api.related import Context
from archiver.sources.x_api.shapes import Related


def read_people(capture: Capture, answer: Answer, user_ids: Collection[str] | None) -> list[Item]:
    """Profiles of those of these users whom the answer has, in `data` or beside it, each once; for None of
    all whom it has. `capture` is of a kind in `endpoints.AROUND`: in other answers a profile is the account's
    own. What of the answer is no profile is left out."""
    items: dict[str, Item] = {}
    for one, piece in (*_decoded(answer.data), *_included(answer)):
        is_person = one.username is not None and one.text is None and one.media_key is None
        if is_person and (user_ids is None or one.id in user_ids):
            for item in _item(capture, "account", piece, Context()):
                items.setdefault(item.id, item)
    return list(items.values())


def read_included_posts(capture: Capture, answer: Answer, post_ids: Collection[str]) -> list[Item]:
    """Those of these posts that the answer sends along, as the one a reply answers, with what it sends along
    about them. What of the answer is no post is left out."""
    context = context_of_answer(answer)
    items: dict[str, Item] = {}
    for one, piece in _included(answer):
        if one.id in post_ids and one.text is not None and one.media_key is None:
            for item in _item(capture, "post", piece, context):
                items.setdefault(item.id, item)
    return list(items.values())


def _included(answer: Answer) -> Iterator[tuple[Related, Piece]]:
    for pieces in answer.includes.values():
        yield from _decoded(pieces)


def _decoded(pieces: Collection[Piece]) -> Iterator[tuple[Related, Piece]]:
    for piece in pieces:
        try:
            yield decode_related(piece.data), piece
        except SourceError:
            continue


def _item(capture: Capture, kind: str, piece: Piece, context: Context) -> list[Item]:
    context.used = {}
    try:
        record = parse_with_context(capture, kind, piece.data, context).record
    except SourceError:
        return []
    return [item_of(capture, kind, piece, context, record, CONTEXT_SERIES)]
