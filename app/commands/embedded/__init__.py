"""The private MongoDB and Redis of a machine that has none: real servers that end with this process."""

import contextlib
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Self

from app.commands.embedded import binaries, keeper, locks, mongod, owners, redis_server
from app.commands.embedded.servers import Server, end_leftover
from app.core.errors import StartError

_NAMES = ("mongod", "redis-server")


class EmbeddedServers:
    """The servers of one data folder; the address of a server that was not wanted is None."""

    def __init__(self) -> None:
        self.mongo_uri: str | None = None
        self.redis_url: str | None = None
        self._open_things = contextlib.ExitStack()

    @classmethod
    def start(cls, data_dir: Path, *, mongo: bool, redis: bool, share: bool = False) -> Self:
        """Start the wanted servers and wait for them; StartError, with all undone, if that fails.

        `share`: if another process runs them, use those; they end with that process.
        """
        started = cls()
        try:
            if mongo or redis:
                started._start_in(data_dir.absolute(), mongo=mongo, redis=redis, share=share)
        except BaseException:
            started.stop()
            raise
        return started

    def stop(self) -> None:
        """End the servers in order and release the folder; close your connections first."""
        self._open_things.close()

    def _start_in(self, data_dir: Path, *, mongo: bool, redis: bool, share: bool) -> None:
        mongo_server = describe_mongod(data_dir) if mongo else None
        redis_instance = describe_redis(data_dir) if redis else None
        if not self._own(data_dir):
            if not share:
                raise StartError(
                    f"Process {owners.read(data_dir).pid} already runs the servers of {data_dir}: "
                    "stop it first, or set ROSTER_DATA_DIR to another folder."
                )
            self.mongo_uri, self.redis_url = owners.share(data_dir, mongo=mongo, redis=redis)
            return
        lock = self._lock_servers(data_dir)
        if mongo_server:
            self._start_one(mongo_server, lock)
            self.mongo_uri = mongod.uri(mongo_server.port)
        if redis_instance:
            self._start_one(redis_instance, lock)
            self.redis_url = redis_server.url(redis_instance.port)
        owners.write(data_dir, owners.Owner(os.getpid(), self.mongo_uri, self.redis_url, is_ready=True))

    def _start_one(self, server: Server, lock: int) -> None:
        self._open_things.callback(server.stop)
        server.start(lock=lock)

    def _own(self, data_dir: Path) -> bool:
        """Lock the folder for this process; the lock ends with it."""
        try:
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            owner = locks.acquire(owners.find(data_dir))
        except OSError as error:
            raise StartError(
                f"The data folder {data_dir} cannot be used ({error.strerror}): "
                "set ROSTER_DATA_DIR to one that this user may write to."
            ) from error
        if owner is None:
            return False
        self._open_things.callback(os.close, owner)
        owners.write(data_dir, owners.Owner(os.getpid()))
        return True

    def _lock_servers(self, data_dir: Path) -> int:
        """The lock that the servers hold, too: free once no server of a dead owner is left."""
        path = data_dir / "servers.lock"
        lock = locks.acquire(path)
        if lock is None:
            for name in _NAMES:
                end_leftover(data_dir / name)
            lock = locks.acquire(path, wait_s=keeper.STOP_GRACE_S)
        if lock is None:
            raise StartError(
                f"A server of an earlier start still uses {data_dir} and does not stop: kill it."
            )
        self._open_things.callback(os.close, lock)
        return lock


@contextlib.contextmanager
def running(data_dir: Path, *, mongo: bool, redis: bool, share: bool = False) -> Iterator[EmbeddedServers]:
    servers = EmbeddedServers.start(data_dir, mongo=mongo, redis=redis, share=share)
    try:
        yield servers
    finally:
        servers.stop()


def describe_mongod(data_dir: Path) -> Server:
    """Not started; StartError without a binary."""
    binary = binaries.find("mongod", copies=data_dir / "bin")
    return Server(data_dir / "mongod", command=partial(mongod.command, binary), ready=mongod.settle)


def describe_redis(data_dir: Path) -> Server:
    """Not started; StartError without a binary."""
    binary = binaries.find("redis-server", copies=data_dir / "bin")
    return Server(
        data_dir / "redis-server",
        command=partial(redis_server.command, binary),
        ready=redis_server.find_ready,
    )
