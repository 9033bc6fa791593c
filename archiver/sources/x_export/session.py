"""What one run over an export shares: captures' numbers, problems waiting to be told, and reading one
member."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Final, Protocol

from archiver.sources.base import Batch, Capture, CaptureEnd, Event, Item, Problem
from archiver.sources.x_export.ahead import MemberBody
from archiver.sources.x_export.cut import BrokenJsonError
from archiver.sources.x_export.limits import MEBIBYTE, Limits
from archiver.sources.x_export.part import ExportPart
from archiver.sources.x_export.zip_file import BrokenMemberError, Member

SOURCE: Final = "x_export"
BATCH_BYTES: Final = MEBIBYTE
Walk = Callable[[Iterator[bytes], Capture], Iterator[tuple[int, list[Item]]]]
"""(inflated blocks, the capture) -> (records read, items made of them), a block's worth at a time."""


class Identity(Protocol):
    """Whose export it is and when X made it: what every capture states."""

    @property
    def account(self) -> str: ...
    @property
    def handle(self) -> str | None: ...
    @property
    def name(self) -> str | None: ...
    @property
    def generated_ms(self) -> int: ...
    @property
    def partial(self) -> bool: ...


class _Waiting:
    """Items until they are a batch."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.size = 0

    def add(self, items: list[Item]) -> None:
        self.items += items
        self.size += sum([len(item.slices[0][1]) for item in items])

    def batch(self, capture_key: int) -> Iterator[Batch]:
        """The items as a batch, if there are any, which are then let go."""
        if self.items:
            yield Batch(capture_key, self.items)
        self.items, self.size = [], 0


class Session:
    """State of one run. `short` names the record kinds of which not everything was read."""

    def __init__(self, identity: Identity, limits: Limits, layout: str) -> None:
        self.identity = identity
        self.limits = limits
        self.layout = layout
        self.problems: list[Problem] = []
        self.short: set[str] = set()
        self._keys = 0

    def capture(
        self,
        part: ExportPart,
        member: Member,
        body_kind: str,
        layout: str | None = None,
        context: dict[str, str] | None = None,
    ) -> Capture:
        """A new capture of one member, numbered."""
        self._keys += 1
        return Capture(
            key=self._keys,
            source=SOURCE,
            route="export",
            platform="x",
            account=self.identity.account,
            handle=self.identity.handle,
            name=self.identity.name,
            request=f"{part.archive.name}!{member.name}",
            body_kind=body_kind,
            layout=layout or part.layout or self.layout,
            fetched_ms=self.identity.generated_ms,
            context=context or {},
        )

    def drain(self) -> Iterator[Problem]:
        """The problems noted since last asked."""
        while self.problems:
            yield self.problems.pop(0)

    def read(
        self,
        part: ExportPart,
        member: Member,
        capture: Capture,
        walk: Walk,
        expected: int | None = None,
        later: list[CaptureEnd] | None = None,
    ) -> Generator[Event, None, bool]:
        """Read one member to its end. Yield its capture, batches, and end, or the problem that ended it;
        return whether all of it was read and its count agrees. `later` collects the end instead, for
        notes."""
        yield capture
        body = MemberBody(part.archive, member)
        records = 0
        waiting = _Waiting()
        try:
            with closing(iter(body)) as blocks:
                for count, items in walk(blocks, capture):
                    records += count
                    waiting.add(items)
                    if waiting.size >= BATCH_BYTES or self.problems:
                        yield from waiting.batch(capture.key)
                        yield from self.drain()
                for _ in blocks:  # nothing is left but to be checked
                    pass
        except (BrokenJsonError, BrokenMemberError) as error:
            yield from waiting.batch(capture.key)
            yield from self.drain()
            detail = f"{error.message}; {records:,} records before that were taken"
            yield Problem(capture.request, "broken", detail)
            return False
        yield from waiting.batch(capture.key)
        yield from self.drain()
        end = CaptureEnd(capture.key, body.sha256, body.size, records, expected)
        if later is None:
            yield end
        else:
            later.append(end)
        if expected is not None and expected != records:
            detail = f"has {records:,} records, and the export's own count is {expected:,}"
            yield Problem(capture.request, "count differs", detail)
            return False
        return True
