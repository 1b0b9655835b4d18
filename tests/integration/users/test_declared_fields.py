"""Each declared field, by every way in and out of the directory."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import reduce
from operator import getitem
from typing import Any

import httpx
import pytest

from app.spreadsheets.columns import catalogue
from models.fields import UserField
from models.user import FIELDS, PARTS, SORTED
from tests.support.applying import apply_plan
from tests.support.databases import PreparedDatabases
from tests.support.exports import read_cells, read_lines, read_texts
from tests.support.imports import plan
from tests.support.openapi import make_document
from tests.support.tokens import mint_for
from tests.support.users import create, find, pointers, read

SET = [each for each in FIELDS if each.is_set]
FOUND = [each for each in (*SET, *PARTS) if each.declared.filter or each.declared.search]
FORMS = {"csv": read_texts, "ndjson": read_lines, "xlsx": read_cells}
OWN_FORMS: dict[str, list[Any]] = {
    "email": [f"{word}@example.com" for word in ("alpha", "beta", "gamma", "delta", "epsilon")],
    "username": ["alpha", "beta", "gamma", "delta", "epsilon"],
    "phone": [f"+3460000000{number}" for number in range(5)],
    "avatar_url": [f"https://example.com/{number}.png" for number in range(5)],
    "locale": ["de", "en", "es", "fr", "it"],
    "scopes": [["me", "users:read"], ["me", "users:write"], ["users:read"], ["me"], ["me", "users:export"]],
    "is_active": [True, False, True, False, True],
    "addresses": [[dict.fromkeys((part.name for part in PARTS), f"Alpha{number}")] for number in range(5)],
}
"""Values of the fields that do not take any text."""


def value(each: UserField, number: int) -> Any:
    """One of five values, the first of which is sorted before the second."""
    if each.name in OWN_FORMS:
        return OWN_FORMS[each.name][number]
    if each.kind.type is int:
        return 30 + number
    if each.kind.type is bool:
        return number % 2 == 0
    text = f"{'ABCDE'[number]}word{number} {each.name}"
    return [text, f"second{number}"] if each.kind.many else text


def holding(each: UserField, said: Any) -> dict[str, Any]:
    return {each.name: said} if len(each.path) == 1 else {"profile": {each.name: said}}


def body(*fields: UserField, number: int) -> dict[str, Any]:
    """A user who has this value of each of the fields."""
    made: dict[str, Any] = {"profile": {}}
    for each in fields:
        (made if len(each.path) == 1 else made["profile"])[each.name] = value(each, number)
    return made


def shown(user: Any, each: UserField) -> Any:
    return reduce(getitem, each.path, user)


@dataclass(frozen=True, slots=True)
class Directory:
    """Alpha has the first value of each field, Beta the second, the third user what is required alone."""

    client: httpx.AsyncClient
    alpha: str
    beta: str
    least: str
    exported: dict[str, dict[str, Any]] = field(default_factory=dict)
    updated: dict[str, dict[str, Any]] = field(default_factory=dict)
    created: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By the format of the file that brought them back."""


@pytest.fixture(scope="module")
async def directory(prepared_databases: PreparedDatabases) -> AsyncIterator[Directory]:
    async with prepared_databases.serving(jobs_inside=True) as client:
        exported, updated, created = {}, {}, {}
        alpha = await create(client, **body(*SET, number=0))
        for form, reader in FORMS.items():
            of_old, of_new = [await export(client, form, "version", *more) for more in ([], ["id"])]
            (exported[form],) = reader(of_old)
            changed = await client.put(f"/users/{alpha['id']}", json=body(*SET, number=1))
            assert changed.status_code == 200, changed.text
            await bring_back(client, of_old, "update")
            updated[form] = await read(client, alpha)
            await client.delete(f"/users/{alpha['id']}")
            await bring_back(client, of_new, "create")
            (alpha,) = (await client.get("/users")).json()["items"]
            created[form] = alpha
        beta = await create(client, **body(*SET, number=1))
        least = await create(client)
        yield Directory(client, alpha["id"], beta["id"], least["id"], exported, updated, created)


async def export(client: httpx.AsyncClient, form: str, *left_out: str) -> bytes:
    """Everybody, without these columns."""
    columns = ",".join(column.name for column in catalogue() if column.name not in left_out)
    query = {"format": form} | ({"columns": columns} if form != "ndjson" else {})
    reply = await client.get("/users/export", params=query)
    assert reply.status_code == 200, reply.text
    if form != "ndjson":
        return reply.content
    users = [json.loads(line) for line in reply.text.splitlines()]
    kept = [{name: said for name, said in user.items() if name not in left_out} for user in users]
    return "\n".join(map(json.dumps, kept)).encode()


async def bring_back(client: httpx.AsyncClient, file: bytes, status: str) -> None:
    planned = await plan(client, file, "application/octet-stream")
    assert planned["counts"][status] == 1, planned["items"]
    await apply_plan(client, planned)
    assert (await plan(client, file, "application/octet-stream"))["counts"]["unchanged"] == 1


