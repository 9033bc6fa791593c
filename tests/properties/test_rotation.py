"""Over a period every file is read, whatever is added meanwhile; no day brings much more than its share."""

from hypothesis import given
from hypothesis import strategies as st

from archiver.schedule.checks import ReadNote
from archiver.schedule.due import DAY_MS
from archiver.verification.rotation import (
    DAYS_OF_MONTH,
    MOST_DAYS,
    next_to_read,
    note_read,
    read_to_ms,
)

START_MS = 1_793_000_000_000
MEBIBYTE = 1 << 20
SIZES = st.integers(1, 1100 * MEBIBYTE)


def read_all_day(note: ReadNote, sizes: dict[str, int], months: int, now_ms: int) -> list[str]:
    names = next_to_read(note, sizes, months, now_ms)
    for name in names:
        note_read(note, name, now_ms)
    return names


def load(names: list[str], sizes: dict[str, int]) -> int:
    return sum(sizes[name] for name in names)


@given(
    first=st.lists(SIZES, min_size=1, max_size=30),
    added=st.dictionaries(st.integers(1, 60), st.lists(SIZES, min_size=1, max_size=4), max_size=8),
    months=st.sampled_from([1, 2, 6]),
)
def test_every_file_is_read_within_the_period_whatever_is_added(
    first: list[int], added: dict[int, list[int]], months: int
) -> None:
    sizes = {f"old-{number}": size for number, size in enumerate(first)}
    note = ReadNote(since_ms=START_MS)
    seen = dict.fromkeys(sizes, 0)
    days = months * DAYS_OF_MONTH
    for day in range(2 * days + 62):
        for number, size in enumerate(added.get(day, ())):
            sizes[f"new-{day}-{number}"] = size
            seen[f"new-{day}-{number}"] = day
        names = read_all_day(note, sizes, months, START_MS + day * DAY_MS)
        share = sum(sizes.values()) / days
        assert load(names[:-1], sizes) <= share + 1  # and the rest of the last file
        seen |= dict.fromkeys(names, day)
        assert not {name: day - at for name, at in seen.items() if day - at > days}
    last_ms = read_to_ms(note)
    assert last_ms is not None
    assert last_ms >= START_MS + (days + 61) * DAY_MS


@given(st.lists(st.integers(MEBIBYTE // 2, MEBIBYTE), min_size=200, max_size=300), st.sampled_from([1, 2, 6]))
def test_the_load_is_even_from_the_first_period_on(first: list[int], months: int) -> None:
    sizes = {str(number): size for number, size in enumerate(first)}
    days = months * DAYS_OF_MONTH
    note, share = ReadNote(since_ms=START_MS), sum(first) / days
    loads = [
        load(read_all_day(note, sizes, months, START_MS + day * DAY_MS), sizes) for day in range(3 * days)
    ]
    assert max(loads) <= share + MEBIBYTE
    for begin in range(7, 2 * days, 7):  # any week but the first days brings about a week's share
        assert abs(sum(loads[begin : begin + 7]) - 7 * share) <= 2 * MEBIBYTE


@given(
    pauses=st.lists(st.integers(1, 400), min_size=1, max_size=30),
    first=st.lists(st.integers(1, MEBIBYTE), min_size=20, max_size=60),
)
def test_after_a_pause_a_run_reads_four_days_at_most_and_catches_up(
    pauses: list[int], first: list[int]
) -> None:
    sizes = {str(number): size for number, size in enumerate(first)}
    note, months, day = ReadNote(since_ms=START_MS), 6, 0
    share = sum(first) / (months * DAYS_OF_MONTH)
    for pause in pauses:
        day += pause
        names = read_all_day(note, sizes, months, START_MS + day * DAY_MS)
        assert load(names[:-1], sizes) <= MOST_DAYS * share + 1
    for _ in range(months * DAYS_OF_MONTH // MOST_DAYS + 2):  # then it runs each day
        day += 1
        read_all_day(note, sizes, months, START_MS + day * DAY_MS)
    assert START_MS + day * DAY_MS - min(note.files.values()) <= months * DAYS_OF_MONTH * DAY_MS


@given(st.lists(st.integers(-4000, 4000), min_size=1, max_size=20))
def test_a_wrong_clock_keeps_no_file_from_being_read(offsets: list[int]) -> None:
    sizes = {str(number): MEBIBYTE for number in range(40)}
    note = ReadNote(since_ms=START_MS)
    for offset in offsets:
        read_all_day(note, sizes, 1, START_MS + offset * DAY_MS)
    unread = set(sizes)
    for day in range(2 * DAYS_OF_MONTH):
        unread -= set(read_all_day(note, sizes, 1, START_MS + day * DAY_MS))
    assert not unread


def test_a_store_without_files_asks_for_nothing_and_one_alone_is_read_once_a_period() -> None:
    note = ReadNote(since_ms=START_MS)
    assert next_to_read(note, {}, 6, START_MS) == []
    assert read_to_ms(note) is None
    days = [day for day in range(400) if read_all_day(note, {"one": 5}, 6, START_MS + day * DAY_MS)]
    assert days == [168, 336]
