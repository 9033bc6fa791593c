"""What each check of `archiver doctor` finds, where all is right and where it is not."""

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from archiver.formats import age
from archiver.health.checks import (
    authorities,
    clock,
    disks,
    files,
    keys,
    memory,
    notices,
    runs,
    stores,
    tokens,
    versions,
)
from archiver.health.checkup import Check, Finding, Subject, find
from archiver.keyholders import Keyholder, Keyholders
from archiver.keys import new_identity
from archiver.notify.base import Notice, NoticeError
from archiver.schedule.journal import Journal
from archiver.settings import load_settings
from archiver.settings.stores import S3StoreSettings
from archiver.settings.timestamps import AuthoritySettings
from archiver.times import system_clock
from tests.authority import make_root, signing_certificate
from tests.faults.folders import copy_folder, make_folder
from tests.homes import NOW_MS, Home, make_home
from tests.long_kept import DAY_MS, HOUR_MS


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_home(tmp_path_factory.mktemp("checks"))


@pytest.fixture
def home(sealed: Home, tmp_path: Path) -> Home:
    return Home(copy_folder(sealed.folder, tmp_path / "home"))


def subject(home: Home, now_ms: int = NOW_MS + HOUR_MS, **environ: str) -> Subject:
    return Subject(home.settings, {**os.environ, **environ}, lambda: now_ms)


def found(checks: list[Check]) -> list[Finding]:
    return [finding for check in checks for finding in find(check)]


def by_what(checks: list[Check]) -> dict[str, Finding]:
    return {one.what: one for one in found(checks)}


def append(home: Home, text: str) -> Home:
    with (home.folder / "archiver.toml").open("a") as file:
        file.write(text)
    return home


def test_in_a_folder_that_is_right_nothing_fails(home: Home) -> None:
    one = subject(home)
    checks = [
        *versions.checks(one), *memory.checks(one), *disks.checks(one), *files.checks(one),
        *keys.checks(one), *clock.checks(one), *stores.checks(one), *tokens.checks(one),
        *authorities.checks(one), *runs.checks(one),
    ]  # fmt: skip
    assert [each for each in found(checks) if each.verdict == "failed"] == []
    warned = {each.what for each in found(checks) if each.verdict == "warning"}
    assert warned <= {"keyholders", "time service", "runs", "memory"}


# Files


def test_private_files_that_others_can_read_are_named_with_the_command(home: Home) -> None:
    settings = home.settings
    settings.signing_key.chmod(0o640)
    settings.spool.chmod(0o755)
    private = [one for one in found(files.checks(subject(home))) if one.what == "private files"]
    assert [one.verdict for one in private] == ["failed", "warning"]
    assert private[0].advice == f"chmod 600 {settings.signing_key}"
    assert private[1].advice == f"chmod go-rwx {settings.spool}"


def test_a_tokens_file_is_private_too_and_an_encrypted_identity_need_not_be(home: Home) -> None:
    append(home, '\n[[account]]\nplatform = "x"\nid = "7"\n[account.api]\ntoken = "file:collector/t"\n')
    token, settings = home.folder / "collector" / "t", home.settings
    token.write_text("secret")
    token.chmod(0o644)
    assert settings.keyholder is not None
    identity = settings.keyholder.identity
    identity.write_bytes(age.encrypt([age.ScryptRecipient("words", 8)], identity.read_bytes(), armor=True))
    identity.chmod(0o644)
    (private,) = [one for one in found(files.checks(subject(home))) if one.what == "private files"]
    assert private.advice == f"chmod 600 {token}"


