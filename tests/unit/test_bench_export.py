"""The benchmark's export is shaped like a real one, and its peer answers from it."""

import json
import re
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bench.words import query_words, vocabulary
from bench.x_export import write_export
from tests.programs import require_shared_data

POSTS = 6_000
PARTS = ("tweets", "tweets-part1", "tweets-part2", "tweets-part3")


def _parsed(archive: zipfile.ZipFile, name: str) -> Any:
    text = archive.read(name).decode()
    return json.loads(text[text.index("=") + 1 :])


@pytest.fixture(scope="module")
def export_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / "export.zip"
    write_export(path, POSTS)
    return path


@pytest.fixture(scope="module")
def posts(export_path: Path) -> list[dict[str, Any]]:
    with zipfile.ZipFile(export_path) as archive:
        return [item["tweet"] for part in PARTS for item in _parsed(archive, f"data/{part}.js")]


def test_the_manifest_counts_four_parts_and_the_headers_list_all_posts(
    export_path: Path, posts: list[Any]
) -> None:
    with zipfile.ZipFile(export_path) as archive:
        kinds = _parsed(archive, "data/manifest.js")["dataTypes"]
        for entry in (entry for kind in kinds.values() for entry in kind.get("files", [])):
            assert archive.read(entry["fileName"]).startswith(f"window.{entry['globalName']} = ".encode())
            assert len(_parsed(archive, entry["fileName"])) == int(entry["count"])
        headers = [item["tweet"]["tweet_id"] for item in _parsed(archive, "data/tweet-headers.js")]
    assert len(kinds["tweets"]["files"]) == 4
    assert headers == [post["id_str"] for post in posts]


def test_posts_run_newest_first_over_twelve_years(posts: list[dict[str, Any]]) -> None:
    ids = [int(post["id_str"]) for post in posts]
    assert ids == sorted(set(ids), reverse=True)
    assert len(ids) == POSTS
    assert posts[0]["created_at"].endswith("2026")
    assert posts[-1]["created_at"].endswith("2014")


def test_the_same_seed_gives_the_same_bytes(export_path: Path, tmp_path: Path) -> None:
    write_export(tmp_path / "again.zip", POSTS)
    assert (tmp_path / "again.zip").read_bytes() == export_path.read_bytes()
    write_export(tmp_path / "other.zip", POSTS, seed=8)
    assert (tmp_path / "other.zip").read_bytes() != export_path.read_bytes()


def test_a_post_is_as_large_as_in_the_real_export_and_has_its_fields_in_order(
    export_path: Path, posts: list[dict[str, Any]]
) -> None:
    with zipfile.ZipFile(require_shared_data("x-exports") / "andreruffert-2022.zip") as archive:
        real_size = archive.getinfo("data/tweets.js").file_size
        real = [item["tweet"] for item in _parsed(archive, "data/tweets.js")]
    with zipfile.ZipFile(export_path) as archive:
        size = sum(archive.getinfo(f"data/{part}.js").file_size for part in PARTS)
    assert size / len(posts) == pytest.approx(real_size / len(real), rel=0.05)
    assert {tuple(post) for post in posts} <= {tuple(post) for post in real}
    assert {tuple(post["entities"]) for post in posts} == {tuple(post["entities"]) for post in real}
    media = {tuple(item) for post in posts for item in post.get("extended_entities", {}).get("media", [])}
    assert media <= {
        tuple(item) for post in real for item in post.get("extended_entities", {}).get("media", [])
    }


def test_words_are_as_frequent_as_in_real_posts(posts: list[dict[str, Any]]) -> None:
    texts = [post["full_text"] for post in posts]
    frequency = Counter(word for text in texts for word in set(re.findall(r"\w+", text.lower())))
    assert frequency["the"] / POSTS == pytest.approx(0.4, abs=0.06)
    assert sum(len(text.split()) for text in texts) / POSTS == pytest.approx(16, abs=1)
    assert max(map(len, texts)) <= 290
    words = query_words()
    assert len(set(words)) == 20
    assert words[-1] == "the" == vocabulary()[0]
    ranks = [vocabulary().index(word) for word in words]
    assert ranks == sorted(ranks, reverse=True)


def test_the_peer_finds_the_newest_and_the_best(
    export_path: Path, posts: list[dict[str, Any]], tmp_path: Path
) -> None:
    pytest.importorskip("sqlcipher3")
    from bench import peer

    for parser in ("msgspec", "json"):
        figures = peer.build(export_path, tmp_path / "peer.db", parser=parser)
        assert figures["posts"] == POSTS
        assert not (tmp_path / "peer.db").read_bytes().startswith(b"SQLite format 3")
        connection = peer.open_peer(tmp_path / "peer.db")
        expected = [post["id_str"] for post in posts if re.search(r"\bpolice\b", post["full_text"], re.I)]
        assert [row[0] for row in peer.search_newest(connection, "police", 20)] == expected[:20]
        found = peer.search_relevance(connection, "police", 10)
        assert {row[0] for row in found} <= set(expected)
        (raw,) = connection.execute("SELECT raw FROM post WHERE id = ?", (posts[0]["id_str"],)).fetchone()
        assert json.loads(raw)["tweet"] == posts[0]
        connection.close()
