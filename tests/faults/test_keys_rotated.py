"""Keys that change while a run is at work: each change takes effect, or is refused with what to do; nothing
is lost either way. With real processes, which stand still while somebody turns the key."""

from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.formats.ssh_signature import SigningKey, allowed_signers_line
from archiver.keys import load_signing_key
from tests.cli.runner import Runner
from tests.cli.stores import add_bucket
from tests.faults.folders import check_nothing_half, make_folder, read_contents, sample
from tests.faults.standing import ended, is_sealing, standing_still
from tests.homes import Home
from tests.seaweed import Seaweed, seaweed

__all__ = ["seaweed"]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """With an export in its inbox."""
    folder = make_folder(tmp_path / "v")
    with (folder / "archiver.toml").open("a") as file:
        file.write('\n[[account]]\nplatform = "x"\nid = "451207733"\n')
    sample(folder / "inbox" / "export.zip", months=3)
    return Home(folder)


def is_importing(folder: Path) -> bool:
    pages = folder / "spool" / "spool.sqlite-wal"
    return pages.exists() and pages.stat().st_size > 50_000


@pytest.mark.parametrize("change", ["add", "remove"])
@pytest.mark.parametrize("when", [is_importing, is_sealing])
def test_keyholders_change_after_the_run_and_not_in_the_middle_of_it(
    run: Runner, home: Home, tmp_path: Path, change: str, when: Callable[[Path], bool]
) -> None:
    out = tmp_path / "second.identity"
    made = run("--config", home.folder, "keys", "new", "second", "--out", out, "--classic", "--no-passphrase")
    words = ("keys", "add", "second", made.output.strip())
    if change == "remove":
        assert run("--config", home.folder, *words).code == 0
        words = ("keys", "remove", "second")
    before = home.settings.recipients.read_bytes()
    with standing_still(home.folder, lambda: when(home.folder), "backup") as process:
        error = run.fails(11, "--config", home.folder, *words)
        assert f"process {process.pid} is at work here" in error
        assert home.settings.recipients.read_bytes() == before
    assert ended(process) == (0, "")
    assert run("--config", home.folder, *words).code == 0
    assert run("--config", home.folder, "seal").code == 0
    text = (home.folder / "archiver.toml").read_text()
    mine = text.replace("keys/records.identity", str(out)).replace('name = "records"', 'name = "second"')
    (home.folder / "archiver.toml").write_text(mine)
    assert run("--config", home.folder, "search", "burglary").code == (0 if change == "add" else 12)


def test_a_signing_key_that_is_exchanged_takes_effect_once_the_vault_allows_it(
    run: Runner, home: Home
) -> None:
    path, old = home.settings.signing_key, load_signing_key(home.settings.signing_key)
    new = SigningKey.generate("collector")
    with standing_still(home.folder, lambda: is_importing(home.folder), "backup") as process:
        path.write_bytes(new.to_openssh())
    code, errors = ended(process)
    assert code == 2, errors
    assert "is not the one that signs this host's part of the log" in errors
    assert "bring that key back, or, if it was exchanged for this one: archiver schedule take-over" in errors
    path.write_bytes(old.to_openssh())
    assert run("--config", home.folder, "backup").code == 0  # whatever it came to, nothing is lost
    assert home.claim.key == old.fingerprint()
    assert run("--config", home.folder, "sync").code == 0

    path.write_bytes(new.to_openssh())
    error = run.fails(11, "--config", home.folder, "seal")
    assert f"with the signing key {old.fingerprint()} since" in error
    assert f"the key here is {new.fingerprint()}" in error
    assert "if it was exchanged for this one: archiver schedule take-over" in error
    error = run.fails(2, "--config", home.folder, "schedule", "take-over", "--reason", "a new key")
    assert "may not sign in this vault" in error
    assert "add this one to allowed_signers in every store" in error

    signers = home.folder / "vault" / "allowed_signers"
    line = allowed_signers_line("collector", new.public_line(), ["archiver-manifest"])
    home.replace("allowed_signers", signers.read_bytes() + line.encode() + b"\n")
    assert run("--config", home.folder, "schedule", "take-over", "--reason", "a new key").code == 0
    (home.folder / "inbox" / "done" / "export.zip").rename(home.folder / "old.zip")
    sample(home.folder / "inbox" / "later.zip", months=4)
    result = run("--config", home.folder, "backup")
    assert result.code == 0, result
    check_nothing_half(home.folder)
    assert [one.manifest.sequence for one in home.archives] == [1, 2]
    assert sum(row[0] == "post" for row in read_contents(home.folder)) > 0
    assert run("--config", home.folder, "log", "verify").code == 0
    assert run("--config", home.folder, "verify").code == 0


def test_a_secret_of_a_bucket_that_is_exchanged_in_the_middle_loses_nothing(
    run: Runner, home: Home, seaweed: Seaweed
) -> None:
    """The run has begun when the old secret stops being right; it says so, and the next has the new one."""
    bucket = seaweed.make_bucket("versioned")
    add_bucket(home, "bucket", seaweed, bucket, required=True)
    text = (home.folder / "archiver.toml").read_text().replace('vault = "vault"\n', "")
    local = '\n[[store]]\nname = "vault"\nkind = "local"\npath = "vault"\n[[store]]'
    (home.folder / "archiver.toml").write_text(text.replace("\n[[store]]", local, 1))
    assert run("--config", home.folder, "sync").code == 0
    secret = home.folder / "bucket.secret"
    right = secret.read_text()
    with standing_still(home.folder, lambda: is_importing(home.folder), "backup") as process:
        secret.write_text("not-the-secret-any-more")
    code, errors = ended(process)
    assert code == 1, errors
    assert "Traceback" not in errors
    assert "store bucket: " in errors
    assert "the spool is kept, and the next run completes it" in errors
    with home.open_spool() as spool:
        assert not spool.is_empty()
    secret.write_text(right)
    result = run("--config", home.folder, "backup")
    assert result.code == 0, result
    assert len(home.archives) == 1
    assert run("--config", home.folder, "verify", "--store", "bucket").code == 0
