"""What an S3 server or the way to it refuses, as one sentence and a hint. No credential is in either:
nothing of a request's headers is told, and of the server's words only its code and message."""

import http.client
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import urllib3.exceptions
from boto3.exceptions import Boto3Error
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from archiver.errors import StoreError
from archiver.stores.s3.options import S3Options
from archiver.times import as_datetime, format_time

FOREIGN = (
    boto.BotoCoreError,
    boto.ClientError,
    Boto3Error,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
)
"""All that boto3 and what lies under it raise: its own, and while a body is read the connection's."""
ANY_ANSWER = (ResponseParserError, KeyError, TypeError, ValueError)
"""What botocore, and whoever uses its answers, may raise for one that is no S3 server's."""
SKEW_SECONDS = 300
"""A clock that differs by more is told of; servers refuse from 900 seconds on."""
_MOST_WORDS = 200

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"}
_WRONG = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "UnrecognizedClientException"}
_REGION = {
    "AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect",
    "IllegalLocationConstraintException",
    "301", "307",
}  # fmt: skip
_FULL = {
    "QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "InsufficientCapacity", "StorageFull",
    "XMinioAdminBucketQuotaExceeded", "507", "EntityTooLarge.Quota",
}  # fmt: skip
_LOCK = {"InvalidRequest", "ObjectLockConfigurationNotFoundError", "InvalidBucketState"}
_BUSY = {
    "SlowDown",
    "ServiceUnavailable",
    "InternalError",
    "RequestTimeout",
    "Throttling",
    "500",
    "502",
    "503",
    "504",
}


_PASSING = _BUSY | {"ThrottlingException", "RequestThrottled", "TooManyRequests", "429"}
_BROKEN = (
    boto.HTTPClientError,
    boto.ConnectionError,
    boto.IncompleteReadError,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    ConnectionError,
    TimeoutError,
)
_WAY_HINT = "check `endpoint`, and what is on the way: a proxy, a network's sign-in page"
LOCK_HINT = 'it can only be had from the bucket\'s making on: use such a bucket, or set object_lock = "none"'


class OddAnswerError(boto.BotoCoreError):  # type: ignore[misc]  # botocore has no types
    """An answer that no S3 server gives: a sign-in page's, a proxy's, another program's."""

    fmt = "the answer is not one of an S3 server's"


def code_of(error: BaseException) -> str:
    """The server's code for a refusal, as `NoSuchKey`; of a HEAD, which has none, its status; else empty."""
    if not isinstance(error, boto.ClientError):
        return ""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: BaseException) -> int:
    """The HTTP status of a refusal; 0 where no answer came."""
    if not isinstance(error, boto.ClientError):
        return 0
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_missing(error: BaseException) -> bool:
    """Whether the server says that there is no such key or version; a missing bucket is another matter."""
    return code_of(error) in {"NoSuchKey", "NoSuchVersion", "404", "NotFound"}


