"""Completes the OpenAPI document of FastAPI and Pydantic with what all operations have in common."""

import copy
from collections.abc import Iterator
from typing import Any

import orjson

from app.core.catalogue import TAGS
from app.core.freshness import AGE, OPERATION_TIME, PATTERN
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
    OPERATION_TIME: {
        "description": "When the change was made, by MongoDB's clock: send it with reads that must see it.",
        "schema": {"type": "string", "pattern": PATTERN, "maxLength": 20, "examples": ["1764536400.1"]},
    },
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "schema": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 86_400},
    },
}
_SEEN: dict[str, Any] = {
    "name": OPERATION_TIME,
    "in": "header",
    "required": False,
    "description": "The `Operation-Time` of a change: the answer contains it, or is 503.",
    "schema": {"type": "string", "pattern": PATTERN, "maxLength": 20},
}
"""A parameter of operations that a secondary may answer."""
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
    for path, method, operation in _operations(document):
        operation.setdefault("security", ANYBODY)
        if AGE in operation["responses"].get("200", {}).get("headers", ()):
            operation["parameters"] = _with(_SEEN, operation.get("parameters", []))
        for parameter in operation.get("parameters", ()):
            parameter["schema"] = _without_null(parameter["schema"])
        is_change = method != "get" and path.startswith("/users")
        for status, reply in operation["responses"].items():
            _tell_headers(status, reply, is_change=is_change)
        for schema in _objects(operation.get("requestBody")):
            _tell_defaults(schema)
    for schema in _objects(document["components"]):
        _tell_defaults(schema)
    for schema in _objects(document):
        _bound(schema)
    return document


def _tell_headers(status: str, reply: dict[str, Any], *, is_change: bool) -> None:
    headers = reply.setdefault("headers", {})
    headers |= _refer("Access-Control-Allow-Origin")
    if MEDIA_TYPE in reply.get("content", ()):
        headers |= _refer("Content-Language")
    if status in _TO_BE_TRIED_AGAIN:
        headers |= _refer("Retry-After")
    if is_change and status.startswith("2"):
        headers |= _refer(OPERATION_TIME)


def _refer(header: str) -> dict[str, dict[str, str]]:
    return {header: {"$ref": f"#/components/headers/{header}"}}


def _with(parameter: dict[str, Any], others: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The parameters with one more, which they may have already."""
    return [*(other for other in others if other["name"] != parameter["name"]), copy.deepcopy(parameter)]


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document.get("paths", {}).items():
        for method, operation in methods.items():
            if isinstance(operation, dict):
                yield path, method, operation


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
