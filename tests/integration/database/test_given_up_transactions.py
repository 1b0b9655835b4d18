"""Who runs out of time in the midst of a transaction, or is cancelled, leaves no lock behind."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import pymongo
import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError, WaitQueueTimeoutError

from app.database.transactions import together
from tests.support.failing import FailingMongo
from tests.support.users import until

TIME_MS = 500
ROW = {"_id": 1}
Rows = AsyncCollection[dict[str, Any]]


@pytest.fixture(scope="module")
def failing_mongo(servers_folder: Path) -> Iterator[FailingMongo]:
    with FailingMongo(servers_folder / "given-up") as server:
        yield server


@pytest.fixture
async def rows(bare_uri: str) -> AsyncIterator[Rows]:
    async with AsyncMongoClient[dict[str, Any]](bare_uri, timeoutMS=TIME_MS) as client:
        yield await client.get_default_database().create_collection("rows")


async def assert_nothing_is_locked(uri: str) -> None:
    """By another client: one that takes the session up again would end what is left in it."""
    async with AsyncMongoClient[dict[str, Any]](uri, timeoutMS=TIME_MS) as client:
        await client.get_default_database()["rows"].insert_one(dict(ROW))


async def until_nothing_is_locked(uri: str) -> None:
    """Well before MongoDB itself ends the transaction."""

    async def is_free() -> bool:
        with suppress(PyMongoError):
            await assert_nothing_is_locked(uri)
            return True
        return False

    await until(is_free)


@pytest.mark.parametrize("step", ["write", "commit"])
async def test_a_transaction_that_ran_out_of_time_locks_nobody(
    rows: Rows, bare_uri: str, step: Literal["write", "commit"]
) -> None:
    async def work(session: AsyncClientSession) -> None:
        await rows.insert_one(dict(ROW), session=session)
        await asyncio.sleep(TIME_MS / 1000)
        if step == "write":
            await rows.insert_one({"_id": 2}, session=session)

    with pytest.raises(PyMongoError) as caught:
        await together(rows.database.client, work)
    assert caught.value.timeout
    await assert_nothing_is_locked(bare_uri)


async def test_a_transaction_for_whose_end_no_connection_was_free_is_ended_when_one_is(
    failing_mongo: FailingMongo,
) -> None:
    """As after a fail-over, when all who waited for the new primary want one at once."""
    async with AsyncMongoClient[dict[str, Any]](
        failing_mongo.uri, timeoutMS=TIME_MS, maxPoolSize=1, appName="roster"
    ) as client:
        rows = await client.get_default_database().create_collection("rows")

        async def take_the_connection() -> None:
            with pymongo.timeout(0):
                await client.admin.command("ping")

        async def work(session: AsyncClientSession) -> None:
            await rows.insert_one(dict(ROW), session=session)
            taking.append(asyncio.create_task(take_the_connection()))
            await asyncio.sleep(0)
            await rows.insert_one({"_id": 2}, session=session)

        taking: list[asyncio.Task[None]] = []
        late = {"blockConnection": True, "blockTimeMS": 4 * TIME_MS}
        with failing_mongo.failing("ping", 1, late):
            with pytest.raises(WaitQueueTimeoutError):
                await together(client, work)
            await taking[0]
        await until_nothing_is_locked(failing_mongo.uri)


async def test_a_transaction_that_is_cancelled_locks_nobody(rows: Rows, bare_uri: str) -> None:
    begun = asyncio.Event()

    async def work(session: AsyncClientSession) -> None:
        await rows.insert_one(dict(ROW), session=session)
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(together(rows.database.client, work))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await assert_nothing_is_locked(bare_uri)
