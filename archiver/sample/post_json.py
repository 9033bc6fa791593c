"""A sample post as X's export writes it: fields and their order as in an export of 2022."""

import html
import re
from collections.abc import Mapping

from archiver.sample.encode import iso_time, mention, post_time
from archiver.sample.people import BY_HANDLE, FORCE
from archiver.sample.pictures import HEIGHT, WIDTH
from archiver.sample.timeline import FORCE_STATUS, Picture, SamplePost

SOURCES = (
    '<a href="https://mobile.twitter.com" rel="nofollow">Twitter Web App</a>',
    '<a href="http://twitter.com/download/iphone" rel="nofollow">Twitter for iPhone</a>',
    '<a href="https://about.twitter.com/products/tweetdeck" rel="nofollow">TweetDeck</a>',
)
EDIT_WINDOW_MS = 3_600_000

_MENTION = re.compile(r"@(\w+)")
_HASHTAG = re.compile(r"#([A-Za-z]\w*)")


def post_item(post: SamplePost) -> dict[str, object]:
    """Give the item of a tweets file for a post; `deleted_at` is added where the post is deleted."""
    replying = _reply_fields(post)
    fields: dict[str, object] = {
        "edit_info": _edit_info(post),
        "retweeted": False,
        "source": SOURCES[post.post_id // 7 % 3],
        "entities": _entities(post),
        "display_text_range": ["0", str(len(post.text))],
        "favorite_count": str(post.favourites),
        **_pick(replying, "in_reply_to_status_id_str"),
        "id_str": str(post.post_id),
        **_pick(replying, "in_reply_to_user_id"),
        "truncated": False,
        "retweet_count": str(post.reposts),
        "id": str(post.post_id),
        **_pick(replying, "in_reply_to_status_id"),
        **({"possibly_sensitive": False} if post.links or post.pictures else {}),
        "created_at": post_time(post.time_ms),
        "favorited": False,
        "full_text": html.escape(post.text, quote=False),
        "lang": "en",
        **_pick(replying, "in_reply_to_screen_name", "in_reply_to_user_id_str"),
    }
    if post.pictures:
        fields["extended_entities"] = {"media": _media(post)}
    if post.deleted_ms is not None:
        fields["deleted_at"] = post_time(post.deleted_ms)
    return {"tweet": fields}


def header_item(post: SamplePost) -> dict[str, object]:
    """Give the item of a tweet-headers file."""
    fields = {
        "tweet_id": str(post.post_id),
        "user_id": FORCE.user_id,
        "created_at": post_time(post.time_ms),
    }
    if post.deleted_ms is not None:
        fields["deleted_at"] = post_time(post.deleted_ms)
    return {"tweet": fields}


def note_item(post: SamplePost) -> dict[str, object]:
    """Give the item of note-tweet.js for a long post: an id of its own, the post's time to the second."""
    created = iso_time(post.time_ms)
    return {
        "noteTweet": {
            "noteTweetId": str(post.post_id - 4_093),
            "updatedAt": created,
            "lifecycle": {"value": "2", "name": "Active", "originalName": "ACTIVE", "annotations": {}},
            "createdAt": created,
            "core": {
                "styletags": [],
                "urls": [],
                "text": post.note,
                "mentions": [],
                "cashtags": [],
                "hashtags": [],
            },
        }
    }


def _pick(fields: Mapping[str, str], *names: str) -> dict[str, object]:
    return {name: fields[name] for name in names if name in fields}


def _reply_fields(post: SamplePost) -> dict[str, str]:
    if post.reply_to is None:
        return {}
    fields = {
        "in_reply_to_user_id": post.reply_to.user_id,
        "in_reply_to_user_id_str": post.reply_to.user_id,
        "in_reply_to_screen_name": post.reply_to.handle,
    }
    if post.reply_to_id is not None:
        fields |= {
            "in_reply_to_status_id_str": post.reply_to_id,
            "in_reply_to_status_id": post.reply_to_id,
        }
    return fields


def _edit_info(post: SamplePost) -> dict[str, object]:
    """Say which versions there are; the first carries `initial`, each later one `edit`."""
    ids = list(post.edit_ids or (str(post.post_id),))
    control: dict[str, object] = {
        "editTweetIds": ids,
        "editableUntil": iso_time(post.time_ms + EDIT_WINDOW_MS),
        "editsRemaining": str(6 - len(ids)),
        "isEditEligible": post.reply_to is None,
    }
    if ids[0] == str(post.post_id):
        return {"initial": control}
    return {"edit": {"initialTweetId": ids[0], "editControlInitial": control}}


def _entities(post: SamplePost) -> dict[str, object]:
    """Find what the text names, with positions in characters; pictures change the members' order."""
    mentions = [mention(BY_HANDLE[found[1]], found.start()) for found in _MENTION.finditer(post.text)]
    hashtags = [
        {"text": found[1], "indices": [str(found.start()), str(found.end())]}
        for found in _HASHTAG.finditer(post.text)
    ]
    urls = [_link(post.text, short, target) for short, target in post.links]
    if post.pictures:
        return {
            "user_mentions": mentions,
            "urls": urls,
            "symbols": [],
            "media": _media(post)[:1],
            "hashtags": hashtags,
        }
    return {"hashtags": hashtags, "symbols": [], "user_mentions": mentions, "urls": urls}


def _link(text: str, short: str, target: str) -> dict[str, object]:
    start = text.index(short)
    shown = target.removeprefix("https://").removeprefix("www.")
    return {
        "url": short,
        "expanded_url": target,
        "display_url": shown if len(shown) <= 27 else shown[:26] + "…",
        "indices": [str(start), str(start + len(short))],
    }


def _media(post: SamplePost) -> list[dict[str, object]]:
    return [_picture(post, picture, number) for number, picture in enumerate(post.pictures, 1)]


def _picture(post: SamplePost, picture: Picture, number: int) -> dict[str, object]:
    start = post.text.index(picture.short_url)
    whole = {"w": str(WIDTH), "h": str(HEIGHT), "resize": "fit"}
    return {
        "expanded_url": f"{FORCE_STATUS}/{post.post_id}/photo/{number}",
        "indices": [str(start), str(start + len(picture.short_url))],
        "url": picture.short_url,
        "media_url": f"http://pbs.twimg.com/media/{picture.base_name}",
        "id_str": picture.media_id,
        "id": picture.media_id,
        "media_url_https": f"https://pbs.twimg.com/media/{picture.base_name}",
        "sizes": {
            "small": whole,
            "large": whole,
            "thumb": {"w": "150", "h": "150", "resize": "crop"},
            "medium": whole,
        },
        "type": "photo",
        "display_url": picture.short_url.replace("https://t.co", "pic.twitter.com"),
    }
