"""What a text may hold, at the front door; and texts that were stored before the rule."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from bson import ObjectId

from tests.support.databases import PreparedDatabases
from tests.support.imports import counted, plan
from tests.support.users import create, person, pointers, problem, put, read, users

OLD = {
    "name": "\u202eanA\x1b[2J ",
    "tags": ["a\u200bb"],
    "profile.bio": "a\r\nb\u2028",
    "profile.title": "x\ty\n",
    "profile.addresses": [
        {
            "label": None,
            "street": " a\x07",
            "city": "Ber\u00adlin",
            "region": None,
            "zipcode": None,
            "country": None,
        },
        dict.fromkeys(("label", "street", "city", "region", "zipcode", "country")),
    ],
}
"""What earlier releases took."""


@pytest.fixture(scope="module")
async def client(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving(jobs_inside=True) as opened:
        yield opened


@pytest.fixture
async def old(client: httpx.AsyncClient) -> dict[str, Any]:
    """The only user."""
    await users(client).delete_many({})
    user = await create(client)
    await users(client).update_one({"_id": ObjectId(user["id"])}, {"$set": OLD})
    return await read(client, user)


async def test_a_refusal_names_the_field_and_the_character_that_nobody_sees(
    client: httpx.AsyncClient,
) -> None:
    wrong = person(name="Ana\u202egnp", profile={"title": "a\x07b", "addresses": [{"city": "Ber\u200blin"}]})
    content = problem(await client.post("/users", json=wrong), 422, "validation_failed")
    assert {bad["pointer"]: bad["detail"] for bad in content["errors"]} == {
        "/name": "must not contain U+202E, which nobody sees: remove it.",
        "/profile/title": "must not contain U+0007, a control character: remove it.",
        "/profile/addresses/0/city": "must not contain U+200B, which nobody sees: remove it.",
    }


async def test_blanks_and_empty_addresses_are_not_stored_in_any_way(client: httpx.AsyncClient) -> None:
    blank = {
        "bio": "\u00a0",
        "title": " x\u200b",
        "addresses": [{}, {"city": " "}, {"city": "\u00a0Rom "}, {"street": ""}],
    }
    user = await create(client, name="\u2068Ana\u2069", username=" ", profile=blank)
    assert (user["name"], user["username"], user["profile"]["bio"], user["profile"]["title"]) == (
        "Ana", None, None, "x",
    )  # fmt: skip
    assert [address["city"] for address in user["profile"]["addresses"]] == ["Rom"]
    path = f"/users/{user['id']}"
    assert (await client.patch(path, json={"profile": blank})).json()["version"] == 1
    assert (await client.put(path, json=person(profile=blank))).json()["profile"] == user["profile"]
    imported = await plan(
        client, f"id,address1_city,address2_city,bio\n{user['id']}, \u200b,\u00a0Rom ,\u00a0\n"
    )
    assert counted(imported) == {"unchanged": 1}


@pytest.mark.parametrize("form", ["csv", "xlsx", "ndjson"])
async def test_what_was_stored_of_old_is_read_and_comes_back_unchanged(
    client: httpx.AsyncClient, old: dict[str, Any], form: str
) -> None:
    listed = (await client.get("/users")).json()["items"]
    assert listed == [old]
    exported = await client.get(f"/users/export?format={form}")
    found = await plan(client, exported.content, "application/octet-stream")
    assert counted(found) == {"unchanged": 1}, found["items"]


async def test_what_was_stored_of_old_stays_while_other_fields_change(
    client: httpx.AsyncClient, old: dict[str, Any]
) -> None:
    changed = await client.patch(f"/users/{old['id']}", json={"profile": {"age": 31}, "locale": "de"})
    assert changed.status_code == 200, changed.text
    expected = old | {name: changed.json()[name] for name in ("locale", "updated_at", "version")}
    put(expected, "profile.age", 31)
    del expected["profile"]["addresses"][1]
    assert changed.json() == expected
    planned = await plan(client, f"id,department\n{old['id']},Post\n")
    assert [each["pointer"] for each in planned["items"][0]["differences"]] == ["/profile/department"]


async def test_what_was_stored_of_old_is_judged_where_it_is_said_again(
    client: httpx.AsyncClient, old: dict[str, Any]
) -> None:
    again = await client.patch(f"/users/{old['id']}", json={"name": old["name"]})
    assert pointers(again) == {"/name"}
    planned = await plan(client, f"id,title\n{old['id']},\u202eanA\x1b[2J\n")
    assert counted(planned) == {"error": 1}


async def test_addresses_that_move_up_are_found_there_by_the_same_row(client: httpx.AsyncClient) -> None:
    both = {"addresses": [{"city": "Rom"}, {"city": "Bonn", "street": "Weg 1"}]}
    user = await create(client, profile=both)
    (row,) = (await plan(client, f"id,address1_city,address2_city\n{user['id']},,Bonn\n"))["items"]
    assert [(bad["code"], bad["pointer"]) for bad in row["errors"]] == [
        ("invalid_value", "/profile/addresses")
    ]
    (row,) = (await plan(client, f"id,address3_city,address4_city\n{user['id']},,Ulm\n"))["items"]
    assert row["status"] == "update"
    (row,) = (await plan(client, f"id,address4_city\n{user['id']},Ulm\n"))["items"]
    assert row["status"] == "error"
    whole = "id,address1_city,address1_street,address2_city,address2_street"
    planned = await plan(client, f"{whole}\n{user['id']},,,Bonn,Weg 1\n")
    assert counted(planned) == {"update": 1}
