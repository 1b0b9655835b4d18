"""Plans made by hand, for what is done with them; how a file becomes one is tested elsewhere."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

import httpx
import pytest
from bson import ObjectId

from app import audit
from app.container import Container
from app.imports import applying, import_records
from app.imports.import_records import ImportRecords
from app.imports.row_writer import RowWriter
from models.imports import EXAMPLE_IMPORT
from models.user import UserInput
from models.values import ALL_SCOPES
from tests.support.users import person

Row = dict[str, Any]


def resources(client: httpx.AsyncClient) -> Container:
    opened: Container = client.app.state.container  # type: ignore[attr-defined]  # set by `serving`
    return opened


def write_together(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """Let apps within the test write so many rows in one transaction."""
    monkeypatch.setattr(applying, "RowWriter", partial(RowWriter, together=rows))


def creation(**more: Any) -> Row:
    """A row that makes a person."""
    said = UserInput.model_validate(person(**more)).model_dump()
    return {"status": "create", "user": ObjectId(), "version": None, "said": said}


def change(user: dict[str, Any], **more: Any) -> Row:
    """A row that changes these fields of a user, who is as in a reply."""
    before = UserInput.model_validate({name: user[name] for name in UserInput.model_fields})
    said = UserInput.model_validate(before.model_dump() | more).model_dump()
    return {
        "status": "update",
        "user": ObjectId(user["id"]),
        "version": user["version"],
        "said": said,
        "differences": audit.write.differences(before.model_dump(), said),
    }


def deletion(user: dict[str, Any]) -> Row:
    return {"status": "delete", "user": ObjectId(user["id"]), "version": user["version"]}


async def plan(client: httpx.AsyncClient, rows: list[Row]) -> ObjectId:
    """The id of an import whose plan these rows are."""
    database = resources(client).connections.database
    import_id = ObjectId()
    due = datetime.now(UTC) + timedelta(days=1)
    counts = import_records.nothing() | Counter(row["status"] for row in rows)
    await ImportRecords(database).imports.insert_one(
        {
            "_id": import_id,
            "by": None,
            "scopes": list(ALL_SCOPES),
            "columns": [{"heading": "E-Mail", "field": "email", "use": "key"}],
            "state": "planned",
            "rows": len(rows),
            "counts": counts,
            "problem": None,
            "plan_job": str(ObjectId()),
            "apply_job": None,
            "created_at": due,
            "planned_at": due,
            "applied_at": None,
            "file": EXAMPLE_IMPORT["file"] | {"id": ObjectId()},
            "heading": ["E-Mail"],
            "expires_at": due,
        }
    )
    common = {"import": import_id, "attempt": 1, "differences": [], "errors": [], "expires_at": due}
    await ImportRecords(database).rows.insert_many(
        [common | {"n": n, "row": n + 1, "cells": []} | row for n, row in enumerate(rows, start=1)]
    )
    return import_id


async def apply(client: httpx.AsyncClient, import_id: ObjectId) -> list[int]:
    """To the end; how many rows had been done each time that it told."""
    opened = resources(client)
    told: list[int] = []

    async def note(done: int, _: int) -> None:
        told.append(done)

    await opened.imports.carry_out(await ImportRecords(opened.connections.database).read(import_id), note)
    return told


async def import_of(client: httpx.AsyncClient, import_id: ObjectId) -> dict[str, Any]:
    return await ImportRecords(resources(client).connections.database).read(import_id)


async def statuses(client: httpx.AsyncClient, import_id: ObjectId) -> list[str]:
    found = (
        ImportRecords(resources(client).connections.database).rows.find({"import": import_id}).sort("n", 1)
    )
    return [row["status"] async for row in found]


async def apply_plan(client: httpx.AsyncClient, planned: dict[str, Any]) -> dict[str, Any]:
    """The import once it is applied."""
    reply = await client.post(f"/users/imports/{planned['id']}/apply", headers={"Prefer": "wait=30"})
    assert reply.status_code == 200, reply.text
    content = cast("dict[str, Any]", reply.json())
    assert content["state"] == "applied"
    return content
