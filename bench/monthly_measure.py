"""Searches over ten years of monthly archives, and plain FTS5 over the same posts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Any

from bench.monthly import Months, ensure_months
from bench.monthly_peer import count_by_month
from bench.monthly_queries import COMMONEST, EVERYTHING, LACKING, RARE_PART, Question, month_bounds, queries
from bench.page_cache import drop_from_cache
from bench.results import NOTHING, Asked, Detail, Row, significant
from bench.workplace import BenchError, Workplace, module, run, say

ARCHIVES = 120
ROUNDS = 3
Figures = dict[str, Any]
STEPS = (
    ("identity", "identity_ms"),
    ("listing and signatures", "list_ms"),
    ("catalogue", "catalogue_ms"),
    ("search", "search_ms"),
)
HEADER = (
    *("query", "hits", "segments", "chunks", "frames", "bytes read"),
    *("cold ms", "exact, cold ms", "warm ms", "peer cold ms", "peer warm ms"),
)
COLD = (
    "each in a new process, the vault, keys and catalogue dropped from the page cache before it. From reading"
    " the identity to the records; Python's start, its imports and OpenSSL's loading of its post-quantum code"
    " are not counted. The host has searched before: it has the catalogue."
)


# One query


def cold_ours(months: Months, query: str, what: str = "newest", *, exact: bool = False) -> Figures:
    """One query in a new process, nothing of the vault, keys and catalogue in the page cache."""
    drop_from_cache(
        path
        for name in ("vault", "keys", "cache")
        for path in (months.home / name).rglob("*")
        if path.is_file()
    )
    arguments = ["--what", what, *(["--exact"] if exact else [])]
    done = run(module("monthly_search", str(months.home), query, *arguments))
    found: Figures = json.loads(done.output)
    return found


def cold_peer(months: Months, question: Question, what: str = "newest") -> Figures:
    """The same of the peer."""
    drop_from_cache([months.peer])
    since, until = question.times
    arguments = ["--what", what, "--since", str(since), "--until", str(until)]
    done = run(module("monthly_peer", "search", str(months.peer), question.peer or "", *arguments))
    found: Figures = json.loads(done.output)
    return found


def medians(rounds: Sequence[Figures]) -> Figures:
    """One round's figures, the times in milliseconds replaced by the medians of all."""
    return {
        name: median(one[name] for one in rounds) if name.endswith("_ms") else value
        for name, value in rounds[-1].items()
    }


def percentile_95(values: Sequence[float]) -> float:
    """The smallest value that 95 of 100 do not exceed."""
    return sorted(values)[ceil(0.95 * len(values)) - 1]


# All of them


@dataclass(frozen=True)
class Newest:
    """Each query's figures: ours, ours without other forms of the words, the peer's where it can ask it."""

    months: Months
    questions: Sequence[Question]
    ours: Sequence[Figures]
    exact: Sequence[Figures | None]
    peers: Sequence[Figures | None]

    def rows(self) -> list[Row]:
        cold = [one["total_ms"] for one in self.ours]
        warm = [one["warm_ms"] for one in self.ours]
        peers = [one for one in self.peers if one is not None]
        counts = f"{len(self.questions)} queries in {described(self.months)}; 50 newest"
        peer_cold = f"{spread([one['total_ms'] for one in peers])}, of {len(peers)} queries"
        peer_warm = f"{spread([one['warm_ms'] for one in peers])}, of {len(peers)} queries"
        what = (
            f"{COLD} Of each query the median of {ROUNDS} rounds counts. They are 20 words, rarest to"
            " commonest, and 20 with phrases, AND, OR, NOT, prefixes, NEAR, dates and fields."
        )
        return [
            Row(
                "monthly archives: search cold",
                counts,
                spread(cold),
                peer_cold,
                median(cold),
                f"median over the queries; {what}",
                Asked(120, "ms"),
                "ms",
            ),
            Row(
                "the same, 95th percentile",
                counts,
                spread(cold),
                peer_cold,
                percentile_95(cold),
                "of the same queries, that which 38 of 40 do not exceed.",
                Asked(400, "ms"),
                "ms",
            ),
            Row(
                "monthly archives: search warm",
                counts,
                spread(warm),
                peer_warm,
                median(warm),
                "median over the queries; each a second time in its process, the vault still open.",
                Asked(20, "ms"),
                "ms",
            ),
        ]

    def detail(self) -> Detail:
        asked = sum(one is not None for one in self.peers)
        steps = ", ".join(f"{label} {median(one[name] for one in self.ours):.1f}" for label, name in STEPS)
        return Detail(
            "Search in monthly archives, query by query",
            f"50 newest in {described(self.months)}. For the {asked} queries that the peer can ask, the"
            " records found without other forms of the words are the peer's, in the same order: anything else"
            " ends the run, and so does a query that finds nothing. Of the cold time, medians in ms:"
            f" {steps}.",
            HEADER,
            [
                self._line(*figures)
                for figures in zip(self.questions, self.ours, self.exact, self.peers, strict=True)
            ],
        )

    @staticmethod
    def _line(question: Question, ours: Figures, exact: Figures | None, peer: Figures | None) -> list[str]:
        counts = (len(ours["ids"]), ours["segments"], ours["chunks"], ours["frames"], ours["bytes"])
        times = [
            ours["total_ms"],
            exact and exact["total_ms"],
            ours["warm_ms"],
            peer and peer["total_ms"],
            peer and peer["warm_ms"],
        ]
        return [
            question.text,
            *(f"{count:,}" for count in counts),
            *(NOTHING if spent is None else significant(spent) for spent in times),
        ]


