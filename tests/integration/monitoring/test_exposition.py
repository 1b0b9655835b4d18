"""What Prometheus fetches from a server that runs, of one process and of several."""

import itertools
import os
import re
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis

from app import __version__
from app.commands.embedded import ports
from app.core.errors import StartError
from app.core.settings import Settings
from app.monitoring.metrics_port import exposed
from tests.support.live import LiveServer, wait_until
from tests.support.servers import RedisServer

WORKERS = 2
DEPLOY = Path(__file__).parents[3] / "deploy"
workers = pytest.mark.parametrize("workers", [1, 2])
PASSWORD = "seven wet horses sing"


@pytest.fixture(scope="module")
def server(
    module_uri: str, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """Of two workers, shared by the module."""
    uris: dict[str, Any] = {"mongo_uri": module_uri, "redis_url": redis_server.url}
    folder = tmp_path_factory.mktemp("exposition")
    with LiveServer(folder, "--workers", str(WORKERS), metrics_port=0, **uris) as running:
        yield running


@workers
def test_a_server_that_has_just_started_has_every_series_that_dashboard_and_alerts_ask_for(
    workers: int, mongo_uri: str, redis_url: str, tmp_path: Path
) -> None:
    backends: dict[str, Any] = {"mongo_uri": mongo_uri, "redis_url": redis_url, "metrics_port": 0}
    with LiveServer(tmp_path, "--workers", str(workers), **backends) as server:
        wait_until(lambda: "roster_sessions " in fetch(server))  # the last that is looked at
        text = fetch(server)
        series = set(re.findall(r"^(roster_\w+)", text, re.MULTILINE))
        assert set(re.findall(r"\broster_\w+", (DEPLOY / "prometheus-alerts.yml").read_text())) <= series
        assert set(re.findall(r"\broster_\w+", (DEPLOY / "grafana-dashboard.json").read_text())) <= series
        assert f'roster_build_info{{version="{__version__}"}} 1.0' in text
        for first in (
            'roster_auth_events_total{event="refresh_token_reused"} 0.0',
            'roster_requests_total{method="POST",route="/auth/token",status="503"} 0.0',
            'roster_requests_total{method="GET",route="/users/{user_id}",status="500"} 0.0',
            'roster_backend_errors_total{backend="MongoDB",error="NotPrimaryError"} 0.0',
            'roster_mongo_failed_checkouts_total{reason="timeout"} 0.0',
            "roster_unreadable_rows_total 0.0",
            'roster_jobs{kind="import_apply",state="queued"} 0.0',
        ):
            assert first in text, first
        folder = find_folder(server) if workers > 1 else tmp_path / "none"
        assert folder.is_dir() == (workers > 1)
    assert not folder.exists(), "the folder of the workers goes with the server"


def fetch(server: LiveServer) -> str:
    (line,) = server.find("metrics_listening")
    assert line["address"] == "127.0.0.1"
    with server.client(headers={}) as client:
        reply = client.get(f"http://127.0.0.1:{line['port']}/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=")
    return reply.raise_for_status().text


def read(server: LiveServer, name: str, **labels: str) -> float:
    """The sum of the series that have these labels."""
    found = 0.0
    for line in fetch(server).splitlines():
        series, _, value = line.rpartition(" ")
        if series.partition("{")[0] == name and all(
            f'{label}="{wanted}"' in series for label, wanted in labels.items()
        ):
            found += float(value)
    return found


def test_the_counts_of_all_workers_are_one_and_outlive_a_worker(server: LiveServer) -> None:
    labels = {"method": "GET", "route": "/users", "status": "200"}
    before = read(server, "roster_requests_total", **labels)

    def ask(times: int) -> None:
        for _ in range(times):
            assert server.get("/users?limit=1").status_code == 200  # each on a connection of its own

    ask(20)
    wait_until(lambda: read(server, "roster_requests_total", **labels) == before + 20)
    assert read(server, "roster_request_seconds_count", method="GET", route="/users") == before + 20
    (victim, *_) = workers = server.find_workers()
    assert len(workers) == WORKERS
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: len(server.find_workers() - {victim}) == WORKERS)
    ask(5)
    wait_until(lambda: read(server, "roster_requests_total", **labels) == before + 25)


