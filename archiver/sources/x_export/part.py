"""One ZIP file of an export: where the export lies in it, of which generation it is, which files are to be
read."""

import re
from pathlib import Path
from typing import Final

from msgspec import Struct

from archiver.errors import SourceError
from archiver.sources.x.times import parse_time
from archiver.sources.x_export.accounts import UserDetails
from archiver.sources.x_export.layouts import MEDIA_FOLDERS, FileKind, Layout, kind_of_file, month_of_file
from archiver.sources.x_export.limits import Limits
from archiver.sources.x_export.manifest import Manifest, decode_assigned, parse_manifest
from archiver.sources.x_export.zip_file import Member, ZipArchive

_DATA_MARKERS: Final = (
    "data/manifest.js", "data/account.js", "data/tweets.js", "data/tweet.js", "data/js/user_details.js",
    "data/js/tweet_index.js", "data/js/payload_details.js",
)  # fmt: skip
_ROOT_MARKERS: Final = ("manifest.js", "account.js", "tweet.js", "tweets.csv")
_MARKER_NAMES: Final = {name.rpartition("/")[2] for name in _DATA_MARKERS + _ROOT_MARKERS}
_LATER_PART: Final = re.compile(
    r"(?:^|/)data/[a-z]+(?:-[a-z]+)*(?:-part[0-9]+)?\.js$|(?:^|/)data/[a-z_]+_media/"
)
_JUNK_FOLDER: Final = "__MACOSX/"
HINT_LAYOUT: Final = (
    "archiver reads X's data exports of 2012 and later. Give it the ZIP file as X delivered it,"
    " or report the layout."
)


class DataFile(Struct, frozen=True):
    """A file to be read. `path` is its place in the export, without the folder someone may have packed
    around."""

    part: "ExportPart"
    member: Member
    path: str
    kind: FileKind
    number: int

    @property
    def shown(self) -> str:
        return f"{self.part.archive.name}!{self.member.name}"


class ExportPart:
    """An opened ZIP. `data` and `months` are its files to read, `media` its media, `unread` the rest by
    name."""

    def __init__(self, archive: ZipArchive, limits: Limits, *, alone: bool) -> None:
        self.archive = archive
        self._limits = limits
        self.root, self.layout = self._locate(alone)
        self.media: dict[str, Member] = {}
        self.data: list[DataFile] = []
        self.months: dict[str, Member] = {}
        self.csv_files: dict[str, Member] = {}
        self.small: dict[str, Member] = {}
        self.unread: list[str] = []
        for member in archive.members.values():
            self._sort(member)
        self.manifest = self._read_manifest()
        self.user_details = self._read_user_details()

    def _locate(self, alone: bool) -> tuple[str, Layout | None]:
        """The folder everything lies in, and the generation. Raise SourceError where it is no export of X."""
        names = [name for name in self.archive.members if not name.startswith(_JUNK_FOLDER)]
        marked = [name for name in names if name.rpartition("/")[2] in _MARKER_NAMES]
        for markers in (_DATA_MARKERS, _ROOT_MARKERS):
            roots = {
                name.removesuffix(marker)
                for name in marked
                for marker in markers
                if name == marker or name.endswith(f"/{marker}")
            }
            if len(roots) > 1:
                folders = ", ".join(map(repr, sorted(roots)[:4]))
                raise SourceError(
                    f"{self.archive.name}: holds more than one export: in {folders}",
                    "Give archiver one ZIP file for each export.",
                )
            if roots:
                root = roots.pop()
                return root, self._generation(root, at_root=markers is _ROOT_MARKERS)
        months = {
            name
            for name in names
            if month_of_file(_from_data(name), "csv") or month_of_file(_from_data(name), "js")
        }
        if months:
            first = min(months)
            return first[: first.rindex("data/")], "x-grailbird"
        later = next((name for name in names if _LATER_PART.search(name)), None)
        if later is not None and not alone:
            return later[: later.rindex("data/")], None
        raise SourceError(f"{self.archive.name}: not an export of X in any known layout", HINT_LAYOUT)

    def _generation(self, root: str, *, at_root: bool) -> Layout:
        members = self.archive.members
        if f"{root}tweets.csv" in members or any(name.startswith(f"{root}data/js/") for name in members):
            return "x-grailbird"
        if at_root:
            return "x-2018"
        return "x-2020" if f"{root}data/tweet.js" in members else "x-2022"

    def _sort(self, member: Member) -> None:
        name = member.name
        if not name.startswith(self.root):
            self.unread.append(name)
            return
        path = name.removeprefix(self.root)
        folder, _, base_name = path.rpartition("/")
        known = kind_of_file(base_name)
        if folder.removeprefix("data/") in MEDIA_FOLDERS:
            self.media.setdefault(base_name, member)
        elif self.layout == "x-grailbird":
            self._sort_grailbird(path, member)
        elif known is not None and folder == ("" if self.layout == "x-2018" else "data"):
            self.data.append(DataFile(self, member, path, known[0], known[1]))
        elif path in ("data/manifest.js", "manifest.js"):
            self.small[path] = member
        else:
            self.unread.append(name)

    def _sort_grailbird(self, path: str, member: Member) -> None:
        if month := month_of_file(path, "js"):
            self.months[month] = member
        elif path == "tweets.csv" or month_of_file(path, "csv"):
            self.csv_files[path] = member
        elif path in ("data/js/user_details.js", "data/js/tweet_index.js", "data/js/payload_details.js"):
            self.small[path] = member
        else:
            self.unread.append(member.name)

    def read_small(self, member: Member) -> bytes:
        """The whole of a small file. Raise SourceError where it is large or broken."""
        if member.size > self._limits.small_file_bytes:
            raise SourceError(
                f"{self.archive.name}: {member.name}: {member.size:,} bytes,"
                f" the limit for this file is {self._limits.small_file_bytes:,}",
                HINT_LAYOUT,
            )
        return b"".join(self.archive.blocks(member))

    def _read_manifest(self) -> Manifest | None:
        member = self.small.get("data/manifest.js") or self.small.get("manifest.js")
        if member is None:
            return None
        return parse_manifest(f"{self.archive.name}: {member.name}", self.read_small(member))

    def _read_user_details(self) -> UserDetails | None:
        member = self.small.get("data/js/user_details.js")
        if member is None:
            return None
        return decode_assigned(f"{self.archive.name}: {member.name}", self.read_small(member), UserDetails)

    @property
    def generated_ms(self) -> int:
        """When X made it: by its manifest or payload_details.js, else the newest file's date in the ZIP."""
        stated = self.manifest.generated_ms if self.manifest is not None else self._payload_time()
        if stated is not None:
            return stated
        year, month, day, hour, minute, second = self.archive.newest
        text = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{min(second, 59):02}Z"
        return parse_time(text) or 0

    def _payload_time(self) -> int | None:
        member = self.small.get("data/js/payload_details.js")
        if member is None:
            return None
        return parse_time(
            decode_assigned(
                f"{self.archive.name}: {member.name}", self.read_small(member), _Payload
            ).created_at
        )


class _Payload(Struct, frozen=True):
    created_at: str | None = None


def _from_data(name: str) -> str:
    """The path from its last `data/` on, as months are named."""
    at = name.rfind("data/")
    return name[at:] if at >= 0 else name


def open_part(path: Path, limits: Limits, *, alone: bool) -> ExportPart:
    """Open one ZIP and look around in it; nothing is yielded or written. Raise SourceError."""
    archive = ZipArchive.open(path, limits)
    try:
        return ExportPart(archive, limits, alone=alone)
    except BaseException:
        archive.close()
        raise
