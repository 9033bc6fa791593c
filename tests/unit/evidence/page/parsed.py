"""What a page says, as Python's own parser reads it: its texts, elements, attributes and headings."""

from html.parser import HTMLParser

_ELEMENTS = (
    "html head meta title style body a header nav main section article footer h1 h2 h3 h4 h5 p ul ol li dl dt"
    " dd div span strong bdi time table caption thead tbody tr th td blockquote figure figcaption img ins del"
    " mark code"
)
ELEMENTS = frozenset(_ELEMENTS.split())
"""All that a page may be made of."""
_ATTRIBUTES = (
    "lang charset http-equiv content name class href id aria-label aria-labelledby tabindex dir rel src alt"
    " datetime scope"
)
ATTRIBUTES = frozenset(_ATTRIBUTES.split())
_VOID = frozenset({"meta", "img"})


class Parsed(HTMLParser):
    """A page taken apart. Codes of hidden characters are those characters again in `text`."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[tuple[int, str]] = []
        self.parts: list[str] = []
        self._open: list[tuple[str, str]] = []
        self.feed(page)
        self.close()
        assert self._open == [], "elements that are not closed"
        self.text = "".join(self.parts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        assert len(found) == len(attrs), "an attribute given twice"
        self.elements.append((tag, found))
        if tag not in _VOID:
            self._open.append((tag, found.get("class") or ""))
        if tag in {"h1", "h2", "h3", "h4", "h5"}:
            self.headings.append((int(tag[1]), ""))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag, f"{tag} closes another element"

    def handle_data(self, data: str) -> None:
        tag, its_class = self._open[-1] if self._open else ("", "")
        if tag == "style":
            return
        self.parts.append(chr(int(data[2:], 16)) if its_class == "char" else data)
        if any(tag in {"h1", "h2", "h3", "h4", "h5"} for tag, _ in self._open):
            level, words = self.headings[-1]
            self.headings[-1] = (level, words + data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]
