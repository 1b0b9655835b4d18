"""What befalls the servers under sessions: killed, frozen, full, emptied, brought back from an old copy."""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo.errors import PyMongoError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.auth.sessions import NewSession
from app.clients import BUILT_IN
from app.core.errors import StartError, UnavailableError, WriteConflictError
from tests.support.api import serving
from tests.support.clients import clients_of, new_client
from tests.support.servers import MongoServer, RedisServer
from tests.support.sessions import (
    ALIVE,
    PASSWORD,
    Worker,
    add_person,
    administer,
    ask_token,
    bearing,
    bringing_back,
    fate,
    key,
    renew,
    sign_in,
    working,
)
from tests.support.users import NOBODY, problem

PATIENCE_S = 30
"""For what must end within a second; only a broken run meets it."""


@pytest.fixture
async def redis(own_redis: RedisServer) -> AsyncIterator[Redis]:
    async with Redis.from_url(own_redis.url, decode_responses=True) as client:
        yield client


@pytest.fixture
async def client(mongo_uri: str, own_redis: RedisServer) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(mongo_uri, own_redis.url, registration="open") as opened:
        yield opened


@pytest.fixture
async def worker(bare_uri: str, own_redis: RedisServer) -> AsyncIterator[Worker]:
    async with working(bare_uri, own_redis.url) as opened:
        yield opened


@asynccontextmanager
async def killed(server: RedisServer | MongoServer) -> AsyncIterator[None]:
    """By SIGKILL, and started again at the end."""
    await asyncio.to_thread(server.kill)
    try:
        yield
    finally:
        await asyncio.to_thread(server.restart)


@asynccontextmanager
async def frozen(server: RedisServer | MongoServer) -> AsyncIterator[None]:
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


async def restart(server: RedisServer) -> None:
    async with killed(server):
        pass


# --- an end outlives the server that was told of it

Tokens = dict[str, Any]
End = Callable[[httpx.AsyncClient, dict[str, Any], Tokens], Awaitable[str]]
"""Ends the sessions of a person; answers the code that the tokens get afterwards."""


async def _log_out(client: httpx.AsyncClient, _: dict[str, Any], tokens: Tokens) -> str:
    assert (await client.post("/auth/logout", headers=bearing(tokens))).status_code == 204
    return "session_revoked"


async def _revoke(client: httpx.AsyncClient, _: dict[str, Any], tokens: Tokens) -> str:
    form = {"token": tokens["refresh_token"]}
    request = client.build_request("POST", "/auth/revoke", data=form)
    del request.headers["Authorization"]
    assert (await client.send(request)).status_code == 200
    return "session_revoked"


async def _sign_out_everywhere(client: httpx.AsyncClient, _: dict[str, Any], tokens: Tokens) -> str:
    assert (await client.delete("/users/me/sessions", headers=bearing(tokens))).status_code == 204
    return "session_revoked"


async def _sign_out_in_bulk(client: httpx.AsyncClient, user: dict[str, Any], _: Tokens) -> str:
    reply = await client.post("/users:sign-out", json={"ids": [user["id"]]})
    assert reply.json() == {"results": [{"id": user["id"], "status": 204}]}
    return "session_revoked"


async def _deactivate(client: httpx.AsyncClient, user: dict[str, Any], _: Tokens) -> str:
    reply = await client.patch(f"/users/{user['id']}", json={"is_active": False})
    assert reply.status_code == 200
    return "session_revoked"


async def _delete(client: httpx.AsyncClient, user: dict[str, Any], _: Tokens) -> str:
    assert (await client.delete(f"/users/{user['id']}")).status_code == 204
    return "session_revoked"


async def _change_password(client: httpx.AsyncClient, _: dict[str, Any], tokens: Tokens) -> str:
    change = {"current_password": PASSWORD, "new_password": "eleven dry camels hum"}
    reply = await client.post("/users/me/password", json=change, headers=bearing(tokens))
    assert reply.status_code == 200
    return "session_revoked"


async def _take_a_scope(client: httpx.AsyncClient, user: dict[str, Any], _: Tokens) -> str:
    reply = await client.patch(f"/users/{user['id']}", json={"scopes": ["me"]})
    assert reply.status_code == 200
    return "session_revoked"


