"""Device authorization (RFC 8628): a program without a browser, let in by a code typed elsewhere.

A request is one record under its user code. The device code is the user code and a secret, of which the
record has the hash: knowing what the device shows is not enough to collect its tokens.
"""

import hmac
import re
import secrets
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from app import audit
from app.auth.one_time import OneTimeRecords
from app.auth.sessions import BrowserSession, Sessions
from app.auth.throttles import Throttle
from app.clients import BUILT_IN, Client
from app.core import secret_codes
from app.core.errors import (
    AccessDeniedError,
    AuthorizationPendingError,
    DeviceCodeExpiredError,
    InvalidGrantError,
    SessionRevokedError,
    SlowDownError,
    UserCodeNotFoundError,
)
from app.oauth.consents import Consents

TTL_S = 600
INTERVAL_S = 5
"""Seconds between two polls."""

_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""Section 6.1: without vowels no word is spelt, and without digits none is taken for a letter."""
_LENGTH = 8
"""34 bits, of which the throttle lets an address try a few in an hour."""
_KIND = "device"
_LENIENCE_S = 1
"""A poll may be early by that much: networks are uneven."""
_SEPARATORS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class NewDeviceRequest:
    device_code: str
    user_code: str


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """A request that waits for its user."""

    user_code: str
    client_id: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Approval:
    user_id: str
    generation: int
    """Of the user's sessions when they approved: of another one, they were signed out everywhere since."""
    scopes: frozenset[str]
    auth_time: int
    """When they signed in to the browser by which they approved."""


class Devices:
    def __init__(
        self,
        one_time: OneTimeRecords,
        sessions: Sessions,
        throttle: Throttle,
        consents: Consents,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._one_time = one_time
        self._sessions = sessions
        self._throttle = throttle
        self._consents = consents
        self._now = now

    async def begin(self, client: Client, scopes: frozenset[str]) -> NewDeviceRequest:
        """A request of a client for these scopes."""
        code = await self._make_code()
        secret = secret_codes.make()
        record = {
            "secret": secret_codes.digest(secret),
            "client": client.id,
            "registration": client.registration,
            "scopes": " ".join(sorted(scopes)),
            "state": "pending",
            "polled_at": "0",
        }
        await self._one_time.put(_KIND, code, record, ttl_s=TTL_S)
        return NewDeviceRequest(f"{code}.{secret}", _show(code))

    async def _make_code(self) -> str:
        while True:
            code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
            if await self._one_time.read(_KIND, code) is None:
                return code

    async def find(self, user_code: str, *, address: str) -> DeviceRequest:
        """The request that a user has typed the code of, in any case, with or without separators.

        UserCodeNotFoundError: unknown, expired, or decided already. ThrottledError: the address has guessed.
        """
        code = _read(user_code)
        async with self._throttle.refusals("user_codes", address):
            record = await self._one_time.read(_KIND, code)
            if record is None or record["state"] != "pending":
                raise UserCodeNotFoundError(
                    "The code is unknown or has expired: compare it with the device's."
                )
        return DeviceRequest(_show(code), record["client"], frozenset(record["scopes"].split()))

    async def approve(
        self, user_code: str, browser: BrowserSession, scopes: frozenset[str], *, address: str
    ) -> None:
        """Let the device have these scopes, as far as it asked for them: a consent, as on other pages.

        Errors as of `find`.

        The generation is read before the browser's session is checked: what ended that before is noticed, and
        what ends it later is of a newer generation.
        """
        request = await self.find(user_code, address=address)
        generation = await self._sessions.find_generation(browser.user_id)
        await self._sessions.check(browser.user_id, browser.sid, client_id=BUILT_IN.id)
        if generation is None:
            raise SessionRevokedError("This session was ended: sign in again.")
        decision = {
            "state": "approved",
            "user": browser.user_id,
            "generation": str(generation),
            "scopes": " ".join(sorted(scopes & request.scopes)),
            "auth_time": str(int(browser.auth_at.timestamp())),
        }
        await self._consents.give(browser.user_id, request.client_id, scopes & request.scopes)
        await self._decide(request, decision)
        audit.log.record(
            "device_approved", user_id=browser.user_id, sid=browser.sid, client_id=request.client_id,
            address=address,
        )  # fmt: skip

    async def deny(self, user_code: str, *, address: str) -> None:
        """Refuse the device; errors as of `find`."""
        request = await self.find(user_code, address=address)
        await self._decide(request, {"state": "denied"})
        audit.log.record("device_denied", client_id=request.client_id, address=address)

    async def _decide(self, request: DeviceRequest, decision: dict[str, str]) -> None:
        if not await self._one_time.change(_KIND, _read(request.user_code), decision):
            raise UserCodeNotFoundError("The code has expired: let the device begin anew.")

    async def redeem(self, device_code: str, client: Client) -> Approval:
        """What the user has approved; good once (section 3.4).

        Errors of section 3.5, and InvalidGrantError: malformed, or another client's. Only polls of a request
        that waits are paced: nothing keeps a client from what was approved.
        """
        code, _, secret = device_code.partition(".")
        record = await self._one_time.read(_KIND, code)
        if record is None:
            raise DeviceCodeExpiredError("The device code has expired or was used: begin anew.")
        is_known = hmac.compare_digest(record["secret"], secret_codes.digest(secret))
        if not is_known or (record["client"], record["registration"]) != (client.id, client.registration):
            raise InvalidGrantError("The device code is not valid for this client.")
        if record["state"] == "pending":
            await self._wait(code, record)
        used = await self._one_time.use(_KIND, code)
        if used is None or not used.is_first:
            raise InvalidGrantError("The device code was used: begin anew.")
        decided = used.record
        if decided["state"] == "denied":
            raise AccessDeniedError("The user has refused.")
        scopes = frozenset(decided["scopes"].split())
        return Approval(decided["user"], int(decided["generation"]), scopes, int(decided["auth_time"]))

    async def _wait(self, code: str, record: dict[str, str]) -> None:
        """Refuse a poll. One that comes too early does not count, so that no pace is slowed for ever."""
        now = self._now()
        if now - float(record["polled_at"]) < INTERVAL_S - _LENIENCE_S:
            raise SlowDownError(f"Wait {INTERVAL_S} s longer between two polls.")
        await self._one_time.change(_KIND, code, {"polled_at": str(now)})
        raise AuthorizationPendingError("The user has not decided yet.")


def _read(typed: str) -> str:
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", typed[:64])).upper()


def _show(code: str) -> str:
    return f"{code[:4]}-{code[4:]}"
