"""An export of X, in one ZIP file or several, as a source."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from archiver.errors import SourceError
from archiver.sources.base import Event
from archiver.sources.x_export.accounts import parse_account_body
from archiver.sources.x_export.cut import JsonReader
from archiver.sources.x_export.limits import Limits
from archiver.sources.x_export.media import open_member
from archiver.sources.x_export.part import DataFile, ExportPart, open_part
from archiver.sources.x_export.reading import Reading

_EXTENSIONS: Final = ("", ".jpg", ".png", ".jpeg", ".gif", ".mp4")
"""X's address of a header picture has no extension, its file has one."""


class XExport:
    """A checked, open export: whose it is, when X made it, its events and its media. Close it when done.

    Attributes as in `archiver.sources.base.Source`. Opening raises SourceError for anything that is not an
    honest export, before anything is yielded."""

    platform = "x"

    def __init__(self, parts: Sequence[ExportPart], limits: Limits) -> None:
        self._parts = parts
        self._limits = limits
        self.digest = _joint_digest(parts)
        self.account, self.handle, self.name = whose(parts)
        self.generated_ms = max(part.generated_ms for part in parts if part.layout is not None)
        self.partial = any(part.manifest.partial for part in parts if part.manifest is not None)
        self.data = _distinct(parts)

    @classmethod
    def open(cls, path: Path, *, limits: Limits | None = None) -> Self:
        """Open one ZIP file. Raise SourceError naming file, member and what is wrong."""
        limits = limits or Limits()
        part = open_part(path, limits, alone=True)
        return cls._of([part], limits)

    @classmethod
    def open_all(cls, paths: Sequence[Path], *, limits: Limits | None = None) -> Self:
        """Open the ZIP files of one split export, in any order, as one source."""
        if len(paths) == 1:
            return cls.open(paths[0], limits=limits)
        limits = limits or Limits()
        parts: list[ExportPart] = []
        try:
            for path in paths:
                parts.append(open_part(path, limits, alone=False))  # noqa: PERF401 - kept to be closed on failure
            if all(part.layout is None for part in parts):
                raise SourceError("none of these files holds the export's account or manifest")
        except BaseException:
            for part in parts:
                part.archive.close()
            raise
        return cls._of(parts, limits)

    @classmethod
    def _of(cls, parts: list[ExportPart], limits: Limits) -> Self:
        try:
            return cls(parts, limits)
        except BaseException:
            for part in parts:
                part.archive.close()
            raise

    def events(self) -> Iterator[Event]:
        """Read everything once, in bounded memory. Raise SourceError where a member turns out hostile."""
        return Reading(self, self._parts, self.data, self._limits).events()

    def open_media(self, file_name: str) -> IO[bytes] | None:
        """The file a record's media names, inflated while it is read; None where the export has none."""
        for extension in _EXTENSIONS:
            for part in self._parts:
                member = part.media.get(file_name + extension)
                if member is not None:
                    return open_member(part.archive, member)
        return None

    def close(self) -> None:
        for part in self._parts:
            part.archive.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _joint_digest(parts: Sequence[ExportPart]) -> str:
    """One file's own SHA-256; of several the SHA-256 of theirs, sorted."""
    digests = sorted({part.archive.digest for part in parts})
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _distinct(parts: Sequence[ExportPart]) -> list[DataFile]:
    """The files to read; the same bytes in two parts are read once."""
    found: dict[tuple[str, int, int], DataFile] = {}
    for part in parts:
        for each in part.data:
            found.setdefault((each.path, each.member.crc, each.member.size), each)
    return list(found.values())


def whose(parts: Sequence[ExportPart]) -> tuple[str, str | None, str | None]:
    """Account id, handle and name. Raise SourceError where files disagree about whose export it is."""
    told: list[tuple[str, str, str | None, str | None]] = []
    for part in parts:
        name = part.archive.name
        if part.manifest is not None and part.manifest.account_id is not None:
            user = part.manifest.user
            told.append((f"{name}: manifest.js", part.manifest.account_id, user.handle, user.name))
        if part.user_details is not None and part.user_details.id is not None:
            details = part.user_details
            told.append((f"{name}: user_details.js", str(details.id), details.screen_name, details.full_name))
        told.extend(_account_files(part))
    if not told:
        raise SourceError(
            f"{parts[0].archive.name}: does not say whose account it is",
            "An export needs its manifest.js, account.js or user_details.js.",
        )
    first, account, handle, display_name = told[0]
    for where, other, other_handle, other_name in told[1:]:
        if other != account:
            raise SourceError(
                f"{where} is of account {other[:30]!r}, {first} of account {account[:30]!r}",
                "Import each account's export apart.",
            )
        handle, display_name = handle or other_handle, display_name or other_name
    if not (account.isascii() and account.isdigit() and len(account) <= 20):
        raise SourceError(f"{first}: {account[:30]!r} is no account id")
    return account, handle, display_name


def _account_files(part: ExportPart) -> Iterator[tuple[str, str, str | None, str | None]]:
    """What account.js says; a broken one says nothing here and is reported when it is read."""
    for each in part.data:
        if each.kind.stem != "account":
            continue
        try:
            reader = JsonReader(iter((part.read_small(each.member),)), each.member.size + 1)
            reader.skip_assignment()
            reader.expect("[")
            body = parse_account_body(reader.value())
        except SourceError:
            continue
        if body.account_id is not None:
            yield f"{part.archive.name}: {each.path}", body.account_id, body.username, body.display_name
