"""Databases as the service makes them, emptied and used again: one made for each test took minutes."""

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from tests.support.api import serving
from tests.support.servers import MongoServer, RedisServer

Shape = dict[str, Any]


class PreparedDatabases:
    """Each has the collections, validators and indexes of a service that has started, and no document."""

    def __init__(self, mongo: MongoServer, redis: RedisServer, client: MongoClient[dict[str, Any]]) -> None:
        self._mongo = mongo
        self._redis_url = redis.url.removesuffix("/0") + "/3"
        self._client = client
        self._free: list[str] = []
        self._shape: Shape = {}

    def take(self) -> str:
        """The name of one that is the caller's until it is given back."""
        if not self._free:
            self._free.append(self._make())
        return self._free.pop()

    def give_back(self, name: str) -> None:
        """Empty it for the next test; dropped if the test changed more than documents."""
        database = self._client[name]
        self._empty(database)
        if _read_shape(database) == self._shape:
            self._free.append(name)
        else:
            self._client.drop_database(name)

    def _make(self) -> str:
        name = f"t_{uuid.uuid4().hex}"
        with ThreadPoolExecutor(1) as aside:  # the thread of the tests has an event loop already
            aside.submit(asyncio.run, self._start_service(name)).result()
        self._shape = _read_shape(self._client[name])
        self._empty(self._client[name])
        return name

    async def _start_service(self, name: str) -> None:
        async with serving(self._mongo.uri_of(name), self._redis_url):
            pass

    def _empty(self, database: Database[dict[str, Any]]) -> None:
        for name in database.list_collection_names():
            if name in self._shape:
                database[name].delete_many({})
                database.command("planCacheClear", name)
            elif not name.startswith("system."):
                database.drop_collection(name)


def _read_shape(database: Database[dict[str, Any]]) -> Shape:
    """Options and indexes by collection."""
    return {
        found["name"]: (found["options"], list(database[found["name"]].list_indexes()))
        for found in database.list_collections()
    }
