"""What provisioning clients send besides the standard, as what they mean: each with the reason."""

import re
from collections.abc import Mapping
from typing import Any, Final

from app.scim.mapping import CORE, ENTERPRISE

_GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
_KNOWN: Final = {urn.lower() for urn in (CORE, ENTERPRISE, _GROUP)}
_TEXT_FLAG: Final = re.compile(r'(\bprimary\s+eq\s+)"(true|false)"', re.IGNORECASE)
_MANAGER: Final = f"{ENTERPRISE}:manager".lower()


def relax_resource(body: Any) -> Any:
    """A user or group in a body."""
    if not isinstance(body, Mapping):
        return body
    relaxed = {name: value for name, value in body.items() if not _is_empty(value)}
    for name in list(relaxed):
        match name.lower():
            case "schemas" if isinstance(relaxed[name], list):
                relaxed[name] = _schemas(relaxed[name], relaxed)
            case "members":
                relaxed[name] = _members(relaxed[name])
            case "groups" | "meta" | "id":  # read-only (RFC 7643, 4.1.2 and 3.1): Okta sends them back
                del relaxed[name]
            case urn if urn == ENTERPRISE.lower():
                relaxed[name] = _enterprise(relaxed[name])
            case urn if urn.startswith("urn:") and not relaxed[name]:  # an extension without data
                del relaxed[name]
    return relaxed


def relax_patch(body: Any) -> Any:
    """The operations of a PATCH."""
    if not isinstance(body, Mapping):
        return body
    return {
        name: [_operation(each) for each in value]
        if name.lower() == "operations" and isinstance(value, list)
        else value
        for name, value in body.items()
    }


def _operation(operation: Any) -> Any:
    if not isinstance(operation, Mapping):
        return operation
    relaxed = {name.lower(): value for name, value in operation.items()}
    if isinstance(relaxed.get("op"), str):
        relaxed["op"] = relaxed["op"].lower()  # Entra writes `Add`, `Replace`, `Remove`
    path = relaxed.get("path")
    if not path:
        relaxed.pop("path", None)
        if isinstance(relaxed.get("value"), Mapping):
            relaxed["value"] = _whole(relaxed["value"])
        return relaxed
    if not isinstance(path, str):
        return relaxed
    relaxed["path"] = _TEXT_FLAG.sub(lambda found: found[1] + found[2].lower(), path)  # Entra quotes flags
    if relaxed.get("op") in ("add", "replace") and "value" in relaxed and _is_empty(relaxed["value"]):
        return {"op": "remove", "path": relaxed["path"]}  # Entra clears an attribute by ""
    if path.lower() in ("manager", _MANAGER):
        relaxed["value"] = _manager(relaxed.get("value"))
    elif path.lower() == "members" and "value" in relaxed:
        relaxed["value"] = _members(relaxed["value"])
    if relaxed.get("value") is None:
        relaxed.pop("value", None)
    return relaxed


def _whole(value: Mapping[str, Any]) -> dict[str, Any]:
    """The value of an operation without a path: attributes, of which "" unassigns one."""
    relaxed = {}
    for name, each in value.items():
        match name.lower():
            case "members":
                relaxed[name] = _members(each)
            case urn if urn == ENTERPRISE.lower():
                relaxed[name] = _enterprise(each)
            case path if path == _MANAGER:
                relaxed[name] = _manager(each)
            case "id" | "meta" | "schemas" | "groups":
                continue
            case _:
                relaxed[name] = None if _is_empty(each) else each
    return relaxed


def _schemas(schemas: list[Any], body: Mapping[str, Any]) -> list[Any]:
    """Without those that nothing follows: Entra names one of its own for groups."""
    given = {name.lower() for name in body}
    kept = [
        urn for urn in schemas if not isinstance(urn, str) or urn.lower() in _KNOWN or urn.lower() in given
    ]
    return kept or [_GROUP if "displayname" in given and "username" not in given else CORE]


def _enterprise(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {
        name: _manager(each) if name.lower() == "manager" else each
        for name, each in value.items()
        if not _is_empty(each)
    }


def _manager(value: Any) -> Any:
    """A complex value: Entra sends the id alone, and nobody sends the `$ref` that the schema requires."""
    if isinstance(value, str):
        value = {"value": value}
    if not isinstance(value, Mapping) or not value.get("value"):
        return None
    return {"$ref": f"Users/{value['value']}", **value}


def _members(value: Any) -> Any:
    """A list of complex values: some clients send ids, or one alone."""
    listed = value if isinstance(value, list) else [value]
    return [{"value": each} if isinstance(each, str) else each for each in listed]


def _is_empty(value: Any) -> bool:
    return value is None or value == ""
