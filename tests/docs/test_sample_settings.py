"""The commented sample is a settings file, it is complete, and it shows the defaults."""

import re
import tomllib
from pathlib import Path

from archiver.settings import Settings, known_settings, load_settings
from archiver.settings.api import AccountApi, Credentials
from archiver.settings.notices import AppriseSettings, PingSettings, SmtpSettings, WebhookSettings
from archiver.settings.stores import LocalStoreSettings, S3StoreSettings
from archiver.settings.timestamps import AuthoritySettings
from tests.authority import make_authority
from tests.programs import PROJECT

SAMPLE = PROJECT / "config" / "archiver.sample.toml"


def names(table: dict[str, object], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for key, value in table.items():
        for below in value if isinstance(value, list) and value else [value]:
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
        "stores", "cache", "inbox", "spool", "state", "recipients", "signing_key", "spool_identity",
        "segment_bytes", "language", "limits", "x_api", "moderation", "timestamps", "evidence",
        "schedule", "checks", "notices", "retention",
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


def test_the_other_stores_load_once_their_lines_are_used(tmp_path: Path) -> None:
    """All of them, but that a profile and keys exclude each other, as lines beside it say."""
    text = SAMPLE.read_text()
    first = text.index("#[[store]]")
    last = text.index("# Time stamps (RFC 3161)")
    used = with_all_lines(text[first:last]).replace('object_lock = "none"', 'object_lock = "governance"')
    used = used.replace('encryption = "none"', 'encryption = "aws:kms"')
    used = used.replace("/etc/ssl/certs/s3.pem", "keys/s3.pem").replace('profile = "archiver"\n', "")
    _, share, bucket = load_in(tmp_path, text[:first] + used + text[last:]).stores
    assert share == LocalStoreSettings("share", True, Path("/mnt/share/vault"))
    assert isinstance(bucket, S3StoreSettings)
    assert [name for name, value in vars(bucket).items() if value is None] == ["profile"]


def test_the_time_stamp_authority_loads_once_its_lines_are_used(tmp_path: Path) -> None:
    text = SAMPLE.read_text()
    first, last = text.index("#[[timestamp]]"), text.index("# What is kept on this machine of stores")
    used = with_all_lines(text[first:last]).replace("/etc/ssl/certs/proxy.pem", "keys/proxy.pem")
    made = make_authority(tmp_path / "authority")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "proxy.pem").touch()
    places = {
        "collector/timestamp.pem": made.certificate_path,
        "collector/timestamp-root.pem": made.root_path,
    }
    for name, path in places.items():
        used = used.replace(name, str(path))
    (one,) = load_in(tmp_path, text[:first] + used + text[last:]).timestamps
    assert (one.name, one.policy) == ("authority", "1.3.6.1.4.1.4146.2.3")
    assert None not in vars(one).values()
    assert one.timeout_seconds == AuthoritySettings("", "", (), ()).timeout_seconds


def test_the_notices_load_once_their_lines_are_used_and_show_their_defaults(tmp_path: Path) -> None:
    text = SAMPLE.read_text()
    first, last = text.index("#[[notice]]"), text.index("# An account that is archived")
    used = re.sub("/etc/ssl/certs/([a-z]+).pem", r"keys/\1.pem", with_all_lines(text[first:last]))
    mail, hook, ping, metrics, chat = load_in(tmp_path, text[:first] + used + text[last:]).notices
    assert isinstance(mail, SmtpSettings)
    assert isinstance(hook, WebhookSettings)
    assert isinstance(ping, PingSettings)
    assert isinstance(chat, AppriseSettings)
    assert metrics.name == "metrics"
    assert None not in (*vars(mail).values(), *vars(hook).values(), *vars(ping).values())
    for shown, default in (
        (mail, SmtpSettings("", "", 465, "", ())),
        (hook, WebhookSettings("", "")),
        (ping, PingSettings("", "")),
        (chat, AppriseSettings("", ())),
    ):
        for key in ("on", "security", "failure", "timeout_seconds"):
            assert getattr(shown, key, None) == getattr(default, key, None), (shown.name, key)


def test_what_the_sample_says_a_bucket_has_otherwise_are_the_defaults() -> None:
    table = tomllib.loads(with_all_lines(SAMPLE.read_text()))["store"][1]
    default = vars(S3StoreSettings("bucket", True, ""))
    shown = {
        "required", "addressing", "object_lock", "legal_hold", "encryption", "connect_timeout_seconds",
        "read_timeout_seconds", "tries",
    }  # fmt: skip
    assert {name: table.get(name, True) for name in shown} == {name: default[name] for name in shown}
