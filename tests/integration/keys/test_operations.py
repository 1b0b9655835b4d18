"""`/settings` and `/signing-keys`: what operators see of a process without a shell on it."""

import httpx


async def test_settings_are_told_without_secrets(client: httpx.AsyncClient) -> None:
    items = (await client.get("/settings")).raise_for_status().json()["items"]
    told = {item["name"]: item for item in items}
    assert told["ROSTER_ACCESS_TOKEN_TTL_S"] == {
        "name": "ROSTER_ACCESS_TOKEN_TTL_S", "value": "600", "is_set": False, "is_secret": False,
        "meaning": "Seconds for which an access token is valid.",
    }  # fmt: skip
    mongodb = told["ROSTER_MONGO_URI"]
    assert (mongodb["value"], mongodb["is_set"], mongodb["is_secret"]) == (None, True, True)
    assert {name for name, item in told.items() if item["is_secret"]} == {
        "ROSTER_MONGO_URI", "ROSTER_REDIS_URL", "ROSTER_SMTP_URL",
        "ROSTER_SECRET_KEY", "ROSTER_ADMIN_PASSWORD",
    }  # fmt: skip


async def test_a_new_signing_key_waits_before_it_signs(client: httpx.AsyncClient) -> None:
    before = (await client.get("/signing-keys")).raise_for_status().json()["items"]
    assert [key["state"] for key in before] == ["signs"]
    reply = await client.post("/signing-keys")
    assert (reply.status_code, reply.json()["state"]) == (200, "will_sign")
    after = (await client.get("/signing-keys")).raise_for_status().json()["items"]
    assert [key["kid"] for key in after] == [reply.json()["kid"], before[0]["kid"]]
    published = (await client.get("/.well-known/jwks.json")).json()["keys"]
    assert {key["kid"] for key in after} == {key["kid"] for key in published}


async def test_only_one_new_key_waits_at_a_time(client: httpx.AsyncClient) -> None:
    first, second = [await client.post("/signing-keys") for _ in range(2)]
    assert first.json() == second.json()
