"""Redis fails over to its replica: nobody who was signed out is let in, and who was let in goes on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.auth.test_session_faults import ENDS, End, _displace
from tests.support.api import serving
from tests.support.proxies import ProxyThread
from tests.support.sessions import ALIVE, add_person, administer, fate, renew, sign_in
from tests.support.users import problem, until
from tools.cluster import RedisPair


@pytest.fixture(scope="module")
def long_pair(servers_folder: Path) -> Iterator[RedisPair]:
    with ProxyThread() as proxies, RedisPair(servers_folder / "pair", proxies) as opened:
        yield opened


@pytest.fixture
def pair(long_pair: RedisPair) -> Iterator[RedisPair]:
    """Whichever of the two is the replica at the end follows the other again."""
    yield long_pair
    long_pair.rejoin()


@pytest.fixture
async def client(mongo_uri: str, pair: RedisPair) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(mongo_uri, pair.url) as opened:
        await administer(opened)
        yield opened


async def answers(client: httpx.AsyncClient) -> bool:
    return (await client.get("/users?limit=1")).status_code == 200


async def fail_over(client: httpx.AsyncClient, pair: RedisPair) -> None:
    """Until the service has noticed: what is asked at that moment may be 503 still."""
    await asyncio.to_thread(pair.fail_over)
    await until(lambda: answers(client))


async def test_sessions_go_on_when_a_killed_redis_fails_over_and_those_that_ended_stay_ended(
    client: httpx.AsyncClient, pair: RedisPair
) -> None:
    user = await add_person(client)
    tokens, living = await sign_in(client, user), await sign_in(client, user)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await client.post("/auth/logout", headers=bearer)).status_code == 204
    await asyncio.to_thread(pair.wait_until_followed)
    await asyncio.to_thread(pair.master.kill)
    problem(await client.get("/users"), 503, "unavailable")
    await fail_over(client, pair)
    assert await fate(client, living) == ALIVE
    assert await fate(client, tokens) == "session_revoked"
    assert (await renew(client, living)).status_code == 200
    assert (await renew(client, tokens)).json()["error"] == "invalid_grant"
    assert (await sign_in(client, user))["access_token"]
    await asyncio.to_thread(pair.replica.restart)


async def test_a_frozen_redis_is_503_until_its_replica_takes_over_and_is_not_believed_when_it_thaws(
    client: httpx.AsyncClient, pair: RedisPair
) -> None:
    user = await add_person(client)
    tokens = await sign_in(client, user)
    await asyncio.to_thread(pair.wait_until_followed)
    pair.master.freeze()
    refused = await client.get("/users")
    problem(refused, 503, "unavailable")
    assert refused.headers["Retry-After"] == "1"
    await fail_over(client, pair)
    assert await fate(client, tokens) == ALIVE
    pair.replica.thaw()
    assert {await fate(client, tokens) for _ in range(20)} == {ALIVE}


@pytest.mark.parametrize("end", ENDS)
async def test_a_replica_that_was_not_told_of_an_end_revives_nothing(
    mongo_uri: str, pair: RedisPair, end: End
) -> None:
    async with serving(mongo_uri, pair.url, sessions_per_user=int(end is _displace)) as client:
        await administer(client)
        user, other = await add_person(client), await add_person(client)
        tokens, living = await sign_in(client, user), await sign_in(client, other)
        await asyncio.to_thread(pair.wait_until_followed)
        await asyncio.to_thread(pair.part)
        expected = await end(client, user, tokens)
        await fail_over(client, pair)
        assert await fate(client, tokens) == expected
        assert (await renew(client, tokens)).json()["error"] == "invalid_grant"
        assert await fate(client, living) == ALIVE
        assert (await renew(client, living)).status_code == 200


async def test_while_the_address_leads_to_the_replica_alone_nobody_is_let_in(
    client: httpx.AsyncClient, pair: RedisPair
) -> None:
    pair._proxies.call(lambda: pair.proxy.retarget(pair.replica.server.port))
    problem(await client.get("/users"), 503, "unavailable")
    pair._proxies.call(lambda: pair.proxy.retarget(pair.master.server.port))
    await until(lambda: answers(client))
