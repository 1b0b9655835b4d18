"""The published document: frozen in a snapshot, well-formed, and true of the bytes that are sent."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from app.main import create_app
from app.settings import Settings
from models.listing import ListQuery
from tests.support import NOBODY, create, person

SNAPSHOT = Path(__file__).parents[1] / "snapshots" / "openapi.json"
METHODS = {"get", "put", "post", "patch", "delete"}
PROBLEM = "application/problem+json"
Operation = tuple[str, str, dict[str, Any]]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """As a client gets it: through JSON."""
    made: dict[str, Any] = json.loads(json.dumps(create_app(Settings(_env_file=None)).openapi()))
    return made


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        assert set(item) <= METHODS | {"parameters"}, path
        yield from ((method, path, item[method]) for method in METHODS & set(item))


def assert_valid(document: dict[str, Any], schema: dict[str, Any], value: object) -> None:
    """By a schema that stands in the document, whose references lead into it."""
    rooted = {**schema, "components": document["components"]}
    error = best_match(Draft202012Validator(rooted).iter_errors(value))
    assert error is None, f"{error.json_path}: {error.message}"


def walk(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in the document, itself included."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from walk(item)


def resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        *_, name = schema["$ref"].split("/")
        schema = document["components"]["schemas"][name]
    return schema


def test_the_document_is_the_one_in_the_snapshot(document: dict[str, Any]) -> None:
    frozen = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    assert document == frozen, (
        "The API differs from tests/snapshots/openapi.json. If that is meant, run `make snapshots` and "
        "commit the file with the change."
    )


def test_it_is_openapi_3_1_with_all_references_resolved(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert set(document) <= {"openapi", "info", "paths", "components", "tags", "servers"}
    assert {"title", "version", "description"} <= set(document["info"])
    known = document["components"]["schemas"]
    references = {node["$ref"] for node in walk(document) if isinstance(node.get("$ref"), str)}
    for node in walk(document):
        references |= set(node.get("discriminator", {}).get("mapping", {}).values())
    assert references <= {f"#/components/schemas/{name}" for name in known}
    used = {reference.rpartition("/")[2] for reference in references}
    assert used == set(known), "an unused schema confuses client generators"


def test_each_schema_is_a_json_schema(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for node in walk(document["paths"]):
        if isinstance(node.get("schema"), dict):
            Draft202012Validator.check_schema(node["schema"])


def test_each_path_declares_the_parameters_it_names(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        named = {part[1:-1] for part in path.split("/") if part.startswith("{")}
        declared = [one for one in operation.get("parameters", []) if one["in"] == "path"]
        assert {one["name"] for one in declared} == named
        assert all(one["required"] for one in declared)
        keys = [(one["in"], one["name"]) for one in operation.get("parameters", [])]
        assert len(keys) == len(set(keys)), path


def test_each_operation_has_a_name_a_summary_a_description_and_a_tag(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert sorted(names) == sorted(set(names))
    assert {
        "create_user", "list_users", "batch_users", "read_user", "patch_user", "replace_user", "delete_user",
        "export_users", "export_users_csv", "export_users_excel", "get_liveness",
    } <= set(names)  # fmt: skip
    for _, path, operation in operations(document):
        assert operation["operationId"].isidentifier()
        assert operation["summary"].rstrip("."), path
        assert operation["description"], path
        assert operation["tags"], path


def test_each_operation_shows_its_errors_as_problems_with_examples(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        errors = {status: reply for status, reply in operation["responses"].items() if int(status) >= 400}
        assert "500" in errors, (method, path)
        if not path.startswith("/health"):
            assert "503" in errors, (method, path)
            assert "422" in errors, (method, path)
        if "requestBody" in operation:
            assert {"400", "413", "415"} <= errors.keys(), (method, path)
        for status, reply in errors.items():
            (media_type,) = reply["content"]
            assert media_type == PROBLEM, (method, path, status)
            examples = reply["content"][PROBLEM]["examples"]
            assert examples, (method, path, status)
            for code, example in examples.items():
                assert_valid(document, reply["content"][PROBLEM]["schema"], example["value"])
                assert example["value"]["code"] == code
                assert example["value"]["status"] == int(status)
        assert all(reply["description"] for reply in operation["responses"].values())


def test_nothing_is_left_of_the_frameworks_own_error_shape(document: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in json.dumps(document)
    assert "ValidationError" not in document["components"]["schemas"]


def test_each_body_has_an_example_that_is_valid(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        contents = [
            *operation.get("requestBody", {}).get("content", {}).items(),
            *(pair for reply in operation["responses"].values() for pair in reply.get("content", {}).items()),
        ]
        for media_type, content in contents:
            schema = resolve(document, content["schema"])
            if media_type == PROBLEM or schema.get("format") == "binary" or path.startswith("/health"):
                continue
            assert schema.get("examples"), (method, path)
            for example in schema["examples"]:
                assert_valid(document, content["schema"], example)


def test_patch_takes_merge_patch_and_plain_json(document: dict[str, Any]) -> None:
    content = document["paths"]["/users/{user_id}"]["patch"]["requestBody"]["content"]
    assert set(content) == {"application/merge-patch+json", "application/json"}
    assert {one["schema"]["$ref"] for one in content.values()} == {"#/components/schemas/UserPatch"}


def test_what_callers_send_is_closed_to_unknown_fields(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name in ("UserInput", "UserPatch", "ProfileInput", "ProfilePatch", "AddressInput", "Batch"):
        assert schemas[name]["additionalProperties"] is False, name
    operations_schema = schemas["Batch"]["properties"]["operations"]
    assert operations_schema["maxItems"] == 1000
    assert set(operations_schema["items"]["discriminator"]["mapping"]) == {"create", "update", "delete"}
    assert not {"scopes", "is_active", "version", "id"} & set(schemas["UserInput"]["properties"])


def test_the_listing_documents_each_of_its_parameters(document: dict[str, Any]) -> None:
    parameters = {
        one["name"]: one for one in document["paths"]["/users"]["get"]["parameters"] if one["in"] == "query"
    }
    assert set(parameters) == set(ListQuery.model_fields)
    for name, one in parameters.items():
        assert one["description"], name
        assert "type" in one["schema"] or "enum" in one["schema"], name
        assert "null" not in json.dumps(one["schema"]), name
        assert not one["required"]
    fields = ["created_at", "updated_at", "name", "email", "username", "last_login_at", "age"]
    sorts = parameters["sort"]["schema"]["enum"]
    assert sorted(sorts) == sorted([*fields, *(f"-{field}" for field in fields)])
    assert parameters["count"]["schema"]["enum"] == ["none", "capped", "estimated", "exact"]
    limit = parameters["limit"]["schema"]
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 1000, 50)
    assert parameters["skip"]["schema"]["maximum"] == 10_000
    assert parameters["is_active"]["schema"]["items"]["enum"] == ["true", "false"]
    assert parameters["created_from"]["schema"]["format"] == "date-time"
    repeatable = {name for name, one in parameters.items() if one["schema"].get("type") == "array"}
    assert repeatable == {
        "id", "email", "username", "phone", "is_active", "tag", "scope", "department", "city", "country",
    }  # fmt: skip


def test_exports_take_the_filters_of_the_listing(document: dict[str, Any]) -> None:
    listing = {one["name"] for one in document["paths"]["/users"]["get"]["parameters"]}
    for path in ("/users/export", "/users/export/csv", "/users/export/excel"):
        export = {one["name"] for one in document["paths"][path]["get"]["parameters"]}
        assert listing - export == {"limit", "cursor", "skip", "count", "fields"}
        assert {"columns", "addresses"} <= export
        content = document["paths"][path]["get"]["responses"]["200"]["content"]
        assert all(one["schema"]["format"] == "binary" for one in content.values())


def test_versions_are_documented_where_they_count(document: dict[str, Any]) -> None:
    path = document["paths"]["/users/{user_id}"]
    for method, header in {
        "get": "if-none-match",
        "patch": "if-match",
        "put": "if-match",
        "delete": "if-match",
    }.items():
        headers = [one["name"] for one in path[method]["parameters"] if one["in"] == "header"]
        assert headers == [header], method
    assert "304" in path["get"]["responses"]
    for method in ("patch", "put", "delete"):
        assert {"412", "428"} <= path[method]["responses"].keys()


async def test_the_bytes_of_real_replies_are_what_is_published(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    bare = await create(client)
    full = await create(
        client,
        username="zoe",
        phone="+34600000000",
        avatar_url="https://example.com/z.png",
        locale="es",
        tags=["a"],
        profile={"bio": "b", "age": 1, "title": "t", "department": "d", "addresses": [{"city": "x"}, {}]},
    )
    path = f"/users/{full['id']}"
    operations = [
        {"op": "create", "user": person()},
        {"op": "update", "id": bare["id"], "patch": {"name": "x"}, "version": 9},
        {"op": "delete", "id": NOBODY},
        {"op": "drop"},
    ]
    replies = {
        ("/users", "post"): [
            await client.post("/users", json=person()),
            await client.post("/users", json={}),
        ],
        ("/users", "get"): [
            await client.get("/users?limit=1&count=exact"),
            await client.get("/users?limit=2&count=capped&sort=-name"),
            await client.get("/users?email=nobody@example.com"),
            await client.get("/users?limit=0"),
            await client.get("/users?cursor=x"),
        ],
        ("/users:batch", "post"): [await client.post("/users:batch", json={"operations": operations})],
        ("/users/{user_id}", "get"): [await client.get(path), await client.get(f"/users/{NOBODY}")],
        ("/users/{user_id}", "patch"): [
            await client.patch(path, json={"name": "y"}),
            await client.patch(path, json={"email": bare["email"]}),
            await client.patch(path, json={}, headers={"If-Match": '"9"'}),
            await client.patch(path, content=b"{", headers={"Content-Type": "application/json"}),
            await client.patch(path, content=b"{}", headers={"Content-Type": "text/plain"}),
        ],
        ("/users/{user_id}", "put"): [await client.put(path, json=person())],
        ("/users/{user_id}", "delete"): [await client.delete(f"/users/{NOBODY}")],
        ("/health/live", "get"): [await client.get("/health/live")],
    }
    for (template, method), answered in replies.items():
        for reply in answered:
            published = document["paths"][template][method]["responses"][str(reply.status_code)]
            content = published["content"][reply.headers["content-type"]]
            value = reply.json()
            assert_valid(document, closed(document, content["schema"]), value)
    missing = await client.get(f"/users/{bare['id']}", headers={"If-None-Match": "*"})
    assert str(missing.status_code) in document["paths"]["/users/{user_id}"]["get"]["responses"]


def closed(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, with every object of the document closed: a field that is sent must be published."""
    for node in walk(document["components"]["schemas"]):
        if isinstance(node.get("properties"), dict) and node.get("type") == "object":
            node.setdefault("additionalProperties", False)
    return schema
