"""Personal access tokens as they are made, used, listed and ended, and what befalls Redis under them."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from app.auth.opaque_tokens import OpaqueTokens, read
from app.auth.sessions import Sessions
from app.auth.sessions.pins import Pins
from models.opaque_token import MOST_TOKENS
from tests.support.api import serving
from tests.support.applying import resources
from tests.support.identity import (
    OTHER_PASSWORD,
    basic,
    call,
    hash_of,
    member,
    oauth_error,
    post_form,
    register_client,
    sign_in,
)
from tests.support.opaque_tokens import ALIVE, Maker, fate, maker
from tests.support.servers import RedisServer
from tests.support.sessions import everything, key, working
from tests.support.users import NOBODY, database, pointers, problem

Token = dict[str, Any]


def redis(http: httpx.AsyncClient) -> Redis:
    return resources(http).connections.redis


def stored(http: httpx.AsyncClient) -> Any:
    return database(http)["tokens"]


# --- made, shown once, used


async def test_a_token_is_shown_once_and_kept_nowhere(client: httpx.AsyncClient) -> None:
    ana = await maker(client)
    made = await ana.make(name="night", scopes=["users:read", "me"], expires_in=3600)
    text, listed = made.pop("token"), await ana.list_all()
    assert listed == [made]
    assert made["name"] == "night"
    assert made["scopes"] == ["me", "users:read"]
    assert made["last_used_at"] is None
    ends = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created_at"])
    assert ends == timedelta(hours=1)
    assert await fate(client, text) == ALIVE
    kept = [*map(str, await stored(client).find({}).to_list()), str(await everything(redis(client)))]
    assert not any(text in each or text[len("roster_pat_") : -6] in each for each in kept)


async def test_a_token_may_do_what_its_scopes_name_and_no_more(client: httpx.AsyncClient) -> None:
    ana = await maker(client)
    text = (await ana.make(scopes=["users:read"]))["token"]
    assert (await call(client, "GET", f"/users/{ana.id}", text)).status_code == 200
    problem(await call(client, "GET", "/users/me", text), 403, "insufficient_scope")
    problem(await call(client, "DELETE", f"/users/{ana.id}", text), 403, "insufficient_scope")


async def test_what_a_token_changes_is_its_owner_s_change(client: httpx.AsyncClient) -> None:
    ana, ben = await maker(client), await maker(client, "me")
    text = (await ana.make(scopes=["users:write"]))["token"]
    assert (await call(client, "PATCH", f"/users/{ben.id}", text, json={"name": "Ben"})).status_code == 200
    entry = (await client.get("/audit", params={"user": ben.id})).json()["items"][0]
    assert (entry["action"], entry["by"], entry["client"]) == ("changed", ana.id, "roster")


async def test_a_request_costs_one_trip_to_redis_and_none_to_mongodb(
    client: httpx.AsyncClient, mongo_uri: str, redis_url: str
) -> None:
    text = (await (await maker(client)).make())["token"]
    async with working(mongo_uri, redis_url) as worker:

        async def reads() -> int:
            return int((await worker.redis.info("stats"))["total_reads_processed"])

        for url, status, trips in (("/users", 403, 1), ("/users/me/sessions", 200, 2)):
            assert (await call(client, "GET", url, text)).status_code == status
            await worker.database.command("profile", 2)
            before = await reads()
            for _ in range(100):
                assert (await call(client, "GET", url, text)).status_code == status
            assert await reads() - before == 100 * trips + 1  # and the question itself
            await worker.database.command("profile", 0)
            assert await worker.database["system.profile"].count_documents({}) == 0


async def test_scopes_that_the_maker_s_own_token_lacks_are_refused(client: httpx.AsyncClient) -> None:
    ana = await maker(client, "me", "users:read")
    reply = await ana.ask(scopes=["me", "users:write", "users:admin"])
    assert pointers(reply) == {"/scopes"}
    assert "lacks users:admin and users:write" in reply.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"name": "x" * 129}, "/name"),
        ({"name": "a\u0000b"}, None),
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["me", "me"]}, "/scopes"),
        ({"scopes": ["openid"]}, "/scopes/0"),
        ({"expires_in": 59}, "/expires_in"),
        ({"expires_in": 367 * 86_400}, "/expires_in"),
        ({"expires_in": "3600"}, "/expires_in"),
        ({"expires_at": "2027-01-01T00:00:00Z"}, "/expires_at"),
    ],
)
async def test_what_cannot_be_is_refused_by_its_field(
    client: httpx.AsyncClient, said: dict[str, Any], pointer: str | None
) -> None:
    reply = await (await maker(client)).ask(**said)
    if pointer is None:
        problem(reply, 400, "malformed_json")
    else:
        assert pointers(reply) == {pointer}


async def test_a_token_makes_no_other(client: httpx.AsyncClient) -> None:
    ana = await maker(client)
    text = (await ana.make(scopes=["me"]))["token"]
    reply = await call(client, "POST", "/users/me/tokens", text, json={"name": "another", "scopes": ["me"]})
    problem(reply, 403, "sign_in_needed")
    assert len(await ana.list_all(text)) == 1


async def test_a_third_party_makes_no_token_that_would_outlive_its_consent(client: httpx.AsyncClient) -> None:
    user, said = await member(client, "me"), {"name": "night", "scopes": ["me"]}
    for is_first_party, status in ((False, 403), (True, 201)):
        held, secret = await register_client(client, is_first_party=is_first_party)
        tokens = await sign_in(client, user, client_id=held.id, client_secret=secret)
        reply = await call(client, "POST", "/users/me/tokens", tokens["access_token"], json=said)
        assert reply.status_code == status, reply.text
        if status == 403:
            problem(reply, 403, "sign_in_needed")


async def test_a_user_has_a_hundred_tokens_at_most(client: httpx.AsyncClient) -> None:
    ana = await maker(client)
    made = await ana.make()
    model = await stored(client).find_one({"_id": made["id"]})
    others = [model | {"_id": f"{number:043}"} for number in range(MOST_TOKENS - 1)]
    await stored(client).insert_many(others)
    problem(await ana.ask(), 409, "too_many_tokens")
    assert len(await ana.list_all()) == MOST_TOKENS
    assert (await call(client, "DELETE", f"/users/me/tokens/{made['id']}", ana.session)).status_code == 204
    await ana.make()


async def test_a_token_s_use_is_noted_once_a_day_at_most(client: httpx.AsyncClient) -> None:
    ana = await maker(client)
    text = (await ana.make())["token"]
    assert await fate(client, text) == ALIVE
    (noted,) = await stored(client).find({}).to_list()
    for _ in range(2):
        await redis(client).flushdb()
        assert await fate(client, text) == ALIVE
    assert await stored(client).find({}).to_list() == [noted]
    long_ago = noted["last_used_at"] - timedelta(days=1)
    await stored(client).update_one({}, {"$set": {"last_used_at": long_ago}})
    assert await fate(client, text) == ALIVE  # by Redis, which writes nothing
    assert (await stored(client).find_one({}))["last_used_at"] == long_ago
    await redis(client).flushdb()
    assert await fate(client, text) == ALIVE
    assert (await stored(client).find_one({}))["last_used_at"] > noted["last_used_at"]


async def test_redis_keeps_a_token_s_session_a_day_and_no_longer_than_the_token_lives(
    client: httpx.AsyncClient,
) -> None:
    ana = await maker(client)
    for expires_in, longest_s in ((3600, 3600), (30 * 86_400, 86_400)):
        made = await ana.make(expires_in=expires_in)
        assert await fate(client, made["token"]) == ALIVE
        left_s = await redis(client).ttl(key(ana.id, f"session:{made['id']}"))
        assert longest_s - 60 < left_s <= longest_s


# --- what ends a token

End = Callable[[httpx.AsyncClient, Maker, Token], Awaitable[int]]
"""Ends a token of the maker; answers the status of the request that did it."""


async def _by_its_owner(_: httpx.AsyncClient, ana: Maker, token: Token) -> int:
    return (await call(ana.http, "DELETE", f"/users/me/tokens/{token['id']}", ana.session)).status_code


async def _by_itself(_: httpx.AsyncClient, ana: Maker, token: Token) -> int:
    return (await call(ana.http, "DELETE", f"/users/me/tokens/{token['id']}", token["token"])).status_code


async def _by_an_administrator(http: httpx.AsyncClient, ana: Maker, token: Token) -> int:
    return (await http.delete(f"/users/{ana.id}/tokens/{token['id']}")).status_code


async def _by_its_logout(_: httpx.AsyncClient, ana: Maker, token: Token) -> int:
    return (await call(ana.http, "POST", "/auth/logout", token["token"])).status_code


async def _as_a_session(_: httpx.AsyncClient, ana: Maker, token: Token) -> int:
    return (await call(ana.http, "DELETE", f"/users/me/sessions/{token['id']}", ana.session)).status_code


async def _by_revocation(_: httpx.AsyncClient, ana: Maker, token: Token) -> int:
    return (await post_form(ana.http, "/auth/revoke", {"token": token["token"]})).status_code


async def _by_signing_out_everywhere(_: httpx.AsyncClient, ana: Maker, __: Token) -> int:
    path = "/users/me/sessions?keep_current=true"
    return (await call(ana.http, "DELETE", path, ana.session)).status_code


async def _by_deactivation(http: httpx.AsyncClient, ana: Maker, __: Token) -> int:
    return (await http.patch(f"/users/{ana.id}", json={"is_active": False})).status_code


async def _by_deactivation_for_a_while(http: httpx.AsyncClient, ana: Maker, __: Token) -> int:
    await http.patch(f"/users/{ana.id}", json={"is_active": False})
    return (await http.patch(f"/users/{ana.id}", json={"is_active": True})).status_code


async def _by_deletion(http: httpx.AsyncClient, ana: Maker, __: Token) -> int:
    return (await http.delete(f"/users/{ana.id}")).status_code


async def _by_a_new_password(http: httpx.AsyncClient, ana: Maker, __: Token) -> int:
    setting = {"password_hash": hash_of(OTHER_PASSWORD)}
    return (await http.put(f"/users/{ana.id}/password", json=setting)).status_code


async def _by_taking_a_scope(http: httpx.AsyncClient, ana: Maker, __: Token) -> int:
    return (await http.patch(f"/users/{ana.id}", json={"scopes": ["me"]})).status_code


ENDS: list[End] = [
    _by_its_owner, _by_itself, _by_an_administrator, _by_its_logout, _as_a_session, _by_revocation,
    _by_signing_out_everywhere, _by_deactivation, _by_deactivation_for_a_while, _by_deletion,
    _by_a_new_password, _by_taking_a_scope,
]  # fmt: skip


@pytest.mark.parametrize("end", ENDS)
async def test_an_ended_token_is_refused_at_once_and_whatever_redis_forgets(
    client: httpx.AsyncClient, end: End
) -> None:
    ana, ben = await maker(client), await maker(client)
    used, unused, other = await ana.make(), await ana.make(), (await ben.make())["token"]
    assert await fate(client, used["token"]) == ALIVE
    for token in (used, unused):
        assert await end(client, ana, token) in {200, 204, 404}
    for _ in range(2):
        for token in (used, unused):
            assert await fate(client, token["token"]) == "session_revoked"
        assert await fate(client, other) == ALIVE
        await redis(client).flushdb()


@pytest.mark.parametrize("end", ENDS)
async def test_an_ended_token_is_in_no_list(client: httpx.AsyncClient, end: End) -> None:
    ana = await maker(client)
    await end(client, ana, await ana.make())
    assert (await client.get(f"/users/{ana.id}/tokens")).json() == {"items": []}


async def test_the_other_tokens_of_the_user_go_on(client: httpx.AsyncClient) -> None:
    ana = await maker(client)
    ended, other = await ana.make(), await ana.make()
    assert await _by_its_owner(client, ana, ended) == 204
    assert await fate(client, other["token"]) == await fate(client, ana.session) == ALIVE
    problem(
        await call(client, "DELETE", f"/users/me/tokens/{ended['id']}", ana.session), 404, "token_not_found"
    )


async def test_a_token_outlives_the_session_that_made_it(client: httpx.AsyncClient) -> None:
    ana = await maker(client)
    text = (await ana.make())["token"]
    assert (await call(client, "POST", "/auth/logout", ana.session)).status_code == 204
    assert await fate(client, ana.session) == "session_revoked"
    assert await fate(client, text) == ALIVE


@pytest.mark.parametrize("used", [False, True])
async def test_an_expired_token_is_refused(client: httpx.AsyncClient, *, used: bool) -> None:
    ana = await maker(client)
    made = await ana.make()
    if used:
        assert await fate(client, made["token"]) == ALIVE
        await redis(client).delete(key(ana.id, f"session:{made['id']}"))  # as Redis does it then
    await stored(client).update_one({}, {"$set": {"expires_at": datetime.now(UTC)}})
    assert await fate(client, made["token"]) == "token_expired"
    assert await ana.list_all() == []


async def test_the_next_token_clears_away_what_earlier_ends_left(client: httpx.AsyncClient) -> None:
    user = await member(client, "me")
    old = Maker(client, user["id"], (await sign_in(client, user))["access_token"])
    await old.make()
    assert await _by_signing_out_everywhere(client, old, {}) == 204
    made = await old.make()
    assert [each["_id"] for each in await stored(client).find({}).to_list()] == [made["id"]]


async def test_nothing_is_kept_of_the_tokens_of_a_deleted_user(client: httpx.AsyncClient) -> None:
    ana, ben = await maker(client), await maker(client)
    await ana.make()
    others = await ben.make()
    assert await _by_deletion(client, ana, {}) == 204
    assert [each["_id"] for each in await stored(client).find({}).to_list()] == [others["id"]]


# --- another's


async def test_nobody_sees_or_ends_another_s_tokens(client: httpx.AsyncClient) -> None:
    ana, ben = await maker(client, "me"), await maker(client, "me")
    hers = await ana.make()
    assert await ben.list_all() == []
    for path in (f"/users/me/tokens/{hers['id']}", f"/users/me/sessions/{hers['id']}", "/users/me/tokens/x"):
        assert (await call(client, "DELETE", path, ben.session)).status_code == 404
    for method, path in (("GET", ""), ("DELETE", f"/{hers['id']}")):
        reply = await call(client, method, f"/users/{ana.id}/tokens{path}", ben.session)
        problem(reply, 403, "insufficient_scope")
    assert await fate(client, hers["token"]) == ALIVE


async def test_administrators_list_a_user_s_tokens_and_nothing_of_an_unknown_user(
    client: httpx.AsyncClient,
) -> None:
    ana = await maker(client)
    await ana.make(name="first")
    await ana.make(name="second")
    listed = (await client.get(f"/users/{ana.id}/tokens")).json()["items"]
    assert [token["name"] for token in listed] == ["second", "first"]
    assert (await client.get(f"/users/{NOBODY}/tokens")).json() == {"items": []}
    problem(await client.delete(f"/users/{NOBODY}/tokens/{listed[0]['id']}"), 404, "token_not_found")
    assert len(await ana.list_all()) == 2


# --- other services


async def test_introspection_knows_a_token(client: httpx.AsyncClient) -> None:
    ana = await maker(client)
    made = await ana.make(scopes=["me", "users:read"])
    service, secret = await register_client(client, "Service")

    async def introspect() -> dict[str, Any]:
        form = {"token": made["token"]}
        reply = await post_form(client, "/auth/introspect", form, Authorization=basic(service.id, secret))
        return dict(reply.json())

    said = await introspect()
    assert said.pop("iat") == int(datetime.fromisoformat(made["created_at"]).timestamp())
    assert said.pop("exp") == int(datetime.fromisoformat(made["expires_at"]).timestamp())
    assert said == {
        "active": True,
        "scope": "me users:read",
        "client_id": "roster",
        "token_type": "Bearer",
        "token_use": "access_token",
        "sub": ana.id,
        "aud": "roster",
        "iss": said["iss"],
        "jti": made["id"],
        "sid": made["id"],
    }
    await _by_its_owner(client, ana, made)
    assert await introspect() == {"active": False}


async def test_another_client_revokes_no_token(client: httpx.AsyncClient) -> None:
    text = (await (await maker(client)).make())["token"]
    portal, secret = await register_client(client)
    form = {"token": text, "client_id": portal.id, "client_secret": secret}
    oauth_error(await post_form(client, "/auth/revoke", form), "unauthorized_client")
    assert await fate(client, text) == ALIVE


async def test_a_token_that_nobody_issued_is_revoked_without_an_error(client: httpx.AsyncClient) -> None:
    for text in ("roster_pat_", (await (await maker(client)).make())["token"][:-1]):
        assert (await post_form(client, "/auth/revoke", {"token": text})).status_code == 200


# --- one session a user


async def test_a_token_is_no_session_that_limits_count_or_displace(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, sessions_per_user=1) as client:
        user = await member(client, "me")
        first = (await sign_in(client, user))["access_token"]
        text = (await Maker(client, user["id"], first).make())["token"]
        assert await fate(client, text) == await fate(client, first) == ALIVE
        second = (await sign_in(client, user))["access_token"]
        assert await fate(client, first) == "session_displaced"
        assert await fate(client, text) == await fate(client, second) == ALIVE
        listed = (await call(client, "GET", "/users/me/sessions", second)).json()["items"]
        assert [session["current"] for session in listed] == [True]


# --- what befalls Redis


async def test_tokens_work_again_after_redis_was_killed(mongo_uri: str, own_redis: RedisServer) -> None:
    async with serving(mongo_uri, own_redis.url) as client:
        ana = await maker(client)
        used, unused, ended = [await ana.make() for _ in range(3)]
        assert await fate(client, used["token"]) == await fate(client, ended["token"]) == ALIVE
        assert await _by_its_owner(client, ana, ended) == 204
        await asyncio.to_thread(own_redis.kill)
        assert await fate(client, used["token"]) == "unavailable"
        await asyncio.to_thread(own_redis.restart)
        for _ in range(2):
            assert await fate(client, used["token"]) == await fate(client, unused["token"]) == ALIVE
            assert await fate(client, ended["token"]) == "session_revoked"


async def test_fifty_requests_at_once_that_redis_does_not_know_are_all_served(
    client: httpx.AsyncClient,
) -> None:
    text = (await (await maker(client)).make())["token"]
    for _ in range(2):
        assert await asyncio.gather(*(fate(client, text) for _ in range(50))) == [ALIVE] * 50
        await redis(client).flushdb()


# --- at the same time


@pytest.mark.parametrize("when", ["before it is pinned", "before it is checked"])
async def test_an_end_while_the_session_is_made_again_is_not_missed(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    ana = await maker(client)
    made = await ana.make()
    pin = Pins.put

    async def end_meanwhile(*arguments: Any) -> None:
        ending = resources(client).auth.opaque_tokens.end(ana.id, made["id"])
        steps = [ending, pin(*arguments)] if when == "before it is pinned" else [pin(*arguments), ending]
        for step in steps:
            await step

    monkeypatch.setattr(Pins, "put", end_meanwhile)
    assert await fate(client, made["token"]) == "session_revoked"
    monkeypatch.undo()
    assert await fate(client, made["token"]) == "session_revoked"


async def test_an_end_that_failed_half_way_holds_and_can_be_repeated(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await maker(client)
    made = await ana.make()
    assert await fate(client, made["token"]) == ALIVE
    end = Pins.end

    async def end_and_fail(*arguments: Any) -> None:
        await end(*arguments)
        raise ConnectionError

    monkeypatch.setattr(Pins, "end", end_and_fail)
    assert await _by_its_owner(client, ana, made) == 500
    monkeypatch.undo()
    assert await fate(client, made["token"]) == "session_revoked"
    assert await _by_its_owner(client, ana, made) == 204
    assert await ana.list_all() == []


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_token_made_while_its_maker_is_signed_out_everywhere_is_none(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    ana = await maker(client)
    find = Sessions.find_generation

    async def sign_out_meanwhile(self: Sessions, user_id: str) -> int | None:
        if when == "before":
            await self.end_all(user_id)
        generation = await find(self, user_id)
        if when == "after":
            await self.end_all(user_id)
        return generation

    monkeypatch.setattr(Sessions, "find_generation", sign_out_meanwhile)
    problem(await ana.ask(), 401, "session_revoked")
    monkeypatch.undo()
    assert await stored(client).count_documents({}) == 0


async def test_a_token_written_after_its_maker_was_signed_out_everywhere_has_ended(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await maker(client)
    create = OpaqueTokens.create

    async def sign_out_and_create(self: OpaqueTokens, principal: str, *rest: Any) -> Any:
        await resources(client).auth.sessions.end_all(principal)
        return await create(self, principal, *rest)

    monkeypatch.setattr(OpaqueTokens, "create", sign_out_and_create)
    assert await fate(client, (await ana.make())["token"]) == "session_revoked"


async def test_a_user_who_is_in_no_directory_makes_no_token(client: httpx.AsyncClient) -> None:
    reply = await client.post("/users/me/tokens", json={"name": "night", "scopes": ["me"]})
    problem(reply, 401, "session_revoked")


# --- what is stored


async def test_each_query_is_served_by_an_index_without_a_sort(client: httpx.AsyncClient) -> None:
    ana = await maker(client)
    token = read((await ana.make())["token"])
    assert token is not None
    await database(client).command("profile", 2)
    await ana.list_all()
    await ana.make()
    await fate(client, (await ana.make())["token"])
    await database(client).command("profile", 0)
    asked = await database(client)["system.profile"].find({"ns": {"$regex": r"\.tokens$"}}).to_list()
    assert len(asked) >= 5
    for each in asked:
        assert "COLLSCAN" not in each.get("planSummary", ""), each
        assert not each.get("hasSortStage"), each
