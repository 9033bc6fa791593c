"""The tars that entries of the log and claims are."""

import io
import tarfile

import pytest

from archiver.strict_tar import pack_tar, unpack_tar

MEMBERS = [("00000001.json", b"{}"), ("00000001.json.sig", b"signed")]
NAMES = [name for name, _ in MEMBERS]


@pytest.mark.parametrize("seconds", [-1, 0, 1_793_000_000, 8**11 - 1, 8**11, 2 * 8**11, 10**15])
def test_what_is_written_at_any_time_that_a_clock_may_show_is_read_again(seconds: int) -> None:
    data = pack_tar(MEMBERS, seconds)
    assert unpack_tar(data, NAMES, "1.tar", "entry", 1 << 20) == [b"{}", b"signed"]
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert [one.name for one in tar] == NAMES
