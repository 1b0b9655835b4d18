"""Directories as earlier commits left them, under this code: everything in them is there and works on."""

from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest

from app.commands import first_start, integrity
from app.container import Container
from app.search import SearchIndex
from tests.dumps.people import ADMIN, ODD, PASSWORD, PEOPLE
from tests.dumps.restoring import COMMITS, Known, restore
from tests.support.api import serving
from tests.support.identity import ask_refresh, ask_token, post_form, sign_in
from tests.support.servers import MongoServer, RedisServer

LASTING: dict[str, Any] = {"session_idle_ttl_s": 315_360_000, "session_absolute_ttl_s": 315_360_000}
"""As the dumps were made, or their sessions would have ended by now."""
WITHOUT_SIGN_IN = "14a6d74"
WITH_SESSIONS = [commit for commit in COMMITS if commit != WITHOUT_SIGN_IN]
Old = tuple[httpx.AsyncClient, Known]


@pytest.fixture(scope="module", params=COMMITS)
async def old(
    request: pytest.FixtureRequest, mongo_server: MongoServer, redis_server: RedisServer
) -> AsyncIterator[Old]:
    """This code on a directory of that commit, whose users the tests share."""
    uri, redis_url = mongo_server.uri_of(f"t_{request.param}"), redis_server.url.removesuffix("/0") + "/3"
    known = restore(request.param, uri, redis_url)
    async with serving(uri, redis_url, jobs_inside=True, registration="invitation", **LASTING) as client:
        yield client, known
        await resources(client).connections.database.client.drop_database(f"t_{request.param}")


def resources(client: httpx.AsyncClient) -> Container:
    opened: Container = client.app.state.container  # type: ignore[attr-defined]  # set by `serving`
    return opened


async def read_all(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    """Every user, page by page."""
    found: list[dict[str, Any]] = []
    asked = {"limit": 7} | query
    while True:
        reply = await client.get("/users", params=asked)
        assert reply.status_code == 200, reply.text
        found += reply.json()["items"]
        if (following := reply.json()["next"]) is None:
            return found
        asked["cursor"] = following


async def test_a_start_on_old_search_fields_names_the_command_that_renews_them(
    old: Old, capsys: pytest.CaptureFixture[str]
) -> None:
    client, known = old
    users = resources(client).connections.users
    await first_start.prepare(resources(client))
    assert "python -m app search reindex" in capsys.readouterr().err
    is_searched = known != Known()  # the first of them had no search fields
    assert bool(await read_all(client, q="zhang wei")) == is_searched
    await SearchIndex(users).reindex()
    await first_start.prepare(resources(client))
    assert "search" not in capsys.readouterr().err
    for words in ("angstrom", "zhang wei", "каренина"):
        assert await read_all(client, q=words), words
    assert (await integrity.check(resources(client))).wrong == []


@pytest.mark.parametrize("sort", ["created_at", "-name", "age", "email"])
async def test_all_old_users_are_paged_through_in_every_order(old: Old, sort: str) -> None:
    client, _ = old
    emails = {user["email"] for user in await read_all(client, sort=sort)}
    assert emails >= {person["email"] for person in [*PEOPLE, *ODD]}


async def test_nobody_of_old_has_verified_their_address(old: Old) -> None:
    client, _ = old
    everybody = {user["id"] for user in await read_all(client)}
    assert {user["id"] for user in await read_all(client, email_verified="false")} == everybody
    assert await read_all(client, email_verified="true") == []


async def test_old_users_are_read_changed_and_deleted(old: Old) -> None:
    client, _ = old
    for user in await read_all(client):
        whole = await client.get(f"/users/{user['id']}")
        assert whole.status_code == 200, whole.text
        path, match = f"/users/{user['id']}", {"If-Match": whole.headers["ETag"]}
        changed = await client.patch(path, json={"profile": {"title": "Retired"}}, headers=match)
        assert (changed.status_code, changed.json()["profile"]["title"]) == (200, "Retired"), changed.text
        assert changed.json()["version"] == whole.json()["version"] + 1
    (person,) = await read_all(client, email=PEOPLE[2]["email"])
    assert (await client.delete(f"/users/{person['id']}")).status_code == 204


async def test_an_old_address_stays_taken(old: Old) -> None:
    client, _ = old
    reply = await client.post("/users", json={"name": "Ana", "email": PEOPLE[3]["email"].upper()})
    assert (reply.status_code, reply.json()["code"]) == (409, "already_exists"), reply.text


@pytest.mark.parametrize("form", ["csv", "xlsx", "ndjson"])
async def test_old_users_are_exported_and_the_file_changes_nothing_when_it_comes_back(
    old: Old, form: str
) -> None:
    client, _ = old
    exported = await client.get(f"/users/export?format={form}")
    assert exported.status_code == 200, exported.text
    headers = {"Content-Type": exported.headers["Content-Type"], "Prefer": "wait=30"}
    plan = await client.post("/users/import", content=exported.content, headers=headers)
    assert plan.status_code == 201, plan.text
    counts = plan.json()["counts"]
    assert counts["unchanged"] >= len(PEOPLE), plan.text
    assert (counts["create"], counts["delete"]) == (0, 0), plan.text


@pytest.mark.parametrize("old", WITH_SESSIONS, indirect=True)
async def test_old_passwords_clients_sessions_and_invitations_are_good(old: Old) -> None:
    client, known = old
    await sign_in(client, {"email": ADMIN}, PASSWORD)
    assert (await ask_token(client, PEOPLE[1]["username"], PASSWORD)).status_code == 200
    refreshed = await ask_refresh(client, known.refresh_token)
    assert refreshed.status_code == 200, refreshed.text
    token = refreshed.json()["access_token"]
    client_of_old = {"client_id": "portal", "client_secret": known.secret, "token": token}
    assert (await post_form(client, "/auth/introspect", client_of_old)).json()["active"] is True
    invited = {
        "name": "In",
        "email": "invited@example.com",
        "password": PASSWORD,
        "invitation": known.invitation,
    }
    registered = await client.post("/auth/register", json=invited)
    assert registered.status_code == 201, registered.text


@pytest.mark.parametrize("old", WITH_SESSIONS, indirect=True)
async def test_old_exports_schedules_imports_and_the_trail_are_read_and_go_on(old: Old) -> None:
    client, known = old
    file = await client.get(f"/users/exports/{known.export}/file")
    assert (file.status_code, file.text.count("\r\n")) == (200, 40), file.text
    assert (await client.get(f"/users/exports/schedules/{known.schedule}")).json()["name"] == "Weekly"
    assert (await client.get(f"/users/imports/{known.applied}")).json()["state"] == "applied"
    wait = {"Prefer": "wait=30"}
    applied = await client.post(f"/users/imports/{known.planned}/apply", headers=wait)
    assert (applied.status_code, applied.json()["state"]) == (200, "applied"), applied.text
    assert len(await read_all(client, email="planned@example.com")) == 1
    assert len(cast("list[Any]", (await client.get("/audit?limit=100")).json()["items"])) > len(PEOPLE)
    assert {job["state"] for job in (await client.get("/jobs")).json()["items"]} == {"succeeded"}
