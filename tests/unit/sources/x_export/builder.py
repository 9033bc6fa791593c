"""Small exports of a fictional force, in every layout X has used, for tests."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from archiver.sources.base import Absence, Batch, Capture, CaptureEnd, Event, Item, Problem, Unread
from archiver.sources.x.times import SNOWFLAKE_EPOCH_MS

ACCOUNT = "112000777"
HANDLE = "SpringfieldPD"
NAME = "Springfield Police"
GENERATED = "2023-06-01T06:00:00.000Z"
FIRST_MS = 1_667_465_426_000  # Thu Nov 03 08:50:26 +0000 2022
FIRST_TIME = "Thu Nov 03 08:50:26 +0000 2022"
Json = Any


def snowflake(milliseconds: int, sequence: int = 0) -> str:
    """An id as X gives them."""
    return str(((milliseconds - SNOWFLAKE_EPOCH_MS) << 22) + sequence)


FIRST_ID = snowflake(FIRST_MS)


def post(post_id: str = FIRST_ID, text: str = "Road closed.", **changes: Json) -> dict[str, Json]:
    """A post as exports since 2020 hold it, without its wrapper."""
    whole: dict[str, Json] = {
        "retweeted": False,
        "source": '<a href="https://mobile.twitter.com" rel="nofollow">Twitter Web App</a>',
        "entities": {"user_mentions": [], "urls": [], "symbols": [], "hashtags": []},
        "display_text_range": ["0", str(len(text))],
        "favorite_count": "3",
        "id_str": post_id,
        "truncated": False,
        "retweet_count": "1",
        "id": post_id,
        "created_at": FIRST_TIME,
        "favorited": False,
        "full_text": text,
        "lang": "en",
    }
    return {key: value for key, value in (whole | changes).items() if value is not ...}


def wrapped(*posts: dict[str, Json]) -> list[Json]:
    return [{"tweet": each} for each in posts]


def edited(post_id: str, ids: Sequence[str]) -> dict[str, Json]:
    """`edit_info` of one version of a post edited into these."""
    control = {"editTweetIds": list(ids), "editableUntil": "2022-11-03T09:20:26.000Z", "editsRemaining": "4"}
    if post_id == ids[0]:
        return {"initial": control}
    return {"edit": {"initialTweetId": ids[0], "editControlInitial": control}}


def picture(media_id: str, name: str, **changes: Json) -> dict[str, Json]:
    return {
        "id_str": media_id,
        "media_url": f"http://pbs.twimg.com/media/{name}",
        "media_url_https": f"https://pbs.twimg.com/media/{name}",
        "url": "https://t.co/picture",
        "type": "photo",
        "sizes": {"large": {"w": "680", "h": "510", "resize": "fit"}},
    } | changes


def link(expanded: str, short: str = "https://t.co/abc") -> dict[str, Json]:
    return {"url": short, "expanded_url": expanded, "display_url": expanded[8:30], "indices": ["0", "23"]}


def note(note_id: str, text: str, created_at: str = "2022-11-03T08:50:26.000Z", **core: Json) -> Json:
    return {
        "noteTweet": {
            "noteTweetId": note_id,
            "createdAt": created_at,
            "updatedAt": created_at,
            "lifecycle": {"value": "0", "name": "Undeleted"},
            "core": {"styletags": [], "text": text, "urls": [], "mentions": [], "hashtags": []} | core,
        }
    }


def message(message_id: str, text: str, **changes: Json) -> Json:
    return {
        "messageCreate": {
            "recipientId": ACCOUNT,
            "reactions": [],
            "urls": [],
            "text": text,
            "mediaUrls": [],
            "senderId": "500",
            "id": message_id,
            "createdAt": "2022-11-03T08:50:26.744Z",
        }
        | changes
    }


def conversation(conversation_id: str, *events: Json) -> Json:
    return {"dmConversation": {"conversationId": conversation_id, "messages": list(events)}}


def account(**changes: Json) -> Json:
    return {
        "account": {
            "email": "desk@springfield.example",
            "createdVia": "web",
            "username": HANDLE,
            "accountId": ACCOUNT,
            "createdAt": "2010-02-09T17:10:05.000Z",
            "accountDisplayName": NAME,
        }
        | changes
    }


def javascript(name: str, value: Json, *, indent: int | None = 2) -> str:
    """A file as X writes it: pretty, with a space on both sides of colons; or minified."""
    separators = (",", " : ") if indent else (",", ":")
    return f"{name} = {json.dumps(value, indent=indent, separators=separators, ensure_ascii=False)}"


def write_zip(path: Path, files: Mapping[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2023, 6, 1, 6, 0, 0)), body, zipfile.ZIP_DEFLATED)
    return path


def camel(stem: str) -> str:
    first, *rest = stem.split("-")
    return first + "".join(word.capitalize() for word in rest)


def manifest(counts: Mapping[str, int | None], **changes: Json) -> str:
    """manifest.js naming these files of `data/` (without `.js`) with these counts."""
    types: dict[str, Json] = {}
    for name, count in counts.items():
        stem, _, part = name.partition("-part")
        file: dict[str, Json] = {
            "fileName": f"data/{name}.js",
            "globalName": f"YTD.{stem.replace('-', '_')}.part{part or 0}",
        }
        if count is not None:
            file["count"] = str(count)
        types.setdefault(camel(stem), {"files": []})["files"].append(file)
    archive = {"sizeBytes": "1", "generationDate": GENERATED, "isPartialArchive": False}
    config = {
        "userInfo": {"accountId": ACCOUNT, "userName": HANDLE, "displayName": NAME},
        "archiveInfo": archive | changes.pop("archiveInfo", {}),
        "readmeInfo": {"fileName": "data/README.txt", "directory": "data/", "name": "README.txt"},
        "dataTypes": types,
    }
    return javascript("window.__THAR_CONFIG", config | changes)


def export_files(
    data: Mapping[str, Sequence[Json]],
    *,
    counts: Mapping[str, int | None] | None = None,
    indent: int | None = 2,
    **changes: Json,
) -> dict[str, str | bytes]:
    """The members of an export since 2020: a manifest, account.js, posts (none, if none are given), and these
    files by name without `.js`."""
    posts: dict[str, Sequence[Json]] = {} if "tweet" in data else {"tweets": []}
    whole = {"account": [account()]} | posts | dict(data)
    stated: dict[str, int | None] = {name: len(rows) for name, rows in whole.items()}
    files: dict[str, str | bytes] = {"data/manifest.js": manifest(stated | dict(counts or {}), **changes)}
    for name, rows in whole.items():
        stem, _, part = name.partition("-part")
        variable = f"window.YTD.{stem.replace('-', '_')}.part{part or 0}"
        files[f"data/{name}.js"] = javascript(variable, list(rows), indent=indent)
    return files


def export(
    path: Path,
    data: Mapping[str, Sequence[Json]],
    *,
    extra: Mapping[str, str | bytes] | None = None,
    prefix: str = "",
    **options: Json,
) -> Path:
    """Write an export since 2020; `extra` members replace or join, `prefix` is a folder around all."""
    files = export_files(data, **options) | dict(extra or {})
    return write_zip(path, {f"{prefix}{name}": body for name, body in files.items()})


def export_2018(path: Path, posts: Sequence[Json], *, extra: Mapping[str, str] | None = None) -> Path:
    """Root-level files, bare elements, no manifest."""
    files = {
        "tweet.js": javascript("window.YTD.tweet.part0", list(posts)),
        "account.js": javascript("window.YTD.account.part0", [account()]),
        "follower.js": javascript("window.YTD.follower.part0", [{"follower": {"accountId": "7"}}]),
    }
    return write_zip(path, files | dict(extra or {}))


def grailbird_post(post_id: str, text: str, created_at: str, **changes: Json) -> dict[str, Json]:
    return {
        "source": '<a href="http://twitter.com" rel="nofollow">Twitter Web Client</a>',
        "entities": {"user_mentions": [], "media": [], "hashtags": [], "urls": []},
        "geo": {},
        "id_str": post_id,
        "text": text,
        "id": int(post_id),
        "created_at": created_at,
        "user": {"name": NAME, "screen_name": HANDLE, "id_str": ACCOUNT, "id": int(ACCOUNT)},
    } | changes


def grailbird(
    path: Path, months: Mapping[str, Sequence[Json]], *, extra: Mapping[str, str] | None = None
) -> Path:
    """Per-month files with their index, as between 2012 and 2018."""
    index = [
        {
            "file_name": f"data/js/tweets/{month}.js",
            "year": int(month[:4]),
            "var_name": f"tweets_{month}",
            "tweet_count": len(rows),
            "month": int(month[5:]),
        }
        for month, rows in months.items()
    ]
    payload = {"tweets": 99, "created_at": "2013-11-10 10:00:00 +0000", "lang": "en"}
    details = {"screen_name": HANDLE, "full_name": NAME, "bio": "Not for emergencies.", "id": ACCOUNT}
    files = {
        "data/js/tweet_index.js": "var tweet_index =  " + json.dumps(index),
        "data/js/user_details.js": "var user_details =  " + json.dumps(details),
        "data/js/payload_details.js": f"var payload_details =  {json.dumps(payload)}",
        "index.html": "<html></html>",
    }
    for month, rows in months.items():
        files[f"data/js/tweets/{month}.js"] = (
            f"Grailbird.data.tweets_{month} = \n {json.dumps(list(rows), indent=1)}"
        )
    return write_zip(path, files | dict(extra or {}))


class Read:
    """Everything an export yielded, sorted by kind."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.captures = {each.key: each for each in events if isinstance(each, Capture)}
        self.items = [item for each in events if isinstance(each, Batch) for item in each.items]
        self.ends = {each.capture_key: each for each in events if isinstance(each, CaptureEnd)}
        self.problems = [each for each in events if isinstance(each, Problem)]
        self.unread = [each.name for each in events if isinstance(each, Unread)]
        self.absences = {each.kind for each in events if isinstance(each, Absence)}

    def of(self, kind: str) -> list[Item]:
        return [item for item in self.items if item.kind == kind]

    def ids(self, kind: str) -> list[str]:
        return [item.id for item in self.of(kind)]

    def reasons(self) -> list[str]:
        return [each.reason for each in self.problems]
