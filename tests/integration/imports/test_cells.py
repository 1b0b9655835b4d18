"""Cells that show something else than they hold: what is shown is imported, or the row is an error."""

import io
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from tests.support.databases import PreparedDatabases
from tests.support.imports import counted, errors_of, plan, plan_rows, upload
from tests.support.users import create, problem

OCTETS = "application/octet-stream"


@pytest.fixture(scope="module")
async def client(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving(jobs_inside=True) as opened:
        yield opened


def sheet_of(heading: str, *rows: list[Any]) -> Worksheet:
    sheet = openpyxl.Workbook().worksheets[0]
    for row in (heading.split(","), *rows):
        sheet.append(row)
    return sheet


def save(sheet: Worksheet) -> bytes:
    file = io.BytesIO()
    assert sheet.parent is not None
    sheet.parent.save(file)
    return file.getvalue()


async def test_numbers_are_imported_with_the_digits_and_the_text_that_their_format_shows(
    client: httpx.AsyncClient,
) -> None:
    sheet = sheet_of(
        "email,name,age,phone,title,address1_zipcode", ["a@example.com", "Ann", 7, 4930123456, 17, 1234]
    )
    for cell, code in (("C2", "000"), ("D2", '"+"0'), ("E2", '"E"0000'), ("F2", "00000")):
        sheet[cell].number_format = code
    made = await plan(client, save(sheet), OCTETS)
    await client.post(f"/users/imports/{made['id']}/apply", headers={"Prefer": "wait=30"})
    (user,) = (await client.get("/users?email=a@example.com")).json()["items"]
    assert user["phone"] == "+4930123456"
    assert user["profile"] == {
        "age": 7, "title": "E0017", "bio": None, "department": None,
        "addresses": [dict.fromkeys(("label", "street", "city", "region", "country")) | {"zipcode": "01234"}],
    }  # fmt: skip


async def test_a_number_whose_look_depends_on_the_language_is_an_error_of_its_row(
    client: httpx.AsyncClient,
) -> None:
    sheet = sheet_of(
        "email,name,age,title", ["a@example.com", "Ann", 0.5, 1234], ["b@example.com", "Bob", 5, 123]
    )
    for cell, code in (("C2", "0%"), ("D2", "#,##0"), ("D3", "#,##0")):
        sheet[cell].number_format = code
    first, second = (await plan(client, save(sheet), OCTETS))["items"]
    assert errors_of(first) == {
        ("number_format", "/profile/age", "age"),
        ("number_format", "/profile/title", "title"),
    }
    assert (second["status"], second["errors"]) == ("create", [])


async def test_an_error_value_is_an_error_of_its_row_and_no_name(client: httpx.AsyncClient) -> None:
    sheet = sheet_of("email,name", ["a@example.com", "#N/A"], ["b@example.com", "#REF!"])
    (first, second) = (await plan(client, save(sheet), OCTETS))["items"]
    assert errors_of(first) == errors_of(second) == {("error_value", "/name", "name")}


async def test_booleans_of_a_csv_are_read_in_the_language_of_the_program_that_wrote_it(
    client: httpx.AsyncClient,
) -> None:
    words = ["VERO", "FALSO", "ИСТИНА", "ЛОЖЬ", "EPÄTOSI", "YANLIŞ", "forse"]
    lines = [f"b{number}@example.com;Bo;{word}" for number, word in enumerate(words)]
    *read, odd = await plan_rows(client, "email;name;is_active", *lines)
    assert {row["status"] for row in read} == {"create"}
    assert errors_of(odd) == {("bad_cell", "/is_active", "is_active")}


async def test_a_number_with_marks_is_read_where_it_is_certain_and_named_where_not(
    client: httpx.AsyncClient,
) -> None:
    lines = ["n@example.com;A;31,0", "m@example.com;B;12.000"]
    first, second = await plan_rows(client, "email;name;age", *lines)
    assert (first["status"], errors_of(second)) == ("create", {("bad_cell", "/profile/age", "age")})


async def test_a_cell_that_a_merge_covers_is_an_error_of_its_row_and_removes_nothing(
    client: httpx.AsyncClient,
) -> None:
    await create(client, email="two@example.com", name="Two", profile={"title": "Clerk"})
    sheet = sheet_of(
        "email,name,title,bio",
        ["one@example.com", "One", "Chief", "x"],
        ["two@example.com", "Two", None, None],
        ["three@example.com", "Three", None, "z"],
    )
    sheet.merge_cells("C2:C3")
    sheet.merge_cells("B4:C4")
    first, second, third = (await plan(client, save(sheet), OCTETS))["items"]
    assert (first["status"], first["values"]["profile"]) == ("create", {"title": "Chief", "bio": "x"})
    assert errors_of(second) == {("merged_cell", "/profile/title", "title")}
    assert errors_of(third) == {("merged_cell", "/profile/title", "title")}


async def test_a_merge_across_a_row_that_shows_nothing_else_makes_no_row(client: httpx.AsyncClient) -> None:
    sheet = sheet_of("email,name", ["m@example.com", "M"], [None, None], ["n@example.com", "N"])
    for column in "AB":
        sheet.merge_cells(f"{column}2:{column}3")
    found = await plan(client, save(sheet), OCTETS)
    assert ([row["row"] for row in found["items"]], counted(found)) == ([2, 4], {"create": 2})


async def test_a_heading_that_a_merge_covers_is_refused_by_its_place(client: httpx.AsyncClient) -> None:
    sheet = sheet_of("email,name,,title", ["m@example.com", "M", "x", "y"])
    sheet.merge_cells("B1:C1")
    reply = await upload(client, save(sheet), OCTETS)
    found = problem(reply, 422, "unreadable_file")
    assert found["detail"].startswith("The heading C1 cannot be read as a column's name. Is merged")


async def test_cells_that_cannot_be_read_are_refused_again_when_they_come_back_unmended(
    client: httpx.AsyncClient,
) -> None:
    sheet = sheet_of(
        "email,name,age,title,bio",
        ["a@example.com", "#N/A", 0.5, "x", None],
        ["b@example.com", "B", None, None, "=1+1"],
    )
    sheet["C2"].number_format = "0%"
    sheet.merge_cells("D2:D3")
    made = await plan(client, save(sheet), OCTETS)
    back = await client.get(f"/users/imports/{made['id']}/rows.xlsx")
    again = await plan(client, back.content, OCTETS)
    columns = [{bad["column"] for bad in row["errors"]} for row in again["items"]]
    assert columns == [{"name", "age"}, {"title", "bio"}]
    (_, first, second) = openpyxl.load_workbook(io.BytesIO(back.content)).worksheets[0].values
    assert first[1:4] == ("#N/A", "#N/A", "x")
    assert "age held: " in str(first[-1])
    assert str(second[-1]).endswith("bio held: =1+1")
