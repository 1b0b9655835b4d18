import asyncio
from datetime import datetime
from itertools import cycle
from typing import Any

import httpx
import pytest
from bson import ObjectId

from models.user import EXAMPLE_INPUT, UserReplacement
from tests.support.api import serving
from tests.support.tokens import mint
from tests.support.users import BLANK, NOBODY, create, person, pointers, problem, read, users

MERGE = {"Content-Type": "application/merge-patch+json"}
FULL: dict[str, Any] = {
    "name": "Zoë Ångström",
    "email": "Zoe@Example.com",
    "username": "Zoë.A",
    "phone": "+34 (600) 000-000",
    "avatar_url": "https://example.com/zoe.png",
    "locale": "es-ES",
    "tags": ["Staff", "night shift"],
    "profile": {
        "bio": "line one\nline two",
        "age": 41,
        "title": "Engineer",
        "department": "R&D",
        "addresses": [
            {
                "label": "home",
                "street": "Calle 1",
                "city": "Málaga",
                "region": "AN",
                "zipcode": "00123",
                "country": "ES",
            },
            {"city": "Berlin"},
        ],
    },
}
EMPTY_PROFILE: dict[str, Any] = BLANK["profile"]
STOLEN = [
    "version", "_id", "id", "email_verified", "created_at", "updated_at", "last_login_at", "last_login_ip",
    "keys", "facets", "credentials", "generation", "password_hash", "password_jwe",
    "hashed_password", "password", "role", "is_superuser", "$set", "$where",
    "profile.age", "__proto__", "nmae",
]  # fmt: skip


# --- create and read ------------------------------------------------------------------------------------


async def test_a_user_is_created_whole_and_read_back_as_typed(client: httpx.AsyncClient) -> None:
    reply = await client.post("/users", json=FULL)
    user = reply.json()
    assert reply.status_code == 201
    assert reply.headers["location"] == f"/users/{user['id']}"
    assert reply.headers["etag"] == '"1"'
    assert reply.headers["content-type"] == "application/json"
    assert ObjectId.is_valid(user["id"])
    second = FULL["profile"]["addresses"][1] | dict.fromkeys(
        ("label", "street", "region", "zipcode", "country")
    )
    assert user == BLANK | FULL | {
        "id": user["id"],
        "phone": "+34600000000",  # E.164: the one form in which a phone number is stored
        "profile": BLANK["profile"]
        | FULL["profile"]
        | {"addresses": [FULL["profile"]["addresses"][0], second]},
        "scopes": ["me"],
        "is_active": True,
        "email_verified": False,
        "created_at": user["created_at"],
        "updated_at": user["created_at"],
        "last_login_at": None,
        "last_login_ip": None,
        "version": 1,
    }
    assert datetime.fromisoformat(user["created_at"]).utcoffset() is not None
    again = await client.get(reply.headers["location"])
    assert again.status_code == 200
    assert again.json() == user
    assert again.headers["etag"] == '"1"'


async def test_name_and_email_are_all_a_user_needs(client: httpx.AsyncClient) -> None:
    user = await create(client)
    assert user["profile"] == EMPTY_PROFILE
    assert user["tags"] == []
    assert user["username"] is user["phone"] is user["avatar_url"] is user["locale"] is None


async def test_white_space_around_identifiers_is_no_part_of_them(client: httpx.AsyncClient) -> None:
    user = await create(client, email="  Trim@Example.com ", username="\tTrim ")
    assert (user["email"], user["username"]) == ("Trim@Example.com", "Trim")


@pytest.mark.parametrize("user_id", [NOBODY, NOBODY.upper()])
async def test_the_id_of_no_user_is_404_everywhere(client: httpx.AsyncClient, user_id: str) -> None:
    path = f"/users/{user_id}"
    problem(await client.get(path), 404, "user_not_found")
    problem(await client.patch(path, json={"name": "x"}), 404, "user_not_found")
    problem(await client.put(path, json=person()), 404, "user_not_found")
    problem(await client.delete(path), 404, "user_not_found")
    problem(await client.delete(path, headers={"If-Match": '"1"'}), 404, "user_not_found")


async def test_an_id_in_capitals_is_the_same_id(client: httpx.AsyncClient) -> None:
    user = await create(client)
    reply = await client.get(f"/users/{user['id'].upper()}")
    assert reply.json() == user


async def test_head_answers_as_get_without_a_body(client: httpx.AsyncClient) -> None:
    user = await create(client)
    reply = await client.head(f"/users/{user['id']}")
    assert (reply.status_code, reply.content, reply.headers["etag"]) == (200, b"", '"1"')


