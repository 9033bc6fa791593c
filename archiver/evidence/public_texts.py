"""Texts without the people in them who are not the archived account."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Final
from urllib.parse import quote, urlsplit

from archiver.evidence.model import REDACTED, ShownLink
from archiver.evidence.public_people import MEMBER_OF_THE_PUBLIC, Known
from archiver.moderation.redaction import EMAIL, LINK, REMOVED, TELEPHONE

MENTION_REMOVED: Final = f"@{REMOVED}"
LINK_REMOVED: Final = "[link removed]"
_MENTION: Final = r"[@＠](?P<handle>\w{1,64})(?P<more>(?:[.-]\w{1,63}){0,8}(?:@[\w.-]{1,250})?)"
_OF_OTHERS: Final = re.compile(
    rf"(?P<link>{LINK})|(?P<email>{EMAIL})|(?P<mention>{_MENTION})|(?P<telephone>{TELEPHONE}\d*)",
    re.IGNORECASE,
)
_OF_OWN: Final = re.compile(rf"(?P<link>{LINK})|(?P<email>{EMAIL})|(?P<mention>{_MENTION})", re.IGNORECASE)
_PLATFORMS: Final = (
    "x.com", "twitter.com", "facebook.com", "fb.com", "fb.me", "fb.watch", "instagram.com", "threads.net",
    "threads.com", "tiktok.com", "youtube.com", "youtu.be", "linkedin.com", "bsky.app", "bsky.social",
    "reddit.com", "snapchat.com", "pinterest.com", "tumblr.com", "t.me", "telegram.me", "wa.me",
    "whatsapp.com", "medium.com", "linktr.ee", "github.com", "flickr.com", "vimeo.com", "twitch.tv",
    "discord.gg", "discord.com", "nextdoor.co.uk", "nextdoor.com", "mastodon.social", "fxtwitter.com",
    "vxtwitter.com", "fixupx.com", "nitter.net", "truthsocial.com", "gab.com", "vk.com", "twimg.com",
)  # fmt: skip
"""Where people have pages: only the account's own is linked to."""
_SHORTENERS: Final = (
    "t.co", "bit.ly", "ow.ly", "tinyurl.com", "buff.ly", "dlvr.it", "goo.gl", "is.gd", "lnkd.in", "trib.al",
    "ift.tt", "shorturl.at", "rb.gy", "cutt.ly", "tiny.cc",
)  # fmt: skip
"""What does not say where it leads."""
_KEPT: Final = (REMOVED, MENTION_REMOVED, LINK_REMOVED, MEMBER_OF_THE_PUBLIC, REDACTED)
_SHORTEST_INSIDE: Final = 4
"""A name of so many letters is taken out inside of words as well, as in #NameSaid; an id of one more."""
_SHORTEST_PART: Final = 3
_PART: Final = re.compile(r"[^\W\d_]+")
_WORD: Final = re.compile(r"[^\W_]+")


