"""Completes the OpenAPI document of FastAPI and Pydantic with what all operations have in common."""

import copy
from collections.abc import Iterator
from typing import Any

import orjson

from app.core.catalogue import TAGS
from models.problem import MEDIA_TYPE

ANYBODY: list[dict[str, list[str]]] = [{}]
"""The explicit `security` of an operation that needs no token."""
_INT32 = range(-(2**31), 2**31)
_IDS = {"^[0-9a-f]{24}$", "^[0-9a-fA-F]{24}$"}
_HEADERS: dict[str, dict[str, Any]] = {
    "Access-Control-Allow-Origin": {
        "description": "The origin of the calling page, if `ROSTER_CORS_ORIGINS` names it.",
        "schema": {"type": "string", "maxLength": 2083, "format": "uri"},
    },
    "Content-Language": {
        "description": "The language of `title` and `detail`: what `Accept-Language` prefers, else English.",
        "schema": {"type": "string", "enum": list(TAGS.values())},
    },
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "schema": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 86_400},
    },
}
_TO_BE_TRIED_AGAIN = ("429", "503")


def complete(document: dict[str, Any], *, password_grant: bool = True) -> dict[str, Any]:
    """Complete `document` in place; doing it twice changes nothing more.

    `password_grant`: whether people may sign in by it, at `/docs` too; there it comes last.
    """
    document.setdefault("components", {})["headers"] = copy.deepcopy(_HEADERS)
    flows = document["components"].get("securitySchemes", {}).get("OAuth2", {}).get("flows", {})
    password = flows.pop("password", None)
    if password_grant and password is not None:
        flows["password"] = password
    for operation in _operations(document):
        operation.setdefault("security", ANYBODY)
        for parameter in operation.get("parameters", ()):
            parameter["schema"] = _without_null(parameter["schema"])
        for status, reply in operation["responses"].items():
            headers = reply.setdefault("headers", {})
            headers |= _refer("Access-Control-Allow-Origin")
            if MEDIA_TYPE in reply.get("content", ()):
                headers |= _refer("Content-Language")
            if status in _TO_BE_TRIED_AGAIN:
                headers |= _refer("Retry-After")
        for schema in _objects(operation.get("requestBody")):
            _tell_defaults(schema)
    for schema in _objects(document["components"]):
        _tell_defaults(schema)
    for schema in _objects(document):
        _bound(schema)
    return document


def _refer(header: str) -> dict[str, dict[str, str]]:
    return {header: {"$ref": f"#/components/headers/{header}"}}


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document.get("paths", {}).values():
        yield from (operation for operation in path.values() if isinstance(operation, dict))


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from _objects(item)


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter's schema without null, which no path, query or header can express."""
    text = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(text) != 1:
        return schema
    (only,) = text
    return {**{key: part for key, part in schema.items() if key != "anyOf"}, **only}


def _tell_defaults(schema: dict[str, Any]) -> None:
    """Describe defaults in words: client generators take a body's field with `default` as always there."""
    for field in schema.get("properties", {}).values():
        if (value := field.pop("default", None)) not in (None, "", []):
            text = f"Default: `{orjson.dumps(value).decode()}`."
            field["description"] = f"{field['description']}\n\n{text}" if "description" in field else text


def _bound(schema: dict[str, Any]) -> None:
    """Add bounds that follow from the schema: the width of an integer, the length of an id."""
    if schema.get("type") == "integer":
        edges = (schema.get("minimum"), schema.get("maximum"))
        fits = all(isinstance(edge, int) and edge in _INT32 for edge in edges)
        schema.setdefault("format", "int32" if fits else "int64")
    if schema.get("pattern") in _IDS:
        schema.setdefault("maxLength", 24)