def test_what_others_can_change_is_named(home: Home) -> None:
    (home.folder / "archiver.toml").chmod(0o666)
    home.settings.recipients.chmod(0o664)
    home.settings.inbox.chmod(0o770)
    decisive = [one for one in found(files.checks(subject(home))) if one.what == "files that decide"]
    assert [one.verdict for one in decisive] == ["failed", "warning"]
    assert decisive[0].advice == f"chmod o-w {home.folder / 'archiver.toml'}"
    assert decisive[1].advice.startswith(f"chmod g-w {home.settings.recipients}")  # type: ignore[union-attr]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_files_of_another_account_are_told_with_how_to_run_as_it(home: Home) -> None:
    os.chown(home.settings.spool, 1, 1)
    (owners,) = [one for one in found(files.checks(subject(home))) if one.what == "owners of files"]
    assert owners.verdict == "warning"
    assert f"{home.settings.spool} belongs to {files.account_name(1)}" in owners.said
    assert files.account_name(4_000_000_000) == "user 4000000000"


# Keys


def test_an_inbox_that_cannot_be_read_fails(home: Home) -> None:
    def inbox(looked_at: Subject) -> list[Finding]:
        return [each for one in files.checks(looked_at) if one.what == "inbox" for each in find(one)]

    (finding,) = inbox(subject(home))
    assert (finding.verdict, finding.said.endswith("can be read; 0 exports there")) == ("ok", True)
    home.settings.inbox.rename(home.folder / "elsewhere")
    (finding,) = inbox(subject(home))
    assert (finding.verdict, str(home.settings.inbox) in finding.said) == ("failed", True)
    reader = replace(home.settings, spool_identity=home.folder / "not-here")
    assert inbox(replace(subject(home), settings=reader)) == [], "a host that only reads takes no exports"


def test_one_keyholder_alone_is_warned_of_and_two_are_not(home: Home) -> None:
    assert by_what(keys.checks(subject(home)))["keyholders"].verdict == "warning"
    listed = Keyholders.load(home.settings.recipients)
    carl = new_identity(classic=True).recipient()
    listed.add(Keyholder("carl", carl, "2026-10-26")).save(home.settings.recipients)
    now = by_what(keys.checks(subject(home)))
    assert (now["keyholders"].verdict, now["keyholders"].said) == ("ok", "2: records, carl")
    (name,) = [one.name for one in home.archives]
    assert now["archives' keys"].verdict == "warning"
    assert now["archives' keys"].said == f"not encrypted to the keyholders of today: {name}"
    assert "archiver keys rewrap" in str(now["archives' keys"].advice)


def test_a_signing_key_that_does_not_count_is_told(home: Home) -> None:
    assert "is among the allowed signers" in by_what(keys.checks(subject(home)))["signing key"].said
    home.replace("allowed_signers", b"")
    signing = by_what(keys.checks(subject(home)))["signing key"]
    assert signing.verdict == "failed"
    assert "SHA256:" in str(signing.advice)


def test_an_identity_that_is_no_keyholders_or_opens_nothing_is_told(home: Home) -> None:
    keyholder = home.settings.keyholder
    assert keyholder is not None
    keyholder.identity.write_text(f"{new_identity(classic=True).encode()}\n")
    now = by_what(keys.checks(subject(home)))
    assert now["identity of records"].verdict == "failed"
    assert now["archives' keys"].verdict == "warning"
    keyholder.identity.write_text("AGE-SECRET-KEY-1OFTESTS")
    now = by_what(keys.checks(subject(home)))
    assert now["identity"].verdict == "failed"
    assert "OFTESTS" not in now["identity"].said


def test_an_identity_with_a_passphrase_is_opened_where_that_is_at_hand_and_nobody_is_asked(
    home: Home,
) -> None:
    keyholder = home.settings.keyholder
    assert keyholder is not None
    identity = keyholder.identity
    identity.write_bytes(age.encrypt([age.ScryptRecipient("correct horse", 8)], identity.read_bytes()))
    asked = by_what(keys.checks(subject(home)))["identity of records"]
    assert (asked.verdict, "asks for a passphrase" in asked.said) == ("ok", True)
    text = (home.folder / "archiver.toml").read_text()
    line = next(one for one in text.splitlines() if one.startswith("identity = "))
    (home.folder / "archiver.toml").write_text(text.replace(line, f'{line}\npassphrase = "env:WORDS"'))
    assert by_what(keys.checks(subject(home, WORDS="correct horse")))["identity of records"].verdict == "ok"
    wrong = by_what(keys.checks(subject(home, WORDS="battery staple")))["identity"]
    assert wrong.verdict == "failed"
    assert "battery" not in wrong.said


