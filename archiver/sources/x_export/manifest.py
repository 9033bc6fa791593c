"""manifest.js: what X says is in the export. It drives the import, and every count is held against it."""

from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from archiver.errors import SourceError
from archiver.sources.x.lenient import decode_leniently
from archiver.sources.x.times import parse_time
from archiver.sources.x_export.layouts import FileKind, kind_of_file

S = TypeVar("S", bound=Struct)
HINT: Final = "Download the export from X again, and give archiver the ZIP file as it came."


class UserInfo(Struct, frozen=True):
    account_id: str | int | None = msgspec.field(name="accountId", default=None)
    handle: str | None = msgspec.field(name="userName", default=None)
    name: str | None = msgspec.field(name="displayName", default=None)


class ArchiveInfo(Struct, frozen=True):
    generated: str | None = msgspec.field(name="generationDate", default=None)
    partial: bool | str | None = msgspec.field(name="isPartialArchive", default=None)


class ManifestFile(Struct, frozen=True):
    file_name: str | None = msgspec.field(name="fileName", default=None)
    count: str | int | None = None


class DataType(Struct, frozen=True):
    files: list[ManifestFile] = []


class Manifest(Struct, frozen=True):
    """The parts of the manifest that are used."""

    user: UserInfo = msgspec.field(name="userInfo", default_factory=UserInfo)
    archive: ArchiveInfo = msgspec.field(name="archiveInfo", default_factory=ArchiveInfo)
    data_types: dict[str, DataType] = msgspec.field(name="dataTypes", default_factory=dict)

    @property
    def account_id(self) -> str | None:
        return None if self.user.account_id is None else str(self.user.account_id)

    @property
    def generated_ms(self) -> int | None:
        return parse_time(self.archive.generated)

    @property
    def partial(self) -> bool:
        return str(self.archive.partial).lower() == "true"

    def files(self) -> list["ListedFile"]:
        """The listed files that are on the allow-list. Others are not looked at, whatever type they claim."""
        found = []
        for data_type in self.data_types.values():
            for each in data_type.files:
                base_name = (each.file_name or "").rpartition("/")[2]
                known = kind_of_file(base_name)
                if known is not None:
                    found.append(ListedFile(base_name, known[0], known[1], _count(each.count)))
        return found


class ListedFile(Struct, frozen=True):
    """One file the manifest names: its kind, part number, and how many records it should have, if stated."""

    base_name: str
    kind: FileKind
    part: int
    count: int | None


def parse_manifest(shown: str, body: bytes) -> Manifest:
    """Given the whole of manifest.js, return what it says. Raise SourceError where it cannot be read."""
    return decode_assigned(shown, body, Manifest)


def decode_assigned(shown: str, body: bytes, kind: type[S]) -> S:
    """The object in `name = {…}`, as the export's single objects are written. `shown` names the file in
    errors."""
    _, equals, text = body.partition(b"=")
    if not equals:
        raise SourceError(f"{shown}: no assignment in it", HINT)
    piece = text.strip().rstrip(b";")
    try:
        return msgspec.json.decode(piece, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        try:
            return decode_leniently(piece, kind)[0]
        except SourceError as cause:
            raise SourceError(f"{shown}: cannot be read: {cause.message}", HINT) from cause


def _count(value: str | int | None) -> int | None:
    text = "" if value is None else str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
