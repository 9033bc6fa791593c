"""What the fake of X knows of the two vocabularies of X's API v2: paths, parameters, fields, expansions.

Own tables, since the descriptions they follow may be absent: OpenAPI 2.166 ("tweet": `tweet.fields`,
`referenced_tweets`) and 2.167 ("post": `post.fields`, `referenced_posts`). Inside the fake the names of
2.167 are used; `Names` translates. `tests/contracts/test_x_fake.py` holds the tables against both."""

import functools
import re
from dataclasses import dataclass, field

TO_TWEET = {
    "referenced_posts": "referenced_tweets",
    "edit_history_post_ids": "edit_history_tweet_ids",
    "note_post": "note_tweet",
    "pinned_post_id": "pinned_tweet_id",
    "most_recent_post_id": "most_recent_tweet_id",
    "post_count": "tweet_count",
    "repost_count": "retweet_count",
    "posts": "tweets",
    "post.fields": "tweet.fields",
}
"""Names of 2.167 and what 2.166 calls the same."""

_TWEET_EXPANSIONS = {
    **TO_TWEET,
    "referenced_posts": "referenced_tweets.id",
    "affiliation": "affiliation.user_id",
}

_POST = (
    "article attachments card_uri community_id context_annotations conversation_id created_at "
    "display_text_range edit_controls entities geo id lang matched_media_notes media_metadata "
    "non_public_metrics note_post note_request_suggestions organic_metrics paid_partnership "
    "possibly_sensitive promoted_metrics public_metrics reply_settings scopes source "
    "suggested_source_links suggested_source_links_with_counts text withheld"
)
_USER = (
    "confirmed_email connection_status created_at description entities id is_identity_verified location "
    "name parody profile_banner_url profile_image_url protected public_metrics receives_your_dm "
    "subscription subscription_type url username verified verified_followers_count verified_type withheld"
)
_MEDIA = (
    "alt_text duration_ms height media_key non_public_metrics organic_metrics preview_image_url "
    "promoted_metrics public_metrics type url variants width"
)
_LIST = "created_at description follower_count id member_count name private"
_MESSAGE = "attachments created_at dm_conversation_id entities event_type id text"
_PLACE = "contained_within country country_code full_name geo id name place_type"
_POLL = "duration_minutes end_datetime id options voting_status"

_POST_EXPANSIONS = (
    "article.cover_media article.media_entities attachments.media_keys attachments.media_source_tweet "
    "attachments.poll_ids author_id edit_history_post_ids entities.mentions.username geo.place_id "
    "in_reply_to_user_id referenced_posts"
)
_USER_EXPANSIONS = "affiliation most_recent_post_id pinned_post_id"
_MESSAGE_EXPANSIONS = "attachments.media_keys participant_ids referenced_posts sender_id"

_PARAMETERS = {
    "posts": ("post.fields", "media.fields", "poll.fields", "user.fields", "place.fields"),
    "users": ("user.fields", "post.fields"),
    "lists": ("list.fields", "user.fields"),
    "messages": ("dm_event.fields", "media.fields", "user.fields", "post.fields"),
}
"""The parameters naming fields, by what a path answers with; each has `expansions` beside them."""


@dataclass(frozen=True)
class Names:
    """One vocabulary. `fields` and `expansions` hold its own names; `inner` and `outer` translate."""

    generation: str
    problems: str
    """What the `type` of a problem begins with."""
    fields: dict[str, frozenset[str]]
    """By parameter, as this vocabulary names both."""
    expansions: dict[str, frozenset[str]]
    """By what a path answers with: posts, users, lists, messages."""
    _outer: dict[str, str] = field(default_factory=dict)
    _outer_expansions: dict[str, str] = field(default_factory=dict)

    def outer(self, name: str) -> str:
        """A name of the fake's own as this vocabulary has it."""
        return self._outer.get(name, name)

    def inner(self, name: str) -> str:
        """A name of this vocabulary as the fake has it."""
        return next((ours for ours, theirs in self._outer.items() if theirs == name), name)

    def outer_expansion(self, name: str) -> str:
        return self._outer_expansions.get(name, name)

    def inner_expansion(self, name: str) -> str:
        return next((ours for ours, theirs in self._outer_expansions.items() if theirs == name), name)

    def parameters(self, answers: str) -> tuple[str, ...]:
        """The parameters naming fields and expansions, of a path that answers with posts, users …"""
        return (*(self.outer(name) for name in _PARAMETERS[answers]), "expansions")


