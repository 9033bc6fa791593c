"""A vault in an S3 bucket: searched in place, and uploaded to.

    python -m bench.bucket search SETTINGS WORD
    python -m bench.bucket upload WHO ENDPOINT BUCKET KEY FILE

The server is SeaweedFS on the loopback interface, the proxy of the tests before it counts requests and can
put a delay before each answer. One process measures one query or one upload and prints its figures; `measure`
runs them all. A query's clock starts after Python and all imports, and before the identity is read.
"""

import argparse
import json
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

from bench.main_job import ensure_built
from bench.results import NOTHING, Asked, Detail, Row, megabytes, significant
from bench.search import LIMIT, load_post_quantum_code
from bench.words import query_words
from bench.workplace import BenchError, Workplace, module, program, run, say
from tests.seaweed import REGION, Seaweed
from tests.tcp_proxy import TcpProxy, rounds

STORE = "bucket"
DELAY_SECONDS = 0.03
UPLOAD_BYTES = 512 * 1000 * 1000
MEMORY_BYTES = 1000 * 1000 * 1000
UPLOAD_ROUNDS = 4
VOLUME_MEBIBYTES = 30_000
"""Of the server's files, its own default: with the tests' small ones it stands still every 64 MB, whoever
is uploading."""
HEADER = (
    *("word", "hits", "segments", "requests", "rounds", "bytes", "of the archive"),
    *("cold ms", "cold ms, each answer 30 ms late", "warm cache: requests", "warm cache ms"),
)


# One query, in a process of its own


def search(settings_path: Path, word: str) -> dict[str, Any]:
    """One query of the bucket: its figures in milliseconds by step, and what was read."""
    from archiver.keys import load_identities
    from archiver.search.language import parse_query
    from archiver.search.run import Searcher
    from archiver.settings import load_settings
    from archiver.wiring.stores import open_vault

    settings = load_settings(settings_path)
    if settings.keyholder is None:
        raise BenchError(f"{settings_path} names no keyholder")
    query = parse_query(word)
    for name in ("sqlite_fts4", "archiver.stores.s3.store", "archiver.stores.cache"):
        import_module(name)  # imported with the first use; imports are not counted
    load_post_quantum_code()
    marks = [time.perf_counter()]
    identities = load_identities(settings.keyholder, {}, lambda question: "")
    vault = open_vault(settings, STORE)
    archives = vault.list_archives().require_sound()
    marks.append(time.perf_counter())
    searcher = Searcher(vault, archives, identities)
    result = searcher.search(query, limit=LIMIT)
    marks.append(time.perf_counter())
    effort = searcher.effort()
    searcher.close()
    return {
        "open_ms": (marks[1] - marks[0]) * 1e3,
        "search_ms": (marks[2] - marks[1]) * 1e3,
        "total_ms": (marks[2] - marks[0]) * 1e3,
        "segments": effort.segments,
        "ids": [hit.id for hit in result.hits],
    }


# One upload, in a process of its own


def upload(who: str, endpoint: str, bucket: str, key: str, file: Path) -> dict[str, Any]:
    """The file into the bucket, by ours or by boto3's `upload_file`: seconds, and the process's peak memory.
    The keys come from the environment, for both."""
    started = time.perf_counter()
    if who == "ours":
        from archiver.stores.s3.options import S3Options
        from archiver.stores.s3.store import S3Store

        store = S3Store(S3Options(bucket=bucket, endpoint=endpoint, region=REGION, addressing="path"))
        started = time.perf_counter()
        with file.open("rb") as source:
            store.put_new(key, source)
    else:
        import boto3

        client = boto3.client("s3", endpoint_url=endpoint, region_name=REGION)
        started = time.perf_counter()
        client.upload_file(str(file), bucket, key)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "peak_bytes": _peak_bytes()}


