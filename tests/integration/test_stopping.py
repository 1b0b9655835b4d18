"""Workers that are replaced, killed and told to stop while somebody asks."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
from pymongo import MongoClient

from app.embedded import processes
from tests.live import PATIENCE_S, LiveServer, find_children, has_ended, wait_until
from tests.servers import MongoServer, RedisServer
from tests.support_exports import store_many

CONNECTIONS = 8


@pytest.fixture(scope="module")
def database(mongo_server: MongoServer) -> Iterator[str]:
    uri = mongo_server.uri_of("t_stopping")
    with MongoClient[dict[str, Any]](uri) as client:
        client.drop_database("t_stopping")
        yield uri
        client.drop_database("t_stopping")


@pytest.fixture(scope="module")
def pair(database: str, redis_server: RedisServer, servers_folder: Path) -> Iterator[LiveServer]:
    """Two workers."""
    with LiveServer(
        servers_folder / "pair", "--workers", "2", mongo_uri=database, redis_url=redis_server.url
    ) as live:
        wait_until(lambda: count_started(live) == 2)
        yield live


def find_workers(server: LiveServer) -> list[int]:
    return [pid for pid in find_children(server.pid) if "spawn_main" in processes.read_command_line(pid)]


def count_started(server: LiveServer) -> int:
    return len(server.find("Application startup complete."))


class Load:
    """Clients who ask one thing after the other, each on a connection that it keeps as long as it may."""

    def __init__(self, server: LiveServer) -> None:
        self._server = server
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(CONNECTIONS)]
        self.answered = 0
        self.failures: list[str] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        self.wait_for_more()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def wait_for_more(self, count: int = 20 * CONNECTIONS) -> None:
        goal = self.answered + count
        wait_until(lambda: self.answered >= goal)

    def _ask(self) -> None:
        with self._server.client() as client:
            while not self._stopped.is_set():
                try:
                    reply = client.get("/users?limit=1")
                except httpx.HTTPError as error:
                    self.failures.append(repr(error))
                    continue
                if reply.status_code == 200:
                    self.answered += 1
                else:
                    self.failures.append(reply.text)


def test_workers_are_replaced_one_after_the_other_and_no_request_is_lost(pair: LiveServer) -> None:
    before, started = find_workers(pair), count_started(pair)
    assert len(before) == 2
    with Load(pair) as load:
        pair.process.send_signal(signal.SIGHUP)
        wait_until(lambda: all(map(has_ended, before)))
        wait_until(lambda: count_started(pair) == started + 2)
        load.wait_for_more()
    assert load.failures == []
    assert len(find_workers(pair)) == 2


def test_of_a_killed_worker_only_the_open_requests_fail_and_another_takes_its_place(pair: LiveServer) -> None:
    before = find_workers(pair)
    with Load(pair) as load:
        os.kill(before[0], signal.SIGKILL)
        wait_until(lambda: has_ended(before[0]) and len(find_workers(pair)) == 2)
        load.wait_for_more()
    assert len(load.failures) <= CONNECTIONS
    assert before[1] in find_workers(pair)
    with Load(pair) as load:
        load.wait_for_more()
    assert load.failures == []


def ask(server: LiveServer, path: str) -> bytes:
    headers = "".join(f"{name}: {value}\r\n" for name, value in server.headers.items())
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode()


def test_a_request_that_crosses_the_stop_is_answered_on_a_connection_that_was_idle(
    database: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    with (
        LiveServer(tmp_path, mongo_uri=database, redis_url=redis_server.url) as live,
        closing(HTTPConnection(*live.address, timeout=PATIENCE_S)) as client,
        closing(HTTPConnection(*live.address, timeout=PATIENCE_S)) as idle,
    ):

        def get(connection: HTTPConnection) -> HTTPResponse:
            connection.request("GET", "/users?limit=1", headers=live.headers)
            reply = connection.getresponse()
            reply.read()
            return reply

        assert {get(client).status, get(idle).status} == {200}
        live.process.terminate()
        wait_until(lambda: live.find("Shutting down"))
        reply = get(client)
        assert (reply.status, reply.getheader("Connection")) == (200, "close")
        assert idle.sock.recv(1) == b""
        assert live.process.wait(PATIENCE_S) == 0


def test_a_download_that_outlasts_the_grace_is_broken_and_the_process_ends(
    database: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    store_many(database, 20_000)
    with (
        LiveServer(tmp_path, mongo_uri=database, redis_url=redis_server.url, stop_grace_s=1) as live,
        socket.socket() as client,
    ):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        client.settimeout(PATIENCE_S)
        client.connect(live.address)
        client.sendall(ask(live, "/users/export?format=csv"))
        received = client.recv(1000)
        assert received.startswith(b"HTTP/1.1 200 ")
        live.process.terminate()
        assert live.process.wait(PATIENCE_S) == 0
        with suppress(ConnectionResetError):
            while more := client.recv(1 << 16):
                received += more
        assert not received.endswith(b"0\r\n\r\n")  # the chunk that ends a whole transfer
