"""archiver.toml: what it may say, and that everything wrong is said at once."""

import stat
import tomllib
from pathlib import Path

import pytest

from archiver.errors import ConfigurationError, UsageError
from archiver.settings import (
    MEBIBYTE,
    AccountSettings,
    KeyholderSettings,
    Limits,
    Settings,
    SettingsError,
    add_account,
    find_settings,
    load_settings,
    toml_text,
)
from archiver.settings.stores import LocalStoreSettings


def load(folder: Path, text: str) -> Settings:
    (folder / "archiver.toml").write_text(text)
    return load_settings(folder / "archiver.toml")


def problems(folder: Path, text: str) -> list[str]:
    """Each as `place: what`."""
    with pytest.raises(SettingsError) as caught:
        load(folder, text)
    assert caught.value.exit_code == 2
    return [f"{problem.where}: {problem.what}" for problem in caught.value.problems]


def test_an_empty_file_has_all_defaults_below_its_own_folder(tmp_path: Path) -> None:
    settings = load(tmp_path, "")
    assert settings.home == tmp_path
    assert settings.stores == (LocalStoreSettings("vault", True, tmp_path / "vault"),)
    assert settings.inbox == tmp_path / "inbox"
    assert settings.spool == tmp_path / "spool"
    assert settings.state == tmp_path / "state.sqlite"
    assert settings.lock == tmp_path / "state.sqlite.lock"
    assert settings.signing_key == tmp_path / "collector" / "signing_key"
    assert settings.keyholder is None
    assert settings.accounts == ()
    assert settings.segment_bytes == 256 * MEBIBYTE
    assert settings.limits == Limits()


def test_everything_that_is_said_is_taken(tmp_path: Path) -> None:
    (tmp_path / "key").touch()
    settings = load(
        tmp_path,
        """
        vault = "/mnt/share/vault"
        [collector]
        inbox = "../drop"
        signing_key = "key"
        [keyholder]
        name = "records"
        identity = "stick/records.identity"
        passphrase = "env:PASS"
        [seal]
        segment_mebibytes = 8
        [search]
        language = "none"
        [limits]
        member_mebibytes = 16
        ratio = 50
        members = 10
        [[account]]
        platform = "x"
        id = "1"
        [[account]]
        platform = "x"
        id = "2"
        handle = "Two_2"
        """,
    )
    assert settings.stores == (LocalStoreSettings("vault", True, Path("/mnt/share/vault")),)
    assert settings.inbox == tmp_path / ".." / "drop"
    assert settings.signing_key == tmp_path / "key"
    assert settings.keyholder == KeyholderSettings(
        "records", tmp_path / "stick" / "records.identity", "env:PASS"
    )
    assert settings.segment_bytes == 8 * MEBIBYTE
    assert settings.language == "none"
    assert settings.limits == Limits(16 * MEBIBYTE, 50, 10)
    assert settings.accounts == (AccountSettings("x", "1"), AccountSettings("x", "2", "Two_2"))


def test_all_problems_are_said_at_once_each_with_its_place(tmp_path: Path) -> None:
    text = """
        vualt = "elsewhere"
        recipients = "absent.txt"
        [collector]
        inbox = 3
        spool = ""
        [keyholder]
        name = "a/b"
        [limits]
        ratio = 1
        members = true
        [search]
        language = "klingon"
        [[account]]
        platform = "x"
        id = 12
        [[account]]
        platform = "telex"
        [[account]]
        platform = "x"
        id = "twelve"
        handle = "@example"
        [[account]]
        platform = "x"
        id = "7"
        colour = "blue"
        [[account]]
        platform = "x"
        id = "7"
        """
    assert set(problems(tmp_path, text)) == {
        "vualt: this is not a setting",
        f"recipients: there is no file {tmp_path}/absent.txt",
        "collector.inbox: this must be a text in quotes",
        "collector.spool: '' cannot be right",
        "keyholder.name: 'a/b' cannot be right",
        "keyholder.identity: this is missing",
        "limits.ratio: 1 is outside 2 to 1100",
        "limits.members: this must be a whole number",
        "search.language: 'klingon' is not known",
        "account[1].id: this must be a text in quotes",
        "account[2].platform: 'telex' is not known",
        "account[2].id: this is missing",
        "account[3].id: 'twelve' cannot be right",
        "account[3].handle: '@example' cannot be right",
        "account[4].colour: this is not a setting",
        "account[5].id: x account 7 is given twice",
    }


