"""Answers as Amazon's server and others give them, which the server of the tests does not."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from botocore import exceptions as boto
from urllib3.exceptions import ProtocolError

from archiver.stores.s3.options import S3Options
from archiver.stores.s3.refusals import OddAnswerError, is_doubtful, is_missing, is_taken, translate

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
OPTIONS = S3Options("bucket", "force/", endpoint="https://s3.example:9000", region="eu-west-1")


def refused(
    code: str, message: str = "", status: int = 400, operation: str = "PutObject", **headers: str
) -> boto.ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
    }
    return boto.ClientError(answer, operation)


def said(error: BaseException, options: S3Options = OPTIONS) -> str:
    translated = translate(error, "writing a to", options, NOW_MS)
    assert translated.message.startswith("writing a to s3://bucket/force at s3.example:9000 failed: ")
    return f"{translated.message.partition('failed: ')[2]} | {translated.hint}"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (refused("NoSuchBucket", status=404), "there is no bucket bucket | make it"),
        (refused("404", status=404, operation="HeadBucket"), "there is no bucket bucket"),
        (refused("ExpiredToken"), "the credentials have expired | renew them"),
        (refused("SignatureDoesNotMatch", status=403), "not know these credentials (SignatureD"),
        (refused("QuotaExceeded", status=403), "it is full (QuotaExceeded) | make room"),
        (refused("Unknown", status=507), "it is full"),
        (refused("AccessDenied", "Access Denied", 403), "the server denies it | the credentials need"),
        (refused("SlowDown", status=503), "the server has a fault (SlowDown) | try again later"),
        (refused("500", status=500), "the server has a fault (500)"),
        (refused("InvalidArgument", "no  such\nclass"), "refuses it (InvalidArgument: no such class)"),
        (boto.NoCredentialsError(), "no credentials were found | name them"),
        (boto.ProfileNotFound(profile="x"), "there is no profile"),
        (
                boto.SSLError(endpoint_url="u", error="[SSL: CERTIFICATE_VERIFY_FAILED]"),
                "certificate is not accepted | where a private",
            ),
            (boto.SSLError(endpoint_url="u", error="EOF"), "the connection broke (SSLError)"),
            (OddAnswerError(), "the answer is not one of an S3 server's | check `endpoint`"),
        (boto.ReadTimeoutError(endpoint_url="u"), "no answer came in time"),
        (boto.ConnectTimeoutError(endpoint_url="u"), "no answer came in time"),
        (boto.EndpointConnectionError(endpoint_url="u", error="e"), "the server cannot be reached"),
        (boto.ParamValidationError(report="Bucket"), "the settings cannot be right"),
        (ProtocolError("cut"), "the connection broke (ProtocolError)"),
        (ConnectionResetError(), "the connection broke (ConnectionResetError)"),
    ],
)  # fmt: skip
def test_each_refusal_is_a_sentence_and_a_hint(error: BaseException, words: str) -> None:
    assert words in said(error)


def test_a_wrong_region_is_named_with_the_right_one_where_the_server_tells_it() -> None:
    told = refused("PermanentRedirect", status=301, **{"x-amz-bucket-region": "eu-north-1"})
    assert said(told) == 'the bucket is in another region | set region = "eu-north-1" for this store'
    within = refused("AuthorizationHeaderMalformed")
    within.response["Error"]["Region"] = "us-west-2"
    assert 'set region = "us-west-2"' in said(within)
    assert "which is not eu-west-1" in said(refused("301", status=301, operation="HeadObject"))


@pytest.mark.parametrize("code", ["RequestTimeTooSkewed", "403"])
def test_a_wrong_clock_is_told_with_both_times(code: str) -> None:
    theirs = format_datetime(NOW + timedelta(hours=2), usegmt=True)
    assert said(refused(code, status=403, date=theirs)) == (
        "this machine's clock says 2026-11-01T12:00:00.000Z, the server's 2026-11-01T14:00:00.000Z | "
        "set this machine's clock: the server refuses what is signed too early or late"
    )


def test_a_denial_with_a_right_or_an_odd_clock_is_a_denial() -> None:
    for date in (format_datetime(NOW, usegmt=True), "yesterday", ""):
        assert "the server denies it" in said(refused("403", status=403, date=date))


def test_a_put_that_is_refused_for_its_lock_says_that_the_bucket_has_none() -> None:
    asked = S3Options("bucket", "force/", OPTIONS.endpoint, object_lock="compliance", lock_days=1)
    words = "Bucket is missing Object Lock Configuration"
    assert "the bucket has no Object Lock | " in said(refused("InvalidRequest", words), asked)
    assert "the bucket has no Object Lock | " in said(refused("InvalidRequest", "Invalid Request"), asked)
    assert "InvalidRequest: Missing header" in said(refused("InvalidRequest", "Missing header"), asked)
    assert "InvalidRequest" in said(refused("InvalidRequest", words))


def test_what_an_answer_leaves_open_is_known() -> None:
    assert is_missing(refused("NoSuchVersion", status=404))
    assert not is_missing(refused("NoSuchBucket", status=404))
    assert is_taken(refused("PreconditionFailed", status=412))
    assert is_taken(refused("ConditionalRequestConflict", status=409))
    for open_one in (
        refused("InternalError", status=500), refused("NoSuchUpload", status=404),
        refused("PreconditionFailed", status=412), ProtocolError("cut"), ConnectionResetError(),
        boto.ReadTimeoutError(endpoint_url="u"),
    ):  # fmt: skip
        assert is_doubtful(open_one)
    for sure in (refused("AccessDenied", status=403), boto.NoCredentialsError()):
        assert not is_doubtful(sure)