# --- PATCH ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [MERGE, {"Content-Type": "application/json"}, {**MERGE, "Accept": "*/*"}])
async def test_a_patch_merges_nested_fields_and_leaves_the_rest(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    user = await create(client, username="ana", profile=FULL["profile"])
    reply = await client.patch(
        f"/users/{user['id']}", content='{"name": "Bea", "profile": {"age": 42}}', headers=headers
    )
    assert reply.status_code == 200
    assert reply.headers["etag"] == '"2"'
    now = reply.json()
    assert now == user | {
        "name": "Bea",
        "profile": user["profile"] | {"age": 42},
        "version": 2,
        "updated_at": now["updated_at"],
    }
    assert now["updated_at"] >= user["updated_at"]
    assert await read(client, user) == now


async def test_null_removes_a_field_at_every_depth(client: httpx.AsyncClient) -> None:
    user = await create(client, username="ana", phone="+34600000001", tags=["a"], profile=FULL["profile"])
    patch = {"username": None, "phone": None, "tags": None, "profile": {"bio": None, "age": None}}
    now = (await client.patch(f"/users/{user['id']}", json=patch)).json()
    assert now["username"] is now["phone"] is now["profile"]["bio"] is now["profile"]["age"] is None
    assert now["tags"] == []
    assert now["profile"]["addresses"] == user["profile"]["addresses"]
    now = (await client.patch(f"/users/{user['id']}", json={"profile": {"addresses": None}})).json()
    assert now["profile"]["addresses"] == []
    assert now["profile"]["title"] == "Engineer"
    now = (await client.patch(f"/users/{user['id']}", json={"profile": None})).json()
    assert now["profile"] == EMPTY_PROFILE


async def test_a_removed_value_is_free_for_another(client: httpx.AsyncClient) -> None:
    user = await create(client, username="taken", phone="+34600000002")
    await client.patch(f"/users/{user['id']}", json={"username": None, "phone": None})
    await create(client, username="TAKEN", phone="+34 600 000 002")


async def test_lists_are_replaced_as_a_whole(client: httpx.AsyncClient) -> None:
    user = await create(client, tags=["a", "b"], profile=FULL["profile"])
    patch = {"tags": ["c"], "profile": {"addresses": [{"city": "Oslo"}]}}
    now = (await client.patch(f"/users/{user['id']}", json=patch)).json()
    assert now["tags"] == ["c"]
    assert [address["city"] for address in now["profile"]["addresses"]] == ["Oslo"]
    assert now["profile"]["addresses"][0]["street"] is None


async def test_a_patch_that_changes_nothing_writes_nothing(client: httpx.AsyncClient) -> None:
    user = await create(client)
    stored = await users(client).find_one({})
    nothings: list[dict[str, Any]] = [
        {}, {"name": "Ana"}, {"username": None}, {"profile": {}}, {"profile": None}, {"tags": []},
        {"locale": ""},
    ]  # fmt: skip
    for patch in nothings:
        reply = await client.patch(f"/users/{user['id']}", json=patch)
        assert reply.json() == user
        assert reply.headers["etag"] == '"1"'
        assert await users(client).find_one({}) == stored


async def test_a_put_of_what_is_there_writes_nothing(client: httpx.AsyncClient) -> None:
    user = await create(client, email="same@example.com")
    body = {"name": "Ana", "email": "same@example.com"}
    assert (await client.put(f"/users/{user['id']}", json=body)).json() == user


async def writer_of(client: httpx.AsyncClient) -> dict[str, str]:
    """The headers of a caller who may write users, and no more."""
    opened = client.app.state.container  # type: ignore[attr-defined]  # set by `serving`
    return {"Authorization": f"Bearer {await mint(opened, 'me', 'users:read', 'users:write')}"}


async def test_a_put_of_what_get_answered_writes_nothing_for_any_caller(client: httpx.AsyncClient) -> None:
    created = await create(client, **FULL, scopes=["users:read", "me"], is_active=False)
    signed_in = {"last_login_at": datetime(2026, 1, 31), "last_login_ip": "192.0.2.1"}  # noqa: DTZ001  (as stored)
    await users(client).update_one({}, {"$set": signed_in})
    user = await read(client, created)
    path = f"/users/{user['id']}"
    reordered = user | {"scopes": user["scopes"][::-1]}
    for headers, body in (({}, user), (await writer_of(client), user), (await writer_of(client), reordered)):
        reply = await client.put(path, json=body, headers=headers)
        assert (reply.status_code, reply.json()) == (200, user)
    changed = await client.put(path, json=user | {"name": "Bea"}, headers=await writer_of(client))
    assert changed.json() == user | {
        "name": "Bea", "version": 2, "updated_at": changed.json()["updated_at"],
    }  # fmt: skip


async def test_a_put_ignores_times_and_refuses_another_id_version_or_standing(
    client: httpx.AsyncClient,
) -> None:
    user = await create(client)
    path = f"/users/{user['id']}"
    for name in ("created_at", "updated_at", "last_login_at", "last_login_ip"):
        for value in ("2020-02-02T02:02:02Z", "yesterday", None):
            assert (await client.put(path, json=user | {name: value})).json() == user
        assert pointers(await client.put(path, json=user | {name: 7})) == {f"/{name}"}
    problem(await client.put(path, json=user | {"version": 2}), 412, "version_mismatch")
    assert pointers(await client.put(path, json=user | {"version": "1"})) == {"/version"}
    assert pointers(await client.put(path, json=user | {"id": NOBODY})) == {"/id"}
    for standing in ({"scopes": ["me", "users:read"]}, {"is_active": False}):
        reply = await client.put(path, json=user | standing, headers=await writer_of(client))
        problem(reply, 403, "insufficient_scope")
    reply = await client.put(path, json=user, headers={"If-Match": '"2"'})
    problem(reply, 412, "version_mismatch")
    assert await read(client, user) == user


async def test_of_two_puts_of_one_read_the_second_is_412_without_if_match(client: httpx.AsyncClient) -> None:
    user = await create(client)
    path = f"/users/{user['id']}"
    replies = await asyncio.gather(
        *(client.put(path, json=user | {"name": f"n{number}"}) for number in range(5))
    )
    assert sorted(reply.status_code for reply in replies) == [200, 412, 412, 412, 412]


async def test_a_patch_after_a_delete_is_404_and_brings_nobody_back(client: httpx.AsyncClient) -> None:
    user = await create(client)
    assert (await client.delete(f"/users/{user['id']}")).status_code == 204
    for headers in ({}, {"If-Match": '"1"'}, {"If-Match": "*"}):
        reply = await client.patch(f"/users/{user['id']}", json={"name": "x"}, headers=headers)
        problem(reply, 404, "user_not_found")
        problem(
            await client.put(f"/users/{user['id']}", json=person(), headers=headers), 404, "user_not_found"
        )
    assert await users(client).count_documents({}) == 0


async def test_patches_racing_a_delete_never_bring_the_user_back(client: httpx.AsyncClient) -> None:
    for _ in range(10):
        user = await create(client)
        path = f"/users/{user['id']}"
        replies = await asyncio.gather(
            *(client.patch(path, json={"name": f"n{number}"}) for number in range(4)), client.delete(path)
        )
        assert {reply.status_code for reply in replies[:-1]} <= {200, 404}
        assert replies[-1].status_code == 204
        problem(await client.get(path), 404, "user_not_found")


async def test_concurrent_patches_of_different_fields_both_survive(client: httpx.AsyncClient) -> None:
    user = await create(client)
    path = f"/users/{user['id']}"
    for turn in range(30):
        before = (await read(client, user))["version"]
        title, city = f"title {turn}", f"city {turn}"
        replies = await asyncio.gather(
            client.patch(path, json={"profile": {"title": title}}),
            client.patch(path, json={"profile": {"addresses": [{"city": city}]}}),
        )
        assert [reply.status_code for reply in replies] == [200, 200]
        now = await read(client, user)
        assert now["version"] == before + 2
        assert (now["profile"]["title"], now["profile"]["addresses"][0]["city"]) == (title, city)


async def test_of_two_writers_with_one_version_one_wins(client: httpx.AsyncClient) -> None:
    user = await create(client)
    path = f"/users/{user['id']}"
    for version in range(1, 11):
        match = {"If-Match": f'"{version}"'}
        replies = await asyncio.gather(
            client.patch(path, json={"name": f"a{version}"}, headers=match),
            client.put(path, json=person(name=f"b{version}"), headers=match),
        )
        assert sorted(reply.status_code for reply in replies) == [200, 412]
        winner = next(reply.json() for reply in replies if reply.status_code == 200)
        assert await read(client, user) == winner
        assert winner["version"] == version + 1


# --- PUT and DELETE -------------------------------------------------------------------------------------


async def test_a_put_replaces_what_a_caller_may_say_and_keeps_the_rest(client: httpx.AsyncClient) -> None:
    user = await create(client, **{key: FULL[key] for key in ("username", "tags", "profile", "phone")})
    await users(client).update_one({}, {"$set": {"scopes": ["me", "users:read"], "is_active": False}})
    reply = await client.put(f"/users/{user['id']}", json={"name": "Bea", "email": "bea@example.com"})
    assert reply.status_code == 200
    now = reply.json()
    assert now == user | {
        "name": "Bea",
        "email": "bea@example.com",
        "username": None,
        "phone": None,
        "tags": [],
        "profile": EMPTY_PROFILE,
        "scopes": ["me", "users:read"],
        "is_active": False,
        "version": 2,
        "updated_at": now["updated_at"],
    }
    stored = await users(client).find_one({})
    assert stored["keys"] == dict.fromkeys(stored["keys"]) | {
        "email": "bea@example.com",
        "username": None,
        "name": "bea",
    }
    assert stored["facets"] == ["is_active:false", "email_verified:false", "scope:me", "scope:users:read"]


async def test_every_write_keeps_keys_and_facets_in_step(client: httpx.AsyncClient) -> None:
    user = await create(client, tags=["One"], profile={"department": "Ops"})
    path = f"/users/{user['id']}"
    patch = {"name": "ÉVA", "tags": ["Two"], "profile": {"department": None, "addresses": [{"city": "Graz"}]}}
    assert (await client.patch(path, json=patch)).status_code == 200
    for query in ("tag=two", "city=GRAZ", "sort=name"):
        assert [found["id"] for found in (await client.get(f"/users?{query}")).json()["items"]] == [
            user["id"]
        ]
    for query in ("tag=one", "department=ops"):
        assert (await client.get(f"/users?{query}")).json()["items"] == []


async def test_a_deleted_user_is_gone_from_reads_and_listings(client: httpx.AsyncClient) -> None:
    user = await create(client, tags=["gone"])
    reply = await client.delete(f"/users/{user['id']}")
    assert (reply.status_code, reply.content) == (204, b"")
    problem(await client.get(f"/users/{user['id']}"), 404, "user_not_found")
    problem(await client.delete(f"/users/{user['id']}"), 404, "user_not_found")
    assert (await client.get("/users?tag=gone")).json()["items"] == []
    assert user["email"] not in (await client.get("/users/export?format=ndjson")).text


async def test_an_id_is_not_given_again(client: httpx.AsyncClient) -> None:
    body = person()
    seen = set()
    for _ in range(20):
        user = (await client.post("/users", json=body)).json()
        seen.add(user["id"])
        assert (await client.delete(f"/users/{user['id']}")).status_code == 204
    assert len(seen) == 20


# --- ETag, If-Match, If-None-Match ----------------------------------------------------------------------


MATCHING = ['"3"', '"1", "3"', '"1","3"', 'W/"3", "3"', "*", " * ", '"x", "3"']
OTHER = [
    '"2"', '"4"', 'W/"3"', 'W/"3", "2"', '"03"', '"3 "', '""', '"x"', '"-3"', '"3.0"', '"*"',
    f'"{"9" * 400}"',
]  # fmt: skip
MALFORMED = ["3", '"3', "'3'", '"1" "x', "*, *", "", "W/3", '"3"; "4', "x" * 1001]
METHODS = pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])


