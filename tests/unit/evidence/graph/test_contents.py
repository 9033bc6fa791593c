"""What a graph says, as rdflib and SPARQL find it."""

import json
from typing import Any

import pytest
import rdflib
from msgspec.structs import replace

from archiver.evidence.model import REDACTED, Exhibit, Person
from tests.exhibit_parts import NOBODY, RESIDENT, make_capture, make_version
from tests.exhibits import exhibits, files, production
from tests.unit.evidence.graph.graphs import UUID_AT_END, every_object, nodes_of, of_type, render

PREFIXES = """
PREFIX case: <https://ontology.caseontology.org/case/investigation/>
PREFIX action: <https://ontology.unifiedcyberontology.org/uco/action/>
PREFIX core: <https://ontology.unifiedcyberontology.org/uco/core/>
PREFIX observable: <https://ontology.unifiedcyberontology.org/uco/observable/>
PREFIX types: <https://ontology.unifiedcyberontology.org/uco/types/>
PREFIX marking: <https://ontology.unifiedcyberontology.org/uco/marking/>
"""


@pytest.fixture(scope="module")
def graph() -> rdflib.Graph:
    return rdflib.Graph().parse(data=render(), format="json-ld")


def ask(graph: rdflib.Graph, question: str) -> list[tuple[str, ...]]:
    return sorted(tuple(str(each) for each in row) for row in graph.query(PREFIXES + question))  # type: ignore[union-attr]  # rows of a SELECT


def test_each_exhibit_number_is_there_once_under_the_packs_own(graph: rdflib.Graph) -> None:
    numbers = [row[0] for row in ask(graph, "SELECT ?number WHERE { ?record case:exhibitNumber ?number }")]
    assert numbers == sorted(["ABC/1", *(each.reference for each in exhibits())])
    below = ask(
        graph, 'SELECT ?number WHERE { ?r case:rootExhibitNumber "ABC/1"; case:exhibitNumber ?number }'
    )
    assert [row[0] for row in below] == sorted(each.reference for each in exhibits())


def test_every_exhibit_names_something_that_the_graph_describes(graph: rdflib.Graph) -> None:
    named = ask(
        graph, "SELECT DISTINCT ?number WHERE { ?r case:exhibitNumber ?number; core:object [a ?class] }"
    )
    assert len(named) == len(exhibits()) + 1


def test_nothing_that_is_referred_to_is_without_a_class() -> None:
    document = render()
    classed = {node["@id"] for node in nodes_of(document)}
    referred = {node["@id"] for node in every_object(json.loads(document)["@graph"]) if "@id" in node}
    assert referred == classed


def test_a_post_is_found_by_its_id_with_text_author_time_and_file(graph: rdflib.Graph) -> None:
    found = ask(
        graph,
        """SELECT ?text ?handle ?time ?path WHERE {
            ?post a observable:Tweet; core:hasFacet ?facet.
            ?facet observable:messageID "1800001"; observable:messageText ?text; observable:sentTime ?time;
                observable:from/core:hasFacet/observable:twitterHandle ?handle.
            ?contained core:source ?post; core:target/core:hasFacet/observable:filePath ?path;
                core:kindOfRelationship "Contained_Within" }""",
    )
    post = exhibits()[0].versions[0]
    assert (post.text, "SpringfieldPolice", "2026-07-02T12:00:00+00:00", "data/records/ABC_1_1.json") in {
        (text, handle, time, path) for text, handle, time, path in found
    }


def test_every_file_of_the_pack_is_there_with_its_size_and_hashes(graph: rdflib.Graph) -> None:
    found = ask(
        graph,
        """SELECT ?path ?size ?hash WHERE { ?file a observable:File; core:hasFacet ?facet, ?content.
            ?facet observable:filePath ?path; observable:sizeInBytes ?size.
            ?content observable:hash [types:hashMethod "SHA512"; types:hashValue ?hash] }""",
    )
    expected = files() | {"data/records.csv": b"id,text\n"}
    assert {path: int(size) for path, size, _ in found} == {
        path: len(data) for path, data in expected.items()
    }
    assert {len(each) for _, _, each in found} == {128}


def test_replies_quotes_reposts_and_attachments_are_relations(graph: rdflib.Graph) -> None:
    found = ask(graph, "SELECT DISTINCT ?kind WHERE { ?r core:kindOfRelationship ?kind }")
    assert {row[0] for row in found} == {
        "Attachment_Of", "Blocks", "Contained_Within", "Quote_Of", "Reply_To", "Repost_Of", "Version_Before",
    }  # fmt: skip
    reply = """SELECT ?to WHERE { ?r core:kindOfRelationship "Reply_To"; core:target/core:hasFacet [
        observable:messageID ?to ] }"""
    assert ("1800001",) in ask(graph, reply)


def test_a_thread_holds_the_record_and_the_posts_around_it(graph: rdflib.Graph) -> None:
    found = ask(
        graph,
        """SELECT DISTINCT ?id WHERE { ?thread a observable:MessageThread; core:name "1800001".
            ?r core:target ?thread; core:source/core:hasFacet/observable:messageID ?id }""",
    )
    assert [row[0] for row in found] == ["1800001", "1800003", "1800099"]


def test_the_export_is_informed_by_every_capture(graph: rdflib.Graph) -> None:
    found = ask(graph, "SELECT ?name WHERE { ?export case:wasInformedBy/core:name ?name }")
    captures = {version.capture.name for each in exhibits() for version in each.versions}
    assert [row[0] for row in found] == sorted(f"captured {name}" for name in captures)


