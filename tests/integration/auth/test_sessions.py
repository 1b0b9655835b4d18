"""Sessions as they are begun, used, listed and ended, on real servers."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from bson import ObjectId

from app.auth.sessions import NewSession
from app.clients import BUILT_IN
from app.core.errors import InvalidGrantError, InvalidScopeError
from tests.support.api import serving
from tests.support.sessions import (
    ALIVE,
    SCOPES,
    Worker,
    add_person,
    ask_token,
    bearing,
    everything,
    fate,
    key,
    renew,
    sign_in,
    working,
)
from tests.support.users import database, problem

MINUTE_MS = 60_000
DAY_MS = 86_400_000


@pytest.fixture
async def worker(bare_uri: str, redis_url: str) -> AsyncIterator[Worker]:
    async with working(bare_uri, redis_url) as opened:
        yield opened


def session_key(session: NewSession, user_id: str) -> str:
    return key(user_id, f"session:{session.sid}")


async def age(worker: Worker, user_id: str, session: NewSession, ms: int) -> None:
    """As if so many milliseconds had passed for this session."""
    name = session_key(session, user_id)
    for field in ("created_at", "rotated_at", "used_at", "expires_at"):
        await worker.redis.hincrby(name, field, -ms)
    await worker.redis.pexpire(name, max(await worker.redis.pttl(name) - ms, 1))
    await worker.redis.zincrby(key(user_id, "sessions"), -ms, session.sid)


# --- refresh tokens


async def test_each_refresh_answers_the_next_token_and_the_last_one_works(worker: Worker) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    refreshed = await worker.sessions.refresh(session.refresh_token, client=BUILT_IN)
    assert (refreshed.user_id, refreshed.sid) == (user_id, session.sid)
    assert (refreshed.client_id, refreshed.scopes) == (BUILT_IN.id, SCOPES)
    tokens = [session.refresh_token, refreshed.refresh_token]
    for _ in range(3):
        tokens.append(await worker.refresh(tokens[-1]))
    assert [token.rsplit(".", 1)[0] for token in tokens] == [f"{session.sid}.{n}" for n in range(1, 6)]
    assert len({token.rsplit(".", 1)[1] for token in tokens}) == 5


async def test_within_the_grace_the_token_just_used_is_answered_the_same_again(worker: Worker) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    second = await worker.refresh(session.refresh_token)
    assert [await worker.refresh(session.refresh_token) for _ in range(3)] == [second] * 3
    assert await worker.refresh(second) != second


async def test_a_repeat_does_not_lengthen_the_grace(worker: Worker) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    second = await worker.refresh(session.refresh_token)
    await age(worker, user_id, session, 9_000)
    assert await worker.refresh(session.refresh_token) == second
    await age(worker, user_id, session, 2_000)
    assert await worker.refresh(session.refresh_token) == "refresh_token_reused"


async def test_after_the_grace_a_used_token_ends_the_session(worker: Worker) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    second = await worker.refresh(session.refresh_token)
    await age(worker, user_id, session, 11_000)
    assert await worker.refresh(session.refresh_token) == "refresh_token_reused"
    assert await worker.refresh(second) == "refresh_token_reused"
    assert await worker.fate(user_id, session.sid) == "refresh_token_reused"
    assert await worker.sessions.list_all(user_id) == []


async def test_an_older_token_ends_the_session_within_the_grace_too(worker: Worker) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    third = await worker.refresh(await worker.refresh(session.refresh_token))
    assert await worker.refresh(session.refresh_token) == "refresh_token_reused"
    assert await worker.refresh(third) == "refresh_token_reused"
    assert await worker.fate(user_id, session.sid) == "refresh_token_reused"


async def test_without_a_grace_the_first_repeat_ends_the_session(bare_uri: str, redis_url: str) -> None:
    async with working(bare_uri, redis_url, refresh_grace_s=0) as worker:
        user_id = await worker.add_user()
        session = await worker.sign_in(user_id)
        second = await worker.refresh(session.refresh_token)
        assert second.split(".")[1] == "2"
        assert await worker.refresh(session.refresh_token) == "refresh_token_reused"
        assert await worker.refresh(second) == "refresh_token_reused"


async def test_a_reuse_ends_that_session_and_no_other_of_the_user(worker: Worker) -> None:
    user_id = await worker.add_user()
    one, other = await worker.sign_in(user_id), await worker.sign_in(user_id)
    await worker.refresh(await worker.refresh(one.refresh_token))
    await worker.refresh(one.refresh_token)
    assert await worker.fates(user_id, [one, other]) == ["refresh_token_reused", ALIVE]


async def test_over_http_a_reuse_is_an_invalid_grant_and_the_access_token_says_why(
    client: httpx.AsyncClient,
) -> None:
    user = await add_person(client)
    first = await sign_in(client, user)
    second = (await renew(client, first)).json()
    third = (await renew(client, second)).json()
    refused = await renew(client, first)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert refused.headers["Cache-Control"] == "no-store"
    for tokens in (first, second, third):
        assert await fate(client, tokens) == "refresh_token_reused"
    again = await renew(client, third)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


async def test_scopes_can_be_narrowed_at_a_refresh_for_that_time_alone(client: httpx.AsyncClient) -> None:
    tokens = await sign_in(client, await add_person(client))
    assert tokens["scope"] == "me users:read"
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "scope": "me"}
    narrowed = (await ask_token(client, **form)).json()
    assert narrowed["scope"] == "me"
    refused = await client.get("/users", headers=bearing(narrowed))
    problem(refused, 403, "insufficient_scope")
    assert (await renew(client, narrowed)).json()["scope"] == "me users:read"


async def test_asking_for_more_scopes_at_a_refresh_is_refused_and_uses_nothing_up(
    client: httpx.AsyncClient,
) -> None:
    user = await add_person(client, scopes=["me", "users:read", "users:export"])
    tokens = await sign_in(client, user, scope="me users:read")
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    for wider in ("users:export", "me users:export", "users:admin"):
        refused = await ask_token(client, **form, scope=wider)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")
    renewed = await renew(client, tokens)
    assert renewed.json()["refresh_token"].split(".")[1] == "2"
    assert renewed.json()["scope"] == "me users:read"


@pytest.mark.parametrize("wider", ["users", "read", "e", "me users:read", "%a", "."])
async def test_a_part_of_a_scope_s_name_is_not_the_scope(worker: Worker, wider: str) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id, scopes=frozenset({"users:read"}))
    with pytest.raises(InvalidScopeError):
        await worker.sessions.refresh(session.refresh_token, client=BUILT_IN, narrowed=frozenset({wider}))


async def test_another_client_s_refresh_token_is_refused_and_its_session_goes_on(worker: Worker) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    second = await worker.refresh(session.refresh_token)
    for token in (second, session.refresh_token):
        with pytest.raises(InvalidGrantError):
            await worker.sessions.refresh(token, client=replace(BUILT_IN, id="another"))
    assert await worker.fate(user_id, session.sid) == ALIVE
    assert (await worker.refresh(second)).split(".")[1] == "3"


@pytest.mark.parametrize("token", ["", "x", "a.1.b", "é" * 43 + ".1." + "a" * 43])
async def test_what_is_no_refresh_token_is_an_invalid_grant(worker: Worker, token: str) -> None:
    with pytest.raises(InvalidGrantError):
        await worker.sessions.refresh(token, client=BUILT_IN)


async def test_redis_holds_nothing_that_can_be_used_as_a_token(worker: Worker) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    second = await worker.refresh(session.refresh_token)
    held = str(await everything(worker.redis))
    for token in (session.refresh_token, second):
        assert token.rsplit(".", 1)[1] not in held


# --- how many a user may have


async def begin(worker: Worker, user_id: str, count: int) -> list[NewSession]:
    return [await worker.sign_in(user_id) for _ in range(count)]


async def test_a_limit_of_3_keeps_the_three_used_last(bare_uri: str, redis_url: str) -> None:
    async with working(bare_uri, redis_url, sessions_per_user=3) as worker:
        user_id = await worker.add_user()
        begun = await begin(worker, user_id, 3)
        for number, session in enumerate(begun):
            await age(worker, user_id, session, (10 - number) * MINUTE_MS)
        await worker.refresh(begun[0].refresh_token)
        fourth = await worker.sign_in(user_id)
        assert fourth.displaced == [begun[1].sid]
        fates = await worker.fates(user_id, [*begun, fourth])
        assert fates == [ALIVE, "session_displaced", ALIVE, ALIVE]
        assert await worker.refresh(begun[1].refresh_token) == "session_displaced"


async def test_a_session_near_its_absolute_end_is_not_displaced_while_it_is_used(
    bare_uri: str, redis_url: str
) -> None:
    async with working(bare_uri, redis_url, sessions_per_user=2) as worker:
        user_id = await worker.add_user()
        old, idle = await begin(worker, user_id, 2)
        await age(worker, user_id, idle, 3 * DAY_MS)
        token = old.refresh_token
        for _ in range(5):  # 29 days, in which it is refreshed
            await age(worker, user_id, old, int(5.8 * DAY_MS))
            token = await worker.refresh(token)
        assert [found.id for found in await worker.sessions.list_all(user_id)] == [old.sid, idle.sid]
        third = await worker.sign_in(user_id)
        assert third.displaced == [idle.sid]


async def test_sessions_that_are_over_take_no_place(bare_uri: str, redis_url: str) -> None:
    async with working(bare_uri, redis_url, sessions_per_user=2) as worker:
        user_id = await worker.add_user()
        kept, lost = await begin(worker, user_id, 2)
        await age(worker, user_id, kept, MINUTE_MS)
        await worker.redis.delete(session_key(lost, user_id))
        third = await worker.sign_in(user_id)
        assert third.displaced == []
        assert await worker.fates(user_id, [kept, third]) == [ALIVE, ALIVE]


async def test_a_limit_of_1_displaces_a_session_that_the_index_lost(bare_uri: str, redis_url: str) -> None:
    async with working(bare_uri, redis_url, sessions_per_user=1) as worker:
        user_id = await worker.add_user()
        first = await worker.sign_in(user_id)
        await worker.redis.zrem(key(user_id, "sessions"), first.sid)
        second = await worker.sign_in(user_id)
        assert second.displaced == []
        assert await worker.fates(user_id, [first, second]) == ["session_displaced", ALIVE]
        assert await worker.refresh(first.refresh_token) == "session_displaced"
        assert [found.id for found in await worker.sessions.list_all(user_id)] == [second.sid]


async def test_a_limit_set_later_displaces_however_many_there_are(bare_uri: str, redis_url: str) -> None:
    async with (
        working(bare_uri, redis_url) as before,
        working(bare_uri, redis_url, sessions_per_user=1) as after,
    ):
        user_id = await before.add_user()
        begun: list[NewSession] = []
        for _ in range(20):
            begun += await asyncio.gather(*(before.sign_in(user_id) for _ in range(500)))
        last = await after.sign_in(user_id)
        assert len(last.displaced) == 10_000
        fates = set(await after.fates(user_id, begun))
        assert fates == {"session_displaced"}
        assert await before.fate(user_id, last.sid) == ALIVE


async def test_without_a_limit_a_user_has_any_number_of_sessions(worker: Worker) -> None:
    user_id = await worker.add_user()
    begun = await begin(worker, user_id, 30)
    assert await worker.fates(user_id, begun) == [ALIVE] * 30


async def test_a_displaced_client_is_told_so(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, sessions_per_user=1) as client:
        user = await add_person(client)
        first, second = await sign_in(client, user), await sign_in(client, user)
        refused = await client.get("/users/me", headers=bearing(first))
        problem(refused, 401, "session_displaced")
        assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
        assert (await renew(client, first)).json()["error"] == "invalid_grant"
        assert await fate(client, second) == ALIVE


# --- ends, and what Redis may have lost


async def test_without_the_index_a_sign_out_everywhere_ends_all(worker: Worker) -> None:
    user_id = await worker.add_user()
    begun = await begin(worker, user_id, 10)
    await worker.redis.delete(key(user_id, "sessions"))
    assert await worker.sessions.end_all(user_id)
    assert await worker.fates(user_id, begun) == ["session_revoked"] * 10
    assert {await worker.refresh(one.refresh_token) for one in begun} == {"session_revoked"}


async def test_without_the_state_sessions_go_on_after_mongodb_was_asked_once(worker: Worker) -> None:
    user_id = await worker.add_user()
    begun = await begin(worker, user_id, 3)
    assert await worker.fates(user_id, begun) == [ALIVE] * 3
    await worker.redis.delete(key(user_id, "state"))
    await worker.database.command("profile", 2)
    assert await worker.fates(user_id, [begun[0]] * 10) == [ALIVE] * 10
    await worker.database.command("profile", 0)
    asked = await worker.database["system.profile"].distinct("ns")
    assert sorted(name.partition(".")[2] for name in asked) == ["ended_sessions", "users"]
    assert await worker.database["system.profile"].count_documents({"op": "query"}) == 2


async def test_an_end_while_the_state_was_lost_is_honoured(worker: Worker) -> None:
    user_id = await worker.add_user()
    begun = await begin(worker, user_id, 3)
    await worker.redis.delete(key(user_id, "state"), key(user_id, "sessions"))
    await worker.sessions._anchors.raise_generation(user_id)  # Redis learns nothing of it
    assert await worker.fates(user_id, begun) == ["session_revoked"] * 3
    assert {await worker.refresh(one.refresh_token) for one in begun} == {"session_revoked"}


@pytest.mark.parametrize("lost", [("state",), ("sessions",), ("state", "sessions")])
async def test_a_sign_out_everywhere_needs_neither_state_nor_index(
    worker: Worker, lost: tuple[str, ...]
) -> None:
    user_id = await worker.add_user()
    begun = await begin(worker, user_id, 3)
    await worker.redis.delete(*(key(user_id, name) for name in lost))
    assert await worker.sessions.end_all(user_id)
    await worker.redis.delete(key(user_id, "state"))
    assert await worker.fates(user_id, begun) == ["session_revoked"] * 3


async def test_without_the_state_one_session_ended_stays_ended(worker: Worker) -> None:
    user_id = await worker.add_user()
    ended, other = await begin(worker, user_id, 2)
    held = await worker.redis.hgetall(session_key(ended, user_id))
    assert await worker.sessions.end(user_id, ended.sid)
    await worker.redis.delete(key(user_id, "state"), session_key(ended, user_id))
    for name, value in held.items():  # as in an old copy
        await worker.redis.hset(session_key(ended, user_id), str(name), str(value))
    assert [found.id for found in await worker.sessions.list_all(user_id)] == [other.sid]
    assert await worker.fates(user_id, [ended, other]) == ["session_revoked", ALIVE]
    assert await worker.redis.hgetall(session_key(ended, user_id)) == {"ended": "revoked"}


async def test_mongodb_restored_from_an_old_copy_catches_up_with_redis(worker: Worker) -> None:
    user_id = await worker.add_user()
    for _ in range(3):
        await worker.sessions.end_all(user_id)
    await worker.database["users"].update_one(
        {"_id": ObjectId(user_id)}, {"$set": {"credentials.generation": 1}}
    )
    assert await worker.refresh((await _sign_in_twice(worker, user_id)).refresh_token) != "session_revoked"
    assert await worker.generation(user_id) == 3


async def _sign_in_twice(worker: Worker, user_id: str) -> NewSession:
    """The first try finds that MongoDB is behind."""
    with pytest.raises(Exception, match="sign in again"):
        await worker.sign_in(user_id, await worker.generation(user_id))
    return await worker.sign_in(user_id, await worker.generation(user_id))


async def test_ending_all_others_keeps_the_one(worker: Worker) -> None:
    user_id = await worker.add_user()
    begun = await begin(worker, user_id, 5)
    assert await worker.sessions.end_all(user_id, keep=begun[2].sid)
    expected = ["session_revoked"] * 2 + [ALIVE] + ["session_revoked"] * 2
    assert await worker.fates(user_id, begun) == expected
    assert (await worker.refresh(begun[2].refresh_token)).split(".")[1] == "2"


async def test_however_many_there_are_all_end_in_a_short_time_of_redis(worker: Worker) -> None:
    user_id = await worker.add_user()
    begun: list[NewSession] = []
    for _ in range(6):
        begun += await asyncio.gather(*(worker.sign_in(user_id) for _ in range(500)))
    await worker.redis.config_resetstat()
    assert await worker.sessions.end_all(user_id, keep=begun[-1].sid)
    assert (await worker.redis.info("commandstats"))["cmdstat_del"]["calls"] <= 1_000
    assert set(await worker.fates(user_id, begun[:-1])) == {"session_revoked"}
    new = await worker.sign_in(user_id, 1)
    assert {found.id for found in await worker.sessions.list_all(user_id)} == {begun[-1].sid, new.sid}


async def test_a_user_who_does_not_exist_is_not_signed_out_everywhere(worker: Worker) -> None:
    assert await worker.sessions.end_all(str(ObjectId())) is False
    assert await everything(worker.redis) == {}


async def test_a_session_ends_once(worker: Worker) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    assert [await worker.sessions.end(user_id, session.sid) for _ in range(3)] == [True, False, False]
    assert await worker.fate(user_id, session.sid) == "session_revoked"


async def test_one_user_s_ends_touch_no_other_whose_id_begins_alike(worker: Worker) -> None:
    ids = ["6742f0c1a5d3b8e9f0123451", "6742f0c1a5d3b8e9f0123450", "6742f0c1a5d3b8e9f012345a"]
    begun = {user_id: await begin(worker, await worker.add_user(user_id), 3) for user_id in ids}
    target, *others = ids
    before = await everything(worker.redis)
    assert {name.partition("}")[0] for name in before} == {f"roster:{{{user_id}" for user_id in ids}
    await worker.sessions.end(target, begun[target][0].sid)
    await worker.sessions.end_all(target, keep=begun[target][1].sid)
    await worker.sessions.end_all(target)
    after = await everything(worker.redis)

    def of_others(held: dict[str, Any]) -> dict[str, Any]:
        return {name: content for name, content in held.items() if f"{{{target}}}" not in name}

    assert of_others(after) == of_others(before)
    assert len(of_others(after)) == 2 * 5
    assert await worker.fates(target, begun[target]) == ["session_revoked"] * 3
    for other in others:
        assert await worker.fates(other, begun[other]) == [ALIVE] * 3


async def test_ending_a_session_by_its_id_needs_its_own_user(client: httpx.AsyncClient) -> None:
    mine, theirs = await add_person(client), await add_person(client)
    my_tokens, their_tokens = await sign_in(client, mine), await sign_in(client, theirs)
    sid = their_tokens["refresh_token"].split(".")[0]
    for url in (f"/users/me/sessions/{sid}", "/users/me/sessions/x", f"/users/me/sessions/{'a' * 43}"):
        problem(await client.delete(url, headers=bearing(my_tokens)), 404, "session_not_found")
    problem(await client.delete(f"/users/{mine['id']}/sessions/{sid}"), 404, "session_not_found")
    assert await fate(client, their_tokens) == ALIVE
    assert (await client.delete(f"/users/{theirs['id']}/sessions/{sid}")).status_code == 204
    assert await fate(client, their_tokens) == "session_revoked"


async def test_ids_that_are_of_no_session_leave_nothing_behind(client: httpx.AsyncClient) -> None:
    user = await add_person(client)
    tokens = await sign_in(client, user)
    sid = tokens["refresh_token"].split(".")[0]
    for letter in "abcdefgh":
        url = f"/users/me/sessions/{sid[:20]}{letter * 20}{sid[40:]}"
        problem(await client.delete(url, headers=bearing(tokens)), 404, "session_not_found")
    assert await database(client)["ended_sessions"].count_documents({}) == 0


# --- how long they live


async def test_a_session_that_is_not_refreshed_ends(worker: Worker) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    await age(worker, user_id, session, 7 * DAY_MS - MINUTE_MS)
    assert await worker.fate(user_id, session.sid) == ALIVE
    await worker.redis.pexpire(session_key(session, user_id), 1)
    await asyncio.sleep(0.01)
    assert await worker.fate(user_id, session.sid) == "session_expired"
    assert await worker.refresh(session.refresh_token) == "session_expired"
    assert await worker.sessions.list_all(user_id) == []


async def test_a_refresh_lengthens_the_idle_lifetime(bare_uri: str, redis_url: str) -> None:
    lifetimes = {"access_token_ttl_s": 60, "session_idle_ttl_s": 600, "session_absolute_ttl_s": 3600}
    async with working(bare_uri, redis_url, **lifetimes) as worker:
        user_id = await worker.add_user()
        session = await worker.sign_in(user_id)
        name = session_key(session, user_id)
        assert 590_000 < await worker.redis.pttl(name) <= 600_000
        await age(worker, user_id, session, 500_000)
        assert await worker.redis.pttl(name) <= 100_000
        await worker.refresh(session.refresh_token)
        assert 590_000 < await worker.redis.pttl(name) <= 600_000


async def test_no_refresh_lengthens_the_absolute_lifetime(bare_uri: str, redis_url: str) -> None:
    lifetimes = {"access_token_ttl_s": 60, "session_idle_ttl_s": 600, "session_absolute_ttl_s": 3600}
    async with working(bare_uri, redis_url, **lifetimes) as worker:
        user_id = await worker.add_user()
        session = await worker.sign_in(user_id)
        name, token = session_key(session, user_id), session.refresh_token
        ends = int(await worker.redis.hget(name, "expires_at") or 0)
        for _ in range(7):
            await age(worker, user_id, session, 500_000)
            token = await worker.refresh(token)
        assert int(await worker.redis.hget(name, "expires_at") or 0) == ends - 7 * 500_000
        assert await worker.redis.pttl(name) <= 100_000
        assert await worker.fate(user_id, session.sid) == ALIVE
        (listed,) = await worker.sessions.list_all(user_id)
        assert (listed.expires_at - listed.created_at).total_seconds() == 3600


async def test_an_access_token_that_outlives_its_session_is_refused(
    client: httpx.AsyncClient, mongo_uri: str, redis_url: str
) -> None:
    user = await add_person(client)
    tokens = await sign_in(client, user)
    assert await fate(client, tokens) == ALIVE
    async with working(mongo_uri, redis_url) as worker:
        sid = tokens["refresh_token"].split(".")[0]
        await worker.redis.delete(key(user["id"], f"session:{sid}"))
    assert await fate(client, tokens) == "session_expired"
    assert (await renew(client, tokens)).json()["error"] == "invalid_grant"


async def test_the_reason_of_an_end_is_known_longer_than_any_access_token_lives(worker: Worker) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    await worker.sessions.end(user_id, session.sid)
    assert await worker.redis.pttl(session_key(session, user_id)) > 3_600_000
    ended = await worker.database["ended_sessions"].find_one({"_id": session.sid})
    assert ended is not None
    assert (ended["expires_at"].replace(tzinfo=UTC) - datetime.now(UTC)).days >= 29


async def test_nothing_in_redis_is_kept_for_ever(worker: Worker) -> None:
    user_id = await worker.add_user()
    begun = await begin(worker, user_id, 3)
    await worker.sessions.end(user_id, begun[0].sid)
    await worker.sessions.end_all(user_id, keep=begun[1].sid)
    await worker.redis.delete(key(user_id, "state"))
    await worker.fates(user_id, begun)
    for name in await everything(worker.redis):
        assert await worker.redis.pttl(name) > 0, name


# --- what is listed


async def test_sessions_are_listed_the_one_used_last_first(client: httpx.AsyncClient) -> None:
    user = await add_person(client)
    first, second = await sign_in(client, user), await sign_in(client, user, scope="me")
    await renew(client, first)
    reply = await client.get("/users/me/sessions", headers=bearing(second))
    items = reply.json()["items"]
    assert [item["id"] for item in items] == [one["refresh_token"].split(".")[0] for one in (first, second)]
    assert [item["current"] for item in items] == [False, True]
    assert [item["scopes"] for item in items] == [["me", "users:read"], ["me"]]
    for item in items:
        assert set(item) == {
            "id", "client_id", "scopes", "created_at", "used_at", "expires_at", "address", "agent", "current",
            "clients",
        }  # fmt: skip
        assert (item["client_id"], item["address"]) == ("roster", "127.0.0.1")
        created, used, expires = (
            datetime.fromisoformat(item[name]) for name in ("created_at", "used_at", "expires_at")
        )
        assert created <= used
        assert (expires - used).total_seconds() == 7 * 86_400
        assert created.tzinfo is not None
    of_admin = await client.get(f"/users/{user['id']}/sessions")
    assert of_admin.json()["items"] == [item | {"current": False} for item in items]


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        ("a" * 300, "a" * 256),
        ("curl/8.0", "curl/8.0"),
        ("浏览器/1.0 café", "浏览器/1.0 café"),
        ("😀" * 300, "😀" * 256),
        ("", None),
        ('"}\r\n', '"}\r\n'),
    ],
)
async def test_agents_are_kept_to_256_characters_in_any_script(
    worker: Worker, agent: str, shown: str | None
) -> None:
    user_id = await worker.add_user()
    await worker.sign_in(user_id, agent=agent, address="2001:db8::1")
    (found,) = await worker.sessions.list_all(user_id)
    assert (found.agent or None, found.address) == (shown, "2001:db8::1")


@pytest.mark.parametrize("agent", [b"caf\xe9/1.0", "浏览器/1.0".encode(), b"\xff\xfe"])
async def test_no_agent_keeps_anybody_from_signing_in(client: httpx.AsyncClient, agent: bytes) -> None:
    user = await add_person(client)
    others = [(name, value) for name, value in client.headers.raw if name.lower() != b"user-agent"]
    client.headers = httpx.Headers([*others, (b"User-Agent", agent)])
    tokens = await sign_in(client, user)
    listed = await client.get("/users/me/sessions", headers=bearing(tokens))
    assert len(listed.json()["items"][0]["agent"]) >= 2


async def test_sessions_ended_while_redis_knew_nothing_of_it_are_not_listed(worker: Worker) -> None:
    user_id = await worker.add_user()
    begun = await begin(worker, user_id, 3)
    for session in begun:
        await worker.redis.hset(session_key(session, user_id), "epoch", "of an earlier life")
    await worker.sessions._anchors.end([begun[1].sid], "revoked")
    listed = await worker.sessions.list_all(user_id)
    assert {found.id for found in listed} == {begun[0].sid, begun[2].sid}
    await worker.sessions._anchors.raise_generation(user_id)
    assert await worker.sessions.list_all(user_id) == []


# --- what a request costs


async def test_a_request_of_a_known_session_costs_one_trip_to_redis_and_none_to_mongodb(
    client: httpx.AsyncClient, mongo_uri: str, redis_url: str
) -> None:
    tokens = await sign_in(client, await add_person(client), scope="me")
    async with working(mongo_uri, redis_url) as worker:

        async def reads() -> int:
            return int((await worker.redis.info("stats"))["total_reads_processed"])

        for url, status, trips in (("/users", 403, 1), ("/users/me/sessions", 200, 2)):
            assert (await client.get(url, headers=bearing(tokens))).status_code == status
            await worker.database.command("profile", 2)
            before = await reads()
            for _ in range(100):
                assert (await client.get(url, headers=bearing(tokens))).status_code == status
            # and the question itself, and what the processes of the test do besides in so long a time
            assert 100 * trips < await reads() - before < 100 * trips + 10
            await worker.database.command("profile", 0)
            assert await worker.database["system.profile"].count_documents({}) == 0
