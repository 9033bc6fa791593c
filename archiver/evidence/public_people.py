"""Who in an exhibit is the archived account, and what is known of everybody else in it."""

from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from archiver.evidence.model import REDACTED, Exhibit, Person
from archiver.records import RELATION_KINDS

MEMBER_OF_THE_PUBLIC: Final = "member of the public"
_NOBODYS: Final = frozenset({REDACTED.casefold(), MEMBER_OF_THE_PUBLIC, "[removed]", ""})
_PERSONS: Final = frozenset(RELATION_KINDS) - {"like", "list_created", "list_member", "list_subscribed"}
_OF_NO_ACCOUNT: Final = frozenset({"i", "intent", "hashtag", "search", "home", "messages", "settings"})


class Known(NamedTuple):
    """Whose the exhibit is: the account's id, and handles and names that it had, in small letters. And the
    ids, handles and names of others, as they stand in it."""

    account: str
    handles: frozenset[str]
    own_names: frozenset[str]
    ids: frozenset[str]
    foreign_handles: frozenset[str]
    names: frozenset[str]

    def is_own(self, person: Person) -> bool:
        """Whether this is the account. Who is known by a name alone is not."""
        if person.id is not None:
            return person.id == self.account
        return person.handle is not None and person.handle.casefold() in self.handles

    def own_handle(self, handle: str | None) -> str | None:
        return handle if handle is not None and handle.casefold() in self.handles else None

    @staticmethod
    def is_relation(kind: str) -> bool:
        return kind in RELATION_KINDS


def known_of(exhibit: Exhibit) -> Known:
    """A handle is the account's where it is told with its id, and not also with somebody else's: handles are
    given up and taken by others."""
    people = [*_people(exhibit)]
    account = exhibit.account
    own = [one for one in people if one.id == account]
    taken = {one.handle.casefold() for one in people if one.id not in (None, account) and one.handle}
    told = [exhibit.account_handle, *(one.handle for one in own), *_captured_as(exhibit)]
    handles = frozenset({one.casefold() for one in told if one} - taken - _NOBODYS)
    own_names = frozenset({one.name.casefold() for one in own if one.name} - _NOBODYS)
    others = [one for one in people if one.id != account]
    foreign = {
        one.handle
        for one in (*others, *_named(exhibit))
        if one.handle and one.handle.casefold() not in handles | _NOBODYS
    }
    names = {one.name for one in others if one.name and not _is_own_name(one, handles, own_names)}
    ids = {*(one.id for one in others if one.id), *_ids(exhibit, handles)} - {account}
    ids = {one for one in ids if any(character.isalnum() for character in one)}
    return Known(account, handles, own_names, frozenset(ids - _NOBODYS), frozenset(foreign), frozenset(names))


def _is_own_name(person: Person, handles: frozenset[str], own_names: frozenset[str]) -> bool:
    """Whether a name tells nobody apart from the account: it is called so itself."""
    name = (person.name or "").casefold()
    by_handle = person.id is None and person.handle is not None and person.handle.casefold() in handles
    return by_handle or name in own_names or name in _NOBODYS


def _people(exhibit: Exhibit) -> Iterator[Person]:
    """Everybody whom the exhibit names as a person."""
    for version in exhibit.versions:
        yield version.author
        yield from version.people
        yield from version.mentions
    yield from (one.author for one in exhibit.thread)
    for note in exhibit.moderation:
        for entry in note.entries:
            yield Person(entry.author_id, entry.author_handle, entry.author_name)


def _named(exhibit: Exhibit) -> Iterator[Person]:
    """Handles that stand alone."""
    for version in exhibit.versions:
        yield Person(None, version.in_reply_to_handle)
        yield Person(None, version.repost_of_handle)
        if version.capture.account != exhibit.account:
            yield Person(None, version.capture.handle)
    addresses = [exhibit.url, *(entry.item_url for note in exhibit.moderation for entry in note.entries)]
    yield from (Person(None, _handle_in(one)) for one in addresses if one)


def _captured_as(exhibit: Exhibit) -> Iterator[str | None]:
    for version in exhibit.versions:
        if version.capture.account == exhibit.account:
            yield version.capture.handle


def _handle_in(address: str) -> str | None:
    """The first part of an address's path, which platforms call an account's page by."""
    try:
        first = urlsplit(address).path.strip("/").partition("/")[0].removeprefix("@")
    except ValueError:
        return None
    return first if first and first.casefold() not in _OF_NO_ACCOUNT else None


def _ids(exhibit: Exhibit, handles: frozenset[str]) -> Iterator[str]:
    """Ids of people and of what others wrote."""
    if exhibit.kind in _PERSONS:
        yield exhibit.id
        yield exhibit.id.rpartition("/")[2]
    elif exhibit.kind == "like":
        yield exhibit.id
    for version in exhibit.versions:
        yield from (one for one in (version.repost_of_id, version.quote_of_id) if one)
        answers_own = (version.in_reply_to_handle or "").casefold() in handles
        if version.in_reply_to_id and not answers_own:
            yield version.in_reply_to_id
    for line in exhibit.thread:
        if line.author.id != exhibit.account and (line.author.handle or "").casefold() not in handles:
            yield line.id
    for note in exhibit.moderation:
        yield from (one.item_id for one in note.entries if one.item_id and one.item_type != "own_post")
