"""`archiver retention dispose`."""

import sys
from collections.abc import Sequence
from dataclasses import replace

import click

from archiver.audit.entry import Asked
from archiver.cli._acts import reason_option, share_log
from archiver.cli._custody import (
    Opened,
    find_archive,
    load_exhibits,
    load_register,
    open_finder,
    open_to_decide,
    open_writer,
)
from archiver.cli._group import Session, examples, pass_session, store_option
from archiver.cli._search_opening import open_catalogue
from archiver.cli._session import one_line, print_error
from archiver.custody.entry import CustodyEntry, Draft, Scope
from archiver.custody.register import Custody
from archiver.disk import Lock, make_directories
from archiver.disposal import FORMAT, Certificate, Disposal, disposed_in_words, finish_hint, proof_of
from archiver.disposing import StoreDisposal, dispose_everywhere, find_certificate, make_certificate
from archiver.errors import ArchiverError, IncompleteError, UsageError
from archiver.keys import load_keyholder_signing_key
from archiver.retention.deciding import Standing, open_disposal, require_disposable
from archiver.retention.due import due_of
from archiver.retention.holding import holds_on, open_appeals
from archiver.times import system_clock
from archiver.vault import Archive, names_of
from archiver.wiring.custody import vault_stores

_ELSEWHERE = (
    "What may still exist elsewhere: copies of a store, its snapshots and backups; a bucket's replica; caches"
    " and catalogues on other hosts, which forget it at their next search; folders that were restored;"
    " evidence packs that were exported. See docs/retention.md."
)


@click.command(
    "dispose",
    epilog=examples(
        "archiver retention dispose 2019-11-01", "archiver retention dispose 2019-11-01 --yes --json"
    ),
)
@click.argument("archive")
@click.option("--yes", is_flag=True, help="Do not ask for the archive's name once more.")
@reason_option
@store_option
@pass_session
def command(session: Session, archive: str, yes: bool, reason: str | None, store: str | None) -> int:
    """Destroy an archive's key in every store, so that nobody can open it any more, and certify that.

    Refused while anything holds it, before its time by the rules, below the minimum, and without a recorded
    decision: archiver retention review. What was cut off, or could not be done in a store that was away, is
    finished by the same command. It cannot be undone. Exit 3 while the key is left in a store."""
    settings = session.settings
    session.require_reason(reason)
    opened = open_to_decide(session, store)
    found = find_archive(opened.listed, archive)
    make_directories(settings.lock.parent)
    with (
        Lock(settings.lock),
        session.act(Asked("erase", "retention dispose", ids=[archive], reason=reason)) as act,
    ):
        stores = vault_stores(settings, opened.vault.id)
        certificate = find_certificate(stores, found)
        if certificate is None:
            certificate = _decide(session, opened, found, yes=yes)
        done = dispose_everywhere(stores, found, certificate)
        _forget_here(session, opened, found, certificate)
        unfinished = [one for one in done if one.error is not None]
        detail = {"unfinished": [one.store for one in unfinished], "decision": certificate.disposal.decision}
        act.end(results=len(done) - len(unfinished), ids=[archive], detail=detail)
    code = share_log(session)
    _report(session, found, certificate, done)
    return max(code, IncompleteError.exit_code if unfinished else 0)


