"""Access tokens for the service's own pages, by the session of the browser that they are in.

What a page would get by an authorization request with `prompt=none` and its code, in one step: a script of
our origin in that browser could do those two as well.
"""

from urllib.parse import urlsplit

from app import audit
from app.accounts.account_records import Account
from app.accounts.browsers import read_account
from app.accounts.grants import IssuedTokens, RequestSource, grant
from app.auth.sessions import new_grant
from app.clients import Client
from app.core.errors import (
    FieldError,
    InsufficientScopeError,
    InvalidError,
    InvalidGrantError,
    InvalidScopeError,
    SessionRevokedError,
)
from app.oauth.oauth import OAuth
from models.token import BrowserTokenInput


async def issue(
    auth: OAuth, asked: BrowserTokenInput, *, cookie: str | None, source: RequestSource
) -> IssuedTokens:
    """A token of a grant within the browser's session, as long as it lives.

    InvalidError: the client is none of our pages. The errors of `BrowserSessions.require` say why there is no
    session. InsufficientScopeError: user and client may have none of the scopes.
    """
    client = await _find_client(auth, asked.client_id)
    browser = await auth.browsers.require(cookie)
    granted = _grant(await read_account(auth, browser.user_id), asked, client)
    try:
        session = await auth.sessions.begin_grant(
            new_grant(browser.sid),
            client=client,
            scopes=granted,
            ttl_s=auth.settings.access_token_ttl_s,
            auth_time=int(browser.auth_at.timestamp()),
        )
    except InvalidGrantError as error:  # the session ended at this moment
        raise SessionRevokedError(error.detail) from None
    token, claims = auth.tokens.issue(
        user_id=browser.user_id, sid=session.sid, client_id=client.id, scopes=granted
    )
    audit.log.record(
        "grant_begun",
        user_id=browser.user_id,
        sid=session.sid,
        client_id=client.id,
        address=source.address,
    )
    return IssuedTokens(token, None, claims)


def _grant(account: Account, asked: BrowserTokenInput, client: Client) -> frozenset[str]:
    wanted = None if asked.scopes is None else frozenset(asked.scopes)
    try:
        return grant(account, wanted, client)
    except InvalidScopeError as error:
        raise InsufficientScopeError(" ".join(sorted(wanted or {"me"})), error.detail) from None


async def _find_client(auth: OAuth, client_id: str) -> Client:
    client = await auth.clients.find(client_id)
    if client is not None and client.is_public and client.is_first_party:
        origins = [urlsplit(uri)[:2] for uri in client.redirect_uris]
        if urlsplit(auth.settings.issuer_url)[:2] in origins:
            return client
    sentence = "Must be a public first-party client with a redirect URI at the origin of this service."
    raise InvalidError(sentence, errors=(FieldError(sentence, pointer="/client_id"),))
