"""Pictures, videos and other files of a record: the picture where it can be shown, what is known of each."""

from collections.abc import Callable, Iterable, Iterator

from archiver.evidence.model import Exhibit, Medium
from archiver.evidence.paper.blocks import MOST_ALTERNATIVE, Block, Writer, size_in_words
from archiver.evidence.paper.characters import plain
from archiver.evidence.paper.fonts import Fonts
from archiver.evidence.paper.pictures import MOST_BYTES, UnreadablePictureError, Wrapped
from archiver.evidence.paper.typesetting import prepare_picture


def show_medium(medium: Medium, writer: Writer) -> Iterator[Block]:
    """A picture where it can be shown; of every file its name, size and hash, and what describes it."""
    name = medium.file_name or medium.url or "without a name"
    shown = writer.pictures.get(medium.path or "")
    if shown is not None:
        alternative = medium.alt_text or f"{medium.media_type} {name}, without a description"
        key, wrapped = shown
        yield ["picture", key, plain(alternative[:MOST_ALTERNATIVE]), wrapped.width, wrapped.height]
    yield from writer.fields(
        (medium.media_type.replace("_", " ").capitalize()[:24] or "File", name),
        ("Described as", medium.alt_text or ("nothing" if medium.path else None)),
        ("Not in the pack", medium.missing),
        ("Not shown", writer.broken.get(medium.path or "")),
        ("Address", medium.url if medium.url != name else None),
        ("Size", size_in_words(medium.size)),
        ("SHA-256", medium.sha256),
        ("In the pack", medium.path),
    )


def media_of(exhibit: Exhibit) -> Iterator[Medium]:
    """Every file that the report names for an exhibit."""
    for version in exhibit.versions:
        yield from version.media
    for note in exhibit.moderation:
        yield from note.media


def is_picture(medium: Medium) -> bool:
    """Whether it is in the pack and may be shown."""
    return medium.path is not None and medium.mime_type.startswith("image/")


class Shelf:
    """The pictures of a volume, each read once: those that can be shown, and why others cannot."""

    def __init__(self) -> None:
        self.pictures: dict[str, tuple[str, Wrapped]] = {}
        self.broken: dict[str, str] = {}

    def fill(self, exhibits: Iterable[Exhibit], read_medium: Callable[[Medium], bytes], fonts: Fonts) -> None:
        """Read and try the pictures of some exhibits. Raise what reading raises."""
        for exhibit in exhibits:
            for medium in filter(is_picture, media_of(exhibit)):
                path = medium.path or ""
                if path in self.pictures or path in self.broken:
                    continue
                try:
                    if (medium.size or 0) > MOST_BYTES:
                        raise UnreadablePictureError(f"the file is larger than {MOST_BYTES >> 20} MB")
                    wrapped = prepare_picture(read_medium(medium), fonts)
                    self.pictures[path] = (f"picture-{len(self.pictures)}", wrapped)
                except UnreadablePictureError as error:
                    self.broken[path] = str(error)