def is_taken(error: BaseException) -> bool:
    """Whether a put was refused as the key is there: 412, and 409 where two puts met."""
    return code_of(error) in {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


def is_doubtful(error: BaseException) -> bool:
    """Whether the server may have done what was asked, though it does not look so: no answer, a 5xx, or an
    answer to a request that was sent again (it is there already, there is no such upload)."""
    if not isinstance(error, boto.ClientError):
        return not isinstance(error, (boto.NoCredentialsError, boto.ParamValidationError))
    return status_of(error) >= 500 or is_taken(error) or code_of(error) == "NoSuchUpload"


def is_passing(error: BaseException) -> bool:
    """Whether the same may do in a while: no connection, no answer or a broken one, a server that is busy or
    has a fault."""
    if isinstance(error, boto.ClientError):
        return status_of(error) in {429, 500, 502, 503, 504} or code_of(error) in _PASSING
    if isinstance(error, boto.SSLError):
        return "CERTIFICATE_VERIFY_FAILED" not in str(error)
    return isinstance(error, _BROKEN)


def lacks_lock_config(error: BaseException) -> bool:
    """Whether the server says that a bucket which is there has no Object Lock."""
    return code_of(error) in {"ObjectLockConfigurationNotFoundError", "ObjectLockConfigurationNotFound"}


def translate(error: BaseException, doing: str, options: S3Options, now_ms: int) -> StoreError:
    """The error to raise for what was raised while `doing` something, as "reading vault.json from"."""
    what = f"{doing} {options.location} failed"
    if isinstance(error, boto.ClientError):
        reason, hint = _refusal(error, options, now_ms)
    else:
        reason, hint = _no_answer(error, options)
    return StoreError(f"{what}: {reason}", hint)


def _refusal(error: Any, options: S3Options, now_ms: int) -> tuple[str, str | None]:
    code = code_of(error)
    words = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())[:_MOST_WORDS]
    if code == "NoSuchBucket" or (code in {"404", "NotFound"} and error.operation_name == "HeadBucket"):
        return f"there is no bucket {options.bucket}", "make it, or correct `bucket` in the settings"
    if code == "RequestTimeTooSkewed" or (status_of(error) == 403 and _skew(error, now_ms) > SKEW_SECONDS):
        return _clocks(
            error, now_ms
        ), "set this machine's clock: the server refuses what is signed too early or late"
    if code in _EXPIRED:
        return "the credentials have expired", "renew them and run this again"
    if code in _WRONG:
        return (
            f"the server does not know these credentials ({code})",
            "check the access key and the secret key",
        )
    if code in _REGION:
        return "the bucket is in another region", _region_hint(error, options)
    if code in _FULL or status_of(error) == 507:
        return f"it is full ({code})", "make room or raise the quota, then run this again"
    if _lacks_lock(code, words, options):
        return (
            "the bucket has no Object Lock",
            LOCK_HINT,
        )
    if code in {"AccessDenied", "403", "Forbidden", "AllAccessDisabled"}:
        return "the server denies it", "the credentials need the rights named in docs/operations.md"
    if _is_web_page(error):
        return f"the answer is not one of an S3 server's ({status_of(error)})", _WAY_HINT
    if code in _BUSY or status_of(error) >= 500:
        return f"the server has a fault ({code or status_of(error)})", "try again later"
    told = f"{code}: {words}" if words else code
    return f"the server refuses it ({told})", None


def _is_web_page(error: Any) -> bool:
    """Whether the answer was a page for people. botocore makes a fault of one that came with 200."""
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return "html" in headers.get("content-type", "")


def _lacks_lock(code: str, words: str, options: S3Options) -> bool:
    """Whether a put was refused for its lock. Amazon's server says so, others say nothing more than that
    the request is invalid."""
    asked = options.object_lock != "none" or options.legal_hold
    silent = words.lower().rstrip(".") in ("", "invalid request")
    return code in _LOCK and asked and (silent or "lock" in words.lower())


def _server_time(error: Any) -> datetime | None:
    date = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        found = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _skew(error: Any, now_ms: int) -> float:
    """By how many seconds the clocks differ; 0 where the server does not tell its own."""
    there = _server_time(error)
    return 0 if there is None else abs((as_datetime(now_ms) - there).total_seconds())


def _clocks(error: Any, now_ms: int) -> str:
    there = _server_time(error)
    theirs = "another time" if there is None else format_time(int(there.timestamp() * 1000))
    return f"this machine's clock says {format_time(now_ms)}, the server's {theirs}"


def _region_hint(error: Any, options: S3Options) -> str:
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    region = error.response.get("Error", {}).get("Region") or headers.get("x-amz-bucket-region")
    if region:
        return f'set region = "{region}" for this store'
    asked = "" if options.region is None else f", which is not {options.region}"
    return f"set `region` for this store to the bucket's{asked}"


def _no_answer(error: BaseException, options: S3Options) -> tuple[str, str | None]:
    if isinstance(
        error, (boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError)
    ):
        return (
            "no credentials were found",
            "name them in the settings, or have them where boto3 looks: environment, profile, role",
        )
    if isinstance(error, (boto.ProfileNotFound, boto.ConfigNotFound, boto.ConfigParseError)):
        return f"there is no profile {options.profile} in boto3's files", "correct `profile`, or configure it"
    if isinstance(error, OddAnswerError):
        return (
            "the answer is not one of an S3 server's",
            _WAY_HINT,
        )
    if isinstance(error, boto.SSLError) and not is_passing(error):
        return (
            "the server's certificate is not accepted",
            "where a private authority signed it, name its certificate as `ca_file`",
        )
    if isinstance(error, (boto.ConnectTimeoutError, boto.ReadTimeoutError)):
        return "no answer came in time", "check the network and the server"
    if isinstance(error, boto.EndpointConnectionError):
        return "the server cannot be reached", "check `endpoint`, the network and the server"
    if isinstance(error, (boto.ParamValidationError, boto.InvalidRegionError, ValueError)):
        return f"the settings cannot be right ({type(error).__name__})", "check this store's settings"
    return f"the connection broke ({type(error).__name__})", "check the network and the server"
