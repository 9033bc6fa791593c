"""Servers that lie, and what is no S3 server at all: an error of the right class in bounded time, nothing
half written, and no credentials for anybody else."""

import io
import os
from collections.abc import Callable, Iterator
from xml.sax.saxutils import escape

import pytest

from archiver.errors import IntegrityError, StoreError
from archiver.stores.s3 import S3Store
from tests.faults.buckets import PREFIX, Bucket, bucket_behind_proxy, verify_words
from tests.proxy_faults import Answer, CutAnswer, EditHead, s3_error
from tests.seaweed import Seaweed, seaweed
from tests.tcp_proxy import TcpProxy

__all__ = ["seaweed"]

NAME = "archives/2026-11-01/records-000.sqlite.zst.age"
DATA = os.urandom(300_000)
READING = {"method": "GET", "target": "versionId="}
LISTING = {"method": "GET", "target": "versions"}
UPLOADS = {"method": "GET", "target": "uploads"}


@pytest.fixture(scope="module")
def shared(seaweed: Seaweed) -> Iterator[Bucket]:
    with bucket_behind_proxy(seaweed, "plain") as bucket:
        bucket.direct().put_new(NAME, DATA)
        yield bucket


@pytest.fixture
def bucket(shared: Bucket) -> Iterator[Bucket]:
    shared.proxy.log.clear()
    yield shared
    shared.proxy.heal()


def listing(*entries: str, truncated: bool = False, following: str = "") -> Answer:
    """An answer of ListObjectVersions ("Response Syntax")."""
    more = "true" if truncated else "false"
    told = f"<IsTruncated>{more}</IsTruncated>{following}{''.join(entries)}"
    body = f"<ListVersionsResult>{told}</ListVersionsResult>"
    return Answer(200, body.encode(), {"Content-Type": "application/xml"})


def version(key: str, number: str = "v1", size: object = 5, time: str = "2026-11-01T10:00:00.000Z") -> str:
    return (
        f"<Version><Key>{escape(key)}</Key><VersionId>{number}</VersionId><IsLatest>true</IsLatest>"
        f'<LastModified>{time}</LastModified><ETag>"e"</ETag><Size>{size}</Size></Version>'
    )


# Parts of a file


@pytest.mark.parametrize(
    "lie",
    [
        EditHead(r"(\r\nContent-Range: bytes )100-", r"\g<1>101-"),
        EditHead(r"(\r\nContent-Range: bytes 100-109/)\d+", r"\g<1>300001"),
        EditHead(r"\r\nContent-Range: [^\r]*"),
        Answer(200, DATA, {"ETag": '"e"'}),
        s3_error(416, "InvalidRange", "The requested range is not satisfiable"),
    ],
)
def test_a_part_of_something_else_is_an_integrity_error(bucket: Bucket, lie: Answer | EditHead) -> None:
    bucket.proxy.inject(lie, **READING, times=None)
    with bucket.store().open_random(NAME) as file:
        with pytest.raises(IntegrityError, match=f"{NAME} in s3://.* is not what was listed: "):
            file.read_at(100, 10)
        assert len(bucket.proxy.log) <= 4
        bucket.proxy.heal()
        assert file.read_at(100, 10) == DATA[100:110]


def test_another_object_in_the_files_place_is_noticed_between_two_parts(seaweed: Seaweed) -> None:
    with bucket_behind_proxy(seaweed, "plain") as bucket:
        store = bucket.direct()
        store.put_new(NAME, DATA)
        for opened in (store, bucket.direct()):
            with opened.open_random(NAME) as file:
                file.read_at(0, 10)
                others = os.urandom(len(DATA))
                bucket.server.client().put_object(Bucket=bucket.name, Key=PREFIX + NAME, Body=others)
                with pytest.raises(IntegrityError, match="another object lies there now"):
                    file.read_at(200_000, 10)


def test_a_body_that_ends_before_its_length_is_tried_again_and_then_a_store_error(bucket: Bucket) -> None:
    longer = EditHead(r"(\r\nContent-Length: )10\r", r"\g<1>11\r")
    for fault, error in ((CutAnswer(5), StoreError), (longer, IntegrityError)):
        rule = bucket.proxy.inject(fault, **READING, times=None)
        with bucket.store(tries=2).open_random(NAME) as file, pytest.raises(error):
            file.read_at(100, 10)
        assert rule.hits == (2 if error is StoreError else 1)
        bucket.proxy.heal()


# Listings


