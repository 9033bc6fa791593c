"""Building one segment in memory: records in, Zstandard frames of a finished database out.

Rows go in first, in order of time posted, then the full-text indexes are merged, then the verbatim
parts follow. So what a search reads lies together, and the database needs no VACUUM.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib import resources
from typing import Any, NamedTuple, cast

import apsw
import msgspec
import Stemmer

from archiver.archive.segment_file import GrowingFile
from archiver.archive.tokenizer import TOKENIZER
from archiver.archive.vfs import SegmentDatabase
from archiver.records import (
    Account,
    Attachment,
    Gone,
    Link,
    MediaReference,
    Message,
    Moderation,
    Person,
    Post,
    Record,
    Relation,
)

SCHEMA_VERSION = 4
"""2 added the tables `person` and `again`, 3 `moderation`, 4 the indexes of replies and conversations."""
NAMES_PEOPLE = 2
APPLICATION_ID = 0x61726368
"""The letters `arch`, at byte 68 of the database (SQLite, "Database File Format", 1.3.17)."""

PAGE_BYTES = 64 * 1024
"""A frame's size, so that one read of the database is one frame. With pages of 4 KiB building took a fifth
longer, as each page passes through Python."""
CACHE_BYTES = 16 * 1024 * 1024
HOT_BYTES = 32 * 1024 * 1024
LEVEL = 1
"""Of Zstandard. On 1M posts level 3 made segments 3 % smaller and compressing twice as slow."""
_BATCH = 1000


class Place(NamedTuple):
    """Where verbatim bytes lie: part, offset and length in bytes."""

    part: int
    offset: int
    length: int


class MediaPlace(NamedTuple):
    """Where a media file lies, or why it is missing."""

    sha256: str | None
    size: int | None
    archive: str | None
    pack: str | None
    offset: int | None
    missing: str | None


NOT_CAPTURED = "not captured"
"""Why a file is missing of which nothing else is known."""
FindMedia = Callable[[str, str], MediaPlace]
"""(account, file name) to the place of a media file."""


def read_schema(name: str) -> str:
    """The text of schema.sql or indexes.sql."""
    text = resources.files("archiver.archive").joinpath(name).read_text("utf-8")
    return text.replace("={tokenizer}", f"={TOKENIZER}")


_COLUMNS = {
    "post": 30,
    "hashtag": 3,
    "mention": 5,
    "link": 6,
    "message": 14,
    "relation": 14,
    "gone": 11,
    "account": 16,
    "media": 14,
    "record_capture": 6,
    "person": 7,
    "again": 2,
    "moderation": 62,
}
"""Tables whose rows come with the records, and how many columns each has."""
_POSTED = {"post": 9, "message": 6}
_REVISED = {"post": 4, "message": 3}
"""In rows of these: where the time posted is, and the version."""
_SEARCHED = {"post": "post_fts", "message": "message_fts", "relation": "relation_fts"}
Row = tuple[object, ...]


class SegmentBuilder:
    """One segment under construction. Add records in order of time posted, `finish_rows`, add the parts
    they lie in, then take `frames`."""

    def __init__(self, find_media: FindMedia, *, language: str, schema: int = SCHEMA_VERSION) -> None:
        """`schema`: of an earlier version, for what is sealed again; it has no rows that this one did not
        make."""
        self._file = GrowingFile(hot_bytes=HOT_BYTES, level=LEVEL)
        self._database = SegmentDatabase.create(self._file, page_bytes=PAGE_BYTES, cache_bytes=CACHE_BYTES)
        self.connection = self._database.connection
        self.connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        self.connection.execute(f"PRAGMA user_version={schema}")
        self.connection.execute(read_schema("schema.sql"))
        self._without = {"person"} if schema < NAMES_PEOPLE else set()
        for table in self._without:  # its page is used again at once
            self.connection.execute(f"DROP TABLE {table}")
        self.connection.execute("BEGIN")
        self._find_media = find_media
        self._language = language
        self._rows: dict[str, list[Row]] = {table: [] for table in _COLUMNS}
        self._keys = dict.fromkeys(_COLUMNS, 0)
        self._waiting = 0
        self.counts: dict[str, int] = {}
        self.revised = 0
        self.again = 0
        self.gone: dict[str, int] = {}
        self.posted_from: int | None = None
        self.posted_to: int | None = None

    @property
    def size(self) -> int:
        """Bytes of the plain database so far."""
        return self._file.size

    def add(
        self,
        record: Record,
        version: int,
        place: tuple[int, int, int],
        joined: Sequence[Place] = (),
        *,
        again: bool = False,
    ) -> None:
        """Add one record with the place of its verbatim bytes, and of more that belong to it. `again`: it is
        no version of its own, having come another way before."""
        if type(record) is Post:
            table, key = "post", self._add_post(record, version, place)
        elif type(record) is Message:
            table, key = "message", self._add_message(record, version, place)
        elif type(record) is Relation:
            table, key = "relation", self._add_relation(record, version, place)
        elif type(record) is Moderation:
            table, key = "moderation", self._add_moderation(record, place)
        elif type(record) is Gone:
            table, key = "gone", self._next_key("gone")
            self._rows["gone"].append((key, *msgspec.structs.astuple(record), *place))
            self.gone[record.kind] = self.gone.get(record.kind, 0) + 1
        else:
            table, key = "account", self._add_account(cast(Account, record), version, place)
        if again:
            self.again += 1
            self._rows["again"].append((table, key))
        if joined:
            rows = self._rows["record_capture"]
            rows += [(table, key, position, *other) for position, other in enumerate(joined)]
        self._count_waiting()

    def copy_record(self, table: str, row: Row) -> int:
        """Add a record's row as another segment has it, its key first; the key that it has here."""
        key = self._next_key(table)
        self._rows[table].append((key, *row[1:]))
        if table in _POSTED:
            self._posted(cast(int, row[_POSTED[table]]))
            self.revised += row[_REVISED[table]] != 1 or (table == "post" and row[3] is not None)
        elif table == "gone":
            self.gone[str(row[4])] = self.gone.get(str(row[4]), 0) + 1
        self._count_waiting()
        return key

    def copy_below(self, table: str, row: Row) -> None:
        """Add a row that belongs to a record's, whose key here it has."""
        self._rows[table].append(row)
        self.again += table == "again"
        self._count_waiting()

    def _count_waiting(self) -> None:
        self._waiting += 1
        if self._waiting >= _BATCH:
            self.flush()

    def _next_key(self, table: str) -> int:
        key = self._keys[table] = self._keys[table] + 1
        return key

    def _posted(self, posted_ms: int) -> None:
        if self.posted_from is None or posted_ms < self.posted_from:
            self.posted_from = posted_ms
        if self.posted_to is None or posted_ms > self.posted_to:
            self.posted_to = posted_ms

    def _add_post(self, post: Post, version: int, place: tuple[int, int, int]) -> int:
        # Runs for every post: written for speed.
        rows = self._rows
        key = self._next_key("post")
        self._posted(post.posted_ms)
        platform_id, media = post.platform_id, post.media
        record_id = None if post.record_id == platform_id else post.record_id
        if version != 1 or record_id is not None:
            self.revised += 1
        alt_text = None
        if media:
            alt_text = "\n".join([one.alt_text for one in media if one.alt_text]) or None
            self._add_media("post", key, post.account, media)
        rows["post"].append(
            (
                key, post.platform, platform_id, record_id, version, post.account, post.author_id,
                post.author_handle, post.author_name, post.posted_ms, post.kind, post.text, alt_text,
                post.truncated, post.language, post.client, post.in_reply_to_id, post.in_reply_to_user_id,
                post.in_reply_to_handle, post.conversation_id, post.repost_of_id, post.repost_of_handle,
                post.quote_of_id, json.dumps(post.edit_ids) if len(post.edit_ids) > 1 else None,
                post.like_count, post.repost_count, post.audience, *place,
            )
        )  # fmt: skip
        if post.hashtags:
            rows["hashtag"] += [(key, position, tag) for position, tag in enumerate(post.hashtags)]
        if post.mentions:
            rows["mention"] += [
                (key, position, one.user_id, one.handle, one.name)
                for position, one in enumerate(post.mentions)
            ]
        if post.links:
            self._add_links("post", key, post.links)
        return key

    def _add_message(self, message: Message, version: int, place: tuple[int, int, int]) -> int:
        key = self._next_key("message")
        self.revised += version != 1
        self._posted(message.posted_ms)
        self._rows["message"].append(
            (
                key, message.platform, message.platform_id, version, message.account,
                message.conversation_id, message.posted_ms, message.kind, message.sender_id,
                message.recipient_id, message.text, *place,
            )
        )  # fmt: skip
        self._add_people("message", key, message.people)
        self._add_links("message", key, message.links)
        self._add_media("message", key, message.account, message.media)
        return key

    def _add_relation(self, relation: Relation, version: int, place: tuple[int, int, int]) -> int:
        key = self._next_key("relation")
        self._rows["relation"].append(
            (
                key, relation.platform, relation.platform_id, version, relation.account, relation.kind,
                relation.captured_ms, relation.created_ms, relation.expires_ms, relation.url,
                relation.text, *place,
            )
        )  # fmt: skip
        self._add_people("relation", key, relation.people)
        return key

    def _add_account(self, account: Account, version: int, place: tuple[int, int, int]) -> int:
        key = self._next_key("account")
        self._rows["account"].append(
            (
                key, account.platform, account.platform_id, account.aspect, account.captured_ms,
                account.handle, account.name, account.created_ms, account.bio, account.website,
                account.location, json.dumps(account.facts, ensure_ascii=False), version, *place,
            )
        )  # fmt: skip
        self._add_media("account", key, account.platform_id, account.media)
        return key

    def _add_moderation(self, entry: Moderation, place: tuple[int, int, int]) -> int:
        key = self._next_key("moderation")
        imported = entry.imported
        self._rows["moderation"].append(
            (
                key, entry.id, entry.record_id, entry.number, entry.entry, entry.schema_version,
                entry.corrects, entry.entry_note, _list(entry.cleared), entry.entered_ms, entry.entered_by,
                entry.platform,
                entry.account, entry.account_handle, entry.item_type, entry.item_id, entry.item_url,
                entry.content, entry.unseen, entry.author_id, entry.author_handle, entry.author_name,
                entry.posted_ms, entry.text, entry.language, _hashes(entry, "media"),
                _hashes(entry, "screenshot"), _list(entry.context_sha256), _list(entry.context_missing),
                entry.detected_ms, entry.detected_by, entry.detection, entry.house_rule,
                entry.house_rule_version, _list(entry.reason_codes), entry.reason_text, entry.legal_ground,
                entry.action, entry.state, entry.way, entry.action_ms, entry.action_by, entry.authorised_by,
                entry.until_ms, entry.outcome, entry.notified_ms, entry.notified_how, entry.not_notified,
                entry.escalated, entry.escalated_reference, entry.appeal_received_ms, entry.appeal_decided_by,
                entry.appeal_decided_ms, entry.appeal_outcome, entry.exhibit, entry.case,
                entry.retention_rule, entry.hold,
                None if imported is None else msgspec.json.encode(imported).decode(), *place,
            )
        )  # fmt: skip
        self._rows["media"] += [
            (
                "moderation", key, position, None,
                "screenshot" if one.role == "screenshot" else one.media_type, one.url, one.file_name,
                one.alt_text, *self._find_attachment(entry.account, one),
            )
            for position, one in enumerate(entry.attachments)
        ]  # fmt: skip
        return key

    def _find_attachment(self, account: str, one: Attachment) -> MediaPlace:
        """Where a file of an entry lies, if it is the one whose hash the entry has."""
        place = self._find_media(account, one.file_name)
        if place.sha256 is None:
            return place._replace(missing=one.missing or NOT_CAPTURED)
        if one.sha256 is not None and one.sha256 != place.sha256:
            return MediaPlace(None, None, None, None, None, "another file has its name")
        return place

    def _add_people(self, table: str, key: int, people: Sequence[Person]) -> None:
        self._rows["person"] += [
            (table, key, position, one.role, one.user_id, one.handle, one.name)
            for position, one in enumerate(people)
        ]

    def _add_links(self, table: str, key: int, links: Sequence[Link]) -> None:
        self._rows["link"] += [
            (table, key, position, link.short, link.expanded, link.display)
            for position, link in enumerate(links)
        ]

    def _add_media(self, table: str, key: int, account: str, media: Sequence[MediaReference]) -> None:
        self._rows["media"] += [
            (
                table, key, position, one.media_id, one.media_type, one.url, one.file_name, one.alt_text,
                *self._find_media(account, one.file_name),
            )
            for position, one in enumerate(media)
        ]  # fmt: skip

    def flush(self) -> None:
        """Write the rows that wait into their tables."""
        for table in self._without:
            self._rows[table].clear()
        for table, rows in self._rows.items():
            if rows:
                marks = ",".join("?" * _COLUMNS[table])
                self.connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608
                rows.clear()
        self._waiting = 0

    def finish_rows(self) -> None:
        """No more records: make the full-text indexes, the vocabulary and the other indexes."""
        self.flush()
        self.counts = {table: key for table, key in self._keys.items() if key}
        for table, index in _SEARCHED.items():
            if table in self.counts:
                # Indexing the rows in one go took three quarters of the time of indexing each as it came.
                self.connection.execute(f"INSERT INTO {index} ({index}) VALUES ('rebuild')")  # noqa: S608
                self.connection.execute(f"INSERT INTO {index} ({index}) VALUES ('optimize')")  # noqa: S608
        self._write_terms()
        self.connection.execute(read_schema("indexes.sql"))
        self._file.begin_bulk(int(self.connection.pragma("page_count")) * PAGE_BYTES)

    def _write_terms(self) -> None:
        """The words of all indexes. Short links leave a word of their own each, which nobody looks for by
        its form: words with a digit that one record has are left out."""
        for index in _SEARCHED.values():
            self.connection.execute(f"CREATE VIRTUAL TABLE temp.{index}_aux USING fts4aux (main, {index})")
        each = " UNION ALL ".join(
            f"SELECT term, documents, occurrences FROM temp.{index}_aux"  # noqa: S608
            " WHERE col = '*' AND (documents > 1 OR term NOT GLOB '*[0-9]*')"
            for table, index in _SEARCHED.items()
            if table in self.counts
        )
        if each:
            stem: Any = str if self._language == "none" else Stemmer.Stemmer(self._language).stemWord
            self.connection.create_scalar_function("stem", stem, 1, deterministic=True)
            self.connection.execute(
                "INSERT INTO term SELECT term, stem(term), sum(documents), sum(occurrences)"  # noqa: S608
                f" FROM ({each}) GROUP BY term ORDER BY term"
            )
        for index in _SEARCHED.values():
            self.connection.execute(f"DROP TABLE temp.{index}_aux")

    def add_capture(self, row: tuple[object, ...]) -> None:
        """Add a row of `capture`."""
        self.connection.execute(f"INSERT INTO capture VALUES ({','.join('?' * len(row))})", row)  # noqa: S608

    def add_part(self, part: int, capture: int, body: bytes) -> None:
        """Add verbatim bytes that the records' places refer to."""
        self.connection.execute("INSERT INTO capture_part VALUES (?,?,?)", (part, capture, body))

    def add_problems(self, rows: Sequence[Row]) -> None:
        """Add rows of `problem`, but for their keys."""
        self.connection.executemany("INSERT INTO problem VALUES (NULL,?,?,?,?,?,?)", rows)

    def add_meta(self, values: dict[str, str]) -> None:
        """Say what the segment is."""
        self.connection.executemany("INSERT INTO meta VALUES (?,?)", values.items())

    def frames(self) -> Iterator[tuple[bytes, int]]:
        """Finish the database; each of its frames, compressed, with its plain size."""
        self.connection.execute("COMMIT")
        self._database.close()
        return self._file.frames()

    def close(self) -> None:
        """Drop it, finished or not, and its memory: whoever made it may refer to it in a cycle."""
        with suppress(apsw.Error):
            self._database.close()
        self._file.release()
        for rows in self._rows.values():
            rows.clear()


def _list(values: Sequence[str]) -> str | None:
    return json.dumps(values, ensure_ascii=False) if values else None


def _hashes(entry: Moderation, role: str) -> str | None:
    return _list([one.sha256 for one in entry.attachments if one.role == role and one.sha256 is not None])
