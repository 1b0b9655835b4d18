"""fastapi-users as its documentation sets it up: bearer tokens in Redis, people in MongoDB through Beanie.

Under /async it is set up in the one way that makes it quicker: FastAPI calls the plain function that the
documentation hands it in a thread, a coroutine function at once.
Runs in an environment of its own (`peer_environment`), so nothing of Roster is imported here.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import redis.asyncio
from beanie import PydanticObjectId, init_beanie
from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, RedisStrategy
from fastapi_users_db_beanie import BeanieBaseUserDocument, BeanieUserDatabase, ObjectIDIDMixin
from pymongo import AsyncMongoClient

_TOKEN_TTL_S = 3600


class Peer(BeanieBaseUserDocument):
    class Settings(BeanieBaseUserDocument.Settings):
        name = "peers"


class PeerOutput(schemas.BaseUser[PydanticObjectId]):
    pass


class PeerUpdate(schemas.BaseUserUpdate):
    pass


class PeerManager(ObjectIDIDMixin, BaseUserManager[Peer, PydanticObjectId]):
    pass


async def peers() -> AsyncIterator[BeanieUserDatabase[Peer]]:
    yield BeanieUserDatabase(Peer)


async def manager(
    database: Annotated[BeanieUserDatabase[Peer], Depends(peers)],
) -> AsyncIterator[PeerManager]:
    yield PeerManager(database)


tokens = redis.asyncio.from_url(os.environ["REDIS_URL"], decode_responses=True)


def strategy() -> RedisStrategy[Peer, PydanticObjectId]:
    return RedisStrategy(tokens, lifetime_seconds=_TOKEN_TTL_S)


async def async_strategy() -> RedisStrategy[Peer, PydanticObjectId]:
    return strategy()


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(os.environ["MONGO_URI"])
    await init_beanie(database=client.get_default_database(), document_models=[Peer])
    yield
    await client.close()


app = FastAPI(lifespan=lifespan)
for prefix, get_strategy in (("", strategy), ("/async", async_strategy)):
    backend = AuthenticationBackend("redis", BearerTransport("auth/login"), get_strategy)
    users = FastAPIUsers[Peer, PydanticObjectId](manager, [backend])
    app.include_router(users.get_auth_router(backend), prefix=f"{prefix}/auth")
    app.include_router(users.get_users_router(PeerOutput, PeerUpdate), prefix=f"{prefix}/users")


@app.get("/live")
async def live() -> dict[str, str]:
    return {"status": "ok"}