@pytest.mark.parametrize(
    "following",
    [
        "",
        "<NextVersionIdMarker>v1</NextVersionIdMarker>",
        "<NextKeyMarker>force/a</NextKeyMarker>",
        "<NextKeyMarker>force/a</NextKeyMarker><NextVersionIdMarker>v1</NextVersionIdMarker>",
    ],
)
def test_a_listing_that_does_not_go_on_is_an_error_soon(bucket: Bucket, following: str) -> None:
    rule = bucket.proxy.inject(
        listing(version("force/a"), truncated=True, following=following), **LISTING, times=None
    )
    with pytest.raises(StoreError, match="the server does not go on with its list") as caught:
        list(bucket.store().list())
    verify_words(caught.value, bucket)
    assert rule.hits <= 2


def test_a_listing_that_goes_round_in_a_circle_is_an_error_soon(bucket: Bucket) -> None:
    for here, there in (("a", "b"), ("b", "a")):
        bucket.proxy.inject(
            listing(truncated=True, following=f"<NextKeyMarker>{there}</NextKeyMarker>"),
            method="GET", target=f"versions.*key-marker={here}|key-marker={here}.*versions", times=None,
        )  # fmt: skip
    bucket.proxy.inject(
        listing(truncated=True, following="<NextKeyMarker>a</NextKeyMarker>"), **LISTING, times=None
    )
    with pytest.raises(StoreError, match="the server does not go on with its list"):
        list(bucket.store().list())
    assert len(bucket.proxy.log) <= 4


def test_a_list_of_uploads_that_does_not_go_on_is_an_error(bucket: Bucket) -> None:
    body = b"<ListMultipartUploadsResult><IsTruncated>true</IsTruncated></ListMultipartUploadsResult>"
    bucket.proxy.inject(Answer(200, body), **UPLOADS, times=None)
    with pytest.raises(StoreError, match="the server does not go on with its list"):
        bucket.store().delete_partial()


def test_keys_that_were_not_asked_for_are_neither_listed_nor_touched(bucket: Bucket) -> None:
    entries = [
        version(key)
        for key in (f"force/archives/2026-11-02/{NAME[20:]}", "force/" + NAME, "elsewhere/a", "force/../a",
                    "force/a b", "force/a\u202eb", "force/", "force//a", "force/archives/2026-11-02/../b")
    ]  # fmt: skip
    bucket.proxy.inject(listing(*entries), **LISTING, times=None)
    assert list(bucket.store().list("archives/2026-11-02/")) == ["archives/2026-11-02/" + NAME[20:]]
    bucket.store().discard_unfinished("2026-11-02")
    deleted = [one.target for one in bucket.proxy.log if one.method == "DELETE"]
    assert len(deleted) == 1
    assert "2026-11-02" in deleted[0]
    assert bucket.direct().read(NAME, 1 << 20) == DATA


@pytest.mark.parametrize(
    "entry",
    [
        version("force/a", size="five"),
        version("force/a", time="yesterday"),
        version("force/a").replace("<Key>force/a</Key>", ""),
        version("force/a").replace("<Size>5</Size>", ""),
        "<DeleteMarker><Key>force/a</Key></DeleteMarker>",
    ],
)
def test_a_listing_that_lacks_what_it_must_have_is_a_store_error(bucket: Bucket, entry: str) -> None:
    bucket.proxy.inject(listing(entry), **LISTING, times=None)
    for attempt in (lambda: list(bucket.store().list()), lambda: bucket.store().exists("a")):
        with pytest.raises(StoreError) as caught:
            attempt()
        verify_words(caught.value, bucket)
        assert "the answer is not one of an S3 server's" in caught.value.message


def test_of_ten_thousand_versions_the_oldest_counts_though_it_is_null_and_all_are_of_one_second(
    bucket: Bucket,
) -> None:
    key = "force/many"
    for page in range(10):
        numbers = [f"v{page}-{one}" for one in range(1000)]
        if page == 9:
            numbers[-1] = "null"
        last = page == 9
        bucket.proxy.inject(
            listing(
                *(version(key, number) for number in numbers), truncated=not last,
                following="" if last else f"<NextKeyMarker>{key}</NextKeyMarker>"
                f"<NextVersionIdMarker>{numbers[-1]}</NextVersionIdMarker>",
            ),
            method="GET", target="versions", where=_after(page),
        )  # fmt: skip
    rule = bucket.proxy.inject(
        Answer(200, b"right", {"ETag": '"e"'}), method="GET", target="versionId=null", times=None
    )
    found = bucket.store()._objects.list_below("many")
    assert len(found["many"].versions) == 10_000
    assert found["many"].counting("many") == found["many"].versions[-1]
    assert bucket.store()._objects.read("many", found["many"].versions[-1], 0, 5) == b"right"
    assert rule.hits == 1


