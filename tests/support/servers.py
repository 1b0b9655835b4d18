"""Real servers for the integration tier, which a test may kill, freeze and start again.

They are launched as the embedded default launches its own, so they too end with the run, however it ends.
"""

import os
import signal
from pathlib import Path
from typing import Self

from app.commands.embedded import binaries, mongod, redis_server
from app.commands.embedded.servers import Server


class Faults:
    """What can befall a server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        try:
            server.start()
        except BaseException:
            server.stop()
            raise

    def stop(self) -> None:
        self.thaw()
        self.server.stop()

    def kill(self) -> None:
        """SIGKILL; returns when the process is gone."""
        self._signal(signal.SIGKILL)
        self.server.stop()

    def freeze(self) -> None:
        """SIGSTOP: it keeps its connections and answers nothing until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def restart(self) -> None:
        """Same port, same data; after a `kill`, too."""
        port = self.server.port
        self.stop()
        self.server.start()
        assert self.server.port == port, f"port {port} was taken meanwhile"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _signal(self, number: int) -> None:
        if self.server.pid is not None:
            os.kill(self.server.pid, number)


# Every test makes a database of some 24 files and drops it. By default mongod keeps dropped files for five
# minutes and their descriptors for longer: a whole run of tests would have more open than a process may.
_FORGET_DROPPED = (
    *("--setParameter", "minSnapshotHistoryWindowInSeconds=0", "--syncdelay", "5"),
    "--wiredTigerEngineConfigString",
    "file_manager=(close_idle_time=3,close_scan_interval=1,close_handle_minimum=100)",
)


class MongoServer(Faults):
    """A mongod, the only node of its replica set."""

    def __init__(self, folder: Path, *options: str) -> None:
        """`options` are added to the command line."""
        binary = find_binary("mongod", folder)

        def command(data: Path, port: int) -> list[str]:
            return [*mongod.command(binary, data, port, cache_gb=0.25), *_FORGET_DROPPED, *options]

        super().__init__(Server(folder / "mongod", command=command, ready=mongod.settle))

    @property
    def uri(self) -> str:
        return self.uri_of("roster")

    def uri_of(self, database: str) -> str:
        return mongod.uri(self.server.port, database)


class RedisServer(Faults):
    """A redis-server with its append-only file."""

    def __init__(self, folder: Path, *options: str) -> None:
        """`options` are added to the command line."""
        binary = find_binary("redis-server", folder)

        def command(data: Path, port: int) -> list[str]:
            return [*redis_server.command(binary, data, port), *options]

        super().__init__(Server(folder / "redis-server", command=command, ready=redis_server.find_ready))

    @property
    def url(self) -> str:
        return redis_server.url(self.server.port)


def find_binary(name: str, folder: Path) -> Path:
    return binaries.find(name, copies=folder / "bin")
