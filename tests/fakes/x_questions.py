"""What a request to the fake of X asks for, or why it is refused."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.fakes.x_names import Endpoint, Names

NUMBER = re.compile(r"[0-9]{1,19}")
HANDLE = re.compile(r"[A-Za-z0-9_]{1,15}")


class RefusalError(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, document: dict[str, Any]) -> None:
        super().__init__(document)
        self.status = status
        self.document = document


def bad_request(problems: str, parameter: str, value: str, message: str) -> RefusalError:
    """400 as X answers it. `problems`: what the `type` of a problem begins with."""
    return RefusalError(
        400,
        {
            "errors": [{"parameters": {parameter: [value]}, "message": message}],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": f"{problems}invalid-request",
        },
    )


def listed(names: Collection[str]) -> str:
    return f"[{','.join(sorted(names))}]"


@dataclass
class Question:
    """A request whose parameters are known to be good, as far as they were looked at."""

    endpoint: Endpoint
    an_id: str
    viewer: str | None
    query: dict[str, str]
    names: Names
    problems: str = field(init=False)

    def __post_init__(self) -> None:
        self.problems = self.names.problems

    def refuse(self, parameter: str, value: str, message: str) -> RefusalError:
        """400 as X answers it."""
        return bad_request(self.problems, parameter, value, message)

    @property
    def page_token(self) -> tuple[str, str | None]:
        """The parameter that names a page, which a search knows under two names, and its value."""
        given = [one for one in ("pagination_token", "next_token") if one in self.query]
        if len(given) > 1:
            raise self.refuse(given[1], self.query[given[1]], "At most one of the two may be provided.")
        return (given[0], self.query[given[0]]) if given else ("pagination_token", None)

    def words(self, parameter: str, known: Collection[str]) -> frozenset[str]:
        """The values of a list, each of which must be known."""
        if parameter not in self.query:
            return frozenset()
        values = self.query[parameter].split(",")
        for value in values:
            if value not in known:
                message = f"The `{parameter}` query parameter value [{value}] is not one of {listed(known)}"
                raise self.refuse(parameter, self.query[parameter], message)
        return frozenset(values)

    def number(self, parameter: str) -> int | None:
        value = self.query.get(parameter)
        if value is None:
            return None
        if not NUMBER.fullmatch(value):
            message = f"The `{parameter}` query parameter value [{value}] does not match ^[0-9]{{1,19}}$"
            raise self.refuse(parameter, value, message)
        return int(value)

    def time_ms(self, parameter: str) -> int | None:
        value = self.query.get(parameter)
        if value is None:
            return None
        try:
            at = datetime.fromisoformat(value)
            if at.tzinfo is None:
                raise ValueError
        except ValueError:
            message = f"The `{parameter}` query parameter value [{value}] is not a valid RFC3339 time"
            raise self.refuse(parameter, value, message) from None
        return int(at.timestamp() * 1000)

    def size(self) -> int:
        assert self.endpoint.sizes is not None
        least, most, usual = self.endpoint.sizes
        value = self.query.get("max_results", str(usual))
        if not value.isdecimal() or not least <= int(value) <= most:
            message = f"The `max_results` query parameter value [{value}] is not between {least} and {most}"
            raise self.refuse("max_results", value, message)
        return int(value)


@dataclass
class Wanted:
    """What a request asked for, in the fake's own names: fields by kind (post, user, media, list, message)
    and expansions. What an expansion brings along is added here."""

    fields: dict[str, frozenset[str]]
    expansions: frozenset[str]

    def __post_init__(self) -> None:
        usual = {"post": "id text", "user": "id name username", "media": "media_key type"}
        usual |= {"list": "id name", "message": "id event_type text"}
        brought = {"entities.mentions.username": "entities", "entities.note.mentions.username": "note_post"}
        brought |= {"attachments.media_keys": "attachments"}
        known = set(self.expansions)
        if any(name.startswith("referenced_tweets.id.") for name in known):
            known.add("referenced_posts")
        self.expansions = frozenset(known)
        by_expansion = frozenset(brought.get(name, name) for name in known if "referenced_tweets" not in name)
        self.fields = {
            kind: self.fields.get(kind, frozenset()) | frozenset(names.split()) | by_expansion
            for kind, names in usual.items()
        }
