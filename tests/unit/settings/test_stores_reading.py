"""`[[store]]` and `[cache]`: what they may say, and that everything wrong is said at once."""

from pathlib import Path

import pytest

from archiver.settings import MEBIBYTE, Settings, SettingsError, load_settings
from archiver.settings.stores import CacheSettings, LocalStoreSettings, S3StoreSettings

BUCKET = 'name = "b"\nkind = "s3"\nbucket = "police-archive"\n'


def load(folder: Path, text: str) -> Settings:
    (folder / "archiver.toml").write_text(text)
    return load_settings(folder / "archiver.toml")


def problems(folder: Path, text: str) -> set[str]:
    """Each as `place: what`."""
    with pytest.raises(SettingsError) as caught:
        load(folder, text)
    return {f"{problem.where}: {problem.what}" for problem in caught.value.problems}


def test_without_a_word_the_vault_is_a_folder_beside_the_settings(tmp_path: Path) -> None:
    settings = load(tmp_path, "")
    assert settings.stores == (LocalStoreSettings("vault", True, tmp_path / "vault"),)
    assert settings.cache == CacheSettings(tmp_path / "cache", 1024 * MEBIBYTE, 60)


def test_vault_is_the_first_store_and_tables_follow_in_order(tmp_path: Path) -> None:
    text = f"""
        vault = "here"
        [[store]]
        name = "share"
        kind = "local"
        required = false
        path = "/mnt/share"
        [[store]]
        {BUCKET}
        """
    assert load(tmp_path, text).stores == (
        LocalStoreSettings("vault", True, tmp_path / "here"),
        LocalStoreSettings("share", False, Path("/mnt/share")),
        S3StoreSettings("b", True, "police-archive"),
    )


def test_with_tables_and_without_vault_the_tables_alone_count(tmp_path: Path) -> None:
    assert load(tmp_path, f"[[store]]\n{BUCKET}").stores == (S3StoreSettings("b", True, "police-archive"),)


