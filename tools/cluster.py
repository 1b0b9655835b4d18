"""What Roster is deployed on, on loopback: three mongods as one replica set, a Redis with a replica.

`make cluster` runs one until Ctrl-C and prints its addresses. The command lines, the key file, the users and
the way the set initiates itself are those of docker-compose.yml. Each server is reached through a proxy of
its own, also by the other members of the set, so that the network between any two of them can fail.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pymongo import MongoClient
from pymongo.errors import NotPrimaryError, PyMongoError
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from app.commands.embedded import ports
from app.commands.embedded.servers import Server
from tests.support.proxies import Proxy, ProxyThread, find_ports
from tests.support.servers import Faults, find_binary

ROOT = Path(__file__).parent.parent
PATIENCE_S = 60
NODES = ("mongo1", "mongo2", "mongo3")
SECRETS = {
    "MONGO_KEYFILE": "a2V5ZmlsZSBmb3IgdGVzdHM=",
    "MONGO_ROOT_PASSWORD": "root-secret",
    "MONGO_ROSTER_PASSWORD": "roster-secret",
    "REDISCLI_AUTH": "redis-secret",
}
QUICK_ELECTION_MS = 500
"""For who measures no election. While a member is frozen or cut off, so hasty a set votes its new primary
down again and again, as following it takes longer than that."""

Compose = dict[str, Any]
Happening = Literal["stepped down", "killed", "frozen", "cut off"]
HAPPENINGS: tuple[Happening, ...] = ("stepped down", "killed", "frozen", "cut off")


def read_compose() -> Compose:
    loaded: Compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def find_script(compose: Compose) -> str:
    """The health check of a mongod, which makes the set and its users."""
    script: str = compose["services"]["mongo1"]["healthcheck"]["test"][-1]
    return script


def write_key(service: Compose, folder: Path) -> Path:
    """Run the service's own entrypoint, with /keys in `folder` and stand-ins for the image's programs."""
    stand_ins = folder / "stand-ins"
    stand_ins.mkdir(parents=True)
    for name in ("chown", "docker-entrypoint.sh"):
        (stand_ins / name).write_text('#!/bin/sh\necho "$0 $*"\n')
        (stand_ins / name).chmod(0o700)
    shell, option, script, dashes = service["entrypoint"]
    keys = folder / "keys"
    keys.mkdir()
    answer = subprocess.run(
        [shell, option, script.replace("$$", "$").replace("/keys", str(keys)), dashes, *service["command"]],
        env={"PATH": f"{stand_ins}:{os.environ['PATH']}"} | SECRETS,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.splitlines()[-1].endswith(f"docker-entrypoint.sh {' '.join(service['command'])}")
    (key,) = keys.iterdir()
    assert key.stat().st_mode & 0o777 == 0o400
    return key


def translate(words: Sequence[str], places: dict[str, str]) -> list[str]:
    """A command line with what is otherwise on loopback; each of the places must stand in it."""
    assert set(places) <= set(words)
    return [places.get(word, word) for word in words]


class Node(Faults):
    """A mongod of the compose file, started by its own command line. A restart keeps port and data."""

    def __init__(self, service: Compose, folder: Path, *options: str) -> None:
        """`options` are added to the command line."""
        self.name = folder.name
        places = {
            "mongod": str(find_binary("mongod", folder.parent)),
            "--keyFile=/keys/mongo": f"--keyFile={write_key(service, folder)}",
            "--bind_ip_all": "--bind_ip=127.0.0.1",
            "--wiredTigerCacheSizeGB=1": "--wiredTigerCacheSizeGB=0.25",
        }

        def command(data: Path, port: int) -> list[str]:
            words = translate(service["command"], places | {"--port=27017": f"--port={port}"})
            snappy = "--networkMessageCompressors=snappy"  # the zlib of 6.0.5 has CVE-2025-14847
            return [*words, f"--dbpath={data}", "--nounixsocket", snappy, *options]

        def find_ready(port: int) -> int | None:  # it tells a stranger no pid: that it listens has to do
            return self.server.pid if ports.is_listening(port) else None

        self.proxy: Proxy | None = None
        super().__init__(Server(folder / "mongod", command=command, ready=find_ready))

    @property
    def host(self) -> str:
        """By which the set and its clients know it."""
        return f"{ports.LOOPBACK}:{self.server.port if self.proxy is None else self.proxy.port}"

    def connect(self, **options: Any) -> MongoClient[dict[str, Any]]:
        """To it alone, past its proxy."""
        return MongoClient(ports.LOOPBACK, self.server.port, directConnection=True, **options)

    def administer(self) -> MongoClient[dict[str, Any]]:
        """As root; one that is frozen or gone is known soon."""
        return self.connect(
            username="root",
            password=SECRETS["MONGO_ROOT_PASSWORD"],
            serverSelectionTimeoutMS=1_000,
            socketTimeoutMS=10_000,
        )

    @property
    def role(self) -> Literal["primary", "secondary", ""]:
        """What it takes itself for; nothing where it does not answer, or is on its way."""
        try:
            with self.connect(serverSelectionTimeoutMS=500, socketTimeoutMS=500) as client:
                hello = client.admin.command("hello")
        except PyMongoError:
            return ""
        if hello["isWritablePrimary"]:
            return "primary"
        return "secondary" if hello.get("secondary") else ""


class ReplicaSet:
    """The three mongods of the compose file, each in a folder of its own; `initiate` makes them a set."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        proxies: ProxyThread | None = None,
        election_ms: int | None = None,
    ) -> None:
        self._compose = read_compose()
        self._folder = folder
        self._options = options
        self._proxies = proxies
        self._election_ms = election_ms
        self.nodes: dict[str, Node] = {}

    def __enter__(self) -> Self:
        services = self._compose["services"]
        try:
            for name in NODES:
                node = Node(services[name], self._folder / name, *self._options)
                self.nodes[name] = node
                if self._proxies is not None:
                    node.proxy = self._proxies.open(node.server.port)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes.values():
            node.thaw()
            node.kill()  # an orderly stop hands the primary on, thrice 30 seconds

    @property
    def uri(self) -> str:
        return self.uri_of("roster", SECRETS["MONGO_ROSTER_PASSWORD"])

    def uri_of(self, user: str, password: str) -> str:
        hosts = ",".join(node.host for node in self.nodes.values())
        return f"mongodb://{user}:{password}@{hosts}/roster?replicaSet=roster&authSource=admin"

    def translate(self, script: str) -> str:
        """The health check's script to loopback, and perhaps to elections that a test need not wait for."""
        for name, node in self.nodes.items():
            script = script.replace(f"{name}:27017", node.host)
        if self._election_ms is None:
            return script
        hurried = re.sub('(?<="electionTimeoutMillis": )[0-9]+', str(self._election_ms), script)
        assert hurried != script
        return hurried

    def initiate(self) -> None:
        """Send what the health check sends, in its order."""
        commands = {
            name: json.loads(command)
            for name, command in re.findall(
                r"^const (\w+) = (\{\".*?\});$",
                self.translate(find_script(self._compose)),
                re.MULTILINE | re.DOTALL,
            )
        }
        with self.nodes["mongo1"].connect() as client:
            client.admin.command(commands["initiate"])
        root = commands["createRoot"] | {"pwd": SECRETS["MONGO_ROOT_PASSWORD"]}
        roster = commands["createRoster"] | {"pwd": SECRETS["MONGO_ROSTER_PASSWORD"]}
        self._tell_primary(root, Node.connect)
        self._tell_primary(roster, Node.administer)

    def _tell_primary(
        self, command: dict[str, Any], connect: Callable[[Node], MongoClient[dict[str, Any]]]
    ) -> None:
        """A young set on a busy machine may elect another one meanwhile: then it is told."""

        def told() -> bool:
            try:
                with connect(self.find_primary()) as client:
                    client.admin.command(command)
            except NotPrimaryError:
                return False
            return True

        wait_until(told, "no primary took the command")

    def find_primary(self, *, other_than: Node | None = None) -> Node:
        """Once there is one. One that is cut off may take itself for the primary: name it."""
        found: list[Node] = []

        def look() -> bool:
            found[:] = [
                node for node in self.nodes.values() if node is not other_than and node.role == "primary"
            ]
            return bool(found)

        wait_until(look, "no node became the primary")
        return found[0]

    def wait_until_whole(self) -> None:
        """A primary, and all others secondaries that follow it."""
        wait_until(
            lambda: (
                sorted(node.role for node in self.nodes.values()) == ["primary", "secondary", "secondary"]
            ),
            "the set did not become whole",
        )

    def step_down(self) -> None:
        """The primary hands over to one of the others."""
        with self.find_primary().administer() as client:
            client.admin.command("replSetStepDown", 60)

    def cut_off(self, node: Node) -> None:
        """Nothing reaches it and it reaches nobody, until `rejoin`; what was sent then arrives."""
        assert self._proxies is not None
        pid = node.server.pid
        assert pid is not None
        for other in self.nodes.values():
            assert other.proxy is not None
            of = None if other is node else partial(find_ports, pid)
            self._proxies.call(partial(other.proxy.blackhole, of=of))

    def rejoin(self) -> None:
        assert self._proxies is not None
        for node in self.nodes.values():
            assert node.proxy is not None
            self._proxies.call(node.proxy.heal)

    @contextlib.contextmanager
    def suffering(self, what: Happening) -> Iterator[None]:
        """The primary, as it is then, meets this; at the end it comes back, and the set is whole."""
        primary = self.find_primary()
        match what:
            case "stepped down":
                self.step_down()
                yield
            case "killed":
                primary.kill()
                yield
                primary.restart()
            case "frozen":
                primary.freeze()
                yield
                primary.thaw()
            case "cut off":
                self.cut_off(primary)
                yield
                self.rejoin()
        self.wait_until_whole()


