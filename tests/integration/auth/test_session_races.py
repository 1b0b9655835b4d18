"""Many at once over two workers on the same servers: exactly one of them wins, and nobody outlives an end."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from app.auth.sessions import NewSession
from app.core.errors import UnavailableError
from tests.support.api import serving
from tests.support.live import PATIENCE_S, LiveServer
from tests.support.proxies import Proxy
from tests.support.servers import MongoServer
from tests.support.sessions import (
    ALIVE,
    PASSWORD,
    Worker,
    add_person,
    ask_token,
    bearing,
    fate,
    key,
    renew,
    sign_in,
    working,
)
from tests.support.users import problem

End = Callable[[httpx.AsyncClient, dict[str, Any]], Awaitable[httpx.Response]]

ROUNDS = 200
AT_ONCE = 50


@pytest.fixture
async def workers(bare_uri: str, redis_url: str) -> AsyncIterator[list[Worker]]:
    async with working(bare_uri, redis_url) as one, working(bare_uri, redis_url) as other:
        yield [one, other]


@pytest.fixture
async def single(bare_uri: str, redis_url: str) -> AsyncIterator[list[Worker]]:
    """Two workers that let a user have one session."""
    async with (
        working(bare_uri, redis_url, sessions_per_user=1) as one,
        working(bare_uri, redis_url, sessions_per_user=1) as other,
    ):
        yield [one, other]


async def refresh_at_once(workers: list[Worker], token: str) -> list[str]:
    return await asyncio.gather(*(workers[n % 2].refresh(token) for n in range(AT_ONCE)))


async def sign_in_at_once(workers: list[Worker], user_id: str, times: int) -> list[NewSession]:
    return await asyncio.gather(*(workers[n % 2].sign_in(user_id) for n in range(times)))


async def test_of_50_refreshes_at_once_all_get_the_same_successor_200_times(workers: list[Worker]) -> None:
    user_id = await workers[0].add_user()
    session = await workers[0].sign_in(user_id)
    token, numbers = session.refresh_token, []
    for _ in range(ROUNDS):
        answers = set(await refresh_at_once(workers, token))
        assert len(answers) == 1
        token = answers.pop()
        numbers.append(int(token.split(".")[1]))
    assert numbers == list(range(2, ROUNDS + 2))
    assert await workers[1].fate(user_id, session.sid) == ALIVE
    assert [found.id for found in await workers[0].sessions.list_all(user_id)] == [session.sid]


async def test_a_race_for_an_old_token_ends_the_session_on_every_worker(workers: list[Worker]) -> None:
    user_id = await workers[0].add_user()
    session = await workers[0].sign_in(user_id)
    second = await workers[0].refresh(session.refresh_token)
    third = await workers[0].refresh(second)
    answers = await refresh_at_once(workers, session.refresh_token)
    assert set(answers) == {"refresh_token_reused"}
    assert await workers[1].refresh(third) == "refresh_token_reused"
    assert await workers[1].fate(user_id, session.sid) == "refresh_token_reused"


async def test_clients_of_two_workers_that_refresh_at_once_can_all_go_on(
    mongo_uri: str, redis_url: str
) -> None:
    async with serving(mongo_uri, redis_url) as one, serving(mongo_uri, redis_url) as other:
        user = await add_person(one)
        tokens = await sign_in(one, user)
        for _ in range(5):
            replies = await asyncio.gather(*(renew((one, other)[n % 2], tokens) for n in range(AT_ONCE)))
            assert Counter(reply.status_code for reply in replies) == {200: AT_ONCE}
            answers = [reply.json() for reply in replies]
            assert len({answer["refresh_token"] for answer in answers}) == 1
            assert {await fate((other, one)[n % 2], answer) for n, answer in enumerate(answers)} == {ALIVE}
            tokens = answers[-1]


async def test_of_200_sign_ins_at_once_under_a_limit_of_1_exactly_one_lives(single: list[Worker]) -> None:
    user_id = await single[0].add_user()
    begun = await sign_in_at_once(single, user_id, 200)
    for worker in single:
        fates = Counter(await worker.fates(user_id, begun))
        assert fates == {ALIVE: 1, "session_displaced": 199}
    (living,) = await single[0].sessions.list_all(user_id)
    assert await single[1].fate(user_id, living.id) == ALIVE
    displaced = [sid for session in begun for sid in session.displaced]
    assert sorted(displaced) == sorted(session.sid for session in begun if session.sid != living.id)


async def test_of_200_sign_ins_at_once_only_one_can_be_refreshed(single: list[Worker]) -> None:
    user_id = await single[0].add_user()
    begun = await sign_in_at_once(single, user_id, 200)
    answers = [await single[n % 2].refresh(one.refresh_token) for n, one in enumerate(begun)]
    assert Counter(answers)["session_displaced"] == 199


async def test_of_40_sign_ins_over_http_under_a_limit_of_1_exactly_one_lives(
    mongo_uri: str, redis_url: str
) -> None:
    async with (
        serving(mongo_uri, redis_url, sessions_per_user=1) as one,
        serving(mongo_uri, redis_url, sessions_per_user=1) as other,
    ):
        user = await add_person(one)
        begun = await asyncio.gather(*(sign_in((one, other)[n % 2], user) for n in range(40)))
        for client in (one, other):
            fates = Counter([await fate(client, tokens) for tokens in begun])
            assert fates == {ALIVE: 1, "session_displaced": 39}


async def test_sign_ins_at_once_under_a_limit_of_3_leave_three(bare_uri: str, redis_url: str) -> None:
    async with (
        working(bare_uri, redis_url, sessions_per_user=3) as one,
        working(bare_uri, redis_url, sessions_per_user=3) as other,
    ):
        user_id = await one.add_user()
        begun = await sign_in_at_once([one, other], user_id, 100)
        assert Counter(await other.fates(user_id, begun)) == {ALIVE: 3, "session_displaced": 97}


async def test_a_sign_in_on_its_way_does_not_outlive_a_sign_out_everywhere(workers: list[Worker]) -> None:
    user_id = await workers[0].add_user()
    read = await workers[0].generation(user_id)
    assert await workers[1].sessions.end_all(user_id)
    with pytest.raises(UnavailableError):
        await workers[0].sign_in(user_id, read)
    assert await workers[0].sessions.list_all(user_id) == []
    renewed = await workers[0].sign_in(user_id, await workers[0].generation(user_id))
    assert await workers[1].fate(user_id, renewed.sid) == ALIVE


async def test_sign_ins_on_their_way_do_not_outlive_an_end_that_redis_lost(workers: list[Worker]) -> None:
    user_id = await workers[0].add_user()
    read = await workers[0].generation(user_id)
    await workers[1].sessions.end_all(user_id)
    await workers[0].redis.flushdb()
    begun = [await worker.sign_in(user_id, read) for worker in workers * 2]
    assert await workers[1].fates(user_id, begun) == ["session_revoked"] * 4


async def test_sign_ins_and_sign_outs_everywhere_at_once_leave_only_what_mongodb_says(
    workers: list[Worker],
) -> None:
    user_id = await workers[0].add_user()
    await workers[0].redis.delete(key(user_id, "state"))

    async def try_to_sign_in(worker: Worker) -> tuple[NewSession, int] | None:
        generation = await worker.generation(user_id)
        try:
            return await worker.sign_in(user_id, generation), generation
        except UnavailableError:
            return None

    tries = [try_to_sign_in(workers[n % 2]) for n in range(100)]
    ends: list[Any] = [workers[n % 2].sessions.end_all(user_id) for n in range(5)]
    found = await asyncio.gather(*(one for n in range(5) for one in (*tries[n * 20 : n * 20 + 20], ends[n])))
    begun = [one for one in found if isinstance(one, tuple)]
    standing = await workers[0].generation(user_id)
    assert standing == 5
    for session, generation in begun:
        expected = ALIVE if generation == standing else "session_revoked"
        assert await workers[0].fate(user_id, session.sid) == expected


async def test_signing_out_elsewhere_does_not_save_a_session_from_an_end_that_came_first(
    workers: list[Worker],
) -> None:
    """A thief who keeps asking that their session stay loses it when the victim ends all."""
    user_id = await workers[0].add_user()
    thief = await workers[0].sign_in(user_id)
    async with workers[0].sessions.ending(user_id, keep=thief.sid) as staying:
        assert await workers[1].sessions.end_all(user_id)
        staying.generation = await workers[0].sessions._anchors.raise_generation(user_id)
    assert await workers[0].fate(user_id, thief.sid) == "session_revoked"


async def test_signing_out_elsewhere_does_not_save_a_session_from_an_end_that_is_not_settled_yet(
    workers: list[Worker],
) -> None:
    user_id = await workers[0].add_user()
    thief = await workers[0].sign_in(user_id)
    async with workers[1].sessions.ending(user_id) as ending:
        ending.generation = await workers[1].sessions._anchors.raise_generation(user_id)
        assert await workers[0].sessions.end_all(user_id, keep=thief.sid)
    for worker in workers:
        assert await worker.fate(user_id, thief.sid) == "session_revoked"
        assert await worker.refresh(thief.refresh_token) == "session_revoked"


async def test_a_session_goes_on_when_it_ended_all_others_while_these_signed_in(
    workers: list[Worker],
) -> None:
    user_id = await workers[0].add_user()
    mine = await workers[0].sign_in(user_id)
    others = await sign_in_at_once(workers, user_id, 20)
    assert await workers[0].sessions.end_all(user_id, keep=mine.sid)
    assert await workers[1].fate(user_id, mine.sid) == ALIVE
    assert await workers[1].fates(user_id, others) == ["session_revoked"] * 20
    again = await workers[0].refresh(mine.refresh_token)
    assert again.split(".")[:2] == [mine.sid, "2"]


async def test_a_sign_in_waits_for_an_end_that_comes_to_nothing_and_yields_to_one_that_does_not(
    workers: list[Worker],
) -> None:
    user_id = await workers[0].add_user()
    async with workers[1].sessions.ending(user_id):
        waiting = asyncio.create_task(workers[0].sign_in(user_id))
        await asyncio.sleep(0.02)
        assert not waiting.done()
    session = await waiting
    assert await workers[1].fate(user_id, session.sid) == ALIVE
    async with workers[1].sessions.ending(user_id) as ending:
        late = asyncio.create_task(workers[0].sign_in(user_id))
        await asyncio.sleep(0.02)
        ending.generation = await workers[1].sessions._anchors.raise_generation(user_id)
    with pytest.raises(UnavailableError):
        await late


async def _end_everywhere(client: httpx.AsyncClient, user: dict[str, Any]) -> httpx.Response:
    return await client.delete(f"/users/{user['id']}/sessions")


async def _deactivate(client: httpx.AsyncClient, user: dict[str, Any]) -> httpx.Response:
    return await client.patch(f"/users/{user['id']}", json={"is_active": False})


async def _delete(client: httpx.AsyncClient, user: dict[str, Any]) -> httpx.Response:
    return await client.delete(f"/users/{user['id']}")


async def _set_password(client: httpx.AsyncClient, user: dict[str, Any]) -> httpx.Response:
    return await client.put(f"/users/{user['id']}/password", json={"password": "eleven dry camels hum"})


async def _take_a_scope(client: httpx.AsyncClient, user: dict[str, Any]) -> httpx.Response:
    return await client.patch(f"/users/{user['id']}", json={"scopes": ["me"]})


ENDS: list[End] = [_end_everywhere, _deactivate, _delete, _set_password, _take_a_scope]


@dataclass(frozen=True, slots=True)
class Paused:
    """Two applications on the same servers; what the first says to MongoDB can be held back."""

    slow: httpx.AsyncClient
    fast: httpx.AsyncClient
    proxy: Proxy
    redis: Redis


@pytest.fixture
async def paused(mongo_server: MongoServer, mongo_uri: str, redis_url: str) -> AsyncIterator[Paused]:
    database = mongo_uri.partition("?")[0].rpartition("/")[2]
    patient: dict[str, Any] = {"mongo_timeout_ms": 60_000}
    async with Proxy(mongo_server.server.port) as proxy:
        held_uri = f"mongodb://127.0.0.1:{proxy.port}/{database}?directConnection=true"
        async with (
            serving(held_uri, redis_url, **patient) as slow,
            serving(mongo_uri, redis_url, **patient) as fast,
            Redis.from_url(redis_url, decode_responses=True) as redis,
        ):
            yield Paused(slow, fast, proxy, redis)


@pytest.mark.parametrize("end", ENDS)
async def test_a_sign_in_paused_before_its_write_does_not_outlive_an_end(paused: Paused, end: End) -> None:
    user = await add_person(paused.fast)
    form = {"grant_type": "password", "username": user["email"], "password": PASSWORD}
    async with paused.proxy.holding(b"last_login_at") as hold, asyncio.TaskGroup() as tasks:
        request = tasks.create_task(ask_token(paused.slow, **form))
        await hold.reached.wait()
        assert (await end(paused.fast, user)).is_success
        hold.released.set()
    problem(request.result(), 503, "unavailable")
    assert request.result().headers["Retry-After"] == "1"
    listed = await paused.fast.get(f"/users/{user['id']}/sessions")
    assert listed.json() == {"items": []}


@pytest.mark.parametrize("end", ENDS)
async def test_a_refresh_paused_before_its_write_does_not_outlive_an_end(paused: Paused, end: End) -> None:
    user = await add_person(paused.fast)
    tokens = await sign_in(paused.fast, user)
    await paused.redis.delete(key(user["id"], "state"))  # so that MongoDB is asked first
    async with paused.proxy.holding(b"ended_sessions") as hold, asyncio.TaskGroup() as tasks:
        request = tasks.create_task(renew(paused.slow, tokens))
        await hold.reached.wait()
        assert (await end(paused.fast, user)).is_success
        hold.released.set()
    assert (request.result().status_code, request.result().json()["error"]) == (400, "invalid_grant")
    for client in (paused.fast, paused.slow):
        assert await fate(client, tokens) == "session_revoked"


@pytest.mark.parametrize("end", ENDS)
async def test_a_request_paused_while_mongodb_is_asked_vouches_for_nothing(paused: Paused, end: End) -> None:
    user = await add_person(paused.fast)
    tokens = await sign_in(paused.fast, user)
    await paused.redis.delete(key(user["id"], "state"))
    async with paused.proxy.holding(b"ended_sessions") as hold, asyncio.TaskGroup() as tasks:
        request = tasks.create_task(fate(paused.slow, tokens))
        await hold.reached.wait()
        assert (await end(paused.fast, user)).is_success
        hold.released.set()
    assert request.result() == ALIVE  # it was on its way before
    for client in (paused.fast, paused.slow):
        assert await fate(client, tokens) == "session_revoked"


@pytest.mark.parametrize("end", ENDS)
async def test_a_password_change_paused_before_its_write_is_not_done_after_an_end(
    paused: Paused, end: End
) -> None:
    user = await add_person(paused.fast)
    tokens = await sign_in(paused.fast, user)
    change = {"current_password": PASSWORD, "new_password": "nine odd goats wink"}
    async with paused.proxy.holding(b"$inc") as hold, asyncio.TaskGroup() as tasks:
        request = tasks.create_task(
            paused.slow.post("/users/me/password", json=change, headers=bearing(tokens))
        )
        await hold.reached.wait()
        assert (await end(paused.fast, user)).is_success
        hold.released.set()
    problem(request.result(), 409, "write_conflict")
    listed = await paused.fast.get(f"/users/{user['id']}/sessions")
    assert listed.json() == {"items": []}


async def test_processes_that_share_a_port_share_the_sessions(
    mongo_uri: str, redis_url: str, tmp_path: Path
) -> None:
    email = "ana@example.com"
    settings: dict[str, Any] = {"admin_email": email, "admin_password": PASSWORD}
    settings |= {"mongo_uri": mongo_uri, "redis_url": redis_url}
    form = {"grant_type": "password", "username": email, "password": PASSWORD}
    with LiveServer(tmp_path, "--workers", "2", **settings) as server:
        no_reuse = httpx.Limits(max_keepalive_connections=0)  # so that both are met
        async with httpx.AsyncClient(base_url=server.url, limits=no_reuse, timeout=PATIENCE_S) as client:
            tokens = (await client.post("/auth/token", data=form)).json()
            again = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
            calls = (client.post("/auth/token", data=again) for _ in range(AT_ONCE))
            replies = [reply.json() for reply in await asyncio.gather(*calls)]
            assert len({reply["refresh_token"] for reply in replies}) == 1
            assert await _fates(client, replies[0]) == {ALIVE}
            logout = await client.post("/auth/logout", headers=bearing(replies[-1]))
            assert logout.status_code == 204
            assert await _fates(client, replies[0]) == {"session_revoked"}


async def _fates(client: httpx.AsyncClient, tokens: dict[str, Any]) -> set[str]:
    return set(await asyncio.gather(*(fate(client, tokens) for _ in range(AT_ONCE))))
