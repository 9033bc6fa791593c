"""Write an X data export of any size, in the shape X writes since 2022, with made-up words.

    python -m bench.x_export OUT.zip --posts 1000000 --seed 7

Fields, key order, indentation and the mix of posts, replies, reposts, links, hashtags and pictures follow
a real export of 2022 (test data, when present). The pictures themselves are not in it. Same arguments, same
bytes.
"""

import argparse
import json
import random
import time
import zipfile
from array import array
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, NamedTuple

from bench.words import query_words
from bench.x_posts import ACCOUNT_ID, HANDLE, PostWriter, time_of

__all__ = ["query_words", "write_export"]

UNTIL_MS = 1_793_404_800_000  # 2026-10-31T00:00:00Z
SPAN_MS = 12 * 365 * 86_400_000
PART_COUNT = 4
BATCH_POSTS = 2_000  # about 3.4 MB of JSON handed to the compressor at a time
MEMBER_TIME = (2026, 10, 31, 0, 0, 0)
DISPLAY_NAME = "Springfield Police (benchmark)"


class Span(NamedTuple):
    """When the posts of an export were written: so many milliseconds up to a moment."""

    until_ms: int
    length_ms: int


WHOLE = Span(UNTIL_MS, SPAN_MS)


def write_export(
    path: Path,
    posts: int = 1_000_000,
    *,
    seed: int = 7,
    span: Span = WHOLE,
    writer: PostWriter | None = None,
) -> dict[str, int]:
    """Write an export of so many posts to `path`, newest first, in four tweet files. With the `writer` of
    an earlier one it goes on as that would, whatever the seed.

    Return the counts: `posts`, `json_bytes` of the tweet files, `zip_bytes`, and how many `replies`,
    `reposts` and `media` items there are. Memory stays at about 90 MB plus 8 bytes a post.
    """
    writer = writer or PostWriter(random.Random(seed))  # noqa: S311 - repeatable, not secret
    ids = array("q")
    json_bytes = 0
    counts: list[int] = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in range(PART_COUNT):
            first, last = posts * part // PART_COUNT, posts * (part + 1) // PART_COUNT
            counts.append(last - first)
            bodies = _tweet_batches(writer, (first, last, posts), span, ids)
            prefix = f"window.YTD.tweets.part{part} = "
            json_bytes += _write_member(archive, _tweets_name(part), prefix, bodies, large=posts > 3_000_000)
        _write_member(
            archive, "data/tweet-headers.js", "window.YTD.tweet_headers.part0 = ", _header_batches(ids)
        )
        _write_small_files(archive, counts)
    return {"posts": posts, "json_bytes": json_bytes, "zip_bytes": path.stat().st_size, **writer.counts}


def _tweets_name(part: int) -> str:
    return "data/tweets.js" if part == 0 else f"data/tweets-part{part}.js"


def _tweet_batches(
    writer: PostWriter, numbers: tuple[int, int, int], span: Span, ids: "array[int]"
) -> Iterator[list[str]]:
    """Yield the posts numbered first to last of a total (0 is the newest) as JSON objects, noting their
    ids."""
    first, last, total = numbers
    step = span.length_ms / total
    for start in range(first, last, BATCH_POSTS):
        positions = range(start, min(start + BATCH_POSTS, last))
        # One post in each of `total` equal slots of time: strictly falling, without sorting.
        times = [span.until_ms - int((position + writer.rng.random()) * step) - 1 for position in positions]
        batch_ids, bodies = writer.posts(times)
        ids.extend(batch_ids)
        yield bodies


def _header_batches(ids: "array[int]") -> Iterator[list[str]]:
    for start in range(0, len(ids), BATCH_POSTS * 5):
        yield [_header(post_id) for post_id in ids[start : start + BATCH_POSTS * 5]]


def _header(post_id: int) -> str:
    seconds = time_of(post_id) // 1000
    created = time.strftime("%a %b %d %H:%M:%S +0000 %Y", time.gmtime(seconds))
    return (
        f'  {{\n    "tweet" : {{\n      "tweet_id" : "{post_id}",\n      "user_id" : "{ACCOUNT_ID}",\n'
        f'      "created_at" : "{created}"\n    }}\n  }}'
    )


