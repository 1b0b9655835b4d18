"""The audit trail: every change of a user, by whom, in the transaction that makes it."""

import asyncio
from itertools import pairwise
from typing import Any

import httpx
import pytest
from bson import ObjectId
from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from app import accounts, audit
from app.audit.write import Author
from app.database import indexes
from models.audit import AuditQuery
from models.stored import FOREVER_S
from tests.support.api import serving
from tests.support.applying import apply_plan, resources
from tests.support.clients import new_client
from tests.support.identity import OTHER_PASSWORD, PASSWORD, call, member, sign_in, token_of
from tests.support.imports import plan
from tests.support.users import NOBODY, create, database, problem, read, users


async def trail_of(client: httpx.AsyncClient, user: dict[str, Any], **asked: Any) -> list[dict[str, Any]]:
    """The oldest first."""
    reply = await client.get("/audit", params={"user": user["id"], **asked})
    assert reply.status_code == 200, reply.text
    items: list[dict[str, Any]] = reply.json()["items"]
    return items[::-1]


def told(entries: list[dict[str, Any]]) -> list[tuple[str, str, int | None, dict[str, Any]]]:
    return [
        (
            entry["action"],
            entry["via"],
            entry["version"],
            {change["pointer"]: (change["from"], change["to"]) for change in entry["differences"]},
        )
        for entry in entries
    ]


async def test_each_change_is_told_by_whom_and_what_it_changed(client: httpx.AsyncClient) -> None:
    author = await member(client, "users:read", "users:write")
    await resources(client).auth.clients.register(new_client(is_public=True), client_id="portal")
    tokens = await sign_in(client, author, client_id="portal")
    as_author = {"Authorization": f"Bearer {tokens['access_token']}"}
    body = {"name": "Ana", "email": "ana@example.com", "profile": {"age": 30, "addresses": [{"city": "Rom"}]}}
    reply = await client.post("/users", json=body, headers=as_author | {"X-Request-ID": "of-the-create"})
    ana = reply.json()
    path = f"/users/{ana['id']}"
    patch = {"name": "Anna", "tags": ["a"], "profile": {"addresses": [{"city": "Rom"}, {"city": "Bari"}]}}
    assert (await client.patch(path, json=patch, headers=as_author)).status_code == 200
    assert (await client.put(path, json={"name": "Ana", "email": "ana@example.com"})).status_code == 200
    operations = [{"op": "update", "id": ana["id"], "patch": {"username": "ana"}}]
    assert (await client.post("/users:batch", json={"operations": operations})).status_code == 200
    found = await trail_of(client, ana)
    assert told(found) == [
        (
            *("created", "api", 1),
            {
                "/name": (None, "Ana"),
                "/email": (None, "ana@example.com"),
                "/profile/age": (None, 30),
                "/profile/addresses/0/city": (None, "Rom"),
                "/scopes": (None, ["me"]),
                "/is_active": (None, True),
            },
        ),
        (
            *("changed", "api", 2),
            {
                "/name": ("Ana", "Anna"),
                "/tags": ([], ["a"]),
                "/profile/addresses/1/city": (None, "Bari"),
            },
        ),
        (
            *("changed", "api", 3),
            {
                "/name": ("Anna", "Ana"),
                "/tags": (["a"], []),
                "/profile/age": (30, None),
                "/profile/addresses/0/city": ("Rom", None),
                "/profile/addresses/1/city": ("Bari", None),
            },
        ),
        ("changed", "batch", 4, {"/username": (None, "ana")}),
    ]
    assert [entry["by"] == author["id"] for entry in found] == [True, True, False, False]
    assert [entry["client"] for entry in found] == ["portal", "portal", "roster", "roster"]
    assert found[0]["request_id"] == "of-the-create"
    assert len({entry["request_id"] for entry in found}) == 4


