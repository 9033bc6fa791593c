"""`archiver seal`: the spool into an archive, told with its head."""

from pathlib import Path

from tests.cli.runner import Runner
from tests.faults.folders import make_folder, sample
from tests.homes import Home


def test_what_was_imported_is_sealed_once(run: Runner, tmp_path: Path) -> None:
    home = Home(make_folder(tmp_path / "home"))
    assert run("--config", home.folder, "seal").output == "Nothing new to seal.\n"
    export = sample(tmp_path / "sample.zip")
    assert run("--config", home.folder, "import", "--add-account", export).code == 0
    result = run("--config", home.folder, "seal")
    assert result.code == 0
    (archive,) = home.archives
    assert result.output.startswith(f"Sealed archive {archive.name}: ")
    assert result.output.endswith(f"  chain head 1:{archive.head.sha256}\n")
    assert run("--config", home.folder, "seal", "--json").json_lines() == [
        {"type": "sealed", "archive": None}
    ]


def test_a_program_gets_one_object(run: Runner, tmp_path: Path) -> None:
    home = Home(make_folder(tmp_path / "home"))
    export = sample(tmp_path / "sample.zip")
    assert run("--config", home.folder, "import", "--add-account", export).code == 0
    (told,) = run("--config", home.folder, "seal", "--json").json_lines()
    (archive,) = home.archives
    assert told == {
        "type": "sealed", "archive": archive.name, "sequence": 1, "manifest_sha256": archive.head.sha256,
        "files": len(archive.manifest.files), "bytes": sum(file.size for file in archive.manifest.files),
        "records": sum(sum(file.records.values()) for file in archive.manifest.files), "problems": [],
        "stores": {"vault": True},
    }  # fmt: skip


def test_without_the_signing_key_nothing_is_sealed(run: Runner, tmp_path: Path) -> None:
    home = Home(make_folder(tmp_path / "home"))
    assert run("--config", home.folder, "import", "--add-account", sample(tmp_path / "s.zip")).code == 0
    key = home.settings.signing_key
    key.chmod(0o644)
    assert "can be read by others" in run.fails(2, "--config", home.folder, "seal")
    assert home.archives == []
    key.chmod(0o600)
    assert run("--config", home.folder, "seal").code == 0


def test_a_vault_that_is_not_there_is_to_be_mounted_and_not_made_anew(run: Runner, tmp_path: Path) -> None:
    home = Home(make_folder(tmp_path / "home"))
    (home.folder / "vault").rename(home.folder / "elsewhere")
    for command in ("seal", "backup"):
        told = run.fails(10, "--config", home.folder, command)
        assert "hint: mount it; if it is gone, name a copy of the vault as a [[store]]" in told
    (home.folder / "vault").mkdir()
    assert "init" not in run.fails(10, "--config", home.folder, "seal")
