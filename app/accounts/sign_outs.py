"""Sign-outs: one session of a user, or all of many users."""

from collections.abc import Sequence
from typing import Any

from app import audit
from app.accounts.auth import Auth
from app.audit.write import Author
from app.auth.access_tokens import Claims
from app.auth.sessions import session_of
from app.core.errors import SessionNotFoundError


async def end(auth: Auth, user_id: str, sid: str) -> bool:
    """End what has this id, a session or an opaque token; whether it was alive.

    The session goes first: Redis drops it even where MongoDB does not answer.
    """
    was_alive = await auth.sessions.end(user_id, sid)
    return await auth.opaque_tokens.end(user_id, sid) or was_alive


async def sign_out(auth: Auth, caller: Claims, *, address: str) -> None:
    """End the session of the caller's token, or the opaque token itself."""
    await end(auth, caller.user_id, caller.sid)
    audit.log.record("signed_out", user_id=caller.user_id, sid=caller.sid, address=address)


async def end_session(auth: Auth, user_id: str, sid: str) -> None:
    """End a session, with all grants in it; SessionNotFoundError if the user has no such living one."""
    is_theirs = auth.sessions.user_of(sid) == user_id and session_of(sid) == sid  # grants are not listed
    if not is_theirs or not await end(auth, user_id, sid):
        raise SessionNotFoundError("There is no such session.")
    audit.log.record("session_ended", user_id=user_id, sid=sid)


async def sign_out_all(auth: Auth, ids: Sequence[str], *, by: Claims) -> list[dict[str, Any]]:
    """Sign users out everywhere: a 204 for each, a 404 for each who does not exist."""
    results = []
    for user_id in map(str.lower, ids):
        ended = await sign_out_everywhere(auth, user_id, author=Author(by.user_id, by.client_id))
        results.append({"id": user_id, "status": 204 if ended else 404})
    return results


async def sign_out_everywhere(
    auth: Auth,
    user_id: str,
    *,
    author: Author,
    keep: str = "",
    sid: str | None = None,
    address: str | None = None,
) -> bool:
    """Sign a user out everywhere, or everywhere but in the session `keep`; the user is told.

    False if there is no such user. `sid`, `address`: of users who ask for it themselves.
    """
    ended = await auth.sessions.end_all(user_id, keep=keep, author=author, also=auth.notices.sessions_ended)
    if ended:
        by = author.user_id if sid is None else None
        audit.log.record("signed_out_everywhere", user_id=user_id, sid=sid, address=address, by=by)
        await auth.outbox.wake()
    return ended
