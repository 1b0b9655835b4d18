"""Interrupted rows: their users were written, and a run was stopped before it wrote their trail."""

from collections.abc import Sequence
from typing import Final

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from app.core.mongo import Collection, Database, Row

_VERSION: Final = {"version": 1}
_OF_TRAIL: Final = {"user": 1, "version": 1, "_id": 0}


async def find_written(users: Collection, rows: Sequence[Row]) -> list[Row]:
    """Of pending rows, the creates whose users were made, and the updates whose users have their change."""
    made = await find_made(users, [row["user"] for row in rows if row["status"] == "create"])
    changed = await _find_changed(users, [row for row in rows if row["status"] == "update"])
    return [row for row in rows if row["user"] in made and row["status"] == "create"] + changed


async def find_made(users: Collection, ids: Sequence[ObjectId]) -> set[ObjectId]:
    """Those who are there, or were: nobody else gives a user an id that a plan has."""
    there = {user["_id"] async for user in users.find({"_id": {"$in": ids}}, {"_id": 1})} if ids else set()
    return there | await find_deleted(users.database, [each for each in ids if each not in there])


async def find_deleted(
    database: Database, ids: Sequence[ObjectId], session: AsyncClientSession | None = None
) -> set[ObjectId]:
    """Those whom others have deleted since they were made."""
    if not ids:
        return set()
    deleted = {"user": {"$in": ids}, "action": "deleted"}
    found = database["audit"].find(deleted, {"user": 1, "_id": 0}, hint="user", session=session)
    return {entry["user"] async for entry in found}


async def _find_changed(users: Collection, updates: Sequence[Row]) -> list[Row]:
    """Everybody else writes a version and its entry of the trail at once.

    So a version without one is ours. The trail is read after the users, so that it has whatever they have.
    """
    which = {"_id": {"$in": [row["user"] for row in updates]}}
    versions = {user["_id"]: user["version"] async for user in users.find(which, _VERSION)}
    beyond = [row for row in updates if versions.get(row["user"], 0) > row["version"]]
    if not beyond:
        return []
    of_them = {"user": {"$in": [row["user"] for row in beyond]}}
    entries = users.database["audit"].find(of_them, _OF_TRAIL, hint="user")
    told = {(entry["user"], entry["version"]) async for entry in entries}
    return [row for row in beyond if (row["user"], row["version"] + 1) not in told]
