"""Access tokens for tests that are about something else."""

from beanie import PydanticObjectId

from app.resources import Resources
from models.values import ALL_SCOPES


async def mint(opened: Resources, *scopes: str) -> str:
    """Of a session that Redis vouches for; its user is in no directory, so no test counts him.

    Redis is told that it knows the user. Otherwise the session's first request would ask MongoDB for him.
    """
    user_id = str(PydanticObjectId())
    epoch, *_ = await opened.sessions._store.look(user_id, "")
    await opened.redis.hset(f"roster:{{{user_id}}}:state", items=["generation", "0", "epoch", epoch])
    granted = frozenset(scopes or ALL_SCOPES)
    session = await opened.sessions.create(user_id, 0, client_id="tests", scopes=granted)
    token, _ = opened.tokens.issue(user_id=user_id, sid=session.sid, client_id="tests", scopes=granted)
    return token
