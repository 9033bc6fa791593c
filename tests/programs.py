"""What tests need from outside: programs and test data. Absent, the test is skipped and named at the
end of the run; with ARCHIVER_REQUIRE_ALL=1, as in CI, it fails instead."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

PROJECT = Path(__file__).resolve().parent.parent
REQUIRE_ALL = os.environ.get("ARCHIVER_REQUIRE_ALL") == "1"
SHARED_DATA = PROJECT.parent / "shared" / "data"
NODE_MODULES = Path(os.environ.get("ARCHIVER_NODE_MODULES") or PROJECT / ".ci" / "node_modules").absolute()

NEEDS = "needs "
"""How the reason of such a skip begins; `tests/conftest.py` counts them by what follows."""


def _absent(what: str, *, required: bool) -> NoReturn:
    if required:
        pytest.fail(f"{what} is needed here, and this run allows no such skip")
    pytest.skip(f"{NEEDS}{what}")


def require_program(name: str) -> str:
    """The path of an installed program; skip, or fail in CI, where there is none."""
    path = shutil.which(name)
    if path is None:
        _absent(f"the program {name}", required=REQUIRE_ALL)
    return path


def require_node_age() -> Path:
    """A `node_modules` folder that holds `age-encryption`, where node is installed too; skip, or fail in
    CI, where either is absent.

    `.ci/run` installs it; by hand: `npm install --prefix .ci --no-save age-encryption`. A script finds it
    when it lies beside `node_modules`, or under a folder that links to it."""
    require_program("node")
    if not (NODE_MODULES / "age-encryption" / "package.json").is_file():
        _absent("the npm package age-encryption", required=REQUIRE_ALL)
    return NODE_MODULES


def require_axe() -> Path:
    """The script of axe-core, which judges pages in a browser; skip, or fail in CI, where it is absent.

    `.ci/run` installs it; by hand: `npm install --prefix .ci --no-save axe-core`."""
    script = NODE_MODULES / "axe-core" / "axe.min.js"
    if not script.is_file():
        _absent("the npm package axe-core", required=REQUIRE_ALL)
    return script


def require_shared_data(name: str) -> Path:
    """A file or folder of the test data that lies beside the checkout; skip where it is absent.

    CI fails only where the data is present as a whole and this piece of it is not."""
    path = SHARED_DATA / name
    if not path.exists():
        _absent(f"the test data {name}", required=REQUIRE_ALL and SHARED_DATA.exists())
    return path
