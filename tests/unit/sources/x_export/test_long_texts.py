from pathlib import Path

from archiver.records import Gone, Post
from tests.unit.sources.x_export import builder as make
from tests.unit.sources.x_export.reading_helper import read, record_of

ARTICLE = {
    "id": "700",
    "title": "A year in Springfield",
    "data": {"blocks": [{"text": "First &amp; last."}, {"text": "Second."}]},
}
TIMES = {"createdAtMs": "1667465000000", "publishedAtMs": "1667465426000"}


def test_a_published_article_is_a_post_and_a_draft_is_not(tmp_path: Path) -> None:
    draft = ARTICLE | {"id": "701"}
    data: dict[str, list[make.Json]] = {
        "article": [{"article": ARTICLE}, {"article": draft}],
        "article-metadata": [
            {"articleMetadata": TIMES | {"articleId": "700", "visibility": "Published"}},
            {"articleMetadata": TIMES | {"articleId": "701", "visibility": "Draft"}},
        ],
    }
    found = read(make.export(tmp_path / "x.zip", data))
    assert found.ids("post") == ["article-700"]
    record = record_of(found, found.of("post")[0])
    assert isinstance(record, Post)
    assert record.text == "A year in Springfield\n\nFirst & last.\nSecond."
    assert (record.posted_ms, record.audience) == (make.FIRST_MS, "article")
    assert found.problems == []


def test_metadata_without_ids_goes_by_its_place(tmp_path: Path) -> None:
    data: dict[str, list[make.Json]] = {
        "twitter-article": [{"twitterArticle": ARTICLE}],
        "twitter-article-metadata": [{"twitterArticleMetadata": TIMES | {"visibility": "Published"}}],
    }
    assert read(make.export(tmp_path / "x.zip", data)).ids("post") == ["article-700"]


def test_an_article_that_nothing_is_said_of_is_left_out_and_named(tmp_path: Path) -> None:
    found = read(make.export(tmp_path / "x.zip", {"article": [{"article": ARTICLE}]}))
    assert found.ids("post") == []
    assert [(each.what, each.reason) for each in found.problems] == [("article 700", "missing")]


def test_a_community_note_is_a_post_about_a_post(tmp_path: Path) -> None:
    row = {
        "noteId": "55",
        "tweetId": "66",
        "createdAt": "2022-11-03T08:50:26.000Z",
        "summary": "It was &quot;not&quot;.",
    }
    for stem, key in (("community-note", "communityNote"), ("birdwatch-note", "birdwatchNote")):
        found = read(make.export(tmp_path / f"{stem}.zip", {stem: [{key: row}]}))
        assert found.ids("post") == ["community-note-55"]
        record = record_of(found, found.of("post")[0])
        assert isinstance(record, Post)
        assert (record.text, record.quote_of_id, record.posted_ms) == ('It was "not".', "66", make.FIRST_MS)


def test_a_tombstone_says_that_a_community_note_is_gone(tmp_path: Path) -> None:
    row = {"noteId": "55", "createdAt": "2022-11-03T08:50:26.000Z", "deletedAt": "2022-11-04T08:50:26.000Z"}
    found = read(
        make.export(tmp_path / "x.zip", {"community-note-tombstone": [{"communityNoteTombstone": row}]})
    )
    record = record_of(found, found.of("gone")[0])
    assert isinstance(record, Gone)
    assert (record.platform_id, record.how) == ("community-note-55", "community-note-tombstone.js")
    assert record.deleted_ms == make.FIRST_MS + 86_400_000


def test_records_that_hold_neither_are_reported(tmp_path: Path) -> None:
    data: dict[str, list[make.Json]] = {
        "community-note": [{}],
        "article": [{"article": {"title": "x"}}, 5],
        "article-metadata": [5],
    }
    found = read(make.export(tmp_path / "x.zip", data))
    assert found.reasons() == ["broken", "broken", "broken", "broken"]
    assert "post" not in found.absences
