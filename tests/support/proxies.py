"""A proxy between the service and one of its servers, which can hold back what it carries, or lose it."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeVar

T = TypeVar("T")
Port = int
_MOST = 1 << 16
_BACKLOG = 1024


@dataclass(slots=True)
class Hold:
    """The first message to the server with these bytes waits, on its connection, until it is let go."""

    content: bytes
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Due:
    """A fault that comes once so many bytes more have passed one way."""

    left: int
    fault: Callable[[], None]
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def pass_on(self, size: int) -> None:
        self.left -= size
        if self.left <= 0 and not self.reached.is_set():
            self.reached.set()
            self.fault()


class _Connection:
    """One that is carried: to `client`, who spoke to us, and to `server`, to whom we speak."""

    def __init__(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self.client, self.server = client, server
        self.is_deaf = False
        self.received = 0
        self._open = asyncio.Event()
        self._open.set()

    @property
    def source(self) -> Port:
        """From where the client spoke."""
        return int(self.client[1].get_extra_info("peername")[1])

    def bar(self, *, barred: bool) -> None:
        """What comes while it is barred waits, as on a network that sends again and again."""
        if barred:
            self._open.clear()
        else:
            self._open.set()

    async def pass_bar(self) -> None:
        await self._open.wait()

    def close(self) -> None:
        for _, writer in (self.client, self.server):
            writer.close()

    def abort(self) -> None:
        for _, writer in (self.client, self.server):
            writer.transport.abort()

    def deafen(self) -> None:
        """The server's end is gone, and the client is not told."""
        self.is_deaf = True
        self.server[1].transport.abort()


class Proxy:
    """To one local server. Its faults are called in its own loop: see `ProxyThread` for other threads."""

    def __init__(self, port: Port, *, tls: ssl.SSLContext | None = None) -> None:
        """To the local server at this port; with `tls`, in the clear from here on."""
        self.target = port
        self.latency_s = 0.0
        self._tls = tls
        self._holds: list[Hold] = []
        self._carrying: set[asyncio.Task[None]] = set()
        self._connections: set[_Connection] = set()
        self._bars: list[Callable[[], AbstractSet[Port]] | None] = []
        self._is_cut = False
        self._reply: bytes | None = None
        self._most: int | None = None
        self._due: dict[bool, Due] = {}

    @property
    def port(self) -> Port:
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

    def cut(self) -> None:
        """Connections break, and new ones break at once, until `heal`."""
        self._is_cut = True
        self._abort()

    def after(self, size: int, fault: Callable[[], None], *, to_server: bool) -> Due:
        """Call `fault` once so many bytes more have come for the server, or from it."""
        self._due[to_server] = Due(size, fault)
        return self._due[to_server]

    def answer(self, reply: bytes) -> None:
        """Connections break, and on new ones every request over HTTP is answered so, until `heal`."""
        self._reply = reply
        self._abort()

    def truncate(self, size: int) -> None:
        """Connections break, and new ones end once the server has sent so many bytes, until `heal`."""
        self._most = size
        self._abort()

    def half_open(self) -> None:
        """The server forgets the connections that there are, and the clients are not told."""
        for connection in list(self._connections):
            connection.deafen()

    def blackhole(self, *, of: Callable[[], AbstractSet[Port]] | None = None) -> None:
        """Nothing passes until `heal`, also on new connections; then what waited does.

        `of` tells the ports of those who are held up, each time that somebody connects; None: all are.
        """
        self._bars.append(of)
        self._bar(self._connections)

    def heal(self) -> None:
        self._bars.clear()
        self._is_cut = False
        self._reply = self._most = None
        self._due.clear()
        self._bar(self._connections)

    def retarget(self, port: Port) -> None:
        """To another local server from now on; connections to the one before break."""
        self.target = port
        self._abort()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", 0, ssl=self._tls, backlog=_BACKLOG
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for carrying in self._carrying:
            carrying.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)
        self._abort()
        await self._server.wait_closed()

    def _abort(self) -> None:
        for connection in list(self._connections):
            connection.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._reply is not None:
            await _answer(self._reply, reader, writer)
            return
        try:
            if self._is_cut:
                raise ConnectionError
            server = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        connection = _Connection((reader, writer), server)
        self._connections.add(connection)
        self._bar({connection})
        ways = [
            self._carry(connection, reader, server[1], may_hold=True),
            self._carry(connection, server[0], writer, may_hold=False),
        ]
        for way in ways:
            task = asyncio.create_task(way)
            self._carrying.add(task)
            task.add_done_callback(self._carrying.discard)

    def _bar(self, connections: set[_Connection]) -> None:
        held_up = set[Port]().union(*(of() for of in self._bars if of is not None))
        for connection in connections:
            connection.bar(barred=None in self._bars or connection.source in held_up)

    async def _carry(
        self,
        connection: _Connection,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        *,
        may_hold: bool,
    ) -> None:
        with contextlib.suppress(ConnectionError):
            try:
                while content := await source.read(_MOST):
                    if may_hold:
                        await self._wait(content)
                    if (due := self._due.get(may_hold)) is not None:
                        due.pass_on(len(content))
                    if self.latency_s:
                        await asyncio.sleep(self.latency_s)
                    await connection.pass_bar()
                    if not may_hold and self._most is not None:
                        content = content[: self._most - connection.received]
                        connection.received += len(content)
                    if not connection.is_deaf:
                        sink.write(content)
                        await sink.drain()
                    if not may_hold and connection.received == self._most:
                        break
                await connection.pass_bar()  # an end does not pass either
            finally:
                if may_hold or not connection.is_deaf:
                    self._connections.discard(connection)
                    connection.close()

    async def _wait(self, content: bytes) -> None:
        for hold in list(self._holds):
            if hold.content in content:
                self._holds.remove(hold)
                hold.reached.set()
                await hold.released.wait()


async def _answer(reply: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read on to the end, as the answer would be lost if the connection were closed before."""
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 " + reply)
        writer.write_eof()
        while await reader.read(_MOST):
            pass
    writer.close()


class ProxyThread:
    """A loop in a thread of its own for proxies, for those who have no loop, or a busy one."""

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._proxies: list[Proxy] = []
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for proxy in self._proxies:
            asyncio.run_coroutine_threadsafe(proxy.__aexit__(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def open(self, port: Port) -> Proxy:
        proxy = Proxy(port)
        asyncio.run_coroutine_threadsafe(proxy.__aenter__(), self._loop).result()
        self._proxies.append(proxy)
        return proxy

    def call(self, fault: Callable[[], T]) -> T:
        """Do something to a proxy, and return when it is done."""

        async def run() -> T:
            return fault()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()


def find_ports(pid: int) -> set[Port]:
    """The ports of the loopback from which a process speaks. Linux tells."""
    return {ours for ours, _ in _find_ends(pid)}


def find_clients(pid: int, port: Port) -> set[Port]:
    """The ports of those to whom a process speaks from this port, once it has accepted them."""
    return {theirs for ours, theirs in _find_ends(pid) if ours == port and theirs}


def _find_ends(pid: int) -> list[tuple[Port, Port]]:
    """Both ends of each of its sockets; of one that listens, the other is 0."""
    sockets = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            sockets.add(str(descriptor.readlink()))
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [
        (_read_port(ours), _read_port(theirs))
        for _, ours, theirs, *_, inode in (line[:10] for line in lines)
        if f"socket:[{inode}]" in sockets
    ]


def _read_port(address: str) -> Port:
    return int(address.rpartition(":")[2], 16)
