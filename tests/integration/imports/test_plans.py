"""Plans of imports: which user a row is about, what it changes, and everything that is wrong with it."""

import io
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openpyxl
import orjson
import pytest
from bson import ObjectId

from models.values import ALL_SCOPES
from tests.support.databases import PreparedDatabases
from tests.support.identity import hash_of, member, sign_in, token_of
from tests.support.imports import counted, empty, errors_of, plan, plan_rows
from tests.support.users import NOBODY, create, person, read, users

OCTETS = "application/octet-stream"
Row = dict[str, Any]


@pytest.fixture(scope="module")
async def client(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving(jobs_inside=True) as opened:
        yield opened


async def as_writer(client: httpx.AsyncClient, *lines: str) -> list[Row]:
    """The plan of one who may write users, and no more."""
    mine = client.headers["Authorization"]
    client.headers["Authorization"] = f"Bearer {await token_of(client, 'users:write')}"
    try:
        return await plan_rows(client, *lines)
    finally:
        client.headers["Authorization"] = mine


async def test_one_plan_says_what_becomes_of_each_row_and_writes_nothing(client: httpx.AsyncClient) -> None:
    await empty(client)
    old, same, gone, moved = [await create(client, name=name) for name in ("Old", "Same", "Gone", "Moved")]
    heading = "id,email,name,age,version,delete"
    found = await plan(
        client,
        f"""{heading}
{old["id"]},{old["email"]},New,31,1,
{same["id"]},{same["email"]},Same,,9,
{gone["id"]},,,,1,yes
{moved["id"]},{moved["email"]},Other,,7,
,new@example.com,Neu,7,,
,,,x,,
""",
    )
    assert counted(found) == {
        "create": 1, "update": 1, "delete": 1, "unchanged": 1, "conflict": 1, "error": 1
    }  # fmt: skip
    assert (found["state"], found["rows"], found["next"], found["apply_job"]) == ("planned", 6, None, None)
    rows = found["items"]
    assert [row["row"] for row in rows] == [2, 3, 4, 5, 6, 7]
    assert [row["status"] for row in rows] == [
        "update", "unchanged", "delete", "conflict", "create", "error"
    ]  # fmt: skip
    assert rows[0]["id"] == old["id"]
    assert rows[0]["differences"] == [
        {"pointer": "/name", "from": "Old", "to": "New"},
        {"pointer": "/profile/age", "from": None, "to": 31},
    ]
    assert rows[3]["differences"] == [{"pointer": "/name", "from": "Moved", "to": "Other"}]
    assert errors_of(rows[3]) == {("version_mismatch", "/version", "version")}
    assert ObjectId.is_valid(rows[4]["id"])
    assert errors_of(rows[5]) == {
        ("missing_key", None, None), ("bad_cell", "/profile/age", "age"),
        ("invalid_value", "/name", "name"), ("invalid_value", "/email", "email"),
    }  # fmt: skip
    assert rows[5]["id"] is None
    assert [await read(client, user) for user in (old, same, gone, moved)] == [old, same, gone, moved]
    assert await users(client).count_documents({}) == 4


async def test_a_row_finds_its_user_by_the_first_key_that_it_gives(client: httpx.AsyncClient) -> None:
    await empty(client)
    ana = await create(client, username="ana", name="Ana")
    bea = await create(client, username="bea", name="Bea")
    rows = await plan_rows(client, "id,email,username,name", f"{ana['id'].upper()},,ana,A", ",,BEA,E")
    assert [(row["status"], row["id"]) for row in rows] == [("update", ana["id"]), ("update", bea["id"])]
    rows = await plan_rows(client, "id,email,name", f"{NOBODY},{ana['email']},C")
    assert errors_of(rows[0]) == {("user_not_found", "/id", "id")}
    rows = await plan_rows(client, "email,username,name", "new@example.com,ana,D")
    assert errors_of(rows[0]) == {("already_exists", "/username", "username")}
    rows = await plan_rows(client, "username,name", "nobody,F")
    assert errors_of(rows[0]) == {("invalid_value", "/email", None)}


async def test_columns_that_are_not_there_leave_their_fields_and_empty_cells_remove(
    client: httpx.AsyncClient,
) -> None:
    user = await create(client, phone="+4930555000", tags=["a"], profile={"bio": "b", "age": 3})
    (row,) = await plan_rows(client, "email,phone,bio", f"{user['email']},,c")
    assert row["differences"] == [
        {"pointer": "/phone", "from": "+4930555000", "to": None},
        {"pointer": "/profile/bio", "from": "b", "to": "c"},
    ]
    (row,) = await plan_rows(client, "id,email,name", f"{user['id']},,")
    assert errors_of(row) == {("invalid_value", "/name", "name")}  # an e-mail only finds the user, if given
    assert {bad["detail"] for bad in row["errors"]} == {"This is required."}


async def test_an_address_that_is_added_is_told_part_by_part_as_the_audit_trail_tells_it(
    client: httpx.AsyncClient,
) -> None:
    user = await create(client, profile={"addresses": [{"city": "Bonn"}]})
    (row,) = await plan_rows(client, "id,address2_city,address2_country", f"{user['id']},Ulm,DE")
    assert row["differences"] == [
        {"pointer": "/profile/addresses/1/city", "from": None, "to": "Ulm"},
        {"pointer": "/profile/addresses/1/country", "from": None, "to": "DE"},
    ]


async def test_values_that_mean_the_same_are_no_difference(client: httpx.AsyncClient) -> None:
    user = await create(client, phone="+49301234567", username="same", tags=["a", "b"], is_active=False)
    (row,) = await plan_rows(
        client,
        "id,email,phone,username,tags,is_active,version",
        f'{user["id"]}, {user["email"]} ,+49 (30) 123-45.67, same ,"a; b",falsch,99',
    )
    assert (row["status"], row["differences"], row["errors"]) == ("unchanged", [], [])


async def test_all_bad_cells_of_a_row_are_named_with_their_columns(client: httpx.AsyncClient) -> None:
    (row,) = await plan_rows(
        client,
        "E-Mail,Name,phone,age,is active,tags,locale,avatar_url,scopes,version,address1_zipcode,"
        "addresses_more",
        f'ana,x,123,old,perhaps,"a,a",!,ftp://x,root,0,{"9" * 200},[{{',
    )
    assert errors_of(row) == {
        ("invalid_value", "/email", "E-Mail"),
        ("invalid_value", "/phone", "phone"),
        ("bad_cell", "/profile/age", "age"),
        ("bad_cell", "/is_active", "is active"),
        ("invalid_value", "/tags", "tags"),
        ("invalid_value", "/locale", "locale"),
        ("invalid_value", "/avatar_url", "avatar_url"),
        ("invalid_value", "/scopes/0", "scopes"),
        ("bad_cell", "/version", "version"),
        ("invalid_value", "/profile/addresses/0/zipcode", "address1_zipcode"),
        ("bad_cell", "/profile/addresses", "addresses_more"),
    }


async def test_the_same_person_twice_is_named_on_each_row(client: httpx.AsyncClient) -> None:
    user = await create(client)
    rows = await plan_rows(
        client,
        "id,email,name,phone",
        ",Twice@example.com,A,+49 30 1111111",
        ",twice@EXAMPLE.com,B,",
        f"{user['id']},,C,",
        f",{user['email']},D,+49301111111",
        ",once@example.com,E,",
    )
    assert [row["status"] for row in rows] == ["error"] * 4 + ["create"]
    assert errors_of(rows[0]) == {("repeated", "/email", "email"), ("repeated", "/phone", "phone")}
    assert errors_of(rows[1]) == {("repeated", "/email", "email")}
    assert rows[1]["errors"][0]["detail"] == "The same email is also in row 2: keep one of them."
    assert ("repeated", "/id", "id") in errors_of(rows[2]) & errors_of(rows[3])
    assert rows[0]["id"] is rows[1]["id"] is None


async def test_values_of_other_users_are_errors(client: httpx.AsyncClient) -> None:
    other = await create(client, username="taken", phone="+49302222222")
    user = await create(client)
    rows = await plan_rows(
        client,
        "id,email,name,username,phone",
        f"{user['id']},{other['email'].upper()},x,TAKEN,+49 30 2222222",
    )
    assert errors_of(rows[0]) == {
        ("already_exists", "/email", "email"), ("already_exists", "/username", "username"),
        ("already_exists", "/phone", "phone"),
    }  # fmt: skip
    (row,) = await plan_rows(client, "id,username,phone", f"{other['id']},Taken,+49302222222")
    assert row["differences"] == [{"pointer": "/username", "from": "taken", "to": "Taken"}]


async def test_only_an_explicit_column_deletes(client: httpx.AsyncClient) -> None:
    one, two = await create(client), await create(client)
    rows = await plan_rows(
        client,
        "email,delete",
        f"{one['email']},x",
        f"{two['email']},no",
        "nobody@example.com,yes",
        "maybe@example.com,maybe",
    )
    assert [row["status"] for row in rows] == ["delete", "unchanged", "error", "error"]
    assert errors_of(rows[2]) == {("user_not_found", "/email", "email")}
    assert ("bad_cell", "/delete", "delete") in errors_of(rows[3])
    (row,) = await plan_rows(client, "id,version,delete", f"{one['id']},7,1")
    assert (row["status"], errors_of(row)) == ("conflict", {("version_mismatch", "/version", "version")})


async def test_a_writer_leaves_standing_administrators_and_passwords_alone(client: httpx.AsyncClient) -> None:
    plain = await create(client, scopes=["me"], name="Plain")
    admin = await create(client, scopes=["me", "users:admin"], name="Admin")
    rows = await as_writer(
        client,
        "email,name,scopes,is_active,delete,password_hash",
        f"{plain['email']},Plain,me,TRUE,,",
        f'{admin["email"]},Other,"me,users:admin",TRUE,,',
        "new@example.com,New,,,,",
        "more@example.com,More,users:export,FALSE,,",
        f'hash@example.com,Hash,,,,"{hash_of("x" * 12)}"',
    )
    assert [rows[place]["status"] for place in (0, 2)] == ["unchanged", "create"]
    assert errors_of(rows[1]) == {("insufficient_scope", None, None)}
    assert errors_of(rows[3]) == {
        ("insufficient_scope", "/scopes", "scopes"), ("insufficient_scope", "/is_active", "is_active")
    }  # fmt: skip
    assert errors_of(rows[4]) == {("insufficient_scope", "/password_hash", "password_hash")}
    (row,) = await as_writer(client, "email,delete", f"{admin['email']},x")
    assert errors_of(row) == {("insufficient_scope", None, None)}
    (row,) = await as_writer(client, "email,is_active", f"{plain['email']},FALSE")
    assert errors_of(row) == {("insufficient_scope", "/is_active", "is_active")}


async def test_an_administrator_imports_hashes_that_nobody_is_ever_told(client: httpx.AsyncClient) -> None:
    user, hashed = await create(client), hash_of("seven otters juggle")
    found = await plan(
        client,
        f"""email,name,password_hash
{user["email"]},{user["name"]},"{hashed}"
h@example.com,H,"{hashed}"
bad@example.com,B,$2b$torn
""",
    )
    rows = found["items"]
    assert [row["status"] for row in rows] == ["update", "create", "error"]
    assert rows[0]["differences"] == [{"pointer": "/password_hash", "from": None, "to": None}]
    assert errors_of(rows[2]) == {("invalid_value", "/password_hash", "password_hash")}
    told = [found, (await client.get(f"/users/imports/{found['id']}")).json()]
    sheet = await client.get(f"/users/imports/{found['id']}/rows.xlsx")
    cells = [cell.value for line in openpyxl.load_workbook(io.BytesIO(sheet.content)).active for cell in line]  # type: ignore[union-attr]
    assert hashed not in str(told) + str(cells)
    assert "torn" not in str(told) + str(cells)


async def test_what_a_hash_is_already_is_no_difference(client: httpx.AsyncClient) -> None:
    user, hashed = await create(client), hash_of("seven otters juggle")
    await client.put(f"/users/{user['id']}/password", json={"password_hash": hashed})
    (row,) = await plan_rows(client, "id,password_hash", f'{user["id"]},"{hashed}"')
    assert row["status"] == "unchanged"


async def test_formulas_are_never_taken_at_their_word(client: httpx.AsyncClient) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["email", "name", "age"])
    book.active.append(["formula@example.com", "=1+1", "=2*3"])
    book.active.append(["number@example.com", 12, 31.0])
    file = io.BytesIO()
    book.save(file)
    rows = (await plan(client, file.getvalue(), OCTETS))["items"]
    assert errors_of(rows[0]) >= {("formula", "/name", "name"), ("formula", "/profile/age", "age")}
    assert (rows[1]["status"], rows[1]["errors"]) == ("create", [])