def named(fields: list[UserField]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("each", [pytest.param(each, id=each.name) for each in fields])


@named(SET)
async def test_it_is_created_patched_removed_and_replaced(directory: Directory, each: UserField) -> None:
    client = directory.client
    user = await create(client, **body(each, number=2))
    path = f"/users/{user['id']}"
    assert shown(user, each) == value(each, 2)
    patched = await client.patch(path, json=body(each, number=3))
    assert (patched.status_code, shown(patched.json(), each)) == (200, value(each, 3)), patched.text
    for nothing in (None, "") if each.kind.type is str and not each.kind.many else (None,):
        removed = await client.patch(path, json=holding(each, nothing))
        if each.info.default in (None, []):
            assert (removed.status_code, shown(removed.json(), each)) == (200, each.info.default), (
                removed.text
            )
        else:
            assert pointers(removed) == {each.pointer}
    whole = {"name": "Ana", "email": user["email"]} | body(each, number=2)
    replaced = await client.put(path, json=whole)
    assert (replaced.status_code, shown(replaced.json(), each)) == (200, value(each, 2)), replaced.text
    assert (await client.delete(path)).status_code == 204


@named(list(PARTS))
async def test_a_blank_part_of_an_address_is_missing(directory: Directory, each: UserField) -> None:
    address = {part.name: "" if part is each else "x" for part in PARTS}
    user = await create(directory.client, profile={"addresses": [address]})
    assert user["profile"]["addresses"] == [address | {each.name: None}]
    assert (await directory.client.delete(f"/users/{user['id']}")).status_code == 204


@named(SET)
async def test_its_owner_may_set_it_where_that_is_declared(directory: Directory, each: UserField) -> None:
    client = directory.client
    user = await create(client)
    token = await mint_for(client.app.state.container, user["id"], "me")  # type: ignore[attr-defined]  # set by `serving`
    mine = {"Authorization": f"Bearer {token}"}
    reply = await client.patch("/users/me", json=body(each, number=4), headers=mine)
    if each.declared.owner == "sets" or len(each.path) > 1:
        assert (reply.status_code, shown(reply.json(), each)) == (200, value(each, 4)), reply.text
    else:
        assert pointers(reply) == {each.pointer}
    assert (await client.delete(f"/users/{user['id']}")).status_code == 204


@named(FOUND)
async def test_it_is_filtered_and_searched_where_that_is_declared(
    directory: Directory, each: UserField
) -> None:
    client = directory.client
    first = value(each, 0)[-1] if each.kind.many else "Alpha0" if each in PARTS else value(each, 0)
    asked = str(first).lower() if isinstance(first, bool) else str(first)
    queries = []
    if each.declared.filter:
        queries += [dict.fromkeys(each.bounds, asked) if each.bounds else {each.called: asked}]
    if each.declared.search:
        queries += [{"q": f'{each.called}:"{asked}"'}]
    for query in queries:
        found = await find(client, **query)
        assert directory.alpha in found, query
        assert directory.beta not in found, query
        assert directory.least not in found or each.kind.type is bool, query
    if each.declared.filter and each.may_be_missing and each.info.default in (None, []):
        assert await find(client, missing=each.called) == [directory.least]


@named(list(SORTED))
async def test_users_come_in_its_order_where_that_is_declared(directory: Directory, each: UserField) -> None:
    for sign, wanted in (("", [directory.alpha, directory.beta]), ("-", [directory.beta, directory.alpha])):
        found = await find(directory.client, sort=f"{sign}{each.name}")
        assert [user for user in found if user != directory.least] == wanted or not each.kind.nullable
        assert len(found) == 3


@pytest.mark.parametrize("form", FORMS)
@named(SET)
def test_a_file_has_it_and_brings_it_back_to_old_and_new_users(
    directory: Directory, form: str, each: UserField
) -> None:
    row = directory.exported[form]
    column = "address1_city" if each.name == "addresses" else each.name
    cell = shown(row, each) if form == "ndjson" else row[column]
    assert cell not in (None, "", []), row
    assert shown(directory.updated[form], each) == value(each, 0)
    assert shown(directory.created[form], each) == value(each, 0)


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    found: dict[str, Any] = make_document()["components"]["schemas"]
    return found


@named(list(FIELDS))
def test_the_document_says_who_sets_it_and_that_replies_have_it(
    schemas: dict[str, Any], each: UserField
) -> None:
    in_profile = len(each.path) > 1
    stem = "Profile" if in_profile else "User"
    expected = {f"{stem}Output"} | ({f"{stem}Input", f"{stem}Patch"} if each.is_set else set())
    if not in_profile:
        expected |= {"OwnPatch"} if each.declared.owner == "sets" else set()
        expected |= {"Registration"} if each.declared.owner != "never" else set()
    models = ("UserInput", "UserPatch", "UserOutput", "OwnPatch", "Registration",
              "ProfileInput", "ProfilePatch", "ProfileOutput")  # fmt: skip
    assert {name for name in models if each.name in schemas[name]["properties"]} == expected
    assert each.name in schemas[f"{stem}Output"]["required"]
