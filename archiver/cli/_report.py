"""What a run says to a person, and the same as JSON. Numbers with thousands separators, times in UTC."""

from collections.abc import Iterable, Sequence

import click

from archiver.cli._session import Session, print_error, printable
from archiver.collect import CollectReport
from archiver.errors import ArchiverError, worse_code
from archiver.inbox.exports import Imported
from archiver.inbox.files import FAILED
from archiver.jobs.work.imported import InboxReport, import_code
from archiver.jobs.work.sealed import copies_code, shortage_of
from archiver.seal import SealResult
from archiver.sizes import byte_size
from archiver.sync import Filled
from archiver.times import format_date
from archiver.vault import Archive

INCOMPLETE = 3
NAMED = 10
NOUNS = {
    "post": ("post", "posts"),
    "message": ("message", "messages"),
    "account": ("account fact", "account facts"),
    "gone": ("record gone", "records gone"),
    "follower": ("follower", "followers"),
    "following": ("followed account", "followed accounts"),
    "block": ("block", "blocks"),
    "mute": ("mute", "mutes"),
    "smartblock": ("smart block", "smart blocks"),
    "message_mute": ("muted conversation", "muted conversations"),
    "like": ("like", "likes"),
    "list_created": ("own list", "own lists"),
    "list_member": ("list that has it", "lists that have it"),
    "list_subscribed": ("subscribed list", "subscribed lists"),
    "own_list_member": ("member of own lists", "members of own lists"),
    "media": ("picture or video", "pictures and videos"),
}


def count_of(number: int, kind: str) -> str:
    """`1 post`, `1,986 posts`."""
    one, many = NOUNS.get(kind, (kind, kind))
    return f"{number:,} {one if number == 1 else many}"


def report_inbox(session: Session, report: InboxReport) -> int:
    """Say what lay in the inbox and became of it; the exit code."""
    print_errors(report.problems)
    report_import(session, report.imported)
    if report.failed:
        folder = printable(str(session.settings.inbox / FAILED))
        session.note(f"What was refused lies in {folder} now, with the reason beside it.")
    return report.code


def print_errors(errors: Iterable[ArchiverError]) -> int:
    """Say what went wrong; the exit code."""
    code = 0
    for error in errors:
        print_error(error)
        code = worse_code(code, error.exit_code)
    return code


def report_import(session: Session, results: Sequence[Imported]) -> int:
    """Say what each export brought; 0, 3 where something is missing, or the code of what failed."""
    for result in results:
        _report_one_import(session, result)
    return import_code(results)


def _report_one_import(session: Session, result: Imported) -> None:
    error, report = result.error, result.report
    if error is not None:
        if session.json:
            session.print_json("refused", export=result.name, error=error.message, hint=error.hint)
        print_error(error)
    elif report is not None and session.json:
        session.print_json("import", **_report_fields(report))
    elif report is not None:
        _print_report(report)


def _report_fields(report: CollectReport) -> dict[str, object]:
    return {
        "export": report.name,
        "platform": report.platform,
        "account": report.account,
        "handle": report.handle,
        "generated": format_date(report.generated_ms),
        "repeated": report.repeated,
        "complete": report.complete,
        "counts": report.counts,
        "media": report.media,
        "media_missing": report.media_missing,
        "media_missing_names": report.media_missing_names,
        "problems": [
            {"what": one.what, "reason": one.reason, "detail": one.detail} for one in report.problems
        ],
        "unread": report.unread,
    }


