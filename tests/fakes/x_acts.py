"""What the fake of X changes when it is asked to: replies hidden and shown, posts removed, people muted.

Each that is allowed answers 200, whether or not it changes anything, and is noted in `world.acts`. What X
answers to a wish about a post or person that is not there is not established; here it is 404.
"""

from collections.abc import Callable
from typing import Any

from tests.fakes.x_names import Endpoint, Names
from tests.fakes.x_questions import NUMBER, RefusalError, bad_request
from tests.fakes.x_world import Act, World

_HIDE = "PUT /2/tweets/{tweet_id}/hidden"
_REMOVE = "DELETE /2/tweets/{id}"
_MUTE = "POST /2/users/{id}/muting"
_UNMUTE = "DELETE /2/users/{source_user_id}/muting/{target_user_id}"


class Acts:
    """Does what an endpoint of `x_names.ACTS` is for."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ways: dict[str, Callable[[tuple[str, ...], str, Any, Names], dict[str, bool]]] = {
            _HIDE: self._hide,
            _REMOVE: self._remove,
            _MUTE: self._mute,
            _UNMUTE: self._unmute,
        }

    def document(
        self, endpoint: Endpoint, ids: tuple[str, ...], viewer: str, query: Any, sent: Any, names: Names
    ) -> dict[str, Any]:
        """The body of a 200, what was wished being done; raises `RefusalError`. `sent`: the JSON sent."""
        for one in ids:
            if not NUMBER.fullmatch(one):
                message = f"The `id` query parameter value [{one}] is not valid"
                raise bad_request(names.problems, "id", one, message)
        for parameter, value in query.items():
            message = f"The query parameter [{parameter}] is not one of []"
            raise bad_request(names.problems, parameter, value, message)
        return {"data": self._ways[endpoint.key](ids, viewer, sent, names)}

    def _hide(self, ids: tuple[str, ...], viewer: str, sent: Any, names: Names) -> dict[str, bool]:
        """Of replies alone, and by whoever began the conversation."""
        hidden = _only(sent, "hidden", bool, names)
        post = self._post(ids[0], viewer, names)
        first = self._world.posts.get(post.conversation_id)
        is_reply = post.in_reply_to_user_id is not None or any(
            one == "replied_to" for one, _ in post.references
        )
        if first is None or first.author_id != viewer or not is_reply:
            raise _forbidden("You are not allowed to hide or show this reply.")
        changed = hidden != (post.id in self._world.hidden)
        (self._world.hidden.add if hidden else self._world.hidden.discard)(post.id)
        self._note("hide" if hidden else "unhide", viewer, post.id, changed)
        return {"hidden": hidden}

    def _remove(self, ids: tuple[str, ...], viewer: str, _sent: Any, names: Names) -> dict[str, bool]:
        """One's own alone, with all its versions."""
        post = self._post(ids[0], viewer, names)
        if post.author_id != viewer:
            raise _forbidden("You are not allowed to delete this post.")
        self._world.delete_post(post.id)
        self._note("remove", viewer, post.id, True)
        return {"deleted": True}

    def _mute(self, ids: tuple[str, ...], viewer: str, sent: Any, names: Names) -> dict[str, bool]:
        target = _only(sent, "target_user_id", str, names)
        self._check_people(ids[0], viewer, target, names)
        changed = target not in self._world.muting[viewer]
        if changed:
            self._world.mute(viewer, target)
        self._note("mute", viewer, target, changed)
        return {"muting": True}

    def _unmute(self, ids: tuple[str, ...], viewer: str, _sent: Any, names: Names) -> dict[str, bool]:
        source, target = ids
        self._check_people(source, viewer, target, names)
        changed = target in self._world.muting[viewer]
        if changed:
            self._world.unmute(viewer, target)
        self._note("unmute", viewer, target, changed)
        return {"muting": False}

    def _note(self, act: str, viewer: str, target: str, changed: bool) -> None:
        self._world.acts.append(Act(act, viewer, target, changed))

    def _post(self, post_id: str, viewer: str, names: Names) -> Any:
        state = self._world.state_of_post(post_id, viewer)
        if state == "protected":
            raise _forbidden("You are not allowed to see this post.")
        if state != "ok":
            raise _missing("tweet", post_id, names)
        return self._world.posts[post_id]

    def _check_people(self, source: str, viewer: str, target: str, names: Names) -> None:
        if source != viewer:
            raise _forbidden(f"The id [{source}] is not that of the authenticating user [{viewer}].")
        if not NUMBER.fullmatch(target):
            message = "$.target_user_id: does not match ^[0-9]{1,19}$"
            raise bad_request(names.problems, "target_user_id", target, message)
        if self._world.state_of_user(target) == "missing":
            raise _missing("user", target, names)
        if target == viewer:
            raise _forbidden("You cannot mute yourself.")


def _only(sent: Any, name: str, kind: type, names: Names) -> Any:
    """The one value that the JSON sent has to hold."""
    if not isinstance(sent, dict) or set(sent) != {name} or not isinstance(sent[name], kind):
        raise bad_request(names.problems, name, str(sent), f"$.{name}: is missing, or more was sent")
    return sent[name]


def _forbidden(detail: str) -> RefusalError:
    return RefusalError(403, {"title": "Forbidden", "detail": detail, "type": "about:blank", "status": 403})


def _missing(kind: str, an_id: str, names: Names) -> RefusalError:
    return RefusalError(
        404,
        {
            "title": "Not Found Error",
            "detail": f"Could not find {kind} with id: [{an_id}].",
            "type": f"{names.problems}resource-not-found",
            "status": 404,
        },
    )
