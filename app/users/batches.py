"""Batches: up to a thousand operations in order, each of which succeeds or fails by itself."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Any

from beanie import PydanticObjectId
from bson import ObjectId
from pydantic import TypeAdapter, ValidationError
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError, PyMongoError
from redis.exceptions import RedisError

from app import audit
from app.audit.write import Also, Author
from app.core.errors import (
    IdempotencyKeyInUseError,
    InsufficientScopeError,
    InvalidError,
    RosterError,
    UnavailableError,
    UniqueConflictError,
)
from app.core.field_errors import from_validation
from app.database.driver_errors import DUPLICATE_KEY
from app.users.authority import Authority
from app.users.changes import Changes
from app.users.idempotency import Attempt
from app.users.user_records import (
    SETTABLE,
    UNIQUE,
    AllowedVersions,
    Records,
    claimed,
    conflict,
    conflict_of,
    creation,
    document,
    record,
)
from models.batch import CreateOperation, DeleteOperation, Operation, UpdateOperation
from models.user import User

_OPERATION: TypeAdapter[CreateOperation | UpdateOperation | DeleteOperation] = TypeAdapter(Operation)
_TOGETHER = 250
"""The most creates of one transaction, which has the time of one operation."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one operation; `error` is set if it failed."""

    status: int
    id: str | None = None
    version: int | None = None
    error: RosterError | None = None


_Parsed = CreateOperation | UpdateOperation | DeleteOperation | RosterError | Result
"""An operation, or its result if that is known already."""


class Batches:
    """Applies batches, by the changes of one user where an operation stands alone."""

    def __init__(self, records: Records, changes: Changes) -> None:
        self._records = records
        self._changes = changes

    async def apply(
        self, operations: Sequence[Any], authority: Authority, attempt: Attempt | None = None
    ) -> list[Result]:
        """Apply operations; one result for each, in order. Neighbouring creates share a transaction.

        Once MongoDB fails, the rest is not tried: a thousand time-outs would take an hour. Operations that an
        earlier attempt did are not done again.
        """
        author = replace(authority.author, via="batch")
        done = attempt.done if attempt is not None else {}
        parsed = [
            Result(**done[place]) if place in done else _parsed(operation, authority)
            for place, operation in enumerate(operations)
        ]
        results: list[Result] = []
        away = False
        for run in _runs(parsed):
            first = len(results)
            if away:
                results += map(_untried, run)
            elif isinstance(run[0], CreateOperation):
                creates = [item for item in run if isinstance(item, CreateOperation)]
                results += await self._create(creates, author, attempt, first)
            else:
                also = _noting(attempt, partial(_always, first))
                results.append(await self._apply(run[0], replace(authority, author=author), also))
            away = away or results[-1].status == UnavailableError.status
        return results

    async def _create(
        self, operations: Sequence[CreateOperation], author: Author, attempt: Attempt | None, first: int
    ) -> list[Result]:
        """Create users in one transaction; those whose values others have fail, and the rest is tried again.

        `first` is the place of the first one in the batch.
        """
        users = [record(self._records.settle(operation.user)) for operation in operations]
        places: dict[ObjectId, int] = {user.id: first + place for place, user in enumerate(users)}
        also = _noting(attempt, places.__getitem__)
        refused: dict[ObjectId, Result] = {}
        try:
            await self._records.learn([user.words for user in users])
            while left := [user for user in users if user.id not in refused]:
                try:
                    await self._records.together(partial(self._insert, left, author, also))
                except BulkWriteError as error:
                    refused |= await self._clashing(left) or _refused(left, error)
                else:
                    break
        except PyMongoError:
            return await self._found_out(users, refused)
        return [refused.get(user.id) or _created(user) for user in users]

    async def _insert(
        self, users: Sequence[User], author: Author, also: Also | None, session: AsyncClientSession
    ) -> None:
        documents = list(map(document, users))
        await self._records.collection.insert_many(documents, session=session)
        told = [creation(each["_id"], {name: each[name] for name in SETTABLE}, author) for each in documents]
        await audit.write.add(self._records.collection.database, told, session, also)

    async def _clashing(self, users: Sequence[User]) -> dict[ObjectId, Result]:
        """The users whose unique values a stored user has, or one before them gets."""
        claims = {user.id: dict(claimed(document(user))) for user in users}
        either = [
            {path: {"$in": values, "$type": "string"}}
            for path in UNIQUE
            if (values := [own[path] for own in claims.values() if path in own])
        ]
        found = await self._records.collection.find({"$or": either}, dict.fromkeys(UNIQUE, 1)).to_list()
        taken = {claim for stored in found for claim in claimed(stored)}
        refused: dict[ObjectId, Result] = {}
        for user in users:
            own = claims[user.id]
            fields = [UNIQUE[path] for path, value in own.items() if (path, value) in taken]
            if fields:
                refused[user.id] = _conflict(conflict_of(fields))
            else:
                taken |= set(own.items())
        return refused

    async def _found_out(self, users: Sequence[User], refused: dict[ObjectId, Result]) -> list[Result]:
        """Results after MongoDB failed during an insert: which users were stored after all."""
        try:
            stored = await self._records.collection.distinct(
                "_id", {"_id": {"$in": [user.id for user in users]}}
            )
        except PyMongoError:
            stored = []
        made = {user.id: _created(user) for user in users if user.id in set(stored)}
        return [refused.get(user.id) or made.get(user.id) or _unavailable() for user in users]

    async def _apply(self, operation: _Parsed, authority: Authority, also: Also | None) -> Result:
        if not isinstance(operation, UpdateOperation | DeleteOperation):
            return _untried(operation)
        user_id = PydanticObjectId(operation.id)
        try:
            if isinstance(operation, UpdateOperation):
                row = await self._changes.patch(
                    user_id, operation.patch, _versions(operation), authority=authority, also=also
                )
                return Result(status=200, id=str(user_id), version=row["version"])
            await self._changes.delete(user_id, _versions(operation), authority=authority, also=also)
            return Result(status=204, id=str(user_id))
        except IdempotencyKeyInUseError:
            raise
        except RosterError as error:
            return Result(status=error.status, id=str(user_id), error=_below("/patch", error))
        except (PyMongoError, RedisError):
            return _unavailable()


