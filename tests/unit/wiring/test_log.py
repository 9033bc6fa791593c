"""Who may read the log: those of `[log] recipients`, else every keyholder."""

from pathlib import Path

import pytest

from archiver.errors import ArchiverError, ConfigurationError
from archiver.formats import age
from archiver.keys import new_identity
from archiver.settings import Settings, load_settings
from archiver.wiring.log import log_recipients
from tests.faults.folders import make_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "home")


def with_auditors(folder: Path, data: bytes | None) -> Settings:
    path = folder / "archiver.toml"
    with path.open("a") as file:
        file.write('\n[log]\nrecipients = "keys/auditors.txt"\n')
    if data is not None:
        (folder / "keys" / "auditors.txt").write_bytes(data)
    return load_settings(path)


def encoded(recipients: list[age.Recipient]) -> list[str]:
    return [one.encode() for one in recipients]


def test_without_such_a_list_it_is_every_keyholder(folder: Path) -> None:
    settings = load_settings(folder / "archiver.toml")
    assert len(log_recipients(settings)) == 1


def test_those_of_the_list_alone(folder: Path) -> None:
    auditor = new_identity(classic=True).recipient()
    settings = with_auditors(folder, f"# an auditor\n{auditor.encode()}\n".encode())
    assert encoded(log_recipients(settings)) == [auditor.encode()]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is no list of recipients: the file holds no recipient"),
        (b"# nobody yet\n", "is no list of recipients: the file holds no recipient"),
        (b"age1nobody\n", "is no list of recipients: "),
        (b"\xff\xfe\x00", "is no list of recipients: "),
    ],
)
def test_a_list_that_is_none_is_refused_before_anything_is_sealed_to_nobody(
    folder: Path, data: bytes, said: str
) -> None:
    settings = with_auditors(folder, data)
    with pytest.raises(ConfigurationError) as raised:
        log_recipients(settings)
    assert raised.value.message.startswith(f"{folder / 'keys' / 'auditors.txt'} {said}")


def test_a_list_that_is_not_there_is_said(folder: Path) -> None:
    with pytest.raises(ArchiverError, match=r"auditors\.txt"):
        log_recipients(with_auditors(folder, None))
