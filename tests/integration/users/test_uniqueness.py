"""Uniqueness is the indexes' work, whatever the race; and the indexes are what the code declares."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pymongo import AsyncMongoClient, IndexModel
from pymongo.asynchronous.database import AsyncDatabase

from app.core.errors import StartError
from app.database import indexes
from models.user import User
from models.user_schema import VALIDATOR
from tests.support.api import serving
from tests.support.users import create, person, problem, read, users

Database = AsyncDatabase[dict[str, Any]]
EMAILS = [
    "Jürgen.Straße@Bücher.example",
    "JÜRGEN.STRASSE@BÜCHER.EXAMPLE",
    "ju\u0308rgen.straße@bu\u0308cher.example",
    "ｊürgen.ｓtraße@bücher.example",
    "jürgen.strasse@ｂücher．example",
    "jürgen.strasse@xn--bcher-kva.example",
    "Jürgen.Strasse@XN--BCHER-KVA.example",
    " jürgen.strasse@bücher。example ",
]
USERNAMES = [
    "Zoë.Ångström",
    "ZOË.ÅNGSTRÖM",
    "zoe\u0308.a\u030angstro\u0308m",
    "ｚoë.ångström",
    " Zoë.Ångström\t",
]
PHONES = [
    "+4915112345678",
    "+49 (151) 123-456-78",
    "＋49 151 12345678",
    "+49-151-1234.5678",
    "+49/151/12345678",
]


@pytest.mark.parametrize(
    ("field", "spellings"), [("email", EMAILS), ("username", USERNAMES), ("phone", PHONES)]
)
async def test_of_two_hundred_racing_creates_of_one_value_in_all_spellings_one_is_done(
    client: httpx.AsyncClient, field: str, spellings: list[str]
) -> None:
    bodies = [person(**{field: spellings[number % len(spellings)]}) for number in range(200)]
    replies = await asyncio.gather(*(client.post("/users", json=body) for body in bodies))
    assert Counter(reply.status_code for reply in replies) == {201: 1, 409: 199}
    for reply in replies:
        if reply.status_code == 409:
            content = problem(reply, 409, "already_exists")
            assert [bad["pointer"] for bad in content["errors"]] == [f"/{field}"]
            said = json.dumps({**content, "request_id": ""}, ensure_ascii=False).lower()
            assert not any(part in said for part in ("rgen", "cher", "151", "angstr", "ångstr", "example"))
    (user,) = (await client.get("/users")).json()["items"]
    winner = next(reply.json() for reply in replies if reply.status_code == 201)
    assert user == winner
    for spelling in spellings:
        found = (await client.get("/users", params={field: spelling})).json()["items"]
        assert [one["id"] for one in found] == [user["id"]], spelling


async def test_a_batch_cannot_race_past_the_index_either(client: httpx.AsyncClient) -> None:
    batches = [
        {"operations": [{"op": "create", "user": person(email=spelling)} for spelling in EMAILS]}
        for _ in range(10)
    ]
    replies = await asyncio.gather(*(client.post("/users:batch", json=batch) for batch in batches))
    statuses = Counter(result["status"] for reply in replies for result in reply.json()["results"])
    assert statuses == {201: 1, 409: 79}


async def test_look_alike_addresses_are_different_people(client: httpx.AsyncClient) -> None:
    for email in ("ana@example.com", "аna@example.com", "ana@exаmple.com", "a@faß.example", "a@fass.example"):
        await create(client, email=email)


async def test_any_number_of_users_have_no_username_and_no_phone(client: httpx.AsyncClient) -> None:
    for number in range(10):
        await create(client, **({"username": "", "phone": None} if number % 2 else {}))
    operations = [{"op": "create", "user": person()} for _ in range(10)]
    results = (await client.post("/users:batch", json={"operations": operations})).json()["results"]
    assert {result["status"] for result in results} == {201}


@pytest.mark.parametrize(
    ("field", "taken", "wanted"),
    [
        ("email", "Ana@Example.com", "ANA@example.COM"),
        ("username", "Ana", "ａＮＡ"),
        ("phone", "+34600000000", "+34 600 000 000"),
    ],
)
async def test_changing_into_anothers_value_is_409_and_nothing_changes(
    client: httpx.AsyncClient, field: str, taken: str, wanted: str
) -> None:
    await create(client, **{field: taken})
    user = await create(client, username="bea", phone="+34611111111")
    path = f"/users/{user['id']}"
    replies = [
        await client.patch(path, json={field: wanted, "name": "Changed"}),
        await client.patch(path, json={field: wanted}, headers={"If-Match": '"1"'}),
        await client.put(path, json=person(**{field: wanted})),
    ]
    operations = [{"op": "update", "id": user["id"], "patch": {field: wanted}}]
    (result,) = (await client.post("/users:batch", json={"operations": operations})).json()["results"]
    contents = [problem(reply, 409, "already_exists") for reply in replies]
    assert result["status"] == 409
    for content, pointer in [
        *((content, f"/{field}") for content in contents),
        (result["error"], f"/patch/{field}"),
    ]:
        assert [bad["pointer"] for bad in content["errors"]] == [pointer]
        assert taken.lower() not in json.dumps(content).lower()
    assert await read(client, user) == user


async def test_users_may_respell_their_own_values(client: httpx.AsyncClient) -> None:
    user = await create(client, email="ana@example.com", username="ana")
    patch = {"email": "Ana@Example.com", "username": "ANA"}
    reply = await client.patch(f"/users/{user['id']}", json=patch)
    assert reply.status_code == 200
    assert (reply.json()["email"], reply.json()["username"]) == ("Ana@Example.com", "ANA")


async def test_two_users_cannot_swap_into_one_value(client: httpx.AsyncClient) -> None:
    pair = [await create(client), await create(client)]
    replies = await asyncio.gather(
        *(client.patch(f"/users/{user['id']}", json={"username": "same"}) for user in pair)
    )
    assert sorted(reply.status_code for reply in replies) == [200, 409]


# --- the indexes ----------------------------------------------------------------------------------------


@pytest.fixture
async def database(bare_uri: str) -> AsyncIterator[Database]:
    async with AsyncMongoClient[dict[str, Any]](bare_uri) as opened:
        yield opened.get_default_database()


async def test_the_collection_has_the_declared_indexes_and_no_other(client: httpx.AsyncClient) -> None:
    found = await users(client).index_information()
    found.pop("_id_")
    first = {
        "email": {"key": [("keys.email", 1)], "unique": True, "only": {"keys.email": {"$type": "string"}}},
        "username": {
            "key": [("keys.username", 1)], "unique": True, "only": {"keys.username": {"$type": "string"}},
        },
        "email_missing": {
            "key": [("keys.email", 1), ("_id", 1)], "unique": False, "only": {"keys.email": None},
        },
        "username_missing": {
            "key": [("keys.username", 1), ("_id", 1)], "unique": False, "only": {"keys.username": None},
        },
        "phone": {"key": [("phone", 1)], "unique": True, "only": {"phone": {"$type": "string"}}},
        **{
            f"{name}_missing": {"key": [("created_at", 1), ("_id", 1)], "unique": False, "only": lacking}
            for name, lacking in {
                "phone": {"phone": None},
                "department": {"profile.department": None},
                "tag": {"tags": []},
                "scope": {"scopes": []},
            }.items()
        },
        **{
            name: {"key": [(path, 1), ("_id", 1)], "unique": False, "only": None}
            for name, path in {
                "created_at": "created_at",
                "updated_at": "updated_at",
                "last_login_at": "last_login_at",
                "name": "keys.name",
                "age": "profile.age",
            }.items()
        },
        "facets": {
            "key": [("facets", 1), ("created_at", 1), ("_id", 1)], "unique": False, "only": None,
        },
        "search_words": {
            "key": [("search.t", 1), ("keys.name", 1), ("_id", 1)], "unique": False, "only": None,
        },
        "search_digits": {"key": [("search.p", 1), ("_id", 1)], "unique": False, "only": None},
    }  # fmt: skip
    assert {name: _essence(found[name]) for name in first} == first
    assert found.keys() == indexes.declared().keys()


def _essence(index: dict[str, Any]) -> dict[str, Any]:
    only = index.get("partialFilterExpression")
    assert index.keys() <= {"v", "key", "unique", "partialFilterExpression"}
    only = {path: dict(value) if value else value for path, value in only.items()} if only else None
    return {"key": index["key"], "unique": index.get("unique", False), "only": only}


async def test_what_is_missing_is_named_and_then_made(database: Database) -> None:
    found = await indexes.check(database)
    assert found == [
        *(f"index {name} is missing" for name in indexes.declared()),
        *(
            f"index {name} of {collection} is missing"
            for collection in indexes.DECLARED
            if collection != "users"
            for name in indexes.declared(collection)
        ),
        "the validator of the collection is missing or old",
    ]
    await indexes.apply(database)
    assert await indexes.check(database) == []
    await indexes.apply(database)
    assert await indexes.check(database) == []


async def test_a_lost_index_is_named_and_made_again(database: Database) -> None:
    await indexes.apply(database)
    await database["users"].drop_index("phone")
    assert await indexes.check(database) == ["index phone is missing"]
    await indexes.apply(database)
    assert await indexes.check(database) == []


@pytest.mark.parametrize(
    "other",
    [
        IndexModel([("keys.email", 1)], name="email"),
        IndexModel([("keys.email", -1)], name="email", unique=True),
        IndexModel([("keys.email", 1)], name="email", unique=True, sparse=True),
    ],
)
async def test_an_index_that_differs_stops_the_start_with_one_sentence(
    database: Database, other: IndexModel
) -> None:
    await database["users"].create_indexes([other])
    with pytest.raises(StartError) as refused:
        await indexes.apply(database)
    sentence = str(refused.value)
    assert sentence.startswith("index email differs: it is {")
    assert sentence.endswith("drop it, then run `python -m app indexes apply`.")
    await database["users"].drop_index("email")
    await indexes.apply(database)
    assert await indexes.check(database) == []


async def test_our_index_under_another_name_stops_the_start_with_one_sentence(database: Database) -> None:
    await database["users"].create_index([("created_at", 1), ("_id", 1)], name="theirs")
    with pytest.raises(StartError, match=r"theirs") as refused:
        await indexes.apply(database)
    assert "drop it" in str(refused.value)


async def test_a_foreign_index_is_reported_and_left_alone(database: Database) -> None:
    await indexes.apply(database)
    await database["users"].create_index("profile.title", name="theirs")
    assert await indexes.check(database) == ["index theirs is not ours; drop it if nothing else needs it"]
    await indexes.apply(database)
    assert "theirs" in await database["users"].index_information()


async def test_duplicates_stop_the_start_with_one_sentence_that_echoes_no_value(database: Database) -> None:
    twice = [{"keys": {"email": "ana@example.com"}}, {"keys": {"email": "ana@example.com"}}]
    await database["users"].insert_many(twice)
    with pytest.raises(StartError) as refused:
        await indexes.apply(database)
    assert str(refused.value) == (
        "Two users share one keys.email: no unique index can be built until one changes."
    )


async def test_an_old_validator_is_replaced(database: Database) -> None:
    await database.create_collection("users", validator={"$jsonSchema": {"required": ["gone"]}})
    assert "the validator of the collection is missing or old" in await indexes.check(database)
    await indexes.apply(database)
    assert await indexes.check(database) == []
    (collection,) = [found async for found in await database.list_collections(filter={"name": "users"})]
    assert collection["options"]["validator"] == VALIDATOR


async def test_a_weakened_validator_is_made_strict_again(database: Database) -> None:
    await indexes.apply(database)
    await database.command(
        "collMod", "users", validator=VALIDATOR, validationLevel="moderate", validationAction="warn"
    )
    assert await indexes.check(database) == ["the validator of the collection is missing or old"]
    await indexes.apply(database)
    assert await indexes.check(database) == []
    (collection,) = [found async for found in await database.list_collections(filter={"name": "users"})]
    assert collection["options"]["validationLevel"] == "strict"
    assert collection["options"]["validationAction"] == "error"


async def test_many_processes_that_start_at_once_agree(bare_uri: str) -> None:
    clients = [AsyncMongoClient[dict[str, Any]](bare_uri) for _ in range(4)]
    try:
        await asyncio.gather(*(indexes.apply(opened.get_default_database()) for opened in clients))
        assert await indexes.check(clients[0].get_default_database()) == []
    finally:
        for opened in clients:
            await opened.close()


async def test_the_service_does_not_start_on_indexes_that_differ(
    database: Database, bare_uri: str, redis_url: str
) -> None:
    await database["users"].create_index("keys.email", name="email")
    with pytest.raises(StartError, match="index email differs"):
        async with serving(bare_uri, redis_url):
            pass
    assert User.Settings.name == "users"
