"""Databases as the service makes them, put back and used again: one made for each test took minutes."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
from beanie import Document as BeanieDocument
from beanie import init_beanie
from pymongo import MongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.database import Database
from redis import Redis

from tests.support import api
from tests.support.servers import MongoServer, RedisServer

Document = dict[str, Any]

LASTING = ("keys", "schema", "secrets")
"""Collections that a service fills when it starts."""
PLANNED = "users"
"""The collection of which MongoDB keeps plans that a later test would meet."""


_initialised: set[type[BeanieDocument]] = set()


async def bind(
    database: AsyncDatabase[Document], document_models: Sequence[type[BeanieDocument]], **options: Any
) -> None:
    """`init_beanie` where these classes were initialised before: they get another database, and no more.

    Beanie would read each class anew, at each of a thousand starts, for 7 ms.
    """
    if not _initialised.issuperset(document_models):
        await init_beanie(database=database, document_models=document_models, **options)
        _initialised.update(document_models)
    for model in document_models:
        model.get_settings().pymongo_collection = database[str(model.get_collection_name())]


class PreparedDatabases:
    """Each has the collections, validators, indexes and keys of a service that has started; nothing else."""

    def __init__(self, mongo: MongoServer, redis: RedisServer, client: MongoClient[Document]) -> None:
        self._mongo = mongo
        self._redis_url = redis.url.removesuffix("/0") + "/3"
        self._modules_redis_url = redis.url.removesuffix("/0") + "/2"
        self._client = client
        self._free: list[str] = []
        self._lent_to_modules = 0
        self._started: dict[str, tuple[Document, dict[str, list[Document]]]] = {}
        """Shape and documents of each, as the service left them."""

    @asynccontextmanager
    async def serving(self, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
        """A client as of `api.serving_prepared`, for a whole module."""
        with self.lending_to_module() as uri:
            async with api.serving_prepared(uri, self._modules_redis_url, **settings) as client:
                yield client

    @contextmanager
    def lending_to_module(self) -> Iterator[str]:
        """As `lending`; another is made first where none would be left for the module's tests.

        To make one, a service starts, which takes Beanie away from the others of this process.
        """
        while len(self._free) < 2:
            self._free.append(self._make())
        if not self._lent_to_modules:
            with Redis.from_url(self._modules_redis_url) as redis:
                redis.flushdb()  # of those who had these databases before
        self._lent_to_modules += 1
        try:
            with self.lending() as uri:
                yield uri
        finally:
            self._lent_to_modules -= 1

    @contextmanager
    def lending(self) -> Iterator[str]:
        """The address of one that nobody else has."""
        name = self._free.pop() if self._free else self._make()
        yield self._mongo.uri_of(name)
        self._put_back(name)

    def _put_back(self, name: str) -> None:
        """For the next test; dropped if this one changed more than documents."""
        shape, documents = self._started[name]
        database, found = self._client[name], self._read_shape(name)
        for other in found.keys() - shape.keys():
            database.drop_collection(other)
            del found[other]
        if found == shape:
            self._restore(database, documents)
            self._free.append(name)
        else:
            self._client.drop_database(name)

    def _make(self) -> str:
        name = f"t_{uuid.uuid4().hex}"
        with ThreadPoolExecutor(1) as aside:  # the thread of the tests has an event loop already
            aside.submit(asyncio.run, self._start_service(name)).result()
        shape, database = self._read_shape(name), self._client[name]
        documents = self._read(database, shape)
        documents.pop("relay", None)  # it would begin with what earlier tests did: those of events begin anew
        self._started[name] = shape, documents
        return name

    async def _start_service(self, name: str) -> None:
        async with api.serving(self._mongo.uri_of(name), self._redis_url):
            pass

    def _read_shape(self, name: str) -> Document:
        """Options and indexes by collection."""
        found = self._client.admin.aggregate([{"$listCatalog": {}}, {"$match": {"db": name}}])
        return {
            each["name"]: (each["md"]["options"], [index["spec"] for index in each["md"]["indexes"]])
            for each in found
        }

    def _restore(self, database: Database[Document], documents: dict[str, list[Document]]) -> None:
        shape, _ = self._started[database.name]
        found = self._read(database, shape)
        for name in shape:
            if found[name] != documents[name]:
                database[name].delete_many({})
                if documents[name]:
                    database[name].insert_many(documents[name])
        database.command("planCacheClear", PLANNED)

    def _read(self, database: Database[Document], shape: Document) -> dict[str, list[Document]]:
        """By collection: all documents of those that last, and the id of one of each other that has any."""
        stages: list[Document] = [{"$documents": []}]
        for name in shape:
            some: list[Document] = [] if name in LASTING else [{"$limit": 1}, {"$project": {"_id": 1}}]
            pipeline = [*some, {"$replaceWith": {"collection": name, "document": "$$ROOT"}}]
            stages.append({"$unionWith": {"coll": name, "pipeline": pipeline}})
        read: dict[str, list[Document]] = defaultdict(list)
        for found in database.aggregate(stages):
            read[found["collection"]].append(found["document"])
        return read
