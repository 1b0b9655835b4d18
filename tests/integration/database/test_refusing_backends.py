"""Started means it works: what a backend refuses is said in a sentence, at the start and by readiness."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import httpx
import pytest
from pymongo import MongoClient
from redis.asyncio import Redis

from app import container
from app.commands.embedded import ports
from app.core.errors import StartError
from app.database.readiness import Readiness
from tests.support.api import serving
from tests.support.guarded import ROOT, GuardedMongoServer
from tests.support.servers import MongoServer, RedisServer
from tests.support.users import problem, until

MAY_ALL_BUT_DELETE = [
    *("collMod", "createCollection", "createIndex", "find", "insert"),
    *("listCollections", "listIndexes", "update"),
]


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let readiness of apps within the test try backends at each look, by a clock that runs quicker."""
    monkeypatch.setattr(container, "Readiness", partial(Readiness, now=lambda: time.monotonic() * 100_000))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedMongoServer]:
    with GuardedMongoServer(tmp_path_factory.mktemp("guarded")) as server:
        server.add_user("reader", "read")
        server.add_user("writer", "readWrite")
        server.add_user("owner", "readWrite", "dbAdmin")
        yield server


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
async def redis(own_redis: RedisServer) -> AsyncIterator[Redis]:
    """As its administrator; what a test changed is as before afterwards."""
    async with Redis.from_url(own_redis.url, decode_responses=True) as client:
        yield client
        await client.config_set("maxmemory", 0)
        await client.replicaof("NO", "ONE")


async def refusal(mongo_uri: str, redis_url: str, **settings: Any) -> str:
    # PyMongo leaks the socket of a monitor that is stopped while it connects; polling, none does
    mongo_uri += ("&" if "?" in mongo_uri else "?") + "serverMonitoringMode=poll"
    with pytest.raises(StartError) as refused:
        async with serving(mongo_uri, redis_url, **{"start_wait_s": 0, "redis_timeout_ms": 5_000} | settings):
            pass
    sentence = str(refused.value)
    assert "secret" not in sentence
    assert "Topology" not in sentence
    assert sentence.count(". ") == 0
    return sentence


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        (("reader", "reader-secret"), "not authorized on roster to "),
        (("owner", "other-secret"), "Authentication failed"),
        (("owner", "owner-secret", ""), "Authentication failed"),
    ],
)
async def test_what_a_user_of_mongodb_may_not_do_is_said_with_mongodbs_own_reason(
    guarded: GuardedMongoServer, redis_url: str, who: tuple[str, ...], reason: str
) -> None:
    sentence = await refusal(guarded.uri_of(*who), redis_url)
    assert sentence.startswith(f"MongoDB refuses what Roster needs ({reason}")
    assert sentence.endswith("): check ROSTER_MONGO_URI.")


async def test_a_user_of_mongodb_who_may_not_change_collections_is_told_the_role(
    guarded: GuardedMongoServer, redis_url: str
) -> None:
    assert "grant it dbAdmin on roster" in await refusal(guarded.uri_of("writer", "writer-secret"), redis_url)


async def test_without_a_user_mongodb_says_that_it_wants_one(
    guarded: GuardedMongoServer, redis_url: str
) -> None:
    nobody = f"mongodb://127.0.0.1:{guarded.server.port}/roster"
    assert "requires authentication" in await refusal(nobody, redis_url)


async def test_a_right_that_only_a_later_write_needs_is_missed_at_the_start_and_by_readiness(
    guarded: GuardedMongoServer, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    uri = guarded.uri_of("owner", "owner-secret")
    async with serving(uri, redis_url) as client:
        assert (await client.get("/health/ready")).status_code == 200
        with MongoClient[dict[str, Any]](guarded.uri_of(*ROOT)) as root:
            everywhere = {"resource": {"db": "roster", "collection": ""}, "actions": MAY_ALL_BUT_DELETE}
            root.roster.command("createRole", "most", privileges=[everywhere], roles=[])
            root.admin.command("updateUser", "owner", roles=[{"role": "most", "db": "roster"}])
        sentence = "mongodb: it refuses what is needed (not authorized on roster to delete)."
        await until(lambda: _is_told(client, sentence))
        assert "(not authorized on roster to delete)" in await refusal(uri, redis_url)
        with MongoClient[dict[str, Any]](guarded.uri_of(*ROOT)) as root:
            roles = [{"role": role, "db": "roster"} for role in ("readWrite", "dbAdmin")]
            root.admin.command("updateUser", "owner", roles=roles)
        await until(lambda: _is_ready(client))


async def _is_ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/health/ready")).status_code == 200


async def _is_told(client: httpx.AsyncClient, words: str) -> bool:
    reply = await client.get("/health/ready")
    return reply.status_code == 503 and words in problem(reply, 503, "not_ready")["detail"]


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
async def test_what_is_no_replica_set_of_this_name_is_told_apart_from_silence(
    mongo_server: MongoServer, redis_url: str, own_redis: RedisServer
) -> None:
    here = f"mongodb://127.0.0.1:{mongo_server.server.port}/t"
    reasons = {
        f"{here}?replicaSet=other": 'No replica set members available for replica set name "other"',
        f"{here}?tls=true": "SSL handshake failed",
        "mongodb://nobody.invalid/t": "Name or service not known",
        f"mongodb://127.0.0.1:{ports.choose()}/t": "connection refused",
        f"mongodb://127.0.0.1:{own_redis.server.port}/t": "no answer in time",
        "mongodb+srv://nobody.invalid/t": "The DNS query name does not exist",
    }
    for uri, reason in reasons.items():
        sentence = await refusal(uri, redis_url, mongo_timeout_ms=700)
        assert sentence.startswith(f"MongoDB cannot be reached ({reason}"), (uri, sentence)
    gc.collect()  # here, where it is known: PyMongo 4.20 leaves a socket open that is closed in mid-handshake


async def set_user(redis: Redis, name: str, *, keys: str, commands: list[str], **how: Any) -> None:
    await redis.acl_setuser(name, enabled=True, reset=True, keys=[keys], commands=commands, **how)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("tlsCAFile=/nowhere/ca.pem", "No such file or directory: /nowhere/ca.pem"),
        ("maxIdleTimeMS=secret", "maxidletimems must be "),
        ("authMechanism=GSSAPI", "requires a username"),
    ],
)
async def test_an_option_that_cannot_be_used_is_told_of_without_its_value(
    redis_url: str, options: str, reason: str
) -> None:
    sentence = await refusal(f"mongodb://127.0.0.1:{ports.choose()}/t?{options}", redis_url)
    assert sentence.startswith("ROSTER_MONGO_URI is not a usable MongoDB address")
    assert f"({reason}" in sentence