async def _reuse(client: httpx.AsyncClient, _: dict[str, Any], tokens: Tokens) -> str:
    await renew(client, (await renew(client, tokens)).json())
    assert (await renew(client, tokens)).json()["error"] == "invalid_grant"
    return "refresh_token_reused"


async def _displace(client: httpx.AsyncClient, user: dict[str, Any], _: Tokens) -> str:
    await sign_in(client, user)
    return "session_displaced"


ENDS: list[End] = [
    _log_out, _revoke, _sign_out_everywhere, _sign_out_in_bulk, _deactivate, _delete, _change_password,
    _take_a_scope, _reuse, _displace,
]  # fmt: skip


@pytest.mark.parametrize("end", ENDS)
async def test_an_end_outlives_a_redis_that_is_killed(
    mongo_uri: str, own_redis: RedisServer, end: End
) -> None:
    async with serving(mongo_uri, own_redis.url, sessions_per_user=int(end is _displace)) as client:
        await administer(client)
        user, other = await add_person(client), await add_person(client)
        tokens, living = await sign_in(client, user), await sign_in(client, other)
        expected = await end(client, user, tokens)
        await restart(own_redis)
        assert await fate(client, tokens) == expected
        assert (await renew(client, tokens)).json()["error"] == "invalid_grant"
        assert await fate(client, living) == ALIVE
        assert (await renew(client, living)).status_code == 200


@pytest.mark.parametrize("end", ENDS)
async def test_a_redis_that_comes_back_from_an_old_copy_revives_nothing(
    mongo_uri: str, own_redis: RedisServer, own_folder: Path, end: End
) -> None:
    async with serving(mongo_uri, own_redis.url, sessions_per_user=int(end is _displace)) as client:
        await administer(client)
        user, other = await add_person(client), await add_person(client)
        tokens, living = await sign_in(client, user), await sign_in(client, other)
        async with bringing_back(own_redis, own_folder / "copy"):
            expected = await end(client, user, tokens)
        listed = await client.get(f"/users/{user['id']}/sessions")
        assert listed.json() == {"items": []}
        assert (await renew(client, tokens)).json()["error"] == "invalid_grant"
        assert await fate(client, tokens) == expected
        assert await fate(client, living) == ALIVE
        assert (await renew(client, living)).status_code == 200


async def test_a_redis_that_comes_back_from_an_old_copy_brings_no_removed_client_back(
    worker: Worker, own_redis: RedisServer, own_folder: Path
) -> None:
    user_id = await worker.add_user()
    portal, _ = await clients_of(worker.database).register(new_client(), client_id="portal")
    session = await worker.sign_in(user_id, client=portal)
    assert await worker.fate(user_id, session.sid, portal.id) == ALIVE
    async with bringing_back(own_redis, own_folder / "copy"):
        async with worker.sessions.ending_client(portal.id):
            await clients_of(worker.database).remove(portal.id)
        anew, _ = await clients_of(worker.database).register(new_client(), client_id="portal")
    assert await worker.refresh(session.refresh_token, client=anew) == "session_revoked"
    assert await worker.fate(user_id, session.sid, portal.id) == "session_revoked"
    assert await worker.sessions.list_all(user_id) == []
    again = await worker.sign_in(user_id, client=anew)
    assert await worker.fate(user_id, again.sid, portal.id) == ALIVE


async def test_with_a_counter_of_before_the_newest_refresh_token_still_works(
    worker: Worker, own_redis: RedisServer, own_folder: Path
) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    tokens = [session.refresh_token]
    async with bringing_back(own_redis, own_folder / "copy"):
        for _ in range(3):
            tokens.append(await worker.refresh(tokens[-1]))
    newest = await worker.refresh(tokens[-1])
    assert newest.split(".")[1] == "5"
    assert await worker.refresh(tokens[-1]) == newest
    assert await worker.refresh(tokens[1]) == "refresh_token_reused"
    assert await worker.refresh(newest) == "refresh_token_reused"


