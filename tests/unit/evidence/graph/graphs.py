"""Graphs of the example pack, and what judges them."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any

from archiver.evidence.graph import render_graph
from archiver.evidence.model import Exhibit, PackFile, Production
from tests.exhibits import exhibits, files, production

CASE_VALIDATE = Path(sys.executable).with_name("case_validate")
UUID_AT_END = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def pack_files(more: Iterable[Exhibit] = ()) -> dict[str, PackFile]:
    """What the example's files are, and those of other exhibits, and one that belongs to none."""
    held = files(more) | {"data/records.csv": b"id,text\n"}
    return {
        path: PackFile(len(data), sha256(data).hexdigest(), sha512(data).hexdigest())
        for path, data in held.items()
    }


def render(
    made: Production | None = None,
    shown: Iterable[Exhibit] | None = None,
    only: Iterable[str] | None = None,
) -> bytes:
    """The document for these exhibits, else all of the example, in a pack of `only` these files, else all."""
    shown = exhibits() if shown is None else list(shown)
    held = pack_files(shown)
    held = held if only is None else {path: held[path] for path in only}
    return b"".join(render_graph(made or production(), shown, held))


def nodes_of(document: bytes) -> list[dict[str, Any]]:
    """All nodes that have a class, also those inside others."""
    return [
        node for node in every_object(json.loads(document)["@graph"]) if "@id" in node and "@type" in node
    ]


def every_object(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [found for each in value for found in every_object(each)]
    if isinstance(value, dict):
        return [value, *(found for each in value.values() for found in every_object(each))]
    return []


def of_type(document: bytes, kind: str) -> list[dict[str, Any]]:
    return [node for node in nodes_of(document) if node["@type"].endswith(f":{kind}")]


def validate(path: Path) -> tuple[int, str]:
    """Exit code and all that `case_validate` says: it may say that a graph conforms and fail it yet."""
    done = subprocess.run(
        [str(CASE_VALIDATE), "--built-version", "case-1.5.0", str(path)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr
