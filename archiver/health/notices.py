"""What notices say of a run: what failed, what is missing, what is late, what a person is asked to do.

Nothing personal: sentences of jobs, names of the body's own accounts, of archives and stores.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archiver.health.texts import day, day_and_time, items, number_of, paragraph, section
from archiver.notify.base import Notice, NoticeKind, one_line
from archiver.schedule.report import JobReport, RunReport
from archiver.settings import Settings

if TYPE_CHECKING:  # 80 ms with what it needs, which a run with nothing to do has no use for
    from archiver.health.snapshot import AccountHealth, Snapshot

INCOMPLETE = 3


@dataclass(frozen=True)
class Origin:
    """Where notices come from: the host's name, and the settings' file."""

    host: str
    settings: str

    @classmethod
    def of(cls, settings: Settings) -> "Origin":
        return cls(settings.host_name, str(settings.path))

    def subject(self, said: str) -> str:
        return f"archiver on {one_line(self.host, 60)}: {said}"

    def foot(self) -> list[str]:
        return paragraph(f"Sent by archiver on {self.host}, settings {self.settings}.")

    def text(self, lines: Sequence[str]) -> str:
        return "\n".join([*lines, *self.foot()]) + "\n"


def kind_of(code: int) -> NoticeKind:
    """What a run that ended in this exit code is to whoever is told."""
    return "done" if code == 0 else "incomplete" if code == INCOMPLETE else "failed"


def finish_notice(origin: Origin, report: RunReport, at_ms: int, metrics: str = "") -> Notice:
    """The end of a run as it was, for machines that are told of each."""
    kind = kind_of(report.code)
    said = {"done": "done", "incomplete": "done, but incomplete"}.get(
        kind, f"failed, exit code {report.code}"
    )
    subject = origin.subject("nothing was due" if report.is_idle else said)
    text = origin.text([f"The run of {day_and_time(report.started_ms)}: {said}.", "", *_jobs(report)])
    return Notice(kind, subject, text, at_ms, report.code, report_facts(report), metrics)


def failed_notice(
    origin: Origin, report: RunReport, failing: Mapping[str, Sequence[str]], since_ms: int, at_ms: int
) -> Notice:
    """`failing`: what fails now, each with its sentences; `since_ms`: for how long the first of them has."""
    names = ", ".join(failing)
    lines = [*paragraph(f"The run of {day_and_time(report.started_ms)} failed: {names}."), ""]
    if since_ms < report.started_ms:
        lines += [*paragraph(f"It has failed since {day_and_time(since_ms)}."), ""]
    for name, sentences in failing.items():
        lines += section(name.capitalize(), items(sentences or ["no reason was given"]))
    lines += _jobs(report)
    lines += section(
        "What to do",
        items(
            [
                "look at how all stands: archiver status",
                "let the program check itself: archiver doctor",
                "nothing captured is lost by a failed run; the next one tries again",
            ]
        ),
    )
    facts = {**report_facts(report), "failing": {name: list(said) for name, said in failing.items()}}
    subject = origin.subject(f"failed: {names}")
    return Notice("failed", subject, origin.text(lines), at_ms, report.code, facts)


def incomplete_notice(
    origin: Origin, report: RunReport, new: Sequence[str], at_ms: int, still: Sequence[str] = ()
) -> Notice:
    """`new`: what was not told before, a sentence each; `still`: what was told a week ago and stands."""
    did = "did its work" if report.code in (0, INCOMPLETE) else "did a part of its work"
    lines = [
        *paragraph(f"The run of {day_and_time(report.started_ms)} {did}, but something is missing."),
        "",
        *section("What is new", items(new)),
        *section("What is missing still", items(still)),
        *_jobs(report),
        *section("What to do", items(["look at how all stands: archiver status"])),
    ]
    said = f"incomplete: {number_of(len(new), 'new problem')}"
    if not new:
        said = f"still incomplete: {number_of(len(still), 'problem')}"
    facts = {**report_facts(report), "missing": list(new), "still": list(still)}
    return Notice("incomplete", origin.subject(said), origin.text(lines), at_ms, report.code, facts)


def done_notice(origin: Origin, report: RunReport, recovered: Sequence[str], at_ms: int) -> Notice:
    """`recovered`: what failed before and is well again."""
    said = f"well again: {', '.join(recovered)}" if recovered else "done"
    lines = [*paragraph(f"The run of {day_and_time(report.started_ms)}: {said}."), "", *_jobs(report)]
    facts = {**report_facts(report), "recovered": list(recovered)}
    return Notice(
        "done", origin.subject(said), origin.text(lines), at_ms, report.code, facts, recovered=bool(recovered)
    )


def reminder_notice(origin: Origin, report: JobReport, at_ms: int) -> Notice:
    """What the job `remind` asks a person to do."""
    lines: list[str] = []
    for sentence in report.news:
        lines += [*paragraph(sentence), ""]
    asked = number_of(len(report.news), "thing")
    subject = origin.subject(f"{asked} for a person to do")
    return Notice("reminder", subject, origin.text(lines), at_ms, 0, dict(report.facts))


def trouble_notice(origin: Origin, troubles: Mapping[str, tuple[int, str]], at_ms: int) -> Notice:
    """By another way: that notices by these ways do not go out, each since when and why."""
    names = ", ".join(troubles)
    said = [f"{name}, since {day_and_time(since)}: {why}" for name, (since, why) in troubles.items()]
    lines = [
        *paragraph("Notices do not reach everybody. What was to be said is kept and tried again."),
        "",
        *section("What does not go out", items(said)),
        *section("What to do", items(["correct it and try: archiver notices test"])),
    ]
    subject = origin.subject(f"notices do not go out: {names}")
    return Notice("incomplete", subject, origin.text(lines), at_ms, INCOMPLETE, {"ways": sorted(troubles)})


def stale_sentences(snapshot: "Snapshot") -> list[str]:
    """What is later than the settings allow, a sentence each."""
    found: list[str] = []
    for account in snapshot.accounts:
        found += [
            f"{_name(account)}: {kind.kind} last collected {_when(kind.good_ms)}"
            for kind in account.kinds
            if kind.stale
        ]
        if account.export_stale:
            found.append(f"{_name(account)}: newest export {_when(account.export_ms)}")
    found += [f"{job.job}: last done well {_when(job.good_ms)}" for job in snapshot.jobs if job.stale]
    return found


def stale_notice(origin: Origin, snapshot: "Snapshot") -> Notice:
    """That something is late, or that all is not well: for a run, and for a second host that watches."""
    late = stale_sentences(snapshot)
    lines = [
        *section("What is not well", items(snapshot.problems or late)),
        *section("What to do", items(dict.fromkeys(one for one in snapshot.advice if one))),
    ]
    count = number_of(len(late) or len(snapshot.problems), "thing")
    subject = origin.subject(f"{count} {'late' if late else 'not well'}")
    facts = {"late": late, "problems": list(snapshot.problems), "advice": list(snapshot.advice)}
    return Notice("stale", subject, origin.text(lines), snapshot.at_ms, INCOMPLETE, facts)


def test_notice(origin: Origin, at_ms: int) -> Notice:
    """That this way works."""
    lines = [
        *paragraph("This is a test. If you can read it, notices reach you by this way."),
        "",
        *paragraph("Nothing needs to be done."),
        "",
    ]
    return Notice("test", origin.subject("a test of notices"), origin.text(lines), at_ms)


def report_facts(report: RunReport) -> dict[str, object]:
    """A run for a machine."""
    return {
        "started_ms": report.started_ms,
        "finished_ms": report.finished_ms,
        "problems": list(report.problems),
        "jobs": [
            {"job": job.job, "code": job.code, "problems": list(job.problems), "facts": dict(job.facts)}
            for job in report.jobs
        ],
    }


def _jobs(report: RunReport) -> list[str]:
    """A line a job: what became of it."""
    lines: list[str] = []
    for job in report.jobs:
        became = {0: "done", INCOMPLETE: "done, but incomplete"}.get(
            job.code, f"failed, exit code {job.code}"
        )
        lines += items([f"{job.job}: {became}" + (f"; {job.summary}" if job.summary else "")])
    return section("What was done", lines)


def _name(account: "AccountHealth") -> str:
    return f"@{account.handle} ({account.id})" if account.handle else f"{account.platform} {account.id}"


def _when(milliseconds: int | None) -> str:
    return "never" if milliseconds is None else day(milliseconds)
