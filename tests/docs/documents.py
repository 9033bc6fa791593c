"""The project's documents as tests read them: headings, the commands under each, links."""

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"```(\w*)\n(.*?)```\n", re.DOTALL)
_HEADING = re.compile(r"(#{1,6}) (.+)")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: under which heading, of which language, its text."""

    heading: str
    language: str
    text: str


def blocks(path: Path) -> list[Block]:
    """Every fenced block of a document, in order."""
    found = []
    heading = ""
    text = path.read_text("utf-8")
    position = 0
    for fence in _FENCE.finditer(text):
        for match in _HEADING.finditer(text, position, fence.start()):
            heading = match[2].strip()
        found.append(Block(heading, fence[1], fence[2]))
        position = fence.end()
    return found


def prose(path: Path) -> str:
    """A document without its fenced blocks."""
    return _FENCE.sub("", path.read_text("utf-8"))


def links(path: Path) -> list[str]:
    """Where a document's links lead."""
    return _LINK.findall(prose(path))


def table_rows(path: Path, header: str) -> list[list[str]]:
    """The rows of the table whose first line holds `header`, each as its cells."""
    lines = iter(prose(path).splitlines())
    for line in lines:
        if line.startswith("|") and header in line:
            next(lines)
            break
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
        rows.append([cell.strip().replace("\\|", "|") for cell in cells])
    return rows
