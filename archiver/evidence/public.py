"""Exhibits for publication: without what identifies anybody but the archived account itself.

What is kept is listed here, field by field; what is not listed is not published, a field that the model gets
later included. Everybody who is not the account is "member of the public": their ids, handles and names go,
wherever the exhibit has them, and so does what leads to them:

- ids and addresses of posts, but of the account's own that answer, quote and repost nobody;
- what a post answers, quotes or reposts, conversations (X makes the ids of private ones of the two people's),
  whom a message or a relation names, lists that others made;
- in texts and descriptions of pictures @names, e-mail addresses, links to profiles and posts of others and
  those that do not say where they lead, and everybody's name whom the exhibit knows; in texts that others
  wrote also every other link and every telephone number;
- pictures of others, screenshots, and pictures whose file is called after somebody;
- of moderation records everything but what was done when and for which coded reasons: staff stay unnamed;
- how it was captured, where it lies in the vault, hashes, and which program somebody wrote it with.

Beyond a program is: a name in a text that the exhibit does not know, be it in a hashtag or in a quotation;
what pictures show; somebody who is known by what is told of them; and that a text, looked up word for word,
leads to whoever wrote it. So a person reads all of it before it is published, and takes out the rest by
rules.
"""

import re
from collections.abc import Iterator
from typing import Final

from archiver.evidence.model import (
    Capture,
    Exhibit,
    GoneNotice,
    Medium,
    ModerationNote,
    Person,
    Redaction,
    ShownLink,
    ShownVersion,
    ThreadLine,
)
from archiver.evidence.public_people import MEMBER_OF_THE_PUBLIC, Known, known_of
from archiver.evidence.public_texts import Cleaner
from archiver.records import Moderation
from archiver.search.record.differences import Change, Piece, compare_texts

REMOVED: Final = "[removed]"
"""An id that is left out."""
WITHHELD: Final = "left out of what is published"
"""Why a picture is missing."""
_OWN_KINDS: Final = frozenset({"post", "reply", "quote", "message", "account"})
"""Kinds whose text is the author's. A repost's is somebody else's, and so is a liked post's."""
_OWN_LISTS: Final = frozenset({"list_created"})
_CHANGES: Final = frozenset({"posted_ms", "like_count", "repost_count", "truncated", "language", "kind"})
_PROFILE_CHANGES: Final = frozenset({"bio", "website", "location", "name", "handle"})
_FACTS: Final = frozenset(
    {
        "name", "handle", "bio", "description", "website", "location", "created", "created at", "verified",
        "protected", "changed at", "changed from", "changed to", "time", "action", "label",
    }
)  # fmt: skip
"""Of the account's own profile. Who manages it is somebody else."""
_CODE: Final = re.compile(r"[a-z_]{1,40}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}")


def for_public(exhibit: Exhibit) -> Exhibit:
    """The exhibit as it may be shown to anybody, after a person has read it. Of what this made it makes
    the same again."""
    return _Public(exhibit).exhibit()