async def test_a_thief_s_token_that_an_old_copy_takes_is_found_out_by_the_next_refresh(
    worker: Worker, own_redis: RedisServer, own_folder: Path
) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    async with bringing_back(own_redis, own_folder / "copy"):
        second = await worker.refresh(session.refresh_token)
        third = await worker.refresh(second)
    taken = await worker.refresh(second)
    assert taken == third  # the counter knew no better
    fourth = await worker.refresh(third)
    fifth = await worker.refresh(fourth)
    assert await worker.refresh(second) == "refresh_token_reused"
    assert await worker.refresh(fifth) == "refresh_token_reused"


async def test_sign_ins_on_their_way_do_not_outlive_an_end_that_an_old_copy_does_not_know(
    worker: Worker, own_redis: RedisServer, own_folder: Path
) -> None:
    user_id = await worker.add_user()
    read = await worker.generation(user_id)
    first = await worker.sign_in(user_id, read)
    assert await worker.fate(user_id, first.sid) == ALIVE
    async with bringing_back(own_redis, own_folder / "copy"):
        await worker.sessions.end_all(user_id)
    begun = [await worker.sign_in(user_id, read) for _ in range(3)]
    assert await worker.fates(user_id, [first, *begun]) == ["session_revoked"] * 4


# --- an end that is only half done


class CrashError(Exception):
    pass


async def crash(worker: Worker, user_id: str, *, written: bool) -> None:
    """In the midst of an end, before MongoDB knows of it or after."""
    async with worker.sessions.ending(user_id):
        if written:
            await raise_generation(worker, user_id)
        raise CrashError


async def refuse(worker: Worker, user_id: str) -> None:
    async with worker.sessions.ending(user_id):
        raise WriteConflictError("")


async def fail(worker: Worker, user_id: str) -> None:
    async with worker.sessions.ending(user_id):
        raise PyMongoError


async def raise_generation(worker: Worker, user_id: str) -> int | None:
    return await worker.sessions._anchors.raise_generation(user_id)


async def state(worker: Worker, user_id: str) -> dict[str, str]:
    held = await worker.redis.hgetall(key(user_id, "state"))
    return {str(name): str(value) for name, value in held.items()}


async def test_a_crash_after_the_write_leaves_no_session_alive(worker: Worker) -> None:
    user_id = await worker.add_user()
    begun = [await worker.sign_in(user_id) for _ in range(3)]
    assert await worker.fates(user_id, begun) == [ALIVE] * 3
    with pytest.raises(CrashError):
        await crash(worker, user_id, written=True)
    assert await worker.fates(user_id, begun) == ["session_revoked"] * 3
    assert {await worker.refresh(one.refresh_token) for one in begun} == {"session_revoked"}


async def test_a_crash_before_the_write_ends_nothing(worker: Worker) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    with pytest.raises(CrashError):
        await crash(worker, user_id, written=False)
    assert await worker.fate(user_id, session.sid) == ALIVE
    assert (await worker.refresh(session.refresh_token)).split(".")[1] == "2"


async def test_a_write_refused_by_mongodb_leaves_the_doubt_since_nobody_knows(worker: Worker) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    with pytest.raises(PyMongoError):
        await fail(worker, user_id)
    assert (await state(worker, user_id))["doubts"] == "1"
    assert await worker.fate(user_id, session.sid) == ALIVE


async def test_a_refusal_of_ours_ends_the_doubt(worker: Worker) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    with pytest.raises(WriteConflictError):
        await refuse(worker, user_id)
    assert "doubts" not in await state(worker, user_id)
    assert await worker.fate(user_id, session.sid) == ALIVE


@pytest.mark.parametrize("written", [False, True])
async def test_a_request_cancelled_half_way_leaves_what_mongodb_says(
    worker: Worker, *, written: bool
) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    reached = asyncio.Event()

    async def end() -> None:
        async with worker.sessions.ending(user_id):
            if written:
                await raise_generation(worker, user_id)
            reached.set()
            await asyncio.Event().wait()

    ending = asyncio.create_task(end())
    await reached.wait()
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    assert await worker.fate(user_id, session.sid) == ("session_revoked" if written else ALIVE)


