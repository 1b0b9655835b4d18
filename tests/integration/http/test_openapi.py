"""The published document: frozen in a snapshot, well-formed, and true of the bytes that are sent."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from app.core.errors import OAuthError, RosterError
from app.core.settings import Settings
from app.main import create_app
from models.listing import ListQuery
from models.user import FACETS, SORTED, UNIQUE
from models.values import ALL_SCOPES
from tests.support.api import serving
from tests.support.applying import resources
from tests.support.clients import new_client
from tests.support.imports import importing, upload
from tests.support.openapi import (
    NEEDED,
    OAUTH,
    OPEN,
    REGISTRATION,
    SNAPSHOT,
    TOLD,
    make_document,
    operations,
    resolve,
)
from tests.support.users import NOBODY, create, person
from tools.error_codes import classes

JSON = "application/json"
PROBLEM = "application/problem+json"
FORM = "application/x-www-form-urlencoded"
BY_CLIENT: dict[str, list[dict[str, list[str]]]] = {
    "begin_device": [{}, {"Client": []}],
    "create_token": [{}, {"Client": []}],
    "introspect_token": [{"Client": []}],
    "revoke_token": [{"Client": []}, {}],  # a public client has no secret to prove itself by
    "register_client": [{}, {"Bearer": ["users:admin"]}],  # as the service is configured
    "read_registration": [{"Registration": []}],
    "replace_registration": [{"Registration": []}],
    "remove_registration": [{"Registration": []}],
    "push_request": [{"Client": []}, {}],
    **{name: [{"Bearer": []}] for name in TOLD},
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return make_document()


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
    named = {f"#/components/schemas/{name}" for name in known}
    named |= {f"#/components/headers/{name}" for name in document["components"]["headers"]}
    assert references == named, "an unused schema confuses client generators"


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
        for one in operation.get("parameters", []):
            assert one["description"], (path, one["name"])


def test_no_header_is_said_to_be_null(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "header":
                assert parameter["schema"]["type"] == "string", (path, parameter["name"])


def test_each_operation_is_open_or_takes_a_token_with_its_scope_by_either_scheme(
    document: dict[str, Any],
) -> None:
    assert {operation["operationId"] for _, _, operation in operations(document)} == OPEN | NEEDED.keys()
    for _, path, operation in operations(document):
        name = operation["operationId"]
        if name in OPEN:
            assert operation["security"] == BY_CLIENT.get(name, [{}]), path
            continue
        scopes = [needed] if (needed := NEEDED[name]) else []
        assert operation["security"] == [{"OAuth2": scopes}, {"Bearer": scopes}], path
        assert "401" in operation["responses"]
        lacking = operation["responses"].get("403", {"content": {PROBLEM: {"examples": {}}}})
        assert ("insufficient_scope" in lacking["content"][PROBLEM]["examples"]) == bool(scopes), path


def test_the_schemes_are_those_of_rfc_6749_6750_and_7617(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert {name: scheme["type"] for name, scheme in schemes.items()} == {
        "OAuth2": "oauth2", "Bearer": "http", "Client": "http", "Registration": "http",
    }  # fmt: skip
    assert schemes["Bearer"]["scheme"] == "bearer"
    assert schemes["Client"]["scheme"] == "basic"
    flows = schemes["OAuth2"]["flows"]
    assert set(flows) == {"authorizationCode", "password"}
    assert flows["authorizationCode"]["authorizationUrl"] == "/auth/authorize"
    for flow in flows.values():
        assert flow["tokenUrl"] == flow["refreshUrl"] == "/auth/token"
        assert tuple(flow["scopes"]) == ALL_SCOPES
        assert all(flow["scopes"].values())


def test_where_the_password_grant_is_off_the_document_and_so_the_docs_page_offer_only_the_code() -> None:
    document = create_app(Settings.model_construct(password_grant=False)).openapi()
    assert set(document["components"]["securitySchemes"]["OAuth2"]["flows"]) == {"authorizationCode"}


def test_oauth_endpoints_take_forms_and_answer_as_rfc_6749_has_it(document: dict[str, Any]) -> None:
    known = {error.code: error.status for error in classes(OAuthError)}
    shown: dict[str, set[str]] = {}
    for _, path, operation in operations(document):
        if operation["operationId"] in TOLD:
            continue
        if operation["operationId"] not in OAUTH:
            assert FORM not in operation.get("requestBody", {}).get("content", {}), path
            continue
        assert set(operation["requestBody"]["content"]) == {FORM}
        assert operation["requestBody"]["required"] is True
        for status in ("400", "401"):
            (content,) = operation["responses"][status]["content"].items()
            assert content[0] == JSON
            assert content[1]["schema"] == {"$ref": "#/components/schemas/OAuthProblem"}
            for code, example in content[1]["examples"].items():
                assert_valid(document, content[1]["schema"], example["value"])
                assert example["value"]["error"] == code
                assert known[code] == int(status)
                shown.setdefault(code, set()).add(operation["operationId"])
    assert shown == {
        "invalid_request": OAUTH,
        "invalid_client": OAUTH,
        "invalid_grant": {"create_token"},
        "invalid_scope": {"begin_device", "create_token", "push_request"},
        "unsupported_grant_type": {"create_token"},
        "unauthorized_client": {"begin_device", "create_token", "revoke_token", "push_request"},
        "authorization_pending": {"create_token"},
        "slow_down": {"create_token"},
        "access_denied": {"create_token"},
        "expired_token": {"create_token"},
    }


def test_each_operation_shows_its_errors_as_problems_with_examples(document: dict[str, Any]) -> None:
    known = {error.code: error.status for error in classes(RosterError)}
    for method, path, operation in operations(document):
        name = operation["operationId"]
        errors = {status: reply for status, reply in operation["responses"].items() if int(status) >= 400}
        in_json = {*REGISTRATION, "read_userinfo_by_form"}
        in_oauth_terms = ("400", "401") if name in OAUTH else ("400",) if name in in_json else ()
        for status in in_oauth_terms:
            (content,) = errors.pop(status)["content"].items()
            assert content[0] == JSON
            assert content[1]["schema"] == {"$ref": "#/components/schemas/OAuthProblem"}
        assert "500" in errors, (method, path)
        if name not in {"get_liveness", "read_keys", "read_metadata", "read_openid_metadata"}:
            assert "503" in errors, (method, path)
        takes_json = "requestBody" in operation and name not in OAUTH | REGISTRATION | TOLD
        assert ("422" in errors) == (takes_json or bool(operation.get("parameters"))), (method, path)
        if "requestBody" in operation:
            assert "413" in errors, (method, path)
        if takes_json:
            assert {"400", "413", "415"} <= errors.keys(), (method, path)
        for status, reply in errors.items():
            (media_type,) = reply["content"]
            assert media_type == PROBLEM, (method, path, status)
            examples = reply["content"][PROBLEM]["examples"]
            assert examples, (method, path, status)
            for code, example in examples.items():
                assert_valid(document, reply["content"][PROBLEM]["schema"], example["value"])
                assert example["value"]["code"] == code
                assert example["value"]["status"] == int(status) == known[code]
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


@pytest.mark.parametrize(("path", "patch"), [("/users/{user_id}", "UserPatch"), ("/users/me", "OwnPatch")])
def test_patch_takes_merge_patch_and_plain_json(document: dict[str, Any], path: str, patch: str) -> None:
    content = document["paths"][path]["patch"]["requestBody"]["content"]
    assert set(content) == {"application/merge-patch+json", JSON}
    assert {one["schema"]["$ref"] for one in content.values()} == {f"#/components/schemas/{patch}"}


def test_the_examples_of_patches_show_that_null_removes(document: dict[str, Any]) -> None:
    for name in ("UserPatch", "OwnPatch"):
        (example,) = document["components"]["schemas"][name]["examples"]
        assert None in example["profile"].values()


def test_what_callers_send_is_closed_to_unknown_fields(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name in (
        "UserInput", "UserPatch", "ProfileInput", "ProfilePatch", "AddressInput", "Batch", "Registration",
        "OwnPatch", "PasswordChange", "PasswordSetting", "EmailChange", "InvitationInput", "SignOut",
        "ClientInput", "ClientPatch", "SecretRenewal",
    ):  # fmt: skip
        assert schemas[name]["additionalProperties"] is False, name
    operations_schema = schemas["Batch"]["properties"]["operations"]
    assert operations_schema["maxItems"] == 1000
    assert set(operations_schema["items"]["discriminator"]["mapping"]) == {"create", "update", "delete"}
    standing = {"scopes", "is_active"}
    for name in ("UserInput", "UserPatch"):
        assert not {"version", "id", "credentials", "password"} & set(schemas[name]["properties"])
        for field in standing:
            assert "needs users:admin" in schemas[name]["properties"][field]["description"].lower()
    for name in ("Registration", "OwnPatch"):
        assert not (standing | {"version", "id", "tags"}) & set(schemas[name]["properties"])
    assert not {"email", "password"} & set(schemas["OwnPatch"]["properties"])
    assert schemas["SignOut"]["properties"]["ids"]["maxItems"] == 1000


def test_a_body_asks_for_nothing_that_has_a_default(document: dict[str, Any]) -> None:
    """openapi-typescript makes a must of each field with a `default`, so bodies tell of theirs in words."""
    bodies = [
        operation.get("requestBody") for path in document["paths"].values() for operation in path.values()
    ]
    objects = list(find_objects([bodies, document["components"]]))
    assert len(objects) > 500
    assert not [
        field for one in objects for field in one.get("properties", {}).values() if "default" in field
    ]
    schemas = document["components"]["schemas"]
    assert schemas["UserInput"]["required"] == ["name", "email"]
    scopes = schemas["UserInput"]["properties"]["scopes"]
    assert scopes["description"].endswith('\n\nDefault: `["me"]`.')
    assert "required" not in schemas["InvitationInput"]


def find_objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from find_objects(item)


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
    assert {*fields} <= {field.name for field in SORTED}
    assert sorted(sorts) == sorted(f"{sign}{field.name}" for field in SORTED for sign in ("", "-"))
    assert parameters["count"]["schema"]["enum"] == ["none", "capped", "estimated", "exact"]
    limit = parameters["limit"]["schema"]
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 1000, 50)
    assert parameters["skip"]["schema"]["maximum"] == 10_000
    assert parameters["is_active"]["schema"]["items"]["enum"] == ["true", "false"]
    assert parameters["created_from"]["schema"]["format"] == "date-time"
    repeatable = {name for name, one in parameters.items() if one["schema"].get("type") == "array"}
    assert repeatable == {"id", *(field.called for field in (*UNIQUE, *FACETS)), "missing"}


def test_exports_take_the_filters_of_the_listing(document: dict[str, Any]) -> None:
    listing = {one["name"] for one in document["paths"]["/users"]["get"]["parameters"]}
    for path in ("/users/export", "/users/export/csv", "/users/export/excel"):
        export = {one["name"] for one in document["paths"][path]["get"]["parameters"]}
        assert listing - export == {"limit", "cursor", "start", "skip", "count", "fields", "highlight"}
        assert {"columns", "addresses"} <= export
        content = document["paths"][path]["get"]["responses"]["200"]["content"]
        assert all(one["schema"]["format"] == "binary" for one in content.values())


def test_versions_are_documented_where_they_count(document: dict[str, Any]) -> None:
    path = document["paths"]["/users/{user_id}"]
    for method, expected in {
        "get": ["if-none-match", "Operation-Time"],
        "patch": ["if-match"],
        "put": ["if-match"],
        "delete": ["if-match"],
    }.items():
        headers = [one["name"] for one in path[method]["parameters"] if one["in"] == "header"]
        assert headers == expected, method
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
            await client.get("/users?q=zoe&count=capped"),
            await client.get("/users?q=ana+exam&highlight=true"),
            await client.get("/users?q=ana&sort=name"),
        ],
        ("/users/suggest", "get"): [
            await client.get("/users/suggest?q=an"),
            await client.get(f"/users/suggest?q={'x' * 201}"),
            await client.get("/users/suggest"),
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
    check_bytes(document, replies)
    missing = await client.get(f"/users/{bare['id']}", headers={"If-None-Match": "*"})
    assert str(missing.status_code) in document["paths"]["/users/{user_id}"]["get"]["responses"]


Replies = dict[tuple[str, str], list[httpx.Response]]
PASSWORD = {"password": "correct horse battery"}


def check_bytes(document: dict[str, Any], replies: Replies) -> None:
    for (template, method), answered in replies.items():
        for reply in answered:
            published = document["paths"][template][method]["responses"][str(reply.status_code)]
            content = published["content"][reply.headers["content-type"]]
            assert_valid(document, closed(document, content["schema"]), reply.json())


async def test_the_bytes_of_real_sign_ins_are_what_is_published(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, registration="open") as client:
        document = (await client.get("/openapi.json")).json()
        _, secret = await resources(client).auth.clients.register(new_client(), client_id="portal")
        user = await create(client, scopes=list(ALL_SCOPES))
        path = f"/users/{user['id']}"
        setting = [
            await client.put(f"{path}/password", json={"password": "short"}),
            await client.put(f"{path}/password", json=PASSWORD),
        ]
        assert [reply.status_code for reply in setting] == [422, 204]
        del client.headers["Authorization"]
        portal = ("portal", secret or "")
        form = {"grant_type": "password", "username": user["email"], **PASSWORD}
        signed_in = await client.post("/auth/token", data=form, auth=portal)
        again = await client.post("/auth/token", data=form, auth=portal)
        tokens = signed_in.json()
        client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        current = {"current_password": PASSWORD["password"]}
        replies = {
            ("/auth/token", "post"): [
                signed_in,
                again,
                await client.post("/auth/token", data=form, auth=("portal", "guessed")),
            ],
            ("/auth/register", "post"): [
                await client.post("/auth/register", json=person(**PASSWORD)),
                await client.post("/auth/register", json=person(password="12345678")),
            ],
            ("/auth/introspect", "post"): [
                await client.post("/auth/introspect", data={"token": token}, auth=portal)
                for token in (tokens["access_token"], tokens["refresh_token"], "nothing")
            ]
            + [await client.post("/auth/introspect", data={}, auth=portal)],
            ("/auth/revoke", "post"): [await client.post("/auth/revoke", data={}, auth=portal)],
            ("/auth/keys/password", "get"): [await client.get("/auth/keys/password")],
            ("/.well-known/jwks.json", "get"): [await client.get("/.well-known/jwks.json")],
            ("/.well-known/oauth-authorization-server", "get"): [
                await client.get("/.well-known/oauth-authorization-server")
            ],
            ("/auth/invitations", "post"): [await client.post("/auth/invitations", json={})],
            ("/auth/invitations", "get"): [await client.get("/auth/invitations")],
            ("/users/me", "get"): [await client.get("/users/me")],
            ("/users/me", "patch"): [
                await client.patch("/users/me", json={"name": "y"}),
                await client.patch("/users/me", json={"tags": ["x"]}),
            ],
            ("/users/me/email", "post"): [
                await client.post("/users/me/email", json={"email": "new@example.com", **current}),
                await client.post(
                    "/users/me/email", json={"email": "x@example.com", "current_password": "x"}
                ),
            ],
            ("/users/me/sessions", "get"): [await client.get("/users/me/sessions")],
            ("/users/{user_id}/sessions", "get"): [await client.get(f"{path}/sessions")],
            ("/users/{user_id}/throttle", "get"): [await client.get(f"{path}/throttle")],
            ("/addresses/{address}/throttle", "get"): [await client.get("/addresses/127.0.0.1/throttle")],
            ("/users:sign-out", "post"): [await client.post("/users:sign-out", json={"ids": [NOBODY]})],
            ("/users/{user_id}/password", "put"): setting[:1],
            ("/users/me/password", "post"): [
                await client.post("/users/me/password", json={**current, "new_password": "another staple"})
            ],
            ("/auth/logout", "post"): [await client.post("/auth/logout")],  # which the change has done
        }
        check_bytes(document, replies)
        found = {key: [reply.status_code for reply in some] for key, some in replies.items()}
        assert found == {
            ("/auth/token", "post"): [200, 200, 401],
            ("/auth/register", "post"): [201, 422],
            ("/auth/introspect", "post"): [200, 200, 200, 400],
            ("/auth/revoke", "post"): [400],
            ("/auth/keys/password", "get"): [200],
            ("/.well-known/jwks.json", "get"): [200],
            ("/.well-known/oauth-authorization-server", "get"): [200],
            ("/auth/invitations", "post"): [201],
            ("/auth/invitations", "get"): [200],
            ("/users/me", "get"): [200],
            ("/users/me", "patch"): [200, 422],
            ("/users/me/email", "post"): [200, 403],
            ("/users/me/sessions", "get"): [200],
            ("/users/{user_id}/sessions", "get"): [200],
            ("/users/{user_id}/throttle", "get"): [200],
            ("/addresses/{address}/throttle", "get"): [200],
            ("/users:sign-out", "post"): [200],
            ("/users/{user_id}/password", "put"): [422],
            ("/users/me/password", "post"): [200],
            ("/auth/logout", "post"): [401],
        }


def closed(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, with every object of the document closed: a field that is sent must be published."""
    for node in walk(document["components"]["schemas"]):
        if isinstance(node.get("properties"), dict) and node.get("type") == "object":
            node.setdefault("additionalProperties", False)
    return schema