def test_several_problems_are_lines_of_one_message_with_their_hints(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, 'vualt = "x"\n[[account]]\nplatform = "x"\nid = "7"\nhandle = "@a"\n')
    assert caught.value.message.splitlines() == [
        f"{tmp_path}/archiver.toml: 2 problems",
        "  account[1].handle: '@a' cannot be right (letters, digits and _ only, without the @)",
        "  vualt: this is not a setting (did you mean vault?)",
    ]
    assert caught.value.hint == "change archiver.toml and look again: archiver config check"


def test_one_problem_is_one_line_with_its_hint(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, 'vualt = "x"')
    assert caught.value.message == f"{tmp_path}/archiver.toml: vualt: this is not a setting"
    assert caught.value.hint == "did you mean vault?"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("collector = 3", "collector: this must be a table"),
        ("account = 3", "account: this must be a list of tables"),
        ("account = [3]", "account[1]: this must be a table"),
        ("[account]\nid = '1'", "account: this must be a list of tables"),
        ("keyholder = 'me'", "keyholder: this must be a table"),
        ("[search]\nlanguage = ''", "search.language: '' cannot be right"),
        ("[seal]\nsegment_mebibytes = 1.5", "seal.segment_mebibytes: this must be a whole number"),
        ("[seal]\nsegment_mebibytes = 0", "seal.segment_mebibytes: 0 is outside 1 to 1024"),
        ('vault = "a\\u0000b"', "vault: 'a\\x00b' cannot be right"),
        ("[surplus]\na = 1", "surplus: this is not a setting"),
    ],
)
def test_wrong_kinds_of_values_are_named(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in problems(tmp_path, text)


def test_a_passphrase_written_into_the_settings_is_refused_without_repeating_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, '[keyholder]\nname = "a"\nidentity = "b"\npassphrase = "correct horse"\n')
    assert "keyholder.passphrase: this is not a reference to a secret" in caught.value.message
    assert "horse" not in f"{caught.value.message}{caught.value.hint}{caught.value!r}"


def test_a_passphrase_file_is_taken_from_the_settings_folder(tmp_path: Path) -> None:
    settings = load(tmp_path, '[keyholder]\nname = "a"\nidentity = "b"\npassphrase = "file:secret/pass"\n')
    assert settings.keyholder is not None
    assert settings.keyholder.passphrase == f"file:{tmp_path}/secret/pass"


def test_collecting_goes_on_where_the_keyholders_identity_is_away(tmp_path: Path) -> None:
    settings = load(tmp_path, '[keyholder]\nname = "a"\nidentity = "in-a-drawer"\n')
    assert settings.keyholder is not None
    assert not settings.keyholder.identity.exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"vault = x", "is not TOML: Invalid value"),
        (b"vault = 'a'\nvault = 'b'", "is not TOML: Cannot overwrite a value"),
        (b"vault = '\xff'", "byte 9 is not UTF-8 text"),
        (b"a = " + b"[" * 100_000, "is not TOML"),
        (b"a = 1" + b"0" * 10_000, "is not TOML"),
        (b"a = 0x1" + b"0" * 10_000, "is not TOML"),
    ],
)
def test_what_is_not_toml_is_said_to_be_so(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "archiver.toml").write_bytes(data)
    with pytest.raises(ConfigurationError, match=message):
        load_settings(tmp_path / "archiver.toml")


