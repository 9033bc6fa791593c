"""Servers that do not do what is asked of them, or say what SeaweedFS cannot say: each fails by just the
proof that is about it. What is not altered is a real server's."""

from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from archiver.stores.checks import Check, check_store
from archiver.stores.s3 import S3Store
from tests.fakes.weak_s3 import Answer, Weakness, weak_server
from tests.seaweed import Seaweed, seaweed

__all__ = ["seaweed"]

DONE: Answer = (200, b"", {"ETag": '"0"', "x-amz-version-id": "none"})
COMPLETE: Answer = (
    200,
    b"<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>",
    {"Content-Type": "application/xml"},
)


def xml(text: str, status: int = 200) -> Answer:
    return status, text.encode(), {"Content-Type": "application/xml"}


NOT_IMPLEMENTED = xml("<Error><Code>NotImplemented</Code></Error>", 400)
HALF_A_BLOCK = xml(
    "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>"
)
PUBLIC_POLICY = xml("<PolicyStatus><IsPublic>true</IsPublic></PolicyStatus>")
PUBLIC_ACL = xml(
    "<AccessControlPolicy><AccessControlList><Grant>"
    '<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group">'
    "<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee>"
    "<Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>"
)
ELSEWHERE: Answer = (200, b"", {"x-amz-bucket-region": "eu-west-1"})
DENIED = xml("<Error><Code>AccessDenied</Code></Error>", 403)


def checked(server: Seaweed, weakness: Weakness, kind: Any = "locked", **options: Any) -> list[Check]:
    bucket = server.make_bucket(kind)
    with weak_server(server, weakness) as endpoint:
        return check_store(S3Store(server.options(bucket, endpoint=endpoint, **options)))


def failures(checks: list[Check]) -> list[str]:
    return [one.what for one in checks if not one.ok]


def when(command: str, *parts: str, answer: Answer, times: int = 99, skip: int = 0) -> Weakness:
    """Answer so to requests with this method and these parts in their address, or headers so named."""
    seen = [0]

    def weakness(request: BaseHTTPRequestHandler) -> Answer | None:
        told = [request.path, *(f"{name.lower()}:{value}" for name, value in request.headers.items())]
        if request.command != command or not all(any(part in one for one in told) for part in parts):
            return None
        seen[0] += 1
        return answer if skip < seen[0] <= skip + times else None

    return weakness


def test_with_nothing_altered_every_proof_holds_and_a_busy_server_is_asked_again(seaweed: Seaweed) -> None:
    busy = when("GET", "versioning", answer=xml("<Error><Code>SlowDown</Code></Error>", 503), times=1)
    asked = {"object_lock": "compliance", "lock_days": 1, "legal_hold": True, "first_wait_seconds": 0.01}
    assert failures(checked(seaweed, busy, **asked)) == []


def all_of(weaknesses: Sequence[Weakness]) -> Weakness:
    """A server with several; each sees, and counts, every request."""

    def weakness(request: BaseHTTPRequestHandler) -> Answer | None:
        answers = [one(request) for one in weaknesses]
        return next((one for one in answers if one is not None), None)

    return weakness


