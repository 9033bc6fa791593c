"""One table of a settings file, read key by key; what is wrong is collected, never raised."""

import contextlib
import difflib
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from archiver.errors import ConfigurationError
from archiver.secrets import check_secret_reference

Value = TypeVar("Value")
_TYPE_NAMES = {str: "a text in quotes", int: "a whole number", dict: "a table", list: "a list of tables"}


@dataclass(frozen=True)
class Problem:
    """Something wrong in a settings file. `where` is the place, as `account[1].id`; the first is 1."""

    where: str
    what: str
    hint: str | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f" ({self.hint})" if self.hint else "")


class Table:
    """A TOML table. Each reader takes a key, notes what is wrong with it in `problems`, and then returns
    a stand-in of the right type, so that reading goes on and finds the rest."""

    def __init__(self, data: dict[str, object], where: str, problems: list[Problem]) -> None:
        self._data = data
        self._where = where
        self._problems = problems
        self._known: set[str] = set()
        self._tables: dict[str, list[Table]] = {}

    def problem(self, key: str, what: str, hint: str | None = None) -> None:
        where = f"{self._where}.{key}" if self._where else key
        self._problems.append(Problem(where, what, hint))

    def has(self, key: str) -> bool:
        self._known.add(key)
        return key in self._data

    def _take(self, key: str, kind: type[Value]) -> Value | None:
        """The value, or None where it is absent or of another type. TOML's booleans are no numbers."""
        self._known.add(key)
        value = self._data.get(key)
        if value is None:
            return None
        if not isinstance(value, kind) or isinstance(value, bool):
            self.problem(key, f"this must be {_TYPE_NAMES[kind]}")
            return None
        return value

    def text(
        self,
        key: str,
        default: str | None = None,
        *,
        pattern: re.Pattern[str] | None = None,
        hint: str | None = None,
    ) -> str:
        """A text that is not empty and matches. Required where there is no default."""
        value = self._take(key, str)
        if value is None:
            if key not in self._data and default is None:
                self.problem(key, "this is missing", hint)
            return default or ""
        if not value or "\0" in value or (pattern is not None and not pattern.fullmatch(value)):
            self.problem(key, f"{value!r} cannot be right", hint)
        return value

    def optional_text(
        self, key: str, *, pattern: re.Pattern[str] | None = None, hint: str | None = None
    ) -> str | None:
        self._known.add(key)
        return self.text(key, pattern=pattern, hint=hint) if key in self._data else None

    def choice(self, key: str, default: str | None, choices: tuple[str, ...]) -> str:
        value = self.text(key, default, hint=f"one of: {', '.join(choices)}")
        if value and value not in choices:
            self.problem(key, f"{value!r} is not known", f"one of: {', '.join(choices)}")
        return value

    def integer(self, key: str, default: int, least: int, most: int) -> int:
        value = self._take(key, int)
        if value is None:
            return default
        if not least <= value <= most:
            self.problem(key, f"{value} is outside {least} to {most}")
        return value

    def boolean(self, key: str, default: bool) -> bool:
        self._known.add(key)
        value = self._data.get(key, default)
        if not isinstance(value, bool):
            self.problem(key, "this must be true or false")
            return default
        return value

    def number(self, key: str, default: float, least: int, most: int) -> float:
        """A whole number or a fraction. TOML's nan lies in no range."""
        self._known.add(key)
        value = self._data.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.problem(key, "this must be a number")
            return default
        if not least <= value <= most:
            self.problem(key, f"{value} is outside {least} to {most}")
            return default
        return float(value)

    def day(self, key: str, default: str) -> str:
        """A day as 2026-08-22, in quotes or as TOML's own local date."""
        self._known.add(key)
        value = self._data.get(key, default)
        if type(value) is date:  # TOML's times are of a class below it
            return value.isoformat()
        with contextlib.suppress(ValueError):
            if isinstance(value, str) and date.fromisoformat(value).isoformat() == value:
                return value
        self.problem(key, "this must be a day", "year, month and day, as 2026-08-22")
        return default

    def texts(
        self,
        key: str,
        default: tuple[str, ...],
        *,
        pattern: re.Pattern[str] | None = None,
        hint: str | None = None,
        may_be_empty: bool = False,
    ) -> tuple[str, ...]:
        """A list of texts that match, none of them twice; at least one, unless it `may_be_empty`."""
        self._known.add(key)
        value = self._data.get(key)
        if value is None:
            return default
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.problem(key, "this must be a list of texts in quotes", hint)
            return default
        if not value and not may_be_empty:
            self.problem(key, "this names nothing", hint)
        for one in dict.fromkeys(value):
            if not one or "\0" in one or (pattern is not None and not pattern.fullmatch(one)):
                self.problem(key, f"{one!r} cannot be right", hint)
            if value.count(one) > 1:
                self.problem(key, f"{one!r} is given twice", "remove one of the two")
        return tuple(value)

    def pairs(self, key: str, hint: str) -> tuple[tuple[int, int], ...]:
        """A list of ranges `[from, up to]`, whole numbers from 0, none empty; none where it is absent."""
        self._known.add(key)
        value = self._data.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not value or not all(map(_is_range, value)):
            self.problem(key, "this must be a list of pairs of whole numbers, the second one larger", hint)
            return ()
        return tuple((first, second) for first, second in value)

    def path(self, key: str, default: str | None, home: Path, *, must_exist: bool = False) -> Path:
        """An absolute path. One that the file names (not the default) must be a file if `must_exist`."""
        text = self.text(key, default)
        if not text or "\0" in text:
            return home
        path = home / Path(text).expanduser()
        if must_exist and key in self._data and not path.is_file():
            self.problem(key, f"there is no file {path}", "a path is taken from the folder of the settings")
        return path

    def secret_reference(self, key: str, home: Path) -> str | None:
        """A reference to a secret; a relative file in it becomes absolute. What is there is never
        repeated in a problem: it may be the secret itself."""
        value = self._take(key, str)
        if value is None:
            return None
        try:
            return absolute_reference(value, home)
        except ConfigurationError as error:
            self.problem(key, error.message, error.hint)
            return None

    def secret_references(self, key: str, home: Path) -> tuple[str, ...]:
        """A list of such references, none twice; empty where it is absent or one of them is none."""
        references: list[str] = []
        for value in self.private_texts(key, "where each is kept: file:PATH, env:NAME, command:…"):
            try:
                references.append(absolute_reference(value, home))
            except ConfigurationError as error:
                self.problem(key, error.message, error.hint)
        if len(set(references)) < len(references):
            self.problem(key, "one of these is given twice", "remove one of the two")
        return tuple(references)

    def private_texts(self, key: str, hint: str) -> tuple[str, ...]:
        """A list of texts, none of which is repeated in a problem."""
        self._known.add(key)
        value = self._data.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
            self.problem(key, "this must be a list of texts in quotes", hint)
            return ()
        return tuple(value)

    def table(self, key: str) -> "Table":
        """A table below this one; an absent one is empty."""
        if key not in self._tables:
            self._tables[key] = [self._below(key, self._take(key, dict) or {})]
        return self._tables[key][0]

    def tables(self, key: str) -> "list[Table]":
        """The tables of `[[key]]`, in order."""
        below: list[Table] = []
        for number, item in enumerate(self._take(key, list) or [], start=1):
            if isinstance(item, dict):
                below.append(self._below(f"{key}[{number}]", item))
            else:
                self.problem(f"{key}[{number}]", f"this must be {_TYPE_NAMES[dict]}")
        self._tables[key] = below
        return below

    def _below(self, name: str, data: dict[str, object]) -> "Table":
        return Table(data, f"{self._where}.{name}" if self._where else name, self._problems)

    def known(self) -> set[str]:
        """Every key that was read, here and below, as `account.id`: tables without their numbers."""
        names = {key for key in self._known if key not in self._tables}
        for key, below in self._tables.items():
            names |= {f"{key}.{name}" for table in below for name in table.known()}
        return names

    def report_unknown(self) -> None:
        """Note every key, here and below, that nothing has read."""
        for key in self._data:
            if key not in self._known:
                close = difflib.get_close_matches(key, self._known, n=1)
                self.problem(key, "this is not a setting", f"did you mean {close[0]}?" if close else None)
        for below in self._tables.values():
            for table in below:
                table.report_unknown()


def absolute_reference(value: str, home: Path) -> str:
    """A reference to a secret, a relative file in it made absolute. Raise ConfigurationError, which does not
    repeat it, where it is none."""
    check_secret_reference(value)
    scheme, _, rest = value.partition(":")
    return f"file:{home / Path(rest).expanduser()}" if scheme == "file" else value


def _is_range(value: object) -> bool:
    if not isinstance(value, list) or len(value) != 2 or not all(type(one) is int for one in value):
        return False
    return bool(0 <= value[0] < value[1])