async def test_what_changes_nothing_or_is_refused_is_not_told(client: httpx.AsyncClient) -> None:
    ana, ben = await create(client, name="Ana"), await create(client, name="Ben")
    path = f"/users/{ana['id']}"
    assert (await client.patch(path, json={"name": "Ana"})).status_code == 200
    problem(await client.patch(path, json={"email": ben["email"]}), 409, "already_exists")
    problem(
        await client.patch(path, json={"name": "x"}, headers={"If-Match": '"7"'}), 412, "version_mismatch"
    )
    problem(await client.post("/users", json={"name": "x", "email": ben["email"]}), 409, "already_exists")
    assert [entry["action"] for entry in await trail_of(client, ana)] == ["created"]
    assert await database(client)["audit"].count_documents({}) == 2


async def test_a_deleted_user_leaves_who_changed_which_fields_and_none_of_their_values(
    client: httpx.AsyncClient,
) -> None:
    ana = await create(client, name="Ana Secretname", phone="+4915112345678", scopes=["me", "users:read"])
    await client.patch(f"/users/{ana['id']}", json={"profile": {"bio": "Her life"}, "scopes": ["me"]})
    ben = await create(client)
    assert (await client.delete(f"/users/{ana['id']}")).status_code == 204
    found = await trail_of(client, ana)
    assert [entry["action"] for entry in found] == ["created", "changed", "deleted"]
    assert [entry["forgotten"] for entry in found] == [True, True, False]
    assert told(found)[1:] == [
        ("changed", "api", 2, {"/profile/bio": (None, None), "/scopes": (["me", "users:read"], ["me"])}),
        ("deleted", "api", None, {}),
    ]
    stored = str(await database(client)["audit"].find({"user": ObjectId(ana["id"])}).to_list())
    for word in ("Secretname", "Her life", "4915112345678", ana["email"]):
        assert word not in stored
    assert told(await trail_of(client, ben))[0][3]["/email"] == (None, ben["email"])


async def test_passwords_and_sign_outs_are_told_without_a_secret(client: httpx.AsyncClient) -> None:
    ana = await member(client)
    tokens = await sign_in(client, ana)
    change = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
    reply = await call(client, "POST", "/users/me/password", tokens["access_token"], json=change)
    token = reply.json()["access_token"]
    email = {"current_password": OTHER_PASSWORD, "email": "new@example.com"}
    assert (await call(client, "POST", "/users/me/email", token, json=email)).status_code == 200
    own = {"profile": {"bio": "About me"}}
    assert (await call(client, "PATCH", "/users/me", token, json=own)).status_code == 200
    assert (await call(client, "DELETE", "/users/me/sessions", token)).status_code == 204
    assert (await client.delete(f"/users/{ana['id']}/sessions")).status_code == 204
    assert (await client.post("/users:sign-out", json={"ids": [ana["id"], NOBODY]})).status_code == 200
    found = await trail_of(client, ana)
    assert [(entry["action"], entry["by"] == ana["id"]) for entry in found] == [
        ("created", False),
        ("password_set", False),
        ("password_set", True),
        ("changed", True),
        ("changed", True),
        ("signed_out", True),
        ("signed_out", False),
        ("signed_out", False),
    ]
    assert [entry[3] for entry in told(found)[1:5]] == [
        {"/password": (None, None)},
        {"/password": (None, None)},
        {"/email": (ana["email"], "new@example.com")},
        {"/profile/bio": (None, "About me")},
    ]
    stored = str(await database(client)["audit"].find({}).to_list())
    assert "argon2" not in stored
    assert OTHER_PASSWORD not in stored


async def test_people_who_register_are_the_authors_of_their_creation(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, registration="open") as client:
        body = {"name": "Ana", "email": "ana@example.com", "password": PASSWORD}
        user = (await client.post("/auth/register", json=body)).json()
        found = await trail_of(client, user)
        assert [(entry["action"], entry["via"], entry["by"]) for entry in found] == [
            ("created", "registration", user["id"])
        ]
        assert "/password" not in told(found)[0][3]


async def test_the_command_line_is_nobody(client: httpx.AsyncClient) -> None:
    opened = client.app.state.container  # type: ignore[attr-defined]  # set by `serving`
    password = SecretStr(PASSWORD)
    assert await accounts.create_admin(opened.auth, "root@example.com", password)
    assert not await accounts.create_admin(opened.auth, "root@example.com", password)
    entries = (await client.get("/audit")).json()["items"][::-1]
    assert [(entry["action"], entry["via"], entry["by"]) for entry in entries] == [
        ("created", "command_line", None),
        ("password_set", "command_line", None),
    ]


