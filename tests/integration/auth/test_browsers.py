"""The session of a browser: its cookie, who it is of, how it goes on and ends."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app.auth.sessions import BrowserSession
from app.clients import BUILT_IN
from app.core.errors import InvalidGrantError, UnavailableError
from tests.support.sessions import ALIVE, Worker, everything, forbid_mongodb, key, working

MINUTE_MS = 60_000
AWAY = {"address": "198.51.100.7", "agent": "Safari"}


@pytest.fixture
async def worker(bare_uri: str, redis_url: str) -> AsyncIterator[Worker]:
    async with working(bare_uri, redis_url) as opened:
        yield opened


def name_of(browser: BrowserSession) -> str:
    return key(browser.user_id, f"session:{browser.sid}")


async def age(worker: Worker, browser: BrowserSession, ms: int) -> None:
    """As if so many milliseconds had passed for this session."""
    for field in ("created_at", "used_at", "expires_at"):
        await worker.redis.hincrby(name_of(browser), field, -ms)
    await worker.redis.pexpire(name_of(browser), max(await worker.redis.pttl(name_of(browser)) - ms, 1))
    await worker.redis.zincrby(key(browser.user_id, "sessions"), -ms, browser.sid)


# --- the cookie


async def test_a_cookie_finds_its_session(worker: Worker) -> None:
    user_id = await worker.add_user()
    browser, cookie = await worker.open_browser(user_id)
    found = await worker.browsers.find(cookie)
    assert found is not None
    assert (found.user_id, found.sid, found.ended) == (user_id, browser.sid, ())
    assert abs(found.auth_at - browser.auth_at) < timedelta(minutes=1)
    assert found.auth_at.tzinfo is not None


async def test_a_session_of_a_browser_is_listed_without_scopes(worker: Worker) -> None:
    user_id = await worker.add_user()
    browser, _ = await worker.open_browser(user_id)
    (listed,) = await worker.sessions.list_all(user_id)
    assert (listed.id, listed.client_id, listed.scopes) == (browser.sid, "roster", [])
    assert (listed.address, listed.agent, listed.clients) == ("192.0.2.1", "Firefox", [])


async def test_finding_it_costs_one_trip_to_redis_and_none_to_mongodb(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, cookie = await worker.open_browser(await worker.add_user())
    await worker.browsers.find(cookie)
    forbid_mongodb(worker.sessions, monkeypatch)
    before = (await worker.redis.info("stats"))["total_reads_processed"]
    for _ in range(50):
        assert await worker.browsers.find(cookie) is not None
    assert (await worker.redis.info("stats"))["total_reads_processed"] - before == 50 + 1  # and the question


async def test_what_is_no_cookie_finds_nothing_and_asks_nobody(worker: Worker) -> None:
    user_id = await worker.add_user()
    _, cookie = await worker.open_browser(user_id)
    sid, number, mac = cookie.split(".")
    other, _ = await worker.open_browser(await worker.add_user())
    forged = [
        None, "", "x", "a.1.b", f"{sid}.2.{mac}", f"{other.sid}.{number}.{mac}", f"{sid}.{number}.{'a' * 43}",
        f"{cookie} ", f"{sid}~{'a' * 16}.{number}.{mac}", cookie[:-1], "é" * 43 + ".1." + "a" * 43,
    ]  # fmt: skip
    before = (await worker.redis.info("stats"))["total_commands_processed"]
    assert [await worker.browsers.find(text) for text in forged] == [None] * len(forged)
    assert (await worker.redis.info("stats"))["total_commands_processed"] - before == 1


async def test_a_cookie_is_no_refresh_token_and_a_refresh_token_no_cookie(worker: Worker) -> None:
    user_id = await worker.add_user()
    browser, cookie = await worker.open_browser(user_id)
    grant, session = await worker.begin_grant(browser), await worker.sign_in(user_id)
    for token in (grant.refresh_token, session.refresh_token):
        assert await worker.browsers.find(token) is None
    assert worker.sessions.read(cookie) is None
    with pytest.raises(InvalidGrantError):
        await worker.sessions.refresh(cookie, client=BUILT_IN)


async def test_redis_holds_nothing_that_can_be_used_as_a_cookie(worker: Worker) -> None:
    user_id = await worker.add_user()
    _, first = await worker.open_browser(user_id)
    _, second = await worker.open_browser(user_id, cookie=first)
    held = str(await everything(worker.redis))
    for cookie in (first, second):
        assert cookie.rsplit(".", 1)[1] not in held


# --- a sign-in in a browser that is signed in


async def test_a_second_sign_in_keeps_the_session_and_its_grants_under_a_new_cookie(worker: Worker) -> None:
    user_id = await worker.add_user()
    browser, first = await worker.open_browser(user_id)
    grant = await worker.begin_grant(browser)
    await age(worker, browser, 2 * MINUTE_MS)
    was = await worker.browsers.find(first)
    again, second = await worker.browsers.begin(user_id, 0, **AWAY, cookie=first)
    assert (again.sid, again.ended) == (browser.sid, ())
    assert await worker.browsers.find(first) is None, "a cookie of before is refused"
    found = await worker.browsers.find(second)
    assert found is not None
    assert was is not None
    assert found.auth_at == again.auth_at > was.auth_at
    assert await worker.fate(user_id, grant.sid) == ALIVE
    (listed,) = await worker.sessions.list_all(user_id)
    assert (listed.address, listed.agent) == ("198.51.100.7", "Safari")
    assert (listed.created_at, listed.used_at) == (was.auth_at, found.auth_at)


async def test_a_sign_in_renews_how_long_the_session_may_live(worker: Worker) -> None:
    user_id = await worker.add_user()
    browser, cookie = await worker.open_browser(user_id)
    grant = await worker.begin_grant(browser)
    ends = int(await worker.redis.hget(name_of(browser), "expires_at") or 0)
    await age(worker, browser, 6 * 24 * 60 * MINUTE_MS)
    await worker.open_browser(user_id, cookie=cookie)
    assert int(await worker.redis.hget(name_of(browser), "expires_at") or 0) >= ends
    assert await worker.redis.pttl(name_of(browser)) > 6 * 24 * 60 * MINUTE_MS
    assert (await worker.refresh(grant.refresh_token)).split(".")[:2] == [grant.sid, "2"]
    for name in await everything(worker.redis):
        assert await worker.redis.pttl(name) > 0, name


async def test_a_cookie_of_before_the_last_sign_in_begins_a_session_of_its_own(worker: Worker) -> None:
    user_id = await worker.add_user()
    browser, first = await worker.open_browser(user_id)
    _, second = await worker.open_browser(user_id, cookie=first)
    other, third = await worker.open_browser(user_id, cookie=first)
    assert other.sid != browser.sid
    found = [await worker.browsers.find(cookie) for cookie in (first, second, third)]
    assert [one and one.sid for one in found] == [None, browser.sid, other.sid]


async def test_sign_ins_at_once_in_one_browser_end_none_of_each_other(worker: Worker) -> None:
    user_id = await worker.add_user()
    browser, cookie = await worker.open_browser(user_id)
    begun = await asyncio.gather(*(worker.open_browser(user_id, cookie=cookie) for _ in range(20)))
    assert [one.sid for one, _ in begun].count(browser.sid) == 1
    for one, new in begun:
        found = await worker.browsers.find(new)
        assert found is not None
        assert found.sid == one.sid
    assert await worker.browsers.find(cookie) is None


async def test_of_20_sign_ins_at_once_under_a_limit_of_1_one_lives(bare_uri: str, redis_url: str) -> None:
    async with working(bare_uri, redis_url, sessions_per_user=1) as worker:
        user_id = await worker.add_user()
        _, cookie = await worker.open_browser(user_id)
        begun = await asyncio.gather(*(worker.open_browser(user_id, cookie=cookie) for _ in range(20)))
        found = [await worker.browsers.find(new) for _, new in begun]
        assert len([one for one in found if one is not None]) == 1
        assert len(await worker.sessions.list_all(user_id)) == 1


async def test_another_user_s_sign_in_ends_the_session_that_the_browser_had(worker: Worker) -> None:
    one, other = await worker.add_user(), await worker.add_user()
    browser, first = await worker.open_browser(one)
    grant = await worker.begin_grant(browser)
    new, second = await worker.open_browser(other, cookie=first)
    assert (new.user_id, new.ended) == (other, (browser.sid,))
    assert await worker.browsers.find(first) is None
    assert await worker.fate(one, grant.sid) == "session_revoked"
    found = await worker.browsers.find(second)
    assert found is not None
    assert found.user_id == other


async def test_a_cookie_that_finds_nothing_ends_nothing_at_the_sign_in(worker: Worker) -> None:
    one, other = await worker.add_user(), await worker.add_user()
    _, first = await worker.open_browser(one)
    _, second = await worker.open_browser(one, cookie=first)
    new, _ = await worker.open_browser(other, cookie=first)
    assert new.ended == ()
    assert await worker.browsers.find(second) is not None


async def test_the_same_user_of_an_older_generation_gets_a_new_session(worker: Worker) -> None:
    user_id = await worker.add_user()
    browser, first = await worker.open_browser(user_id)
    await worker.sessions.end_all(user_id)
    new, second = await worker.open_browser(user_id, 1, cookie=first)
    assert new.sid != browser.sid
    assert [await worker.browsers.find(one) is None for one in (first, second)] == [True, False]


async def test_a_sign_in_on_its_way_does_not_outlive_a_sign_out_everywhere(worker: Worker) -> None:
    user_id = await worker.add_user()
    _, cookie = await worker.open_browser(user_id)
    await worker.sessions.end_all(user_id)
    with pytest.raises(UnavailableError):
        await worker.open_browser(user_id, 0, cookie=cookie)
    assert await worker.sessions.list_all(user_id) == []


async def test_a_sign_in_again_while_all_may_be_ending_begins_a_session_in_place_of_the_old(
    worker: Worker,
) -> None:
    user_id = await worker.add_user()
    browser, first = await worker.open_browser(user_id)
    async with worker.sessions.ending(user_id):
        new, second = await worker.open_browser(user_id, cookie=first)
        assert new.ended == (browser.sid,)
        assert [await worker.browsers.find(one) is None for one in (first, second)] == [True, False]
    assert [found.id for found in await worker.sessions.list_all(user_id)] == [new.sid]


# --- how it ends


async def test_it_is_displaced_as_any_session(bare_uri: str, redis_url: str) -> None:
    async with working(bare_uri, redis_url, sessions_per_user=1) as worker:
        user_id = await worker.add_user()
        browser, cookie = await worker.open_browser(user_id)
        session = await worker.sign_in(user_id)
        assert session.displaced == [browser.sid]
        assert await worker.browsers.find(cookie) is None
        new, second = await worker.open_browser(user_id, cookie=cookie)
        assert new.ended == (session.sid,)
        assert await worker.fate(user_id, session.sid) == "session_displaced"
        again, _ = await worker.open_browser(user_id, cookie=second)
        assert (again.sid, again.ended) == (new.sid, ()), "the one session goes on"


async def test_under_a_limit_set_later_a_sign_in_again_displaces_the_others(
    bare_uri: str, redis_url: str
) -> None:
    async with (
        working(bare_uri, redis_url) as before,
        working(bare_uri, redis_url, sessions_per_user=1) as after,
    ):
        user_id = await before.add_user()
        browser, cookie = await before.open_browser(user_id)
        session = await before.sign_in(user_id)
        new, second = await after.open_browser(user_id, cookie=cookie)
        assert set(new.ended) == {browser.sid, session.sid}
        assert await after.fate(user_id, session.sid) == "session_displaced"
        assert await after.browsers.find(second) is not None


async def test_it_ends_when_it_is_told_to(worker: Worker) -> None:
    user_id = await worker.add_user()
    browser, cookie = await worker.open_browser(user_id)
    other, another = await worker.open_browser(user_id)
    await worker.browsers.end(browser)
    assert await worker.browsers.find(cookie) is None
    assert await worker.browsers.find(another) is not None
    assert [found.id for found in await worker.sessions.list_all(user_id)] == [other.sid]


async def test_it_ends_with_all_others_of_the_user(worker: Worker) -> None:
    user_id = await worker.add_user()
    kept, ended = await worker.open_browser(user_id), await worker.open_browser(user_id)
    await worker.sessions.end_all(user_id, keep=kept[0].sid)
    assert [await worker.browsers.find(one[1]) is None for one in (kept, ended)] == [False, True]
    await worker.sessions.end_all(user_id)
    assert await worker.browsers.find(kept[1]) is None


async def test_it_expires_unused(worker: Worker) -> None:
    _, cookie = await worker.open_browser(await worker.add_user())
    (name,) = [name for name in await everything(worker.redis) if ":session:" in name]
    await worker.redis.delete(name)
    assert await worker.browsers.find(cookie) is None


async def test_a_deactivated_user_s_is_found_no_more_though_redis_lost_what_it_knew(worker: Worker) -> None:
    user_id = await worker.add_user()
    _, cookie = await worker.open_browser(user_id)
    await worker.database["users"].update_one(
        {}, {"$set": {"is_active": False}}
    )  # Redis learns nothing of it
    await worker.redis.delete(key(user_id, "state"))
    assert await worker.browsers.find(cookie) is None
