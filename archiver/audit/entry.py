"""What was done: an entry of the log before it is encrypted.

Two for each act: one that it begins, written before anything is opened, and one that it has ended, with what
came of it. Never the data. An act without an end was cut off.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

import msgspec
from msgspec import Struct

from archiver.chain import encode_document, parse_document
from archiver.errors import IntegrityError

Verb = Literal[
    "collect",
    "import",
    "seal",
    "search",
    "show",
    "export",
    "disclose",
    "restore",
    "verify",
    "alter",
    "erase",
    "hold",
    "release",
    "restrict",
    "key",
    "config",
    "login",
]
VERBS: tuple[str, ...] = get_args(Verb)
Phase = Literal["begin", "end"]
DONE: Final = "done"
MOST_CHARACTERS = 20_000
"""Of one text; what is longer is cut, which `…` says."""
MOST_IDS = 1_000
"""That are named; of more, `detail` has the number."""
MOST_ID_CHARACTERS = 200


@dataclass(frozen=True)
class Actor:
    """Who acts: the keyholder's name, or None on a host that collects; the account of the operating system
    and the host; the program and its configuration's hash."""

    keyholder: str | None
    system_account: str
    host: str
    tool: str
    configuration: str


@dataclass(frozen=True)
class Asked:
    """What is to be done: the verb of the law's list, the command as typed without its arguments, and what it
    is asked of; why, for which case, and who gets what comes of it."""

    verb: Verb
    command: str
    query: str | None = None
    ids: Sequence[str] = ()
    case: str | None = None
    reason: str | None = None
    to: str | None = None
    detail: Mapping[str, object] = field(default_factory=dict)


class Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry. `nonce` is random, so that the hash of an entry, which everybody can read, confirms no guess
    at it; `of` the number of the beginning that an end belongs to."""

    nonce: str
    sequence: int
    at: str
    phase: Phase
    verb: Verb
    command: str
    system_account: str
    host: str
    tool: str
    configuration: str
    of: int | None = None
    keyholder: str | None = None
    query: str | None = None
    ids: list[str] = []
    case: str | None = None
    reason: str | None = None
    to: str | None = None
    results: int | None = None
    outcome: str | None = None
    detail: dict[str, Any] = {}


def encode_entry(entry: Entry) -> bytes:
    """The bytes that are encrypted, and whose hash the link has."""
    return encode_document(msgspec.to_builtins(entry))


def parse_entry(data: bytes, name: str) -> Entry:
    """An entry's fields; raise IntegrityError, naming it, for anything else."""
    try:
        return msgspec.convert(parse_document(data, name), Entry)
    except msgspec.ValidationError as error:
        raise IntegrityError(f"{name} is no entry of the log: {error}") from error


def make_entry(
    asked: Asked,
    actor: Actor,
    *,
    nonce: str,
    at: str,
    of: int | None = None,
    results: int | None = None,
    outcome: str | None = None,
) -> Entry:
    """The beginning of an act, or, with `of`, its end. Its number is given when it is written."""
    ids = [clean(one)[:MOST_ID_CHARACTERS] for one in asked.ids[:MOST_IDS]]
    more = {"ids": len(asked.ids)} if len(asked.ids) > MOST_IDS else {}
    return Entry(
        nonce=nonce,
        sequence=0,
        at=at,
        phase="begin" if of is None else "end",
        of=of,
        verb=asked.verb,
        command=asked.command,
        keyholder=actor.keyholder,
        system_account=clean(actor.system_account),
        host=clean(actor.host),
        tool=actor.tool,
        configuration=actor.configuration,
        query=_clean_or_none(asked.query),
        ids=ids,
        case=_clean_or_none(asked.case),
        reason=_clean_or_none(asked.reason),
        to=_clean_or_none(asked.to),
        results=results,
        outcome=outcome,
        detail={name: _clean_value(value) for name, value in {**asked.detail, **more}.items()},
    )


def clean(text: str) -> str:
    """The text as JSON can hold it, and not longer than an entry should be: an argument of a command may be
    any bytes."""
    whole = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return whole if len(whole) <= MOST_CHARACTERS else f"{whole[:MOST_CHARACTERS]}…"


def _clean_or_none(text: str | None) -> str | None:
    return None if text is None else clean(text)


def _clean_value(value: object) -> object:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list | tuple):
        return [_clean_value(one) for one in value[:MOST_IDS]]
    return value
