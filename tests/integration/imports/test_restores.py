"""A download is a copy to go back to: whatever was changed or deleted since, importing it restores."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.user import UserInput
from tests.support.applying import apply_plan
from tests.support.databases import PreparedDatabases
from tests.support.imports import counted, create_all, people, plan
from tests.support.users import users

FORMS = ["csv", "xlsx", "ndjson"]
FIELDS = (
    "email,name,username,phone,avatar_url,locale,tags,scopes,is_active,bio,age,title,department,"
    "addresses_more"
)
ADDRESS = ("label", "street", "city", "region", "zipcode", "country")
ADDRESSES = [0, 1, 3, 10]
PATIENT = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
async def client(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    """One app for the whole module: each example empties the directory."""
    async with prepared_databases.serving(jobs_inside=True) as opened:
        yield opened


def asked(form: str, addresses: int, *more: str) -> str:
    """The export of all that may be said of a user, with so many addresses in columns of their own."""
    columns = [f"address{n + 1}_{part}" for n in range(addresses) for part in ADDRESS]
    return f"/users/export?format={form}&addresses={addresses}&columns={','.join([*more, FIELDS, *columns])}"


async def directory(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    """What may be said of each user, by e-mail."""
    items = (await client.get("/users?limit=100")).json()["items"]
    return {user["email"]: {name: user[name] for name in UserInput.model_fields} for user in items}


async def ids(client: httpx.AsyncClient) -> list[str]:
    return [user["id"] for user in (await client.get("/users?limit=100&sort=created_at")).json()["items"]]


async def export(client: httpx.AsyncClient, path: str) -> bytes:
    reply = await client.get(path)
    assert reply.status_code == 200, reply.text
    return reply.content


async def edit(client: httpx.AsyncClient, edits: list[dict[str, Any] | None]) -> int:
    """Replace some users by somebody else; how many were changed."""
    changed = 0
    for user_id, wanted in zip(await ids(client), edits, strict=False):
        if wanted is not None:
            reply = await client.put(f"/users/{user_id}", json=wanted)
            assert reply.status_code in {200, 422}, reply.text
            changed += reply.status_code == 200
    return changed


crowds = st.lists(people(), min_size=4, max_size=8)
edits_of_some = st.lists(st.one_of(st.none(), people()), min_size=8, max_size=8)


@pytest.mark.parametrize("form", FORMS)
@given(crowd=crowds, edits=edits_of_some, addresses=st.sampled_from(ADDRESSES))
@PATIENT
async def test_users_who_were_changed_are_again_as_they_were(
    client: httpx.AsyncClient,
    form: str,
    crowd: list[dict[str, Any]],
    edits: list[dict[str, Any] | None],
    addresses: int,
) -> None:
    await users(client).delete_many({})
    count = await create_all(client, crowd)
    before = await directory(client)
    file = await export(client, asked(form, addresses, "id", "updated_at"))
    changed = await edit(client, edits)
    planned = await plan(client, file, "application/octet-stream")
    assert counted(planned) == with_counts(update=changed, unchanged=count - changed), planned["items"]
    await apply_plan(client, planned)
    assert await directory(client) == before


@given(form=st.sampled_from(FORMS), crowd=crowds, edits=edits_of_some)
@PATIENT
async def test_with_the_version_no_edit_is_overwritten(
    client: httpx.AsyncClient, form: str, crowd: list[dict[str, Any]], edits: list[dict[str, Any] | None]
) -> None:
    await users(client).delete_many({})
    count = await create_all(client, crowd)
    file = await export(client, asked(form, 3, "id", "version"))
    changed = await edit(client, edits)
    edited = await directory(client)
    applied = await apply_plan(client, await plan(client, file, "application/octet-stream"))
    assert counted(applied) == with_counts(conflict=changed, unchanged=count - changed), applied["items"]
    assert await directory(client) == edited


@pytest.mark.parametrize("form", FORMS)
@given(crowd=crowds, addresses=st.sampled_from(ADDRESSES))
@PATIENT
async def test_users_who_were_deleted_come_back(
    client: httpx.AsyncClient, form: str, crowd: list[dict[str, Any]], addresses: int
) -> None:
    await users(client).delete_many({})
    count = await create_all(client, crowd)
    before = await directory(client)
    file = await export(client, asked(form, addresses))
    for user_id in await ids(client):
        assert (await client.delete(f"/users/{user_id}")).status_code == 204
    if count:
        applied = await apply_plan(client, await plan(client, file, "application/octet-stream"))
        assert counted(applied) == {"created": count}, applied["items"]
    assert await directory(client) == before


def with_counts(**counts: int) -> dict[str, int]:
    return {status: count for status, count in counts.items() if count}
