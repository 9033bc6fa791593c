"""Metrics: judged by the parser of Prometheus' own Python client."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from archiver.health.gather import take_snapshot
from archiver.health.metrics import metrics_of
from archiver.health.snapshot import Snapshot
from archiver.schedule.report import JobReport, RunReport
from tests.long_kept import HOUR_MS, NOW_MS, account_id, make_long_kept

RUN = RunReport(NOW_MS - 1_500, NOW_MS, (JobReport("collect", NOW_MS - 1_400, NOW_MS, 3),), 3)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return take_snapshot(make_long_kept(tmp_path_factory.mktemp("metrics") / "home"), NOW_MS, {})


def parsed(text: str) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(text)}


def value(metrics: dict[str, Metric], name: str, **labels: str) -> float:
    """Of the one sample that has these labels."""
    (found,) = [
        sample.value
        for sample in metrics[f"archiver_{name}"].samples
        if labels.items() <= sample.labels.items()
    ]
    return float(found)


def test_every_line_is_understood_and_says_what_the_snapshot_does(snapshot: Snapshot) -> None:
    metrics = parsed(metrics_of(snapshot, RUN))
    assert value(metrics, "healthy") == 1
    assert value(metrics, "snapshot_timestamp_seconds") == NOW_MS / 1000
    assert value(metrics, "archives") == value(metrics, "chain_sequence") == 3
    assert value(metrics, "last_archive_sealed_timestamp_seconds") == (NOW_MS - HOUR_MS) / 1000
    assert value(metrics, "account_spend_usd", account=account_id(1)) == 0.12
    assert value(metrics, "account_spend_limit_usd", handle="ExamplePolice0") == 25
    collected = value(metrics, "kind_collected_timestamp_seconds", account=account_id(0), kind="posts")
    assert collected == (NOW_MS - HOUR_MS) / 1000
    assert value(metrics, "kind_stale", account=account_id(0), kind="blocks") == 0
    assert value(metrics, "store_archives", store="vault") == 3
    assert value(metrics, "job_exit_code", job="seal") == 0
    assert value(metrics, "run_duration_seconds") == 1.5
    assert (value(metrics, "run_exit_code"), value(metrics, "run_jobs")) == (3, 1)
    assert all(family.type == "gauge" and family.documentation for family in metrics.values())


def test_names_say_their_units_and_no_name_comes_twice(snapshot: Snapshot) -> None:
    text = metrics_of(snapshot, RUN)
    names = re.findall(r"(?m)^# TYPE (\S+) gauge$", text)
    assert len(names) == len(set(names)) > 30
    for name in names:
        assert re.fullmatch(r"archiver_[a-z]+(_[a-z]+)*", name)
        assert ("timestamp" in name) <= name.endswith("_timestamp_seconds")
    samples = [line.rsplit(" ", 1)[0] for line in text.splitlines() if not line.startswith("#")]
    assert len(samples) == len(set(samples))
    assert text.endswith("\n")


def test_what_is_not_known_has_no_line(snapshot: Snapshot) -> None:
    bare = replace(
        snapshot, accounts=(), stores=(), jobs=(), last_archive=None, head=None, spool_free_bytes=None,
        spool_since_ms=None, more={},
    )  # fmt: skip
    text = metrics_of(bare)
    for name in ("account", "kind", "store", "job", "run", "last_archive", "chain", "spool_free", "fact"):
        assert f"archiver_{name}" not in text
    assert parsed(text)
    assert "archiver_spool" not in metrics_of(replace(bare, is_collector=False))


@pytest.mark.parametrize("handle", ['a"b', "back\\slash", "line\nfeed", "\\n", "ü\udcff", '{x="y"} 1'])
def test_a_label_holds_whatever_the_settings_say(snapshot: Snapshot, handle: str) -> None:
    first, *others = snapshot.accounts
    metrics = parsed(metrics_of(replace(snapshot, accounts=(replace(first, handle=handle), *others))))
    labels = {sample.labels["handle"] for sample in metrics["archiver_account_gaps"].samples}
    assert labels == {handle.encode("utf-8", "backslashreplace").decode(), "ExamplePolice1"}


def test_facts_that_are_numbers_are_among_them(snapshot: Snapshot) -> None:
    more = {"holds": 2, "disposal_due": 0, "words": "none", "Odd name": 3, "share": 0.25, "yes": True}
    metrics = parsed(metrics_of(replace(snapshot, more=more)))
    found = {sample.labels["name"]: sample.value for sample in metrics["archiver_fact"].samples}
    assert found == {"holds": 2, "disposal_due": 0, "share": 0.25, "yes": 1}


def test_what_is_wrong_is_a_number_and_not_a_sentence(snapshot: Snapshot, tmp_path: Path) -> None:
    ill = replace(snapshot, problems=("x @ExamplePolice0: a sentence",), advice=("do it",))
    text = metrics_of(ill)
    assert value(parsed(text), "healthy") == 0
    assert value(parsed(text), "problems") == 1
    assert value(parsed(text), "status_exit_code") == 3
    assert "sentence" not in text