ACL = {
    "no scripts": ("*", "+@all", "-eval"),
    "no scripts by digest": ("*", "+@all", "-evalsha"),
    "no streams": ("*", "+@all", "-@stream"),
    "no sorted sets": ("*", "+@all", "-zadd"),
    "keys of another": ("other:*", "+@all"),
    "no look at the server": ("*", "+@all", "-info"),
}


@pytest.mark.parametrize("case", ACL)
async def test_what_a_user_of_redis_may_not_do_is_said_with_rediss_own_reason(
    case: str, bare_uri: str, own_redis: RedisServer, redis: Redis
) -> None:
    keys, *commands = ACL[case]
    await set_user(redis, "ana", keys=keys, commands=commands, passwords=["+ana-secret"])
    url = own_redis.url.replace("redis://", "redis://ana:ana-secret@")
    sentence = await refusal(bare_uri, url)
    assert sentence.startswith("Redis refuses what Roster needs (")
    assert "o permissions to " in sentence
    assert sentence.endswith("): check ROSTER_REDIS_URL.")


async def test_a_user_of_redis_without_a_password_is_that_user(
    bare_uri: str, own_redis: RedisServer, redis: Redis
) -> None:
    await set_user(redis, "bob", keys="*", commands=["+@all", "-eval"], nopass=True)
    sentence = await refusal(bare_uri, own_redis.url.replace("redis://", "redis://bob@"))
    assert "User bob has no permissions to run the 'eval' command" in sentence


async def test_a_redis_that_is_full_or_a_replica_or_has_no_such_database_is_told_of(
    bare_uri: str, own_redis: RedisServer, redis: Redis
) -> None:
    assert "DB index is out of range" in await refusal(bare_uri, own_redis.url.removesuffix("0") + "99")
    await redis.config_set("maxmemory", 1)
    assert "used memory > 'maxmemory'" in await refusal(bare_uri, own_redis.url)
    await redis.config_set("maxmemory", 0)
    await redis.replicaof("127.0.0.1", str(ports.choose()))
    assert "The Redis that answers is a replica" in await refusal(bare_uri, own_redis.url)


async def test_readiness_says_that_redis_is_full_and_forgets_it(
    mongo_uri: str, own_redis: RedisServer, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    async with serving(mongo_uri, own_redis.url) as client:
        await redis.config_set("maxmemory", 1)
        await until(lambda: _is_told(client, "redis: it refuses what is needed (OOM command not allowed"))
        await redis.config_set("maxmemory", 0)
        await until(lambda: _is_ready(client))


async def test_a_node_of_a_redis_cluster_is_refused_by_name(
    bare_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    options = ("--cluster-enabled", "yes", "--cluster-port", str(ports.choose()))
    with RedisServer(tmp_path_factory.mktemp("cluster"), *options) as node:
        sentence = await refusal(bare_uri, node.url)
    assert "it runs as cluster, and Roster speaks to one Redis, no Cluster and no Sentinel" in sentence


async def test_what_speaks_no_redis_or_wants_tls_is_told_apart_from_silence(
    bare_uri: str, mongo_server: MongoServer, own_redis: RedisServer
) -> None:
    address = own_redis.url.removeprefix("redis://")
    reasons = {
        "redis://nobody.invalid:6379/0": "Name or service not known",
        f"redis://127.0.0.1:{ports.choose()}/0": "connection refused",
        f"redis://127.0.0.1:{mongo_server.server.port}/0": "it closed the connection",
        f"rediss://{address}": "no answer in time, perhaps because only one end uses TLS",
    }
    for url, reason in reasons.items():
        sentence = await refusal(bare_uri, url, redis_timeout_ms=500)
        assert sentence.startswith(f"Redis cannot be reached ({reason}"), (url, sentence)


async def test_a_directory_keeps_its_promises_whatever_its_address_asks_for(
    mongo_server: MongoServer, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = "&readPreference=secondary&w=1&retryWrites=false&uuidRepresentation=standard&tz_aware=true"
    async with serving(mongo_server.uri_of("t_options") + asked, redis_url) as client:
        made = await client.post("/users", json={"name": "Ana", "email": "ana@example.com"})
        assert made.status_code == 201
        assert (await client.get("/users")).json()["items"][0]["created_at"] == made.json()["created_at"]
        database = client.app.state.container.connections.database  # type: ignore[attr-defined]  # set by `serving`
        assert database.client.read_preference.name == "Primary"
        assert database.client.options.retry_writes
        await database.client.drop_database("t_options")
    assert "mongo_uri_options_overridden" in capsys.readouterr().err


async def test_two_that_start_at_once_on_nothing_both_do(bare_uri: str, redis_url: str) -> None:
    async def start() -> None:
        async with serving(bare_uri, redis_url):
            pass

    await asyncio.gather(start(), start(), start())