def _words(*texts: str) -> frozenset[str]:
    return frozenset(" ".join(texts).split())


def _renamed(names: frozenset[str], table: dict[str, str]) -> frozenset[str]:
    return frozenset(table.get(name, name) for name in names)


POST_NAMES = Names(
    generation="post",
    problems="https://api.x.com/2/problems/",
    fields={
        "post.fields": _words(_POST, "article_title"),
        "user.fields": _words(_USER, "subscribes_to_you"),
        "media.fields": _words(_MEDIA),
        "list.fields": _words(_LIST),
        "dm_event.fields": _words(_MESSAGE),
        "place.fields": _words(_PLACE),
        "poll.fields": _words(_POLL),
    },
    expansions={
        "posts": _words(_POST_EXPANSIONS, "username"),
        "users": _words(_USER_EXPANSIONS),
        "lists": _words("owner_id"),
        "messages": _words(_MESSAGE_EXPANSIONS),
    },
)

TWEET_NAMES = Names(
    generation="tweet",
    problems="https://api.twitter.com/2/problems/",
    fields={
        "tweet.fields": _renamed(
            _words(_POST, "author_id edit_history_post_ids in_reply_to_user_id referenced_posts"), TO_TWEET
        ),
        "user.fields": _renamed(_words(_USER, "affiliation most_recent_post_id pinned_post_id"), TO_TWEET),
        "media.fields": _words(_MEDIA),
        "list.fields": _words(_LIST, "owner_id"),
        "dm_event.fields": _renamed(_words(_MESSAGE, "participant_ids referenced_posts sender_id"), TO_TWEET),
        "place.fields": _words(_PLACE),
        "poll.fields": _words(_POLL),
    },
    expansions={
        "posts": _renamed(_words(_POST_EXPANSIONS), _TWEET_EXPANSIONS)
        | _words(
            "entities.note.mentions.username referenced_tweets.id.author_id "
            "referenced_tweets.id.attachments.media_keys"
        ),
        "users": _renamed(_words(_USER_EXPANSIONS), _TWEET_EXPANSIONS),
        "lists": _words("owner_id"),
        "messages": _renamed(_words(_MESSAGE_EXPANSIONS), _TWEET_EXPANSIONS),
    },
    _outer=TO_TWEET,
    _outer_expansions=_TWEET_EXPANSIONS,
)


@dataclass(frozen=True)
class Endpoint:
    """One path of the API and the method it takes. `sizes` is the least, most and usual `max_results`;
    `limits` is how often in 15 minutes, by an app-only token and by a user's: None where such a token is
    refused. What changes something `answers` with nothing that has fields."""

    template: str
    answers: str
    scopes: frozenset[str]
    limits: tuple[int | None, int]
    sizes: tuple[int, int, int] | None = None
    plain: tuple[str, ...] = ()
    """Its own parameters beside the fields, expansions and paging."""
    method: str = "GET"

    @property
    def key(self) -> str:
        """The name of its limit: the template, with the method where that is not GET."""
        return self.template if self.method == "GET" else f"{self.method} {self.template}"

    def parameters(self, names: Names) -> frozenset[str]:
        paging = ("max_results", "pagination_token") if self.sizes else ()
        naming = names.parameters(self.answers) if self.answers else ()
        return frozenset((*self.plain, *paging, *naming))

    def match(self, path: str) -> tuple[str, ...] | None:
        """What a path has in the places that the template names, in their order; None for another path."""
        found = _pattern(self.template).fullmatch(path)
        return None if found is None else found.groups()


@functools.cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{[a-z_]+\\}", "([^/]+)", re.escape(template)))


def _endpoint(
    template: str,
    answers: str,
    scopes: str,
    limits: tuple[int | None, int],
    sizes: tuple[int, int, int] | None = None,
    plain: str = "",
    method: str = "GET",
) -> Endpoint:
    scopes_and_usual = _words(scopes, "tweet.read users.read")
    return Endpoint(template, answers, scopes_and_usual, limits, sizes, tuple(plain.split()), method)


