"""What the tests of bulk changes share: plans that are asked for, and applied."""

from typing import Any, cast

import httpx

Plan = dict[str, Any]
WAIT = {"Prefer": "wait=30"}


async def ask(client: httpx.AsyncClient, change: str | dict[str, Any], **more: Any) -> httpx.Response:
    """A bulk change: an action, or a change with its words, and `filter` or `ids`."""
    asked = {"action": change} if isinstance(change, str) else change
    headers = WAIT | more.pop("headers", {})
    return await client.post("/users:bulk", json=more | {"change": asked}, headers=headers)


async def plan(client: httpx.AsyncClient, change: str | dict[str, Any], **more: Any) -> Plan:
    reply = await ask(client, change, **more)
    assert reply.status_code == 201, reply.text
    return cast("Plan", reply.json())


async def follow(client: httpx.AsyncClient, planned: Plan, verb: str, **headers: str) -> Plan:
    """What becomes of the plan by `apply` or `revert`."""
    reply = await client.post(f"/users/bulk/{planned['id']}/{verb}", headers=WAIT | headers)
    assert reply.status_code in {200, 201}, reply.text
    return cast("Plan", reply.json())


async def apply(client: httpx.AsyncClient, planned: Plan, **headers: str) -> Plan:
    applied = await follow(client, planned, "apply", **headers)
    assert applied["state"] == "applied"
    return applied


def reasons(planned: Plan) -> dict[str, int]:
    """How many are refused, by code."""
    return {each["code"]: each["users"] for each in planned["refused"]}
