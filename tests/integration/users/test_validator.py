"""The last guard: what MongoDB refuses of other programs, and what is served of rows that got past it."""

import json
import math
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import bson
import httpx
import pytest
from bson import Int64, ObjectId
from bson.datetime_ms import DatetimeMS
from bson.raw_bson import RawBSONDocument
from pymongo.errors import WriteError

from models.user import ProfileInput
from tests.support.users import create, database, person, problem, put, users

REQUIRED = [
    "email", "name", "tags", "scopes", "is_active", "profile", "created_at", "updated_at", "version", "keys",
    "facets",
]  # fmt: skip
WRONG: list[tuple[str, Any]] = [
    ("username", 7),
    ("email", None),
    ("email", ["a@example.com"]),
    ("name", ""),
    ("name", {"first": "Ana"}),
    ("phone", 34600000000),
    ("avatar_url", b"x"),
    ("locale", False),
    ("tags", "a"),
    ("tags", ["a", 1]),
    ("scopes", None),
    ("scopes", [None]),
    ("is_active", 1),
    ("is_active", "true"),
    ("profile", None),
    ("profile", []),
    ("profile.bio", 1),
    ("profile.age", -5),
    ("profile.age", 151),
    ("profile.age", 30.0),
    ("profile.age", math.nan),
    ("profile.age", math.inf),
    ("profile.age", "30"),
    ("profile.age", True),
    ("profile.title", []),
    ("profile.no_such_field", "x"),
    ("profile.addresses", None),
    ("profile.addresses", {}),
    ("profile.addresses", ["Berlin"]),
    ("profile.addresses", [{"city": 1}]),
    ("profile.addresses", [{"planet": "Mars"}]),
    ("profile.addresses", [{}] * 11),
    ("created_at", "2026-01-31T00:00:00Z"),
    ("created_at", 1_769_817_600),
    ("updated_at", None),
    ("last_login_at", "yesterday"),
    ("last_login_ip", 1),
    ("version", 0),
    ("version", 1.0),
    ("version", None),
    ("keys.email", None),
    ("keys.username", 1),
    ("keys.name", 1),
    ("keys.phone", "x"),
    ("facets", None),
    ("facets", [1]),
]
NO_DATE = datetime(1, 1, 1, tzinfo=UTC)
POISON: list[tuple[str, Any]] = [
    ("email", 7),
    ("name", None),
    ("name", {"$gt": "SECRET-VALUE"}),
    ("phone", {"number": "SECRET-VALUE"}),
    ("tags", "SECRET-VALUE"),
    ("scopes", [7]),
    ("is_active", "SECRET-VALUE"),
    ("profile", "SECRET-VALUE"),
    ("profile.age", math.nan),
    ("profile.age", 1e300),
    ("profile.addresses", [["SECRET-VALUE"]]),
    ("profile.addresses", [{"city": {"name": "SECRET-VALUE"}}]),
    ("created_at", NO_DATE),
    ("created_at", DatetimeMS(3_093_527_980_799_000)),  # year 99,999
    ("created_at", "SECRET-VALUE"),
    ("updated_at", DatetimeMS(-(2**62))),
    ("last_login_at", NO_DATE),
    ("last_login_at", 7),
    ("version", "SECRET-VALUE"),
    ("version", 1.5),
]


async def stored_row(client: httpx.AsyncClient) -> dict[str, Any]:
    """A row as a route wrote it."""
    await create(
        client, username="ana", phone="+34600000000", profile={"age": 30, "addresses": [{"city": "x"}]}
    )
    row: dict[str, Any] = await users(client).find_one({})
    return row


def changed(row: dict[str, Any], path: str, *value: Any) -> dict[str, Any]:
    """The row under another id, with `value` at `path`, or without what is there."""
    unique = str(ObjectId())
    row = deepcopy(row) | {"_id": ObjectId(unique), "phone": None}
    row |= {"email": f"{unique}@example.com", "username": unique}
    row["keys"] |= {"email": row["email"], "username": unique}
    put(row, path, *value)
    return row


async def poison(client: httpx.AsyncClient, row: dict[str, Any]) -> str:
    """Past the validator, as a restore or an older program might; the row's id."""
    await database(client).command("insert", "users", documents=[row], bypassDocumentValidation=True)
    return str(row["_id"])


async def test_mongodb_refuses_wrong_types_of_any_writer(client: httpx.AsyncClient) -> None:
    row = await stored_row(client)
    for path, value in WRONG:
        with pytest.raises(WriteError, match="failed validation"):
            await users(client).insert_one(changed(row, path, value))
        with pytest.raises(WriteError, match="failed validation"):
            await users(client).update_one({"_id": row["_id"]}, {"$set": {path: value}})
    for path in REQUIRED:
        with pytest.raises(WriteError, match="failed validation"):
            await users(client).insert_one(changed(row, path))
    assert [found async for found in users(client).find({})] == [row]


async def test_mongodb_takes_what_other_versions_of_the_program_write(client: httpx.AsyncClient) -> None:
    row = await stored_row(client)
    for path, value in (("later_field", {"a": 1}), ("version", Int64(2**40)), ("profile.age", None)):
        await users(client).insert_one(changed(row, path, value))


