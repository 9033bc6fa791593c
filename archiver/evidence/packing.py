"""Writing a pack: the data in the forms asked for, the files beside it, the lists, signature and time stamp."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from archiver.evidence.bag import BagInfo, write_bag
from archiver.evidence.contents import Contents, Stamp
from archiver.evidence.graph import render_graph
from archiver.evidence.model import Exhibit, Medium
from archiver.evidence.page import render_page
from archiver.evidence.paper import Fonts, render_paper
from archiver.evidence.sink import Sink
from archiver.evidence.tables import (
    render_csv,
    render_custody,
    render_jsonl,
    render_load_file,
    render_public_csv,
    render_texts,
)
from archiver.evidence.tag_files import (
    AUTHORITIES,
    SIGNATURE,
    SIGNED,
    TOKEN,
    chain_files,
    described,
    log_lines,
)
from archiver.evidence.texts import render_text

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Packed:
    """A finished pack: how many files and bytes, the SHA-512 of what is signed, the time stamp, and what has
    to be told: characters that no font has."""

    files: int
    bytes: int
    signed_sha512: str
    stamp: Stamp | None
    unprinted: tuple[str, ...] = ()
