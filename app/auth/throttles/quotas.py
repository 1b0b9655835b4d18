"""Quotas: how often something may happen within a time, counted before it happens.

A throttle reads its counters first and counts failures later: of requests at once all get past it. Where each
one is a mail to somebody or a guess at six digits, the count comes first.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from app.core.sealing import derive
from app.database.redis_connection import RedisConnection, Script, pack

_TAKE = Script(
    """
-- KEYS: counters. ARGV: the milliseconds after which each is forgotten, from its first count
local counts = {}
for place, counter in ipairs(KEYS) do
    counts[place] = redis.call("INCR", counter)
    if counts[place] == 1 then
        redis.call("PEXPIRE", counter, ARGV[place])
    end
end
return counts
"""
)


@dataclass(frozen=True, slots=True)
class Quota:
    name: str
    most: int
    within_s: int


class Quotas:
    """Shared by all processes with the same secret and Redis, which sees only keyed hashes.

    `about`: the key of an account or an address. RedisError passes through.
    """

    def __init__(self, redis_connection: RedisConnection, secret: str) -> None:
        self._connection = redis_connection
        self._secret = derive(secret, "quotas")

    async def take(self, about: str, quotas: Sequence[Quota]) -> bool:
        """Count one on each quota; whether it is within all of them."""
        keys = [self._key(about, quota) for quota in quotas]
        windows = [quota.within_s * 1000 for quota in quotas]
        _, counts = await self._connection.run(_TAKE, keys, *windows)
        return all(count <= quota.most for count, quota in zip(counts, quotas, strict=True))

    async def forget(self, about: str, quotas: Sequence[Quota]) -> None:
        packed = pack("DEL", *(self._key(about, quota) for quota in quotas))
        await self._connection.call(lambda _: packed, 1)

    def _key(self, about: str, quota: Quota) -> str:
        encoded = about.encode("utf-8", "surrogatepass")
        hidden = hmac.digest(self._secret, encoded, "sha256")[:16].hex()
        return f"roster:quota:{{{hidden}}}:{quota.name}"
