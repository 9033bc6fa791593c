"""The manifest: read as it was written, refused where it is not one."""

import json

import msgspec
import pytest

from archiver.archive.manifest import (
    FORMAT,
    Count,
    File,
    Manifest,
    ModerationCount,
    manifest_fields,
    parse_manifest,
)
from archiver.chain import Head
from archiver.errors import IntegrityError, NewerVersionError


def manifest(**fields: object) -> Manifest:
    file = File(name="records-000.sqlite.zst.age", kind="records", size=5, sha256="00", plain_size=9)
    pack = File(name="media-000.tar.age", kind="media", size=5, sha256="00", plain_size=9)
    known: dict[str, object] = {
        "format": FORMAT, "vault": "v", "archive": "2026-01-01", "sequence": 1, "previous": None,
        "sealed_at": "2026-01-01T00:00:00.000Z", "covers_from": None, "covers_to": None, "recipient": "age1",
        "mark": "m",
        "files": [file, pack], "counts": [], "problems": {}, "origins": [], "tool": "t", "configuration": "c",
    }  # fmt: skip
    return Manifest(**{**known, **fields})


LATER = ("moderation", "logs", "claim", "disposal_sha256", "replaces", "erased", "first_sealed_at")
"""Fields that are written only where they say something, as they were not there before."""


def test_a_manifest_is_read_as_it_was_written() -> None:
    written = manifest()
    assert parse_manifest(msgspec.json.encode(written), "manifest.json") == written
    assert [file.name for file in written.segments] == ["records-000.sqlite.zst.age"]


def test_what_was_decided_is_written_where_there_is_any_and_read_again() -> None:
    key = {"platform": "x", "account": "1", "month": "2026-11", "action": "hidden"}
    decided = {"decisions": 2, "reasons": {"abusive": 2, "spam": 1}, "reversals": 1}
    written = manifest(moderation=[ModerationCount(**key, **decided), ModerationCount(**key, reversals=1)])
    assert parse_manifest(msgspec.json.encode(manifest_fields(written)), "manifest.json") == written
    assert manifest_fields(written)["moderation"] == [{**key, **decided}, {**key, "reversals": 1}]
    assert "moderation" not in manifest_fields(manifest())
    assert set(manifest_fields(manifest())) == {
        field.name for field in msgspec.structs.fields(Manifest) if field.name not in LATER
    }


def test_a_manifest_of_the_first_version_is_read() -> None:
    fields = msgspec.to_builtins(manifest(counts=[Count(platform="x", account="1", kind="post", new=5)]))
    for later in ("gaps", "moderation", "logs", "claim"):
        del fields[later]
    found = parse_manifest(json.dumps(fields).encode(), "manifest.json")
    assert (found.gaps, found.moderation, found.logs, found.claim) == ([], [], {}, None)


def test_the_ends_of_the_log_are_written_where_there_are_any_and_read_again() -> None:
    written = manifest(logs={"records": Head(12, "ab" * 32)})
    assert parse_manifest(msgspec.json.encode(manifest_fields(written)), "manifest.json") == written
    assert manifest_fields(written)["logs"] == {"records": {"sequence": 12, "sha256": "ab" * 32}}


def test_fields_of_a_later_version_are_passed_over() -> None:
    fields = {**msgspec.to_builtins(manifest()), "later": {"a": 1}}
    assert parse_manifest(json.dumps(fields).encode(), "manifest.json") == manifest()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{}", b"[]", b"\xff", b"{" * 100_000, b"[" * 100_000,
        json.dumps({**msgspec.to_builtins(manifest()), "files": [{"name": "x"}]}).encode(),
        json.dumps({**msgspec.to_builtins(manifest()), "sequence": "1"}).encode(),
    ],
)  # fmt: skip
def test_what_is_no_manifest_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(IntegrityError, match=r"^archives/a/manifest\.json is not a manifest: ") as caught:
        parse_manifest(data, "archives/a/manifest.json")
    assert caught.value.hint


def test_another_format_is_named_with_the_one_that_can_be_read() -> None:
    for other in ("archiver-manifest-0", "archiver-manifest-x", "archiver-log-2", "", "2"):
        with pytest.raises(IntegrityError, match=f"has the format '{other}'") as caught:
            parse_manifest(msgspec.json.encode(manifest(format=other)), "m")
        assert caught.value.hint == f"this version reads {FORMAT}"


@pytest.mark.parametrize("fields", [{}, {"counts": 7, "files": None}], ids=["the same fields", "others"])
def test_a_later_format_is_told_as_such_whatever_its_fields(fields: dict[str, object]) -> None:
    written = {**msgspec.to_builtins(manifest(format="archiver-manifest-12")), **fields}
    with pytest.raises(NewerVersionError, match="m was made by a newer version") as caught:
        parse_manifest(json.dumps(written).encode(), "m")
    assert caught.value.hint
    assert "update this program" in caught.value.hint
