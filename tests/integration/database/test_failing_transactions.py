"""MongoDB fails the commands of a change as it does in truth: the change and its trail are one, and once."""

from collections.abc import AsyncIterator, Iterator
from itertools import cycle, islice
from pathlib import Path

import httpx
import pytest

from tests.support.failing import (
    CHANGES,
    COMMITTED_AND_UNKNOWN,
    LOST_PRIMARY,
    LOST_RACE,
    NETWORK_TIMEOUT,
    WRITING,
    FailingMongo,
    Fault,
    Trials,
    assert_the_trail_agrees,
    serving_all_along,
)
from tests.support.openapi import Operation
from tests.support.servers import RedisServer
from tests.support.users import create, person, problem

COMMANDS = ("insert", "update", "delete", "findAndModify", "commitTransaction")
FAULTS = (LOST_RACE, NETWORK_TIMEOUT, *LOST_PRIMARY)


@pytest.fixture(scope="module")
def failing_mongo(servers_folder: Path) -> Iterator[FailingMongo]:
    with FailingMongo(servers_folder / "failing-transactions") as server:
        yield server


@pytest.fixture(scope="module")
async def client(failing_mongo: FailingMongo, redis_server: RedisServer) -> AsyncIterator[httpx.AsyncClient]:
    async with serving_all_along(failing_mongo, redis_server) as opened:
        yield opened


@pytest.mark.parametrize("operation", WRITING, ids=lambda one: one[2]["operationId"])
async def test_a_change_whose_transaction_fails_once_or_twice_is_whole_or_503(
    failing_mongo: FailingMongo, client: httpx.AsyncClient, operation: Operation
) -> None:
    trials = await Trials(failing_mongo, client, operation).measure()
    turns = islice(cycle(FAULTS), WRITING.index(operation), None)
    each = len(FAULTS) if operation[2]["operationId"] in CHANGES else 1
    for command in (each for each in COMMANDS if each in trials.sent):
        await trials.try_it(command, 2, next(turns))
        for fault in islice(turns, each):
            await trials.try_it(command, 1, fault)
    for times in (1, 2) if "commitTransaction" in trials.sent else ():
        await trials.try_it("commitTransaction", times, COMMITTED_AND_UNKNOWN)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_a_transaction_that_cannot_even_be_given_up_holds_up_nobody(
    failing_mongo: FailingMongo, client: httpx.AsyncClient, fault: Fault
) -> None:
    user = await create(client)
    with failing_mongo.failing("abortTransaction", None, fault) as failed:
        reply = await client.post("/users", json=person(email=user["email"]))
    assert failed[0] > 0
    problem(reply, 409, "already_exists")
    reply = await client.patch(f"/users/{user['id']}", json={"name": "Ana Nova"})
    assert (reply.status_code, reply.json()["name"]) == (200, "Ana Nova")


async def test_after_all_of_this_the_trail_tells_of_each_change_once(client: httpx.AsyncClient) -> None:
    """Here and not after each test: it reads the whole trail, which grows with them."""
    await assert_the_trail_agrees(client)