async def test_an_import_tells_of_each_row(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, jobs_inside=True) as client:
        ana, ben, cyd = [await create(client, scopes=["me", "users:read"]) for _ in range(3)]
        file = (
            "id,email,name,is_active,delete\r\n"
            f"{ana['id']},{ana['email']},Anna,,\r\n"
            f"{ben['id']},{ben['email']},Ana,,yes\r\n"
            f"{cyd['id']},{cyd['email']},Ana,no,\r\n"
            ",new@example.com,Neu,,\r\n"
        )
        applied = await apply_plan(client, await plan(client, file))
        new = {"id": applied["items"][3]["id"]}
        last = [(await trail_of(client, user))[-1] for user in (ana, ben, cyd, new)]
        assert told(last) == [
            ("changed", "import", 2, {"/name": ("Ana", "Anna")}),
            ("deleted", "import", None, {}),
            ("changed", "import", 2, {"/is_active": (True, False)}),
            (
                *("created", "import", 1),
                {
                    "/name": (None, "Neu"),
                    "/email": (None, "new@example.com"),
                    "/scopes": (None, ["me"]),
                    "/is_active": (None, True),
                },
            ),
        ]
        assert {entry["import_id"] for entry in last} == {applied["id"]}
        assert {entry["by"] for entry in last} == {(await trail_of(client, ana))[0]["by"]}


