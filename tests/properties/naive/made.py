"""Small made-up vaults: records with their versions, what became of them, and where each was sealed.

A life is drawn first; from it come the records that archives are made of, and what a query sees of it. The
latter is said here a second time, and not taken from the former."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from hypothesis import strategies as st

from archiver.records import Gone, Link, MediaReference, Mention
from archiver.records import Record as SealedRecord
from tests.made_vaults import (
    ACCOUNT,
    DAY_MS,
    HANDLES,
    OTHER_ACCOUNT,
    Made,
    VaultMaker,
    like,
    message,
    moderation,
    post,
)
from tests.properties.naive.records import Person, Record, Version

WORDS = [
    "flood", "Flooding", "floods", "flooded", "road", "ROADS", "café", "cafe\u0301", "CAFÉS", "a", "don't",
    "x_y", "Straße", "İzmir", "ναός", "ΝΑΌΣ", "дом", "Дома", "शहर", "مدينة", "東京", "東京都", "กรุงเทพ",
    "서울", "が", "≠", "ναο\u0301ς", "🤔", "🙏🏽",
    "🚓", "🙏", "£", "№5", "covid-19", "www.example.org", "&", "AT&T",
]  # fmt: skip
GLUE = [" ", " ", " ", "  ", "\n", ", ", "-", "_", ".", " #", " @", "/", "… ", "'", "’", ""]
PEOPLE = [
    Person("77", "Gull"), Person("77", "Gull_2"), Person("78", "heron_1"), Person("78", "HERON_1"),
    Person("79"), Person(None, "Wren"), Person("81", "wren"), Person("82", "Gull"),
]  # fmt: skip
"""Some had two handles, and some handles were two people's."""
TAGS = ["Flood", "café", "東京", "a1"]
LINKS = [
    Link("https://t.co/a1", "https://www.example.org/flood/help?x=1", "example.org/flood/help"),
    Link("https://t.co/b2", "http://news.example.org/", None),
    Link("https://t.co/c3", None, None),
]
MEDIA = ["photo", "video", "animated_gif"]
ARCHIVES = ["2026-01-01", "2026-02-01", "2026-03-01"]
HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Life:
    """What one record was. `texts`: of its versions, each sealed an archive after the one before. `becomes`:
    an edit is a post of its own, a change keeps its id, late is what an older export held. `repeated`: it
    came another way too, or was captured once more for the register of moderation, or taken anew by a
    collector that had lost its state. `gone`: it was found missing by the archive of that number."""

    kind: str
    account: str
    author: Person | None
    to: Person | None
    mentions: tuple[Person, ...]
    tags: tuple[str, ...]
    links: tuple[Link, ...]
    media: tuple[tuple[str, str | None], ...]
    language: str | None
    texts: tuple[str, ...]
    becomes: str
    first: int
    hours: int
    repeated: str | None
    gone: int | None
    moderated: bool


texts = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(GLUE)), max_size=7).map(
    lambda pairs: "".join(word + glue for word, glue in pairs)
)
people = st.sampled_from(PEOPLE)
lives = st.builds(
    Life,
    st.sampled_from(["post", "post", "reply", "repost", "quote", "message", "like"]),
    st.sampled_from([ACCOUNT, ACCOUNT, OTHER_ACCOUNT]),
    st.one_of(st.none(), people),
    st.one_of(st.none(), people),
    st.lists(people, max_size=2).map(tuple),
    st.lists(st.sampled_from(TAGS), max_size=2).map(tuple),
    st.lists(st.sampled_from(LINKS), max_size=2).map(tuple),
    st.lists(st.tuples(st.sampled_from(MEDIA), st.one_of(st.none(), texts)), max_size=2).map(tuple),
    st.sampled_from([None, "en", "cy", "und"]),
    st.lists(texts, min_size=1, max_size=3).map(tuple),
    st.sampled_from(["edit", "change", "late"]),
    st.integers(0, 2),
    st.integers(0, 24 * 400),
    st.sampled_from([None, None, "route", "register", "anew"]),
    st.one_of(st.none(), st.integers(0, 2)),
    st.sampled_from([False, False, True]),
)


class Sealed(NamedTuple):
    """A row of an archive, by the archive's number."""

    archive: int
    row: Made


def fetched_ms(archive: int) -> int:
    return (1000 + archive) * DAY_MS


def sealed_rows(number: int, life: Life) -> list[Sealed]:
    """What archives hold of a life."""
    rows = []
    for index, text in enumerate(life.texts):
        late = life.becomes == "late" and index > 0 and index + 1 == len(life.texts)
        version = -(index + 1) if late else index + 1
        rows.append(Sealed(_archive(life, index), Made(_record(number, life, index, text), version)))
        if life.kind == "like":
            return rows
    # A collector that has lost its state still has what is in its spool: no archive has the same twice so.
    is_same_archive = rows[-1].archive == len(ARCHIVES) - 1
    if life.repeated and not (life.repeated == "anew" and is_same_archive):
        version = -len(rows) - 1 if life.repeated == "route" else 1
        again = Made(rows[-1].row.record, version, again=life.repeated != "anew")
        rows.append(Sealed(min(rows[-1].archive + 1, 2), again))
    return rows


def _archive(life: Life, index: int) -> int:
    return min(life.first + index, len(ARCHIVES) - 1)


def _id(number: int, life: Life, index: int) -> str:
    edited = index and life.becomes == "edit" and life.kind not in ("message", "like")
    return f"{number}9{index}" if edited else str(number)


