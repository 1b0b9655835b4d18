"""New users: inserted outside a transaction, perhaps by an interrupted run before."""

from collections.abc import Sequence
from typing import Any

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError

from app.core.mongo import Collection
from app.database.driver_errors import DUPLICATE_KEY
from app.imports import interrupted
from app.imports.row_batches import Group


async def insert(
    users: Collection, group: Group, session: AsyncClientSession, *, is_again: bool
) -> set[ObjectId]:
    """The users of the group who were made, now or before; of the others, somebody has a unique value.

    `is_again`: some may have been made, and be deleted since.
    """
    ids = [row["user"] for row in group.rows]
    done = await interrupted.find_made(users, ids) if is_again else set()
    writes = [write for user, write in zip(ids, group.writes, strict=True) if user not in done]
    refused = await _insert(users, writes, session) if writes else []
    return {*ids}.difference(refused) | await interrupted.find_made(users, refused)


async def _insert(users: Collection, writes: Sequence[Any], session: AsyncClientSession) -> list[ObjectId]:
    """Those who are there already, or whose unique values others have."""
    try:
        await users.bulk_write(writes, ordered=False, session=session)
    except BulkWriteError as error:
        wrong = error.details["writeErrors"]
        if error.details["writeConcernErrors"] or any(each["code"] != DUPLICATE_KEY for each in wrong):
            raise
        return [each["op"]["_id"] for each in wrong]
    return []


async def withdraw(users: Collection, ids: Sequence[ObjectId]) -> None:
    """Take away users whom a run that was late made again, after others had deleted them."""
    await users.delete_many({"_id": {"$in": list(await interrupted.find_deleted(users.database, ids))}})