async def test_objects_nest_or_not_and_name_what_is_wrong(client: httpx.AsyncClient) -> None:
    user = await create(client, profile={"bio": "b", "age": 3, "addresses": [{"city": "Ulm"}]})
    lines = [
        {"id": user["id"], "profile": {"age": 4}},
        {"E-Mail": "flat@example.com", "name": "Flat", "tags": ["a"], "address1_city": "Bonn", "shoe": 44},
        {"email": "a@example.com", "E-Mail": "b@example.com", "name": "Two"},
        {"email": "bad@example.com", "name": "Bad", "profile": {"agee": 1, "addresses": [{"city": 5}]}},
        {"email": ["x"], "name": {"y": 1}, "tags": {"z": 1}, "version": [1]},
        {"email": "gone@example.com", "name": None},
    ]
    found = await plan(client, b"\n".join(map(orjson.dumps, lines)), "application/x-ndjson")
    rows = found["items"]
    assert [row["status"] for row in rows] == ["update", "create", "error", "error", "error", "error"]
    assert rows[0]["differences"] == [{"pointer": "/profile/age", "from": 3, "to": 4}]
    assert errors_of(rows[2]) == {("ambiguous_column", "/email", "E-Mail")}
    assert errors_of(rows[3]) == {
        ("invalid_value", "/profile/agee", "profile"),
        ("invalid_value", "/profile/addresses/0/city", "profile"),
    }
    assert {pointer for _, pointer, _ in errors_of(rows[4])} >= {"/email", "/name", "/tags", "/version"}
    assert errors_of(rows[5]) == {("invalid_value", "/name", "name")}
    assert {"heading": "shoe", "field": None, "use": "unknown"} in found["columns"]


