"""Labels of exports: kept once, understood when they come back, never guessed where two fields had one."""

from datetime import timedelta

import httpx
import pytest

from app.core import clock
from app.spreadsheets.column_labels import ColumnLabels
from app.spreadsheets.columns import choose
from tests.support.users import database


async def test_a_label_is_found_again_and_one_of_two_fields_is_not(client: httpx.AsyncClient) -> None:
    await ColumnLabels(database(client)).note(choose("name:Name!,email:Mail,title"))
    await ColumnLabels(database(client)).note(choose("username:Mail,phone:Tel.$"))
    found = await ColumnLabels(database(client)).find(["Name!", "Mail", "Tel.$", "title", "unknown"])
    assert found == {"Name!": "name", "Tel.$": "phone"}


@pytest.mark.parametrize("form", ["csv", "xlsx", "ndjson"])
async def test_an_export_that_is_made_again_writes_nothing(client: httpx.AsyncClient, form: str) -> None:
    path = f"/users/export?format={form}&columns=name:Rufname,email"
    assert (await client.get(path)).status_code == 200
    (before,) = await database(client)["column_labels"].find().to_list()
    assert (before["_id"], before["fields"]) == ("Rufname", ["name"])
    assert (await client.get(path)).status_code == 200
    assert await database(client)["column_labels"].find().to_list() == [before]


async def test_a_label_that_is_used_on_and_on_does_not_go(client: httpx.AsyncClient) -> None:
    labels = database(client)["column_labels"]
    await ColumnLabels(database(client)).note(choose("name:Old"))
    soon = clock.now() + timedelta(days=200)
    await labels.update_one({"_id": "Old"}, {"$set": {"expires_at": soon}})
    await ColumnLabels(database(client)).note(choose("name:Old"))
    (renewed,) = await labels.find().to_list()
    assert renewed["fields"] == ["name"]
    assert renewed["expires_at"] > soon.replace(tzinfo=None)