def test_everything_that_a_bucket_may_say_is_taken(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    settings = load(
        tmp_path,
        f"""
        [[store]]
        {BUCKET}
        required = true
        prefix = "police/vault"
        endpoint = "HTTPS://S3.example.org:9000/"
        region = "eu-west-2"
        addressing = "path"
        access_key_id = "env:ID"
        secret_access_key = "file:s3/secret"
        session_token = "credential:token"
        object_lock = "compliance"
        lock_days = 2555
        legal_hold = true
        storage_class = "STANDARD_IA"
        encryption = "aws:kms"
        encryption_key = "arn:aws:kms:eu-west-2:1:key/a"
        ca_file = "ca.pem"
        connect_timeout_seconds = 3
        read_timeout_seconds = 30
        tries = 2
        [cache]
        folder = "/var/cache/archiver"
        mebibytes = 0
        fresh_seconds = 0
        """,
    )
    assert settings.stores == (
        S3StoreSettings(
            name="b", required=True, bucket="police-archive", prefix="police/vault/",
            endpoint="https://s3.example.org:9000", region="eu-west-2", addressing="path",
            access_key_id="env:ID", secret_access_key=f"file:{tmp_path}/s3/secret",
            session_token="credential:token", object_lock="compliance", lock_days=2555, legal_hold=True,
            storage_class="STANDARD_IA", encryption="aws:kms", encryption_key="arn:aws:kms:eu-west-2:1:key/a",
            ca_file=tmp_path / "ca.pem", connect_timeout_seconds=3, read_timeout_seconds=30, tries=2,
        ),
    )  # fmt: skip
    assert settings.cache == CacheSettings(Path("/var/cache/archiver"), 0, 0)
    profile = load(tmp_path, f'[[store]]\n{BUCKET}profile = "vault"\nencryption = "AES256"\n').stores[0]
    assert profile == S3StoreSettings("b", True, "police-archive", profile="vault", encryption="AES256")


def test_all_problems_of_all_stores_are_said_at_once(tmp_path: Path) -> None:
    text = """
        [[store]]
        kind = "local"
        name = "a/b"
        required = "yes"
        bucket = "mine"
        [[store]]
        name = "tape"
        kind = "tape"
        path = "/dev/st0"
        [[store]]
        name = "tape"
        kind = "s3"
        path = "/elsewhere"
        bucket = "Mine"
        prefix = "/leading"
        endpoint = "https://somebody:secret@s3.example.org"
        addressing = "by post"
        access_key_id = "AKIA"
        object_lock = "governance"
        legal_hold = 1
        storage_class = "GLACIER"
        encryption_key = "k"
        ca_file = "absent.pem"
        tries = 0
        colour = "blue"
        [[store]]
        path = "x"
        [cache]
        mebibytes = -1
        fresh_seconds = 3601
        """
    assert problems(tmp_path, text) == {
        "store[1].name: 'a/b' cannot be right",
        "store[1].required: this must be true or false",
        "store[1].bucket: this is a setting of a store of the kind s3",
        "store[1].path: this is missing",
        "store[2].kind: 'tape' is not known",
        "store[3].name: a store tape is given twice",
        "store[3].path: this is a setting of a store of the kind local",
        "store[3].bucket: 'Mine' cannot be right",
        "store[3].prefix: '/leading' cannot be right",
        "store[3].endpoint: this is not the address of a server",
        "store[3].addressing: 'by post' is not known",
        "store[3].access_key_id: this is not a reference to a secret",
        "store[3].secret_access_key: this is missing beside access_key_id",
        "store[3].lock_days: this is missing",
        "store[3].legal_hold: this must be true or false",
        "store[3].storage_class: 'GLACIER' is not known",
        "store[3].encryption_key: this is for aws:kms only",
        f"store[3].ca_file: there is no file {tmp_path}/absent.pem",
        "store[3].tries: 0 is outside 1 to 20",
        "store[3].colour: this is not a setting",
        "store[4].name: this is missing",
        "store[4].kind: this is missing",
        "cache.mebibytes: -1 is outside 0 to 1048576",
        "cache.fresh_seconds: 3601 is outside 0 to 3600",
    }


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('object_lock = "none"\nlock_days = 5', "lock_days: this is for a store with a lock"),
        ("lock_days = 5", "lock_days: this is for a store with a lock"),
        ('object_lock = "compliance"', "lock_days: this is missing"),
        ('object_lock = "compliance"\nlock_days = 0', "lock_days: 0 is outside 1 to 36500"),
        ('object_lock = "governance"\nlock_days = 36501', "lock_days: 36501 is outside 1 to 36500"),
        ('secret_access_key = "env:A"', "access_key_id: this is missing beside secret_access_key"),
        (
            'session_token = "env:A"\naccess_key_id = "env:B"',
            "secret_access_key: this is missing beside access_key_id",
        ),
        (
            'profile = "p"\naccess_key_id = "env:A"\nsecret_access_key = "env:B"',
            "profile: this and access_key_id contradict each other",
        ),
        ('encryption = "AES256"\nencryption_key = "k"', "encryption_key: this is for aws:kms only"),
        ('encryption = "rot13"', "encryption: 'rot13' is not known"),
        ('region = "eu west"', "region: 'eu west' cannot be right"),
        ('prefix = "a//b"', "prefix: 'a//b' cannot be right"),
        ('prefix = "a/../b"', "prefix: 'a/../b' cannot be right"),
        ('prefix = "a//"', "prefix: 'a//' cannot be right"),
        (f'prefix = "{"a/" * 251}a"', f"prefix: '{'a/' * 40}' cannot be right"),
        ("connect_timeout_seconds = 121", "connect_timeout_seconds: 121 is outside 1 to 120"),
    ],
)
def test_what_does_not_go_together_or_cannot_be_is_named(tmp_path: Path, lines: str, problem: str) -> None:
    assert problems(tmp_path, f"[[store]]\n{BUCKET}{lines}\n") == {f"store[1].{problem}"}


@pytest.mark.parametrize("bucket", ["ab", "a" * 64, "-ab", "ab-", "a..b", "192.168.0.1", "a_b", "a/b", "aB"])
def test_a_name_that_s3_gives_no_bucket_is_refused(tmp_path: Path, bucket: str) -> None:
    text = f'[[store]]\nname = "b"\nkind = "s3"\nbucket = "{bucket}"\n'
    assert problems(tmp_path, text) == {f"store[1].bucket: '{bucket}' cannot be right"}


@pytest.mark.parametrize("bucket", ["abc", "a" * 63, "1.2.3", "a.b-c", "192.168.0.1a"])
def test_a_name_that_s3_allows_is_taken(tmp_path: Path, bucket: str) -> None:
    store = load(tmp_path, f'[[store]]\nname = "b"\nkind = "s3"\nbucket = "{bucket}"\n').stores[0]
    assert store == S3StoreSettings("b", True, bucket)


