"""What `archiver evidence export` is asked for, checked before anything is opened."""

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from archiver.cli.keys import parse_recipient_argument
from archiver.disk import TakenError
from archiver.errors import UsageError
from archiver.evidence.forms import FLAT, is_public, read_forms
from archiver.evidence.redaction import Rules, load_rules
from archiver.evidence.references import check_initials
from archiver.keyholders import Recipient
from archiver.search.language import Query, parse_query
from archiver.search.repeating.search_record import SearchRecord, load_search_record

_MOST_CHARACTERS = 500
_TYPST_HINT = "install it: pip install 'archiver[pdf]'; or leave pdf out of --format"


@dataclass(frozen=True)
class Options:
    """As typed, and read. One of `query`, `ids` and `record` is there. `forms` are in their own order."""

    query: Query | None
    ids: Path | None
    replay: Path | None
    record: SearchRecord | None
    case: str
    initials: str
    produced_by: str
    purpose: str | None
    recipient: str | None
    reason: str | None
    rules: Rules | None
    forms: tuple[str, ...]
    output: Path
    recipients: tuple[Recipient, ...]
    keep_going: bool
    restricted: bool
    store: str | None
    lacks_paper: bool
    """The PDF was wanted, as all forms are, and cannot be made here."""

    @property
    def is_flat(self) -> bool:
        return self.forms == (FLAT,)

    @property
    def is_public(self) -> bool:
        return is_public(self.forms)


def read_options(
    words: tuple[str, ...],
    *,
    ids: Path | None,
    replay: Path | None,
    exact: bool,
    case: str,
    exhibit: str,
    produced_by: str,
    purpose: str | None,
    recipient: str | None,
    reason: str | None,
    redact: Path | None,
    form: str | None,
    output: Path,
    encrypt_to: tuple[str, ...],
    keep_going: bool,
    restricted: bool,
    store: str | None,
) -> Options:
    """Raise UsageError for what does not go together or is malformed, TakenError where the output is there,
    and as reading rules and search records does."""
    given = [bool(words), ids is not None, replay is not None]
    if sum(given) != 1:
        raise UsageError(
            "give a query, or --ids FILE, or --replay RECORD" if not any(given) else
            "a query, --ids and --replay exclude each other",
            "see: archiver evidence export --help",
        )  # fmt: skip
    forms = _with_or_without_paper(read_forms(form), is_asked=form is not None)
    options = Options(
        query=parse_query(" ".join(words), exact=exact) if words else None,
        ids=ids,
        replay=replay,
        record=None if replay is None else load_search_record(replay),
        case=_text(case, "--case"),
        initials=check_initials(exhibit),
        produced_by=_text(produced_by, "--produced-by"),
        purpose=None if purpose is None else _text(purpose, "--purpose"),
        recipient=None if recipient is None else _text(recipient, "--recipient"),
        reason=reason,
        rules=None if redact is None else load_rules(redact),
        forms=forms,
        output=output,
        recipients=tuple(parse_recipient_argument(one) for one in encrypt_to),
        keep_going=keep_going,
        restricted=restricted,
        store=store,
        lacks_paper=form is None and "pdf" not in forms,
    )
    _check_output(options)
    return options


def _with_or_without_paper(forms: tuple[str, ...], *, is_asked: bool) -> tuple[str, ...]:
    """Without the PDF where it cannot be made and was not asked for by name."""
    if "pdf" not in forms or find_spec("typst") is not None:
        return forms
    if is_asked:
        raise UsageError("report.pdf cannot be made here: typst is not installed", _TYPST_HINT)
    return tuple(one for one in forms if one != "pdf")


def _text(value: str, name: str) -> str:
    """One line that says something."""
    text = " ".join(value.split())
    if not text or not text.isprintable() or len(text) > _MOST_CHARACTERS:
        raise UsageError(f"{name} needs a text of one line", f"up to {_MOST_CHARACTERS} characters")
    return text


def _check_output(options: Options) -> None:
    if os.path.lexists(options.output):
        raise TakenError(options.output)
    if not options.output.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {options.output.absolute().parent}", "make it first: mkdir")
    if options.is_flat and (options.recipients or options.rules):
        raise UsageError(
            "the flat form is one CSV file and is neither encrypted nor redacted",
            "leave --encrypt-to and --redact out, or export a pack",
        )
