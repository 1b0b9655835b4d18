"""Flows sealed into a parameter of the pages, and the redirects with which they end."""

import time
from collections.abc import Callable

from app.core import sealing
from app.core.errors import AccessDeniedError, OAuthError, RequestExpiredError
from app.core.sealing import BrokenSealError, Sealer
from app.oauth.authorization.flow import Flow
from app.oauth.authorization.redirects import Redirect

FLOW_S = 3_600
"""How long a flow may take: people look for a password, or register."""

_LONGEST = 16_384
_NAME = b"flow 1"
"""Another one where `Flow` changes so that its sealed values cannot be read any more."""


class Authorization:
    def __init__(self, secret: str, *, issuer: str, now: Callable[[], float] = time.time) -> None:
        self._sealer = Sealer(secret, "authorization flow")
        self._issuer = issuer
        self._now = now

    def seal(self, flow: Flow) -> str:
        """Encrypted, since it has `state` and `nonce`, and addresses stand in histories."""
        return sealing.encode(self._sealer.seal(flow.dump(), _NAME))

    def open(self, sealed: str) -> Flow:
        """RequestExpiredError if it is forged or older than an hour."""
        try:
            flow = Flow.load(self._sealer.open(sealing.decode(sealed[:_LONGEST]), _NAME))
        except (BrokenSealError, ValueError):
            raise _lost() from None
        if self._now() > flow.asked_at + FLOW_S:
            raise _lost()
        return flow

    def deny(self, flow: Flow) -> Redirect:
        """The answer where the user refuses."""
        return self.refuse(flow, AccessDeniedError("The user refused."))

    def refuse(self, flow: Flow, error: OAuthError) -> Redirect:
        """The answer with an error (RFC 6749, section 4.1.2.1)."""
        return self.answer(flow, {"error": error.code, "error_description": error.detail})

    def answer(self, flow: Flow, parameters: dict[str, str]) -> Redirect:
        """The parameters with `state`, and `iss` against mix-ups (RFC 9207)."""
        state = {} if flow.state is None else {"state": flow.state}
        return Redirect(flow.redirect_uri, parameters | state | {"iss": self._issuer}, flow.response_mode)


def _lost() -> RequestExpiredError:
    return RequestExpiredError("This sign-in has expired: go back to the application, and begin again.")
