"""Exports of 2012 to about 2018: a file of posts a month, an index of months, or only comma-separated
rows."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from msgspec import Struct

from archiver.errors import SourceError
from archiver.records import Link, Post
from archiver.sources.base import Capture, Item, Problem
from archiver.sources.x.lenient import REPLACEMENT, clean_text
from archiver.sources.x.times import parse_time, posted_ms
from archiver.sources.x_export.cut import BrokenJsonError
from archiver.sources.x_export.post_records import BareRawPost, Reposted, build_post
from archiver.sources.x_export.posts import post_id_of

BODY_KIND: Final = "grailbird"
CSV_BODY_KIND: Final = "grailbirdCsv"
HEADER_BYTES: Final = 2 * 1024 * 1024
_encode = msgspec.json.Encoder().encode


class IndexedMonth(Struct, frozen=True):
    """One entry of tweet_index.js."""

    file_name: str | None = None
    count: str | int | None = msgspec.field(name="tweet_count", default=None)
    year: str | int | None = None
    month: str | int | None = None

    @property
    def key(self) -> str | None:
        """'2013_02', as the month's file is called."""
        if self.file_name:
            return self.file_name.rpartition("/")[2].removesuffix(".js")
        year, month = str(self.year), str(self.month)
        return f"{year}_{month.zfill(2)}" if year.isdigit() and month.isdigit() else None

    @property
    def expected(self) -> int | None:
        text = str(self.count)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def parse_index(shown: str, body: bytes) -> list[IndexedMonth]:
    """Given the whole of tweet_index.js. Raise SourceError where it cannot be read."""
    _, _, text = body.partition(b"=")
    try:
        return msgspec.json.decode(text.strip().rstrip(b";"), type=list[IndexedMonth])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as cause:
        raise SourceError(f"{shown}: cannot be read: {cause}") from cause


def csv_rows(blocks: Iterable[bytes], limit: int) -> Iterator[list[bytes]]:
    """Cut comma-separated text into verbatim rows, about a block's worth at a time. A row ends at the newline
    before which quotes are even (RFC 4180). Raise BrokenJsonError where one passes `limit` or never ends."""
    offset, rest = 0, b""
    for block in blocks:
        rows: list[bytes] = []
        lines: list[bytes] = []
        inside_quotes = False
        for line in io.BytesIO(rest + block):
            lines.append(line)
            inside_quotes ^= bool(line.count(b'"') % 2)
            if not inside_quotes and line.endswith(b"\n"):
                rows.append(b"".join(lines))
                offset += len(rows[-1])
                lines = []
        rest = b"".join(lines)
        if len(rest) > limit:
            raise BrokenJsonError(offset, f"no row ends within {limit:,} bytes")
        yield rows
    if rest.count(b'"') % 2:
        raise BrokenJsonError(offset, "a quoted field never ends")
    if rest.strip():
        yield [rest]


def read_header(blocks: Iterable[bytes]) -> str:
    """The first row, which names the columns. Raise SourceError where there is none."""
    for rows in csv_rows(blocks, HEADER_BYTES):
        if rows:
            header = rows[0].decode("utf-8-sig", "replace").strip()
            if "tweet_id" in csv_fields(header.encode()):
                return header
            break
    raise SourceError("its first row does not name the columns that X's exports have")


def csv_fields(row: bytes) -> list[str]:
    """The fields of one verbatim row. Raise SourceError where it is none."""
    text = row.decode("utf-8-sig", "replace").rstrip("\r\n")
    if len(text) > csv.field_size_limit():
        raise SourceError("a row with a field that is too long")
    try:
        return next(csv.reader(io.StringIO(text, newline=""), strict=True), [])
    except csv.Error as cause:
        raise SourceError(f"a row that cannot be read: {cause}") from cause


def csv_post(header: list[str], row: bytes) -> BareRawPost:
    """A row as a post; columns go by name, since their order changed over the years."""
    fields = dict(zip(header, csv_fields(row), strict=False))
    if not fields.get("tweet_id"):
        raise SourceError("a row without tweet_id")
    reposted = fields.get("retweeted_status_id")
    return BareRawPost(
        id_str=fields["tweet_id"],
        text=fields.get("text", ""),
        created_at=fields.get("timestamp"),
        source=fields.get("source") or None,
        in_reply_to_status_id_str=fields.get("in_reply_to_status_id") or None,
        in_reply_to_user_id_str=fields.get("in_reply_to_user_id") or None,
        retweeted_status=Reposted(id_str=reposted) if reposted else None,
    )


def csv_items(
    header: list[str], rows: Iterable[bytes], capture_key: int, problems: list[Problem]
) -> list[Item]:
    """Rows as items; one that cannot be read is reported."""
    items = []
    for row in rows:
        if not row.strip():
            continue
        try:
            raw = csv_post(header, row)
        except SourceError as error:
            problems.append(Problem("a post", "broken", error.message))
            continue
        post_id = post_id_of(raw.id_str, None, row)
        if parse_time(raw.created_at) is None:
            detail = f"stated time {str(raw.created_at)[:40]!r} is none"
            problems.append(Problem(f"post {post_id}", "broken", detail))
        posted = posted_ms(post_id, raw.created_at)
        content = _encode(
            (
                clean_text(raw.text or ""),
                posted,
                None,
                raw.source,
                raw.in_reply_to_status_id_str,
                raw.in_reply_to_user_id_str,
                _addresses(header, row),
                [],
                [],
                (),
            )
        )
        items.append(Item("post", post_id, posted, content, ((capture_key, row),)))
    return items


def parse_csv_post(capture: Capture, row: bytes) -> Post:
    """Given a verbatim row; the capture's context holds the file's header row."""
    header = csv_fields(capture.context.get("header", "").encode())
    post = build_post(capture, csv_post(header, row), row)
    links = tuple([Link(each, each, None) for each in _addresses(header, row)])
    return msgspec.structs.replace(post, links=links)


def _addresses(header: list[str], row: bytes) -> list[str]:
    """`expanded_urls` joins addresses with commas, which addresses hold too: a new one begins with its
    scheme."""
    joined = dict(zip(header, csv_fields(row), strict=False)).get("expanded_urls") or ""
    starts = [0] + [at + 1 for at in range(len(joined)) if joined.startswith((",http://", ",https://"), at)]
    found = [joined[a:b].rstrip(",") for a, b in zip(starts, [*starts[1:], len(joined)], strict=True)]
    return list(dict.fromkeys(each for each in found if each and REPLACEMENT not in each))
