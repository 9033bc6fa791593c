"""Two hosts with one vault: the second is refused with who holds it, until it takes over."""

import os
import shutil
from pathlib import Path

import pytest

from tests.cli.runner import Runner, start_process
from tests.cli.stores import add_store
from tests.faults.folders import copy_folder, make_folder, sample
from tests.homes import Home


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vault that nobody has sealed into, and two folders that each have it, with an export each."""
    base = tmp_path_factory.mktemp("two")
    first = make_folder(base / "first")
    shutil.move(first / "vault", base / "vault")
    copy_folder(first, base / "second")
    for name in ("first", "second"):
        (base / name / "vault").symlink_to(base / "vault")
        settings = base / name / "archiver.toml"
        text = settings.read_text().replace("[collector]\n", f'[collector]\nhost = "{name}"\n', 1)
        settings.write_text(text.replace('vault = "vault"', 'vault = "../vault"'))
    sample(base / "export.zip", months=1)
    return base


@pytest.fixture
def base(made: Path, tmp_path: Path) -> Path:
    return copy_folder(made, tmp_path / "two")


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_first_sealing_claims_the_vault_and_an_import_or_an_empty_one_does_not(
    run: Runner, base: Path
) -> None:
    first = base / "first"
    assert run("--config", first, "seal").code == 0
    assert run("--config", first, "import", "--add-account", base / "export.zip").code == 0
    assert not (base / "vault" / "collectors").exists()
    assert run("--config", first, "seal").code == 0
    assert Home(first).claim.host == "first"
    assert [one.manifest.claim is not None for one in Home(first).archives] == [True]
    assert "kept by the host first since 20" in run("--config", first, "verify").output


def test_a_second_host_is_refused_before_it_does_or_logs_anything(run: Runner, base: Path) -> None:
    first, second = base / "first", base / "second"
    assert run("--config", first, "import", "--add-account", base / "export.zip").code == 0
    assert run("--config", first, "seal").code == 0
    before = files_below(base / "vault"), files_below(second)
    shutil.copy(base / "export.zip", second / "inbox")
    for command in (("import", "--add-account", base / "export.zip"), ("seal",), ("backup",)):
        error = run.fails(11, "--config", second, *command)
        assert f"the vault in {second}/../vault is kept by the host first since 20" in error
        assert "this is second" in error
        assert "archiver schedule take-over --reason TEXT" in error
    assert files_below(base / "vault") == before[0]
    assert files_below(second) - before[1] == {"inbox/export.zip"} | (
        files_below(second) & {"state.sqlite", "state.sqlite-wal", "state.sqlite-shm"}
    )
    assert run("--config", second, "search", "burglary").code == 0  # to read is everybody's


BY_HAND = (
    *(
        "moderate",
        "1588091220244369409",
        "--reason",
        "abusive",
        "--action",
        "report",
        "--text",
        "something rude",
    ),
    *("--author", "made_up_name", "--posted-at", "2026-11-01T09:00Z"),
)


def test_what_a_host_that_does_not_keep_the_vault_would_record_is_refused_before_x_is_asked(
    run: Runner, base: Path
) -> None:
    """Its spool would never be sealed; what it may read or try, it may."""
    first, second = base / "first", base / "second"
    for folder in (first, second):
        with (folder / "archiver.toml").open("a") as file:
            file.write('\n[[account]]\nplatform = "x"\nid = "451207733"\n')
    assert run("--config", first, "import", base / "export.zip").code == 0
    assert run("--config", first, "seal").code == 0
    log = base / "log.csv"
    assert run("--config", first, *BY_HAND).code == 3  # recorded, and to be done by hand
    assert run("--config", first, "moderation", "export", "--output", log).code == 0
    spool = files_below(second / "spool")
    for words in (BY_HAND, ("moderation", "done", "1588091220244369409"), ("moderation", "import", log)):
        error = run.fails(11, "--config", second, *words)
        assert "is kept by the host first since 20" in error
        assert "this is second" in error
    assert files_below(second / "spool") == spool
    assert run("--config", second, "moderation", "import", log, "--dry-run").code == 0
    assert run("--config", second, "moderation", "pending").code == 0


def test_damaged_claims_keep_nobody_from_taking_a_post_down(run: Runner, base: Path) -> None:
    first = base / "first"
    with (first / "archiver.toml").open("a") as file:
        file.write('\n[[account]]\nplatform = "x"\nid = "451207733"\n')
    assert run("--config", first, "import", base / "export.zip").code == 0
    assert run("--config", first, "seal").code == 0
    (base / "vault" / "collectors" / "00000002.tar").write_bytes(b"no claim")
    result = run("--config", first, *BY_HAND)
    assert result.code == 3
    assert "collectors/00000002.tar" in result.errors
    assert "Recorded as" in result.output
    assert run("--config", first, "seal").code == 20


def test_whoever_takes_over_holds_the_vault_and_the_old_host_is_refused(run: Runner, base: Path) -> None:
    first, second = base / "first", base / "second"
    assert run("--config", first, "import", "--add-account", base / "export.zip").code == 0
    assert run("--config", first, "seal").code == 0
    taken = run("--config", second, "schedule", "take-over", "--reason", "a new server")
    assert taken.code == 0
    assert taken.output == "second keeps the vault from now on, after first (collectors/00000002.tar).\n"
    assert (Home(second).claim.host, Home(second).claim.reason) == ("second", "a new server")
    assert "kept by the host second" in run.fails(11, "--config", first, "seal")
    again = run("--config", second, "schedule", "take-over", "--reason", "a new server")
    assert "second keeps the vault already" in again.output
    assert run("--config", second, "import", "--add-account", base / "export.zip").code == 0
    assert run("--config", second, "seal").code == 0
    assert run("--config", second, "verify").code == 0
    shown = run("--config", second, "log", "show", "--verb", "config")
    assert "schedule take-over" in shown.output
    assert "a new server" in shown.output


def test_a_take_over_needs_a_reason_of_some_words(run: Runner, base: Path) -> None:
    assert "--reason" in run.fails(2, "--config", base / "first", "schedule", "take-over")
    assert "empty" in run.fails(2, "--config", base / "first", "schedule", "take-over", "--reason", " ")
    long = run.fails(2, "--config", base / "first", "schedule", "take-over", "--reason", "x" * 1001)
    assert "1000 at most" in long
    assert not (base / "vault" / "collectors").exists()


def test_where_no_claim_is_a_take_over_makes_the_first(run: Runner, base: Path) -> None:
    told = run("--config", base / "first", "--json", "schedule", "take-over", "--reason", "begin")
    (line,) = told.json_lines()
    assert (line["host"], line["before"], line["new"]) == ("first", None, True)


def test_of_two_hosts_that_seal_at_once_for_the_first_time_one_wins(run: Runner, base: Path) -> None:
    for name in ("first", "second"):
        words = ("import", "--add-account", base / "export.zip")
        assert run("--config", base / name, *words).code == 0
    running = [start_process("--config", base / name, "seal") for name in ("first", "second")]
    errors = [process.communicate(timeout=60)[1] for process in running]
    codes = [process.returncode for process in running]
    assert sorted(codes) == [0, 11], errors
    winner = ("first", "second")[codes.index(0)]
    assert Home(base / "first").claim.host == winner
    assert len(Home(base / "first").archives) == 1
    loser = base / ("first", "second")[codes.index(11)]
    assert f"kept by the host {winner}" in errors[codes.index(11)]
    status = run("--config", loser, "status", "--json").json_lines()
    assert [line["spool_records"] for line in status if line["type"] == "waiting"] > [0], "nothing is lost"
    assert run("--config", loser, "schedule", "take-over", "--reason", "both were set up").code == 0
    told = run("--config", loser, "seal")
    assert told.code == 20  # both began one chain of the log, which the hint says how to mend
    assert "another host writes this chain" in told.errors
    assert f"keep a copy of {loser}/spool/log and move it away" in told.errors
    (loser / "spool" / "log").rename(base / "kept")
    assert run("--config", loser, "sync").code == 0
    assert len(Home(loser).archives) == 2
    assert run("--config", loser, "verify").code == 0


def test_a_claim_goes_to_every_store_and_a_host_that_seals_into_another_is_refused_too(
    run: Runner, base: Path
) -> None:
    first, second = Home(base / "first"), Home(base / "second")
    (base / "copy").mkdir()
    for home, order in ((first, ("vault", "copy")), (second, ("copy", "vault"))):
        text = (home.folder / "archiver.toml").read_text().replace('vault = "../vault"\n', "")
        (home.folder / "archiver.toml").write_text(text)
        for name in order:
            add_store(home, name, required=True)
            path = home.folder / name
            path.unlink(missing_ok=True)
            path.symlink_to(base / name)
    assert run("--config", first.folder, "import", "--add-account", base / "export.zip").code == 0
    assert run("--config", first.folder, "seal").code == 0
    claim = (base / "vault" / "collectors" / "00000001.tar").read_bytes()
    assert (base / "copy" / "collectors" / "00000001.tar").read_bytes() == claim
    assert "kept by the host first" in run.fails(11, "--config", second.folder, "seal")
    assert run("--config", second.folder, "schedule", "take-over", "--reason", "moved").code == 0
    for name in ("vault", "copy"):
        assert (base / name / "collectors" / "00000002.tar").exists()
    (base / "vault" / "collectors" / "00000002.tar").unlink()
    assert run("--config", first.folder, "sync").code == 0
    assert "kept by the host second" in run.fails(11, "--config", first.folder, "seal")


def test_claims_that_somebody_took_away_are_missed_by_verify_and_by_the_holder(
    run: Runner, base: Path
) -> None:
    first = base / "first"
    assert run("--config", first, "import", "--add-account", base / "export.zip").code == 0
    assert run("--config", first, "seal").code == 0
    shutil.rmtree(base / "vault" / "collectors")
    result = run("--config", first, "verify")
    assert result.code == 20
    assert "collectors/00000001.tar is missing, which archives/" in result.errors
    error = run.fails(20, "--config", first, "seal")
    assert "by which this host held the vault, is not in" in error
    assert run("--config", first, "schedule", "take-over", "--reason", "the claims were deleted").code == 0
    assert run("--config", first, "seal").code == 0


def test_a_store_that_is_away_keeps_nobody_from_importing(run: Runner, base: Path) -> None:
    (base / "vault").rename(base / "away")
    words = ("import", "--add-account", base / "export.zip")
    assert run("--config", base / "second", *words).code == 0
    (base / "away").rename(base / "vault")
    assert os.listdir(base / "vault" / "archives") == [] if (base / "vault" / "archives").exists() else True


def test_a_claim_that_was_altered_or_lost_in_one_store_is_put_back_from_another(
    run: Runner, base: Path
) -> None:
    home = Home(base / "first")
    (home.folder / "copy").mkdir()
    text = (home.folder / "archiver.toml").read_text().replace('vault = "../vault"\n', "")
    (home.folder / "archiver.toml").write_text(text)
    for name in ("vault", "copy"):
        add_store(home, name, required=True)
    assert run("--config", home.folder, "import", "--add-account", base / "export.zip").code == 0
    assert run("--config", home.folder, "seal").code == 0
    path = home.folder / "copy" / "collectors" / "00000001.tar"
    whole = path.read_bytes()
    for harm in (b"nothing", None):
        path.unlink()
        if harm is not None:
            path.write_bytes(harm)
        assert run("--config", home.folder, "verify").code == 20
        assert run("--config", home.folder, "repair").code == 0
        assert path.read_bytes() == whole
        assert run("--config", home.folder, "verify").code == 0
