"""MongoDB fails the commands of a change each time: the change is 503 within the time of one operation."""

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
    Attempt,
    FailingMongo,
    Fault,
    Trials,
    assert_the_trail_agrees,
    serving_all_along,
)
from tests.support.openapi import Operation
from tests.support.servers import RedisServer
from tests.support.sessions import ALIVE, PASSWORD, add_person, ask_token, bearing, fate, renew, sign_in
from tests.support.users import until

TIME_MS = 1000
FAULTS = (LOST_RACE, NETWORK_TIMEOUT, LOST_PRIMARY[0], COMMITTED_AND_UNKNOWN)
MOST_TRIES = 200
"""Within that time, with the pauses between them; without any there would be thousands."""
NOT_FOLLOWED: Fault = {"writeConcernError": {"code": 64, "errmsg": "Waiting for replication timed out."}}
HALF_WAY = ("findAndModify", "commitTransaction")
ENDS = (
    ("DELETE", "/users/{id}/sessions", None),
    ("PUT", "/users/{id}/password", {"password": "eleven dry camels hum"}),
    ("PATCH", "/users/{id}", {"is_active": False}),
    ("PATCH", "/users/{id}", {"scopes": ["me"]}),
    ("DELETE", "/users/{id}", None),
    ("DELETE", "/users/me/sessions", None),
    ("POST", "/users/me/password", {"current_password": PASSWORD, "new_password": "nine odd goats wink"}),
)
CREATE = next(one for one in WRITING if one[2]["operationId"] == "create_user")


@pytest.fixture(scope="module")
def failing_mongo(servers_folder: Path) -> Iterator[FailingMongo]:
    with FailingMongo(servers_folder / "failing-for-good") as server:
        yield server


@pytest.fixture(scope="module")
async def client(failing_mongo: FailingMongo, redis_server: RedisServer) -> AsyncIterator[httpx.AsyncClient]:
    async with serving_all_along(failing_mongo, redis_server, mongo_timeout_ms=TIME_MS) as opened:
        yield opened


@pytest.mark.parametrize("operation", WRITING, ids=lambda one: one[2]["operationId"])
async def test_a_change_whose_transaction_never_succeeds_is_503_before_the_request_is_given_up(
    failing_mongo: FailingMongo, client: httpx.AsyncClient, operation: Operation
) -> None:
    trials = await Trials(failing_mongo, client, operation).measure()
    turns = islice(cycle(FAULTS), WRITING.index(operation), None)
    if "commitTransaction" in trials.sent:
        for fault in islice(turns, len(FAULTS) if operation[2]["operationId"] in CHANGES else 1):
            await trials.try_it("commitTransaction", None, fault)


@pytest.mark.parametrize("fault", [LOST_RACE, NOT_FOLLOWED], ids=["lost race", "unknown"])
async def test_a_commit_is_not_tried_without_a_pause(
    failing_mongo: FailingMongo, client: httpx.AsyncClient, fault: Fault
) -> None:
    attempt = await Attempt(client, CREATE).prepare()
    with failing_mongo.failing("commitTransaction", None, fault) as failed:
        assert await attempt.send() == 503
    assert 1 < failed[0] < MOST_TRIES


@pytest.mark.parametrize(("method", "path", "body"), ENDS)
async def test_an_end_of_sessions_that_failed_half_way_locks_nobody_out(
    failing_mongo: FailingMongo, client: httpx.AsyncClient, method: str, path: str, body: object
) -> None:
    user = await add_person(client)
    before = await sign_in(client, user)
    headers = bearing(before) if "/me/" in path else None
    with failing_mongo.failing(HALF_WAY[ENDS.index((method, path, body)) % 2], None, LOST_RACE):
        reply = await client.request(method, path.format_map(user), json=body, headers=headers)
    assert reply.status_code == 503

    async def can_sign_in() -> bool:
        reply = await ask_token(client, grant_type="password", username=user["email"], password=PASSWORD)
        assert reply.status_code in {200, 503}, reply.text
        return reply.status_code == 200

    await until(can_sign_in)  # once MongoDB has let go of a change whose end it was not told in time
    for tokens in (before, await sign_in(client, user)):
        assert await fate(client, tokens) == ALIVE
        assert (await renew(client, tokens)).status_code == 200


async def test_after_all_of_this_the_trail_tells_of_each_change_once(client: httpx.AsyncClient) -> None:
    """Here and not after each test: it reads the whole trail, which grows with them."""
    await assert_the_trail_agrees(client)
