"""Changes of bytes in place: every byte that stays is where it is said to be."""

from hypothesis import given
from hypothesis import strategies as st

from archiver.cutting.edits import Edit, Edits

SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 8), st.binary(max_size=3)), max_size=6)


def edits_within(size: int, spans: list[tuple[int, int, bytes]]) -> list[Edit]:
    return [
        Edit(start, min(size, start + length), new) for start, length, new in spans if start < size
    ]  # fmt: skip


@given(st.binary(min_size=1, max_size=40), SPANS)
def test_what_no_edit_touches_is_found_where_its_place_says(
    body: bytes, spans: list[tuple[int, int, bytes]]
) -> None:
    edits = Edits(edits_within(len(body), spans))
    new = edits.apply(body)
    for start in range(len(body)):
        for end in range(start + 1, len(body) + 1):
            if edits.touch(start, end):
                continue
            place = edits.place(start, end)
            assert place is not None
            assert new[place[0] : place[0] + place[1]] == body[start:end]


@given(st.binary(min_size=1, max_size=40), SPANS)
def test_what_lies_around_edits_has_a_place_and_what_they_cut_through_has_none(
    body: bytes, spans: list[tuple[int, int, bytes]]
) -> None:
    given_edits = edits_within(len(body), spans)
    edits = Edits(given_edits)
    new = edits.apply(body)
    assert (
        edits.place(0, len(body)) == (0, len(new))
        or any(one.start == 0 and one.end == len(body) for one in given_edits)
        or not new
        or edits.place(0, len(body)) is None
    )
    for edit in given_edits:
        if edit.end - edit.start > 1:
            assert edits.place(edit.start + 1, edit.end) is None


def test_a_replaced_span_is_where_its_replacement_is_and_a_cut_one_nowhere() -> None:
    edits = Edits([Edit(2, 4, b"xyz"), Edit(6, 8)])
    assert edits.apply(b"0123456789") == b"01xyz4589"
    assert edits.place(2, 4) == (2, 3)
    assert edits.place(6, 8) is None
    assert edits.place(4, 6) == (5, 2)
    assert edits.place(5, 9) == (6, 2)
    assert edits.place(7, 9) is None
    assert edits.place(5, 7) is None


def test_of_two_that_overlap_both_are_cut() -> None:
    assert Edits([Edit(1, 4, b"new"), Edit(3, 6)]).apply(b"0123456789") == b"06789"
    assert Edits([Edit(1, 6), Edit(3, 4, b"new")]).apply(b"0123456789") == b"06789"
