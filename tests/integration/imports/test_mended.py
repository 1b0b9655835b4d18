"""Five thousand rows with a few bad ones: the good are applied, the bad come back, are mended and follow."""

from io import BytesIO
from typing import Any

import httpx
import openpyxl
import pytest

from tests.support.applying import apply_plan
from tests.support.imports import counted, importing, plan
from tests.support.users import create, users

ROWS = 5_000
HEADING = [
    "email",
    "name",
    "username",
    "phone",
    "age",
    "is_active",
    "locale",
    "avatar_url",
    "title",
    "scopes",
]


def good(number: int) -> list[str]:
    known = [f"p{number}@example.com", f"Person {number}", f"p{number}", f"+4930{number:07}"]
    return [*known, "30", "TRUE", "de", "", "Engineer", "me"]


BAD = [
    ("email", "no address {}"),
    ("name", ""),
    ("username", "two words {}"),
    ("username", "taken{}"),
    ("phone", "{}"),
    ("age", "old"),
    ("age", "151"),
    ("is_active", "perhaps"),
    ("locale", "?"),
    ("scopes", "users:own"),
]
"""A column, and what may not stand in it."""
PLACES = [number * 134 for number in range(1, 38)]
"""Numbers of the 37 bad rows."""


@pytest.fixture
async def client(mongo_uri: str, redis_url: str) -> Any:
    async with importing(mongo_uri, redis_url) as opened:
        yield opened


def spoilt(number: int) -> list[str]:
    column, value = BAD[PLACES.index(number) % len(BAD)]
    cells = good(number)
    cells[HEADING.index(column)] = value.format(number)
    return cells


async def test_of_five_thousand_rows_37_are_bad_in_ten_ways_and_follow_once_mended(
    client: httpx.AsyncClient,
) -> None:
    for number in PLACES:
        await create(client, username=f"taken{number}")
    bad = set(PLACES)
    lines = [",".join(HEADING)]
    lines += [",".join(spoilt(number) if number in bad else good(number)) for number in range(1, ROWS + 1)]
    planned = await plan(client, "\r\n".join(lines))
    assert counted(planned) == {"create": ROWS - 37, "error": 37}
    applied = await apply_plan(client, planned)
    assert counted(applied) == {"created": ROWS - 37, "error": 37}
    assert await users(client).count_documents({}) == ROWS

    named = (await client.get(f"/users/imports/{planned['id']}?status=error&limit=100")).json()["items"]
    assert [row["row"] for row in named] == [number + 1 for number in PLACES]
    assert [[error["column"] for error in row["errors"]] for row in named] == [
        [BAD[place % len(BAD)][0]] for place in range(37)
    ]

    reply = await client.get(f"/users/imports/{planned['id']}/rows.xlsx?status=error")
    book = openpyxl.load_workbook(BytesIO(reply.content))
    sheet = book.worksheets[0]
    assert sheet.max_row == 38
    for place, number in enumerate(PLACES):
        column = HEADING.index(BAD[place % len(BAD)][0])
        sheet.cell(place + 2, column + 1).value = good(number)[column]
    mended = BytesIO()
    book.save(mended)
    again = await plan(client, mended.getvalue(), "application/octet-stream")
    assert counted(again) == {"create": 37}, again["items"]
    assert counted(await apply_plan(client, again)) == {"created": 37}
    assert await users(client).count_documents({}) == 37 + ROWS

    whole = await plan(client, "\r\n".join([lines[0], *(",".join(good(n)) for n in range(1, ROWS + 1))]))
    assert counted(whole) == {"unchanged": ROWS}
