"""An error that a worker process raises reaches its parent as it was."""

import pickle
from pathlib import Path

import pytest

from archiver.disk import TakenError
from archiver.errors import ArchiverError, IntegrityError
from archiver.stores.base import ExistsInStoreError, NotInStoreError


@pytest.mark.parametrize(
    "error",
    [
        ArchiverError("nothing works", "try again"),
        IntegrityError("a file was altered"),
        TakenError(Path("/somewhere/a file")),
        ExistsInStoreError("archives/2026-11-01/key.age", "/vault"),
        NotInStoreError("archives/2026-11-01/key.age", "/vault"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_survives_the_way_between_processes(error: ArchiverError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
    assert type(again) is type(error)
    assert str(again) == str(error) == error.message
    assert vars(again) == vars(error)
    assert again.exit_code == error.exit_code
