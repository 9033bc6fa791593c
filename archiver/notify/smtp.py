"""A notice as e-mail."""

from dataclasses import dataclass

from archiver.notify.base import Notice, Resolve, find_secret, is_wanted
from archiver.notify.bounded import PAUSE_SECONDS, tried_twice
from archiver.settings.notices import SmtpSettings


@dataclass(frozen=True, repr=False)
class SmtpNotifier:
    """`resolve`: reads secrets, when they are needed."""

    settings: SmtpSettings
    resolve: Resolve
    every_run: bool = False
    pause_seconds: float = PAUSE_SECONDS

    @property
    def name(self) -> str:
        return self.settings.name

    def wants(self, notice: Notice) -> bool:
        return is_wanted(self.settings.on, notice)

    def begin(self, at_ms: int) -> None:
        """Nobody is told that a run begins."""

    def send(self, notice: Notice) -> None:
        """Send it to every recipient that it is for. Raise NoticeError, whatever the server does, within two
        times the settings' time and a moment."""
        if not self.wants(notice):
            return
        from archiver.notify.mail import (  # 60 ms that runs with no mail to send save
            make_message,
            recipient_key,
            send_mail,
        )

        recipients = self.settings.recipients
        if notice.only:
            recipients = tuple(one for one in recipients if recipient_key(one) in notice.only)
        if not recipients:  # whom it was for is no longer in the settings
            return

        reference = self.settings.password
        password = None if reference is None else find_secret(self.name, reference, self.resolve)
        message = make_message(self.settings, notice)
        tried_twice(lambda: send_mail(self.settings, recipients, message, password), self.pause_seconds)
