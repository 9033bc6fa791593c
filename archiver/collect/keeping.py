"""One answer of an interface into the spool: what in it is new, its media, and the cursor behind it.

Where anything in an answer is new, the whole body is kept, byte for byte, and each record says where in it
it lies. Order: what is unchanged is noted in the state; then page, cursor and money go into the spool in
one transaction; then the state notes the page, from the spool itself should a kill come between.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from types import MappingProxyType

import msgspec
from msgspec import Struct

from archiver.collect.erased import ErasedFilter
from archiver.collect.pages import ROUTE, Decided, page_of, unread_page
from archiver.collect.report import NAMED_MISSING, KindReport
from archiver.progress import Step
from archiver.records import MediaReference
from archiver.sources.base import Capture, Item, Problem, Route, digest_of
from archiver.sources.x_api.media import MediaSource, NotFetchedError
from archiver.spool import NOT_WANTED, AnswerToKeep, MissingMedia, Page, PageInfo, PageSealer, Spool
from archiver.state import Seen, State, as_key, other_words, same_content
from archiver.times import Clock

OTHER_ROUTE: Route = "export"


class Origin(Struct, frozen=True):
    """What a walk's answers share: the number it is known by, and what it is called in lists of problems."""

    digest: str
    name: str


class Keeper:
    """The spool and the state, used by several threads, one of them for each account."""

    def __init__(
        self, spool: Spool, state: State, content_hash: Callable[[bytes], bytes], clock: Clock
    ) -> None:
        self.spool = spool
        self.state = state
        self.lock = threading.RLock()
        self.content_hash = content_hash
        self.clock = clock


