"""The pack as a graph: `case.jsonld`, in CASE 1.5.0 and the ontology under it, UCO (docs of both at
caseontology.org), one JSON-LD document.

Nodes are written as the records come. What only later records add to a node, as the results of a capture, is
said in a further object with the same `@id`, as JSON-LD allows (JSON-LD 1.1, "Node Objects").
"""

from archiver.evidence.graph.render import render_graph

__all__ = ["render_graph"]
