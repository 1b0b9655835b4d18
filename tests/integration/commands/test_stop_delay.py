"""`ROSTER_STOP_DELAY_S`: not ready, and still serving, until a balancer has noticed."""

import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.live import LiveServer, wait_until
from tests.support.servers import RedisServer

FOREVER_S = 3600
SEVERAL = 10

workers = pytest.mark.parametrize("workers", [1, 2])


@pytest.fixture
def backends(mongo_uri: str, redis_server: RedisServer) -> dict[str, Any]:
    return {"mongo_uri": mongo_uri, "redis_url": redis_server.url}


def serve(folder: Path, workers: int, **settings: Any) -> LiveServer:
    return LiveServer(folder, "--workers", str(workers), **settings)


def wait_until_all_serve(live: LiveServer, workers: int) -> None:
    wait_until(lambda: live.count_started() == workers)


def ask(live: LiveServer, path: str) -> list[httpx.Response]:
    """The replies on several new connections, which more than one worker may take."""
    return [live.get(path) for _ in range(SEVERAL)]


def find_statuses(live: LiveServer, path: str) -> set[int]:
    return {reply.status_code for reply in ask(live, path)}


@workers
def test_told_to_stop_it_is_not_ready_and_answers_new_connections_all_the_same(
    tmp_path: Path, backends: dict[str, Any], workers: int
) -> None:
    with serve(tmp_path, workers, stop_delay_s=FOREVER_S, **backends) as live:
        wait_until_all_serve(live, workers)
        assert find_statuses(live, "/health/ready") == {200}
        live.process.terminate()
        wait_until(lambda: find_statuses(live, "/health/ready") == {503})
        assert find_statuses(live, "/users?limit=1") == {200}
        assert find_statuses(live, "/health/live") == {200}
        said = [reply.json() for reply in ask(live, "/health/ready")]
        assert {(one["code"], one["detail"]) for one in said} == {("not_ready", "The process stops.")}
        assert not live.find("Shutting down")
        assert live.stop(signal.SIGINT) == 0, "Ctrl-C ends the wait"


@workers
def test_after_the_delay_it_ends(tmp_path: Path, backends: dict[str, Any], workers: int) -> None:
    with serve(tmp_path, workers, stop_delay_s=2, **backends) as live:
        wait_until_all_serve(live, workers)
        live.process.terminate()
        wait_until(lambda: find_statuses(live, "/health/ready") == {503})
        assert live.stop() == 0
        assert len(live.find("Shutting down")) == workers


@workers
def test_ctrl_c_waits_for_no_balancer(tmp_path: Path, backends: dict[str, Any], workers: int) -> None:
    with serve(tmp_path, workers, stop_delay_s=FOREVER_S, **backends) as live:
        wait_until_all_serve(live, workers)
        assert live.stop(signal.SIGINT) == 0
        assert len(live.find("Shutting down")) == workers


def test_a_stop_in_the_midst_of_a_replacement_ends_it(tmp_path: Path, backends: dict[str, Any]) -> None:
    with serve(tmp_path, 2, stop_delay_s=FOREVER_S, **backends) as live:
        wait_until_all_serve(live, 2)
        live.process.send_signal(signal.SIGHUP)
        wait_until(lambda: live.find("Received SIGHUP, restarting processes."))
        live.process.terminate()
        wait_until(lambda: find_statuses(live, "/health/ready") == {503})
        assert find_statuses(live, "/users?limit=1") == {200}
        assert live.stop(signal.SIGINT) == 0
        assert live.count_started() < 4