async def test_the_callers_own_headings_are_understood_and_those_of_exports(
    client: httpx.AsyncClient,
) -> None:
    await empty(client)
    user = await create(client, name="Ana")
    query = "columns=email:Mail%20address,name:Full%20name"
    (row,) = await plan_rows(client, "Mail address,Full name,x", f"{user['email']},Bo,1", query=query)
    assert row["differences"] == [{"pointer": "/name", "from": "Ana", "to": "Bo"}]
    renamed = "columns=id:Kennung,name:Rufname,address1_city:Ort"
    for _ in range(2):  # the second finds its labels noted
        exported = await client.get(f"/users/export?format=csv&{renamed}")
    found = await plan(client, exported.text.replace("Ana", "Bo"))
    assert [column["field"] for column in found["columns"]] == ["id", "name", "address1_city"]
    assert counted(found) == {"update": 1}


async def test_malformed_users_are_named(client: httpx.AsyncClient) -> None:
    user = await create(client)
    resources = client.app.state.container  # type: ignore[attr-defined]  # set by `serving`
    await resources.connections.database.command(
        "update",
        "users",
        updates=[{"q": {"_id": ObjectId(user["id"])}, "u": {"$set": {"name": 5}}}],
        bypassDocumentValidation=True,
    )
    (row,) = await plan_rows(client, "id,name", f"{user['id']},x")
    assert errors_of(row) == {("unreadable_user", None, None)}
    await users(client).delete_one({"_id": ObjectId(user["id"])})