@pytest.mark.parametrize(
    ("endpoint", "taken"),
    [
        ("https://s3.example.org", "https://s3.example.org"),
        ("https://s3.example.org/", "https://s3.example.org"),
        ("http://127.0.0.1:8333", "http://127.0.0.1:8333"),
        ("http://[::1]:8333", "http://[::1]:8333"),
        ("https://S3.Example.ORG", "https://s3.example.org"),
        ("https://s3.example.org/bucket", None),
        ("https://s3.example.org?a=b", None),
        ("https://s3.example.org/?", None),
        ("https://s3.example.org#a", None),
        ("https://user@s3.example.org", None),
        ("https://s3.example.org:", None),
        ("https://s3.example.org:0", None),
        ("https://s3.example.org:65536", None),
        ("https://s3.example.org:x", None),
        ("https://[::1", None),
        ("https://", None),
        ("https://a b", None),
        ("ftp://s3.example.org", None),
        ("s3.example.org", None),
    ],
)
def test_an_endpoint_is_a_server_and_nothing_else(tmp_path: Path, endpoint: str, taken: str | None) -> None:
    text = f'[[store]]\n{BUCKET}endpoint = "{endpoint}"\n'
    if taken is None:
        assert problems(tmp_path, text) == {"store[1].endpoint: this is not the address of a server"}
    else:
        assert load(tmp_path, text).stores == (S3StoreSettings("b", True, "police-archive", endpoint=taken),)


def test_no_secret_in_the_wrong_place_is_repeated(tmp_path: Path) -> None:
    text = (
        f'[[store]]\n{BUCKET}endpoint = "https://me:hunter2@h"\naccess_key_id = "hunter2"\n'
        'secret_access_key = "hunter2"\nsession_token = "hunter2"\n'
    )
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    assert len(caught.value.problems) == 4
    assert "hunter2" not in f"{caught.value.message}{caught.value.hint}{caught.value!r}"


@pytest.mark.parametrize("path", ["vault", "./vault", "x/../vault", "vault/copy", "vault/a/b"])
def test_a_copy_in_the_same_folder_is_no_copy(tmp_path: Path, path: str) -> None:
    text = f'vault = "vault"\n[[store]]\nname = "c"\nkind = "local"\npath = "{path}"\n'
    assert problems(tmp_path, text) == {"store[1].path: this is the place of the store vault"}


def test_a_vault_inside_a_copy_of_it_is_refused_and_one_beside_it_is_not(tmp_path: Path) -> None:
    inside = 'vault = "copies/vault"\n[[store]]\nname = "c"\nkind = "local"\npath = "copies"\n'
    assert problems(tmp_path, inside) == {"store[1].path: this is the place of the store vault"}
    beside = 'vault = "vault"\n[[store]]\nname = "c"\nkind = "local"\npath = "vault2"\n'
    assert len(load(tmp_path, beside).stores) == 2


def test_two_stores_in_one_place_of_a_bucket_are_refused(tmp_path: Path) -> None:
    first = f'[[store]]\n{BUCKET}prefix = "p/"\nendpoint = "https://h"\n'
    second = first.replace('"b"', '"c"')
    same = second.replace("p/", "p").replace("https://h", "HTTPS://h/")
    assert problems(tmp_path, first + same) == {"store[2].bucket: this is the place of the store b"}
    for other in (
        second.replace('"p/"', '"q"'),
        second.replace("https://h", "https://other"),
        second.replace("police-archive", "another"),
    ):
        assert len(load(tmp_path, first + other).stores) == 2


def test_a_store_that_is_called_as_the_vault_is_refused_beside_it_only(tmp_path: Path) -> None:
    table = '[[store]]\nname = "vault"\nkind = "local"\npath = "/mnt/a"\n'
    assert problems(tmp_path, f'vault = "v"\n{table}') == {"store[1].name: a store vault is given twice"}
    assert load(tmp_path, table).stores == (LocalStoreSettings("vault", True, Path("/mnt/a")),)


def test_one_store_at_least_is_required_where_archives_are_made(tmp_path: Path) -> None:
    optional = f"[[store]]\n{BUCKET}required = false\n"
    assert problems(tmp_path, f"[collector]\n{optional}") == {"store: none of them is required"}
    (store,) = load(tmp_path, optional).stores
    assert store.required is False, "a keyholder's host only reads"
    assert load(tmp_path, f'vault = "v"\n[[store]]\n{BUCKET}required = false\n').stores[1].required is False


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("store = 3", "store: this must be a list of tables"),
        ("store = [3]", "store[1]: this must be a table"),
        ("[store]\nname = 'a'", "store: this must be a list of tables"),
        ("cache = 'here'", "cache: this must be a table"),
    ],
)
def test_what_is_no_table_is_said_to_be_none(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in problems(tmp_path, text)
