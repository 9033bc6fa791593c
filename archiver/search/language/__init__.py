"""The search language: what a person types, as a tree of words and filters. docs/search.md explains it."""

from archiver.search.language.fields import (
    ACTIONS,
    FIELDS,
    KINDS,
    MODERATION,
    POST_KINDS,
    VERBS,
    parse_action,
)
from archiver.search.language.mistakes import QueryMistake
from archiver.search.language.parse import parse_query
from archiver.search.language.query import Query
from archiver.search.language.writing import format_query

__all__ = [
    "ACTIONS",
    "FIELDS",
    "KINDS",
    "MODERATION",
    "POST_KINDS",
    "VERBS",
    "Query",
    "QueryMistake",
    "format_query",
    "parse_action",
    "parse_query",
]
