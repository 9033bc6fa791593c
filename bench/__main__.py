"""`make bench`: every measurement, one after the other, into bench/RESULTS.md.

python -m bench [--posts 1000000] [--only NAME …] [--keep] [--out bench/RESULTS.md]
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import (
    age_stream,
    bucket,
    checks,
    evidence,
    growth,
    main_job,
    memory,
    monthly_measure,
    search,
    startup,
    unattended,
    x_api,
)
from bench.results import NOTHING, Asked, Detail, Report, Row, machine
from bench.workplace import ROOT, BenchError, Workplace, make_export, say

NAMES = (
    *("main-job", "memory", "search", "relevance", "bucket", "monthly", "growth", "age", "startup"),
    *("x-api", "evidence", "unattended", "checks"),
)
WITHOUT_EXPORT = frozenset({"age", "x-api", "monthly", "growth", "evidence", "unattended", "checks"})
AGE_MEANING = (
    "one stream of random bytes through our X25519 encryption or decryption in the bench's process, against"
    " the `age` program in its own; from the page cache to the null device, in turns, the best of"
    f" {age_stream.ROUNDS} rounds each; the ratio is of speeds."
)


def measure(place: Workplace, names: Sequence[str]) -> tuple[list[Row], list[Detail]]:
    """The measurements asked for, in the order of `NAMES`."""
    rows: list[Row] = []
    details: list[Detail] = []
    peer_bytes: int | None = None
    if "main-job" in names:
        job = main_job.measure(place)
        peer_bytes = job.best(None).peak_bytes
        rows += job.rows()
        details.append(job.detail())
    if "search" in names:
        searches = search.measure(place)
        rows += searches.rows()
        details.append(searches.detail())
    if "relevance" in names:
        rows += search.measure_relevance(place)
    if "bucket" in names:
        bucket_rows, bucket_details = bucket.measure(place)
        rows += bucket_rows
        details += bucket_details
    if "monthly" in names:
        monthly_rows, monthly_details = monthly_measure.measure(place)
        rows += monthly_rows
        details += monthly_details
    if "growth" in names:
        growth_rows, growth_detail = growth.measure(place)
        rows += growth_rows
        details.append(growth_detail)
    if "startup" in names:
        rows += [startup.measure_version(), startup.measure_search(place)]
    if "x-api" in names:
        collecting = x_api.measure(place)
        rows += collecting.rows()
        details += collecting.details()
    if "evidence" in names:
        rows += evidence.measure(place)
    if "unattended" in names:
        rows += unattended.measure(place)
    if "checks" in names:
        rows += checks.measure(place)
    if "age" in names:
        rows += measure_age()
    if "memory" in names:
        held = memory.measure(place, peer_bytes)
        rows += held.rows()
        details.append(held.detail())
    return rows, details


def measure_age() -> list[Row]:
    """Both directions of a stream; where there is no age program, rows that say so."""
    try:
        found = age_stream.run()
    except RuntimeError as error:
        say(f"age: {error}")
        names = ("age encrypt", "age decrypt")
        return [_age_row(name, f"{error}", NOTHING, None) for name in names]
    for row in found:
        say(f"{row['what']}: ratio {row['ratio']:.2f}")
    return [
        _age_row(row["what"], f"{row['ours']:.0f} MB/s", f"{row['peer']:.0f} MB/s", row["ratio"])
        for row in found
    ]


def _age_row(what: str, ours: str, peer: str, ratio: float | None) -> Row:
    return Row(what, "1,000 MB", ours, peer, ratio, AGE_MEANING, Asked(0.8, at_least=True))


def report(place: Workplace, names: Sequence[str]) -> Report:
    """Measure, and describe the machine as it was before."""
    before = machine()
    counts: list[str] = []
    if not WITHOUT_EXPORT.issuperset(names):
        export = make_export(place.folder, place.posts)
        counts.append(
            f"{export.posts:,} posts, {export.json_bytes:,} bytes of JSON"
            f" in an export of {export.zip_bytes:,}"
        )
    rows, details = measure(place, names)
    return Report(datetime.now(UTC).date(), before, counts, rows, details)


def main() -> int:
    """Measure as the command line asks; 0 whatever the figures, 1 where one could not be taken."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure against the peers.")
    parser.add_argument("--posts", type=int, default=1_000_000)
    parser.add_argument(
        "--only", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help=", ".join(NAMES)
    )
    parser.add_argument("--keep", action="store_true", help="leave the vault and the peer's databases")
    parser.add_argument("--out", type=Path, help="where the tables go; of a whole run to bench/RESULTS.md")
    arguments = parser.parse_args()
    whole = set(arguments.only) == set(NAMES)
    out = arguments.out or (ROOT / "bench" / "RESULTS.md" if whole else None)
    place = Workplace(ROOT / "bench" / "data", arguments.posts, arguments.keep)
    try:
        found = report(place, arguments.only)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    finally:
        place.clear()
    if out is None:
        print(found.markdown())
    else:
        out.write_text(found.markdown(), encoding="utf-8")
        say(f"written: {out}")
    missed = found.missed()
    say(f"not reached or not measured: {'; '.join(missed)}" if missed else "everything asked for is reached")
    return 0


if __name__ == "__main__":
    sys.exit(main())
