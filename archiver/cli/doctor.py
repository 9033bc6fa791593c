"""`archiver doctor`: what could keep the next run from doing its work, found before it does."""

from collections.abc import Iterable, Sequence

import click

from archiver.cli._group import Session, examples, pass_session
from archiver.cli._session import one_line
from archiver.errors import ConfigurationError, IncompleteError
from archiver.health.checkup import Finding, Subject, examine, failed, ok, worst
from archiver.health.doctor import all_checks, checks_without_settings
from archiver.health.notices import Origin, test_notice
from archiver.settings import Settings, SettingsError
from archiver.times import system_clock
from archiver.wiring.notify import open_notifiers

_SHOWN = {"ok": "ok     ", "warning": "WARNING", "failed": "FAILED "}
_CODES = {"ok": 0, "warning": IncompleteError.exit_code, "failed": 1}


@click.command(
    "doctor",
    epilog=examples(
        "archiver --config police-archive doctor",
        "archiver --config police-archive doctor --send-test",
        "archiver --config police-archive doctor --json",
    ),
)
@click.option("--send-test", is_flag=True, help="Send a test notice by every way of the settings.")
@pass_session
def command(session: Session, send_test: bool) -> int:
    """Look at everything that the next run needs: settings, files, keys, the clock, stores, tokens, disks,
    versions, what starts archiver run, notices and memory. Each is ok, a WARNING or FAILED, with what to do.

    Changes nothing. Stores are asked, and X for the time; each check ends within 10 seconds, whatever hangs.
    Exit 0: all is ok. 3: there are warnings. 1: something failed. 2: the settings cannot be read."""
    report = _Report(session)
    try:
        settings = session.settings
    except ConfigurationError as error:
        report.tell(_unreadable(error))
        report.tell(examine(checks_without_settings()))
        report.end(ConfigurationError.exit_code)
        return ConfigurationError.exit_code
    report.tell([_settings(settings)])
    subject = Subject(settings, session.environ, system_clock)
    ways = open_notifiers(settings, session.environ)
    origin = Origin.of(settings)
    notice = test_notice(origin, system_clock()) if send_test else None
    report.tell(examine(all_checks(subject, ways, notice)))
    return report.end(_CODES[worst(report.findings)])


class _Report:
    """Says each finding when it is there, numbered."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.findings: list[Finding] = []

    def tell(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.findings.append(finding)
            self._say(len(self.findings), finding)

    def _say(self, number: int, finding: Finding) -> None:
        if self.session.json:
            self.session.print_json(
                "check", number=number, what=finding.what, verdict=finding.verdict, said=finding.said,
                advice=finding.advice,
            )  # fmt: skip
            return
        click.echo(one_line(f"{number:>3}. {_SHOWN[finding.verdict]} {finding.what}: {finding.said}"))
        if finding.advice is not None and finding.verdict != "ok":
            click.echo(one_line(f"             -> {finding.advice}"))

    def end(self, code: int) -> int:
        """Say how many there were of each; the exit code."""
        verdicts = [one.verdict for one in self.findings]
        counts = {name: verdicts.count(name) for name in ("ok", "warning", "failed")}
        if self.session.json:
            self.session.print_json("summary", code=code, **counts)
        else:
            warnings = "1 warning" if counts["warning"] == 1 else f"{counts['warning']} warnings"
            click.echo(f"{len(verdicts)} checks: {counts['ok']} ok, {warnings}, {counts['failed']} failed.")
        return code


def _settings(settings: Settings) -> Finding:
    accounts = "1 account" if len(settings.accounts) == 1 else f"{len(settings.accounts)} accounts"
    stores = "1 store" if len(settings.stores) == 1 else f"{len(settings.stores)} stores"
    return ok("settings", f"{settings.path} is right: {accounts}, {stores}")


def _unreadable(error: ConfigurationError) -> Sequence[Finding]:
    """Each problem of the settings by itself."""
    if not isinstance(error, SettingsError):
        return [failed("settings", error.message, error.hint)]
    return [failed("settings", f"{one.where}: {one.what}", one.hint) for one in error.problems]
