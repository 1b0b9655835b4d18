"""Interrupted rows: their users were written, and a run was stopped before it wrote their trail."""

from collections.abc import Sequence
from typing import Final

from app.core.mongo import Collection, Database, Row

_VERSION: Final = {"version": 1}
_OF_TRAIL: Final = {"user": 1, "version": 1, "_id": 0}


async def find_written(users: Collection, database: Database, rows: Sequence[Row]) -> list[Row]:
    """Of pending rows, the updates whose users have their change.

    Everybody else writes a version and its entry of the trail at once. So a version without one is ours. The
    trail is read after the users, so that it has whatever they have.
    """
    updates = [row for row in rows if row["status"] == "update"]
    which = {"_id": {"$in": [row["user"] for row in updates]}}
    versions = {user["_id"]: user["version"] async for user in users.find(which, _VERSION)}
    beyond = [row for row in updates if versions.get(row["user"], 0) > row["version"]]
    if not beyond:
        return []
    of_them = {"user": {"$in": [row["user"] for row in beyond]}}
    entries = database["audit"].find(of_them, _OF_TRAIL, hint="user")
    told = {(entry["user"], entry["version"]) async for entry in entries}
    return [row for row in beyond if (row["user"], row["version"] + 1) not in told]
