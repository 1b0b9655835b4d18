"""The proxies of this tier: the network faults that other tests rely on are real."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import pytest

from tests.support.proxies import Proxy, find_ports
from tests.support.servers import MongoServer
from tests.support.users import until

MOMENT_S = 0.05


class Echo:
    """A server that answers what it is sent, and keeps what it got."""

    def __init__(self, greeting: bytes = b"") -> None:
        self.greeting = greeting
        self.received = b""
        self.ended = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while content := await reader.read(100):
                self.received += content
                writer.write(self.greeting + content)
        except ConnectionError:
            pass
        finally:
            self.ended += 1
            writer.close()


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, content: bytes) -> bytes:
        self.writer.write(content)
        return await self.reader.read(100)

    async def hears_nothing(self) -> bool:
        try:
            async with asyncio.timeout(MOMENT_S):
                await self.reader.read(100)
        except TimeoutError:
            return True
        return False


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    async with Echo() as server:
        yield server


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[Proxy]:
    async with Proxy(echo.port) as opened:
        yield opened


@asynccontextmanager
async def connected(proxy: Proxy) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


@pytest.fixture
async def client(proxy: Proxy) -> AsyncIterator[Client]:
    async with connected(proxy) as opened:
        assert await opened.ask(b"hello") == b"hello"
        yield opened


async def test_a_cut_line_breaks_and_lets_nobody_in_until_it_is_mended(proxy: Proxy, client: Client) -> None:
    proxy.cut()
    with pytest.raises(ConnectionError):
        await client.ask(b"more")
    async with connected(proxy) as late:
        with pytest.raises(ConnectionError):
            await late.ask(b"more")
    proxy.heal()
    async with connected(proxy) as after:
        assert await after.ask(b"again") == b"again"


async def test_in_a_blackhole_nothing_passes_and_afterwards_what_waited_does(
    proxy: Proxy, client: Client, echo: Echo
) -> None:
    proxy.blackhole()
    client.writer.write(b"late")
    async with connected(proxy) as later:
        later.writer.write(b"later")
        assert await client.hears_nothing()
        assert echo.received == b"hello"
        proxy.heal()
        assert await client.reader.read(100) == b"late"
        assert await later.reader.read(100) == b"later"


async def test_a_blackhole_may_hold_up_one_process_and_no_other(
    proxy: Proxy, client: Client, mongo_server: MongoServer
) -> None:
    other = mongo_server.server.pid
    assert other is not None
    proxy.blackhole(of=lambda: find_ports(other))
    assert await client.ask(b"more") == b"more"
    proxy.blackhole(of=lambda: find_ports(os.getpid()))
    client.writer.write(b"late")
    assert await client.hears_nothing()
    proxy.heal()
    assert await client.reader.read(100) == b"late"


async def test_half_open_the_server_has_forgotten_the_connection_and_the_client_is_not_told(
    proxy: Proxy, client: Client, echo: Echo
) -> None:
    proxy.half_open()

    async def has_ended() -> bool:
        return echo.ended == 1

    await until(has_ended)
    client.writer.write(b"lost")
    assert await client.hears_nothing()
    assert echo.received == b"hello"
    async with connected(proxy) as after:
        assert await after.ask(b"new") == b"new"


async def test_latency_delays_each_way(proxy: Proxy, client: Client) -> None:
    proxy.latency_s = 0.1
    loop = asyncio.get_running_loop()
    begun = loop.time()
    assert await client.ask(b"slow") == b"slow"
    assert loop.time() - begun >= 2 * proxy.latency_s


async def test_an_address_can_be_taken_to_another_server(proxy: Proxy, client: Client) -> None:
    async with Echo(b"other: ") as other:
        proxy.retarget(other.port)
        with pytest.raises(ConnectionError):
            await client.ask(b"more")
        async with connected(proxy) as moved:
            assert await moved.ask(b"hello") == b"other: hello"


@pytest.mark.parametrize("to_server", [True, False])
async def test_a_fault_may_wait_until_so_many_bytes_have_passed(
    proxy: Proxy, client: Client, *, to_server: bool
) -> None:
    due = proxy.after(7, proxy.cut, to_server=to_server)
    assert await client.ask(b"more") == b"more"
    assert not due.reached.is_set()
    assert await client.ask(b"more") == b""
    assert due.reached.is_set()


async def test_what_the_server_sends_may_be_cut_short(proxy: Proxy, client: Client) -> None:
    proxy.truncate(3)
    with pytest.raises(ConnectionError):
        await client.ask(b"more")
    async with connected(proxy) as late:
        assert (await late.ask(b"more"), await late.reader.read(100)) == (b"mor", b"")
    proxy.heal()
    async with connected(proxy) as after:
        assert await after.ask(b"again") == b"again"


async def test_a_request_over_http_may_be_answered_by_the_proxy(
    proxy: Proxy, client: Client, echo: Echo
) -> None:
    proxy.answer(b"503 Slow Down\r\n\r\n")
    with pytest.raises(ConnectionError):
        await client.ask(b"more")
    async with connected(proxy) as late:
        assert await late.ask(b"GET / HTTP/1.1\r\n\r\n") == b"HTTP/1.1 503 Slow Down\r\n\r\n"
    assert echo.received == b"hello"
