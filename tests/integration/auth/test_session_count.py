"""How many sessions live: the count follows whatever begins, lengthens and ends them."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import httpx
import pytest

from app.auth.sessions import Sessions
from tests.support.api import serving
from tests.support.sessions import (
    PASSWORD,
    Worker,
    add_person,
    bearing,
    renew,
    sign_in,
    working,
)

LIVING = "roster:living_sessions"
MINUTE_MS = 60_000


@pytest.fixture
async def worker(bare_uri: str, redis_url: str) -> AsyncIterator[Worker]:
    async with working(bare_uri, redis_url) as opened:
        yield opened


@pytest.fixture
async def client(mongo_uri: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Whose own session is the only one."""
    async with serving(mongo_uri, redis_url) as opened:
        yield opened


def sessions(client: httpx.AsyncClient) -> Sessions:
    found: Sessions = client.app.state.container.auth.sessions  # type: ignore[attr-defined]  # set by `serving`
    return found


async def test_sign_ins_refreshes_and_sign_outs_over_http(client: httpx.AsyncClient) -> None:
    assert await sessions(client).count() == 1
    users = [await add_person(client) for _ in range(3)]
    tokens = [await sign_in(client, user) for user in users]
    assert await sessions(client).count() == 4
    renewed = (await renew(client, tokens[0])).json()
    assert await sessions(client).count() == 4
    assert (await client.post("/auth/logout", headers=bearing(renewed))).status_code == 204
    assert await sessions(client).count() == 3
    assert (await client.post("/auth/logout", headers=bearing(renewed))).status_code == 401
    assert await sessions(client).count() == 3


@pytest.mark.parametrize("way", ["deactivated", "password", "signed out everywhere", "deleted"])
async def test_what_ends_all_sessions_of_a_user_ends_them_here_too(
    client: httpx.AsyncClient, way: str
) -> None:
    user, other = await add_person(client), await add_person(client)
    for _ in range(5):
        await sign_in(client, user)
    await sign_in(client, other)
    assert await sessions(client).count() == 7
    path = f"/users/{user['id']}"
    reply = await {
        "deactivated": lambda: client.patch(path, json={"is_active": False}),
        "password": lambda: client.put(f"{path}/password", json={"password": f"{PASSWORD} again"}),
        "signed out everywhere": lambda: client.delete(f"{path}/sessions"),
        "deleted": lambda: client.delete(path),
    }[way]()
    assert reply.is_success, reply.text
    assert await sessions(client).count() == 2


async def test_a_refresh_token_used_twice_ends_one(worker: Worker) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    await worker.sign_in(user_id)
    await worker.refresh(await worker.refresh(session.refresh_token))
    assert await worker.refresh(session.refresh_token) == "refresh_token_reused"
    assert await worker.sessions.count() == 1


async def test_displaced_sessions_count_no_more(bare_uri: str, redis_url: str) -> None:
    async with working(bare_uri, redis_url, sessions_per_user=2) as worker:
        user_id = await worker.add_user()
        for _ in range(5):
            await worker.sign_in(user_id)
        assert await worker.sessions.count() == 2


async def test_two_workers_count_the_same_sessions(bare_uri: str, redis_url: str) -> None:
    async with working(bare_uri, redis_url) as one, working(bare_uri, redis_url) as other:
        users = [await one.add_user() for _ in range(10)]
        turns = itertools.cycle((one, other))
        begun = await asyncio.gather(
            *(worker.sign_in(user) for worker, user in zip(turns, users * 10, strict=False))
        )
        assert (await one.sessions.count(), await other.sessions.count()) == (100, 100)
        await asyncio.gather(
            *(other.sessions.end(user, session.sid) for user, session in zip(users * 10, begun, strict=True))
        )
        assert (await one.sessions.count(), await other.sessions.count()) == (0, 0)


async def pass_by(worker: Worker, ms: int) -> None:
    """As if so much time had passed for every session that is counted."""
    for sid in await worker.redis.zrange(LIVING, 0, -1):
        await worker.redis.zincrby(LIVING, -ms, str(sid))


async def test_one_that_nobody_used_counts_until_its_end_and_a_refresh_moves_that(
    bare_uri: str, redis_url: str
) -> None:
    async with working(bare_uri, redis_url, session_idle_ttl_s=600) as worker:
        user_id = await worker.add_user()
        used = await worker.sign_in(user_id)
        await worker.sign_in(user_id)
        await pass_by(worker, 9 * MINUTE_MS)
        assert await worker.sessions.count() == 2
        await worker.refresh(used.refresh_token)
        await pass_by(worker, 2 * MINUTE_MS)
        assert await worker.sessions.count() == 1


async def test_its_end_is_the_one_at_which_redis_forgets_the_session(worker: Worker) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    left_ms = await worker.redis.pttl(f"roster:{{{user_id}}}:session:{session.sid}")
    seconds, microseconds = await worker.redis.time()
    ends = await worker.redis.zscore(LIVING, session.sid)
    assert ends is not None
    assert abs(ends - (seconds * 1000 + microseconds // 1000 + left_ms)) < MINUTE_MS


async def test_those_that_ended_by_themselves_are_cleared_away_by_later_sign_ins(worker: Worker) -> None:
    """A few at each, so that no sign-in waits for all of them, and yet sooner than new ones come."""
    user_id = await worker.add_user()
    await worker.redis.zadd(LIVING, {f"past{n}": n + 1 for n in range(100)})
    await worker.sign_in(user_id)
    assert 0 < await worker.redis.zcard(LIVING) <= 101 - 30
    for _ in range(4):
        await worker.sign_in(user_id)
    assert await worker.redis.zcard(LIVING) == await worker.sessions.count() == 5


async def test_a_session_of_before_it_was_counted_comes_in_with_its_refresh(worker: Worker) -> None:
    user_id = await worker.add_user()
    session = await worker.sign_in(user_id)
    await worker.redis.delete(LIVING)
    assert await worker.sessions.count() == 0
    await worker.refresh(session.refresh_token)
    assert await worker.sessions.count() == 1
