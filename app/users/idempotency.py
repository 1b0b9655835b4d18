"""Idempotency: a request with a key is done once, however often it is sent; answers are kept for a day.

Each operation is noted in the transaction that does it, by the owner alone. So a repetition of an interrupted
request, on any process, does only the rest; and of two owners one can no longer do anything.
"""

import hashlib
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError, PyMongoError

from app.audit.write import Also, Entry
from app.core.errors import FieldError, IdempotencyKeyInUseError, IdempotencyKeyReusedError
from app.core.mongo import Collection, Database

KEPT = timedelta(days=1)
_LEASE = timedelta(seconds=30)
"""How long a silent request keeps its key: longer than any one of its steps may take."""
_RELEASE_S = 0.5
_STATUSES = {"created": 201, "changed": 200, "deleted": 204}


@dataclass(frozen=True, slots=True)
class RequestKey:
    id: str
    request: str

    @classmethod
    def of(cls, caller: str, route: str, key: str, body: bytes) -> "RequestKey":
        """The key of a request; both parts are hashes, so that neither key nor body is stored."""
        named = f"{caller}\0{route}\0{key}".encode()
        return cls(hashlib.sha256(named).hexdigest(), hashlib.sha256(body).hexdigest())


@dataclass(frozen=True, slots=True)
class StoredReply:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Attempt:
    """An attempt at a request: what is done, and who does the rest; without a key nothing is stored."""

    keys: Collection
    id: str | None = None
    owner: str = ""
    done: dict[int, dict[str, Any]] = field(default_factory=dict)
    """`{status, id, version}` of each done operation, by its place in the request."""
    answer: StoredReply | None = None
    """The whole answer, if the request was completed."""

    def noting(self, place: Callable[[ObjectId], int]) -> Also | None:
        """Notes with each change which operation did it: the one at the user's `place`."""
        if self.id is None:
            return None

        async def note(entries: list[Entry], session: AsyncClientSession) -> None:
            await self._note({place(entry["user"]): _outcome(entry) for entry in entries}, session)

        return note

    async def _note(self, done: Mapping[int, dict[str, Any]], session: AsyncClientSession) -> None:
        named = {f"done.{place}": outcome for place, outcome in done.items()}
        noted = await self.keys.update_one(
            {"_id": self.id, "owner": self.owner},
            {"$set": {"until": _now() + _LEASE, **named}},
            session=session,
        )
        if not noted.matched_count:
            raise _in_use()

    async def finish(self, answer: StoredReply) -> None:
        """Store the answer of the completed request, for repetitions."""
        if self.id is None:
            return
        kept = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
        await self.keys.update_one({"_id": self.id, "owner": self.owner}, {"$set": {"answer": kept}})
        self.answer = answer


@asynccontextmanager
async def attempt(database: Database, key: RequestKey | None) -> AsyncIterator[Attempt]:
    """Wraps a request; at the end, an incomplete one is released for a repetition.

    IdempotencyKeyReusedError for another body under the key; IdempotencyKeyInUseError during another attempt.
    """
    keys = database["idempotency_keys"]
    if key is None:
        yield Attempt(keys)
        return
    held = await _claim(keys, key)
    if held.answer is not None:
        yield held
        return
    try:
        yield held
    finally:
        if held.answer is None:
            with suppress(PyMongoError), pymongo.timeout(_RELEASE_S):
                await _release(held)


async def _claim(keys: Collection, key: RequestKey) -> Attempt:
    owner = secrets.token_hex(8)
    while True:
        fresh: dict[str, Any] = {
            "_id": key.id,
            "request": key.request,
            "owner": owner,
            "done": {},
            "answer": None,
        }
        moment = _now()
        try:
            await keys.insert_one(fresh | {"until": moment + _LEASE, "expires_at": moment + KEPT})
        except DuplicateKeyError:
            # MongoDB deletes expired documents only about once a minute
            await keys.delete_one({"_id": key.id, "expires_at": {"$lte": moment}})
            found = await keys.find_one({"_id": key.id})
        else:
            return Attempt(keys, key.id, owner)
        if found is not None:
            return await _take_over(keys, key, owner, found)


async def _take_over(keys: Collection, key: RequestKey, owner: str, found: dict[str, Any]) -> Attempt:
    if found["request"] != key.request:
        raise IdempotencyKeyReusedError(
            "This key was sent with another body.",
            errors=(FieldError(parameter="Idempotency-Key", detail="Must be a new key for another body."),),
        )
    if (kept := found["answer"]) is not None:
        return Attempt(keys, key.id, answer=StoredReply(kept["status"], kept["headers"], kept["body"]))
    taken = await keys.find_one_and_update(
        {"_id": key.id, "owner": found["owner"], "answer": None, "until": {"$lte": _now()}},
        {"$set": {"owner": owner, "until": _now() + _LEASE}},
        return_document=ReturnDocument.AFTER,
    )
    if taken is None:
        raise _in_use()
    return Attempt(keys, key.id, owner, {int(place): outcome for place, outcome in taken["done"].items()})


async def _release(held: Attempt) -> None:
    """Delete the document if nothing was done; otherwise let the next attempt go on at once."""
    mine = {"_id": held.id, "owner": held.owner, "answer": None}
    if not (await held.keys.delete_one({**mine, "done": {}})).deleted_count:
        await held.keys.update_one(mine, {"$set": {"until": _now()}})


def _outcome(entry: Entry) -> dict[str, Any]:
    version = entry["version"]
    return {"status": _STATUSES[entry["action"]], "id": str(entry["user"]), "version": version}


def _in_use() -> IdempotencyKeyInUseError:
    return IdempotencyKeyInUseError("A request with this key is in progress.", headers={"Retry-After": "1"})


def _now() -> datetime:
    return datetime.now(UTC)
