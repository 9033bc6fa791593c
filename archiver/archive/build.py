"""Building one segment in memory: records in, Zstandard frames of a finished database out.

Rows go in first, in order of time posted, then the full-text indexes are merged, then the verbatim
parts follow. So what a search reads lies together, and the database needs no VACUUM.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from typing import NamedTuple, cast

import apsw
import msgspec
import Stemmer

from archiver.archive.vfs import GrowingFile, SegmentDatabase
from archiver.records import Account, Gone, Link, MediaReference, Message, Post, Record, Relation

SCHEMA_VERSION = 1
APPLICATION_ID = 0x61726368
"""The letters `arch`, at byte 68 of the database (SQLite, "Database File Format", 1.3.17)."""

PAGE_BYTES = 64 * 1024
"""A frame's size, so that one read of the database is one frame. With pages of 4 KiB building took a fifth
longer, as each page passes through Python."""
CACHE_BYTES = 24 * 1024 * 1024
HOT_BYTES = 40 * 1024 * 1024
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


FindMedia = Callable[[str, str], MediaPlace]
"""(account, file name) to the place of a media file."""


def read_schema(name: str) -> str:
    """The text of schema.sql or indexes.sql."""
    return resources.files("archiver.archive").joinpath(name).read_text("utf-8")


_INSERT_POST = f"INSERT INTO post VALUES ({','.join('?' * 29)})"  # noqa: S608  # only question marks
_INSERT_MESSAGE = f"INSERT INTO message VALUES ({','.join('?' * 14)})"  # noqa: S608
_INSERT_RELATION = f"INSERT INTO relation VALUES ({','.join('?' * 14)})"  # noqa: S608
_INSERT_GONE = f"INSERT INTO gone VALUES ({','.join('?' * 11)})"  # noqa: S608
_INSERT_ACCOUNT = f"INSERT INTO account VALUES ({','.join('?' * 16)})"  # noqa: S608
_INSERT_MEDIA = f"INSERT INTO media VALUES ({','.join('?' * 14)})"  # noqa: S608


class SegmentBuilder:
    """One segment under construction. Add records in order of time posted, `finish_rows`, add the parts
    they lie in, then take `frames`."""

    def __init__(self, find_media: FindMedia, *, language: str) -> None:
        self._file = GrowingFile(hot_bytes=HOT_BYTES, level=LEVEL)
        self._database = SegmentDatabase.create(self._file, page_bytes=PAGE_BYTES, cache_bytes=CACHE_BYTES)
        self.connection = self._database.connection
        self.connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        self.connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        self.connection.execute(read_schema("schema.sql"))
        self.connection.execute("BEGIN")
        self._find_media = find_media
        self._language = language
        self._rows: dict[str, list[tuple[object, ...]]] = {}
        self._keys: dict[str, int] = {}
        self._waiting = 0
        self.counts: dict[str, int] = {}
        self.revised = 0
        self.posted_from: int | None = None
        self.posted_to: int | None = None

    @property
    def size(self) -> int:
        """Bytes of the plain database so far."""
        return self._file.size

    def add(self, record: Record, version: int, place: Place, joined: Sequence[Place] = ()) -> None:
        """Add one record with the place of its verbatim bytes, and of more that belong to it."""
        if type(record) is Post:
            table, key = "post", self._add_post(record, version, place)
        elif type(record) is Message:
            table, key = "message", self._add_message(record, version, place)
        elif type(record) is Relation:
            table, key = "relation", self._add_relation(record, version, place)
        elif type(record) is Gone:
            table, key = "gone", self._next_key("gone")
            self._append(_INSERT_GONE, (key, *msgspec.structs.astuple(record), *place))
        else:
            table, key = "account", self._add_account(cast(Account, record), version, place)
        for position, other in enumerate(joined):
            self._append("INSERT INTO record_capture VALUES (?,?,?,?,?,?)", (table, key, position, *other))
        self._waiting += 1
        if self._waiting >= _BATCH:
            self.flush()

    def _next_key(self, table: str) -> int:
        key = self._keys.get(table, 0) + 1
        self._keys[table] = key
        return key

    def _append(self, statement: str, row: tuple[object, ...]) -> None:
        rows = self._rows.get(statement)
        if rows is None:
            rows = self._rows[statement] = []
        rows.append(row)

    def _posted(self, posted_ms: int) -> None:
        if self.posted_from is None or posted_ms < self.posted_from:
            self.posted_from = posted_ms
        if self.posted_to is None or posted_ms > self.posted_to:
            self.posted_to = posted_ms

    def _add_post(self, post: Post, version: int, place: Place) -> int:
        key = self._next_key("post")
        self._posted(post.posted_ms)
        record_id = post.record_id if post.record_id != post.platform_id else None
        self.revised += version > 1 or record_id is not None
        alt_text = (
            "\n".join(one.alt_text for one in post.media if one.alt_text) or None if post.media else None
        )
        self._append(
            _INSERT_POST,
            (
                key, post.platform, post.platform_id, record_id, version, post.account, post.author_id,
                post.author_handle, post.author_name, post.posted_ms, post.kind, post.text, alt_text,
                post.truncated, post.language, post.client, post.in_reply_to_id, post.in_reply_to_user_id,
                post.in_reply_to_handle, post.conversation_id, post.repost_of_id, post.quote_of_id,
                json.dumps(post.edit_ids) if len(post.edit_ids) > 1 else None,
                post.like_count, post.repost_count, post.audience, *place,
            ),
        )  # fmt: skip
        for position, tag in enumerate(post.hashtags):
            self._append("INSERT INTO hashtag VALUES (?,?,?)", (key, position, tag))
        for position, mention in enumerate(post.mentions):
            self._append(
                "INSERT INTO mention VALUES (?,?,?,?,?)",
                (key, position, mention.user_id, mention.handle, mention.name),
            )
        if post.links:
            self._add_links("post", key, post.links)
        if post.media:
            self._add_media("post", key, post.account, post.media)
        return key

    def _add_message(self, message: Message, version: int, place: Place) -> int:
        key = self._next_key("message")
        self.revised += version > 1
        self._posted(message.posted_ms)
        self._append(
            _INSERT_MESSAGE,
            (
                key, message.platform, message.platform_id, version, message.account, message.conversation_id,
                message.posted_ms, message.kind, message.sender_id, message.recipient_id, message.text, *place,
            ),
        )  # fmt: skip
        self._add_links("message", key, message.links)
        self._add_media("message", key, message.account, message.media)
        return key

    def _add_relation(self, relation: Relation, version: int, place: Place) -> int:
        key = self._next_key("relation")
        self._append(
            _INSERT_RELATION,
            (
                key, relation.platform, relation.platform_id, version, relation.account, relation.kind,
                relation.captured_ms, relation.created_ms, relation.expires_ms, relation.url, relation.text, *place,
            ),
        )  # fmt: skip
        return key

    def _add_account(self, account: Account, version: int, place: Place) -> int:
        key = self._next_key("account")
        self._append(
            _INSERT_ACCOUNT,
            (
                key, account.platform, account.platform_id, account.aspect, account.captured_ms, account.handle,
                account.name, account.created_ms, account.bio, account.website, account.location,
                json.dumps(account.facts, ensure_ascii=False), version, *place,
            ),
        )  # fmt: skip
        self._add_media("account", key, account.platform_id, account.media)
        return key

    def _add_links(self, table: str, key: int, links: Sequence[Link]) -> None:
        for position, link in enumerate(links):
            self._append(
                "INSERT INTO link VALUES (?,?,?,?,?,?)",
                (table, key, position, link.short, link.expanded, link.display),
            )

    def _add_media(self, table: str, key: int, account: str, media: Sequence[MediaReference]) -> None:
        for position, one in enumerate(media):
            place = self._find_media(account, one.file_name)
            self._append(
                _INSERT_MEDIA,
                (
                    table, key, position, one.media_id, one.media_type, one.url, one.file_name, one.alt_text, *place,
                ),
            )  # fmt: skip

    def flush(self) -> None:
        """Write the rows that wait into their tables."""
        for statement, rows in self._rows.items():
            if rows:
                self.connection.executemany(statement, rows)
                rows.clear()
        self._waiting = 0

    def finish_rows(self) -> None:
        """No more records: merge the full-text indexes, write the vocabulary and the other indexes."""
        self.flush()
        for table in ("post_fts", "message_fts", "relation_fts"):
            # Indexing the rows in one go took three quarters of the time of indexing each as it came.
            self.connection.execute(f"INSERT INTO {table} ({table}) VALUES ('rebuild')")  # noqa: S608
            self.connection.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")  # noqa: S608
        self._write_terms()
        self.connection.execute(read_schema("indexes.sql"))
        (pages,) = self.connection.execute("PRAGMA page_count").fetchall()[0]
        self._file.begin_bulk(pages * PAGE_BYTES)
        self.counts = {table: key for table, key in self._keys.items() if key}

    def _write_terms(self) -> None:
        # Short links leave a word of their own each, which nobody looks for by its form: left out.
        stemmer = Stemmer.Stemmer(self._language)
        totals: dict[str, list[int]] = {}
        for table in ("post_fts", "message_fts", "relation_fts"):
            self.connection.execute(f"CREATE VIRTUAL TABLE temp.{table}_aux USING fts4aux (main, {table})")
            rows = self.connection.execute(
                f"SELECT term, documents, occurrences FROM temp.{table}_aux WHERE col = '*'"  # noqa: S608
                " AND (documents > 1 OR term NOT GLOB '*[0-9]*')"
            )
            for term, documents, occurrences in rows:
                total = totals.setdefault(term, [0, 0])
                total[0] += documents
                total[1] += occurrences
            self.connection.execute(f"DROP TABLE temp.{table}_aux")
        terms = sorted(totals)
        stems = stemmer.stemWords(terms)
        self.connection.executemany(
            "INSERT INTO term VALUES (?,?,?,?)",
            ((term, stem, *totals[term]) for term, stem in zip(terms, stems, strict=True)),
        )

    def add_capture(self, row: tuple[object, ...]) -> None:
        """Add a row of `capture`."""
        self.connection.execute(f"INSERT INTO capture VALUES ({','.join('?' * len(row))})", row)  # noqa: S608

    def add_part(self, part: int, capture: int, body: bytes) -> None:
        """Add verbatim bytes that the records' places refer to."""
        self.connection.execute("INSERT INTO capture_part VALUES (?,?,?)", (part, capture, body))

    def add_meta(self, values: dict[str, str]) -> None:
        """Say what the segment is."""
        self.connection.executemany("INSERT INTO meta VALUES (?,?)", values.items())

    def frames(self) -> Iterator[tuple[bytes, int]]:
        """Finish the database; each of its frames, compressed, with its plain size."""
        self.connection.execute("COMMIT")
        self._database.close()
        return self._file.frames()

    def close(self) -> None:
        """Drop it, finished or not."""
        try:
            self._database.close()
        except apsw.Error:
            return
