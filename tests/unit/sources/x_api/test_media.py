"""Pictures and videos: from X's hosts and nowhere else, and nothing that is none."""

import hashlib
import http.server
import io
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import pytest

from archiver.formats import age
from archiver.records import MediaReference
from archiver.settings.api import ApiSettings
from archiver.sources.x_api.media import TRIES, MediaSource, NotFetchedError
from archiver.sources.x_api.related import best_variant
from archiver.sources.x_api.shapes import Variant
from archiver.spool import Spool
from tests.fakes.x_api import FakeX
from tests.fakes.x_faults import Answer, Drop, MediaFault, Redirect, Slow
from tests.fakes.x_world import PNG

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40
MP4 = b"\x00\x00\x00\x18ftypmp42" + b"moving" * 200_000


@dataclass
class Bench:
    """A host of media and what fetches from it. `slept`: how long was waited."""

    x: FakeX
    settings: ApiSettings
    most_bytes: int = 10_000_000
    slept: list[float] = field(default_factory=list)

    def add(self, name: str, content: bytes = PNG, content_type: str = "image/png") -> str:
        return self.x.url + self.x.world.add_file(name, content, content_type)

    def fetch(self, url: str, media_type: str = "photo") -> bytes:
        taken: list[bytes] = []

        def take(stream: IO[bytes]) -> tuple[int, str]:
            taken.append(stream.read())
            return len(taken[-1]), hashlib.sha256(taken[-1]).hexdigest()

        source = MediaSource(self.settings, self.most_bytes, self.slept.append, lambda: 0.5)
        with closing(source):
            size, digest = source.fetch(MediaReference("1", media_type, url, "1-a.png"), take)
        assert (size, digest) == (len(taken[-1]), hashlib.sha256(taken[-1]).hexdigest())
        return taken[-1]

    def reason(self, url: str, media_type: str = "photo") -> str:
        with pytest.raises(NotFetchedError) as caught:
            self.fetch(url, media_type)
        return str(caught.value)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with FakeX() as x:
        host = x.url.removeprefix("http://")
        yield Bench(x, ApiSettings(media_hosts=(host, "pbs.twimg.com"), read_timeout_seconds=5))


# Where from


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "X gave no address"),
        ("https://pbs.twimg.com.evil.example/media/a.jpg", "not on one of X's media hosts"),
        ("https://evil.example/pbs.twimg.com/a.jpg", "not on one of X's media hosts"),
        ("https://pbs.twimg.com@evil.example/a.jpg", "not on one of X's media hosts"),
        ("https://evil.example\\@pbs.twimg.com/a.jpg", "not on one of X's media hosts"),
        ("https://somebody:secret@pbs.twimg.com/a.jpg", "not on one of X's media hosts"),
        ("https://pbs.twimg.com:8443/a.jpg", "not on one of X's media hosts"),
        ("https://127.0.0.1/a.jpg", "not on one of X's media hosts"),
        ("https://169.254.169.254/latest/meta-data", "not on one of X's media hosts"),
        ("file:///etc/passwd", "not on one of X's media hosts"),
        ("pbs.twimg.com/a.jpg", "not on one of X's media hosts"),
        ("http://pbs.twimg.com/a.jpg", "not on an encrypted connection"),
        ("ftp://pbs.twimg.com/a.jpg", "not on an encrypted connection"),
        ("//pbs.twimg.com/a.jpg", "not on an encrypted connection"),
        ("https://pbs.twimg.com:port/a.jpg", "X gave an address that is none"),
        ("https://[pbs.twimg.com/a.jpg", "X gave an address that is none"),
    ],
)
def test_nothing_is_asked_of_any_host_but_xs_own(bench: Bench, url: str, reason: str) -> None:
    assert bench.reason(url) == reason
    assert bench.slept == []


def test_a_host_is_known_whatever_its_letters(bench: Bench) -> None:
    with socket.socket() as nobody:  # a port that nobody listens at, and a name that is this host
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    bench.settings = replace(bench.settings, media_hosts=(f"localhost:{port}",), connect_timeout_seconds=1)
    assert bench.reason(f"http://LOCALHOST:{port}/a.png").startswith("no answer (")


