"""Pushed authorization requests (RFC 9126)."""

from dataclasses import dataclass

from app.clients import Client
from app.core import secret_codes
from app.core.errors import AuthorizationRequestError, OAuthError, RequestExpiredError
from app.oauth.authorization import requests
from app.oauth.authorization.requests import Parameters
from app.oauth.oauth import OAuth

_PREFIX = "urn:ietf:params:oauth:request_uri:"
_KIND = "pushed"
_TTL_S = 90
"""Long enough for a browser to be redirected, and to load the page again."""
_AUTHENTICATION = frozenset({"client_id", "client_secret", "client_assertion", "client_assertion_type"})


@dataclass(frozen=True, slots=True)
class Pushed:
    request_uri: str
    expires_in: int = _TTL_S


async def push(auth: OAuth, form: Parameters, client: Client) -> Pushed:
    """Keep a request that is in order. OAuthError and its kinds say what is not (section 2.3)."""
    if "request_uri" in form:
        raise OAuthError("Push the parameters, without request_uri.")
    parameters = {name: value for name, value in form.items() if name not in _AUTHENTICATION}
    try:
        begun = requests.begin(parameters, client, 0.0)  # it is not asked yet
    except AuthorizationRequestError as error:
        raise OAuthError(error.detail) from None
    requests.complete(begun, parameters, client)
    code = secret_codes.make()
    await auth.one_time.put(_KIND, code, parameters | {"client_id": client.id}, ttl_s=_TTL_S)
    return Pushed(_PREFIX + code)


def named(parameters: Parameters) -> str | None:
    """The `request_uri`, if it has the form of ours."""
    uri = parameters.get("request_uri", "")
    return uri if uri.startswith(_PREFIX) else None


async def read(auth: OAuth, uri: str, client: Client) -> Parameters:
    """The pushed parameters, which alone count (section 4).

    RequestExpiredError: there are none any more.
    """
    found = await auth.one_time.read(_KIND, uri.removeprefix(_PREFIX))
    if found is None or found["client_id"] != client.id:
        raise RequestExpiredError("The request_uri has expired, or was used: begin again in the application.")
    return found


async def use(auth: OAuth, uri: str) -> bool:
    """Whether no code was issued for it yet; until then a browser may load it again."""
    found = await auth.one_time.use(_KIND, uri.removeprefix(_PREFIX))
    return found is None or found.is_first
