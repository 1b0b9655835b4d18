"""One phone number, however it is written; and numbers that earlier releases stored."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from bson import ObjectId

from app.commands import integrity
from app.migrations import m0002_phones
from tests.support.api import serving
from tests.support.imports import counted, plan
from tests.support.live import command
from tests.support.users import create, database, find, person, pointers, problem, read, users

NUMBER = "+491511234567"
INTERNATIONAL = [
    "+49 (0)151 1234567",
    "+49 0151/123-45.67",
    "tel:+49-151-1234567",
    "＋４９１５１１２３４５６７",
]


@pytest.mark.parametrize("written", INTERNATIONAL)
async def test_a_number_is_the_same_however_it_is_written(client: httpx.AsyncClient, written: str) -> None:
    user = await create(client, phone=written)
    assert user["phone"] == NUMBER
    assert await find(client, phone=written) == [user["id"]]
    assert await find(client, q=written.removeprefix("tel:")) == [user["id"]]
    clash = await client.post("/users", json=person(phone=NUMBER))
    assert pointers(clash, 409, "already_exists") == {"/phone"}


async def test_without_a_region_a_national_number_is_refused_and_finds_nobody(
    client: httpx.AsyncClient,
) -> None:
    await create(client, phone=NUMBER)
    refused = await client.post("/users", json=person(phone="0151 7654321"))
    (wrong,) = problem(refused, 422, "validation_failed")["errors"]
    assert (wrong["pointer"], wrong["detail"]) == (
        "/phone",
        "must be an international number (E.164): + and the country's code first, such as +8613800138000.",
    )
    assert await find(client, phone="0151 1234567") == []


# --- numbers that earlier releases stored


async def store(client: httpx.AsyncClient, phone: str, **more: Any) -> dict[str, Any]:
    """A user whose number stands as an earlier release took it."""
    user = await create(client, **more)
    suffixes = [phone[start:] for start in range(1, len(phone) - 2)]
    await users(client).update_one(
        {"_id": ObjectId(user["id"])}, {"$set": {"phone": phone, "search.p": suffixes}}
    )
    return user


async def test_old_numbers_are_renewed_as_any_change_is_written(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url) as client:
        user = await store(client, "+4901511234567", tags=["kept"])
        impossible = await store(client, "+44444")
        await database(client)["schema"].update_one({}, {"$set": {"version": 1}})
    async with serving(mongo_uri, redis_url) as client:
        renewed = await read(client, user)
        assert (renewed["phone"], renewed["version"], renewed["tags"]) == (
            NUMBER,
            user["version"] + 1,
            ["kept"],
        )
        assert await find(client, phone="+49 (0)151 1234567") == [user["id"]]
        assert await find(client, q="4915112") == [user["id"]]
        (entry,) = (await client.get("/audit", params={"user": user["id"], "limit": "1"})).json()["items"]
        assert (entry["via"], entry["by"]) == ("migration", None)
        assert entry["differences"] == [{"pointer": "/phone", "from": "+4901511234567", "to": NUMBER}]
        assert (await read(client, impossible))["phone"] == "+44444"
        assert await find(client, phone="+44444") == [impossible["id"]]
        assert await wrong(client) == []


async def wrong(client: httpx.AsyncClient) -> list[str]:
    found = await integrity.check(client.app.state.container)  # type: ignore[attr-defined]  # set by `serving`
    return found.wrong


async def test_numbers_that_two_would_share_stay_and_their_users_are_named(client: httpx.AsyncClient) -> None:
    holder = await create(client, phone=NUMBER)
    old = await store(client, "+4901511234567")
    twins = {phone: await store(client, phone) for phone in ("+490301234567", "+4900301234567")}
    alone = await store(client, "+784951234567")
    await m0002_phones.migrate(database(client))
    assert (await read(client, old))["phone"] == "+4901511234567"
    assert (await read(client, holder))["version"] == holder["version"]
    assert [(await read(client, twin))["phone"] for twin in twins.values()] == list(twins)
    assert (await read(client, alone))["phone"] == "+74951234567"
    shared = [[twin["id"] for twin in reversed(twins.values())], [old["id"], holder["id"]]]
    assert await wrong(client) == [
        f"users {', '.join(ids)} have the same phone number in several forms: keep it for one of them"
        for ids in shared
    ]
    for user in (holder, *twins.values()):
        await client.patch(f"/users/{user['id']}", json={"phone": None})
    await m0002_phones.migrate(database(client))
    assert (await read(client, old))["phone"] == NUMBER
    assert await wrong(client) == []


async def test_a_user_whose_number_stays_can_be_changed_exported_and_imported(
    mongo_uri: str, redis_url: str
) -> None:
    async with serving(mongo_uri, redis_url, jobs_inside=True) as client:
        await create(client, phone=NUMBER)
        old = await store(client, "+4901511234567")
        exported = await client.get("/users/export?format=csv")
        assert counted(await plan(client, exported.content)) == {"unchanged": 2}
        changed = await client.patch(f"/users/{old['id']}", json={"profile": {"age": 31}})
        assert (changed.status_code, changed.json()["phone"]) == (200, "+4901511234567")
        planned = await plan(client, f"id,name,phone\n{old['id']},Bea,+4901511234567\n")
        assert [each["pointer"] for each in planned["items"][0]["differences"]] == ["/name"]
        again = await client.patch(f"/users/{old['id']}", json={"phone": "+49 0151 1234567"})
        assert pointers(again, 409, "already_exists") == {"/phone"}


async def test_the_command_line_takes_national_numbers(
    mongo_uri: str, redis_url: str, tmp_path: Path
) -> None:
    (tmp_path / "people.csv").write_text("email,name,phone\nana@example.com,Ana,0151 1234567\n")
    own = {"mongo_uri": mongo_uri, "redis_url": redis_url, "phone_region": "DE", "log_level": "error"}
    done = await asyncio.to_thread(command, tmp_path, "import", "people.csv", "--yes", **own)
    assert (done.returncode, done.stderr) == (0, "")
    exported = await asyncio.to_thread(
        command, tmp_path, "export", "people.ndjson", "--filter", "phone=0151/1234567", **own
    )
    assert exported.returncode == 0, exported.stderr
    assert f'"phone":"{NUMBER}"' in (tmp_path / "people.ndjson").read_text()
