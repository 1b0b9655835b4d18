"""`python -m app worker` in processes of their own: killed, frozen, stopped, and without Redis."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from app.commands.samples import add
from app.exports import Export
from app.jobs import Viewer
from app.worker import working
from models.export_job import ExportBody
from tests.support.api import serving
from tests.support.jobs import backends, jobs_of
from tests.support.live import PATIENCE_S, LiveServer, LiveWorker, environment, has_ended, wait_until
from tests.support.servers import RedisServer
from tests.support.users import NOBODY, database, until

PEOPLE = 200
LEASE_S = 2
SLOWLY = ("-m", "tests.programs.slow_worker")


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def settings(module_uri: str, own_redis: RedisServer) -> dict[str, Any]:
    return {"mongo_uri": module_uri, "redis_url": own_redis.url, "job_lease_s": LEASE_S, "log_format": "json"}


@pytest.fixture(scope="module")
async def client(settings: dict[str, Any]) -> AsyncIterator[httpx.AsyncClient]:
    """Of an app that works on no jobs itself."""
    said = dict(settings)
    async with serving(said.pop("mongo_uri"), said.pop("redis_url"), **said) as opened:
        await add(backends(opened), PEOPLE)
        yield opened


@pytest.fixture(scope="module")
def workers() -> Iterator[list[LiveWorker]]:
    """Those that were started, the living one last."""
    started: list[LiveWorker] = []
    yield started
    for worker in started:
        worker.stop(signal.SIGKILL)


@pytest.fixture
def slow(
    client: httpx.AsyncClient,
    workers: list[LiveWorker],
    tmp_path_factory: pytest.TempPathFactory,
    settings: dict[str, Any],
) -> LiveWorker:
    """The one of the test before, if it lives still."""
    assert client, "the directory is there"
    if not workers or has_ended(workers[-1].pid):
        workers.append(LiveWorker(tmp_path_factory.mktemp("slow"), program=SLOWLY, **settings))
    return workers[-1].wait_until_ready()


async def begin(client: httpx.AsyncClient) -> Export:
    """An export in the midst of which its worker is; not by HTTP, as sessions go when Redis does."""
    export = await backends(client).exports.submit(ExportBody(format="ndjson"), by=NOBODY)

    async def is_under_way() -> bool:
        return (await jobs_of(client).find(job_of(export))).done > 0

    await until(is_under_way)
    return export


def job_of(export: Export) -> str:
    return str(export.document["job"])


async def assert_whole(client: httpx.AsyncClient, export: Export, *, attempts: int) -> None:
    job = await jobs_of(client).wait(job_of(export), 60)
    assert (job.state, job.attempts) == ("succeeded", attempts), job
    opened = backends(client)
    made = await opened.exports.find(export.document["_id"], Viewer(NOBODY, is_admin=False))
    assert made.document["rows"] == PEOPLE
    file = await opened.exports.open_file(made)
    content = b"".join([chunk async for chunk in file.read(0, file.length)])
    assert (len(content), len(content.splitlines())) == (made.document["bytes"], PEOPLE)


async def test_a_frozen_worker_finds_its_job_done_by_another(
    client: httpx.AsyncClient, slow: LiveWorker
) -> None:
    export = await begin(client)
    slow.process.send_signal(signal.SIGSTOP)
    files = database(client)["export_files.files"]
    before = await files.count_documents({"length": {"$exists": True}})
    async with working(backends(client)):
        await assert_whole(client, export, attempts=2)
    slow.process.send_signal(signal.SIGCONT)

    async def knows() -> bool:
        return bool(slow.find("job_lost", job_id=job_of(export)))

    await until(knows)
    await assert_whole(client, export, attempts=2)
    assert await files.count_documents({}) == before + 1


async def test_jobs_are_taken_and_done_while_redis_forgets_and_comes_and_goes(
    client: httpx.AsyncClient, slow: LiveWorker, own_redis: RedisServer
) -> None:
    export = await begin(client)
    async with Redis.from_url(own_redis.url) as redis:
        await redis.delete(*[key async for key in redis.scan_iter("roster:jobs:*")])
    await assert_whole(client, export, attempts=1)
    own_redis.kill()
    lost = await jobs_of(client).submit("export", export.id, result=None, by=None)
    assert (await jobs_of(client).find(str(lost.id))).state == "queued"
    own_redis.server.start()
    assert (await jobs_of(client).wait(str(lost.id), 60)).state == "succeeded"
    assert slow.find("jobs_not_heard")


def test_a_worker_leaves_the_cpu_to_the_servers(slow: LiveWorker) -> None:
    assert os.getpriority(os.PRIO_PROCESS, slow.pid) > os.getpriority(os.PRIO_PROCESS, os.getpid())


async def test_a_killed_workers_job_is_taken_over(client: httpx.AsyncClient, slow: LiveWorker) -> None:
    export = await begin(client)
    slow.stop(signal.SIGKILL)
    async with working(backends(client)):
        await assert_whole(client, export, attempts=2)


async def test_a_worker_that_is_told_to_stop_hands_its_job_on_at_once(
    client: httpx.AsyncClient, slow: LiveWorker
) -> None:
    export = await begin(client)
    assert slow.stop() == 0
    job = await jobs_of(client).find(job_of(export))
    assert (job.state, job.attempts) == ("queued", 1), "it was given back, and no lease had to lapse"
    assert slow.find("job_given_back", job_id=job_of(export))
    assert not slow.find("internal_error")
    async with working(backends(client)):
        await assert_whole(client, export, attempts=2)


def ask_health(folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "app.health_check", "worker"],
        env=environment(folder),
        capture_output=True,
        check=False,
        text=True,
        timeout=PATIENCE_S,
    )
    return done.returncode, done.stderr


def test_a_worker_answers_its_containers_health_check_with_what_it_lacks(
    tmp_path: Path, settings: dict[str, Any], own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with LiveWorker(tmp_path, **settings):
        assert ask_health(tmp_path) == (0, "")
        own_redis.freeze()
        wait_until(lambda: ask_health(tmp_path) == (1, "redis: it does not answer\n"))
        own_redis.thaw()
        wait_until(lambda: ask_health(tmp_path) == (0, ""))
    status, reason = ask_health(tmp_path)
    assert status == 1
    assert reason.startswith("It does not answer: ")


def test_a_second_worker_of_the_machine_works_where_the_first_answers(
    tmp_path: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "roster-worker.sock").mkdir()  # as if it were another user's, which root could replace
    with LiveWorker(tmp_path, **settings) as worker:
        assert worker.find("health_not_answered")


def test_events_do_not_hold_up_a_server_that_stops(tmp_path: Path, settings: dict[str, Any]) -> None:
    with LiveServer(tmp_path, jobs_inside=False, **settings) as server, server.client() as http:
        job = http.post("/users/exports", json={"format": "csv"}).json()["job"]
        with http.stream("GET", f"/jobs/{job}/events") as reply:
            assert reply.headers["content-type"].startswith("text/event-stream")
            lines = reply.iter_lines()
            assert next(lines) == "id: 0"
            assert next(lines) == "event: progress"
            assert server.stop() == 0
        assert not [line for line in server.log if "graceful shutdown exceeded" in str(line)]
