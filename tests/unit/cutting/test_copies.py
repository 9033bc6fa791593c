"""Copies of a record beside others: found with their texts, and with the pictures that nothing else shows."""

import json
from typing import Any

from archiver.cutting.copies import find_copies, other_versions
from archiver.cutting.json_tree import parse_tree

ID, LATER, OTHER = "1588091220244369409", "1588091220244369410", "1588091220244369501"


def answer(**includes: object) -> bytes:
    own: dict[str, Any] = {"id": OTHER, "text": "mine", "attachments": {"media_keys": ["3_2"]}}
    return json.dumps({"data": [own], "includes": includes}).encode()


def test_an_object_is_a_copy_with_its_texts_and_pictures_but_for_those_that_another_shows() -> None:
    copy = {"id": ID, "text": "theirs", "attachments": {"media_keys": ["3_1", "3_2"]},
            "note_tweet": {"text": "all of theirs"}}  # fmt: skip
    media = [{"media_key": "3_1", "alt_text": "a bridge"}, {"media_key": "3_2", "alt_text": "a ford"}]
    body = answer(tweets=[copy], media=media)
    found = find_copies(parse_tree(body), {ID})
    assert [json.loads(body[start:end]) for start, end in found.spans] == [copy]
    assert found.texts == {"theirs", "all of theirs", "a bridge"}
    assert [json.loads(body[start:end]) for start, end in found.pictures] == [media[0]]


def test_where_there_is_none_nothing_is_found() -> None:
    found = find_copies(parse_tree(answer(media=[{"media_key": "3_1"}])), {ID})
    assert (found.spans, found.texts, found.pictures) == (frozenset(), frozenset(), frozenset())


def test_all_versions_of_an_edited_post_are_named_by_each() -> None:
    edited = {"id": LATER, "text": "x", "edit_history_tweet_ids": [ID, LATER]}
    other = {"id": OTHER, "text": "x", "edit_history_tweet_ids": [OTHER]}
    assert other_versions(parse_tree(answer(tweets=[edited, other])), {ID}) == {ID, LATER}
    assert other_versions(parse_tree(answer(tweets=[other])), {ID}) == set()
