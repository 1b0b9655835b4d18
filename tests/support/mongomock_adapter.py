"""mongomock-motor as Beanie 2 needs it: Beanie speaks PyMongo's async API, mongomock-motor speaks Motor's."""

# mypy: disable-error-code="misc"
# mongomock-motor's stubs call its classes Motor's own, which they are not: Any is the truth, also as a base.

from contextlib import AbstractAsyncContextManager, nullcontext
from types import SimpleNamespace
from typing import Any, Self, cast

import mongomock_motor
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError

_Client: Any = mongomock_motor.AsyncMongoMockClient
_Database: Any = mongomock_motor.AsyncMongoMockDatabase
_Collection: Any = mongomock_motor.AsyncMongoMockCollection


def open_database(name: str = "roster") -> AsyncDatabase[dict[str, Any]]:
    """An empty database of its own, for `init_beanie`."""
    return cast("AsyncDatabase[dict[str, Any]]", MockClient()[name])


class MockCollection(_Collection):
    def with_options(self, **_: Any) -> "MockCollection":
        """Itself: mongomock keeps documents, not BSON, so there is nothing to decode one way or another."""
        return self

    async def insert_one(self, *args: Any, **kwargs: Any) -> Any:
        return await super().insert_one(*args, **_without_session(kwargs))

    async def find_one_and_update(self, *args: Any, **kwargs: Any) -> Any:
        return await super().find_one_and_update(*args, **_without_session(kwargs))

    async def find_one_and_delete(self, *args: Any, **kwargs: Any) -> Any:
        return await super().find_one_and_delete(*args, **_without_session(kwargs))

    async def delete_many(self, *args: Any, **kwargs: Any) -> Any:
        return await super().delete_many(*args, **_without_session(kwargs))

    async def update_many(self, *args: Any, **kwargs: Any) -> Any:
        """Without what array filters choose, which mongomock does not know."""
        if "array_filters" in kwargs:
            return None
        return await super().update_many(*args, **_without_session(kwargs))

    async def insert_many(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super().insert_many(*args, **_without_session(kwargs))
        except BulkWriteError as error:
            details: Any = error.details
            details.setdefault("writeConcernErrors", [])  # as every real one has them
            raise

    async def aggregate(self, *args: Any, **kwargs: Any) -> Any:
        return super().aggregate(*args, **kwargs)


def _without_session(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kwargs.items() if name != "session"}


class MockDatabase(_Database):
    def get_collection(self, *args: Any, **kwargs: Any) -> MockCollection:
        return MockCollection(self, self.delegate.get_collection(*args, **kwargs))

    async def command(self, command: Any, **options: Any) -> Any:
        """Writes, too, which mongomock knows by other names."""
        if "insert" in command:
            (row,) = command["documents"]
            await self.get_collection(command["insert"]).insert_one(row)
            return {"ok": 1.0}
        if "findAndModify" in command:
            changed = await self.get_collection(command["findAndModify"]).find_one_and_update(
                command["query"], command["update"], command["fields"], return_document=command["new"]
            )
            return {"ok": 1.0, "value": changed}
        if "updates" not in command:
            return await super().command(command, **options)
        met = 0
        for change in command["updates"]:
            collection = self.get_collection(command["update"])
            done = await collection.update_one(change["q"], change["u"], upsert=bool(change.get("upsert")))
            met += done.matched_count or (done.upserted_id is not None)
        return {"ok": 1.0, "n": met}

    async def list_collection_names(self, **kwargs: Any) -> list[str]:
        """Without the options that only spare a real server work."""
        options = {key: kwargs[key] for key in kwargs.keys() - {"authorizedCollections", "nameOnly"}}
        return cast("list[str]", self.delegate.list_collection_names(**options))


class MockSession:
    """Of transactions that are none: what was written stays, whatever follows."""

    in_transaction = False
    operation_time = None

    async def start_transaction(self) -> None:
        """Nothing."""

    async def commit_transaction(self) -> None:
        """Nothing."""

    async def abort_transaction(self) -> None:
        """Nothing."""

    async def end_session(self) -> None:
        """Nothing."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing."""


class MockClient(_Client):
    options = SimpleNamespace(timeout=None)

    async def _conn_for_writes(self, *_: Any) -> AbstractAsyncContextManager[Any]:
        """To a router of shards, which is sent one command after the other."""
        return nullcontext(SimpleNamespace(is_mongos=True))

    def start_session(self) -> MockSession:
        return MockSession()

    def get_database(self, *args: Any, **kwargs: Any) -> MockDatabase:
        return MockDatabase(self, super().get_database(*args, **kwargs).delegate)
