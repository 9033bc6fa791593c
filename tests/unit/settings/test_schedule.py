"""`[schedule]` and `[checks]`: what is no time zone, hour or day is a problem with its place."""

from pathlib import Path

import pytest

from archiver.errors import ConfigurationError
from archiver.settings import load_settings
from tests.faults.folders import make_folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "home") / "archiver.toml"


def with_table(path: Path, text: str) -> Path:
    path.write_text(f"{path.read_text()}\n{text}\n")
    return path


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "Europe/London"])
def test_a_time_zone_is_one_of_the_database(path: Path, zone: str) -> None:
    assert load_settings(with_table(path, f'[schedule]\ntime_zone = "{zone}"')).schedule.time_zone == zone


@pytest.mark.parametrize("zone", ["Springfield", "/etc/passwd", "../UTC", "Europe", "BST7\\u0000"])
def test_what_is_none_is_said_with_an_example(path: Path, zone: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load_settings(with_table(path, f'[schedule]\ntime_zone = "{zone}"'))
    assert "schedule.time_zone" in raised.value.message
    assert "is no time zone" in raised.value.message
    assert "Europe/London" in f"{raised.value.message} {raised.value.hint}"
