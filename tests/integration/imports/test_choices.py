"""What a caller may choose of a file: its sheet, its columns, and what a blank cell means."""

import io
import json
from collections.abc import AsyncIterator
from typing import Any, Literal

import httpx
import openpyxl
import pytest
from bson import ObjectId

from models.export import MEDIA_TYPES
from tests.support.applying import apply_plan
from tests.support.databases import PreparedDatabases
from tests.support.imports import counted, empty, errors_of, plan, refused
from tests.support.users import create, database, users

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture(scope="module")
async def client(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving(jobs_inside=True) as opened:
        await empty(opened)
        yield opened


def book(**sheets: list[list[Any]]) -> bytes:
    """A workbook; a sheet whose name begins with `_` is hidden."""
    made = openpyxl.Workbook()
    made.remove(made.worksheets[0])
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        sheet.sheet_state = "hidden" if name.startswith("_") else "visible"
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def people(name: str) -> list[list[Any]]:
    return [["email", "name"], [f"{name}@example.com", name]]


def complaints(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(bad["parameter"], bad["detail"]) for bad in found["errors"]]


BOOK = book(Cover=[], _Old=people("Old"), Staff=people("Staff"), Guests=people("Guests"))


@pytest.mark.parametrize(
    ("asked", "sheet"),
    [
        ("", "Staff"),
        ("sheet=Guests", "Guests"),
        ("sheet=guests", "Guests"),
        ("sheet=3", "Guests"),
        ("sheet=_Old", "_Old"),
        ("format=xlsx&sheet=2", "Staff"),
    ],
)
async def test_a_sheet_is_the_one_asked_for_or_the_first_that_holds_something(
    client: httpx.AsyncClient, asked: str, sheet: str
) -> None:
    found = await plan(client, BOOK, XLSX, asked)
    assert found["file"]["sheet"] == sheet
    assert found["file"]["other_sheets"] == [
        name for name in ("Cover", "_Old", "Staff", "Guests") if name != sheet
    ]
    assert found["rows"] == 1


async def test_a_sheet_whose_name_is_a_number_is_meant_before_the_place_of_that_number(
    client: httpx.AsyncClient,
) -> None:
    found = await plan(client, book(**{"2024": people("Old"), "1": people("New")}), XLSX, "sheet=1")
    assert found["file"]["sheet"] == "1"


@pytest.mark.parametrize("asked", ["Gests", "9", "0", "-1", "%60", "٢"])
async def test_a_sheet_that_is_not_there_is_told_which_there_are(
    client: httpx.AsyncClient, asked: str
) -> None:
    found = await refused(client, BOOK, 422, "validation_failed", query=f"sheet={asked}", kind=XLSX)
    ((parameter, detail),) = complaints(found)
    assert parameter == "sheet"
    assert "`Guests`" in detail


async def test_a_sheet_that_is_asked_for_and_empty_is_said_to_be_empty(client: httpx.AsyncClient) -> None:
    found = await refused(client, BOOK, 422, "unreadable_file", query="sheet=Cover", kind=XLSX)
    assert "empty" in found["detail"]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("sheet=1", "sheet"),
        ("format=csv&sheet=1", "sheet"),
        ("format=xlsx&delimiter=tab", "delimiter"),
        ("format=xlsx&encoding=utf-8", "encoding"),
        ("format=ndjson&delimiter=tab", "delimiter"),
        ("sheet=", "sheet"),
    ],
)
async def test_options_that_contradict_each_other_or_the_file_name_the_field(
    client: httpx.AsyncClient, asked: str, field: str
) -> None:
    found = await refused(client, "email,name\na@example.com,A\n", 422, "validation_failed", query=asked)
    assert [parameter for parameter, _ in complaints(found)] == [field]


FOREIGN = "id,email,name\n17,nina@example.com,Nina\n"


