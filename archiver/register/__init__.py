"""The moderation register: entries made into records, and which records there are."""

from archiver.register.compose import ModerationRecord, compose, records_of
from archiver.register.table import OvertakenError, Registered, RegisterTable, is_pending

__all__ = [
    "ModerationRecord",
    "OvertakenError",
    "RegisterTable",
    "Registered",
    "compose",
    "is_pending",
    "records_of",
]
