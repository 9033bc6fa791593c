"""`archiver notices test`: do notices arrive?"""

import click

from archiver.cli._group import Session, examples, pass_session
from archiver.cli._session import print_error, printable
from archiver.errors import ConfigurationError
from archiver.health.notices import Origin, test_notice
from archiver.notify.base import Notifier, send_all
from archiver.times import system_clock
from archiver.wiring.notify import NO_NOTICE_HINT, find_notifier, open_notifiers


@click.command(
    "test",
    epilog=examples(
        "archiver --config police-archive notices test", "archiver --config police-archive notices test mail"
    ),
)
@click.argument("names", nargs=-1, metavar="[NAME…]")
@pass_session
def command(session: Session, names: tuple[str, ...]) -> int:
    """Send a test notice by every way that the settings name, or by those named here, whatever these are for.

    A ping is sent to /log, which changes nothing there. Of a file of metrics it is proven that it can be
    written. That a mail server took a notice does not say that somebody reads it: look.

    Exit 0 means that every one was taken, 1 that one was not."""
    settings = session.settings
    if not settings.notices:
        raise ConfigurationError(f"{settings.path} names nobody who is told anything", NO_NOTICE_HINT)
    chosen: list[Notifier] = (
        [find_notifier(settings, session.environ, name) for name in dict.fromkeys(names)]
        if names
        else open_notifiers(settings, session.environ)
    )
    kinds = {one.name: type(one).__name__.removesuffix("Notifier").lower() for one in chosen}
    notice = test_notice(Origin.of(settings), system_clock())
    code = 0
    for one in chosen:
        errors = send_all([one], notice)
        if session.json:
            error = errors[0].message if errors else None
            hint = errors[0].hint if errors else None
            session.print_json(
                "notice", name=one.name, kind=kinds[one.name], sent=not errors, error=error, hint=hint
            )
        elif not errors:
            click.echo(printable(f"{one.name} ({kinds[one.name]}): taken"))
        for each in errors:
            print_error(each)
            code = 1
    return code
