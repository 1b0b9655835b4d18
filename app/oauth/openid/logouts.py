"""Signing out by a client (OpenID Connect RP-Initiated Logout 1.0)."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import orjson

from app.core import sealing
from app.core.errors import RequestExpiredError
from app.core.sealing import BrokenSealError, Sealer
from app.oauth.authorization import Redirect

ASKED_S = 3_600
_LONGEST = 8_192
_NAME = b"logout 1"


@dataclass(frozen=True, slots=True)
class Logout:
    """What a client asked for, if the user agrees."""

    client_id: str | None
    """None where nothing tells who asks."""
    location: str | None
    """Where the browser goes afterwards, with `state`; None: to our own page."""
    ui_locales: str | None
    asked_at: float


class Logouts:
    """Seals what a client asked for into a parameter of the page that asks the user."""

    def __init__(self, secret: str, *, now: Callable[[], float] = time.time) -> None:
        self._sealer = Sealer(secret, "logout request")
        self._now = now

    def seal(self, logout: Logout) -> str:
        return sealing.encode(self._sealer.seal(orjson.dumps(asdict(logout)), _NAME))

    def open(self, sealed: str) -> Logout:
        """RequestExpiredError if it is forged or older than an hour."""
        try:
            content = self._sealer.open(sealing.decode(sealed[:_LONGEST]), _NAME)
        except (BrokenSealError, ValueError):
            raise _lost() from None
        logout = Logout(**orjson.loads(content))
        if self._now() > logout.asked_at + ASKED_S:
            raise _lost()
        return logout

    def read(self, parameters: Mapping[str, str], client_id: str | None, uri: str | None) -> Logout:
        """`uri`: the client's registered address, if one was named."""
        state = {"state": parameters["state"]} if "state" in parameters else {}
        location = None if uri is None else Redirect(uri, state).location
        return Logout(client_id, location, parameters.get("ui_locales"), self._now())


def _lost() -> RequestExpiredError:
    return RequestExpiredError("This request has expired: sign out in the application again.")
