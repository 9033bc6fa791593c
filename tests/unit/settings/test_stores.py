"""A store in words: where it is, and whether the way there is anybody's to read."""

from pathlib import Path

import pytest

from archiver.settings.stores import LocalStoreSettings, S3StoreSettings


def test_a_place_names_the_server_where_it_is_not_amazons() -> None:
    assert LocalStoreSettings("a", True, Path("/mnt/vault")).place == "/mnt/vault"
    assert S3StoreSettings("a", True, "bucket").place == "s3://bucket"
    assert S3StoreSettings("a", True, "bucket", "p/q/").place == "s3://bucket/p/q"
    there = S3StoreSettings("a", True, "bucket", "p/", endpoint="https://h.example:9000")
    assert there.place == "s3://bucket/p at h.example:9000"


@pytest.mark.parametrize(
    ("endpoint", "private"),
    [
        (None, True),
        ("https://h.example", True),
        ("http://127.0.0.1:8333", True),
        ("http://127.8.9.1", True),
        ("http://localhost:9000", True),
        ("http://[::1]:9000", True),
        ("http://h.example", False),
        ("http://127.0.0.1.example", False),
        ("http://10.0.0.1:9000", False),
    ],
)
def test_http_is_private_on_this_host_only(endpoint: str | None, private: bool) -> None:
    assert S3StoreSettings("a", True, "bucket", endpoint=endpoint).is_private_on_the_way is private
