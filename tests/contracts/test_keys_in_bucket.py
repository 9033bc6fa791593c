"""An archive's key in a bucket: what somebody puts over it closes no archive, and opens none to a keyholder
who was removed."""

import pytest

from archiver.errors import IntegrityError, NoKeyError
from archiver.keys import Identity, new_identity, open_archive_key, seal_archive_key
from archiver.stores.s3 import S3Store
from tests.seaweed import Seaweed, seaweed

__all__ = ["seaweed"]

ARCHIVE = "2026-11-01"
NAME = f"archives/{ARCHIVE}/key.age"
ANNE, BERT, STRANGER = (new_identity(classic=True) for _ in range(3))


def sealed_to(own: Identity, *keyholders: Identity) -> bytes:
    return seal_archive_key(own, [one.recipient() for one in keyholders])


class Place:
    """A locked bucket with the key of one archive, and a client of somebody who may put objects there."""

    def __init__(self, server: Seaweed) -> None:
        self.own = new_identity(classic=True)
        self.bucket = server.make_bucket("locked")
        self.options = server.options(self.bucket, object_lock="compliance", lock_days=1)
        self.somebody = server.client()
        store = S3Store(self.options)
        store.put_new(NAME, sealed_to(self.own, ANNE, BERT))
        store.put_new(f"archives/{ARCHIVE}/manifest.json", b"{}")  # without one it was discarded

    def opened_by(self, identity: Identity) -> str:
        store = S3Store(self.options)
        return open_archive_key(store, ARCHIVE, [identity], self.own.recipient().encode()).encode()

    def overwrite(self, data: bytes) -> None:
        self.somebody.put_object(Bucket=self.bucket, Key=NAME, Body=data)


@pytest.fixture
def place(seaweed: Seaweed) -> Place:
    return Place(seaweed)


@pytest.mark.parametrize("over", ["garbage", "cut", "another archive's", "too much"])
def test_what_is_no_key_of_the_archive_is_read_past(place: Place, over: str) -> None:
    whole = sealed_to(place.own, ANNE)
    other = sealed_to(new_identity(classic=True), ANNE, BERT)
    found = {"garbage": b"x", "cut": whole[:-1], "another archive's": other, "too much": bytes(3 << 20)}
    place.overwrite(found[over])
    assert place.opened_by(ANNE) == place.own.encode()
    place.somebody.delete_object(Bucket=place.bucket, Key=NAME)
    assert place.opened_by(ANNE) == place.own.encode()


def test_the_newest_of_several_keys_below_garbage_counts(place: Place) -> None:
    S3Store(place.options).replace_key(NAME, sealed_to(place.own, ANNE))
    place.overwrite(b"nonsense")
    assert place.opened_by(ANNE) == place.own.encode()


def test_an_older_key_opens_nothing_to_a_keyholder_who_was_removed(place: Place) -> None:
    assert place.opened_by(BERT) == place.own.encode()
    S3Store(place.options).replace_key(NAME, sealed_to(place.own, ANNE))
    with pytest.raises(NoKeyError, match="none of these identities opens it"):
        place.opened_by(BERT)


def test_who_was_removed_does_not_get_in_by_putting_garbage_over_the_key(place: Place) -> None:
    S3Store(place.options).replace_key(NAME, sealed_to(place.own, ANNE))
    place.overwrite(b"nonsense")
    with pytest.raises(NoKeyError, match="none of these identities opens it"):
        place.opened_by(BERT)


def test_a_sound_file_for_somebody_else_is_told_as_no_key_and_not_read_past(place: Place) -> None:
    """From here it looks as after all keyholders were replaced; `archiver repair` tells."""
    place.overwrite(sealed_to(new_identity(classic=True), STRANGER))
    with pytest.raises(NoKeyError, match="none of these identities opens it"):
        place.opened_by(ANNE)


def test_where_nothing_below_is_the_key_the_newest_is_named_as_altered(seaweed: Seaweed) -> None:
    place = Place(seaweed)
    other = Place(seaweed)
    place.own = other.own
    with pytest.raises(IntegrityError, match="this is not the key of archive 2026-11-01"):
        place.opened_by(ANNE)
