"""Browser sessions: what the cookie of a browser stands for, and what grants of clients live within."""

from dataclasses import dataclass
from datetime import datetime

from app import audit
from app.auth.sessions.entries import time_of
from app.auth.sessions.refresh_tokens import RefreshToken, RefreshTokens
from app.auth.sessions.sessions import AGENT_LENGTH, Sessions
from app.auth.sessions.store import Store
from app.clients import BUILT_IN
from app.core.clock import now
from app.core.errors import NotSignedInError, UnauthenticatedError
from app.core.settings import Settings
from app.database.redis_connection import EPOCH, RedisConnection


@dataclass(frozen=True, slots=True)
class BrowserSession:
    user_id: str
    sid: str
    auth_at: datetime
    """When the password was last shown."""
    ended: tuple[str, ...] = ()
    """Ids of the sessions that this sign-in ended: displaced, or of this browser before."""


class BrowserSessions:
    """Sessions of the built-in client without scopes, among the user's others: ended and counted with them.

    A cookie is `sid.number.mac` like a refresh token, under a key of its own. Its number rises with each
    sign-in, so that nobody who planted or saw a cookie before is signed in by it.
    """

    def __init__(
        self, sessions: Sessions, redis_connection: RedisConnection, secret: str, settings: Settings
    ) -> None:
        self._sessions = sessions
        self._store = Store(redis_connection)
        self._cookies = RefreshTokens(secret, "browser cookie")
        self._idle_ms = settings.session_idle_ttl_s * 1000
        self._absolute_ms = settings.session_absolute_ttl_s * 1000
        self._limit = settings.sessions_per_user

    async def begin(
        self, user_id: str, generation: int, *, address: str, agent: str, cookie: str | None
    ) -> tuple[BrowserSession, str]:
        """The session of a user who has just shown their password, and its cookie.

        `generation` is what was read with the password. A browser whose `cookie` is of that user's living
        session keeps it, under a new cookie. One of another session of this browser ends. UnavailableError as
        for `Sessions.create`.
        """
        read, held = self._cookies.read(cookie or ""), await self.find(cookie)
        ended: list[str] = []
        if read is not None and held is not None and held.user_id == user_id:
            again = await self._reauthenticate(read, generation, address, agent)
            if again is not None:
                return again
            held = await self.find(cookie)  # None, if another tab was faster: that one keeps its session
        if held is not None:
            await self.end(held)
            audit.log.record("session_ended", user_id=held.user_id, sid=held.sid, address=address)
            ended.append(held.sid)
        begun = await self._sessions.create(
            user_id, generation, client=BUILT_IN, scopes=frozenset(), address=address, agent=agent
        )
        for sid in begun.displaced:
            audit.log.record("session_displaced", user_id=user_id, sid=sid)
        browser = BrowserSession(user_id, begun.sid, now(), (*ended, *begun.displaced))
        return browser, self._cookies.make(begun.sid, 1)

    async def _reauthenticate(
        self, cookie: RefreshToken, generation: int, address: str, agent: str
    ) -> tuple[BrowserSession, str] | None:
        """The session with its next cookie; None if it cannot go on, or was signed in to at the same time."""
        sid = cookie.sid
        _, (outcome, *rest) = await self._store.run(
            *("reauthenticate", cookie.user_id, sid, sid, cookie.number, generation, EPOCH, self._idle_ms),
            *(self._absolute_ms, self._limit, address, agent[:AGENT_LENGTH]),
        )
        if outcome != "ok":
            return None
        number, auth_at = rest
        return BrowserSession(cookie.user_id, sid, time_of(auth_at)), self._cookies.make(sid, number)

    async def find(self, cookie: str | None) -> BrowserSession | None:
        """The living session of the newest cookie, in one round trip; None for any other cookie."""
        try:
            return await self.require(cookie)
        except UnauthenticatedError:
            return None

    async def require(self, cookie: str | None) -> BrowserSession:
        """The same. NotSignedInError: it is no such cookie; the errors of `Sessions.check` say of one why."""
        if (read := self._cookies.read(cookie or "")) is None:
            raise _not_signed_in()
        found, (number, auth_at, created_at) = await self._store.look_at_browser(read.user_id, read.sid)
        if number is not None and read.number < int(number):  # a higher one is of a sign-in that Redis lost
            raise _not_signed_in()
        await self._sessions.judge(read.user_id, read.sid, BUILT_IN.id, found)
        return BrowserSession(read.user_id, read.sid, time_of(auth_at or created_at or 0))

    async def now(self) -> float:
        """Seconds since 1970, to a millisecond, by the clock that notes sign-ins."""
        return await self._store.read_clock() / 1000

    async def end(self, browser: BrowserSession) -> None:
        """End it, and with it all grants in it."""
        await self._sessions.end(browser.user_id, browser.sid)


def _not_signed_in() -> NotSignedInError:
    return NotSignedInError("Nobody is signed in in this browser.")
