"""Captures: how bytes came from the platform, as actions with their results."""

from archiver.evidence.graph.scope import Scope
from archiver.evidence.graph.terms import Node, as_interval, refer
from archiver.evidence.model import Capture, Person
from archiver.times import format_time


def write_capture(scope: Scope, capture: Capture, results: list[str]) -> None:
    """The action where it is met for the first time, and in any case what it gave."""
    identity = scope.ids.make("capture", capture.name)
    if scope.is_new(identity):
        scope.captures.append(identity)
        if capture.path is not None:
            results = [*results, scope.file(capture.path)]
        scope.out.append(_action(scope, capture, identity, results))
        scope.annotate(identity, _statements(capture))
    else:
        scope.out.append({"@id": identity, "uco-action:result": refer(*results)})


def _action(scope: Scope, capture: Capture, identity: str, results: list[str]) -> Node:
    account = scope.account(capture.platform, Person(capture.account, capture.handle), capture.name)
    node: Node = {
        "@id": identity,
        "@type": "case-investigation:InvestigativeAction",
        "uco-core:name": f"captured {capture.name}",
        "uco-core:description": capture.request,
        "uco-action:instrument": refer(scope.tool(capture.tool)),
        "uco-action:result": refer(*results),
    }
    if account is not None:
        node["uco-action:object"] = refer(account)
    if performer := scope.organisation():
        node["uco-action:performer"] = performer[0]
    return node | _times(capture)


def _times(capture: Capture) -> Node:
    """From the answer to when it was kept; of an export, made long before by another clock, when it was
    kept. A clock that was set back between leaves an action without an end, never one that ends first."""
    if capture.route == "export":
        return as_interval(capture.taken_ms, capture.taken_ms, capture.name)
    end_ms = capture.taken_ms if capture.taken_ms >= capture.fetched_ms else None
    return as_interval(capture.fetched_ms, end_ms, capture.name)


def _statements(capture: Capture) -> list[str]:
    named = (
        ("source", capture.source), ("route", capture.route), ("content", capture.body_kind),
        ("layout", capture.layout), ("fetched", format_time(capture.fetched_ms)),
        ("taken", format_time(capture.taken_ms)),
        ("status", capture.status), ("headers", capture.headers), ("size", capture.body_size),
        ("SHA-256 of the body", capture.body_sha256), ("SHA-256 of the source", capture.source_sha256),
        ("configuration", capture.configuration), ("archive", capture.archive),
        ("not whole", capture.not_whole),
    )  # fmt: skip
    return [f"{name}: {value}" for name, value in named if value is not None]
