"""Clients are told that a browser session has ended (OpenID Connect Back-Channel Logout 1.0).

A job tells one client of one session, and is tried again for minutes. Of sessions that expire nobody is told.
"""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping

import structlog
from pymongo.errors import PyMongoError

from app.auth.sessions import session_of
from app.clients import Client, Clients
from app.core.errors import LogoutNoticeRefusedError, UnavailableError
from app.jobs import Jobs, Run
from app.keys.keyring import Keyring
from app.oauth.openid import delivery

log = structlog.get_logger("roster.auth")

_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_TTL_S = 120  # as section 2.4 advises
_TOLD = frozenset({200, 204})
_BROKEN = 500
"""Statuses from here may be others the next time."""


class LogoutNotices:
    def __init__(
        self,
        clients: Clients,
        jobs: Jobs,
        keyring: Keyring,
        *,
        issuer: str,
        post: Callable[..., Awaitable[int]] = delivery.post,
    ) -> None:
        self._clients = clients
        self._jobs = jobs
        self._keyring = keyring
        self._issuer = issuer
        self._post = post

    async def send(self, user_id: str, grants: Mapping[str, str]) -> None:
        """Tell the clients of these grants, by grant, that their browser sessions have ended."""
        ended = {(session_of(grant), client_id) for grant, client_id in grants.items()}
        try:
            notified = await self._clients.find_notified({client_id for _, client_id in ended})
            for sid, client_id in sorted(ended):
                if client_id in notified:
                    subject = f"{user_id} {sid} {client_id}"
                    await self._jobs.submit("logout_notice", subject, result=None, by=None)
        except PyMongoError as error:  # the sessions have ended, which is what was asked for
            log.warning("logout_notices_lost", reason=type(error).__name__)

    async def deliver(self, run: Run) -> None:
        """The job: UnavailableError, after which it is tried again, or LogoutNoticeRefusedError."""
        user_id, sid, client_id = run.subject.split(" ", 2)
        client = await self._clients.find(client_id)
        if client is None or client.backchannel_logout_uri is None:
            return
        form = {"logout_token": self._make(client, user_id, sid)}
        status = await self._post(client.backchannel_logout_uri, form, anywhere=not client.is_dynamic)
        if status >= _BROKEN:
            raise UnavailableError(f"The client answered {status}.")
        if status not in _TOLD:
            raise LogoutNoticeRefusedError(f"The client answered {status}.")

    def _make(self, client: Client, user_id: str, sid: str) -> str:
        """The logout token (section 2.4), which has no nonce, so that it passes for no ID token."""
        now = int(time.time())
        claims = {
            "iss": self._issuer,
            "sub": user_id,
            "aud": client.id,
            "iat": now,
            "exp": now + _TTL_S,
            "jti": secrets.token_hex(16),
            "sid": sid,
            "events": {_EVENT: {}},
        }
        return self._keyring.signing.sign_jwt("logout+jwt", claims)
