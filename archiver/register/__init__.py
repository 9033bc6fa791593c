"""The moderation register: entries made into records, and which records there are."""

from archiver.register.compose import ModerationRecord, compose, records_of
from archiver.register.table import Registered, RegisterTable

__all__ = ["ModerationRecord", "RegisterTable", "Registered", "compose", "records_of"]
