"""What the tests of sessions share: workers on the same servers, people, what becomes of their sessions."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from unittest.mock import AsyncMock

import httpx
import pytest
from bson import ObjectId
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis

from app.auth.one_time import OneTimeRecords
from app.auth.sessions import BrowserSession, BrowserSessions, NewSession, Sessions, new_grant
from app.clients import BUILT_IN
from app.core.errors import InvalidTokenError, RosterError
from app.core.settings import Settings
from app.database.redis_connection import RedisConnection
from models.values import ALL_SCOPES
from tests.support.servers import RedisServer
from tests.support.users import create

SECRET = "0123456789abcdef" * 2
SCOPES = frozenset({"me", "users:read"})
PASSWORD = "seven wet horses sing"
ALIVE = "alive"


@dataclass(frozen=True, slots=True)
class Worker:
    """What one process has of sessions, and the servers under it."""

    sessions: Sessions
    browsers: BrowserSessions
    one_time: OneTimeRecords
    database: AsyncDatabase[dict[str, Any]]
    redis: Redis

    async def add_user(self, user_id: str | None = None) -> str:
        """One who has never signed in."""
        chosen = ObjectId(user_id)
        user = {"_id": chosen, "is_active": True, "credentials": {"generation": 0}}
        await self.database["users"].insert_one(user)
        return str(chosen)

    async def sign_in(self, user_id: str, generation: int = 0, **more: Any) -> NewSession:
        asked: dict[str, Any] = {"client": BUILT_IN, "scopes": SCOPES} | more
        return await self.sessions.create(user_id, generation, **asked)

    async def open_browser(
        self, user_id: str, generation: int = 0, cookie: str | None = None
    ) -> tuple[BrowserSession, str]:
        """A sign-in in a browser: its session and the cookie."""
        return await self.browsers.begin(
            user_id, generation, address="192.0.2.1", agent="Firefox", cookie=cookie
        )

    async def begin_grant(self, browser: BrowserSession, **more: Any) -> NewSession:
        asked: dict[str, Any] = {"client": BUILT_IN, "scopes": SCOPES, "ttl_s": None, "auth_time": 0} | more
        return await self.sessions.begin_grant(new_grant(browser.sid), **asked)

    async def fate(self, user_id: str, sid: str, client_id: str = BUILT_IN.id) -> str:
        """`alive`, or the code of the 401 that its next request would get."""
        try:
            await self.sessions.check(user_id, sid, client_id=client_id)
        except InvalidTokenError as error:
            return error.code
        return ALIVE

    async def fates(self, user_id: str, begun: list[NewSession]) -> list[str]:
        return [await self.fate(user_id, session.sid) for session in begun]

    async def refresh(self, refresh_token: str, **more: Any) -> str:
        """The next refresh token, or the code of the refusal."""
        try:
            refreshed = await self.sessions.refresh(refresh_token, **({"client": BUILT_IN} | more))
        except RosterError as error:
            return error.code
        return refreshed.refresh_token

    async def generation(self, user_id: str) -> int:
        user = await self.database["users"].find_one({"_id": ObjectId(user_id)})
        assert user is not None
        return int(user["credentials"]["generation"])


@asynccontextmanager
async def working(mongo_uri: str, redis_url: str, **overrides: Any) -> AsyncIterator[Worker]:
    settings = Settings(_env_file=None, **overrides)
    timeout_ms = settings.mongo_timeout_ms
    client = AsyncMongoClient[dict[str, Any]](
        mongo_uri, timeoutMS=timeout_ms, serverSelectionTimeoutMS=timeout_ms, w="majority"
    )
    async with client, Redis.from_url(redis_url, decode_responses=True) as redis:
        database = client.get_default_database()
        redis_connection = RedisConnection(redis, timeout_s=0.5)
        try:
            sessions = Sessions(redis_connection, database, SECRET, settings)
            browsers = BrowserSessions(sessions, redis_connection, SECRET, settings)
            yield Worker(sessions, browsers, OneTimeRecords(redis_connection), database, redis)
        finally:
            redis_connection.close()


def key(user_id: str, rest: str) -> str:
    return f"roster:{{{user_id}}}:{rest}"


async def everything(redis: Redis) -> dict[str, Any]:
    """All that Redis holds of sessions, by key."""
    found: dict[str, Any] = {}
    async for name in redis.scan_iter("roster:{*"):
        if await redis.type(name) == "hash":
            found[name] = await redis.hgetall(name)
        else:
            found[name] = await redis.zrange(name, 0, -1, withscores=True)
    return found


@asynccontextmanager
async def bringing_back(server: RedisServer, copy: Path) -> AsyncIterator[None]:
    """At the end Redis is killed, and comes back as it was at the beginning: an old copy of its file."""
    data = server.server.folder / "data"

    def replace() -> None:
        server.kill()
        shutil.rmtree(data)
        shutil.copytree(copy, data)
        server.restart()

    await asyncio.to_thread(shutil.copytree, data, copy)
    yield
    await asyncio.to_thread(replace)


async def add_person(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    """A user with a password and all scopes of a newcomer, as answered."""
    user = await create(client, **({"scopes": ["me", "users:read"]} | more))
    reply = await client.put(f"/users/{user['id']}/password", json={"password": PASSWORD})
    assert reply.status_code == 204, reply.text
    return user


async def administer(client: httpx.AsyncClient) -> None:
    """The client goes on as an administrator who is in the directory, whom MongoDB too vouches for."""
    admin = await add_person(client, scopes=list(ALL_SCOPES))
    client.headers.update(bearing(await sign_in(client, admin)))


async def ask_token(client: httpx.AsyncClient, **form: str) -> httpx.Response:
    request = client.build_request("POST", "/auth/token", data=form)
    del request.headers["Authorization"]  # the client's own, which is no client authentication
    return await client.send(request)


async def sign_in(client: httpx.AsyncClient, user: dict[str, Any], **more: str) -> dict[str, Any]:
    """The tokens of a new session."""
    form = {"grant_type": "password", "username": user["email"], "password": PASSWORD}
    reply = await ask_token(client, **(form | more))
    assert reply.status_code == 200, reply.text
    return cast("dict[str, Any]", reply.json())


async def renew(client: httpx.AsyncClient, tokens: dict[str, Any]) -> httpx.Response:
    return await ask_token(client, grant_type="refresh_token", refresh_token=tokens["refresh_token"])


def bearing(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def fate(client: httpx.AsyncClient, tokens: dict[str, Any]) -> str:
    """`alive`, or the code of the refusal of a request with these tokens."""
    reply = await client.get("/users/me/sessions", headers=bearing(tokens))
    if reply.status_code == 200:
        return ALIVE
    assert reply.status_code in {401, 503}, reply.text
    return str(reply.json()["code"])


def forbid_mongodb(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on a session that MongoDB is asked about fails the test."""
    for name in ("find_generation", "find_end", "find_registrations"):
        monkeypatch.setattr(sessions._anchors, name, AsyncMock(side_effect=AssertionError))
