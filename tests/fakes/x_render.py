"""The state of the fake of X as JSON documents, in the words of either vocabulary."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from tests.fakes.x_names import Names
from tests.fakes.x_questions import Wanted
from tests.fakes.x_world import Media, Message, Post, User, UserList, World

CACHE_LIMIT = 20_000

_EDITABLE_MS = 3_600_000
_EDITS = 5
_PRIVATE = ("non_public_metrics", "organic_metrics", "promoted_metrics")
_EMPTY: tuple[Any, ...] = (None, "", [], {})
_POST_COUNTS = (
    "repost_count",
    "reply_count",
    "like_count",
    "quote_count",
    "bookmark_count",
    "impression_count",
)


def moment(ms: int) -> str:
    """A time as X writes it."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


@dataclass
class Document:
    """An answer before it is bytes. `data` is one thing, a list, or None; `meta` is None where a path has
    none."""

    data: Any = None
    includes: dict[str, list[Any]] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)
    meta: dict[str, Any] | None = None

    def parts(self) -> dict[str, Any]:
        """As X sends it: what is empty is left out."""
        parts = {"data": self.data, "includes": self.includes, "errors": self.errors}
        shown = {name: part for name, part in parts.items() if part}
        return shown if self.meta is None else {**shown, "meta": self.meta}


