"""`/clients/{id}/users`: users that administrators let a provisioning client see."""

import secrets
from typing import Any

import httpx
from bson import ObjectId

from tests.support.identity import call
from tests.support.scim import Provider, provider, scim_error
from tests.support.users import database, problem


async def create(shared: httpx.AsyncClient) -> dict[str, Any]:
    email = f"kim-{secrets.token_hex(4)}@example.com"
    reply = await shared.post("/users", json={"name": "Kim", "email": email})
    assert reply.status_code == 201, reply.text
    user: dict[str, Any] = reply.json()
    return user


async def give(okta: Provider, user_id: str) -> None:
    given = await okta.http.put(f"/clients/{okta.client_id}/users/{user_id}")
    assert given.status_code == 204, given.text


async def seen_by(okta: Provider) -> list[dict[str, Any]]:
    reply = await okta.http.get(f"/clients/{okta.client_id}/users")
    assert reply.status_code == 200, reply.text
    items: list[dict[str, Any]] = reply.json()["items"]
    return items


async def test_a_client_finds_and_changes_a_user_that_it_was_given(shared: httpx.AsyncClient) -> None:
    okta, user = await provider(shared), await create(shared)
    scim_error(await okta.ask("GET", f"/Users/{user['id']}"), 404)
    await give(okta, user["id"])
    (found,) = await okta.find(f'userName eq "{user["email"]}"')
    assert (found["id"], found["displayName"]) == (user["id"], "Kim")
    operation = {"op": "replace", "path": "externalId", "value": "00u1"}
    assert (await okta.patch(found, operation)).status_code == 200
    await give(okta, user["id"])
    (link,) = await seen_by(okta)
    assert (link["user"], link["external_id"]) == (user["id"], "00u1")


async def test_a_client_no_longer_sees_a_user_that_was_taken_from_it(shared: httpx.AsyncClient) -> None:
    okta = await provider(shared)
    made = await okta.make(f"lou-{secrets.token_hex(4)}@example.com")
    path = f"/clients/{okta.client_id}/users/{made['id']}"
    assert (await shared.delete(path)).status_code == 204
    scim_error(await okta.ask("GET", f"/Users/{made['id']}"), 404)
    assert (await shared.get(f"/users/{made['id']}")).status_code == 200
    problem(await shared.delete(path), 404, "user_not_found")


async def test_nobody_is_given_who_does_not_exist(shared: httpx.AsyncClient) -> None:
    okta = await provider(shared)
    path = f"/clients/{okta.client_id}/users/{ObjectId()}"
    problem(await shared.put(path), 404, "user_not_found")
    assert await seen_by(okta) == []
    problem(await shared.put(f"/clients/nobody/users/{ObjectId()}"), 404, "client_not_found")


async def test_the_users_of_a_client_come_page_by_page(shared: httpx.AsyncClient) -> None:
    okta = await provider(shared)
    users = [(await create(shared))["id"] for _ in range(3)]
    for user_id in reversed(users):
        await give(okta, user_id)
    path = f"/clients/{okta.client_id}/users"
    first = (await shared.get(path, params={"limit": 2})).json()
    second = (await shared.get(path, params={"limit": 2, "cursor": first["next"]})).json()
    assert [each["user"] for each in first["items"] + second["items"]] == sorted(users)
    assert second["next"] is None


async def test_a_client_that_was_given_an_administrator_cannot_change_them(shared: httpx.AsyncClient) -> None:
    okta, user = await provider(shared), await create(shared)
    made = await shared.patch(f"/users/{user['id']}", json={"scopes": ["users:admin"]})
    assert made.status_code == 200, made.text
    await give(okta, user["id"])
    operation = {"op": "replace", "path": "active", "value": False}
    scim_error(await okta.patch(user, operation), 403)
    scim_error(await okta.ask("DELETE", f"/Users/{user['id']}"), 403)
    assert (await shared.get(f"/users/{user['id']}")).json()["is_active"]


async def test_a_link_goes_with_its_user(shared: httpx.AsyncClient) -> None:
    okta, user = await provider(shared), await create(shared)
    await give(okta, user["id"])
    assert (await shared.delete(f"/users/{user['id']}")).status_code == 204
    assert await seen_by(okta) == []


async def test_only_administrators_give_users(shared: httpx.AsyncClient) -> None:
    okta, user = await provider(shared), await create(shared)
    bearer = {"Authorization": f"Bearer {okta.token}"}
    path = f"/clients/{okta.client_id}/users/{user['id']}"
    problem(await call(shared, "PUT", path, headers=bearer), 403, "insufficient_scope")


async def test_a_client_registered_anew_under_an_old_id_sees_nobody(shared: httpx.AsyncClient) -> None:
    okta = await provider(shared)
    made = await okta.make(f"mia-{secrets.token_hex(4)}@example.com", externalId="1")
    assert (await shared.delete(f"/clients/{okta.client_id}")).status_code == 204
    assert await database(shared)["provisioned"].find_one({"client": okta.client_id}) is None
    assert (await shared.get(f"/users/{made['id']}")).status_code == 200
