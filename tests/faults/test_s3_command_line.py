"""Faults of a bucket as whoever runs the commands meets them: the exit code, what still waits in the spool,
and that the same command, when the fault has gone, ends well with everything there once."""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from archiver.cli import main
from archiver.disk import write_atomically
from archiver.stores.base import Store
from archiver.stores.local import LocalStore
from tests.cli.runner import Result, Runner
from tests.cli.stores import add_bucket
from tests.faults.buckets import PREFIX, Bucket, bucket_behind_proxy
from tests.faults.folders import LATER, copy_folder, make_folder, rewrite, sample
from tests.homes import Home
from tests.proxy_faults import Answer, Exchange, Hold, s3_error
from tests.seaweed import Seaweed, seaweed

__all__ = ["seaweed"]

PICTURE = "data/tweets_media/2095789103001753756-GCQuzbllkfyAA2.png"
PART = "partNumber=2"
EXPIRED = s3_error(400, "ExpiredToken", "The provided token has expired.")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


@pytest.fixture(scope="module")
def spooled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose spool holds an export with a picture that goes in three parts."""
    base = tmp_path_factory.mktemp("spooled")
    folder = make_folder(base / "home")
    export = rewrite(
        sample(base / "small.zip", months=1), base / "export.zip", {PICTURE: os.urandom(17_000_000)}
    )
    assert main(["--config", str(folder), "import", "--add-account", str(export)]) == 0
    return folder


@dataclass
class Scene:
    """A folder with a vault in it and a required bucket behind the proxy."""

    home: Home
    bucket: Bucket
    run: Runner
    bucket_first: bool

    def __call__(self, *words: str | Path) -> Result:
        result = self.run("--config", self.home.folder, *words)
        assert "Traceback" not in result.errors
        for secret in (self.bucket.server.access_key, self.bucket.server.secret_key):
            assert secret not in result.output + result.errors
        return result

    def waiting(self) -> int:
        """How many records `archiver status` says that wait."""
        (told,) = [line for line in self("status", "--json").json_lines() if line["type"] == "waiting"]
        return int(str(told["spool_records"]))

    def archives_in_bucket(self) -> list[str]:
        """Those that have a manifest there, which is what makes an archive exist."""
        names = self.bucket.direct().list("archives/")
        return [name.split("/")[1] for name in names if name.endswith("/manifest.json")]

    def check_all_there_once(self) -> None:
        """Both stores have the same, the bucket each name in one version, and nothing lies about."""
        assert contents(self.bucket.direct()) == contents(LocalStore(self.home.folder / "vault"))
        names = [name for name in self.bucket.versions() if name.startswith("archives/")]
        assert [name for name, times in Counter(names).items() if times > 1] == []
        assert self.bucket.uploads() == []
        assert self.waiting() == 0
        assert self("verify", "--deep").code == 0


def contents(store: Store) -> dict[str, bytes]:
    names = [name for name in store.list() if not name.startswith("checks/")]
    return {name: store.read(name, 1 << 30) for name in names}


def sealed(names: list[str]) -> list[str]:
    """Without the log, which says that this was tried."""
    return [name for name in names if not name.startswith("audit/")]


def make_scene(
    server: Seaweed, spooled: Path, folder: Path, bucket: Bucket, run: Runner, first: bool
) -> Scene:
    home = Home(copy_folder(spooled, folder))
    if first:
        settings = folder / "archiver.toml"
        text = settings.read_text().replace('vault = "vault"\n', "", 1)
        write_atomically(settings, text.encode())
    add_bucket(
        home,
        "bucket",
        server,
        bucket.name,
        required=True,
        prefix=PREFIX,
        endpoint=bucket.proxy.endpoint,
        tries=2,
    )
    if first:
        with (folder / "archiver.toml").open("a") as file:
            file.write('\n[[store]]\nname = "vault"\nkind = "local"\nrequired = true\npath = "vault"\n')
        assert main(["--config", str(folder), "sync"]) == 0
    return Scene(home, bucket, run, first)


@pytest.fixture(params=["bucket after the folder", "bucket first"])
def scene(
    request: pytest.FixtureRequest, seaweed: Seaweed, spooled: Path, tmp_path: Path, run: Runner
) -> Iterator[Scene]:
    with bucket_behind_proxy(seaweed, keep="versions") as bucket:
        first = request.param == "bucket first"
        yield make_scene(seaweed, spooled, tmp_path / "home", bucket, run, first)


def since(target: str) -> Callable[[Exchange], bool]:
    """Whether a request is one with this in its target, or comes after one."""
    begun = threading.Event()

    def is_hit(exchange: Exchange) -> bool:
        if target in exchange.target:
            begun.set()
        return begun.is_set()

    return is_hit


FAULTS: dict[str, tuple[Answer, str]] = {
    "expired": (EXPIRED, "the credentials have expired"),
    "over its quota": (
        s3_error(403, "QuotaExceeded", "The quota is exceeded."),
        "it is full (QuotaExceeded)",
    ),
    "without room": (s3_error(507, "InsufficientStorage"), "it is full (InsufficientStorage)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bucket_that_refuses_in_the_middle_of_an_upload_keeps_the_spool_and_the_next_run_completes_it(
    scene: Scene, fault: str
) -> None:
    answer, words = FAULTS[fault]
    records = scene.waiting()
    assert records > 0
    everything = since(PART)
    rule = scene.bucket.proxy.inject(
        answer, times=None,
        where=everything if fault == "expired" else lambda one: one.method == "PUT" and everything(one),
    )  # fmt: skip
    result = scene("seal")
    assert rule.hits > 0
    assert result.code == 1, result
    assert words in result.errors
    assert "archiver: hint: " in result.errors
    assert scene.archives_in_bucket() == []
    if fault != "expired":
        assert scene.bucket.uploads() == [], "what could be tidied up was"
    scene.bucket.proxy.heal()
    assert scene.waiting() == records
    result = scene("seal")
    assert result.code == 0, result
    scene.check_all_there_once()
    assert len(scene.archives_in_bucket()) == 1


def test_a_server_that_is_killed_in_the_middle_of_an_upload_keeps_the_spool_and_the_next_run_completes_it(
    spooled: Path, tmp_path: Path, run: Runner
) -> None:
    with Seaweed(tmp_path / "server") as server, bucket_behind_proxy(server) as bucket:
        scene = make_scene(server, spooled, tmp_path / "home", bucket, run, first=False)
        records = scene.waiting()
        hold = Hold()
        bucket.proxy.inject(hold, method="PUT", target=PART)

        def kill() -> None:
            assert hold.reached.wait(60)
            server.stop(kill=True)
            bucket.proxy.break_connections()
            hold.released.set()

        killer = threading.Thread(target=kill)
        killer.start()
        result = scene("seal")
        killer.join(60)
        assert result.code == 1, result
        assert "is not in every required store: store bucket: " in result.errors
        assert scene.waiting() == records
        server.start()
        assert scene.archives_in_bucket() == []
        result = scene("seal")
        assert result.code == 0, result
        scene.check_all_there_once()
        assert len(scene.archives_in_bucket()) == 1


def test_a_listing_without_the_newest_archive_is_no_reason_to_write_it_twice_or_to_call_all_well(
    scene: Scene, tmp_path: Path
) -> None:
    proxy = scene.bucket.proxy
    assert scene("sync").code == 0
    proxy.log.clear()
    assert scene("verify").code == 0
    old = [one for one in proxy.log if one.answer is not None and "versions" in one.target]
    assert old
    assert scene("seal").code == 0
    (archive,) = scene.archives_in_bucket()
    versions = sealed(scene.bucket.versions())

    def grow_stale() -> None:
        for one in old:
            assert one.answer is not None
            proxy.inject(one.answer, target="^" + one.target.replace("?", r"\?") + "$", times=None)

    grow_stale()
    result = scene("verify")
    assert result.code == 20, result
    assert f"store bucket: lacks {archive}, which vault has" in result.errors
    result = scene("sync")
    assert result.code == 0, result
    assert sealed(scene.bucket.versions()) == versions
    proxy.heal()
    later = sample(tmp_path / "later.zip", until=LATER, months=2)
    assert scene("import", later).code == 0
    records = scene.waiting()
    grow_stale()
    result = scene("seal")
    if scene.bucket_first:  # nothing is sealed onto a chain that seems cut off
        assert result.code == 20, result
        assert scene.waiting() == records
        proxy.heal()
        result = scene("seal")
    proxy.heal()
    assert result.code == 0, result
    assert len(scene.archives_in_bucket()) == 2
    scene.check_all_there_once()
