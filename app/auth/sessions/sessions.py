"""What can be done with sessions."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from app.audit.write import COMMAND_LINE, Author
from app.auth.clients import BUILT_IN, Client
from app.auth.sessions.anchors import Anchors
from app.auth.sessions.refresh_tokens import RefreshToken, RefreshTokens, new_sid, user_of
from app.auth.sessions.store import Store
from app.core.errors import (
    InvalidGrantError,
    InvalidScopeError,
    InvalidTokenError,
    RefreshTokenReusedError,
    RosterError,
    SessionDisplacedError,
    SessionExpiredError,
    SessionRevokedError,
    UnavailableError,
)
from app.core.mongo import Database
from app.core.settings import Settings
from app.database.redis_connection import EPOCH, RedisConnection
from app.users.generations import Ending

LISTED = 1_000
"""The most sessions of one user that a listing shows."""

_AGENT_LENGTH = 256
_CLIENT = 1
_REGISTRATION, _COUNTER, _GENERATION, _EPOCH = -4, -3, -2, -1
"""Where `list` says them of a session."""
_ANY = "*"
"""The scopes of a client that may be given any."""

_SETTLED_S = 30.0
"""A doubt older than this and three times what MongoDB may take is nobody's any more."""

_DOUBT_WAITS_S = (0.01, 0.02, 0.05, 0.1)
"""Between tries of a sign-in while the user may be being signed out everywhere, which takes milliseconds."""

_ENDS: dict[str, tuple[type[InvalidTokenError], str]] = {
    "displaced": (SessionDisplacedError, "A newer sign-in took the place of this session."),
    "revoked": (SessionRevokedError, "This session was ended: sign in again."),
    "reused": (RefreshTokenReusedError, "A refresh token was used twice, so the session was ended."),
}


def _ended(reason: str | None) -> InvalidTokenError:
    kind, detail = _ENDS.get(reason or "", (SessionExpiredError, "This session has expired: sign in again."))
    return kind(detail)