@METHODS
async def test_a_matching_version_lets_the_change_through(client: httpx.AsyncClient, method: str) -> None:
    for match in MATCHING:
        reply = await _change(client, await _at_version_three(client), method, match)
        assert reply.status_code in {200, 204}, match


@METHODS
async def test_any_other_version_is_412_and_nothing_changes(client: httpx.AsyncClient, method: str) -> None:
    user = await _at_version_three(client)
    for match in OTHER:
        problem(await _change(client, user, method, match), 412, "version_mismatch")
        assert await read(client, user) == user, match


@METHODS
async def test_a_malformed_if_match_is_refused_and_nothing_changes(
    client: httpx.AsyncClient, method: str
) -> None:
    user = await _at_version_three(client)
    for match in MALFORMED:
        content = problem(await _change(client, user, method, match), 422, "validation_failed")
        assert content["errors"][0]["parameter"].lower() == "if-match"
        assert await read(client, user) == user, match


async def _at_version_three(client: httpx.AsyncClient) -> dict[str, Any]:
    user = await create(client)
    for name in ("Bea", "Cleo"):
        user = (await client.patch(f"/users/{user['id']}", json={"name": name})).json()
    assert user["version"] == 3
    return user


async def _change(client: httpx.AsyncClient, user: dict[str, Any], method: str, match: str) -> httpx.Response:
    body = None if method == "DELETE" else person(name="Dora")
    return await client.request(method, f"/users/{user['id']}", json=body, headers={"If-Match": match})


