"""One exhibit without what is to be taken out: its texts, and then what would tell them all the same, as
verbatim bytes, captures, what changed between two versions, a text that was cut within a name."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from archiver.evidence.model import (
    REDACTED,
    Capture,
    Exhibit,
    GoneNotice,
    Medium,
    ModerationNote,
    Original,
    Redaction,
    ShownVersion,
    ThreadLine,
)
from archiver.evidence.redaction.compiling import Compiled, WantedRecord
from archiver.evidence.redaction.finding import merged
from archiver.evidence.redaction.folding import fold, fold_mapped
from archiver.evidence.redaction.learning import replaced
from archiver.evidence.redaction.rules import Rule
from archiver.evidence.redaction.walking import Walker
from archiver.records import Attachment, Moderation
from archiver.search.record.differences import Piece, compare_texts

_LEAST_CUT: Final = 3
"""Letters of a name at the end of a text that was cut, from which on it is taken for the name's beginning."""
Holds = Callable[[str], set[int]]
"""The rules of what is in the bytes of a file of the pack, by its path there."""


class ExhibitRedactor:
    """Redacts one exhibit by compiled rules. `holds` looks into the bytes of originals and captures."""

    def __init__(self, compiled: Compiled, rules: Sequence[Rule], holds: Holds | None) -> None:
        self._compiled = compiled
        self._by_number = {rule.number: rule for rule in rules}
        self._walker = Walker(compiled, {rule.number: rule.reason for rule in rules})
        self._holds = holds
        self._of_bytes: set[int] = set()
        self._is_touched = False
        """Something was taken out of a version: its pictures may show it."""

    @property
    def rules(self) -> set[int]:
        """The rules that took something out."""
        return self._walker.rules | self._of_bytes

    def redact(self, exhibit: Exhibit) -> Exhibit:
        """The exhibit without it, saying what was taken out; the same object where nothing was."""
        known = self._records(exhibit)
        pairs = zip(exhibit.versions, known.versions, strict=True)
        versions = tuple(self._version(before, after) for before, after in pairs)
        if self._is_touched:
            versions = tuple(replaced(one, media=_without_files(one.media)) for one in versions)
        found: Exhibit = self._walker.walk(replaced(known, versions=()))
        found = replaced(
            found,
            versions=versions,
            thread=tuple(self._line(line) for line in found.thread),
            gone=tuple(map(self._notice, exhibit.gone, found.gone)),
            moderation=tuple(map(self._bytes_of_note, exhibit.moderation, found.moderation)),
        )
        found = self._address(exhibit, found)
        if self.rules:
            moderation = tuple(self._note(one) for one in found.moderation)
            found = replaced(found, moderation=moderation, redactions=self._said(found))
        return exhibit if found == exhibit else found

    def _said(self, exhibit: Exhibit) -> tuple[Redaction, ...]:
        said = list(exhibit.redactions)
        for number in sorted(self.rules):
            rule = self._by_number[number]
            said.append(Redaction(rule.what, self._compiled.finder.clean(rule.reason).text))
        return tuple(dict.fromkeys(said))

    def _address(self, before: Exhibit, after: Exhibit) -> Exhibit:
        """No address where it says or leads to what was taken out."""
        leads = after.id != before.id or (after.url or "") != (before.url or "")
        found: Exhibit = replaced(after, url=None) if leads else after
        return found

    def _note(self, note: ModerationNote) -> ModerationNote:
        """Hashes of captures that hold the item would confirm a guess of what was in it."""
        entries = tuple(replaced(one, context_sha256=()) for one in note.entries)
        found: ModerationNote = replaced(note, entries=entries)
        return found

    # Records that rules name

    def _records(self, exhibit: Exhibit) -> Exhibit:
        wanted = self._compiled.records
        if not wanted:
            return exhibit
        own = wanted.get(exhibit.id)
        versions = tuple(
            self._record_version(one, exhibit, own or wanted.get(one.repost_of_id or ""))
            for one in exhibit.versions
        )
        thread = tuple(self._record_line(one, wanted.get(one.id)) for one in exhibit.thread)
        moderation = tuple(
            replaced(note, entries=tuple(self._record_entry(one) for one in note.entries))
            for note in exhibit.moderation
        )
        found: Exhibit = replaced(exhibit, versions=versions, thread=thread, moderation=moderation)
        return found

    def _record_version(
        self, version: ShownVersion, exhibit: Exhibit, wanted: WantedRecord | None
    ) -> ShownVersion:
        if wanted is None:
            return version
        text = self._without(version.text, wanted)
        found: ShownVersion = replaced(version, text=text)
        if wanted.is_whole and version.text and exhibit.id == wanted.rule.values[0]:
            found = replaced(
                found, links=(), hashtags=(), mentions=(), changed_text=(), facts=_all_gone(version.facts),
                changes=tuple(
                    one._replace(before=one.before and REDACTED, after=one.after and REDACTED)
                    for one in version.changes
                ),
            )  # fmt: skip
        return found

    def _record_line(self, line: ThreadLine, wanted: WantedRecord | None) -> ThreadLine:
        found: ThreadLine = (
            line if wanted is None else replaced(line, text=self._without(line.text, wanted, line.is_cut))
        )
        return found

    def _record_entry(self, entry: Moderation) -> Moderation:
        wanted = self._compiled.records.get(entry.item_id or "")
        if wanted is None or not entry.text:
            return entry
        found: Moderation = replaced(entry, text=self._without(entry.text, wanted))
        return found

    def _without(self, text: str, wanted: WantedRecord, is_cut: bool = False) -> str:
        """A text of the record without what its rule names. The newest one by its characters; in any other
        the same words, and all of it where they may be there in part."""
        if not text or text == REDACTED:
            return text
        if wanted.is_whole or wanted.learned.newest is None or is_cut:
            found = REDACTED
        else:
            found = text
            if text == wanted.learned.newest:
                for start, end in reversed(list(merged(wanted.rule.spans))):
                    found = found[:start] + REDACTED + found[end:]
            found = _without_parts(found, wanted.learned.parts)
        if found != text:
            self._walker.rules.add(wanted.rule.number)
        return found

    # Versions

    def _version(self, before: ShownVersion, known: ShownVersion) -> ShownVersion:
        """A version as it was, and without what records' rules name; what comes out."""
        found: ShownVersion = self._walker.walk(replaced(known, changed_text=()))
        found = self._alt_texts(before, found)
        if before.truncated:
            found = replaced(found, text=self._without_cut(found.text))
        found = replaced(found, changed_text=self._pieces(known.changed_text))
        touched = found != before
        found = replaced(
            found,
            originals=tuple(self._original(one, touched) for one in found.originals),
            capture=self._capture(before.capture, found.capture, touched),
        )
        self._is_touched |= touched or found.originals != before.originals
        return before if found == before else found

    def _line(self, line: ThreadLine) -> ThreadLine:
        found: ThreadLine = replaced(line, text=self._without_cut(line.text)) if line.is_cut else line
        return found

    def _alt_texts(self, before: ShownVersion, after: ShownVersion) -> ShownVersion:
        """The line for a picture that was taken out, of those for all pictures."""
        gone = {one.alt_text for one in before.media if self._walker.rule_of_medium(one) is not None}
        if not gone or not before.alt_text:
            return after
        text = _without_parts(before.alt_text, {one for one in gone if one})
        found: ShownVersion = replaced(after, alt_text=self._walker.text(text))
        return found

    def _pieces(self, pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
        """What changed, compared again without it: a name may be in two pieces, or one of them tell it."""
        old = "".join(one.text for one in pieces if one.kind != "added")
        new = "".join(one.text for one in pieces if one.kind != "removed")
        cleaned = self._walker.text(old), self._walker.text(new)
        telling = [one.text for one in pieces if self._walker.text(one.text) != one.text]
        if cleaned == (old, new) and not telling:
            return pieces
        found = tuple(compare_texts(*cleaned))
        if all(self._walker.text(one.text) == one.text for one in found) and not any(
            text in one.text for one in found for text in telling
        ):
            return found
        return Piece("removed", REDACTED), Piece("added", REDACTED)

    def _without_cut(self, text: str) -> str:
        """A text that was cut, without the beginning of a name at its end."""
        body = text.rstrip(" .…\n")
        if body.endswith(REDACTED):
            return text
        folded, starts, _ = fold_mapped(body)
        for needle in self._compiled.finder.needles:
            raw = fold(needle.raw).strip().lstrip("@")
            for length in range(min(len(raw) - 1, len(folded)), _LEAST_CUT - 1, -1):
                at = len(folded) - length
                if folded.endswith(raw[:length]) and not (at and folded[at - 1].isalnum()):
                    self._walker.rules.add(needle.rule)
                    return body[: starts[at]] + REDACTED + text[len(body) :]
        return text

    # Bytes

    def _notice(self, before: GoneNotice, after: GoneNotice) -> GoneNotice:
        """That a record is gone, without the bytes that say so where the record itself was redacted."""
        touched = self._is_touched or after != before
        original = None if after.original is None else self._original(after.original, touched)
        capture = after.capture
        if before.capture is not None and capture is not None:
            capture = self._capture(before.capture, capture, touched)
        found: GoneNotice = replaced(after, original=original, capture=capture)
        return found

    def _bytes_of_note(self, before: ModerationNote, after: ModerationNote) -> ModerationNote:
        """A moderation record without its bytes and pictures where something was taken out of it: what is in
        no text, a screenshot shows."""
        touched = after != before
        originals = tuple(self._original(one, touched) for one in after.originals)
        found: ModerationNote = replaced(after, originals=originals)
        if touched or originals != before.originals:
            entries = tuple(
                replaced(one, attachments=_without_files(one.attachments)) for one in after.entries
            )
            found = replaced(found, media=_without_files(after.media), entries=entries)
        return found

    def _original(self, original: Original, touched: bool) -> Original:
        """Without its bytes, its hash and its size where anything of the version was taken out, or its bytes
        hold something. Whoever guesses a name can make the bytes with it, and the hash would say that the
        guess is right; so would the size, of how long it is."""
        if original.path is None and original.sha256 == REDACTED:
            return original
        if not touched and not self._in_bytes(original.path, count=True):
            return original
        found: Original = replaced(original, path=None, sha256=REDACTED, size=0)
        return found

    def _capture(self, before: Capture, after: Capture, touched: bool) -> Capture:
        """The same for a capture: all of it where one record in it holds something."""
        if before.path is None and before.body_sha256 is None:
            return after
        is_named = before.name in self._compiled.captures
        if not (touched or is_named or self._in_bytes(before.path, count=False)):
            return after
        found: Capture = replaced(after, path=None, body_sha256=None, body_size=None)
        return found

    def _in_bytes(self, path: str | None, *, count: bool) -> bool:
        if path is None or self._holds is None:
            return False
        rules = self._holds(path)
        if count:
            self._of_bytes |= rules
        return bool(rules)


def _without_files(media: tuple[Any, ...]) -> tuple[Any, ...]:
    """Pictures, videos and attachments of what was redacted, without their hashes and what leads to them."""
    return tuple(map(_without_file, media))


def _without_file(one: Medium | Attachment) -> Any:
    fields: dict[str, Any] = {
        "sha256": None, "url": one.url and REDACTED, "file_name": one.file_name and REDACTED,
        "missing": one.missing or "redacted with its record",
    }  # fmt: skip
    return replaced(one, **(fields | {"path": None, "size": None} if isinstance(one, Medium) else fields))


def _without_parts(text: str, parts: Iterable[str]) -> str:
    """Without any of these, wherever they stand; what was taken out before stays as it is."""
    longest_first = sorted(filter(None, parts), key=lambda one: (-len(one), one))
    if not longest_first:
        return text
    pattern = re.compile("|".join(map(re.escape, longest_first)))
    return REDACTED.join(pattern.sub(lambda match: REDACTED, one) for one in text.split(REDACTED))


def _all_gone(facts: tuple[tuple[str, str], ...]) -> tuple[tuple[str, Any], ...]:
    return tuple((name, REDACTED) for name, _ in facts)
