"""The rules by which an evidence pack is redacted, as a TOML file has them. `config/redaction.sample.toml`
explains each key.

What is too short to be told from anything else is refused here: it would be found in every file. So is what
the pack itself says, as `post`."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import regex

from archiver.disk import os_errors_reported
from archiver.errors import ConfigurationError
from archiver.evidence.model import REDACTED
from archiver.evidence.redaction.folding import fold, weight
from archiver.evidence.redaction.own_words import OWN_WORDS
from archiver.settings import SettingsError
from archiver.settings.table import Problem, Table

Kind = Literal["name", "handle", "person", "text", "pattern", "media", "record"]
KINDS: Final[tuple[Kind, ...]] = ("name", "handle", "person", "text", "pattern", "media", "record")
WHAT: Final = {
    "name": "person", "handle": "person", "person": "person", "text": "text", "pattern": "text",
    "media": "media", "record": "record",
}  # fmt: skip
"""What an exhibit says was taken out, by the rule's kind."""
LEAST_WEIGHT: Final = 3
"""Letters and digits that a name, handle or text has at least."""
LEAST_ID: Final = 4
"""Digits of a person's id: `9` is in every file."""
_MOST_TEXT: Final = 1000
_MOST_PATTERN: Final = 1000
_MOST_RULES: Final = 10_000
_MAXIMUM_BYTES: Final = 16 << 20
_HANDLE: Final = re.compile(r"[@＠]?[\w.-]{1,100}(@[\w.-]{1,250})?")
_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_PROBE_SECONDS: Final = 0.5
_PROBES: Final = ("1 " * 1000, "ab" * 1000 + "!", "x" * 1000 + "\n" + "-" * 1000)
_MOST_PROBED: Final = 20
"""Letters of a pattern, of each of which a long row is tried: what repeats within a repetition chokes on its
own letters. Time is limited later, too."""


@dataclass(frozen=True)
class Rule:
    """One rule, the first is number 1. `values`: names, or the one handle, id, text, pattern, hash or file
    name. `spans`: of a record, characters of its newest text, from and up to; none is the whole text."""

    number: int
    kind: Kind
    values: tuple[str, ...]
    reason: str
    loose: bool = False
    spans: tuple[tuple[int, int], ...] = ()

    @property
    def what(self) -> str:
        return WHAT[self.kind]

    def __str__(self) -> str:
        """Without the value: it is what nobody is to read."""
        return f"rule {self.number} ({self.kind})"


@dataclass(frozen=True)
class Rules:
    rules: tuple[Rule, ...]


def load_rules(path: Path) -> Rules:
    """Read and check a rule file. Raise SettingsError with everything that is wrong in it, ConfigurationError
    for a file that is not there or no TOML."""
    with os_errors_reported("reading", path):
        if not path.is_file():
            raise ConfigurationError(
                f"there is no rule file {path}", "begin with a copy of config/redaction.sample.toml"
            )
        with path.open("rb") as file:
            data = file.read(_MAXIMUM_BYTES + 1)
    if len(data) > _MAXIMUM_BYTES:
        raise ConfigurationError(f"{path} is larger than any rule file can be")
    return parse_rules(data, path)


def parse_rules(data: bytes, path: Path) -> Rules:
    """The rules in a file's bytes. Raise as `load_rules` does."""
    try:
        document: dict[str, object] = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: byte {error.start} is not UTF-8 text") from error
    except (ValueError, RecursionError) as error:
        hint = "a text needs quotes: key = \"value\"; a pattern single ones: pattern = '\\d{5}'"
        raise ConfigurationError(f"{path} is not TOML: {error}", hint) from error
    problems: list[Problem] = []
    table = Table(document, "", problems)
    tables = table.tables("rule")
    rules = tuple(_read(number, each, problems) for number, each in enumerate(tables[:_MOST_RULES], 1))
    if not tables:
        table.problem("rule", "there is no rule", "each begins with a line [[rule]]")
    if len(tables) > _MOST_RULES:
        table.problem("rule", f"there are {len(tables):,} rules where at most {_MOST_RULES:,} can be right")
    table.report_unknown()
    if problems:
        raise SettingsError(path, tuple(problems))
    return Rules(rules)


