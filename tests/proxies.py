"""A proxy between the service and one of its servers, which can hold back what it carries."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Self

_MOST = 1 << 16


@dataclass(slots=True)
class Hold:
    """The first message to the server with these bytes waits, on its connection, until it is let go."""

    content: bytes
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)


class Proxy:
    def __init__(self, port: int, *, tls: ssl.SSLContext | None = None) -> None:
        """To the local server at this port; with `tls`, in the clear from here on."""
        self._target = port
        self._tls = tls
        self._holds: list[Hold] = []
        self._carrying: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    @contextlib.asynccontextmanager
    async def holding(self, content: bytes) -> AsyncIterator[Hold]:
        """At the end it is let go, if it was held."""
        hold = Hold(content)
        self._holds.append(hold)
        try:
            yield hold
        finally:
            hold.released.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for carrying in self._carrying:
            carrying.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, out = await asyncio.open_connection("127.0.0.1", self._target)
        for source, sink in ((reader, out), (there, writer)):
            task = asyncio.create_task(self._carry(source, sink, may_hold=source is reader))
            self._carrying.add(task)

    async def _carry(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, may_hold: bool
    ) -> None:
        with contextlib.suppress(ConnectionError):
            try:
                while content := await source.read(_MOST):
                    if may_hold:
                        await self._wait(content)
                    sink.write(content)
                    await sink.drain()
            finally:
                sink.close()

    async def _wait(self, content: bytes) -> None:
        for hold in list(self._holds):
            if hold.content in content:
                self._holds.remove(hold)
                hold.reached.set()
                await hold.released.wait()
