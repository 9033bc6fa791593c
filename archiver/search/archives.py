"""In which archives a query finds anything: in any version of a record, by whichever way it came.

What a search shows is each record once; what is held is every archive that has something of it.
"""

from collections.abc import Iterable

from archiver.search.hit import SPOOL
from archiver.search.moderation import HeldRecord
from archiver.search.question import Question
from archiver.search.segments import Segments
from archiver.search.sql.statement import keys_statement


def archives_of_rows(segments: Segments, question: Question) -> set[str]:
    """The archives in which a row matches; of each no more segments are asked than until one does."""
    found: set[str] = set()
    for segment, _, _ in question.in_order():
        if segment.archive.name in found:
            continue
        for table in question.tables(segment):
            if segments.rows(segment, *keys_statement(question.asked(segment, table), fetch=1)):
                found.add(segment.archive.name)
                break
    return found


def archives_of_entries(records: Iterable[HeldRecord]) -> set[str]:
    """The archives that hold an entry of these moderation records, and `SPOOL` for what none holds yet."""
    return {one.archive or SPOOL for held in records for one in held.held}
