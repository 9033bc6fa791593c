"""What is asked of X for each kind: the tweepy method, how far back it reaches, how many a page, its price.

X API v2, "Timelines", "Search", "Follows", "Blocks", "Mutes", "Likes", "Lists", "Direct Messages"; depths and
prices as in X's documents of August 2026.
"""

from typing import Literal

from msgspec import Struct

from archiver.settings.api import CollectKind, PriceName
from archiver.sources.x_api.fields import Group

Walk = Literal["timeline", "snapshot", "single", "lookup"]
"""timeline: newest first, until what is known is met. snapshot: all of it each time, so that what is
absent is gone. single: one answer. lookup: records asked for by their ids."""
POSTS_DEPTH = 3_200
MENTIONS_DEPTH = 800
MESSAGE_DAYS = 30


class Endpoint(Struct, frozen=True, kw_only=True):
    """`body_kind` names its answers in a vault. `record` is the kind of item in `data`. `page`: the most
    in one answer. `depth`: how many X shows of a timeline at most."""

    body_kind: str
    kind: CollectKind
    method: str
    path: str
    group: Group
    record: str
    walk: Walk
    page: int
    least: int = 1
    """The fewest that `max_results` can ask for."""
    price: PriceName
    owned_price: PriceName | None = None
    depth: int | None = None
    takes_id: bool = True
    subject: str = "id"
    """What X calls who is asked about, where it says that they cannot be shown."""


AROUND = frozenset({"moderated", "thread", "author"})
"""Answers that were asked for because of one post or person to be moderated: posts and people in them are
others', and stand for what was to be seen around it."""

ENDPOINTS: dict[str, Endpoint] = {
    one.body_kind: one
    for one in (
        Endpoint(
            body_kind="profile", kind="profile", method="get_user", path="/2/users/{id}", group="profile",
            record="account", walk="single", page=1, price="profile", owned_price="profile_owned",
        ),
        Endpoint(
            body_kind="owner", kind="profile", method="get_me", path="/2/users/me", group="users",
            record="account", walk="single", page=1, price="profile", owned_price="profile_owned",
            takes_id=False,
        ),
        Endpoint(
            body_kind="posts", kind="posts", method="get_users_tweets", path="/2/users/{id}/tweets",
            group="posts", record="post", walk="timeline", page=100, least=5, price="posts",
            owned_price="posts_owned", depth=POSTS_DEPTH,
        ),
        Endpoint(
            body_kind="recheck", kind="posts", method="get_tweets", path="/2/tweets", group="posts",
            record="post", walk="lookup", page=100, price="posts_by_id", takes_id=False,
        ),
        Endpoint(
            body_kind="mentions", kind="mentions", method="get_users_mentions",
            path="/2/users/{id}/mentions", group="posts", record="post", walk="timeline", page=100, least=5,
            price="mentions", owned_price="mentions_owned", depth=MENTIONS_DEPTH,
        ),
        Endpoint(
            body_kind="messages", kind="messages", method="get_direct_message_events",
            path="/2/dm_events", group="messages", record="message", walk="timeline", page=100,
            price="messages", takes_id=False,
        ),
        Endpoint(
            body_kind="followers", kind="followers", method="get_users_followers",
            path="/2/users/{id}/followers", group="users", record="follower", walk="snapshot", page=1000,
            price="followers", owned_price="followers_owned",
        ),
        Endpoint(
            body_kind="following", kind="following", method="get_users_following",
            path="/2/users/{id}/following", group="users", record="following", walk="snapshot", page=1000,
            price="following", owned_price="following_owned",
        ),
        Endpoint(
            body_kind="blocks", kind="blocks", method="get_blocked", path="/2/users/{id}/blocking",
            group="users", record="block", walk="snapshot", page=1000, price="blocks", takes_id=False,
        ),
        Endpoint(
            body_kind="mutes", kind="mutes", method="get_muted", path="/2/users/{id}/muting",
            group="users", record="mute", walk="snapshot", page=1000, price="mutes", takes_id=False,
        ),
        Endpoint(
            body_kind="likes", kind="likes", method="get_liked_tweets", path="/2/users/{id}/liked_tweets",
            group="posts", record="like", walk="snapshot", page=100, least=5, price="likes",
            owned_price="likes_owned",
        ),
        Endpoint(
            body_kind="lists_owned", kind="lists", method="get_owned_lists",
            path="/2/users/{id}/owned_lists", group="lists", record="list_created", walk="snapshot",
            page=100, price="lists", owned_price="lists_owned",
        ),
        Endpoint(
            body_kind="lists_followed", kind="lists", method="get_followed_lists",
            path="/2/users/{id}/followed_lists", group="lists", record="list_subscribed", walk="snapshot",
            page=100, price="lists", owned_price="lists_owned",
        ),
        Endpoint(
            body_kind="lists_listed", kind="lists", method="get_list_memberships",
            path="/2/users/{id}/list_memberships", group="lists", record="list_member", walk="snapshot",
            page=100, price="lists", owned_price="lists_owned",
        ),
        Endpoint(
            body_kind="moderated", kind="posts", method="get_tweets", path="/2/tweets", group="posts",
            record="post", walk="lookup", page=100, price="posts_by_id", takes_id=False,
        ),
        Endpoint(
            body_kind="thread", kind="posts", method="search_recent_tweets",
            path="/2/tweets/search/recent", group="posts", record="post", walk="timeline", page=100,
            least=10, price="posts_by_id", takes_id=False,
        ),
        Endpoint(
            body_kind="author", kind="profile", method="get_user", path="/2/users/by/username/{username}",
            group="users", record="account", walk="single", page=1, price="profile", takes_id=False,
            subject="username",
        ),
        Endpoint(
            body_kind="list_members", kind="lists", method="get_list_members", path="/2/lists/{id}/members",
            group="users", record="own_list_member", walk="snapshot", page=100, price="list_members",
        ),
    )
}  # fmt: skip
