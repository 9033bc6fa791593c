"""Stores of the settings opened together: what can be used, and why the others cannot."""

from functools import partial
from pathlib import Path

import pytest

from archiver.errors import IntegrityError, NoVaultError, StoreError
from archiver.stores.base import Store
from archiver.stores.local import LocalStore
from archiver.stores.named import NamedStore, open_all


def away() -> Store:
    raise StoreError("the line is cut", "mend it")


def test_each_store_is_opened_or_says_why_it_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "one")
    named = [
        NamedStore(name, name != "away", partial(LocalStore, tmp_path / name))
        for name in ("one", "gone", "link")
    ]
    one, gone, link, cut = open_all([*named, NamedStore("away", False, away)])
    assert (one.name, one.required, one.error, one.store.location) == (
        "one",
        True,
        None,
        str(tmp_path / "one"),
    )
    assert isinstance(gone.error, NoVaultError)
    assert str(gone.error.hint).endswith("mkdir it, then: archiver sync --store gone")
    assert isinstance(link.error, IntegrityError)
    assert link.error.message == f"{tmp_path / 'link'} is the folder of store one: that is no copy"
    assert (cut.required, str(cut.error)) == (False, "the line is cut")


def test_a_store_that_cannot_be_used_raises_why_where_it_is_used_all_the_same() -> None:
    (cut,) = open_all([NamedStore("away", True, away)])
    with pytest.raises(StoreError) as caught:
        _ = cut.store
    assert caught.value is cut.error
