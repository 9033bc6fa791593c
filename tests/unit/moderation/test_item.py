"""What a person names: addresses of every form that X has used, and what only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.errors import UsageError
from archiver.moderation.item import ItemName, parse_item_name

POST = "1588091220244369409"


@pytest.mark.parametrize(
    "text",
    [
        POST,
        f" {POST}\n",
        f"https://x.com/SpringfieldPD/status/{POST}",
        f"https://twitter.com/SpringfieldPD/status/{POST}?s=20&t=abc#m",
        f"http://www.twitter.com/SpringfieldPD/statuses/{POST}",
        f"https://mobile.x.com/i/web/status/{POST}",
        f"x.com/i/status/{POST}/photo/1",
        f"HTTPS://X.COM/SpringfieldPD/status/{POST}/",
    ],
)
def test_every_form_of_a_posts_address_names_the_post(text: str) -> None:
    name = parse_item_name(text)
    assert (name.kind, name.id) == ("post", POST)


@pytest.mark.parametrize(
    "text",
    ["@SpringfieldPD", "https://x.com/SpringfieldPD", "twitter.com/SpringfieldPD/", "x.com/@SpringfieldPD"],
)
def test_a_handle_or_a_profiles_address_names_the_account(text: str) -> None:
    assert parse_item_name(text) == ItemName("user", None, "SpringfieldPD")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("https://www.facebook.com/SpringfieldPD/posts/123", "is not X"),
        ("https://example.org/SpringfieldPD/status/123", "is not X"),
        ("https://x.com.example.org/a/status/123", "is not X"),
        ("https://x.com@example.org/a/status/123", "is not X"),
        ("https://example.org\\@x.com/a/status/123", "is not"),
        ("https://user:word@x.com/a/status/123", "is not X"),
        ("https://xn--x-0na.com/a/status/123", "is not X"),
        ("https://bsky.app/profile/a/post/3k", "is not X"),
        ("https://t.co/abc", "short link"),
        ("https://x.com/home", "is on X, but is no post and no account"),
        ("https://x.com/i/spaces/123", "is on X, but is no post and no account"),
        ("https://x.com/SpringfieldPD/status/12a", "is on X, but is no post and no account"),
        ("https://x.com/SpringfieldPD/status/0123", "is on X, but is no post and no account"),
        ("https://x.com/messages/1-2", "direct message"),
        ("https://x.com:8080/a/status/123", "is not a post or an account of X"),
        ("ftp://x.com/a/status/123", "is not a post or an account of X"),
        ("https://[x.com/a/status/123", "is not a post or an account of X"),
        ("an abusive reply", "is not a post or an account of X"),
        ("", "is not a post or an account of X"),
        ("0", "is not a post or an account of X"),
        ("123456789012345678901", "is not a post or an account of X"),
        ("https://x.com/a/status/1" + "0" * 3000, "is not a post or an account of X"),
    ],
)
def test_what_is_no_item_of_x_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_item_name(text)
    assert said in raised.value.message
    assert raised.value.hint
    assert len(raised.value.message) < 300


def test_another_platforms_address_is_told_where_it_can_go() -> None:
    with pytest.raises(UsageError) as raised:
        parse_item_name("https://www.facebook.com/SpringfieldPD/posts/123")
    assert "archiver moderation import" in (raised.value.hint or "")


def test_a_message_is_named_by_its_number_alone() -> None:
    assert parse_item_name("1588091220244369409", is_message=True).kind == "message"
    with pytest.raises(UsageError, match="not the number of a direct message"):
        parse_item_name("https://x.com/messages/1-2", is_message=True)


@given(st.text(max_size=80))
def test_any_text_is_an_item_or_a_usage_error(text: str) -> None:
    try:
        name = parse_item_name(text)
    except UsageError:
        return
    assert name.kind in ("post", "user")
    assert (name.id or name.handle or "").isascii()


@given(st.integers(1, 10**19 - 1), st.from_regex(r"[A-Za-z0-9_]{1,15}", fullmatch=True))
def test_the_address_made_of_a_name_names_it_again(number: int, handle: str) -> None:
    name = ItemName("post", str(number), handle)
    again = parse_item_name(name.url)
    assert again.id == name.id
    assert again.handle == (None if handle == "i" else handle)
