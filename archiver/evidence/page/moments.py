"""Times as the page writes them: each in UTC and in UK time, and both labelled."""

from functools import lru_cache
from typing import NamedTuple

from archiver.evidence.page.html import Html
from archiver.times import format_time
from archiver.uk_time import format_uk_time


class Moment(NamedTuple):
    """`utc` as `2026-07-01 12:00:00 UTC`, `uk` as `2026-07-01 13:00:00 BST`, both as elements."""

    utc: Html
    uk: Html
    both: Html
    """For a line: one after the other."""


@lru_cache(maxsize=1024)
def moment(milliseconds: int) -> Moment:
    """A time in both. One that no calendar has is given by its number. One of UTC is exact to the
    millisecond in the element's attribute."""
    try:
        exact = format_time(milliseconds)
    except OverflowError:
        number = Html(f"{milliseconds} ms after 1970 began")
        return Moment(number, number, number)
    shown = f"{exact[:10]} {exact[11:19]} UTC"
    utc, uk = f'<time datetime="{exact}">{shown}</time>', format_uk_time(milliseconds)
    return Moment(Html(utc), Html(uk), Html(f'{utc} <span class="uk">(UK time {uk})</span>'))
