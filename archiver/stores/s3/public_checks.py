"""Proofs that a bucket is closed to the public: requests without credentials, and what the server says of
its own settings, where it does."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from archiver.stores.checks import Check
from archiver.stores.s3.probing import Probing, refused_with
from archiver.stores.s3.refusals import FOREIGN, code_of, status_of

_DENIED = (401, 403)
_EVERYBODY = ("/global/AllUsers", "/global/AuthenticatedUsers")
_CLOSE = "close the bucket: no policy, no ACL and no identity may give anything to who has no credentials"
_BLOCK = "aws s3api put-public-access-block --public-access-block-configuration"
_ALL = "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"


def check_public(probing: Probing) -> Iterator[Check]:
    """What somebody without credentials can do: read a probe, list, put; then the server's settings."""
    anybody = _without_credentials(probing)
    place = {"Bucket": probing.options.bucket}
    key, other = probing.new_key(), probing.new_key()
    tries: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("reading", lambda: anybody.get_object(**place, Key=key)["Body"].close()),
        ("listing", lambda: anybody.list_objects_v2(**place, Prefix=probing.options.prefix, MaxKeys=1)),
        ("writing", lambda: anybody.put_object(**place, Key=other, Body=b"by anybody")),
    )
    with suppress(*FOREIGN):  # where it cannot be put, reading answers that it is not there: no proof
        probing.put(key, b"for nobody")  # a probe of its own, that no delete marker hides
    for doing, act in tries:
        yield probing.attempt(f"no public {doing}", lambda doing=doing, act=act: _refused(doing, act))  # type: ignore[misc]
    yield _asked("public access block", lambda: _check_block(probing))
    yield _asked("bucket policy", lambda: _check_policy(probing))
    yield _asked("bucket ACL", lambda: _check_acl(probing))


def _without_credentials(probing: Probing) -> Any:
    options = probing.options
    config = Config(
        signature_version=UNSIGNED,
        s3={"addressing_style": options.addressing},
        retries={"mode": "standard", "total_max_attempts": max(1, options.tries)},
        connect_timeout=options.connect_timeout_seconds,
        read_timeout=options.read_timeout_seconds,
        request_checksum_calculation="when_required",
    )
    return boto3.session.Session().client(
        "s3",
        endpoint_url=options.endpoint,
        region_name=options.region or probing.connection.client.meta.region_name,
        verify=None if options.ca_file is None else str(options.ca_file),
        config=config,
    )


def _refused(doing: str, act: Callable[[], Any]) -> Check:
    what = f"no public {doing}"
    status, code = refused_with(act)
    if status in _DENIED:
        return Check(what, True, f"refused without credentials ({code})")
    if status:  # as 404, which is told only to who may look
        return Check(
            what, False, f"answered without credentials, if not with what was asked for ({code})", _CLOSE
        )
    return Check(what, False, f"{doing} works WITHOUT CREDENTIALS", _CLOSE)


def _asked(what: str, act: Callable[[], Check]) -> Check:
    """What the server says of its own settings; that it has no such question, or does not answer these
    credentials, proves nothing and is said."""
    try:
        return act()
    except FOREIGN as error:
        reason = code_of(error) or type(error).__name__
        told = "not allowed to ask" if status_of(error) == 403 else "not known there"
        return Check(what, True, f"{told} ({reason})", proven=False)


def _check_block(probing: Probing) -> Check:
    found = probing.request("get_public_access_block")["PublicAccessBlockConfiguration"]
    off = [name for name in _ALL.replace("=true", "").split(",") if not found.get(name)]
    if not off:
        return Check("public access block", True, "all of it is on")
    hint = f"{_BLOCK} {_ALL} --bucket {probing.options.bucket}"
    return Check("public access block", False, f"not on: {', '.join(off)}", hint)


def _check_policy(probing: Probing) -> Check:
    try:
        answer = probing.request("get_bucket_policy_status")
    except FOREIGN as error:
        if code_of(error) == "NoSuchBucketPolicy":
            return Check("bucket policy", True, "there is none")
        raise
    if answer.get("PolicyStatus", {}).get("IsPublic"):
        return Check("bucket policy", False, "it makes the bucket public", _CLOSE)
    return Check("bucket policy", True, "it makes nothing public")


def _check_acl(probing: Probing) -> Check:
    grants = probing.request("get_bucket_acl").get("Grants") or ()
    public = sorted(
        {
            str(one.get("Permission"))
            for one in grants
            if str(one.get("Grantee", {}).get("URI", "")).endswith(_EVERYBODY)
        }
    )
    if public:
        return Check("bucket ACL", False, f"it gives everybody {', '.join(public)}", _CLOSE)
    return Check("bucket ACL", True, "it gives nothing to everybody")
