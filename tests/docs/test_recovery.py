"""`docs/recovery.md`, followed to the letter: no code of ours, and no program but those it names.

The vaults are made through the command line, of three sample exports a month apart, and hold a moderation
record that was entered when two of them were there. What the procedure brings is held against what our own
reader says."""

import datetime as dt
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from archiver.claims.holder import Claimant, claim_vault, load_claims
from archiver.cli import main
from archiver.formats.ssh_signature import AllowedSigners
from archiver.keys import load_signing_key
from archiver.moderation.keeping import keep_entries
from archiver.sample import write_sample_export
from archiver.search.language.fields import POST_KINDS
from archiver.sources.moderation import encode_entry
from archiver.stores.local import LocalStore
from tests.authority import Authority, authority, make_authority
from tests.docs.documents import blocks, table_rows
from tests.docs.terminal import run_on_terminal
from tests.faults.folders import make_folder
from tests.homes import Home
from tests.made_vaults import ACCOUNT, moderation
from tests.programs import PROJECT, require_node_age, require_program
from tests.unit.seal.spooled import AUTHOR_HANDLE, answer_of, with_screenshot, x_post

DOCUMENT = PROJECT / "docs" / "recovery.md"
PROGRAMS = ("ssh-keygen", "sqlite3", "age", "age-keygen", "zstd", "tar", "openssl")
USUAL = ("bash", "sha256sum", "ls", "sort", "cut", "sed", "head", "tail", "mkdir", "basename", "date")
"""The document says that these are needed too."""
START = "Before you start"
WITH_AGE, WITH_NODE = "With age", "With node"
OPEN_IDENTITY = "An identity file with a passphrase"
STAMPS = "Time stamps"
HOSTS = "Which hosts collected"
DISPOSED = "Archives that were disposed of"
CHECKS = ("1. Signatures", "2. The chain", "3. The files", STAMPS)
KEYS, RIGHT_KEY = "4. The archives' keys", "Is it the right key?"
OPENING = ("5. The databases", "6. Searching", "7. What the platform sent, to the byte")
WITH_EXPORT = "With the original export still at hand"
MEDIA = "8. Pictures and videos"
MODERATION = ("9. Moderation records", "Screenshots and pictures", "What stood around an item, as X sent it")
LOG = "10. The log"
SCREENSHOT = b"what the screen showed"
DECIDED_MS = 1_793_000_000_000
OUTCOME = moderation(
    "m1-2", record_id="m1", number=2, entry="outcome", corrects="m1", entered_ms=DECIDED_MS + 60_000,
    entered_by="program", state="done", outcome="hidden: true",
)  # fmt: skip
PASSPHRASE = "seven plain words nobody would guess here"
RELATIONS = [
    "follower",
    "following",
    "block",
    "mute",
    "like",
    "list_created",
    "list_member",
    "list_subscribed",
]


@dataclass(frozen=True)
class Vault:
    """A vault that the command line made, with its settings, its identity and October's export; and the root
    of the authority whose time stamps it has, if it has any."""

    home: Path
    export: Path
    identity: Path
    root: Path | None = None

    def copy_to(self, folder: Path) -> None:
        """Lay out what the document asks for. Sealed files are read-only; a test may alter its copy."""
        shutil.copytree(self.home / "vault", folder / "vault", copy_function=shutil.copyfile)
        shutil.copyfile(self.identity, folder / "records.identity")
        shutil.copyfile(self.export, folder / "export.zip")
        if self.root is not None:
            shutil.copyfile(self.root, folder / "authority.pem")


def archiver(*arguments: str | Path) -> None:
    assert main([str(one) for one in arguments]) == 0


def make_vault(folder: Path, *options: str, stamps: Authority | None = None) -> Vault:
    """Three archives of three months' exports: in October two posts are deleted and two are absent, of
    which one is there again in November. Sealed with time stamps where there is an authority."""
    home = folder / "force"
    archiver("init", home, "--holder", "records", *options)
    if stamps is not None:
        with (home / "archiver.toml").open("a") as settings:
            settings.write(stamps.settings())
    september, october, november = (folder / f"{month}.zip" for month in ("september", "october", "november"))
    posts = write_sample_export(september, until=dt.date(2026, 9, 30), months=6).post_ids
    write_sample_export(
        october,
        until=dt.date(2026, 10, 31),
        months=7,
        delete_post_ids=posts[5:7],
        drop_post_ids=posts[9:11],
    )
    dropped = (*posts[5:7], posts[9])
    write_sample_export(november, until=dt.date(2026, 11, 30), months=8, drop_post_ids=dropped)
    for export in (september, october, november):
        archiver("--config", home, "import", "--add-account", export)
        enter(Home(home), export)
        archiver("--config", home, "seal")
    return Vault(home, october, home / "keys" / "records.identity", stamps and stamps.root_path)


