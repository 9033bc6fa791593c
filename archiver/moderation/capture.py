"""An item and what stands around it, asked of X and held until it is written together with its record.

Asked for: the item with its author's profile; the posts it answers, up to the first of the conversation; the
newest others of the conversation. What of that X does not show is named. Of the item itself nothing may be
missing: without it nothing is done.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Struct

from archiver.collect.taking import Taken, take_answer
from archiver.errors import SourceError
from archiver.moderation.item import ID, ItemName
from archiver.moderation.pages import answer_to_keep
from archiver.progress import walk_digest
from archiver.records import Account, Gone, ItemType, MediaReference, Post, Record
from archiver.settings import AccountSettings
from archiver.settings.api import AccountApi, Prices
from archiver.sources.base import Item
from archiver.sources.x_api.client import XClient
from archiver.sources.x_api.endpoints import ENDPOINTS
from archiver.sources.x_api.others import read_included_posts, read_people
from archiver.sources.x_api.pace import Patience
from archiver.sources.x_api.parse import parse_item
from archiver.spool import AnswerToKeep, Spool

MOST_ANSWERED: Final = 10
"""So many posts up from the item are asked for at most, beside the conversation's first."""
FEWEST_OF_THREAD: Final = 10
"""X gives no fewer posts of a conversation at a time."""
GIVE_BY_HAND: Final = (
    "nothing was recorded or done; if it cannot wait, say what stands there: --text, --author, --posted-at"
)


class NotCapturedError(SourceError):
    """X did not show the item, so that nothing may be done about it."""

    def __init__(self, message: str, hint: str = GIVE_BY_HAND) -> None:
        super().__init__(message, hint)


class NeverShownError(NotCapturedError):
    """X cannot be asked for this item at all: by hand is the only way."""

    exit_code = 2


class Seen(Struct, frozen=True, kw_only=True):
    """What X showed. `content` is "unseen" where the item is not there any more, for the reason in `unseen`.
    `answers`: X's answers as they are to be kept, `pictures` what of the item is still to be fetched.
    `notes`: what a person should know beside.
    `short`: something of the context could not be asked for, which another time might be there."""

    item_type: ItemType | None
    item_id: str
    content: Literal["captured", "unseen"]
    unseen: str | None = None
    author_id: str | None = None
    author_handle: str | None = None
    author_name: str | None = None
    posted_ms: int | None = None
    text: str | None = None
    language: str | None = None
    pictures: tuple[MediaReference, ...] = ()
    edit_ids: tuple[str, ...] = ()
    """All versions of a post that was edited."""
    answers: tuple[AnswerToKeep, ...] = ()
    context_sha256: tuple[str, ...] = ()
    context_missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    short: bool = False


