"""What is asked of X for each kind, held against X's own descriptions and its price list."""

import pytest
import tweepy

from archiver.records import RELATION_KINDS
from archiver.settings.api import ACTS, COLLECT_KINDS, DEFAULT_PRICES, USER_KINDS, Act
from archiver.sources.x_api.endpoints import AROUND, ENDPOINTS, Endpoint
from archiver.sources.x_api.scopes import ACT_SCOPES, SCOPES
from tests.contracts.openapi import require_description

each_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=ENDPOINTS)
each_version = pytest.mark.parametrize("version", ["2.166", "2.167"])


@each_version
@each_endpoint
def test_a_path_exists_and_gives_as_many_a_page_as_is_asked_for(endpoint: Endpoint, version: str) -> None:
    size = require_description(version).parameters(endpoint.path).get("max_results")
    if endpoint.walk in ("timeline", "snapshot"):
        assert size is not None
        assert size["maximum"] == endpoint.page
        assert size["minimum"] == endpoint.least
    else:
        assert size is None


@each_version
def test_a_lookup_asks_for_as_many_ids_as_x_takes(version: str) -> None:
    ids = require_description(version).parameters("/2/tweets")["ids"]
    assert ids["maxItems"] == ENDPOINTS["recheck"].page == ENDPOINTS["moderated"].page


@each_version
@each_endpoint
def test_the_scopes_asked_for_at_sign_in_are_those_x_wants(endpoint: Endpoint, version: str) -> None:
    assert require_description(version).scopes(endpoint.path) <= SCOPES[endpoint.kind]


@each_version
@pytest.mark.parametrize(
    ("act", "method", "path"),
    [
        ("hide", "PUT", "/2/tweets/{tweet_id}/hidden"),
        ("remove", "DELETE", "/2/tweets/{id}"),
        ("mute", "POST", "/2/users/{id}/muting"),
        ("mute", "DELETE", "/2/users/{source_user_id}/muting/{target_user_id}"),
    ],
)
def test_the_scopes_asked_for_acts_are_those_x_wants(act: Act, method: str, path: str, version: str) -> None:
    assert require_description(version).scopes(path, method) == ACT_SCOPES[act]
    assert ACT_SCOPES.keys() == set(ACTS)


@each_version
@each_endpoint
def test_what_needs_a_token_of_the_account_itself_is_known(endpoint: Endpoint, version: str) -> None:
    """Likes are described for an app-only token or not, by version; they are asked for with either."""
    takes_app_only = require_description(version).takes_app_only(endpoint.path)
    if endpoint.kind in USER_KINDS or endpoint.body_kind == "owner":
        assert not takes_app_only
    elif endpoint.kind != "likes":
        assert takes_app_only


@each_endpoint
def test_tweepy_has_the_method(endpoint: Endpoint) -> None:
    assert callable(getattr(tweepy.Client, endpoint.method))


def test_what_is_asked_for_around_a_post_has_the_full_price_of_what_is_others() -> None:
    """And nothing of it is the account itself, of which X could say that it is not there."""
    for body_kind in AROUND:
        endpoint = ENDPOINTS[body_kind]
        assert not endpoint.takes_id
        assert endpoint.owned_price is None
        assert (endpoint.walk == "single") == (endpoint.subject == "username")


def test_every_kind_is_asked_for_and_each_answer_has_a_name_of_its_own() -> None:
    assert {one.kind for one in ENDPOINTS.values()} == set(COLLECT_KINDS)
    assert all(name == one.body_kind for name, one in ENDPOINTS.items())


@each_endpoint
def test_records_and_prices_are_known_kinds(endpoint: Endpoint) -> None:
    assert endpoint.record in ("account", "post", "message", *RELATION_KINDS)
    assert endpoint.price in DEFAULT_PRICES
    assert (
        endpoint.owned_price is None or DEFAULT_PRICES[endpoint.owned_price] <= DEFAULT_PRICES[endpoint.price]
    )


@each_endpoint
def test_an_id_stands_in_the_path_unless_x_or_tweepy_knows_it(endpoint: Endpoint) -> None:
    of_the_token = endpoint.body_kind in ("blocks", "mutes")  # and a name stands there for whom it is about
    assert endpoint.takes_id == ("{id}" in endpoint.path and not of_the_token)
