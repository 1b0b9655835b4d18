"""An insertion and the write after it go in one message, and are one change all the same."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError, OperationFailure, WriteError

from app.core.mongo import Collection, Database, Row
from app.database import pipeline
from app.database.transactions import together
from tests.support.failing import FailingMongo

TIME_MS = 2_000
UNAUTHORIZED = 13
ENTRY = {"_id": "an entry"}
NEW = {"_id": 2, "name": "Ben"}


@pytest.fixture(scope="module")
def failing_mongo(servers_folder: Path) -> Iterator[FailingMongo]:
    with FailingMongo(servers_folder / "pipeline") as server:
        yield server


@pytest.fixture
async def database(failing_mongo: FailingMongo) -> AsyncIterator[Database]:
    async with AsyncMongoClient[Row](
        failing_mongo.uri, timeoutMS=TIME_MS, maxPoolSize=1, appName="roster"
    ) as client:
        database = client["pipeline"]
        await client.drop_database("pipeline")
        await database.create_collection("users", validator={"name": {"$type": "string"}})
        await database["users"].insert_one({"_id": 1, "name": "Ana"})
        await database.create_collection("audit")
        yield database


async def run(database: Database, command: Row, entry: Row = ENTRY) -> Row:
    async def work(session: AsyncClientSession) -> Row:
        return await pipeline.insert_and_run(session, database["audit"], entry, database["users"], command)

    return await together(database.client, work)


async def names(collection: Collection) -> list[Any]:
    return [row["_id"] async for row in collection.find()]


async def found(database: Database) -> tuple[list[Any], list[Any]]:
    return await names(database["users"]), await names(database["audit"])


def insertion(row: Row) -> Row:
    return {"insert": "users", "documents": [row]}


async def test_both_are_written(database: Database) -> None:
    renaming = {
        "findAndModify": "users",
        "query": {"_id": 1},
        "update": {"$set": {"name": "Eva"}},
        "new": True,
    }
    assert (await run(database, renaming))["value"] == {"_id": 1, "name": "Eva"}
    await run(database, insertion(NEW), {"_id": "another"})
    assert await found(database) == ([1, 2], ["an entry", "another"])


@pytest.mark.parametrize(
    ("row", "error"), [({"_id": 1, "name": "Ben"}, DuplicateKeyError), ({"_id": 2, "name": 3}, WriteError)]
)
async def test_a_write_that_is_refused_leaves_nothing(
    database: Database, row: Row, error: type[WriteError]
) -> None:
    with pytest.raises(error) as caught:
        await run(database, insertion(row))
    assert type(caught.value) is error
    assert await found(database) == ([1], [])


async def test_an_insertion_that_fails_once_is_sent_again_with_the_write(
    database: Database, failing_mongo: FailingMongo
) -> None:
    with failing_mongo.failing(
        "insert", 1, {"errorCode": UNAUTHORIZED, "namespace": "pipeline.audit"}
    ) as failed:
        await run(database, insertion(NEW))
    assert failed == [1]
    assert await found(database) == ([1, 2], ["an entry"])


async def test_an_insertion_that_fails_again_is_the_error_and_leaves_nothing(
    database: Database, failing_mongo: FailingMongo
) -> None:
    fault = {"errorCode": UNAUTHORIZED, "namespace": "pipeline.audit"}
    with failing_mongo.failing("insert", None, fault) as failed, pytest.raises(OperationFailure) as caught:
        await run(database, insertion(NEW))
    assert (failed, caught.value.code) == ([2], UNAUTHORIZED)
    assert await found(database) == ([1], [])


async def test_a_write_that_fails_beside_a_good_insertion_leaves_nothing(
    database: Database, failing_mongo: FailingMongo
) -> None:
    fault = {"errorCode": UNAUTHORIZED, "namespace": "pipeline.users"}
    with failing_mongo.failing("insert", 1, fault), pytest.raises(OperationFailure) as caught:
        await run(database, insertion(NEW))
    assert caught.value.code == UNAUTHORIZED
    assert await found(database) == ([1], [])


async def test_a_connection_that_breaks_between_the_two_begins_both_again(
    database: Database, failing_mongo: FailingMongo
) -> None:
    fault = {"closeConnection": True, "namespace": "pipeline.users"}
    with failing_mongo.failing("insert", 1, fault) as failed:
        await run(database, insertion(NEW))
    assert failed == [1]
    assert await found(database) == ([1, 2], ["an entry"])


async def test_a_router_of_shards_gets_them_one_by_one(database: Database) -> None:
    async with await database.client._conn_for_writes(None, "insert") as the_only_connection:
        the_only_connection.is_mongos = True
    await run(database, insertion(NEW))
    assert await found(database) == ([1, 2], ["an entry"])
