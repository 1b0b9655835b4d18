"""The bounds that the document publishes are those that the service holds its callers to."""

import io
from collections.abc import Awaitable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import openpyxl
import pytest

from app.auth.sessions import Session
from app.http import replies
from models.imports import LONGEST_SHEET_NAME
from models.query_values import LONGEST_MOMENT
from models.session import MOST_SESSIONS
from models.token import LONGEST_VALUE
from models.values import ALL_SCOPES
from tests.support.imports import importing, upload
from tests.support.openapi import ENDLESS, operations, read_document, resolve
from tests.support.users import NOBODY, create, person

JSON = "application/json"
Said = dict[str, dict[str, str]]
SID = "a" * 43
ID = "^[0-9a-fA-F]{24}$"
PLACES = {"user_id": NOBODY, "session_id": SID}


def beyond(schema: dict[str, Any]) -> Iterator[object]:
    """Values just past each bound of a text, a number or a list of texts."""
    if schema.get("type") == "array":
        yield from beyond(schema["items"])
        return
    if "maxLength" in schema:
        yield "7" * (schema["maxLength"] + 1)
    for edge, step in (("minimum", -1), ("maximum", 1)):
        if edge in schema:
            yield schema[edge] + step


def refused(reply: httpx.Response) -> set[str]:
    """What a 422 names."""
    problem = reply.json()
    assert reply.status_code == 422, problem
    return {str(bad.get("parameter") or bad.get("pointer")) for bad in problem["errors"]}


def send(
    client: httpx.AsyncClient, method: str, template: str, operation: dict[str, Any], said: Said
) -> Awaitable[httpx.Response]:
    """The operation with these parameters by place (`in`), and an empty object where it takes a body.

    Headers are read once the query is valid: with one of them, what the query must have is there.
    """
    named = [part.partition("}")[0] for part in template.split("{")[1:]]
    path = template.format(**{name: PLACES.get(name, NOBODY) for name in named} | said.get("path", {}))
    takes_json = JSON in operation.get("requestBody", {}).get("content", {})
    query = said.get("query", _needed(operation) if "header" in said else None)
    return client.request(
        method, path, params=query, headers=said.get("header"), json={} if takes_json else None
    )


def _needed(operation: dict[str, Any]) -> dict[str, str]:
    parameters = operation.get("parameters", [])
    return {one["name"]: "a" for one in parameters if one["in"] == "query" and one["required"]}


async def test_each_parameter_past_its_bound_is_named(shared: httpx.AsyncClient) -> None:
    tried = 0
    for method, template, operation in operations(read_document()):
        for one in operation.get("parameters", []):
            name = one["name"]
            for value in beyond(one["schema"]):
                said = {one["in"]: {name: str(value)}}
                reply = await send(shared, method, template, operation, said)
                if (
                    one["in"] == "path" and one["schema"]["pattern"] == ID
                ):  # told from other paths by its form
                    assert reply.status_code == 404, (method, template, reply.text)
                else:
                    at = {place.lower() for place in refused(reply)}
                    assert name.lower() in at, (method, template, name, reply.text)
                tried += 1
    assert tried > 100


@pytest.mark.parametrize(
    ("method", "path", "name", "whole"),
    [
        ("POST", "/users", "UserInput", person()),
        ("PATCH", "/users/{id}", "UserPatch", {}),
        ("PATCH", "/users/me", "OwnPatch", {}),
        ("POST", "/users/exports", "ExportBody", {"format": "csv"}),
        ("POST", "/users/exports/schedules", "ScheduleInput",
         {"name": "x", "cron": "0 0 * * *", "export": {"format": "csv"}}),
        ("POST", "/auth/invitations", "InvitationInput", {}),
        ("POST", "/users/me/tokens", "OpaqueTokenInput", {"name": "night", "scopes": ["me"]}),
        ("POST", "/clients", "ClientInput", {"name": "x", "grant_types": []}),
    ],
)  # fmt: skip
async def test_each_field_past_its_bound_is_named(
    shared: httpx.AsyncClient, method: str, path: str, name: str, whole: dict[str, Any]
) -> None:
    document = read_document()
    user = await create(shared)
    tried = 0
    for field, schema in document["components"]["schemas"][name]["properties"].items():
        for choice in (resolve(document, one) for one in schema.get("anyOf", [schema])):
            for value in beyond(choice):
                said = [value] if choice.get("type") == "array" else value
                reply = await shared.request(method, path.format(**user), json=whole | {field: said})
                assert any(at.startswith(f"/{field}") for at in refused(reply)), (field, reply.text)
                tried += 1
    assert tried


