"""The README's chapter on several copies, followed as written against a real S3 server; and the tables of
docs/operations.md."""

import re
import shutil
from pathlib import Path

import pytest

from archiver.cli import main
from tests.cli.runner import Runner
from tests.docs.documents import blocks, prose
from tests.programs import PROJECT
from tests.seaweed import REGION, Seaweed, seaweed

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
        # A search that is told to read an optional store cannot know that it has everything.
        assert done.code == (3 if "search" in words else 0), (words, done)
    assert "@SpringfieldPolice" in done.output

    before = names_and_bytes(home / "vault")
    shutil.rmtree(home / "vault")
    assert run("--config", home, "search", "burglary").code == 3
    (home / "vault").mkdir()
    assert run("--config", home, "sync").code == 0
    assert names_and_bytes(home / "vault") == before
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


def test_every_permission_that_stores_need_is_used_by_the_store(run: Runner) -> None:
    """By the names that the API's operations have in code; `s3:GetObjectVersion` goes with GetObject."""
    named = set(re.findall(r"`s3:([A-Za-z]+)`", prose(OPERATIONS).partition("**Where the keys lie.**")[0]))
    source = "".join(path.read_text() for path in (PROJECT / "archiver" / "stores" / "s3").glob("*.py"))
    operations = {
        "PutObject": "put_object", "PutObjectRetention": "ObjectLockMode",
        "PutObjectLegalHold": "ObjectLockLegalHoldStatus", "GetObject": "get_object",
        "GetObjectVersion": "VersionId", "ListBucketVersions": "list_object_versions",
        "AbortMultipartUpload": "abort_multipart_upload",
        "ListBucketMultipartUploads": "list_multipart_uploads", "DeleteObject": "delete_object",
        "GetObjectRetention": "ObjectLockRetainUntilDate", "GetObjectLegalHold": "ObjectLockLegalHoldStatus",
        "GetBucketVersioning": "get_bucket_versioning",
        "GetBucketObjectLockConfiguration": "get_object_lock_configuration",
        "GetBucketPublicAccessBlock": "get_public_access_block",
        "GetBucketPolicyStatus": "get_bucket_policy_status", "GetBucketAcl": "get_bucket_acl",
        "DeleteObjectVersion": "delete_object",
    }  # fmt: skip
    refused = {"BypassGovernanceRetention", "PutBucketVersioning"}
    assert named - refused == set(operations)
    assert [name for name, used in operations.items() if used not in source] == []
