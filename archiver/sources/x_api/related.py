"""What an answer includes beside the records themselves, found by id.

A context notes what was looked up in it: that is what a record needs to be made again, and no more.
"""

from archiver.records import MediaReference, Person
from archiver.sources.x.media_names import media_file_name
from archiver.sources.x_api.answer import Piece
from archiver.sources.x_api.shapes import Note, Related, Variant

_NOWHERE = Piece(-1, b"")


class Context:
    """People, media and posts of one answer."""

    def __init__(self) -> None:
        self._people: dict[str, tuple[Related, Piece]] = {}
        self._media: dict[str, tuple[Related, Piece]] = {}
        self._posts: dict[str, tuple[Related, Piece]] = {}
        self.used: dict[int, Piece] = {}
        """Pieces looked up, by their place, in the order of the first look."""

    def add(self, one: Related, piece: Piece = _NOWHERE) -> None:
        if one.media_key is not None:
            self._media[one.media_key] = (one, piece)
        elif one.id is None:
            return
        elif one.text is not None:
            self._posts[one.id] = (one, piece)
        elif one.username is not None:
            self._people[one.id] = (one, piece)

    def _look_up(self, among: dict[str, tuple[Related, Piece]], key: str | None) -> Related | None:
        found = among.get(key) if key else None
        if found is None:
            return None
        self.used.setdefault(found[1].offset, found[1])
        return found[0]

    def post(self, post_id: str | None) -> Related | None:
        return self._look_up(self._posts, post_id)

    def handle(self, user_id: str | None) -> str | None:
        known = self._look_up(self._people, user_id)
        return None if known is None else known.username

    def name(self, user_id: str | None) -> str | None:
        known = self._look_up(self._people, user_id)
        return None if known is None else known.name

    def person(self, role: str, user_id: str | None) -> Person | None:
        """Handle and name of somebody known by an id, where the answer has them."""
        known = self._look_up(self._people, user_id)
        return None if known is None else Person(role, user_id or "", known.username, known.name)

    def media_of(self, record_id: str, keys: "list[str] | None") -> tuple[MediaReference, ...]:
        """The pictures and videos a record shows. A key that the answer does not include keeps its place, so
        that it is listed as missing."""
        return tuple([self._reference(record_id, key) for key in keys or ()])

    def _reference(self, record_id: str, key: str) -> MediaReference:
        media = self._look_up(self._media, key) or Related()
        address = media.url or ""
        if media.type in ("video", "animated_gif") or (not address and media.variants):
            address = best_variant(media.variants) or media.preview_image_url or address
        return MediaReference(
            key.rpartition("_")[2],
            media.type or "photo",
            address,
            media_file_name(record_id, address or key),
            media.alt_text,
        )


def best_variant(variants: "list[Variant] | None") -> str | None:
    """The address, without query, of the MP4 of the highest bit rate."""
    found = [one for one in variants or () if one.url and one.content_type == "video/mp4"]
    best = max(found, key=lambda one: one.bit_rate or 0, default=None)
    return best.url.partition("?")[0] if best and best.url else None


def whole_text(text: str | None, note: Note | None) -> str | None:
    """A long post's text is in its note; `text` has only its beginning."""
    return note.text if note is not None and note.text else text
