"""SQL for records that have several rows, and for when a record was captured and found missing.

All of it goes through indexes of these rows alone (`archiver/archive/indexes.sql`), or by ids.
"""

import json
from collections.abc import Iterable

from archiver.archive.manifest import File
from archiver.search.sql.conditions import REVISED, TIME
from archiver.search.sql.statement import Statement

CAPTURED_MS = (
    "(SELECT c.fetched_ms FROM capture_part AS p JOIN capture AS c ON c.id = p.capture WHERE p.id = r.part)"
)
"""When a row was captured."""
GONE = "SELECT kind, platform, account, platform_id, noticed_ms, how FROM gone"
"""Every notice of what was found missing."""
_KIND = {"post": "'post'", "message": "'message'", "relation": "r.kind"}
_RECORD_ID = {
    "post": "coalesce(r.record_id, r.platform_id)",
    "message": "r.platform_id",
    "relation": "r.platform_id",
}
_IS_AGAIN = "EXISTS (SELECT 1 FROM again AS a WHERE a.record_table = '{table}' AND a.record_key = r.key)"
_AGAIN = "again AS a CROSS JOIN {table} AS r ON r.key = a.record_key WHERE a.record_table = '{table}'"


def several_statements(table: str, file: File) -> list[Statement]:
    """What finds a segment's rows of records that were changed or captured twice, as its manifest counts
    them: key, platform, account, id, record's id, time, version, whether it is a revision (any but a first
    version), whether it is no version of its own, when it was captured. Of the first versions only those are
    found that are none of their own.

    Segments of the first schema have no table `again`, and no repeats. Two statements, as SQLite would read
    all rows for one with OR."""
    if not file.records.get(table):
        return []
    columns = (
        f"SELECT r.key, r.platform, r.account, r.platform_id, {_RECORD_ID[table]}, r.{TIME[table]}, r.version"
    )
    statements: list[Statement] = []
    if table in REVISED and file.revised:
        again = _IS_AGAIN.format(table=table) if file.again else "0"
        sql = f"{columns}, 1, {again}, {CAPTURED_MS} FROM {table} AS r WHERE {REVISED[table]}"
        statements.append((sql, []))
    if file.again:
        others = f" AND NOT ({REVISED[table]})" if table in REVISED else ""
        sql = f"{columns}, 0, 1, {CAPTURED_MS} FROM {_AGAIN.format(table=table)}{others}"
        statements.append((sql, []))
    return statements


def captured_statement(table: str, ids: Iterable[str]) -> Statement:
    """When rows with these ids were captured last: table (of likes and the like their kind), platform,
    account, id, milliseconds."""
    sql = (
        f"SELECT {_KIND[table]}, r.platform, r.account, r.platform_id, max({CAPTURED_MS}) FROM {table} AS r"  # noqa: S608  # constants of this module and of conditions
        " WHERE r.platform_id IN (SELECT value FROM json_each(?)) GROUP BY 1, 2, 3, 4"
    )
    return sql, [json.dumps(list(ids))]
