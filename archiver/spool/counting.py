"""What a spool's database tells without a key, to a run that must not fail for it and writes nothing."""

from contextlib import closing
from pathlib import Path
from typing import Any

import apsw

SPOOL_FILE = "spool.sqlite"


def count_registered(folder: Path) -> int:
    """How many moderation records the spool in a folder remembers, sealed ones included. 0 where there is no
    spool, or none that can be read or has a register. Costs a fraction of a millisecond."""
    try:
        with closing(apsw.Connection(str(folder / SPOOL_FILE), flags=apsw.SQLITE_OPEN_READONLY)) as database:
            database.set_busy_timeout(1_000)
            rows: list[Any] = database.execute("SELECT count(*) FROM moderation").fetchall()
    except apsw.Error:
        return 0
    return int(rows[0][0])