def test_settings_that_are_not_there_or_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no settings file .*/absent\.toml"):
        load_settings(tmp_path / "absent.toml")
    with pytest.raises(Exception, match="is a directory while reading it") as caught:
        load_settings(tmp_path)
    assert caught.type.__name__ == "ConfigurationError"


def test_the_digest_is_of_what_is_said_and_not_of_how(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    first = load(tmp_path, 'vault = "v"\n[search]\nlanguage = "none"\n').digest
    other_words = '# moved\nsearch = {language = "none"}\nvault = "v"\n'
    assert load(tmp_path / "b", other_words).digest == first
    assert load(tmp_path, 'vault = "w"\n[search]\nlanguage = "none"\n').digest != first
    assert len(first) == 64


def test_settings_are_found_by_option_then_variable_then_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("option", "variable", "folder"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "archiver.toml").touch()
    option, variable = tmp_path / "option" / "archiver.toml", tmp_path / "variable"
    monkeypatch.chdir(tmp_path / "folder")
    assert find_settings(option, {"ARCHIVER_CONFIG": str(variable)}) == option
    assert find_settings(option.parent, {}) == option
    assert find_settings(None, {"ARCHIVER_CONFIG": str(variable)}) == variable / "archiver.toml"
    assert find_settings(None, {"ARCHIVER_CONFIG": ""}) == tmp_path / "folder" / "archiver.toml"


def test_where_there_are_no_settings_the_way_to_make_them_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "archiver.toml").mkdir()
    for option, environ in ((None, {}), (Path("absent"), {}), (None, {"ARCHIVER_CONFIG": "absent"})):
        with pytest.raises(ConfigurationError) as caught:
            find_settings(option, environ)
        assert caught.value.exit_code == 2
        assert "archiver init" in (caught.value.hint or "")
        assert ("absent" in caught.value.message) == bool(option or environ)


def test_an_account_is_appended_and_everything_else_stays_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "archiver.toml"
    before = '# ours\n[search]\nlanguage = "none" # kept'
    path.write_text(before)
    path.chmod(0o640)
    settings = add_account(path, AccountSettings("x", "12", "example"))
    assert settings.accounts == (AccountSettings("x", "12", "example"),)
    add_account(path, AccountSettings("x", "13"))
    assert path.read_text().startswith(before + "\n")
    assert load_settings(path).accounts == (AccountSettings("x", "12", "example"), AccountSettings("x", "13"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_an_account_that_is_there_or_is_none_is_not_added(tmp_path: Path) -> None:
    path = tmp_path / "archiver.toml"
    path.write_text('[[account]]\nplatform = "x"\nid = "12"\n')
    before = path.read_bytes()
    with pytest.raises(UsageError, match="x account 12 is in"):
        add_account(path, AccountSettings("x", "12", "other"))
    with pytest.raises(SettingsError, match=r"account\[2\]\.id: '1\\n\[keyholder\]' cannot be right"):
        add_account(path, AccountSettings("x", "1\n[keyholder]"))
    with pytest.raises(SettingsError, match=r"account\[2\]\.platform"):
        add_account(path, AccountSettings("telex", "13"))
    assert path.read_bytes() == before


def test_accounts_listed_in_one_line_are_left_to_their_writer(tmp_path: Path) -> None:
    path = tmp_path / "archiver.toml"
    path.write_text('account = [{platform = "x", id = "12"}]\n')
    with pytest.raises(ConfigurationError, match="lists them in one line"):
        add_account(path, AccountSettings("x", "13"))
    assert path.read_text() == 'account = [{platform = "x", id = "12"}]\n'


@pytest.mark.parametrize("text", ["plain", 'quo"te', "back\\slash", "tab\tline\nend", "ä 🙂", "\x7f", "\x01"])
def test_a_text_written_as_toml_is_read_back(text: str) -> None:
    assert tomllib.loads(f"a = {toml_text(text)}") == {"a": text}
