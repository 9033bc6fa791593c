"""Vaults made from records alone: real segments, sealed and signed, without an export to read first; and
vaults that hold a segment which an earlier version made.

For tests of what comes after sealing. What the captures of archives made here hold no parser reads; entries
of the moderation register are their own bytes."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from archiver.archive.build import MediaPlace, Place, SegmentBuilder
from archiver.archive.manifest import FORMAT, NAMESPACE, File, Manifest, manifest_fields
from archiver.chain import Head, encode_document, next_fields, sign_document
from archiver.disposal import commitment_of
from archiver.formats import age
from archiver.formats.seekable_zstd import SeekableWriter
from archiver.formats.ssh_signature import SigningKey, allowed_signers_line
from archiver.keys import MAXIMUM_KEY_BYTES, archive_key_name, new_identity, seal_archive_key
from archiver.records import Message, Moderation, Post, Record, Relation
from archiver.search.catalogue import Catalogue
from archiver.search.run import Searcher
from archiver.sources.moderation import encode_entry
from archiver.stores.local import LocalStore
from archiver.times import format_time
from archiver.vault import Vault
from tests.memory_store import MemoryStore
from tests.programs import PROJECT

SEALED_BEFORE = PROJECT / "tests" / "unit" / "archive" / "sealed_before"
"""Segments' databases as earlier versions made them, one for each schema: 1 by version 0.1.0 from a month of
the built-in sample; 2 by version 0.2.0 from an export and a fake of X that show the same posts; 3 by version
0.4.0 from made-up answers of X, some of them around an item of the moderation register."""
IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""A folder for vaults made by the dozen: on a disk, most of the time would go into syncing it."""
ACCOUNT = "1001"
HANDLE = "SpringfieldPD"
OTHER_ACCOUNT = "1002"
OTHER_HANDLE = "ShelbyvillePD"
HANDLES = {ACCOUNT: HANDLE, OTHER_ACCOUNT: OTHER_HANDLE}
VAULT_ID = "made-for-a-test"
DAY_MS = 86_400_000
NOWHERE = MediaPlace(None, None, None, None, None, "not captured")


@dataclass(frozen=True)
class Made:
    """A record and how many versions were taken up to this one; or that it is no version of its own."""

    record: Any
    version: int = 1
    again: bool = False


def post(platform_id: str, text: str, posted_ms: int = 0, **fields: object) -> Post:
    """A post of the account, unless the fields say otherwise."""
    known: dict[str, object] = {
        "platform": "x",
        "platform_id": platform_id,
        "record_id": platform_id,
        "account": ACCOUNT,
        "author_id": ACCOUNT,
        "author_handle": HANDLE,
        "author_name": "Springfield",
        "posted_ms": posted_ms,
        "kind": "post",
        "text": text,
    }
    return Post(**{**known, **fields})


def message(platform_id: str, text: str, posted_ms: int = 0, **fields: object) -> Message:
    known: dict[str, object] = {
        "platform": "x",
        "platform_id": platform_id,
        "account": ACCOUNT,
        "conversation_id": "9-1001",
        "posted_ms": posted_ms,
        "kind": "message",
        "sender_id": "9",
        "recipient_id": ACCOUNT,
        "text": text,
    }
    return Message(**{**known, **fields})


def like(platform_id: str, text: str | None, captured_ms: int = 0, **fields: object) -> Relation:
    known: dict[str, object] = {
        "platform": "x",
        "platform_id": platform_id,
        "account": ACCOUNT,
        "kind": "like",
        "captured_ms": captured_ms,
        "text": text,
    }
    return Relation(**{**known, **fields})


def moderation(entry_id: str, **fields: object) -> Moderation:
    """An entry of the moderation register: a decision about a reply, unless the fields say otherwise."""
    known: dict[str, object] = {
        "id": entry_id,
        "record_id": entry_id,
        "number": 1,
        "entry": "decision",
        "entered_ms": 0,
        "entered_by": "M. Example",
        "platform": "x",
        "account": ACCOUNT,
    }
    return Moderation(**{**known, **fields})