def measure(place: Workplace) -> tuple[list[Row], list[Detail]]:
    """Everything that is asked about ten years of months."""
    months = ensure_months(place, ARCHIVES)
    ensure_peer(months)
    cold_ours(months, COMMONEST)  # a search before, which leaves the catalogue
    newest = measure_newest(months)
    rows = [*newest.rows(), *measure_relevance(months), *measure_months(months), *measure_scans(months)]
    return rows, [newest.detail()]


def ensure_peer(months: Months) -> None:
    if not months.peer.exists():
        partial = months.peer.with_suffix(".partial")
        built = json.loads(run(module("monthly_peer", "build", str(months.home), str(partial))).output)
        if built["posts"] != months.posts:
            raise BenchError(f"the peer took {built['posts']:,} of {months.posts:,} posts")
        partial.rename(months.peer)
        say(f"plain FTS5: {built['bytes']:,} bytes in {built['seconds']:.0f} s")


def measure_newest(months: Months) -> Newest:
    """Every query, a process each; raise BenchError where what is found is not what the peer finds."""
    questions = queries(months.middle)
    ours: list[list[Figures]] = [[] for _ in questions]
    for _ in range(ROUNDS):  # one round after the other, so that a slow minute does not meet one query alone
        for question, rounds in zip(questions, ours, strict=True):
            rounds.append(cold_ours(months, question.text))
    exact: list[Figures | None] = []
    peers: list[Figures | None] = []
    for question in questions:
        peer = None if question.peer is None else cold_peer(months, question)
        same = None if peer is None else cold_ours(months, question.text, exact=True)
        if peer is not None and same is not None and same["ids"] != peer["ids"]:
            raise BenchError(f"{question.text}: what is found is not what the peer finds")
        peers.append(peer)
        exact.append(same)
    found = Newest(months, questions, [medians(rounds) for rounds in ours], exact, peers)
    for question, one in zip(questions, found.ours, strict=True):
        if not one["ids"]:
            raise BenchError(f"{question.text}: nothing is found")
    cold, warm = [one["total_ms"] for one in found.ours], [one["warm_ms"] for one in found.ours]
    say(f"monthly: cold {spread(cold)}, 95th percentile {percentile_95(cold):.0f} ms, warm {spread(warm)}")
    return found


