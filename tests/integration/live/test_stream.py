"""`GET /events`: what happens, in order, from where the listener was, as long as they may."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
from pymongo.errors import AutoReconnect

from app.core.errors import InsufficientScopeError, TooManyListenersError
from app.events import Event
from app.live import Ended, Reset, Step
from app.live.live import Told
from models.event import EventQuery
from tests.support.events import begin_anew, events_of, relayed, until
from tests.support.identity import call, member, sign_in, token_of
from tests.support.jobs import backends
from tests.support.users import create, database, problem


@pytest.fixture(autouse=True)
async def begun(client: httpx.AsyncClient) -> None:
    await begin_anew(client)


async def _may() -> None:
    """A check that never objects."""


def listen(
    client: httpx.AsyncClient, since: int | None = 0, check: Any = _may, **asked: Any
) -> AsyncGenerator[Told, None]:
    return backends(client).live.listen(EventQuery.model_validate(asked), since, check)


async def take(told: AsyncGenerator[Told, None], count: int) -> list[Told]:
    async with asyncio.timeout(20):
        return [await anext(told) for _ in range(count)]


def read(text: str) -> list[dict[str, str]]:
    """The fields of each event of a stream, comments left out."""
    blocks = [block.split("\n") for block in text.strip().split("\n\n")]
    return [dict(line.split(": ", 1) for line in lines if line[0] != ":") for lines in blocks]


async def test_a_listener_is_told_until_their_session_ends(client: httpx.AsyncClient) -> None:
    token = (await sign_in(client, await member(client, "me", "events:read")))["access_token"]
    async with relayed(client):
        listening = asyncio.create_task(call(client, "GET", "/events?type=user.created", token))

        async def is_heard() -> bool:
            return backends(client).live.listeners == 1

        await until(is_heard)
        ana = await create(client)
        await events_of(client, ana, 1)
        assert (await call(client, "POST", "/auth/logout", token)).status_code == 204
        reply = await listening
    assert reply.headers["content-type"].startswith("text/event-stream")
    last = read(reply.text)[-1]
    assert (last["event"], last["data"]) == ("end", '{"code":"session_revoked"}')
    assert set(read(reply.text)[0]) == {"id"}


async def test_a_listener_goes_on_after_the_last_event_that_they_have(client: httpx.AsyncClient) -> None:
    async with relayed(client):
        ana = await create(client)
        for name in ("b", "c"):
            await client.patch(f"/users/{ana['id']}", json={"name": name})
        await events_of(client, ana, 3)
        told = listen(client, 1)
        step, *found = await take(told, 3)
        assert step == Step(1)
        assert [event.position for event in found if isinstance(event, Event)] == [2, 3]
        await client.patch(f"/users/{ana['id']}", json={"name": "d"})
        [news] = await take(told, 1)
        assert isinstance(news, Event)
        assert news.data["version"] == 4
        await told.aclose()
        fresh = listen(client, None)
        assert await take(fresh, 1) == [Step(4)]
        await fresh.aclose()


async def test_only_events_of_chosen_types_and_users_are_told(client: httpx.AsyncClient) -> None:
    async with relayed(client):
        ana = await create(client, profile={"department": "Sales"})
        ben = await create(client, profile={"department": "Law"})
        for user in (ben, ana):
            await client.patch(f"/users/{user['id']}", json={"name": "Other"})
        await events_of(client, ana, 2)
        told = listen(client, type=["user.changed"], department=["Sales"])
        _, only = await take(told, 2)
        assert isinstance(only, Event)
        assert (only.type, only.user) == ("user.changed", ana["id"])
        await told.aclose()


async def test_where_events_are_kept_no_longer_the_listener_is_told_to_list_anew(
    client: httpx.AsyncClient,
) -> None:
    async with relayed(client):
        ana = await create(client)
        await client.patch(f"/users/{ana['id']}", json={"name": "b"})
        await events_of(client, ana, 2)
    await database(client)["events"].delete_one({"_id": 1})
    for since in (0, 99):  # kept no longer, and of another log
        told = listen(client, since)
        reset, step, event = await take(told, 3)
        assert (reset, step) == (Reset(1), Step(1))
        assert isinstance(event, Event)
        assert event.position == 2
        await told.aclose()


async def test_the_stream_ends_with_the_scope_or_a_backend(client: httpx.AsyncClient) -> None:
    async def lacks_scope() -> None:
        raise InsufficientScopeError("events:read")

    async def fails() -> None:
        raise AutoReconnect

    for check, code in ((lacks_scope, "insufficient_scope"), (fails, "unavailable")):
        assert (await take(listen(client, None, check), 2))[-1] == Ended(code)


async def test_a_quiet_log_is_told_of_now_and_then(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.live.live._QUIET_S", 0.01)
    told = listen(client, None)
    assert await take(told, 3) == [Step(0)] * 3
    await told.aclose()


async def test_there_is_an_end_of_listeners(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends(client).live, "_room", asyncio.Semaphore(1))
    told = listen(client, None)
    await take(told, 1)
    with pytest.raises(TooManyListenersError):
        listen(client, None)
    await told.aclose()


async def test_what_is_wrong_with_a_filter_is_named(client: httpx.AsyncClient) -> None:
    token = await token_of(client, "events:read")
    found = problem(await call(client, "GET", "/events?type=user.renamed", token), 422, "validation_failed")
    assert found["errors"][0]["parameter"] == "type"
    problem(await call(client, "GET", "/events", await token_of(client, "me")), 403, "insufficient_scope")
