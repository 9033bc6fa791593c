"""`[evidence]` of the settings."""

from pathlib import Path

import pytest

from archiver.settings import SettingsError, load_settings
from archiver.settings.evidence import FONT_FOLDERS, EvidenceSettings


def load_in(folder: Path, text: str) -> EvidenceSettings:
    (folder / "archiver.toml").write_text(text)
    return load_settings(folder / "archiver.toml").evidence


def test_without_a_table_the_fonts_are_those_of_the_system(tmp_path: Path) -> None:
    assert load_in(tmp_path, "") == EvidenceSettings(None, None, FONT_FOLDERS)


def test_what_is_given_is_taken_and_folders_are_taken_from_that_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "fonts").mkdir()
    text = '[evidence]\norganisation = "Springfield Police"\ncontact = "Disclosure"\nfonts = ["fonts"]\n'
    assert load_in(tmp_path, text) == EvidenceSettings(
        "Springfield Police", "Disclosure", (tmp_path / "fonts",)
    )


def test_a_folder_that_is_not_there_and_texts_of_two_lines_are_problems(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        load_in(tmp_path, '[evidence]\nfonts = ["nowhere"]\ncontact = "a\\nb"\n')
    assert {one.where for one in raised.value.problems} == {"evidence.fonts", "evidence.contact"}
