"""Writing: only a clean close finishes a file, and recipients are not mixed."""

import gc
import io
from collections.abc import Callable

import pytest

from archiver.formats.age import (
    AgeError,
    BytesSource,
    DecryptReader,
    HmacError,
    HybridIdentity,
    MixedRecipientsError,
    PayloadError,
    Recipient,
    ScryptIdentity,
    ScryptRecipient,
    SeekReader,
    X25519Identity,
    decrypt,
    encrypt,
    encrypt_stream,
)
from archiver.formats.age.armor import Destination

IDENTITY = X25519Identity(bytes(range(32)))
HYBRID = HybridIdentity(bytes(range(32)))
RECIPIENT = IDENTITY.recipient()
SIZES = [0, 1, 65535, 65536, 65537, 200_000]


def assert_unfinished(sealed: bytes) -> None:
    with pytest.raises(AgeError):
        decrypt([IDENTITY], sealed)
    with pytest.raises(AgeError):
        SeekReader(BytesSource(sealed), [IDENTITY])


@pytest.mark.parametrize("armor", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_an_exception_inside_leaves_a_file_nobody_accepts(size: int, armor: bool) -> None:
    sealed = io.BytesIO()

    def write_interrupted() -> None:
        with encrypt_stream([RECIPIENT], sealed, armor=armor) as writer:
            writer.write(bytes(size))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_interrupted()
    assert_unfinished(sealed.getvalue())


@pytest.mark.parametrize("size", SIZES)
def test_a_writer_that_is_forgotten_does_not_finish_its_file(size: int) -> None:
    sealed = io.BytesIO()
    encrypt_stream([RECIPIENT], sealed).write(bytes(size))
    gc.collect()
    assert_unfinished(sealed.getvalue())


def test_closing_after_giving_up_does_not_finish_the_file() -> None:
    sealed = io.BytesIO()
    writer = encrypt_stream([RECIPIENT], sealed)
    writer.write(b"plain")
    writer.abort()
    writer.close()
    assert_unfinished(sealed.getvalue())


class FillingDisk(io.RawIOBase):
    """A raw destination with room for so many bytes; it takes a few thousand at a time."""

    def __init__(self, room: int) -> None:
        self.taken = bytearray()
        self.room = room

    def write(self, data: bytes | memoryview, /) -> int:  # type: ignore[override]  # narrower than Buffer
        part = data[: min(5000, self.room - len(self.taken))]
        if not part:
            raise OSError("no space left")
        self.taken += part
        return len(part)


def test_a_failed_write_cannot_be_closed_over() -> None:
    disk = FillingDisk(100_000)
    writer = encrypt_stream([RECIPIENT], disk)
    with pytest.raises(OSError, match="no space left"):
        writer.write(bytes(300_000))
    disk.room = 1_000_000
    with pytest.raises(AgeError, match="not finished"):
        writer.close()
    assert_unfinished(bytes(disk.taken))


def test_a_destination_that_takes_little_at_a_time_gets_everything() -> None:
    disk = FillingDisk(1_000_000)
    with encrypt_stream([RECIPIENT], disk) as writer:
        writer.write(bytes(300_000))
    assert decrypt([IDENTITY], bytes(disk.taken)) == bytes(300_000)


def test_the_destination_stays_open_and_counts_are_kept() -> None:
    sealed = io.BytesIO()
    with encrypt_stream([RECIPIENT], sealed) as writer:
        assert writer.write(memoryview(bytearray(b"plain"))) == 5
        writer.write(bytearray(70_000))
        assert writer.tell() == 70_005
    assert not sealed.closed
    assert writer.closed
    with pytest.raises(ValueError, match="closed"):
        writer.write(b"more")


def test_the_representation_hides_the_file_key() -> None:
    writer = encrypt_stream([RECIPIENT], io.BytesIO())
    assert writer.file_key.hex() not in repr(writer)
    assert repr(writer.file_key) not in repr(writer)


def test_what_was_written_is_read_back_with_the_writers_file_key() -> None:
    sealed = io.BytesIO()
    with encrypt_stream([HYBRID.recipient()], sealed) as writer:
        writer.write(bytes(100_000))
    reader = SeekReader.with_file_key(BytesSource(sealed.getvalue()), writer.file_key)
    assert reader.read_at(0, 200_000) == bytes(100_000)
    first_line, rest = sealed.getvalue().split(b"\n", 1)
    with pytest.raises(HmacError):
        SeekReader.with_file_key(BytesSource(first_line + b"\n-> grease\n\n" + rest), writer.file_key)
    with pytest.raises(HmacError):
        SeekReader.with_file_key(BytesSource(sealed.getvalue()), bytes(16))


@pytest.mark.parametrize(
    "make",
    [
        lambda: [RECIPIENT, HYBRID.recipient()],
        lambda: [HYBRID.recipient(), RECIPIENT],
        lambda: [RECIPIENT, ScryptRecipient("a passphrase", 4)],
        lambda: [HYBRID.recipient(), ScryptRecipient("a passphrase", 4)],
        lambda: [ScryptRecipient("a passphrase", 4), ScryptRecipient("another", 4)],
    ],
)
def test_recipients_that_must_not_share_a_file_are_refused(make: Callable[[], list[Recipient]]) -> None:
    sealed = io.BytesIO()
    with pytest.raises(MixedRecipientsError):
        encrypt_stream(make(), sealed)
    assert sealed.getvalue() == b""


def test_several_post_quantum_recipients_share_a_file() -> None:
    identities = [HybridIdentity.generate() for _ in range(5)]
    sealed = encrypt([identity.recipient() for identity in identities], b"plain")
    for identity in identities:
        assert decrypt([identity], sealed) == b"plain"
        assert SeekReader(BytesSource(sealed), [identity]).read_at(0, 5) == b"plain"


def test_no_recipient_and_too_many_are_refused() -> None:
    with pytest.raises(AgeError, match="no recipient"):
        encrypt([], b"plain")
    with pytest.raises(AgeError, match="at most 256"):
        encrypt([RECIPIENT] * 257, b"plain")
    assert decrypt([IDENTITY], encrypt([RECIPIENT] * 256, b"plain")) == b"plain"


def test_the_same_plaintext_never_seals_to_the_same_bytes() -> None:
    first, second = (encrypt([RECIPIENT], b"plain") for _ in range(2))
    assert first[-21:] != second[-21:]
    assert decrypt([IDENTITY], first) == decrypt([IDENTITY], second)


def test_a_passphrase_opens_what_it_closed() -> None:
    sealed = encrypt([ScryptRecipient("a passphrase", 4)], b"plain")
    assert DecryptReader(io.BytesIO(sealed), [IDENTITY, ScryptIdentity("a passphrase")]).read() == b"plain"


def test_a_writer_is_a_destination_itself() -> None:
    inner, outer = io.BytesIO(), io.BytesIO()
    with encrypt_stream([RECIPIENT], outer) as outside:
        destination: Destination = outside
        with encrypt_stream([RECIPIENT], destination) as inside:
            inside.write(b"plain")
    inner.write(decrypt([IDENTITY], outer.getvalue()))
    with pytest.raises(PayloadError):
        decrypt([IDENTITY], inner.getvalue()[:-1])
    assert decrypt([IDENTITY], inner.getvalue()) == b"plain"
