"""`[x_api]` and `[account.api]`: what they may say, and that everything wrong is said at once."""

from pathlib import Path
from typing import Any

import pytest

from archiver.settings import AccountSettings, Settings, SettingsError, add_account, load_settings
from archiver.settings.api import (
    COLLECT_KINDS,
    DEFAULT_BEARER_KINDS,
    DEFAULT_EVERY_DAYS,
    DEFAULT_KINDS,
    DEFAULT_PRICES,
    MEBIBYTE,
    PRICE_NAMES,
    AccountApi,
    ApiSettings,
    Credentials,
    Prices,
    format_usd,
)

ACCOUNT = '[[account]]\nplatform = "x"\nid = "7"\n'
OAUTH1 = """
    consumer_key = "env:A"
    consumer_secret = "env:B"
    access_token = "env:C"
    access_token_secret = "env:D"
    """


def load(folder: Path, text: str) -> Settings:
    (folder / "archiver.toml").write_text(text)
    return load_settings(folder / "archiver.toml")


def load_api(folder: Path, text: str) -> AccountApi:
    """`[account.api]` of an account, with these lines in it."""
    api = load(folder, f"{ACCOUNT}[account.api]\n{text}").accounts[0].api
    assert api is not None
    return api


def problems(folder: Path, text: str) -> list[str]:
    """Each as `place: what`."""
    with pytest.raises(SettingsError) as caught:
        load(folder, text)
    return [f"{problem.where}: {problem.what}" for problem in caught.value.problems]


def api_problems(folder: Path, text: str) -> list[str]:
    """Those of `[account.api]` with these lines, without its own name in front."""
    found = problems(folder, f"{ACCOUNT}[account.api]\n{text}")
    assert all(one.startswith("account[1].api") for one in found), found
    return [one.removeprefix("account[1].api").removeprefix(".") for one in found]


def test_without_a_word_of_it_the_defaults_hold_and_x_is_never_asked(tmp_path: Path) -> None:
    settings = load(tmp_path, ACCOUNT)
    assert settings.x_api == ApiSettings()
    assert settings.x_api.prices == Prices()
    assert settings.accounts[0].api is None


