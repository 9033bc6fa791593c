"""Records as a query sees them: nothing but what it can ask for. Where they come from says who makes them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

POSTS = ("post", "reply", "repost", "quote")


@dataclass(frozen=True)
class Person:
    """Somebody, by what is known of them."""

    id: str | None = None
    handle: str | None = None


@dataclass(frozen=True)
class Version:
    """One version of a record. `texts`: what can be read in it, each on its own: of a post its words, and the
    descriptions of all it shows as one text. `links`: each by where it leads, and as it is written. `age`:
    the higher, the newer."""

    id: str
    kind: str
    posted_ms: int
    texts: tuple[str, ...]
    age: tuple[int, int] = (0, 1)
    author: Person | None = None
    to: tuple[Person, ...] = ()
    mentions: tuple[Person, ...] = ()
    tags: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    language: str | None = None
    client: str | None = None
    conversation: str | None = None
    shows: frozenset[str] = frozenset()
    """photo, video, animated_gif … of what it shows, and alt where that is described."""
    is_reply: bool = False
    is_quote: bool = False
    archive: str = ""


@dataclass
class Record:
    """All versions of one record. `account`: the one it was archived for."""

    platform: str
    account: Person
    key: str
    versions: list[Version] = field(default_factory=list)
    is_deleted: bool = False
    is_edited: bool = False
    is_moderated: bool = False

    @property
    def sort(self) -> str:
        """Posts of all kinds are one sort: an edit can make a reply of a post."""
        kind = self.versions[0].kind
        return "post" if kind in POSTS else kind


Name = tuple[str, str, str, str]
"""A record as results are compared: platform, sort, account, id."""


def people_of(records: Iterable[Record]) -> Iterable[Person]:
    """Everybody whom the records name."""
    for record in records:
        yield record.account
        for one in record.versions:
            yield from (*((one.author,) if one.author else ()), *one.to, *one.mentions)