async def test_redis_dying_after_the_write_leaves_no_session_alive(
    worker: Worker, own_redis: RedisServer
) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    async with AsyncExitStack() as later:

        async def end() -> None:
            async with worker.sessions.ending(user_id) as ending:
                ending.generation = await raise_generation(worker, user_id)
                await later.enter_async_context(killed(own_redis))

        with pytest.raises(RedisError):
            await end()
    assert await worker.fate(user_id, session.sid) == "session_revoked"


async def test_of_two_ends_at_once_one_may_crash_and_the_other_be_refused(worker: Worker) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)

    async def crash_around_another() -> None:
        async with worker.sessions.ending(user_id):
            with pytest.raises(WriteConflictError):
                await refuse(worker, user_id)
            await raise_generation(worker, user_id)
            raise CrashError

    with pytest.raises(CrashError):
        await crash_around_another()
    assert (await state(worker, user_id))["doubts"] == "1"
    assert await worker.fate(user_id, session.sid) == "session_revoked"


async def test_an_end_that_is_done_leaves_the_doubt_of_another(worker: Worker) -> None:
    user_id = await worker.add_user()
    async with worker.sessions.ending(user_id) as slow:
        assert await worker.sessions.end_all(user_id)
        assert (await state(worker, user_id))["doubts"] == "1"
        slow.generation = await raise_generation(worker, user_id)
    held = await state(worker, user_id)
    assert (held["generation"], held.get("doubts")) == ("2", None)


async def test_while_an_end_is_being_done_sign_ins_and_requests_ask_mongodb(worker: Worker) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    async with worker.sessions.ending(user_id) as ending:
        early = await worker.sign_in(user_id)
        assert await worker.fates(user_id, [session, early]) == [ALIVE] * 2
        assert (await worker.refresh(session.refresh_token)).split(".")[1] == "2"
        ending.generation = await raise_generation(worker, user_id)
        with pytest.raises(UnavailableError):
            await worker.sign_in(user_id)
        late = await worker.sign_in(user_id, 1)
        ended = ["session_revoked"] * 2
        assert await worker.fates(user_id, [session, early, late]) == [*ended, ALIVE]
    assert await worker.fates(user_id, [session, early, late]) == [*ended, ALIVE]


@pytest.mark.parametrize("written", [False, True])
async def test_an_end_that_crashed_locks_nobody_out(worker: Worker, *, written: bool) -> None:
    user_id = await worker.add_user()
    before = await worker.sign_in(user_id)
    with pytest.raises(CrashError):
        await crash(worker, user_id, written=written)
    session = await worker.sign_in(user_id, int(written))
    assert (await worker.refresh(session.refresh_token)).split(".")[1] == "2"
    fates = await worker.fates(user_id, [before, session])
    assert fates == ["session_revoked" if written else ALIVE, ALIVE]
    assert await worker.sessions.end_all(user_id)
    assert await worker.fates(user_id, [before, session]) == ["session_revoked"] * 2


@pytest.mark.parametrize("asking", ["a sign-in", "a request"])
async def test_the_session_kept_goes_on_though_another_asked_mongodb_before_redis_knew(
    worker: Worker, asking: str
) -> None:
    user_id = await worker.add_user()
    kept = await worker.sign_in(user_id)
    async with worker.sessions.ending(user_id, keep=kept.sid) as ending:
        ending.generation = await raise_generation(worker, user_id)
        other = await worker.sign_in(user_id, 1)
        if asking == "a request":
            assert await worker.fate(user_id, other.sid) == ALIVE
    assert await worker.fates(user_id, [kept, other]) == [ALIVE] * 2