class _Public:
    """One exhibit, and what is known of the people in it."""

    def __init__(self, exhibit: Exhibit) -> None:
        self._from = exhibit
        self._known: Known = known_of(exhibit)
        self._clean = Cleaner(self._known)

    def exhibit(self) -> Exhibit:
        old = self._from
        versions = tuple([self._version(one) for one in old.versions if not one.again or one is old.now])
        own = old.kind == "moderation" or self._is_plain(old)
        return Exhibit(
            number=old.number,
            reference=old.reference,
            stem=old.stem,
            platform=old.platform,
            account=old.account,
            account_handle=self._known.own_handle(old.account_handle),
            kind=old.kind,
            id=old.id if own and not self._clean.finds(old.id) else REMOVED,
            url=self._clean.own_address(old.url) if own else None,
            versions=versions,
            captured=old.captured,
            last_seen_ms=old.last_seen_ms,
            gone=tuple([self._gone(one) for one in old.gone]),
            thread=tuple([self._line(one) for one in old.thread]),
            more_before=old.more_before,
            more_after=old.more_after,
            moderation=tuple([self._note(one) for one in old.moderation]),
            redactions=tuple([Redaction(one.what, self._clean.names(one.reason)) for one in old.redactions]),
        )

    def _is_plain(self, exhibit: Exhibit) -> bool:
        """Whether its id leads to nobody else: the page of an answer shows what it answers, and the address
        of a repost is that of the post."""
        now = exhibit.now
        return now is not None and self._known.is_own(now.author) and exhibit.kind in ("post", "account")

    # Versions

    def _version(self, old: ShownVersion) -> ShownVersion:
        is_own = self._is_own_text(old)
        facts = self._facts(old) if is_own and old.kind == "account" else ()
        return ShownVersion(
            archive="",
            manifest_sha256=None,
            kind=old.kind,
            version=old.version,
            author=self._person(old.author),
            captured_ms=old.captured_ms,
            posted_ms=old.posted_ms,
            text=self._text(old, is_own),
            capture=self._capture(old.capture),
            alt_text=self._clean(old.alt_text, is_own) if is_own and old.alt_text else None,
            language=old.language if old.language and _LANGUAGE.fullmatch(old.language) else None,
            like_count=old.like_count,
            repost_count=old.repost_count,
            truncated=old.truncated,
            media=tuple([self._medium(one, is_own) for one in old.media]),
            links=tuple(self._links(old)) if is_own else (),
            people=tuple([self._person(one) for one in old.people]),
            hashtags=tuple([self._clean(one, is_own) for one in old.hashtags]) if is_own else (),
            mentions=tuple([self._person(one) for one in old.mentions]),
            facts=facts,
            changed_text=self._changed_text(old, is_own),
            changes=tuple(self._changes(old, is_own)),
        )

    def _is_own_text(self, version: ShownVersion) -> bool:
        if version.kind in _OWN_LISTS:
            return True
        return version.kind in _OWN_KINDS and self._known.is_own(version.author)

    def _text(self, version: ShownVersion, is_own: bool) -> str:
        """Of a person or of somebody else's list the text is a name and what describes them."""
        if self._known.is_relation(version.kind) and version.kind not in (*_OWN_LISTS, "like"):
            return REMOVED if version.text else ""
        return self._clean(version.text, is_own, version.links)

    def _facts(self, version: ShownVersion) -> tuple[tuple[str, str], ...]:
        return tuple(
            (name, self._clean(value, True))
            for name, value in version.facts
            if name.casefold().replace("_", " ") in _FACTS
        )

    def _links(self, version: ShownVersion) -> Iterator[ShownLink]:
        for link in version.links:
            if link.expanded and self._clean.may_lead_to(link.expanded):
                yield ShownLink(self._clean.names(link.short), self._clean.names(link.expanded))

    def _changed_text(self, version: ShownVersion, is_own: bool) -> tuple[Piece, ...]:
        """Compared anew: what is taken out of a text may lie across several pieces of it."""
        if not version.changed_text:
            return ()
        if self._known.is_relation(version.kind):
            return ()
        sides = (
            self._clean(
                "".join(one.text for one in version.changed_text if one.kind != left_out),
                is_own,
                version.links,
            )
            for left_out in ("added", "removed")
        )
        return tuple(compare_texts(*sides))

    def _changes(self, version: ShownVersion, is_own: bool) -> Iterator[Change]:
        named = _CHANGES | _PROFILE_CHANGES if is_own and version.kind == "account" else _CHANGES
        for change in version.changes:
            if change.name in named:
                before, after = (self._value(one) for one in (change.before, change.after))
                yield Change(change.name, before, after)

    def _value(self, value: object) -> object:
        """Numbers as they are; of anything else but text nothing."""
        if isinstance(value, str):
            return self._clean(value, True)
        return value if isinstance(value, int | float) else None

    def _capture(self, old: Capture) -> Capture:
        """When and by which route, which is the account's own affair; not what was asked for."""
        return Capture(
            name=old.name, source=old.source, route=old.route, platform=old.platform,
            account=self._from.account, handle=self._known.own_handle(old.handle), request="", body_kind="",
            layout="", fetched_ms=old.fetched_ms, taken_ms=old.taken_ms, status=None, headers=None,
            body_size=None, body_sha256=None, source_sha256=None, tool="", configuration="", archive="",
        )  # fmt: skip

    def _medium(self, old: Medium, is_own: bool) -> Medium:
        named = f"{old.file_name or ''} {old.path or ''} {old.missing or ''}"
        if not is_own or self._clean.finds(named):
            return Medium(media_type=old.media_type, missing=WITHHELD)
        return Medium(
            media_type=old.media_type,
            file_name=old.file_name,
            mime_type=old.mime_type,
            alt_text=self._clean(old.alt_text, True) if old.alt_text else None,
            size=old.size,
            path=old.path,
            missing=old.missing,
        )

    # Around them

    def _person(self, old: Person) -> Person:
        role = self._clean.names(old.role)
        if self._known.is_own(old):
            return Person(old.id, self._known.own_handle(old.handle), old.name, role)
        if not (old.id or old.handle or old.name):
            return Person(role=role)
        return Person(name=MEMBER_OF_THE_PUBLIC, role=role)

    def _gone(self, old: GoneNotice) -> GoneNotice:
        return GoneNotice(
            noticed_ms=old.noticed_ms,
            how=self._clean(old.how, False),
            deleted_ms=old.deleted_ms,
            archive="",
            back_ms=old.back_ms,
        )

    def _line(self, old: ThreadLine) -> ThreadLine:
        is_own = old.kind in _OWN_KINDS and self._known.is_own(old.author)
        keeps_id = is_own and old.kind == "post" and not self._clean.finds(old.id)
        return ThreadLine(
            id=old.id if keeps_id else REMOVED,
            author=self._person(old.author),
            posted_ms=old.posted_ms,
            kind=old.kind,
            text=self._clean(old.text, is_own),
            is_cut=old.is_cut,
            is_record=old.is_record,
            exhibit=old.exhibit,
        )

    def _note(self, old: ModerationNote) -> ModerationNote:
        return ModerationNote(
            record_id=self._clean.names(old.record_id),
            entries=tuple([self._entry(one) for one in old.entries]),
            archives=(None,) * len(old.archives),
            media=tuple([Medium(media_type=one.media_type, missing=WITHHELD) for one in old.media]),
        )

    def _entry(self, old: Moderation) -> Moderation:
        is_own = self._known.is_own(Person(old.author_id, old.author_handle, old.author_name))
        return Moderation(
            id=self._clean.names(old.id),
            record_id=self._clean.names(old.record_id),
            number=old.number,
            entry=old.entry,
            entered_ms=old.entered_ms,
            entered_by="",
            platform=old.platform,
            account=self._from.account,
            item_type=old.item_type,
            content=old.content,
            author_name=None if old.author_name is None or is_own else MEMBER_OF_THE_PUBLIC,
            posted_ms=old.posted_ms,
            text=None if old.text is None else self._clean(old.text, is_own),
            reason_codes=tuple([one for one in old.reason_codes if _CODE.fullmatch(one)]),
            action=old.action,
            state=old.state,
            action_ms=old.action_ms,
            until_ms=old.until_ms,
            appeal_received_ms=old.appeal_received_ms,
            appeal_decided_ms=old.appeal_decided_ms,
            appeal_outcome=old.appeal_outcome,
        )