def test_everything_of_x_api_that_is_said_is_taken(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    settings = load(
        tmp_path,
        """
        [x_api]
        api_base_url = "http://127.0.0.1:8080/"
        authorize_url = "https://x.example/authorize"
        redirect_uri = "https://archive.example/callback?for=x"
        client_id = "abc:1"
        client_secret = "file:secret"
        ca_file = "ca.pem"
        field_names = "post"
        connect_timeout_seconds = 1
        read_timeout_seconds = 2
        max_wait_seconds = 0
        tries = 3
        answer_mebibytes = 4
        side_by_side = 5
        media_hosts = ["PBS.twimg.com", "127.0.0.1:8081", "[::1]:8082"]
        [x_api.prices]
        as_of = "2027-01-31"
        includes_billed = true
        posts = 0.000001
        likes = 2
        lists = 0
        """,
    )
    assert settings.x_api == ApiSettings(
        base_url="http://127.0.0.1:8080",
        authorize_url="https://x.example/authorize",
        redirect_uri="https://archive.example/callback?for=x",
        client_id="abc:1",
        client_secret=f"file:{tmp_path}/secret",
        ca_file=tmp_path / "ca.pem",
        field_names="post",
        connect_timeout_seconds=1,
        read_timeout_seconds=2,
        max_wait_seconds=0,
        tries=3,
        answer_bytes=4 * MEBIBYTE,
        side_by_side=5,
        media_hosts=("pbs.twimg.com", "127.0.0.1:8081", "[::1]:8082"),
        prices=Prices("2027-01-31", {**DEFAULT_PRICES, "posts": 1, "likes": 2_000_000, "lists": 0}, True),
    )


@pytest.mark.parametrize(
    ("key", "good"),
    [
        ("api_base_url", ("https://api.x.com", "https://api.x.com:65535", "https://[2001:db8::1]:1",
                          "http://localhost", "http://[::1]:80", "http://127.0.0.1:8080")),
        ("authorize_url", ("https://x.com/i/oauth2/authorize", "https://x.com", "http://localhost:1/a")),
        ("redirect_uri", ("http://127.0.0.1:8765/callback", "http://localhost:1", "http://[::1]:1/?a=b",
                          "https://a.example", "https://a.example:8443/b?c=d")),
    ],
)  # fmt: skip
def test_addresses_that_are_right_are_taken_as_they_are(
    tmp_path: Path, key: str, good: tuple[str, ...]
) -> None:
    for address in good:
        api = load(tmp_path, f'[x_api]\n{key} = "{address}"').x_api
        assert getattr(api, key.removeprefix("api_")) == address


BAD_FOR_ALL = (
    "", "api.x.com", "ftp://api.x.com", "http://api.x.com", "http://127.0.0.2:1", "http://localhost.x.com:1",
    "http://127.0.0.1.x.com:1", "https://", "https://user@api.x.com", "https://a:b@api.x.com",
    "https://api.x.com:0", "https://api.x.com:65536", "https://api.x.com:x", "https://api.x.com#a",
    "https://api x.com", "https://api.x.com\\\\@a", "https://-x.com", "https://[::1", "HTTPS://api.x.com",
    " https://api.x.com", "https://api.x.com\\n", "https://api.x.com/\\u00e4",
)  # fmt: skip


@pytest.mark.parametrize(
    ("key", "bad"),
    [
        ("api_base_url", ("https://api.x.com/2", "https://api.x.com?a", "https://api.x.com//")),
        ("authorize_url", ("https://x.com/a?b=c",)),
        ("redirect_uri", ("http://127.0.0.1/callback", "http://localhost", "x-app://callback",
                          "https://a.example/b#c")),
    ],
)  # fmt: skip
def test_addresses_that_cannot_be_right_are_named(tmp_path: Path, key: str, bad: tuple[str, ...]) -> None:
    for address in (*BAD_FOR_ALL, *bad):
        found = problems(tmp_path, f'[x_api]\n{key} = "{address}"')
        assert len(found) == 1, address
        assert found[0].startswith(f"x_api.{key}: "), address
        assert found[0].endswith(" cannot be right"), address


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('client_id = "a b"', "client_id: 'a b' cannot be right"),
        ('client_id = ""', "client_id: '' cannot be right"),
        ('client_secret = "hunter2"', "client_secret: this is not a reference to a secret"),
        ("ca_file = 3", "ca_file: this must be a text in quotes"),
        ('field_names = "posts"', "field_names: 'posts' is not known"),
        ("connect_timeout_seconds = 0", "connect_timeout_seconds: 0 is outside 1 to 120"),
        ("read_timeout_seconds = 601", "read_timeout_seconds: 601 is outside 1 to 600"),
        ("max_wait_seconds = -1", "max_wait_seconds: -1 is outside 0 to 86400"),
        ("tries = 21", "tries: 21 is outside 1 to 20"),
        ("tries = 1.0", "tries: this must be a whole number"),
        ("answer_mebibytes = 1025", "answer_mebibytes: 1025 is outside 1 to 1024"),
        ("side_by_side = true", "side_by_side: this must be a whole number"),
        ('media_hosts = "pbs.twimg.com"', "media_hosts: this must be a list of texts in quotes"),
        ("media_hosts = [1]", "media_hosts: this must be a list of texts in quotes"),
        ("media_hosts = []", "media_hosts: this names nothing"),
        ('media_hosts = ["a", "a"]', "media_hosts: 'a' is given twice"),
        ('media_hosts = ["https://a"]', "media_hosts: 'https://a' cannot be right"),
        ('media_hosts = ["a/b"]', "media_hosts: 'a/b' cannot be right"),
        ('media_hosts = ["a:99999"]', "media_hosts: 'a:99999' cannot be right"),
        ('media_hosts = [""]', "media_hosts: '' cannot be right"),
        ("prices = 1", "prices: this must be a table"),
        ('prices.as_of = "20260822"', "prices.as_of: this must be a day"),
        ('prices.as_of = "2026-02-30"', "prices.as_of: this must be a day"),
        ("prices.as_of = 2026-08-22T10:00:00", "prices.as_of: this must be a day"),
        ("prices.as_of = 20260822", "prices.as_of: this must be a day"),
        ("prices.includes_billed = 1", "prices.includes_billed: this must be true or false"),
        ('prices.includes_billed = "yes"', "prices.includes_billed: this must be true or false"),
        ('prices.posts = "0.005"', "prices.posts: this must be a number"),
        ("prices.posts = true", "prices.posts: this must be a number"),
        ("prices.posts = nan", "prices.posts: nan is outside 0 to 100"),
        ("prices.posts = inf", "prices.posts: inf is outside 0 to 100"),
        ("prices.posts = -0.1", "prices.posts: -0.1 is outside 0 to 100"),
        ("prices.posts = 100.1", "prices.posts: 100.1 is outside 0 to 100"),
        ("prices.posts = 0.0000001", "prices.posts: 1e-07 has more than 6 decimals"),
        ("prices.posts = 1.0000005", "prices.posts: 1.0000005 has more than 6 decimals"),
        ("prices.post = 1", "prices.post: this is not a setting"),
        ("colour = 1", "colour: this is not a setting"),
    ],
)
def test_what_is_wrong_in_x_api_is_named_once(tmp_path: Path, line: str, problem: str) -> None:
    assert problems(tmp_path, f"[x_api]\n{line}") == [f"x_api.{problem}"]


