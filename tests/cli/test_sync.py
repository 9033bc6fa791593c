"""`archiver sync`, and sealing into several stores, as a person meets them."""

import re
import shutil
import time
from pathlib import Path

import pytest

from archiver.disk import Lock
from archiver.formats import age
from archiver.settings import load_settings
from archiver.stores.local import LocalStore
from tests.cli.runner import Runner, start_process
from tests.faults.folders import copy_folder, make_folder, open_spool, sample
from tests.faults.standing import ended, is_sealing, standing_still
from tests.faults.test_copies_kill import NAMES, add_stores, files
from tests.homes import Home


@pytest.fixture(scope="module")
def spooled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two more stores and an export in its spool."""
    from archiver.cli import main

    base = tmp_path_factory.mktemp("spooled")
    folder = add_stores(make_folder(base / "home"))
    export = sample(base / "export.zip", months=1)
    assert main(["--config", str(folder), "import", "--add-account", str(export)]) == 0
    return folder


@pytest.fixture
def home(spooled: Path, tmp_path: Path) -> Path:
    return copy_folder(spooled, tmp_path / "home")


def is_spooled(folder: Path) -> bool:
    with open_spool(folder) as spool:
        return not spool.is_empty()


def archive_of(folder: Path) -> str:
    (archive,) = Home(folder).archives
    return archive.name


def sealed(vault: Path) -> dict[str, bytes]:
    """What lies there without the log, which has grown by what was tried."""
    return {name: data for name, data in files(vault).items() if not name.startswith("audit/")}


def test_sealing_says_which_stores_have_the_archive(run: Runner, home: Path) -> None:
    result = run("--config", home, "seal")
    assert result.code == 0
    assert ", in vault, copy and stick, read back and verified.\n" in result.output
    assert files(home / "vault") == files(home / "copy") == files(home / "stick")


def test_sealing_says_it_to_a_program(run: Runner, home: Path) -> None:
    (home / "stick").rmdir()
    result = run("--config", home, "seal", "--json")
    assert result.code == 3
    sealed, copy, stick = result.json_lines()
    assert sealed["stores"] == {"vault": True, "copy": True, "stick": False}
    assert (copy["type"], copy["store"], copy["archives"], copy["problems"]) == (
        "copied", "copy", [sealed["archive"]], [],
    )  # fmt: skip
    assert stick["archives"] == []
    assert "there is no folder" in str(stick["problems"])


def test_an_optional_store_that_is_away_ends_in_3_and_is_made_good_by_the_next_run(
    run: Runner, home: Path
) -> None:
    (home / "stick").rename(home / "elsewhere")
    result = run("--config", home, "seal")
    assert result.code == 3
    assert "in vault and copy, read back" in result.output
    assert f"archiver: error: store stick: there is no folder {home / 'stick'}" in result.errors
    assert not is_spooled(home)
    (home / "elsewhere").rename(home / "stick")
    result = run("--config", home, "seal")  # nothing new
    assert result.code == 0
    assert f"store stick was given {archive_of(home)}" in result.output
    assert files(home / "vault") == files(home / "copy") == files(home / "stick")


def test_a_required_store_that_is_away_keeps_the_spool_until_it_is_back(run: Runner, home: Path) -> None:
    (home / "copy").rename(home / "elsewhere")
    for _ in range(2):
        error = run.fails(1, "--config", home, "seal")
        assert "is not in every required store: store copy: there is no folder" in error
        assert "the spool is kept, and the next run completes it" in error
        assert is_spooled(home)
    name = archive_of(home)
    assert sealed(home / "vault") == sealed(home / "stick"), "the others are not kept waiting"
    (home / "elsewhere").rename(home / "copy")
    assert run("--config", home, "seal").code == 0
    assert not is_spooled(home)
    assert archive_of(home) == name
    assert files(home / "vault") == files(home / "copy") == files(home / "stick")


def test_a_backup_fills_what_was_away_and_checks_the_vault(run: Runner, home: Path) -> None:
    shutil.rmtree(home / "stick")
    assert run("--config", home, "backup").code == 3
    (home / "stick").mkdir()
    assert run("--config", home, "backup").code == 0
    assert files(home / "vault") == files(home / "stick")


def test_other_bytes_in_a_required_store_are_not_replaced(run: Runner, home: Path) -> None:
    assert run("--config", home, "seal").code == 0
    name = archive_of(home)
    folder = copy_folder(home, home.parent / "again")
    other = folder / "copy" / "archives" / name / "records-000.sqlite.zst.age"
    for path in (other, other.with_name("manifest.json")):
        path.unlink()
    other.write_bytes(b"other")
    result = run("--config", folder, "sync")
    assert result.code == 20
    error = result.errors
    assert f"store copy: archives/{name}/records-000.sqlite.zst.age is in" in error
    assert other.read_bytes() == b"other"


def test_sync_tells_what_each_store_was_given(run: Runner, home: Path) -> None:
    assert run("--config", home, "seal").code == 0
    shutil.rmtree(home / "copy")
    result = run("--config", home, "sync")
    assert result.code == 10
    assert "copy: CANNOT BE REACHED\n" in result.output
    assert f"archiver: error: store copy: there is no folder {home / 'copy'}\n" in result.errors
    assert "mkdir" in result.errors
    (home / "copy").mkdir()
    result = run("--config", home, "sync")
    assert result.code == 0
    vault, copy, stick = result.output.splitlines()
    assert vault == "vault: has the one archive"
    assert copy.startswith(f"copy: given {archive_of(home)} (")
    assert copy.endswith("; has the one archive")
    assert stick == "stick: has the one archive"
    assert files(home / "vault") == files(home / "copy")


def test_sync_tells_it_to_a_program(run: Runner, home: Path) -> None:
    assert run("--config", home, "seal").code == 0
    shutil.rmtree(home / "copy")
    (home / "copy").mkdir()
    vault, copy, _, told = run("--config", home, "sync", "--json").json_lines()
    assert (vault["type"], vault["name"], vault["given"], vault["lacking"]) == ("store", "vault", [], [])
    assert copy["given"] == [archive_of(home)]
    assert copy["bytes"] == sum(
        path.stat().st_size for path in (home / "copy").rglob("*.age") if path.name != "key.age"
    )
    assert told == {"type": "synced", "archives": 1, "complete": True, "problems": []}


def test_of_a_store_that_is_away_nothing_is_claimed(run: Runner, home: Path) -> None:
    assert run("--config", home, "seal").code == 0
    (home / "stick").rename(home / "elsewhere")
    result = run("--config", home, "sync")
    assert result.code == 3
    assert "stick: CANNOT BE REACHED\n" in result.output
    stick = run("--config", home, "sync", "--json").json_lines()[2]
    assert (stick["reached"], stick["lacking"]) == (False, None)


def test_where_the_first_store_is_gone_the_hint_leads_to_what_brings_it_back(run: Runner, home: Path) -> None:
    assert run("--config", home, "seal").code == 0
    whole = sealed(home / "vault")
    for command in ("seal", "backup"):
        shutil.rmtree(home / "vault")
        told = run.fails(10, "--config", home, command)
        assert told.endswith("hint: mount it; if it is gone: mkdir it, then: archiver sync --store vault")
        (home / "vault").mkdir()
        told = run.fails(10, "--config", home, command)
        assert told.endswith("hint: bring it back from the other stores first: archiver sync --store vault")
        assert run("--config", home, "sync", "--store", "vault").code == 0
        assert sealed(home / "vault") == whole
    for name in ("vault", "copy", "stick"):
        shutil.rmtree(home / name)
    assert "init" not in run("--config", home, "sync").errors


def test_sync_fills_only_the_store_named(run: Runner, home: Path) -> None:
    assert run("--config", home, "seal").code == 0
    for name in ("copy", "stick"):
        shutil.rmtree(home / name)
        (home / name).mkdir()
    assert run("--config", home, "sync", "--store", "stick").code == 0
    assert files(home / "copy") == {}
    assert files(home / "stick") == files(home / "vault")
    assert run.fails(2, "--config", home, "sync", "--store", "bucket").startswith("there is no store bucket")


def test_sync_and_sealing_keep_out_of_each_others_way(run: Runner, home: Path) -> None:
    with Lock(load_settings(home / "archiver.toml").lock):
        assert "is at work here" in run.fails(11, "--config", home, "sync")


def test_a_host_that_only_reads_synchronises_without_the_collectors_lock(run: Runner, home: Path) -> None:
    assert run("--config", home, "seal").code == 0
    shutil.rmtree(home / "copy")
    (home / "copy").mkdir()
    (home / "collector").rename(home.parent / "collector")
    text = (home / "archiver.toml").read_text()
    (home / "archiver.toml").write_text(re.sub(r"(?m)^(signing_key|spool_identity) = .*\n", "", text))
    with Lock(load_settings(home / "archiver.toml").lock):
        assert run("--config", home, "sync").code == 0
    assert files(home / "copy") == files(home / "vault")


def test_sync_while_a_seal_runs_is_refused_and_harms_nothing(run: Runner, home: Path) -> None:
    with standing_still(home, lambda: is_sealing(home), "seal") as process:
        error = run.fails(11, "--config", home, "sync")
        assert f"process {process.pid} is at work here" in error
    assert ended(process) == (0, "")
    assert files(home / "vault") == files(home / "copy") == files(home / "stick")


def test_sync_again_and_again_while_a_seal_runs_harms_nothing(run: Runner, home: Path) -> None:
    """At whatever moments of it: whoever has the lock first goes on, the other is told."""
    process = start_process("--config", home, "seal")
    while process.poll() is None:
        assert run("--config", home, "sync").code in (0, 11)
        time.sleep(0.01)
    code, errors = ended(process)
    if code == 11:
        assert "is at work here" in errors
        assert run("--config", home, "seal").code == 0
    else:
        assert code == 0, errors
    assert files(home / "vault") == files(home / "copy") == files(home / "stick")


def test_a_first_store_that_was_lost_is_not_sealed_into_before_sync(run: Runner, home: Path) -> None:
    assert run("--config", home, "seal").code == 0
    later = sample(home.parent / "later.zip", months=2)
    assert run("--config", home, "import", later).code == 0
    name = archive_of(home)
    shutil.rmtree(home / "vault" / "archives")
    assert run("--config", home, "seal").code == 20
    shutil.rmtree(home / "vault")
    (home / "vault").mkdir()
    assert run("--config", home, "seal").code == 10
    assert run("--config", home, "sync").code == 0
    assert archive_of(home) == name
    assert run("--config", home, "seal").code == 0
    assert len(Home(home).archives) == 2
    assert files(home / "vault") == files(home / "copy") == files(home / "stick")


def test_a_first_store_that_lacks_what_another_has_makes_no_second_chain(run: Runner, home: Path) -> None:
    """On a host without a state, which would remember the chain's end."""
    assert run("--config", home, "seal").code == 0
    shutil.rmtree(home / "vault" / "archives")
    for path in home.glob("state.sqlite*"):
        path.unlink()
    shutil.rmtree(home / "spool")
    (home / "spool").mkdir()
    assert run("--config", home, "import", sample(home.parent / "two.zip", months=2)).code == 0
    error = run.fails(20, "--config", home, "seal")
    assert error.startswith(f"store vault ({home / 'vault'}) lacks archive ")
    assert "archiver sync" in error
    assert list((home / "vault").glob("archives/*")) == []


