"""Imports as they are listed, paged through, given back and deleted; and how the job plans them."""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openpyxl
import orjson
import pytest
from bson import ObjectId
from pymongo.errors import BulkWriteError

from app.container import Container
from app.core import clock
from app.core.errors import ImportApplyingError, ImportNotFoundError, InvalidCursorError, UnavailableError
from app.imports import files, import_views, stored_users
from app.imports.import_records import ImportRecords
from app.imports.merging import PROFILE
from app.imports.row_parser import ParsedRow
from app.jobs import Viewer
from models.imports import ImportRowsQuery
from tests.support.databases import PreparedDatabases
from tests.support.identity import call, token_of
from tests.support.imports import CSV, counted, empty, plan, refused, upload
from tests.support.users import NOBODY, create, database, person, problem, until

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture(scope="module")
async def client(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving(jobs_inside=True) as opened:
        yield opened


def resources(client: httpx.AsyncClient) -> Container:
    opened: Container = client.app.state.container  # type: ignore[attr-defined]  # set by `serving`
    return opened


def people(count: int, **columns: str) -> str:
    """A CSV of new people; a column's text may hold `{n}`."""
    fields = {"email": "{n}@example.com", "name": "P{n}"} | columns
    rows = [",".join(text.format(n=n) for text in fields.values()) for n in range(count)]
    return "\n".join([",".join(fields), *rows]) + "\n"


async def read_sheet(client: httpx.AsyncClient, import_id: str, query: str = "") -> list[list[Any]]:
    reply = await client.get(f"/users/imports/{import_id}/rows.xlsx?{query}")
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == XLSX
    assert reply.headers["content-disposition"] == f'attachment; filename="import-{import_id}.xlsx"'
    sheet = openpyxl.load_workbook(io.BytesIO(reply.content)).active
    assert sheet is not None
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


async def test_rows_have_their_cells_on_request_to_be_mended_and_sent_again(
    client: httpx.AsyncClient,
) -> None:
    await empty(client)
    book = openpyxl.Workbook()
    for line in (
        ["email", "Note", "name", "age"],
        ["ana@example.com", 7, "=1+1", "old"],
        [None, None, "B", 3],
    ):
        book.worksheets[0].append(line)
    sheet = io.BytesIO()
    book.save(sheet)
    found = await plan(client, sheet.getvalue(), XLSX)
    assert "cells" not in found["items"][0]
    rows = (await client.get(f"/users/imports/{found['id']}?cells=true")).json()["items"]
    assert [row["cells"] for row in rows] == [["ana@example.com", "7", None, "old"], [None, None, "B", "3"]]


async def test_reverts_have_no_cells(client: httpx.AsyncClient) -> None:
    await empty(client)
    path = f"/users/imports/{(await plan(client, people(1)))['id']}"
    await client.post(f"{path}/apply", headers={"Prefer": "wait=10"})
    undone = (await client.post(f"{path}/revert", headers={"Prefer": "wait=10"})).json()
    rows = (await client.get(f"/users/imports/{undone['id']}?cells=true")).json()["items"]
    assert [row["cells"] for row in rows] == [None]


async def test_objects_have_no_cells(client: httpx.AsyncClient) -> None:
    found = await plan(client, '{"email": "ana@example.com", "name": "Ana"}\n', "application/x-ndjson")
    rows = (await client.get(f"/users/imports/{found['id']}?cells=true")).json()["items"]
    assert [row["cells"] for row in rows] == [None]


async def test_rows_are_paged_through_in_the_order_of_the_file_and_by_status(
    client: httpx.AsyncClient,
) -> None:
    await empty(client)
    file = people(1_203, age="{n}")
    found = await plan(client, file)
    assert counted(found) == {"create": 151, "error": 1_052}
    assert [len(found["items"]), found["rows"]] == [50, 1_203]
    path = f"/users/imports/{found['id']}"
    rows: list[Any] = []
    address: str | None = f"{path}?limit=500"
    while address:
        page = (await client.get(address)).json()
        rows += page["items"]
        address = f"{path}?limit=500&cursor={page['next']}" if page["next"] else None
    assert [row["row"] for row in rows] == list(range(2, 1_205))
    assert rows[:50] == found["items"]
    bad = (await client.get(f"{path}?status=error&status=conflict&limit=1000")).json()
    assert [row["row"] for row in bad["items"]] == list(range(153, 1_153))
    last = (await client.get(f"{path}?status=conflict&status=error&limit=1000&cursor={bad['next']}")).json()
    assert [row["row"] for row in last["items"]] == list(range(1_153, 1_205))
    assert last["next"] is None
    problem(await client.get(f"{path}?cursor={bad['next']}"), 400, "invalid_cursor")
    problem(await client.get(f"{path}?status=good"), 422, "validation_failed")
    problem(await client.get(f"{path}?limit=1001"), 422, "validation_failed")


async def test_an_import_is_its_makers_and_administrators(client: httpx.AsyncClient) -> None:
    writer, other = await token_of(client, "users:write"), await token_of(client, "users:write")
    sent = {"content": people(1, email="own{n}@example.com"), "headers": {"Content-Type": CSV}}
    mine = (await call(client, "POST", "/users/import", writer, **sent)).json()["id"]
    path = f"/users/imports/{mine}"
    for way, where in (("GET", path), ("GET", f"{path}/rows.xlsx"), ("DELETE", path)):
        problem(await call(client, way, where, other), 404, "import_not_found")
    assert (await call(client, "GET", path, writer)).status_code == 200
    assert (await client.get(path)).json()["id"] == mine
    assert (await call(client, "GET", "/users/imports", other)).json() == {"items": [], "next": None}
    assert [each["id"] for each in (await call(client, "GET", "/users/imports", writer)).json()["items"]] == [
        mine
    ]
    newest = (await client.get("/users/imports?limit=1")).json()
    assert [each["id"] for each in newest["items"]] == [mine]
    assert (await client.get(f"/users/imports?limit=1&cursor={newest['next']}")).json()["items"]
    problem(await client.get("/users/imports?cursor=x"), 400, "invalid_cursor")
    problem(await client.get(f"/users/imports/{NOBODY}"), 404, "import_not_found")
    problem(await client.get("/users/imports/x"), 404, "not_found")


async def test_the_same_spreadsheet_comes_back_with_what_is_wrong_and_goes_up_again(
    client: httpx.AsyncClient,
) -> None:
    await empty(client)
    user = await create(client, name="Ana")
    file = f"""E-Mail,Name,Zip,status,Note
{user["email"]},Ana,01234,old,=1+1
,New,007,,x
a@example.com,Al,,,
"""
    found = await plan(client, file, query="columns=address1_zipcode:Zip")
    heading, *rows = await read_sheet(client, found["id"])
    assert heading == ["E-Mail", "Name", "Zip", "Note", "status", "error"]
    assert rows[0] == [user["email"], "Ana", "01234", "=1+1", "update", None]
    assert rows[1][:5] == [None, "New", "007", "x", "error"]
    assert rows[1][5] == (
        "One of id, email and username is needed to find the row's user. E-Mail: This is required."
    )
    assert [row[4] for row in rows] == ["update", "error", "create"]
    only = await read_sheet(client, found["id"], "status=error")
    assert only == [heading, rows[1]]
    reply = await client.get(f"/users/imports/{found['id']}/rows.xlsx?status=error")
    book = openpyxl.load_workbook(io.BytesIO(reply.content))
    assert book.active is not None
    book.active["A2"] = "mended@example.com"
    mended = io.BytesIO()
    book.save(mended)
    again = await plan(client, mended.getvalue(), XLSX, "columns=address1_zipcode:Zip")
    assert counted(again) == {"create": 1}


async def test_objects_come_back_as_a_table_that_means_the_same(client: httpx.AsyncClient) -> None:
    await empty(client)
    kept = {"addresses": [{"city": "Ulm"}, {}], "bio": "b"}
    user = await create(client, name="Ana", tags=["a", "b"], profile=kept)
    exported = await client.get("/users/export?format=ndjson")
    found = await plan(client, exported.content, "application/x-ndjson")
    heading, row = await read_sheet(client, found["id"])
    assert heading[-(len(PROFILE) + 3) :] == [*PROFILE, "addresses_more", "status", "error"]
    assert row[-2:] == ["unchanged", None]
    reply = await client.get(f"/users/imports/{found['id']}/rows.xlsx")
    assert counted(await plan(client, reply.content, XLSX)) == {"unchanged": 1}
    flat = orjson.dumps({"id": user["id"], "profile": "x", "more": {"a": 1}, "name": "Ana"})
    found = await plan(client, flat, "application/x-ndjson")
    (_, row) = await read_sheet(client, found["id"])
    assert row[:3] == [user["id"], '{"a":1}', "Ana"]


async def test_a_deleted_import_is_gone_with_its_rows_and_its_file(client: httpx.AsyncClient) -> None:
    await empty(client)
    before = await database(client)["import_files.files"].count_documents({})
    found = await plan(client, people(7))
    path = f"/users/imports/{found['id']}"
    assert (await client.delete(path)).status_code == 204
    problem(await client.get(path), 404, "import_not_found")
    problem(await client.delete(path), 404, "import_not_found")
    of_import = {"import": ObjectId(found["id"])}
    assert await database(client)["import_rows"].count_documents(of_import) == 0
    assert await database(client)["import_files.files"].count_documents({}) == before


async def test_one_that_is_being_applied_is_not_deleted(client: httpx.AsyncClient) -> None:
    await empty(client)
    found = await plan(client, people(1))
    which = {"_id": ObjectId(found["id"])}
    applying = {"$set": {"state": "applying", "apply_job": found["plan_job"]}}
    await database(client)["imports"].update_one(which, applying)
    problem(await client.delete(f"/users/imports/{found['id']}"), 409, "import_applying")
    forgotten = {"$set": {"apply_job": NOBODY}}
    await database(client)["imports"].update_one(which, forgotten)
    assert (await client.get(f"/users/imports/{found['id']}")).json()["state"] == "failed"


async def test_one_that_begins_to_be_applied_at_the_same_time_stays(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await empty(client)
    opened, import_id = resources(client), ObjectId((await plan(client, people(1)))["id"])
    viewer = Viewer("", is_admin=True)
    seen = await opened.imports.find(import_id, viewer)

    async def find(*_: Any) -> import_views.ImportView:
        return seen

    monkeypatch.setattr(import_views.Views, "find", find)
    await database(client)["imports"].update_one({"_id": import_id}, {"$set": {"state": "applying"}})
    with pytest.raises(ImportApplyingError):
        await opened.imports.delete(import_id, viewer)
    assert await database(client)["import_rows"].count_documents({"import": import_id}) == 1


async def test_workbooks_take_their_turn_with_the_exports(client: httpx.AsyncClient) -> None:
    await empty(client)
    found, room = await plan(client, people(1)), resources(client).exports.running
    count = resources(client).settings.exports_at_once
    for _ in range(count):
        await room.acquire()
    problem(await client.get(f"/users/imports/{found['id']}/rows.xlsx"), 503, "too_many_exports")
    for _ in range(count):
        room.release()
    assert len(await read_sheet(client, found["id"])) == 2
    assert not room.locked()


async def test_what_has_expired_is_not_there(client: httpx.AsyncClient) -> None:
    await empty(client)
    found = await plan(client, people(1))
    past = {"$set": {"expires_at": clock.now().replace(year=2020)}}
    await database(client)["imports"].update_one({"_id": ObjectId(found["id"])}, past)
    problem(await client.get(f"/users/imports/{found['id']}"), 404, "import_not_found")
    listed = (await client.get("/users/imports")).json()["items"]
    assert found["id"] not in [each["id"] for each in listed]


async def test_callers_who_will_not_wait_are_told_where_to_look(client: httpx.AsyncClient) -> None:
    await empty(client)
    reply = await upload(client, people(3).encode(), Prefer="wait=0")
    assert (reply.status_code, reply.json()["state"], reply.json()["items"]) == (202, "planning", [])
    assert int(reply.headers["retry-after"]) >= 1
    path = reply.headers["location"]
    assert path == f"/users/imports/{reply.json()['id']}"

    async def is_planned() -> bool:
        found = (await client.get(path)).json()
        return bool(found["state"] == "planned") and len(found["items"]) == 3

    await until(is_planned)
    job = (await client.get(f"/jobs/{reply.json()['plan_job']}")).json()
    assert (job["kind"], job["result"], job["progress"]) == ("import_plan", path, {"done": 3, "total": 3})


async def test_rows_are_refused_in_the_language_of_the_one_who_asks(client: httpx.AsyncClient) -> None:
    await empty(client)
    found = await plan(client, "email,name,age\nana@example.com,Ana,old\nbo,Bo,3\n")
    path, chinese = f"/users/imports/{found['id']}", {"Accept-Language": "zh"}
    reply = await client.get(path, headers=chinese)
    told = ["必须是整数。", "必须是邮箱地址，例如 ana@example.com。"]
    assert [row["errors"][0]["detail"] for row in reply.json()["items"]] == told
    assert reply.headers["content-language"] == "zh-Hans"
    sheet = await client.get(f"{path}/rows.xlsx", headers=chinese)
    rows = openpyxl.load_workbook(io.BytesIO(sheet.content)).worksheets[0].iter_rows(values_only=True)
    assert [row[-1] for row in rows] == ["error", f"age: {told[0]}", f"email: {told[1]}"]
    again = await plan(client, sheet.content, "application/octet-stream")
    assert counted(again) == {"error": 2}


async def test_a_long_number_among_texts_comes_back_in_the_workbook(client: httpx.AsyncClient) -> None:
    await empty(client)
    book = openpyxl.Workbook()
    for row in (["email", "name", "phone"], ["a@example.com", "A", 13912345678], ["b@example.com", "B", "x"]):
        book.worksheets[0].append(row)
    book.save(file := io.BytesIO())
    found = await plan(client, file.getvalue(), XLSX)
    assert counted(found) == {"error": 2}
    rows = await read_sheet(client, found["id"])
    assert [row[2] for row in rows] == ["phone", 13912345678, "x"]


async def test_what_is_wrong_further_on_fails_the_plan_with_its_place(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await empty(client)
    monkeypatch.setattr("app.imports.submitting.LOOK_S", 0.0)
    monkeypatch.setattr("app.spreadsheets.reading.tables.LEAST_LOOK_S", 0.0)
    file = people(5_000) + '5001@example.com,"never closed\n'
    said = await refused(client, file, 422, "unreadable_file")
    assert "5002" in said["detail"]
    (failed,) = (await client.get("/users/imports?limit=1")).json()["items"]
    assert (failed["state"], failed["problem"]["code"]) == ("failed", "unreadable_file")
    job = await client.get(f"/jobs/{failed['plan_job']}", headers={"Accept-Language": "zh"})
    assert (job.json()["error"]["title"], job.headers["content-language"]) == (
        "文件中有无法读取的内容",
        "zh-Hans",
    )
    found = (await client.get(f"/users/imports/{failed['id']}")).json()
    assert found["items"] == []
    problem(await client.get(f"/users/imports/{failed['id']}/rows.xlsx"), 409, "import_not_planned")


class Stub:
    """A run that nobody stops."""

    def __init__(self, subject: str) -> None:
        self.subject = subject

    async def progress(self, done: int, total: int | None = None) -> None:
        """Nobody listens."""


async def test_a_plan_that_is_begun_again_leaves_nothing_of_the_first_try(client: httpx.AsyncClient) -> None:
    await empty(client)
    found = await plan(client, people(3))
    which, rows = {"_id": ObjectId(found["id"])}, database(client)["import_rows"]
    await database(client)["imports"].update_one(which, {"$set": {"state": "planning"}})
    await resources(client).imports.plan(Stub(found["id"]))  # type: ignore[arg-type]
    again = (await client.get(f"/users/imports/{found['id']}")).json()
    assert counted(again) == {"create": 3}
    assert await rows.distinct("attempt", {"import": which["_id"]}) == [2]
    await resources(client).imports.plan(Stub(found["id"]))  # type: ignore[arg-type]
    assert await rows.distinct("attempt", {"import": which["_id"]}) == [2]  # a plan is there: nothing is done


async def test_a_planner_that_wakes_up_late_takes_nothing_from_its_successor(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await empty(client)
    found = await plan(client, people(3))
    which = {"_id": ObjectId(found["id"])}
    await database(client)["imports"].update_one(which, {"$set": {"state": "planning"}})
    awake, fetched = asyncio.Event(), asyncio.Event()
    fetch = files.fetch

    async def sleep(*arguments: Any) -> None:
        await fetch(*arguments)
        fetched.set()
        await awake.wait()

    monkeypatch.setattr(files, "fetch", sleep)
    late = asyncio.create_task(resources(client).imports.plan(Stub(found["id"])))  # type: ignore[arg-type]
    await fetched.wait()
    monkeypatch.setattr(files, "fetch", fetch)
    await resources(client).imports.plan(Stub(found["id"]))  # type: ignore[arg-type]
    done = (await client.get(f"/users/imports/{found['id']}")).json()
    awake.set()
    with pytest.raises(BulkWriteError):
        await late
    assert (await client.get(f"/users/imports/{found['id']}")).json() == done
    assert counted(done) == {"create": 3}


async def test_a_plan_with_rows_that_others_wrote_is_made_again(client: httpx.AsyncClient) -> None:
    await empty(client)
    found = await plan(client, people(3))
    import_id, rows = ObjectId(found["id"]), database(client)["import_rows"]
    await database(client)["imports"].update_one({"_id": import_id}, {"$set": {"state": "planning"}})
    stray = {"import": import_id, "n": 99, "attempt": 2, "status": "create", "expires_at": clock.now()}
    await rows.insert_one(stray)
    with pytest.raises(UnavailableError):
        await resources(client).imports.plan(Stub(found["id"]))  # type: ignore[arg-type]
    await resources(client).imports.plan(Stub(found["id"]))  # type: ignore[arg-type]
    assert counted((await client.get(f"/users/imports/{found['id']}")).json()) == {"create": 3}


async def test_a_plan_whose_file_has_gone_fails(client: httpx.AsyncClient) -> None:
    await empty(client)
    found = await plan(client, people(1))
    await database(client)["imports"].update_one(
        {"_id": ObjectId(found["id"])}, {"$set": {"state": "planning"}}
    )
    await database(client)["import_files.files"].delete_many({})
    with pytest.raises(ImportNotFoundError):
        await resources(client).imports.plan(Stub(found["id"]))  # type: ignore[arg-type]


async def test_a_cursor_of_another_import_is_refused(client: httpx.AsyncClient) -> None:
    await empty(client)
    one, two = await plan(client, people(51)), await plan(client, people(51))
    document = await ImportRecords(resources(client).connections.database).read(ObjectId(two["id"]))
    with pytest.raises(InvalidCursorError):
        await resources(client).imports.page(document, ImportRowsQuery(cursor=one["next"]))


# --- what MongoDB is asked


async def stages(found: Any) -> set[str]:
    def walk(node: Any) -> set[str]:
        if isinstance(node, list):
            return set().union(*map(walk, node)) if node else set()
        if not isinstance(node, dict):
            return set()
        own = {node["stage"]} if "stage" in node else set()
        return own.union(*(walk(value) for value in node.values())) if node else own

    return walk((await found.explain())["queryPlanner"]["winningPlan"])


async def test_rows_are_read_by_an_index_in_its_order(client: httpx.AsyncClient) -> None:
    await empty(client)
    found = await plan(client, people(20))
    rows = ImportRecords(resources(client).connections.database).rows
    for statuses in ({}, {"status": {"$in": ["create", "error", "update"]}}):
        wanted = {"import": ObjectId(found["id"]), "n": {"$gt": 3}} | statuses
        cursor = rows.find(wanted, hint="status" if statuses else "n").sort("n", 1).limit(10)
        assert not await stages(cursor) & {"SORT", "COLLSCAN"}


async def test_users_are_looked_up_by_their_unique_indexes(client: httpx.AsyncClient) -> None:
    await empty(client)
    user = await create(client, username="looked", phone="+49303333333")
    opened = resources(client)
    database_ = opened.connections.database
    await database_.command("profile", 2)
    try:
        given = [
            ParsedRow(1, 2, [], {"id": user["id"]}),
            ParsedRow(2, 3, [], {"email": person()["email"]}),
            ParsedRow(3, 4, [], {"username": "LOOKED"}),
        ]
        found = await stored_users.find(opened.connections.users, given, hashes=True)
        wanted = {"email": {"a@example.com"}, "username": {"b"}, "phone": {"+49303333333"}}
        await stored_users.find_owners(opened.connections.users, found, wanted)
        await database_.command("profile", 0)
        asked = await database_["system.profile"].find({"command.find": "users"}).to_list()
    finally:
        await database_.command("profile", 0)
        await database_.drop_collection("system.profile")
    assert len(asked) == 6
    assert all(query["planSummary"].startswith("IXSCAN") for query in asked), asked
    assert all(query["docsExamined"] <= 1 for query in asked)
    assert found.owners["phone"] == {"+49303333333": ObjectId(user["id"])}
