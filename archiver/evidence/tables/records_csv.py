"""records.csv: a row a record, in the columns named here and no others, so that nothing comes along unseen.

Lists in a cell are parted by `; `. Times are in UTC, and where the column says so as UK clocks showed them.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from archiver.evidence.model import Exhibit, ModerationNote, Production
from archiver.evidence.public import for_public
from archiver.evidence.tables.cells import (
    CsvRows,
    joined,
    medium_in_words,
    number,
    person_in_words,
    uk,
    utc,
)
from archiver.evidence.tables.summary import Summary, alt_text_of, summary_of, version_count
from archiver.register import compose

COLUMNS: Final = (
    "exhibit", "file_stem", "platform", "kind", "id", "url", "account", "account_handle", "author_id",
    "author_handle", "author_name", "posted_at", "posted_at_uk", "captured_first_at", "captured_last_at",
    "last_seen_at", "found_missing_at", "found_missing_how", "deleted_at", "seen_again_at", "text",
    "text_is_cut", "alt_text", "language", "client", "in_reply_to_id", "in_reply_to_handle", "quote_of_id",
    "repost_of_id", "repost_of_handle", "conversation_id", "people", "facts", "links", "media_files",
    "versions", "likes", "reposts", "moderation_records", "sha256", "archive", "capture", "redacted",
)  # fmt: skip
PUBLIC_COLUMNS: Final = (
    "exhibit", "file_stem", "platform", "kind", "id", "url", "account_handle", "author", "posted_at",
    "posted_at_uk", "captured_first_at", "found_missing_at", "found_missing_how", "text", "text_is_cut",
    "alt_text", "language", "links", "media_files", "versions", "likes", "reposts", "moderation", "redacted",
)  # fmt: skip
"""What a pack for the public says: nothing that names anybody but the archived account, and neither hashes
nor places in the vault."""
Cells = list[str]


def csv_records(production: Production, exhibits: Iterable[Exhibit]) -> Iterator[bytes]:
    """The file, header first. Of a record with several versions the newest, which says how many there are.
    Of a pack for the public other columns, of what `for_public` leaves of each exhibit."""
    row = CsvRows()
    if production.public:
        yield row(PUBLIC_COLUMNS)
        for exhibit in exhibits:
            yield row(_public_cells(for_public(exhibit)))
    else:
        yield row(COLUMNS)
        for exhibit in exhibits:
            yield row(_cells(exhibit))


def _cells(exhibit: Exhibit) -> Cells:
    shown = summary_of(exhibit)
    author = shown.author
    return [
        exhibit.reference, exhibit.stem, exhibit.platform, exhibit.kind, exhibit.id,
        exhibit.url or (shown.item and shown.item.item_url) or "", exhibit.account,
        exhibit.account_handle or "", author.id or "", author.handle or "", author.name or "",
        utc(shown.posted_ms), uk(shown.posted_ms), *_times(exhibit), shown.text, *_of_version(shown),
        joined(map(medium_in_words, shown.media)), number(version_count(exhibit)), *_counts(shown),
        joined(note.record_id for note in exhibit.moderation), *_places(exhibit, shown), _redacted(exhibit),
    ]  # fmt: skip


def _times(exhibit: Exhibit) -> Cells:
    """From captured_first_at to seen_again_at; of several notices of absence the last."""
    captured = exhibit.captured
    first, last = (min(captured), max(captured)) if captured else (None, None)
    cells = [utc(first), utc(last), utc(exhibit.last_seen_ms)]
    if not exhibit.gone:
        return [*cells, "", "", "", ""]
    gone = exhibit.gone[-1]
    return [*cells, utc(gone.noticed_ms), gone.how, utc(gone.deleted_ms), utc(gone.back_ms)]


def _of_version(shown: Summary) -> Cells:
    """From text_is_cut to links."""
    version = shown.version
    if version is None:
        return ["", "", shown.language or "", *[""] * 10]
    people = [f"{one.role} {person_in_words(one)}".strip() for one in version.people]
    return [
        "true" if version.truncated else "false", alt_text_of(version), version.language or "",
        version.client or "", version.in_reply_to_id or "", version.in_reply_to_handle or "",
        version.quote_of_id or "", version.repost_of_id or "", version.repost_of_handle or "",
        version.conversation_id or "", joined(people), _facts(shown), _links(shown),
    ]  # fmt: skip


def _facts(shown: Summary) -> str:
    facts = shown.version.facts if shown.version is not None else ()
    return joined([f"{name}: {value}" for name, value in facts])


def _links(shown: Summary) -> str:
    """Where each leads, or as it stood where nobody knows."""
    links = shown.version.links if shown.version is not None else ()
    return joined([one.expanded or one.short for one in links])


def _counts(shown: Summary) -> Cells:
    version = shown.version
    return ["", ""] if version is None else [number(version.like_count), number(version.repost_count)]


def _places(exhibit: Exhibit, shown: Summary) -> Cells:
    """sha256, archive and capture."""
    version = shown.version
    if version is not None:
        hashes = joined([one.sha256 for one in version.originals])
        return [hashes, version.archive, version.capture.name]
    of_moderation = (one for note in exhibit.moderation[:1] for one in note.archives)
    return ["", joined(dict.fromkeys((*of_moderation, *(one.archive for one in exhibit.gone)))), ""]


def _redacted(exhibit: Exhibit) -> str:
    return joined([f"{one.what}: {one.reason}" for one in exhibit.redactions])


# For the public


def _public_cells(exhibit: Exhibit) -> Cells:
    """Of an exhibit that `for_public` made."""
    shown = summary_of(exhibit)
    first, _, _, missing_at, missing_how, *_ = _times(exhibit)
    is_cut, alt_text, language, *_ = _of_version(shown)
    author = shown.author.handle or shown.author.name or ""
    return [
        exhibit.reference, exhibit.stem, exhibit.platform, exhibit.kind, exhibit.id, exhibit.url or "",
        exhibit.account_handle or "", author, utc(shown.posted_ms), uk(shown.posted_ms), first, missing_at,
        missing_how, shown.text, is_cut, alt_text, language, _links(shown),
        joined(map(medium_in_words, shown.media)), number(version_count(exhibit)), *_counts(shown),
        joined(map(_dealt_with, exhibit.moderation)), _redacted(exhibit),
    ]  # fmt: skip


def _dealt_with(note: ModerationNote) -> str:
    """What was done and for which reasons, as `hidden, unhidden (abusive)`."""
    if not note.entries:
        return ""
    record = compose(note.entries)
    reasons = ", ".join(record.now.reason_codes)
    return f"{', '.join(record.actions)} ({reasons})" if reasons else ", ".join(record.actions)
