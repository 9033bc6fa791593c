"""X's OpenAPI descriptions as judges of a JSON document, more strictly than they are written: a property that
the description of an object does not name is an error, and a problem must be of the kind its `type` says."""

import functools
import json
from typing import Any

import jsonschema

from tests.programs import require_shared_data

_REF = "#/components/schemas/"
_CLOSED = " alone"


class Description:
    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._judged = _closed(document)

    def resolve(self, part: dict[str, Any]) -> dict[str, Any]:
        """What a `$ref` names, if it is one."""
        while "$ref" in part:
            found: Any = self._document
            for step in part["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            part = found
        return part

    def _operation(self, path: str, method: str) -> dict[str, Any]:
        found: dict[str, Any] = self._document["paths"][path][method.lower()]
        return found

    def parameters(self, path: str, method: str = "GET") -> dict[str, dict[str, Any]]:
        """The query parameters of a path: name and schema."""
        listed = map(self.resolve, self._operation(path, method)["parameters"])
        return {one["name"]: self.resolve(one["schema"]) for one in listed if one["in"] == "query"}

    def values(self, path: str, parameter: str) -> frozenset[str]:
        """What may stand in a list."""
        return frozenset(self.resolve(self.parameters(path)[parameter]["items"])["enum"])

    def scopes(self, path: str, method: str = "GET") -> frozenset[str]:
        security = self._operation(path, method)["security"]
        return frozenset(next(one["OAuth2UserToken"] for one in security if "OAuth2UserToken" in one))

    def takes_app_only(self, path: str, method: str = "GET") -> bool:
        return any("BearerToken" in one for one in self._operation(path, method)["security"])

    def takes_body(self, path: str, method: str) -> bool:
        return "requestBody" in self._operation(path, method)

    def judge(self, path: str, answer: Any, method: str = "GET") -> None:
        """Raises `jsonschema.ValidationError` unless the document is a 200 answer of that path."""
        self._validate(self._operation(path, method)["responses"]["200"], answer)

    def judge_sent(self, path: str, sent: Any, method: str) -> None:
        """The same of the document that is sent with a request."""
        self._validate(self._operation(path, method)["requestBody"], sent)

    def _validate(self, part: dict[str, Any], document: Any) -> None:
        schema = part["content"]["application/json"]["schema"]
        jsonschema.Draft202012Validator({**self._judged, **schema}).validate(document)


def _closed(document: dict[str, Any]) -> dict[str, Any]:
    """The schemas of a description as JSON Schema 2020-12, every object closed. One that others are made of
    (`allOf`) stays open, and where it is meant itself, a closed form of it stands."""
    schemas: dict[str, Any] = document["components"]["schemas"]
    parts: set[str] = set()
    _find_parts(schemas, parts)
    made = {name: _translated(schema, parts, is_part=name in parts) for name, schema in schemas.items()}
    for name in parts:
        kinds = schemas[name].get("discriminator", {}).get("mapping")
        made[name + _CLOSED] = (
            _by_type(kinds) if kinds else {"$ref": _REF + name, "unevaluatedProperties": False}
        )
    return {"components": {"schemas": made}}


def _by_type(kinds: dict[str, str]) -> dict[str, Any]:
    choices = [
        {"if": {"properties": {"type": {"const": kind}}}, "then": {"$ref": target}}
        for kind, target in kinds.items()
    ]
    return {"required": ["type"], "properties": {"type": {"enum": list(kinds)}}, "allOf": choices}


def _find_parts(schema: Any, parts: set[str]) -> None:
    if isinstance(schema, list):
        for one in schema:
            _find_parts(one, parts)
    elif isinstance(schema, dict):
        made_of = schema.get("allOf")
        for one in made_of if isinstance(made_of, list) else ():
            parts.update({one["$ref"].removeprefix(_REF)} if "$ref" in one else ())
        _find_parts(list(schema.values()), parts)


def _translated(schema: Any, parts: set[str], *, is_part: bool = False) -> Any:
    if isinstance(schema, list):
        return [_translated(one, parts) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(ref := schema.get("$ref"), str):
        return {"$ref": ref + _CLOSED if ref.removeprefix(_REF) in parts and not is_part else ref}
    made: dict[str, Any] = {}
    for name, value in schema.items():
        if name == "properties":
            made[name] = {key: _translated(one, parts) for key, one in value.items()}
        elif name == "allOf":
            made[name] = [_translated(one, parts, is_part=True) for one in value]
        elif name not in ("discriminator", "example", "nullable"):
            made[name] = _translated(value, parts)
    if (isinstance(schema.get("properties"), dict) or "allOf" in schema) and not is_part:
        made["unevaluatedProperties"] = False
    return {"anyOf": [made, {"type": "null"}]} if schema.get("nullable") is True else made


@functools.cache
def _load(text: str) -> Description:
    return Description(json.loads(text))


def require_description(version: str) -> Description:
    """X's description "2.166" or "2.167"; skips where it is absent."""
    return _load((require_shared_data("x-api") / f"openapi-{version}.json").read_text())
