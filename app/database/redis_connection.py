"""The connection to Redis for sessions and throttles: one socket, shared by all requests.

A check that shares packets with others costs a quarter of one on a connection of its own. And one connection
leads to one server: its `epoch` tells whether that is still the server, with the same history, under which a
session was last confirmed.
"""

import asyncio
import contextlib
import hashlib
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import hiredis
from redis.asyncio import Redis
from redis.exceptions import (
    AuthenticationError,
    ConnectionError,  # noqa: A004 - redis-py's own
    ReadOnlyError,
    ResponseError,
    TimeoutError,  # noqa: A004 - redis-py's own
)

Argument = str | bytes | int
EPOCH = "<epoch>"
"""A placeholder for the epoch of the connection that a script is sent over."""

_ALONE = "standalone"
_NO_MASTER = ("READONLY", "MASTERDOWN", "LOADING")
"""The error of a server that became a replica meanwhile: a new connection may find the master."""


@dataclass(frozen=True, slots=True)
class Replies:
    """The replies of one call, and the epoch of their server (see `RedisConnection`)."""

    epoch: str
    replies: list[Any]


class Script:
    """A Lua script, sent as its digest once Redis has it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def pack(*arguments: Argument) -> bytes:
    """One command as it goes over the wire (RESP)."""
    parts = [argument if isinstance(argument, bytes) else str(argument).encode() for argument in arguments]
    return b"*%d\r\n%b" % (len(parts), b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts))


class RedisConnection:
    """A connection that is made when first used, and again after a loss; nothing is sent twice.

    An epoch is the server's run id and the id of the history it replicates: a restart, a fail-over or a
    restored copy has another one.
    """

    def __init__(self, redis: Redis, *, timeout_s: float) -> None:
        """`redis` has the address and the credentials."""
        self._redis = redis
        self._timeout_s = timeout_s
        self._connection: _RedisProtocol | None = None
        self._connecting: asyncio.Task[_RedisProtocol] | None = None

    @property
    def waiting(self) -> int:
        """The number of calls without an answer."""
        return 0 if self._connection is None else self._connection.waiting

    async def call(self, pack_for: Callable[[str], bytes], replies: int) -> Replies:
        """Send commands, packed for the connection's epoch, and wait for so many replies.

        RedisError: no connection, a refusal by Redis, or no answer in time. Late answers end the connection
        and fail the other calls on it, since nobody could tell whose answer comes next.
        """
        connection = self._connection
        if connection is None or connection.is_closed:
            connection = await self._connect()
        found = await connection.call(pack_for(connection.epoch), replies)
        for reply in found:
            if isinstance(reply, Exception):
                if str(reply).startswith(_NO_MASTER):
                    connection.close()
                raise reply
        return Replies(connection.epoch, found)

    async def run(self, script: Script, keys: Sequence[str], *arguments: Argument) -> tuple[str, Any]:
        """The epoch and the script's answer; an argument `EPOCH` is replaced."""
        rest = (len(keys), *keys, *arguments)
        try:
            found = await self.call(_packer("EVALSHA", script.digest, *rest), 1)
        except ResponseError as error:
            if not str(error).startswith("NOSCRIPT"):
                raise
            found = await self.call(_packer("EVAL", script.text, *rest), 1)
        return found.epoch, found.replies[0]

    def close(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
        if self._connection is not None:
            self._connection.close()

    async def _connect(self) -> "_RedisProtocol":
        """Connect; all callers share one attempt, which goes on when one of them gives up."""
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._open())
            self._connecting.add_done_callback(self._connected)
        return await asyncio.shield(self._connecting)

    def _connected(self, attempt: "asyncio.Task[_RedisProtocol]") -> None:
        self._connecting = None
        if not attempt.cancelled() and attempt.exception() is None:
            self._connection = attempt.result()

    async def _open(self) -> "_RedisProtocol":
        connection = _RedisProtocol(self._timeout_s)
        try:
            async with asyncio.timeout(self._timeout_s):
                address = self._address()
                await self._dial(connection, address)
                await self._shake_hands(connection, address)
        except (OSError, TimeoutError) as error:
            connection.close()
            raise ConnectionError(f"Redis cannot be reached: {_explain(error)}.") from None
        except BaseException:
            connection.close()
            raise
        return connection

    def _address(self) -> Any:
        """The address and the credentials, as redis-py parsed the URL."""
        pool: Any = self._redis.connection_pool
        return pool.make_connection()

    async def _dial(self, connection: "_RedisProtocol", address: Any) -> None:
        loop = asyncio.get_running_loop()
        if path := getattr(address, "path", None):
            await loop.create_unix_connection(lambda: connection, path)
            return
        context: ssl.SSLContext | None = None
        if (tls := getattr(address, "ssl_context", None)) is not None:
            context = tls.get()
        await loop.create_connection(lambda: connection, address.host, address.port, ssl=context)

    async def _shake_hands(self, connection: "_RedisProtocol", address: Any) -> None:
        commands = [pack("SELECT", address.db or 0), pack("INFO", "server"), pack("INFO", "replication")]
        if address.username or address.password:
            names = [address.username] if address.username else []
            commands.insert(0, pack("AUTH", *names, address.password or ""))
        *_, server, replication = found = await connection.call(b"".join(commands), len(commands))
        _refuse_several(server)
        for reply in found:
            if isinstance(reply, Exception):
                raise AuthenticationError(f"Redis refused the connection: {reply}") from reply
        about = _facts(server) | _facts(replication)
        if about.get("role", "master") != "master":
            raise ReadOnlyError("The Redis that answers is a replica.")
        connection.epoch = f"{about.get('run_id')}:{about.get('master_replid')}"


