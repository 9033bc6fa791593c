"""How X writes values in an export: its JSON, its times, its ids."""

import datetime as dt
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring

from archiver.sample.people import Person

SNOWFLAKE_EPOCH_MS = 1_288_834_974_657


def x_json(value: object, indent: str = "") -> str:
    """Write a value as X does: two spaces a level, ` : ` after a key, `[ ]` for nothing."""
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    deeper = indent + "  "
    if isinstance(value, Mapping):
        members = [
            f"{deeper}{encode_basestring(key)} : {x_json(member, deeper)}" for key, member in value.items()
        ]
        return "{\n" + ",\n".join(members) + f"\n{indent}}}" if members else "{ }"
    if isinstance(value, Sequence):
        items = [deeper + x_json(item, deeper) for item in value]
        return "[\n" + ",\n".join(items) + f"\n{indent}]" if items else "[ ]"
    raise TypeError(f"an export holds no {type(value).__name__}")


def snowflake(time_ms: int, low_bits: int) -> int:
    """Make the id X would give at a time (ms since 1970); `low_bits` (22) part ids of one millisecond."""
    return (time_ms - SNOWFLAKE_EPOCH_MS) << 22 | low_bits


def moment(time_ms: int) -> dt.datetime:
    """Turn milliseconds since 1970 into a UTC time."""
    return dt.datetime.fromtimestamp(time_ms / 1000, dt.UTC)


def milliseconds(day: dt.date, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """Give a UTC day and clock time as milliseconds since 1970."""
    at = dt.datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=dt.UTC)
    return int(at.timestamp()) * 1000


def post_time(time_ms: int) -> str:
    """Write a time as posts carry it: `Thu Nov 03 08:50:26 +0000 2022`."""
    at = moment(time_ms)
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[at.weekday()]
    return f"{day} {month_name(at.month)[:3]} {at:%d %H:%M:%S} +0000 {at.year}"


def iso_time(time_ms: int) -> str:
    """Write a time as the other files carry it: `2022-11-03T08:50:26.000Z`."""
    return f"{moment(time_ms):%Y-%m-%dT%H:%M:%S}.{time_ms % 1000:03d}Z"


def month_name(month: int) -> str:
    """Name a month in English, whatever the process's locale."""
    names = "January February March April May June July August September October November December"
    return names.split(" ")[month - 1]


def mention(person: Person, start: int) -> dict[str, object]:
    """Give the entity of a handle that stands at `start` in a post's text."""
    return {
        "name": person.name,
        "screen_name": person.handle,
        "indices": [str(start), str(start + len(person.handle) + 1)],
        "id_str": person.user_id,
        "id": person.user_id,
    }