@dataclass(frozen=True, slots=True)
class NewSession:
    sid: str
    refresh_token: str
    displaced: list[str]
    """Ids of the sessions whose place it took."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    user_id: str
    sid: str
    refresh_token: str
    client_id: str
    scopes: frozenset[str]
    expires_at: datetime
    """When the session ends unless it is refreshed again, or for good."""


@dataclass(frozen=True, slots=True)
class Session:
    id: str
    client_id: str
    scopes: list[str]
    created_at: datetime
    used_at: datetime
    """When it was last refreshed, or begun."""
    expires_at: datetime
    """Idle or absolute, whichever is first."""
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class _Pinned:
    """What Redis says of a session, of which MongoDB is asked whether it is so."""

    user_id: str
    sid: str
    generation: int
    client_id: str
    registration: str


class Sessions:
    def __init__(
        self,
        redis_connection: RedisConnection,
        database: Database,
        secret: str,
        settings: Settings,
    ) -> None:
        self._store = Store(redis_connection)
        self._anchors = Anchors(database, kept_s=settings.session_absolute_ttl_s)
        self._tokens = RefreshTokens(secret)
        self._idle_ms = settings.session_idle_ttl_s * 1000
        self._absolute_ms = settings.session_absolute_ttl_s * 1000
        self._grace_ms = settings.refresh_grace_s * 1000
        self._limit = settings.sessions_per_user
        self._settled_ms = int(max(_SETTLED_S * 1000, 3 * settings.mongo_timeout_ms))

    async def create(
        self,
        user_id: str,
        generation: int,
        *,
        client: Client,
        scopes: frozenset[str],
        address: str = "",
        agent: str = "",
    ) -> NewSession:
        """A session of a user as read from MongoDB at this generation.

        UnavailableError where the user was signed out everywhere since the generation was read: a sign-in
        that was on its way does not outlive that. A sign-out under way is waited for a moment, since it would
        end the new session too. Then MongoDB is asked: one that failed half-way locks nobody out.
        """
        sid = new_sid(user_id)

        async def store(*, confirmed: bool = False) -> tuple[str, list[str]]:
            _, (outcome, *rest) = await self._store.run(
                *("create", user_id, sid, sid, generation, client.id, " ".join(sorted(scopes)), address),
                *(agent[:_AGENT_LENGTH], EPOCH, self._idle_ms, self._absolute_ms, self._limit),
                *(self._settled_ms, int(confirmed), client.registration),
            )
            return outcome, rest

        outcome, displaced = await store()
        for wait_s in _DOUBT_WAITS_S:
            if outcome != "in_doubt":
                break
            await asyncio.sleep(wait_s)
            outcome, displaced = await store()
        if outcome == "in_doubt" and await self._anchors.find_generation(user_id) == generation:
            outcome, displaced = await store(confirmed=True)
        if outcome == "stale":  # or MongoDB was restored from a copy, and must catch up
            await self._anchors.raise_generation_to(user_id, int(displaced[0]))
        if outcome != "ok":
            raise UnavailableError("The user was being signed out everywhere: sign in again.")
        await self._anchors.end(displaced, "displaced")
        return NewSession(sid, self._tokens.make(sid, 1), displaced)

    async def check(self, user_id: str, sid: str, *, client_id: str) -> None:
        """One round trip to Redis. The error says why a session does not stand: expired, ended, displaced.

        `client_id`: of the client that the session was begun with.
        """
        asked = None if client_id == BUILT_IN.id else client_id
        found = await self._store.look(user_id, sid, asked)
        epoch, (generation, confirmed, ended, registration), (known, doubts, only), registered = found
        is_only = only is None or only == sid
        is_registered = asked is None or registered == (registration or "")
        if confirmed == epoch and generation == known and doubts is None and is_only and is_registered:
            return
        if generation is None:
            raise _ended(ended)
        if known is not None and int(known) > int(generation):
            raise _ended("revoked")
        if not is_only:
            raise _ended("displaced")
        await self._consult(_Pinned(user_id, sid, int(generation), client_id, registration or ""), epoch)

    def user_of(self, sid: str) -> str | None:
        """The user whose session this may be; None for what is no id of a session."""
        return user_of(sid)

    def read(self, refresh_token: str) -> RefreshToken | None:
        """What a refresh token says; None if it is not ours."""
        return self._tokens.read(refresh_token)

    async def refresh(
        self, refresh_token: str, *, client: Client, narrowed: frozenset[str] | None = None
    ) -> Refreshed:
        """The session's next refresh token, in one step: of many at once, all are answered the same one.

        Its scopes are those that the client, as it is now, may have. `narrowed`: scopes asked for, which must
        be among them; InvalidScopeError otherwise, or where there are none. Other errors: InvalidGrantError;
        what `check` raises; RefreshTokenReusedError for a token older than the last used
        one, or for that one after the grace, with which the session has ended.
        """
        token = self._tokens.read(refresh_token)
        if token is None:
            raise InvalidGrantError("The refresh token is not good.")
        epoch, (outcome, *rest) = await self._rotate(token, client, narrowed, confirmed=False)
        if outcome == "consult":
            generation, *of_client = rest
            await self._consult(_Pinned(token.user_id, token.sid, int(generation), *of_client), epoch)
            _, (outcome, *rest) = await self._rotate(token, client, narrowed, confirmed=True)
        if outcome == "ok":
            number, scopes, ends = rest
            return Refreshed(
                user_id=token.user_id,
                sid=token.sid,
                refresh_token=self._tokens.make(token.sid, number),
                client_id=client.id,
                scopes=frozenset(scopes.split()),
                expires_at=_time(ends),
            )
        if outcome == "wider":
            raise InvalidScopeError("The session, or its client by now, has fewer scopes than that.")
        if outcome == "foreign":
            raise InvalidGrantError("The refresh token is another client's.")
        if outcome == "reused":
            await self._anchors.end([token.sid], "reused")
            raise _ended("reused")
        raise _ended(rest[0])

    async def _rotate(
        self, token: RefreshToken, client: Client, narrowed: frozenset[str] | None, *, confirmed: bool
    ) -> tuple[str, Any]:
        return await self._store.run(
            *("refresh", token.user_id, token.sid, token.sid, token.number, client.id, EPOCH, self._idle_ms),
            *(self._grace_ms, " ".join(narrowed or ()), int(confirmed), client.registration),
            _ANY if client.scopes is None else " ".join(client.scopes),
        )

    async def _consult(self, pinned: _Pinned, epoch: str) -> None:
        """Ask MongoDB whether the session stands, and let Redis remember the answer."""
        user_id, sid, client_id = pinned.user_id, pinned.sid, pinned.client_id
        standing = await self._anchors.find_generation(user_id)
        if standing is None or standing != pinned.generation:
            raise _ended("revoked")
        reason = await self._anchors.find_end(sid)
        registered = await self._anchors.find_registrations([client_id])
        if reason is None and registered.get(client_id) != pinned.registration:
            reason = "revoked"
        if reason is not None:
            await self._store.run("end_session", user_id, sid, sid, reason)
            raise _ended(reason)
        await self._store.run("confirm", user_id, sid, pinned.generation, epoch, self._settled_ms)
        if client_id != BUILT_IN.id:
            await self._store.confirm_client(client_id, pinned.registration)

    @asynccontextmanager
    async def ending(self, user_id: str, *, keep: str = "") -> AsyncIterator[Ending]:
        """Around the write to MongoDB that ends all sessions of a user; tell it the generation written.

        From before the write until Redis knows of it each request asks MongoDB, so a crash anywhere between
        leaves no session alive that the write ended, and ends none that it did not. `keep` is a session that
        goes on.
        """
        ending = Ending()
        await self._store.run("begin_revocation", user_id, keep, self._absolute_ms)
        try:
            yield ending
        except RosterError:  # refused, so nothing was written; after anything else the doubt stays
            await self._store.run("end_revocation", user_id, keep, "", "")
            raise
        generation = ending.generation if ending.generation is not None else ""
        await self._store.run("end_revocation", user_id, keep, generation, "revoked")

    @asynccontextmanager
    async def ending_client(self, client_id: str) -> AsyncIterator[None]:
        """Around the write to MongoDB that removes a client, and so ends all sessions of its registration.

        From before the write nobody vouches for the client, for longer than the write may take: each request
        of its sessions asks MongoDB. After the write once more, for a request that asked just before it.
        """
        await self._store.begin_client_revocation(client_id, self._settled_ms)
        yield
        await self._store.begin_client_revocation(client_id, self._settled_ms)

    async def end_all(self, user_id: str, *, keep: str = "", author: Author = COMMAND_LINE) -> bool:
        """Sign out everywhere; with `keep`, everywhere else. False without such a user."""
        async with self.ending(user_id, keep=keep) as ending:
            ending.generation = await self._anchors.raise_generation(user_id, author)
        return ending.generation is not None

    async def end(self, user_id: str, sid: str, reason: str = "revoked") -> bool:
        """End one session; whether it was alive. MongoDB remembers first; Redis forgets whatever happens.

        Of an id that Redis does not know nothing is remembered: anybody can make such up of his own.
        """
        _, (generation, *_), *_ = await self._store.look(user_id, sid)
        if generation is None:
            return False
        try:
            await self._anchors.end([sid], reason)
        finally:
            _, (alive,) = await self._store.run("end_session", user_id, sid, sid, reason)
        return bool(alive)

    async def list_all(self, user_id: str) -> Sequence[Session]:
        """The living ones, the one used last first.

        MongoDB is asked about those not vouched for yet, and for the clients that are registered.
        """
        epoch, entries = await self._store.run("list", user_id, "", LISTED, "")
        unconfirmed = [entry for entry in entries if entry[_EPOCH] != epoch]
        if unconfirmed:
            standing = str(await self._anchors.find_generation(user_id))
            ended = await self._anchors.find_ended([entry[0] for entry in unconfirmed])
            entries = [
                entry
                for entry in entries
                if entry[_EPOCH] == epoch or (entry[_GENERATION] == standing and entry[0] not in ended)
            ]
        registered = await self._anchors.find_registrations(entry[_CLIENT] for entry in entries)
        entries = [
            entry for entry in entries if registered.get(entry[_CLIENT]) == (entry[_REGISTRATION] or "")
        ]
        return sorted(map(_session, entries), key=attrgetter("used_at"), reverse=True)

    async def count(self) -> int:
        """How many sessions of all users Redis holds alive, in one step however many there are.

        One that Redis does not know to have ended counts until it would have ended by itself: those beyond a
        user's first thousand when he is signed out everywhere, and those that MongoDB alone knows the end of.
        """
        return await self._store.count()

    async def find(self, token: RefreshToken, *, any_number: bool = False) -> Session | None:
        """The living session of a refresh token; None if it is not the token's turn, unless `any_number`.

        SessionExpired-, Revoked-, DisplacedError where the session does not stand.
        """
        _, entries = await self._store.run("list", token.user_id, "", 1, token.sid)
        client_id = entries[0][_CLIENT] if entries else BUILT_IN.id
        await self.check(token.user_id, token.sid, client_id=client_id)
        if not entries or (int(entries[0][_COUNTER]) != token.number and not any_number):
            return None
        return _session(entries[0])


def _session(entry: list[str]) -> Session:
    sid, client_id, scopes, created_at, used_at, expires_at, address, agent, *_ = entry
    return Session(
        sid, client_id, scopes.split(), _time(created_at), _time(used_at), _time(expires_at), address, agent
    )


def _time(milliseconds: str | int) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