def test_neither_key_nor_cookie_is_sent(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    cookie = Answer(200, PNG, {"content-type": "image/png", "set-cookie": "guest=1; Path=/"})
    bench.x.faults.add("/media/", cookie, times=1)
    source = MediaSource(bench.settings, bench.most_bytes, bench.slept.append, lambda: 0.5)
    take = lambda stream: (len(stream.read()), "")  # noqa: E731  # as short as it is
    with closing(source):
        for _ in range(2):
            source.fetch(MediaReference("1", "avatar", bench.add("a.png"), "1-a.png"), take)
    for record in bench.x.requests:
        assert not {"authorization", "cookie"} & record.headers.keys()


def test_no_redirect_is_followed(bench: Bench) -> None:
    other = bench.add("other.png")
    bench.x.faults.add("/media/a", Redirect(other))
    assert bench.reason(f"{bench.x.url}/media/a.mp4", "video") == "X's media host points elsewhere"
    assert len(bench.x.requests) == 1


# What


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (PNG, "image/png"), (JPEG, "image/jpeg"), (JPEG, "image/jpg; charset=binary"),
        (b"GIF89a" + b"x", "image/gif"), (b"GIF87a" + b"x", "IMAGE/GIF"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"), (MP4, "video/mp4"),
    ],
)  # fmt: skip
def test_pictures_and_videos_are_fetched_byte_for_byte(
    bench: Bench, content: bytes, content_type: str
) -> None:
    assert bench.fetch(bench.add("a.bin", content, content_type), "video") == content


@pytest.mark.parametrize(
    ("content_type", "reason"),
    [
        ("text/html", "of a type that is no picture or video (text/html)"),
        ("image/svg+xml", "of a type that is no picture or video (image/svg+xml)"),
        ("", "of a type that is no picture or video (none)"),
        ("x" * 90, f"of a type that is no picture or video ({'x' * 40})"),
    ],
)
def test_a_type_that_is_no_picture_is_not_taken(bench: Bench, content_type: str, reason: str) -> None:
    url = bench.add("a.png")
    bench.x.faults.add("/media/", MediaFault(content_type=content_type))
    assert bench.reason(url, "video") == reason
    assert len(bench.x.requests) == 1


@pytest.mark.parametrize(
    "content", [b"<html>", b"MZ\x90\x00" * 50, b"\xff\xd8", b"RIFF\0\0\0\0WAVE", b"ftypmp42"]
)
def test_content_that_does_not_begin_as_a_picture_is_not_taken(bench: Bench, content: bytes) -> None:
    assert bench.reason(bench.add("a.png", content), "video") == "of content that is no picture or video"
    assert len(bench.x.requests) == 1


@pytest.mark.parametrize(
    ("size", "fits"), [(99_999, True), (100_000, True), (100_001, False), (5_000_000, False)]
)
def test_a_file_larger_than_is_allowed_is_not_taken(bench: Bench, size: int, fits: bool) -> None:
    bench.most_bytes = 100_000
    url = bench.add("a.mp4", MP4.ljust(size, b"x")[:size], "video/mp4")
    if fits:
        assert len(bench.fetch(url, "video")) == size
    else:
        assert bench.reason(url, "video") == "larger than 100,000 bytes, as account.api.media_mebibytes says"
        assert len(bench.x.requests) == 1


# Faults


def test_a_file_that_is_not_there_is_not_asked_for_again(bench: Bench) -> None:
    assert bench.reason(f"{bench.x.url}/media/nothing.mp4", "video") == "X's media host answers 404"
    assert len(bench.x.requests) == 1
    assert bench.slept == []


PASSING: dict[str, Any] = {
    "503": Answer(503), "429": Answer(429), "dropped": Drop(), "cut": MediaFault(missing=9),
    "empty": MediaFault(content=b""),
}  # fmt: skip


@pytest.mark.parametrize("name", PASSING)
def test_a_passing_fault_is_tried_again(bench: Bench, name: str) -> None:
    url = bench.add("a.mp4", MP4, "video/mp4")
    bench.x.faults.add("/media/", PASSING[name], times=TRIES - 1)
    assert bench.fetch(url, "video") == MP4
    assert bench.slept == [0.75, 1.5]


@pytest.mark.parametrize("name", PASSING)
def test_a_fault_that_stays_is_named_after_some_tries(bench: Bench, name: str) -> None:
    url = bench.add("a.mp4", MP4, "video/mp4")
    bench.x.faults.add("/media/", PASSING[name], times=None)
    assert bench.reason(url, "video").endswith(f", {TRIES} times")
    assert len(bench.x.requests) == TRIES


def test_a_host_that_does_not_answer_in_time_is_given_up_on(bench: Bench) -> None:
    bench.settings = replace(bench.settings, read_timeout_seconds=0.1)  # type: ignore[arg-type]
    url = bench.add("a.mp4", MP4, "video/mp4")
    bench.x.faults.add("/media/", Slow(0.3), times=None)
    assert bench.reason(url, "video").startswith("no answer (")


