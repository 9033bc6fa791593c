"""The commented sample is a settings file, it is complete, and it shows the defaults."""

import re
import tomllib
from pathlib import Path

from archiver.settings import Settings, known_settings, load_settings
from tests.programs import PROJECT

SAMPLE = PROJECT / "config" / "archiver.sample.toml"


def names(table: dict[str, object], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for key, value in table.items():
        below = value[0] if isinstance(value, list) else value
        found |= names(below, f"{prefix}{key}.") if isinstance(below, dict) else {f"{prefix}{key}"}
    return found


def load_in(folder: Path, text: str) -> Settings:
    """The keys that the text names are empty files here."""
    for name in re.findall(r'"((?:keys|collector)/[^"]*)"', text):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    (folder / "archiver.toml").write_text(text)
    return load_settings(folder / "archiver.toml")


def test_the_sample_holds_every_setting_and_no_other() -> None:
    assert names(tomllib.loads(SAMPLE.read_text())) == known_settings()


def test_the_sample_loads_as_it_is(tmp_path: Path) -> None:
    settings = load_in(tmp_path, SAMPLE.read_text())
    assert settings.keyholder is not None
    assert settings.keyholder.passphrase == "command:pass show archiver"
    assert [account.id for account in settings.accounts] == ["1234567890"]
    assert settings.recipients.is_file()


def test_what_the_sample_shows_are_the_defaults(tmp_path: Path) -> None:
    shown = load_in(tmp_path, SAMPLE.read_text())
    (tmp_path / "archiver.toml").write_text("")
    default = load_settings(tmp_path / "archiver.toml")
    for name in (
        "vault", "inbox", "spool", "state", "recipients", "signing_key", "spool_identity",
        "segment_bytes", "language", "limits",
    ):  # fmt: skip
        assert getattr(shown, name) == getattr(default, name), name
    assert default.keyholder is None
    assert default.accounts == ()
