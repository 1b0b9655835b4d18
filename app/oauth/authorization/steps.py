"""The way of an authorization request: sign-in, consent, code (OpenID Connect Core 1.0, section 3.1.2)."""

from dataclasses import replace

from app.accounts import account_records
from app.accounts.account_records import Account
from app.accounts.grants import narrow
from app.auth.sessions import BrowserSession
from app.clients import Client, is_assured, redirect_matches
from app.core.errors import (
    AuthorizationRequestError,
    ConsentRequiredError,
    LoginRequiredError,
    OAuthError,
    UnknownApplicationError,
    UnregisteredAddressError,
)
from app.oauth.authorization import codes, pushed, requests
from app.oauth.authorization.flow import Flow
from app.oauth.authorization.redirects import Redirect
from app.oauth.authorization.requests import Parameters
from app.oauth.oauth import OAuth

_SIGN_IN, _CONSENT, _CONTINUE = "sign-in", "consent", "continue"
"""Relative to /auth/authorize and /auth/continue, so that a browser stays at the name it came by."""


async def begin(
    auth: OAuth, parameters: Parameters, cookie: str | None, *, is_posted: bool = False
) -> Redirect:
    """The first answer to a request. AuthorizationRequestError: nobody may be sent to the client.

    With a form of another site a browser sends no cookie (SameSite=Lax), but with the redirect that follows.
    """
    client = await _find_client(auth, parameters.get("client_id", ""))
    uri = pushed.named(parameters)
    if uri is not None:
        parameters = await pushed.read(auth, uri, client)
    begun = requests.begin(parameters, client, await auth.browsers.now())
    try:
        _check_pushed(uri, client)
        flow = requests.complete(begun, parameters, client)
        flow = replace(flow, request_uri=uri)
        hint = parameters.get("id_token_hint")
        flow = await _name_subject(auth, flow, hint) if hint is not None else flow
    except OAuthError as error:
        if client.is_dynamic:  # anybody could have it, to send people on from our address (RFC 9700, 4.11.2)
            raise AuthorizationRequestError(error.detail) from None
        return auth.authorization.refuse(begun, error)
    if is_posted and cookie is None:
        return _ask(auth, _CONTINUE, flow)
    return await _go_on(auth, flow, client, cookie)


async def go_on(auth: OAuth, flow: Flow, cookie: str | None) -> Redirect:
    """What is still missing is asked for; else the browser takes a code to the client."""
    client = await _find_client(auth, flow.client_id)
    if not redirect_matches(client, flow.redirect_uri):
        raise UnregisteredAddressError("The application has changed its redirect_uri: begin again there.")
    return await _go_on(auth, flow, client, cookie)


async def consent(auth: OAuth, flow: Flow, browser: BrowserSession) -> Redirect:
    """Note that the user consents to what they would grant, and go on."""
    await auth.consents.give(browser.user_id, flow.client_id, await asked_of(auth, flow, browser))
    return _ask(auth, _CONTINUE, replace(flow, consented=browser.user_id))


async def asked_of(auth: OAuth, flow: Flow, browser: BrowserSession) -> frozenset[str]:
    """The scopes that the client would get of this user, which the page of consent shows.

    InvalidScopeError: none.
    """
    client = await _find_client(auth, flow.client_id)
    return narrow(await _read_account(auth, browser), flow.scopes, client)


def _check_pushed(uri: str | None, client: Client) -> None:
    if uri is None and client.requires_par:
        raise OAuthError("The client must push its requests to /auth/par.")


async def _find_client(auth: OAuth, client_id: str) -> Client:
    client = await auth.clients.find(client_id)
    if client is None:
        raise UnknownApplicationError("The client_id is not one of a registered application.")
    return client


async def _name_subject(auth: OAuth, flow: Flow, hint: str) -> Flow:
    """The flow for the hint's user. A hint of a key that was rotated out, or forged, is none.

    OAuthError: the parameter `claims` names another user.
    """
    told = await auth.id_tokens.read(hint)
    if told is None:
        return flow
    if flow.subject not in {None, told.user_id}:
        raise OAuthError("id_token_hint and claims name two users.")
    return replace(flow, subject=told.user_id)


async def _go_on(auth: OAuth, flow: Flow, client: Client, cookie: str | None) -> Redirect:
    browser = await auth.browsers.find(cookie)
    try:
        if browser is None or not _will_do(flow, browser):
            return _ask(auth, _SIGN_IN, flow, LoginRequiredError("The user has to sign in."))
        granted = narrow(await _read_account(auth, browser), flow.scopes, client)
        if await _needs_consent(auth, flow, client, browser, granted):
            return _ask(auth, _CONSENT, flow, ConsentRequiredError("The user has to consent."))
    except OAuthError as error:
        return auth.authorization.refuse(flow, error)
    return await codes.issue(auth, flow, client, browser, granted)


def _will_do(flow: Flow, browser: BrowserSession) -> bool:
    """Whether the sign-in is recent enough, and the user's. LoginRequiredError: another just signed in."""
    signed_in_at = browser.auth_at.timestamp()
    oldest = 0 if flow.prompt & {"login", "select_account"} else flow.max_age
    if oldest is not None and signed_in_at < flow.asked_at - oldest:
        return False
    if flow.subject in {None, browser.user_id}:
        return True
    if signed_in_at >= flow.asked_at:
        raise LoginRequiredError("Another user has signed in than the one that was asked for.")
    return False


def _ask(auth: OAuth, page: str, flow: Flow, error: OAuthError | None = None) -> Redirect:
    """To a page with the flow; `prompt=none` forbids pages, so the error is raised instead."""
    if error is not None and "none" in flow.prompt:
        raise error
    return Redirect(page, {"flow": auth.authorization.seal(flow)})


async def _read_account(auth: OAuth, browser: BrowserSession) -> Account:
    account = await account_records.read(auth, browser.user_id)
    if account is None or not account.is_active:
        raise LoginRequiredError("The user cannot sign in any more.")
    return account


async def _needs_consent(
    auth: OAuth, flow: Flow, client: Client, browser: BrowserSession, granted: frozenset[str]
) -> bool:
    """Whether to ask: each time where asked to, or where another program may pass for the client."""
    asks_each_time = "consent" in flow.prompt or not is_assured(client, flow.redirect_uri)
    if asks_each_time and flow.consented != browser.user_id:
        return True
    if client.is_first_party:
        return False
    return not granted <= await auth.consents.find(browser.user_id, client.id)
