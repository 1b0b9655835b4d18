"""`GET /clients/{id}/activity`: what a provisioning client asked, and how it went."""

import secrets
from typing import Any

import httpx
import pytest
from pymongo.errors import AutoReconnect

from app.scim.activity import Activity
from tests.support.databases import PreparedDatabases
from tests.support.identity import call
from tests.support.scim import provider, scim_error
from tests.support.users import database, problem


async def read(shared: httpx.AsyncClient, client_id: str) -> dict[str, Any]:
    opened = shared.app.state.container  # type: ignore[attr-defined]  # set by `serving`
    await opened.provisioning.activity.write()
    reply = await shared.get(f"/clients/{client_id}/activity")
    assert reply.status_code == 200, reply.text
    activity: dict[str, Any] = reply.json()
    return activity


async def test_an_administrator_sees_what_a_client_asked_and_why_it_failed(shared: httpx.AsyncClient) -> None:
    okta = await provider(shared)
    assert await read(shared, okta.client_id) == {"requests": [], "failures": [], "days": []}
    name = f"ann-{secrets.token_hex(4)}@example.com"
    made = await okta.make(name)
    taken = await okta.ask("POST", "/Users", {"schemas": made["schemas"], "userName": name})
    told = scim_error(taken, 409, "uniqueness")
    assert len(await okta.find(f'userName eq "{name}"')) == 1
    activity = await read(shared, okta.client_id)
    seen = [(each["method"], each["path"], each["status"]) for each in activity["requests"]]
    assert seen == [("GET", "/Users", 200), ("POST", "/Users", 409), ("POST", "/Users", 201)]
    (failure,) = activity["failures"]
    assert (failure["scim_type"], failure["detail"]) == ("uniqueness", told)
    (day,) = activity["days"]
    assert {"day": day["day"], "succeeded": 2, "refused": 1, "throttled": 0, "failed": 0} == day


async def test_neither_queries_nor_bodies_are_noted(shared: httpx.AsyncClient) -> None:
    okta = await provider(shared)
    name, password = f"bob-{secrets.token_hex(4)}@example.com", secrets.token_hex(12)
    await okta.make(name, password=password)
    await okta.find(f'userName eq "{name}"')
    noted = str(await read(shared, okta.client_id))
    assert name not in noted
    assert password not in noted


async def test_only_the_last_requests_are_kept_of_each_client(shared: httpx.AsyncClient) -> None:
    activity = Activity(database(shared))
    client = secrets.token_hex(12)
    for number in range(450):
        activity.record(client, method="GET", path=f"/Users/{number}", status=404 if number % 2 else 500)
        if number == 225:
            await activity.write()
    await activity.write()
    kept = await activity.read(client)
    assert [each["path"] for each in kept["requests"]] == [f"/Users/{449 - place}" for place in range(200)]
    assert len(kept["failures"]) == 200
    assert [(day["refused"], day["failed"]) for day in kept["days"]] == [(225, 225)]


async def test_texts_that_a_client_chose_are_cut(shared: httpx.AsyncClient) -> None:
    okta = await provider(shared)
    scim_error(await okta.ask("GET", "/Users/" + "x" * 450), 404)
    scim_error(await okta.ask("GET", "/" + "x" * 600), 400, "invalidValue")
    activity = await read(shared, okta.client_id)
    assert [len(each["path"]) for each in activity["requests"]] == [200, 200]


async def test_what_no_document_can_hold_is_noted_without_that(shared: httpx.AsyncClient) -> None:
    activity = Activity(database(shared))
    client = secrets.token_hex(12)
    activity.record(client, method="GET", path="/\0\ud800", status=400, detail="\udfff is no value\0")
    await activity.write()
    (noted,) = (await activity.read(client))["failures"]
    assert (noted["path"], noted["detail"]) == ("/\ufffd?", "? is no value\ufffd")


async def test_a_half_of_a_character_is_refused_and_noted(shared: httpx.AsyncClient) -> None:
    okta = await provider(shared)
    body = b'{"schemas": ["\\ud800"], "userName": "\\ud800", "emails": [{"type": "\\ud800"}]}'
    headers = {"Authorization": f"Bearer {okta.token}", "Content-Type": "application/scim+json"}
    reply = await call(shared, "POST", "/scim/v2/Users", headers=headers, content=body)
    assert reply.status_code == 400, reply.text
    assert [each["status"] for each in (await read(shared, okta.client_id))["failures"]] == [400]


async def test_notes_that_mongodb_does_not_take_are_lost(
    shared: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    activity = Activity(database(shared))
    client = secrets.token_hex(12)

    async def fail(*_: object, **__: object) -> None:
        raise AutoReconnect

    activity.record(client, method="GET", path="/Users", status=200)
    with monkeypatch.context() as patched:
        patched.setattr(activity._latest, "update_one", fail)
        await activity.write()
    await activity.write()
    assert (await activity.read(client))["requests"] == []


async def test_days_are_read_by_an_index_in_its_order(shared: httpx.AsyncClient) -> None:
    days = database(shared)["provisioning_days"]
    plan = await days.find({"client": "0" * 24}, sort=[("day", -1)], limit=90).explain()
    stages = str(plan["queryPlanner"]["winningPlan"])
    assert "'indexName': 'client'" in stages
    assert "'SORT'" not in stages
    assert "'COLLSCAN'" not in stages


async def test_activity_goes_with_the_client(shared: httpx.AsyncClient) -> None:
    okta = await provider(shared)
    await okta.make(f"eve-{secrets.token_hex(4)}@example.com")
    await read(shared, okta.client_id)
    subject = (await shared.get(f"/clients/{okta.client_id}")).json()["subject"]
    assert (await shared.delete(f"/clients/{okta.client_id}")).status_code == 204
    assert await database(shared)["provisioning_requests"].find_one({"_id": subject}) is None
    assert await database(shared)["provisioning_days"].find_one({"client": subject}) is None
    problem(await shared.get(f"/clients/{okta.client_id}/activity"), 404, "client_not_found")


async def test_a_client_that_asks_too_much_is_told_when_to_go_on(
    prepared_databases: PreparedDatabases,
) -> None:
    async with prepared_databases.serving(scim_per_minute=12) as throttled:
        okta, entra = await provider(throttled), await provider(throttled, "Entra")
        for _ in range(2):
            assert (await okta.ask("GET", "/Users")).status_code == 200
        refused = await okta.ask("GET", "/Users")
        scim_error(refused, 429)
        assert refused.headers["Retry-After"] == "10"
        assert (await entra.ask("GET", "/Users")).status_code == 200
        activity = await read(throttled, okta.client_id)
        assert [each["status"] for each in activity["requests"]] == [429, 200, 200]
        assert (activity["failures"], activity["days"][0]["throttled"]) == ([], 1)
