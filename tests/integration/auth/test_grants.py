"""What clients get through a browser session: it lives only while that session does, and keeps it alive."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.auth.sessions import BrowserSession, NewSession, new_grant
from app.clients import BUILT_IN, Client
from app.core.errors import InvalidGrantError, InvalidScopeError
from tests.support.clients import clients_of, new_client
from tests.support.sessions import ALIVE, SCOPES, Worker, everything, forbid_mongodb, key, working

MINUTE_MS = 60_000
DAY_MS = 86_400_000
ROUNDS = 20
"""Each second use is a write of MongoDB; `test_one_time.py` has ten times as many of the uses alone."""
AT_ONCE = 50


class CrashError(Exception):
    pass


@pytest.fixture
async def worker(bare_uri: str, redis_url: str) -> AsyncIterator[Worker]:
    async with working(bare_uri, redis_url) as opened:
        yield opened


@pytest.fixture
async def workers(bare_uri: str, redis_url: str) -> AsyncIterator[list[Worker]]:
    async with working(bare_uri, redis_url) as one, working(bare_uri, redis_url) as other:
        yield [one, other]


async def open_browser(worker: Worker) -> BrowserSession:
    browser, _ = await worker.open_browser(await worker.add_user())
    return browser


async def register(worker: Worker, client_id: str = "portal") -> Client:
    client, _ = await clients_of(worker.database).register(new_client(), client_id=client_id)
    return client


def name_of(browser: BrowserSession, sid: str) -> str:
    return key(browser.user_id, f"session:{sid}")


async def age(worker: Worker, browser: BrowserSession, sid: str, ms: int) -> None:
    """As if so many milliseconds had passed for this session or grant."""
    name = name_of(browser, sid)
    for field in ("created_at", "rotated_at", "used_at", "expires_at"):
        if await worker.redis.hexists(name, field):
            await worker.redis.hincrby(name, field, -ms)
    await worker.redis.pexpire(name, max(await worker.redis.pttl(name) - ms, 1))
    index = f"{name_of(browser, browser.sid)}~" if "~" in sid else key(browser.user_id, "sessions")
    await worker.redis.zincrby(index, -ms, sid)


async def fates(worker: Worker, browser: BrowserSession, *grants: NewSession) -> list[str]:
    return await worker.fates(browser.user_id, list(grants))


# --- begun, used, refreshed


async def test_a_grant_is_used_and_refreshed_like_a_session(worker: Worker) -> None:
    browser, portal = await open_browser(worker), await register(worker)
    grant = await worker.begin_grant(browser, client=portal)
    assert grant.sid.partition("~")[0] == browser.sid
    assert await worker.fate(browser.user_id, grant.sid, portal.id) == ALIVE
    refreshed = await worker.sessions.refresh(grant.refresh_token, client=portal)
    assert (refreshed.user_id, refreshed.sid) == (browser.user_id, grant.sid)
    assert (refreshed.client_id, refreshed.scopes) == (portal.id, SCOPES)
    second = refreshed.refresh_token
    assert await worker.refresh(grant.refresh_token, client=portal) == second, "within the grace"
    third = await worker.refresh(second, client=portal)
    assert [token.split(".")[1] for token in (grant.refresh_token, second, third)] == ["1", "2", "3"]


async def test_a_request_of_a_grant_costs_one_trip_to_redis_and_none_to_mongodb(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, portal = await open_browser(worker), await register(worker)
    grant = await worker.begin_grant(browser, client=portal)
    assert await worker.fate(browser.user_id, grant.sid, portal.id) == ALIVE
    forbid_mongodb(worker.sessions, monkeypatch)
    before = (await worker.redis.info("stats"))["total_reads_processed"]
    for _ in range(50):
        assert await worker.fate(browser.user_id, grant.sid, portal.id) == ALIVE
    assert (await worker.redis.info("stats"))["total_reads_processed"] - before == 50 + 1  # and the question


async def test_a_used_refresh_token_ends_its_grant_and_no_other(worker: Worker) -> None:
    browser = await open_browser(worker)
    grant, other = await worker.begin_grant(browser), await worker.begin_grant(browser)
    third = await worker.refresh(await worker.refresh(grant.refresh_token))
    assert await worker.refresh(grant.refresh_token) == "refresh_token_reused"
    assert await worker.refresh(third) == "refresh_token_reused"
    assert await fates(worker, browser, grant, other) == ["refresh_token_reused", ALIVE]
    assert await worker.sessions.grants(browser.sid) == {other.sid: BUILT_IN.id}


async def test_another_client_s_grant_is_refused_and_goes_on(worker: Worker) -> None:
    browser = await open_browser(worker)
    grant = await worker.begin_grant(browser)
    with pytest.raises(InvalidGrantError):
        await worker.sessions.refresh(grant.refresh_token, client=replace(BUILT_IN, id="another"))
    with pytest.raises(InvalidScopeError):
        await worker.sessions.refresh(
            grant.refresh_token, client=BUILT_IN, narrowed=frozenset({"users:admin"})
        )
    assert (await worker.refresh(grant.refresh_token)).split(".")[1] == "2"


async def test_a_grant_without_refresh_tokens_ends_with_its_access_token(worker: Worker) -> None:
    browser = await open_browser(worker)
    grant, other = await worker.begin_grant(browser, ttl_s=600), await worker.begin_grant(browser)
    assert 590_000 < await worker.redis.pttl(name_of(browser, grant.sid)) <= 600_000
    assert set(await worker.sessions.grants(browser.sid)) == {grant.sid, other.sid}
    await age(worker, browser, grant.sid, 700_000)
    await asyncio.sleep(0.01)
    assert await fates(worker, browser, grant, other) == ["session_expired", ALIVE]
    assert set(await worker.sessions.grants(browser.sid)) == {other.sid}


# --- a use of a grant is one of the browser session


async def test_a_refresh_keeps_the_browser_session_alive(worker: Worker) -> None:
    browser = await open_browser(worker)
    grant = await worker.begin_grant(browser)
    idle = await worker.begin_grant(browser)
    for sid in (browser.sid, grant.sid):
        await age(worker, browser, sid, 6 * DAY_MS)
    (before,) = await worker.sessions.list_all(browser.user_id)
    await worker.refresh(grant.refresh_token)
    (after,) = await worker.sessions.list_all(browser.user_id)
    assert (after.used_at - before.used_at).days == 6
    assert (after.expires_at - after.used_at).total_seconds() == 7 * 86_400
    for sid in (browser.sid, grant.sid):
        assert await worker.redis.pttl(name_of(browser, sid)) > 6 * DAY_MS
    assert await fates(worker, browser, grant, idle) == [ALIVE] * 2


async def test_to_begin_a_grant_keeps_the_browser_session_alive(worker: Worker) -> None:
    browser = await open_browser(worker)
    await age(worker, browser, browser.sid, 6 * DAY_MS)
    await worker.begin_grant(browser)
    (listed,) = await worker.sessions.list_all(browser.user_id)
    assert (listed.used_at - listed.created_at).days == 6
    assert await worker.redis.pttl(name_of(browser, browser.sid)) > 6 * DAY_MS


async def test_no_refresh_lets_a_grant_outlive_the_absolute_end_of_its_browser_session(
    bare_uri: str, redis_url: str
) -> None:
    lifetimes = {"access_token_ttl_s": 60, "session_idle_ttl_s": 600, "session_absolute_ttl_s": 3600}
    async with working(bare_uri, redis_url, **lifetimes) as worker:
        browser = await open_browser(worker)
        await age(worker, browser, browser.sid, 400_000)
        grant = await worker.begin_grant(browser)
        token = grant.refresh_token
        for _ in range(6):
            for sid in (browser.sid, grant.sid):
                await age(worker, browser, sid, 500_000)
            token = await worker.refresh(token)
        for sid in (browser.sid, grant.sid):
            assert await worker.redis.pttl(name_of(browser, sid)) <= 200_000
        assert await fates(worker, browser, grant) == [ALIVE]


async def test_a_browser_session_that_expired_takes_its_grants_with_it(worker: Worker) -> None:
    browser = await open_browser(worker)
    grant = await worker.begin_grant(browser)
    await worker.redis.delete(name_of(browser, browser.sid))
    assert await fates(worker, browser, grant) == ["session_expired"]
    assert await worker.refresh(grant.refresh_token) == "session_expired"
    with pytest.raises(InvalidGrantError):
        await worker.begin_grant(browser)


async def test_nothing_of_grants_is_kept_for_ever(worker: Worker) -> None:
    browser = await open_browser(worker)
    begun = [await worker.begin_grant(browser) for _ in range(3)]
    await worker.refresh(begun[0].refresh_token)
    await worker.sessions.end(browser.user_id, begun[1].sid)
    await worker.sessions.end(browser.user_id, new_grant(browser.sid))
    await worker.browsers.end(browser)
    for name in await everything(worker.redis):
        assert await worker.redis.pttl(name) > 0, name


# --- ends


async def test_the_end_of_the_browser_session_ends_all_grants_in_it_by_one_record(worker: Worker) -> None:
    browser = await open_browser(worker)
    begun = [await worker.begin_grant(browser) for _ in range(3)]
    other, _ = await worker.open_browser(browser.user_id)
    another = await worker.begin_grant(other)
    await worker.browsers.end(browser)
    assert await fates(worker, browser, *begun, another) == ["session_revoked"] * 3 + [ALIVE]
    assert {await worker.refresh(grant.refresh_token) for grant in begun} == {"session_revoked"}
    assert await worker.database["ended_sessions"].count_documents({}) == 1
    with pytest.raises(InvalidGrantError):
        await worker.begin_grant(browser)


async def test_the_end_of_a_grant_ends_neither_its_browser_session_nor_another(worker: Worker) -> None:
    browser, cookie = await worker.open_browser(await worker.add_user())
    grant, other = await worker.begin_grant(browser), await worker.begin_grant(browser)
    ends = [await worker.sessions.end(browser.user_id, grant.sid) for _ in range(3)]
    assert ends == [True, False, False]
    assert await fates(worker, browser, grant, other) == ["session_revoked", ALIVE]
    assert await worker.refresh(grant.refresh_token) == "session_revoked"
    assert await worker.browsers.find(cookie) is not None


async def test_a_displaced_browser_session_takes_its_grants_with_it_and_says_who_had_them(
    bare_uri: str, redis_url: str
) -> None:
    async with working(bare_uri, redis_url, sessions_per_user=1) as worker:
        browser, portal = await open_browser(worker), await register(worker)
        grants = [await worker.begin_grant(browser), await worker.begin_grant(browser, client=portal)]
        assert await worker.fate(browser.user_id, grants[0].sid) == ALIVE, "together they count as one"
        assert await worker.fate(browser.user_id, grants[1].sid, portal.id) == ALIVE
        new, _ = await worker.open_browser(browser.user_id)
        assert new.ended == (browser.sid,)
        assert await worker.fate(browser.user_id, grants[0].sid) == "session_displaced"
        assert await worker.fate(browser.user_id, grants[1].sid, portal.id) == "session_displaced"
        assert await worker.refresh(grants[0].refresh_token) == "session_displaced"
        assert sorted((await worker.sessions.grants(browser.sid)).values()) == ["portal", "roster"]
        living = await worker.begin_grant(new)
        assert await fates(worker, new, living) == [ALIVE]
        with pytest.raises(InvalidGrantError):
            await worker.begin_grant(browser)


async def test_a_browser_session_that_the_index_lost_is_displaced_with_its_grants(
    bare_uri: str, redis_url: str
) -> None:
    async with working(bare_uri, redis_url, sessions_per_user=1) as worker:
        browser = await open_browser(worker)
        grant = await worker.begin_grant(browser)
        await worker.redis.delete(key(browser.user_id, "sessions"))
        await worker.sign_in(browser.user_id)
        assert await fates(worker, browser, grant) == ["session_displaced"]
        assert await worker.refresh(grant.refresh_token) == "session_displaced"
        with pytest.raises(InvalidGrantError):
            await worker.begin_grant(browser)


async def test_a_sign_out_everywhere_ends_grants(worker: Worker) -> None:
    browser = await open_browser(worker)
    grant = await worker.begin_grant(browser)
    await worker.sessions.end_all(browser.user_id)
    assert await fates(worker, browser, grant) == ["session_revoked"]
    assert await worker.refresh(grant.refresh_token) == "session_revoked"
    with pytest.raises(InvalidGrantError):
        await worker.begin_grant(browser)


@pytest.mark.parametrize("by", ["the browser", "a grant"])
async def test_a_sign_out_elsewhere_keeps_the_browser_session_and_all_grants_in_it(
    worker: Worker, by: str
) -> None:
    user_id = await worker.add_user()
    mine, theirs = (await worker.open_browser(user_id))[0], (await worker.open_browser(user_id))[0]
    kept, other = await worker.begin_grant(mine), await worker.begin_grant(mine)
    ended = await worker.begin_grant(theirs)
    assert await worker.sessions.end_all(user_id, keep=kept.sid if by == "a grant" else mine.sid)
    assert await fates(worker, mine, kept, other, ended) == [ALIVE, ALIVE, "session_revoked"]
    assert (await worker.refresh(kept.refresh_token)).split(".")[1] == "2"
    assert await worker.begin_grant(mine)
    assert await find(worker, other) == other.sid


async def find(worker: Worker, grant: NewSession) -> str | None:
    """As introspection finds the session of a refresh token."""
    token = worker.sessions.read(grant.refresh_token)
    assert token is not None
    found = await worker.sessions.find(token)
    return None if found is None else found.id


async def test_a_deactivation_ends_grants_at_whatever_point_it_crashes(worker: Worker) -> None:
    browser = await open_browser(worker)
    grant = await worker.begin_grant(browser)

    async def deactivate() -> None:
        async with worker.sessions.ending(browser.user_id):
            assert await fates(worker, browser, grant) == [ALIVE], "MongoDB is asked"
            deactivated = {"$set": {"is_active": False}, "$inc": {"credentials.generation": 1}}
            await worker.database["users"].update_one({}, deactivated)
            raise CrashError

    with pytest.raises(CrashError):
        await deactivate()
    assert await fates(worker, browser, grant) == ["session_revoked"]
    assert await worker.refresh(grant.refresh_token) == "session_revoked"
    with pytest.raises(InvalidGrantError):
        await worker.begin_grant(browser)


async def test_while_an_end_may_be_under_way_a_grant_begins_only_as_mongodb_says(worker: Worker) -> None:
    browser = await open_browser(worker)
    async with worker.sessions.ending(browser.user_id) as ending:
        early = await worker.begin_grant(browser)
        ending.generation = await worker.sessions._anchors.raise_generation(browser.user_id)
        with pytest.raises(InvalidGrantError):
            await worker.begin_grant(browser)
        assert await fates(worker, browser, early) == ["session_revoked"]
    assert await fates(worker, browser, early) == ["session_revoked"]


async def test_a_removed_client_takes_its_grants_with_it_and_leaves_the_browser_session(
    worker: Worker,
) -> None:
    browser, cookie = await worker.open_browser(await worker.add_user())
    portal = await register(worker)
    used, unused = [await worker.begin_grant(browser, client=portal) for _ in range(2)]
    other = await worker.begin_grant(browser)
    assert await worker.fate(browser.user_id, used.sid, portal.id) == ALIVE
    async with worker.sessions.ending_client(portal.id):
        await clients_of(worker.database).remove(portal.id)
    anew = await register(worker)
    assert await worker.refresh(unused.refresh_token, client=anew) == "session_revoked"
    for grant in (used, unused):
        assert await worker.fate(browser.user_id, grant.sid, portal.id) == "session_revoked"
    assert await fates(worker, browser, other) == [ALIVE]
    assert await worker.browsers.find(cookie) is not None
    (listed,) = await worker.sessions.list_all(browser.user_id)
    assert listed.clients == ["roster"]


# --- what Redis may have lost


@pytest.mark.parametrize("lost", ["state", "sessions", "grants"])
async def test_without_what_redis_lost_a_grant_goes_on(worker: Worker, lost: str) -> None:
    browser = await open_browser(worker)
    grant = await worker.begin_grant(browser)
    index = f"{name_of(browser, browser.sid)}~"
    assert await worker.redis.delete(index if lost == "grants" else key(browser.user_id, lost)) == 1
    assert await fates(worker, browser, grant) == [ALIVE]
    assert (await worker.refresh(grant.refresh_token)).split(".")[1] == "2"
    assert await worker.sessions.grants(browser.sid) == {grant.sid: BUILT_IN.id}, "as the refresh noted it"
    assert [found.id for found in await worker.sessions.list_all(browser.user_id)] == [browser.sid]
    await worker.begin_grant(browser)
    await worker.browsers.end(browser)
    assert await fates(worker, browser, grant) == ["session_revoked"]


async def test_without_the_state_mongodb_is_asked_once_of_grant_and_browser_session(worker: Worker) -> None:
    browser = await open_browser(worker)
    grant, other = await worker.begin_grant(browser), await worker.begin_grant(browser)
    await worker.redis.delete(key(browser.user_id, "state"))
    await worker.database.command("profile", 2)
    assert await fates(worker, browser, *[grant] * 5) == [ALIVE] * 5
    await worker.database.command("profile", 0)
    assert await worker.database["system.profile"].count_documents({"op": "query"}) == 2
    await worker.sessions._anchors.end([browser.sid], "revoked")  # Redis learns nothing of it
    await worker.redis.delete(key(browser.user_id, "state"))
    assert await fates(worker, browser, grant, other) == ["session_revoked"] * 2


async def test_an_end_of_all_that_redis_does_not_know_is_honoured(worker: Worker) -> None:
    browser = await open_browser(worker)
    grant = await worker.begin_grant(browser)
    await worker.sessions._anchors.raise_generation(browser.user_id)
    await worker.redis.delete(key(browser.user_id, "state"))
    with pytest.raises(InvalidGrantError):
        await worker.begin_grant(browser)
    assert await worker.refresh(grant.refresh_token) == "session_revoked"
    assert await fates(worker, browser, grant) == ["session_revoked"]


# --- a code that is used twice


async def test_a_grant_that_ended_before_it_began_never_begins(worker: Worker) -> None:
    browser = await open_browser(worker)
    sid = new_grant(browser.sid)
    assert await worker.sessions.end(browser.user_id, sid) is False
    with pytest.raises(InvalidGrantError):
        await worker.sessions.begin_grant(sid, client=BUILT_IN, scopes=SCOPES, ttl_s=None, auth_time=0)
    assert await worker.fate(browser.user_id, sid) == "session_revoked"
    assert await worker.sessions.grants(browser.sid) == {}
    assert await worker.begin_grant(browser)


async def test_a_grant_begins_once(worker: Worker) -> None:
    browser = await open_browser(worker)
    grant = await worker.begin_grant(browser)
    with pytest.raises(InvalidGrantError):
        await worker.sessions.begin_grant(grant.sid, client=BUILT_IN, scopes=SCOPES, ttl_s=None, auth_time=0)
    assert await fates(worker, browser, grant) == [ALIVE]


async def test_a_grant_that_only_mongodb_knows_to_have_ended_never_begins(worker: Worker) -> None:
    browser = await open_browser(worker)
    sid = new_grant(browser.sid)
    await worker.sessions._anchors.end([sid], "revoked")
    await worker.redis.delete(key(browser.user_id, "state"))  # as after a restart: MongoDB must be asked
    with pytest.raises(InvalidGrantError):
        await worker.sessions.begin_grant(sid, client=BUILT_IN, scopes=SCOPES, ttl_s=None, auth_time=0)
    assert await worker.fate(browser.user_id, sid) == "session_revoked"


async def exchange(worker: Worker, code: str) -> NewSession | None:
    """As the token endpoint does it."""
    use = await worker.one_time.use("code", code)
    assert use is not None
    grant = use.record["grant"]
    if not use.is_first:
        await worker.sessions.end(worker.sessions.user_of(grant) or "", grant)
        return None
    try:
        return await worker.sessions.begin_grant(
            grant, client=BUILT_IN, scopes=SCOPES, ttl_s=None, auth_time=0
        )
    except InvalidGrantError:
        return None


async def test_of_50_uses_of_a_code_at_once_one_begins_the_grant_and_then_it_is_dead_each_time(
    workers: list[Worker],
) -> None:
    browser = await open_browser(workers[0])
    for number in range(ROUNDS):
        grant = new_grant(browser.sid)
        await workers[0].one_time.put("code", f"code {number}", {"grant": grant}, ttl_s=60)
        begun = await asyncio.gather(*(exchange(workers[n % 2], f"code {number}") for n in range(AT_ONCE)))
        assert begun.count(None) >= AT_ONCE - 1  # a session cannot be hashed
        assert await workers[1].fate(browser.user_id, grant) == "session_revoked"
    assert await workers[0].sessions.grants(browser.sid) == {}


# --- which there are


async def test_a_session_of_a_browser_lists_its_clients(worker: Worker) -> None:
    browser = await open_browser(worker)
    session = await worker.sign_in(browser.user_id)
    portal, wiki = await register(worker), await register(worker, "wiki")
    first, second = [await worker.begin_grant(browser, client=portal) for _ in range(2)]
    third = await worker.begin_grant(browser, client=wiki)
    assert await worker.sessions.grants(browser.sid) == {
        first.sid: "portal", second.sid: "portal", third.sid: "wiki",
    }  # fmt: skip
    assert await worker.sessions.grants(session.sid) == {}

    async def clients() -> dict[str, list[str]]:
        return {found.id: found.clients for found in await worker.sessions.list_all(browser.user_id)}

    assert await clients() == {browser.sid: ["portal", "wiki"], session.sid: []}
    await worker.sessions.end(browser.user_id, third.sid)
    assert await clients() == {browser.sid: ["portal"], session.sid: []}


async def test_a_client_s_grants_end_in_all_sessions_of_the_user_and_no_other_does(worker: Worker) -> None:
    browser, portal = await open_browser(worker), await register(worker)
    another, _ = await worker.open_browser(browser.user_id)
    stranger = await open_browser(worker)
    ended = [await worker.begin_grant(place, client=portal) for place in (browser, another)]
    other, foreign = await worker.begin_grant(browser), await worker.begin_grant(stranger, client=portal)
    assert set(await worker.sessions.end_grants(browser.user_id, portal.id)) == {one.sid for one in ended}
    assert await worker.sessions.end_grants(browser.user_id, portal.id) == []
    for grant in ended:
        assert await worker.fate(browser.user_id, grant.sid, portal.id) == "session_revoked"
    assert await fates(worker, browser, other) == [ALIVE]
    assert await worker.fate(stranger.user_id, foreign.sid, portal.id) == ALIVE
    assert await worker.begin_grant(browser, client=portal)


async def test_of_101_grants_in_one_browser_session_the_first_to_end_makes_room(worker: Worker) -> None:
    browser = await open_browser(worker)
    kept = await worker.begin_grant(browser)
    oldest = await worker.begin_grant(browser)
    for grant in (kept, oldest):
        await age(worker, browser, grant.sid, MINUTE_MS)
    await worker.refresh(kept.refresh_token)
    rest = [await worker.begin_grant(browser) for _ in range(99)]
    assert await fates(worker, browser, kept, oldest, rest[0]) == [ALIVE, "session_displaced", ALIVE]
    assert len(await worker.sessions.grants(browser.sid)) == 100
