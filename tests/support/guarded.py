"""A mongod that asks who is there, with users who may do one thing and not another."""

from pathlib import Path
from typing import Any

from pymongo import MongoClient

from app.commands.embedded import mongod, ports
from app.commands.embedded.servers import Server
from tests.support.servers import Faults, find_binary
from tools.cluster import wait_until

ROOT = ("root", "root-secret")


class GuardedMongoServer(Faults):
    """The only node of its replica set, and it has a keyfile."""

    def __init__(self, folder: Path) -> None:
        binary, key = find_binary("mongod", folder), folder / "key"
        folder.mkdir(parents=True, exist_ok=True)
        key.write_text("a2V5ZmlsZSBmb3IgdGVzdHM=")
        key.chmod(0o400)

        def command(data: Path, port: int) -> list[str]:
            return [*mongod.command(binary, data, port, cache_gb=0.25), "--keyFile", str(key)]

        def find_ready(port: int) -> int | None:  # it tells a stranger no pid: that it listens has to do
            return self.server.pid if ports.is_listening(port) else None

        super().__init__(Server(folder / "mongod", command=command, ready=find_ready))
        with self._connect() as client:
            members = [{"_id": 0, "host": f"{ports.LOOPBACK}:{self.server.port}"}]
            client.admin.command("replSetInitiate", {"_id": mongod.REPLICA_SET, "members": members})
            wait_until(
                lambda: client.admin.command("hello")["isWritablePrimary"], "it did not become primary"
            )
            client.admin.command("createUser", ROOT[0], pwd=ROOT[1], roles=["root"])

    def _connect(self, **who: Any) -> MongoClient[dict[str, Any]]:
        return MongoClient(ports.LOOPBACK, self.server.port, directConnection=True, **who)

    def uri_of(self, user: str, password: str, more: str = "authSource=admin") -> str:
        return f"mongodb://{user}:{password}@{ports.LOOPBACK}:{self.server.port}/roster?{more}"

    def add_user(self, name: str, *roles: str) -> str:
        """The address by which they come; roles are those of the database `roster`."""
        password = f"{name}-secret"
        with self._connect(username=ROOT[0], password=ROOT[1]) as client:
            named = [{"role": role, "db": "roster"} for role in roles]
            client.admin.command("createUser", name, pwd=password, roles=named)
        return self.uri_of(name, password)
