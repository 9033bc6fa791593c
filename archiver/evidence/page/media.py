"""Pictures in the page itself where they are small, everything else as a link to the pack's own file."""

from base64 import b64encode
from collections.abc import Callable
from typing import Final, NamedTuple

from markupsafe import Markup

from archiver.evidence.model import Medium
from archiver.evidence.page.facts import kind_in_words
from archiver.evidence.page.texts import attribute, file_address, web_address

EMBEDDED_TYPES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What browsers show and what cannot hold a script."""
MOST_OF_ONE: Final = 2 << 20
MOST_OF_ALL: Final = 64 << 20
"""Bytes of pictures that a page holds; base64 makes a third more of them."""
ReadMedium = Callable[[Medium], bytes]


class ShownMedium(NamedTuple):
    """A picture or other file as the page shows it. `source`: the picture itself, as an address."""

    medium: Medium
    kind: str
    source: Markup | None
    alt_text: Markup
    size: str
    file: str | None
    address: str | None


class MediaShelf:
    """Which pictures of a page are in it. Holds how many bytes may still be embedded, and no picture."""

    def __init__(self, read_medium: ReadMedium) -> None:
        self._read_medium = read_medium
        self._left = MOST_OF_ALL
        self.embedded = self.linked = self.missing = 0

    def show(self, media: tuple[Medium, ...], seen: set[str]) -> list[ShownMedium]:
        """Media of one exhibit; what it shows already (`seen`, by paths) is embedded but once. Raise what
        reading raises."""
        return [self._show(medium, seen) for medium in media]

    def _show(self, medium: Medium, seen: set[str]) -> ShownMedium:
        source = None
        if medium.path is None:
            self.missing += 1
        elif medium.path not in seen:
            source = self._source(medium)
            self.embedded += source is not None
            self.linked += source is None
            seen.add(medium.path)
        return ShownMedium(
            medium,
            kind_in_words(medium.media_type),
            source,
            attribute(medium.alt_text or f"Without a description: {medium.file_name or medium.media_type}"),
            "" if medium.size is None else f"{medium.size:,} bytes",
            None if medium.path is None else file_address(medium.path),
            web_address(medium.url),
        )

    def _source(self, medium: Medium) -> Markup | None:
        """The picture as an address, where there is room for it."""
        most = min(MOST_OF_ONE, self._left)
        if medium.mime_type not in EMBEDDED_TYPES or medium.size is None or medium.size > most:
            return None
        body = self._read_medium(medium)
        if len(body) > most:
            return None
        self._left -= len(body)
        return Markup(f"data:{medium.mime_type};base64,{b64encode(body).decode('ascii')}")