class RedisNode(Faults):
    """The redis-server of the compose file, by its own command line; perhaps a replica of another."""

    def __init__(self, service: Compose, folder: Path, *, of: "RedisNode | None" = None) -> None:
        places = {
            "redis-server": str(find_binary("redis-server", folder.parent)),
            "/keys/redis.conf": str(write_key(service, folder)),
        }
        password = SECRETS["REDISCLI_AUTH"]

        def command(data: Path, port: int) -> list[str]:
            words = translate(service["command"], places | {"6379": str(port)})
            following = ["--masterauth", password, "--repl-diskless-sync-delay", "0"]
            if of is not None:
                following += ["--replicaof", ports.LOOPBACK, str(of.server.port)]
            return [*words, "--bind", ports.LOOPBACK, "--dir", str(data), *following]

        def find_ready(port: int) -> int | None:
            return self.server.pid if ports.is_listening(port) else None

        super().__init__(Server(folder / "redis-server", command=command, ready=find_ready))

    def connect(self) -> Redis:
        return Redis(
            host=ports.LOOPBACK,
            port=self.server.port,
            password=SECRETS["REDISCLI_AUTH"],
            socket_timeout=5,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )

    def find_offset(self) -> int | None:
        """How far it has followed its master; None while it does not."""
        try:
            with self.connect() as client:
                info: dict[str, Any] = client.info("replication")
        except RedisError:
            return None
        return int(info["slave_repl_offset"]) if info.get("master_link_status") == "up" else None