async def test_a_change_that_cannot_be_told_is_not_made(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await create(client, name="Ana")
    before = await users(client).find({}).to_list()

    async def fail(*_: Any, **__: Any) -> None:
        raise OperationFailure("no space left", 14031)

    monkeypatch.setattr(audit.write, "add", fail)
    monkeypatch.setattr(audit.write, "change", fail)
    path = f"/users/{ana['id']}"
    for reply in (
        await client.post("/users", json={"name": "x", "email": "x@example.com"}),
        await client.patch(path, json={"name": "x"}),
        await client.patch(path, json={"is_active": False}),
        await client.delete(path),
        await client.put(f"{path}/password", json={"password": PASSWORD}),
        await client.delete(f"{path}/sessions"),
    ):
        assert problem(reply, 503, "unavailable")
    batch = await client.post(
        "/users:batch",
        json={"operations": [{"op": "create", "user": {"name": "x", "email": "x@example.com"}}]},
    )
    assert [result["status"] for result in batch.json()["results"]] == [503]
    assert await users(client).find({}).to_list() == before


async def test_pages_follow_each_other_and_filters_must_all_hold(client: httpx.AsyncClient) -> None:
    ana, ben = await create(client), await create(client)
    for name in "ABCDE":
        await client.patch(f"/users/{ana['id']}", json={"name": name})
    everything = (await client.get("/audit")).json()["items"]
    walked, cursor = [], None
    while True:
        asked = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/audit", params=asked)).json()
        walked += page["items"]
        if (cursor := page["next"]) is None:
            break
        await client.patch(f"/users/{ben['id']}", json={"name": f"Ben {len(walked)}"})
    assert walked == everything
    by = everything[0]["by"]
    changed = await trail_of(client, ana, action="changed", by=by)
    assert [entry["differences"][0]["to"] for entry in changed] == list("ABCDE")
    middle = changed[2]["at"]
    until_then = await trail_of(client, ana, to=middle)
    since_then = await trail_of(client, ana, **{"from": middle})
    assert [entry["version"] for entry in until_then] == [1, 2, 3, 4]
    assert [entry["version"] for entry in since_then] == [4, 5, 6]
    assert await trail_of(client, ana, **{"from": "2999-01-01"}) == []
    assert await trail_of(client, ana, to="1960-01-01") == []
    assert await trail_of(client, ana, by=NOBODY) == []
    both = (await client.get("/audit?action=created&action=deleted")).json()["items"]
    assert [entry["action"] for entry in both] == ["created", "created"]


async def test_what_is_asked_wrongly_is_named(client: httpx.AsyncClient) -> None:
    for query in (
        "user=x",
        "by=1",
        "action=made",
        "from=yesterday",
        "to=1",
        "limit=0",
        "limit=101",
        "since=2026-01-01",
    ):
        bad = problem(await client.get(f"/audit?{query}"), 422, "validation_failed")["errors"]
        assert [field["parameter"] for field in bad] == [query.partition("=")[0]]
    problem(await client.get("/audit?cursor=AAAA"), 400, "invalid_cursor")
    await create(client)
    await create(client)
    cursor = (await client.get("/audit?limit=1")).json()["next"]
    problem(await client.get(f"/audit?cursor={cursor}&action=created"), 400, "invalid_cursor")


async def test_only_administrators_read_it(client: httpx.AsyncClient) -> None:
    token = await token_of(client, "me", "users:read", "users:write", "users:export")
    problem(await call(client, "GET", "/audit", token), 403, "insufficient_scope")
    problem(await call(client, "GET", "/audit"), 401, "unauthenticated")


async def test_a_trail_that_is_too_long_to_look_through_is_refused(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, query_budget_ms=1) as client:
        by = ObjectId()
        entries = [audit.write.entry(Author(str(by)), "changed", ObjectId()) for _ in range(20_000)]
        await database(client)["audit"].insert_many(entries)
        reply = await client.get(f"/audit?by={by}&action=deleted")
        assert problem(reply, 422, "query_too_expensive")["errors"][0]["parameter"] == "user"


FILTERS: list[dict[str, Any]] = [
    {},
    {"user": NOBODY},
    {"by": NOBODY},
    {"action": ["created"]},
    {"action": ["created", "deleted"]},
    {"from": "2026-01-01", "to": "2026-01-31"},
    {"user": NOBODY, "from": "2026-01-01"},
    {"by": NOBODY, "to": "2026-01-31"},
    {"user": NOBODY, "by": NOBODY, "action": ["changed"]},
]


@pytest.mark.parametrize("given", FILTERS)
async def test_each_page_comes_in_order_from_an_index(
    client: httpx.AsyncClient, given: dict[str, Any]
) -> None:
    held = database(client)
    author = Author(NOBODY)
    for _ in range(20):
        await held["audit"].insert_many(
            [
                audit.write.entry(author, "changed", ObjectId()),
                audit.write.entry(author, "created", ObjectId(NOBODY)),
            ]
        )
    asked = AuditQuery.model_validate(given | {"limit": 5})
    found = await (
        held["audit"]
        .find(audit.read.matching(asked), hint=audit.read.index(asked))
        .sort("_id", -1)
        .limit(6)
        .explain()
    )
    stages = str(found["queryPlanner"]["winningPlan"])
    assert "IXSCAN" in stages
    assert "'SORT'" not in stages
    assert "COLLSCAN" not in stages
    if len(given) == 1 or "to" in given:
        assert found["executionStats"]["totalKeysExamined"] <= 6 + 2


async def test_how_long_it_is_kept_is_set_also_for_what_was_written_before(
    mongo_uri: str, redis_url: str
) -> None:
    def kept_s() -> int:
        with MongoClient[dict[str, Any]](mongo_uri) as sync:
            found = sync.get_default_database()["audit"].index_information()
            return int(found["at"]["expireAfterSeconds"])

    for days, seconds in ((365, 365 * 86_400), (30, 30 * 86_400), (0, FOREVER_S)):
        async with serving(mongo_uri, redis_url, audit_ttl_days=days) as client:
            assert await indexes.check(database(client)) == []
        assert kept_s() == seconds


async def test_twenty_rivals_leave_one_entry_for_each_version(client: httpx.AsyncClient) -> None:
    ana = await create(client)

    async def patch(n: int) -> int:
        return (await client.patch(f"/users/{ana['id']}", json={"name": f"Ana {n}"})).status_code

    statuses = await asyncio.gather(*(patch(n) for n in range(20)))
    assert set(statuses) <= {200, 409}
    found = await trail_of(client, ana, limit=100)
    version = (await read(client, ana))["version"]
    assert [entry["version"] for entry in found] == list(range(1, version + 1))
    names = [entry["differences"][0] for entry in found[1:]]
    assert all(one["to"] == other["from"] for one, other in pairwise(names))
