"""Servers that take a file and do not have what was sent: sealing, its copies and `sync` notice, and what was
captured stays in the spool. All else is a real server's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from archiver.cli import main
from tests.cli.runner import Runner
from tests.cli.stores import add_bucket
from tests.fakes.weak_s3 import Answer, weak_server
from tests.faults.folders import copy_folder, make_folder, sample
from tests.homes import Home
from tests.seaweed import Seaweed, seaweed

__all__ = ["seaweed"]
Lie = Callable[[Seaweed, BaseHTTPRequestHandler], Answer | None]
SEGMENT = "/records-"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose spool holds an export."""
    base = tmp_path_factory.mktemp("fresh")
    folder = make_folder(base / "home")
    export = sample(base / "export.zip", months=1)
    assert main(["--config", str(folder), "import", "--add-account", str(export)]) == 0
    return folder


def keep_others(server: Seaweed, request: BaseHTTPRequestHandler, **more: str) -> Answer | None:
    """Take a segment and keep as many other bytes."""
    bucket, _, key = request.path.partition("?")[0].removeprefix("/").partition("/")
    if request.command != "PUT" or SEGMENT not in request.path:
        return None
    data = bytearray(request.rfile.read())
    data[-1] ^= 1
    writer = {"archiver-writer": str(request.headers["x-amz-meta-archiver-writer"])}
    put = server.client().put_object(Bucket=bucket, Key=key, Body=bytes(data), Metadata=writer, **more)
    return 200, b"", {"ETag": put["ETag"], "x-amz-version-id": put["VersionId"]}


def keep_others_and_their_checksum(server: Seaweed, request: BaseHTTPRequestHandler) -> Answer | None:
    return keep_others(server, request, ChecksumAlgorithm="SHA256")


def tell(header: str, value: str) -> Lie:
    """Say something else of a segment that is right."""

    def lie(server: Seaweed, request: BaseHTTPRequestHandler) -> Answer | None:
        bucket, _, key = request.path.partition("?")[0].removeprefix("/").partition("/")
        if request.command != "HEAD" or SEGMENT not in request.path:
            return None
        told = server.client().head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        headers = dict(told["ResponseMetadata"]["HTTPHeaders"])
        return 200, b"", {**headers, header: value}

    return lie


LIES: dict[str, Lie] = {
    "other bytes": keep_others,
    "other bytes and their checksum": keep_others_and_their_checksum,
    "another checksum": tell("x-amz-checksum-sha256", "A" * 43 + "="),
    "another size": tell("content-length", "7"),
}


@contextmanager
def lying(server: Seaweed, home: Home, lie: Lie, *, first: bool = False) -> Iterator[None]:
    """A required bucket, after the vault or before it, whose server lies in the body."""
    bucket, settings = server.make_bucket("versioned"), home.folder / "archiver.toml"
    before = settings.read_text()
    add_bucket(home, "bucket", server, bucket, required=True, tries=1)
    if first:
        text = settings.read_text().replace('vault = "vault"\n', "", 1)
        settings.write_text(f'{text}\n[[store]]\nname = "vault"\nkind = "local"\npath = "vault"\n')
        assert main(["--config", str(home.folder), "sync"]) == 0
    honest = settings.read_text()
    assert honest != before
    with weak_server(server, lambda request: lie(server, request)) as endpoint:
        settings.write_text(honest.replace(server.endpoint, endpoint))
        yield
    settings.write_text(honest)


def is_spooled(home: Home) -> bool:
    with home.open_spool() as spool:
        return not spool.is_empty()


@pytest.mark.parametrize("lie", LIES)
def test_the_copy_that_a_server_has_not_right_keeps_the_spool(
    seaweed: Seaweed, fresh: Path, tmp_path: Path, run: Runner, lie: str
) -> None:
    home = Home(copy_folder(fresh, tmp_path / "home"))
    with lying(seaweed, home, LIES[lie]):
        result = run("--config", home.folder, "seal")
        assert result.code == 20, result
        assert "is not what was written there a moment ago" in result.errors
        assert is_spooled(home)
        assert run("--config", home.folder, "sync").code == 20
        assert is_spooled(home)
    result = run("--config", home.folder, "seal")
    assert result.code == 0, result
    assert not is_spooled(home)
    assert run("--config", home.folder, "verify", "--deep").code == 0


@pytest.mark.parametrize("lie", ["other bytes", "another size"])
def test_sealing_into_a_server_that_has_it_not_right_makes_no_archive(
    seaweed: Seaweed, fresh: Path, tmp_path: Path, run: Runner, lie: str
) -> None:
    home = Home(copy_folder(fresh, tmp_path / "home"))
    with lying(seaweed, home, LIES[lie], first=True):
        result = run("--config", home.folder, "seal")
        assert result.code == 20, result
        assert "is not what was written there a moment ago" in result.errors
        assert is_spooled(home)
    assert run("--config", home.folder, "seal").code == 0
    assert not is_spooled(home)
