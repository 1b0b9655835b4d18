"""The throttle: counters that failures raise, tries ask, and administrators see and lift."""

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, get_args

from app.auth.throttles.paces import CounterState, Pace, counter_state
from app.auth.throttles.scripts import COUNT, GIVE_BACK, KNOW
from app.core import client_address
from app.core.errors import RosterError, ThrottledError
from app.core.sealing import derive
from app.database.redis_connection import RedisConnection, pack
from models.throttle import Counts, OfAddress

_LONGEST_ACCOUNT_WAIT_S = 60
_LONGEST_ADDRESS_WAIT_S = 900
_ACCOUNT_MEMORY_S = 15 * 60
_ADDRESS_MEMORY_S = 60 * 60
_REGISTRATIONS_PER_TRY = 20
"""Registrations of one address for each try, successes included: enough for an office's first day."""
_KNOWN_FOR_S = 30 * 86_400
_MOST_KNOWN = 100
"""The most known addresses of an account: as many as a travelling phone has in a month."""
_OF_ADDRESS: tuple[Counts, ...] = get_args(OfAddress)

_Counter = tuple[str, Counts, Pace]
"""A counter: its key, what it counts, and its pace."""


@dataclass(frozen=True, slots=True)
class _Keys:
    """The keys of an account share one hash tag, that of the address has another: no script needs both."""

    hidden: str
    """The address as a hash, as Redis has it."""
    address: str
    here: str
    elsewhere: str
    known: str


