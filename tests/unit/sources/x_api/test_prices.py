"""What a request costs, in whole millionths of a dollar."""

import pytest

from archiver.settings.api import AccountApi, Credentials, Prices
from archiver.sources.x_api.endpoints import ENDPOINTS, Endpoint
from archiver.sources.x_api.prices import Cost, cost_of, price_of

PRICES = Prices()
each_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=ENDPOINTS)


def account(owns_app: bool) -> AccountApi:
    return AccountApi(Credentials(token="file:x.token"), owns_app=owns_app)


@each_endpoint
@pytest.mark.parametrize(("owns_app", "own_token"), [(False, False), (True, False), (False, True)])
def test_the_lower_price_is_for_an_account_that_owns_the_app_and_asks_for_itself(
    endpoint: Endpoint, owns_app: bool, own_token: bool
) -> None:
    full = PRICES.micro_usd[endpoint.price]
    assert price_of(endpoint, account(owns_app), PRICES, own_token=own_token) == full
    own = price_of(endpoint, account(True), PRICES, own_token=True)
    assert own == PRICES.micro_usd[endpoint.owned_price or endpoint.price] <= full


def test_messages_and_lookups_have_no_lower_price() -> None:
    for name in ("messages", "recheck"):
        assert ENDPOINTS[name].owned_price is None


def test_prices_are_those_of_the_settings() -> None:
    prices = Prices(micro_usd={**PRICES.micro_usd, "posts": 7, "posts_owned": 3})
    assert price_of(ENDPOINTS["posts"], account(False), prices, own_token=True) == 7
    assert price_of(ENDPOINTS["posts"], account(True), prices, own_token=True) == 3


@pytest.mark.parametrize(("billed", "cost"), [(False, Cost(3, 15_000)), (True, Cost(10, 50_000))])
def test_what_an_answer_includes_costs_where_the_settings_say_so(billed: bool, cost: Cost) -> None:
    assert cost_of(5_000, 3, 7, Prices(includes_billed=billed)) == cost


def test_an_empty_answer_costs_nothing() -> None:
    assert cost_of(5_000, 0, 0, PRICES) == Cost(0, 0)