def test_a_file_of_certificates_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert problems(tmp_path, '[x_api]\nca_file = "ca.pem"') == [
        f"x_api.ca_file: there is no file {tmp_path}/ca.pem"
    ]


def test_a_secret_written_into_the_settings_is_refused_without_repeating_it(tmp_path: Path) -> None:
    keys = "token", "bearer_token", "consumer_key", "consumer_secret", "access_token", "access_token_secret"
    lines = "\n".join(f'{key} = "hunter2"' for key in (*keys, "token_store"))
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, f'[x_api]\nclient_secret = "hunter2"\n{ACCOUNT}[account.api]\n{lines}')
    assert len(caught.value.problems) == 9
    assert "hunter2" not in f"{caught.value.message}{caught.value.hint}{caught.value!r}"


def test_every_price_can_be_told_exactly(tmp_path: Path) -> None:
    lines = "\n".join(f"{name} = 0.{number:06}" for number, name in enumerate(PRICE_NAMES))
    prices = load(tmp_path, f"[x_api.prices]\nas_of = 2027-01-31\n{lines}").x_api.prices
    assert prices.as_of == "2027-01-31"
    assert list(prices.micro_usd.items()) == [(name, number) for number, name in enumerate(PRICE_NAMES)]
    for text, micro in (("0.1", 100_000), ("0.29", 290_000), ("99.999999", 99_999_999), ("100", 10**8)):
        assert load(tmp_path, f"[x_api.prices]\nposts = {text}").x_api.prices.micro_usd["posts"] == micro


def test_a_token_is_enough(tmp_path: Path) -> None:
    api = load_api(tmp_path, 'token = "file:collector/x.token"')
    assert api == AccountApi(Credentials(token=f"file:{tmp_path}/collector/x.token"))
    assert api.kinds == DEFAULT_KINDS
    assert api.credentials.of_user


def test_everything_of_an_account_that_is_said_is_taken(tmp_path: Path) -> None:
    api = load_api(
        tmp_path,
        """
        token = "command:pass show x"
        token_store = "command:pass insert -m x"
        kinds = ["lists", "messages", "posts"]
        recheck_days = 0
        recheck_mentions = true
        media = false
        media_mebibytes = 1
        max_spend_usd = 12.5
        owns_app = true
        [account.api.every_days]
        posts = 2
        lists = 366
        """,
    )
    assert api == AccountApi(
        Credentials(token="command:pass show x", token_store="command:pass insert -m x"),
        kinds=("posts", "messages", "lists"),  # as a run asks, not as the file says
        every_days={**DEFAULT_EVERY_DAYS, "posts": 2, "lists": 366},
        recheck_days=0,
        recheck_mentions=True,
        media=False,
        media_bytes=MEBIBYTE,
        max_spend_micro_usd=12_500_000,
        owns_app=True,
    )


