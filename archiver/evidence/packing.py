"""Writing a pack: the data in the forms asked for, the files beside it, the lists, signature, time stamp."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import msgspec

from archiver.evidence.bag import finish_bag, make_bag_info
from archiver.evidence.contents import Contents, Stamp
from archiver.evidence.graph import render_graph
from archiver.evidence.model import Exhibit, Medium
from archiver.evidence.page import render_page
from archiver.evidence.redacting import Watch
from archiver.evidence.rendering import Forms, Rendering
from archiver.evidence.sink import FolderSink, Sink, SinkFile
from archiver.evidence.tables import csv_records, custody, json_records, load_file, text_files
from archiver.evidence.tables.custody_events import CustodyEvent
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

APART_FROM = 1_000
"""Exhibits from which on a process of its own makes the page and tables: it costs some 20 ms."""
CAPTURES = "data/captures/captures.jsonl"
"""How all bytes were got, a capture a line."""
Progress = Callable[[str, int, int], None]
RenderPaper = Callable[[Sequence[Exhibit], Callable[[Medium], bytes]], Iterable[tuple[str, bytes]]]
"""Gives the printable report's files, by name, of exhibits."""


@dataclass(frozen=True)
class Packed:
    """A finished pack: its files and bytes, the hashes of what is signed, the time stamp."""

    files: int
    bytes: int
    signed_sha512: str
    signed_sha256: str
    stamp: Stamp | None


