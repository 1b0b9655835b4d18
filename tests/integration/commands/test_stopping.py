"""Workers that are replaced, killed and told to stop while somebody asks."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from itertools import cycle
from pathlib import Path
from typing import Self

import httpx
import pytest

from tests.support.exports import store_many
from tests.support.live import PATIENCE_S, LiveServer, has_ended, wait_until
from tests.support.servers import RedisServer

CONNECTIONS = 8
PEOPLE = 8_000
PAUSE_S = 0.03
"""Between the requests of one client: without it they would take the CPU from workers that start."""


@pytest.fixture(scope="module")
def crowded(module_uri: str) -> str:
    """With so many people that no buffer holds a download of them."""
    store_many(module_uri, PEOPLE)
    return module_uri


@pytest.fixture(scope="module")
def pair(module_uri: str, redis_server: RedisServer, servers_folder: Path) -> Iterator[LiveServer]:
    """Two workers."""
    with LiveServer(
        servers_folder / "pair", "--workers", "2", mongo_uri=module_uri, redis_url=redis_server.url
    ) as live:
        wait_until(lambda: live.count_started() == 2)
        yield live


class Load:
    """Clients who ask for one path after the other, each on a connection that it keeps as long as it may."""

    def __init__(self, server: LiveServer, *paths: str) -> None:
        self._server = server
        self._paths = paths
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
        paths = cycle(self._paths)
        with self._server.client() as client:
            while not self._stopped.wait(PAUSE_S):
                try:
                    reply = client.get(next(paths))
                except httpx.HTTPError as error:
                    self.failures.append(repr(error))
                    continue
                if reply.status_code == 200:
                    self.answered += 1
                else:
                    self.failures.append(reply.text)


def test_workers_are_replaced_one_after_the_other_and_ready_to_the_end_and_no_request_is_lost(
    pair: LiveServer,
) -> None:
    before, started = pair.find_workers(), pair.count_started()
    assert len(before) == 2
    with Load(pair, "/users?limit=1", "/health/ready") as load:
        pair.process.send_signal(signal.SIGHUP)
        wait_until(lambda: all(map(has_ended, before)))
        wait_until(lambda: pair.count_started() == started + 2)
        load.wait_for_more()
    assert load.failures == []
    assert len(pair.find_workers()) == 2


def test_of_a_killed_worker_only_the_open_requests_fail_and_another_takes_its_place(pair: LiveServer) -> None:
    victim, other = pair.find_workers()
    with Load(pair, "/users?limit=1") as load:
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: has_ended(victim) and len(pair.find_workers()) == 2)
        load.wait_for_more()
    assert len(load.failures) <= CONNECTIONS
    assert other in pair.find_workers()
    with Load(pair, "/users?limit=1") as load:
        load.wait_for_more()
    assert load.failures == []


def test_a_worker_that_is_killed_at_its_start_is_replaced_as_well(pair: LiveServer) -> None:
    before, started = pair.find_workers(), pair.count_started()
    victim, other = before
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: pair.find_workers() - before)
    (successor,) = pair.find_workers() - before
    os.kill(successor, signal.SIGSTOP)
    time.sleep(1)  # in which its parent asks whether it is alive
    os.kill(successor, signal.SIGKILL)
    wait_until(lambda: pair.count_started() == started + 1)
    assert other in pair.find_workers()


def connect(server: LiveServer) -> HTTPConnection:
    """One whose receive buffer is small, so that a download is not over when it has just begun."""
    connection = HTTPConnection(*server.address, timeout=PATIENCE_S)
    connection.sock = socket.socket()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    connection.sock.settimeout(PATIENCE_S)
    connection.sock.connect(server.address)
    return connection


def get(server: LiveServer, connection: HTTPConnection, path: str = "/users?limit=1") -> HTTPResponse:
    """The head of the reply."""
    connection.request("GET", path, headers=server.headers)
    return connection.getresponse()


def read(reply: HTTPResponse) -> tuple[int, str | None]:
    """Its status and what it says of its connection, once its body has been read."""
    reply.read()
    return reply.status, reply.getheader("Connection")


def begin_to_stop(server: LiveServer) -> None:
    server.process.terminate()
    wait_until(lambda: server.find("Shutting down"))


def test_connections_that_are_idle_at_the_stop_may_bring_one_more_request_and_are_not_waited_for(
    module_uri: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    with (
        LiveServer(tmp_path, mongo_uri=module_uri, redis_url=redis_server.url, stop_grace_s=3600) as live,
        closing(connect(live)) as silent,
        closing(connect(live)) as idle,
        closing(connect(live)) as client,
    ):
        assert {read(get(live, idle)), read(get(live, client))} == {(200, None)}
        begin_to_stop(live)
        assert read(get(live, client)) == (200, "close")
        assert (idle.sock.recv(1), silent.sock.recv(1)) == (b"", b"")
        assert live.process.wait(PATIENCE_S) == 0


def test_connections_whose_replies_have_begun_at_the_stop_may_bring_one_more_request_after_them(
    crowded: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    with (
        LiveServer(tmp_path, mongo_uri=crowded, redis_url=redis_server.url, stop_grace_s=3600) as live,
        closing(connect(live)) as client,
        closing(connect(live)) as idle,
    ):
        downloads = [get(live, connection, "/users/export?format=ndjson") for connection in (client, idle)]
        begin_to_stop(live)
        for download in downloads:
            assert download.getheader("Connection") is None, "it was said before the stop that it is kept"
        assert len(downloads[0].read().splitlines()) == PEOPLE
        assert read(get(live, client)) == (200, "close")
        assert len(downloads[1].read().splitlines()) == PEOPLE
        assert idle.sock.recv(1) == b""
        assert live.process.wait(PATIENCE_S) == 0


def test_a_download_that_outlasts_the_grace_is_broken_and_the_process_ends(
    crowded: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    with (
        LiveServer(tmp_path, mongo_uri=crowded, redis_url=redis_server.url, stop_grace_s=1) as live,
        closing(connect(live)) as client,
    ):
        download = get(live, client, "/users/export?format=csv")
        assert download.status == 200
        live.process.terminate()
        assert live.process.wait(PATIENCE_S) == 0
        with pytest.raises((IncompleteRead, ConnectionResetError)):
            download.read()