def _read(number: int, table: Table, problems: list[Problem]) -> Rule:
    reason = table.text("reason", hint='why it is taken out, as "section 40(2)"')
    found = [kind for kind in KINDS if table.has(kind)]
    if table.has("names"):
        found.append("name")
    loose = table.boolean("loose", False)
    spans = table.pairs("spans", "characters of the newest text, from 0: [[0, 12], [30, 41]]")
    if len(found) != 1:
        table.problem(
            "rule" if not found else found[1],
            "a rule says one thing to take out",
            f"one of: {', '.join(KINDS)}",
        )
        return Rule(number, "text", (), reason)
    (kind,) = found
    if loose and kind != "text":
        table.problem("loose", "only a rule with a text has this")
    if spans and kind != "record":
        table.problem("spans", "only a rule with a record has this")
    before = len(problems)
    values = _values(table, kind)
    if len(problems) == before:
        for value in values:
            _check(table, kind, value)
    return Rule(number, kind, values, reason, loose, spans)


def _values(table: Table, kind: Kind) -> tuple[str, ...]:
    if kind == "name" and table.has("names"):
        return table.texts("names", (), hint="a list of names")
    if kind in ("person", "record"):
        return (table.text(kind, pattern=_ID, hint="the platform's own id, in quotes"),)
    if kind == "handle":
        return (table.text(kind, pattern=_HANDLE, hint="with or without @").lstrip("@＠"),)
    return (table.text(kind),)


def _check(table: Table, kind: Kind, value: str) -> None:
    """Note what is wrong with a value, as far as that can be told without the pack."""
    key = "names" if kind == "name" and table.has("names") else kind
    if kind == "pattern":
        _check_pattern(table, value)
    elif kind == "person" and len(value) < LEAST_ID:
        table.problem(
            key, f"an id of fewer than {LEAST_ID} characters is in every file", "use handle and name"
        )
    elif kind in ("name", "handle", "text"):
        folded = " ".join(fold(value).split())
        if weight(folded) < LEAST_WEIGHT:
            table.problem(
                key,
                f"fewer than {LEAST_WEIGHT} letters or digits would be found in every file",
                "give more of it; or name the records that it is in, with their spans",
            )
        elif folded in OWN_WORDS or (kind == "text" and any(folded in one for one in OWN_WORDS)):
            table.problem(key, "this is a word of the pack itself, which is in every file", "give more of it")
        elif fold(REDACTED).find(folded) >= 0:
            table.problem(key, f"this is a part of {REDACTED}, which stands for what was taken out")
        elif len(value) > _MOST_TEXT:
            table.problem(key, f"more than {_MOST_TEXT:,} characters", "name the record, with its spans")


def _check_pattern(table: Table, pattern: str) -> None:
    if len(pattern) > _MOST_PATTERN:
        table.problem("pattern", f"more than {_MOST_PATTERN:,} characters")
        return
    try:
        compiled = compile_pattern(pattern)
        if compiled.search("", timeout=_PROBE_SECONDS) is not None:
            table.problem("pattern", "this matches where there is nothing", "it would match everywhere")
        letters = dict.fromkeys(one for one in pattern if one.isalnum())
        for probe in (*_PROBES, *(one * 300 + "\t" for one in list(letters)[:_MOST_PROBED])):
            compiled.search(probe, timeout=_PROBE_SECONDS)
    except (regex.error, OverflowError, RecursionError, MemoryError, ValueError) as error:
        table.problem(
            "pattern", f"this is no regular expression: {error}", "as Python's module regex has them"
        )
    except TimeoutError:
        table.problem(
            "pattern", "this takes for ever on some texts", "no repetition within a repetition, as (a+)+"
        )


def compile_pattern(pattern: str) -> "regex.Pattern[str]":
    """As it is searched for. Raise regex.error for what is none."""
    return regex.compile(pattern, regex.VERSION0)
