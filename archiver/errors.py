"""The error tree: one sentence with what and where, a hint, an exit code each.

ArchiverError                 1   failed
├── UsageError                2   the command or its arguments
├── ConfigurationError        2   the settings file
├── IncompleteError           3   done, but something is missing
├── SourceError               1   an export or an answer that cannot be taken
├── NewerVersionError         1   what a later version of this program made
├── NoVaultError             10   no vault where one was looked for
├── LockedError              11   another run holds the lock
├── NoKeyError               12   no identity opens it
└── IntegrityError           20   sealed bytes are altered, missing or out of order
"""

from typing import Any, TypeVar


class ArchiverError(Exception):
    """What the command line prints as `archiver: error: …` and `archiver: hint: …`."""

    exit_code = 1
    archive: str | None = None
    """The archive in which something is wrong or which cannot be opened, where that is known."""
    ends_run = False
    """Whether nothing more can be done on this host before it is mended: its disk is full, or a file that it
    works with is damaged."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled by its fields, whatever a subclass is made with: a worker's error reaches its parent."""
        return _restore, (type(self), self.__dict__)


Failure = TypeVar("Failure", bound=ArchiverError)


def ending_run(error: Failure) -> Failure:
    """The error, as one that ends a whole run."""
    error.ends_run = True
    return error


def _restore(kind: type[ArchiverError], fields: dict[str, Any]) -> ArchiverError:
    error = kind.__new__(kind, fields["message"])
    error.__dict__.update(fields)
    return error


class UsageError(ArchiverError):
    exit_code = 2


class ConfigurationError(ArchiverError):
    exit_code = 2


class IncompleteError(ArchiverError):
    exit_code = 3


class SourceError(ArchiverError):
    pass


class StoreError(ArchiverError):
    pass


class NewerVersionError(ArchiverError):
    """What a later version made, in a format that this one does not know: neither damaged nor to be written
    to."""


class NoVaultError(ArchiverError):
    exit_code = 10


class LockedError(ArchiverError):
    exit_code = 11


class NoKeyError(ArchiverError):
    exit_code = 12


class IntegrityError(ArchiverError):
    exit_code = 20


def newer_version(what: str, found: str) -> NewerVersionError:
    """The error for what has `found`: a format, or a version of a database's tables."""
    return NewerVersionError(
        f"{what} was made by a newer version of this program: it has {found}",
        "update this program, then run the same command again; nothing was changed",
    )


def format_error(name: str, found: str, known: str) -> ArchiverError:
    """The error for a file that has another format than the one `known` here, as `archiver-manifest-1`:
    NewerVersionError where it is the same with a higher number, else IntegrityError."""
    family, _, number = known.rpartition("-")
    other, _, higher = found.rpartition("-")
    is_number = higher.isascii() and higher.isdecimal() and len(higher) < 10
    if other == family and is_number and int(higher) > int(number):
        return newer_version(name, f"the format {found}")
    return IntegrityError(f"{name} has the format {found[:40]!r}", f"this version reads {known}")


def sentence_of(error: ArchiverError) -> str:
    """An error and what to do about it, on one line."""
    return f"{error.message} ({error.hint})" if error.hint else error.message


def excused(error: ArchiverError, *, required: bool) -> ArchiverError:
    """The error of a store as it counts: one that need not be there is only not complete. What is altered,
    what a newer version made and what no key opens fails anywhere."""
    if required or isinstance(error, IntegrityError | NewerVersionError | NoKeyError):
        return error
    return IncompleteError(error.message, error.hint)


def worse_code(one: int, other: int) -> int:
    """Of two exit codes the one that counts: that something is only incomplete is the least."""
    least = IncompleteError.exit_code
    return max({one, other} - {least}, default=0) or (least if least in (one, other) else 0)


def repair_hint(archive: str) -> str:
    """What to do about an altered or missing file of an archive. Where there is no other store, that command
    says how a copy of the vault becomes one."""
    return f"restore it from another store: archiver repair {archive}"


def parts_of(error: ArchiverError) -> tuple[str, str, str | None]:
    """An error as it crosses a pipe between processes: the nearest class of this tree, message, hint."""
    kind = next(each.__name__ for each in type(error).__mro__ if each.__module__ == __name__)
    return kind, error.message, error.hint


def error_of(parts: tuple[str, str, str | None]) -> ArchiverError:
    """The error again; one of a class this tree has not is an ArchiverError."""
    kind, message, hint = parts
    named = globals().get(kind)
    if isinstance(named, type) and issubclass(named, ArchiverError):
        return named(message, hint)
    return ArchiverError(message, hint)
