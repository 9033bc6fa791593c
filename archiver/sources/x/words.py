"""What a post says, to compare what two ways of acquiring brought of it."""


def whole_words(text: str) -> bytes:
    """A post's text, if it can be all of it; nothing for a repost, or where X may have cut it with an
    ellipsis before its closing link."""
    if text.startswith("RT @") or "\u2026" in text[-60:]:
        return b""
    return text.encode("utf-8", "replace")
