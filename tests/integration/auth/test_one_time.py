"""Records that are used once, in Redis under the digest of their code."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.auth.one_time import OneTimeRecords, Use
from tests.support.sessions import Worker, working

ROUNDS = 200
AT_ONCE = 50
RECORD = {"client_id": "portal", "redirect_uri": "https://portal.example.com/cb?a=b", "name": "张伟\n"}


@pytest.fixture
async def workers(bare_uri: str, redis_url: str) -> AsyncIterator[list[Worker]]:
    async with working(bare_uri, redis_url) as one, working(bare_uri, redis_url) as other:
        yield [one, other]


@pytest.fixture
def records(workers: list[Worker]) -> OneTimeRecords:
    return workers[0].one_time


async def test_a_record_is_used_first_once_and_remembered(
    records: OneTimeRecords, workers: list[Worker]
) -> None:
    await records.put("code", "abc", RECORD, ttl_s=60)
    assert await records.read("code", "abc") == RECORD
    assert await workers[1].one_time.use("code", "abc") == Use(RECORD, is_first=True)
    for _ in range(2):
        assert await records.use("code", "abc") == Use(RECORD, is_first=False)
    assert await records.read("code", "abc") is None
    (name,) = await workers[0].redis.keys("*")
    assert 590_000 < await workers[0].redis.pttl(name) <= 600_000


async def test_a_record_of_another_kind_or_code_is_none(records: OneTimeRecords) -> None:
    await records.put("code", "abc", RECORD, ttl_s=60)
    for kind, code in (("request", "abc"), ("code", "abd"), ("code", ""), ("code", "é\ud800")):
        assert await records.read(kind, code) is None
        assert await records.use(kind, code) is None
        assert await records.change(kind, code, {"client_id": "wiki"}) is False
    assert await records.use("code", "abc") == Use(RECORD, is_first=True)


async def test_a_record_changes_while_it_is_unused(records: OneTimeRecords) -> None:
    await records.put("device", "abc", {"state": "pending"}, ttl_s=60)
    assert await records.change("device", "abc", {"state": "approved", "user_id": "1"}) is True
    changed = {"state": "approved", "user_id": "1"}
    assert await records.read("device", "abc") == changed
    assert await records.use("device", "abc") == Use(changed, is_first=True)
    assert await records.change("device", "abc", {"state": "denied"}) is False
    assert await records.use("device", "abc") == Use(changed, is_first=False)


async def test_a_record_expires_and_a_change_does_not_lengthen_its_life(
    records: OneTimeRecords, workers: list[Worker]
) -> None:
    await records.put("device", "abc", RECORD, ttl_s=60)
    (name,) = await workers[0].redis.keys("*")
    await workers[0].redis.pexpire(name, 30_000)
    await records.change("device", "abc", {"state": "denied"})
    assert 0 < await workers[0].redis.pttl(name) <= 30_000
    await workers[0].redis.delete(name)
    assert await records.read("device", "abc") is None
    assert await records.use("device", "abc") is None


async def test_redis_has_no_code(records: OneTimeRecords, workers: list[Worker]) -> None:
    await records.put("code", "q2w3e4r5t6", {"client_id": "portal"}, ttl_s=60)
    await records.use("code", "q2w3e4r5t6")
    (name,) = await workers[0].redis.keys("*")
    held = await workers[0].redis.hgetall(name)
    assert "q2w3e4r5t6" not in str([name, held])


async def test_of_50_uses_at_once_exactly_one_is_the_first_200_times(workers: list[Worker]) -> None:
    for number in range(ROUNDS):
        code = f"code {number}"
        await workers[0].one_time.put("code", code, RECORD, ttl_s=60)
        uses = await asyncio.gather(*(workers[n % 2].one_time.use("code", code) for n in range(AT_ONCE)))
        assert [use is not None and use.is_first for use in uses].count(True) == 1
        assert all(use is not None and use.record == RECORD for use in uses)