@pytest.mark.parametrize("reference", ["env:X", "credential:x", "command:pass show x"])
def test_a_token_that_is_no_file_needs_no_store(tmp_path: Path, reference: str) -> None:
    assert load_api(tmp_path, f'token = "{reference}"').credentials == Credentials(token=reference)


def test_the_other_two_ways_are_taken(tmp_path: Path) -> None:
    bearer = load_api(tmp_path, 'bearer_token = "env:B"')
    assert bearer.credentials == Credentials(bearer_token="env:B")
    assert bearer.kinds == DEFAULT_BEARER_KINDS
    assert not bearer.credentials.of_user
    keys = load_api(tmp_path, OAUTH1)
    assert keys.credentials == Credentials(
        consumer_key="env:A", consumer_secret="env:B", access_token="env:C", access_token_secret="env:D"
    )
    assert keys.kinds == DEFAULT_KINDS


BLOCKS = "X shows blocks to somebody signed in only: it needs a token of the account's own"
BEARER = 'bearer_token = "env:B"\n'
TOKEN = 'token = "env:T"\n'


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [": no token is named"]),
        (BEARER + TOKEN, [": token, bearer_token are given together"]),
        (
            BEARER + TOKEN + 'access_token = "env:A"',
            [": token, bearer_token, access_token are given together"],
        ),
        (
            'consumer_key = "env:A"\naccess_token = "env:C"',
            [": consumer_key is given without consumer_secret, access_token_secret"],
        ),
        (
            'access_token_secret = "env:A"',
            [": access_token_secret is given without consumer_key, consumer_secret, access_token"],
        ),
        ('token = "secret"', ["token: this is not a reference to a secret"]),
        ("token = 3", ["token: this must be a text in quotes"]),
        (TOKEN + 'token_store = "env:S"', ["token_store: this must be a command"]),
        (TOKEN + 'token_store = "command:"', ["token_store: nothing follows command:"]),
        (
            'token = "file:x"\ntoken_store = "command:s"',
            ["token_store: a token in a file is renewed in that file"],
        ),
        (BEARER + 'token_store = "command:s"', ["token_store: there is no token that it is for"]),
        (TOKEN + 'kinds = "posts"', ["kinds: this must be a list of texts in quotes"]),
        (TOKEN + "kinds = []", ["kinds: this names nothing"]),
        (TOKEN + 'kinds = ["posts", "posts"]', ["kinds: 'posts' is given twice"]),
        (
            TOKEN + 'kinds = ["tweets", "posts", "Likes"]',
            ["kinds: 'tweets' is not known", "kinds: 'Likes' is not known"],
        ),
        (TOKEN + 'kinds = [""]', ["kinds: '' cannot be right"]),
        (
            BEARER + 'kinds = ["posts", "messages", "mutes"]',
            [
                "kinds: X shows messages to somebody signed in only: it needs a token of the account's own",
                "kinds: X shows mutes to somebody signed in only: it needs a token of the account's own",
            ],
        ),
        (TOKEN + "every_days = 3", ["every_days: this must be a table"]),
        (TOKEN + "every_days.posts = 0", ["every_days.posts: 0 is outside 1 to 366"]),
        (TOKEN + "every_days.likes = 367", ["every_days.likes: 367 is outside 1 to 366"]),
        (TOKEN + "every_days.post = 1", ["every_days.post: this is not a setting"]),
        (TOKEN + "recheck_days = 366", ["recheck_days: 366 is outside 0 to 365"]),
        (TOKEN + "recheck_mentions = 1", ["recheck_mentions: this must be true or false"]),
        (TOKEN + 'media = "yes"', ["media: this must be true or false"]),
        (TOKEN + "media_mebibytes = 8193", ["media_mebibytes: 8193 is outside 1 to 8192"]),
        (TOKEN + "max_spend_usd = 100000.5", ["max_spend_usd: 100000.5 is outside 0 to 100000"]),
        (TOKEN + 'max_spend_usd = "25"', ["max_spend_usd: this must be a number"]),
        (TOKEN + "max_spend_usd = 0.0000001", ["max_spend_usd: 1e-07 has more than 6 decimals"]),
        (TOKEN + "owns_app = 0", ["owns_app: this must be true or false"]),
        (TOKEN + "max_spend = 25", ["max_spend: this is not a setting"]),
    ],
)
def test_what_is_wrong_in_an_accounts_table_is_named_once(
    tmp_path: Path, text: str, found: list[str]
) -> None:
    assert api_problems(tmp_path, text) == found