class RedisPair:
    """A Redis with a replica behind one address, which a fail-over takes from the one to the other."""

    def __init__(self, folder: Path, proxies: ProxyThread) -> None:
        self._folder = folder
        self._proxies = proxies
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        service = read_compose()["services"]["redis"]
        with contextlib.ExitStack() as stack:
            self.master = stack.enter_context(RedisNode(service, self._folder / "redis1"))
            self.replica = stack.enter_context(RedisNode(service, self._folder / "redis2", of=self.master))
            self.proxy = self._proxies.open(self.master.server.port)
            wait_until(lambda: self.replica.find_offset() is not None, "the replica does not follow")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        return f"redis://:{SECRETS['REDISCLI_AUTH']}@{ports.LOOPBACK}:{self.proxy.port}/0"

    def wait_until_followed(self) -> None:
        """All that the master has acknowledged is in the replica."""
        with self.master.connect() as client:
            said = int(client.info("replication")["master_repl_offset"])
        wait_until(lambda: (self.replica.find_offset() or 0) >= said, "the replica lags behind")

    def part(self) -> None:
        """The replica follows no more: what the master is told from now on is lost when it fails over."""
        with self.replica.connect() as client:
            client.replicaof("NO", "ONE")

    def fail_over(self) -> None:
        """The replica becomes the master, and the address is its own now; the old master is not asked."""
        self.part()
        self._proxies.call(partial(self.proxy.retarget, self.replica.server.port))
        self.master, self.replica = self.replica, self.master

    def rejoin(self) -> None:
        """The old master, which runs again, follows the new one."""
        with self.replica.connect() as client:
            client.replicaof(ports.LOOPBACK, str(self.master.server.port))
        self.wait_until_followed()


@dataclass(frozen=True, slots=True)
class Cluster:
    """All that a deployment has but the app."""

    mongo: ReplicaSet
    redis: RedisPair


@contextlib.contextmanager
def running(folder: Path, *, election_ms: int | None = None) -> Iterator[Cluster]:
    """Ready when entered: the set has its primary and its users, the replica follows."""
    with (
        ProxyThread() as proxies,
        ReplicaSet(folder, proxies=proxies, election_ms=election_ms) as mongo,
        RedisPair(folder, proxies) as redis,
    ):
        mongo.initiate()
        mongo.wait_until_whole()
        yield Cluster(mongo, redis)


def wait_until(holds: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="roster-cluster-") as folder, running(Path(folder)) as cluster:
        lines = [
            f"ROSTER_MONGO_URI='{cluster.mongo.uri}'",
            f"ROSTER_REDIS_URL='{cluster.redis.url}'",
            "",
            *(
                f"# {node.name}: {node.host}, process {node.server.pid}, {node.role}"
                for node in cluster.mongo.nodes.values()
            ),
            f"# redis: process {cluster.redis.master.server.pid}",
            f"# its replica: process {cluster.redis.replica.server.pid}",
            "# kill -STOP freezes one, -CONT thaws it, -KILL ends it. Ctrl-C ends all.",
        ]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        signal.pause()


if __name__ == "__main__":
    main()