class Packer:
    """Writes one pack into a sink. `render_paper` is None where no PDF is asked for. Raise as the sink, the
    vault and what makes the forms do; then the sink is to be given up. `watch` is shown every file as it is
    written. `may_fork`: whether a child process may make a part of it."""

    def __init__(
        self,
        sink: Sink,
        contents: Contents,
        *,
        render_paper: RenderPaper | None = None,
        events: dict[str, list[CustodyEvent]] | None = None,
        watch: Watch | None = None,
        may_fork: bool = False,
        progress: Progress = lambda what, done, total: None,
    ) -> None:
        self._sink = sink
        self._contents = contents
        self._production = contents.production
        self._exhibits = [one.exhibit for one in contents.records]
        self._render_paper = render_paper
        self._events = events
        self._watch = watch
        self._may_fork = may_fork and watch is None
        self._progress = progress

    def write(self) -> Packed:
        """Write all of it."""
        forms = set(self._contents.forms)
        with ExitStack() as beside:
            self._make_beside(beside, self._forms_of_records(forms))
            self._write_bytes()
            self._make_beside(beside, self._graph(forms))
            if "load" in forms:
                for path, text in text_files(self._production, self._exhibits):
                    self._put(path, text)
            self._write_paper()
            if not self._production.public:
                self._write_custody()
            self._progress("making the page and tables", 0, 1)
        if not self._production.public:
            self._write_tags()
        self._write_texts()
        info = make_bag_info(self._production, self._sink.files)
        manifests = finish_bag(self._sink.files, self._put, info)
        stamp = self._sign(manifests[SIGNED])
        return Packed(
            files=len(self._sink.files),
            bytes=sum(file.size for file in self._sink.files.values()),
            signed_sha512=hashlib.sha512(manifests[SIGNED]).hexdigest(),
            signed_sha256=hashlib.sha256(manifests[SIGNED]).hexdigest(),
            stamp=stamp,
        )

    # data/

    def _write_bytes(self) -> None:
        """What the platform sent, whatever it looks like."""
        contents, records = self._contents, self._contents.records
        for number, record in enumerate(records):
            if number % 1_000 == 0:
                self._progress("records written", number, len(records))
            for path, body in record.bodies.items():
                self._put(path, body)
        self._write_captures()
        for number, (path, place) in enumerate(contents.media.items()):
            self._progress("pictures and videos written", number, len(contents.media))
            self._put_all(path, contents.vaulted.media(place), size=place.size)

    def _write_captures(self) -> None:
        contents = self._contents
        if "captures" not in contents.forms:
            return
        encode = msgspec.json.Encoder().encode
        self._put_all(CAPTURES, (encode(one) + b"\n" for one in contents.captures))
        for path, answer in contents.answers.items():
            self._put(path, contents.vaulted.answer(answer))
        bodies = {path: body for record in contents.records for path, body in record.bodies.items()}
        for path, slices in contents.slices.items():
            self._put_all(path, (bodies[one] + b"\n" for one in slices))

    def _forms_of_records(self, forms: set[str]) -> Forms:
        """What needs nothing but the exhibits."""
        production, exhibits = self._production, self._exhibits
        makers: dict[str, tuple[str, Callable[[], Iterable[bytes]]]] = {
            "html": ("data/report.html", lambda: render_page(production, exhibits, self._read_medium)),
            "csv": ("data/records.csv", lambda: csv_records(production, exhibits)),
            "jsonl": ("data/records.jsonl", lambda: json_records(production, exhibits)),
            "load": ("data/records.dat", lambda: load_file(production, exhibits)),
        }
        return [maker for form, maker in makers.items() if form in forms]

    def _graph(self, forms: set[str]) -> Forms:
        """What needs the files that exhibits name as well."""
        if "case" not in forms or self._production.public:
            return []
        return [
            ("case.jsonld", lambda: render_graph(self._production, self._exhibits, self._sink.files)),
        ]

    def _make_beside(self, beside: ExitStack, forms: Forms) -> None:
        """Have them made, in a process of their own where that is worth it, until `beside` ends well."""
        sink = self._sink
        if not forms:
            return
        if not self._may_fork or len(self._exhibits) < APART_FROM or not isinstance(sink, FolderSink):
            for path, make in forms:
                self._put_all(path, make())
            return
        rendering = Rendering(sink, forms)

        def end(kind: type[BaseException] | None, *_: object) -> None:
            if kind is None:
                rendering.finish()
            else:
                rendering.give_up()

        beside.push(end)

    def _write_paper(self) -> None:
        if self._render_paper is not None:
            self._progress("setting the pages to print", 0, 1)
            for name, data in self._render_paper(self._exhibits, self._read_medium):
                self._put(f"data/{name}", data)

    def _read_medium(self, medium: Medium) -> bytes:
        place = self._contents.media.get(medium.path or "")
        return b"" if place is None else b"".join(self._contents.vaulted.media(place))

    # Beside it

    def _write_custody(self) -> None:
        token = TOKEN if self._contents.authorities else ""
        rows = custody(self._production, self._exhibits, self._sink.files, self._events, timestamp=token)
        self._put_all("custody.csv", rows)

    def _write_tags(self) -> None:
        contents = self._contents
        self._put("search-record.json", contents.search_record)
        self._put_all("log-extract.jsonl", log_lines(contents.log))
        for path, data in chain_files(contents.chain, contents.vault_signers):
            self._put(path, data)
        self._put_text("statement-DRAFT.txt")
        self._put_text("VERIFY.md")

    def _write_texts(self) -> None:
        if self._contents.authorities:
            self._put(AUTHORITIES, b"".join(self._contents.authorities))
        self._put("allowed_signers", self._contents.pack_signers)
        name = "README-public.txt" if self._production.public else "README.txt"
        self._put_text(name, "README.txt")

    def _put_text(self, name: str, path: str | None = None) -> None:
        contents = self._contents
        text = render_text(
            name,
            self._production,
            contents=described(self._sink.files, contents),
            is_stamped=bool(contents.authorities),
            has_log=bool(contents.log),
            is_query=contents.is_query,
        )
        self._put(path or name, text)

    def _sign(self, signed: bytes) -> Stamp | None:
        """The signature, and the time stamp where one is to be had."""
        self._put(SIGNATURE, self._contents.sign(signed))
        stamp = self._contents.stamp(signed)
        if stamp is not None:
            self._put(TOKEN, stamp.token)
        return stamp

    # Into the sink

    def _put(self, path: str, data: bytes) -> None:
        self._put_all(path, [data], len(data))

    def _put_all(self, path: str, pieces: Iterable[bytes], size: int | None = None) -> None:
        with self._sink.open(path, size=size) as file:
            if self._watch is None:
                for piece in pieces:
                    file.write(piece)
            else:
                self._watch(path, _written(pieces, file))


def _written(pieces: Iterable[bytes], file: SinkFile) -> Iterator[bytes]:
    """The pieces, each written before it is given."""
    for piece in pieces:
        file.write(piece)
        yield piece
