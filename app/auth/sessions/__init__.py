"""Sessions: pinned in Redis, anchored in MongoDB; the only module that knows their keys.

Redis answers every request. MongoDB decides: a user's `credentials.generation` is raised by whatever ends all
sessions, `ended_sessions` holds those that were ended one by one, and a session that Redis alone speaks for
(after a restart, a fail-over, a lost key, an end half done) is believed only once MongoDB was asked.
"""

from app.auth.sessions.refresh_tokens import RefreshToken
from app.auth.sessions.sessions import NewSession, Refreshed, Session, Sessions

__all__ = ["NewSession", "RefreshToken", "Refreshed", "Session", "Sessions"]