async def test_nobody_signs_in_past_an_end_of_which_mongodb_cannot_be_asked(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = await worker.add_user()
    with pytest.raises(CrashError):
        await crash(worker, user_id, written=True)

    async def find_nothing(_: str) -> int:
        raise PyMongoError

    monkeypatch.setattr(worker.sessions._anchors, "find_generation", find_nothing)
    with pytest.raises(PyMongoError):
        await worker.sign_in(user_id)


async def test_a_doubt_that_nobody_settles_is_dropped(worker: Worker) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    for _ in range(2):
        with pytest.raises(CrashError):
            await crash(worker, user_id, written=False)
    assert await worker.fate(user_id, session.sid) == ALIVE
    assert (await state(worker, user_id))["doubts"] == "2"
    worker.sessions._settled_ms = 0
    assert await worker.fate(user_id, (await worker.sign_in(user_id)).sid) == ALIVE
    assert "doubts" not in await state(worker, user_id)
    assert await worker.fate(user_id, session.sid) == ALIVE


async def test_a_doubt_dropped_after_the_write_revives_nothing(worker: Worker) -> None:
    user_id = await worker.add_user()
    begun = [await worker.sign_in(user_id) for _ in range(2)]
    with pytest.raises(CrashError):
        await crash(worker, user_id, written=True)
    worker.sessions._settled_ms = 0
    new = await worker.sign_in(user_id, 1)
    assert await worker.fate(user_id, new.sid) == ALIVE
    assert await worker.fates(user_id, begun) == ["session_revoked"] * 2
    assert "doubts" not in await state(worker, user_id)


# --- Redis stopped, frozen, replaced


def protected_operations(client: httpx.AsyncClient) -> list[tuple[str, str]]:
    """Method and path of each operation that takes an access token, by the service's own document."""
    document: dict[str, Any] = client.app.openapi()  # type: ignore[attr-defined]  # set by `serving`
    found = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            security = operation["security"]
            if {} not in security and any("Bearer" in scheme for scheme in security):
                ids = "{(user|job|import|export|schedule|mail|bulk|view|upload|webhook)_id}"
                url = re.sub(ids, NOBODY, path)
                found.append((method.upper(), url.replace("{session_id}", "a" * 43)))
    return found


async def request(client: httpx.AsyncClient, method: str, url: str, tokens: Tokens) -> httpx.Response:
    content = {"content": b"{}", "headers": bearing(tokens) | {"Content-Type": "application/json"}}
    return await client.request(method, url, **({"headers": bearing(tokens)} if method == "GET" else content))


async def all_unavailable(client: httpx.AsyncClient, user: dict[str, Any], tokens: Tokens) -> None:
    """Every route that needs Redis says so, and when to come again."""
    operations = protected_operations(client)
    assert len(operations) > 20
    password = {"grant_type": "password", "username": user["email"], "password": PASSWORD}
    person = {"name": "Ana", "email": "ana@example.com", "password": PASSWORD}
    revoked = client.build_request("POST", "/auth/revoke", data={"token": tokens["refresh_token"]})
    del revoked.headers["Authorization"]
    async with asyncio.timeout(PATIENCE_S):
        replies = await asyncio.gather(
            *(request(client, method, url, tokens) for method, url in operations),
            ask_token(client, **password),
            ask_token(client, **(password | {"password": "wrong"})),
            renew(client, tokens),
            client.post("/auth/register", json=person),
            client.send(revoked),
        )
    for reply in replies:
        problem(reply, 503, "unavailable")
        assert int(reply.headers["Retry-After"]) >= 1, reply.request.url


@pytest.mark.parametrize("away", [killed, frozen])
async def test_with_redis_away_every_protected_route_is_503_and_all_recovers_by_itself(
    client: httpx.AsyncClient,
    own_redis: RedisServer,
    away: Callable[[RedisServer], AbstractAsyncContextManager[None]],
) -> None:
    user = await add_person(client)
    tokens = await sign_in(client, user)
    async with away(own_redis):
        await all_unavailable(client, user, tokens)
        await all_unavailable(client, user, tokens)
    assert await fate(client, tokens) == ALIVE
    assert (await renew(client, tokens)).status_code == 200
    assert await fate(client, await sign_in(client, user)) == ALIVE


async def test_requests_in_flight_when_redis_dies_are_503(
    client: httpx.AsyncClient, own_redis: RedisServer
) -> None:
    tokens = await sign_in(client, await add_person(client))
    own_redis.freeze()
    requests = [asyncio.create_task(fate(client, tokens)) for _ in range(50)]
    await asyncio.sleep(0.05)
    async with killed(own_redis), asyncio.timeout(PATIENCE_S):
        assert set(await asyncio.gather(*requests)) == {"unavailable"}
    assert await fate(client, tokens) == ALIVE


async def test_a_refresh_whose_answer_was_lost_can_be_tried_again(
    client: httpx.AsyncClient, own_redis: RedisServer
) -> None:
    tokens = await sign_in(client, await add_person(client))
    async with frozen(own_redis), asyncio.timeout(PATIENCE_S):
        assert (await renew(client, tokens)).status_code == 503
    again = await renew(client, tokens)
    assert again.status_code == 200
    assert again.json()["refresh_token"].split(".")[1] == "2"
    assert (await renew(client, again.json())).status_code == 200


async def test_an_emptied_redis_signs_everybody_out(client: httpx.AsyncClient, redis: Redis) -> None:
    user = await add_person(client)
    tokens = await sign_in(client, user)
    admin = client.headers["Authorization"]
    await redis.flushall()
    for authorization in (bearing(tokens)["Authorization"], admin):
        reply = await client.get("/users/me/sessions", headers={"Authorization": authorization})
        problem(reply, 401, "session_expired")
    assert (await renew(client, tokens)).json()["error"] == "invalid_grant"
    again = await sign_in(client, user)
    assert await fate(client, again) == ALIVE
    assert (await renew(client, again)).status_code == 200


async def test_scripts_that_redis_forgot_are_sent_again(client: httpx.AsyncClient, redis: Redis) -> None:
    user = await add_person(client)
    await redis.script_flush()
    tokens = await sign_in(client, user)
    await redis.script_flush()
    tokens = (await renew(client, tokens)).json()
    await redis.script_flush()
    assert await fate(client, tokens) == ALIVE
    await redis.script_flush()
    assert (await client.post("/auth/logout", headers=bearing(tokens))).status_code == 204
    assert await fate(client, tokens) == "session_revoked"


async def test_a_replica_is_not_believed(bare_uri: str, own_redis: RedisServer, redis: Redis) -> None:
    async with working(bare_uri, own_redis.url) as before:
        user_id = await before.add_user()
        session = await before.sign_in(user_id)
        await redis.replicaof("127.0.0.1", "1")
        async with working(bare_uri, own_redis.url) as after:
            with pytest.raises(RedisError, match="replica"):
                await after.sessions.check(user_id, session.sid, client_id=BUILT_IN.id)
        with pytest.raises(RedisError, match="READONLY"):  # and that is the end of the connection
            await before.sessions.refresh(session.refresh_token, client=BUILT_IN)
        with pytest.raises(RedisError, match="replica"):
            await before.sessions.check(user_id, session.sid, client_id=BUILT_IN.id)
        await redis.replicaof("NO", "ONE")
        assert await before.fate(user_id, session.sid) == ALIVE
        assert (await before.refresh(session.refresh_token)).split(".")[1] == "2"


async def test_a_session_is_asked_about_again_when_another_history_answers(
    worker: Worker, own_redis: RedisServer
) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    assert await worker.fate(user_id, session.sid) == ALIVE
    await raise_generation(worker, user_id)  # which Redis does not know
    assert await worker.fate(user_id, session.sid) == ALIVE
    await restart(own_redis)
    assert await worker.fate(user_id, session.sid) == "session_revoked"


# --- how it starts


async def start(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url):
        pass


async def test_a_wrong_password_of_redis_stops_the_start(
    mongo_uri: str, own_redis: RedisServer, redis: Redis
) -> None:
    await redis.config_set("requirepass", "right")
    address = own_redis.url.removeprefix("redis://")
    reasons = {"": "it wants a password", ":wrong@": "invalid username-password pair or user is disabled"}
    for wrong, reason in reasons.items():
        with pytest.raises(StartError) as caught:
            await start(mongo_uri, f"redis://{wrong}{address}")
        message = str(caught.value)
        assert message == f"Redis refuses what Roster needs ({reason}): check ROSTER_REDIS_URL."
    for right in (":right@", "default:right@"):
        async with serving(mongo_uri, f"redis://{right}{address}") as client:
            user = await add_person(client)
            assert await fate(client, await sign_in(client, user)) == ALIVE


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-lfu", "allkeys-random"])
async def test_a_redis_that_evicts_any_key_stops_the_start(
    bare_uri: str, own_redis: RedisServer, redis: Redis, policy: str
) -> None:
    await redis.config_set("maxmemory-policy", policy)
    with pytest.raises(StartError) as caught:
        await start(bare_uri, own_redis.url)
    expected = f"Redis evicts sessions (maxmemory-policy {policy}): set it to noeviction."
    assert str(caught.value) == expected


async def test_a_redis_that_may_evict_or_forget_sessions_is_warned_of(
    mongo_uri: str, own_redis: RedisServer, redis: Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    await start(mongo_uri, own_redis.url)
    assert "redis_may" not in capsys.readouterr().err
    await redis.config_set("maxmemory-policy", "volatile-lru")
    await redis.config_set("appendonly", "no")
    await start(mongo_uri, own_redis.url)
    warned = capsys.readouterr().err
    assert "redis_may_evict_sessions" in warned
    assert "redis_may_forget_sessions" in warned


# --- Redis full


@asynccontextmanager
async def full(redis: Redis) -> AsyncIterator[None]:
    await redis.config_set("maxmemory", 1)
    yield
    await redis.config_set("maxmemory", 0)


async def test_with_a_full_redis_sign_ins_and_refreshes_are_503_and_reads_go_on(
    client: httpx.AsyncClient, redis: Redis
) -> None:
    user = await add_person(client)
    tokens = await sign_in(client, user)
    form = {"grant_type": "password", "username": user["email"]}
    async with full(redis):
        for password in (PASSWORD, "wrong"):
            refused = await ask_token(client, **form, password=password)
            problem(refused, 503, "unavailable")
            assert refused.headers["Retry-After"] == "1"
        problem(await renew(client, tokens), 503, "unavailable")
        assert await fate(client, tokens) == ALIVE
    assert await fate(client, tokens) == ALIVE
    assert (await renew(client, tokens)).json()["refresh_token"].split(".")[1] == "2"
    assert len((await client.get(f"/users/{user['id']}/sessions")).json()["items"]) == 1


async def test_with_a_full_redis_a_sign_in_displaces_nobody(
    bare_uri: str, own_redis: RedisServer, redis: Redis
) -> None:
    async with working(bare_uri, own_redis.url, sessions_per_user=1) as worker:
        user_id = await worker.add_user()
        session = await worker.sign_in(user_id)
        before = await state(worker, user_id)
        async with full(redis):
            with pytest.raises(RedisError):
                await worker.sign_in(user_id)
        assert await worker.fate(user_id, session.sid) == ALIVE
        assert (await state(worker, user_id))["only"] == before["only"] == session.sid


@pytest.mark.parametrize("end", [end for end in ENDS if end not in {_change_password, _reuse, _displace}])
async def test_with_a_full_redis_sessions_can_be_ended(
    client: httpx.AsyncClient, redis: Redis, end: End
) -> None:
    user = await add_person(client)
    tokens, other = await sign_in(client, user), await sign_in(client, user)
    async with full(redis):
        expected = await end(client, user, tokens)
        assert await fate(client, tokens) == expected
        only_one = end in {_log_out, _revoke}
        assert await fate(client, other) == (ALIVE if only_one else expected)
    assert await fate(client, tokens) == expected


async def test_with_a_full_redis_ending_all_others_keeps_the_one(
    client: httpx.AsyncClient, redis: Redis
) -> None:
    user = await add_person(client)
    mine, other = await sign_in(client, user), await sign_in(client, user)
    async with full(redis):
        url = "/users/me/sessions?keep_current=true"
        assert (await client.delete(url, headers=bearing(mine))).status_code == 204
        assert [await fate(client, one) for one in (mine, other)] == [ALIVE, "session_revoked"]


async def test_with_a_full_redis_a_token_used_twice_ends_its_session(worker: Worker, redis: Redis) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    await worker.refresh(await worker.refresh(session.refresh_token))
    async with full(redis):
        assert await worker.refresh(session.refresh_token) == "refresh_token_reused"
        assert await worker.fate(user_id, session.sid) == "refresh_token_reused"


async def test_a_full_redis_that_was_restarted_still_serves_reads(
    worker: Worker, own_redis: RedisServer, redis: Redis
) -> None:
    user_id = await worker.add_user()
    begun = [await worker.sign_in(user_id) for _ in range(2)]
    await worker.sessions.end(user_id, begun[1].sid)
    await restart(own_redis)
    async with full(redis):
        assert await worker.fates(user_id, begun * 2) == [ALIVE, "session_revoked"] * 2


# --- MongoDB away


@pytest.fixture(scope="module")
def own_mongo(servers_folder: Path) -> Iterator[MongoServer]:
    with (
        tempfile.TemporaryDirectory(dir=servers_folder) as folder,
        MongoServer(Path(folder)) as server,
    ):
        yield server


@pytest.fixture(params=[killed, frozen], ids=["killed", "frozen"])
def away(request: pytest.FixtureRequest) -> Any:
    return request.param


async def test_without_mongodb_known_sessions_go_on_and_a_logout_is_503_but_done(
    own_mongo: MongoServer, redis_url: str, away: Any
) -> None:
    async with serving(own_mongo.uri, redis_url, mongo_timeout_ms=500) as client:
        user = await add_person(client)
        tokens, other = await sign_in(client, user), await sign_in(client, user)
        assert [await fate(client, one) for one in (tokens, other)] == [ALIVE] * 2
        async with away(own_mongo), asyncio.timeout(PATIENCE_S):
            assert {await fate(client, tokens) for _ in range(20)} == {ALIVE}
            other = (await renew(client, other)).json()
            logout = await client.post("/auth/logout", headers=bearing(tokens))
            problem(logout, 503, "unavailable")
            assert logout.headers["Retry-After"] == "1"
            assert await fate(client, tokens) == "session_revoked"
            everywhere = await client.delete("/users/me/sessions", headers=bearing(other))
            problem(everywhere, 503, "unavailable")


async def test_without_mongodb_sessions_that_redis_cannot_vouch_for_are_503(
    own_mongo: MongoServer, redis_url: str
) -> None:
    async with working(own_mongo.uri_of("bare"), redis_url, mongo_timeout_ms=500) as worker:
        user_id = await worker.add_user()
        session = await worker.sign_in(user_id)
        assert await worker.fate(user_id, session.sid) == ALIVE
        await worker.redis.delete(key(user_id, "state"))
        async with frozen(own_mongo), asyncio.timeout(PATIENCE_S):
            with pytest.raises(PyMongoError):
                await worker.sessions.check(user_id, session.sid, client_id=BUILT_IN.id)
            with pytest.raises(PyMongoError):
                await worker.sessions.refresh(session.refresh_token, client=BUILT_IN)
        assert await worker.fate(user_id, session.sid) == ALIVE


async def test_an_end_that_mongodb_did_not_answer_is_what_mongodb_says_afterwards(
    own_mongo: MongoServer, redis_url: str
) -> None:
    async with working(own_mongo.uri_of("bare"), redis_url, mongo_timeout_ms=500) as worker:
        user_id = await worker.add_user()
        begun: list[NewSession] = [await worker.sign_in(user_id) for _ in range(3)]
        async with frozen(own_mongo), asyncio.timeout(PATIENCE_S):
            with pytest.raises(PyMongoError):
                await worker.sessions.end_all(user_id)
        ended = await worker.generation(user_id) > 0
        expected = "session_revoked" if ended else ALIVE
        assert await worker.fates(user_id, begun) == [expected] * 3


async def test_a_logout_cancelled_while_mongodb_is_away_has_ended_the_session_in_redis(
    own_mongo: MongoServer, redis_url: str
) -> None:
    async with working(own_mongo.uri_of("bare"), redis_url) as worker:
        user_id = await worker.add_user()
        session = await worker.sign_in(user_id)
        assert await worker.fate(user_id, session.sid) == ALIVE
        async with frozen(own_mongo), asyncio.timeout(PATIENCE_S):
            logout = asyncio.create_task(worker.sessions.end(user_id, session.sid))
            await asyncio.sleep(0.1)
            assert await worker.fate(user_id, session.sid) == ALIVE
            logout.cancel()
            with pytest.raises(asyncio.CancelledError):
                await logout
            assert await worker.fate(user_id, session.sid) == "session_revoked"
