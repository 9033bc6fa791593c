"""Vaults of real exports: one in three archives, and the exports that it was made from, oldest first."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.faults.folders import Change, edit_json, rewrite


def split_export(export: Path, folder: Path) -> list[Path]:
    """The same export three times: with half of its posts and likes, whole a year later, and another year
    later without some of them. Each is whole by its own counts."""
    made = read_member(export, "data/manifest.js")["archiveInfo"]["generationDate"]
    steps: tuple[Callable[[int], bool], ...] = (
        lambda number: number % 2 == 0,
        lambda number: True,
        lambda number: number % 40 != 3,
    )
    parts = []
    for number, chosen in enumerate(steps):
        dated = f"{int(made[:4]) - 1 + number}{made[4:]}"
        parts.append(rewrite(export, folder / f"{number}.zip", _changes(export, dated, chosen)))
    return parts


def read_member(export: Path, name: str) -> Any:
    """What a file of an export assigns."""
    with zipfile.ZipFile(export) as archive:
        return json.loads(archive.read(name).partition(b"=")[2])


def _changes(export: Path, dated: str, chosen: Callable[[int], bool]) -> dict[str, Change]:
    """Only the posts and likes whose numbers are chosen."""
    posts, likes, headers = (
        read_member(export, f"data/{name}.js") for name in ("tweets", "like", "tweet-headers")
    )
    posts, likes = ([one for number, one in enumerate(some) if chosen(number)] for some in (posts, likes))
    ids = {one["tweet"]["id_str"] for one in posts}
    headers = [one for one in headers if one["tweet"]["tweet_id"] in ids]

    def described(manifest: Any) -> None:
        manifest["archiveInfo"]["generationDate"] = dated
        for name, some in (("tweets", posts), ("like", likes), ("tweetHeaders", headers)):
            manifest["dataTypes"][name]["files"][0]["count"] = str(len(some))

    return {
        "data/manifest.js": edit_json(described),
        "data/tweets.js": edit_json(lambda _: posts),
        "data/like.js": edit_json(lambda _: likes),
        "data/tweet-headers.js": edit_json(lambda _: headers),
    }
