import copy
from typing import Any

from app.http.openapi import complete


def document(operation: dict[str, Any], schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "paths": {"/x": {"get": {"responses": {}, **operation}}},
        "components": {"schemas": {"X": schema or {}}},
    }


def operation(made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = made["paths"]["/x"]["get"]
    return found


def test_what_needs_no_token_says_so_and_what_needs_one_is_left() -> None:
    assert operation(complete(document({})))["security"] == [{}]
    needed = [{"Bearer": ["me"]}]
    assert operation(complete(document({"security": needed})))["security"] == needed


def test_a_parameter_is_never_null() -> None:
    schema = {"anyOf": [{"type": "string", "maxLength": 9}, {"type": "null"}], "title": "X"}
    (said,) = operation(complete(document({"parameters": [{"schema": schema}]})))["parameters"]
    assert said["schema"] == {"type": "string", "maxLength": 9, "title": "X"}


def test_a_parameter_of_two_kinds_keeps_both() -> None:
    schema = {"anyOf": [{"type": "string"}, {"type": "boolean"}]}
    (said,) = operation(complete(document({"parameters": [{"schema": schema}]})))["parameters"]
    assert said["schema"] == schema


def test_an_integer_is_as_wide_as_its_bounds() -> None:
    def width(**bounds: int) -> object:
        return complete(document({}, {"type": "integer", **bounds}))["components"]["schemas"]["X"]["format"]

    assert width(minimum=0, maximum=2**31 - 1) == "int32"
    assert width(minimum=0, maximum=2**31) == "int64"
    assert width(minimum=0) == "int64"


def test_an_id_is_as_long_as_its_pattern_lets_it_be() -> None:
    made = complete(document({}, {"type": "string", "pattern": "^[0-9a-fA-F]{24}$"}))
    assert made["components"]["schemas"]["X"]["maxLength"] == 24


def test_a_default_of_a_field_is_told_in_words_and_an_empty_one_not_at_all() -> None:
    fields = {
        "tags": {"type": "array", "default": []},
        "is_active": {"type": "boolean", "description": "Whether.", "default": False},
        "limit": {"type": "string", "default": "x"},
    }
    made = complete(document({}, {"type": "object", "properties": fields}))["components"]["schemas"]["X"]
    assert made["properties"] == {
        "tags": {"type": "array"},
        "is_active": {"type": "boolean", "description": "Whether.\n\nDefault: `false`."},
        "limit": {"type": "string", "description": 'Default: `"x"`.'},
    }
    body = {"content": {"application/json": {"schema": {"properties": {"scope": {"default": "me"}}}}}}
    said = operation(complete(document({"requestBody": body})))["requestBody"]["content"]["application/json"]
    assert said["schema"]["properties"] == {"scope": {"description": 'Default: `"me"`.'}}


def test_a_second_time_changes_nothing_more() -> None:
    once = complete(document({"responses": {"200": {}, "429": {}}}, {"type": "integer"}))
    assert complete(copy.deepcopy(once)) == once
