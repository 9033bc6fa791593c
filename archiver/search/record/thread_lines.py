"""What a thread is made of, and which of its lines are shown: those nearest to its record."""

from collections.abc import Sequence
from typing import NamedTuple

DAY_MS = 86_400_000


class Anchor(NamedTuple):
    """A record whose thread is wanted: its table (`post` or `message`), and when it was posted, where that is
    known: then segments of other times are not asked for it."""

    table: str
    platform: str
    account: str
    id: str
    posted_ms: int | None = None


class Line(NamedTuple):
    """A post or a message of a thread: the newest version of it that was found, its text's first 280
    characters. `author` is the handle as known at capture."""

    table: str
    archive: str
    platform: str
    id: str
    record_id: str
    kind: str
    account: str
    author_id: str | None
    author: str | None
    posted_ms: int
    text: str
    version: int
    in_reply_to_id: str | None = None
    in_reply_to_handle: str | None = None
    conversation_id: str | None = None
    quote_of_id: str | None = None
    repost_of_id: str | None = None
    repost_of_handle: str | None = None
    edit_ids: tuple[str, ...] = ()


class Missing(NamedTuple):
    """Something that the post `by` names and that is not held. `how`: replies to, quotes, reposts."""

    how: str
    id: str
    handle: str | None
    by: str


class Thread(NamedTuple):
    """The lines around a record, in order of time, and how many more were found on each side. `record` is
    None where it is not held. `is_cut`: there may be more than was found, as looking for it was ended."""

    record: Line | None
    before: tuple[Line, ...]
    after: tuple[Line, ...]
    more_before: int
    more_after: int
    missing: tuple[Missing, ...] = ()
    is_cut: bool = False

    @property
    def lines(self) -> tuple[Line, ...]:
        """All that are shown, the record among them."""
        return (*self.before, *([self.record] if self.record is not None else []), *self.after)


NO_THREAD = Thread(None, (), (), 0, 0)
Time = tuple[int, int, str]


def time_of(line: Line) -> Time:
    """Where it stands in time; of the same millisecond by its id, which rises on every platform."""
    return line.posted_ms, len(line.id), line.id


def cut_to(
    now: Time, near: Sequence[Line], wider: Sequence[Line], before: int, after: int
) -> tuple[tuple[Line, ...], tuple[Line, ...], int, int]:
    """The lines to be shown before and after a time, and how many others there are on each side. `near` ones
    come first where there is not room for all; of either those that are nearest in time."""
    earlier = [sorted((one for one in some if time_of(one) <= now), key=time_of) for some in (near, wider)]
    later = [sorted((one for one in some if time_of(one) > now), key=time_of) for some in (near, wider)]
    shown_before = [line for some in earlier for line in reversed(some)][: max(0, before)]
    shown_after = [line for some in later for line in some][: max(0, after)]
    return (
        tuple(sorted(shown_before, key=time_of)),
        tuple(sorted(shown_after, key=time_of)),
        sum(map(len, earlier)) - len(shown_before),
        sum(map(len, later)) - len(shown_after),
    )
