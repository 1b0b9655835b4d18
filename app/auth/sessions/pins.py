"""Pins: the sessions of opaque tokens, in Redis for a day at most, and made again from MongoDB.

A pin is a session like any other, so that one check serves all. But it is in no index, and no newer sign-in
displaces it.
"""

from dataclasses import dataclass

from app.auth.sessions.anchors import Anchors
from app.auth.sessions.store import Store

_PINNED_MS = 86_400_000
"""So MongoDB is asked about a token once a day, and learns then that it is used."""


@dataclass(frozen=True, slots=True)
class Pin:
    """What Redis holds of a token's session; times in milliseconds since 1970."""

    client_id: str
    scopes: str
    created_at: int
    expires_at: int
    is_sure: bool = True
    """Whether the session needs no check by `Sessions.check`."""


class Pins:
    """`principal`: the id of the user, or the `subject` of the client, whose token it is."""

    def __init__(self, store: Store, anchors: Anchors) -> None:
        self._store = store
        self._anchors = anchors

    async def find(self, principal: str, sid: str) -> Pin | None:
        """The pin of a session, in one round trip; None if Redis has none, or if it has ended."""
        epoch, of_session, (known, doubts) = await self._store.look_at_pin(principal, sid)
        generation, confirmed, _, _, client_id, scopes, created_at, expires_at = of_session
        if generation is None:
            return None
        is_sure = confirmed == epoch and generation == known and doubts is None
        return Pin(client_id or "", scopes or "", int(created_at or 0), int(expires_at or 0), is_sure)

    async def put(self, principal: str, sid: str, generation: int, registration: str, pin: Pin) -> None:
        """Pin a session, unless it has ended. `Sessions.check` must follow, and says so."""
        await self._store.run(
            *("pin", principal, sid, pin.client_id, registration, pin.scopes, generation),
            *(pin.created_at, pin.expires_at, _PINNED_MS),
        )

    async def end(self, principal: str, sid: str) -> None:
        """End a session whether Redis has it or not: MongoDB may be making it again."""
        try:
            await self._anchors.end([sid], "revoked")
        finally:
            await self._store.run("end_session", principal, sid, sid, "revoked")
