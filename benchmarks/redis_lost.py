"""Signing in after Redis was lost to its replica, a part of `make faults`."""

import asyncio
import time
from statistics import median
from typing import Any

import httpx

from benchmarks.results import Finding
from tests.support.live import LiveServer
from tools.cluster import RedisPair

ADMIN: dict[str, Any] = {
    "admin_email": "failover@example.com",
    "admin_password": "mares eat oats and does eat oats",
}
"""Settings of the server: who signs in."""
AT_MOST_S = 3
_FORM = {"grant_type": "password", "username": ADMIN["admin_email"], "password": ADMIN["admin_password"]}
_GOOD = 200
_AGAIN_S = 0.02


async def measure(server: LiveServer, redis: RedisPair, times: int) -> Finding:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        took = [await _lose(client, redis) for _ in range(times)]
    what = (
        f"Redis killed, {times} times: seconds to a sign-in once its address leads to the replica, at worst"
    )
    return Finding("failover", what, f"median {median(took):.2f} s", max(took), at_most=AT_MOST_S)


async def _lose(client: httpx.AsyncClient, redis: RedisPair) -> float:
    """Seconds to a sign-in; at the end the old master follows the new one."""
    assert await _signs_in(client)
    await asyncio.to_thread(redis.master.kill)
    assert not await _signs_in(client)
    await asyncio.to_thread(redis.fail_over)
    begun = time.perf_counter()
    while True:
        if await _signs_in(client):
            break
        await asyncio.sleep(_AGAIN_S)
    took = time.perf_counter() - begun
    await asyncio.to_thread(redis.replica.restart)
    await asyncio.to_thread(redis.rejoin)
    return took


async def _signs_in(client: httpx.AsyncClient) -> bool:
    return (await client.post("/auth/token", data=_FORM)).status_code == _GOOD