async def test_more_scopes_than_there_are_are_refused(shared: httpx.AsyncClient) -> None:
    reply = await shared.post("/users", json=person(scopes=[*ALL_SCOPES, "me"]))
    assert refused(reply) == {"/scopes"}


async def test_what_a_query_must_hold_is_what_the_document_requires(shared: httpx.AsyncClient) -> None:
    for method, template, operation in operations(read_document()):
        said = [one for one in operation.get("parameters", []) if one["in"] == "query"]
        required = {one["name"] for one in said if one["required"]}
        if said and method == "get" and operation["operationId"] not in ENDLESS:
            reply = await send(shared, method, template, operation, {})
            missed = refused(reply) if reply.status_code == 422 else set()
            assert missed == required, (template, reply.text)


@pytest.mark.parametrize("value", [0, 1.5, True, "2026-01-31T08:00:00." + "0" * LONGEST_MOMENT])
async def test_a_time_is_a_text_of_bounded_length(shared: httpx.AsyncClient, value: object) -> None:
    reply = await shared.post("/users/exports", json={"format": "csv", "created_from": value})
    assert refused(reply) == {"/created_from"}


@pytest.mark.parametrize(
    "path", ["/users?q=a%00", "/users?fields=%00", "/users/suggest?q=%00", "/users/export/csv?columns=%00"]
)
async def test_no_parameter_holds_nul(shared: httpx.AsyncClient, path: str) -> None:
    name = path.partition("?")[2].partition("=")[0]
    assert refused(await shared.get(path)) == {name}


async def test_a_problem_repeats_no_nul(shared: httpx.AsyncClient) -> None:
    reply = await shared.get("/users?a%00b=1")
    assert refused(reply) == {"a\ufffdb"}


async def test_a_sealed_password_is_written_in_the_letters_of_a_compact_jwe(
    shared: httpx.AsyncClient,
) -> None:
    user = await create(shared)
    reply = await shared.put(f"/users/{user['id']}/password", json={"password_jwe": "a.b.c.d.é"})
    assert refused(reply) == {"/password_jwe"}


@pytest.mark.parametrize("path", ["/auth/token", "/auth/introspect", "/auth/revoke"])
async def test_a_value_of_a_form_past_its_bound_is_too_large(shared: httpx.AsyncClient, path: str) -> None:
    reply = await shared.post(path, data={"token": "x" * (LONGEST_VALUE + 1)})
    assert (reply.status_code, reply.json()["code"]) == (413, "body_too_large")


def test_a_list_of_sessions_shows_no_more_than_it_says() -> None:
    now = datetime(2026, 1, 31, tzinfo=UTC)
    one = Session(SID, "roster", ["me"], now, now, now, "", "", [])
    found = [replace(one, id=f"{number:043}") for number in range(MOST_SESSIONS + 1)]
    assert len(replies.sessions(found, current=SID).items) == MOST_SESSIONS


async def test_names_of_sheets_are_cut(mongo_uri: str, redis_url: str) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["email", "name"])
    sheet.append(["ana@example.com", "Ana"])
    with pytest.warns(UserWarning, match="31"):
        sheet.title = "x" * (LONGEST_SHEET_NAME + 1)
    with pytest.warns(UserWarning, match="31"):
        book.create_sheet("y" * (LONGEST_SHEET_NAME + 1))
    file = io.BytesIO()
    book.save(file)
    async with importing(mongo_uri, redis_url) as client:
        planned = (await upload(client, file.getvalue(), "application/octet-stream")).json()
    assert planned["file"]["sheet"] == "x" * LONGEST_SHEET_NAME
    assert planned["file"]["other_sheets"] == ["y" * LONGEST_SHEET_NAME]