def _posted_ms(life: Life, index: int) -> int:
    edited = life.becomes == "edit" and life.kind not in ("message", "like")
    return life.hours * HOUR_MS + (index * 600_000 if edited else 0)


def _author(life: Life) -> Person:
    return life.author or Person(life.account, HANDLES[life.account])


def _record(number: int, life: Life, index: int, text: str) -> SealedRecord:
    own, posted, account = _id(number, life, index), _posted_ms(life, index), life.account
    author = _author(life)
    if life.kind == "like":
        return like(
            own, text, fetched_ms(life.first), account=account, url=f"https://x.com/i/web/status/{own}"
        )
    if life.kind == "message":
        return message(
            own, text, posted, account=account, sender_id=author.id, recipient_id=life.to and life.to.id,
            links=life.links, media=_media(life), conversation_id=f"9-{account}",
        )  # fmt: skip
    replied: dict[str, Any] = {}
    if life.kind == "reply":
        to = life.to or Person("80")
        replied = {"in_reply_to_id": "1", "in_reply_to_user_id": to.id, "in_reply_to_handle": to.handle}
    return post(
        own, text, posted, record_id=str(number), account=account, kind=life.kind, author_id=author.id,
        author_handle=author.handle, language=life.language, client="Some Client for Café",
        conversation_id="1" if life.kind == "reply" else own, hashtags=life.tags, links=life.links,
        mentions=tuple(Mention(one.id, one.handle or "", None) for one in life.mentions), media=_media(life),
        quote_of_id="2" if life.kind == "quote" else None, **replied,
    )  # fmt: skip


def _media(life: Life) -> tuple[MediaReference, ...]:
    return tuple(
        MediaReference(f"m{place}", kind, f"https://pbs.example/{place}", f"{place}.jpg", alt)
        for place, (kind, alt) in enumerate(life.media)
    )


def gone_rows(number: int, life: Life) -> list[Sealed]:
    """That it was found missing, if it was: an archive after the one that holds it first."""
    if life.gone is None or life.gone <= life.first:
        return []
    kind = life.kind if life.kind in ("message", "like") else "post"
    noticed = fetched_ms(life.gone) - HOUR_MS
    ids = {_id(number, life, index) for index in range(len(life.texts)) if _archive(life, index) < life.gone}
    return [
        Sealed(
            life.gone,
            Made(
                Gone(
                    platform="x", platform_id=one, account=life.account, kind=kind, noticed_ms=noticed,
                    how="not in the export any more",
                )
            ),
        )
        for one in sorted(ids)
    ]  # fmt: skip


def moderated_rows(number: int, life: Life) -> list[Sealed]:
    """The decision about it, if there is one."""
    if not life.moderated or life.kind == "like":
        return []
    entry = moderation(
        f"entry-{number}", account=life.account, item_type="message" if life.kind == "message" else "reply",
        item_id=_id(number, life, 0), action="hidden", reason_codes=("spam",), entered_ms=number,
    )  # fmt: skip
    return [Sealed(life.first, Made(entry))]


def fill(maker: VaultMaker, some: list[Life]) -> None:
    """Seal archives of what some lives were."""
    rows = [
        row
        for number, life in enumerate(some, 100)
        for row in (*sealed_rows(number, life), *gone_rows(number, life), *moderated_rows(number, life))
    ]
    for place, name in enumerate(ARCHIVES):
        held = [row.row for row in rows if row.archive == place]
        half = len(held) // 2 if place == 1 else len(held)
        maker.add(name, *(part for part in (held[:half], held[half:]) if part), fetched_ms=fetched_ms(place))


def seen(some: list[Life]) -> list[Record]:
    """What queries see of some lives."""
    return [_seen(number, life) for number, life in enumerate(some, 100)]


def _seen(number: int, life: Life) -> Record:
    one = Record("x", Person(life.account, HANDLES[life.account]), str(number))
    texts = life.texts[:1] if life.kind == "like" else life.texts
    for index, text in enumerate(texts):
        late = life.becomes == "late" and index > 0 and index + 1 == len(texts)
        one.versions.append(_version(number, life, index, text, -(index + 1) if late else index + 1))
    rows = sealed_rows(number, life)
    one.is_edited = len(texts) > 1
    one.is_moderated = life.moderated and life.kind != "like"
    one.is_deleted = bool(gone_rows(number, life)) and max(row.archive for row in rows) < (life.gone or 0)
    return one


def _version(number: int, life: Life, index: int, text: str, version: int) -> Version:
    posted = _posted_ms(life, index)
    own, author = _id(number, life, index), _author(life)
    if life.kind == "like":
        made = fetched_ms(life.first)
        return Version(own, "like", made, (text,), (made, 1), links=(f"https://x.com/i/web/status/{own}",))
    links = tuple(address for one in life.links for address in (one.expanded, one.short) if address)
    shows = {kind for kind, _ in life.media}
    if life.kind == "message":
        return Version(
            own, "message", posted, (text,), (posted, version), Person(author.id),
            (Person(life.to.id),) if life.to and life.to.id else (), links=links,
            conversation=f"9-{life.account}", shows=frozenset(shows),
        )  # fmt: skip
    described = "\n".join(alt for _, alt in life.media if alt)
    is_reply = life.kind == "reply"
    return Version(
        own, life.kind, posted, (text, described), (posted, version), author,
        (life.to or Person("80"),) if is_reply else (), life.mentions, life.tags, links, life.language,
        "Some Client for Café", "1" if is_reply else own,
        frozenset(shows | ({"alt"} if described else set())), is_reply, life.kind == "quote",
    )  # fmt: skip
