"""What a search of moderation records asks for that none of them has, as something mistyped."""

from collections.abc import Sequence

from archiver.cli._session import Session, one_line
from archiver.cli.moderation._reading import note_unknown_people
from archiver.search.language import MODERATION, Query
from archiver.search.language.tree import Filter, leaves
from archiver.search.moderation import accounts_that_occur, reasons_that_occur
from archiver.search.moderation.index import folded
from archiver.search.run import Searcher


def note_unknown(session: Session, query: Query, searcher: Searcher) -> None:
    """Say which reasons, accounts and people there are where one was asked for that no record has."""
    if not query.wants(MODERATION):
        return
    asked: dict[str, list[str]] = {}
    for leaf in leaves(query.root):
        if isinstance(leaf, Filter):
            asked.setdefault(leaf.field, []).append(str(leaf.value))
    if "reason" in asked:
        known = reasons_that_occur(searcher.moderation())
        _note_missing(session, "has the reason", asked["reason"], known, known)
    if "account" in asked:
        occurring = accounts_that_occur(searcher.moderation())
        names = [name for one in occurring for name in one if name]
        listed = [f"@{handle} ({account})" if handle else account for account, handle in occurring]
        _note_missing(session, "is of the account", asked["account"], names, listed)
    if "by" in asked:
        note_unknown_people(session, searcher.moderation(), asked["by"])


def _note_missing(
    session: Session, what: str, asked: Sequence[str], known: Sequence[str], listed: Sequence[str]
) -> None:
    for one in dict.fromkeys(asked):
        if folded(one) not in map(folded, known):
            session.note(
                one_line(f"no moderation record {what} {one}; these occur: {', '.join(listed) or 'none'}")
            )
