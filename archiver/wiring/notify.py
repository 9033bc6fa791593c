"""Settings to the ways by which notices go out."""

from collections.abc import Mapping
from functools import partial

from archiver.errors import UsageError
from archiver.notify.base import Notifier
from archiver.secrets import resolve_secret
from archiver.settings import Settings
from archiver.settings.notices import (
    NoticeSettings,
    PingSettings,
    SmtpSettings,
    TextfileSettings,
    WebhookSettings,
)


def open_notifiers(settings: Settings, environ: Mapping[str, str]) -> list[Notifier]:
    """Every way in the settings' order. Nothing is sent and no secret read: one that cannot be read makes a
    way that fails when it is used."""
    return [_open(one, environ) for one in settings.notices]


def find_notifier(settings: Settings, environ: Mapping[str, str], name: str) -> Notifier:
    """The way of this name. Raise UsageError where there is none, naming those that there are."""
    found = next((one for one in settings.notices if one.name == name), None)
    if found is None:
        names = ", ".join(one.name for one in settings.notices)
        raise UsageError(
            f"there is no notice {name} in {settings.path}", f"one of: {names}" if names else NO_NOTICE_HINT
        )
    return _open(found, environ)


NO_NOTICE_HINT = "each way is a table [[notice]] of the settings: see docs/unattended.md"


def _open(one: NoticeSettings, environ: Mapping[str, str]) -> Notifier:
    """A way's module is imported where it is used, and what it needs for sending when it sends."""
    resolve = partial(resolve_secret, environ=environ)
    if isinstance(one, SmtpSettings):
        from archiver.notify.smtp import SmtpNotifier

        return SmtpNotifier(one, resolve)
    if isinstance(one, WebhookSettings):
        from archiver.notify.webhook import WebhookNotifier

        return WebhookNotifier(one, resolve)
    if isinstance(one, PingSettings):
        from archiver.notify.ping import PingNotifier

        return PingNotifier(one, resolve)
    if isinstance(one, TextfileSettings):
        from archiver.notify.textfile import TextfileNotifier

        return TextfileNotifier(one)
    from archiver.notify.apprise import AppriseNotifier

    return AppriseNotifier(one, resolve)
