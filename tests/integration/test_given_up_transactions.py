"""Who runs out of time in the midst of a transaction, or is cancelled, leaves no lock behind."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from app.transactions import together

TIME_MS = 500
ROW = {"_id": 1}
Rows = AsyncCollection[dict[str, Any]]


@pytest.fixture
async def rows(mongo_uri: str) -> AsyncIterator[Rows]:
    async with AsyncMongoClient[dict[str, Any]](mongo_uri, timeoutMS=TIME_MS) as client:
        yield await client.get_default_database().create_collection("rows")


async def assert_nothing_is_locked(uri: str) -> None:
    """By another client: one that takes the session up again would end what is left in it."""
    async with AsyncMongoClient[dict[str, Any]](uri, timeoutMS=TIME_MS) as client:
        await client.get_default_database()["rows"].insert_one(dict(ROW))


@pytest.mark.parametrize("step", ["write", "commit"])
async def test_a_transaction_that_ran_out_of_time_locks_nobody(
    rows: Rows, mongo_uri: str, step: Literal["write", "commit"]
) -> None:
    async def work(session: AsyncClientSession) -> None:
        await rows.insert_one(dict(ROW), session=session)
        await asyncio.sleep(TIME_MS / 1000)
        if step == "write":
            await rows.insert_one({"_id": 2}, session=session)

    with pytest.raises(PyMongoError) as caught:
        await together(rows.database.client, work)
    assert caught.value.timeout
    await assert_nothing_is_locked(mongo_uri)


async def test_a_transaction_that_is_cancelled_locks_nobody(rows: Rows, mongo_uri: str) -> None:
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
    await assert_nothing_is_locked(mongo_uri)
