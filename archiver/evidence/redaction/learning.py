"""What the exhibits of a pack say together of whom and what is to be taken out: a person's handles and names
under one id, a picture's names under one hash, the short links to an address, a record's texts."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec import Struct

from archiver.errors import ConfigurationError
from archiver.evidence.model import (
    REDACTED,
    Exhibit,
    Medium,
    Person,
    ShownLink,
    ShownVersion,
    ThreadLine,
)
from archiver.evidence.redaction.folding import fold
from archiver.evidence.redaction.rules import Rule, Rules
from archiver.records import RELATION_KINDS, Attachment, Moderation

_PUBLIC_KINDS: Final = frozenset({"post", "reply", "repost", "quote"})
"""Of records that anybody finds by their id alone, and with them whoever wrote them."""


@dataclass
class RecordTexts:
    """What is known of a record that a rule names: texts to take out of it, wherever it is shown, and the
    captures that it was read from."""

    whole: set[str] = field(default_factory=set)
    newest: str | None = None
    parts: set[str] = field(default_factory=set)
    captures: set[str] = field(default_factory=set)


@dataclass
class Knowledge:
    """What was learned. Everything is of the pack's own exhibits and kept in memory: some hundred bytes for
    each person, picture and link."""

    rules: Rules
    people: set[tuple[str | None, str | None, str | None]] = field(default_factory=set)
    media: set[tuple[str | None, str | None, str | None]] = field(default_factory=set)
    links: set[tuple[str, str]] = field(default_factory=set)
    posts: set[tuple[str, str | None, str | None]] = field(default_factory=set)
    """Id, author's id, author's handle."""
    records: dict[str, RecordTexts] = field(default_factory=dict)

    def learn(self, exhibit: Exhibit) -> None:
        """Raise ConfigurationError where a rule's span lies beyond the record's newest text."""
        self._exhibit(exhibit)
        for struct in structs_in(exhibit):
            match struct:
                case Person(id=own_id, handle=handle, name=name):
                    self._person(own_id, handle, name)
                case Moderation():
                    self._moderation(struct)
                case Medium() | Attachment():
                    self.media.add((_known(struct.sha256), _known(struct.file_name), _known(struct.url)))
                case ShownLink(short=short, expanded=str(expanded)):
                    self.links.add((short, expanded))
                case ThreadLine():
                    if struct.kind in _PUBLIC_KINDS:
                        self._post(struct.id, struct.author)
                case _:
                    pass
        for rule in self.rules.rules:
            if rule.kind == "record":
                self._record(rule, exhibit)

    def _exhibit(self, exhibit: Exhibit) -> None:
        self._person(exhibit.account, exhibit.account_handle, None)
        for version in exhibit.versions:
            self._person(version.capture.account, version.capture.handle, None)
            if version.kind in _PUBLIC_KINDS:
                self._post(exhibit.id, version.author)
            if exhibit.kind in RELATION_KINDS and len(version.people) == 1:
                (person,) = version.people
                self._person(exhibit.id, person.handle, person.name)

    def _person(self, own_id: str | None, handle: str | None, name: str | None) -> None:
        known = (_known(own_id), _known(handle), _known(name))
        if known[0] is not None or known[1] is not None:
            self.people.add(known)

    def _moderation(self, entry: Moderation) -> None:
        self._person(entry.author_id, entry.author_handle, entry.author_name)
        if entry.item_id is not None and entry.item_type in ("own_post", "reply", "comment"):
            self._post(entry.item_id, Person(entry.author_id, entry.author_handle))

    def _post(self, post_id: str, author: Person) -> None:
        if _known(post_id) is not None:
            self.posts.add((post_id, _known(author.id), _known(author.handle)))

    # Records that rules name

    def _record(self, rule: Rule, exhibit: Exhibit) -> None:
        (record_id,) = rule.values
        if exhibit.id == record_id:
            texts = self.records.setdefault(record_id, RecordTexts())
            texts.captures |= {version.capture.name for version in exhibit.versions}
            texts.whole |= {version.text for version in exhibit.versions if version.text}
            if rule.spans and exhibit.now is not None:
                self._spans(rule, exhibit.now, texts)
        shown = {struct.text for struct in structs_in(exhibit) if isinstance(struct, Moderation)
                 and struct.item_id == record_id and struct.text}  # fmt: skip
        if shown:
            self.records.setdefault(record_id, RecordTexts()).whole |= shown

    def _spans(self, rule: Rule, now: ShownVersion, texts: RecordTexts) -> None:
        texts.newest = now.text
        for start, end in rule.spans:
            if end > len(now.text):
                raise ConfigurationError(
                    f"{rule}: the span [{start}, {end}] lies beyond the {len(now.text)} characters of the"
                    " record's newest text",
                    "count from 0, in characters as the text stands in records.jsonl",
                )
            texts.parts.add(now.text[start:end])

    # What is known of whom

    def of_person(self, own_id: str) -> tuple[set[str], set[str]]:
        """The handles and names under an id; and the names of whom only one of these handles is known."""
        handles = {handle for one, handle, _ in self.people if one == own_id and handle}
        names = {name for one, _, name in self.people if one == own_id and name}
        folded = {fold(handle) for handle in handles}
        names |= {
            name
            for one, handle, name in self.people
            if one is None and handle and name and fold(handle) in folded
        }
        return handles, names

    def is_known(self, own_id: str) -> bool:
        return any(one == own_id for one, _, _ in self.people)

    def posts_of(self, own_id: str, handles: set[str]) -> set[str]:
        """The ids of posts that this person wrote."""
        folded = {fold(handle) for handle in handles}
        return {
            post
            for post, author, handle in self.posts
            if author == own_id or (author is None and handle is not None and fold(handle) in folded)
        }

    def of_medium(self, value: str) -> tuple[set[str], set[str], set[str]]:
        """The hashes, file names and addresses of the files that are called so, or have this hash."""
        wanted = value.casefold()
        hashes = {sha for sha, name, _ in self.media if sha and wanted in (sha, (name or "").casefold())}
        rows = [one for one in self.media if one[0] in hashes or (one[1] or "").casefold() == wanted]
        return hashes, {name for _, name, _ in rows if name}, {url for _, _, url in rows if url}


def structs_in(value: Any) -> Iterator[Struct]:
    """Every struct in a value, from the outside inwards."""
    if isinstance(value, Struct):
        yield value
        for name in value.__struct_fields__:
            yield from structs_in(getattr(value, name))
    elif isinstance(value, tuple | list):
        for one in value:
            yield from structs_in(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from structs_in(one)


def replaced(struct: Any, **fields: Any) -> Any:
    """The struct with other fields; itself where none of them differs."""
    changed = {name: value for name, value in fields.items() if getattr(struct, name) != value}
    return msgspec.structs.replace(struct, **changed) if changed else struct


def _known(text: str | None) -> str | None:
    return None if not text or text == REDACTED else text
