"""The objects in X's answers, as far as records show them, under both generations of their names."""

from msgspec import Struct


class Url(Struct, frozen=True, gc=False):
    url: str | None = None
    expanded_url: str | None = None
    display_url: str | None = None
    media_key: str | None = None
    """Set where the link stands for a picture of the post itself."""


class Mentioned(Struct, frozen=True, gc=False):
    id: str | None = None
    username: str | None = None


class Tag(Struct, frozen=True, gc=False):
    tag: str | None = None


class Entities(Struct, frozen=True, gc=False):
    urls: list[Url] | None = None
    mentions: list[Mentioned] | None = None
    hashtags: list[Tag] | None = None


class Note(Struct, frozen=True, gc=False):
    """The whole text of a long post, and what is in it."""

    text: str | None = None
    entities: Entities | None = None


class Article(Struct, frozen=True, gc=False):
    title: str | None = None
    plain_text: str | None = None


class Reference(Struct, frozen=True, gc=False):
    id: str | None = None
    type: str | None = None


class Attachments(Struct, frozen=True, gc=False):
    media_keys: list[str] | None = None


class PostMetrics(Struct, frozen=True, gc=False):
    like_count: int | None = None
    retweet_count: int | None = None
    repost_count: int | None = None


class RawPost(Struct, frozen=True, gc=False):
    """A post in `data`."""

    text: str | None = None
    id: str | None = None
    author_id: str | None = None
    created_at: str | None = None
    lang: str | None = None
    source: str | None = None
    conversation_id: str | None = None
    community_id: str | None = None
    in_reply_to_user_id: str | None = None
    referenced_tweets: list[Reference] | None = None
    referenced_posts: list[Reference] | None = None
    edit_history_tweet_ids: list[str] | None = None
    edit_history_post_ids: list[str] | None = None
    note_tweet: Note | None = None
    note_post: Note | None = None
    article: Article | None = None
    entities: Entities | None = None
    attachments: Attachments | None = None
    public_metrics: PostMetrics | None = None

    @property
    def references(self) -> list[Reference]:
        return self.referenced_posts or self.referenced_tweets or []

    @property
    def edit_ids(self) -> list[str]:
        return self.edit_history_post_ids or self.edit_history_tweet_ids or []

    @property
    def note(self) -> Note | None:
        return self.note_post or self.note_tweet


class Variant(Struct, frozen=True, gc=False):
    bit_rate: int | None = None
    content_type: str | None = None
    url: str | None = None


class Related(Struct, frozen=True, gc=False):
    """An object of `includes`: a medium has a media_key, a post a text, a person a username. All three are
    among what X sends unasked, so they tell them apart."""

    id: str | None = None
    username: str | None = None
    name: str | None = None
    media_key: str | None = None
    type: str | None = None
    url: str | None = None
    preview_image_url: str | None = None
    alt_text: str | None = None
    variants: list[Variant] | None = None
    text: str | None = None
    author_id: str | None = None
    note_tweet: Note | None = None
    note_post: Note | None = None


class UserMetrics(Struct, frozen=True, gc=False):
    followers_count: int | None = None
    following_count: int | None = None
    tweet_count: int | None = None
    post_count: int | None = None
    listed_count: int | None = None
    like_count: int | None = None


class _UserUrls(Struct, frozen=True, gc=False):
    urls: list[Url] | None = None


class UserEntities(Struct, frozen=True, gc=False):
    url: _UserUrls | None = None


class RawUser(Struct, frozen=True, gc=False):
    """A person or account in `data`."""

    id: str | None = None
    username: str | None = None
    name: str | None = None
    created_at: str | None = None
    description: str | None = None
    location: str | None = None
    url: str | None = None
    entities: UserEntities | None = None
    profile_image_url: str | None = None
    profile_banner_url: str | None = None
    protected: bool | None = None
    verified: bool | None = None
    verified_type: str | None = None
    parody: bool | None = None
    public_metrics: UserMetrics | None = None


class RawMessage(Struct, frozen=True, gc=False):
    """A direct message event in `data`."""

    id: str | None = None
    event_type: str | None = None
    text: str | None = None
    sender_id: str | None = None
    participant_ids: list[str] | None = None
    dm_conversation_id: str | None = None
    created_at: str | None = None
    attachments: Attachments | None = None
    entities: Entities | None = None
    urls: list[Url] | None = None


class RawList(Struct, frozen=True, gc=False):
    id: str | None = None
    name: str | None = None
    description: str | None = None
    owner_id: str | None = None
    created_at: str | None = None
    private: bool | None = None


class ApiProblem(Struct, frozen=True, gc=False):
    """An entry of `errors`: in an answer of 200 about one thing, else about the request (RFC 7807)."""

    title: str | None = None
    type: str | None = None
    detail: str | None = None
    message: str | None = None
    parameter: str | None = None
    value: str | None = None
    resource_id: str | None = None
    resource_type: str | None = None
    field: str | None = None


class Meta(Struct, frozen=True, gc=False):
    result_count: int | None = None
    next_token: str | None = None
    newest_id: str | None = None
    oldest_id: str | None = None
