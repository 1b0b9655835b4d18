"""What a refusal says: which name was meant, in words and not in expressions, and every conflict at once."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel

from app.core.field_errors import PATTERNS
from app.http.dependencies import QueryOf
from tests.support.api import serving
from tests.support.tokens import mint_for
from tests.support.users import create, person, pointers, problem


@pytest.mark.parametrize(
    ("path", "parameter", "meant"),
    [
        ("/users?sortt=name", "sortt", "sort"),
        ("/users?Departement=Sales", "Departement", "department"),
        ("/users?agemin=3", "agemin", "age_min"),
        ("/users?sort=nmae", "sort", "name"),
        ("/users?sort=-created", "sort", "-created_at"),
        ("/users?count=exakt", "count", "exact"),
        ("/users?scope=user:read", "scope", "users:read"),
        ("/users?fields=nmae", "fields", "name"),
        ("/users/export?colums=name", "colums", "columns"),
        ("/users/export?columns=e-mail", "columns", "email"),
        ("/users/suggest?q=a&limt=3", "limt", None),
        ("/jobs?states=queued", "states", "state"),
        ("/jobs?state=quued", "state", "queued"),
        ("/audit?form=2026-01-01", "form", "from"),
        ("/users?xyzzy=1", "xyzzy", None),
    ],
)
async def test_a_name_in_a_query_that_does_not_exist_is_told_which_was_meant(
    shared: httpx.AsyncClient, path: str, parameter: str, meant: str | None
) -> None:
    [bad] = problem(await shared.get(path), 422, "validation_failed")["errors"]
    assert bad["parameter"] == parameter
    assert (meant is None) == ("id you mean" not in bad["detail"]), bad
    assert meant is None or f"`{meant}`" in bad["detail"] or f" {meant}" in bad["detail"], bad


@pytest.mark.parametrize(
    ("asked", "body", "pointer", "meant"),
    [
        ("POST /users", person(nmae="x"), "/nmae", "name"),
        ("POST /users", person(profile={"departement": "x"}), "/profile/departement", "department"),
        ("POST /users", person(profile={"addresses": [{"zip_code": "1"}]}),
         "/profile/addresses/0/zip_code", "zipcode"),
        ("POST /users", person(scopes=["user:write"]), "/scopes/0", "users:write"),
        ("PUT /users/{id}", person(localle="de"), "/localle", "locale"),
        ("PATCH /users/{id}", {"user_name": "x"}, "/user_name", "username"),
        ("PATCH /users/me", {"phon": "x"}, "/phon", "phone"),
        ("POST /users/exports", {"format": "xslx"}, "/format", "xlsx"),
        ("POST /users/exports", {"format": "csv", "sort": "emial"}, "/sort", "email"),
        ("POST /users/exports/schedules",
         {"name": "x", "cron": "0 0 * * *", "export": {"format": "csv", "citty": "x"}},
         "/export/citty", "city"),
        ("POST /auth/register", {"name": "x", "email": "x@example.com", "pasword": "y"}, "/pasword",
         "password"),
    ],
)  # fmt: skip
async def test_a_name_in_a_body_that_does_not_exist_is_told_which_was_meant(
    shared: httpx.AsyncClient, asked: str, body: Any, pointer: str, meant: str
) -> None:
    method, path = asked.split()
    user = await create(shared)
    reply = await shared.request(method, path.format(id=user["id"]), json=body)
    errors = {bad["pointer"]: bad["detail"] for bad in problem(reply, 422, "validation_failed")["errors"]}
    assert f"Did you mean `{meant}`?" in errors[pointer]


async def test_an_operation_of_a_batch_is_told_which_name_was_meant(shared: httpx.AsyncClient) -> None:
    operations = [{"op": "create", "usr": person()}, {"op": "create", "user": person(emial="x")}]
    reply = await shared.post("/users:batch", json={"operations": operations})
    first, second = (result["error"]["errors"] for result in reply.json()["results"])
    assert "Did you mean `user`?" in {bad["pointer"]: bad["detail"] for bad in first}["/usr"]
    assert "Did you mean `email`?" in {bad["pointer"]: bad["detail"] for bad in second}["/user/emial"]


async def test_a_scope_that_does_not_exist_is_told_which_was_meant_at_the_token_endpoint(
    shared: httpx.AsyncClient,
) -> None:
    form = {"grant_type": "password", "username": "x", "password": "y", "scope": "me user:read"}
    reply = await shared.post("/auth/token", data=form, headers={"Authorization": ""})
    assert reply.json()["error"] == "invalid_scope"
    assert reply.json()["error_description"].startswith("Did you mean users:read? ")


# --- no expressions


def test_each_pattern_of_a_request_has_its_words(shared: httpx.AsyncClient) -> None:
    routes = [route for route in iter_route_contexts(shared.app.routes) if hasattr(route, "dependant")]  # type: ignore[attr-defined]  # set by `serving`
    assert len(routes) > 40
    patterns = {pattern for route in routes for pattern in _patterns(route.dependant)}
    assert len(patterns) > 3
    assert patterns <= PATTERNS.keys()


def _patterns(dependant: Any) -> Iterator[str]:
    fields = [
        *dependant.path_params, *dependant.query_params, *dependant.header_params, *dependant.body_params
    ]  # fmt: skip
    for field in fields:
        yield from (item.pattern for item in field.field_info.metadata if getattr(item, "pattern", None))
        yield from _within(field.field_info.annotation)
    for below in dependant.dependencies:
        if isinstance(below.call, QueryOf):
            yield from _within(below.call._model)
        yield from _patterns(below)


def _within(annotation: Any) -> Iterator[str]:
    schema = getattr(annotation, "__pydantic_core_schema__", None)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from _strings(schema)


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if node.get("type") == "str" and "pattern" in node:
            yield node["pattern"]
        node = list(node.values())
    if isinstance(node, list | tuple):
        for item in node:
            yield from _strings(item)


async def test_no_refusal_shows_an_expression(shared: httpx.AsyncClient) -> None:
    replies = [
        await shared.get("/users?city=a%00b"),
        await shared.get("/users?id=x"),
        await shared.get("/audit?user=x"),
        await shared.get("/auth/invitations?limit=x"),
        await shared.post("/users", json=person(), headers={"Idempotency-Key": "a b"}),
        await shared.post(
            "/users/exports/schedules",
            json={"name": "a\tb", "cron": "0 0 * * *", "export": {"format": "csv"}},
        ),
        await shared.post(
            "/auth/register", json={"name": "x", "email": "x@x.example", "password_jwe": "a b"}
        ),
        await shared.post("/users:sign-out", json={"ids": ["x"]}),
    ]
    for reply in replies:
        for bad in problem(reply, 422, "validation_failed")["errors"]:
            assert bad["detail"].lower().startswith("must "), bad
            assert not set("^$\\[") & set(bad["detail"]), bad


# --- conflicts

TAKEN = {"email": "taken@example.com", "username": "taken", "phone": "+34600000000"}


async def test_a_create_names_each_value_that_others_have(client: httpx.AsyncClient) -> None:
    await create(client, email=TAKEN["email"])
    await create(client, username=TAKEN["username"])
    await create(client, phone=TAKEN["phone"])
    reply = await client.post("/users", json=person(**TAKEN))
    assert pointers(reply, 409, "already_exists") == {"/email", "/username", "/phone"}
    assert reply.json()["detail"] == "Other users have this email, username and phone."
    assert not any(value in reply.text for value in TAKEN.values())
    reply = await client.post("/users", json=person(**TAKEN | {"username": "free"}))
    assert pointers(reply, 409, "already_exists") == {"/email", "/phone"}
    operations = [{"op": "create", "user": person(**TAKEN)}, {"op": "create", "user": person()}]
    first, second = (await client.post("/users:batch", json={"operations": operations})).json()["results"]
    assert [bad["pointer"] for bad in first["error"]["errors"]] == [
        "/user/email",
        "/user/username",
        "/user/phone",
    ]
    assert second["status"] == 201


async def test_a_change_names_each_value_that_others_have_to_writers_alone(client: httpx.AsyncClient) -> None:
    await create(client, **TAKEN)
    mine = await create(client, username="mine")
    for method in ("PATCH", "PUT"):
        reply = await client.request(method, f"/users/{mine['id']}", json=person(**TAKEN))
        assert pointers(reply, 409, "already_exists") == {"/email", "/username", "/phone"}
    opened = client.app.state.container  # type: ignore[attr-defined]  # set by `serving`
    own = {"Authorization": f"Bearer {await mint_for(opened, mine['id'], 'me')}"}
    reply = await client.patch(
        "/users/me", json={"username": TAKEN["username"], "phone": TAKEN["phone"]}, headers=own
    )
    assert len(pointers(reply, 409, "already_exists")) == 1


async def test_a_stranger_who_registers_is_told_of_one_conflict(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, registration="open") as client:
        await create(client, **TAKEN)
        body = {"name": "Eve", "password": "correct horse battery", **TAKEN}
        reply = await client.post("/auth/register", json=body)
        assert len(pointers(reply, 409, "already_exists")) == 1