def _peak_bytes() -> int:
    """The most that this process held (proc(5), VmHWM): `ru_maxrss` would begin with its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


# All of them


@dataclass(frozen=True)
class Asking:
    """What one query cost: its own figures, and what the proxy saw."""

    figures: dict[str, Any]
    requests: int
    rounds: int
    bytes: int

    @property
    def milliseconds(self) -> float:
        return float(self.figures["total_ms"])


@dataclass(frozen=True)
class Searched:
    """One word: with nothing at hand, with nothing at hand and late answers, with the cache of the former."""

    word: str
    cold: Asking
    late: Asking
    warm: Asking


@dataclass(frozen=True)
class Uploads:
    """Seconds of each round, and the most that ours held in memory."""

    ours: Sequence[float]
    peers: Sequence[float]
    peak_bytes: int


def measure(place: Workplace) -> tuple[list[Row], list[Detail]]:
    """The vault of the main job copied into a bucket and searched there, then uploads against boto3's."""
    ensure_built(place)
    with tempfile.TemporaryDirectory(dir=place.folder) as name:
        folder = Path(name)
        with Seaweed(folder / "server") as server:
            searched, archive_bytes, sync_seconds = _search_all(place, server, folder)
        with Seaweed(folder / "uploads", volume_mebibytes=VOLUME_MEBIBYTES) as server:
            uploads = _upload_all(server, folder)
    rows = _search_rows(place, searched, archive_bytes) + _upload_rows(uploads)
    return rows, [_detail(searched, archive_bytes, sync_seconds)]


def _search_all(place: Workplace, server: Seaweed, folder: Path) -> tuple[list[Searched], int, float]:
    bucket = server.make_bucket("locked")
    filled = _settings(place, folder, server, bucket, server.endpoint)
    seconds = run([program(), "--config", str(filled), "sync"]).seconds
    size = sum(path.stat().st_size for path in (place.home / "vault" / "archives").rglob("*"))
    say(f"bucket: {megabytes(size)} copied there by sync in {seconds:.1f} s")
    found = []
    with TcpProxy(("127.0.0.1", server.port)) as proxy:
        settings = _settings(place, folder, server, bucket, proxy.endpoint)
        for word in query_words():
            cold = _ask(proxy, folder, settings, word)
            warm = _ask(proxy, folder, settings, word, keep_cache=True)
            proxy.answer_delay_seconds = DELAY_SECONDS
            late = _ask(proxy, folder, settings, word)
            proxy.answer_delay_seconds = 0.0
            if not cold.figures["ids"] == warm.figures["ids"] == late.figures["ids"]:
                raise BenchError(f"a search for {word} in the bucket gave different records")
            found.append(Searched(word, cold, late, warm))
    say(f"bucket: cold {_middle([one.cold.milliseconds for one in found]):.0f} ms")
    return found, size, seconds


def _settings(place: Workplace, folder: Path, server: Seaweed, bucket: str, endpoint: str) -> Path:
    """The main job's settings with the bucket as a second store, beside those."""
    text = (place.home / "archiver.toml").read_text()
    lines = [
        "[[store]]",
        f'name = "{STORE}"',
        'kind = "s3"',
        "required = false",
        f'bucket = "{bucket}"',
        f'endpoint = "{endpoint}"',
        f'region = "{REGION}"',
        'addressing = "path"',
        'object_lock = "compliance"',
        "lock_days = 1",
        f'access_key_id = "file:{_secret(folder, "access", server.access_key)}"',
        f'secret_access_key = "file:{_secret(folder, "secret", server.secret_key)}"',
        "[cache]",
        f'folder = "{folder / "cache"}"',
        "fresh_seconds = 3600",
    ]
    path = place.home / "bucket.toml"
    path.write_text("\n".join([text, *lines, ""]))
    return path


def _secret(folder: Path, name: str, value: str) -> Path:
    path = folder / name
    path.touch(0o600)
    path.write_text(value)
    return path