def test_a_file_that_is_cut_leaves_nothing_behind_in_the_spool(bench: Bench, tmp_path: Path) -> None:
    """The fault comes through the spool's writer, which must not take it for one of the disk."""
    url = bench.add("a.mp4", MP4, "video/mp4")
    bench.x.faults.add("/media/", MediaFault(missing=700_000), times=None)
    media = MediaReference("1", "video", url, "1-a.mp4")
    spool = Spool(tmp_path / "spool", age.X25519Identity.generate())
    source = MediaSource(bench.settings, bench.most_bytes, bench.slept.append, lambda: 0.5)
    with closing(spool), closing(source):
        with pytest.raises(NotFetchedError, match=f", {TRIES} times$"):
            source.fetch(media, lambda stream: spool.write_media("1", "1-a.mp4", stream))
        assert list((spool.folder / "media").iterdir()) == []
        bench.x.faults.clear()
        size, digest = source.fetch(media, lambda stream: spool.write_media("1", "1-a.mp4", stream))
    assert (size, digest) == (len(MP4), hashlib.sha256(MP4).hexdigest())


# Which form


def test_a_photo_is_fetched_as_it_was_uploaded(bench: Bench) -> None:
    url = bench.add("Abc.jpg", JPEG, "image/jpeg")
    assert bench.fetch(f"{url}?format=jpg&name=small") == JPEG
    assert [one.query for one in bench.x.requests] == [{"name": "orig"}]


@pytest.mark.parametrize(
    "fault",
    [
        Answer(404),
        Answer(403),
        Redirect("/elsewhere"),
        MediaFault(content_type="text/html"),
        Answer(503),
        Drop(),
    ],
    ids=repr,
)
def test_a_photo_that_is_not_to_be_had_as_uploaded_is_fetched_as_shown(bench: Bench, fault: Any) -> None:
    url = bench.add("Abc.jpg", JPEG, "image/jpeg")
    bench.x.faults.add("/media/", fault)
    assert bench.fetch(f"{url}?name=small") == JPEG
    assert [one.query.get("name") for one in bench.x.requests] == ["orig", "small"]
    assert bench.slept == []


def test_a_photo_that_is_gone_is_asked_for_in_both_forms_and_no_more(bench: Bench) -> None:
    assert bench.reason(f"{bench.x.url}/media/Abc.jpg") == "X's media host answers 404"
    assert len(bench.x.requests) == 2


def test_a_photo_too_large_as_uploaded_is_taken_as_shown(bench: Bench) -> None:
    bench.most_bytes = 1000
    url = bench.add("Abc.png", PNG)
    bench.x.faults.add("/media/", MediaFault(content=PNG + b"x" * 2000))
    assert bench.fetch(url) == PNG


@pytest.mark.parametrize("media_type", ["video", "animated_gif", "avatar", "header"])
def test_only_a_photo_has_a_form_as_uploaded(bench: Bench, media_type: str) -> None:
    bench.fetch(bench.add("a.png"), media_type)
    assert [one.query for one in bench.x.requests] == [{}]


def test_of_a_video_the_file_of_the_highest_bit_rate_is_meant() -> None:
    files = [
        Variant(bit_rate=256, content_type="video/mp4", url="https://video.twimg.com/a.mp4?tag=12"),
        Variant(bit_rate=832, content_type="video/mp4", url="https://video.twimg.com/b.mp4?tag=12"),
        Variant(bit_rate=999, content_type="application/x-mpegURL", url="https://video.twimg.com/c.m3u8"),
        Variant(bit_rate=9999, content_type="video/mp4"),
    ]
    assert best_variant(files) == "https://video.twimg.com/b.mp4"
    assert (
        best_variant([Variant(content_type="video/mp4", url="https://a.example/x")]) == "https://a.example/x"
    )
    assert best_variant(files[2:]) is None
    assert best_variant([]) is best_variant(None) is None


# A body in pieces


class _Chunked(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "image/jpeg")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in (JPEG[:2], JPEG[2:9], JPEG[9:]):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
        return


def test_a_picture_that_comes_in_small_pieces_is_one_all_the_same(bench: Bench) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Chunked) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        host = f"127.0.0.1:{server.server_address[1]}"
        bench.settings = replace(bench.settings, media_hosts=(host,))
        try:
            assert bench.fetch(f"http://{host}/a.jpg", "avatar") == JPEG
        finally:
            server.shutdown()


def test_a_stream_can_be_read_in_any_pieces(bench: Bench) -> None:
    url = bench.add("a.mp4", MP4, "video/mp4")
    found = io.BytesIO()

    def take(stream: IO[bytes]) -> tuple[int, str]:
        for size in (1, 7, 300_000, 5):
            found.write(stream.read(size))
        found.write(stream.read())
        assert stream.read(5) == b""
        return len(found.getvalue()), ""

    source = MediaSource(bench.settings, bench.most_bytes, bench.slept.append, lambda: 0.5)
    with closing(source):
        source.fetch(MediaReference("1", "video", url, "1-a.mp4"), take)
    assert found.getvalue() == MP4