def test_no_plain_text_and_no_secret_in_what_sync_says(run: Runner, home: Path) -> None:
    result = run("--config", home, "sync")
    assert "AGE-SECRET" not in result.output + result.errors


def test_the_three_names_are_those_of_the_settings(home: Path) -> None:
    assert [one.name for one in load_settings(home / "archiver.toml").stores] == list(NAMES)


# Keyholders


def add_bert(run: Runner, folder: Path) -> Path:
    public = folder.parent / "bert.pub"
    result = run(
        "keys", "new", "bert", "--out", folder.parent / "bert.identity", "--no-passphrase", "--classic"
    )
    public.write_text(result.output)
    return public


def keys_of(folder: Path) -> list[bytes]:
    return [(folder / name / "archives" / archive_of(folder) / "key.age").read_bytes() for name in NAMES]


def test_a_change_of_keyholders_puts_the_same_key_into_every_store(run: Runner, home: Path) -> None:
    assert run("--config", home, "seal").code == 0
    before = keys_of(home)
    assert len(set(before)) == 1
    result = run("--config", home, "keys", "add", "bert", add_bert(run, home))
    assert result.code == 0
    assert result.output.endswith("and what is sealed in 1 archive now.\n")
    after = keys_of(home)
    assert len(set(after)) == 1
    assert after != before


