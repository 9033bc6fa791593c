"""What the fake of X answers to a request that may ask: parameters checked, things chosen, pages cut."""

import bisect
import hashlib
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from tests.fakes.x_names import Endpoint, names_of
from tests.fakes.x_questions import HANDLE, NUMBER, Question, RefusalError, Wanted, listed
from tests.fakes.x_render import Document, Renderer
from tests.fakes.x_world import DAY_MS, snowflake

if TYPE_CHECKING:
    from tests.fakes.x_api import FakeX

MOST_IDS = 100
_KINDS = {"post.fields": "post", "user.fields": "user", "media.fields": "media", "list.fields": "list"}
_KINDS |= {"dm_event.fields": "message"}
_EVENT_TYPES = ("MessageCreate", "ParticipantsJoin", "ParticipantsLeave")
_EXCLUDABLE = ("replies", "retweets")
_CONVERSATION = re.compile("conversation_id:([0-9]{1,19})")


@dataclass(frozen=True)
class _PageToken:
    """Where the next page begins: after the item `last`, or at `place` should it be gone."""

    template: str
    an_id: str
    last: str
    place: int


class Routes:
    def __init__(self, fake: "FakeX", cached: bool) -> None:
        self._fake = fake
        self._world = fake.world
        self._cache: dict[Any, msgspec.Raw] | None = {} if cached else None
        self.page_tokens: dict[str, _PageToken] = {}
        self._answers: dict[str, Callable[[Question, Renderer], Document]] = {
            "/2/users/me": self._me,
            "/2/users/{id}": self._user,
            "/2/users/{id}/tweets": self._timeline,
            "/2/users/{id}/mentions": self._timeline,
            "/2/users/{id}/liked_tweets": self._likes,
            "/2/lists/{id}/members": self._members,
            "/2/users/by/username/{username}": self._user_by_handle,
            "/2/tweets": self._lookup,
            "/2/tweets/search/recent": self._search,
            "/2/dm_events": self._messages,
        }

    def document(
        self, endpoint: Endpoint, an_id: str, viewer: str | None, query: dict[str, str]
    ) -> dict[str, Any]:
        """The body of a 200; raises `RefusalError`."""
        question = Question(endpoint, an_id, viewer, query, names_of(self._fake.generation, query))
        self._check_parameters(question)
        wanted = self._wanted(question)
        renderer = Renderer(self._world, self._fake.url, question.names, wanted, viewer, self._cache)
        answer = self._answers.get(endpoint.template)
        if answer is None:
            answer = self._lists if endpoint.answers == "lists" else self._relation
        return answer(question, renderer).parts()

    # Parameters

    def _check_parameters(self, question: Question) -> None:
        refused = self._fake.refused_fields
        known = question.endpoint.parameters(question.names) - refused
        for parameter, value in question.query.items():
            if parameter not in known:
                message = f"The query parameter [{parameter}] is not one of {listed(known | {'id'})}"
                raise question.refuse(parameter, value, message)
        if "{id}" in question.endpoint.template and not NUMBER.fullmatch(question.an_id):
            message = f"The `id` query parameter value [{question.an_id}] is not valid"
            raise question.refuse("id", question.an_id, message)

    def _wanted(self, question: Question) -> Wanted:
        names, refused = question.names, self._fake.refused_fields
        asked: dict[str, frozenset[str]] = {}
        for parameter, known in names.fields.items():
            values = question.words(parameter, known - refused)
            kind = _KINDS.get(names.inner(parameter))
            if kind is not None:
                asked[kind] = frozenset(map(names.inner, values))
        if names.generation == "tweet":  # every post has it, asked for or not
            asked["post"] |= {"edit_history_post_ids"}
        expansions = question.words("expansions", names.expansions[question.endpoint.answers] - refused)
        return Wanted(asked, frozenset(map(names.inner_expansion, expansions)))

    # Pages

    def _page(self, question: Question, ids: Sequence[str]) -> tuple[Sequence[str], dict[str, Any]]:
        """The ids of the page asked for, of `ids` in their order, and its `meta`."""
        size = question.size()
        start = 0
        parameter, value = question.page_token
        if value is not None:
            token = self.page_tokens.get(value)
            if token is None or (token.template, token.an_id) != self._scope(question):
                message = f"The `{parameter}` query parameter value [{value}] is not valid"
                raise question.refuse(parameter, value, message)
            start = self._place(ids, token)
        page = ids[start : start + size]
        meta: dict[str, Any] = {"result_count": len(page)}
        if page and (start + size < len(ids) or self._fake.empty_last_page):
            meta["next_token"] = self._new_token(question, page[-1], start + len(page))
        return page, meta

    def _scope(self, question: Question) -> tuple[str, str]:
        """A token is good for this path and account, or these words searched for, alone."""
        about = question.an_id or question.query.get("query") or question.viewer or ""
        return question.endpoint.template, about

    def _place(self, ids: Sequence[str], token: _PageToken) -> int:
        try:
            return ids.index(token.last) + 1
        except ValueError:
            return min(token.place, len(ids))

    def _new_token(self, question: Question, last: str, place: int) -> str:
        token = _PageToken(*self._scope(question), last, place)
        digest = hashlib.sha256(repr(token).encode()).digest()
        value = "".join("0123456789abcdefghijklmnopqrstuv"[byte % 32] for byte in digest[:19])
        self.page_tokens[value] = token
        return value

    # Users

    def _me(self, question: Question, renderer: Renderer) -> Document:
        assert question.viewer is not None
        return renderer.document("users", [self._world.users[question.viewer]], one=True)

    def _user(self, question: Question, renderer: Renderer) -> Document:
        if not self._is_there(question, renderer):
            return Document(errors=list(renderer.errors.values()))
        return renderer.document("users", [self._world.users[question.an_id]], one=True)

    def _user_by_handle(self, question: Question, renderer: Renderer) -> Document:
        handle = question.an_id
        if not HANDLE.fullmatch(handle):
            message = f"The `username` query parameter value [{handle}] does not match ^[A-Za-z0-9_]{{1,15}}$"
            raise question.refuse("username", handle, message)
        user_id = self._world.id_by_handle(handle) or ""
        state = self._world.state_of_user(user_id)
        if state != "ok":
            renderer.problem(state, "username", handle, "user", "data")
            return Document(errors=list(renderer.errors.values()))
        return renderer.document("users", [self._world.users[user_id]], one=True)

    def _is_there(self, question: Question, renderer: Renderer, protected: bool = False) -> bool:
        """Whether the user asked about can be shown; if not, the renderer has the problem. With
        `protected`, a protected account is shown to itself alone."""
        user_id = question.an_id
        state = self._world.state_of_user(user_id)
        hidden = state == "ok" and self._world.users[user_id].protected and question.viewer != user_id
        if protected and hidden:
            state = "protected"
        if state != "ok":
            renderer.problem(state, "id", user_id, "user", "data")
        return state == "ok"

    def _relation(self, question: Question, renderer: Renderer) -> Document:
        """Followers, following, blocking, muting: users who are there, newest relation first."""
        kind = question.endpoint.template.rsplit("/", 1)[1]
        is_own = kind in ("blocking", "muting")
        if is_own and question.an_id != question.viewer:
            detail = f"The id [{question.an_id}] is not that of the authenticating user [{question.viewer}]."
            raise RefusalError(
                403, {"title": "Forbidden", "detail": detail, "type": "about:blank", "status": 403}
            )
        if not self._is_there(question, renderer, protected=True):
            return Document(errors=list(renderer.errors.values()))
        return self._people(question, renderer, getattr(self._world, kind).get(question.an_id, []))

    def _members(self, question: Question, renderer: Renderer) -> Document:
        found = self._world.lists.get(question.an_id)
        if found is None or (found.private and found.owner_id != question.viewer):
            problem = {
                "value": question.an_id,
                "detail": f"Could not find list with id: [{question.an_id}].",
                "title": "Not Found Error",
                "resource_type": "list",
                "parameter": "id",
                "resource_id": question.an_id,
                "type": f"{question.problems}resource-not-found",
            }
            return Document(errors=[problem])
        return self._people(question, renderer, found.members)

    def _people(self, question: Question, renderer: Renderer, user_ids: Sequence[str]) -> Document:
        ids, meta = self._page(question, user_ids)
        there = [self._world.users[one] for one in ids if self._world.state_of_user(one) == "ok"]
        made = renderer.document("users", there)
        made.meta = meta | {"result_count": len(there)}
        return made

    def _lists(self, question: Question, renderer: Renderer) -> Document:
        if not self._is_there(question, renderer):
            return Document(errors=list(renderer.errors.values()))
        kind = question.endpoint.template.rsplit("/", 1)[1]
        user_id = question.an_id
        shown = {
            one.id: one
            for one in sorted(self._world.lists.values(), key=lambda one: -int(one.id))
            if (not one.private or one.owner_id == question.viewer)
            and (
                (kind == "owned_lists" and one.owner_id == user_id)
                or (kind == "list_memberships" and user_id in one.members)
                or (kind == "followed_lists" and user_id in one.followers)
            )
        }
        ids, meta = self._page(question, list(shown))
        made = renderer.document("lists", [shown[one] for one in ids])
        made.meta = meta
        return made

    # Posts

    def _timeline(self, question: Question, renderer: Renderer) -> Document:
        """Posts of an account, or that mention it, newest first, as deep as X goes."""
        if not self._is_there(question, renderer, protected=True):
            return Document(errors=list(renderer.errors.values()))
        if question.endpoint.template.endswith("/tweets"):
            excluded = question.words("exclude", _EXCLUDABLE)
            depth = self._fake.post_depth_without_replies if "replies" in excluded else self._fake.post_depth
            ids = self._world.written(question.an_id)
        else:
            excluded, depth = frozenset(), self._fake.mention_depth
            ids = self._world.mentioning(question.an_id)
        floor, ceiling = self._bounds(question)
        deepest = max(0, len(ids) - depth)
        first = max(deepest, bisect.bisect_left(ids, floor))
        chosen = list(map(str, reversed(ids[first : bisect.bisect_left(ids, ceiling)])))
        if excluded or not question.endpoint.template.endswith("/tweets"):
            chosen = [one for one in chosen if self._is_shown(one, excluded, question.viewer)]
        return self._posts(question, renderer, chosen)

    def _posts(self, question: Question, renderer: Renderer, ids: list[str]) -> Document:
        """A page of posts, of ids in falling order."""
        page, meta = self._page_of_posts(question, ids)
        made = renderer.document("posts", [self._world.posts[one] for one in page])
        if page:
            meta |= {"newest_id": page[0], "oldest_id": page[-1]}
        made.meta = meta
        return made

    def _search(self, question: Question, renderer: Renderer) -> Document:
        """Posts of one conversation, of the last days, newest first and each in its last version. Whether the
        one that began it is among them is not established: `search_shows_first`."""
        value = question.query.get("query", "")
        asked = _CONVERSATION.fullmatch(value)
        if asked is None:
            raise question.refuse("query", value, f"The fake of X cannot search for [{value}]")
        question.words("sort_order", ("recency", "relevancy"))
        oldest = self._world.now_ms() - self._fake.search_days * DAY_MS
        start = question.time_ms("start_time")
        if start is not None and start < oldest:
            message = "Invalid 'start_time': must be within the last 7 days."
            raise question.refuse("start_time", question.query["start_time"], message)
        floor, ceiling = self._bounds(question)
        chosen = [
            int(post.id)
            for post in self._world.posts.values()
            if post.conversation_id == asked[1]
            and (post.id != asked[1] or self._fake.search_shows_first)
            and post.id == post.edit_ids[-1]
            and post.created_ms >= oldest
            and floor <= int(post.id) < ceiling
            and self._world.state_of_post(post.id, None) == "ok"
        ]
        return self._posts(question, renderer, [str(one) for one in sorted(chosen, reverse=True)])

    def _bounds(self, question: Question) -> tuple[int, int]:
        """The lowest id wanted, and the lowest above those wanted."""
        since, until = question.number("since_id"), question.number("until_id")
        start, end = question.time_ms("start_time"), question.time_ms("end_time")
        floor = max(0 if since is None else since + 1, 0 if start is None else int(snowflake(start)))
        ceilings = [1 << 63]
        ceilings += [] if until is None else [until]
        ceilings += [] if end is None else [int(snowflake(end))]
        return floor, min(ceilings)

    def _is_shown(self, post_id: str, excluded: Collection[str], viewer: str | None) -> bool:
        if self._world.state_of_post(post_id, viewer) != "ok":
            return False
        kinds = {kind for kind, _ in self._world.posts[post_id].references}
        is_reply = "replied_to" in kinds or self._world.posts[post_id].in_reply_to_user_id is not None
        if is_reply and "replies" in excluded:
            return False
        return not ("retweeted" in kinds and "retweets" in excluded)

    def _page_of_posts(self, question: Question, ids: list[str]) -> tuple[Sequence[str], dict[str, Any]]:
        """A page of ids in falling order: what is after a token is what is lower than its last id."""
        token = self.page_tokens.get(question.page_token[1] or "")
        if token is not None and token.last not in ids:
            lower = bisect.bisect_left([-int(one) for one in ids], -int(token.last))
            ids = [*ids[:lower], token.last, *ids[lower:]]
            page, meta = self._page(question, ids)
            return [one for one in page if one != token.last], meta
        return self._page(question, ids)

    def _likes(self, question: Question, renderer: Renderer) -> Document:
        if not self._is_there(question, renderer, protected=True):
            return Document(errors=list(renderer.errors.values()))
        ids, meta = self._page(question, self._world.likes.get(question.an_id, []))
        there = [one for one in ids if self._world.state_of_post(one, question.viewer) == "ok"]
        made = renderer.document("posts", [self._world.posts[one] for one in there])
        made.meta = meta | {"result_count": len(there)}
        return made

    def _lookup(self, question: Question, renderer: Renderer) -> Document:
        given = question.query.get("ids", "")
        ids = list(dict.fromkeys(given.split(",")))
        if len(ids) > MOST_IDS:
            message = (
                f"The number of values in the `ids` query parameter list [{len(ids)}] is over {MOST_IDS}"
            )
            raise question.refuse("ids", given, message)
        for one in ids:
            if not NUMBER.fullmatch(one):
                message = f"The `ids` query parameter value [{one}] does not match ^[0-9]{{1,19}}$"
                raise question.refuse("ids", given, message)
        there = []
        for one in ids:
            state = self._world.state_of_post(one, question.viewer)
            if state == "ok":
                there.append(self._world.posts[one])
            else:
                renderer.problem(state, "ids", one, "post", "data")
        return renderer.document("posts", there)

    # Messages

    def _messages(self, question: Question, renderer: Renderer) -> Document:
        """Events of conversations the viewer is in, of the last 30 days, newest first."""
        types = question.words("event_types", _EVENT_TYPES) or frozenset(_EVENT_TYPES)
        oldest = self._world.now_ms() - self._fake.message_days * DAY_MS
        shown = {
            message.id: message
            for message in reversed(self._world.messages)
            if message.created_ms >= oldest
            and message.event_type in types
            and question.viewer in message.participants
        }
        ids, meta = self._page(question, list(shown))
        made = renderer.document("messages", [shown[one] for one in ids])
        made.meta = meta
        return made
