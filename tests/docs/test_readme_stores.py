"""The README's chapter on several copies, followed as written against a real S3 server; and the tables of
docs/operations.md."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from archiver.cli import main
from tests.cli.runner import Runner
from tests.docs.documents import blocks, prose, table_rows
from tests.programs import PROJECT
from tests.proxy_faults import Exchange
from tests.seaweed import REGION, Seaweed, seaweed
from tests.tcp_proxy import TcpProxy

__all__ = ["seaweed"]

README = PROJECT / "README.md"
OPERATIONS = PROJECT / "docs" / "operations.md"
HEADING = "Several copies, one that nobody can delete"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


def block(language: str) -> str:
    (text,) = [one.text for one in blocks(README) if one.heading == HEADING and one.language == language]
    return text


@pytest.fixture
def home(tmp_path: Path, seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sample's folder with the chapter's store, its bucket on the server of the tests; the keys where
    Amazon's own programs have them."""
    folder = tmp_path / "police-archive"
    assert main(["demo", str(folder)]) == 0
    store = block("toml").replace("example-police-archive", seaweed.make_bucket("locked"))
    assert 'region = "eu-west-2"' in store
    store = store.replace("eu-west-2", REGION) + f'endpoint = "{seaweed.endpoint}"\naddressing = "path"\n'
    settings = folder / "archiver.toml"
    settings.write_text(f"{settings.read_text()}\n{store}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", seaweed.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", seaweed.secret_key)
    return folder


def names_and_bytes(vault: Path) -> dict[str, bytes]:
    return {
        path.relative_to(vault).as_posix(): path.read_bytes() for path in vault.rglob("*") if path.is_file()
    }


def test_the_chapters_commands_prove_fill_check_and_search_the_bucket(run: Runner, home: Path) -> None:
    commands = [
        line.replace("police-archive", str(home)).split()[1:] for line in block("console").splitlines()
    ]
    assert [one[2] for one in commands] == ["stores", "sync", "verify", "search"]
    for words in commands:
        done = run(*words)
        assert done.code == 0, (words, done)
    assert "@SpringfieldPolice" in done.output

    before = names_and_bytes(home / "vault")
    shutil.rmtree(home / "vault")
    assert run("--config", home, "search", "burglary").code == 0
    (home / "vault").mkdir()
    assert run("--config", home, "sync").code == 0
    after = names_and_bytes(home / "vault")
    assert {name: after[name] for name in before} == before
    assert {name.split("/")[0] for name in after.keys() - before.keys()} == {"audit"}, "the log has grown"
    assert run("--config", home, "verify", "--contents").code == 0


def test_any_s3_program_copies_the_vault_out_of_the_bucket(run: Runner, home: Path, seaweed: Seaweed) -> None:
    assert run("--config", home, "sync").code == 0
    client = seaweed.client()
    (bucket,) = re.findall(r'^bucket = "(.*)"$', (home / "archiver.toml").read_text(), re.MULTILINE)
    listed = client.list_objects_v2(Bucket=bucket)["Contents"]
    names = [one["Key"] for one in listed if not one["Key"].startswith("checks/")]
    copied = {name: client.get_object(Bucket=bucket, Key=name)["Body"].read() for name in names}
    assert copied == names_and_bytes(home / "vault")


def test_a_damaged_file_is_put_back_from_the_bucket(run: Runner, home: Path) -> None:
    assert run("--config", home, "sync").code == 0
    (file,) = (home / "vault").rglob("records-000*")
    sealed = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(sealed[:-1])
    assert run("--config", home, "verify").code == 20
    assert run("--config", home, "repair", file.parent.name).code == 0
    assert file.read_bytes() == sealed
    assert run("--config", home, "verify").code == 0


def test_every_command_that_the_operators_chapter_names_is_there(run: Runner) -> None:
    text = "\n".join([prose(OPERATIONS), *(one.text for one in blocks(OPERATIONS))])
    named = set(re.findall(r"`archiver ((?:[a-z]+ ?)+)", text)) | set(
        re.findall(r"--config police-archive ((?:[a-z]+ ?)+)", text)
    )
    assert {"sync", "stores check", "verify ", "keys rewrap"} <= named
    for command in named:
        assert run(*command.split(), "--help").code == 0, command


# What the keys must be allowed

BUCKET_QUESTIONS = {
    "versions": "ListBucketVersions",
    "uploads": "ListBucketMultipartUploads",
    "versioning": "GetBucketVersioning",
    "object-lock": "GetBucketObjectLockConfiguration",
    "publicAccessBlock": "GetBucketPublicAccessBlock",
    "policyStatus": "GetBucketPolicyStatus",
    "acl": "GetBucketAcl",
}


def permission(exchange: Exchange) -> str:
    """What a request needs ("Actions, resources, and condition keys for Amazon S3")."""
    path, _, query = exchange.target.partition("?")
    asked = parse_qs(query, keep_blank_values=True)
    if "/" not in path.strip("/"):  # of the bucket itself
        return next((name for key, name in BUCKET_QUESTIONS.items() if key in asked), "ListBucket")
    version = "Version" if "versionId" in asked else ""
    if exchange.method in ("GET", "HEAD"):
        return f"GetObject{version}"
    if exchange.method == "DELETE":
        return "AbortMultipartUpload" if "uploadId" in asked else f"DeleteObject{version}"
    return "PutObject"


def test_what_each_command_asks_of_the_bucket_is_what_the_document_says_it_must_be_allowed(
    run: Runner, home: Path, seaweed: Seaweed
) -> None:
    rows = table_rows(OPERATIONS, "| for | permissions |")
    assert [row[0].partition(",")[0].split()[0] for row in rows] == [
        "searching", "verifying", "sealing", "repair", "`stores",
    ]  # fmt: skip
    allowed: list[set[str]] = []
    for row in rows:
        named = set(re.findall(r"`s3:([A-Za-z]+)`", row[1]))
        allowed.append(named | (allowed[-1] if allowed else set()))
    settings = home / "archiver.toml"
    with TcpProxy(("127.0.0.1", seaweed.port)) as proxy:
        settings.write_text(settings.read_text().replace(seaweed.endpoint, proxy.endpoint))

        def asks(*words: str) -> set[str]:
            proxy.log.clear()
            assert run("--config", home, *words).code in (0, 3), words
            return {permission(exchange) for exchange in proxy.log}

        seen_by_check = asks("stores", "check")
        assert seen_by_check <= allowed[4]
        (archive,) = [path.name for path in (home / "vault" / "archives").iterdir()]
        assert asks("sync") <= allowed[4]  # a store that is new is proven first
        sync = asks("sync")
        sync |= _sealed_again(home, asks)
        assert sync <= allowed[2]
        assert asks("search", "--store", "bucket", "road") <= allowed[0]
        assert asks("show", "--store", "bucket", "2115504556332387059") <= allowed[0]
        verify = asks("verify", "--store", "bucket")
        assert verify <= allowed[1]
        assert "GetObjectVersion" in verify
        client, bucket = seaweed.client(), re.findall(r'^bucket = "(.*)"$', settings.read_text(), re.M)[0]
        client.delete_object(Bucket=bucket, Key=f"archives/{archive}/manifest.json")
        repair = asks("repair", archive)
        assert repair <= allowed[3]
        assert "DeleteObjectVersion" in repair
    for_locks = {"PutObjectRetention", "PutObjectLegalHold", "GetObjectRetention", "GetObjectLegalHold"}
    never_seen_here = {"AbortMultipartUpload", "DeleteObject", "GetObject"}  # where something went wrong
    assert allowed[4] - for_locks - never_seen_here <= seen_by_check | sync | verify | repair


def _sealed_again(home: Path, asks: Callable[..., set[str]]) -> set[str]:
    """What sealing one more archive asks."""
    asks("import", str(home / "sample-export.zip"))
    return asks("seal")
