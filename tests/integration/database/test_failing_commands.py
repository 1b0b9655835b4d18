"""MongoDB fails a command once and twice: each operation is answered as ever or 503, and done only once."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.exports import store_many
from tests.support.failing import (
    NETWORK_TIMEOUT,
    OPERATIONS,
    Attempt,
    FailingMongo,
    lies_between,
    serving_all_along,
)
from tests.support.openapi import Operation
from tests.support.servers import RedisServer

COMMANDS = (
    "find", "insert", "update", "delete", "aggregate", "getMore", "findAndModify", "commitTransaction",
)  # fmt: skip
BUSY = 600
"""Users who are in the way: more than one batch of an export."""


@pytest.fixture(scope="module")
def failing_mongo(servers_folder: Path) -> Iterator[FailingMongo]:
    with FailingMongo(servers_folder / "failing") as server:
        store_many(server.uri, BUSY)
        yield server


@pytest.fixture(scope="module")
async def client(failing_mongo: FailingMongo, redis_server: RedisServer) -> AsyncIterator[httpx.AsyncClient]:
    async with serving_all_along(failing_mongo, redis_server) as opened:
        yield opened


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one[2]["operationId"])
async def test_an_operation_whose_commands_fail_is_answered_as_ever_or_503_and_done_once(
    failing_mongo: FailingMongo, client: httpx.AsyncClient, operation: Operation
) -> None:
    attempt = await Attempt(client, operation).prepare()
    with failing_mongo.noting() as sent:
        usual = await attempt.send()
    assert usual is not None
    assert usual < 500
    done = await attempt.changes()
    for command in (each for each in COMMANDS if each in sent):
        for times in (1, 2):
            attempt = await Attempt(client, operation).prepare()
            with failing_mongo.failing(command, times, NETWORK_TIMEOUT) as failed:
                status = await attempt.send()
            if not failed[0]:
                break  # it sends no such command
            about = (command, times, status)
            changed = await attempt.changes()
            if status is None:
                assert (command, "export" in operation[1]) == ("getMore", True), about
            elif status == usual and not operation[1].endswith(":batch"):
                assert changed == done, about
            else:
                assert status in {503, usual}, about
                assert lies_between(changed, done), (about, changed, done)
            again = await attempt.send()
            assert again is not None, about
            assert again < 500, about
            assert (await attempt.changes()).users == done.users, about


async def test_a_server_too_busy_to_list_its_indexes_leaves_the_process_ready(
    failing_mongo: FailingMongo, client: httpx.AsyncClient
) -> None:
    opened = client.app.state.container  # type: ignore[attr-defined]  # set by `serving_all_along`
    opened.readiness._good_until = opened.readiness._indexes_good_until = 0.0  # the next request looks anew
    with failing_mongo.failing("listIndexes", None, NETWORK_TIMEOUT) as failed:
        reply = await client.get("/health/ready")
    assert failed[0] >= 1
    assert (reply.status_code, reply.json()) == (200, {"status": "ready"})
