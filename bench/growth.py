"""How searches grow with the number of monthly archives: a year, five, ten and twenty of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.monthly import Months, ensure_months
from bench.monthly_measure import COLD, Figures, cold_ours, percentile_95, spread
from bench.monthly_queries import COMMONEST, queries
from bench.results import NOTHING, Asked, Detail, Row, significant
from bench.words import query_words
from bench.workplace import Workplace, remove, say

ARCHIVES = (12, 60, 120, 240)
ROUNDS = 3
LINEAR = Asked(ARCHIVES[-1] / ARCHIVES[0])
HEADER = (
    *("archives", "posts", "50 newest, cold ms", "95th percentile ms", "warm ms", "relevance, cold ms"),
    *("first search, no catalogue, ms", "catalogue bytes", "vault bytes", "queries that find something"),
)


@dataclass(frozen=True)
class Size:
    """What was measured of one vault, in milliseconds and bytes; of each query the newest hits once."""

    months: Months
    newest: Sequence[Figures]
    relevance: Sequence[float]
    first: Sequence[float]
    catalogue_bytes: int
    vault_bytes: int

    @property
    def cold(self) -> list[float]:
        return [one["total_ms"] for one in self.newest]

    def cells(self) -> list[str]:
        return [
            f"{self.months.archives}",
            f"{self.months.posts:,}",
            significant(median(self.cold)),
            significant(percentile_95(self.cold)),
            significant(median(one["warm_ms"] for one in self.newest)),
            significant(median(self.relevance)),
            significant(median(self.first)),
            f"{self.catalogue_bytes:,}",
            f"{self.vault_bytes:,}",
            f"{sum(bool(one['ids']) for one in self.newest)} of {len(self.newest)}",
        ]


def measure(place: Workplace) -> tuple[list[Row], Detail]:
    """Each vault after the other, the smallest first."""
    sizes = [measure_size(ensure_months(place, archives)) for archives in ARCHIVES]
    return rows_of(sizes), detail_of(sizes)


def measure_size(months: Months) -> Size:
    """One vault; that some queries find nothing in a year of it is no fault."""
    first = []
    for _ in range(ROUNDS):
        remove(months.home / "cache")
        first.append(cold_ours(months, query_words()[-4])["total_ms"])
    newest = [cold_ours(months, question.text) for question in queries(months.middle)]
    relevance = [cold_ours(months, COMMONEST, "relevance")["total_ms"] for _ in range(ROUNDS)]
    found = Size(
        months, newest, relevance, first, *(bytes_below(months, name) for name in ("cache", "vault"))
    )
    say(f"growth: {', '.join(f'{name} {cell}' for name, cell in zip(HEADER, found.cells(), strict=True))}")
    return found


def bytes_below(months: Months, name: str) -> int:
    return sum(path.stat().st_size for path in (months.home / name).rglob("*") if path.is_file())


def rows_of(sizes: Sequence[Size]) -> list[Row]:
    smallest, largest = sizes[0], sizes[-1]
    counts = f"{smallest.months.archives} to {largest.months.archives} archives of a month"
    rows = []
    for what, before, after in (
        ("50 newest, cold", smallest.cold, largest.cold),
        ("relevance, cold", smallest.relevance, largest.relevance),
        ("the first search, which makes the catalogue", smallest.first, largest.first),
    ):
        rows.append(
            Row(
                f"growth: {what}",
                counts,
                f"{spread(before)} to {spread(after)}",
                NOTHING,
                median(after) / median(before),
                f"the medians, {COLD} Linear would be {LINEAR.limit:.0f}.",
                LINEAR,
            )
        )
    return rows


def detail_of(sizes: Sequence[Size]) -> Detail:
    return Detail(
        "Growth with the number of archives",
        "Each vault is the beginning of the largest one's chain. 50 newest: the forty queries of the monthly"
        f" archives, each once; relevance: the commonest word, median of {ROUNDS} rounds; first search: as"
        f" on a host that never searched, median of {ROUNDS} rounds.",
        HEADER,
        [size.cells() for size in sizes],
    )
