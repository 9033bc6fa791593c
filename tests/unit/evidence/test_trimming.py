"""A pack that has not all forms names no file that it has not."""

import pytest

from archiver.evidence.forms import FORMS
from archiver.evidence.model import Exhibit
from archiver.evidence.trimming import Trimmer, paths_in
from tests.exhibits import exhibits, files

KINDS = {"originals": "data/records/", "captures": "data/captures/", "media": "data/media/"}


def paths(shown: list[Exhibit], beginning: str) -> set[str]:
    return {one for one in paths_in(shown) if one.startswith(beginning)}


def test_a_pack_of_all_forms_is_left_as_it_is() -> None:
    for one in exhibits():
        assert Trimmer(tuple(FORMS)).trim(one) is one


def test_what_exhibits_name_is_what_there_is() -> None:
    assert set(paths_in(exhibits())) <= set(files())
    assert all(paths(exhibits(), beginning) for beginning in KINDS.values())


@pytest.mark.parametrize("form", KINDS)
def test_without_a_form_its_files_are_named_nowhere_and_the_others_are(form: str) -> None:
    forms = [one for one in FORMS if one != form and (form != "media" or one not in ("html", "load"))]
    trimmed = [Trimmer(forms).trim(one) for one in exhibits()]
    for other, beginning in KINDS.items():
        assert paths(trimmed, beginning) == (set() if other == form else paths(exhibits(), beginning))


@pytest.mark.parametrize("form", ["html", "load"])
def test_pages_and_load_files_bring_the_pictures_that_they_name(form: str) -> None:
    trimmed = [Trimmer([form]).trim(one) for one in exhibits()]
    assert paths(trimmed, "data/media/") == paths(exhibits(), "data/media/")


def test_a_picture_that_is_left_out_says_why_and_one_that_was_missing_says_what_it_said() -> None:
    shown = exhibits()
    trimmed = [Trimmer(["jsonl"]).trim(one) for one in shown]
    for before, after in zip(shown, trimmed, strict=True):
        for old_version, new_version in zip(before.versions, after.versions, strict=True):
            for old, new in zip(old_version.media, new_version.media, strict=True):
                assert new.missing == (old.missing if old.path is None else "not in this form of the pack")
                assert (new.sha256, new.alt_text) == (old.sha256, old.alt_text)
        assert [one.sha256 for version in after.versions for one in version.originals] == [
            one.sha256 for version in before.versions for one in version.originals
        ]
