"""The token endpoint: each grant type has a function that answers it (RFC 6749, section 4)."""

from collections.abc import Awaitable, Callable, Mapping

from app.accounts import grants
from app.accounts.grants import IssuedTokens
from app.core.errors import InvalidError, OAuthError, UnauthorizedClientError, UnsupportedGrantTypeError
from app.oauth import device_grants, forms, services
from app.oauth.authorization import codes
from app.oauth.oauth import OAuth
from app.oauth.token_requests import TokenRequest


async def answer(auth: OAuth, asked: TokenRequest) -> IssuedTokens:
    """The tokens that the request is given; OAuthError and its kinds say why there are none."""
    name = asked.require("grant_type")
    if name not in offered(auth):
        raise UnsupportedGrantTypeError("Use a grant type that the server's metadata names.")
    if name not in asked.client.grant_types:
        raise UnauthorizedClientError("The client is not registered for this grant type.")
    return await _GRANTS[name](auth, asked)


def offered(auth: OAuth) -> list[str]:
    """The grant types of this service, in the order of its metadata."""
    return [name for name in _GRANTS if name != "password" or auth.settings.password_grant]


async def _sign_in(auth: OAuth, asked: TokenRequest) -> IssuedTokens:
    scopes = asked.scopes(forms.USER_SCOPES)
    return await grants.sign_in(
        auth,
        name=asked.require("username"),
        password=await _read_password(auth, asked),
        scopes=scopes,
        client=asked.client,
        source=asked.source,
    )


async def _read_password(auth: OAuth, asked: TokenRequest) -> str:
    if "password_jwe" not in asked.form:
        return asked.require("password")
    if "password" in asked.form:
        raise OAuthError("Send password or password_jwe, not both.")
    try:
        return await auth.password_keys.open(asked.form["password_jwe"])
    except InvalidError as error:
        raise OAuthError(f"password_jwe: {error.detail}") from None


async def _refresh(auth: OAuth, asked: TokenRequest) -> IssuedTokens:
    return await grants.refresh(
        auth,
        asked.require("refresh_token"),
        scopes=asked.scopes(forms.EVERY_SCOPE),
        client=asked.client,
        source=asked.source,
    )


_GRANTS: Mapping[str, Callable[[OAuth, TokenRequest], Awaitable[IssuedTokens]]] = {
    "authorization_code": codes.exchange,
    "client_credentials": services.grant,
    device_grants.DEVICE_CODE: device_grants.redeem,
    "password": _sign_in,
    "refresh_token": _refresh,
}
