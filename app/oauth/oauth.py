"""What the endpoints of OAuth and OpenID Connect work with."""

from dataclasses import dataclass

from app.accounts.auth import Auth
from app.auth.one_time import OneTimeRecords
from app.oauth.authorization.authorization import Authorization
from app.oauth.consents import Consents
from app.oauth.devices import Devices
from app.oauth.openid.logouts import Logouts


@dataclass(frozen=True, slots=True)
class OAuth(Auth):
    """The whole of `Auth`, and what only clients need of it: accounts do not know this."""

    authorization: Authorization
    logouts: Logouts
    one_time: OneTimeRecords
    devices: Devices
    consents: Consents