async def test_a_file_with_an_id_column_of_its_own_is_imported_without_it(client: httpx.AsyncClient) -> None:
    found = await plan(client, FOREIGN, query="ignore=id")
    assert counted(found) == {"create": 1}
    assert found["columns"][0] == {"heading": "id", "field": None, "use": "ignored"}
    assert counted(await plan(client, FOREIGN)) == {"error": 1}


async def test_columns_with_commas_in_their_headings_are_mapped_and_left_out(
    client: httpx.AsyncClient,
) -> None:
    file = '"Mail, private","Name, ""full""","Notes, internal"\nnina@example.com,Nina,x\n'
    query = httpx.QueryParams(
        columns='email:"Mail, private",name:"Name, ""full"""', ignore='"Notes, internal"'
    )
    found = await plan(client, file, query=str(query))
    assert [column["use"] for column in found["columns"]] == ["key", "field", "ignored"]
    assert counted(found) == {"create": 1}


async def test_a_label_with_a_comma_comes_back_from_an_export(client: httpx.AsyncClient) -> None:
    await empty(client)
    await create(client, name="Nina")
    query = httpx.QueryParams(format="csv", columns='email,name:"Name, first"')
    exported = await client.get(f"/users/export?{query}")
    assert exported.content.splitlines()[0] == b'\xef\xbb\xbfemail,"Name, first"'
    assert counted(await plan(client, exported.content)) == {"unchanged": 1}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("ignore=Nmae", "there is no column `Nmae` in the file"),
        ("ignore=id,,name", "a heading is empty"),
        ("columns=name&ignore=name", "`name` is in columns, too"),
    ],
)
async def test_columns_that_cannot_be_left_out_are_named(
    client: httpx.AsyncClient, asked: str, said: str
) -> None:
    found = await refused(client, FOREIGN, 422, "validation_failed", query=asked)
    ((parameter, detail),) = complaints(found)
    assert parameter == "ignore"
    assert detail.startswith(said)


NAMES = "columns=name:First,name:Last"


async def test_first_and_last_name_are_joined_in_the_order_asked_for(client: httpx.AsyncClient) -> None:
    await empty(client)
    file = "Last,email,First\nLovelace,a@example.com, Ada \n,b@example.com,Bo\n,c@example.com,\n"
    found = await plan(client, file, query=NAMES)
    assert counted(found) == {"create": 2, "error": 1}
    assert errors_of(found["items"][2]) == {("invalid_value", "/name", "Last")}
    await apply_plan(client, found)
    assert sorted([user["name"] async for user in users(client).find()]) == ["Ada Lovelace", "Bo"]
    (row,) = (await plan(client, "email,Last,First\na@example.com,King,Ada\n", query=NAMES))["items"]
    assert row["differences"] == [{"pointer": "/name", "from": "Ada Lovelace", "to": "Ada King"}]


async def test_names_of_objects_are_joined_too(client: httpx.AsyncClient) -> None:
    await empty(client)
    file = (
        '{"email":"a@example.com","Last":"Lovelace","First":"Ada"}\n{"email":"b@example.com","First":["x"]}\n'
    )
    file += '{"email":"c@example.com","First":"Cy","name":"Cy"}\n'
    found = await plan(client, file, query=NAMES)
    assert [row["status"] for row in found["items"]] == ["create", "error", "error"]
    assert errors_of(found["items"][2]) == {("ambiguous_column", "/name", "First")}


async def test_a_third_column_that_is_the_name_beside_two_is_refused(client: httpx.AsyncClient) -> None:
    found = await refused(
        client, "email,First,Last,name\na@example.com,A,B,C\n", 422, "validation_failed", query=NAMES
    )
    assert {parameter for parameter, _ in complaints(found)} == {"columns"}


STORED = {
    "email": "nina@example.com",
    "name": "Nina",
    "tags": ["staff"],
    "profile": {"title": "Dr", "age": 30, "addresses": [{"city": "Bonn", "street": "Weg 1"}]},
}


