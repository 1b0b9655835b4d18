"""The floor, with what no token and session check can do without: a signature verified, a key read in Redis.

The token is its own, the same for each request; it is verified each time all the same.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from joserfc import jwt
from joserfc.jwk import OKPKey
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks import floor

_ALGORITHM: Final = "Ed25519"
_KEY = OKPKey.generate_key(_ALGORITHM)
_TOKEN = jwt.encode({"alg": _ALGORITHM, "typ": "at+jwt"}, {"sub": "1", "sid": "1"}, _KEY, [_ALGORITHM])


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    async with floor.lifespan(app), Redis.from_url(os.environ["REDIS_URL"]) as redis:
        await redis.set("floor:session:1", "1")
        app.state.redis = redis
        yield


async def page(request: Request) -> Response:
    claims = jwt.decode(_TOKEN, _KEY, [_ALGORITHM]).claims
    assert await request.app.state.redis.get(f"floor:session:{claims['sid']}")
    return await floor.page(request)


app = Starlette(lifespan=lifespan, routes=[Route("/users", page)])
