"""The servers of this tier: the faults that other tests rely on are real."""

from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from tests.support.databases import PreparedDatabases
from tests.support.servers import MongoServer, RedisServer


def connect_redis(server: RedisServer) -> Redis:
    return Redis.from_url(server.url, socket_timeout=0.2, retry=Retry(NoBackoff(), 0))


def ping_mongo(server: MongoServer) -> None:
    with MongoClient[dict[str, Any]](server.uri, timeoutMS=200) as client:
        client.admin.command("ping")


def test_a_killed_mongod_comes_back_with_its_data(servers_folder: Path) -> None:
    with MongoServer(servers_folder / "own") as server, MongoClient[dict[str, Any]](server.uri) as client:
        client.roster.people.insert_one({"name": "Ana"})
        server.kill()
        with pytest.raises(PyMongoError):
            ping_mongo(server)
        server.restart()
        assert client.roster.people.count_documents({}) == 1


def test_a_frozen_mongod_answers_nothing_until_it_is_thawed(servers_folder: Path) -> None:
    with MongoServer(servers_folder / "own") as server, MongoClient[dict[str, Any]](server.uri) as client:
        ping_mongo(server)
        server.freeze()
        with pytest.raises(PyMongoError):
            ping_mongo(server)
        server.thaw()
        assert client.admin.command("ping")["ok"] == 1


def test_a_killed_redis_comes_back_with_its_data(servers_folder: Path) -> None:
    with RedisServer(servers_folder / "own") as server, connect_redis(server) as client:
        client.set("session", "live")
        server.kill()
        with pytest.raises(RedisConnectionError):
            client.ping()
        server.restart()
        assert client.get("session") == b"live"


def test_a_frozen_redis_answers_nothing_until_it_is_thawed(servers_folder: Path) -> None:
    with RedisServer(servers_folder / "own") as server, connect_redis(server) as client:
        server.freeze()
        with pytest.raises(RedisTimeoutError):
            client.ping()
        server.thaw()
        assert client.ping() is True


def test_each_test_has_an_empty_database_and_an_empty_redis(bare_uri: str, redis_url: str) -> None:
    with MongoClient[dict[str, Any]](bare_uri) as client, Redis.from_url(redis_url) as redis:
        assert client.get_default_database().list_collection_names() == []
        assert redis.dbsize() == 0


def test_a_database_that_was_lent_comes_back_empty_or_not_at_all(
    prepared_databases: PreparedDatabases, mongo_client: MongoClient[dict[str, Any]]
) -> None:
    with prepared_databases.lending() as first:
        terms = MongoClient[dict[str, Any]](first).get_default_database()["terms"]
        terms.insert_one({"_id": "word", "n": 1, "d": []})
    with prepared_databases.lending() as second:
        assert second == first
        assert terms.count_documents({}) == 0
        terms.create_index("n")
    with prepared_databases.lending() as third:
        assert third != first
    assert terms.database.name not in mongo_client.list_database_names()
    terms.database.client.close()
