"""A notice that waits for a way that does not work, and which others of its kind wait beside it."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from archiver.health.texts import number_of, paragraph
from archiver.notify.base import Notice, NoticeKind
from archiver.schedule.journal import Moment

MOST_UNSENT = 50
"""So many of one kind wait for a way, where each says what no other does."""


class Unsent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A notice that one way could not send yet, or not to all: `only`. `let_go`: how many older ones of its
    kind were not kept."""

    way: str
    kind: NoticeKind
    subject: str
    text: str
    at_ms: Moment
    code: int = 0
    facts: dict[str, object] = {}
    recovered: bool = False
    let_go: int = 0
    only: tuple[str, ...] = ()

    @classmethod
    def of(cls, way: str, notice: Notice) -> "Unsent":
        return cls(
            way=way,
            kind=notice.kind,
            subject=notice.subject,
            text=notice.text,
            at_ms=notice.at_ms,
            code=notice.code,
            facts=dict(notice.facts),
            recovered=notice.recovered,
        )

    def notice(self) -> Notice:
        text = self.text
        if self.let_go:
            before = number_of(self.let_go, "older notice")
            said = f"{before} of this kind could not be sent and were let go: see archiver status."
            text = "\n".join([*paragraph(said), "", text])
        return Notice(
            self.kind,
            self.subject,
            text,
            self.at_ms,
            self.code,
            self.facts,
            recovered=self.recovered,
            only=self.only,
        )

    @property
    def says_what_is_new(self) -> bool:
        """Whether no later one of its kind says it again, as one does that tells how all stands."""
        return self.kind in ("incomplete", "reminder") or self.recovered


def kept_with(unsent: Sequence[Unsent], one: Unsent) -> list[Unsent]:
    """What waits with this one: of each kind the newest; of those that say what is new all, up to so many."""
    alike = [each for each in unsent if _is_alike(each, one)]
    if not one.says_what_is_new:
        return [*(each for each in unsent if each not in alike), one]
    if len(alike) < MOST_UNSENT:
        return [*unsent, one]
    oldest, following = alike[:2]
    let_go = oldest.let_go + 1 + following.let_go
    left = (each for each in unsent if each is not oldest)
    return [*(replace(each, let_go=let_go) if each is following else each for each in left), one]


def _is_alike(one: Unsent, other: Unsent) -> bool:
    """Whether they are of one kind and wait for one way. A run that went well is another thing than what is
    well again."""
    return (one.way, one.kind, one.recovered) == (other.way, other.kind, other.recovered)