@pytest.mark.parametrize(("name", "code"), [("stick", 3), ("copy", 1), ("vault", 1)])
def test_a_store_that_is_away_gets_the_new_keys_when_it_is_back(
    run: Runner, home: Path, name: str, code: int
) -> None:
    assert run("--config", home, "seal").code == 0
    (home / name).rename(home / "elsewhere")
    result = run("--config", home, "keys", "add", "bert", add_bert(run, home))
    assert result.code == code
    assert result.output.endswith(f"what is sealed in 1 archive now, but not in {name}.\n")
    assert f"archiver: error: store {name}: there is no folder" in result.errors
    assert "archiver keys rewrap" in result.errors
    (home / "elsewhere").rename(home / name)
    assert len(set(keys_of(home))) == 2
    assert run("--config", home, "keys", "rewrap").code == 0
    assert len(set(keys_of(home))) == 1


def test_a_key_that_one_store_lacks_is_read_from_another_and_put_there(run: Runner, home: Path) -> None:
    assert run("--config", home, "seal").code == 0
    (home / "vault" / "archives" / archive_of(home) / "key.age").unlink()
    assert run("--config", home, "keys", "rewrap").code == 0
    assert len(set(keys_of(home))) == 1


def test_a_removed_keyholder_is_not_let_in_again_by_a_store_that_was_away(run: Runner, home: Path) -> None:
    """Its older key never goes over a newer one, also where it is the first store's."""
    assert run("--config", home, "keys", "add", "bert", add_bert(run, home)).code == 0
    assert run("--config", home, "seal").code == 0
    older = keys_of(home)[0]
    (home / "vault").rename(home / "elsewhere")
    run("--config", home, "keys", "remove", "bert")
    (home / "elsewhere").rename(home / "vault")
    result = run("--config", home, "sync")
    assert result.code == 3
    assert "key.age is not the same in the stores vault and copy and stick" in result.errors
    assert keys_of(home)[0] == older
    assert older not in keys_of(home)[1:]
    assert run("--config", home, "keys", "rewrap").code == 0
    assert len(set(keys_of(home))) == 1
    assert older not in keys_of(home)
    assert run("--config", home, "sync").code == 0


