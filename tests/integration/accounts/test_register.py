"""POST /auth/register: closed, open and by invitation, and passwords that will not do."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.auth import invitations
from tests.support import identity
from tests.support.api import serving, serving_prepared
from tests.support.identity import (
    PASSWORD,
    ask_token,
    call,
    member,
    parts,
    sign_in,
    token_of,
    wear_out_refusals,
)
from tests.support.users import create, database, person, pointers, problem, users


@pytest.fixture
async def public(mongo_uri: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A service where anybody may register."""
    async with serving_prepared(
        mongo_uri, redis_url, registration="open", tries_per_address=10_000
    ) as client:
        yield client


@pytest.fixture
async def private(mongo_uri: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A service where one needs an invitation."""
    async with serving_prepared(
        mongo_uri, redis_url, registration="invitation", tries_per_address=10_000
    ) as client:
        yield client


async def register(client: httpx.AsyncClient, **more: Any) -> httpx.Response:
    body = {key: value for key, value in (person(password=PASSWORD) | more).items() if value is not ...}
    return await call(client, "POST", "/auth/register", json=body)


async def invite(client: httpx.AsyncClient, **said: Any) -> str:
    invitation = await identity.invite(client, **said)
    assert set(invitation) == {"id", "code", "expires_at"}
    return str(invitation["code"])


async def count(client: httpx.AsyncClient) -> int:
    """Without those who invite."""
    return int(await users(client).count_documents({"scopes": {"$ne": "users:admin"}}))


# --- closed


async def test_nobody_registers_unless_it_is_allowed(client: httpx.AsyncClient) -> None:
    problem(await register(client), 403, "registration_closed")
    problem(await register(client, password="short"), 403, "registration_closed")
    problem(await register(client, invitation=await invite(client)), 403, "registration_closed")
    assert await count(client) == 0


# --- open


@pytest.mark.usefixtures("costly_passwords")
async def test_one_registers_and_signs_in(public: httpx.AsyncClient) -> None:
    reply = await register(
        public, name="Zoë", email="Zoe@Example.com", username="zoe", profile={"age": 30}, locale=""
    )
    assert reply.status_code == 201, reply.text
    assert reply.headers["cache-control"] == "no-store"
    made = reply.json()
    assert (made["name"], made["email"], made["username"]) == ("Zoë", "Zoe@Example.com", "zoe")
    assert (made["scopes"], made["is_active"], made["tags"], made["version"]) == (["me"], True, [], 1)
    assert (made["profile"]["age"], made["locale"], made["last_login_at"]) == (30, None, None)
    assert reply.headers["etag"] == '"1"'
    assert PASSWORD not in reply.text
    assert "argon2" not in reply.text
    for name in ("zoe@example.com", "ZOE"):
        tokens = (await ask_token(public, name)).json()
        assert tokens["scope"] == "me"
        assert parts(tokens["access_token"])[1]["sub"] == made["id"]
    row = await users(public).find_one({"keys.username": "zoe"})
    assert row["credentials"]["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert row["credentials"]["generation"] == 0


@pytest.mark.parametrize(
    "more",
    [
        {"scopes": ["users:admin"]}, {"is_active": True}, {"version": 7}, {"tags": ["staff"]},
        {"_id": "0" * 24}, {"id": "0" * 24}, {"credentials": {"generation": 1}}, {"password_hash": "x"},
        {"created_at": "2020-01-01T00:00:00Z"}, {"last_login_ip": "1.2.3.4"}, {"keys": {}}, {"facets": []},
        {"is_superuser": True}, {"role": "admin"}, {"$set": {}}, {"profile": {"scopes": []}},
    ],
)  # fmt: skip
async def test_what_only_others_may_say_is_refused(public: httpx.AsyncClient, more: dict[str, Any]) -> None:
    at = "/profile/scopes" if "profile" in more else f"/{next(iter(more))}"
    assert pointers(await register(public, **more)) == {at}
    assert await count(public) == 0


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("", "at least 8"),
        ("canary7", "at least 8"),
        ("canary-" * 19, "at most 128"),
        ("canary-" * 200, "1024"),
        ("iloveyou1", "most people choose"),
        ("ILoveYou1", "most people choose"),
        ("ｉｌｏｖｅｙｏｕ１", "most people choose"),
        ("canaryname1", "name"),
        ("canary-canary@canary.example", "name"),
        ("zzzzzzzzzz", "repeated"),
        ("abcdefghij", "sequence"),
        ("roster2024", "product"),
        ("canary\x01canary", "can be typed"),
        ("canary\ncanary", "can be typed"),
    ],
)
async def test_a_password_that_will_not_do_is_named_and_not_repeated(
    public: httpx.AsyncClient, password: str, said: str
) -> None:
    reply = await register(public, name="Canaryname", email="canary@canary.example", password=password)
    (bad,) = problem(reply, 422, "validation_failed")["errors"]
    assert bad["pointer"] == "/password"
    assert said in bad["detail"]
    assert "canary" not in reply.text.lower()
    assert await count(public) == 0


@pytest.mark.parametrize(
    "password",
    [
        "a" * 4 + "b" * 124,
        "正确马电池订书钉",
        "correct horse battery staple",
        "        ein Satz",
        "🐎🔋📎🐎🔋📎🐎x",
    ],
)
async def test_a_long_or_foreign_password_is_taken_whole(public: httpx.AsyncClient, password: str) -> None:
    made = (await register(public, password=password)).json()
    assert (await ask_token(public, made["email"], password)).status_code == 200
    assert (await ask_token(public, made["email"], password[:-1])).status_code == 400


@pytest.mark.parametrize(
    ("more", "at"),
    [
        ({"password": ...}, "/password"),
        ({"password": None}, "/password"),
        ({"password": 12345678}, "/password"),
        ({"password": ["canary-canary"]}, "/password"),
        ({"password": {"canary": "canary"}}, "/password"),
        ({"password_jwe": "canary"}, "/password"),
        ({"password": ..., "password_jwe": "canary"}, "/password_jwe"),
        ({"password": ..., "password_jwe": "canary" * 1000}, "/password_jwe"),
        ({"email": ...}, "/email"),
        ({"email": "canary"}, "/email"),
        ({"email": "canary\u200b@example.com"}, "/email"),
        ({"name": " "}, "/name"),
        ({"phone": "canary"}, "/phone"),
        ({"username": "canary canary"}, "/username"),
        ({"invitation": "canary" * 30}, "/invitation"),
        ({"invitation": {"canary": 1}}, "/invitation"),
    ],
)
async def test_no_refusal_repeats_what_was_sent(
    public: httpx.AsyncClient, more: dict[str, Any], at: str
) -> None:
    reply = await register(public, **more)
    assert pointers(reply) == {at}, reply.text
    assert "canary" not in reply.text
    assert PASSWORD not in reply.text
    assert await count(public) == 0


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"null", b'{"password":"canary","password":"canary"}'])
async def test_a_body_that_is_no_object_is_refused_without_an_echo(
    public: httpx.AsyncClient, body: bytes
) -> None:
    kind = {"Content-Type": "application/json"}
    reply = await call(public, "POST", "/auth/register", content=body, headers=kind)
    assert reply.status_code in {400, 422}, reply.text
    assert "canary" not in reply.text
    form = await call(public, "POST", "/auth/register", data={"password": "canary"})
    problem(form, 415, "unsupported_media_type")
    assert "canary" not in form.text


@pytest.mark.parametrize(
    ("field", "theirs", "mine"),
    [
        ("email", "Zoë@bücher.example", "ZOË@xn--bcher-kva.example"),
        ("username", "Zoë", "ZOË"),
        ("phone", "+4915112345678", "+49 (151) 1234-5678"),
    ],
)
async def test_a_value_that_another_has_is_named_and_not_repeated(
    public: httpx.AsyncClient, field: str, theirs: str, mine: str
) -> None:
    await create(public, **{field: theirs})
    reply = await register(public, **{field: mine})
    assert pointers(reply, 409, "already_exists") == {f"/{field}"}
    for value in (theirs, mine):
        assert value not in reply.text
    assert await count(public) == 1


async def test_of_many_who_register_one_email_at_once_one_does(public: httpx.AsyncClient) -> None:
    replies = await asyncio.gather(*(register(public, email="same@example.com") for _ in range(8)))
    assert sorted(reply.status_code for reply in replies) == [201] + [409] * 7
    assert await count(public) == 1


async def test_trying_out_who_is_there_is_throttled(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, registration="open", tries_per_address=3) as client:
        user = await create(client)
        for _ in range(4):
            assert (await register(client, email=user["email"])).status_code == 409
        await wear_out_refusals(client, "refused_registrations")
        for email in (user["email"], "fresh@example.com"):
            problem(await register(client, email=email), 429, "too_many_attempts")
        assert await count(client) == 1


# --- by invitation


async def test_an_invitation_is_good_once_and_grants_its_scopes(private: httpx.AsyncClient) -> None:
    code = await invite(private, scopes=["me", "users:read"])
    problem(await register(private), 403, "invalid_invitation")
    problem(await register(private, invitation="canary"), 403, "invalid_invitation")
    made = await register(private, invitation=code)
    assert made.status_code == 201, made.text
    assert made.json()["scopes"] == ["me", "users:read"]
    tokens = await sign_in(private, made.json())
    assert tokens["scope"] == "me users:read"
    assert (await call(private, "GET", "/users", tokens["access_token"])).status_code == 200
    found = await call(private, "GET", "/users?scope=users:read", tokens["access_token"])
    assert [each["id"] for each in found.json()["items"]] == [made.json()["id"]]
    again = await register(private, invitation=code)
    problem(again, 403, "invalid_invitation")
    assert code not in again.text
    assert await count(private) == 1


async def test_an_invitation_for_an_address_is_for_it_alone_however_spelled(
    private: httpx.AsyncClient,
) -> None:
    code = await invite(private, email="Zoë@bücher.example")
    problem(await register(private, invitation=code), 403, "invalid_invitation")
    made = await register(private, invitation=code, email="ZOË@xn--bcher-kva.EXAMPLE")
    assert (made.status_code, made.json()["scopes"]) == (201, ["me"])


async def test_an_expired_invitation_is_as_unknown_as_any_other(private: httpx.AsyncClient) -> None:
    code = await invite(private, expires_in=60)
    late = datetime.now(UTC) - timedelta(seconds=1)
    await database(private)["invitations"].update_one({}, {"$set": {"expires_at": late}})
    expired, unknown = await register(private, invitation=code), await register(private, invitation="x")
    details = [problem(each, 403, "invalid_invitation")["detail"] for each in (expired, unknown)]
    assert details[0] == details[1]


async def test_a_registration_that_fails_leaves_the_invitation_good(private: httpx.AsyncClient) -> None:
    taken = await create(private)
    code = await invite(private)
    assert (await register(private, invitation=code, email=taken["email"])).status_code == 409
    assert (await register(private, invitation=code, password="short")).status_code == 422
    assert (await register(private, invitation=code)).status_code == 201


async def test_of_many_who_race_for_one_invitation_one_registers(private: httpx.AsyncClient) -> None:
    code = await invite(private)
    replies = await asyncio.gather(*(register(private, invitation=code) for _ in range(8)))
    assert sorted(reply.status_code for reply in replies) == [201] + [403] * 7
    assert await count(private) == 1


async def test_an_invitation_counts_where_registration_is_open_too(public: httpx.AsyncClient) -> None:
    code = await invite(public, scopes=["users:export"])
    assert (await register(public, invitation=code)).json()["scopes"] == ["users:export"]
    problem(await register(public, invitation=code), 403, "invalid_invitation")


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ({"scopes": ["root"]}, "/scopes/0"),
        ({"scopes": ["me", "me"]}, "/scopes"),
        ({"email": "x"}, "/email"),
        ({"expires_in": 59}, "/expires_in"),
        ({"expires_in": 30 * 86_400 + 1}, "/expires_in"),
        ({"expires_in": True}, "/expires_in"),
        ({"code": "mine"}, "/code"),
    ],
)
async def test_an_invitation_is_asked_for_properly_and_by_administrators(
    private: httpx.AsyncClient, said: dict[str, Any], at: str
) -> None:
    assert pointers(await private.post("/auth/invitations", json=said)) == {at}
    token = await token_of(private, "me", "users:read", "users:write", "users:export")
    refused = await call(private, "POST", "/auth/invitations", token, json={})
    problem(refused, 403, "insufficient_scope")


async def test_the_code_is_kept_as_a_hash(private: httpx.AsyncClient) -> None:
    inviter = await member(private, "users:admin")
    token = (await sign_in(private, inviter))["access_token"]
    code = (await call(private, "POST", "/auth/invitations", token, json={})).json()["code"]
    (stored,) = await database(private)["invitations"].find({}).to_list()
    assert code not in str(stored)
    assert stored["created_by"] == inviter["id"]


async def list_invitations(client: httpx.AsyncClient, **asked: Any) -> dict[str, Any]:
    reply = await client.get("/auth/invitations", params=asked)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


async def test_invitations_are_listed_without_their_codes_until_they_are_used_or_expire(
    private: httpx.AsyncClient,
) -> None:
    assert await list_invitations(private) == {"items": [], "next": None}
    made = [
        await identity.invite(private, email=email, scopes=["me"], expires_in=seconds)
        for email, seconds in ((None, 60), ("Zoë@example.com", 7200), (None, 3600))
    ]
    listed = (await list_invitations(private))["items"]
    assert [each["id"] for each in listed] == [made[place]["id"] for place in (1, 2, 0)]
    assert listed[0].keys() == {"id", "email", "scopes", "created_by", "expires_at"}
    assert (listed[0]["email"], listed[0]["scopes"]) == ("Zoë@example.com", ["me"])
    assert listed[0]["expires_at"] == made[1]["expires_at"]
    assert not [each for each in made if each["code"] in str(listed)]
    assert (await register(private, invitation=made[2]["code"])).status_code == 201
    late = datetime.now(UTC) - timedelta(seconds=1)
    await database(private)["invitations"].update_one(
        {"_id": made[0]["id"]}, {"$set": {"expires_at": late}, "$unset": {"email": ""}}
    )
    (left,) = (await list_invitations(private))["items"]
    assert left["id"] == made[1]["id"]


async def test_a_walk_through_the_invitations_meets_each_once(private: httpx.AsyncClient) -> None:
    made = {(await identity.invite(private))["id"] for _ in range(5)}
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await list_invitations(private, limit=2, **cursor)
        found += [each["id"] for each in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert (len(found), set(found)) == (5, made)
    foreign = await private.get("/jobs", params=cursor)
    problem(foreign, 400, "invalid_cursor")
    problem(await private.get("/auth/invitations", params={"cursor": "x"}), 400, "invalid_cursor")


async def test_a_withdrawn_invitation_is_good_no_longer(private: httpx.AsyncClient) -> None:
    kept, withdrawn = [await identity.invite(private) for _ in range(2)]
    path = f"/auth/invitations/{withdrawn['id']}"
    assert (await private.delete(path)).status_code == 204
    problem(await register(private, invitation=withdrawn["code"]), 403, "invalid_invitation")
    problem(await private.delete(path), 404, "invitation_not_found")
    problem(await private.delete(f"/auth/invitations/{'0' * 64}"), 404, "invitation_not_found")
    assert [each["id"] for each in (await list_invitations(private))["items"]] == [kept["id"]]
    assert (await register(private, invitation=kept["code"])).status_code == 201


@pytest.mark.parametrize("lost", [{"is_active": False}, {"scopes": ["me", "users:write"]}, None])
async def test_an_invitation_is_good_while_the_one_who_made_it_administers(
    private: httpx.AsyncClient, lost: dict[str, Any] | None
) -> None:
    await member(private, "users:admin")  # so that another may go
    invitation = await identity.invite(private)
    (listed,) = (await list_invitations(private))["items"]
    path = f"/users/{listed['created_by']}"
    gone = await (private.delete(path) if lost is None else private.patch(path, json=lost))
    assert gone.is_success
    refused = await register(private, invitation=invitation["code"])
    unknown = await register(private, invitation="x")
    details = [problem(each, 403, "invalid_invitation")["detail"] for each in (refused, unknown)]
    assert details[0] == details[1]
    assert (await list_invitations(private))["items"] == [listed]
    if lost is not None:
        back = {"is_active": True, "scopes": ["users:admin"]}
        assert (await private.patch(path, json=back)).status_code == 200
        assert (await register(private, invitation=invitation["code"])).status_code == 201


async def test_the_list_of_invitations_is_read_by_its_index(private: httpx.AsyncClient) -> None:
    await identity.invite(private)
    wanted = {"expires_at": {"$gt": datetime.now(UTC)}}
    found = database(private)["invitations"].find(wanted, sort=invitations.ORDER, hint="listed")
    plan = str((await found.explain())["queryPlanner"]["winningPlan"])
    assert "IXSCAN" in plan
    assert "'stage': 'SORT'" not in plan
