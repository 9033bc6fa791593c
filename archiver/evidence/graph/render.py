"""The whole document: who produces what in which case, then each exhibit, then what only the end can say."""

from collections.abc import Iterable, Iterator, Mapping

from archiver.errors import ArchiverError
from archiver.evidence.graph.exhibits import write_exhibit
from archiver.evidence.graph.scope import Scope
from archiver.evidence.graph.terms import CONTEXT, Node, as_interval, encode, refer
from archiver.evidence.model import Exhibit, PackFile, Production


def render_graph(
    production: Production, exhibits: Iterable[Exhibit], files: Mapping[str, PackFile]
) -> Iterator[bytes]:
    """Yield the JSON-LD document in pieces, one for each exhibit.

    `files` is looked into when an exhibit names a file and again at the end, so that a sink's own files do,
    which grow while the exhibits come. Raise ArchiverError for a time without a date, for ids that are no
    text and for exhibit numbers out of order; IntegrityError where a file is absent or another."""
    scope = Scope(production, files)
    export = scope.ids.make("export", production.exhibit)
    yield b'{"@context": %b,\n"@graph": [\n' % encode(CONTEXT)
    _write_production(scope, export)
    yield _drain(scope, first=True)
    last = 0
    for exhibit in exhibits:
        last = _check_number(production, exhibit, last)
        try:
            scope.out.append({"@id": export} | write_exhibit(scope, exhibit))
        except OverflowError as error:
            raise ArchiverError(
                f"{exhibit.reference} has a time outside the years 1 to 9999, which the graph cannot tell"
            ) from error
        yield _drain(scope)
    scope.out.append({"@id": export, "uco-action:result": refer(*scope.remaining_files())})
    if scope.captures:
        scope.out.append({"@id": export, "case-investigation:wasInformedBy": refer(*scope.captures)})
    yield _drain(scope)
    yield b"\n]}\n"


def _drain(scope: Scope, *, first: bool = False) -> bytes:
    """The nodes that wait, as lines; a comma before each but the first of all."""
    nodes = b",\n".join([encode(node) for node in scope.out])
    scope.out.clear()
    return nodes if first or not nodes else b",\n" + nodes


def _check_number(production: Production, exhibit: Exhibit, last: int) -> int:
    """An exhibit's number is above the one before and stands in its reference. Return it."""
    if exhibit.number <= last or exhibit.reference != f"{production.exhibit}/{exhibit.number}":
        raise ArchiverError(
            f"{exhibit.reference} cannot follow {production.exhibit}/{last} in the pack {production.exhibit}"
        )
    return exhibit.number


def _write_production(scope: Scope, export: str) -> None:
    """The case, the authority, the exhibit as a whole, and its making."""
    made = scope.production
    root = scope.ids.make("provenance", made.exhibit)
    marking = [scope.marking("Parts were taken out of this pack.")] if made.is_redacted else []
    provenance: Node = {
        "@id": root,
        "@type": "case-investigation:ProvenanceRecord",
        "uco-core:name": made.stem,
        "uco-core:description": f"{made.records} records: {made.question}",
        "case-investigation:exhibitNumber": made.exhibit,
        "uco-core:object": refer(export),
    }
    scope.out.append(provenance | ({"uco-core:objectMarking": marking} if marking else {}))
    scope.out.append(_investigation(scope, [export, root]))
    scope.out.append(_export(scope, export, root))
    scope.annotate(export, [*_statements(made), *made.notes], "production")


def _investigation(scope: Scope, objects: list[str]) -> Node:
    made = scope.production
    node: Node = {
        "@id": scope.ids.make("investigation", made.case),
        "@type": "case-investigation:Investigation",
        "uco-core:name": made.case,
        "case-investigation:investigationForm": "case",
        "case-investigation:investigationStatus": "open",
        "uco-core:externalReference": [
            {
                "@id": scope.ids.make("case-reference", made.case),
                "@type": "uco-core:ExternalReference",
                "uco-core:externalIdentifier": made.case,
            }
        ],
        "uco-core:object": refer(*objects),
    }
    if made.purpose:
        authorization = scope.ids.make("authorization", made.case)
        reason = [f"Reason: {made.reason}"] if made.reason else []
        scope.out.append(
            {
                "@id": authorization,
                "@type": "case-investigation:Authorization",
                "uco-core:name": f"Purpose of {made.exhibit}",
                "uco-core:description": [made.purpose, *reason],
                "case-investigation:authorizationIdentifier": made.case,
            }
        )
        node["case-investigation:relevantAuthorization"] = refer(authorization)
    return node


def _export(scope: Scope, export: str, root: str) -> Node:
    made = scope.production
    node: Node = {
        "@id": export,
        "@type": "case-investigation:InvestigativeAction",
        "uco-core:name": "exported",
        "uco-core:description": made.question,
        "uco-action:performer": {
            "@id": scope.shared("uco-identity:Person", made.produced_by, name=made.produced_by)
        },
        "uco-action:instrument": refer(scope.tool(made.tool)),
        "uco-action:result": refer(root),
        **as_interval(made.made_ms, made.made_ms, made.exhibit),
    }
    participants = scope.organisation()
    if made.recipient:
        participants += refer(scope.identity(made.recipient))
    if participants:
        node["uco-action:participant"] = participants
    return node


def _statements(made: Production) -> list[str]:
    """Where and by whom the pack was made; a public one says nothing of our machines."""
    said = [f"not searched: {each}" for each in made.unsearched]
    if made.public:
        return said
    named = (
        ("vault", made.vault), ("last archive", f"{made.head_sequence} {made.head_sha256}".rstrip()),
        ("keyholder", made.keyholder), ("signed by", made.signer), ("system account", made.system_account),
        ("host", made.host), ("configuration", made.configuration), ("contact", made.contact),
        ("recipient", made.recipient), ("reason", made.reason),
    )  # fmt: skip
    return [f"{name}: {value}" for name, value in named if value] + said