def _after(page: int) -> Callable[[object], bool]:
    """Whether a request is for this page of the list."""
    marker = "" if page == 0 else f"v{page - 1}-999"
    return lambda one: (
        (marker in str(getattr(one, "target", "")))
        and (page > 0 or "version-id-marker" not in str(getattr(one, "target", "")))
    )


# No S3 server


HTML = b"<!DOCTYPE html><html><head><title>Sign in<br></title></head><body>Welcome</body></html>"
XHTML = b"<html><head><title>Sign in</title></head><body><p>Welcome</p></body></html>"
ACTS: dict[str, Callable[[S3Store], object]] = {
    "list": lambda store: list(store.list()),
    "begun": lambda store: store.begun_archives(),
    "exists": lambda store: store.exists("a"),
    "read": lambda store: store.read(NAME, 1 << 20),
    "put": lambda store: store.put_new("a", b"data"),
    "uploads": lambda store: store.delete_partial(),
}


@pytest.mark.parametrize("page", [HTML, XHTML, b"", b"welcome"])
@pytest.mark.parametrize("act", ACTS)
def test_a_networks_sign_in_page_is_no_store(bucket: Bucket, act: str, page: bytes) -> None:
    bucket.proxy.inject(Answer(200, page, {"Content-Type": "text/html"}), times=None)
    with pytest.raises(StoreError) as caught:
        ACTS[act](bucket.store())
    verify_words(caught.value, bucket)
    assert "the answer is not one of an S3 server's" in caught.value.message
    assert len(bucket.proxy.log) <= 12


@pytest.mark.parametrize("size", [5, 8_500_000])
@pytest.mark.parametrize("page", [HTML, XHTML])
def test_a_sign_in_page_that_comes_in_the_middle_of_writing_leaves_nothing(
    bucket: Bucket, size: int, page: bytes
) -> None:
    for method in ("PUT", "POST"):
        bucket.proxy.inject(Answer(200, page), method=method, times=None)
    with pytest.raises(StoreError):
        bucket.store().put_new("a", io.BytesIO(bytes(size)))
    assert bucket.versions() == [NAME]
    assert bucket.uploads() == []


@pytest.mark.parametrize("act", ["list", "read", "put", "uploads"])
def test_a_sign_in_page_in_place_of_a_single_answer_is_no_content(bucket: Bucket, act: str) -> None:
    bucket.proxy.inject(Answer(200, XHTML), method="HEAD" if act == "put" else "GET",
                        target="versionId=" if act == "read" else "", times=None,
                        skip=0)  # fmt: skip
    with pytest.raises(StoreError, match="the answer is not one of an S3 server's"):
        ACTS[act](bucket.store())


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_nobody_else_is_asked_wherever_the_server_sends_one(bucket: Bucket, status: int) -> None:
    """Another listener on this machine, which would log what arrives and pass it on."""
    acts: dict[str, tuple[Callable[[S3Store], object], dict[str, str]]] = {
        "list": (ACTS["list"], {}),
        "read": (ACTS["read"], READING),
        "put": (lambda store: store.put_new("b", b"data"), {"method": "PUT"}),
        "put in parts": (
            lambda store: store.put_new("b", io.BytesIO(bytes(8_500_000))),
            {"method": "PUT", "target": "partNumber=1"},
        ),
    }
    with TcpProxy(("127.0.0.1", bucket.server.port)) as elsewhere:
        headers = {"Location": f"{elsewhere.endpoint}/bucket", "x-amz-bucket-region": "eu-west-1"}
        answer = s3_error(status, "TemporaryRedirect", "Elsewhere.", headers=headers)
        for act, where in acts.values():
            rule = bucket.proxy.inject(answer, **where, times=None)
            with pytest.raises(StoreError) as caught:
                act(bucket.store())
            verify_words(caught.value, bucket)
            assert "the bucket is in another region" in caught.value.message
            assert 0 < rule.hits <= 6
            bucket.proxy.heal()
        assert elsewhere.connections == 0
        assert list(elsewhere.log) == []
    assert "b" not in bucket.versions()
    assert bucket.uploads() == []
