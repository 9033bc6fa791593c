"""A bucket of the real server behind the proxy, for the tests of faults, and what is really in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from archiver.errors import StoreError
from archiver.stores.s3 import S3Store
from tests.seaweed import Kind, Seaweed
from tests.tcp_proxy import TcpProxy

PREFIX = "force/"


@dataclass
class Bucket:
    """One bucket, the server it is on, and the proxy on the way to it."""

    server: Seaweed
    proxy: TcpProxy
    name: str

    def store(self, **more: Any) -> S3Store:
        """The store, opened as another process would, through the proxy."""
        known = {"endpoint": self.proxy.endpoint, "prefix": PREFIX, "tries": 3, "first_wait_seconds": 0.01}
        return S3Store(self.server.options(self.name, **{**known, **more}))

    def direct(self) -> S3Store:
        """The store of another client, whose requests do not go through the proxy."""
        return S3Store(self.server.options(self.name, prefix=PREFIX))

    def versions(self) -> list[str]:
        """The names of all versions there are, with their keys' prefix taken off."""
        listed = self.server.client().list_object_versions(Bucket=self.name)
        return [one["Key"].removeprefix(PREFIX) for one in listed.get("Versions", ())]

    def uploads(self) -> list[tuple[str, int]]:
        """Uploads that were not ended: the name, and how many parts lie there."""
        client = self.server.client()
        found = []
        for one in client.list_multipart_uploads(Bucket=self.name).get("Uploads", ()):
            parts = client.list_parts(Bucket=self.name, Key=one["Key"], UploadId=one["UploadId"])
            found.append((one["Key"].removeprefix(PREFIX), len(parts.get("Parts", ()))))
        return found


@contextmanager
def bucket_behind_proxy(server: Seaweed, kind: Kind = "versioned", **proxy: Any) -> Iterator[Bucket]:
    """A new bucket, and a proxy in front of the server."""
    with TcpProxy(("127.0.0.1", server.port), **proxy) as between:
        yield Bucket(server, between, server.make_bucket(kind))


def verify_words(error: StoreError, bucket: Bucket) -> None:
    """An error as the house words them: one sentence that says where, a hint, and nothing secret."""
    assert error.exit_code == 1
    assert f"s3://{bucket.name}/force" in error.message
    assert "\n" not in error.message
    assert len(error.message) < 300
    assert error.hint
    for secret in (bucket.server.secret_key, bucket.server.access_key, "Signature=", "Credential="):
        assert secret not in f"{error.message} {error.hint} {getattr(error, '__notes__', '')}"
