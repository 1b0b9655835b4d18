"""A service with every number at its upper bound does what it does with the defaults."""

from typing import Any

from app.core.settings import Settings
from tests.support.api import serving
from tests.support.identity import ask_refresh, member, sign_in
from tests.support.users import create

PORTS = {"port", "metrics_port"}


def bounds() -> dict[str, Any]:
    """Of each number its greatest value."""
    return {
        name: limit.le
        for name, field in Settings.model_fields.items()
        for limit in field.metadata
        if name not in PORTS and hasattr(limit, "le")
    }


async def test_every_upper_bound_works(mongo_uri: str, redis_url: str) -> None:
    assert len(bounds()) > 25
    async with serving(mongo_uri, redis_url, jobs_inside=True, **bounds()) as client:
        await create(client)
        user = await member(client, "me")
        tokens = await sign_in(client, user)
        assert (await ask_refresh(client, tokens["refresh_token"])).status_code == 200
        page = (await client.get("/users?limit=1&count=exact")).json()
        assert (await client.get("/users", params={"limit": 1, "cursor": page["next"]})).status_code == 200
        wait = {"Prefer": "wait=30"}
        exported = await client.post("/users/exports", json={"format": "csv"}, headers=wait)
        assert (await client.get(f"/users/exports/{exported.json()['id']}/file")).status_code == 200
        file = {"Content-Type": "text/csv"} | wait
        plan = await client.post("/users/import", content="email,name\nb@example.com,Bea\n", headers=file)
        applied = await client.post(f"/users/imports/{plan.json()['id']}/apply", headers=wait)
        assert (applied.status_code, applied.json()["state"]) == (200, "applied"), applied.text
        assert (await client.get("/health/ready")).status_code == 200
