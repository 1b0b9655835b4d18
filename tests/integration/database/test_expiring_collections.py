"""The collections whose documents go by themselves: their index is made, checked and kept like the users'."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from app.core.errors import StartError
from app.database import indexes

Database = AsyncDatabase[dict[str, Any]]
EXPIRING = pytest.mark.parametrize("name", ["invitations", "ended_sessions", "column_labels", "tokens"])


@pytest.fixture
async def database(bare_uri: str) -> AsyncIterator[Database]:
    async with AsyncMongoClient[dict[str, Any]](bare_uri) as opened:
        yield opened.get_default_database()


@pytest.fixture
async def applied(database: Database) -> Database:
    await indexes.apply(database)
    return database


@EXPIRING
async def test_a_document_goes_when_it_says(applied: Database, name: str) -> None:
    found = await applied[name].index_information()
    found.pop("_id_")
    assert found.pop("expires_at") == {"v": 2, "key": [("expires_at", 1)], "expireAfterSeconds": 0}
    assert found.keys() == indexes.declared(name).keys() - {"expires_at"}


@EXPIRING
async def test_a_lost_index_is_named_with_its_collection_and_made_again(applied: Database, name: str) -> None:
    await applied[name].drop_index("expires_at")
    assert await indexes.check(applied) == [f"index expires_at of {name} is missing"]
    await indexes.apply(applied)
    assert await indexes.check(applied) == []


@EXPIRING
async def test_a_lost_collection_is_made_again(applied: Database, name: str) -> None:
    await applied.drop_collection(name)
    await indexes.apply(applied)
    assert await indexes.check(applied) == []


@EXPIRING
@pytest.mark.parametrize("options", [{}, {"expireAfterSeconds": 3600}])
async def test_an_index_that_keeps_documents_longer_stops_the_start(
    database: Database, name: str, options: dict[str, Any]
) -> None:
    await database[name].create_index("expires_at", name="expires_at", **options)
    with pytest.raises(StartError) as refused:
        await indexes.apply(database)
    present = {"key": {"expires_at": 1}} | options
    wanted = {"key": {"expires_at": 1}, "expireAfterSeconds": 0}
    assert str(refused.value) == (
        f"index expires_at of {name} differs: it is {present}, it should be {wanted}: "
        "drop it, then run `python -m app indexes apply`."
    )


@EXPIRING
async def test_our_index_under_another_name_stops_the_start(database: Database, name: str) -> None:
    await database[name].create_index("expires_at", name="theirs", expireAfterSeconds=0)
    with pytest.raises(StartError) as refused:
        await indexes.apply(database)
    assert str(refused.value) == (
        f"An index conflicts with ours: index theirs of {name} is not ours; drop it if nothing else needs it."
    )


@EXPIRING
async def test_a_foreign_index_is_reported_and_left_alone(applied: Database, name: str) -> None:
    await applied[name].create_index("created_by", name="theirs")
    assert await indexes.check(applied) == [
        f"index theirs of {name} is not ours; drop it if nothing else needs it"
    ]
    await indexes.apply(applied)
    assert "theirs" in await applied[name].index_information()


async def test_many_processes_that_start_at_once_agree(bare_uri: str) -> None:
    clients = [AsyncMongoClient[dict[str, Any]](bare_uri) for _ in range(8)]
    try:
        await asyncio.gather(*(indexes.apply(opened.get_default_database()) for opened in clients))
        assert await indexes.check(clients[0].get_default_database()) == []
    finally:
        for opened in clients:
            await opened.close()
