"""What a pack says of itself in plain text: README.txt, VERIFY.md, the draft of a statement."""

from collections.abc import Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from archiver.evidence.model import REDACTED, Production
from archiver.times import format_time
from archiver.uk_time import format_uk_time

_DOWN = str.maketrans({chr(code): " " for code in (*range(32), 127, 0x85, 0x2028, 0x2029)})


@cache
def _environment() -> Environment:
    return Environment(  # these are plain texts, and nothing reads them as HTML
        loader=PackageLoader("archiver.evidence", "texts"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        finalize=_one_line,
    )


def _one_line(value: object) -> object:
    """What somebody typed stays on its line: a case's reference cannot add a step to VERIFY.md."""
    return value.translate(_DOWN) if isinstance(value, str) else value


def render_text(
    name: str,
    production: Production,
    *,
    contents: Sequence[tuple[str, str]] = (),
    is_stamped: bool = False,
    has_log: bool = True,
    is_query: bool = True,
) -> bytes:
    """One of the texts of this folder, by its name without `.j2`. `contents`: paths and what each is;
    `is_stamped`: whether it gets a time stamp; `has_log`: whether it has an extract of the log."""
    template = _environment().get_template(f"{name}.j2")
    text = template.render(
        production=production,
        contents=contents,
        stamped=is_stamped,
        has_log=has_log,
        is_query=is_query,
        mark=REDACTED,
        made_utc=format_time(production.made_ms),
        made_uk=format_uk_time(production.made_ms),
    )
    return text.encode("utf-8", "replace")
