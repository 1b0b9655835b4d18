"""What the endpoints of OAuth and OpenID Connect work with."""

from dataclasses import dataclass

from app.auth.accounts.auth import Auth
from app.auth.authorization.authorization import Authorization
from app.auth.consents import Consents
from app.auth.devices import Devices
from app.auth.one_time import OneTimeRecords
from app.auth.openid.logouts import Logouts


@dataclass(frozen=True, slots=True)
class OAuth(Auth):
    """The whole of `Auth`, and what only clients need of it: accounts do not know this."""

    authorization: Authorization
    logouts: Logouts
    one_time: OneTimeRecords
    devices: Devices
    consents: Consents
