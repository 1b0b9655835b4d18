"""`/webhooks`: who may manage them, what is refused, and that nothing secret is shown."""

from typing import Any

import httpx
import pytest

from tests.support.identity import call, token_of
from tests.support.users import NOBODY, database, pointers, problem

_URL = "https://receiver.example.com/roster"


async def register(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    reply = await client.post("/webhooks", json={"url": _URL, **more})
    assert reply.status_code == 201, reply.text
    made: dict[str, Any] = reply.json()
    return made


async def test_a_webhook_is_registered_read_changed_and_removed(shared: httpx.AsyncClient) -> None:
    reply = await shared.post(
        "/webhooks", json={"url": _URL, "headers": {"Authorization": "Bearer hidden-x"}}
    )
    made = reply.json()
    path = f"/webhooks/{made['id']}"
    assert (reply.status_code, reply.headers["Location"]) == (201, path)
    assert made.pop("secret").startswith("whsec_")
    assert (await shared.get(path)).json() == made
    assert (made["headers"], made["state"], made["secrets"]) == (["Authorization"], "active", 1)
    changed = (await shared.patch(path, json={"types": ["user.deleted"], "is_active": False})).json()
    assert changed == made | {"types": ["user.deleted"], "state": "off"}
    assert "hidden-x" not in (await shared.get("/webhooks")).text
    stored = str(await database(shared)["webhooks"].find_one({"url": _URL}))
    assert "hidden-x" not in stored
    assert (await shared.delete(path)).status_code == 204
    problem(await shared.get(path), 404, "webhook_not_found")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"url": "ftp://receiver.example.com"}, "/url"),
        ({"url": "https://user:word@receiver.example.com/"}, "/url"),
        ({"url": "//receiver.example.com"}, "/url"),
        ({"url": _URL, "types": ["user.renamed"]}, "/types/0"),
        ({"url": _URL, "types": ["user.deleted", "user.deleted"]}, "/types"),
        ({"url": _URL, "filter": "depatment=Sales"}, "/filter"),
        ({"url": _URL, "filter": "q=ana"}, "/filter"),
        ({"url": _URL, "payload": "fat"}, "/payload"),
        ({"url": _URL, "headers": {"Host": "other.example.com"}}, "/headers/Host"),
        ({"url": _URL, "headers": {"webhook-id": "1"}}, "/headers/webhook-id"),
        ({"url": _URL, "headers": {"X-Split": "a\r\nb"}}, "/headers/X-Split"),
        ({"url": _URL, "secret": "whsec_x"}, "/secret"),
        ({}, "/url"),
    ],
)
async def test_what_is_wrong_with_a_webhook_is_named(
    shared: httpx.AsyncClient, body: dict[str, Any], pointer: str
) -> None:
    reply = await shared.post("/webhooks", json=body)
    assert pointers(reply) == {pointer}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None), ("PATCH", "", {"is_active": True}), ("DELETE", "", None), ("POST", "/test", None),
        ("POST", "/secret", {}), ("GET", "/deliveries", None), ("POST", "/redeliver", {"failed": True}),
    ],
)  # fmt: skip
async def test_what_does_not_exist_is_not_found(
    shared: httpx.AsyncClient, method: str, path: str, body: dict[str, Any] | None
) -> None:
    reply = await shared.request(method, f"/webhooks/{NOBODY}{path}", json=body)
    problem(reply, 404, "webhook_not_found")


@pytest.mark.parametrize("body", [{}, {"failed": True, "since": "2026-01-31T08:00:00Z"}])
async def test_what_is_delivered_once_more_must_be_named_in_one_way(
    shared: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    webhook = await register(shared)
    problem(await shared.post(f"/webhooks/{webhook['id']}/redeliver", json=body), 422, "validation_failed")


async def test_only_who_has_the_scope_manages_webhooks(shared: httpx.AsyncClient) -> None:
    token = await token_of(shared, "me", "users:read", "users:admin")
    problem(await call(shared, "GET", "/webhooks", token), 403, "insufficient_scope")
    token = await token_of(shared, "webhooks")
    assert (await call(shared, "GET", "/webhooks", token)).status_code == 200


async def test_there_is_an_end_of_webhooks(
    shared: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.webhooks.webhooks.MOST_WEBHOOKS", 0)
    problem(await shared.post("/webhooks", json={"url": _URL}), 409, "too_many_webhooks")


async def test_keys_are_published_to_everybody_and_rotated_with_an_overlap(shared: httpx.AsyncClient) -> None:
    [first] = (await call(shared, "GET", "/webhooks/keys")).json()["keys"]
    assert first["public"].startswith("whpk_")
    assert first["expires_at"] is None
    keys = shared.app.state.container.webhooks.keys  # type: ignore[attr-defined]  # the handle of `serving`
    assert len(await keys.read()) == 1
    await keys.rotate(overlap_s=3600)
    newest, older = (await call(shared, "GET", "/webhooks/keys")).json()["keys"]
    assert older == first | {"expires_at": older["expires_at"]}
    assert newest["id"] != first["id"]
    assert older["expires_at"] is not None
    await keys.rotate(overlap_s=0)
    assert "sealed" not in (await call(shared, "GET", "/webhooks/keys")).text
