"""Time stamp authorities: until when the certificates hold by which their answers are judged."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

from archiver.health.checkup import Check, Finding, Subject, failed, ok, warning
from archiver.schedule.due import DAY_MS
from archiver.settings.timestamps import AuthoritySettings
from archiver.times import format_date

SOON_DAYS = 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def checks(subject: Subject) -> list[Check]:
    """One for each authority."""
    return [
        Check(f"authority {one.name}", partial(_authority, one, subject.clock()))
        for one in subject.settings.timestamps
    ]


def _authority(authority: AuthoritySettings, now_ms: int) -> Iterator[Finding]:
    """Certificates of earlier years are kept for tokens of then: the one that holds longest counts."""
    what = f"authority {authority.name}"
    until = min(max(map(_until_ms, authority.certificates)), max(map(_until_ms, authority.roots)))
    advice = "add its new certificate to `certificate`, what signed it to `root`; keep the old ones there"
    if until <= now_ms:
        yield failed(what, f"its certificates ended on {format_date(until)}", advice)
    elif until - now_ms < SOON_DAYS * DAY_MS:
        yield warning(what, f"its certificates end on {format_date(until)}", advice)
    else:
        yield ok(what, f"its certificates hold until {format_date(until)}")


def _until_ms(encoded: bytes) -> int:
    from cryptography.x509 import load_der_x509_certificate

    return int((load_der_x509_certificate(encoded).not_valid_after_utc - _EPOCH).total_seconds()) * 1000
