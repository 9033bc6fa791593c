"""All official test vectors of the age format, in the sequential and in the seeking reader."""

import hashlib
from collections import Counter
from io import BytesIO

import pytest

from archiver.formats.age import (
    AgeError,
    ArmorError,
    BytesSource,
    DecryptReader,
    HeaderError,
    HmacError,
    NoMatchError,
    PayloadError,
    SeekReader,
)
from archiver.formats.age.payload import CHUNK_BYTES
from tests.programs import SHARED_DATA, require_shared_data
from tests.vectors.age_testkit import Vector, parse_vector

FOLDER = SHARED_DATA / "age-testkit"
NAMES = sorted(path.name for path in FOLDER.iterdir()) if FOLDER.exists() else ["none present"]
ERRORS = {
    "no match": NoMatchError,
    "HMAC failure": HmacError,
    "header failure": HeaderError,
    "armor failure": ArmorError,
    "payload failure": PayloadError,
}


def load_vector(name: str) -> Vector:
    return parse_vector((require_shared_data("age-testkit") / name).read_bytes())


def read_front_to_back(vector: Vector, step: int) -> tuple[bytes, AgeError | None]:
    """All plaintext released, and what stopped it."""
    released = bytearray()
    try:
        reader = DecryptReader(BytesIO(vector.file), vector.identities)
        while part := reader.read1(step):
            released += part
    except AgeError as error:
        return bytes(released), error
    return bytes(released), None


def walk_chunks(vector: Vector) -> tuple[bytes, AgeError | None]:
    """All plaintext that the seeking reader releases, chunk by chunk, and what stopped it."""
    released = bytearray()
    try:
        reader = SeekReader(BytesSource(vector.file), vector.identities, cached_chunks=1)
        for offset in range(0, reader.size, CHUNK_BYTES):
            released += reader.read_at(offset, CHUNK_BYTES)
        assert len(released) == reader.size
    except AgeError as error:
        return bytes(released), error
    return bytes(released), None


def assert_expected(vector: Vector, error: AgeError | None) -> None:
    if vector.expect == "success":
        assert error is None
    else:
        assert type(error) is ERRORS[vector.expect], repr(error)


def test_all_143_vectors_are_there() -> None:
    folder = require_shared_data("age-testkit")
    expectations = Counter(load_vector(path.name).expect for path in folder.iterdir())
    assert expectations == {
        "success": 26,
        "no match": 13,
        "HMAC failure": 1,
        "header failure": 62,
        "armor failure": 22,
        "payload failure": 19,
    }
    assert expectations.total() == 143


@pytest.mark.parametrize("step", [-1, 1000])
@pytest.mark.parametrize("name", NAMES)
def test_the_sequential_reader_releases_exactly_what_the_vector_says(name: str, step: int) -> None:
    vector = load_vector(name)
    released, error = read_front_to_back(vector, step)
    assert_expected(vector, error)
    if vector.payload_sha256 is not None:
        assert hashlib.sha256(released).hexdigest() == vector.payload_sha256
    else:
        assert released == b""


@pytest.mark.parametrize("name", NAMES)
def test_the_seeking_reader_agrees_and_releases_no_more(name: str) -> None:
    vector = load_vector(name)
    released, error = walk_chunks(vector)
    assert_expected(vector, error)
    if vector.expect == "success":
        assert hashlib.sha256(released).hexdigest() == vector.payload_sha256
    else:
        # It cannot release more than a reader from the front, and mostly less: the last chunk comes first.
        assert read_front_to_back(vector, -1)[0].startswith(released)


def test_a_reader_with_the_file_key_needs_no_identity() -> None:
    vectors = [load_vector(path.name) for path in require_shared_data("age-testkit").iterdir()]
    for vector in vectors:
        if vector.expect == "success":
            assert vector.file_key is not None
            reader = SeekReader.with_file_key(BytesSource(vector.file), vector.file_key)
            assert hashlib.sha256(reader.read_at(0, reader.size)).hexdigest() == vector.payload_sha256
