"""Jobs and their workers: each is done, whatever becomes of the worker, of Redis or of MongoDB."""

import asyncio
from typing import get_args

import httpx
import pytest
from bson import ObjectId
from pymongo.errors import AutoReconnect
from redis.asyncio import Redis

from app.container import Container
from app.core.errors import InvalidError, UnavailableError
from app.jobs import JobCancelledError, LeaseLostError, Run
from app.jobs.runs import ATTEMPTS
from models.job import JobKind
from tests.support.api import serving
from tests.support.jobs import Start, handle, jobs_of, submit
from tests.support.users import database, until


async def test_a_job_is_done_and_says_how_far_it_is(starts: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    async def count(_: Container, run: Run) -> None:
        assert run.subject == "subject"
        for done in range(101):
            await run.progress(done, 100)

    handle(monkeypatch, count)
    client = await starts()
    job = await jobs_of(client).wait(await submit(client), 30)
    assert (job.state, job.done, job.total, job.attempts, job.error) == ("succeeded", 100, 100, 1, None)
    assert job.started_at is not None
    assert job.ended_at is not None
    assert job.expires_at is not None
    assert job.created_at <= job.ended_at < job.expires_at


async def test_a_job_that_fails_says_why(starts: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(_: Container, run: Run) -> None:
        if run.subject == "ours":
            raise InvalidError("Not like that.")
        msg = "secret"
        raise ValueError(msg)

    handle(monkeypatch, refuse)
    client = await starts()
    ours = await jobs_of(client).wait(await submit(client, "ours"), 30)
    assert ours.state == "failed"
    assert ours.error is not None
    assert (ours.error["status"], ours.error["code"]) == (422, "validation_failed")
    unforeseen = await jobs_of(client).wait(await submit(client, "other"), 30)
    assert unforeseen.error is not None
    assert unforeseen.error["code"] == "internal_error"
    assert "secret" not in str(unforeseen.error)


async def test_a_job_waits_for_a_backend_that_is_away(starts: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    async def be_away_once(_: Container, run: Run) -> None:
        if run.attempt == 1:
            raise UnavailableError("MongoDB did not answer.")

    handle(monkeypatch, be_away_once)
    client = await starts()
    job = await jobs_of(client).wait(await submit(client), 30)
    assert (job.state, job.attempts, job.failures) == ("succeeded", 2, 1)


async def test_a_running_job_is_cancelled(starts: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(_: Container, run: Run) -> None:
        await run.progress(7, 9)
        await asyncio.sleep(3600)

    handle(monkeypatch, sleep)
    client = await starts()
    job_id = await submit(client)

    async def is_running() -> bool:
        return (await jobs_of(client).find(job_id)).done == 7

    await until(is_running)
    await jobs_of(client).cancel(job_id)
    job = await jobs_of(client).wait(job_id, 30)
    assert (job.state, job.done) == ("cancelled", 7)


async def test_a_job_whose_word_was_lost_is_found(
    starts: Start, monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    async def do_nothing(_: Container, __: Run) -> None: ...

    handle(monkeypatch, do_nothing)
    idle = await starts(jobs_inside=False)
    job_id = await submit(idle)
    async with Redis.from_url(redis_url) as redis:
        await redis.flushdb()
    assert (await jobs_of(idle).wait(job_id, 0)).state == "queued"
    client = await starts()
    assert (await jobs_of(client).wait(job_id, 30)).state == "succeeded"
    async with Redis.from_url(redis_url) as redis:
        await redis.flushdb()  # and with it the group that the worker reads by
    assert (await jobs_of(client).wait(await submit(client), 30)).state == "succeeded"


async def test_two_workers_share_what_there_is_and_do_nothing_twice(
    starts: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[int, str]] = []

    async def note(opened: Container, run: Run) -> None:
        await asyncio.sleep(0.05)
        done.append((id(opened), run.subject))

    handle(monkeypatch, note)
    first, _ = await starts(jobs_at_once=1), await starts(jobs_at_once=1)
    subjects = [f"subject {number}" for number in range(20)]
    for job_id in [await submit(first, subject) for subject in subjects]:
        assert (await jobs_of(first).wait(job_id, 30)).state == "succeeded"
    assert sorted(subject for _, subject in done) == sorted(subjects)
    assert len({worker for worker, _ in done}) == 2


async def test_a_worker_that_stops_hands_its_job_on_at_once(
    mongo_uri: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []

    async def sleep_once(_: Container, run: Run) -> None:
        begun.append(run.attempt)
        await asyncio.sleep(3600 if run.attempt == 1 else 0)

    handle(monkeypatch, sleep_once)
    patient = {"jobs_inside": True, "job_lease_s": 600}
    async with serving(mongo_uri, redis_url, **patient) as first:
        job_id = await submit(first)

        async def is_running() -> bool:
            return begun == [1]

        await until(is_running)
    async with serving(mongo_uri, redis_url, **patient) as second:
        job = await jobs_of(second).wait(job_id, 30)
    assert (job.state, begun) == ("succeeded", [1, 2])


async def test_a_job_gives_up_on_a_backend_that_stays_away(
    starts: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def be_away(_: Container, __: Run) -> None:
        raise AutoReconnect("not primary")

    handle(monkeypatch, be_away)
    monkeypatch.setattr("app.jobs.runs.FAILURES", 1)
    client = await starts()
    job = await jobs_of(client).wait(await submit(client), 30)
    assert (job.state, job.attempts, job.failures) == ("failed", 2, 1)
    assert job.error is not None
    assert (job.error["status"], job.error["code"]) == (503, "unavailable")


async def test_a_job_that_kills_its_workers_ends_too(starts: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    async def do_nothing(_: Container, __: Run) -> None: ...

    handle(monkeypatch, do_nothing)
    idle = await starts(jobs_inside=False)
    job_id = await submit(idle)
    await database(idle)["jobs"].update_one({}, {"$set": {"attempts": ATTEMPTS}})
    job = await jobs_of(await starts()).wait(job_id, 30)
    assert job.state == "failed"
    assert job.error is not None
    assert job.error["code"] == "internal_error"


async def test_a_handler_learns_from_progress_that_it_should_stop(
    starts: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[type[BaseException]] = []

    async def report(_: Container, run: Run) -> None:
        try:
            while True:
                await run.progress(1)
                await asyncio.sleep(0.01)
        except BaseException as error:
            raised.append(type(error))
            raise

    handle(monkeypatch, report)
    client = await starts()
    job_id = await submit(client)

    async def is_running() -> bool:
        return (await jobs_of(client).find(job_id)).done == 1

    await until(is_running)
    await jobs_of(client).cancel(job_id)
    assert (await jobs_of(client).wait(job_id, 30)).state == "cancelled"
    assert raised == [JobCancelledError]
    stolen = await submit(client)

    async def is_running_again() -> bool:
        return (await jobs_of(client).find(stolen)).done == 1

    await until(is_running_again)
    one = {"_id": ObjectId(stolen)}
    await database(client)["jobs"].update_one(one, {"$set": {"lease": "another's"}})

    async def has_stopped() -> bool:
        return len(raised) == 2

    await until(has_stopped)
    assert raised[1] is LeaseLostError
    assert (await jobs_of(client).find(stolen)).state == "running", "the other one's"


async def test_jobs_that_have_not_ended_are_counted_by_kind_and_state(client: httpx.AsyncClient) -> None:
    first, second = await submit(client), await submit(client)
    await client.post(f"/jobs/{second}/cancel")
    counts = await jobs_of(client).count_open()
    assert len(counts) == 2 * len(get_args(JobKind))
    assert {key: number for key, number in counts.items() if number} == {("export", "queued"): 1}
    assert (await jobs_of(client).find(first)).state == "queued"
    for seconds, state in ((60, "running"), (-60, "queued")):  # a worker that died works on nothing
        until_then = {"$add": ["$$NOW", seconds * 1000]}
        taken = [{"$set": {"state": "running", "lease": "its", "lease_until": until_then}}]
        await database(client)["jobs"].update_one({"_id": ObjectId(first)}, taken)
        counts = await jobs_of(client).count_open()
        assert {key: number for key, number in counts.items() if number} == {("export", state): 1}
