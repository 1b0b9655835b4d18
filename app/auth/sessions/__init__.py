"""Sessions: pinned in Redis, anchored in MongoDB; the only module that knows their keys.

Redis answers every request. MongoDB decides: a user's `credentials.generation` is raised by whatever ends all
sessions, `ended_sessions` holds those that were ended one by one, and a session that Redis alone speaks for
(after a restart, a fail-over, a lost key, an end half done) is believed only once MongoDB was asked.
"""

from app.auth.sessions.anchors import CLIENT_GENERATION
from app.auth.sessions.browsers import BrowserSession, BrowserSessions
from app.auth.sessions.outcomes import NewSession, Refreshed, Session
from app.auth.sessions.pins import Pin
from app.auth.sessions.refresh_tokens import RefreshToken
from app.auth.sessions.session_ids import new_grant, session_of, user_of
from app.auth.sessions.sessions import PERSONAL, Sessions

__all__ = [
    "CLIENT_GENERATION",
    "PERSONAL",
    "BrowserSession",
    "BrowserSessions",
    "NewSession",
    "Pin",
    "RefreshToken",
    "Refreshed",
    "Session",
    "Sessions",
    "new_grant",
    "session_of",
    "user_of",
]
