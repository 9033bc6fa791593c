"""Records: what the tables of a segment and the search language count on."""

from typing import get_args

from archiver.records import RELATION_KINDS, TIMED_KINDS, PostKind, RelationKind
from archiver.search.language import KINDS, MODERATION, POST_KINDS


def test_every_kind_of_record_can_be_searched_for() -> None:
    assert get_args(PostKind) == POST_KINDS
    assert get_args(RelationKind) == RELATION_KINDS
    assert set(KINDS) == {*POST_KINDS, "message", *RELATION_KINDS, MODERATION}
    assert set(TIMED_KINDS) == {"post", "message"}