def _ask(proxy: TcpProxy, folder: Path, settings: Path, word: str, *, keep_cache: bool = False) -> Asking:
    if not keep_cache:
        shutil.rmtree(folder / "cache", ignore_errors=True)
    proxy.log.clear()
    figures = json.loads(run(module("bucket", "search", str(settings), word)).output)
    seen = list(proxy.log)
    return Asking(figures, len(seen), rounds(seen), sum(one.answer_bytes for one in seen))


def _upload_all(server: Seaweed, folder: Path) -> Uploads:
    bucket = server.make_bucket("versioned")
    ours, peers = [], []
    with _made_file(folder / "upload", UPLOAD_BYTES) as file:
        for number in range(UPLOAD_ROUNDS):
            ours.append(float(_upload(server, "ours", bucket, f"ours-{number}", file)["seconds"]))
            peers.append(float(_upload(server, "peer", bucket, f"peer-{number}", file)["seconds"]))
    with _made_file(folder / "upload", MEMORY_BYTES) as file:
        peak = int(_upload(server, "ours", bucket, "large", file)["peak_bytes"])
    return Uploads(ours, peers, peak)


@contextmanager
def _made_file(path: Path, size: int) -> Iterator[Path]:
    """Random bytes on disk, as sealed ones look."""
    with path.open("wb") as file:
        for start in range(0, size, 1 << 20):
            file.write(secrets.token_bytes(min(1 << 20, size - start)))
    yield path
    path.unlink()


def _upload(server: Seaweed, who: str, bucket: str, key: str, file: Path) -> dict[str, Any]:
    command = ["env", f"AWS_SHARED_CREDENTIALS_FILE={_profile(file.parent, server)}"]
    command += module("bucket", "upload", who, server.endpoint, bucket, key, str(file))
    figures: dict[str, Any] = json.loads(run(command).output)
    return figures


def _profile(folder: Path, server: Seaweed) -> Path:
    keys = f"aws_access_key_id={server.access_key}\naws_secret_access_key={server.secret_key}"
    return _secret(folder, "profile", f"[default]\n{keys}\n")


# What it says


def _search_rows(place: Workplace, searched: Sequence[Searched], archive_bytes: int) -> list[Row]:
    counts = f"{len(searched)} words, rarest to commonest, in {place.posts:,} posts; {LIMIT} newest"
    where = (
        "the main job's archive in a bucket with Object Lock; each query in a new process with an empty"
        " cache; median over the words"
    )
    late = f"{DELAY_SECONDS * 1e3:.0f} ms before each answer"

    def row(what: str, values: Sequence[float], meaning: str, asked: Asked | None, unit: str = "") -> Row:
        middle = _middle(values)
        ours = f"{significant(middle)} ({significant(min(values))}–{significant(max(values))})"
        return Row(what, counts, ours, NOTHING, middle, meaning, asked, unit)

    return [
        row(
            "search in a bucket, cold: rounds of requests",
            [one.late.rounds for one in searched],
            f"{where}. The longest chain of requests of which each began when the one before it was answered,"
            f" as the proxy saw them with {late}; parallel ones count once. Listing, manifests, signatures"
            " and keys included.",
            Asked(12),
        ),
        row(
            "search in a bucket, cold: requests",
            [one.cold.requests for one in searched],
            f"{where}. All requests that the proxy saw.",
            Asked(90),
        ),
        row(
            "search in a bucket, cold: bytes",
            [one.cold.bytes / archive_bytes * 100 for one in searched],
            f"{where}. Bodies of all answers, of the {archive_bytes:,} bytes of the archive.",
            Asked(2, "%"),
            "%",
        ),
        row(
            f"search in a bucket, cold, {late}",
            [one.late.milliseconds for one in searched],
            f"{where}. From reading the identity to the records, making the client included; imports are not"
            " counted, as in the rows on searching.",
            Asked(600, "ms"),
            "ms",
        ),
        row(
            "the same without a delay",
            [one.cold.milliseconds for one in searched],
            f"{where}; server, proxy and search share two cores.",
            None,
            "ms",
        ),
        row(
            "search in a bucket, cache warm: requests",
            [one.warm.requests for one in searched],
            "each query once more in a new process, with the cache of sealed bytes that the first left; the"
            " listing is still fresh by `fresh_seconds`. No word takes any, or the range shows it.",
            Asked(0),
        ),
        row(
            "search in a bucket, cache warm",
            [one.warm.milliseconds for one in searched],
            "the time of the same queries.",
            None,
            "ms",
        ),
    ]


