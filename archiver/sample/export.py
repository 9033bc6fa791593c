"""Write the sample: an X data export of a fictional police force, the same bytes for the same arguments."""

import dataclasses
import datetime as dt
import re
import zipfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from archiver.sample.encode import iso_time, milliseconds, x_json
from archiver.sample.files import AVATAR, FILE_TYPES, MEDIA_DIRECTORIES, README, account_files
from archiver.sample.messages import direct_messages, message_header_items, message_items
from archiver.sample.people import FORCE
from archiver.sample.pictures import png_picture
from archiver.sample.post_json import header_item, note_item, post_item
from archiver.sample.relations import relation_files
from archiver.sample.timeline import SamplePost, timeline

DAY_MS = 86_400_000
DELETED_KEPT_DAYS = 14  # how long X keeps a deleted post in its exports

Items = list[dict[str, object]]


@dataclasses.dataclass(frozen=True)
class SampleExport:
    """What was written: `counts` are the items of each file by manifest type, as the manifest states them."""

    account_id: str
    handle: str
    counts: Mapping[str, int]
    media_count: int
    post_ids: tuple[str, ...]  # newest first; deleted and dropped ones are not among them


def write_sample_export(
    path: Path,
    *,
    until: dt.date,
    months: int = 24,
    seed: int = 1,
    drop_post_ids: Collection[str] = (),
    delete_post_ids: Collection[str] = (),
) -> SampleExport:
    """Write the export X would hand out on the evening of `until`, over the `months` months that end there.

    A month's content depends on its date and the seed alone. So `until` a month later, with `months` one
    more, repeats every post and adds a month's; only a post that lists itself as deleted drops out, after X's
    fourteen days. `drop_post_ids` are left out as if they had never been; `delete_post_ids` are listed as
    deleted the day before. Raise OSError if `path` cannot be written.
    """
    until_ms = milliseconds(until, 23, 59, 59)
    covered = _months_before(until, months)
    posts = [post for post in timeline(covered, until_ms, seed) if str(post.post_id) not in drop_post_ids]
    live, deleted = _divide(posts, until_ms, delete_post_ids)
    messages = direct_messages(covered, until_ms, seed)
    items = {
        **{name: [] for name in FILE_TYPES},
        **account_files(iso_time(until_ms)),
        **relation_files(covered, until_ms, seed),
        "tweets": [post_item(post) for post in live],
        "tweetHeaders": [header_item(post) for post in live],
        "noteTweet": [note_item(post) for post in live if post.note is not None],
        "deletedTweets": [post_item(post) for post in deleted],
        "deletedTweetHeaders": [header_item(post) for post in deleted],
        "directMessages": message_items(messages.direct),
        "directMessagesGroup": message_items(messages.groups),
        "directMessageHeaders": message_header_items(messages.direct),
        "directMessageGroupHeaders": message_header_items(messages.groups),
    }
    media = _media_names(live, deleted, messages.pictures)
    _write(path, items, media, until_ms)
    counts = {name: len(items[name]) for name in FILE_TYPES}
    return SampleExport(
        FORCE.user_id, FORCE.handle, counts, len(media), tuple(str(post.post_id) for post in live)
    )


def _months_before(until: dt.date, count: int) -> list[tuple[int, int]]:
    last = until.year * 12 + until.month - 1
    return [(number // 12, number % 12 + 1) for number in range(last - count + 1, last + 1)]


def _divide(
    posts: Sequence[SamplePost], until_ms: int, delete_post_ids: Collection[str]
) -> tuple[list[SamplePost], list[SamplePost]]:
    """Tell posts that stand from those deleted within X's fourteen days; older deletions are in neither."""
    live, deleted = [], []
    for post in posts:
        deleted_ms = until_ms - DAY_MS if str(post.post_id) in delete_post_ids else post.deleted_ms
        if deleted_ms is None or deleted_ms > until_ms:
            live.append(dataclasses.replace(post, deleted_ms=None))
        elif until_ms - deleted_ms <= DELETED_KEPT_DAYS * DAY_MS:
            deleted.append(dataclasses.replace(post, deleted_ms=deleted_ms))
    return live, deleted


def _media_names(
    live: Sequence[SamplePost], deleted: Sequence[SamplePost], message_pictures: Sequence[str]
) -> list[str]:
    """Name the media files: id of the post or message, a hyphen, base name of the picture's address."""
    names = [f"{MEDIA_DIRECTORIES['profile']}/{FORCE.user_id}-{AVATAR}"]
    for file_type, posts in (("tweets", live), ("deletedTweets", deleted)):
        names += [
            f"{MEDIA_DIRECTORIES[file_type]}/{post.post_id}-{picture.base_name}"
            for post in posts
            for picture in post.pictures
        ]
    return names + [f"{MEDIA_DIRECTORIES['directMessages']}/{name}" for name in message_pictures]


def _write(path: Path, items: Mapping[str, Items], media: Sequence[str], until_ms: int) -> None:
    members = {f"data/{_file_name(name)}": _javascript(name, items[name]) for name in FILE_TYPES}
    members["data/README.txt"] = README.encode()
    members |= {name: png_picture(name.rpartition("-")[2]) for name in media}
    total = sum(len(body) for body in members.values())
    counts = {name: len(items[name]) for name in FILE_TYPES}
    manifest = f"window.__THAR_CONFIG = {x_json(_manifest(counts, total, until_ms))}"
    members["data/manifest.js"] = manifest.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(members):
            archive.writestr(_member(name), members[name], compress_type=zipfile.ZIP_DEFLATED)


def _member(name: str) -> zipfile.ZipInfo:
    """Describe a member with a fixed date, so that the same content makes the same bytes."""
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.create_system = 3  # Unix, wherever this runs
    info.external_attr = 0o644 << 16
    return info


def _file_name(file_type: str) -> str:
    """Turn the manifest's `directMessagesGroup` into the file's `direct-messages-group.js`."""
    return re.sub(r"(?=[A-Z])", "-", file_type).lower() + ".js"


def _global_name(file_type: str) -> str:
    return "YTD." + re.sub(r"(?=[A-Z])", "_", file_type).lower() + ".part0"


def _javascript(file_type: str, items: Items) -> bytes:
    return f"window.{_global_name(file_type)} = {x_json(items)}".encode()


def _manifest(counts: Mapping[str, int], size_bytes: int, until_ms: int) -> dict[str, object]:
    data_types: dict[str, object] = {}
    for name in FILE_TYPES:
        listed = {
            "fileName": f"data/{_file_name(name)}",
            "globalName": _global_name(name),
            "count": str(counts[name]),
        }
        directory = MEDIA_DIRECTORIES.get(name)
        data_types[name] = {**({"mediaDirectory": directory} if directory else {}), "files": [listed]}
        if directory:
            data_types[f"{name}Media"] = {"mediaDirectory": directory}
    return {
        "userInfo": {"accountId": FORCE.user_id, "userName": FORCE.handle, "displayName": FORCE.name},
        "archiveInfo": {
            "sizeBytes": str(size_bytes),
            "generationDate": iso_time(until_ms),
            "isPartialArchive": False,
            "maxPartSizeBytes": "53687091200",
        },
        "readmeInfo": {"fileName": "data/README.txt", "directory": "data/", "name": "README.txt"},
        "dataTypes": data_types,
    }
