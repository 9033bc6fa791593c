"""What tests need from outside: programs and test data. Absent, the test is skipped and named at the
end of the run; with ARCHIVER_REQUIRE_ALL=1, as in CI, it fails instead."""

import os
import shutil
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
REQUIRE_ALL = os.environ.get("ARCHIVER_REQUIRE_ALL") == "1"
SHARED_DATA = PROJECT.parent / "shared" / "data"


def _absent(what: str, *, required: bool) -> None:
    if required:
        pytest.fail(f"{what} is needed here, and this run allows no such skip")
    pytest.skip(f"needs {what}")


def require_program(name: str) -> str:
    """The path of an installed program; skip, or fail in CI, where there is none."""
    path = shutil.which(name)
    if path is None:
        _absent(f"the program {name}", required=REQUIRE_ALL)
    assert path is not None
    return path


def require_shared_data(name: str) -> Path:
    """A file or folder of the test data that lies beside the checkout; skip where it is absent.

    CI fails only where the data is present as a whole and this piece of it is not."""
    path = SHARED_DATA / name
    if not path.exists():
        _absent(f"test data {name}", required=REQUIRE_ALL and SHARED_DATA.exists())
    return path
