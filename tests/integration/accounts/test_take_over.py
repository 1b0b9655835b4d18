"""Addresses that others set: an administrator's stays, and a user's resets nothing until they verified it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.applying import apply_plan
from tests.support.databases import PreparedDatabases
from tests.support.identity import call, member, token_of
from tests.support.mailed import ask, mails_to, token_in
from tests.support.users import problem, read, verify

Row = dict[str, Any]
Way = Callable[[httpx.AsyncClient, str, Row, str], Awaitable[None]]
"""A change of the user's address by who may write users; as far as it gets."""


@pytest.fixture(scope="module")
async def working(
    prepared_databases: PreparedDatabases, servers_folder: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """Mail is on, and imports are worked on."""
    folder = servers_folder / "mail"
    async with prepared_databases.serving(
        jobs_inside=True, mail_folder=folder, tries_per_address=100_000
    ) as client:
        yield client


async def patch(client: httpx.AsyncClient, token: str, user: Row, email: str) -> None:
    await call(client, "PATCH", f"/users/{user['id']}", token, json={"email": email})


async def put(client: httpx.AsyncClient, token: str, user: Row, email: str) -> None:
    now = await read(client, user)
    await call(client, "PUT", f"/users/{user['id']}", token, json=now | {"email": email})


async def batch(client: httpx.AsyncClient, token: str, user: Row, email: str) -> None:
    operation = {"op": "update", "id": user["id"], "patch": {"email": email}}
    await call(client, "POST", "/users:batch", token, json={"operations": [operation]})


async def upload(client: httpx.AsyncClient, token: str, user: Row, email: str) -> None:
    headers = {"Content-Type": "text/csv", "Prefer": "wait=30", "Authorization": f"Bearer {token}"}
    file = f"id,email\n{user['id']},{email}\n"
    plan = await client.post("/users/import", content=file, headers=headers)
    path = f"/users/imports/{plan.json()['id']}/apply"
    await client.post(path, headers=headers)


async def revert(client: httpx.AsyncClient, token: str, user: Row, email: str) -> None:
    """An import by an administrator undone, that had taken this address away."""
    old = (await read(client, user))["email"]
    await client.patch(f"/users/{user['id']}", json={"email": email})
    headers = {"Content-Type": "text/csv", "Prefer": "wait=30"}
    plan = await client.post("/users/import", content=f"id,email\n{user['id']},{old}\n", headers=headers)
    await apply_plan(client, plan.json())
    await verify(client, user)
    undone = await call(
        client, "POST", f"/users/imports/{plan.json()['id']}/revert", token, headers={"Prefer": "wait=30"}
    )
    if undone.status_code == 201:
        await call(client, "POST", f"/users/imports/{undone.json()['id']}/apply", token, headers=headers)


WAYS = pytest.mark.parametrize("way", [patch, put, batch, upload, revert])


@WAYS
async def test_a_writer_changes_no_administrators_address(working: httpx.AsyncClient, way: Way) -> None:
    admin = await member(working, "me", "users:admin")
    await verify(working, admin)
    await way(working, await token_of(working, "users:write"), admin, f"{way.__name__}.admin@example.com")
    now = await read(working, admin)
    assert (now["email"], now["email_verified"]) == (admin["email"], True)


@pytest.mark.parametrize("way", [patch, put, batch, upload])
async def test_an_address_that_others_set_resets_and_verifies_nothing_on_a_strangers_request(
    working: httpx.AsyncClient, way: Way
) -> None:
    user, email = await member(working), f"{way.__name__}.user@example.com"
    await verify(working, user)
    await way(working, await token_of(working, "users:write"), user, email)
    now = await read(working, user)
    assert (now["email"], now["email_verified"]) == (email, False)
    for path in ("/auth/password/forgotten", "/auth/email/verification", "/auth/activation"):
        assert (await ask(working, email, path)).status_code == 202
    assert await mails_to(working, email) == []


@pytest.mark.parametrize("way", [patch, put, batch, upload])
async def test_a_code_that_was_mailed_before_dies_with_the_address_and_stays_dead(
    working: httpx.AsyncClient, way: Way
) -> None:
    user, token = await member(working), await token_of(working, "users:write")
    await verify(working, user)
    await ask(working, user["email"])
    link = token_in((await mails_to(working, user["email"]))[-1])
    for email in (f"{way.__name__}.moved@example.com", user["email"]):
        await way(working, token, user, email)
        assert (await read(working, user))["email"] == email
    body = {"token": link, "password": "seven owls read slowly"}
    problem(await call(working, "POST", "/auth/password/reset", json=body), 403, "invalid_code")


async def test_no_new_user_gets_an_administrators_address(working: httpx.AsyncClient) -> None:
    admin = await member(working, "me", "users:admin")
    token, email = await token_of(working, "users:write"), admin["email"].upper()
    reply = await call(working, "POST", "/users", token, json={"name": "x", "email": email})
    problem(reply, 409, "already_exists")
