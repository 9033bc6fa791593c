"""What all parts of a graph share while it is written: ids, files, and which shared nodes are there already.

Memory grows with what records share (accounts, captures, tools, threads, markings), not with the records.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final
from uuid import uuid5

from archiver.errors import IntegrityError
from archiver.evidence.graph.terms import NAMESPACE, Ids, Node, Reference, as_string, join_names, refer
from archiver.evidence.model import REDACTED, PackFile, Person, Production
from archiver.evidence.names import shown

_APPLICATIONS: Final = {"x": "X"}
_TYPES: Final = {
    "csv": "text/csv", "html": "text/html", "json": "application/json", "jsonl": "application/x-ndjson",
    "md": "text/markdown", "pdf": "application/pdf", "txt": "text/plain",
}  # fmt: skip
SHA256: Final = re.compile("[0-9a-f]{64}")


class Scope:
    """Nodes are appended to `out`; whoever drains it writes them. Functions here return ids."""

    def __init__(self, production: Production, files: Mapping[str, PackFile]) -> None:
        names = (production.vault, production.case, production.exhibit, str(production.made_ms))
        self.ids = Ids(uuid5(NAMESPACE, join_names(*names).decode("utf-8", "replace")))
        self.production = production
        self.files = files
        self.out: list[Node] = []
        self.captures: list[str] = []
        self._seen: set[str] = set()
        self._written: set[str] = set()
        self._awaited: dict[str, str | None] = {}

    def is_new(self, identity: str) -> bool:
        """Whether a shared node is met for the first time."""
        if identity in self._seen:
            return False
        self._seen.add(identity)
        return True

    def shared(self, kind: str, *names: str, **fields: object) -> str:
        """A node of a few fields, written once: a tool, an organisation. `kind` is its class."""
        identity = self.ids.make(kind, *names)
        if self.is_new(identity):
            self.out.append(
                {"@id": identity, "@type": kind} | {f"uco-core:{key}": value for key, value in fields.items()}
            )
        return identity

    def application(self, platform: str) -> str:
        name = _APPLICATIONS.get(platform, platform)
        return self.shared("uco-observable:Application", platform, name=name)

    def tool(self, tool: str) -> str:
        """Of a name with the version as its last word."""
        name, _, version = tool.rpartition(" ")
        identity = self.ids.make("tool", tool)
        if self.is_new(identity):
            node = {"@id": identity, "@type": "uco-tool:Tool", "uco-core:name": name or tool}
            self.out.append(node | ({"uco-tool:version": version} if name else {}))
        return identity

    def identity(self, name: str) -> str:
        """Somebody who did something, by the name that a record gives; person, team or program."""
        return self.shared("uco-identity:Identity", name, name=name)

    def organisation(self) -> list[Reference]:
        """The body whose pack it is, where the settings name it."""
        name = self.production.organisation
        return refer(self.shared("uco-identity:Organization", name, name=name)) if name else []

    def marking(self, statement: str) -> Reference:
        identity = self.ids.make("marking", statement)
        if self.is_new(identity):
            model = {
                "@id": self.ids.make("statement-marking", statement),
                "@type": "uco-marking:StatementMarking",
                "uco-marking:definitionType": "statement",
                "uco-marking:statement": statement,
            }
            self.out.append(
                {
                    "@id": identity,
                    "@type": "uco-marking:MarkingDefinition",
                    "uco-marking:definitionType": "statement",
                    "uco-marking:definition": [model],
                }
            )
        return {"@id": identity}

    def account(self, platform: str, person: Person, place: str) -> str | None:
        """The account of a person; None where nothing at all is said of them.

        The same id is the same account, else the same handle; who is redacted is of `place` alone."""
        if person.id is None and person.handle is None and person.name is None:
            return None
        if person.id and person.id != REDACTED:
            names = ("id", as_string(person.id, f"the id of an account at {place}"))
        elif person.handle and person.handle != REDACTED:
            names = ("handle", person.handle)
        else:
            names = ("place", place)
        identity = self.ids.make("account", platform, *names)
        known_as = self.ids.make("known-as", identity, repr((person.id, person.handle, person.name)))
        if self.is_new(known_as):
            self._write_account(platform, identity, known_as, person)
        return identity

    def _write_account(self, platform: str, identity: str, known_as: str, person: Person) -> None:
        """One set of facets for each way in which the account was named."""
        display: Node = {"@type": "uco-observable:DigitalAccountFacet"}
        if person.name is not None:
            display["uco-observable:displayName"] = person.name
        facets: list[Node] = [
            display,
            {
                "@type": "uco-observable:ApplicationAccountFacet",
                "uco-observable:application": {"@id": self.application(platform)},
            },
        ]
        if person.id is not None:
            facets.append(
                {"@type": "uco-observable:AccountFacet", "uco-observable:accountIdentifier": person.id}
            )
        if person.handle is not None and platform == "x":
            twitter = {
                "@type": "uco-observable:TwitterProfileFacet",
                "uco-observable:twitterHandle": person.handle,
            }
            facets.append(twitter)
        elif person.handle is not None:
            display["uco-observable:accountLogin"] = person.handle
        for facet in facets:
            facet["@id"] = self.ids.make("facet", known_as, facet["@type"])
        self.out.append(
            {"@id": identity, "@type": "uco-observable:ApplicationAccount", "uco-core:hasFacet": facets}
        )

    def relate(self, source: str, target: str, kind: str, **fields: object) -> str:
        identity = self.ids.make("relationship", source, target, kind)
        self.out.append(
            {
                "@id": identity,
                "@type": "uco-observable:ObservableRelationship",
                "uco-core:source": {"@id": source},
                "uco-core:target": {"@id": target},
                "uco-core:kindOfRelationship": kind,
                "uco-core:isDirectional": True,
            }
            | {f"uco-core:{key}": value for key, value in fields.items() if value}
        )
        return identity

    def annotate(self, object_id: str, statements: Iterable[str], *names: str) -> None:
        """Say what has no property of its own, as lines `name: value`."""
        said = list(statements)
        if said:
            self.out.append(
                {
                    "@id": self.ids.make("annotation", object_id, *names),
                    "@type": "uco-core:Annotation",
                    "uco-core:object": refer(object_id),
                    "uco-core:statement": said,
                }
            )

    def file(self, path: str, mime_type: str | None = None, sha256: str | None = None) -> str:
        """A file of the pack; its node follows at the end where it is not closed yet. Raise IntegrityError
        where it is another file than the record says."""
        identity = self.ids.make("file", path)
        if path in self._written:
            return identity
        file = self.files.get(path)
        if file is None:
            self._awaited.setdefault(path, mime_type)
            return identity
        if sha256 is not None and sha256.lower() != file.sha256:
            raise IntegrityError(f"{shown(path)} in the pack is not the file that its record names")
        self._written.add(path)
        self._write_file(path, identity, mime_type, file)
        return identity

    def _write_file(self, path: str, identity: str, mime_type: str | None, file: PackFile) -> None:
        name = path.rpartition("/")[2]
        hashes = [
            {
                "@id": self.ids.make(method, path),
                "@type": "uco-types:Hash",
                "uco-types:hashMethod": method,
                "uco-types:hashValue": {"@type": "xsd:hexBinary", "@value": value},
            }
            for method, value in (("SHA256", file.sha256), ("SHA512", file.sha512))
        ]
        content: Node = {
            "@id": self.ids.make("content", path),
            "@type": "uco-observable:ContentDataFacet",
            "uco-observable:hash": hashes,
        }
        if mime_type := mime_type or _TYPES.get(name.rpartition(".")[2]):
            content["uco-observable:mimeType"] = mime_type
        facet = {
            "@id": self.ids.make("file-facet", path),
            "@type": "uco-observable:FileFacet",
            "uco-observable:fileName": name,
            "uco-observable:filePath": path,
            "uco-observable:sizeInBytes": file.size,
        }
        self.out.append(
            {"@id": identity, "@type": "uco-observable:File", "uco-core:hasFacet": [facet, content]}
        )

    def remaining_files(self) -> list[str]:
        """The ids of the files that no record has brought yet, now written. Raise IntegrityError where a
        record names one that the pack does not hold."""
        missing = sorted(self._awaited.keys() - self.files.keys())
        if missing:
            raise IntegrityError(f"a record names {shown(missing[0])}, which the pack does not hold")
        return [
            self.file(path, self._awaited.get(path)) for path in list(self.files) if path not in self._written
        ]