async def test_a_caller_who_has_the_version_gets_no_body(client: httpx.AsyncClient) -> None:
    user = await create(client)
    for known in ('"1"', 'W/"1"', '"7", "1"', "*", '"7",W/"1"'):
        reply = await client.get(f"/users/{user['id']}", headers={"If-None-Match": known})
        assert (reply.status_code, reply.content, reply.headers["etag"]) == (304, b"", '"1"'), known


async def test_a_caller_who_has_another_version_gets_the_user(client: httpx.AsyncClient) -> None:
    user = await create(client)
    for known in ('"2"', 'W/"2"', '"01"', '"*"', '""'):
        reply = await client.get(f"/users/{user['id']}", headers={"If-None-Match": known})
        assert reply.status_code == 200, known
        assert reply.json() == user


async def test_a_malformed_if_none_match_is_refused(client: httpx.AsyncClient) -> None:
    user = await create(client)
    problem(
        await client.get(f"/users/{user['id']}", headers={"If-None-Match": "1"}), 422, "validation_failed"
    )


async def test_a_change_that_names_no_version_is_428_where_one_is_required(
    mongo_uri: str, redis_url: str
) -> None:
    async with serving(mongo_uri, redis_url, require_if_match=True) as client:
        user = await create(client)
        path = f"/users/{user['id']}"
        problem(await client.patch(path, json={"name": "x"}), 428, "if_match_required")
        problem(await client.put(path, json=person()), 428, "if_match_required")
        problem(await client.delete(path), 428, "if_match_required")
        assert await read(client, user) == user
        assert (await client.patch(path, json={"name": "x"}, headers={"If-Match": '"1"'})).status_code == 200
        assert (await client.delete(path, headers={"If-Match": "*"})).status_code == 204