async def test_cells_that_bson_does_not_hold_end_no_plan(client: httpx.AsyncClient) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["email", "name", "note"])
    book.active.append(["big@example.com", "Big", 2**70])
    book.active.append(["half@example.com", "_xD800_", "_xD800_"])
    file = io.BytesIO()
    book.save(file)
    rows = (await plan(client, file.getvalue(), OCTETS))["items"]
    assert rows[0]["status"] == "create"


async def test_scopes_of_every_kind_are_planned_for_an_administrator(client: httpx.AsyncClient) -> None:
    said = ",".join(ALL_SCOPES)
    (row,) = await plan_rows(client, "email,name,scopes", f'{person()["email"]},x,"{said}"')
    assert row["status"] == "create"


async def test_what_one_shows_ones_password_for_no_file_changes(client: httpx.AsyncClient) -> None:
    await empty(client)
    boss = await member(client, "users:write", "users:admin", name="Boss")
    mine = client.headers["Authorization"]
    client.headers["Authorization"] = f"Bearer {(await sign_in(client, boss))['access_token']}"
    try:
        own, named = await plan_rows(
            client,
            "id,name,email,password_hash",
            f'{boss["id"]},Boss,other@example.com,"{hash_of("another horse battery")}"',
            ",New,new@example.com,",
        )
    finally:
        client.headers["Authorization"] = mine
    assert errors_of(own) == {
        ("password_needed", "/email", "email"), ("password_needed", "/password_hash", "password_hash")
    }  # fmt: skip
    assert named["status"] == "create"
