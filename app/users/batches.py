"""Batches: up to a thousand operations in order, each of which stands or falls alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from beanie import PydanticObjectId
from pydantic import TypeAdapter, ValidationError
from pymongo.errors import BulkWriteError, PyMongoError

from app.errors import InvalidError, RosterError, UnavailableError
from app.field_errors import from_validation
from app.users.changes import delete, patch
from app.users.records import Versions, collection, conflict, record
from models.batch import CreateOperation, DeleteOperation, Operation, UpdateOperation
from models.user import User

_OPERATION: TypeAdapter[CreateOperation | UpdateOperation | DeleteOperation] = TypeAdapter(Operation)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one operation; `error` is set when it failed."""

    status: int
    id: str | None = None
    version: int | None = None
    error: RosterError | None = None


async def apply(operations: Sequence[Any]) -> list[Result]:
    """One result for each operation, in their order. Neighbouring creates go to MongoDB together."""
    results: list[Result] = []
    parsed = [_parsed(operation) for operation in operations]
    for creating, run in groupby(parsed, key=lambda operation: isinstance(operation, CreateOperation)):
        if creating:
            results += await _create([item for item in run if isinstance(item, CreateOperation)])
        else:
            results += [await _apply(item) for item in run if not isinstance(item, CreateOperation)]
    return results


def _parsed(operation: Any) -> CreateOperation | UpdateOperation | DeleteOperation | InvalidError:
    try:
        return _OPERATION.validate_python(operation)
    except ValidationError as error:
        return InvalidError("The operation is not valid.", errors=from_validation(error, operation))


async def _create(operations: Sequence[CreateOperation]) -> list[Result]:
    users = [record(operation.user) for operation in operations]
    try:
        await User.insert_many(users, ordered=False)
    except BulkWriteError as error:
        failed = {write["index"]: write for write in error.details["writeErrors"]}
        return [_created(user, failed.get(place)) for place, user in enumerate(users)]
    except PyMongoError:
        return await _found_out(users)
    return [_created(user, None) for user in users]


def _created(user: User, failure: dict[str, Any] | None) -> Result:
    if failure is not None:
        error = conflict(failure)
        return Result(status=error.status, error=error)
    return Result(status=201, id=str(user.id), version=user.version)


async def _found_out(users: Sequence[User]) -> list[Result]:
    """After MongoDB went away in mid-insert: which were stored, for those a repeat would meet a conflict."""
    try:
        stored = await collection().distinct("_id", {"_id": {"$in": [user.id for user in users]}})
    except PyMongoError:
        return [_unavailable() for _ in users]
    kept = set(stored)
    return [_created(user, None) if user.id in kept else _unavailable() for user in users]


def _unavailable() -> Result:
    error = UnavailableError("MongoDB did not answer; it is not known whether this was done.")
    return Result(status=error.status, error=error)


async def _apply(operation: UpdateOperation | DeleteOperation | InvalidError) -> Result:
    if isinstance(operation, InvalidError):
        return Result(status=operation.status, error=operation)
    try:
        if isinstance(operation, UpdateOperation):
            row = await patch(PydanticObjectId(operation.id), operation.patch, _versions(operation))
            return Result(status=200, id=operation.id, version=row["version"])
        await delete(PydanticObjectId(operation.id), _versions(operation))
        return Result(status=204, id=operation.id)
    except RosterError as error:
        return Result(status=error.status, id=operation.id, error=error)
    except PyMongoError:
        return _unavailable()


def _versions(operation: UpdateOperation | DeleteOperation) -> Versions:
    return frozenset({operation.version}) if operation.version is not None else None
