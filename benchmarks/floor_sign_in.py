"""The floor of a sign-in: argon2 in a thread for each core, and when it was, written to MongoDB.

Nothing is looked up, throttled, signed or kept in Redis: what is left is argon2 beside the load generator and
the database's write.
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import parse_qs

from argon2 import PasswordHasher
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from benchmarks import floor
from benchmarks.accounts import hashed

_STORED = hashed()
_THREADS = ThreadPoolExecutor(os.cpu_count())
_HASHER = PasswordHasher()


async def sign_in(request: Request) -> JSONResponse:
    form = parse_qs((await request.body()).decode())
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(_THREADS, _HASHER.verify, _STORED, form["password"][0])
    seen = {"last_login_at": datetime.now(UTC), "last_login_ip": "127.0.0.1"}
    await request.app.state.users.update_one({"keys.email": form["username"][0]}, {"$set": seen})
    return JSONResponse({})


app = Starlette(
    lifespan=floor.lifespan,
    routes=[Route("/users", floor.page), Route("/auth/token", sign_in, methods=["POST"])],
)
