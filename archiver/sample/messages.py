"""The fictional force's direct messages: residents' enquiries, and a group of public bodies each winter."""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from archiver.sample.dialogues import DIALOGUES, GROUP_LINES, PICTURE
from archiver.sample.encode import SNOWFLAKE_EPOCH_MS, iso_time, milliseconds, snowflake
from archiver.sample.gaps import fill
from archiver.sample.people import COUNCIL, FIRE, FORCE, HOSPITAL, RESIDENTS, ROADS, WEATHER, Person

DAY_MS = 86_400_000
MINUTE_MS = 60_000
HEADER_FIELDS = ("id", "senderId", "recipientId", "createdAt")
DIALOGUES_A_MONTH = 3
CORRESPONDENTS = RESIDENTS[:14]
GROUP_MEMBERS = (COUNCIL, FIRE, ROADS, WEATHER)

Items = list[dict[str, object]]


@dataclass(frozen=True)
class Event:
    """One entry of a conversation: a message (`messageCreate`), or somebody joining, leaving, naming it."""

    time_ms: int
    kind: str
    fields: dict[str, object]
    picture: str | None = None  # file name: message id, hyphen, base name

    def item(self) -> dict[str, object]:
        """Give the entry as the export writes it."""
        return {self.kind: {**self.fields, "createdAt": iso_time(self.time_ms)}}

    def header(self) -> dict[str, object]:
        """Give the entry without what was said."""
        if self.kind != "messageCreate":
            return self.item()
        kept = {**self.fields, "createdAt": iso_time(self.time_ms)}
        return {self.kind: {name: kept[name] for name in HEADER_FIELDS if name in kept}}


@dataclass
class Conversation:
    """A conversation with its entries in any order."""

    conversation_id: str
    events: list[Event] = field(default_factory=list)

    def newest_first(self) -> list[Event]:
        """Give the entries as X orders them."""
        return sorted(self.events, key=lambda event: -event.time_ms)


@dataclass(frozen=True)
class DirectMessages:
    """All conversations, of two and of more."""

    direct: list[Conversation]
    groups: list[Conversation]

    @property
    def pictures(self) -> list[str]:
        """Name the files of the pictures sent between two."""
        events = [event for conversation in self.direct for event in conversation.newest_first()]
        return [event.picture for event in events if event.picture is not None]


def message_items(conversations: list[Conversation]) -> Items:
    """Give the items of a file of messages."""
    return [_item(made, [event.item() for event in made.newest_first()]) for made in conversations]


def message_header_items(conversations: list[Conversation]) -> Items:
    """Give the items of the file that repeats the messages without their words."""
    return [_item(made, [event.header() for event in made.newest_first()]) for made in conversations]


def _item(conversation: Conversation, messages: Items) -> dict[str, object]:
    return {"dmConversation": {"conversationId": conversation.conversation_id, "messages": messages}}


def direct_messages(months: list[tuple[int, int]], until_ms: int, seed: int) -> DirectMessages:
    """Make the conversations of these (year, month) pairs up to a time; each month on its own."""
    direct = {resident: Conversation(_pair_id(resident)) for resident in CORRESPONDENTS}
    groups = []
    for year, month in months:
        rng = random.Random(f"messages {seed}/{year}-{month:02d}")  # noqa: S311 - repeatable, not secret
        for _ in range(DIALOGUES_A_MONTH):
            resident = rng.choice(CORRESPONDENTS)
            direct[resident].events += _dialogue(rng, resident, year, month)
        groups += [_winter_group(rng, year)] if month == 11 else []
    for conversation in (*direct.values(), *groups):
        conversation.events = [event for event in conversation.events if event.time_ms <= until_ms]
    return DirectMessages(
        [conversation for conversation in direct.values() if conversation.events],
        [conversation for conversation in groups if conversation.events],
    )


def _pair_id(resident: Person) -> str:
    return "-".join(sorted((resident.user_id, FORCE.user_id), key=int))


def _dialogue(rng: random.Random, resident: Person, year: int, month: int) -> Iterator[Event]:
    """Yield the messages of one enquiry, the resident's first."""
    day = dt.date(year, month, rng.randrange(1, 28))
    time_ms = milliseconds(day, rng.randrange(7, 20), rng.randrange(60))
    for turn, line in enumerate(rng.choice(DIALOGUES)):
        time_ms += rng.randrange(2, 45) * MINUTE_MS + rng.randrange(MINUTE_MS)
        sender, recipient = (resident, FORCE) if turn % 2 == 0 else (FORCE, resident)
        fields = _message(rng, time_ms, sender, fill(line.removeprefix(PICTURE).strip(), rng))
        fields["recipientId"] = recipient.user_id
        if turn == 2:
            fields["reactions"] = [_reaction(time_ms + 5 * MINUTE_MS, FORCE, "like")]
        picture = None
        if line.startswith(PICTURE):
            base_name = f"G{rng.getrandbits(40):010x}.png"
            fields["mediaUrls"] = [
                f"https://ton.twitter.com/dm/{fields['id']}/{snowflake(time_ms - 9_000, 77)}/{base_name}"
            ]
            picture = f"{fields['id']}-{base_name}"
        yield Event(time_ms, "messageCreate", fields, picture)


def _message(rng: random.Random, time_ms: int, sender: Person, text: str) -> dict[str, object]:
    return {
        "reactions": [],
        "urls": [],
        "text": text,
        "mediaUrls": [],
        "senderId": sender.user_id,
        "id": str(snowflake(time_ms, rng.getrandbits(22))),
    }


def _reaction(time_ms: int, sender: Person, key: str) -> dict[str, object]:
    return {
        "senderId": sender.user_id,
        "reactionKey": key,
        "eventId": str(snowflake(time_ms, 11)),
        "createdAt": iso_time(time_ms),
    }


def _winter_group(rng: random.Random, year: int) -> Conversation:
    """Make a winter's group, from November; the hospital joins, the weather desk leaves in March."""
    start = milliseconds(dt.date(year, 11, 3), 9, 12)
    by_council: dict[str, object] = {"initiatingUserId": COUNCIL.user_id}
    members = [person.user_id for person in (*GROUP_MEMBERS, FORCE)]
    events = [
        Event(start, "joinConversation", {**by_council, "participantsSnapshot": members}),
        Event(start + 2 * MINUTE_MS, "conversationNameUpdate", {**by_council, "name": f"Winter desk {year}"}),
        Event(start + 9 * DAY_MS, "participantsJoin", {**by_council, "userIds": [HOSPITAL.user_id]}),
        Event(start + 130 * DAY_MS, "participantsLeave", {"userIds": [WEATHER.user_id]}),
    ]
    for number in range(28):
        time_ms = start + number * 4 * DAY_MS + rng.randrange(DAY_MS // 2) + 10 * MINUTE_MS
        fields = _message(
            rng, time_ms, rng.choice((*GROUP_MEMBERS, FORCE)), fill(rng.choice(GROUP_LINES), rng)
        )
        if number % 5 == 0:
            fields["reactions"] = [_reaction(time_ms + MINUTE_MS, FIRE, "agree")]
        events.append(Event(time_ms, "messageCreate", fields))
    return Conversation(str((start - SNOWFLAKE_EPOCH_MS) << 22), events)
