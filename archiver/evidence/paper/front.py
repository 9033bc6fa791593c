"""The first pages: what the pack is, what it proves and what not, and how to read it."""

from collections.abc import Iterator
from typing import Any

from archiver.evidence.model import REDACTED, Production
from archiver.evidence.paper.blocks import Block, Field, Writer, in_both_times
from archiver.evidence.paper.characters import Run
from archiver.times import as_datetime

_LONGEST_MARKING = 60
PROVES = (
    "that the files of the pack are those that were in it when it was made: its manifests have their hashes",
    "that the bytes of each record are those signed then: VERIFY.md compares them with the sealed archive's",
    "when, from where and by which program they were captured, by the clock of the machine that did it",
)
PROVES_IN_PUBLIC = PROVES[:1]
PROVES_NOT = (
    "that what the platform answered was true, or that the person named wrote it",
    "that nothing else was posted: what was posted and deleted between two captures is in no archive",
    "when something was deleted: “found missing” is when that was noticed",
    "that these are all records there are: they are those that the question under “Found by” finds",
)
_READING = (
    "Names and handles are as they were when captured. Nothing was translated or corrected.",
    "Times are given in UTC and in UK time, which is GMT in winter and BST, an hour ahead, in summer.",
    "Pictures are fitted to the page, large ones with fewer dots; of moving ones the first picture is shown.",
    "Videos are named with their hash.",
)


def document(
    production: Production, volume: str | None, families: list[str], records: list[Block], writer: Writer
) -> dict[str, Any]:
    """All that `report.typ` sets: the marking of its pages, the first pages, the records."""
    made = as_datetime(production.made_ms)
    part = f" ({volume.split(':')[0]})" if volume else ""
    under = f"Case {production.case}" + (f" · {production.organisation}" if production.organisation else "")
    return {
        "families": families,
        "title": _plain(f"Exhibit {production.exhibit}, case {production.case}: evidence pack{part}"),
        "author": _plain(production.organisation or production.produced_by),
        "date": {"year": made.year, "month": made.month, "day": made.day},
        "heading": f"Exhibit {production.exhibit}",
        "under": writer.runs(under),
        "marking": {
            "exhibit": writer.runs(f"Exhibit {production.exhibit}{part}"),
            "case": writer.runs(_shortened(f"Case {production.case}")),
            "redacted": production.is_redacted,
        },
        "front": front_blocks(production, volume, writer),
        "records": records,
    }


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_MARKING else text[: _LONGEST_MARKING - 1] + "…"


def _plain(text: str) -> str:
    """For where no box can stand: what is not ASCII is left to the title that is printed."""
    return text.encode("ascii", "replace").decode("ascii")


def front_blocks(production: Production, volume: str | None, writer: Writer) -> list[Block]:
    """What stands before the records. `volume` says which these are, where there are several files."""
    proves = PROVES_IN_PUBLIC if production.public else PROVES
    return [
        ["chapter", "About this pack"],
        *writer.fields(*_facts(production, volume)),
        *_unsearched(production, writer),
        *_notes(production, writer),
        ["chapter", "What this pack proves, and what it does not"],
        ["part", "It proves"],
        ["list", [[one] for one in proves]],
        ["part", "It does not prove"],
        ["list", [[one] for one in PROVES_NOT]],
        ["paragraph", [_standing(production)]],
        ["chapter", "How to read this report"],
        ["list", list(_reading(production))],
    ]


def _facts(production: Production, volume: str | None) -> Iterator[Field]:
    yield "Exhibit", production.exhibit
    yield "Case", production.case
    yield "Produced by", production.produced_by
    yield "Organisation", production.organisation
    yield "Contact", production.contact
    yield "Purpose", production.purpose
    yield "Recipient", production.recipient
    yield "Reason", production.reason
    yield "Found by", production.question
    yield "Made", in_both_times(production.made_ms)
    yield "Records", f"{production.records:,}"
    yield "This file", volume
    yield "Redacted", "yes: each record says what was taken out" if production.is_redacted else "no"
    if not production.public:
        yield from _custody(production)


def _custody(production: Production) -> Iterator[Field]:
    newest = f"number {production.head_sequence} of the chain" if production.head_sequence else "none"
    yield "Vault", production.vault
    yield "Its newest archive", newest
    yield "Manifest’s SHA-256", production.head_sha256 if production.head_sequence else None
    yield "Keyholder", production.keyholder
    yield "Signed with the key", production.signer
    yield "System account, host", f"{production.system_account} on {production.host}"
    yield "Program", production.tool
    yield "Settings’ SHA-256", production.configuration


def _unsearched(production: Production, writer: Writer) -> Iterator[Block]:
    if production.unsearched:
        told = "Archives that were not searched. What they hold may belong here."
        yield ["alert", writer.runs(told)]
        yield ["list", [writer.runs(one) for one in production.unsearched]]


def _notes(production: Production, writer: Writer) -> Iterator[Block]:
    if production.notes:
        yield ["part", "Notes"]
        yield ["list", [writer.runs(one) for one in production.notes]]


def _standing(production: Production) -> str:
    told = (
        "Routine archiving is not an accredited forensic method. This report shows the records for reading."
    )
    if production.public:
        return told
    return f"{told} The evidence is the files beside it; VERIFY.md in the pack says how to check them."


def _reading(production: Production) -> Iterator[list[Run]]:
    numbered = f"Each record is an exhibit of its own, numbered {production.exhibit}/1 and on."
    yield [numbered]
    for one in _READING:
        yield [one]
    yield [
        "Characters that show nothing, that turn the order of a text or that no font has stand as codes, as ",
        ("code", "U+202E"),
        ". Marks piled up on one letter are cut off at the line’s edge; the record’s own file has them all.",
    ]
    yield [
        "Where a record has several versions, words that went and words that came are marked ",
        ("removed", "removed:"), " and ", ("added", "added:"), ".",
    ]  # fmt: skip
    if production.is_redacted:
        yield [
            "Where something was taken out of a text, a name or a handle stands ", ("redacted", REDACTED),
            ", and the record says why.",
        ]  # fmt: skip