def enter(home: Home, export: Path) -> None:
    """In October a decision with a screenshot and what stood around the item, in November what came of it."""
    with home.open_spool() as spool:
        if export.stem == "october":
            answers = [answer_of(spool, x_post("70001", "You fools")), answer_of(spool, body_kind="author")]
            decision = with_screenshot(
                spool, "m1", SCREENSHOT, entered_ms=DECIDED_MS, item_id="70001", author_handle=AUTHOR_HANDLE,
                item_url=f"https://x.com/{AUTHOR_HANDLE}/status/70001", text="You fools", action="hidden",
                state="planned", reason_codes=("abusive", "spam"),
                context_sha256=tuple(one.body_sha256 for one in answers),
            )  # fmt: skip
            keep_entries(spool, [decision], answers)
        if export.stem == "november":
            keep_entries(spool, [OUTCOME])


@pytest.fixture(scope="session")
def classic(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    folder = tmp_path_factory.mktemp("classic")
    with authority(folder / "authority") as one:
        return make_vault(folder, "--classic", "--no-passphrase", stamps=one)


@pytest.fixture(scope="session")
def post_quantum(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    folder = tmp_path_factory.mktemp("post-quantum")
    (folder / "passphrase").write_text(PASSPHRASE + "\n")
    (folder / "passphrase").chmod(0o600)
    return make_vault(folder, "--passphrase-from", f"file:{folder / 'passphrase'}")


def script(*headings: str) -> str:
    """The commands under these headings, one after the other; what each prints is told apart by a line."""
    found = blocks(DOCUMENT)
    parts = []
    for heading in headings:
        commands = [one.text for one in found if one.heading == heading and one.language == "sh"]
        assert commands, f"{DOCUMENT.name} has no commands under {heading!r}"
        parts += [f"printf '\\036%s\\n' {json.dumps(heading)}\n", *commands]
    return "".join(parts)


def only_these(folder: Path, *programs: str) -> Mapping[str, str]:
    """An environment in which nothing else can be called."""
    folder.mkdir()
    for program in programs:
        (folder / program).symlink_to(require_program(program))
    return {"PATH": str(folder), "HOME": str(folder), "LC_ALL": "C.UTF-8", "TERM": "dumb"}


def outputs(text: str) -> dict[str, str]:
    """What was printed under each heading."""
    parts = [part.partition("\n") for part in text.split("\036")[1:]]
    return {heading.strip(): body for heading, _, body in parts}


def follow(folder: Path, environ: Mapping[str, str], *headings: str) -> dict[str, str]:
    """Run the commands under these headings; everything they print, errors included, by heading."""
    run = subprocess.run(
        ["bash", "-c", script(*headings)],
        cwd=folder,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return outputs(run.stdout)


@pytest.fixture(scope="session")
def recovered(classic: Vault, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The whole document followed once on the classic vault: the folder, and what was printed."""
    folder = tmp_path_factory.mktemp("recovered")
    classic.copy_to(folder)
    environ = only_these(folder / "programs", *PROGRAMS, *USUAL)
    steps = (
        START,
        WITH_AGE,
        *CHECKS,
        HOSTS,
        DISPOSED,
        KEYS,
        RIGHT_KEY,
        *OPENING,
        WITH_EXPORT,
        MEDIA,
        *MODERATION,
        LOG,
    )
    return folder, follow(folder, environ, *steps)


def test_the_hosts_that_collected_are_listed_with_their_signatures(
    classic: Vault, recovered: tuple[Path, dict[str, str]]
) -> None:
    printed = recovered[1][HOSTS]
    (claim,) = load_claims(LocalStore(classic.home / "vault"), *vault_of(classic))
    good, line = printed.splitlines()
    assert good.startswith('Good "archiver-collector" signature for collector with ED25519 key')
    assert line.split() == [claim.claim.at, claim.claim.host]


def test_an_altered_claim_and_one_that_is_missing_show(classic: Vault, tmp_path: Path) -> None:
    classic.copy_to(tmp_path)
    environ = only_these(tmp_path / "programs", *PROGRAMS, *USUAL)
    store = LocalStore(tmp_path / "vault")
    key = load_signing_key(classic.home / "collector" / "signing_key")
    vault, allowed = vault_of(classic)
    claim_vault(store, vault, allowed, Claimant("second", key), lambda: DECIDED_MS, reason="moved")
    assert "WRONG" not in follow(tmp_path, environ, START, CHECKS[0], CHECKS[1], HOSTS)[HOSTS]
    first = tmp_path / "vault" / "collectors" / "00000001.tar"
    whole = first.read_bytes()
    first.write_bytes(whole.replace(b'"archiver ', b'"Archiver '))
    (tmp_path / "opened").rename(tmp_path / "opened-1")
    printed = follow(tmp_path, environ, START, CHECKS[0], CHECKS[1], HOSTS)[HOSTS]
    assert "WRONG: the signature of claim 00000001" in printed
    assert "WRONG: claim 00000002" in printed


def vault_of(vault: Vault) -> tuple[str, AllowedSigners]:
    opened = Home(vault.home).vault
    return opened.id, opened.allowed_signers()


def archives(vault: Vault) -> list[str]:
    return sorted(path.name for path in (vault.home / "vault" / "archives").iterdir())


def our_records(vault: Vault, capsys: pytest.CaptureFixture[str], query: str) -> list[dict[str, object]]:
    """What our own search says, without its summary."""
    capsys.readouterr()
    archiver("--config", vault.home, "search", "--json", "--limit", "0", query)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()][:-1]


def our_restore(vault: Vault, folder: Path) -> Path:
    for archive in archives(vault):
        archiver("--config", vault.home, "restore", archive, "--to", folder)
    return folder


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sqlite(database: Path, sql: str) -> list[dict[str, object]]:
    """Rows as the sqlite3 program gives them."""
    run = subprocess.run(
        [require_program("sqlite3"), "-json", str(database), sql], capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout) if run.stdout.strip() else []


def assert_databases_and_media_are_ours(vault: Vault, opened: Path, restored: Path) -> None:
    """Every file that the document's commands wrote is, to the byte, what `archiver restore` writes."""
    our_restore(vault, restored)
    ours = {
        path.relative_to(restored).as_posix(): sha256(path)
        for path in restored.rglob("*")
        if path.is_file() and not path.name.startswith("manifest.json")
    }
    theirs = {name: sha256(opened / name) for name in ours}
    assert theirs == ours
    assert sum(name.endswith(".sqlite") for name in ours) == 3
    assert sum("/media/" in name for name in ours) > 10


def test_every_signature_is_found_good(classic: Vault, recovered: tuple[Path, dict[str, str]]) -> None:
    printed = recovered[1]["1. Signatures"]
    assert printed.count('Good "archiver-manifest" signature for collector') == len(archives(classic)) == 3
    assert "WRONG" not in printed
    key = (classic.home / "collector" / "signing_key.pub").read_text()
    known = subprocess.run(
        [require_program("ssh-keygen"), "-lf", "-"], input=key, capture_output=True, text=True, check=True
    ).stdout.split()[1]
    assert known in printed


def test_the_chain_is_whole_and_ends_where_our_verify_says(
    classic: Vault, recovered: tuple[Path, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    printed = recovered[1]["2. The chain"]
    assert "WRONG" not in printed
    assert [line for line in printed.splitlines() if " is number " in line] == [
        f"{archive} is number {number}" for number, archive in enumerate(archives(classic), start=1)
    ]
    capsys.readouterr()
    archiver("--config", classic.home, "verify")
    (head,) = re.findall(r"chain head \S+", capsys.readouterr().out)
    assert printed.splitlines()[-1] == head


def test_every_file_has_the_hash_in_its_manifest(recovered: tuple[Path, dict[str, str]]) -> None:
    lines = recovered[1]["3. The files"].splitlines()
    assert len(lines) == 6
    assert all(line.endswith(": OK") for line in lines)


def test_every_time_stamp_is_found_right_and_says_when_and_who(
    classic: Vault, recovered: tuple[Path, dict[str, str]]
) -> None:
    printed = recovered[1][STAMPS]
    assert printed.count("Verification: OK") == 3
    assert "WRONG" not in printed
    assert "no time stamp" not in printed
    for archive in archives(classic):
        assert re.search(rf"^{archive}: [A-Z][a-z]{{2}} .* 20\d\d GMT$", printed, re.MULTILINE)
    assert re.search(r"subject=.*test authority\n+issuer=.*test root", printed)


@pytest.mark.parametrize("damage", ["another's", "garbage", "a stranger's"])
def test_a_wrong_time_stamp_is_told(classic: Vault, tmp_path: Path, damage: str) -> None:
    classic.copy_to(tmp_path)
    first, second = (tmp_path / "vault" / "archives" / name for name in archives(classic)[:2])
    stranger = make_authority(tmp_path / "stranger", "test")
    token = {
        "another's": lambda: (second / "manifest.json.tsr").read_bytes(),
        "garbage": lambda: b"garbage",
        "a stranger's": lambda: stranger.stamp((first / "manifest.json").read_bytes()),
    }[damage]()
    (first / "manifest.json.tsr").write_bytes(token)
    environ = only_these(tmp_path / "programs", *PROGRAMS, *USUAL)
    printed = follow(tmp_path, environ, START, *CHECKS)[STAMPS]
    assert printed.count("Verification: OK") == 2
    assert f"WRONG: the time stamp of {first.name}" in printed
    assert printed.count("WRONG") == 1


def test_every_key_is_the_one_its_manifest_names(recovered: tuple[Path, dict[str, str]]) -> None:
    assert recovered[1][KEYS] == ""
    assert recovered[1][RIGHT_KEY].count("is right") == 3
    assert "WRONG" not in recovered[1][RIGHT_KEY]


def test_databases_and_pictures_come_out_as_our_restore_writes_them(
    classic: Vault, recovered: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    assert_databases_and_media_are_ours(classic, recovered[0] / "opened", tmp_path / "restored")


def test_the_databases_are_sound_and_hold_what_the_manifests_count(
    classic: Vault, recovered: tuple[Path, dict[str, str]]
) -> None:
    lines = recovered[1]["5. The databases"].splitlines()
    assert [line.rpartition(": ")[2] for line in lines[:3]] == ["ok"] * 3
    wanted = []
    for archive in archives(classic):
        manifest = json.loads((classic.home / "vault" / "archives" / archive / "manifest.json").read_text())
        (counts,) = (file["records"] for file in manifest["files"] if file["kind"] == "records")
        tables = ("post", "message", "relation", "account", "gone")
        wanted.append("|".join([archive, *(str(counts.get(table, 0)) for table in tables)]))
    assert sorted(lines[3:]) == sorted(wanted)


def test_the_same_posts_are_found_as_by_our_search(
    classic: Vault, recovered: tuple[Path, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    shown = recovered[1]["6. Searching"]
    ours = our_records(classic, capsys, 'burglary drone OR "dog unit"')
    assert len(ours) >= 1
    for record in ours:
        assert f"|{record['type']}|{record['id']}|{record['text']}" in shown


def test_the_newest_version_of_every_post_has_the_text_our_search_shows(
    classic: Vault, recovered: tuple[Path, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = sqlite(recovered[0] / "opened" / "all.sqlite", "SELECT platform_id, kind, text FROM newest")
    ours = our_records(classic, capsys, " OR ".join(f"kind:{kind}" for kind in POST_KINDS))
    assert len(ours) > 500
    assert {(row["platform_id"], row["kind"], row["text"]) for row in theirs} == {
        (record["id"], record["type"], record["text"]) for record in ours
    }
    assert str(len(ours)) in recovered[1]["6. Searching"].splitlines()


def test_posts_that_are_gone_and_not_there_again_are_those_our_search_calls_gone(
    classic: Vault, recovered: tuple[Path, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    shown = recovered[1]["6. Searching"]
    told = {
        tuple(found)
        for found in re.findall(r"^(20[0-9-]{8})\|([^|]+\.js|absent[^|]*)\|([0-9]+)\|", shown, re.M)
    }
    ours = {
        (str(record["gone_at"])[:10], record["gone_how"], record["id"])
        for record in our_records(classic, capsys, " OR ".join(f"kind:{kind}" for kind in POST_KINDS))
        if record["gone_at"] is not None
    }
    assert {(day, record) for day, _, record in told} == {(day, record) for day, _, record in ours}
    assert ours <= told  # two files may tell of the same post
    assert sum(how == "absent from the export" for _, how, _ in ours) == 1
    assert sum(how.startswith("deleted-") for _, how, _ in ours) >= 2


def test_messages_relations_and_accounts_are_those_our_reader_has(
    classic: Vault, recovered: tuple[Path, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    opened = recovered[0] / "opened"
    databases = [opened / archive / "records-000.sqlite" for archive in archives(classic)]
    texts = [row["text"] for one in databases for row in sqlite(one, "SELECT text FROM message")]
    assert sorted(map(str, texts)) == sorted(
        str(record["text"]) for record in our_records(classic, capsys, "kind:message")
    )
    for kind in RELATIONS:
        ids = [
            row["platform_id"]
            for one in databases
            for row in sqlite(one, f"SELECT platform_id FROM relation WHERE kind = '{kind}'")  # noqa: S608
        ]
        assert sorted(ids) == sorted(
            str(record["id"]) for record in our_records(classic, capsys, f"kind:{kind}")
        )


def test_the_verbatim_bytes_are_ours_and_in_the_export_as_x_made_it(
    classic: Vault, recovered: tuple[Path, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, printed = recovered
    (written,) = (folder / "opened").glob("*.json")
    capsys.readouterr()
    archiver("--config", classic.home, "show", "--json", written.stem)
    version = json.loads(capsys.readouterr().out.splitlines()[0])
    assert written.read_text() == version["raw"][0]
    verbatim = printed["7. What the platform sent, to the byte"]
    assert f"{written.stat().st_size} bytes" in verbatim
    assert f"october.zip!data/tweets.js|2026-10-31 23:59:59|{version['capture']['body_sha256']}" in verbatim
    assert sha256(written) in verbatim
    beside = printed[WITH_EXPORT]
    assert "it is in there" in beside
    assert version["capture"]["body_sha256"] in beside


def test_a_post_names_its_pictures_and_every_picture_has_its_hash(
    classic: Vault, recovered: tuple[Path, dict[str, str]]
) -> None:
    shown = recovered[1][MEDIA]
    (line,) = [line for line in shown.splitlines() if line.count("|") == 3]
    archive, name, digest, missing = line.split("|")
    assert missing == ""
    assert sha256(recovered[0] / "opened" / archive / "media" / name) == digest
    packed = [path for path in (recovered[0] / "opened").glob("*/media/*/*") if path.is_file()]
    assert shown.count(": OK") == len(packed) - 1 > 10
    assert "WRONG" not in shown
    assert "FAILED" not in shown
    beside = recovered[1][MODERATION[1]]
    name = f"{archives(classic)[1]}/media/{ACCOUNT}/screenshot-m1-1.png"
    assert f"{name}: OK" in beside.splitlines()
    assert (recovered[0] / "opened" / name).read_bytes() == SCREENSHOT
    assert beside.count(": OK") == 1
    assert "WRONG" not in beside


def test_moderation_records_are_listed_whole_and_their_entries_read_to_the_byte(
    recovered: tuple[Path, dict[str, str]],
) -> None:
    lines = recovered[1][MODERATION[0]].splitlines()
    url = f"https://x.com/{AUTHOR_HANDLE}/status/70001"
    said = f'["abusive", "spam"]|{url}|{AUTHOR_HANDLE}|You fools'
    assert lines[:3] == [
        f"2026-10-26 07:33:20|m1|1|decision|M. Example|hidden|planned|{said}",
        "2026-10-26 07:34:20|m1|2|outcome|program||done||||",
        "m1|decision hidden planned, outcome  done",
    ]
    digest = hashlib.sha256(SCREENSHOT).hexdigest()
    first, second, said, said_next = lines[3:7]
    assert json.loads(first)["attachments"][0]["sha256"] == digest
    assert said == f"2026-10-26T07:33:20.000Z|M. Example|abusive|{digest}"
    assert second.encode() == encode_entry(OUTCOME)
    assert said_next == "2026-10-26T07:34:20.000Z|program||"


def test_what_stood_around_an_item_is_written_as_x_sent_it_and_has_the_hashes_in_the_entry(
    recovered: tuple[Path, dict[str, str]],
) -> None:
    lines = recovered[1][MODERATION[2]].splitlines()
    entry = json.loads(recovered[1][MODERATION[0]].splitlines()[3])
    post, profile = entry["context_sha256"]
    assert {line.partition("|GET ")[2].partition("?")[0] for line in lines[:2]} == {
        "/2/tweets", f"/2/users/by/username/{AUTHOR_HANDLE}",
    }  # fmt: skip
    assert all(re.match(r"m1\|2026-10-26 07:33:20\|GET .*\|[1-9]\d+ bytes$", line) for line in lines[:2])
    assert lines[2:] == [f"{post}: OK", f"{profile}: OK"]
    context = recovered[0] / "opened" / "context"
    assert {path.name for path in context.iterdir()} == {post, profile}
    assert json.loads((context / post).read_bytes())["data"][0]["text"] == "You fools"
    assert sha256(context / profile) == profile


def copy_opened(recovered: tuple[Path, dict[str, str]], folder: Path) -> Path:
    """What was opened, as it was before step 9."""
    opened = folder / "opened"
    shutil.copytree(recovered[0] / "opened", opened, symlinks=True)
    shutil.rmtree(opened / "context")
    (opened / "all.sqlite").unlink()
    return opened


@pytest.mark.parametrize("with_its_row", [False, True])
def test_a_screenshot_that_was_exchanged_after_it_was_taken_out_is_told(
    recovered: tuple[Path, dict[str, str]], classic: Vault, tmp_path: Path, with_its_row: bool
) -> None:
    """Also where the row of `media`, which is only derived from the entry, was changed with it."""
    opened = copy_opened(recovered, tmp_path)
    taken = opened / archives(classic)[1] / "media" / ACCOUNT / "screenshot-m1-1.png"
    taken.write_bytes(SCREENSHOT + b"!")
    if with_its_row:
        change = f"UPDATE media SET sha256 = '{sha256(taken)}' WHERE record_table = 'moderation'"  # noqa: S608
        sqlite(opened / archives(classic)[1] / "records-000.sqlite", change)
    environ = only_these(tmp_path / "programs", *PROGRAMS, *USUAL)
    shown = run_moderation(tmp_path, environ)
    assert "WRONG: a screenshot or picture" in shown
    assert "screenshot-m1-1.png: FAILED" in shown
    assert "WRONG: an answer" not in shown


def test_an_answer_of_x_that_was_altered_or_lost_is_told(
    recovered: tuple[Path, dict[str, str]], classic: Vault, tmp_path: Path
) -> None:
    opened = copy_opened(recovered, tmp_path)
    database = opened / archives(classic)[1] / "records-000.sqlite"
    around = "capture IN (SELECT id FROM capture WHERE body_kind = '{}')"
    for body_kind, change in (
        ("moderated", "UPDATE capture_part SET body = CAST(replace(body, 'fools', 'folks') AS BLOB)"),
        ("author", "DELETE FROM capture_part"),
    ):
        sqlite(database, f"{change} WHERE {around.format(body_kind)}")
    environ = only_these(tmp_path / "programs", *PROGRAMS, *USUAL)
    shown = run_moderation(tmp_path, environ)
    assert "WRONG: an answer of X" in shown
    assert len(re.findall(r"^[0-9a-f]{64}: FAILED", shown, re.MULTILINE)) == 2
    assert "WRONG: a screenshot" not in shown


def test_a_vault_without_screenshots_or_answers_is_not_called_wrong(tmp_path: Path) -> None:
    home = Home(make_folder(tmp_path / "home"))
    with home.open_spool() as spool:
        keep_entries(spool, [moderation("m1")])
    home.take()
    our_restore(Vault(home.folder, home.folder, home.folder), tmp_path / "opened")
    environ = only_these(tmp_path / "programs", *PROGRAMS, *USUAL)
    shown = run_moderation(tmp_path, environ)
    assert "WRONG" not in shown
    assert "rror" not in shown
    assert '"id":"m1"' in shown


def run_moderation(folder: Path, environ: Mapping[str, str]) -> str:
    """The commands of that step alone, on what is opened already."""
    run = subprocess.run(
        ["bash", "-c", "OUT=$PWD/opened\n" + script(*MODERATION)],
        cwd=folder,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return run.stdout


def alter(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "step"),
    [
        (lambda vault, names: alter(vault / "archives" / names[0] / "manifest.json", 5), "1. Signatures"),
        (lambda vault, names: shutil.rmtree(vault / "archives" / names[0]), "2. The chain"),
        (lambda vault, names: alter(vault / "vault.json", 100), "2. The chain"),
        (
            lambda vault, names: alter(
                vault / "archives" / names[1] / "records-000.sqlite.zst.age", 5000
            ),
            "3. The files",
        ),
        (lambda vault, names: (vault / "archives" / names[0] / "media-000.tar.age").unlink(), "3. The files"),
    ],
    ids=["manifest altered", "archive removed", "another vault", "segment altered", "pack removed"],
)  # fmt: skip
def test_the_checks_say_wrong_for_what_is_altered_or_missing(
    classic: Vault, tmp_path: Path, damage, step: str
) -> None:
    classic.copy_to(tmp_path)
    damage(tmp_path / "vault", archives(classic))
    environ = only_these(tmp_path / "programs", *PROGRAMS, *USUAL)
    assert "WRONG" in follow(tmp_path, environ, START, *CHECKS)[step]


def test_archives_cut_off_at_the_end_show_in_the_chain_head_alone(
    classic: Vault, recovered: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    classic.copy_to(tmp_path)
    shutil.rmtree(tmp_path / "vault" / "archives" / archives(classic)[-1])
    environ = only_these(tmp_path / "programs", *PROGRAMS, *USUAL)
    printed = follow(tmp_path, environ, START, *CHECKS)
    assert "WRONG" not in "".join(printed.values())
    assert printed["2. The chain"].splitlines()[-1] != recovered[1]["2. The chain"].splitlines()[-1]


def test_another_archives_key_is_told(classic: Vault, tmp_path: Path) -> None:
    classic.copy_to(tmp_path)
    first, second = (tmp_path / "vault" / "archives" / name / "key.age" for name in archives(classic)[:2])
    shutil.copyfile(first, second)
    environ = only_these(tmp_path / "programs", *PROGRAMS, *USUAL)
    printed = follow(tmp_path, environ, START, WITH_AGE, CHECKS[1], KEYS, RIGHT_KEY)[RIGHT_KEY]
    assert (printed.count("is right"), printed.count("WRONG")) == (2, 1)


def save_script(folder: Path) -> None:
    """What the document says to save, and what it says to install."""
    (text,) = (one.text for one in blocks(DOCUMENT) if one.heading == WITH_NODE and one.language == "js")
    (folder / "decrypt.mjs").write_text(text)
    (folder / "node_modules").symlink_to(require_node_age())


def test_a_post_quantum_vault_opens_with_node_after_an_old_age_asked_for_the_passphrase(
    post_quantum: Vault, tmp_path: Path
) -> None:
    """Everything but the check that needs age-keygen 1.3, with a person typing the passphrase."""
    save_script(tmp_path)
    post_quantum.copy_to(tmp_path)
    environ = only_these(tmp_path / "programs", *PROGRAMS, *USUAL, "node")
    steps = (START, OPEN_IDENTITY, WITH_NODE, *CHECKS, KEYS, *OPENING, WITH_EXPORT, MEDIA, *MODERATION)
    _, shown = run_on_terminal(
        script(*steps).replace("set -o pipefail", "set +e -o pipefail"),
        tmp_path,
        [("assphrase", PASSPHRASE)],
        environ,
    )
    printed = outputs(shown.replace("\r\n", "\n"))
    assert "WRONG" not in shown
    assert printed["1. Signatures"].count("Good") == 3
    assert printed[STAMPS].count("has no time stamp") == 3
    assert [line[-2:] for line in printed["5. The databases"].splitlines()[:3]] == ["ok"] * 3
    assert_databases_and_media_are_ours(post_quantum, tmp_path / "opened", tmp_path / "restored")


def test_the_wrong_passphrase_opens_nothing(post_quantum: Vault, tmp_path: Path) -> None:
    post_quantum.copy_to(tmp_path)
    environ = only_these(tmp_path / "programs", *PROGRAMS, *USUAL)
    code, shown = run_on_terminal(
        script(START, OPEN_IDENTITY), tmp_path, [("assphrase", "another one")], environ
    )
    assert code != 0
    assert "incorrect passphrase" in shown
    assert (
        not (tmp_path / "opened" / "identity").exists()
        or (tmp_path / "opened" / "identity").stat().st_size == 0
    )


def test_the_document_names_every_program_that_its_commands_are_given() -> None:
    named = {
        name for row in table_rows(DOCUMENT, "Debian's package") for name in re.findall(r"`([^`]+)`", row[0])
    }
    assert named - {"age-encryption"} == {*PROGRAMS, *USUAL, "node"} - {"bash", "age-keygen"}
    assert "`age-keygen` is part of age" in DOCUMENT.read_text()


def test_every_block_of_commands_is_run_by_a_test() -> None:
    run_here = {
        START, WITH_AGE, WITH_NODE, OPEN_IDENTITY, *CHECKS, KEYS, RIGHT_KEY, *OPENING, WITH_EXPORT, MEDIA,
        *MODERATION, LOG, HOSTS, DISPOSED,
    }  # fmt: skip
    assert {one.heading for one in blocks(DOCUMENT)} == run_here
    assert {one.language for one in blocks(DOCUMENT)} == {"sh", "js"}


def test_the_log_is_checked_and_read(recovered: tuple[Path, dict[str, str]], classic: Vault) -> None:
    folder, printed = recovered
    lines = printed[LOG].splitlines()
    assert not [line for line in lines if "WRONG" in line or "not for this identity" in line]
    vault = folder / "vault" / "audit"
    entries = list(vault.rglob("*.tar"))
    assert (
        len([line for line in lines if line.startswith('Good "archiver-log" signature')]) == len(entries) > 8
    )
    heads = [line.removeprefix("log head ") for line in lines if line.startswith("log head ")]
    assert sorted(head.split(":")[0] for head in heads) == sorted(path.name for path in vault.iterdir())
    assert any(" begin seal " in line for line in lines)


@pytest.mark.parametrize("harm", ["altered", "removed"])
def test_harm_to_the_log_shows(classic: Vault, tmp_path: Path, harm: str) -> None:
    classic.copy_to(tmp_path)
    entry = tmp_path / "vault" / "audit" / "_collector" / "00000003.tar"
    if harm == "removed":
        entry.unlink()
    else:
        data = bytearray(entry.read_bytes())
        data[600] ^= 1
        entry.write_bytes(data)
    environ = only_these(tmp_path / "programs", *PROGRAMS, *USUAL)
    printed = follow(tmp_path, environ, START, WITH_AGE, *CHECKS, LOG)
    assert "WRONG" in printed[LOG]


# Archives that were disposed of


@pytest.fixture(scope="module")
def disposed(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """Two archives, of which the first was disposed of when its time had come; and a hold on the other."""
    folder = tmp_path_factory.mktemp("disposed")
    home = folder / "force"
    archiver("init", home, "--holder", "records", "--classic", "--no-passphrase")
    for number, until in enumerate((dt.date(2019, 9, 30), dt.date(2019, 10, 31)), start=1):
        export = folder / f"{number}.zip"
        write_sample_export(export, until=until, months=number)
        archiver("--config", home, "import", "--add-account", export)
        archiver("--config", home, "seal")
    with (home / "archiver.toml").open("a") as settings:
        settings.write('\n[[retention.rule]]\nname = "one day"\ndays = 1\n')
    first, second = sorted(path.name for path in (home / "vault" / "archives").iterdir())
    archiver("--config", home, "hold", "add", "--archive", second, "--reason", "a complaint")
    archiver(
        "--config", home, "retention", "review", first, "--decision", "dispose", "--reviewer", "A. B. Clerk",
        "--reason", "its time is over",
    )  # fmt: skip
    archiver("--config", home, "retention", "dispose", first, "--yes")
    return Vault(home, export, home / "keys" / "records.identity")


STEPS = (START, WITH_AGE, *CHECKS[:3], DISPOSED, KEYS, RIGHT_KEY, "5. The databases", LOG)


def test_a_stranger_tells_a_disposed_archive_from_a_missing_one(disposed: Vault, tmp_path: Path) -> None:
    disposed.copy_to(tmp_path)
    first, second = archives(disposed)
    printed = follow(tmp_path, only_these(tmp_path / "programs", *PROGRAMS, *USUAL), *STEPS)
    assert "WRONG" not in "".join(printed.values())
    assert printed[DISPOSED].count('Good "archiver-disposal" signature for _custody.records') == 1
    assert f"who disposed of {first} could open it" in printed[DISPOSED]
    assert printed[RIGHT_KEY].splitlines() == [f"the key of {second} is right"]
    assert (tmp_path / "opened" / second / "records-000.sqlite").exists()
    assert not (tmp_path / "opened" / first).exists()
    assert '"kind":"hold"' in printed[LOG]
    assert '"reviewer":"A. B. Clerk"' in printed[LOG]
    assert "not for this identity" not in printed[LOG]


@pytest.mark.parametrize("damage", ["the certificate is gone", "another proof", "another signature"])
def test_a_stranger_finds_a_certificate_that_is_none(disposed: Vault, tmp_path: Path, damage: str) -> None:
    disposed.copy_to(tmp_path)
    folder = tmp_path / "vault" / "archives" / archives(disposed)[0]
    certificate = folder / "disposed.json"
    if damage == "the certificate is gone":
        certificate.unlink()
        told = "has no key and was not disposed of"
    else:
        fields = json.loads(certificate.read_text())
        fields["proof" if damage == "another proof" else "rule"] = "0" * 64
        certificate.write_text(json.dumps(fields, sort_keys=True, indent=1) + "\n")
        told = "could not open it" if damage == "another proof" else "WRONG: the certificate of"
    steps = (START, *CHECKS[:3], DISPOSED)
    printed = follow(tmp_path, only_these(tmp_path / "programs", *PROGRAMS, *USUAL), *steps)[DISPOSED]
    assert told in printed
    assert "WRONG" in printed
