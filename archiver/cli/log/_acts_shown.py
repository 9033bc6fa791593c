"""An act of the log as one line, as fields of JSON and as a row."""

import json
from collections.abc import Iterator

import msgspec

from archiver.audit.entry import Entry
from archiver.audit.reading import LoggedAct, PlainEntry

COLUMNS = (
    "chain", "sequence", "at", "ended_at", "verb", "command", "keyholder", "system_account", "host", "tool",
    "configuration", "query", "ids", "case", "reason", "to", "results", "outcome", "detail", "link_sha256",
    "end_sequence", "end_link_sha256",
)  # fmt: skip
CUT_OFF = "no end: cut off, or under way"
_SHOWN_CHARACTERS = 200


def act_fields(act: LoggedAct) -> dict[str, object]:
    """All that is on record of an act; `outcome` None where it has no end."""
    begin, end = act.begin, act.end
    entry = act.first.entry
    last = None if end is None else end.entry
    fields: dict[str, object] = {
        "chain": act.chain,
        "sequence": _sequence(begin),
        "at": None if begin is None else entry.at,
        "ended_at": None if last is None else last.at,
        "to": (None if last is None else last.to) or entry.to,
        "results": None if last is None else last.results,
        "outcome": None if last is None else last.outcome,
        "ids": [*entry.ids, *([] if last is None or last is entry else last.ids)],
        "detail": {**entry.detail, **({} if last is None else last.detail)},
        "link_sha256": None if begin is None else begin.sealed.head.sha256,
        "end_sequence": _sequence(end),
        "end_link_sha256": None if end is None else end.sealed.head.sha256,
    }
    same = (
        "verb", "command", "keyholder", "system_account", "host", "tool", "configuration", "query", "case",
        "reason",
    )  # fmt: skip
    fields |= {name: getattr(entry, name) for name in same}
    return {name: fields[name] for name in COLUMNS}


def entries_in_words(number: int) -> str:
    """`1 entry`, `1,201 entries`."""
    return f"{number:,} {'entry' if number == 1 else 'entries'}"


def act_row(act: LoggedAct) -> list[str]:
    """The same as cells of a table."""
    return [_cell(value) for value in act_fields(act).values()]


def act_line(act: LoggedAct) -> str:
    """For a person: when, who, what, why, and what came of it."""
    entry = act.first.entry
    who = entry.keyholder or f"{entry.system_account} on {entry.host}"
    parts = [f"{entry.at[:19].replace('T', ' ')} UTC  {who}  {entry.verb}", _what(entry)]
    parts += [f"case {entry.case}"] if entry.case else []
    parts += [f"reason: {entry.reason}"] if entry.reason else []
    to = (act.end.entry.to if act.end else None) or entry.to
    parts += [f"to {to}"] if to else []
    return "  ".join([*(one for one in parts if one), _end(act)])


def _what(entry: Entry) -> str:
    command = "" if entry.command == entry.verb else f"({entry.command}) "
    what = entry.query or ", ".join(entry.ids[:5]) + (", …" if len(entry.ids) > 5 else "")
    shown = what if len(what) <= _SHOWN_CHARACTERS else f"{what[:_SHOWN_CHARACTERS]}…"
    return f"{command}{shown}".strip()


def _end(act: LoggedAct) -> str:
    if act.end is None:
        return f"[{CUT_OFF}]"
    end = act.end.entry
    results = "" if end.results is None else f", {end.results:,} result{'' if end.results == 1 else 's'}"
    return f"[{end.outcome}{results}]"


def _sequence(one: PlainEntry | None) -> int | None:
    return None if one is None else one.sealed.head.sequence


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return " ".join(value)
    if value == {}:
        return ""
    return json.dumps(msgspec.to_builtins(value), ensure_ascii=False)


def json_lines(acts: list[LoggedAct]) -> Iterator[bytes]:
    """A line of JSON for each act."""
    for act in acts:
        yield json.dumps(act_fields(act), ensure_ascii=False).encode("utf-8") + b"\n"
