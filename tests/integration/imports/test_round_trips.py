"""`import(export(x)) == x`, for every value that a user can hold, through the front door."""

from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.databases import PreparedDatabases
from tests.support.imports import counted, create_all, empty, people, plan

FORMS = ["csv", "xlsx", "ndjson", "ods"]
LABELLED = (
    "columns=email:E-Mail-Adresse,name:=Name,username,phone:Telefon,avatar_url,locale,tags:Schlagworte,scopes,"
    "is_active,bio:Über,age,title,department,addresses_more:Anschriften"
)
CHOICES = [
    "",
    "addresses=0",
    "addresses=10",
    LABELLED,
    "columns=id,name",
    "columns=version,address2_city,address1_city,id,addresses_more",
    "columns=id,address3_zipcode,version",
    "columns=id,address1_city,address4_street,addresses_more",
    "columns=email,address1_street,address2_street,bio",
]
"""Which columns an export is asked for."""


@pytest.fixture(scope="module")
async def client(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving(jobs_inside=True) as opened:
        yield opened


@pytest.mark.parametrize("form", FORMS)
@given(crowd=st.lists(people(), min_size=1, max_size=6), choice=st.sampled_from(CHOICES))
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_a_download_that_comes_back_unchanged_changes_nothing(
    client: httpx.AsyncClient, form: str, crowd: list[dict[str, object]], choice: str
) -> None:
    await empty(client)
    count = await create_all(client, crowd)
    if not count:
        return
    exported = await client.get(f"/users/export?format={form}&{choice}")
    assert exported.status_code == 200, exported.text
    found = await plan(client, exported.content, "application/octet-stream")
    assert counted(found) == {"unchanged": count}, found["items"]
