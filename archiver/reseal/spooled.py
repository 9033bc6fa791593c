"""Records that are not sealed yet, taken out of the spool: page by page, each as it is read.

Done under the collector's lock, before anything is sealed. A page that is cut keeps its number. What SQLite
would leave of the old page in its file is overwritten."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, TypeVar

from msgspec import Struct, field, structs

from archiver.cutting.edits import Edit, Edits
from archiver.cutting.needles import Needles
from archiver.cutting.scrubbing import Scrubber, Span
from archiver.errors import ArchiverError
from archiver.records import Message, Moderation, Post, Record, Relation
from archiver.reseal.names import RecordName
from archiver.reseal.reduction import line_edit, reduced_entry, repeats_words
from archiver.reseal.survey import Wanted
from archiver.sources.base import Capture
from archiver.sources.moderation import KIND as MODERATION
from archiver.sources.moderation import decode_entry
from archiver.sources.parsers import parser_for
from archiver.spool import Page, PageInfo, PageSealer, Spool

Value = TypeVar("Value")
_REPOST: Final = re.compile(r"RT @\w+: ")


class SpooledReduction(Struct):
    """What the spool has of the records: how many rows of them, and what else holds something of one, in
    words; pages that change, as they become: None where nothing is left. `about`: the moderation records
    about one; `posts`: those that go, reposts of one too; `dropped`, `named`: files (account, name) that
    entries name no more, and that others do."""

    rows: int = 0
    about: set[str] = field(default_factory=set)
    posts: set[RecordName] = field(default_factory=set)
    quotes: list[str] = field(default_factory=list)
    pages: dict[int, tuple[PageInfo, Page] | None] = field(default_factory=dict)
    dropped: set[tuple[str, str]] = field(default_factory=set)
    named: set[tuple[str, str]] = field(default_factory=set)


def reduce_spool(spool: Spool, wanted: Wanted, needles: Needles) -> SpooledReduction:
    """Look through every page. Raise IntegrityError for a damaged one."""
    result, captures = SpooledReduction(), spool.captures()
    wanted = structs.replace(wanted, decisions=wanted.decisions | _decisions_about(spool, needles))
    for info in spool.pages():
        capture = captures[info.capture].capture
        _PageReducer(info, spool.read_page(info.id), capture, wanted, needles, result).run()
    return result


def _decisions_about(spool: Spool, needles: Needles) -> set[str]:
    """The moderation records about an item: what is added to one later need not name the item."""
    entries = (entry for info in spool.pages() if info.kind == MODERATION for entry in _entries(spool, info))
    return {entry.record_id for entry in entries if needles.is_id(entry.item_id)}


def _entries(spool: Spool, info: PageInfo) -> Iterator[Moderation]:
    page = spool.read_page(info.id)
    for start, length in zip(page.offsets(), page.lengths, strict=True):
        yield decode_entry(page.payload[start : start + length])


def erase_from_spool(
    spool: Spool, reduction: SpooledReduction, needles: Needles, pictures: Iterable[tuple[str, str]] = ()
) -> None:
    """Write the pages as they become, take the ids out of what else the spool says, and drop files (account,
    file name): all or nothing."""
    sealer = PageSealer(spool.identity.recipient())
    with spool.rewriting() as rewriter:
        for number, page in reduction.pages.items():
            if page is None:
                rewriter.drop_page(number)
            else:
                rewriter.replace_page(number, page[0], sealer.seal(page[1]))
        rewriter.reword(needles.taken_out)
        rewriter.forget_items(needles.ids)
        for account, file_name in pictures:
            rewriter.drop_media(account, file_name)
    spool.sweep_media()


class _PageReducer:
    """One page on its way."""

    def __init__(
        self,
        info: PageInfo,
        page: Page,
        capture: Capture,
        wanted: Wanted,
        needles: Needles,
        result: SpooledReduction,
    ) -> None:
        self._info = info
        self._page = page
        self._capture = capture
        self._wanted = wanted
        self._needles = needles
        self._result = result
        self._offsets = page.offsets()
        self._doomed = {number for number in range(len(page.ids)) if self._is_doomed(number)}
        self._joined = dict(page.joined)
        self._quoting: set[int] = set()

    def run(self) -> None:
        joined = [data for some in self._page.joined.values() for _, data in some]
        self._result.rows += len(self._doomed)
        self._find_repeating()
        if self._info.kind == "post":
            platform = self._page.platform
            self._result.posts |= {RecordName(platform, "post", self._page.ids[one]) for one in self._doomed}
        if (
            not self._doomed
            and self._info.kind != MODERATION
            and not any(map(self._needles.may_be_in, (self._page.payload, *joined)))
        ):
            return
        edits = Edits(self._edits())
        if edits or self._doomed or self._joined != self._page.joined:
            self._result.pages[self._info.id] = self._reduced(edits)

    def _is_doomed(self, number: int) -> bool:
        page = self._page
        own, first = page.ids[number], page.record_ids.get(number)
        if self._info.kind == "account":
            own = own.partition(":")[0]  # an export tells an account's facts apart by what they are
        for name in self._wanted.names:
            if name.platform != page.platform:
                continue
            ids = {name.id} | (self._needles.ids if name.kind == "post" else frozenset())
            if self._info.kind == name.kind and (own in ids or first in ids):
                return True
            if self._info.kind == "gone" and own in set(_gone_names(name.kind, ids)):
                return True
        return False

    def _find_repeating(self) -> None:
        """Records that are nothing but a repetition of one that is to go: reposts, likes of it. They go too
        where it is to go everywhere, as they do from an archive."""
        if self._info.kind not in ("post", "like"):
            return
        repeating = [
            number
            for number in range(len(self._page.ids))
            if number not in self._doomed and self._is_repeating(number)
        ]
        if self._wanted.everywhere:
            self._doomed.update(repeating)
        elif repeating:
            self._allowed(repeating)

    def _is_repeating(self, number: int) -> bool:
        data = b"".join(self._slices(number))
        if b"RT @" not in data and not self._needles.may_be_in(data):
            return False
        record = self._record(number)
        if isinstance(record, Relation):
            return self._needles.is_id(record.platform_id)
        if not isinstance(record, Post) or record.kind != "repost":
            return False
        begin = _REPOST.match(record.text)
        return self._needles.is_id(record.repost_of_id) or (
            begin is not None and repeats_words(record.text[begin.end() :], self._needles)
        )

    def _record(self, number: int) -> Record | None:
        """None where it cannot be parsed."""
        try:
            return parser_for(self._capture.source)(self._capture, self._info.kind, self._slices(number))
        except ArchiverError:
            return None

    def _slices(self, number: int) -> list[bytes]:
        """All bytes of a record, as a parser takes them."""
        own = [self._page.payload[start:end] for start, end in self._spans(number)]
        return own + [data for _, data in self._page.joined.get(number, ())]

    def _needles_for(self, number: int) -> Needles:
        """What to look for in a record's bytes: not the words that it says itself, as others did."""
        if self._info.kind not in ("post", "message", MODERATION):
            return self._needles
        same = _own_words(self._record(number)) & self._needles.texts
        return self._needles.without_texts(same) if same else self._needles

    def _spans(self, number: int) -> list[Span]:
        own = (self._offsets[number], self._page.lengths[number])
        return [(start, start + size) for start, size in (own, *self._page.within.get(number, ()))]

    def _edits(self) -> Iterator[Edit]:
        page = self._page
        kept = [number for number in range(len(page.ids)) if number not in self._doomed]
        of_kept = [span for number in kept for span in self._spans(number)]
        spans = {
            span
            for number in self._doomed
            for span in self._spans(number)
            if not any(span[0] < end and start < span[1] for start, end in of_kept)
        }
        if page.starts is not None:
            edits = Scrubber(spans, of_kept, self._needles).edits(page.payload)
            edits += [
                Edit(*one) for one in spans if not any(e.start <= one[0] and one[1] <= e.end for e in edits)
            ]
            for edit in edits:
                inside = [
                    number for number in kept if any(_touches(edit, one) for one in self._spans(number))
                ]
                holders = [number for number in inside if not self._says_the_same(number, edit)]
                if not inside or (self._allowed(holders) and holders):
                    yield edit
            return
        for start, end in spans:
            yield line_edit(page.payload, start, end)
        for number in kept:
            yield from self._kept_edits(number)

    def _kept_edits(self, number: int) -> Iterator[Edit]:
        (start, end), *_ = self._spans(number)
        data = self._page.payload[start:end]
        if self._info.kind == MODERATION and self._is_about(data):
            if self._wanted.entries:
                entry = reduced_entry(data)
                yield Edit(start, end, Edits(Scrubber((), (), self._needles).edits(entry)).apply(entry))
            return
        scrubber = Scrubber((), (), self._needles_for(number))
        # An object with the id of another kind's record is not that record.
        edits = [
            one for one in scrubber.edits(data, start) if (one.start, one.end) != (start, end) or one.new
        ]
        joined = [
            (capture, Edits(scrubber.edits(body)).apply(body))
            for capture, body in self._page.joined.get(number, ())
        ]
        changed = joined != self._page.joined.get(number, [])
        if (edits or changed) and self._allowed([number]):
            if changed:
                self._joined[number] = [one for one in joined if one[1]]
            yield from edits

    def _says_the_same(self, number: int, edit: Edit) -> bool:
        """Whether a place in a record is only the words that it says itself, as others did."""
        data = self._page.payload[edit.start : edit.end]
        if not edit.new or self._needles.id_in(data.decode("utf-8", "replace")):
            return False
        return not self._needles_for(number).in_bytes(data)

    def _is_about(self, data: bytes) -> bool:
        entry = decode_entry(data)
        is_about = entry.record_id in self._wanted.decisions
        files = {(entry.account, one.file_name) for one in entry.attachments}
        if is_about:
            self._result.about.add(entry.record_id)
        (self._result.dropped if is_about and self._wanted.entries else self._result.named).update(files)
        return is_about

    def _allowed(self, holders: Sequence[int]) -> bool:
        """Whether a change in these records that stay may be made; it is a quote of what goes."""
        for one in holders:
            if one not in self._quoting:
                self._quoting.add(one)
                self._result.quotes.append(f"{self._info.kind} {self._page.ids[one]} in the spool")
        return not holders or self._wanted.everywhere

    def _reduced(self, edits: Edits) -> tuple[PageInfo, Page] | None:
        page, left = self._page, [one for one in range(len(self._page.ids)) if one not in self._doomed]
        payload = edits.apply(page.payload)
        places = {number: edits.place(*self._spans(number)[0]) for number in left}
        if not left and (page.starts is None or not payload):
            return None
        within = {
            new: [place for span in self._spans(old)[1:] if (place := edits.place(*span)) is not None]
            for new, old in enumerate(left)
        }
        found = [places[number] or (0, 0) for number in left]
        reduced = structs.replace(
            page,
            ids=_chosen(page.ids, left),
            posted_ms=_chosen(page.posted_ms, left),
            versions=_chosen(page.versions, left),
            changes=_chosen(page.changes, left),
            digests=_chosen(page.digests, left),
            lengths=[length for _, length in found],
            record_ids={new: page.record_ids[old] for new, old in enumerate(left) if old in page.record_ids},
            joined={new: self._joined[old] for new, old in enumerate(left) if self._joined.get(old)},
            payload=payload,
            starts=None if page.starts is None else [start for start, _ in found],
            within={new: some for new, some in within.items() if some},
        )
        posted = reduced.posted_ms
        info = structs.replace(
            self._info,
            records=len(left),
            posted_from=posted[0] if posted and self._info.posted_from is not None else None,
            posted_to=posted[-1] if posted and self._info.posted_to is not None else None,
            plain_bytes=len(payload),
        )
        return info, reduced


def _own_words(record: Record | None) -> set[str]:
    """What a record says itself (`archiver.reseal.rows.OWN_WORDS`)."""
    texts = [record.text] if isinstance(record, Post | Message | Moderation) else []
    if isinstance(record, Post):
        described = [one.alt_text for one in record.media if one.alt_text]
        texts += [*described, "\n".join(described)]
    return {one.strip() for one in texts if one}


def _gone_names(kind: str, ids: Collection[str]) -> Iterator[str]:
    """What items are called that say that one of these is gone: a post may be named by its id alone, or by
    the series that it is known in."""
    yield from (f"{kind}:{one}" for one in ids)
    if kind == "post":
        yield from ids
        yield from (f"mention:{one}" for one in ids)


def _touches(edit: Edit, span: Span) -> bool:
    return edit.start < span[1] and span[0] < edit.end


def _chosen(column: Sequence[Value], left: Collection[int]) -> list[Value]:
    return [column[number] for number in left]
