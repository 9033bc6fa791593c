"""Which jobs there are, and the module of each: imported when a run comes to ask it whether it is due, so
that an idle run costs no more than asking does."""

import importlib
from collections.abc import Collection, Mapping
from typing import cast

from archiver.jobs.base import Job
from archiver.schedule.report import JOB_NAMES, JobName

_MODULES: Mapping[JobName, str] = {
    "import": "importing",
    "collect": "collecting",
    "seal": "sealing",
    "sync": "syncing",
    "check": "checking",
    "drill": "drilling",
    "remind": "reminding",
}
"""A job to its module in this package, which has it as `JOB`. What the work alone needs is imported by the
module inside `work`."""


def registered(only: Collection[JobName] = ()) -> list[JobName]:
    """The jobs there are, in the order in which a run does them; `only` some of them."""
    return [name for name in JOB_NAMES if name in _MODULES and (not only or name in only)]


def load_job(name: JobName) -> Job:
    """The job of a name out of `registered`."""
    module = importlib.import_module(f"archiver.jobs.{_MODULES[name]}")
    return cast(Job, module.JOB)