def test_a_capture_that_many_records_stand_on_is_one_action_with_all_results() -> None:
    capture = make_capture(1)
    versions = [make_version(number, "x", originals=(), capture=capture) for number in (1, 2, 3)]
    shown = [
        replace(each, versions=(version,)) for each, version in zip(exhibits()[:3], versions, strict=False)
    ]
    document = render(shown=shown)
    actions = [
        each for each in of_type(document, "InvestigativeAction") if "captured" in each["uco-core:name"]
    ]
    assert len(actions) == 1
    graph = rdflib.Graph().parse(data=document, format="json-ld")
    found = ask(
        graph,
        """SELECT DISTINCT ?id WHERE { ?c core:name "captured C000001"; action:result/core:hasFacet [
            observable:messageID ?id; observable:messageText "x"] }""",
    )
    assert [row[0] for row in found] == ["1800001", "1800002", "1800003"]


def test_moderation_is_one_action_an_entry_with_its_outcome(graph: rdflib.Graph) -> None:
    found = ask(
        graph, "SELECT ?name ?start WHERE { ?a a action:Action; core:name ?name; action:startTime ?start }"
    )
    assert [name for name, _ in found] == sorted(
        f"moderation: {entry.entry} {entry.action or ''}".rstrip()
        for each in exhibits()
        for note in each.moderation
        for entry in note.entries
    )
    done = ask(graph, 'SELECT ?name WHERE { ?a action:actionStatus "Fail"; core:name ?name }')
    assert done == [("moderation: decision blocked",)]


def test_what_is_redacted_is_marked_with_its_reason(graph: rdflib.Graph) -> None:
    found = ask(
        graph,
        """SELECT ?number ?statement WHERE { ?r case:exhibitNumber ?number; core:objectMarking [
            marking:definition [marking:statement ?statement]] }""",
    )
    assert found == [
        ("ABC/1", "Parts were taken out of this pack."),
        ("ABC/1/7", "Redacted (media): shows a house"),
        ("ABC/1/7", "Redacted (person): a witness"),
        ("ABC/1/7", "Redacted (text): an address"),
        ("ABC/1/8", "Redacted (record): a child's post"),
    ]


def redacted(number: int, **fields: Any) -> Exhibit:
    return replace(
        exhibits()[7], number=number, reference=f"ABC/1/{number}", stem=f"ABC_1_{number}", **fields
    )


def test_people_and_posts_that_are_redacted_are_not_taken_for_one() -> None:
    version = make_version(1, REDACTED, author=NOBODY, originals=(), mentions=(NOBODY,), people=(NOBODY,))
    document = render(shown=[redacted(1, versions=(version,)), redacted(2, versions=(version,))])
    assert len({each["@id"] for each in of_type(document, "Tweet")}) == 2
    ours = [each for each in of_type(document, "ApplicationAccount") if REDACTED in json.dumps(each)]
    assert len({each["@id"] for each in ours}) == 4


def test_an_account_is_one_whatever_it_is_called_and_keeps_every_name() -> None:
    shown = [
        replace(each, versions=(replace(each.versions[0], author=replace(RESIDENT, handle=handle)),))
        for each, handle in zip(exhibits()[:2], ("Before", "After"), strict=True)
    ]
    document = render(shown=shown)
    known = [each for each in of_type(document, "ApplicationAccount") if RESIDENT.id in json.dumps(each)]
    assert len({each["@id"] for each in known}) == 1
    handles = {each["uco-observable:twitterHandle"] for each in of_type(document, "TwitterProfileFacet")}
    assert {"Before", "After"} <= handles


def test_a_pack_for_the_public_says_nothing_of_our_machines() -> None:
    made = production(public=True)
    document = render(made)
    for each in (made.host, made.system_account, made.signer, made.vault, made.contact or "?"):
        assert each.encode() not in document
        assert each.encode() in render()


def test_all_ids_are_uuids_made_from_the_pack() -> None:
    ids = [node["@id"] for node in every_object(json.loads(render())["@graph"]) if "@id" in node]
    assert all(UUID_AT_END.fullmatch(each) for each in ids)
    again = [node["@id"] for node in nodes_of(render(production(case="SP/2026/0418")))]
    assert not set(ids) & set(again)


def test_the_same_pack_gives_the_same_bytes() -> None:
    assert render() == render()


@pytest.mark.parametrize(
    ("kind", "people", "relation", "source_is_us"),
    [
        ("follower", (RESIDENT,), "Follows", False),
        ("following", (RESIDENT,), "Follows", True),
        ("like", (), "Likes", True),
        ("list_created", (), "list_created", True),
    ],
)
def test_a_relation_goes_from_who_acts_to_the_other_side(
    kind: str, people: tuple[Person, ...], relation: str, source_is_us: bool
) -> None:
    version = make_version(1, "", kind=kind, author=Person(), posted_ms=None, people=people, originals=())
    document = render(shown=[replace(exhibits()[0], kind=kind, versions=(version,))])
    made = of_type(document, "ObservableRelationship")[0]
    us = next(
        each["@id"]
        for each in of_type(document, "ApplicationAccount")
        if exhibits()[0].account in json.dumps(each)
    )
    assert made["uco-core:kindOfRelationship"] == relation
    assert made["uco-core:source" if source_is_us else "uco-core:target"] == {"@id": us}
    assert made["uco-core:source"] != made["uco-core:target"]


def test_on_another_platform_a_post_is_a_post_and_a_handle_a_login() -> None:
    version = make_version(1, "Hello", author=RESIDENT, originals=())
    document = render(shown=[replace(exhibits()[0], platform="mastodon", versions=(version,))])
    assert [each["@type"] for each in nodes_of(document) if "Tweet" in each["@type"]] == []
    assert len(of_type(document, "Post")) == 1
    logins = [each.get("uco-observable:accountLogin") for each in of_type(document, "DigitalAccountFacet")]
    assert RESIDENT.handle in logins