_TIMES = "since_id until_id start_time end_time"

ENDPOINTS = {
    endpoint.template: endpoint
    for endpoint in (
        _endpoint("/2/users/me", "users", "", (None, 75)),
        _endpoint("/2/users/{id}", "users", "", (300, 900)),
        _endpoint("/2/users/by/username/{username}", "users", "", (300, 900)),
        _endpoint("/2/users/{id}/tweets", "posts", "", (10_000, 900), (5, 100, 10), f"{_TIMES} exclude"),
        _endpoint("/2/users/{id}/mentions", "posts", "", (450, 300), (5, 100, 10), _TIMES),
        _endpoint("/2/users/{id}/followers", "users", "follows.read", (300, 300), (1, 1000, 100)),
        _endpoint("/2/users/{id}/following", "users", "follows.read", (300, 300), (1, 1000, 100)),
        _endpoint("/2/users/{id}/blocking", "users", "block.read", (None, 15), (1, 1000, 100)),
        _endpoint("/2/users/{id}/muting", "users", "mute.read", (None, 15), (1, 1000, 100)),
        _endpoint("/2/users/{id}/liked_tweets", "posts", "like.read", (None, 75), (5, 100, 100)),
        _endpoint("/2/users/{id}/owned_lists", "lists", "list.read", (15, 15), (1, 100, 100)),
        _endpoint("/2/users/{id}/list_memberships", "lists", "list.read", (75, 75), (1, 100, 100)),
        _endpoint("/2/users/{id}/followed_lists", "lists", "list.read", (15, 15), (1, 100, 100)),
        _endpoint("/2/lists/{id}/members", "users", "list.read", (900, 900), (1, 100, 100)),
        _endpoint("/2/tweets", "posts", "", (3_500, 5_000), plain="ids"),
        _endpoint(
            "/2/tweets/search/recent", "posts", "", (450, 300), (10, 100, 10),
            f"{_TIMES} query next_token sort_order",
        ),
        _endpoint("/2/dm_events", "messages", "dm.read", (None, 15), (1, 100, 100), "event_types"),
    )
}  # fmt: skip
"""By template. Scopes and refused app-only tokens as the descriptions have them; limits as X documents."""

ACTS = {
    endpoint.key: endpoint
    for endpoint in (
        _endpoint("/2/tweets/{tweet_id}/hidden", "", "tweet.moderate.write", (None, 50), method="PUT"),
        _endpoint("/2/tweets/{id}", "", "tweet.write", (None, 50), method="DELETE"),
        _endpoint("/2/users/{id}/muting", "", "mute.write", (None, 50), method="POST"),
        _endpoint(
            "/2/users/{source_user_id}/muting/{target_user_id}", "", "mute.write", (None, 50), method="DELETE"
        ),
    )
}
"""What changes something, by method and template."""


def route(method: str, path: str) -> tuple[Endpoint | None, tuple[str, ...], bool]:
    """The endpoint of a request, the ids or names in its path, and whether any method knows the path."""
    if method == "GET" and path in ENDPOINTS:
        return ENDPOINTS[path], (), True
    known = False
    for endpoint in (*ENDPOINTS.values(), *ACTS.values()):
        found = endpoint.match(path)
        known = known or found is not None
        if found is not None and endpoint.method == method:
            return endpoint, found, True
    return None, (), known


_ONLY_POST = {
    "expansions": frozenset().union(*POST_NAMES.expansions.values())
    - frozenset().union(*TWEET_NAMES.expansions.values()),
    "user.fields": POST_NAMES.fields["user.fields"] - TWEET_NAMES.fields["user.fields"],
}
"""Values by which a request shows that it goes by the newer names."""


def names_of(generation: str, query: dict[str, str]) -> Names:
    """The vocabulary a request is held to: the server's, or where it knows both, that of the request."""
    if generation == "both":
        newer = any(values & set(query.get(name, "").split(",")) for name, values in _ONLY_POST.items())
        generation = "post" if newer or "post.fields" in query else "tweet"
    return POST_NAMES if generation == "post" else TWEET_NAMES