# --- unknown fields and mass assignment -----------------------------------------------------------------


async def test_fields_that_no_caller_may_set_are_refused_by_every_write(client: httpx.AsyncClient) -> None:
    user = await create(client)
    path = f"/users/{user['id']}"
    stored = await users(client).find_one({})
    for field, value in zip(STOLEN, cycle(["x", True, 7, {"a": 1}, None, ["users:admin"]]), strict=False):
        pointer = f"/{field}"
        stolen = person(**{field: value})
        assert pointers(await client.post("/users", json=stolen)) == {pointer}
        if field not in UserReplacement.model_fields:  # those have tests of their own
            assert pointers(await client.put(path, json=stolen)) == {pointer}
        assert pointers(await client.patch(path, json={field: value})) == {pointer}
        assert pointers(await client.patch(path, json={"profile": {field: value}})) == {f"/profile{pointer}"}
        nested = {"profile": {"addresses": [{}, {field: value}]}}
        assert pointers(await client.post("/users", json=person(**nested))) == {
            f"/profile/addresses/1{pointer}"
        }
        operations = [
            {"op": "create", "user": stolen},
            {"op": "update", "id": user["id"], "patch": {field: value}},
            {"op": "update", "id": user["id"], "patch": {}, "profile": {field: value}},
        ]
        results = (await client.post("/users:batch", json={"operations": operations})).json()["results"]
        assert [result["status"] for result in results] == [422, 422, 422]
        assert [result["error"]["errors"][0]["pointer"] for result in results] == [
            f"/user{pointer}", f"/patch{pointer}", "/profile",
        ]  # fmt: skip
    assert [row async for row in users(client).find({})] == [stored]


STANDING: list[tuple[str, Any, str]] = [
    ("scopes", ["users:own"], "/scopes/0"),
    ("scopes", ["me", "me"], "/scopes"),
    ("scopes", ["me", None], "/scopes/1"),
    ("scopes", "me", "/scopes"),
    ("scopes", None, "/scopes"),
    ("is_active", "true", "/is_active"),
    ("is_active", 1, "/is_active"),
    ("is_active", None, "/is_active"),
]


