"""What a caller may choose of a file: its sheet, its columns, and what a blank cell means."""

import io
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openpyxl
import pytest

from tests.servers import MongoServer, RedisServer
from tests.support_imports import empty, importing_all_along, plan, refused

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture(scope="module")
async def client(mongo_server: MongoServer, redis_server: RedisServer) -> AsyncIterator[httpx.AsyncClient]:
    async with importing_all_along(mongo_server, redis_server) as opened:
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
