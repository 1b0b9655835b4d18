"""Plans made by hand, for what is done with them; how a file becomes one is tested elsewhere."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from bson import ObjectId

from app.imports import records
from app.imports.applying import Applying
from app.resources import Resources
from app.users import Authority
from models.user import UserInput
from models.values import ALL_SCOPES
from tests.support import person

Row = dict[str, Any]


def resources(client: httpx.AsyncClient) -> Resources:
    opened: Resources = client.app.state.resources  # type: ignore[attr-defined]  # set by `serving`
    return opened


def creation(**more: Any) -> Row:
    """A row that makes a person."""
    said = UserInput.model_validate(person(**more)).model_dump()
    return {"status": "create", "user": ObjectId(), "version": None, "said": said}


def change(user: dict[str, Any], **more: Any) -> Row:
    """A row that changes a user, as he was answered, in these fields."""
    said = UserInput.model_validate({name: user[name] for name in UserInput.model_fields} | more)
    return {
        "status": "update",
        "user": ObjectId(user["id"]),
        "version": user["version"],
        "said": said.model_dump(),
    }


def deletion(user: dict[str, Any]) -> Row:
    return {"status": "delete", "user": ObjectId(user["id"]), "version": user["version"]}


async def plan(client: httpx.AsyncClient, rows: list[Row]) -> ObjectId:
    """The id of an import whose plan these rows are."""
    database = resources(client).database
    import_id = ObjectId()
    due = datetime.now(UTC) + timedelta(hours=1)
    common = {"import": import_id, "attempt": 1, "differences": [], "errors": [], "expires_at": due}
    await records.rows(database).insert_many(
        [common | {"n": n, "row": n + 1, "cells": []} | row for n, row in enumerate(rows, start=1)]
    )
    return import_id


def applying(client: httpx.AsyncClient, import_id: ObjectId, *scopes: str) -> Applying:
    opened = resources(client)
    authority = Authority(frozenset(scopes or ALL_SCOPES), opened.sessions.ending)
    columns = [{"heading": "E-Mail", "field": "email", "use": "key"}]
    return Applying(import_id, records.rows(opened.database), authority, columns)


async def apply(client: httpx.AsyncClient, import_id: ObjectId) -> list[int]:
    """To the end; how many rows were done at a time."""
    done: list[int] = []

    async def note(count: int) -> None:
        done.append(count)

    await applying(client, import_id).apply(note)
    return done


async def statuses(client: httpx.AsyncClient, import_id: ObjectId) -> list[str]:
    found = records.rows(resources(client).database).find({"import": import_id}).sort("n", 1)
    return [row["status"] async for row in found]