def test_what_a_dead_worker_held_is_no_longer_counted(server: LiveServer) -> None:
    wait_until(lambda: read(server, "roster_ready", part="mongodb") == 1)
    wait_until(lambda: read(server, "roster_mongo_connections", state="open") > 0)
    folder = find_folder(server)
    wait_until(lambda: {int(pid) for pid in live_files(folder)} == server.find_workers())
    (victim, *_) = server.find_workers()
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: (fetch(server), str(victim) not in live_files(folder))[1])


def find_folder(server: LiveServer) -> Path:
    (pid, *_) = server.find_workers()
    environment = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    (folder,) = (
        item.partition("=")[2] for item in environment if item.startswith("PROMETHEUS_MULTIPROC_DIR=")
    )
    return Path(folder)


def live_files(folder: Path) -> set[str]:
    return {
        found[1]
        for file in folder.iterdir()
        if (found := re.fullmatch(r"gauge_livesum_(\d+)\.db", file.name))
    }


def test_sign_ins_are_counted_and_no_series_names_anybody(server: LiveServer) -> None:
    before = read(server, "roster_auth_events_total", event="sign_in_failed")
    server.sign_in("canary.person@example.com", "canary-password")
    server.get("/users/canary.person@example.com?email=canary.person@example.com")
    wait_until(lambda: read(server, "roster_auth_events_total", event="sign_in_failed") == before + 1)
    assert "canary" not in fetch(server)
    for part in ("mongodb", "redis", "indexes", "keys"):
        assert read(server, "roster_ready", part=part) == 1
    wait_until(lambda: 'roster_passwords{state="running"} 0.0' in fetch(server))  # a look may hit the hashing
    assert 'roster_passwords{state="waiting"} 0.0' in fetch(server)


def test_jobs_are_the_directorys_and_not_the_sum_of_what_each_worker_sees(server: LiveServer) -> None:
    body = {"format": "csv"}
    with server.client() as client:
        job = client.post("/users/exports", json=body, headers={"Prefer": "wait=10"}).json()["job"]
        assert client.get(f"/jobs/{job}").json()["state"] == "succeeded"
    wait_until(lambda: 'roster_jobs{kind="export",state="queued"} 0.0' in fetch(server))


def test_sessions_are_all_there_are_whichever_process_began_and_ended_them(
    server: LiveServer, tmp_path: Path, module_uri: str, redis_server: RedisServer
) -> None:
    uris: dict[str, Any] = {"mongo_uri": module_uri, "redis_url": redis_server.url}
    with LiveServer(tmp_path, metrics_port=0, **uris) as beside:
        both = (server, beside)
        with Redis.from_url(redis_server.url) as redis:
            before = redis.zcount("roster:living_sessions", 0, "+inf")

        def both_say(living: int) -> bool:
            return all(read(one, "roster_sessions") == living for one in both)

        wait_until(lambda: both_say(before))
        people = [add_person(beside) for _ in range(3)]
        began = list(zip(itertools.cycle(both), people, strict=False))
        bearers = [sign_in(one, email) for one, email in began]
        wait_until(lambda: both_say(before + 3))
        for (one, _), bearer in zip(began, bearers, strict=True):
            assert httpx.post(f"{one.url}/auth/logout", headers=bearer).status_code == 204
        wait_until(lambda: both_say(before))


def add_person(server: LiveServer) -> str:
    """The e-mail of a new user who has the password of all of them."""
    email = f"{uuid.uuid4().hex}@example.com"
    with server.client() as client:
        made = client.post("/users", json={"name": "Ana", "email": email, "scopes": ["me"]})
        reply = client.put(f"/users/{made.json()['id']}/password", json={"password": PASSWORD})
        assert reply.status_code == 204, reply.text
    return email


def sign_in(server: LiveServer, email: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.sign_in(email, PASSWORD).json()['access_token']}"}


def test_one_process_serves_its_own_and_a_taken_port_is_said_in_one_sentence() -> None:
    port = ports.choose()
    config = Settings(_env_file=None, metrics_port=port)
    with exposed(config, workers=1):
        assert "roster_requests" in httpx.get(f"http://127.0.0.1:{port}/metrics").text
        sentence = (
            rf"^Metrics cannot be served at port {port} of 127\.0\.0\.1 \(Address already in use\): choose"
        )
        with pytest.raises(StartError, match=sentence), exposed(config, workers=1):
            pass
    assert ports.is_free(port)


def test_nothing_is_served_unless_it_is_asked_for() -> None:
    with exposed(Settings(_env_file=None), workers=2):
        assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ
