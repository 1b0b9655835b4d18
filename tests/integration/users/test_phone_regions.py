"""National numbers of the region that is set: taken wherever a number is taken, found or signed in with."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openpyxl import Workbook

from tests.support.databases import PreparedDatabases
from tests.support.identity import ask_token, member
from tests.support.imports import CSV, counted, plan
from tests.support.users import find, person, pointers, problem, read, users

NUMBER = "+491511234567"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
INTERNATIONAL = [
    "+49 (0)151 1234567",
    "+49 0151/123-45.67",
    "tel:+49-151-1234567",
    "＋４９１５１１２３４５６７",
]
NATIONAL = ["0151 1234567", "(0151) 123-4567", "0049 151 1234567", "٠١٥١١٢٣٤٥٦٧"]


@pytest.fixture(scope="module")
async def german(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving(jobs_inside=True, phone_region="DE", registration="open") as opened:
        yield opened


@pytest.fixture
async def owner(german: httpx.AsyncClient) -> AsyncIterator[dict[str, Any]]:
    """Who has the number; nobody else is there."""
    await users(german).delete_many({})
    yield await member(german, phone=NUMBER)
    await users(german).delete_many({})


def workbook(tmp_path: Path, *rows: list[str]) -> bytes:
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    made.save(tmp_path / "people.xlsx")
    return (tmp_path / "people.xlsx").read_bytes()


@pytest.mark.parametrize("written", [*INTERNATIONAL, *NATIONAL])
async def test_all_ways_take_national_numbers_of_the_region(
    german: httpx.AsyncClient, owner: dict[str, Any], written: str
) -> None:
    path = f"/users/{owner['id']}"
    bare = written.removeprefix("tel:")
    assert await find(german, phone=written) == [owner["id"]]
    assert await find(german, q=bare) == [owner["id"]]
    assert await find(german, q=f'phone:"{bare}"') == [owner["id"]]
    suggested = await german.get("/users/suggest", params={"q": bare})
    assert [each["id"] for each in suggested.json()["items"]] == [owner["id"]]
    exported = await german.get("/users/export", params={"format": "ndjson", "phone": written})
    assert exported.text.count("\n") == 1
    assert (await ask_token(german, written)).status_code == 200
    for attempt in (
        german.post("/users", json=person(phone=written)),
        german.post("/auth/register", json=person(phone=written, password="seven otters juggle quietly")),
    ):
        assert pointers(await attempt, 409, "already_exists") == {"/phone"}
    await german.patch(path, json={"phone": None})
    assert (await german.patch(path, json={"phone": written})).json()["phone"] == NUMBER
    assert (await german.put(path, json=person(phone=written))).json()["phone"] == NUMBER
    operation = {"op": "update", "id": owner["id"], "patch": {"phone": written}}
    batch = await german.post("/users:batch", json={"operations": [operation]})
    assert batch.json()["results"][0]["status"] == 200
    assert (await read(german, owner))["phone"] == NUMBER


@pytest.mark.parametrize("form", ["csv", "xlsx", "ndjson"])
async def test_files_bring_national_numbers_too(
    german: httpx.AsyncClient, owner: dict[str, Any], tmp_path: Path, form: str
) -> None:
    rows = [["id", "phone"], [owner["id"], "0151 1234567"]]
    file, kind = {
        "csv": ("\n".join(map(",".join, rows)).encode(), CSV),
        "xlsx": (workbook(tmp_path, *rows), XLSX),
        "ndjson": (json.dumps(dict(zip(*rows, strict=True))).encode(), "application/x-ndjson"),
    }[form]
    assert counted(await plan(german, file, kind)) == {"unchanged": 1}


async def test_a_username_of_digits_goes_before_a_national_number(
    german: httpx.AsyncClient, owner: dict[str, Any]
) -> None:
    other = await member(german, username="01511234567", password="nine herons argue loudly")
    assert (await ask_token(german, "01511234567", "nine herons argue loudly")).status_code == 200
    assert (await ask_token(german, "0151 1234567")).status_code == 200
    assert other["id"] != owner["id"]


async def test_an_impossible_number_is_refused_by_a_sentence_in_each_way(
    german: httpx.AsyncClient, owner: dict[str, Any]
) -> None:
    sentence = "has too few digits for a number of +49: give it whole, with its area code."
    for attempt in (
        german.post("/users", json=person(phone="+49 151")),
        german.patch(f"/users/{owner['id']}", json={"phone": "+49 151"}),
        german.put(f"/users/{owner['id']}", json=person(phone="+49 151")),
    ):
        (wrong,) = problem(await attempt, 422, "validation_failed")["errors"]
        assert (wrong["pointer"], wrong["detail"]) == ("/phone", sentence)
    planned = await plan(german, f"id,phone\n{owner['id']},+49 151\n")
    assert [(bad["pointer"], bad["detail"]) for bad in planned["items"][0]["errors"]] == [
        ("/phone", sentence)
    ]
    assert (await read(german, owner))["phone"] == NUMBER
