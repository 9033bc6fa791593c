"""Every text of a value, however deep, without what is to be taken out. A struct with a new field needs
nothing here: whatever holds a text is searched."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from archiver.evidence.model import (
    REDACTED,
    Medium,
    Person,
)
from archiver.evidence.redaction.compiling import Compiled
from archiver.evidence.redaction.learning import replaced
from archiver.evidence.redaction.shapes import is_own
from archiver.records import Attachment, Moderation

_PERSON_FIELDS: Final = (("account", "account_handle"), ("account", "handle"))


class Walker:
    """Walks one exhibit. `rules`: which took something out so far."""

    def __init__(self, compiled: Compiled, reasons: Mapping[int, str]) -> None:
        self._compiled = compiled
        self._reasons = reasons
        self.rules: set[int] = set()

    def text(self, text: str) -> str:
        cleaned = self._compiled.finder.clean(text)
        self.rules |= cleaned.rules
        return text if cleaned.text == text else cleaned.text

    def walk(self, value: Any, struct: str = "", field: str = "") -> Any:
        """The value without it; the same object where nothing was taken out."""
        if isinstance(value, str):
            return self._field(struct, field, value)
        if isinstance(value, Struct):
            return self._struct(value)
        if isinstance(value, dict):
            return self._dict(value, struct, field)
        if isinstance(value, tuple | list):
            parts = [self.walk(one, struct, field) for one in value]
            if all(new is old for new, old in zip(parts, value, strict=True)):
                return value
            return type(value)._make(parts) if hasattr(value, "_make") else type(value)(parts)
        if type(value) is int and field in ("before", "after"):
            return self._number(value)
        return value

    def _number(self, value: int) -> Any:
        """A number in a field that may hold anything: an id, where it reads like one."""
        text = str(value)
        return value if self._field("", "id", text) == text else REDACTED

    def _field(self, struct: str, field: str, value: str) -> str:
        rule = self._compiled.ids.get(value) if field in ("id", "account") or field.endswith("_id") else None
        if rule is not None:
            self.rules.add(rule)
            return REDACTED
        if field.endswith("handle") and (found := self._compiled.people.rule_of(None, value)) is not None:
            self.rules.add(found)
            return REDACTED
        if field in ("sha256", "context_sha256") and value in self._compiled.media:
            return self.text(value)
        return value if is_own(struct, field, value) else self.text(value)

    def _struct(self, value: Struct) -> Any:
        value = self._known(value)
        name = type(value).__name__
        fields = {one: getattr(value, one) for one in value.__struct_fields__}
        walked = {one: self.walk(old, name, one) for one, old in fields.items()}
        changed = {one: new for one, new in walked.items() if new is not fields[one]}
        if "path" in changed:  # the file's own name says it
            changed["path"] = None
        return msgspec.structs.replace(value, **changed) if changed else value

    def _known(self, value: Struct) -> Struct:
        """What is taken out because of whom or what it is, not of what it says."""
        match value:
            case Person():
                return self._person(value)
            case Moderation():
                return self._account(self._entry(value))
            case Medium() | Attachment():
                return self._medium(value)
            case _:
                return self._account(value)

    def _rule_of(self, own_id: str | None, handle: str | None) -> int | None:
        rule = self._compiled.people.rule_of(own_id, handle)
        if rule is not None:
            self.rules.add(rule)
        return rule

    def _person(self, person: Person) -> Person:
        if self._rule_of(person.id, person.handle) is None:
            return person
        found: Person = replaced(
            person, id=_gone(person.id), handle=_gone(person.handle), name=_gone(person.name)
        )
        return found

    def _entry(self, entry: Moderation) -> Moderation:
        if self._rule_of(entry.author_id, entry.author_handle) is None:
            return entry
        found: Moderation = replaced(
            entry,
            author_id=_gone(entry.author_id),
            author_handle=_gone(entry.author_handle),
            author_name=_gone(entry.author_name),
        )
        return found

    def _account(self, struct: Struct) -> Struct:
        """Of an exhibit and a capture: the account, by its id and handle."""
        for own_id, handle in _PERSON_FIELDS:
            if own_id in struct.__struct_fields__ and handle in struct.__struct_fields__:
                known = getattr(struct, own_id), getattr(struct, handle)
                if self._rule_of(*known) is not None:
                    kept: Struct = replaced(struct, **{own_id: _gone(known[0]), handle: _gone(known[1])})
                    return kept
        return struct

    def _medium(self, medium: Medium | Attachment) -> Medium | Attachment:
        rule = self.rule_of_medium(medium)
        if rule is None:
            return medium
        self.rules.add(rule)
        fields = {
            "url": _gone(medium.url),
            "file_name": _gone(medium.file_name),
            "alt_text": _gone(medium.alt_text),
            "sha256": None,
            "missing": self.text(f"redacted: {self._reasons[rule]}"),
        }
        if isinstance(medium, Medium):
            fields |= {"path": None, "size": None}
        found: Medium | Attachment = replaced(medium, **fields)
        return found

    def rule_of_medium(self, medium: Medium | Attachment) -> int | None:
        """The rule by which a picture or video is taken out."""
        known = self._compiled.media
        by_hash = None if medium.sha256 is None else known.get(medium.sha256)
        return known.get((medium.file_name or "").casefold()) if by_hash is None else by_hash

    def _dict(self, value: dict[Any, Any], struct: str, field: str) -> Any:
        """Keys as well. Two that become the same are told apart by a number."""
        found: dict[Any, Any] = {}
        for old, one in value.items():
            key = self.walk(old, struct, field)
            number = 1
            while key in found:
                number += 1
                key = f"{self.walk(old, struct, field)} {number}"
            found[key] = self.walk(one, struct, field)
        same = found.keys() == value.keys() and all(found[key] is value[key] for key in value)
        return value if same else found


def _gone(text: str | None) -> str | None:
    """REDACTED for what there was."""
    return REDACTED if text else text