def test_archives_keys_that_are_missing_or_altered_are_failures(home: Home) -> None:
    (name,) = [one.name for one in home.archives]
    home.replace(f"archives/{name}/key.age", b"nothing of that kind")
    altered = by_what(keys.checks(subject(home)))["archives' keys"]
    assert (altered.verdict, f"archiver repair {name}" in str(altered.advice)) == ("failed", True)
    home.replace(f"archives/{name}/key.age", None)
    assert by_what(keys.checks(subject(home)))["archives' keys"].verdict == "failed"


def test_a_spool_that_was_made_for_another_identity_is_told(home: Home) -> None:
    home.settings.spool_identity.write_text(f"{new_identity(classic=True).encode()}\n")
    assert by_what(keys.checks(subject(home)))["spool's identity"].verdict == "ok", "nothing waits in it"
    from tests.unit.search.moderated import decision, keep

    keep(home, decision(1))
    home.settings.spool_identity.write_text(f"{new_identity(classic=True).encode()}\n")
    assert by_what(keys.checks(subject(home)))["spool's identity"].verdict == "failed"


# The clock


@contextmanager
def server(date: str | None) -> Iterator[str]:
    """One that answers 404 to everything, and says that it is then."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:  # as the library calls it
            self.send_response_only(404)
            if date is not None:
                self.send_header("Date", date)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is said."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}"
        finally:
            listening.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("seconds", "verdict", "said"),
    [
        (0, "ok", "the same"),
        (29, "ok", "the same"),
        (40, "warning", "40 seconds behind"),
        (-40, "warning", "40 seconds ahead of"),
        (4_000, "failed", "4,000 seconds behind"),
    ],
)
def test_the_clock_is_compared_with_a_servers(home: Home, seconds: int, verdict: str, said: str) -> None:
    now_ms = NOW_MS // 1000 * 1000
    moment = datetime.fromtimestamp(now_ms / 1000 + seconds, UTC)
    with server(format_datetime(moment, usegmt=True)) as url:
        append(home, f'\n[[store]]\nname = "far"\nkind = "s3"\nbucket = "bucket"\nendpoint = "{url}"\n')
        compared = by_what(clock.checks(subject(home, now_ms)))["clock of store far"]
    assert compared.verdict == verdict
    assert said in compared.said


@pytest.mark.parametrize("date", [None, "never", "Mon, 99 Foo 2026 00:00:00 GMT"])
def test_a_server_that_says_no_time_is_a_warning(home: Home, date: str | None) -> None:
    with server(date) as url:
        append(home, f'\n[x_api]\napi_base_url = "{url}"\n')
        append(home, '[[account]]\nplatform = "x"\nid = "7"\n[account.api]\nbearer_token = "env:NONE"\n')
        assert by_what(clock.checks(subject(home)))["clock of X"].verdict == "warning"


@pytest.mark.parametrize("now_ms", [0, 1_700_000_000_000, 5_000_000_000_000, NOW_MS - 2 * DAY_MS])
def test_a_clock_that_cannot_be_right_fails(home: Home, now_ms: int) -> None:
    assert by_what(clock.checks(subject(home, now_ms)))["clock"].verdict == "failed"


# Stores, disks, memory


def test_a_store_that_lacks_archives_is_another_vaults_or_away_is_told(home: Home, tmp_path: Path) -> None:
    shutil.copytree(home.folder / "vault", home.folder / "second")
    append(home, '\n[[store]]\nname = "second"\nkind = "local"\npath = "second"\nrequired = false\n')
    assert by_what(stores.checks(subject(home)))["store second"].verdict == "ok"
    (name,) = [one.name for one in home.archives]
    shutil.rmtree(home.folder / "second" / "archives" / name)
    lacking = by_what(stores.checks(subject(home)))["store second"]
    assert (lacking.verdict, lacking.advice) == ("warning", "archiver sync --store second")
    assert name in lacking.said
    shutil.rmtree(home.folder / "second")
    assert by_what(stores.checks(subject(home)))["store second"].verdict == "warning", "it need not be there"
    shutil.copytree(make_folder(tmp_path / "other") / "vault", home.folder / "second")
    assert "another vault" in by_what(stores.checks(subject(home)))["store second"].said
    shutil.rmtree(home.folder / "vault")
    assert by_what(stores.checks(subject(home)))["store vault"].verdict == "failed"


def test_an_altered_manifest_is_told(home: Home) -> None:
    (name,) = [one.name for one in home.archives]
    home.replace(f"archives/{name}/manifest.json.sig", None)
    told = by_what(stores.checks(subject(home)))["store vault"]
    assert (told.verdict, "no signature" in told.said) == ("failed", True)


def test_a_bucket_is_asked_once_and_not_for_long(home: Home) -> None:
    append(
        home,
        '\n[[store]]\nname = "far"\nkind = "s3"\nbucket = "police-archive"\nendpoint = "http://127.0.0.1:1"\n'
        'access_key_id = "env:KEY"\nsecret_access_key = "env:SECRET"\n',
    )
    asked = stores.impatient(home.settings.stores[1])
    assert isinstance(asked, S3StoreSettings)
    assert (asked.tries, asked.connect_timeout_seconds, asked.read_timeout_seconds) == (1, 4, 4)
    began = time.monotonic()
    os.environ.update(KEY="a-key", SECRET="a-secret-of-tests")  # as wiring reads them
    try:
        far = by_what(stores.checks(subject(home)))["store far"]
    finally:
        del os.environ["KEY"], os.environ["SECRET"]
    assert time.monotonic() - began < 8
    assert far.verdict == "failed"
    assert "a-secret" not in repr(far)


def test_room_for_the_next_archive_is_judged_by_the_last(home: Home) -> None:
    store = home.settings.stores[0]
    archives = home.archives
    assert [one.verdict for one in stores._room(store, archives, 1)] == ["ok"]
    assert [one.verdict for one in stores._room(store, archives, 10**18)] == ["failed"]


def test_disks_are_told_once_each(home: Home) -> None:
    told = found(disks.checks(subject(home)))
    assert len(told) == len({one.what for one in told})
    assert str(home.folder) in told[0].what


def test_memory_is_what_the_machine_has_or_what_the_group_may_take(tmp_path: Path) -> None:
    info = tmp_path / "meminfo"
    info.write_text("MemTotal:       16000000 kB\nMemAvailable:    8000000 kB\n")
    assert memory.available_bytes(info, tmp_path) == 8_192_000_000
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("1000\n")
    assert memory.available_bytes(info, tmp_path) == 8_192_000_000
    (tmp_path / "memory.max").write_text("300001000\n")
    assert memory.available_bytes(info, tmp_path) == 300_000_000
    assert memory.available_bytes(tmp_path / "none", tmp_path / "none") is None


# Tokens


def with_token(home: Home, more: str = "", **fields: object) -> Home:
    append(
        home,
        '\n[x_api]\nclient_id = "an-app"\napi_base_url = "http://127.0.0.1:1"\n'
        '[[account]]\nplatform = "x"\nid = "7"\nhandle = "ExamplePolice"\n'
        f'[account.api]\ntoken = "file:collector/t"\nkinds = ["posts", "messages"]\n{more}\n',
    )
    scopes = ["tweet.read", "users.read", "dm.read", "offline.access"]
    document = {
        "format": "archiver-x-token-1", "access_token": "secret-of-tests", "refresh_token": "again-of-tests",
        "expires_ms": NOW_MS + 2 * HOUR_MS, "scopes": scopes, "user_id": "7", **fields,
    }  # fmt: skip
    path = home.folder / "collector" / "t"
    path.write_text(json.dumps(document))
    path.chmod(0o600)
    os.utime(path, (NOW_MS / 1000, NOW_MS / 1000))
    return home


def the_token(home: Home, now_ms: int = NOW_MS + HOUR_MS) -> Finding:
    (one,) = found(tokens.checks(subject(home, now_ms)))
    assert "of-tests" not in repr(one)
    return one


def test_a_token_that_allows_what_is_wanted_and_lasts_is_right(home: Home) -> None:
    assert the_token(with_token(home)) == Finding(
        "ok", "token of @ExamplePolice", "oauth2; it allows what is wanted; renewed today"
    )
    assert the_token(home, NOW_MS + 3 * DAY_MS).said.endswith("renewed 3 days ago")


def test_a_token_that_is_not_there_is_told_with_how_to_sign_in(home: Home) -> None:
    with_token(home)
    (home.folder / "collector" / "t").unlink()
    told = the_token(home)
    assert (told.verdict, told.advice) == ("failed", "archiver login x --account 7")


@pytest.mark.parametrize(
    ("more", "fields", "verdict", "said"),
    [
        ("", {"scopes": ["tweet.read", "users.read"]}, "failed", "needs: dm.read"),
        ('acts = ["hide"]', {}, "failed", "account.api.acts needs: tweet.moderate.write"),
        ("", {"user_id": "8"}, "failed", "of the account 8, not of 7"),
        ("", {"refresh_token": None}, "warning", "cannot be renewed"),
        ("", {"refresh_token": None, "expires_ms": NOW_MS}, "failed", "cannot be renewed"),
        ("", {"expires_ms": NOW_MS}, "ok", "allows what is wanted"),
        ("", {"expires_ms": None, "refresh_token": None}, "ok", "allows what is wanted"),
    ],
)
def test_a_token_is_judged_by_what_it_says(
    home: Home, more: str, fields: dict[str, object], verdict: str, said: str
) -> None:
    told = the_token(with_token(home, more, **fields))
    assert told.verdict == verdict
    assert said in told.said


def test_a_token_that_nobody_has_renewed_for_five_months_is_a_warning(home: Home) -> None:
    told = the_token(with_token(home), NOW_MS + 151 * DAY_MS)
    assert (told.verdict, "151 days ago" in told.said) == ("warning", True)


def test_the_apps_secret_is_looked_for(home: Home) -> None:
    assert tokens.client_secret(subject(home)) == []
    append(home, '\n[x_api]\nclient_secret = "env:APP"\n')
    assert by_what(tokens.client_secret(subject(home)))["X app's secret"].verdict == "failed"
    assert by_what(tokens.client_secret(subject(home, APP="of-tests")))["X app's secret"].verdict == "ok"


# Authorities


@pytest.mark.parametrize(
    ("days", "verdict"), [(-0.5, "failed"), (10, "warning"), (59, "warning"), (400, "warning")]
)
def test_an_authoritys_certificates_are_watched(home: Home, days: float, verdict: str) -> None:
    """The root of the tests ends in 30 days, whatever the other does."""
    key, root_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    until = datetime.now(UTC) + timedelta(days=days)
    root = make_root("Example", root_key)
    signer = signing_certificate("Example", key, "Example root", root_key, until=until)
    authority = AuthoritySettings(
        "example",
        "http://127.0.0.1:1",
        (signer.public_bytes(Encoding.DER),),
        (root.public_bytes(Encoding.DER),),
    )
    (told,) = authorities._authority(authority, system_clock())
    assert told.verdict == verdict
    (earlier,) = authorities._authority(authority, system_clock() - 400 * DAY_MS)
    assert earlier.verdict == "ok"


# Runs, versions, notices


def test_runs_that_stopped_are_a_failure(home: Home) -> None:
    never = by_what(runs.checks(subject(home)))["runs"]
    assert never.verdict == "warning"
    with closing(Journal(home.settings.journal)) as journal:
        journal.begin("run", NOW_MS)
        journal.end("run", NOW_MS, 0)
    assert by_what(runs.checks(subject(home)))["runs"].verdict == "ok"
    stopped = by_what(runs.checks(subject(home, NOW_MS + 3 * DAY_MS)))["runs"]
    assert (stopped.verdict, "which is 3 days ago" in stopped.said) == ("failed", True)


def test_who_is_at_work_is_told_and_warned_of_after_a_day(home: Home) -> None:
    home.settings.lock.write_text(f"{os.getpid()}\n")
    os.utime(home.settings.lock, (NOW_MS / 1000, NOW_MS / 1000))
    told = by_what(runs.checks(subject(home)))["lock"]
    assert (told.verdict, f"process {os.getpid()} is at work" in told.said) == ("ok", True)
    assert by_what(runs.checks(subject(home, NOW_MS + 2 * DAY_MS)))["lock"].verdict == "warning"


def test_entries_of_the_log_that_no_store_takes_are_warned_of_after_a_day(home: Home) -> None:
    home.settings.log_queue.mkdir(exist_ok=True)
    waiting = home.settings.log_queue / "00000009.tar"
    waiting.write_bytes(b"")
    os.utime(waiting, (NOW_MS / 1000, NOW_MS / 1000))
    assert by_what(runs.checks(subject(home)))["log"].said.startswith("1 entry waits for a store")
    assert by_what(runs.checks(subject(home, NOW_MS + 2 * DAY_MS)))["log"].verdict == "warning"


def test_a_line_that_starts_it_is_known_by_its_words() -> None:
    assert runs._LINE.search("17 * * * * /opt/archiver/bin/archiver --config /etc/archiver run --quiet\n")
    assert not runs._LINE.search("# 17 * * * * archiver run\n")
    assert not runs._LINE.search("17 * * * * archiver status\n0 1 * * * run-parts /etc\n")


def test_a_vault_that_a_newer_program_sealed_is_warned_of() -> None:
    assert versions.numbers_of("archiver 0.10.2") > versions.numbers_of("archiver 0.9") > ()
    assert versions.numbers_of("something else") == ()
    assert versions.numbers_of("archiver 1.99999999999999999999.1") == (1, 1)


class Way:
    """One that takes a notice, or does not."""

    def __init__(self, name: str, error: NoticeError | None = None) -> None:
        self.name = name
        self.error = error

    def begin(self, at_ms: int) -> None:
        """Nothing is to be done."""

    def send(self, notice: Notice) -> None:
        if self.error is not None:
            raise self.error


def test_ways_of_notices_are_named_and_tried_where_that_is_wanted() -> None:
    ways = [Way("mail"), Way("ping", NoticeError("notice ping: refused", "look"))]
    test = Notice("test", "a test", "text", NOW_MS)
    assert [one.verdict for one in found(notices.checks([]))] == ["warning"]
    (named,) = found(notices.checks(ways))
    assert (named.verdict, "2: mail, ping" in named.said) == ("ok", True)
    assert found(notices.checks(ways, test)) == [
        Finding("ok", "notice mail", "it was taken; see whether it arrived"),
        Finding("failed", "notice ping", "notice ping: refused", "look"),
    ]


def test_settings_that_name_no_collector_have_fewer_checks(home: Home) -> None:
    text = (home.folder / "archiver.toml").read_text()
    start = text.index("[collector]")
    lines = text[start:].splitlines(keepends=True)
    kept = [
        line for line in lines if not line.startswith(("[collector]", "inbox", "spool", "state", "signing"))
    ]
    (home.folder / "archiver.toml").write_text(text[:start] + "".join(kept))
    shutil.rmtree(home.folder / "collector")
    one = Subject(load_settings(home.folder / "archiver.toml"), {}, lambda: NOW_MS)
    assert [check.what for check in runs.checks(one)] == ["status"]
    assert "signing key" not in [check.what for check in keys.checks(one)]
    assert [each for each in found(keys.checks(one)) if each.verdict == "failed"] == []
