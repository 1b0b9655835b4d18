"""`/auth/authorize` and what follows it: applications sign their users in.

The document of the API leaves out where browsers go: the metadata name it, and docs/openid.md describes it.
"""

from dataclasses import asdict

from fastapi import APIRouter, Request, Response, status

from app import oauth
from app.core.errors import InvalidScopeError, UnauthorizedClientError
from app.http import authorization_replies, browser_cookie
from app.http.dependencies import Backends, Source
from app.http.oauth_requests import form_of, read_form, read_parameters
from app.http.pages import PageRoute, find_own_language
from app.http.problems import oauth_responses
from app.oauth.authorization import pushed, steps
from models.authorization import AuthorizationForm, PushedRequest

router = APIRouter(prefix="/auth", tags=["auth"])
_browsed = APIRouter(route_class=PageRoute, include_in_schema=False, default_response_class=Response)


@_browsed.api_route("/authorize", methods=["GET", "POST"])
async def authorize(request: Request, opened: Backends) -> Response:
    """RFC 6749, section 4.1; OpenID Connect Core 1.0, section 3.1: to a page of ours, or to the client."""
    parameters = await read_parameters(request)
    cookie, is_posted = browser_cookie.read(request), request.method == "POST"
    redirect = await steps.begin(opened.auth, parameters, cookie, is_posted=is_posted)
    return authorization_replies.answer(redirect, find_own_language(request))


@_browsed.get("/continue")
async def go_on(request: Request, opened: Backends) -> Response:
    """Where our pages send the browser back."""
    flow = opened.auth.authorization.open(request.query_params.get("flow", ""))
    redirect = await steps.go_on(opened.auth, flow, browser_cookie.read(request))
    return authorization_replies.answer(redirect, find_own_language(request))


@router.post(
    "/par",
    status_code=status.HTTP_201_CREATED,
    summary="Push an authorization request",
    openapi_extra=form_of(AuthorizationForm) | {"security": [{"Client": []}, {}]},
    responses=oauth_responses(InvalidScopeError, UnauthorizedClientError),
)
async def push_request(request: Request, opened: Backends, source: Source) -> PushedRequest:
    """RFC 9126: the parameters of /auth/authorize, from the client itself; the browser gets their name."""
    asked = await read_form(request)
    client = await oauth.identify_client(opened.auth, request.headers.get("authorization"), asked, source)
    return PushedRequest(**asdict(await pushed.push(opened.auth, asked, client)))


router.include_router(_browsed)