def _upload_rows(uploads: Uploads) -> list[Row]:
    size = megabytes(UPLOAD_BYTES)
    ours, peer = min(uploads.ours), min(uploads.peers)
    say(f"upload: ours {ours:.2f} s, boto3 {peer:.2f} s; {megabytes(uploads.peak_bytes)}")
    return [
        Row(
            "upload, speed against boto3's `upload_file`",
            f"{size}, {len(uploads.ours)} rounds",
            f"{UPLOAD_BYTES / ours / 1e6:.0f} MB/s",
            f"{UPLOAD_BYTES / peer / 1e6:.0f} MB/s",
            peer / ours,
            "the same file of random bytes into the same bucket by turns, each in a process of its own; the"
            " best round of each. Ours names the SHA-256 of each part, creates only, and asks afterwards what"
            " the server has; boto3 has its own defaults (8 MiB parts, 10 threads, CRC).",
            Asked(0.8, at_least=True),
        ),
        Row(
            "peak memory of an upload",
            megabytes(MEMORY_BYTES),
            megabytes(uploads.peak_bytes),
            NOTHING,
            uploads.peak_bytes / 1e6,
            "peak RSS of a process that uploads one file, by the kernel's own account (`VmHWM`), Python"
            " and boto3 included.",
            Asked(200, "MB"),
            "MB",
        ),
    ]


def _detail(searched: Sequence[Searched], archive_bytes: int, sync_seconds: float) -> Detail:
    return Detail(
        "Search in a bucket, word by word",
        f"The archive's {archive_bytes:,} bytes were copied into the bucket by `archiver sync`, checks of the"
        f" store included, in {sync_seconds:.1f} s. Requests, rounds and bytes are what the proxy saw of the"
        " cold query, rounds with late answers.",
        HEADER,
        [_line(one, archive_bytes) for one in searched],
    )


def _line(one: Searched, archive_bytes: int) -> list[str]:
    cold, late, warm = one.cold, one.late, one.warm
    hits, segments = len(cold.figures["ids"]), cold.figures["segments"]
    counts = (hits, segments, cold.requests, late.rounds, cold.bytes)
    share = f"{significant(cold.bytes / archive_bytes * 100)} %"
    times = [significant(each.milliseconds) for each in (cold, late)]
    last = [str(warm.requests), significant(warm.milliseconds)]
    return [one.word, *(f"{count:,}" for count in counts), share, *times, *last]


def _middle(values: Sequence[float]) -> float:
    return float(median(values))


def main() -> None:
    """Run one query or one upload as the command line asks and print its figures as JSON."""
    parser = argparse.ArgumentParser(description="One search in a bucket, or one upload.")
    commands = parser.add_subparsers(dest="command", required=True)
    searching = commands.add_parser("search")
    searching.add_argument("settings", type=Path)
    searching.add_argument("word")
    uploading = commands.add_parser("upload")
    uploading.add_argument("who", choices=("ours", "peer"))
    for name in ("endpoint", "bucket", "key"):
        uploading.add_argument(name)
    uploading.add_argument("file", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "search":
        found = search(arguments.settings, arguments.word)
    else:
        found = upload(arguments.who, arguments.endpoint, arguments.bucket, arguments.key, arguments.file)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