@dataclass
class VaultMaker:
    """Makes a vault in a folder, one archive at a time. `is_far`: it is read as from a store far away;
    `commits`: manifests say what a certificate of disposal must fit, as those of before did not."""

    folder: Path
    holder: age.X25519Identity = field(default_factory=age.X25519Identity.generate)
    head: Head | None = None
    is_far: bool = False
    commits: bool = True

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.store = LocalStore(self.folder)
        self.key = SigningKey.generate("collector")
        line = allowed_signers_line("collector", self.key.public_line(), [NAMESPACE])
        self.store.put_new("allowed_signers", f"{line}\n".encode())
        described = {"created": format_time(0), "format": "archiver-vault-1", "vault": VAULT_ID}
        self.store.put_new("vault.json", encode_document(described))

    def add(self, name: str, *segments: Sequence[Record | Made], fetched_ms: int = 0) -> None:
        """One more archive of these segments."""
        identity = new_identity(classic=True)
        files = [
            self._segment(name, number, [_made(one) for one in records], identity, fetched_ms)
            for number, records in enumerate(segments)
        ]
        self.store.put_new(archive_key_name(name), seal_archive_key(identity, [self.holder.recipient()]))
        self.sign(name, self.manifest(name, files, identity))

    def add_sealed_before(self, schema: int) -> str:
        """One more archive of the segment that an earlier version made; the archive's name."""
        packed = (SEALED_BEFORE / f"schema-{schema}.sqlite.zst").read_bytes()
        plain = zstandard.ZstdDecompressor().decompress(packed)
        database = sqlite3.connect(":memory:")
        database.deserialize(plain)
        (name,) = database.execute("SELECT value FROM meta WHERE name = 'archive'").fetchone()
        tables = [one for (one,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        records = {
            table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for table in ("post", "message", "relation", "account", "gone", "moderation")
            if table in tables
        }
        gone = dict(database.execute("SELECT kind, count(*) FROM gone GROUP BY kind"))
        (revised,) = database.execute(
            "SELECT (SELECT count(*) FROM post WHERE version <> 1 OR record_id IS NOT NULL)"
            " + (SELECT count(*) FROM message WHERE version <> 1)"
        ).fetchone()
        again = database.execute("SELECT count(*) FROM again").fetchone()[0] if "again" in tables else 0
        first, last = database.execute(
            "SELECT min(posted_ms), max(posted_ms) FROM"
            " (SELECT posted_ms FROM post UNION ALL SELECT posted_ms FROM message)"
        ).fetchone()
        database.close()
        identity = new_identity(classic=True)
        file_name = "records-000.sqlite.zst.age"
        with (
            self.store.create(f"archives/{name}/{file_name}") as file,
            age.encrypt_stream([identity.recipient()], file) as sealed,
            SeekableWriter(sealed) as frames,
        ):
            frames.write(plain)
        data = (self.folder / "archives" / name / file_name).read_bytes()
        described = File(
            name=file_name, kind="records", size=len(data), sha256=sha256(data).hexdigest(),
            plain_size=len(plain), records={table: rows for table, rows in records.items() if rows},
            gone=gone, revised=revised, again=again, posted_from=format_time(first),
            posted_to=format_time(last),
        )  # fmt: skip
        self.store.put_new(archive_key_name(name), seal_archive_key(identity, [self.holder.recipient()]))
        self.sign(name, self.manifest(name, [described], identity))
        return str(name)

    def manifest(self, name: str, files: list[File], identity: age.X25519Identity) -> Manifest:
        place = next_fields(self.head)
        return Manifest(
            format=FORMAT, vault=VAULT_ID, archive=name, sequence=int(str(place["sequence"])),
            previous=None if self.head is None else self.head.sha256, sealed_at=format_time(0),
            covers_from=None, covers_to=None, recipient=identity.recipient().encode(), mark=name,
            files=files, counts=[], problems={}, origins=[], tool="a test", configuration="",
            disposal_sha256=commitment_of(identity) if self.commits else None,
        )  # fmt: skip

    def sign(self, name: str, manifest: Manifest) -> None:
        """Put a manifest and its signature in place, as the chain's new end."""
        data, signature = sign_document(manifest_fields(manifest), self.key, NAMESPACE)
        self.store.put_new(f"archives/{name}/manifest.json.sig", signature)
        self.store.put_new(f"archives/{name}/manifest.json", data)
        self.head = Head(manifest.sequence, sha256(data).hexdigest())

    def vault(self) -> Vault:
        return Vault(self.far_store() if self.is_far else self.store)

    def far_store(self) -> MemoryStore:
        """What is in the folder now, as a store far away that counts what it is asked for."""
        far = MemoryStore(is_near=False)
        for name in self.store.list():
            far.put_new(name, (self.folder / name).read_bytes())
        far.forget_counts()
        return far

    def searcher(
        self, processes: int = 1, *, catalogue: Catalogue | None = None, language: str = "english"
    ) -> Searcher:
        """`catalogue`: one that is kept between searches; segments that it has are opened when needed."""
        vault = self.vault()
        archives = vault.list_archives().require_sound()
        return Searcher(
            vault, archives, [self.holder], catalogue=catalogue, language=language, processes=processes
        )

    def catalogue(self) -> Catalogue:
        """One of the whole vault as it lies in the folder, held in memory."""
        vault = Vault(self.store)
        catalogue = Catalogue.open(None, VAULT_ID, [self.holder])
        for archive in vault.list_archives().require_sound():
            for file in archive.manifest.segments:
                with closing(vault.open_segment(archive, file, [self.holder])) as reader:
                    key = self.store.read(archive_key_name(archive.name), MAXIMUM_KEY_BYTES)
                    catalogue.add(archive.name, file, reader, sha256(key).hexdigest())
        return catalogue

    def _segment(
        self, archive: str, number: int, records: list[Made], identity: age.X25519Identity, fetched_ms: int
    ) -> File:
        builder = SegmentBuilder(lambda account, file_name: NOWHERE, language="english")
        try:
            _fill(builder, records, fetched_ms)
            return self.seal_segment(archive, f"records-{number:03d}.sqlite.zst.age", builder, identity)
        finally:
            builder.close()

    def seal_segment(
        self, archive: str, file_name: str, builder: SegmentBuilder, identity: age.X25519Identity
    ) -> File:
        """Encrypt a segment whose rows and captures are in, into the store."""
        name = f"archives/{archive}/{file_name}"
        with (
            self.store.create(name) as file,
            age.encrypt_stream([identity.recipient()], file) as sealed,
            SeekableWriter(sealed) as frames,
        ):
            for frame, plain_size in builder.frames():
                frames.write_frame(frame, plain_size)
        data = (self.folder / name).read_bytes()
        return File(
            name=file_name, kind="records", size=len(data), sha256=sha256(data).hexdigest(),
            plain_size=frames.plain_size, records=builder.counts, gone=builder.gone, revised=builder.revised,
            again=builder.again,
            posted_from=None if builder.posted_from is None else format_time(builder.posted_from),
            posted_to=None if builder.posted_to is None else format_time(builder.posted_to),
        )  # fmt: skip


def _made(one: Record | Made) -> Made:
    return one if isinstance(one, Made) else Made(one)


def _time(one: Made) -> int:
    record = one.record
    return record.posted_ms if isinstance(record, Post | Message) else 0


def _fill(builder: SegmentBuilder, records: list[Made], fetched_ms: int) -> None:
    """Records in order of time posted, a capture and one part for each account."""
    bodies: dict[str, bytearray] = {}
    accounts = list(HANDLES)
    for made in sorted(records, key=_time):
        account = getattr(made.record, "account", ACCOUNT)
        body = bodies.setdefault(account, bytearray())
        is_entry = isinstance(made.record, Moderation)
        data = encode_entry(made.record) if is_entry else msgspec.json.encode(made.record)
        place = Place(accounts.index(account) + 1, len(body), len(data))
        builder.add(made.record, made.version, place, again=made.again)
        body += data + b"\n"
    builder.finish_rows()
    for account, body in bodies.items():
        number = accounts.index(account) + 1
        builder.add_capture(capture_row(number, account, fetched_ms))
        builder.add_part(number, number, bytes(body))
    builder.add_meta({"format": "archiver-segment-1"})


def capture_row(number: int, account: str, fetched_ms: int) -> tuple[object, ...]:
    return (
        number, "made", "export", "x", account, HANDLES[account], "Springfield", "made.zip!data/made.js",
        "made", "made-1", fetched_ms, fetched_ms, None, None, "{}", None, None, "00", "a test", "",
    )  # fmt: skip
