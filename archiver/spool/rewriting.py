"""Changes of what lies in the spool, where records are erased: nothing else ever changes a page."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import apsw

from archiver.spool.items import PageInfo


class SpoolRewriter:
    """Works within a transaction of the spool's database (`Spool.rewriting`)."""

    def __init__(self, database: apsw.Connection) -> None:
        self._database = database

    def drop_page(self, number: int) -> None:
        self._database.execute("DELETE FROM page WHERE id = ?", (number,))

    def replace_page(self, number: int, info: PageInfo, body: bytes) -> None:
        """Another body, sealed to the spool, with what `info` says of it; its capture says that it was
        cut."""
        self._database.execute(
            "UPDATE page SET records = ?, posted_from = ?, posted_to = ?, plain_bytes = ?, body = ?"
            " WHERE id = ?",
            (info.records, info.posted_from, info.posted_to, info.plain_bytes, body, number),
        )
        rows: list[Any] = self._database.execute(
            "SELECT description FROM capture WHERE id = ?", (info.capture,)
        ).fetchall()
        fields = json.loads(rows[0][0])
        fields["context"] = {**fields.get("context", {}), "erased": "something was cut out"}
        self._describe(info.capture, json.dumps(fields, ensure_ascii=False))

    def _describe(self, capture: int, description: str) -> None:
        self._database.execute(
            "UPDATE capture SET description = ? WHERE id = ?", (description.encode(), capture)
        )

    def reword(self, without: Callable[[str], str]) -> None:
        """Take words out of what was asked for and of what went wrong."""
        rows: list[Any] = self._database.execute("SELECT id, request, description FROM capture").fetchall()
        for number, request, description in rows:
            text = bytes(description).decode()
            if without(text) != text:
                self._describe(number, without(text))
                self._database.execute(
                    "UPDATE OR IGNORE capture SET request = ? WHERE id = ?", (without(request), number)
                )
        problems: list[Any] = self._database.execute("SELECT id, what, detail FROM problem").fetchall()
        for number, what, detail in problems:
            if (without(what), without(detail)) != (what, detail):
                self._database.execute(
                    "UPDATE OR REPLACE problem SET what = ?, detail = ? WHERE id = ?",
                    (without(what), without(detail), number),
                )

    def forget_items(self, ids: Iterable[str]) -> None:
        """Let the moderation register forget what its records are about, where it is one of these."""
        self._database.execute(
            "UPDATE moderation SET item_id = NULL, author_id = NULL WHERE item_id IN"
            " (SELECT value FROM json_each(?))",
            (json.dumps(sorted(ids)),),
        )

    def drop_media(self, account: str, file_name: str) -> None:
        """Name a file no more; `MediaSpool.sweep_media` then removes it."""
        self._database.execute("DELETE FROM media WHERE account = ? AND file_name = ?", (account, file_name))
