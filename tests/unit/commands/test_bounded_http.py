"""The end of connections when the server stops, on sockets of the loopback."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from app.commands.http_protocol import BoundedHttp
from app.core.settings import Settings
from app.http.admission import Admission

FOREVER_S = 3600
PATIENCE_S = 10
ASKED = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Answer:
    state = SimpleNamespace(admission=Admission(Settings()))

    async def __call__(self, _: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})


@pytest.fixture
def state() -> ServerState:
    return ServerState()


@pytest.fixture
async def stopping(state: ServerState, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """The port of a server that has told its one connection that it stops, and still takes others.

    As asyncio does: it tells of a connection two turns of its loop after it has accepted it.
    """
    monkeypatch.setattr("app.commands.http_protocol.LULL_S", 0.1)
    config = uvicorn.Config(Answer(), log_config=None, proxy_headers=False, timeout_keep_alive=FOREVER_S)
    server = await asyncio.get_running_loop().create_server(
        lambda: BoundedHttp(config, state, {}), "127.0.0.1", 0
    )
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, first = await asyncio.open_connection("127.0.0.1", port)
        first.write(ASKED)
        await reader.readuntil(b"\r\n\r\n")
        for connection in list(state.connections):
            connection.shutdown()
        yield port
        first.close()


async def test_a_connection_that_the_stop_overtakes_is_not_waited_for_though_it_sends_nothing(
    stopping: int, state: ServerState
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", stopping)
    assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
    assert not state.connections
    writer.close()


async def test_a_connection_that_the_stop_overtakes_is_told_that_its_first_request_is_its_last(
    stopping: int,
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", stopping)
    writer.write(ASKED)
    reply = await asyncio.wait_for(reader.read(), PATIENCE_S)
    assert reply.startswith(b"HTTP/1.1 204 ")
    assert b"\r\nconnection: close\r\n" in reply
    writer.close()
