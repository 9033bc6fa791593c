"""Which fields and expansions are asked for, under both generations of their names.

X renamed them in August 2026 (its OpenAPI description 2.167): `tweet.fields` became `post.fields`, and
what an expansion brings is no field any more. All that exists is asked for, but for LEFT_OUT.
"""

from collections.abc import Mapping
from typing import Final, Literal

Generation = Literal["post", "tweet"]
Group = Literal["posts", "users", "profile", "messages", "lists"]
GENERATIONS: tuple[Generation, ...] = ("post", "tweet")
"""The newer names first: they are those of X's present description."""

LEFT_OUT: Final[Mapping[str, str]] = {
    "non_public_metrics": "X answers an error for each post of others or older than 30 days",
    "organic_metrics": "as non_public_metrics",
    "promoted_metrics": "as non_public_metrics",
    "confirmed_email": "the account's e-mail address is nobody's business here",
    "most_recent_tweet_id": "what members of the public wrote last is not collected",
    "most_recent_post_id": "as most_recent_tweet_id",
}
"""What is never asked for, and why."""

_MEDIA: Final = (
    "alt_text", "duration_ms", "height", "media_key", "preview_image_url", "public_metrics", "type", "url",
    "variants", "width",
)  # fmt: skip
_PLACE: Final = (
    "contained_within",
    "country",
    "country_code",
    "full_name",
    "geo",
    "id",
    "name",
    "place_type",
)
_POLL: Final = ("duration_minutes", "end_datetime", "id", "options", "voting_status")
_LIST: Final = ("created_at", "description", "follower_count", "id", "member_count", "name", "private")
_USER: Final = (
    "connection_status", "created_at", "description", "entities", "id", "is_identity_verified", "location",
    "name", "parody", "profile_banner_url", "profile_image_url", "protected", "public_metrics",
    "receives_your_dm", "subscription", "subscription_type", "url", "username", "verified",
    "verified_followers_count", "verified_type", "withheld",
)  # fmt: skip
_POST: Final = (
    "article", "attachments", "card_uri", "community_id", "context_annotations", "conversation_id",
    "created_at", "display_text_range", "edit_controls", "entities", "geo", "id", "lang",
    "matched_media_notes", "media_metadata", "note_request_suggestions", "paid_partnership",
    "possibly_sensitive", "public_metrics", "reply_settings", "scopes", "source", "suggested_source_links",
    "suggested_source_links_with_counts", "text", "withheld",
)  # fmt: skip
_POST_EXPANSIONS: Final = (
    "article.cover_media", "article.media_entities", "attachments.media_keys",
    "attachments.media_source_tweet", "attachments.poll_ids", "author_id", "entities.mentions.username",
    "geo.place_id", "in_reply_to_user_id",
)  # fmt: skip

Parameters = dict[str, tuple[str, ...]]

_TWEET: Final[Mapping[Group, Parameters]] = {
    "posts": {
        "tweet.fields": (
            *_POST, "author_id", "edit_history_tweet_ids", "in_reply_to_user_id", "note_tweet",
            "referenced_tweets",
        ),
        "expansions": (
            *_POST_EXPANSIONS, "edit_history_tweet_ids", "entities.note.mentions.username",
            "referenced_tweets.id", "referenced_tweets.id.attachments.media_keys",
            "referenced_tweets.id.author_id",
        ),
        "user.fields": (*_USER, "affiliation", "pinned_tweet_id"),
        "media.fields": _MEDIA, "poll.fields": _POLL, "place.fields": _PLACE,
    },
    "users": {"user.fields": (*_USER, "affiliation", "pinned_tweet_id")},
    "profile": {
        "user.fields": (*_USER, "affiliation", "pinned_tweet_id"),
        "expansions": ("affiliation.user_id", "pinned_tweet_id"),
    },
    "messages": {
        "dm_event.fields": (
            "attachments", "created_at", "dm_conversation_id", "entities", "event_type", "id",
            "participant_ids", "referenced_tweets", "sender_id", "text",
        ),
        "expansions": ("attachments.media_keys", "participant_ids", "referenced_tweets.id", "sender_id"),
        "user.fields": (*_USER, "affiliation", "pinned_tweet_id"), "media.fields": _MEDIA,
    },
    "lists": {
        "list.fields": (*_LIST, "owner_id"), "expansions": ("owner_id",),
        "user.fields": (*_USER, "affiliation", "pinned_tweet_id"),
    },
}  # fmt: skip
_NEWER: Final[Mapping[Group, Parameters]] = {
    "posts": {
        "post.fields": (*_POST, "article_title", "note_post"),
        "expansions": (*_POST_EXPANSIONS, "edit_history_post_ids", "referenced_posts", "username"),
        "user.fields": (*_USER, "subscribes_to_you"),
        "media.fields": _MEDIA, "poll.fields": _POLL, "place.fields": _PLACE,
    },
    "users": {"user.fields": (*_USER, "subscribes_to_you")},
    "profile": {
        "user.fields": (*_USER, "subscribes_to_you"), "expansions": ("affiliation", "pinned_post_id"),
    },
    "messages": {
        "dm_event.fields": (
            "attachments", "created_at", "dm_conversation_id", "entities", "event_type", "id", "text",
        ),
        "expansions": ("attachments.media_keys", "participant_ids", "referenced_posts", "sender_id"),
        "user.fields": (*_USER, "subscribes_to_you"), "media.fields": _MEDIA,
    },
    "lists": {
        "list.fields": _LIST, "expansions": ("owner_id",), "user.fields": (*_USER, "subscribes_to_you"),
    },
}  # fmt: skip


def requested(group: Group, generation: Generation, refused: frozenset[str] = frozenset()) -> dict[str, str]:
    """The parameters of a request, but for names that X has refused."""
    table = _NEWER if generation == "post" else _TWEET
    kept = {
        name: [one for one in values if f"{name}={one}" not in refused]
        for name, values in table[group].items()
        if name not in refused
    }
    return {name: ",".join(values) for name, values in kept.items() if values}


def other_generation(generation: Generation) -> Generation:
    return "tweet" if generation == "post" else "post"
