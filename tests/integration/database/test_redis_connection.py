"""The one connection to Redis that all sessions share: whose answer is whose, and what if it is lost."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import (
    AuthenticationError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.commands.embedded import binaries, redis_server
from app.commands.embedded.servers import Server
from app.database.redis_connection import Argument, RedisConnection, pack
from tests.support.certificates import make_certificate
from tests.support.proxies import Proxy
from tests.support.servers import RedisServer

PATIENCE_S = 30


@asynccontextmanager
async def opened(url: str, *, timeout_s: float = 5) -> AsyncIterator[RedisConnection]:
    async with Redis.from_url(url) as redis:
        redis_connection = RedisConnection(redis, timeout_s=timeout_s)
        try:
            yield redis_connection
        finally:
            redis_connection.close()
            await asyncio.sleep(0)


@pytest.fixture
async def redis_connection(redis_url: str) -> AsyncIterator[RedisConnection]:
    async with opened(redis_url) as redis_connection:
        yield redis_connection


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


async def say(redis_connection: RedisConnection, *arguments: Argument) -> Any:
    found = await redis_connection.call(lambda _: pack(*arguments), 1)
    (reply,) = found.replies
    return reply


async def echo(redis_connection: RedisConnection, number: int) -> int:
    """So many replies as the number says, all of them right; which may take one packet or many."""
    count, filler = number % 4 + 1, "x" * (number % 7 * 300)
    packed = b"".join(pack("ECHO", f"{number}-{place}-{filler}") for place in range(count))
    found = await redis_connection.call(lambda _: packed, count)
    assert found.replies == [f"{number}-{place}-{filler}" for place in range(count)]
    return number


async def connections(redis: Redis) -> int:
    """Of the redis_connection, whose last command was no CLIENT."""
    return sum(client["cmd"].partition("|")[0] != "client" for client in await redis.client_list())


async def test_1000_calls_at_once_get_their_own_answers_over_one_connection(
    redis_connection: RedisConnection, redis: Redis
) -> None:
    await redis.ping()
    before = int((await redis.info("stats"))["total_connections_received"])
    for _ in range(3):
        answers = await asyncio.gather(*(echo(redis_connection, number) for number in range(1_000)))
        assert answers == list(range(1_000))
    after = int((await redis.info("stats"))["total_connections_received"])
    assert after - before == 1


async def test_all_kinds_of_replies_are_read(redis_connection: RedisConnection) -> None:
    assert await say(redis_connection, "SET", "a", "ä😀") == "OK"
    assert await say(redis_connection, "GET", "a") == "ä😀"
    assert await say(redis_connection, "GET", "b") is None
    assert await say(redis_connection, "INCR", "c") == 1
    assert await say(redis_connection, "MGET", "a", "b", "c") == ["ä😀", None, "1"]
    assert await say(redis_connection, "EVAL", "return {1, {'x', {}}}", 0) == [1, ["x", []]]
    assert await say(redis_connection, "SET", "d", b"\xff\xfe") == "OK"
    assert await say(redis_connection, "GET", "d") == "\ufffd\ufffd"
    assert await say(redis_connection, "ECHO", "x" * 1_000_000) == "x" * 1_000_000


async def test_what_is_sent_is_never_taken_for_a_command(redis_connection: RedisConnection) -> None:
    for text in ("\r\nFLUSHALL\r\n", "*1\r\n$8\r\nFLUSHALL\r\n", "$-1", "", "\0", "ä" * 100):
        assert await say(redis_connection, "SET", text, text) == "OK"
        assert await say(redis_connection, "GET", text) == text


async def test_a_caller_who_gives_up_does_not_shift_the_answers_of_others(
    redis_connection: RedisConnection,
) -> None:
    for _ in range(20):
        calls = [asyncio.create_task(echo(redis_connection, number)) for number in range(200)]
        await asyncio.sleep(0)
        for call in calls[::3]:
            call.cancel()
        answers = await asyncio.gather(*calls, return_exceptions=True)
        kept = [answer for answer in answers if not isinstance(answer, BaseException)]
        assert kept == [number for number in range(200) if number % 3]
        assert await echo(redis_connection, 7) == 7


async def test_a_caller_who_gives_up_while_connecting_leaves_the_connection_to_others(
    redis_connection: RedisConnection,
) -> None:
    calls = [asyncio.create_task(echo(redis_connection, number)) for number in range(10)]
    await asyncio.sleep(0)
    calls[0].cancel()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == list(range(1, 10))


async def test_if_all_give_up_while_connecting_the_next_finds_it_connected(
    redis_connection: RedisConnection,
) -> None:
    call = asyncio.create_task(echo(redis_connection, 1))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await echo(redis_connection, 2) == 2
    assert redis_connection._connecting is None


async def test_an_error_is_the_caller_s_alone(redis_connection: RedisConnection) -> None:
    async def fail() -> None:
        with pytest.raises(ResponseError, match="unknown command"):
            await say(redis_connection, "NONSENSE")

    mixed = [echo(redis_connection, number) for number in range(100)]
    await asyncio.gather(
        *(one for pair in zip(mixed, [fail() for _ in range(100)], strict=True) for one in pair)
    )


async def test_an_error_among_several_replies_is_raised_and_the_rest_is_read(
    redis_connection: RedisConnection,
) -> None:
    packed = pack("ECHO", "a") + pack("NONSENSE") + pack("ECHO", "b")
    with pytest.raises(ResponseError):
        await redis_connection.call(lambda _: packed, 3)
    assert await echo(redis_connection, 3) == 3


async def test_a_late_answer_fails_all_who_wait_and_reaches_nobody_after(own_redis: RedisServer) -> None:
    async with opened(own_redis.url, timeout_s=0.2) as redis_connection:
        assert await echo(redis_connection, 1) == 1
        own_redis.freeze()
        async with asyncio.timeout(PATIENCE_S):
            calls = (say(redis_connection, "ECHO", "late") for _ in range(50))
            failures = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(failure) for failure in failures} == {RedisTimeoutError}
        with pytest.raises(RedisConnectionError):  # it accepts, and says nothing
            await echo(redis_connection, 1)
        own_redis.thaw()
        assert await asyncio.gather(*(echo(redis_connection, number) for number in range(50))) == list(
            range(50)
        )


async def test_nothing_is_sent_twice(own_redis: RedisServer) -> None:
    async with opened(own_redis.url, timeout_s=0.2) as redis_connection:
        assert await say(redis_connection, "INCR", "count") == 1
        own_redis.freeze()
        with pytest.raises(RedisTimeoutError):
            await say(redis_connection, "INCR", "count")
        own_redis.thaw()
        assert int(await say(redis_connection, "GET", "count")) <= 2


async def test_a_connection_that_is_cut_fails_those_who_wait_and_is_made_again(
    redis_connection: RedisConnection, redis: Redis
) -> None:
    for number in range(20):
        assert await echo(redis_connection, number) == number
        waiting = asyncio.create_task(say(redis_connection, "BLPOP", "nothing", 0))
        await asyncio.sleep(0.01)
        await redis.client_kill_filter(_type="normal", skipme=True)
        with pytest.raises(RedisConnectionError):
            await waiting
    assert await echo(redis_connection, 1) == 1
    assert await connections(redis) == 1


async def test_a_server_that_was_restarted_is_found_again_under_another_epoch(own_redis: RedisServer) -> None:
    async with opened(own_redis.url) as redis_connection:
        epochs = set()
        for _ in range(3):
            found = await redis_connection.call(lambda _: pack("PING"), 1)
            assert (found.replies, (await redis_connection.call(lambda _: pack("PING"), 1)).epoch) == (
                ["PONG"],
                found.epoch,
            )
            epochs.add(found.epoch)
            await asyncio.to_thread(own_redis.kill)
            async with asyncio.timeout(PATIENCE_S):
                refused = await asyncio.gather(
                    *(echo(redis_connection, n) for n in range(100)), return_exceptions=True
                )
            assert {type(error) for error in refused} == {RedisConnectionError}
            await asyncio.to_thread(own_redis.restart)
        assert len(epochs) == 3
        assert "" not in epochs


async def test_commands_are_made_for_the_epoch_they_meet(
    redis_connection: RedisConnection, redis: Redis
) -> None:
    about = await redis.info("server") | await redis.info("replication")
    found = await redis_connection.call(lambda epoch: pack("ECHO", epoch), 1)
    assert found.replies == [found.epoch] == [f"{about['run_id']}:{about['master_replid']}"]


async def test_reconnecting_leaves_no_task_and_no_connection(
    redis_connection: RedisConnection, redis: Redis
) -> None:
    tasks = asyncio.all_tasks()
    for _ in range(50):
        await asyncio.gather(*(echo(redis_connection, number) for number in range(10)))
        await redis.client_kill_filter(_type="normal", skipme=True)
        await asyncio.sleep(0.005)
    assert await echo(redis_connection, 1) == 1
    assert asyncio.all_tasks() == tasks
    assert await connections(redis) == 1
    redis_connection.close()
    await asyncio.sleep(0.05)
    assert await connections(redis) == 0
    assert asyncio.all_tasks() == tasks


async def test_closing_fails_those_who_wait_and_those_who_connect(redis_url: str) -> None:
    async with opened(redis_url) as redis_connection:
        await echo(redis_connection, 1)
        waiting = asyncio.create_task(say(redis_connection, "BLPOP", "nothing", 0))
        await asyncio.sleep(0.01)
        redis_connection.close()
        with pytest.raises(RedisConnectionError):
            await waiting
    async with opened(redis_url) as redis_connection:
        connecting = asyncio.create_task(echo(redis_connection, 1))
        await asyncio.sleep(0)
        redis_connection.close()
        with pytest.raises((RedisConnectionError, asyncio.CancelledError)):
            await connecting


async def test_the_database_of_the_address_is_the_one_spoken_to(redis_url: str) -> None:
    there = redis_url.removesuffix("/1") + "/9"
    async with opened(there) as redis_connection, Redis.from_url(there, decode_responses=True) as redis:
        await say(redis_connection, "SET", "redis_connection", "here")
        assert await redis.get("redis_connection") == "here"
        await redis.delete("redis_connection")


@pytest.mark.parametrize("user", ["", "ana"])
async def test_it_signs_in_to_redis(own_redis: RedisServer, user: str) -> None:
    async with Redis.from_url(own_redis.url) as redis:
        if user:
            await redis.acl_setuser(
                user, enabled=True, passwords=["+p@ss:w/rd"], commands=["+@all"], keys=["*"]
            )
            await redis.acl_setuser("default", enabled=False)
        else:
            await redis.config_set("requirepass", "p@ss:w/rd")
    address = own_redis.url.removeprefix("redis://")
    async with opened(f"redis://{user}:p%40ss%3Aw%2Frd@{address}") as redis_connection:
        assert await say(redis_connection, "PING") == "PONG"
    for wrong in ("", f"{user}:wrong@"):
        async with opened(f"redis://{wrong}{address}") as redis_connection:
            with pytest.raises(AuthenticationError) as caught:
                await say(redis_connection, "PING")
            why = "NOAUTH Authentication required." if wrong == "" else "WRONGPASS"
            assert str(caught.value).startswith(f"Redis refused the connection: {why}")


async def test_a_unix_socket_will_do(own_folder: Path) -> None:
    path = own_folder / "socket"
    binary = binaries.find("redis-server", copies=own_folder / "bin")

    def command(data: Path, port: int) -> list[str]:
        return [*partial(redis_server.command, binary)(data, port), "--unixsocket", str(path)]

    server = Server(own_folder / "redis-server", command=command, ready=redis_server.find_ready)
    try:
        server.start()
        async with opened(f"unix://{path}?db=2") as redis_connection:
            assert await asyncio.gather(*(echo(redis_connection, number) for number in range(50))) == list(
                range(50)
            )
    finally:
        server.stop()


async def test_tls_is_spoken_and_the_server_s_certificate_checked(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    certificate, key = make_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    async with Proxy(redis_server.server.port, tls=context) as proxy:
        address = f"rediss://127.0.0.1:{proxy.port}/1"
        async with opened(f"{address}?ssl_ca_certs={certificate}") as redis_connection:
            assert await asyncio.gather(*(echo(redis_connection, number) for number in range(200))) == list(
                range(200)
            )
        async with opened(address) as redis_connection:
            with pytest.raises(RedisConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
                await echo(redis_connection, 1)


@asynccontextmanager
async def answering(content: bytes, *, close: bool = False) -> AsyncIterator[str]:
    """The address of something that answers this to whatever it is told."""
    writers: list[asyncio.StreamWriter] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        while await reader.read(65_536):
            writer.write(content)
            if close:
                break
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    "content",
    [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 100, b"+OK\r\n", b"-ERR no\r\n" * 3, b"$5\r\nab"],
)
@pytest.mark.parametrize("close", [False, True])
async def test_what_does_not_speak_redis_is_given_up(content: bytes, *, close: bool) -> None:
    async with answering(content, close=close) as url, opened(url, timeout_s=0.2) as redis_connection:
        for _ in range(3):
            async with asyncio.timeout(PATIENCE_S):
                failures = await asyncio.gather(
                    *(echo(redis_connection, n) for n in range(20)), return_exceptions=True
                )
            assert all(isinstance(failure, RedisError) for failure in failures), failures


async def test_a_host_that_has_no_address_is_a_lost_connection() -> None:
    async with opened("redis://nobody.invalid:6379/0", timeout_s=2) as redis_connection:
        with pytest.raises(RedisConnectionError, match="cannot be reached"):
            await echo(redis_connection, 1)