class Cleaner:
    """Made of what an exhibit knows of people; called with a text, it gives what may be published of it."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._first_words = _first_words(known)

    def __call__(self, text: str, is_own: bool, links: Sequence[ShownLink] = ()) -> str:
        """`is_own`: the account wrote it; `links`: where the links in it lead."""
        leads = {one.short: one.expanded for one in links}
        pattern = _OF_OWN if is_own else _OF_OTHERS

        def instead(match: re.Match[str]) -> str:
            if match["link"] is not None:
                address = match["link"]
                leads_to = leads.get(address.rstrip(".,;:!?)\"'"), address)
                return address if is_own and leads_to and self.may_lead_to(leads_to) else LINK_REMOVED
            if match["mention"] is not None:
                return match[0] if self._is_own_mention(match) else MENTION_REMOVED
            return REMOVED

        return self.names(pattern.sub(instead, text))

    def names(self, text: str) -> str:
        """Without the ids, handles and names of others. The account's own stays whole where somebody is
        called by a part of it."""
        folded = text.casefold()
        if not any(word in folded for word in self._first_words):
            return text
        kept = [match.span() for match in self._kept_pattern.finditer(text)]

        def instead(match: re.Match[str]) -> str:
            is_kept = any(start <= match.start() and match.end() <= end for start, end in kept)
            return match[0] if is_kept else REMOVED

        return self._pattern.sub(instead, text)

    @cached_property
    def _kept(self) -> list[str]:
        return sorted({*_KEPT, *self._known.handles, *self._known.own_names}, key=_by_length)

    @cached_property
    def _kept_pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, self._kept)), re.IGNORECASE)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Made when first asked for, as that takes as long as all else: most texts name nobody."""
        return _pattern(self._known, self._kept)

    def finds(self, text: str) -> bool:
        """Whether an id, a handle or a name of others stands in it."""
        return self.names(text) != text

    def own_address(self, address: str | None) -> str | None:
        """The address of something of the account's, unless it leads elsewhere."""
        return address if address is not None and self.may_lead_to(address) else None

    def may_lead_to(self, address: str) -> bool:
        """Whether a link says where it leads, and that this is no page of a person but the account's own."""
        try:
            parts = urlsplit(address if "://" in address else f"https://{address}")
            host = (parts.hostname or "").removeprefix("www.")
        except ValueError:
            return False
        if parts.scheme.lower() not in ("http", "https") or not host or "@" in address or "＠" in address:
            return False
        if _is_below(host, _SHORTENERS):
            return False
        if self.finds(address):
            return False
        if not _is_below(host, _PLATFORMS):
            return True
        return parts.path.strip("/").partition("/")[0].casefold() in self._known.handles

    def _is_own_mention(self, match: re.Match[str]) -> bool:
        """`@Own.Thanks` mentions the account; `@own.example.social` and `@own@elsewhere` somebody else."""
        own, more = match["handle"].casefold(), match["more"]
        if (own + more.casefold()) in self._known.handles:
            return True
        return own in self._known.handles and "@" not in more and len(re.findall("[.-]", more)) < 2


def _is_below(host: str, domains: Iterable[str]) -> bool:
    return any(host == one or host.endswith(f".{one}") for one in domains)


def _pattern(known: Known, kept: Iterable[str]) -> re.Pattern[str]:
    """Everything known of others, the longest first; of their names also the parts that begin with a capital,
    by which people are called, unless they are words of what is kept."""
    kept_words = {word.casefold() for one in kept for word in _PART.findall(one)}
    found = {
        part: rf"(?-i:(?<![^\W_]){re.escape(part)}(?![^\W_]))"
        for name in known.names
        for part in _PART.findall(name)
        if len(part) >= _SHORTEST_PART and part[0].isupper() and part.casefold() not in kept_words
    }
    found |= {one: _anywhere(one, _SHORTEST_INSIDE + 1) for one in known.ids}
    for name in (*known.foreign_handles, *known.names):
        found |= {form: _anywhere(form, _SHORTEST_INSIDE) for form in _forms(name)}
    longest_first = sorted(found, key=_by_length)
    return re.compile("|".join(found[one] for one in longest_first), re.IGNORECASE)


def _by_length(name: str) -> tuple[int, str]:
    return -len(name), name


def _first_words(known: Known) -> frozenset[str]:
    """In small letters: a text without any of them names nobody who is known."""
    names = {*known.ids, *(form for one in (*known.foreign_handles, *known.names) for form in _forms(one))}
    words = {part for one in known.names for part in _PART.findall(one) if len(part) >= _SHORTEST_PART}
    first = {found[0] if (found := _WORD.search(one)) else one for one in names}
    return frozenset(one.casefold() for one in (*words, *first))


def _forms(name: str) -> Iterator[str]:
    """As it stands, composed and decomposed, and as addresses write it. A name of signs alone says nothing,
    unless they are pictures."""
    if not any(one.isalnum() or unicodedata.category(one) == "So" for one in name):
        return
    yield name
    yield from (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    yield quote(name, safe="", errors="replace")


def _anywhere(name: str, shortest: int) -> str:
    """Wherever it stands; a short one as a word. Words of a name may be joined or parted otherwise."""
    words = _WORD.findall(name)
    is_plain = " ".join(words) == " ".join(name.split()) and len(words) > 1
    pattern = r"[\W_]{0,3}".join(map(re.escape, words)) if is_plain else re.escape(name)
    if len(name) >= shortest or not name[:1].isalnum():
        return pattern
    return rf"(?<![^\W_]){pattern}(?![^\W_])"
