"""What a flat row says of an exhibit, be it a record of a platform, a moderation record, or the notice that
something is missing."""

from typing import Final, NamedTuple

from archiver.evidence.model import Exhibit, Medium, Person, ShownVersion
from archiver.records import Moderation
from archiver.register import compose

POST_KINDS: Final = frozenset({"post", "reply", "repost", "quote"})
_NOBODY: Final = Person()


class Summary(NamedTuple):
    """An exhibit as it stands: its newest version, or what a moderation record's entries say together of the
    item that was dealt with. Of what only a notice of its absence is held of, all is empty."""

    version: ShownVersion | None
    item: Moderation | None
    author: Person
    posted_ms: int | None
    text: str
    alt_text: str
    language: str | None
    media: tuple[Medium, ...]


def summary_of(exhibit: Exhibit) -> Summary:
    version = exhibit.now
    if version is not None:
        return Summary(
            version, None, version.author, version.posted_ms, version.text, alt_text_of(version),
            version.language, version.media,
        )  # fmt: skip
    note = exhibit.moderation[0] if exhibit.kind == "moderation" and exhibit.moderation else None
    if note is None or not note.entries:
        return Summary(None, None, _NOBODY, None, "", "", None, ())
    item = compose(note.entries).now
    author = Person(item.author_id, item.author_handle, item.author_name)
    return Summary(None, item, author, item.posted_ms, item.text or "", "", item.language, note.media)


def alt_text_of(version: ShownVersion) -> str:
    """What describes its pictures, a line each."""
    if version.alt_text is not None or not version.media:
        return version.alt_text or ""
    return "\n".join([one.alt_text for one in version.media if one.alt_text])


def held_media(exhibit: Exhibit) -> list[Medium]:
    """Every picture and video that the pack holds of it, once: those of the newest version, of the others,
    and of moderation records about it. Their places in this list number them in all tables."""
    if not exhibit.moderation and len(exhibit.versions) < 2:
        media = exhibit.versions[0].media if exhibit.versions else ()
    else:
        now = exhibit.now
        newest_first = [*([now] if now is not None else []), *exhibit.versions]
        of_versions = [medium for one in newest_first for medium in one.media]
        media = (*of_versions, *[medium for one in exhibit.moderation for medium in one.media])
    by_path: dict[str, Medium] = {}
    for one in media:
        if one.path is not None:
            by_path.setdefault(one.path, one)
    return [*by_path.values()]


def version_count(exhibit: Exhibit) -> int:
    """How often the record was captured saying something new; of a moderation record its entries."""
    if exhibit.kind == "moderation":
        return sum(len(note.entries) for note in exhibit.moderation[:1])
    own = sum(1 for one in exhibit.versions if not one.again)
    return own or len(exhibit.versions[:1])


def fact(version: ShownVersion, *names: str) -> str:
    """What the first of a version's further fields with one of these names says; empty without."""
    return next((value for name, value in version.facts if name.casefold().replace("_", " ") in names), "")


def is_gone(exhibit: Exhibit) -> bool:
    """Whether it was found missing, and not there again since."""
    return bool(exhibit.gone) and exhibit.gone[-1].back_ms is None
