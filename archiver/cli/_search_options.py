"""The options of `archiver search`, and which exclude each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

import click

from archiver.cli._acts import case_option, reason_option
from archiver.cli._restricted import restricted_option
from archiver.errors import UsageError
from archiver.search.counting import By
from archiver.search.sql.statement import Order

_ORDERS: tuple[str, ...] = get_args(Order)
_BYS: tuple[str, ...] = get_args(By)


@dataclass(frozen=True)
class Options:
    """As typed. `given`: the names of those that were, as `limit`."""

    order: Order
    limit: int
    after: str | None
    count: bool
    by: By | None
    context: int
    versions: bool
    ids: bool
    csv: bool
    exact: bool
    keep_going: bool
    store: str | None
    effort: bool
    no_spool: bool
    record: Path | None
    replay: Path | None
    restricted: bool
    reason: str | None
    case: str | None
    given: frozenset[str] = frozenset()


_FILE = click.Path(dir_okay=False, path_type=Path)
OPTIONS = (
    click.option("--order", type=click.Choice(_ORDERS), default="newest", show_default=True),
    click.option("--limit", type=click.IntRange(min=0), default=50, show_default=True, help="0 for all."),
    click.option("--after", metavar="CURSOR", help="Go on where an earlier page ended, which says how."),
    click.option("--count", is_flag=True, help="Only say how many there are."),
    click.option("--by", type=click.Choice(_BYS), help="Count them by month (in UK time), account …"),
    click.option(
        "--context", type=click.IntRange(0, 100), default=0, metavar="N",
        help="Also N records of its thread before and after each.",
    ),
    click.option("--versions", is_flag=True, help="Each version that matches by itself."),
    click.option("--ids", is_flag=True, help="Print the ids alone, one a line."),
    click.option("--csv", is_flag=True, help="Print one CSV file, formulas guarded."),
    click.option("--exact", is_flag=True, help="No other forms of words: assault is not assaulted."),
    click.option("--keep-going", is_flag=True, help="End in 3, not 20, where an archive is damaged."),
    click.option("--effort", is_flag=True, help="Say how much of the vault was read."),
    click.option("--no-spool", is_flag=True, help="Leave out what is not sealed yet."),
    click.option("--record", type=_FILE, metavar="FILE", help="Keep a record of this search in a new file."),
    click.option("--replay", type=_FILE, metavar="FILE", help="Repeat the search recorded there; no QUERY."),
    restricted_option,
    reason_option,
    case_option,
)  # fmt: skip


class SearchCommand(click.Command):
    """A command whose words may begin with a hyphen, as `-from:SpringfieldPD` does: no option of it has but
    one, and `-h` is help only where it stands alone."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        known = [name for parameter in self.get_params(ctx) for name in parameter.opts]
        for word in args[:end]:
            name = word.partition("=")[0]
            if name.startswith("--") and name not in known:
                raise click.NoSuchOption(name, possibilities=get_close_matches(name, known), ctx=ctx)
        words = ["--help" if word == "-h" else word for word in args[:end]]
        return super().parse_args(ctx, [*words, *args[end:]])


_COUNTED = ("count", "by")
_FORMS = ("ids", "csv", "json")
_EXCLUDING: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("ids",), ("json", "csv", "count", "by", "context")),
    (("csv",), ("json", "context")),
    (("count",), ("by",)),
    (_COUNTED, ("limit", "after", "order", "context", "record")),
    (("record",), ("after",)),
)
"""Each of the first with each of the second."""
_WITH_REPLAY = ("json", "store", "effort", "keep_going", "replay", "config", "restricted", "reason",
                "case")  # fmt: skip


def add_options(command: Any) -> Any:
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def read_options(context: click.Context, values: dict[str, Any], *, json: bool) -> Options:
    """Raise UsageError for options that exclude each other."""
    given = {
        name
        for name in values
        if context.get_parameter_source(name) not in (None, click.core.ParameterSource.DEFAULT)
    }
    given |= {"json"} if json else set()
    for some, others in _EXCLUDING:
        for one in some:
            for other in others:
                if {one, other} <= given:
                    raise UsageError(
                        f"{_named(one)} and {_named(other)} exclude each other", "give one of them"
                    )
    return Options(**values, given=frozenset(given))


def check_replay(options: Options, words: Sequence[str]) -> None:
    """Raise UsageError for what a recorded search has of its own."""
    if words:
        raise UsageError("--replay repeats the query that is recorded, and takes no other", "leave it out")
    others = sorted(options.given - set(_WITH_REPLAY))
    if others:
        raise UsageError(
            f"{_named(others[0])} is of the search that is recorded, and --replay repeats it as it was",
            f"leave {_named(others[0])} out",
        )


def _named(name: str) -> str:
    return "--" + name.replace("_", "-")
