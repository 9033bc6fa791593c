"""A folder as years of `archiver run` leave it, without what is in the archives: settings with accounts that
X is asked for, a chain of signed manifests, cursors, gaps, and a journal. For whatever only looks at it."""

from contextlib import closing
from pathlib import Path

from archiver import __version__
from archiver.archive.manifest import FORMAT, NAMESPACE, Count, File, Manifest, Origin, manifest_fields
from archiver.chain import Head, document_sha256, next_fields, sign_document
from archiver.keys import load_identity, load_signing_key
from archiver.progress import Cursor, Gap, Spend, Step, Walk
from archiver.schedule.checks import StoreNote, save_store_notes
from archiver.schedule.journal import Journal
from archiver.schedule.kinds import cursors_of
from archiver.schedule.report import JOB_NAMES
from archiver.settings import Settings, load_settings
from archiver.settings.api import DEFAULT_KINDS
from archiver.sources.x.times import first_id
from archiver.spool import Spool
from archiver.state import State
from archiver.stores.local import LocalStore
from archiver.times import format_date, format_time
from archiver.vault import Vault
from tests.faults.folders import make_folder

DAY_MS = 86_400_000
NOW_MS = 1_793_000_000_000
"""In October 2026."""
HOUR_MS = 3_600_000
_FILE_BYTES = 1_000_000


def account_id(number: int) -> str:
    """Of one of the accounts, counted from 0."""
    return str(1_000_000_001 + number)


def make_long_kept(folder: Path, *, accounts: int = 2, archives: int = 3, now_ms: int = NOW_MS) -> Settings:
    """All is well there at `now_ms`: everything was collected an hour before, sealed this month, checked
    today."""
    make_folder(folder)
    with (folder / "archiver.toml").open("a") as file:
        file.writelines(_account_block(number) for number in range(accounts))
    settings = load_settings(folder / "archiver.toml")
    head = _seal(settings, accounts, archives, now_ms)
    with closing(State(settings.state)) as state:
        if head is not None:
            state.set_head(head)
    with closing(Spool(settings.spool, load_identity(settings.spool_identity))) as spool:
        for number in range(accounts):
            collect(spool, account_id(number), now_ms - HOUR_MS)
    with closing(Journal(settings.journal)) as journal:
        for name in ("run", *JOB_NAMES):
            journal.begin(name, now_ms - HOUR_MS)
            journal.end(name, now_ms - HOUR_MS, 0)
    note_checked(settings, now_ms)
    return settings


def note_checked(settings: Settings, now_ms: int = NOW_MS) -> None:
    """As a check of an hour ago noted the first store, where it lies now: a copy lies elsewhere."""
    checked = StoreNote(
        place=settings.stores[0].place, whole_ms=now_ms - HOUR_MS, read_to_ms=now_ms - 30 * DAY_MS
    )
    with closing(Journal(settings.journal)) as journal:
        save_store_notes(journal, {settings.stores[0].name: checked})


def _account_block(number: int) -> str:
    return (
        f'\n[[account]]\nplatform = "x"\nid = "{account_id(number)}"\nhandle = "ExamplePolice{number}"\n'
        f'[account.api]\ntoken = "file:collector/x-{number}.token"\n'
    )


def collect(spool: Spool, account: str, at_ms: int, *, cut_off: bool = False) -> None:
    """As a run that took all kinds to their end leaves an account; `cut_off`: and the next, midway."""
    walk = Walk(digest="0" * 64, started_ms=at_ms) if cut_off else None
    cursor = Cursor(mark=str(first_id(at_ms, 1)), walk=walk, started_ms=at_ms, finished_ms=at_ms, taken=3)
    for kind in DEFAULT_KINDS:
        for name in cursors_of(kind):
            spent = Spend(format_date(at_ms)[:7], "x", account, name, 1, 3, 15_000)
            spool.save_step(Step(platform="x", account=account, kind=name, cursor=cursor, spend=spent))


def add_gap(spool: Spool, account: str, at_ms: int) -> None:
    """Posts that no walk reaches any more."""
    gap = Gap(
        platform="x", account=account, kind="posts", after_id="1", after_ms=None, before_id="2",
        before_ms=at_ms, noticed_ms=at_ms, reason="X shows the newest 3,200 only",
    )  # fmt: skip
    cursor = spool.progress.cursor("x", account, "posts")
    spool.save_step(Step(platform="x", account=account, kind="posts", cursor=cursor, gaps=(gap,)))


def _seal(settings: Settings, accounts: int, archives: int, now_ms: int) -> Head | None:
    """Manifests alone, one a month of 30 days, the last an hour ago."""
    store, key = LocalStore(settings.home / "vault"), load_signing_key(settings.signing_key)
    vault_id = Vault(store).id
    head: Head | None = None
    for number in range(archives):
        at_ms = now_ms - HOUR_MS - (archives - 1 - number) * 30 * DAY_MS
        manifest = _manifest(vault_id, accounts, at_ms, head)
        data, signature = sign_document(manifest_fields(manifest), key, NAMESPACE)
        store.put_new(f"archives/{manifest.archive}/manifest.json.sig", signature)
        store.put_new(f"archives/{manifest.archive}/manifest.json", data)
        head = Head(number + 1, document_sha256(data))
    return head


def _manifest(vault_id: str, accounts: int, at_ms: int, head: Head | None) -> Manifest:
    records = {"post": 40 * accounts, "message": 5 * accounts}
    return Manifest(
        format=FORMAT,
        vault=vault_id,
        archive=format_date(at_ms),
        sequence=int(str(next_fields(head)["sequence"])),
        previous=None if head is None else head.sha256,
        sealed_at=format_time(at_ms),
        covers_from=format_time(at_ms - 30 * DAY_MS),
        covers_to=format_time(at_ms),
        recipient="age1",
        mark="0" * 32,
        files=[
            File(
                name="records-000.sqlite.zst.age", kind="records", size=_FILE_BYTES, sha256="0" * 64,
                plain_size=_FILE_BYTES, records=records,
            )
        ],
        counts=[
            Count(platform="x", account=account_id(number), kind=kind, new=40)
            for number in range(accounts)
            for kind in ("post", "message", "relation", "profile", "media")
        ],
        problems={},
        origins=[
            Origin(
                source="x", route="api", account=account_id(number), request=f"/2/users/{number}/{kind}",
                fetched_at=format_time(at_ms), source_sha256="0" * 64, requests=3,
            )
            for number in range(accounts)
            for kind in DEFAULT_KINDS
        ],
        tool=f"archiver {__version__}",
        configuration="0" * 64,
    )  # fmt: skip
