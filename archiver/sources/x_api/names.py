"""Which generation of names X takes, learnt from what it refuses, and remembered between runs."""

import re
import threading
from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct

from archiver.settings.api import ApiSettings
from archiver.sources.x_api.errors import NamesError
from archiver.sources.x_api.fields import GENERATIONS, Generation, Group, other_generation, requested
from archiver.sources.x_api.shapes import ApiProblem

MOST_CHANGES: Final = 30
"""So often a request is sent again with other names."""
PAGE_PARAMETERS: Final = frozenset({"pagination_token", "next_token"})
VITAL: Final = frozenset(
    {
        "attachments", "attachments.media_keys", "author_id", "created_at", "dm_conversation_id",
        "edit_history_post_ids", "edit_history_tweet_ids", "entities", "event_type", "id", "note_post",
        "note_tweet", "public_metrics", "referenced_posts", "referenced_tweets", "referenced_tweets.id",
        "sender_id", "text", "username", "variants",
    }
)  # fmt: skip
"""Without these a post is not what it was: rather nothing is taken until somebody has looked."""
_VALUE: Final = re.compile(r"value \[([\w.]+)\]")
_NAME: Final = re.compile(r"[\w.]+")


class Learnt(Struct, frozen=True):
    """What is remembered: the generation found right, and names that X refused in a month, 2026-11, as
    `post.fields=article`. In the next month they are asked for again."""

    generation: Generation | None = None
    refused: tuple[str, ...] = ()
    month: str = ""

    def in_month(self, month: str) -> "Learnt":
        return self if self.month == month else Learnt(self.generation, (), month)


def _all_names(generation: Generation, group: Group) -> set[str]:
    parameters = requested(group, generation)
    return {*parameters, *(f"{name}={one}" for name, text in parameters.items() for one in text.split(","))}


def _telling(generation: Generation, group: Group) -> set[str]:
    """What only this generation knows, so that its being refused tells: parameters, and values of parameters
    that both know. A value refused of a parameter that only this one knows tells that it was taken."""
    other = other_generation(generation)
    known = _all_names(other, group)
    return {
        name
        for name in _all_names(generation, group) - known
        if "=" not in name or name.partition("=")[0] in known
    }


class Names:
    """Shared by all accounts of a run and their threads."""

    def __init__(self, settings: ApiSettings, learnt: Learnt) -> None:
        self._lock = threading.Lock()
        fixed: Generation | None = None if settings.field_names == "auto" else settings.field_names
        self._fixed = fixed is not None
        self._generation: Generation = fixed or learnt.generation or GENERATIONS[0]
        self._confirmed = fixed is not None
        self._refused = set(learnt.refused)
        self._tried: set[Generation] = {self._generation}
        self._month = learnt.month
        self.newly_refused: list[str] = []

    def current(self, group: Group) -> tuple[Generation, dict[str, str]]:
        """The generation in use and the parameters to ask a group of endpoints with."""
        with self._lock:
            return self._generation, requested(group, self._generation, frozenset(self._refused))

    def confirm(self, generation: Generation, group: Group) -> None:
        """X took these names. Only groups whose names differ between the generations tell."""
        with self._lock:
            if _telling(generation, group):
                self._confirmed = self._confirmed or generation == self._generation

    def learn(self, generation: Generation, group: Group, error: NamesError) -> bool:
        """Change what is asked for after a refusal: the generation, or single fields left out. False where
        there is nothing to change, or what is left would not be a record."""
        refused = {*error.names, *error.values}
        with self._lock:
            if generation != self._generation:
                return True  # another thread has changed it meanwhile
            other = other_generation(generation)
            telling = refused & _telling(generation, group)
            if telling and not self._confirmed and other not in self._tried:
                self._generation = other
                self._tried.add(other)
                return True
            new = (set(error.values) & _all_names(generation, group)) - self._refused
            if any(one.partition("=")[2] in VITAL for one in new):
                return False
            self._refused |= new
            self.newly_refused += sorted(new)
            return bool(new)

    @property
    def learnt(self) -> Learnt:
        """What to remember. Names the settings fix are not."""
        with self._lock:
            known = self._generation if self._confirmed and not self._fixed else None
            return Learnt(known, tuple(sorted(self._refused)), self._month)


class _BadRequest(ApiProblem, frozen=True):
    parameters: dict[str, msgspec.Raw] | None = None


class _BadRequests(Struct, frozen=True):
    errors: list[_BadRequest] = []
    detail: str | None = None
    title: str | None = None


def refused_names(body: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The parameters that a 400 says X does not know, and the single values, as `post.fields=article`."""
    names: set[str] = set()
    values: set[str] = set()
    for error in _bad_requests(body):
        message = error.message or ""
        parameters = [name for name in error.parameters or {} if _NAME.fullmatch(name)]
        found = _VALUE.findall(message)
        if PAGE_PARAMETERS & set(parameters):
            names |= set(parameters)
        elif found:
            values |= {f"{name}={value}" for name in parameters for value in found}
        else:
            names |= set(parameters)
    return tuple(sorted(names)), tuple(sorted(values))


def _bad_requests(body: bytes) -> Iterable[_BadRequest]:
    try:
        return msgspec.json.decode(body, type=_BadRequests).errors
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ()
