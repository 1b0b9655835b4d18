"""Rows and columns of a workbook that are hidden: left out and said to be, or read if that is asked for."""

import io
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from tests.support.applying import apply_plan
from tests.support.databases import PreparedDatabases
from tests.support.imports import counted, empty, plan, refused
from tests.support.users import create

OCTETS = "application/octet-stream"


@pytest.fixture(scope="module")
async def client(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving(jobs_inside=True) as opened:
        await empty(opened)
        yield opened


def save(hide: Callable[[Worksheet], None], heading: str = "email,name,title,password_hash") -> bytes:
    """A sheet of three people, after something of it was hidden."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(heading.split(","))
    for name in "abc":
        sheet.append([f"{name}@example.com", name, "Chief", None])
    hide(sheet)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def hide_rows(sheet: Worksheet) -> None:
    """As a filter does; of those beyond the table one is blank."""
    for number in (2, 4, 9):
        sheet.row_dimensions[number].hidden = True


def hide_title(sheet: Worksheet) -> None:
    sheet.column_dimensions["C"].hidden = True


def uses(found: dict[str, Any]) -> list[str]:
    return [column["use"] for column in found["columns"]]


async def test_hidden_rows_are_left_out_and_counted(client: httpx.AsyncClient) -> None:
    found = await plan(client, save(hide_rows), OCTETS)
    assert ([row["row"] for row in found["items"]], found["rows"]) == ([3], 1)
    assert found["file"]["hidden_rows"] == 2
    again = (await client.get(f"/users/imports/{found['id']}")).json()
    assert again["file"]["hidden_rows"] == 2


async def test_hidden_rows_are_read_if_that_is_asked_for(client: httpx.AsyncClient) -> None:
    found = await plan(client, save(hide_rows), OCTETS, "hidden=read")
    assert ([row["row"] for row in found["items"]], found["file"]["hidden_rows"]) == ([2, 3, 4], 0)


async def test_a_hidden_column_changes_nothing_and_is_named_in_the_plan(client: httpx.AsyncClient) -> None:
    await create(client, email="b@example.com", name="b", profile={"title": "Clerk"})
    found = await plan(client, save(hide_title), OCTETS)
    assert uses(found) == ["key", "field", "hidden", "password_hash"]
    assert counted(found) == {"create": 2, "unchanged": 1}
    assert found["items"][0]["values"].get("profile") is None


@pytest.mark.parametrize("asked", ["hidden=read", "columns=title:title", "columns=title:title&hidden=skip"])
async def test_a_hidden_column_is_read_if_it_is_asked_for(client: httpx.AsyncClient, asked: str) -> None:
    found = await plan(client, save(hide_title), OCTETS, asked)
    assert uses(found) == ["key", "field", "field", "password_hash"]
    assert found["items"][0]["values"]["profile"] == {"title": "Chief"}


async def test_what_is_hidden_does_not_come_back_with_the_rows(client: httpx.AsyncClient) -> None:
    found = await plan(client, save(hide_title), OCTETS)
    reply = await client.get(f"/users/imports/{found['id']}/rows.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(reply.content)).worksheets[0]
    assert [cell.value for cell in sheet[1]] == ["email", "name", "password_hash", "status", "error"]
    assert "Chief" not in {cell.value for row in sheet.iter_rows() for cell in row}


async def test_a_hidden_column_of_keys_is_no_key_and_the_refusal_says_why(client: httpx.AsyncClient) -> None:
    def hide_email(sheet: Worksheet) -> None:
        sheet.column_dimensions["A"].hidden = True

    found = await refused(client, save(hide_email), 422, "validation_failed", kind=OCTETS)
    (bad,) = found["errors"]
    assert bad["detail"] == (
        "one of id, email and username is needed to find the users of rows; hidden columns are left out "
        "without hidden=read"
    )


async def test_a_hidden_column_that_deletes_deletes_nobody(client: httpx.AsyncClient) -> None:
    await create(client, email="c@example.com", name="c")

    def hide_delete(sheet: Worksheet) -> None:
        sheet["C4"] = "yes"
        hide_title(sheet)

    file = save(hide_delete, "email,name,delete")
    assert "delete" not in counted(await plan(client, file, OCTETS))
    assert "deleted" not in counted(await apply_plan(client, await plan(client, file, OCTETS)))


@pytest.mark.parametrize(("first", "where"), [(1, "of the sheet"), (2, "below the heading")])
async def test_a_sheet_of_which_all_is_hidden_is_refused_by_what_would_read_it(
    client: httpx.AsyncClient, first: int, where: str
) -> None:
    def hide_all(sheet: Worksheet) -> None:
        for number in range(first, 5):
            sheet.row_dimensions[number].hidden = True

    found = await refused(client, save(hide_all), 422, "unreadable_file", kind=OCTETS)
    assert found["detail"] == f"All rows {where} are hidden: show them, or send hidden=read."


async def test_a_csv_has_no_hidden_rows_and_the_option_beside_its_format_is_refused(
    client: httpx.AsyncClient,
) -> None:
    file = "email,name\na@example.com,A\n"
    assert (await plan(client, file))["file"]["hidden_rows"] is None
    found = await refused(client, file, 422, "validation_failed", query="format=csv&hidden=read")
    assert [bad["parameter"] for bad in found["errors"]] == ["hidden"]