class ItemCapture:
    """Asks about one item on behalf of one account. What each answer costs is noted as it comes."""

    def __init__(
        self,
        client: XClient,
        account: AccountSettings,
        api: AccountApi,
        prices: Prices,
        spool: Spool,
        patience: Patience,
        thread_posts: int,
    ) -> None:
        self._client = client
        self._account = account
        self._api = api
        self._prices = prices
        self._spool = spool
        self._patience = patience
        self._thread_posts = thread_posts
        self._walk = walk_digest()
        self._answers: list[AnswerToKeep] = []
        self._missing: list[str] = []
        self._notes: list[str] = []
        self._short = False
        self._known: dict[str, Post] = {}

    def capture(self, name: ItemName) -> Seen:
        """What X shows of the item. Raise NotCapturedError where X does not show it to this account, and
        what else `XClient.fetch` raises where X cannot be asked."""
        return self._user(name) if name.kind == "user" else self._post(name)

    # A post

    def _post(self, name: ItemName) -> Seen:
        post_id = name.id or ""
        taken = self._ask("moderated", {"ids": post_id}, asked=(post_id,))
        item = next((one for one in taken.reading.items if one.id == post_id), None)
        if item is None:
            return self._unseen_post(name, taken)
        post = _as_post(taken, item)
        self._check_said(name, item, post)
        if (remark := taken.reading.remarks.get(item.id)) is not None:
            self._note_short(f"the item {remark.detail}")
        self._known[post_id] = post
        quoted = [post.quote_of_id] if post.quote_of_id else []
        people = read_people(taken.capture, taken.answer, {post.author_id} if post.author_id else set())
        if not people:
            self._missing.append("the author's profile: X did not send it along")
            self._short = True
        self._keep(taken, [item, *read_included_posts(taken.capture, taken.answer, quoted), *people])
        self._take_answered(post)
        self._take_thread(post)
        return Seen(
            item_type=self._type_of(post),
            item_id=post_id,
            content="captured",
            author_id=post.author_id,
            author_handle=post.author_handle or name.handle,
            author_name=post.author_name,
            posted_ms=post.posted_ms,
            text=post.text,
            language=post.language,
            pictures=post.media,
            edit_ids=post.edit_ids,
            **self._taken(),
        )

    def _check_said(self, name: ItemName, item: Item, post: Post) -> None:
        """Raise NotCapturedError where X's answer does not say what was said and by whom."""
        try:
            stated = _stated(item.slices[0][1])
        except msgspec.MsgspecError as error:
            raise NotCapturedError(
                f"X's answer about {name.words} lacks what it says, or who wrote it"
            ) from error
        if stated.created_at is None:
            self._missing.append(
                "when it was posted: X did not say it, so the time is from the post's number"
            )
        if name.handle and post.author_handle and name.handle.lower() != post.author_handle.lower():
            self._notes.append(f"the address names @{name.handle}, and X says it is by @{post.author_handle}")

    def _type_of(self, post: Post) -> ItemType:
        if post.author_id == self._account.id:
            return "own_post"
        return "reply" if post.in_reply_to_id or post.in_reply_to_user_id else "comment"

    def _unseen_post(self, name: ItemName, taken: Taken) -> Seen:
        """A post that is not there any more. Raise NotCapturedError where it may be there, unseen."""
        records = [
            parse_item(taken.capture, one.kind, [data for _, data in one.slices])
            for one in taken.reading.gone
        ]
        reason = next((one.how.partition(": ")[2] for one in records if isinstance(one, Gone)), None)
        where = f"{name.words} is not shown to @{self._account.handle or self._account.id}"
        if reason not in ("deleted", "suspended"):
            raise NotCapturedError(f"{where}: {reason or 'X says nothing of it'}")
        why = "its author's account is suspended" if reason == "suspended" else "it is not there"
        self._keep(taken, [])
        return Seen(
            item_type=None,
            item_id=name.id or "",
            content="unseen",
            unseen=f"X says that {why}",
            author_handle=name.handle,
            **self._taken(),
        )

    def _take_answered(self, post: Post) -> None:
        """The posts that it answers, one up from the other, and the conversation's first."""
        wanted = [one for one in (post.in_reply_to_id, post.conversation_id) if one]
        for _ in range(MOST_ANSWERED):
            asked = [one for one in dict.fromkeys(wanted) if one not in self._known]
            if asked and not self._take_posts(asked):
                return
            above = self._known.get(wanted[0]) if wanted else None
            if above is None or above.in_reply_to_id is None:
                return
            wanted = [above.in_reply_to_id]
        if wanted[0] not in self._known:
            self._missing.append(f"the thread is longer than {MOST_ANSWERED} posts up from the item")

    def _take_posts(self, ids: Sequence[str]) -> bool:
        """Ask for posts by their ids; False where X could not be asked."""
        try:
            taken = self._ask("moderated", {"ids": ",".join(ids)}, asked=ids)
        except SourceError as error:
            self._note_short(f"the posts it answers: {error.message}")
            return False
        self._keep(taken, taken.reading.items)
        for one in taken.reading.gone:
            record = _record_of(taken, one)
            if isinstance(record, Gone):
                self._missing.append(f"the post {record.platform_id}, which it answers: {record.how}")
        return True

    def _take_thread(self, post: Post) -> None:
        """The newest other posts of the conversation, of the last days that X searches."""
        if not self._thread_posts or post.conversation_id is None:
            return
        asked = {
            "query": f"conversation_id:{post.conversation_id}",
            "max_results": min(100, max(FEWEST_OF_THREAD, self._thread_posts)),
        }
        try:
            taken = self._ask("thread", asked)
        except SourceError as error:
            self._note_short(f"other posts of the thread: {error.message}")
            return
        others = [one for one in taken.reading.items if one.id not in self._known]
        self._keep(taken, others)
        if taken.reading.meta.next_token:
            self._missing.append(f"more posts of the thread than the newest {len(taken.reading.items)}")

    # A user

    def _user(self, name: ItemName) -> Seen:
        handle = name.handle or ""
        taken = self._ask("author", {"username": handle})
        shown = taken.reading
        if (
            shown.owner is None
            or (shown.handle or "").lower() != handle.lower()
            or not ID.fullmatch(shown.owner)
        ):
            refusal = shown.refusal
            said = f": {refusal.detail or refusal.title}" if refusal else ""
            raise NotCapturedError(f"X shows no account @{handle}{said}")
        people = read_people(taken.capture, taken.answer, {shown.owner})
        account = _record_of(taken, people[0]) if people else None
        if not isinstance(account, Account):
            raise NotCapturedError(f"X shows no account @{handle}")
        self._keep(taken, people)
        return Seen(
            item_type="user",
            item_id=account.platform_id,
            content="captured",
            author_id=account.platform_id,
            author_handle=account.handle,
            author_name=account.name,
            text=account.bio,
            pictures=account.media,
            **self._taken(),
        )

    # Answers

    def _ask(self, endpoint: str, parameters: Mapping[str, Any], asked: Sequence[str] = ()) -> Taken:
        taken = take_answer(
            self._client,
            self._account,
            self._api,
            self._prices,
            ENDPOINTS[endpoint],
            parameters,
            self._patience,
            handle=self._account.handle,
            owner=self._client.keys.user_id,
            asked=asked,
        )
        self._spool.save_spend(taken.spend)
        for problem in taken.reading.problems:
            self._note_short(f"{problem.what}: {problem.detail}")
        return taken

    def _keep(self, taken: Taken, items: Sequence[Item]) -> None:
        self._answers.append(answer_to_keep(self._spool.identity, self._walk, taken, items))
        for item in items:
            if item.kind == "post":
                self._known[item.id] = _as_post(taken, item)

    def _note_short(self, what: str) -> None:
        self._missing.append(what)
        self._short = True

    def _taken(self) -> dict[str, Any]:
        return {
            "answers": tuple(self._answers),
            "context_sha256": tuple(dict.fromkeys(one.body_sha256 for one in self._answers)),
            "context_missing": tuple(dict.fromkeys(self._missing)),
            "notes": tuple(self._notes),
            "short": self._short,
        }


class _Stated(Struct, frozen=True):
    """What a post must say of itself to be on record."""

    text: str
    author_id: Annotated[str, msgspec.Meta(pattern=ID.pattern)]
    created_at: str | None = None


_stated = msgspec.json.Decoder(_Stated).decode


def _record_of(taken: Taken, item: Item) -> Record:
    return parse_item(taken.capture, item.kind, [data for _, data in item.slices])


def _as_post(taken: Taken, item: Item) -> Post:
    record = _record_of(taken, item)
    if not isinstance(record, Post):
        raise SourceError(f"X's answer about post {item.id} holds none")
    return record