async def test_a_row_written_by_every_route_passes_the_validator(client: httpx.AsyncClient) -> None:
    user = await create(client)
    path = f"/users/{user['id']}"
    full = person(
        username="x", phone="+34600000001", locale="es", tags=["a"], profile={"addresses": [{}] * 10}
    )
    assert (await client.put(path, json=full)).status_code == 200
    assert (await client.patch(path, json={"profile": {"age": 150}})).status_code == 200
    operations = [
        {"op": "create", "user": person()},
        {"op": "update", "id": user["id"], "patch": {"profile": {"age": 0, "addresses": None}}},
    ]
    results = (await client.post("/users:batch", json={"operations": operations})).json()["results"]
    assert [result["status"] for result in results] == [201, 200]
    (collection,) = [
        found async for found in await database(client).list_collections(filter={"name": "users"})
    ]
    validator = collection["options"]["validator"]
    assert await users(client).count_documents(validator) == 2


async def test_one_bad_row_breaks_no_route_and_is_reported_without_its_value(
    client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    row = await stored_row(client)
    for path, value in POISON:
        bad = await poison(client, changed(row, path, value))
        await _assert_bad_row_is_left_out(client, capsys, bad, path, good=str(row["_id"]))


async def _assert_bad_row_is_left_out(
    client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str], bad: str, path: str, *, good: str
) -> None:
    capsys.readouterr()
    problem(await client.get(f"/users/{bad}"), 404, "user_not_found")
    _assert_reported(capsys, bad, path)
    problem(await client.patch(f"/users/{bad}", json={"name": "x"}), 404, "user_not_found")
    problem(await client.put(f"/users/{bad}", json=person()), 404, "user_not_found")
    problem(await client.delete(f"/users/{bad}", headers={"If-Match": '"9"'}), 404, "user_not_found")
    for sort in ("created_at", "-created_at", "name", "last_login_at", "age", "email"):
        reply = await client.get(f"/users?sort={sort}")
        assert reply.status_code == 200, (path, sort)
        assert [user["id"] for user in reply.json()["items"]] == [good], (path, sort)
    for form in ("csv", "xlsx", "ndjson"):
        assert (await client.get(f"/users/export?format={form}")).status_code == 200
    _assert_reported(capsys, bad, path)
    assert (await client.delete(f"/users/{bad}")).status_code == 204


def _assert_reported(capsys: pytest.CaptureFixture[str], bad: str, path: str) -> None:
    log = capsys.readouterr().err
    reports = [json.loads(line) for line in log.splitlines() if "unreadable_row" in line]
    assert reports
    assert all(report["id"] == bad and report["field"].startswith(path) for report in reports)
    assert "SECRET-VALUE" not in log
    assert "internal_error" not in log


async def test_a_row_without_an_optional_field_is_served_as_if_it_were_empty(
    client: httpx.AsyncClient,
) -> None:
    row = await stored_row(client)
    nested = ProfileInput().model_dump()
    optional = "username phone avatar_url tags scopes profile profile.bio profile.addresses last_login_at"
    for path in optional.split():
        bad = await poison(client, changed(row, path))
        reply = await client.get(f"/users/{bad}")
        assert reply.status_code == 200, path
        found: Any = reply.json()
        for step in path.split("."):
            found = found[step]
        assert found in (None, [], nested), path
        assert len((await client.get("/users")).json()["items"]) == 2
        assert (await client.patch(f"/users/{bad}", json={"name": "Mended"})).status_code == 200, path
        assert (await client.delete(f"/users/{bad}", headers={"If-Match": '"2"'})).status_code == 204


async def test_a_row_without_a_needed_field_is_left_out(client: httpx.AsyncClient) -> None:
    row = await stored_row(client)
    for path in ("email", "name", "is_active", "created_at", "updated_at", "version"):
        bad = await poison(client, changed(row, path))
        problem(await client.get(f"/users/{bad}"), 404, "user_not_found")
        assert [user["id"] for user in (await client.get("/users")).json()["items"]] == [str(row["_id"])]


async def test_an_unknown_nested_field_is_not_served_and_breaks_nothing(client: httpx.AsyncClient) -> None:
    row = changed(await stored_row(client), "profile.salary", "SECRET-VALUE")
    row["profile"]["addresses"][0]["planet"] = "SECRET-VALUE"
    bad = await poison(client, row)
    for path in (f"/users/{bad}", "/users", "/users?fields=profile", "/users/export?format=ndjson"):
        reply = await client.get(path)
        assert reply.status_code == 200
        assert "SECRET-VALUE" not in reply.text
    assert (await client.patch(f"/users/{bad}", json={"name": "x"})).status_code == 200


async def test_invalid_utf8_is_served_with_replacement_characters(client: httpx.AsyncClient) -> None:
    row = changed(await stored_row(client), "name", "ABCDE")
    raw = RawBSONDocument(bson.encode(row).replace(b"ABCDE\0", b"AB\xffDE\0"))
    await database(client).command("insert", "users", documents=[raw], bypassDocumentValidation=True)
    reply = await client.get(f"/users/{row['_id']}")
    assert reply.status_code == 200
    assert reply.json()["name"] == "AB\ufffdDE"
    assert len((await client.get("/users")).json()["items"]) == 2
    assert (await client.get("/users/export/csv")).status_code == 200
    assert (await client.patch(f"/users/{row['_id']}", json={"name": "Bea"})).json()["name"] == "Bea"


async def test_an_id_that_is_none_of_ours_breaks_no_listing(client: httpx.AsyncClient) -> None:
    row = await stored_row(client)
    for value in ("text", 7, Int64(7), True, {"a": 1}):
        await poison(client, changed(row, "name", "Odd") | {"_id": value})
    for sort in ("created_at", "-created_at", "name", "age", "email", "last_login_at"):
        reply = await client.get(f"/users?sort={sort}")
        assert [user["id"] for user in reply.json()["items"]] == [str(row["_id"])]
    assert (await client.get("/users/export?format=ndjson")).text.count("\n") == 1