def measure_relevance(months: Months) -> list[Row]:
    """The commonest word by relevance, cold and again, ours and the peer's in turns."""
    question = Question(COMMONEST, COMMONEST)
    ours, peers = [], []
    for _ in range(ROUNDS + 2):
        ours.append(cold_ours(months, COMMONEST, "relevance", exact=True))
        peers.append(cold_peer(months, question, "relevance"))
    if not all(ours[0]["ids"] == one["ids"] for one in ours):
        raise BenchError("the best are others in every round")
    counts = f"“{COMMONEST}”, in {peers[0]['having']:,} of {months.posts:,} posts; 50 best"
    rows = []
    for what, name, asked, meaning in (
        ("monthly archives: relevance, cold", "total_ms", Asked(1.5), COLD),
        ("monthly archives: relevance, warm", "warm_ms", None, "a second time in the same process."),
    ):
        mine, its = median(one[name] for one in ours), median(one[name] for one in peers)
        rows.append(
            Row(
                what,
                counts,
                spread([one[name] for one in ours]),
                spread([one[name] for one in peers]),
                mine / its,
                f"the commonest word; median of {len(ours)} rounds in turns; {meaning} Peer: plain FTS5,"
                " unencrypted, one database, `ORDER BY rank`, its opening counted.",
                asked,
            )
        )
    say(f"monthly relevance: ours {rows[0].ours}, peer {rows[0].peer}")
    return rows


def measure_months(months: Months) -> list[Row]:
    """Counts by month, of all posts and of the commonest word; raise BenchError where they are not right."""
    rows = []
    for query, expression, what in (
        (EVERYTHING, None, "all posts"),
        (COMMONEST, COMMONEST, f"“{COMMONEST}”"),
    ):
        found = [cold_ours(months, query, "month", exact=True) for _ in range(ROUNDS)]
        right = [one for one in count_by_month(months.peer, month_bounds(months), expression) if one]
        if [one for one in found[0]["counts"].values() if one] != right:
            raise BenchError(f"{what} by month: the counts are not right")
        for name, temperature in (("total_ms", "cold"), ("warm_ms", "warm")):
            spent = [one[name] for one in found]
            rows.append(
                Row(
                    f"monthly archives: {what} by month, {temperature}",
                    f"{sum(right):,} of {months.posts:,} posts, {len(right)} months",
                    spread(spent),
                    NOTHING,
                    median(spent),
                    f"median of {ROUNDS} rounds; "
                    + (COLD if temperature == "cold" else "a second time in the same process."),
                    Asked(300, "ms") if temperature == "cold" else None,
                    "ms",
                )
            )
    say(f"monthly counts: {'; '.join(f'{row.what} {row.ours}' for row in rows)}")
    return rows


def measure_scans(months: Months) -> list[Row]:
    """Characters anywhere in a text, that are nowhere and that are in a few posts; every post is read."""
    rows = []
    for query, what in ((LACKING, "nothing is found"), (RARE_PART, "something is found")):
        found = [cold_ours(months, query) for _ in range(ROUNDS)]
        peer = _scan_peer(months, query)
        if found[0]["ids"] != peer["ids"] or bool(peer["ids"]) == (query == LACKING):
            raise BenchError(f"{query}: what is found is not what the peer finds")
        speeds = [months.posts / one["total_ms"] * 1e3 for one in found]
        rows.append(
            Row(
                f"monthly archives: scan, {what}",
                f"{query}, {len(peer['ids'])} hits in {months.posts:,} posts",
                f"{median(speeds):,.0f} posts/s ({spread([one['total_ms'] for one in found])})",
                f"{months.posts / peer['total_ms'] * 1e3:,.0f} posts/s, with LIKE",
                median(speeds),
                f"every text is read, as no index helps; median of {ROUNDS} rounds; {COLD}",
                Asked(400_000, "posts/s", at_least=True),
                "posts/s",
            )
        )
    say(f"monthly scans: {'; '.join(row.ours for row in rows)}")
    return rows


def _scan_peer(months: Months, query: str) -> Figures:
    drop_from_cache([months.peer])
    done = run(module("monthly_peer", "scan", str(months.peer), query.strip("*")))
    found: Figures = json.loads(done.output)
    return found


# Words


def described(months: Months) -> str:
    return f"{months.archives} archives, {months.posts:,} posts"


def spread(values: Sequence[float]) -> str:
    """The median and the range, of milliseconds."""
    return f"{significant(median(values))} ms ({significant(min(values))}–{significant(max(values))})"