@pytest.mark.parametrize(
    "weaknesses",
    [
        {
            "create-only": when("PUT", "/checks/", "if-none-match:", answer=DONE, skip=1, times=1),
            "create-only, in parts": when("POST", "uploadId=", answer=COMPLETE, skip=1),
            "checksum": when("PUT", "/checks/", answer=DENIED, skip=4, times=1),
            "checksum, in parts": when("PUT", "partNumber=", answer=DONE, skip=2),
            "ending uploads": when("DELETE", "uploadId=", answer=DENIED),
            "public access block": when("GET", "publicAccessBlock", answer=HALF_A_BLOCK),
            "bucket policy": when("GET", "policyStatus", answer=PUBLIC_POLICY),
            "bucket ACL": when("GET", "acl", answer=PUBLIC_ACL),
        },
        {
            "reads exactly": when("GET", "versionId=", "range:", answer=(206, b"?", {})),
            "create-only": when("PUT", "/checks/", "if-none-match:", answer=NOT_IMPLEMENTED, skip=1, times=1),
            "checksum, in parts": when("PUT", "partNumber=", answer=DENIED, skip=2),
            "ending uploads": when("GET", "uploads", answer=xml("<ListMultipartUploadsResult/>")),
        },
        {"bucket": when("HEAD", "/bucket-", "amz-sdk", answer=ELSEWHERE, times=1)},
    ],
)
def test_a_server_fails_by_the_proofs_for_its_weaknesses_and_by_no_other(
    seaweed: Seaweed, weaknesses: dict[str, Weakness]
) -> None:
    checks = checked(seaweed, all_of(list(weaknesses.values())))
    assert sorted(failures(checks)) == sorted(weaknesses)


@pytest.mark.parametrize(
    ("weakness", "expected"),
    [
        (
            when("DELETE", "versionId=", answer=(204, b"", {}), skip=1),
            ["lock holds", "lock cannot be bypassed", "lock holds, in parts"],
        ),
        (
            when("DELETE", "x-amz-bypass-governance-retention", answer=(204, b"", {})),
            ["lock cannot be bypassed"],
        ),
    ],
)
def test_a_lock_that_is_not_honoured_fails(seaweed: Seaweed, weakness: Weakness, expected: list[str]) -> None:
    assert failures(checked(seaweed, weakness, object_lock="compliance", lock_days=1)) == expected


def test_a_lock_that_is_not_set_fails(seaweed: Seaweed) -> None:
    def weakness(request: BaseHTTPRequestHandler) -> Answer | None:
        if request.command == "PUT" and "x-amz-object-lock-mode" in request.headers:
            return (200, b"", {"ETag": '"0"', "x-amz-version-id": "v"})
        if request.command == "HEAD" and "versionId=v" in request.path:
            return (200, b"", {"Content-Length": "6"})
        return None

    assert failures(checked(seaweed, weakness, object_lock="compliance", lock_days=1)) == ["lock is set"]


def test_a_lock_that_is_not_set_on_what_comes_in_parts_fails(seaweed: Seaweed) -> None:
    parts: list[str] = []

    def weakness(request: BaseHTTPRequestHandler) -> Answer | None:
        if request.command == "POST" and "uploads" in request.path:
            for name in [one for one in request.headers if one.lower().startswith("x-amz-object-lock")]:
                parts.append(request.path.partition("?")[0])
                del request.headers[name]
        if request.command == "HEAD" and request.path.partition("?")[0] in parts:
            return (200, b"", {"Content-Length": "6"})
        return None

    checks = checked(seaweed, weakness, object_lock="compliance", lock_days=1)
    assert failures(checks) == ["lock is set, in parts"]


def test_keys_that_are_wrong_are_said_to_be_wrong(seaweed: Seaweed) -> None:
    (check,) = checked(seaweed, lambda request: None, secret_access_key="wrong" * 8)
    assert check.said == "the server does not know these credentials (SignatureDoesNotMatch)"
    assert check.hint == "check the access key and the secret key"


def test_credentials_that_may_remove_nothing_leave_the_lock_untried_and_that_is_said(
    seaweed: Seaweed,
) -> None:
    checks = checked(
        seaweed, when("DELETE", "/checks/", answer=DENIED), object_lock="governance", lock_days=1
    )
    told = {one.what: one.said for one in checks}
    assert "these credentials may remove no version at all" in told["lock holds"]
    assert told["delete marker"] == "these credentials may put none over a file"
    unproven = {one.what for one in checks if not one.proven}
    assert unproven == {"lock holds", "lock holds, in parts", "delete marker", "public access block"}
    assert "probes are kept by the server" in told["cleaning"]
    assert failures(checks) == ["ending uploads"]
