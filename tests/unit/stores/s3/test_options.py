import pytest

from archiver.errors import ArchiverError
from archiver.stores.s3 import S3Options, S3Store


def test_a_place_is_told_with_its_server_and_without_a_password() -> None:
    assert S3Options("bucket").location == "s3://bucket"
    assert S3Options("bucket", "a/b/").location == "s3://bucket/a/b"
    options = S3Options("bucket", endpoint="https://user:word@s3.example:9000/path")
    assert options.location == "s3://bucket at s3.example:9000"
    assert repr(S3Store(options)) == "S3Store('s3://bucket at s3.example:9000')"


def test_the_keys_are_in_no_text() -> None:
    options = S3Options("b", access_key_id="KEY1", secret_access_key="KEY2", session_token="KEY3")
    for word in ("KEY1", "KEY2", "KEY3"):
        assert word not in repr(options)


def test_a_prefix_ends_in_a_slash() -> None:
    with pytest.raises(ValueError, match="ends in a slash"):
        S3Options("bucket", "force")
    assert S3Options("bucket", "force/").key("a/b") == "force/a/b"
    with pytest.raises(ArchiverError, match="cannot be a file's name"):
        S3Options("bucket", "force/").key("../b")


def test_making_a_store_asks_nothing_of_a_server() -> None:
    store = S3Store(S3Options("bucket", endpoint="http://127.0.0.1:9"))
    assert not store.is_near