def _print_report(report: CollectReport) -> None:
    who = f"@{report.handle}" if report.handle else report.account
    head = f"{report.name}: export of {who}, made {format_date(report.generated_ms)}"
    click.echo(printable(f"{head}; taken before, nothing new" if report.repeated else head))
    if not report.repeated:
        for kind in sorted(report.counts, key=list(NOUNS).index):
            click.echo(f"  {_kind_line(kind, report)}")
        if report.media or report.media_missing:
            click.echo(f"  {count_of(report.media, 'media')}")
        if report.unread:
            click.echo(f"  {len(report.unread)} other files left unread (advertising, devices and the like)")
    if report.media_missing:
        names = ", ".join(report.media_missing_names[:NAMED])
        more = f" and {report.media_missing - NAMED:,} more" if report.media_missing > NAMED else ""
        click.echo(
            printable(
                f"  MISSING {count_of(report.media_missing, 'media')}, not in the export: {names}{more}"
            )
        )
    for problem in report.problems[:NAMED]:
        click.echo(printable(f"  PROBLEM {problem.what}: {problem.reason}: {problem.detail}"))
    if len(report.problems) > NAMED:
        click.echo(f"  PROBLEM and {len(report.problems) - NAMED} more")
    if not report.complete:
        click.echo("  Incomplete: what is missing is listed above and in the archive.")


def _kind_line(kind: str, report: CollectReport) -> str:
    new, unchanged = report.count(kind, "new"), report.count(kind, "unchanged")
    total = (
        new + unchanged + sum(report.count(kind, change) for change in ("changed", "back", "again", "other"))
    )
    parts = [f"{new:,} new, {unchanged:,} unchanged"] if unchanged else []
    for change, word in (
        ("changed", "changed"),
        ("back", "there again"),
        ("again", "known from X's interface"),
        ("other", "older or differing"),
        ("gone", "gone"),
    ):
        if report.count(kind, change):
            parts.append(f"{report.count(kind, change):,} {word}")
    return count_of(total, kind) + (f" ({', '.join(parts)})" if parts else "")


def _files(number: int) -> str:
    return f"{number:,} file{'' if number == 1 else 's'}"


def report_shortage(session: Session, archive: Archive | None) -> int:
    """Say what an archive just sealed is known to lack, whichever run found that; 3 where it does."""
    short = shortage_of(archive)
    if not short:
        return 0
    session.note(f"Sealed with what is missing named in it: {short}.")
    return INCOMPLETE


def report_seal(session: Session, result: SealResult, first: str) -> int:
    """Say what was sealed, and which stores have it: `first` is the one that it was sealed into. 3 where
    something was kept but not understood."""
    archive = result.archive
    if archive is None:
        if session.json:
            session.print_json("sealed", archive=None)
        else:
            click.echo("Nothing new to seal.")
        return 0
    files = archive.manifest.files
    size, records = archive.manifest.file_bytes, archive.manifest.record_count
    having = [first, *(one.name for one in result.copies if archive.name not in one.lacking)]
    if session.json:
        session.print_json(
            "sealed",
            archive=archive.name,
            sequence=archive.head.sequence,
            manifest_sha256=archive.head.sha256,
            files=len(files),
            bytes=size,
            records=records,
            stores={first: True, **{one.name: one.name in having for one in result.copies}},
            problems=list(result.problems),
        )
    else:
        where = f", in {joined(having)}" if result.copies else ""
        click.echo(
            f"Sealed archive {archive.name}: {records:,} records, {_files(len(files))},"
            f" {byte_size(size)}{where}, read back and verified."
        )
        click.echo(f"  chain head {archive.head.sequence}:{archive.head.sha256}")
    for problem in result.problems[:NAMED]:
        session.note(printable(f"kept, but not understood: {problem}"))
    return INCOMPLETE if result.problems else 0


def joined(names: Sequence[str]) -> str:
    """`one`, `one and two`, `one, two and three`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def report_copies(session: Session, copies: Sequence[Filled]) -> int:
    """Say what the stores beside the first were given, and what of it failed; the failed one's code where it
    is required, 3 where not."""
    for one in copies:
        if session.json:
            problems = [{"error": each.message, "hint": each.hint} for each in one.all_problems]
            session.print_json(
                "copied", store=one.name, archives=one.archives, bytes=one.bytes, problems=problems
            )
        elif one.archives:
            click.echo(f"  store {one.name} was given {joined(one.archives)}, {byte_size(one.bytes)}.")
        for problem in one.all_problems:
            print_error(problem)
    return copies_code(copies)
