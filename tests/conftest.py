"""For all tests: how hypothesis searches, and at the end of a run what was skipped for want of what."""

import os
import re
import signal
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.programs import NEEDS, REQUIRE_ALL

if TYPE_CHECKING:
    from tests.packs import Rich

settings.register_profile("archiver", deadline=None)
settings.register_profile("archiver-ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("archiver-ci" if REQUIRE_ALL or os.environ.get("CI") else "archiver")


def pytest_configure() -> None:
    """Let the programs that tests start be interrupted, even where pytest was started in the background or by
    nohup: a shell has those ignore SIGINT, nohup SIGHUP, and they would pass it on."""
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


LONGEST = ("test_decade.py",)
"""Files that begin before all others: begun last, one process would be at work on them alone for minutes."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, all others in their order."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


_KEY = re.compile(r"AAAA[A-Za-z0-9+/=]{20,}|age1[a-z0-9]{20,}|AGE-SECRET-KEY-[A-Z0-9-]{20,}")


def pytest_make_parametrize_id(val: object) -> str | None:
    """A key that was made a moment ago is in no test's name: processes that share the tests out between them
    must call them alike."""
    if isinstance(val, str) and _KEY.search(val):
        return _KEY.sub("KEY", val).encode("unicode_escape").decode()
    return None


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Why a report's test was skipped: pytest gives path, line and "Skipped: " with the reason."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


def _skipped(reporter: pytest.TerminalReporter) -> Counter[str]:
    """How many tests were skipped, by reason."""
    return Counter(_reason(report) for report in reporter.stats.get("skipped", []))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skip that did not come through `tests/programs.py`, as of a module not installed, fails."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not isinstance(reporter, pytest.TerminalReporter) or not REQUIRE_ALL:
        return
    if any(not reason.startswith(NEEDS) for reason in _skipped(reporter)):
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what tests measured (`record_property("measured", …)`); name what was missing, once each, and how
    many tests did not run for it."""
    reports = [one for one in terminalreporter.stats.get("passed", []) if hasattr(one, "user_properties")]
    for report in reports:
        for text in (text for name, text in report.user_properties if name == "measured"):
            terminalreporter.write_line(str(text))
    reasons = _skipped(terminalreporter)
    if not reasons:
        return
    terminalreporter.section("needs, and was skipped for want of it")
    for reason, count in sorted(reasons.items(), key=lambda one: (-one[1], one[0])):
        tests = "1 test" if count == 1 else f"{count} tests"
        allowed = not REQUIRE_ALL or reason.startswith(NEEDS)
        terminalreporter.write_line(
            f"{reason.removeprefix(NEEDS)}: {tests}{'' if allowed else ', which this run does not allow'}"
        )


@pytest.fixture(scope="session")
def rich(tmp_path_factory: pytest.TempPathFactory) -> "Rich":
    """A vault with everything that an evidence pack can hold: exported from, and never altered."""
    from tests.packs import make_rich  # what it imports takes a second, which most runs need not wait

    return make_rich(tmp_path_factory.mktemp("rich"))
