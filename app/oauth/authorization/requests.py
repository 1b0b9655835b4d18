"""The parameters of an authorization request, read and checked (RFC 6749, RFC 7636, OpenID Connect Core).

`begin` finds out where an answer may go; what is wrong after that is told to the client there.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from app.clients import Client, redirect_matches
from app.core.errors import (
    AuthorizationRequestError,
    InvalidScopeError,
    OAuthError,
    RegistrationNotSupportedError,
    RequestNotSupportedError,
    RequestURINotSupportedError,
    UnauthorizedClientError,
    UnregisteredAddressError,
    UnsupportedResponseTypeError,
)
from app.oauth import forms
from app.oauth.authorization.flow import Flow
from app.oauth.openid import claim_requests

Parameters = Mapping[str, str]

_LONGEST = 4_000
"""Characters of all that a flow keeps, percent-encoded: addresses may have 8 KB behind most proxies."""
_KEPT = ("state", "nonce", "redirect_uri", "login_hint", "ui_locales")
_CHALLENGE = re.compile("[A-Za-z0-9_-]{43}")
_AGE = re.compile("[0-9]{1,10}")
PROMPTS = frozenset({"none", "login", "consent", "select_account"})
_REFUSED: Mapping[str, tuple[type[OAuthError], str]] = {
    "request": (RequestNotSupportedError, "Send the parameters themselves, or push them to /auth/par."),
    "request_uri": (RequestURINotSupportedError, "Send a request_uri of /auth/par only."),
    "registration": (RegistrationNotSupportedError, "Register the client first."),
}


def begin(parameters: Parameters, client: Client, asked_at: float) -> Flow:
    """The part of a flow that an answer needs. AuthorizationRequestError: no address may have one."""
    uri = parameters.get("redirect_uri")
    if uri is None or not redirect_matches(client, uri):
        raise UnregisteredAddressError("The redirect_uri is not one that the application has registered.")
    if len(urlencode({name: parameters.get(name, "") for name in _KEPT})) > _LONGEST:
        raise AuthorizationRequestError(f"{', '.join(_KEPT)} may have {_LONGEST} characters in an address.")
    return Flow(
        client_id=client.id,
        redirect_uri=uri,
        scopes=frozenset(),
        code_challenge="",
        asked_at=asked_at,
        state=parameters.get("state"),
        response_mode="form_post" if parameters.get("response_mode") == "form_post" else "query",
    )


def complete(begun: Flow, parameters: Parameters, client: Client) -> Flow:
    """The flow, without the user of `id_token_hint`. OAuthError and its kinds: the client asked wrongly."""
    for name, (error, advice) in _REFUSED.items():
        if name in parameters:
            raise error(advice)
    if "authorization_code" not in client.grant_types:
        raise UnauthorizedClientError("The client is not registered for the code flow.")
    _check_kind(parameters)
    claims = claim_requests.read(parameters.get("claims"))
    scopes = _read_scopes(parameters, client)
    is_openid = "openid" in scopes
    return replace(
        begun,
        scopes=scopes | claims.scopes if is_openid else scopes,
        code_challenge=_read_challenge(parameters),
        nonce=parameters.get("nonce"),
        prompt=_read_prompt(parameters),
        max_age=_read_age(parameters),
        subject=claims.subject,
        login_hint=parameters.get("login_hint"),
        ui_locales=parameters.get("ui_locales"),
        id_token_claims=claims.id_token if is_openid else frozenset(),
    )


def _check_kind(parameters: Parameters) -> None:
    if forms.require(parameters, "response_type") != "code":
        raise UnsupportedResponseTypeError("The only response_type is code.")
    if parameters.get("response_mode", "query") not in {"query", "form_post"}:
        raise OAuthError("The response_mode is query or form_post.")


def _read_scopes(parameters: Parameters, client: Client) -> frozenset[str]:
    """Those asked for, or all rights; for `openid` unknown ones are ignored (OpenID Connect, 3.1.2.1)."""
    allowed = frozenset(forms.EVERY_SCOPE) if client.scopes is None else client.scopes
    if "scope" not in parameters:
        return allowed & frozenset(forms.USER_SCOPES)
    names = frozenset(parameters["scope"].split(" "))
    if "openid" not in names:
        names = forms.scope(parameters["scope"], forms.EVERY_SCOPE) or names
    elif "openid" not in allowed:
        raise InvalidScopeError("The client is not registered for the scope openid.")
    if not names & allowed:
        raise InvalidScopeError("The client is registered for none of these scopes.")
    return names & allowed


def _read_challenge(parameters: Parameters) -> str:
    """RFC 7636, section 4.3; `plain`, which is what no method means, would show the verifier."""
    if parameters.get("code_challenge_method") != "S256":
        raise OAuthError("Send a code_challenge with code_challenge_method=S256 (PKCE, RFC 7636).")
    challenge = forms.require(parameters, "code_challenge")
    if not _CHALLENGE.fullmatch(challenge):
        raise OAuthError("The code_challenge is the base64url of a SHA-256, 43 characters.")
    return challenge


def _read_prompt(parameters: Parameters) -> frozenset[str]:
    prompt = frozenset(parameters.get("prompt", "").split())
    if not prompt <= PROMPTS:
        raise OAuthError(f"The prompt is any of {', '.join(sorted(PROMPTS))}.")
    if "none" in prompt and len(prompt) > 1:
        raise OAuthError("The prompt none stands alone.")
    return prompt


def _read_age(parameters: Parameters) -> int | None:
    if (text := parameters.get("max_age")) is None:
        return None
    if not _AGE.fullmatch(text):
        raise OAuthError("The max_age is a whole number of seconds.")
    return int(text)