def _noting(attempt: Attempt | None, place: Callable[[ObjectId], int]) -> Also | None:
    return None if attempt is None else attempt.noting(place)


def _always(place: int, _: ObjectId) -> int:
    return place


def is_complete(results: Sequence[Result]) -> bool:
    """Whether the outcome of each operation is known."""
    return all(result.status != UnavailableError.status for result in results)


def _runs(parsed: Sequence[_Parsed]) -> Iterator[list[_Parsed]]:
    """Groups: neighbouring creates together, any other operation alone."""
    numbered = enumerate(parsed)
    for _, run in groupby(numbered, lambda item: None if isinstance(item[1], CreateOperation) else item[0]):
        operations = [operation for _, operation in run]
        for start in range(0, len(operations), _TOGETHER):
            yield operations[start : start + _TOGETHER]


def _parsed(operation: Any, authority: Authority) -> _Parsed:
    """The operation, or its error; a create that the caller may not make stays out of its group."""
    try:
        parsed = _OPERATION.validate_python(operation)
        if isinstance(parsed, CreateOperation):
            authority.check_standing(parsed.user)
    except ValidationError as error:
        return InvalidError(
            "The operation is not valid.", errors=from_validation(error, operation, Operation)
        )
    except InsufficientScopeError as error:
        return error
    return parsed


def _refused(users: Sequence[User], error: BulkWriteError) -> dict[ObjectId, Result]:
    """The user that MongoDB refused: the one who had the value is gone already."""
    failure = error.details["writeErrors"][0]
    if failure["code"] != DUPLICATE_KEY:
        raise error
    return {users[failure["index"]].id: _conflict(conflict(failure))}


def _conflict(conflict: UniqueConflictError) -> Result:
    error = _below("/user", conflict)
    return Result(status=error.status, error=error)


def _created(user: User) -> Result:
    return Result(status=201, id=str(user.id), version=user.version)


def _unavailable(detail: str = "MongoDB did not answer, so whether this was done is not known.") -> Result:
    error = UnavailableError(detail)
    return Result(status=error.status, error=error)


def _untried(operation: _Parsed) -> Result:
    if isinstance(operation, Result):
        return operation
    if isinstance(operation, RosterError):
        return Result(status=operation.status, error=operation)
    return _unavailable("Not tried: MongoDB did not answer an operation before this one.")


def _below(place: str, error: RosterError) -> RosterError:
    """The error with pointers into the operation instead of the user."""
    error.errors = tuple(
        replace(bad, pointer=place + bad.pointer) if bad.pointer is not None else bad for bad in error.errors
    )
    return error


def _versions(operation: UpdateOperation | DeleteOperation) -> AllowedVersions:
    return frozenset({operation.version}) if operation.version is not None else None