class AccountKeeper:
    """Keeps the answers about one account. `media` is None where pictures are not wanted."""

    def __init__(self, keeper: Keeper, platform: str, account: str, media: MediaSource | None) -> None:
        self._keeper = keeper
        self._platform = platform
        self._account = account
        self._media = media
        self._sealer = PageSealer(keeper.spool.identity.recipient())
        self._erased = ErasedFilter(keeper.spool, keeper.state, platform)
        self._lock = keeper.lock
        self._series: dict[tuple[str, Route], int | None] = {}

    def keep(
        self,
        capture: Capture,
        body: bytes | None,
        items: Sequence[Item],
        origin: Origin,
        step: Step,
        report: KindReport,
        *,
        seen_ms: int,
        problems: Sequence[Problem] = (),
        context: Sequence[Problem] = (),
        remarks: Mapping[str, Problem] = MappingProxyType({}),
    ) -> None:
        """Keep one answer. `body` is None for what no platform sent: an observation of our own, whose items
        bring their bytes. `seen_ms`: as of when the records are known to be there. `context`: what an answer
        lacks around its records, kept with them if any is kept. `remarks`: by its id, what in a record was
        not understood, told when the record is kept."""
        conflicts: list[Problem] = []
        with self._lock:
            left = self._erased.cut(capture, body, items)
            capture, body, items = left.capture, left.body, left.items
            problems, context = left.reworded(problems), left.reworded(context)
            decided = self._decide(items, seen_ms, conflicts)
            wanted = [
                reference
                for one in decided
                for reference in one.item.media
                if self._media is not None and not self._is_held(reference.file_name)
            ]
            if wanted and step.spend is not None:
                # Fetching pictures may take minutes: a kill meanwhile costs the page, not the account of it.
                self._keeper.spool.save_spend(step.spend)
                step = msgspec.structs.replace(step, spend=None)
        missing = self._take_media(decided, report)
        mine = [*problems, *conflicts, *_told(remarks, decided)]
        pages = self._pages(decided, body, seen_ms)
        if mine and not pages and body is not None:
            pages = [unread_page(self._platform, self._account, seen_ms, body)]
        if body is None:
            body = pages[0][1].payload if pages else b""
        answer = AnswerToKeep(
            source_sha256=origin.digest,
            source_name=origin.name,
            capture=capture,
            taken_ms=self._keeper.clock(),
            body_size=len(body),
            body_sha256=sha256(body).hexdigest(),
            pages=[(info, self._sealer.seal(page)) for info, page in pages],
            missing=missing,
            problems=[*mine, *(context if pages else ())],
            step=step,
        )
        with self._lock:
            self._store(answer, pages, decided, seen_ms)
        for problem in mine:
            report.add_problem(problem)
        for one in decided:
            report.counts["gone" if one.item.kind == "gone" else one.change] += 1

    def save(self, step: Step) -> None:
        """Move a cursor behind which there is no new page."""
        with self._lock:
            self._keeper.spool.save_step(step)

    def _store(
        self,
        answer: AnswerToKeep,
        pages: Sequence[tuple[PageInfo, Page]],
        decided: Sequence[Decided],
        seen_ms: int,
    ) -> None:
        state = self._keeper.state
        unchanged: dict[str, list[int | str]] = {}
        for one in decided:
            if one.change == "unchanged":
                unchanged.setdefault(_series_of(one.item), []).append(as_key(one.item.id))
        if unchanged:
            with state.transaction():
                for name, keys in unchanged.items():
                    state.note_unchanged(self._own_series(name), seen_ms, keys)
        ids = self._keeper.spool.add_answer(answer)
        if ids:
            numbers = [self._own_series(page.series or info.kind) for info, page in pages]
            with state.transaction():
                for page_id, series, (info, page) in zip(ids, numbers, pages, strict=True):
                    state.note_page(page_id, series, page)
                    if info.kind == "gone":
                        state.note_gone_page(page)

    # What is new

    def _own_series(self, name: str) -> int:
        key = (name, ROUTE)
        found = self._series.get(key)
        if found is None:
            found = self._series[key] = self._keeper.state.series(self._platform, self._account, name, ROUTE)
        return found

    def _other_series(self, name: str) -> int | None:
        """The same records as exports brought them; None where they brought none."""
        key = (name, OTHER_ROUTE)
        if key not in self._series:
            self._series[key] = self._keeper.state.find_series(
                self._platform, self._account, name, OTHER_ROUTE
            )
        return self._series[key]

    def _decide(self, items: Sequence[Item], seen_ms: int, conflicts: list[Problem]) -> list[Decided]:
        by_series: dict[str, list[Item]] = {}
        for item in items:
            by_series.setdefault(_series_of(item), []).append(item)
        return [
            one
            for name, some in by_series.items()
            for one in self._decide_series(name, some, seen_ms, conflicts)
        ]

    def _decide_series(
        self, name: str, items: Sequence[Item], seen_ms: int, conflicts: list[Problem]
    ) -> list[Decided]:
        series, other = self._own_series(name), self._other_series(name)
        keys = [as_key(item.id) for item in items]
        known = self._keeper.state.find_seen(series, keys)
        elsewhere = {} if other is None else self._keeper.state.find_seen(other, keys)
        edits: dict[str, int] = {}
        decided = []
        for item, key in zip(items, keys, strict=True):
            digest = digest_of(item, self._keeper.content_hash)
            change = self._change(item, known.get(key), elsewhere.get(key), digest, seen_ms, conflicts)
            version = 1 + max(_version(known.get(key)), _version(elsewhere.get(key)))
            if change != "unchanged" and item.record_id is not None:
                edits.setdefault(str(item.record_id), self._versions_of(series, other, str(item.record_id)))
                version = edits[str(item.record_id)] = edits[str(item.record_id)] + 1
            # The interface tells more of a record than an export: names, alternative texts, the whole of a
            # repost. So its capture becomes the newest, unless it is cut.
            poorer = change == "again" and item.truncated
            decided.append(Decided(item, change, -version if poorer else version, digest))
        return decided

    def _change(
        self,
        item: Item,
        seen: Seen | None,
        elsewhere: Seen | None,
        digest: bytes,
        seen_ms: int,
        conflicts: list[Problem],
    ) -> str:
        if seen is not None:
            if 0 < seen.gone < seen_ms:
                return "back"
            return "unchanged" if same_content(seen.digest, digest) else "changed"
        # What is gone is an observation of each way; what an account says of itself differs in time.
        if elsewhere is None or item.kind in ("gone", "account"):
            return "new"
        if not other_words(elsewhere.digest, digest):
            return "again"
        detail = "reads differently in an export and through X's interface; both are kept"
        conflicts.append(Problem(f"{item.kind} {item.id}", "conflict", detail))
        return "changed"

    def _versions_of(self, series: int, other: int | None, record_id: str) -> int:
        """How many versions there are of a post that was edited."""
        state = self._keeper.state
        elsewhere = 0 if other is None else state.versions_of(other, record_id)
        return max(state.versions_of(series, record_id), elsewhere)

    # Media

    def _take_media(self, decided: Sequence[Decided], report: KindReport) -> list[MissingMedia]:
        """Fetch what the records show and is not held yet; what cannot be had, with the reason."""
        missing: list[MissingMedia] = []
        for one in decided:
            for reference in one.item.media:
                if self._is_held(reference.file_name):
                    continue
                reason = self._fetch(reference)
                if reason is None:
                    report.media += 1
                    if one.change == "unchanged":
                        one.change = "changed"  # a picture that was missing and is there now
                    continue
                if one.change == "unchanged":
                    continue  # it was told when the record was kept; it is tried again, silently
                missing.append(MissingMedia(self._account, reference.file_name, reason))
                if self._media is not None:
                    report.media_missing += 1
                    if len(report.media_missing_names) < NAMED_MISSING:
                        report.media_missing_names.append(f"{reference.file_name} ({reason})")
        return missing

    def _is_held(self, file_name: str) -> bool:
        with self._lock:
            return self._keeper.state.find_media(
                self._account, file_name
            ) is not None or self._keeper.spool.has_media(self._account, file_name)

    def _fetch(self, reference: MediaReference) -> str | None:
        """Into the spool; the reason where that is not possible."""
        if self._media is None:
            return NOT_WANTED
        spool, name = self._keeper.spool, reference.file_name
        try:
            size, digest = self._media.fetch(
                reference, lambda stream: spool.write_media(self._account, name, stream)
            )
        except NotFetchedError as error:
            return str(error)
        with self._lock:
            spool.name_media(self._account, name, size, digest)
        return None

    # Pages

    def _pages(
        self, decided: Sequence[Decided], body: bytes | None, seen_ms: int
    ) -> list[tuple[PageInfo, Page]]:
        """A page for each kind and series. Each has the whole body, but what is gone where another page of
        the same answer has it."""
        groups: dict[tuple[str, str], list[Decided]] = {}
        for one in decided:
            if one.change != "unchanged":
                groups.setdefault((one.item.kind, _series_of(one.item)), []).append(one)
        return [
            page_of(
                self._platform,
                self._account,
                seen_ms,
                kind,
                name,
                some,
                None if kind == "gone" and len(groups) > 1 else body,
            )
            for (kind, name), some in groups.items()
        ]


def _told(remarks: Mapping[str, Problem], decided: Sequence[Decided]) -> list[Problem]:
    """What was not understood in records that are kept: of the others it was told before."""
    return [remarks[one.item.id] for one in decided if one.change != "unchanged" and one.item.id in remarks]


def _series_of(item: Item) -> str:
    return item.series or item.kind


def _version(seen: Seen | None) -> int:
    return 0 if seen is None else seen.version


def count_context(report: KindReport, context: Sequence[Problem]) -> None:
    """Count what an answer lacks around its records, by reason."""
    report.context += Counter(one.detail.partition(" (")[0] for one in context)
