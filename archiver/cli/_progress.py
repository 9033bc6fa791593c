"""What a terminal shows while something takes long; nothing elsewhere."""

import sys
from collections.abc import Callable

import click

from archiver.cli._session import Session


def progress_bar(session: Session) -> Callable[[str, int], None]:
    """A line on the terminal that counts; nothing elsewhere."""
    if session.json or not sys.stderr.isatty():
        return lambda what, number: None

    def show(what: str, number: int) -> None:
        click.echo(f"\r{number:,} {what} …\x1b[K", err=True, nl=False)

    return show


def step_progress(session: Session, in_words: Callable[[int], str] = str) -> Callable[[str, int, int], None]:
    """As `progress_bar`, for steps of a known number, or whatever `in_words` makes of it."""
    if session.json or not sys.stderr.isatty():
        return lambda what, done, total: None

    def show(what: str, done: int, total: int) -> None:
        click.echo(f"\r{what} {in_words(done)} of {in_words(total)} …\x1b[K", err=True, nl=False)

    return show


def clear_progress(session: Session) -> None:
    if not session.json and sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)
