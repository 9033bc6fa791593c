"""What tests of searches share."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.made_vaults import IN_MEMORY


@pytest.fixture
def memory_path() -> Iterator[Path]:
    """A folder for vaults of many archives: on a disk, most of the time would go into syncing them."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def module_memory_path() -> Iterator[Path]:
    """The same, for all tests of a module."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        yield Path(folder)
