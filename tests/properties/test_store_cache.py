"""The cache of sealed bytes under any use of it: it gives back what was put or nothing, and stays within
its limit."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.stores.cache import FILE_NAME, StoreCache

LIMIT = 5000
KEYS = st.sampled_from(["a", "b", "s3://bucket/archives/2026-11-01/key.age|1", "ä"])
PUT = st.tuples(
    st.just("put"), KEYS, st.lists(st.tuples(st.integers(0, 50), st.binary(max_size=1500)), max_size=4)
)
ACTS = st.one_of(
    PUT,
    st.tuples(st.just("get"), KEYS, st.integers(0, 50)),
    st.tuples(st.just("reopen"), KEYS, st.none()),
)


@given(st.lists(ACTS, max_size=40))
@settings(max_examples=80)
def test_any_use_gives_back_what_was_put_or_nothing(acts: list[tuple[str, str, object]]) -> None:
    put: dict[str, dict[int, set[bytes]]] = {}
    now = 0

    def clock() -> int:
        nonlocal now
        now += 1
        return now

    with tempfile.TemporaryDirectory() as folder:
        cache = StoreCache(Path(folder), LIMIT, 60, clock)
        for kind, key, what in acts:
            if kind == "put":
                assert isinstance(what, list)
                cache.file(key).put(what)
                for start, data in what:
                    put.setdefault(key, {}).setdefault(start, set()).add(data)
            elif kind == "get":
                assert isinstance(what, int)
                found = cache.file(key).get(what)
                assert found is None or found in put[key][what]
            else:
                cache.close()
            held = [(each, *part) for each in put for part in cache.file(each).extents()]
            assert sum(length for _, _, length in held) <= LIMIT
            for each, start, length in held:
                assert any(len(data) == length for data in put[each][start])
        for each in put:
            for start, length in cache.file(each).extents():
                data = cache.file(each).get(start)
                assert data is not None
                assert len(data) == length
        assert cache.problem is None
        cache.close()
        if (Path(folder) / FILE_NAME).exists():
            assert (Path(folder) / FILE_NAME).stat().st_size < 30 * 16384