def _write_member(
    archive: zipfile.ZipFile, name: str, prefix: str, batches: Iterable[list[str]], *, large: bool = False
) -> int:
    """Write one JavaScript file holding a list; return its size in bytes.

    A second thread compresses while this one makes the text: zlib works without the interpreter's lock.
    """
    size = 0
    separator = f"{prefix}[\n"
    pending: Future[int] | None = None
    with archive.open(_member(name), "w", force_zip64=large) as stream, ThreadPoolExecutor(1) as compressor:
        for batch in batches:
            chunk = (separator + ",\n".join(batch)).encode()
            separator = ",\n"
            size += len(chunk)
            pending = _hand_over(compressor, stream, chunk, pending)
        ending = b"\n]" if size else f"{prefix}[ ]".encode()
        _hand_over(compressor, stream, ending, pending).result()
        size += len(ending)
    return size


def _hand_over(
    compressor: ThreadPoolExecutor, stream: IO[bytes], chunk: bytes, pending: "Future[int] | None"
) -> "Future[int]":
    """Queue a chunk once the one before it is through, so that at most two are ever held."""
    if pending is not None:
        pending.result()
    return compressor.submit(stream.write, chunk)


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, MEMBER_TIME)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def _write_small_files(archive: zipfile.ZipFile, tweet_counts: list[int]) -> None:
    account = {
        "email": "press@springfield-police.example",
        "createdVia": "web",
        "username": HANDLE,
        "accountId": ACCOUNT_ID,
        "createdAt": "2010-02-09T17:10:05.000Z",
        "accountDisplayName": DISPLAY_NAME,
    }
    profile = {
        "description": {"bio": "Made-up posts for a benchmark.", "website": "", "location": "Springfield"},
        "avatarMediaUrl": "https://pbs.twimg.com/profile_images/1/none.png",
    }
    archive.writestr(
        _member("data/account.js"), _javascript("window.YTD.account.part0", [{"account": account}])
    )
    archive.writestr(
        _member("data/profile.js"), _javascript("window.YTD.profile.part0", [{"profile": profile}])
    )
    archive.writestr(_member("data/README.txt"), "A made-up X data export for a benchmark.\n")
    archive.writestr(
        _member("data/manifest.js"), _javascript("window.__THAR_CONFIG", _manifest(tweet_counts))
    )


def _javascript(name: str, value: object) -> str:
    return f"{name} = {json.dumps(value, indent=2, separators=(',', ' : '), ensure_ascii=False)}"


def _manifest(tweet_counts: list[int]) -> dict[str, object]:
    tweets = [
        _listed(_tweets_name(part), f"tweets.part{part}", count) for part, count in enumerate(tweet_counts)
    ]
    return {
        "userInfo": {"accountId": ACCOUNT_ID, "userName": HANDLE, "displayName": DISPLAY_NAME},
        "archiveInfo": {
            "sizeBytes": "0",
            "generationDate": "2026-10-31T00:00:00.000Z",
            "isPartialArchive": False,
            "maxPartSizeBytes": "53687091200",
        },
        "readmeInfo": {"fileName": "data/README.txt", "directory": "data/", "name": "README.txt"},
        "dataTypes": {
            "account": {"files": [_listed("data/account.js", "account.part0", 1)]},
            "profile": {
                "mediaDirectory": "data/profile_media",
                "files": [_listed("data/profile.js", "profile.part0", 1)],
            },
            "tweetHeaders": {
                "files": [_listed("data/tweet-headers.js", "tweet_headers.part0", sum(tweet_counts))]
            },
            "tweets": {"mediaDirectory": "data/tweets_media", "files": tweets},
            "tweetsMedia": {"mediaDirectory": "data/tweets_media"},
        },
    }


def _listed(file_name: str, global_name: str, count: int) -> dict[str, str]:
    return {"fileName": file_name, "globalName": f"YTD.{global_name}", "count": str(count)}


def main() -> None:
    """Write an export as the command line asks and print its counts as JSON."""
    parser = argparse.ArgumentParser(description="Write a made-up X export for the benchmark.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--posts", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    started = time.perf_counter()
    counts: dict[str, float] = dict(write_export(arguments.out, arguments.posts, seed=arguments.seed))
    counts["seconds"] = round(time.perf_counter() - started, 1)
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
