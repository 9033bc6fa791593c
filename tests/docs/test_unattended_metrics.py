"""docs/unattended.md names every metric that there is, and none that there is not."""

import re
from dataclasses import replace
from pathlib import Path

from archiver.health.gather import take_snapshot
from archiver.health.metrics import metrics_of
from archiver.schedule.report import RunReport
from tests.long_kept import NOW_MS, make_long_kept
from tests.programs import PROJECT

_BEGINS = re.compile(r"\| `(archiver_[a-z_]*)` \|")


def documented() -> set[str]:
    """Each row's beginning, or that of the row above, with each of its endings."""
    text = (PROJECT / "docs" / "unattended.md").read_text()
    table = text.partition("### Metrics\n")[2].partition("An alert that needs")[0]
    names: set[str] = set()
    prefix = ""
    for row in (line for line in table.splitlines() if line.startswith("| ")):
        begins = _BEGINS.match(row)
        prefix = begins[1] if begins else prefix
        endings = re.findall(r"`([a-z_]+)`", row.split("|")[3].partition("with a label")[0])
        names |= {prefix + one for one in endings if prefix.endswith("_")} or ({prefix} & {"archiver_fact"})
    return names


def test_every_metric_is_documented_and_no_other(tmp_path: Path) -> None:
    settings = make_long_kept(tmp_path / "home")
    with (settings.path).open("a") as file:
        file.write('\n[[account]]\nplatform = "x"\nid = "77"\n')
    snapshot = take_snapshot(settings, NOW_MS, {})
    first, *others = snapshot.accounts
    whole = replace(
        snapshot, accounts=(replace(first, export_ms=1, export_due_ms=2), *others), spool_since_ms=1,
        more={"holds": 1},
    )  # fmt: skip
    text = metrics_of(whole, RunReport(NOW_MS, NOW_MS, (), 0))
    assert documented() == set(re.findall(r"(?m)^# TYPE (\S+) gauge$", text))
