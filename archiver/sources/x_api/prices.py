"""What a request costs: X bills each thing it returns (X API, "Pricing", of the day in the settings)."""

from msgspec import Struct

from archiver.settings.api import AccountApi, Prices
from archiver.sources.x_api.endpoints import Endpoint


class Cost(Struct, frozen=True):
    """Things billed, and their price together in millionths of a dollar."""

    resources: int
    micro_usd: int


def price_of(endpoint: Endpoint, account: AccountApi, prices: Prices, *, own_token: bool) -> int:
    """Of one thing, in millionths of a dollar. X's lower price for one's own holds where the token is the
    account's own and the account owns the app."""
    if account.owns_app and own_token and endpoint.owned_price is not None:
        return prices.micro_usd[endpoint.owned_price]
    return prices.micro_usd[endpoint.price]


def cost_of(price: int, resources: int, included: int, prices: Prices) -> Cost:
    """Of one answer: what it holds and, where the settings say that X bills it, what it includes."""
    billed = resources + (included if prices.includes_billed else 0)
    return Cost(billed, billed * price)