async def test_a_blank_cell_removes_unless_it_is_to_keep(client: httpx.AsyncClient) -> None:
    await empty(client)
    await create(client, **STORED)
    file = "email,title,age,tags,address1_city,address1_street\nnina@example.com, ,31,,,Weg 2\n"
    (kept,) = (await plan(client, file, query="blank=keep"))["items"]
    assert [change["pointer"] for change in kept["differences"]] == [
        "/profile/age",
        "/profile/addresses/0/street",
    ]
    (removed,) = (await plan(client, file))["items"]
    assert {"/profile/title", "/tags", "/profile/addresses/0/city"} < {
        change["pointer"] for change in removed["differences"]
    }
    line = '{"email":"nina@example.com","title":null,"age":31}\n'
    (row,) = (await plan(client, line, query="blank=keep"))["items"]
    assert [change["pointer"] for change in row["differences"]] == ["/profile/age"]


async def test_a_json_array_is_read_as_its_objects_on_lines_would_be(client: httpx.AsyncClient) -> None:
    await empty(client)
    file = '[\n {"email":"a@example.com","name":"Ana"},\n {"email":"b@example.com"}\n]\n'
    found = await plan(client, file, "application/json")
    assert found["file"]["format"] == "ndjson"
    assert [(row["row"], row["status"]) for row in found["items"]] == [(1, "create"), (2, "error")]


@pytest.mark.parametrize(
    "cell",
    ["mobile,vip", '"mobile; vip"', '"mobile\nvip"', '"[""mobile"", ""vip""]"', "\"['mobile', 'vip']\""],
)
async def test_tags_in_a_cell_are_read_however_a_program_writes_a_list(
    client: httpx.AsyncClient, cell: str
) -> None:
    await empty(client)
    await create(client, **STORED)
    (row,) = (await plan(client, f"email;tags\nnina@example.com;{cell}\n"))["items"]
    assert row["differences"] == [{"pointer": "/tags", "from": ["staff"], "to": ["mobile", "vip"]}]


async def test_a_broken_list_is_an_error_and_no_tag(client: httpx.AsyncClient) -> None:
    await empty(client)
    (row,) = (await plan(client, 'email;name;tags\nnina@example.com;Nina;"[""mobile"""\n'))["items"]
    assert errors_of(row) == {("bad_cell", "/tags", "tags")}
    assert "JSON array" in row["errors"][0]["detail"]


@pytest.mark.parametrize("form", ["csv", "xlsx", "ndjson"])
async def test_tags_that_look_like_a_list_come_back_unchanged(client: httpx.AsyncClient, form: str) -> None:
    await empty(client)
    for tags in (["[]"], ['["a"]', "b"], ["'x'"], ["(old) y", "[z]"], ["{", '"']):
        await create(client, tags=tags)
    exported = await client.get(f"/users/export?format={form}")
    assert counted(await plan(client, exported.content, "application/octet-stream")) == {"unchanged": 5}


@pytest.mark.parametrize("heading", ["password_hash", "Password hash"])
@pytest.mark.parametrize("form", ["csv", "ndjson"])
async def test_hashes_that_are_left_out_are_neither_stored_nor_given_back(
    client: httpx.AsyncClient, form: Literal["csv", "ndjson"], heading: str
) -> None:
    hashed = "$2b$04$" + "NoHashOfAnybody".ljust(53, ".")
    row = {"email": "left@example.com", "name": "Left Out", heading: hashed}
    file = f"{','.join(row)}\n{','.join(row.values())}\n" if form == "csv" else json.dumps(row)
    found = await plan(client, file, MEDIA_TYPES[form], query=f"ignore={heading}")
    assert counted(found) == {"create": 1}
    stored = await database(client)["import_rows"].find({"import": ObjectId(found["id"])}).to_list()
    reply = await client.get(f"/users/imports/{found['id']}/rows.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(reply.content)).worksheets[0]
    shown = [cell for line in sheet.iter_rows(values_only=True) for cell in line]
    assert "Left Out" in shown
    assert hashed not in f"{stored}{shown}{found}"
