from archiver.stores.s3.upload import MOST_PARTS, PART_BYTES, part_bytes


def test_parts_grow_so_that_ten_thousand_hold_a_terabyte() -> None:
    sizes = [part_bytes(number) for number in range(1, MOST_PARTS + 1)]
    assert sizes[:4000] == [PART_BYTES] * 4000
    assert sizes[4000] == 2 * PART_BYTES
    assert sizes == sorted(sizes)
    assert min(sizes) >= 5 * 1024 * 1024
    assert max(sizes) <= 512 * 1024 * 1024
    assert sum(sizes) > 10**12