def test_what_to_do_stands_beside_it(tmp_path: Path) -> None:
    for lines, hint in (
        ("", 'add token = "file:collector/x-7.token", then make it: archiver login x'),
        ('token = "env:T"\nkinds = ["x"]', f"out of: {', '.join(COLLECT_KINDS)}"),
        ('token = "env:T"\nevery_days.post = 1', "did you mean posts?"),
        ('token = "env:T"\nmax_spend = 1', "did you mean max_spend_usd?"),
    ):
        with pytest.raises(SettingsError) as caught:
            load_api(tmp_path, lines)
        assert caught.value.hint == hint


def test_a_misspelt_table_is_recognised(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, f'{ACCOUNT}[account.apis]\ntoken = "env:T"')
    assert [str(one) for one in caught.value.problems] == [
        "account[1].apis: this is not a setting (did you mean api?)"
    ]


def test_only_accounts_of_x_are_asked_for(tmp_path: Path) -> None:
    text = '[[account]]\nplatform = "telex"\nid = "7"\n[account.api]\ntoken = "env:T"'
    assert problems(tmp_path, text) == [
        "account[1].platform: 'telex' is not known",
        "account[1].api: only accounts of X are asked for",
    ]


def test_all_problems_are_said_at_once_each_with_its_place(tmp_path: Path) -> None:
    text = f"""
        [x_api]
        api_base_url = "http://api.x.com"
        tries = 0
        [x_api.prices]
        posts = -1
        tweets = 1
        {ACCOUNT}
        [account.api]
        token = "env:T"
        kinds = ["posts", "everything"]
        [account.api.every_days]
        posts = "daily"
        {ACCOUNT.replace("7", "8")}
        [account.api]
        bearer_token = "env:B"
        kinds = ["blocks", "likse"]
        media = 1
        {ACCOUNT.replace("7", "9")}
        api = true
        """
    assert set(problems(tmp_path, text)) == {
        "x_api.api_base_url: 'http://api.x.com' cannot be right",
        "x_api.tries: 0 is outside 1 to 20",
        "x_api.prices.posts: -1 is outside 0 to 100",
        "x_api.prices.tweets: this is not a setting",
        "account[1].api.kinds: 'everything' is not known",
        "account[1].api.every_days.posts: this must be a whole number",
        f"account[2].api.kinds: {BLOCKS}",
        "account[2].api.kinds: 'likse' is not known",
        "account[2].api.media: this must be true or false",
        "account[3].api: this must be a table",
        "account[3].api: no token is named",
    }


def test_an_account_is_appended_after_the_tables_of_another(tmp_path: Path) -> None:
    path = tmp_path / "archiver.toml"
    before = f'{ACCOUNT}[account.api]\ntoken = "env:T"\n[account.api.every_days]\nposts = 3'
    path.write_text(before)
    settings = add_account(path, AccountSettings("x", "8", "eight"))
    first, second = settings.accounts
    assert first.api is not None
    assert first.api.every_days["posts"] == 3
    assert second == AccountSettings("x", "8", "eight", None)
    assert path.read_text().startswith(before + "\n")


@pytest.mark.parametrize(
    ("micro", "text"),
    [(25_000_000, "25 USD"), (5_000, "0.005 USD"), (0, "0 USD"), (1, "0.000001 USD"),
     (100_000_000_000, "100000 USD"), (12_345_670_000, "12345.67 USD")],
)  # fmt: skip
def test_money_is_shown_exactly(micro: int, text: str) -> None:
    assert format_usd(micro) == text


def test_nothing_shared_is_handed_out(tmp_path: Path) -> None:
    first: Any = load_api(tmp_path, TOKEN)
    first.every_days["posts"] = 99
    assert load_api(tmp_path, TOKEN).every_days["posts"] == DEFAULT_EVERY_DAYS["posts"] == 1
