"""What each field of a query asks of one version of a record."""

from collections import defaultdict
from collections.abc import Iterable
from urllib.parse import urlsplit

from archiver.search.language.tree import Filter
from tests.properties.naive.records import POSTS, Person, Record, Version, people_of
from tests.properties.naive.words import fold

WRITTEN = (*POSTS, "message")
"""Kinds that are searched where a query names none."""
_MEDIA = {"media": None, "image": {"photo"}, "video": {"video", "animated_gif"}}


class Fields:
    """Answers for the records of one vault: who is who is known by all of them."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._names = _names(records)

    def passes(self, node: Filter, record: Record, version: Version) -> bool:
        value = str(node.value)
        name = fold(value)
        match node.field:
            case "from":
                return version.author is not None and self._is(version.author, value)
            case "to":
                return any(self._is(one, value) for one in version.to)
            case "mention":
                return any(self._is(one, value) for one in version.mentions)
            case "account":
                return self._is(record.account, value)
            case "platform":
                return record.platform == name
            case "kind":
                return version.kind == name
            case "lang":
                return (version.language or "").lower() == name
            case "client":
                return name in fold(version.client or "")
            case "tag":
                return name in {fold(one) for one in version.tags}
            case "url":
                return any(leads_to(value, one) for one in version.links)
            case "id":
                return value in (version.id, record.key)
            case "conversation":
                return value == version.conversation
            case "since":
                return version.posted_ms >= int(node.value)
            case "until":
                return version.posted_ms < int(node.value)
            case "has":
                return _has(value, version)
            case "is":
                return _is(value, record, version)
            case _:
                return False  # what only moderation records have

    def _is(self, person: Person, value: str) -> bool:
        """Whether somebody is meant by a name: an id or handle that stands for the same account."""
        asked = value.casefold()
        wanted = self._names.get(asked, frozenset((asked,)))
        return any(one is not None and one.casefold() in wanted for one in (person.id, person.handle))


def _names(records: Iterable[Record]) -> dict[str, frozenset[str]]:
    """For each id and handle all that stand for the same account, itself too."""
    ids: dict[str, set[str]] = defaultdict(set)
    handles: dict[str, set[str]] = defaultdict(set)
    for one in people_of(records):
        if one.id and one.handle:
            ids[one.handle.casefold()].add(one.id.casefold())
            handles[one.id.casefold()].add(one.handle.casefold())
    found = {handle: {handle, *some} for handle, some in ids.items()}
    for handle, some in ids.items():
        found[handle] |= {other for one in some for other in handles[one]}
    for one, some in handles.items():
        found.setdefault(one, {one}).update(some)
    return {name: frozenset(some) for name, some in found.items()}


def _has(value: str, version: Version) -> bool:
    if version.kind not in WRITTEN:
        return False
    if value == "link":
        return bool(version.links)
    if value == "alt":
        return "alt" in version.shows
    wanted = _MEDIA[value]
    return bool(version.shows - {"alt"} if wanted is None else version.shows & wanted)


def _is(value: str, record: Record, version: Version) -> bool:
    return {
        "reply": version.is_reply,
        "repost": version.kind == "repost",
        "quote": version.is_quote,
        "deleted": record.is_deleted,
        "edited": record.is_edited,
        "moderated": record.is_moderated,
    }[value]


def leads_to(value: str, address: str) -> bool:
    """Whether an address is of a domain or one under it and, where a path is named too, lies there or below.
    A path alone is one of any domain."""
    domain, _, wanted = value.partition("/")
    found = urlsplit(address if "//" in address else f"//{address}")
    host = (found.hostname or "").removeprefix("www.")
    if domain and host != domain.lower() and not host.endswith(f".{domain.lower()}"):
        return False
    path = found.path.removeprefix("/").casefold()
    wanted = wanted.casefold()
    return not wanted or path == wanted or path.startswith(f"{wanted.removesuffix('/')}/")
