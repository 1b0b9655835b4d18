"""Files of a kind that is not read: each is refused by a sentence that names it and what to send instead."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.databases import PreparedDatabases
from tests.support.imports import counted, empty, plan, refused
from tests.unit.spreadsheets.foreign_files import KINDS

OCTETS = "application/octet-stream"


@pytest.fixture(scope="module")
async def client(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving(jobs_inside=True) as opened:
        yield opened


@pytest.mark.parametrize("kind", KINDS)
async def test_a_file_of_another_kind_is_refused_by_what_it_is_and_what_to_do(
    client: httpx.AsyncClient, kind: str
) -> None:
    file, sentence = KINDS[kind]
    found = await refused(client, file, 415, "unsupported_file", kind=OCTETS)
    assert found["detail"] == f"The file is {sentence}"


async def test_an_empty_file_is_refused_as_empty(client: httpx.AsyncClient) -> None:
    found = await refused(client, b"", 422, "validation_failed", kind=OCTETS)
    assert found["errors"] == [{"parameter": "file", "detail": "Must be a file that is not empty."}]


@pytest.mark.parametrize("said", ["csv", "xlsx", "ndjson", "ods"])
async def test_what_the_caller_says_of_it_does_not_hide_what_it_is(
    client: httpx.AsyncClient, said: str
) -> None:
    file, sentence = KINDS[".xls"]
    found = await refused(client, file, 415, "unsupported_file", kind=OCTETS, query=f"format={said}")
    assert found["detail"] == f"The file is {sentence}"


@pytest.mark.parametrize(
    "heading",
    [
        "ID;Phone;email;name",
        "<b>;email;name",
        "BM;email;name",
        "PK;email;name",
        "MM;email;name",
        "{a};email;name",
    ],
)
async def test_a_table_whose_heading_begins_like_another_kind_is_read(
    client: httpx.AsyncClient, heading: str
) -> None:
    await empty(client)
    row = ";" * heading.count(";")
    file = f"{heading}\n{row[:-1]}a@example.com;A\n"
    assert counted(await plan(client, file, query="format=csv")) == {"create": 1}
