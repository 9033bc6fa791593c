"""The flat forms of an evidence pack: each a function of what the pack is and of its exhibits, that gives the
file's bytes a piece at a time and holds one exhibit at most.

| file | made by | for |
| --- | --- | --- |
| `records.csv` | `csv_records` | spreadsheets; for the public only what identifies nobody else |
| `records.jsonl` | `json_records` | programs: all that the pack says of a record |
| `records.dat` | `load_file` | disclosure platforms (Concordance's load file) |
| `text/ABC_1_17.txt` | `text_files` | the texts that the load file names |
| `custody.csv` | `custody` | where each item comes from and what was done with it: a chain of events |
| one CSV | `flat_records` | whoever read the exports of the service that this program replaces |
"""

from archiver.evidence.tables.custody import CUSTODY_COLUMNS, custody, evidence_id
from archiver.evidence.tables.custody_events import CustodyEvent
from archiver.evidence.tables.flat import FLAT_COLUMNS, flat_records
from archiver.evidence.tables.load_file import LOAD_FILE_COLUMNS, load_file
from archiver.evidence.tables.load_texts import text_files
from archiver.evidence.tables.records_csv import COLUMNS, PUBLIC_COLUMNS, csv_records
from archiver.evidence.tables.records_json import json_records

__all__ = [
    "COLUMNS",
    "CUSTODY_COLUMNS",
    "FLAT_COLUMNS",
    "LOAD_FILE_COLUMNS",
    "PUBLIC_COLUMNS",
    "CustodyEvent",
    "csv_records",
    "custody",
    "evidence_id",
    "flat_records",
    "json_records",
    "load_file",
    "text_files",
]
