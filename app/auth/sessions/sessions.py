"""Sessions: create, check, refresh, end, list and count."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from app.audit.write import COMMAND_LINE, Also, Author
from app.auth.sessions.anchors import Anchors
from app.auth.sessions.entries import Entry, time_of
from app.auth.sessions.outcomes import NewSession, Refreshed, Session, refusal
from app.auth.sessions.pins import Pins
from app.auth.sessions.refresh_tokens import RefreshToken, RefreshTokens
from app.auth.sessions.session_ids import MARK, new_sid, session_of, user_of
from app.auth.sessions.store import Found, Store
from app.clients import BUILT_IN, BUILT_INS, Client
from app.core.errors import (
    InvalidGrantError,
    InvalidScopeError,
    InvalidTokenError,
    RosterError,
    UnavailableError,
)
from app.core.mongo import Database
from app.core.settings import Settings
from app.database.redis_connection import EPOCH, RedisConnection
from app.users.generations import Ending

LISTED = 1_000
"""The most sessions of one user that a listing shows."""

AGENT_LENGTH = 256
PERSONAL = "personal"
"""In place of a registration: the session of a personal access token, which no newer sign-in displaces."""
_ANY = "*"
"""The scopes of a client without restriction."""

_SETTLED_S = 30.0
"""A revocation in doubt older than this, and than three time-outs of MongoDB, is abandoned."""

_DOUBT_WAITS_S = (0.01, 0.02, 0.05, 0.1)
"""Pauses between tries of a sign-in while the user is perhaps signed out everywhere, which takes
milliseconds."""

OnEnd = Callable[[str, Mapping[str, str]], Awaitable[None]]
"""Is told of a user whose browser sessions have ended, and the client of each grant that lived in them."""


async def _tell_nobody(_user_id: str, _grants: Mapping[str, str]) -> None:
    pass


@dataclass(frozen=True, slots=True)
class _Pinned:
    """The facts of a session in Redis, which MongoDB must confirm."""

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
        *,
        on_end: OnEnd = _tell_nobody,
    ) -> None:
        self._store = Store(redis_connection)
        self._on_end = on_end
        self._anchors = Anchors(database, kept_s=settings.session_absolute_ttl_s)
        self.pins = Pins(self._store, self._anchors)
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
        ttl_s: int | None = None,
        auth_time: int | None = None,
    ) -> NewSession:
        """A new session of a user who was read from MongoDB at this generation.

        UnavailableError if the user was signed out everywhere since then. A sign-out in progress, which would
        end the new session, too, is awaited for a moment. Then MongoDB decides, so that one that failed
        half-way locks nobody out. `ttl_s`: for a client as itself; its sessions displace none.
        `auth_time`: when the user signed in, for the ID tokens of refreshes.
        """
        sid = new_sid(user_id)
        lives = (self._idle_ms, self._absolute_ms, self._limit)
        if ttl_s is not None:
            lives = (ttl_s * 1000, ttl_s * 1000, 0)

        async def store(*, confirmed: bool = False) -> tuple[str, list[str]]:
            _, (outcome, *rest) = await self._store.run(
                *("create", user_id, sid, sid, generation, client.id, " ".join(sorted(scopes)), address),
                *(agent[:AGENT_LENGTH], EPOCH, *lives, self._settled_ms, int(confirmed), client.registration),
                "" if auth_time is None else auth_time,
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
        if outcome == "stale":  # or MongoDB was restored from an old copy, and must catch up
            await self._anchors.raise_generation_to(user_id, int(displaced[0]))
        if outcome != "ok":
            raise UnavailableError("The user was just signed out everywhere: sign in again.")
        await self._anchors.end(displaced, "displaced")
        await self._tell(user_id, displaced)
        return NewSession(sid, self._tokens.make(sid, 1), displaced)

    async def check(self, user_id: str, sid: str, *, client_id: str) -> None:
        """Check a session, in one round trip to Redis; the error says if it expired, was ended or displaced.

        `client_id`: the client that began the session.
        """
        asked = None if client_id in BUILT_INS else client_id
        await self.judge(user_id, sid, client_id, await self._store.look(user_id, sid, asked))

    async def judge(self, user_id: str, sid: str, client_id: str, found: Found) -> None:
        """The check of what Redis was found to have."""
        epoch, (generation, confirmed, ended, registration), (known, doubts, only), registered = found
        is_only = only is None or only == session_of(sid) or registration == PERSONAL
        is_registered = client_id in BUILT_INS or registered == (registration or "")
        if confirmed == epoch and generation == known and doubts is None and is_only and is_registered:
            return
        if generation is None:
            raise refusal(ended)
        if known is not None and int(known) > int(generation):
            raise refusal("revoked")
        if not is_only:
            raise refusal("displaced")
        await self._consult(_Pinned(user_id, sid, int(generation), client_id, registration or ""), epoch)

    async def begin_grant(
        self, grant: str, *, client: Client, scopes: frozenset[str], ttl_s: int | None, auth_time: int
    ) -> NewSession:
        """The session of a client within a browser session, which this uses; `grant` is a `new_grant`.

        InvalidGrantError if the browser session has ended, or the grant has before it began: its code was
        used twice. `ttl_s`: the life of its access token, where no refresh token follows. `auth_time`: as for
        `create`; the user may sign in again in the browser meanwhile.
        """
        user_id = user_of(grant) or ""

        async def store(*, confirmed: bool) -> tuple[str, Any]:
            return await self._store.run(
                *("begin_grant", user_id, grant, grant, client.id, " ".join(sorted(scopes)), EPOCH),
                *(self._idle_ms, "" if ttl_s is None else ttl_s * 1000, client.registration, int(confirmed)),
                auth_time,
            )

        epoch, (outcome, *rest) = await store(confirmed=False)
        try:
            if outcome == "consult":
                pinned = _Pinned(user_id, grant, int(rest[0]), client.id, client.registration)
                await self._consult(pinned, epoch)
                _, (outcome, *rest) = await store(confirmed=True)
            if outcome != "ok":
                raise refusal(rest[0])
        except InvalidTokenError as error:
            raise InvalidGrantError(error.detail) from None
        return NewSession(grant, self._tokens.make(grant, 1), [])

    async def grants(self, sid: str) -> dict[str, str]:
        """The clients of a browser session's living grants, by grant; those that lived, once it has ended."""
        return await self._find_grants(user_of(sid) or "", sid)

    async def end_grants(self, user_id: str, client_id: str) -> list[str]:
        """End the client's grants in all sessions of the user: the ids of those that lived."""
        found = await self._find_grants(user_id)
        return [
            grant for grant, client in found.items() if client == client_id and await self.end(user_id, grant)
        ]

    async def _find_grants(self, user_id: str, *sids: str) -> dict[str, str]:
        """Of these browser sessions, or of all."""
        _, found = await self._store.run("grants", user_id, "", *sids)
        return dict(found)

    async def find_generation(self, user_id: str) -> int | None:
        """The generation of valid sessions, by MongoDB; None for a user who may have none."""
        return await self._anchors.find_generation(user_id)

    def user_of(self, sid: str) -> str | None:
        """The user in a session's id; None if it is no such id."""
        return user_of(sid)

    def read(self, refresh_token: str) -> RefreshToken | None:
        """The parts of a refresh token; None if it is forged or malformed."""
        return self._tokens.read(refresh_token)

    async def refresh(
        self, refresh_token: str, *, client: Client, narrowed: frozenset[str] | None = None
    ) -> Refreshed:
        """The session's next refresh token; concurrent requests get the same one.

        Its scopes are those that the client may have now. `narrowed`: requested scopes, which must be among
        them; InvalidScopeError otherwise, or if none are left. Other errors: InvalidGrantError; those of
        `check`; RefreshTokenReusedError, which ends the session, for a token older than the last used one, or
        for that one after the grace.
        """
        token = self._tokens.read(refresh_token)
        if token is None:
            raise InvalidGrantError("The refresh token is not valid.")
        epoch, (outcome, *rest) = await self._rotate(token, client, narrowed, confirmed=False)
        if outcome == "consult":
            generation, *of_client = rest
            await self._consult(_Pinned(token.user_id, token.sid, int(generation), *of_client), epoch)
            _, (outcome, *rest) = await self._rotate(token, client, narrowed, confirmed=True)
        if outcome == "ok":
            number, scopes, ends, auth_time = rest
            return Refreshed(
                user_id=token.user_id,
                sid=token.sid,
                refresh_token=self._tokens.make(token.sid, number),
                client_id=client.id,
                scopes=frozenset(scopes.split()),
                expires_at=time_of(ends),
                auth_time=int(auth_time) if auth_time else None,
            )
        if outcome == "wider":
            raise InvalidScopeError("The session or its client does not have these scopes.")
        if outcome == "foreign":
            raise InvalidGrantError("The refresh token is another client's.")
        if outcome == "reused":
            await self._anchors.end([token.sid], "reused")
            raise refusal("reused")
        raise refusal(rest[0])

    async def _rotate(
        self, token: RefreshToken, client: Client, narrowed: frozenset[str] | None, *, confirmed: bool
    ) -> tuple[str, Any]:
        return await self._store.run(
            *("refresh", token.user_id, token.sid, token.sid, token.number, client.id, EPOCH, self._idle_ms),
            *(self._grace_ms, " ".join(narrowed or ()), int(confirmed), client.registration),
            _ANY if client.scopes is None else " ".join(client.scopes),
        )

    async def _consult(self, pinned: _Pinned, epoch: str) -> None:
        """Ask MongoDB whether the session is valid, and store the answer in Redis."""
        user_id, sid, client_id = pinned.user_id, pinned.sid, pinned.client_id
        standing = await self._anchors.find_generation(user_id)
        if standing is None or standing != pinned.generation:
            raise refusal("revoked")
        reason = await self._anchors.find_end(sid)
        if reason is None and client_id not in BUILT_INS:
            registered = await self._anchors.find_registrations([client_id])
            reason = None if registered.get(client_id) == pinned.registration else "revoked"
        if reason is not None:
            await self._store.run("end_session", user_id, sid, sid, reason)
            raise refusal(reason)
        await self._store.run("confirm", user_id, sid, pinned.generation, epoch, self._settled_ms)
        if client_id not in BUILT_INS:
            await self._store.confirm_client(client_id, pinned.registration)

    @asynccontextmanager
    async def ending(self, user_id: str, *, keep: str = "") -> AsyncIterator[Ending]:
        """Wraps the write to MongoDB that ends all sessions of a user and sets the new `generation`.

        From before the write until Redis has it, each request asks MongoDB, so that a crash in between leaves
        no ended session alive and ends no other. `keep` is a session that goes on.
        """
        async with self.ending_all([user_id], keep=keep) as endings:
            yield endings[user_id]

    @asynccontextmanager
    async def ending_all(
        self, user_ids: Sequence[str], *, keep: str = ""
    ) -> AsyncIterator[Mapping[str, Ending]]:
        """The same around one write about several users: what to fill in, by user."""
        endings, keep = {user_id: Ending() for user_id in user_ids}, session_of(keep)
        held = await self._store.run_all("grants", "", dict.fromkeys(endings, ()))
        begun = dict.fromkeys(endings, (self._absolute_ms,))
        await self._store.run_all("begin_revocation", keep, begun)
        try:
            yield endings
        except (
            RosterError
        ):  # refused, so nothing was written; after other errors the revocation stays in doubt
            await self._store.run_all("end_revocation", keep, dict.fromkeys(endings, ("", "")))
            raise
        ended = {
            user_id: ("" if ending.generation is None else ending.generation, "revoked")
            for user_id, ending in endings.items()
        }
        await self._store.run_all("end_revocation", keep, ended)
        for (user_id, ending), grants in zip(endings.items(), held, strict=True):
            gone = {grant: client for grant, client in dict(grants).items() if session_of(grant) != keep}
            if ending.generation is not None and gone:
                await self._on_end(user_id, gone)

    @asynccontextmanager
    async def ending_client(self, client_id: str) -> AsyncIterator[None]:
        """Wraps the write to MongoDB that removes a client, and so ends the sessions of its registration.

        From before the write, for longer than it may take, each request of its sessions asks MongoDB; and
        again after the write, for a request that asked just before it.
        """
        await self._store.begin_client_revocation(client_id, self._settled_ms)
        yield
        await self._store.begin_client_revocation(client_id, self._settled_ms)

    async def end_all(
        self, user_id: str, *, keep: str = "", author: Author = COMMAND_LINE, also: Also | None = None
    ) -> bool:
        """Sign out everywhere; with `keep`, everywhere else. False if there is no such user."""
        async with self.ending(user_id, keep=keep) as ending:
            ending.generation = await self._anchors.raise_generation(user_id, author, also)
        return ending.generation is not None

    async def end(self, user_id: str, sid: str, reason: str = "revoked") -> bool:
        """End one session; whether it was alive. MongoDB records it first; Redis drops it in any case.

        Unknown ids are not recorded: anybody can make them up. Those of grants are: one may be ended that is
        about to begin.
        """
        if MARK not in sid:
            _, (generation, *_), *_ = await self._store.look(user_id, sid)
            if generation is None:
                return False
        try:
            await self._anchors.end([sid], reason)
        finally:
            _, (alive,) = await self._store.run("end_session", user_id, sid, sid, reason)
        if alive and MARK not in sid:
            await self._tell(user_id, [sid])
        return bool(alive)

    async def _tell(self, user_id: str, sids: Sequence[str]) -> None:
        if sids and (held := await self._find_grants(user_id, *sids)):
            await self._on_end(user_id, held)

    async def list_all(self, user_id: str) -> Sequence[Session]:
        """Living sessions, the last used first.

        MongoDB is asked about unconfirmed ones, and about their clients.
        """
        epoch, entries = await self._list(user_id, LISTED)
        unconfirmed = [entry.sid for entry in entries if entry.epoch != epoch]
        if unconfirmed:
            standing = str(await self._anchors.find_generation(user_id))
            ended = await self._anchors.find_ended(unconfirmed)
            entries = [
                entry
                for entry in entries
                if entry.epoch == epoch or (entry.generation == standing and entry.sid not in ended)
            ]
        clients = {entry.client_id for entry in entries}.union(*(dict(entry.clients()) for entry in entries))
        registered = await self._anchors.find_registrations(clients)
        living = [
            entry.session(registered)
            for entry in entries
            if registered.get(entry.client_id) == (entry.registration or "")
        ]
        return sorted(living, key=attrgetter("used_at"), reverse=True)

    async def count(self) -> int:
        """How many living sessions of all users Redis has, in one step.

        A session whose end Redis does not know counts until it would have expired: those beyond a user's
        first thousand after signing out everywhere, and those that only MongoDB has ended.
        """
        return await self._store.count()

    async def find(self, token: RefreshToken, *, any_number: bool = False) -> Session | None:
        """The living session of a refresh token; None if the token is outdated, unless `any_number`.

        SessionExpired-, Revoked-, DisplacedError if the session has ended.
        """
        _, entries = await self._list(token.user_id, 1, token.sid)
        client_id = entries[0].client_id if entries else BUILT_IN.id
        await self.check(token.user_id, token.sid, client_id=client_id)
        if not entries or (int(entries[0].counter) != token.number and not any_number):
            return None
        return entries[0].session({})

    async def _list(self, user_id: str, most: int, sid: str = "") -> tuple[str, list[Entry]]:
        epoch, entries = await self._store.run("list", user_id, "", most, sid)
        return epoch, [Entry(*entry) for entry in entries]