def _packer(*arguments: Argument) -> Callable[[str], bytes]:
    def pack_for(epoch: str) -> bytes:
        return pack(*(epoch if part is EPOCH else part for part in arguments))

    return pack_for


def _explain(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or "no answer in time").rstrip(".")


def _refuse_several(server: object) -> None:
    """Refuse a Cluster, whose keys may lie elsewhere, and a Sentinel, which has none."""
    about = _facts(server) if isinstance(server, str) else {}
    mode = about.get("redis_mode") or about.get("server_mode") or _ALONE
    if mode != _ALONE:
        raise ResponseError(f"it runs as {mode}, and Roster speaks to one Redis, no Cluster and no Sentinel")


def _facts(info: str) -> dict[str, str]:
    return dict(line.split(":", 1) for line in info.splitlines() if ":" in line)


class _Call:
    __slots__ = ("answer", "due", "missing", "replies")

    def __init__(self, answer: asyncio.Future[list[Any]], missing: int, due: float) -> None:
        self.answer = answer
        self.missing = missing
        self.due = due
        self.replies: list[Any] = []


class _RedisProtocol(asyncio.Protocol):
    """One socket: answers come in the order of the calls, and a late one ends the connection."""

    def __init__(self, timeout_s: float) -> None:
        self.epoch = ""
        self.is_closed = False
        self._loop = asyncio.get_running_loop()
        self._timeout_s = timeout_s
        self._transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader(encoding="utf-8", errors="replace", replyError=ResponseError)
        self._waiting: deque[_Call] = deque()
        self._watch: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def call(self, packed: bytes, replies: int) -> asyncio.Future[list[Any]]:
        if self.is_closed or self._transport is None:
            raise ConnectionError("The connection to Redis is closed.")
        answer: asyncio.Future[list[Any]] = self._loop.create_future()
        self._waiting.append(_Call(answer, replies, self._loop.time() + self._timeout_s))
        self._transport.write(packed)
        if self._watch is None:
            self._watch = self._loop.call_later(self._timeout_s, self._look)
        return answer

    def close(self) -> None:
        self._fail(ConnectionError("The connection to Redis was closed."))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while self._waiting and (reply := self._reader.gets()) is not False:
                self._take(reply)
        except hiredis.ProtocolError:
            self._fail(ConnectionError("The server does not speak Redis."))

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(ConnectionError(f"The connection to Redis was lost ({type(exc).__name__})."))

    def _take(self, reply: Any) -> None:
        call = self._waiting[0]
        call.replies.append(reply)
        call.missing -= 1
        if not call.missing:
            self._waiting.popleft()
            if not call.answer.done():  # unless the caller was cancelled
                call.answer.set_result(call.replies)

    def _look(self) -> None:
        """End the connection if the oldest call is late; one timer serves all calls."""
        self._watch = None
        if not self._waiting:
            return
        left = self._waiting[0].due - self._loop.time()
        if left > 0:
            self._watch = self._loop.call_later(left, self._look)
        else:
            self._fail(TimeoutError("Redis did not answer in time."))

    def _fail(self, error: Exception) -> None:
        self.is_closed = True
        if self._watch is not None:
            self._watch.cancel()
        if self._transport is not None:
            with contextlib.suppress(OSError):
                self._transport.abort()
        while self._waiting:
            call = self._waiting.popleft()
            if not call.answer.done():
                call.answer.set_exception(error)
