"""Who may do what, and what takes a permission away: at the next request, on every worker."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from models.batch import MAX_OPERATIONS
from models.session import MAX_SIGN_OUTS
from models.values import ALL_SCOPES
from tests.support.api import serving
from tests.support.identity import (
    OTHER_PASSWORD,
    PASSWORD,
    ask_refresh,
    ask_token,
    call,
    hash_of,
    member,
    oauth_error,
    sign_in,
    token_of,
)
from tests.support.users import NOBODY, create, person, pointers, problem, read

ANYONE = None
"""Callers with a token."""

ID = "0123456789abcdef01234567"

SCHEDULE = {"name": "x", "cron": "0 6 * * *", "export": {"format": "csv"}}

ROUTES: list[tuple[str, str, Any, str | None]] = [
    ("GET", "/users", None, "users:read"),
    ("GET", "/users/suggest?q=an", None, "users:read"),
    ("GET", f"/users/{ID}", None, "users:read"),
    ("POST", "/users", {"name": "x", "email": "x@example.com"}, "users:write"),
    ("PATCH", f"/users/{ID}", {"name": "x"}, "users:write"),
    ("PUT", f"/users/{ID}", {"name": "x", "email": "x@example.com"}, "users:write"),
    ("DELETE", f"/users/{ID}", None, "users:write"),
    ("GET", f"/users/{ID}/avatar", None, "users:read"),
    ("PUT", f"/users/{ID}/avatar", None, "users:write"),
    ("DELETE", f"/users/{ID}/avatar", None, "users:write"),
    ("POST", f"/users/{ID}/avatar/uploads", {}, "users:write"),
    ("POST", f"/users/{ID}/avatar/uploads/{ID}/complete", None, "users:write"),
    ("GET", "/users/me/avatar", None, "me"),
    ("PUT", "/users/me/avatar", None, "me"),
    ("DELETE", "/users/me/avatar", None, "me"),
    ("POST", "/users/me/avatar/uploads", {}, "me"),
    ("POST", f"/users/me/avatar/uploads/{ID}/complete", None, "me"),
    ("POST", "/users:batch", {"operations": [{"op": "delete", "id": ID}]}, "users:write"),
    ("POST", "/users:bulk", {}, "users:write"),
    ("GET", "/users/bulk", None, "users:write"),
    ("GET", f"/users/bulk/{ID}", None, "users:write"),
    ("DELETE", f"/users/bulk/{ID}", None, "users:write"),
    ("POST", f"/users/bulk/{ID}/apply", None, "users:write"),
    ("POST", f"/users/bulk/{ID}/cancel", None, "users:write"),
    ("POST", f"/users/bulk/{ID}/revert", None, "users:write"),
    ("GET", "/views", None, "users:read"),
    ("POST", "/views", {}, "users:read"),
    ("GET", f"/views/{ID}", None, "users:read"),
    ("PUT", f"/views/{ID}", {}, "users:read"),
    ("DELETE", f"/views/{ID}", None, "users:read"),
    ("GET", "/events?type=none", None, "events:read"),  # refused before it is endless
    ("GET", "/webhooks", None, "webhooks"),
    ("POST", "/webhooks", {}, "webhooks"),
    ("GET", f"/webhooks/{ID}", None, "webhooks"),
    ("PATCH", f"/webhooks/{ID}", {}, "webhooks"),
    ("DELETE", f"/webhooks/{ID}", None, "webhooks"),
    ("POST", f"/webhooks/{ID}/secret", {}, "webhooks"),
    ("POST", f"/webhooks/{ID}/test", None, "webhooks"),
    ("GET", f"/webhooks/{ID}/deliveries", None, "webhooks"),
    ("POST", f"/webhooks/{ID}/redeliver", {}, "webhooks"),
    ("GET", "/statistics", None, "users:read"),
    ("GET", "/users/export", None, "users:export"),
    ("GET", "/users/export/csv", None, "users:export"),
    ("GET", "/users/export/excel", None, "users:export"),
    ("POST", "/users/exports", {"format": "csv"}, "users:export"),
    ("GET", "/users/exports", None, "users:export"),
    ("GET", f"/users/exports/{ID}", None, "users:export"),
    ("GET", f"/users/exports/{ID}/file", None, "users:export"),
    ("DELETE", f"/users/exports/{ID}", None, "users:export"),
    ("POST", "/users/exports/schedules", SCHEDULE, "users:export"),
    ("GET", "/users/exports/schedules", None, "users:export"),
    ("GET", f"/users/exports/schedules/{ID}", None, "users:export"),
    ("PATCH", f"/users/exports/schedules/{ID}", {"is_active": False}, "users:export"),
    ("DELETE", f"/users/exports/schedules/{ID}", None, "users:export"),
    ("POST", "/users/import", {}, "users:write"),
    ("POST", "/users/imports/uploads", {}, "users:write"),
    ("POST", f"/users/imports/uploads/{ID}/complete", None, "users:write"),
    ("GET", "/users/imports", None, "users:write"),
    ("GET", f"/users/imports/{ID}", None, "users:write"),
    ("GET", f"/users/imports/{ID}/rows.xlsx", None, "users:write"),
    ("POST", f"/users/imports/{ID}/apply", None, "users:write"),
    ("POST", f"/users/imports/{ID}/revert", None, "users:write"),
    ("DELETE", f"/users/imports/{ID}", None, "users:write"),
    ("GET", "/jobs", None, ANYONE),
    ("GET", f"/jobs/{ID}", None, ANYONE),
    ("POST", f"/jobs/{ID}/cancel", None, ANYONE),
    ("GET", f"/jobs/{ID}/events", None, ANYONE),
    ("GET", "/users/me", None, "me"),
    ("PATCH", "/users/me", {"name": "x"}, "me"),
    ("POST", "/users/me/password", {}, "me"),
    ("POST", "/users/me/email", {"email": "x@example.com"}, "me"),
    ("POST", "/users/me/email/verification", None, "me"),
    ("GET", "/users/me/sessions", None, ANYONE),
    ("DELETE", f"/users/me/sessions/{ID}", None, ANYONE),
    ("DELETE", "/users/me/sessions?keep_current=true", None, ANYONE),
    ("POST", "/users/me/tokens", {}, "me"),
    ("GET", "/users/me/tokens", None, "me"),
    ("DELETE", f"/users/me/tokens/{ID}", None, "me"),
    ("GET", "/users/me/consents", None, "me"),
    ("DELETE", "/users/me/consents/portal", None, "me"),
    ("GET", f"/users/{ID}/consents", None, "users:admin"),
    ("DELETE", f"/users/{ID}/consents/portal", None, "users:admin"),
    ("GET", "/clients", None, "users:admin"),
    ("POST", "/clients", {}, "users:admin"),
    ("GET", "/clients/portal", None, "users:admin"),
    ("PATCH", "/clients/portal", {}, "users:admin"),
    ("DELETE", "/clients/portal", None, "users:admin"),
    ("POST", "/clients/portal/secret", None, "users:admin"),
    ("POST", "/clients/portal/tokens", {}, "users:admin"),
    ("GET", "/clients/portal/activity", None, "users:admin"),
    ("GET", "/clients/portal/users", None, "users:admin"),
    ("PUT", f"/clients/portal/users/{ID}", {}, "users:admin"),
    ("DELETE", f"/clients/portal/users/{ID}", None, "users:admin"),
    ("GET", "/clients/portal/tokens", None, "users:admin"),
    ("DELETE", f"/clients/portal/tokens/{ID}", None, "users:admin"),
    ("GET", f"/users/{ID}/tokens", None, "users:admin"),
    ("DELETE", f"/users/{ID}/tokens/{ID}", None, "users:admin"),
    ("GET", f"/users/{ID}/sessions", None, "users:admin"),
    ("DELETE", f"/users/{ID}/sessions", None, "users:admin"),
    ("DELETE", f"/users/{ID}/sessions/{ID}", None, "users:admin"),
    ("PUT", f"/users/{ID}/password", {"password": PASSWORD}, "users:admin"),
    ("POST", f"/users/{ID}/activation", None, "users:admin"),
    ("POST", "/users/activations", {"ids": [ID]}, "users:admin"),
    ("POST", "/users:send-activations", None, "users:admin"),
    ("GET", f"/users/{ID}/throttle", None, "users:admin"),
    ("DELETE", f"/users/{ID}/throttle", None, "users:admin"),
    ("GET", "/addresses/203.0.113.7/throttle", None, "users:admin"),
    ("DELETE", "/addresses/203.0.113.7/throttle", None, "users:admin"),
    ("POST", "/users:sign-out", {"ids": [ID]}, "users:admin"),
    ("GET", "/audit", None, "users:admin"),
    ("GET", "/settings", None, "users:admin"),
    ("GET", "/signing-keys", None, "users:admin"),
    ("POST", "/signing-keys", None, "users:admin"),
    ("GET", "/mails", None, "users:admin"),
    ("GET", f"/mails/{ID}", None, "users:admin"),
    ("POST", f"/mails/{ID}/send", None, "users:admin"),
    ("DELETE", f"/mails/{ID}", None, "users:admin"),
    ("POST", "/auth/invitations", {}, "users:admin"),
    ("GET", "/auth/invitations", None, "users:admin"),
    ("POST", f"/auth/invitations/{'0' * 64}/send", None, "users:admin"),
    ("DELETE", f"/auth/invitations/{'0' * 64}", None, "users:admin"),
    ("POST", "/auth/logout", None, ANYONE),
]
OPEN = {
    ("GET", "/health/live"), ("GET", "/health/ready"), ("GET", "/auth/keys/password"),
    ("GET", "/webhooks/keys"),
    ("GET", "/.well-known/jwks.json"), ("GET", "/.well-known/oauth-authorization-server"),
    ("GET", "/.well-known/openid-configuration"), ("GET", "/auth/userinfo"), ("POST", "/auth/userinfo"),
    ("POST", "/auth/par"), ("POST", "/auth/browser-token"), ("GET", "/avatars/{version}"),
    ("POST", "/auth/token"), ("POST", "/auth/register"), ("POST", "/auth/introspect"),
    ("POST", "/auth/revoke"), ("POST", "/auth/device"),
    ("POST", "/auth/password/forgotten"), ("POST", "/auth/password/reset"),
    ("POST", "/auth/activation"), ("POST", "/auth/activate"),
    ("POST", "/auth/email/verification"), ("POST", "/auth/email/verify"),
    ("POST", "/auth/email/confirm"), ("POST", "/auth/email/take-back"),
    ("POST", "/auth/clients"), ("GET", "/auth/clients/{client_id}"),
    ("PUT", "/auth/clients/{client_id}"), ("DELETE", "/auth/clients/{client_id}"),
}  # fmt: skip


@pytest.fixture(scope="module")
def token_with(shared: httpx.AsyncClient) -> Callable[..., Awaitable[str]]:
    """Signs in once for each set of scopes."""
    tokens: dict[tuple[str, ...], str] = {}

    async def find(*scopes: str) -> str:
        if scopes not in tokens:
            tokens[scopes] = await token_of(shared, *scopes)
        return tokens[scopes]

    return find


@pytest.mark.parametrize(("method", "path", "body", "scope"), ROUTES)
async def test_each_route_takes_its_own_scope_and_no_other(
    shared: httpx.AsyncClient,
    token_with: Callable[..., Awaitable[str]],
    method: str,
    path: str,
    *,
    body: Any,
    scope: str | None,
) -> None:
    sent: dict[str, Any] = {"json": body, "headers": {"Prefer": "wait=0"}}  # nobody works on jobs here
    problem(await call(shared, method, path, **sent), 401, "unauthenticated")
    if scope is None:
        allowed = await call(shared, method, path, await token_of(shared, "users:export"), **sent)
        assert allowed.status_code in {200, 204, 404}, allowed.text
        return
    others = [other for other in ALL_SCOPES if other != scope]
    reply = await call(shared, method, path, await token_with(*others), **sent)
    assert scope in problem(reply, 403, "insufficient_scope")["detail"]
    expected = f'Bearer realm="roster", error="insufficient_scope", scope="{scope}"'
    assert reply.headers["www-authenticate"] == expected
    allowed = await call(shared, method, path, await token_with(scope), **sent)
    assert allowed.status_code not in {401, 403, 500}, allowed.text


async def test_no_route_was_forgotten_here(shared: httpx.AsyncClient) -> None:
    document = (await shared.get("/openapi.json")).json()
    declared = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
        if method in {"get", "post", "put", "patch", "delete"}
    }
    known = {
        (
            method,
            path.partition("?")[0]
            .replace(f"sessions/{ID}", "sessions/{session_id}")
            .replace("portal", "{client_id}")
            .replace(f"tokens/{ID}", "tokens/{token_id}")
            .replace(f"exports/{ID}", "exports/{export_id}")
            .replace(f"schedules/{ID}", "schedules/{schedule_id}")
            .replace(f"imports/{ID}", "imports/{import_id}")
            .replace(f"uploads/{ID}", "uploads/{upload_id}")
            .replace(f"bulk/{ID}", "bulk/{bulk_id}")
            .replace(f"views/{ID}", "views/{view_id}")
            .replace(f"webhooks/{ID}", "webhooks/{webhook_id}")
            .replace(f"jobs/{ID}", "jobs/{job_id}")
            .replace(f"mails/{ID}", "mails/{mail_id}")
            .replace("addresses/203.0.113.7", "addresses/{address}")
            .replace("0" * 64, "{invitation_id}")
            .replace(ID, "{user_id}"),
        )
        for method, path, _, _ in ROUTES
    }
    assert declared == known | OPEN


# --- users:write without users:admin


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("PATCH", {"scopes": ["me", "users:admin"]}),
        ("PATCH", {"scopes": ["me"]}),
        ("PATCH", {"is_active": False}),
        ("PATCH", {"is_active": True, "name": "x"}),
        ("PUT", {"name": "x", "email": "put@example.com", "scopes": ["me", "users:read"]}),
        ("PUT", {"name": "x", "email": "put@example.com", "is_active": False}),
    ],
)
async def test_a_writer_says_nothing_of_scopes_and_activation(
    client: httpx.AsyncClient, method: str, said: dict[str, Any]
) -> None:
    token = await token_of(client, "users:write", "users:read")
    user = await create(client)
    reply = await call(client, method, f"/users/{user['id']}", token, json=said)
    problem(reply, 403, "insufficient_scope")
    operation = {"op": "update", "id": user["id"], "patch": said}
    if method == "PATCH":
        batch = await call(client, "POST", "/users:batch", token, json={"operations": [operation]})
        assert [each["status"] for each in batch.json()["results"]] == [403]
    assert await read(client, user) == user


async def test_a_writer_creates_plain_users_only(client: httpx.AsyncClient) -> None:
    token = await token_of(client, "users:write")
    for more in ({"scopes": ["users:admin"]}, {"scopes": ["me"]}, {"is_active": False}):
        problem(await call(client, "POST", "/users", token, json=person(**more)), 403, "insufficient_scope")
        operations = [{"op": "create", "user": person()}, {"op": "create", "user": person(**more)}]
        batch = await call(client, "POST", "/users:batch", token, json={"operations": operations})
        assert [each["status"] for each in batch.json()["results"]] == [201, 403]
    made = await call(client, "POST", "/users", token, json=person())
    assert (made.status_code, made.json()["scopes"], made.json()["is_active"]) == (201, ["me"], True)


async def test_a_writer_leaves_administrators_alone(client: httpx.AsyncClient) -> None:
    token = await token_of(client, "users:write")
    admin = await member(client, "me", "users:admin")
    path, new = f"/users/{admin['id']}", {"name": "x", "email": "x@example.com"}
    for reply in (
        await call(client, "PATCH", path, token, json={"email": "mine@example.com"}),
        await call(client, "PATCH", path, token, json={}),
        await call(client, "PUT", path, token, json=new),
        await call(client, "DELETE", path, token),
    ):
        problem(reply, 403, "insufficient_scope")
    operations = [
        {"op": "update", "id": admin["id"], "patch": {"name": "x"}},
        {"op": "delete", "id": admin["id"]},
    ]
    batch = await call(client, "POST", "/users:batch", token, json={"operations": operations})
    assert [each["status"] for each in batch.json()["results"]] == [403, 403]
    assert await read(client, admin) == admin


async def test_a_replacement_by_a_writer_keeps_scopes_and_activation(client: httpx.AsyncClient) -> None:
    token = await token_of(client, "users:write")
    user = await create(client, scopes=["me", "users:export"], is_active=False, tags=["a"])
    new = {"name": "New", "email": user["email"]}
    reply = await call(client, "PUT", f"/users/{user['id']}", token, json=new)
    assert reply.status_code == 200, reply.text
    changed = reply.json()
    assert (changed["scopes"], changed["is_active"], changed["tags"]) == (["me", "users:export"], False, [])


async def test_an_administrator_sets_both(client: httpx.AsyncClient) -> None:
    token = await token_of(client, "users:write", "users:admin")
    user = await create(client)
    said = {"scopes": ["me", "users:admin"], "is_active": False}
    reply = await call(client, "PATCH", f"/users/{user['id']}", token, json=said)
    assert reply.status_code == 200, reply.text
    assert (reply.json()["scopes"], reply.json()["is_active"]) == (["me", "users:admin"], False)
    assert (await call(client, "DELETE", f"/users/{user['id']}", token)).status_code == 204


# --- what ends sessions

Change = Callable[[httpx.AsyncClient, dict[str, Any]], Awaitable[httpx.Response]]


async def _batch(client: httpx.AsyncClient, **operation: Any) -> httpx.Response:
    reply = await client.post("/users:batch", json={"operations": [operation]})
    assert reply.json()["results"][0]["status"] in {200, 204}, reply.text
    return reply


ENDS: dict[str, Change] = {
    "deactivated by PATCH": lambda c, u: c.patch(f"/users/{u['id']}", json={"is_active": False}),
    "deactivated by PUT": lambda c, u: c.put(
        f"/users/{u['id']}", json={"name": "x", "email": u["email"], "is_active": False}
    ),
    "deactivated by batch": lambda c, u: _batch(c, op="update", id=u["id"], patch={"is_active": False}),
    "fewer scopes by PATCH": lambda c, u: c.patch(f"/users/{u['id']}", json={"scopes": ["me"]}),
    "other scopes by PATCH": lambda c, u: c.patch(
        f"/users/{u['id']}", json={"scopes": ["me", "users:export", "users:admin"]}
    ),
    "fewer scopes by PUT": lambda c, u: c.put(
        f"/users/{u['id']}", json={"name": "x", "email": u["email"], "scopes": []}
    ),
    "fewer scopes by batch": lambda c, u: _batch(c, op="update", id=u["id"], patch={"scopes": ["me"]}),
    "deleted": lambda c, u: c.delete(f"/users/{u['id']}"),
    "deleted by batch": lambda c, u: _batch(c, op="delete", id=u["id"]),
    "password set": lambda c, u: c.put(f"/users/{u['id']}/password", json={"password": OTHER_PASSWORD}),
    "hash set": lambda c, u: c.put(
        f"/users/{u['id']}/password", json={"password_hash": hash_of(OTHER_PASSWORD)}
    ),
    "signed out everywhere": lambda c, u: c.delete(f"/users/{u['id']}/sessions"),
    "signed out in bulk": lambda c, u: c.post("/users:sign-out", json={"ids": [u["id"]]}),
}


@pytest.mark.parametrize("how", ENDS)
async def test_what_ends_sessions_ends_them_at_the_next_request_on_every_worker(
    client: httpx.AsyncClient, mongo_uri: str, redis_url: str, how: str
) -> None:
    user = await member(client, "me", "users:read")
    bystander = await sign_in(client, await member(client, "me", "users:read"))
    async with serving(mongo_uri, redis_url) as other:
        first, second = await sign_in(client, user), await sign_in(other, user)
        for worker in (client, other):
            for tokens in (first, second):  # each worker knows both tokens from here on
                assert (await call(worker, "GET", "/users", tokens["access_token"])).status_code == 200
        reply = await ENDS[how](client, user)
        assert reply.status_code in {200, 204}, reply.text
        for worker in (other, client):
            for tokens in (first, second):
                for path in ("/users", "/users/me", f"/users/{user['id']}", "/users/me/sessions"):
                    ended = await call(worker, "GET", path, tokens["access_token"])
                    problem(ended, 401, "session_revoked")
                oauth_error(await ask_refresh(worker, tokens["refresh_token"]), "invalid_grant")
            assert (await call(worker, "GET", "/users", bystander["access_token"])).status_code == 200


@pytest.mark.parametrize(
    "said",
    [{"scopes": ["me", "users:read", "users:export"]}, {"name": "New"}, {"is_active": True}, {"tags": ["x"]}],
)
async def test_what_takes_nothing_away_signs_nobody_out(
    client: httpx.AsyncClient, said: dict[str, Any]
) -> None:
    user = await member(client, "me", "users:read")
    tokens = await sign_in(client, user)
    assert (await client.patch(f"/users/{user['id']}", json=said)).status_code == 200
    assert (await call(client, "GET", "/users", tokens["access_token"])).status_code == 200
    renewed = (await ask_refresh(client, tokens["refresh_token"])).json()
    assert renewed["scope"] == "me users:read"  # what the session was begun with
    assert (await client.delete(f"/users/{user['id']}", headers={"If-Match": '"1"'})).status_code == (
        204 if said == {"is_active": True} else 412
    )


async def test_a_refused_change_signs_nobody_out(client: httpx.AsyncClient) -> None:
    await create(client, username="taken")
    user = await member(client, "me", "users:read")
    tokens = await sign_in(client, user)
    path = f"/users/{user['id']}"
    for reply in (
        await client.patch(path, json={"is_active": False, "username": "taken"}),
        await client.patch(path, json={"is_active": False}, headers={"If-Match": '"9"'}),
        await client.delete(path, headers={"If-Match": '"9"'}),
        await client.put(f"{path}/password", json={"password": "short"}),
        await client.put(f"{path}/password", json={"password_hash": "$2b$12$torn"}),
    ):
        assert reply.status_code in {409, 412, 422}, reply.text
    assert (await call(client, "GET", "/users", tokens["access_token"])).status_code == 200
    assert (await ask_refresh(client, tokens["refresh_token"])).status_code == 200


async def test_a_deactivated_user_signs_in_again_once_activated_with_new_sessions_only(
    client: httpx.AsyncClient,
) -> None:
    user = await member(client)
    old = await sign_in(client, user)
    await client.patch(f"/users/{user['id']}", json={"is_active": False})
    oauth_error(await ask_token(client, user["email"]), "invalid_grant")
    await client.patch(f"/users/{user['id']}", json={"is_active": True})
    new = await sign_in(client, user)
    assert (await call(client, "GET", "/users/me", new["access_token"])).status_code == 200
    problem(await call(client, "GET", "/users/me", old["access_token"]), 401, "session_revoked")


async def test_one_deleted_is_gone_from_everywhere(client: httpx.AsyncClient) -> None:
    user = await member(client, username="gone", tags=["leaver"])
    tokens = await sign_in(client, user)
    await client.delete(f"/users/{user['id']}")
    for query in ({"tag": "leaver"}, {"email": user["email"]}, {"id": user["id"]}, {"username": "gone"}):
        assert (await client.get("/users", params=query)).json()["items"] == []
    assert user["email"] not in (await client.get("/users/export/csv")).text
    assert (await client.get(f"/users/{user['id']}/sessions")).json()["items"] == []
    problem(await client.delete(f"/users/{user['id']}/sessions"), 404, "user_not_found")
    oauth_error(await ask_token(client, user["email"]), "invalid_grant")
    again = await member(client, email=user["email"])
    assert again["id"] != user["id"]
    problem(await call(client, "GET", "/users/me", tokens["access_token"]), 401, "session_revoked")


# --- what administrators do with sessions


async def test_an_administrator_lists_and_ends_anyones_sessions(client: httpx.AsyncClient) -> None:
    user = await member(client)
    one, two = await sign_in(client, user), await sign_in(client, user)
    path = f"/users/{user['id'].upper()}/sessions"
    listed = (await client.get(path)).json()["items"]
    assert [each["current"] for each in listed] == [False, False]
    reply = await client.delete(f"{path}/{listed[1]['id']}")
    assert (reply.status_code, reply.content) == (204, b"")
    problem(await call(client, "GET", "/users/me", one["access_token"]), 401, "session_revoked")
    assert (await call(client, "GET", "/users/me", two["access_token"])).status_code == 200
    problem(await client.delete(f"{path}/{listed[1]['id']}"), 404, "session_not_found")
    stranger = await create(client)
    elsewhere = f"/users/{stranger['id']}/sessions/{listed[0]['id']}"
    problem(await client.delete(elsewhere), 404, "session_not_found")
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).json()["items"] == []
    problem(await call(client, "GET", "/users/me", two["access_token"]), 401, "session_revoked")
    assert (await client.delete(path)).status_code == 204


async def test_a_bulk_sign_out_answers_each_id_in_order(client: httpx.AsyncClient) -> None:
    people = [await member(client) for _ in range(3)]
    tokens = [await sign_in(client, user) for user in people]
    ids = [people[0]["id"], NOBODY, people[2]["id"].upper(), people[0]["id"]]
    reply = await client.post("/users:sign-out", json={"ids": ids})
    assert reply.json() == {
        "results": [
            {"id": people[0]["id"], "status": 204},
            {"id": NOBODY, "status": 404},
            {"id": people[2]["id"], "status": 204},
            {"id": people[0]["id"], "status": 204},
        ]
    }
    alive = [(await call(client, "GET", "/users/me", each["access_token"])).status_code for each in tokens]
    assert alive == [401, 200, 401]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ids": []},
        {"ids": ["x"]},
        {"ids": [NOBODY], "all": True},
        {"ids": [NOBODY] * (MAX_SIGN_OUTS + 1)},
    ],
)
async def test_a_bulk_sign_out_takes_one_to_a_thousand_ids(
    client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    assert pointers(await client.post("/users:sign-out", json=body))


async def test_a_thousand_are_signed_out_by_one_call(client: httpx.AsyncClient) -> None:
    operations = [{"op": "create", "user": person()} for _ in range(MAX_OPERATIONS)]
    made = (await client.post("/users:batch", json={"operations": operations}, timeout=60)).json()["results"]
    ids = [each["id"] for each in made]
    reply = await client.post("/users:sign-out", json={"ids": ids}, timeout=60)
    assert reply.json()["results"] == [{"id": user_id, "status": 204} for user_id in ids]


async def test_a_password_set_by_an_administrator_follows_the_policy(client: httpx.AsyncClient) -> None:
    user = await create(client, name="Anastasia")
    path = f"/users/{user['id']}/password"
    for body, at in (
        ({"password": "short"}, "/password"),
        ({"password": "anastasia-x1"}, "/password"),
        ({"password": "canary" * 300}, "/password"),
        ({"password_hash": "canary"}, "/password_hash"),
        ({"password_hash": "$argon2id$v=19$m=9999999,t=99,p=1$c2FsdHNhbHQ$c3Vt"}, "/password_hash"),
        ({"password": PASSWORD, "password_hash": hash_of(PASSWORD)}, "/password_hash"),
        ({"password_jwe": "x", "password_hash": hash_of(PASSWORD)}, "/password_hash"),
        ({}, "/password"),
        ({"password": PASSWORD, "scopes": ["users:admin"]}, "/scopes"),
    ):
        reply = await client.put(path, json=body)
        assert at in pointers(reply), reply.text
        for secret in ("canary", PASSWORD, hash_of(PASSWORD)):
            assert secret not in reply.text
    problem(await client.put(f"/users/{NOBODY}/password", json={"password": PASSWORD}), 404, "user_not_found")
    assert (await client.put(path, json={"password": PASSWORD})).status_code == 204
    await sign_in(client, user)
    assert (await read(client, user))["version"] == 1


# --- what no route shows

HIDDEN = [
    "credentials", "credentials.password_hash", "credentials.generation", "password_hash", "keys",
    "keys.email", "facets", "_id", "$where", "keys.name",
]  # fmt: skip


@pytest.mark.parametrize("name", HIDDEN)
async def test_hidden_fields_are_no_field_filter_order_or_column(
    client: httpx.AsyncClient, name: str
) -> None:
    await member(client)
    for path, query in (
        ("/users", {"fields": name}),
        ("/users", {"fields": f"name,{name}"}),
        ("/users", {"sort": name}),
        ("/users", {"sort": f"-{name}"}),
        ("/users", {name: "x"}),
        ("/users", {f"{name}[$regex]": "^a"}),
        ("/users", {f"{name}[$ne]": ""}),
        ("/users/export", {"columns": name}),
        ("/users/export/csv", {"columns": f"id,{name}"}),
        ("/users/export/excel", {"columns": f"{name}:Hash"}),
        ("/users/export", {"sort": name}),
        ("/users/export", {name: "x"}),
    ):
        problem(await client.get(path, params=query), 422, "validation_failed")


async def test_what_is_hidden_is_in_no_reply(client: httpx.AsyncClient) -> None:
    user = await member(client, *ALL_SCOPES)
    token = (await sign_in(client, user))["access_token"]
    path = f"/users/{user['id']}"
    replies = [
        await call(client, "GET", "/users", token),
        await call(client, "GET", path, token),
        await call(client, "GET", "/users/me", token),
        await call(client, "GET", "/users?fields=name,profile", token),
        await call(client, "PATCH", "/users/me", token, json={"locale": "de"}),
        await call(client, "PATCH", path, token, json={"locale": "fr"}),
        await call(client, "PUT", path, token, json={"name": "x", "email": user["email"]}),
        await call(client, "POST", "/users", token, json=person()),
        await call(client, "GET", "/users/export?format=ndjson", token),
        await call(client, "GET", "/users/export/csv", token),
    ]
    for reply in replies:
        assert reply.is_success, reply.text
        for hidden in ("credentials", "facets", '"keys"', "generation", "argon2", "password"):
            assert hidden not in reply.text


async def test_with_me_alone_nobody_else_is_seen(client: httpx.AsyncClient) -> None:
    other = await create(client)
    token = await token_of(client, "me")
    for path in ("/users", f"/users/{other['id']}", "/users/export", f"/users/{other['id']}/sessions"):
        reply = await call(client, "GET", path, token)
        problem(reply, 403, "insufficient_scope")
        assert other["email"] not in reply.text
    # Not even whether they are there: the scope is asked for first.
    problem(await call(client, "GET", f"/users/{NOBODY}", token), 403, "insufficient_scope")
    problem(await call(client, "GET", "/users/nonsense", token), 404, "not_found")


async def test_a_session_under_a_limit_of_one_displaces_the_other_and_says_so(
    mongo_uri: str, redis_url: str
) -> None:
    async with serving(mongo_uri, redis_url, sessions_per_user=1) as client:
        user = await member(client)
        old, new = await sign_in(client, user), await sign_in(client, user)
        problem(await call(client, "GET", "/users/me", old["access_token"]), 401, "session_displaced")
        oauth_error(await ask_refresh(client, old["refresh_token"]), "invalid_grant")
        assert (await call(client, "GET", "/users/me", new["access_token"])).status_code == 200
        many = await asyncio.gather(*(sign_in(client, user) for _ in range(10)))
        alive = [(await call(client, "GET", "/users/me", each["access_token"])).status_code for each in many]
        assert sorted(alive) == [200] + [401] * 9
