"""Wrong tries, counted in Redis for all workers together, and how long they make the next one wait.

Three counters see a wrong password: the address's own, the account's from this address (`here`), and the
account's from every address that it has not signed in from (`elsewhere`). An address that it has signed in
from is held to `here` instead of `elsewhere`, so that whoever guesses from elsewhere keeps nobody out.

Redis sees only keyed hashes. The time of the last failure is what is left of the counter's lifetime, so
it is Redis's clock that counts, and a counter that nobody raises is forgotten by itself.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from app import addresses
from app.channel import Channel, Script, pack
from app.errors import ThrottledError

_LONGEST_ACCOUNT_WAIT_S = 60
_LONGEST_ADDRESS_WAIT_S = 900
_ACCOUNT_MEMORY_S = 15 * 60
_ADDRESS_MEMORY_S = 60 * 60
_KNOWN_FOR_S = 30 * 86_400
_MOST_DOUBLINGS = 10
"""Past every longest wait, and short of numbers that take long to compute."""

_COUNT = Script(
    """
-- ARGV[1]: milliseconds from now after which the failure is forgotten
local function count(counter)
    redis.call("INCR", counter)
    redis.call("PEXPIRE", counter, ARGV[1])
end
count(KEYS[1])
if KEYS[2] and redis.call("EXISTS", KEYS[3]) == 0 then  -- KEYS[3]: the mark of a known address
    count(KEYS[2])
end
"""
)
"""One step, so that no crash leaves a counter that is never forgotten."""

_GIVE_BACK = Script(
    """
local failures = tonumber(redis.call("GET", KEYS[1]))
if failures then
    redis.call("SET", KEYS[1], math.max(failures - ARGV[1], 0), "KEEPTTL")
end
"""
)


@dataclass(frozen=True, slots=True)
class _Pace:
    """`free` failures cost nothing; each further one doubles the wait from 1 s up to `longest_s`."""

    free: int
    longest_s: int
    memory_s: int
    """Seconds after the last failure in which all are forgotten."""

    def wait_ms(self, failures: str | None, left_ms: int) -> int:
        """Milliseconds still to wait, none if not above 0.

        `left_ms` is the counter's remaining lifetime, below 0 where it ended since `failures` was read.
        """
        beyond = int(failures or 0) - self.free
        if beyond <= 0:
            return 0
        wait_s = min(1 << min(beyond - 1, _MOST_DOUBLINGS), self.longest_s)
        return (wait_s - self.memory_s) * 1000 + left_ms


@dataclass(frozen=True, slots=True)
class _Keys:
    """Those of an account share one hash tag, the address's has another: no script needs both."""

    address: str
    here: str
    elsewhere: str
    known: str


class Throttle:
    """Counts failures; every process with the same secret and Redis shares the counts.

    `account` is what a person typed, in its canonical form: existing and absent ones are treated alike.
    RedisError passes through; where Redis is full, a failure that cannot be counted raises it.
    """

    def __init__(self, channel: Channel, secret: str, *, per_account: int, per_address: int) -> None:
        """`per_account` and `per_address` failures cost nothing."""
        self._channel = channel
        self._secret = hashlib.sha256(b"roster throttle\0" + secret.encode()).digest()
        self._account_pace = _Pace(per_account, _LONGEST_ACCOUNT_WAIT_S, _ACCOUNT_MEMORY_S)
        self._address_pace = _Pace(per_address, _LONGEST_ADDRESS_WAIT_S, _ADDRESS_MEMORY_S)

    async def check(self, account: str, address: str) -> None:
        """One round trip that changes nothing. ThrottledError does not tell which of the two must wait."""
        keys = self._keys(account, address)
        counters = (keys.address, keys.here, keys.elsewhere)
        packed = pack("EXISTS", keys.known) + b"".join(map(_reading, counters))
        known, *counts = await self._ask(packed, 7)
        by_address, here, elsewhere = zip(counts[::2], counts[1::2], strict=True)
        _refuse(
            self._address_pace.wait_ms(*by_address),
            self._account_pace.wait_ms(*(here if known else elsewhere)),
        )

    async def fail(self, account: str, address: str) -> None:
        """Count a wrong password."""
        keys = self._keys(account, address)
        await self._channel.run(_COUNT, [keys.address], _ADDRESS_MEMORY_S * 1000)
        of_account = (keys.here, keys.elsewhere, keys.known)
        await self._channel.run(_COUNT, of_account, _ACCOUNT_MEMORY_S * 1000)

    async def succeed(self, account: str, address: str) -> None:
        """The account knows the address from now on, and its failures from there are forgotten.

        The address gets back those alone: signing in to an account of one's own pays for no guess at
        another's, and a household that mistypes is not held up.
        """
        keys = self._keys(account, address)
        packed = pack("SET", keys.known, 1, "EX", _KNOWN_FOR_S) + pack("GETDEL", keys.here)
        _, failures = await self._ask(packed, 2)
        if failures is not None:
            await self._channel.run(_GIVE_BACK, [keys.address], failures)

    async def check_address(self, address: str) -> None:
        """`check` where there is no account: registration, introspection."""
        counter = self._address_counter(self._hide(addresses.network(address)))
        failures, left_ms = await self._ask(_reading(counter), 2)
        _refuse(self._address_pace.wait_ms(failures, left_ms))

    async def fail_address(self, address: str) -> None:
        counter = self._address_counter(self._hide(addresses.network(address)))
        await self._channel.run(_COUNT, [counter], _ADDRESS_MEMORY_S * 1000)

    async def _ask(self, packed: bytes, replies: int) -> list[Any]:
        return (await self._channel.call(lambda _: packed, replies)).replies

    def _keys(self, account: str, address: str) -> _Keys:
        hidden = self._hide(addresses.network(address))
        elsewhere = f"roster:throttle:{{account:{self._hide(account)}}}"
        return _Keys(
            address=self._address_counter(hidden),
            here=f"{elsewhere}:here:{hidden}",
            elsewhere=elsewhere,
            known=f"{elsewhere}:known:{hidden}",
        )

    @staticmethod
    def _address_counter(hidden: str) -> str:
        return f"roster:throttle:{{address:{hidden}}}"

    def _hide(self, text: str) -> str:
        """128 bits that nobody without the secret can make from a guess; lone surrogates are let pass."""
        encoded = text.encode("utf-8", "surrogatepass")
        return hmac.digest(self._secret, encoded, "sha256")[:16].hex()


def _reading(counter: str) -> bytes:
    """The failures, and for how long they are still remembered."""
    return pack("GET", counter) + pack("PTTL", counter)


def _refuse(*waits_ms: int) -> None:
    longest_ms = max(waits_ms)
    if longest_ms > 0:
        raise ThrottledError(-(-longest_ms // 1000))
