"""The fixture `run` for every command's tests."""

import pytest

from tests.cli.runner import Runner


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)
