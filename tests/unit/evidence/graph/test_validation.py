"""`case_validate` finds the graph of every kind of exhibit good, and wrong graphs wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from archiver.evidence.model import REDACTED
from tests.exhibit_parts import HIDDEN
from tests.exhibits import exhibits, production, strange
from tests.unit.evidence.graph.graphs import every_object, nodes_of, of_type, render, validate


def test_every_kind_of_exhibit_gives_a_graph_that_conforms(tmp_path: Path) -> None:
    document = render()
    (tmp_path / "case.jsonld").write_bytes(document)
    code, text = validate(tmp_path / "case.jsonld")
    assert code == 0, text
    assert "Conforms: True" in text
    assert {node["@type"].partition(":")[2] for node in nodes_of(document)} >= {
        "Tweet", "Message", "MessageFacet", "MessageThread", "ObservableRelationship", "ApplicationAccount",
        "AccountFacet", "DigitalAccountFacet", "ApplicationAccountFacet", "TwitterProfileFacet", "File",
        "FileFacet", "ContentDataFacet", "Hash", "InvestigativeAction", "ProvenanceRecord", "Action",
        "Investigation", "Authorization", "MarkingDefinition", "StatementMarking", "Annotation", "Tool",
        "Organization", "Person", "Identity", "Application", "ExternalReference",
    }  # fmt: skip


def test_hostile_texts_in_every_field_give_a_graph_that_conforms(tmp_path: Path) -> None:
    texts = [HIDDEN, "x" * 25_000, REDACTED, "", 'https://example.org/ \u2028\u202e \\ " {}']
    shown = []
    for number, each in enumerate(map(strange, texts), 1):
        version = replace(each.versions[0], originals=())
        shown.append(replace(each, number=number, reference=f"ABC/1/{number}", versions=(version,)))
    (tmp_path / "case.jsonld").write_bytes(render(production(organisation=None, purpose=None), shown))
    code, said = validate(tmp_path / "case.jsonld")
    assert (code, "Conforms: True" in said) == (0, True), said


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """One post, which conforms: so it is what is spoilt in it that is found."""
    document = render(shown=exhibits()[:1], only=("data/records/ABC_1_1.json", "data/captures/C000001.json"))
    path = tmp_path_factory.mktemp("small") / "case.jsonld"
    path.write_bytes(document)
    assert validate(path)[0] == 0
    return document


def _misspell(nodes: list[dict[str, Any]]) -> None:
    _first(nodes, "Tweet")["@type"] = "uco-observable:Twet"


def _drop_direction(nodes: list[dict[str, Any]]) -> None:
    del _first(nodes, "ObservableRelationship")["uco-core:isDirectional"]


def _name_hash_otherwise(nodes: list[dict[str, Any]]) -> None:
    _first(nodes, "Hash")["uco-types:hashMethod"] = "SHA-256"


def _number_an_id(nodes: list[dict[str, Any]]) -> None:
    _first(nodes, "MessageFacet")["uco-observable:messageID"] = 1780000000000000001


def _number_an_exhibit(nodes: list[dict[str, Any]]) -> None:
    _first(nodes, "ProvenanceRecord")["case-investigation:exhibitNumber"] = 1


def _name_otherwise(nodes: list[dict[str, Any]]) -> None:
    _first(nodes, "Investigation")["@id"] = "urn:example:investigation"


def _first(nodes: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next(node for node in nodes if node.get("@type", "").endswith(f":{kind}"))


@pytest.mark.parametrize(
    "spoil",
    [_misspell, _drop_direction, _name_hash_otherwise, _number_an_id, _number_an_exhibit, _name_otherwise],
)
def test_a_wrong_graph_is_found_wrong(
    small: bytes, tmp_path: Path, spoil: Callable[[list[dict[str, Any]]], None]
) -> None:
    """Else the tests above would show nothing."""
    graph = json.loads(small)
    spoil(every_object(graph["@graph"]))
    (tmp_path / "case.jsonld").write_text(json.dumps(graph))
    code, text = validate(tmp_path / "case.jsonld")
    assert code == 1, text


def test_an_organisation_that_is_not_named_is_not_made_up() -> None:
    document = render(production(organisation=None, purpose=None, recipient=None))
    assert of_type(document, "Organization") == []
    assert of_type(document, "Authorization") == []
    assert b"Springfield Complaints" not in document