def _decide(session: Session, opened: Opened, archive: Archive, *, yes: bool) -> Certificate:
    """The certificate, after every reason against it was looked for, and a person has said so once more."""
    custody, decided = _judge(session, opened, archive)
    identity = opened.vault.open_key(archive, session.identities())
    if not yes:
        _confirm(archive.name, decided)
        custody, decided = _judge(session, opened, archive)  # what came while somebody thought about it
    entry = open_disposal(custody, archive.name, decided)
    due = due_of(archive.manifest, session.settings.retention)
    if entry is None:
        scope = Scope(archives=(archive.name,))
        detail = {"rule": due.rule}
        draft = Draft(kind="dispose", reason=decided.reason, scope=scope, of=(decided.id,), detail=detail)
        entry = open_writer(session).add(draft)
    keyholder = session.settings.keyholder
    assert keyholder is not None  # noqa: S101 - whose identities opened the archive
    if entry.by != keyholder.name:
        raise ArchiverError(
            f"{entry.by} has begun to dispose of archive {archive.name}, and was cut off",
            f"let {entry.by} finish it, with the same command",
        )
    disposal = Disposal(
        format=FORMAT,
        vault=opened.vault.id,
        archive=archive.name,
        manifest_sha256=archive.head.sha256,
        reason="retention",
        rule=str(entry.detail.get("rule") or due.rule),
        keyholder=keyholder.name,
        at=entry.at,
        decision=entry.id,
        proof=proof_of(identity),
    )
    return make_certificate(disposal, load_keyholder_signing_key(keyholder, session.identities()))


def _judge(session: Session, opened: Opened, archive: Archive) -> tuple[Custody, CustodyEntry]:
    """The register as it is now, and the review that decided it. Raise RefusedError for the first reason
    against it."""
    custody = load_register(session, opened, to_dispose=True)
    exhibits = load_exhibits(session, opened)
    with open_finder(session, opened) as find:
        holds = holds_on(names_of(archive.name, opened.listed.archives), custody, find, exhibits)
        appeals = open_appeals(find.searcher.moderation(), archive)
    due = due_of(archive.manifest, session.settings.retention)
    review = custody.review_of(archive.name)
    standing = Standing(archive.name, due, holds, appeals, review, system_clock())
    return custody, require_disposable(standing)


def _confirm(archive: str, review: CustodyEntry) -> None:
    click.echo(one_line(f"{review.reviewer} decided on {review.at[:10]}: {review.reason}"), err=True)
    if not sys.stdin.isatty():
        raise UsageError(
            f"archive {archive} would be disposed of for good, and there is no terminal to say so on",
            "--yes; nothing was done",
        )
    typed = click.prompt(
        f"This cannot be undone. Type {archive} to destroy its key", default="", show_default=False, err=True
    )
    if typed.strip() != archive:
        raise UsageError(f"that is not {archive}", "nothing was done")


def _forget_here(session: Session, opened: Opened, archive: Archive, certificate: Certificate) -> None:
    """Let this host's catalogue go of what it has of the archive: its words, and keys of its files."""
    disposed = replace(archive, disposed=certificate.disposal)
    archives = tuple(disposed if one.name == archive.name else one for one in opened.listed.archives)
    listed = replace(opened.listed, archives=archives)
    catalogue = open_catalogue(session, opened.vault, listed, session.identities())
    try:
        catalogue.save()
    finally:
        catalogue.close()


def _report(
    session: Session, archive: Archive, certificate: Certificate, done: Sequence[StoreDisposal]
) -> None:
    disposal = certificate.disposal
    unfinished = [one for one in done if one.error is not None]
    if session.json:
        session.print_json(
            "disposed",
            archive=archive.name,
            at=disposal.at,
            keyholder=disposal.keyholder,
            rule=disposal.rule,
            decision=disposal.decision,
            stores=[{"store": one.store, "done": one.error is None, "had_key": one.had_key} for one in done],
        )
    else:
        click.echo(one_line(f"archive {archive.name}: {disposed_in_words(disposal)}"))
        for one in done:
            if one.error is None:
                click.echo(one_line(f"  store {one.store}: {_done_in_words(one)}"))
    for one in unfinished:
        error = one.error
        assert error is not None  # noqa: S101 - chosen so
        print_error(IncompleteError(error.message, error.hint or finish_hint(archive.name)), _unfinished(one))
    if not session.json:
        session.note(_ELSEWHERE)


def _unfinished(one: StoreDisposal) -> str:
    return f"store {one.store}: the key is not destroyed there yet"


def _done_in_words(one: StoreDisposal) -> str:
    if not one.has_archive:
        return "never had the archive"
    return "its key was destroyed" if one.had_key else "has no key of it"