def test_a_begun_archive_whose_key_is_an_older_one_is_completed_after_rewrap(run: Runner, home: Path) -> None:
    assert run("--config", home, "seal").code == 0
    (home / "stick" / "archives" / archive_of(home) / "manifest.json").unlink()
    (home / "stick").rename(home / "elsewhere")
    assert run("--config", home, "keys", "add", "bert", add_bert(run, home)).code == 3
    (home / "elsewhere").rename(home / "stick")
    result = run("--config", home, "seal")
    assert result.code == 3
    assert "key.age in" in result.errors
    assert "archiver keys rewrap" in result.errors
    assert run("--config", home, "keys", "rewrap").code == 0
    assert run("--config", home, "seal").code == 0
    assert files(home / "vault") == files(home / "stick")


def test_the_program_itself_synchronises(home: Path) -> None:
    process = start_process("--config", home, "sync")
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert output.splitlines()[0] == "vault: there is no archive yet"


@pytest.mark.parametrize("command", ["seal", "backup"])
def test_a_first_store_that_was_emptied_is_brought_back_and_not_begun_anew(
    run: Runner, home: Path, command: str
) -> None:
    assert run("--config", home, "sync").code == 0
    shutil.rmtree(home / "vault")
    (home / "vault").mkdir()
    result = run("--config", home, command)
    assert result.code == 10
    assert "archiver: hint: bring it back from the other stores first: archiver sync" in result.errors
    assert is_spooled(home)
    assert run("--config", home, "sync").code == 0
    assert run("--config", home, command).code == 0
    assert not is_spooled(home)


def test_a_host_that_lost_its_states_folder_can_still_sync(run: Runner, home: Path) -> None:
    """The folder of the state holds the lock."""
    path = home / "archiver.toml"
    path.write_text(path.read_text().replace('state = "state.sqlite"', 'state = "state/state.sqlite"'))
    assert run("--config", home, "sync").code == 0


def test_sealing_copies_what_lies_beside_the_archives(run: Runner, home: Path) -> None:
    name = "exhibits/ABC/00000001.json.age"
    entry = age.encrypt([age.X25519Identity.generate().recipient()], b"{}")
    LocalStore(home / "vault").put_new(name, entry)
    assert run("--config", home, "seal").code == 0
    assert files(home / "vault") == files(home / "copy") == files(home / "stick")
    (home / "copy" / name).unlink()
    result = run("--config", home, "sync")
    assert result.code == 0
    assert "copy: given 1 file beside the archives; has the one archive\n" in result.output
    assert (home / "copy" / name).read_bytes() == entry
