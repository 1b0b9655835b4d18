"""Real servers for the integration tier, which a test may kill, freeze and start again.

They are launched as the embedded default launches its own, so they too end with the run, however it ends.
"""

import os
import re
import signal
import sys
from pathlib import Path
from typing import Any, Self

import httpx
import obstore
from obstore.store import S3Store

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


class S3Server(Faults):
    """moto, which does what S3 does, with one bucket; started again, it is empty."""

    def __init__(self, folder: Path) -> None:
        def command(_: Path, port: int) -> list[str]:
            return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]

        def find_ready(_: int) -> int | None:
            try:
                self.add_bucket(self.bucket)
            except httpx.HTTPError:
                return None
            return self.server.pid

        self.bucket = "files"
        self.server = Server(folder / "moto", command=command, ready=find_ready)
        super().__init__(self.server)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def settings(self) -> dict[str, Any]:
        return {"files_url": f"s3://{self.bucket}/a/prefix", "files_endpoint": self.endpoint}

    @property
    def _store(self) -> S3Store:
        return S3Store(self.bucket, endpoint=self.endpoint, client_options={"allow_http": True})

    def add_bucket(self, name: str) -> None:
        httpx.put(f"{self.endpoint}/{name}", timeout=5).raise_for_status()

    def list_keys(self) -> set[str]:
        return self._list("list-type=2", "Key")

    def list_uploads(self) -> set[str]:
        """Multipart uploads that were neither completed nor aborted."""
        return self._list("uploads", "UploadId")

    def read(self, key: str) -> tuple[bytes, dict[str, Any]]:
        """What an object holds, and its attributes."""
        found = obstore.get(self._store, key)
        return bytes(found.bytes()), dict(found.attributes)

    def change(self, key: str, content: bytes) -> None:
        """Replace what an object holds."""
        obstore.put(self._store, key, content)

    def delete(self, key: str) -> None:
        obstore.delete(self._store, key)

    def _list(self, query: str, tag: str) -> set[str]:
        listed = httpx.get(f"{self.endpoint}/{self.bucket}?{query}").raise_for_status().text
        return set(re.findall(f"<{tag}>([^<]+)</{tag}>", listed))


def find_binary(name: str, folder: Path) -> Path:
    return binaries.find(name, copies=folder / "bin")