async def test_the_bytes_of_real_imports_are_what_is_published(mongo_uri: str, redis_url: str) -> None:
    async with importing(mongo_uri, redis_url) as client:
        document = (await client.get("/openapi.json")).json()
        user = await create(client)
        file = f"id,email,name,x\n{user['id']},,New,\n,new@example.com,New,1\n,,,\n".encode()
        planned = await upload(client, file)
        later = await upload(client, file, Prefer="wait=0")
        path = f"/users/imports/{planned.json()['id']}"
        replies = {
            ("/users/import", "post"): [
                planned,
                later,
                await upload(client, b"name\nx\n"),
                await upload(client, b"email\n"),
                await upload(client, b"x", "application/xml"),
            ],
            ("/users/imports", "get"): [await client.get("/users/imports")],
            ("/users/imports/{import_id}", "get"): [
                await client.get(f"{path}?limit=1"),
                await client.get(f"/users/imports/{NOBODY}"),
            ],
            ("/users/imports/{import_id}", "delete"): [await client.delete(f"/users/imports/{NOBODY}")],
        }
        check_bytes(document, replies)
        assert [reply.status_code for reply in replies["/users/import", "post"]] == [201, 202, 422, 422, 415]


def test_each_reply_has_the_headers_that_any_may_have(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        for status, reply in operation["responses"].items():
            assert "Access-Control-Allow-Origin" in reply["headers"], (path, status)
            assert ("Retry-After" in reply["headers"]) or status not in {"429", "503"}, (path, status)


def test_each_tag_is_told_of_in_the_order_of_the_alphabet(document: dict[str, Any]) -> None:
    told = [tag["name"] for tag in document["tags"]]
    assert told == sorted(told)
    assert {tag for _, _, operation in operations(document) for tag in operation["tags"]} == set(told)
    assert all(tag["description"] for tag in document["tags"])


def test_each_text_list_and_number_is_bounded(document: dict[str, Any]) -> None:
    for node in walk(document):
        match node.get("type"):
            case "string":
                assert {"maxLength", "enum", "const"} & node.keys(), node
            case "array":
                assert "maxItems" in node, node
            case "integer":
                assert {"minimum", "maximum", "format"} <= node.keys(), node
