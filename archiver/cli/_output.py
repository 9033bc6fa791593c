"""Lines of an export, to a file or to standard output."""

import sys
from collections.abc import Iterable
from pathlib import Path

from archiver.disk import new_file


def write_lines(lines: Iterable[bytes], output: Path | None) -> None:
    """To a new file, whole or not at all, for its owner's eyes only; or to standard output."""
    if output is not None:
        with new_file(output) as file:
            for line in lines:
                file.write(line)
        return
    for line in lines:
        sys.stdout.buffer.write(line)
    sys.stdout.flush()
