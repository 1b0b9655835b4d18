"""Users are told of new devices, sign-outs and ended work, in their language and in the transaction of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from bson import ObjectId
from pymongo.errors import AutoReconnect

from app.mail import Mail, Outbox
from tests.support.api import serving
from tests.support.databases import PreparedDatabases
from tests.support.identity import PASSWORD, call, member, sign_in
from tests.support.mail import read_mails
from tests.support.users import database, problem, verify

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
NEWER = FIREFOX.replace("140", "141")


@pytest.fixture(scope="module")
async def mailing(
    prepared_databases: PreparedDatabases, servers_folder: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """A service that queues mails, for the tests of the module."""
    async with prepared_databases.serving(mail_folder=servers_folder / "mail") as client:
        yield client


async def known(client: httpx.AsyncClient, *scopes: str, **more: Any) -> dict[str, Any]:
    """A member whose address is verified."""
    user = await member(client, *scopes, **more)
    assert await verify(client, user)
    return user


async def enter(client: httpx.AsyncClient, user: dict[str, Any], agent: str = FIREFOX) -> dict[str, Any]:
    """Sign in from this program."""
    form = {"grant_type": "password", "username": user["email"], "password": PASSWORD}
    reply = await call(client, "POST", "/auth/token", data=form, headers={"User-Agent": agent})
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


async def mails(client: httpx.AsyncClient, user: dict[str, Any], kind: str) -> list[Mail]:
    return [mail for mail in await read_mails(client, kind=kind) if mail.user_id == user["id"]]


async def test_a_sign_in_from_a_new_device_is_told_once(mailing: httpx.AsyncClient) -> None:
    ana = await known(mailing, name="张伟", locale="zh-CN")
    for agent in (FIREFOX, NEWER, FIREFOX):
        await enter(mailing, ana, agent)
    assert await mails(mailing, ana, "new_device") == []
    for _ in range(2):
        await enter(mailing, ana, "curl/8.5.0")
    (mail,) = await mails(mailing, ana, "new_device")
    assert (mail.to, mail.name, mail.language) == (ana["email"], "张伟", "zh")
    assert mail.values["device"] == "curl"
    assert "127.0.0.1" not in str(mail.values)


async def test_of_sign_ins_at_once_from_a_new_device_one_is_told(mailing: httpx.AsyncClient) -> None:
    ana = await known(mailing)
    await enter(mailing, ana)
    await asyncio.gather(*(enter(mailing, ana, "curl/8.5.0") for _ in range(8)))
    assert len(await mails(mailing, ana, "new_device")) == 1


async def test_nothing_goes_to_an_address_that_nobody_verified(mailing: httpx.AsyncClient) -> None:
    ana = await member(mailing)
    for agent in (FIREFOX, "curl/8.5.0"):
        tokens = await enter(mailing, ana, agent)
    await call(mailing, "DELETE", "/users/me/sessions", tokens["access_token"])
    assert await mails(mailing, ana, "new_device") == []
    assert await mails(mailing, ana, "sessions_ended") == []


async def test_who_is_deleted_leaves_no_devices_behind(mailing: httpx.AsyncClient) -> None:
    ana = await known(mailing)
    await enter(mailing, ana)
    devices = database(mailing)["known_devices"]
    ours = {"user": ObjectId(ana["id"])}
    assert await devices.count_documents(ours) == 1
    assert (await mailing.delete(f"/users/{ana['id']}")).status_code == 204
    assert await devices.count_documents(ours) == 0


@pytest.mark.parametrize("way", ["self", "administrator", "many"])
async def test_a_sign_out_everywhere_is_told(mailing: httpx.AsyncClient, way: str) -> None:
    ana = await known(mailing)
    tokens = await enter(mailing, ana)
    match way:
        case "self":
            reply = await call(mailing, "DELETE", "/users/me/sessions", tokens["access_token"])
        case "administrator":
            reply = await mailing.delete(f"/users/{ana['id']}/sessions")
        case _:
            reply = await mailing.post("/users:sign-out", json={"ids": [ana["id"]]})
    assert reply.is_success
    (mail,) = await mails(mailing, ana, "sessions_ended")
    assert mail.to == ana["email"]


async def test_a_sign_out_that_comes_to_nothing_is_not_told(
    mailing: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await known(mailing)
    tokens = await enter(mailing, ana)

    async def fail(*_: object) -> None:
        raise AutoReconnect

    add = Outbox.add
    monkeypatch.setattr(Outbox, "add", fail)
    problem(await mailing.delete(f"/users/{ana['id']}/sessions"), 503, "unavailable")
    monkeypatch.setattr(Outbox, "add", add)
    assert (await call(mailing, "GET", "/users/me", tokens["access_token"])).status_code == 200
    assert await mails(mailing, ana, "sessions_ended") == []


@pytest.mark.parametrize("kind", ["new_device", "sessions_ended"])
async def test_a_setting_chooses_what_is_told(
    mongo_uri: str, redis_url: str, tmp_path: Path, kind: str
) -> None:
    async with serving(mongo_uri, redis_url, mail_folder=tmp_path, mail_notices=kind) as client:
        ana = await known(client)
        for agent in (FIREFOX, "curl/8.5.0"):
            await enter(client, ana, agent)
        await client.delete(f"/users/{ana['id']}/sessions")
        assert {mail.kind for mail in await read_mails(client)} == {kind}


async def test_without_mail_no_device_is_remembered(client: httpx.AsyncClient) -> None:
    ana = await known(client)
    await sign_in(client, ana)
    assert await database(client)["known_devices"].count_documents({}) == 0


async def test_devices_are_found_by_their_indexes(mailing: httpx.AsyncClient) -> None:
    ana = await known(mailing)
    await enter(mailing, ana)
    devices = database(mailing)["known_devices"]
    known_one = await devices.find_one({})
    assert known_one is not None
    for wanted in ({"user": known_one["user"]}, {"_id": known_one["_id"]}):
        plan = await devices.find(wanted).explain()
        assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"])
