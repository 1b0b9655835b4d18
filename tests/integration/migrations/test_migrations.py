"""Steps from schema to schema: each once, and none backwards."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.database import AsyncDatabase

from app import migrations
from app.core.errors import StartError
from app.migrations import Step
from tests.support.api import serving

Database = AsyncDatabase[dict[str, Any]]
LEASE_S = 0.3


@pytest.fixture
async def database(bare_uri: str) -> AsyncIterator[Database]:
    async with AsyncMongoClient[dict[str, Any]](bare_uri) as client:
        yield client.get_default_database()


def step(version: int, migrate: Callable[[Database], Awaitable[None]] | None = None) -> Step:
    async def note(database: Database) -> None:
        await asyncio.sleep(LEASE_S)  # longer than a third of the lease, so that it must be renewed
        await database["runs"].insert_one({"version": version})

    return Step(version, f"Step {version}.", migrate or note)


async def runs(database: Database) -> list[int]:
    return [run["version"] async for run in database["runs"].find(sort=[("$natural", 1)])]


async def version(database: Database) -> Any:
    found = await database["schema"].find_one({"_id": "schema"})
    return found and (found["version"], found["lock"], [done["version"] for done in found["done"]])


async def test_ten_that_start_together_do_each_step_once(bare_uri: str, database: Database) -> None:
    steps = [step(1), step(2), step(3)]

    async def start() -> None:
        async with AsyncMongoClient[dict[str, Any]](bare_uri) as client:
            await migrations.apply(client.get_default_database(), steps, lease_s=LEASE_S)

    await asyncio.gather(*(start() for _ in range(10)))
    assert await runs(database) == [1, 2, 3]
    assert await version(database) == (3, None, [1, 2, 3])


async def test_a_release_with_one_step_more_does_only_that(database: Database) -> None:
    await migrations.apply(database, [step(1)])
    assert await migrations.check(database, [step(1), step(2)]) == ["migration 2 is not done: Step 2."]
    await migrations.apply(database, [step(1), step(2)])
    assert await runs(database) == [1, 2]
    assert await migrations.check(database, [step(1), step(2)]) == []


async def test_a_process_that_was_killed_in_a_step_is_replaced(database: Database) -> None:
    begun = asyncio.Event()

    async def never_end(_: Database) -> None:
        begun.set()
        await asyncio.Event().wait()

    killed = asyncio.create_task(migrations.apply(database, [step(1, never_end)], lease_s=LEASE_S))
    await begun.wait()
    # As a process that died: its lock stays, and nobody renews it.
    lock = (await database["schema"].find_one({"_id": "schema"}) or {})["lock"]
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    await database["schema"].update_one({"_id": "schema"}, {"$set": {"lock": lock}})
    await migrations.apply(database, [step(1)])
    assert await version(database) == (1, None, [1])


async def test_a_step_that_fails_is_not_counted_and_leaves_no_lock(database: Database) -> None:
    async def fail(_: Database) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await migrations.apply(database, [step(1), step(2, fail)])
    assert await version(database) == (1, None, [1])


async def test_a_process_that_lost_the_lock_in_a_step_does_not_count_it(database: Database) -> None:
    async def lose(database: Database) -> None:
        if not await runs(database):
            await database["schema"].update_one(
                {"_id": "schema"}, [{"$set": {"lock": {"owner": "another", "until": "$$NOW"}}}]
            )
        await database["runs"].insert_one({"version": 1})

    await migrations.apply(database, [step(1, lose)])
    assert await runs(database) == [1, 1]
    assert await version(database) == (1, None, [1])


async def test_nothing_starts_on_the_schema_of_a_newer_release(bare_uri: str, redis_url: str) -> None:
    with MongoClient[dict[str, Any]](bare_uri) as client:
        client.get_default_database()["schema"].insert_one({"_id": "schema", "version": 99, "done": []})
    known = len(migrations.STEPS)
    with pytest.raises(StartError, match=f"schema 99 of a newer release; this one knows {known}: start the"):
        async with serving(bare_uri, redis_url):
            pass


async def test_a_new_directory_has_the_schema_of_the_release(bare_uri: str, redis_url: str) -> None:
    async with serving(bare_uri, redis_url) as client:
        database = client.app.state.container.connections.database  # type: ignore[attr-defined]  # set by `serving`
        newest = len(migrations.STEPS)
        assert await version(database) == (newest, None, list(range(1, newest + 1)))
