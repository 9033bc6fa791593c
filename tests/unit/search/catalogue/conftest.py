"""Fixtures of the catalogue's tests."""

from pathlib import Path

import pytest

from tests.made_vaults import VaultMaker
from tests.unit.search.catalogue.vaults import add_months


@pytest.fixture
def maker(tmp_path: Path) -> VaultMaker:
    maker = VaultMaker(tmp_path / "vault")
    add_months(maker)
    return maker


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"
