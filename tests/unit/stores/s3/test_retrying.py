import random
from itertools import islice

import pytest
from botocore import exceptions as boto

from archiver.stores.s3.refusals import is_passing
from archiver.stores.s3.retrying import retried, wait_lengths


def refused(code: str, status: int) -> boto.ClientError:
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return boto.ClientError(answer, "GetObject")  # type: ignore[arg-type]  # as much as is looked at


def test_waits_double_up_to_twenty_seconds() -> None:
    assert list(islice(wait_lengths(0.5, lambda: 1.0), 8)) == [0.5, 1, 2, 4, 8, 16, 20, 20]


def test_each_wait_lies_between_half_and_whole() -> None:
    drawn = list(islice(wait_lengths(0.5, random.Random(1).random), 6))  # noqa: S311 - no secret
    assert all(whole / 2 <= one <= whole for one, whole in zip(drawn, (0.5, 1, 2, 4, 8, 16), strict=True))
    assert len(set(drawn)) == 6


class Attempts:
    """An act that fails so often, and the seconds that are waited for it."""

    def __init__(self, *errors: BaseException, gives_up: bool = False) -> None:
        self.errors = list(errors)
        self.waited: list[float] = []
        self.gives_up = gives_up

    def act(self) -> str:
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        return self.gives_up

    def run(self, tries: int) -> str:
        return retried(self.act, tries, wait_lengths(0.5, lambda: 1.0), self.wait)


def test_what_fails_for_a_passing_reason_is_tried_so_often_in_all() -> None:
    passing = Attempts(*[refused("SlowDown", 503)] * 4)
    assert passing.run(5) == "done"
    assert passing.waited == [0.5, 1, 2, 4]
    lasting = Attempts(*[refused("SlowDown", 503)] * 9)
    with pytest.raises(boto.ClientError):
        lasting.run(5)
    assert len(lasting.errors) == 4
    once = Attempts(ConnectionResetError())
    with pytest.raises(ConnectionResetError):
        once.run(1)
    assert once.waited == []


def test_what_is_refused_is_not_tried_again() -> None:
    denied = Attempts(refused("AccessDenied", 403))
    with pytest.raises(boto.ClientError):
        denied.run(5)
    assert denied.waited == []


def test_waiting_can_be_given_up() -> None:
    given_up = Attempts(*[TimeoutError()] * 2, gives_up=True)
    with pytest.raises(TimeoutError):
        given_up.run(5)
    assert len(given_up.waited) == 1


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (refused("TooManyRequests", 429), True),
        (refused("RequestTimeout", 400), True),
        (refused("", 504), True),
        (refused("NotImplemented", 501), False),
        (refused("InsufficientStorage", 507), False),
        (refused("PreconditionFailed", 412), False),
        (boto.ReadTimeoutError(endpoint_url="u"), True),
        (boto.ConnectTimeoutError(endpoint_url="u"), True),
        (boto.EndpointConnectionError(endpoint_url="u", error="e"), True),
        (boto.ConnectionClosedError(endpoint_url="u"), True),
        (boto.ResponseStreamingError(error="e"), True),
        (boto.IncompleteReadError(actual_bytes=1, expected_bytes=2), True),
        (boto.SSLError(endpoint_url="u", error="EOF occurred"), True),
        (boto.SSLError(endpoint_url="u", error="[SSL: CERTIFICATE_VERIFY_FAILED]"), False),
        (boto.NoCredentialsError(), False),
        (FileNotFoundError(), False),
    ],
)
def test_only_what_may_pass_is_waited_for(error: BaseException, passing: bool) -> None:
    assert is_passing(error) == passing
