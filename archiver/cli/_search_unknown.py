"""What a search asks for that nothing has, as something mistyped."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from archiver.cli._session import Session, one_line
from archiver.cli.moderation._reading import note_unknown_people
from archiver.search.catalogue import Form
from archiver.search.expansion import NAMED
from archiver.search.language import MODERATION, Query
from archiver.search.language.tree import Filter, Near, Or, Span, Words, leaves
from archiver.search.moderation import accounts_that_occur, reasons_that_occur
from archiver.search.moderation.index import folded
from archiver.search.run import Searcher
from archiver.vault import Archive

_OPERATORS = ("or", "and", "not", "near")


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
        _note_missing(session, "has the reason", asked["reason"], known, known, "none has any")
    if "account" in asked:
        occurring = accounts_that_occur(searcher.moderation())
        names = [name for one in occurring for name in one if name]
        listed = [f"@{handle} ({account})" if handle else account for account, handle in occurring]
        _note_missing(session, "is of the account", asked["account"], names, listed, "there are none")
    if "by" in asked:
        note_unknown_people(session, searcher.moderation(), asked["by"])


def _note_missing(
    session: Session, what: str, asked: Sequence[str], known: Sequence[str], listed: Sequence[str], none: str
) -> None:
    there = f"these occur: {', '.join(listed)}" if listed else none
    for one in dict.fromkeys(asked):
        if folded(one) not in map(folded, known):
            session.note(one_line(f"no moderation record {what} {one}; {there}"))


# Words


def suggestions(
    query: Query, searcher: Searcher, *, has_forms: Collection[str]
) -> Mapping[str, Sequence[Form]]:
    """By each word that no archive has those like it. Words without any are among them where all archives
    were asked for it: not words with digits, of which the rarest are in no catalogue; nor those that have
    other forms, which are named already."""
    found: dict[str, Sequence[Form]] = dict(searcher.suggest(query))
    if query.wants(MODERATION) or not is_all_catalogued(searcher):
        return found
    for leaf in leaves(query.root):
        for part in leaf.parts if isinstance(leaf, Near) else (leaf,):
            if isinstance(part, Words) and not part.prefix and not part.edits:
                for word in part.tokens:
                    is_known = searcher.catalogue.stem_of(word) is not None or word in has_forms
                    if not is_known and not any(map(str.isdigit, word)):
                        found.setdefault(word, ())
    return found


def is_all_catalogued(searcher: Searcher) -> bool:
    """Whether the catalogue knows all words and names of what was searched, the spool but for."""
    sealed = list(searcher.segments.sealed)
    covers = searcher.catalogue.covers
    return bool(sealed) and not searcher.unsearched and all(covers(s.archive.name, s.file) for s in sealed)


# Where nothing was found


def lines_of_nothing(
    query: Query, searcher: Searcher, archives: Sequence[Archive], *, all_names: bool
) -> Iterator[str]:
    """What may be why a search found nothing."""
    for leaf in leaves(query.root):
        if isinstance(leaf, Words) and _is_operator(leaf, query):
            word = leaf.tokens[0]
            yield f"{word} was looked for as a word; the operator is written in capitals: {word.upper()}"
    if query.wants(MODERATION):
        return
    asked = dict.fromkeys((one.field, one.value) for one in leaves(query.root) if isinstance(one, Filter))
    platforms = sorted({count.platform for one in archives for count in one.manifest.counts})
    for field, value in asked:
        if field == "platform" and platforms and value not in platforms:
            yield f"no archive is of the platform {value}; there are: {', '.join(platforms)}"
    if all_names and is_all_catalogued(searcher):
        for value in dict.fromkeys(str(value) for field, value in asked if field in NAMED):
            if not _is_known(searcher, value):
                yield f"no archive knows {value if value.isdigit() else f'@{value}'}"


def _is_operator(words: Words, query: Query) -> bool:
    """Whether it may have been meant as one."""
    is_alone = len(words.tokens) == 1 and not (words.prefix or words.edits)
    return is_alone and words.tokens[0] in _OPERATORS and (query.exact or not words.exact)


def _is_known(searcher: Searcher, value: str) -> bool:
    """Of whom no id is known, or no handle, the catalogue tells nothing: his records do."""
    names = searcher.catalogue.known_as(value)
    if names.ids or names.handles:
        return True
    anywhere = Or(tuple(Filter(field, value, Span(0, len(value))) for field in NAMED))
    return bool(searcher.search(Query(value, anywhere), limit=1).hits)