class Renderer:
    """Renders for one request. `viewer`: the user whose token asks. `cache`, if given, keeps what was
    rendered as bytes: only for a world that no longer changes."""

    def __init__(
        self,
        world: World,
        url: str,
        names: Names,
        wanted: Wanted,
        viewer: str | None,
        cache: dict[Any, msgspec.Raw] | None = None,
    ) -> None:
        self.world = world
        self.url = url
        self.names = names
        self.wanted = wanted
        self.viewer = viewer
        self._cache = cache
        self._people: dict[str, None] = {}
        self._posts: dict[str, None] = {}
        self._media: dict[str, None] = {}
        self.errors: dict[tuple[str, str], dict[str, Any]] = {}

    # Documents

    def document(self, kind: str, things: Iterable[Any], one: bool = False) -> Document:
        """`things` are users, posts, lists or messages, which the viewer may see."""
        render: dict[str, Callable[[Any], Any]] = {"posts": self.post, "users": self.user}
        render |= {"lists": self.list, "messages": self.message}
        gather: dict[str, Callable[[Any], None]] = {"posts": self._from_post, "users": self._from_user}
        gather |= {"lists": self._from_list, "messages": self._from_message}
        things = list(things)
        data = [render[kind](thing) for thing in things]
        for thing in things:
            gather[kind](thing)
        made = Document((data[0] if data else None) if one else data, self._includes())
        made.errors = list(self.errors.values())
        return made

    def _includes(self) -> dict[str, list[Any]]:
        world = self.world
        return {
            self.names.outer(name): rendered
            for name, rendered in (
                ("users", [self.user(world.users[one]) for one in self._people]),
                ("posts", [self.post(world.posts[one]) for one in self._posts]),
                ("media", [self.media(world.media[one]) for one in self._media]),
            )
            if rendered
        }

    # Problems

    def problem(self, state: str, parameter: str, value: str, thing: str, section: str = "includes") -> None:
        """Notes that `value` of `parameter` cannot be shown: `missing`, `suspended` or `protected`."""
        word = "user" if thing == "user" else "post" if self.names.generation == "post" else "tweet"
        kind = "not-authorized-for-resource" if state == "protected" else "resource-not-found"
        title, detail = {
            "missing": ("Not Found Error", f"Could not find {word} with {parameter}: [{value}]."),
            "suspended": ("Forbidden", f"User has been suspended: [{value}]."),
            "protected": (
                "Authorization Error",
                f"Sorry, you are not authorized to see the {word.title()} with {parameter}: [{value}].",
            ),
        }[state]
        found = {
            "value": value,
            "detail": detail,
            "title": title,
            "resource_type": "user" if thing == "user" else "tweet",
            "parameter": parameter,
            "resource_id": value,
            "type": self.names.problems + kind,
        }
        if state == "protected":
            found["section"] = section
        self.errors[parameter, value] = found

    def _refuse_field(self, name: str, post: Post) -> None:
        found = {
            "resource_type": "tweet",
            "section": "data",
            "title": "Field Authorization Error",
            "detail": f"Sorry, you are not authorized to access '{name}' on the Tweet with id: [{post.id}].",
            "type": f"{self.names.problems}not-authorized-for-field",
            "field": name,
        }
        if self.names.generation == "post":  # 2.166 does not say which post but in words
            found |= {"resource_id": post.id, "parameter": name, "value": post.id}
        self.errors[name, post.id] = found

    # What is included

    def _include_user(self, user_id: str, parameter: str, value: str | None = None) -> None:
        state = self.world.state_of_user(user_id)
        if state == "ok":
            self._people[user_id] = None
        else:
            self.problem(state, parameter, value or user_id, "user")

    def _include_post(self, post_id: str, expansion: str) -> Post | None:
        state = self.world.state_of_post(post_id, self.viewer)
        if state == "ok":
            self._posts[post_id] = None
            return self.world.posts[post_id]
        self.problem(state, self.names.outer_expansion(expansion), post_id, "post")
        return None

    def _from_post(self, post: Post) -> None:
        asked = self.wanted.expansions
        if "author_id" in asked or "username" in asked:
            self._include_user(post.author_id, "author_id")
        if "in_reply_to_user_id" in asked and post.in_reply_to_user_id:
            self._include_user(post.in_reply_to_user_id, "in_reply_to_user_id")
        if "entities.mentions.username" in asked:
            for mention in post.entities.get("mentions", ()):
                self._include_user(mention["id"], "entities.mentions.username", mention["username"])
        if "entities.note.mentions.username" in asked:
            for mention in post.note_entities.get("mentions", ()):
                self._include_user(mention["id"], "entities.note.mentions.username", mention["username"])
        if "attachments.media_keys" in asked:
            self._media.update(dict.fromkeys(post.media_keys))
        if "edit_history_post_ids" in asked:
            for version in post.edit_ids:
                self._include_post(version, "edit_history_post_ids")
        if "referenced_posts" in asked:
            for _, other_id in post.references:
                self._from_reference(other_id)
        for name in _PRIVATE:
            if name in self.wanted.fields["post"] and post.author_id != self.viewer:
                self._refuse_field(name, post)

    def _from_reference(self, other_id: str) -> None:
        other = self._include_post(other_id, "referenced_posts")
        if other is None:
            return
        if "referenced_tweets.id.author_id" in self.wanted.expansions:
            self._include_user(other.author_id, "referenced_tweets.id.author_id")
        if "referenced_tweets.id.attachments.media_keys" in self.wanted.expansions:
            self._media.update(dict.fromkeys(other.media_keys))

    def _from_user(self, user: User) -> None:
        if "pinned_post_id" in self.wanted.expansions and user.pinned_post_id:
            self._include_post(user.pinned_post_id, "pinned_post_id")
        written = self.world.written(user.id)
        if "most_recent_post_id" in self.wanted.expansions and written:
            self._include_post(str(written[-1]), "most_recent_post_id")

    def _from_list(self, found: UserList) -> None:
        if "owner_id" in self.wanted.expansions:
            self._include_user(found.owner_id, "owner_id")

    def _from_message(self, message: Message) -> None:
        asked = self.wanted.expansions
        if "sender_id" in asked and message.event_type != "ParticipantsLeave":
            self._include_user(message.sender_id, "sender_id")
        if "participant_ids" in asked:
            for one in message.concerned:
                self._include_user(one, "participant_ids")
        if "attachments.media_keys" in asked:
            self._media.update(dict.fromkeys(message.media_keys))
        if "referenced_posts" in asked:
            for one in message.referenced_post_ids:
                self._include_post(one, "referenced_posts")

    # Single things

    def _shown(self, kind: str, key: str, make: Callable[[], dict[str, Any]], extra: dict[str, Any]) -> Any:
        fields = self.wanted.fields[kind]
        cached = (kind, key, fields, self.names.generation)
        if self._cache is not None and cached in self._cache:
            return self._cache[cached]
        outer = self.names.outer
        shown = {
            outer(name): value for name, value in make().items() if name in fields and value not in _EMPTY
        }
        shown.update(extra)
        if self._cache is None:
            return shown
        if len(self._cache) >= CACHE_LIMIT:
            self._cache.clear()
        self._cache[cached] = msgspec.Raw(msgspec.json.encode(shown))
        return self._cache[cached]

    def _absolute(self, address: str) -> str:
        return self.url + address if address.startswith("/") else address

    def _counts(self, counts: dict[str, int]) -> dict[str, int]:
        return {self.names.outer(name): count for name, count in counts.items()}

    def post(self, post: Post) -> Any:
        return self._shown("post", post.id, lambda: self._post(post), post.extra)

    def _post(self, post: Post) -> dict[str, Any]:
        metrics = {name: post.metrics.get(name, 0) for name in _POST_COUNTS}
        first_made = self.world.posts[post.edit_ids[0]].created_ms
        left = max(0, _EDITS - len(post.edit_ids) + 1)
        until = first_made + _EDITABLE_MS
        made: dict[str, Any] = {
            "id": post.id,
            "text": post.text,
            "edit_history_post_ids": post.edit_ids,
            "author_id": post.author_id,
            "created_at": moment(post.created_ms),
            "conversation_id": post.conversation_id,
            "in_reply_to_user_id": post.in_reply_to_user_id,
            "referenced_posts": [{"type": kind, "id": other} for kind, other in post.references],
            "attachments": {"media_keys": post.media_keys} if post.media_keys else None,
            "entities": post.entities,
            "lang": post.lang,
            "source": post.source,
            "possibly_sensitive": post.possibly_sensitive,
            "reply_settings": "everyone",
            "display_text_range": [0, len(post.text)],
            "public_metrics": self._counts(metrics),
            "context_annotations": post.context_annotations,
            "community_id": post.community_id,
            "username": self.world.users[post.author_id].handle,
            "withheld": {"copyright": False, "country_codes": post.withheld} if post.withheld else None,
            "edit_controls": {
                "edits_remaining": left,
                "is_edit_eligible": bool(left) and self.world.now_ms() < until,
                "editable_until": moment(until),
            },
        }
        if post.note_text is not None:
            made["note_post"] = {"text": post.note_text}
            if post.note_entities:
                made["note_post"]["entities"] = post.note_entities
        if post.author_id == self.viewer:
            made["non_public_metrics"] = {"impression_count": metrics["impression_count"]}
            wanted = ("impression_count", "repost_count", "reply_count", "like_count")
            made["organic_metrics"] = self._counts({name: metrics[name] for name in wanted})
        return made

    def user(self, user: User) -> Any:
        return self._shown("user", user.id, lambda: self._user(user), user.extra)

    def _user(self, user: User) -> dict[str, Any]:
        world = self.world
        written = world.written(user.id)
        counts = {
            "followers_count": len(world.followers.get(user.id, ())),
            "following_count": len(world.following.get(user.id, ())),
            "post_count": len(written),
            "listed_count": sum(user.id in one.members and not one.private for one in world.lists.values()),
            "like_count": len(world.likes.get(user.id, ())),
            **{self.names.inner(name): count for name, count in user.counts.items()},
        }
        link: dict[str, Any] = {"start": 0, "end": len(user.url), "url": user.url, "expanded_url": user.url}
        link["display_url"] = user.url.split("://", 1)[-1]
        return {
            "id": user.id,
            "name": user.name,
            "username": user.handle,
            "description": user.bio,
            "location": user.location,
            "url": user.url,
            "entities": {"url": {"urls": [link]}} if user.url else None,
            "created_at": moment(user.created_ms),
            "protected": user.protected,
            "verified": user.verified_type != "none",
            "verified_type": user.verified_type,
            "profile_image_url": self._absolute(user.profile_image_url),
            "profile_banner_url": self._absolute(user.profile_banner_url),
            "public_metrics": self._counts(counts),
            "pinned_post_id": user.pinned_post_id,
            "most_recent_post_id": str(written[-1]) if written else None,
        }

    def media(self, media: Media) -> Any:
        return self._shown("media", media.media_key, lambda: self._one_media(media), {})

    def _one_media(self, media: Media) -> dict[str, Any]:
        common: dict[str, Any] = {"media_key": media.media_key, "type": media.type}
        common |= {"height": media.height, "width": media.width}
        if media.type == "photo":
            return {**common, "url": self._absolute(media.url), "alt_text": media.alt_text}
        variants: list[dict[str, Any]] = [
            {"content_type": kind, "url": self._absolute(url)}
            | ({} if bit_rate is None else {"bit_rate": bit_rate})
            for bit_rate, kind, url in media.variants
        ]
        moving = {
            **common,
            "variants": variants,
            "preview_image_url": self._absolute(media.preview_image_url),
        }
        if self.names.generation == "post":
            moving["alt_text"] = media.alt_text  # 2.166 has it for photos alone
        if media.type == "video":
            moving["duration_ms"] = media.duration_ms
            moving["public_metrics"] = {"view_count": media.view_count}
        return moving

    def list(self, found: UserList) -> Any:
        make: Callable[[], dict[str, Any]] = lambda: {  # noqa: E731 - called only where it is not cached
            "id": found.id,
            "name": found.name,
            "owner_id": found.owner_id,
            "description": found.description,
            "private": found.private,
            "created_at": moment(found.created_ms),
            "member_count": len(found.members),
            "follower_count": len(found.followers),
        }
        return self._shown("list", found.id, make, {})

    def message(self, message: Message) -> Any:
        flat = self.names.generation == "tweet" and "entities" in self.wanted.fields["message"]
        extra = message.entities if flat else {}  # 2.166 has them beside the text
        shown = self._shown("message", message.id, lambda: self._message(message), extra)
        if flat and self._cache is None:
            shown.pop("entities", None)
        return shown

    def _message(self, message: Message) -> dict[str, Any]:
        return {
            "id": message.id,
            "event_type": message.event_type,
            "text": message.text,
            "sender_id": None if message.event_type == "ParticipantsLeave" else message.sender_id,
            "dm_conversation_id": message.conversation_id,
            "created_at": moment(message.created_ms),
            "participant_ids": message.concerned,
            "attachments": {"media_keys": message.media_keys} if message.media_keys else None,
            "referenced_posts": [{"id": one} for one in message.referenced_post_ids],
            "entities": message.entities,
        }
