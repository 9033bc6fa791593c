"""The state of the fake of X: users, posts, media, relations, lists, messages, tokens.

`World`'s methods take one lock (`world.lock`); a test that changes objects or lists directly does so before
it lets a client at the server, or inside `with world.lock`. Everybody in it is made up by the test."""

import bisect
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from tests.fakes.x_things import (
    DAY_MS,
    LONG,
    PNG,
    Act,
    Client,
    Media,
    MediaFile,
    Message,
    OAuth1Keys,
    Post,
    Token,
    User,
    UserList,
    id_of,
    made_at,
    snowflake,
)

__all__ = [
    "DAY_MS",
    "PNG",
    "Act",
    "Client",
    "Media",
    "MediaFile",
    "Message",
    "OAuth1Keys",
    "Post",
    "Token",
    "User",
    "UserList",
    "World",
    "id_of",
    "made_at",
    "snowflake",
]

_WORDS = re.compile(r"(?P<url>https?://[^\s…]+)|(?<!\w)@(?P<mention>\w{1,15})|(?<!\w)#(?P<hashtag>\w+)")


class World:
    """See the module. Relations are lists of ids, newest first, by the id of the account: `followers`,
    `following`, `blocking`, `muting` (of users), `likes` (of posts). `hidden`: ids of replies that whoever
    began their conversation has hidden. `acts`: what was done through the interface, in order."""

    def __init__(self, now_ms: Callable[[], int] | None = None) -> None:
        self.now_ms = now_ms or (lambda: time.time_ns() // 1_000_000)
        self.lock = threading.RLock()
        self.users: dict[str, User] = {}
        self.posts: dict[str, Post] = {}
        self.media: dict[str, Media] = {}
        # A portrait's small form, and as uploaded, which X names without "_normal".
        portrait = MediaFile(PNG, "image/png")
        self.files: dict[str, MediaFile] = {"default_normal.png": portrait, "default.png": portrait}
        self.followers: defaultdict[str, list[str]] = defaultdict(list)
        self.following: defaultdict[str, list[str]] = defaultdict(list)
        self.blocking: defaultdict[str, list[str]] = defaultdict(list)
        self.muting: defaultdict[str, list[str]] = defaultdict(list)
        self.likes: defaultdict[str, list[str]] = defaultdict(list)
        self.hidden: set[str] = set()
        self.acts: list[Act] = []
        self.lists: dict[str, UserList] = {}
        self.messages: list[Message] = []
        self.tokens: dict[str, Token] = {}
        self.clients: dict[str, Client] = {}
        self.consumers: dict[str, str] = {}
        self._by_handle: dict[str, str] = {}
        self._written: defaultdict[str, list[int]] = defaultdict(list)
        self._mentioning: defaultdict[str, list[int]] = defaultdict(list)
        self._number = 0

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _new_id(self, at_ms: int, taken: Any) -> str:
        sequence = self._next() % 4096
        while (made := snowflake(at_ms, sequence)) in taken:
            sequence = (sequence + 1) % 4096
        return made

    # Users

    def add_user(self, handle: str, name: str = "", *, id: str | None = None, **more: Any) -> User:  # noqa: A002 - X's word
        """`more`: any other attribute of `User`."""
        with self.lock:
            user = User(id or str(2_000_000_000 + self._next()), handle, name or handle, **more)
            self.users[user.id] = user
            self._by_handle[handle.lower()] = user.id
            return user

    def user(self, handle: str) -> User:
        return self.users[self._by_handle[handle.lower()]]

    def id_by_handle(self, handle: str) -> str | None:
        """Whose handle it is; capitals do not matter."""
        return self._by_handle.get(handle.lower())

    def rename(self, user: User | str, handle: str) -> None:
        with self.lock:
            found = self.users[id_of(user)]
            self._by_handle.pop(found.handle.lower(), None)
            found.handle = handle
            self._by_handle[handle.lower()] = found.id

    def suspend(self, user: User | str, suspended: bool = True) -> None:
        self.users[id_of(user)].suspended = suspended

    def protect(self, user: User | str, protected: bool = True) -> None:
        self.users[id_of(user)].protected = protected

    def remove_user(self, user: User | str) -> None:
        """The account is deactivated: X no longer finds it."""
        self.users[id_of(user)].gone = True

    def follow(self, follower: User | str, followed: User | str) -> None:
        with self.lock:
            self.following[id_of(follower)].insert(0, id_of(followed))
            self.followers[id_of(followed)].insert(0, id_of(follower))

    def unfollow(self, follower: User | str, followed: User | str) -> None:
        with self.lock:
            self.following[id_of(follower)].remove(id_of(followed))
            self.followers[id_of(followed)].remove(id_of(follower))

    def block(self, user: User | str, blocked: User | str) -> None:
        with self.lock:
            self.blocking[id_of(user)].insert(0, id_of(blocked))

    def mute(self, user: User | str, muted: User | str) -> None:
        with self.lock:
            self.muting[id_of(user)].insert(0, id_of(muted))

    def unmute(self, user: User | str, muted: User | str) -> None:
        with self.lock:
            self.muting[id_of(user)].remove(id_of(muted))

    def like(self, user: User | str, post: Post | str) -> None:
        with self.lock:
            self.likes[id_of(user)].insert(0, id_of(post))

    # Posts

    def add_post(
        self,
        author: User | str,
        text: str,
        at: int | None = None,
        *,
        reply_to: Post | str | None = None,
        quote: Post | str | None = None,
        **more: Any,
    ) -> Post:
        """A post made at `at` ms (now). Addresses, `@handles` of known users and `#words` in the text become
        its entities; a text over 280 characters is cut and kept whole as its note. Texts are sent as given:
        write `&amp;` as X would. `more`: any other attribute of `Post`, e.g. `media_keys`, `withheld`."""
        with self.lock:
            at = self.now_ms() if at is None else at
            made = self._new_id(at, self.posts)
            post = Post(made, id_of(author), text, at, made, [made], **more)
            if reply_to is not None:
                parent = self.posts.get(id_of(reply_to))
                post.references.append(("replied_to", id_of(reply_to)))
                if parent is not None:
                    post.conversation_id = parent.conversation_id
                    post.in_reply_to_user_id = parent.author_id
            if quote is not None:
                post.references.append(("quoted", id_of(quote)))
            self._settle(post)
            return post

    def add_repost(self, author: User | str, original: Post | str, at: int | None = None) -> Post:
        """Its text begins `RT @handle: ` and is cut at 140 characters, as X cuts it."""
        with self.lock:
            source = self.posts[id_of(original)]
            text = f"RT @{self.users[source.author_id].handle}: {source.text}"
            text = text if len(text) <= 140 else text[:139] + "…"
            return self.add_post(author, text, at, references=[("retweeted", source.id)])

    def edit_post(self, post: Post | str, new_text: str, at: int | None = None) -> Post:
        """The new version, with an id of its own; both versions carry the whole chain, and only the new one
        is in timelines."""
        with self.lock:
            old = self.posts[id_of(post)]
            at = self.now_ms() if at is None else at
            made = self._new_id(at, self.posts)
            old.edit_ids.append(made)
            new = Post(made, old.author_id, new_text, at, old.conversation_id, old.edit_ids)
            new.references = list(old.references)
            new.in_reply_to_user_id = old.in_reply_to_user_id
            new.media_keys = list(old.media_keys)
            self._unlist(old)
            self._settle(new)
            return new

    def delete_post(self, post: Post | str) -> None:
        """All its versions go: X no longer finds them."""
        with self.lock:
            for version in self.posts[id_of(post)].edit_ids:
                found = self.posts[version]
                found.deleted = True
                self._unlist(found)

    def _settle(self, post: Post) -> None:
        if len(post.text) > LONG:
            post.note_text = post.text
            post.text = post.text[: LONG - 1] + "…"
            post.note_entities = self.entities_of(post.note_text)
        if not post.entities:
            post.entities = self.entities_of(post.text)
        self.posts[post.id] = post
        bisect.insort(self._written[post.author_id], int(post.id))
        for user_id in self._mentioned(post):
            bisect.insort(self._mentioning[user_id], int(post.id))

    def _mentioned(self, post: Post) -> set[str]:
        if any(kind == "retweeted" for kind, _ in post.references):
            return set()
        mentions = (post.note_entities or post.entities).get("mentions", ())
        return {mention["id"] for mention in mentions if "id" in mention}

    def _unlist(self, post: Post) -> None:
        for ids in (self._written[post.author_id], *(self._mentioning[one] for one in self._mentioned(post))):
            place = bisect.bisect_left(ids, int(post.id))
            if place < len(ids) and ids[place] == int(post.id):
                del ids[place]

    def entities_of(self, text: str) -> dict[str, list[dict[str, Any]]]:
        """What X would find in a text."""
        found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for match in _WORDS.finditer(text):
            place: dict[str, Any] = {"start": match.start(), "end": match.end()}
            if url := match["url"]:
                shown = url.split("://", 1)[1]
                found["urls"].append({**place, "url": url, "expanded_url": url, "display_url": shown})
            elif hashtag := match["hashtag"]:
                found["hashtags"].append({**place, "tag": hashtag})
            elif (handle := match["mention"]).lower() in self._by_handle:
                user_id = self._by_handle[handle.lower()]
                found["mentions"].append({**place, "username": handle, "id": user_id})
        return dict(found)

    def written(self, user_id: str) -> list[int]:
        """The ids of an account's posts, oldest first: latest versions, not deleted."""
        return self._written.get(user_id, [])

    def mentioning(self, user_id: str) -> list[int]:
        """The ids of posts that mention an account, oldest first; reposts are not among them."""
        return self._mentioning.get(user_id, [])

    # Media

    def add_file(self, name: str, content: bytes, content_type: str) -> str:
        """Serves it; its address without the server's."""
        self.files[name] = MediaFile(content, content_type)
        return f"/media/{name}"

    def add_photo(self, content: bytes = PNG, content_type: str = "image/png", **more: Any) -> str:
        """The media key. `more`: attributes of `Media`, e.g. `alt_text`."""
        number = 1_000_000_000_000_000_000 + self._next()
        url = self.add_file(f"photo{number}.{content_type.split('/')[1]}", content, content_type)
        return self.add_media(Media(f"3_{number}", "photo", url=url, **more))

    def add_video(self, contents: dict[int, bytes] | None = None, kind: str = "video", **more: Any) -> str:
        """The media key of a video with an MP4 file per bit rate and a playlist, or of an "animated_gif"."""
        number = 1_000_000_000_000_000_000 + self._next()
        variants: list[tuple[int | None, str, str]] = []
        default = (
            {0: b"a moving picture"} if kind == "animated_gif" else {256_000: b"small", 2_176_000: b"large"}
        )
        for bit_rate, content in (contents or default).items():
            url = self.add_file(f"video{number}-{bit_rate}.mp4", content, "video/mp4")
            variants.append((bit_rate, "video/mp4", url))
        if kind == "video":
            playlist = "application/x-mpegURL"
            url = self.add_file(f"video{number}.m3u8", b"#EXTM3U\n", playlist)
            variants.insert(0, (None, playlist, url))
            more.setdefault("duration_ms", 4200)
        preview = self.add_file(f"preview{number}.png", PNG, "image/png")
        prefix = 16 if kind == "animated_gif" else 7
        made = Media(f"{prefix}_{number}", kind, variants=variants, preview_image_url=preview, **more)
        return self.add_media(made)

    def add_gif(self, content: bytes = b"a moving picture", **more: Any) -> str:
        return self.add_video({0: content}, "animated_gif", **more)

    def add_media(self, media: Media) -> str:
        self.media[media.media_key] = media
        return media.media_key

    # Lists and messages

    def add_list(
        self, owner: User | str, name: str, members: Iterable[User | str] = (), **more: Any
    ) -> UserList:
        with self.lock:
            made = UserList(str(1_400_000_000_000_000_000 + self._next()), name, id_of(owner), **more)
            made.members = [id_of(one) for one in members]
            self.lists[made.id] = made
            return made

    def add_message(
        self,
        sender: User | str,
        text: str = "",
        to: Iterable[User | str] = (),
        at: int | None = None,
        *,
        event_type: str = "MessageCreate",
        conversation_id: str | None = None,
        concerned: Iterable[User | str] = (),
        **more: Any,
    ) -> Message:
        """An event among `sender` and `to`: one of them makes the conversation `A-B`, more a group's number,
        or say it. `concerned`: who joined or left. `more`: `media_keys`, `referenced_post_ids`."""
        with self.lock:
            at = self.now_ms() if at is None else at
            people = [id_of(sender), *(id_of(one) for one in to)]
            if conversation_id is None:
                pair = sorted(people, key=int)
                group = str(1_500_000_000_000_000_000 + sum(map(int, people)))
                conversation_id = "-".join(pair) if len(people) == 2 else group
            made = Message(
                self._new_id(at, {message.id for message in self.messages[-4096:]}),
                event_type,
                id_of(sender),
                people,
                conversation_id,
                at,
                text,
                concerned=[id_of(one) for one in concerned],
                entities=self.entities_of(text),
                **more,
            )
            self.messages.append(made)
            self.messages.sort(key=lambda message: int(message.id))
            return made

    # Tokens

    def add_token(
        self,
        value: str,
        user: User | str | None = None,
        scopes: Iterable[str] | None = None,
        expires_ms: int | None = None,
    ) -> str:
        """A bearer token, app-only where no user is given; its value."""
        with self.lock:
            user_id = None if user is None else id_of(user)
            limited = None if scopes is None else frozenset(scopes)
            self.tokens[value] = Token(value, user_id, limited, expires_ms)
            return value

    def add_oauth1(self, user: User | str) -> OAuth1Keys:
        """Keys for OAuth 1.0a; the app is the same for all users."""
        with self.lock:
            self.consumers.setdefault("consumer-key-1", "consumer-secret-1")
            value = f"{id_of(user)}-token{self._next()}"
            secret = f"secret-of-{value}"
            self.tokens[value] = Token(value, id_of(user), secret=secret, consumer_key="consumer-key-1")
            return OAuth1Keys("consumer-key-1", self.consumers["consumer-key-1"], value, secret)

    def add_client(self, client_id: str, redirect_uri: str, secret: str | None = None) -> Client:
        """An app for OAuth 2.0."""
        with self.lock:
            self.clients[client_id] = Client(client_id, [redirect_uri], secret)
            return self.clients[client_id]

    def revoke(self, value: str) -> None:
        """The token is no longer known."""
        with self.lock:
            self.tokens.pop(value, None)

    # What can be seen

    def state_of_user(self, user_id: str) -> str:
        """`ok`, `missing`, `suspended`."""
        user = self.users.get(user_id)
        if user is None or user.gone:
            return "missing"
        return "suspended" if user.suspended else "ok"

    def state_of_post(self, post_id: str, viewer: str | None) -> str:
        """`ok`, `missing`, `suspended` or `protected`, to a token of `viewer`: protected posts are shown to
        their author alone."""
        post = self.posts.get(post_id)
        if post is None or post.deleted:
            return "missing"
        state = self.state_of_user(post.author_id)
        if state == "ok" and self.users[post.author_id].protected and viewer != post.author_id:
            return "protected"
        return state
