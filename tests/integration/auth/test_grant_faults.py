"""What befalls Redis under browser sessions, grants and codes: killed, full, back from an old copy."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from app.auth.sessions import new_grant
from app.clients import BUILT_IN
from app.core.errors import InvalidGrantError
from tests.integration.auth.test_session_faults import full, restart
from tests.support.servers import RedisServer
from tests.support.sessions import ALIVE, SCOPES, Worker, bringing_back, working


@pytest.fixture
async def worker(bare_uri: str, own_redis: RedisServer) -> AsyncIterator[Worker]:
    async with working(bare_uri, own_redis.url) as opened:
        yield opened


async def test_grants_go_on_after_redis_was_killed_and_those_that_ended_stay_ended(
    worker: Worker, own_redis: RedisServer
) -> None:
    user_id = await worker.add_user()
    browser, cookie = await worker.open_browser(user_id)
    living, ended = await worker.begin_grant(browser), await worker.begin_grant(browser)
    await worker.sessions.end(user_id, ended.sid)
    await restart(own_redis)
    assert await worker.fates(user_id, [living, ended]) == [ALIVE, "session_revoked"]
    assert (await worker.refresh(living.refresh_token)).split(".")[1] == "2"
    assert await worker.browsers.find(cookie) is not None
    assert await worker.fate(user_id, (await worker.begin_grant(browser)).sid) == ALIVE


@pytest.mark.parametrize("end", ["the browser session", "the grant", "all"])
async def test_an_old_copy_of_redis_revives_no_grant(
    worker: Worker, own_redis: RedisServer, own_folder: Path, end: str
) -> None:
    user_id = await worker.add_user()
    browser, cookie = await worker.open_browser(user_id)
    grant, other = await worker.begin_grant(browser), await worker.begin_grant(browser)
    async with bringing_back(own_redis, own_folder / "copy"):
        if end == "all":
            await worker.sessions.end_all(user_id)
        else:
            await worker.sessions.end(user_id, grant.sid if end == "the grant" else browser.sid)
    revoked = "session_revoked"
    assert await worker.refresh(grant.refresh_token) == revoked
    expected = [revoked, ALIVE] if end == "the grant" else [revoked, revoked]
    assert await worker.fates(user_id, [grant, other]) == expected
    assert (await worker.browsers.find(cookie) is not None) is (end == "the grant")
    if end != "the grant":
        with pytest.raises(InvalidGrantError):
            await worker.begin_grant(browser)


async def test_a_grant_that_was_ended_before_it_began_never_begins_though_redis_forgot_it(
    worker: Worker, own_redis: RedisServer, own_folder: Path
) -> None:
    user_id = await worker.add_user()
    browser, _ = await worker.open_browser(user_id)
    sid = new_grant(browser.sid)
    async with bringing_back(own_redis, own_folder / "copy"):
        await worker.sessions.end(user_id, sid)
    with pytest.raises(InvalidGrantError):
        await worker.sessions.begin_grant(sid, client=BUILT_IN, scopes=SCOPES, ttl_s=None, auth_time=0)


async def test_a_code_s_second_use_while_redis_dies_ends_its_grant_all_the_same(
    worker: Worker, own_redis: RedisServer
) -> None:
    user_id = await worker.add_user()
    browser, _ = await worker.open_browser(user_id)
    grant = await worker.begin_grant(browser)
    own_redis.kill()
    with pytest.raises(RedisError):
        await worker.sessions.end(user_id, grant.sid)
    own_redis.restart()
    assert await worker.fate(user_id, grant.sid) == "session_revoked"
    assert await worker.refresh(grant.refresh_token) == "session_revoked"


async def test_the_newest_cookie_still_finds_its_session_in_an_old_copy(
    worker: Worker, own_redis: RedisServer, own_folder: Path
) -> None:
    user_id = await worker.add_user()
    browser, first = await worker.open_browser(user_id)
    async with bringing_back(own_redis, own_folder / "copy"):
        _, second = await worker.open_browser(user_id, cookie=first)
    found = await worker.browsers.find(second)
    assert found is not None
    assert found.sid == browser.sid
    _, third = await worker.open_browser(user_id, cookie=second)
    assert third.split(".")[1] == "3"
    assert [await worker.browsers.find(cookie) is None for cookie in (first, second, third)] == [
        True, True, False,
    ]  # fmt: skip


# --- codes


async def test_no_code_of_before_a_restart_is_good_used_or_not(
    worker: Worker, own_redis: RedisServer
) -> None:
    for code in ("used", "unused"):
        await worker.one_time.put("code", code, {"client": "portal"}, ttl_s=60)
    assert await worker.one_time.use("code", "used") is not None
    await restart(own_redis)
    for code in ("used", "unused"):
        assert await worker.one_time.read("code", code) is None
        assert await worker.one_time.change("code", code, {"client": "wiki"}) is False
        assert await worker.one_time.use("code", code) is None
    await worker.one_time.put("code", "new", {"client": "portal"}, ttl_s=60)
    assert await worker.one_time.use("code", "new") is not None


async def test_an_old_copy_that_lost_a_use_makes_no_code_good_again(
    worker: Worker, own_redis: RedisServer, own_folder: Path
) -> None:
    await worker.one_time.put("code", "abc", {"client": "portal"}, ttl_s=60)
    async with bringing_back(own_redis, own_folder / "copy"):
        assert await worker.one_time.use("code", "abc") is not None
    assert await worker.one_time.use("code", "abc") is None


# --- Redis full


async def test_with_a_full_redis_nobody_signs_in_in_a_browser_and_who_is_signed_in_can_end_it(
    worker: Worker,
) -> None:
    user_id = await worker.add_user()
    browser, cookie = await worker.open_browser(user_id)
    grant = await worker.begin_grant(browser)
    async with full(worker.redis):
        for held in (None, cookie):
            with pytest.raises(RedisError):
                await worker.open_browser(user_id, cookie=held)
        with pytest.raises(RedisError):
            await worker.begin_grant(browser)
        with pytest.raises(RedisError):
            await worker.sessions.refresh(grant.refresh_token, client=BUILT_IN)
        assert await worker.browsers.find(cookie) is not None, "neither ended nor rotated"
        assert await worker.fate(user_id, grant.sid) == ALIVE
        await worker.browsers.end(browser)
        assert await worker.browsers.find(cookie) is None
        assert await worker.fate(user_id, grant.sid) == "session_revoked"


async def test_with_a_full_redis_a_code_s_second_use_ends_its_grant_begun_or_not(worker: Worker) -> None:
    user_id = await worker.add_user()
    browser, _ = await worker.open_browser(user_id)
    grant, unborn = await worker.begin_grant(browser), new_grant(browser.sid)
    await worker.one_time.put("code", "abc", {"grant": grant.sid}, ttl_s=60)
    await worker.one_time.use("code", "abc")
    async with full(worker.redis):
        again = await worker.one_time.use("code", "abc")
        assert again is not None
        assert again.is_first is False
        for sid in (grant.sid, unborn):
            await worker.sessions.end(user_id, sid)
            assert await worker.fate(user_id, sid) == "session_revoked"
    with pytest.raises(InvalidGrantError):
        await worker.sessions.begin_grant(unborn, client=BUILT_IN, scopes=SCOPES, ttl_s=None, auth_time=0)


async def test_with_a_full_redis_a_code_can_be_used_later(worker: Worker) -> None:
    await worker.one_time.put("code", "abc", {"client": "portal"}, ttl_s=60)
    async with full(worker.redis):
        for refused in (
            worker.one_time.use("code", "abc"),
            worker.one_time.change("code", "abc", {"client": "wiki"}),
            worker.one_time.put("code", "def", {}, ttl_s=60),
        ):
            with pytest.raises(RedisError):
                await refused
        assert await worker.one_time.read("code", "abc") == {"client": "portal"}
    use = await worker.one_time.use("code", "abc")
    assert use is not None
    assert use.is_first
    assert await worker.one_time.read("code", "def") is None
