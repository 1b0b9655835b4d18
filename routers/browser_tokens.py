"""`/auth/browser-token`: access tokens for pages of the service itself, as `/console` is one."""

from fastapi import APIRouter, Request

from app.core.errors import (
    ForeignPageError,
    InsufficientScopeError,
    NotSignedInError,
    SessionDisplacedError,
    SessionExpiredError,
    SessionRevokedError,
    UnavailableError,
)
from app.http import browser_cookie, own_pages, replies
from app.http.dependencies import Backends, Source
from app.http.json_route import JsonRoute
from app.http.problems import BODY, responses
from app.oauth import browser_tokens
from models.token import BrowserTokenInput, TokenOutput

router = APIRouter(prefix="/auth", tags=["auth"], route_class=JsonRoute)


@router.post(
    "/browser-token",
    response_model_exclude_none=True,
    summary="A token for a page of the service",
    responses=responses(
        *BODY,
        NotSignedInError,
        SessionDisplacedError,
        SessionExpiredError,
        SessionRevokedError,
        ForeignPageError,
        InsufficientScopeError,
        UnavailableError,
    ),
)
async def create_browser_token(
    asked: BrowserTokenInput, request: Request, opened: Backends, source: Source
) -> TokenOutput:
    """An access token by the session of the browser that a page is in, with which it also ends.

    For scripts of pages at the service's own origin: others get 403, by `Sec-Fetch-Site` and `Origin`. There
    is no refresh token: the page asks again. A 401 says why the session ended (`session_displaced`,
    `session_revoked`, `session_expired`), or that there was none (`not_signed_in`).
    """
    own_pages.require(request)
    cookie = browser_cookie.read(request)
    return replies.token(await browser_tokens.issue(opened.auth, asked, cookie=cookie, source=source))
