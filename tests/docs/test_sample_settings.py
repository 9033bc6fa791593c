"""The commented sample is a settings file, it is complete, and it shows the defaults."""

import re
import tomllib
from pathlib import Path

from archiver.settings import Settings, known_settings, load_settings
from archiver.settings_api import AccountApi, Credentials
from tests.programs import PROJECT

SAMPLE = PROJECT / "config" / "archiver.sample.toml"


def names(table: dict[str, object], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for key, value in table.items():
        below = value[0] if isinstance(value, list) and value else value
        found |= names(below, f"{prefix}{key}.") if isinstance(below, dict) else {f"{prefix}{key}"}
    return found


def with_all_lines(text: str) -> str:
    """A line that begins with # and no space is a setting without a default: here it is one."""
    return re.sub(r"(?m)^#(?=[a-z_]+ = |\[)", "", text)


def load_in(folder: Path, text: str) -> Settings:
    """The keys that the text names are empty files here."""
    for name in re.findall(r'"((?:keys|collector)/[^"]*)"', text):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    (folder / "archiver.toml").write_text(text)
    return load_settings(folder / "archiver.toml")


def test_the_sample_holds_every_setting_and_no_other() -> None:
    assert names(tomllib.loads(with_all_lines(SAMPLE.read_text()))) == known_settings()


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
        "segment_bytes", "language", "limits", "x_api", "moderation",
    ):  # fmt: skip
        assert getattr(shown, name) == getattr(default, name), name
    token = f"file:{tmp_path}/collector/x-1234567890.token"
    assert [account.api for account in shown.accounts] == [AccountApi(Credentials(token=token))]
    assert default.keyholder is None
    assert default.accounts == ()


def test_the_other_ways_to_an_account_load_once_their_lines_are_used(tmp_path: Path) -> None:
    text = SAMPLE.read_text()
    token = 'token = "file:collector/x-1234567890.token"\n'
    for keys in (
        ("bearer_token",),
        ("consumer_key", "consumer_secret", "access_token", "access_token_secret"),
    ):
        changed = text.replace(token, "").replace('"messages", "following", "blocks", "mutes"', '"following"')
        for key in keys:
            changed = changed.replace(f"\n#{key} = ", f"\n{key} = ")
        api = load_in(tmp_path, changed).accounts[0].api
        assert api is not None
        assert {key for key, value in vars(api.credentials).items() if value} == set(keys)