@pytest.mark.parametrize(("field", "value", "pointer"), STANDING)
async def test_an_administrator_may_set_scopes_and_activation_to_what_they_can_be(
    client: httpx.AsyncClient, field: str, value: Any, pointer: str
) -> None:
    user = await create(client)
    path = f"/users/{user['id']}"
    wrong = person(**{field: value})
    assert pointers(await client.post("/users", json=wrong)) == {pointer}
    assert pointers(await client.put(path, json=wrong)) == {pointer}
    assert pointers(await client.patch(path, json={field: value})) == {pointer}
    operations = [
        {"op": "create", "user": wrong},
        {"op": "update", "id": user["id"], "patch": {field: value}},
    ]
    results = (await client.post("/users:batch", json={"operations": operations})).json()["results"]
    assert [result["error"]["errors"][0]["pointer"] for result in results] == [
        f"/user{pointer}", f"/patch{pointer}",
    ]  # fmt: skip
    assert await read(client, user) == user


async def test_scopes_and_activation_are_set_by_every_write_of_an_administrator_and_of_nobody_else(
    client: httpx.AsyncClient,
) -> None:
    opened = client.app.state.container  # type: ignore[attr-defined]  # set by `serving`
    token = await mint(opened, "me", "users:read", "users:write", "users:export")
    writer = {"Authorization": f"Bearer {token}"}
    user = await create(client, scopes=["me", "users:read"], is_active=False)
    admin = await create(client, scopes=["users:admin"])
    assert (user["scopes"], user["is_active"]) == (["me", "users:read"], False)
    path = f"/users/{user['id']}"
    for standing in ({"scopes": ["me", "users:admin"]}, {"is_active": True}):
        said = person(**standing)
        operations = [
            {"op": "create", "user": said},
            {"op": "update", "id": user["id"], "patch": standing},
            {"op": "update", "id": admin["id"], "patch": {"name": "x"}},
            {"op": "delete", "id": admin["id"]},
        ]
        batch = await client.post("/users:batch", json={"operations": operations}, headers=writer)
        errors = [result["error"] for result in batch.json()["results"]]
        assert [(error["status"], error["code"]) for error in errors] == [(403, "insufficient_scope")] * 4
        for reply in (
            await client.post("/users", json=said, headers=writer),
            await client.put(path, json=said, headers=writer),
            await client.patch(path, json=standing, headers=writer),
            await client.patch(f"/users/{admin['id']}", json={"name": "x"}, headers=writer),
            await client.put(f"/users/{admin['id']}", json=person(), headers=writer),
            await client.delete(f"/users/{admin['id']}", headers=writer),
        ):
            problem(reply, 403, "insufficient_scope")
            assert 'scope="users:admin"' in reply.headers["www-authenticate"]
    assert await read(client, user) == user
    assert await read(client, admin) == admin
    replaced = await client.put(path, json=person(), headers=writer)
    assert (replaced.json()["scopes"], replaced.json()["is_active"]) == (user["scopes"], False)
    patched = await client.patch(path, json={"scopes": ["users:export"], "is_active": True})
    assert (patched.json()["scopes"], patched.json()["is_active"]) == (["users:export"], True)
    replaced = await client.put(path, json=person(scopes=["me"], is_active=False))
    assert (replaced.json()["scopes"], replaced.json()["is_active"]) == (["me"], False)


async def test_the_pointer_to_an_unknown_field_is_escaped(client: httpx.AsyncClient) -> None:
    reply = await client.post("/users", json=person(**{"a/b~c": 1}))
    assert pointers(reply) == {"/a~1b~0c"}


async def test_hidden_fields_leave_by_no_route(client: httpx.AsyncClient) -> None:
    user = await create(client, **{key: value for key, value in EXAMPLE_INPUT.items() if key != "email"})
    secrets = {"password_hash": "$argon2id$secret", "credentials.password_hash": "$argon2id$secret"}
    await users(client).update_one({}, {"$set": secrets})
    path = f"/users/{user['id']}"
    for reply in (
        await client.get(path),
        await client.get("/users"),
        await client.patch(path, json={"name": "x"}),
        await client.put(path, json=person()),
        await client.get("/users/export?format=ndjson"),
        await client.get("/users/export/csv"),
    ):
        assert reply.status_code == 200
        for hidden in ("argon2id", "password", "credentials", "generation", "facets", '"keys"'):
            assert hidden not in reply.text
    oracles = "fields=password_hash sort=password_hash password_hash=x keys.email=x keys[$ne]=x email[$ne]=x"
    oracles += (
        " fields=credentials fields=credentials.password_hash sort=credentials.generation credentials=x"
    )
    for query in (*oracles.split(), "$where=1", "facets=is_active:true"):
        problem(await client.get(f"/users?{query}"), 422, "validation_failed")