class Throttle:
    """Counts failures; all processes with the same secret and Redis share the counters.

    `account` is the key of an account or of a name without one: both are treated alike. RedisError passes
    through; if Redis is full, a failure that cannot be counted raises it.
    """

    def __init__(
        self, redis_connection: RedisConnection, secret: str, *, per_account: int, per_address: int
    ) -> None:
        """The first `per_account` and `per_address` failures cost nothing."""
        self._connection = redis_connection
        self._secret = derive(secret, "throttle")
        self._account_pace = Pace(per_account, _LONGEST_ACCOUNT_WAIT_S, _ACCOUNT_MEMORY_S)
        self._address_pace = Pace(per_address, _LONGEST_ADDRESS_WAIT_S, _ADDRESS_MEMORY_S)
        self._registrations_pace = Pace(
            per_address * _REGISTRATIONS_PER_TRY, _LONGEST_ADDRESS_WAIT_S, _ADDRESS_MEMORY_S
        )

    async def check(self, account: str, address: str) -> None:
        """Read the counters in one round trip. ThrottledError does not tell which of the two must wait."""
        keys = self._keys(account, address)
        counters = (keys.address, keys.here, keys.elsewhere)
        packed = pack("TIME") + pack("ZSCORE", keys.known, keys.hidden) + b"".join(map(_reading, counters))
        (seconds, _), known_until, *counts = await self._ask(packed, 8)
        by_address, here, elsewhere = zip(counts[::2], counts[1::2], strict=True)
        is_known = float(known_until or 0) > int(seconds) * 1000
        _refuse(
            self._address_pace.wait_ms(*by_address),
            self._account_pace.wait_ms(*(here if is_known else elsewhere)),
        )

    async def fail(self, account: str, address: str) -> None:
        """Count a wrong password."""
        keys = self._keys(account, address)
        await self._connection.run(COUNT, [keys.address], _ADDRESS_MEMORY_S * 1000)
        of_account = (keys.here, keys.elsewhere, keys.known)
        await self._connection.run(COUNT, of_account, _ACCOUNT_MEMORY_S * 1000, keys.hidden)

    async def succeed(self, account: str, address: str) -> None:
        """Make the address known to the account, and forget the account's failures from there.

        The address gets back only those: signing in to one's own account pays for no guess at another's, and
        a household that mistypes is not held up.
        """
        keys = self._keys(account, address)
        known_for = _KNOWN_FOR_S * 1000
        of_account = (keys.known, keys.here)
        _, failures = await self._connection.run(KNOW, of_account, keys.hidden, known_for, _MOST_KNOWN)
        if failures is not None:
            await self._connection.run(GIVE_BACK, [keys.address], failures)

    @asynccontextmanager
    async def refusals(self, counts: Counts, address: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Count refusals within on the address, separately from its sign-ins; successes cost nothing.

        ThrottledError first if there were too many. Yields that check, to be repeated later.
        """
        counter = self._of_address(counts, address)

        async def check() -> None:
            await self._check(counter)

        await check()
        try:
            yield check
        except RosterError as error:
            if error.status < HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, ThrottledError):
                await self._count(counter)
            raise

    async def count_registration(self, address: str, counts: Counts = "registrations") -> None:
        """Count a registration; ThrottledError after more than any office would make."""
        counter = self._of_address(counts, address)
        await self._check(counter)
        await self._count(counter)

    @asynccontextmanager
    async def weak_passwords(self, *, account: str = "", address: str = "") -> AsyncIterator[None]:
        """Count weak passwords within; too many become ThrottledError, while a good one always passes."""
        counter = self._weak_of(account) if account else self._of_address("weak_passwords", address)
        try:
            yield
        except RosterError:
            await self._check(counter)
            await self._count(counter)
            raise

    async def see_account(self, account: str) -> list[CounterState]:
        """The account's counters with failures."""
        return await self._see(await self._counters_of(account))

    async def lift_account(self, account: str) -> None:
        """Forget the account's failures; those of addresses stay."""
        await self._lift(await self._counters_of(account))

    async def see_address(self, address: str) -> list[CounterState]:
        return await self._see(self._all_of_address(address))

    async def lift_address(self, address: str) -> None:
        await self._lift(self._all_of_address(address))

    async def _check(self, counter: _Counter) -> None:
        key, _, pace = counter
        failures, left_ms = await self._ask(_reading(key), 2)
        _refuse(pace.wait_ms(failures, left_ms))

    async def _count(self, counter: _Counter) -> None:
        key, _, pace = counter
        await self._connection.run(COUNT, [key], pace.memory_s * 1000)

    async def _see(self, counters: list[_Counter]) -> list[CounterState]:
        replies = await self._ask(b"".join(_reading(key) for key, _, _ in counters), 2 * len(counters))
        read = zip(counters, replies[::2], replies[1::2], strict=True)
        found = (counter_state(counts, pace, failures, left) for (_, counts, pace), failures, left in read)
        return [one for one in found if one is not None]

    async def _lift(self, counters: list[_Counter]) -> None:
        await self._ask(b"".join(pack("DEL", key) for key, _, _ in counters), len(counters))

    async def _counters_of(self, account: str) -> list[_Counter]:
        """The account's counters: of known addresses, and `elsewhere` for all others."""
        elsewhere, pace = self._elsewhere(account), self._account_pace
        (known,) = await self._ask(pack("ZRANGE", f"{elsewhere}:known", 0, -1), 1)
        return [
            (elsewhere, "sign_ins_elsewhere", pace),
            *((f"{elsewhere}:here:{hidden}", "sign_ins_known_address", pace) for hidden in known),
            self._weak_of(account),
        ]

    def _all_of_address(self, address: str) -> list[_Counter]:
        sign_ins = self._address_counter(self._hide(client_address.network(address)))
        return [
            (sign_ins, "sign_ins", self._address_pace),
            *(self._of_address(counts, address) for counts in _OF_ADDRESS),
        ]

    def _of_address(self, counts: Counts, address: str) -> _Counter:
        key = f"{self._address_counter(self._hide(client_address.network(address)))}:{counts}"
        return key, counts, self._registrations_pace if counts == "registrations" else self._address_pace

    def _weak_of(self, account: str) -> _Counter:
        return f"{self._elsewhere(account)}:weak_passwords", "weak_passwords", self._account_pace

    async def _ask(self, packed: bytes, replies: int) -> list[Any]:
        return (await self._connection.call(lambda _: packed, replies)).replies

    def _keys(self, account: str, address: str) -> _Keys:
        hidden = self._hide(client_address.network(address))
        elsewhere = self._elsewhere(account)
        return _Keys(
            hidden=hidden,
            address=self._address_counter(hidden),
            here=f"{elsewhere}:here:{hidden}",
            elsewhere=elsewhere,
            known=f"{elsewhere}:known",
        )

    def _elsewhere(self, account: str) -> str:
        return f"roster:throttle:{{account:{self._hide(account)}}}"

    @staticmethod
    def _address_counter(hidden: str) -> str:
        return f"roster:throttle:{{address:{hidden}}}"

    def _hide(self, text: str) -> str:
        """A keyed hash of 128 bits, which cannot be guessed without the secret; accepts lone surrogates."""
        encoded = text.encode("utf-8", "surrogatepass")
        return hmac.digest(self._secret, encoded, "sha256")[:16].hex()


def _reading(counter: str) -> bytes:
    """The commands that read a counter's failures and remaining lifetime."""
    return pack("GET", counter) + pack("PTTL", counter)


def _refuse(*waits_ms: int) -> None:
    longest_ms = max(waits_ms)
    if longest_ms > 0:
        raise ThrottledError(-(-longest_ms // 1000))
