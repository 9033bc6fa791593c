"""A built-in sample: the X data export of a fictional police force, to try things without real data."""

from archiver.sample.export import SampleExport, write_sample_export
from archiver.sample.people import FORCE

SAMPLE_ACCOUNT_ID = FORCE.user_id
SAMPLE_HANDLE = FORCE.handle

__all__ = ["SAMPLE_ACCOUNT_ID", "SAMPLE_HANDLE", "SampleExport", "write_sample_export"]
