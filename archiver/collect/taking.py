"""One question to X and its answer: read, priced, and not kept yet."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from archiver.collect.pages import ROUTE
from archiver.progress import Spend
from archiver.settings import AccountSettings
from archiver.settings.api import AccountApi, Prices
from archiver.sources.base import Capture
from archiver.sources.x_api.answer import Answer
from archiver.sources.x_api.client import XClient
from archiver.sources.x_api.endpoints import Endpoint
from archiver.sources.x_api.pace import Patience
from archiver.sources.x_api.prices import cost_of, price_of
from archiver.sources.x_api.reading import AnswerReading, read_answer
from archiver.times import format_date

PLATFORM = "x"


class Taken(msgspec.Struct):
    """One answer, read and not kept yet."""

    endpoint: Endpoint
    capture: Capture
    body: bytes
    answer: Answer
    reading: AnswerReading
    spend: Spend
    fetched_ms: int


def take_answer(
    client: XClient,
    account: AccountSettings,
    api: AccountApi,
    prices: Prices,
    endpoint: Endpoint,
    parameters: Mapping[str, Any],
    patience: Patience,
    *,
    handle: str | None,
    owner: str | None,
    subject: str | None = None,
    context: dict[str, str] | None = None,
    asked: Collection[str] = (),
) -> Taken:
    """Ask on behalf of an account. `handle`: as known now. `owner`: whose token it is. `subject`: the id in
    the path, where that is not the account's own. `asked`: the ids of a lookup. Raise as `XClient.fetch`."""
    path_id = subject or (account.id if endpoint.takes_id else None)
    fetched = client.fetch(endpoint, path_id, parameters, patience)
    capture = Capture(
        key=0,
        source="x_api",
        route=ROUTE,
        platform=PLATFORM,
        account=account.id,
        handle=handle,
        name=None,
        request=fetched.request,
        body_kind=endpoint.body_kind,
        layout=f"x-api-{fetched.generation}",
        fetched_ms=fetched.fetched_ms,
        context=context or {},
        status=200,
        headers=fetched.headers,
    )
    reading = read_answer(capture, fetched.answer, endpoint, asked)
    paid = [fetched.answer, *fetched.not_taken]
    cost = cost_of(
        price_for(endpoint, account, api, prices, owner),
        sum(one.resources for one in paid),
        sum(one.included for one in paid),
        prices,
    )
    spend = Spend(
        format_date(fetched.fetched_ms)[:7],
        PLATFORM,
        account.id,
        endpoint.kind,
        len(paid),
        cost.resources,
        cost.micro_usd,
    )
    return Taken(endpoint, capture, fetched.body, fetched.answer, reading, spend, fetched.fetched_ms)


def price_for(
    endpoint: Endpoint, account: AccountSettings, api: AccountApi, prices: Prices, owner: str | None
) -> int:
    """What one thing returned costs, in millionths of a dollar."""
    return price_of(endpoint, api, prices, own_token=owner == account.id)
