"""Words that a pack says itself: the names of its fields and codes. A rule that is such a word would match in
every file, and take the meaning out of every exhibit."""

import inspect
import typing
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Final

from msgspec import Struct

from archiver import records
from archiver.evidence import model
from archiver.evidence.redaction.folding import fold

_MORE: Final = (
    "account", "archive", "archiver", "capture", "case", "chain", "custody", "evidence", "exhibit",
    "export", "hash", "https", "http", "json", "manifest", "message", "moderation", "page", "photo",
    "picture", "produced", "record", "redacted", "report", "screenshot", "sha256", "sha512", "signature",
    "status", "time", "user", "vault", "version", "video", "x_api", "x_export", "comparison", "manual",
    "api", "animated_gif", "sender", "recipient", "participant", "owner", "same", "removed", "added",
)  # fmt: skip


def _structs(module: ModuleType) -> Iterator[type[Struct]]:
    for _, one in inspect.getmembers(module, inspect.isclass):
        if issubclass(one, Struct) and one is not Struct:
            yield one


def _literals(hint: Any) -> Iterator[str]:
    """The codes that a field can hold."""
    if typing.get_origin(hint) is typing.Literal:
        yield from (one for one in typing.get_args(hint) if isinstance(one, str))
    else:
        for part in typing.get_args(hint):
            yield from _literals(part)


def codes() -> frozenset[str]:
    """Every code that some field of the records or of the model can hold."""
    found = {
        code
        for module in (records, model)
        for struct in _structs(module)
        for hint in typing.get_type_hints(struct).values()
        for code in _literals(hint)
    }
    kinds = {"message", "account", "moderation", *records.RELATION_KINDS}
    return frozenset(found | kinds)


def _names() -> Iterator[str]:
    for module in (records, model):
        for struct in _structs(module):
            for name in struct.__struct_fields__:
                yield name
                yield from name.split("_")


CODES: Final = codes()
OWN_WORDS: Final = frozenset(fold(one) for one in (*_names(), *CODES, *_MORE))
