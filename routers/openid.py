"""`/auth/userinfo` and `/auth/end-session`: OpenID Connect for applications."""

from typing import Any

from fastapi import APIRouter, Request, Response

from app.core.errors import TooLargeError
from app.http import authorization_replies, browser_cookie
from app.http.dependencies import Backends, Source
from app.http.oauth_requests import form_of, read_form, read_parameters
from app.http.pages import PageRoute
from app.http.problems import PROTECTED, oauth_responses, responses
from app.oauth import forms
from app.oauth.openid import end_session, userinfo
from models.authorization import UserInfo, UserInfoForm

router = APIRouter(prefix="/auth", tags=["auth"])
_browsed = APIRouter(route_class=PageRoute, include_in_schema=False, default_response_class=Response)

_SECURITY: dict[str, Any] = {"security": [{"Bearer": []}]}


@router.get(
    "/userinfo",
    response_model_exclude_unset=True,
    summary="What an application may know of its user",
    openapi_extra=_SECURITY,
    responses=responses(*PROTECTED),
)
async def read_userinfo(request: Request, opened: Backends) -> UserInfo:
    """OpenID Connect Core 1.0, section 5.3: claims of the token's scopes, where the user has a value."""
    authorization = request.headers.getlist("authorization")
    return UserInfo.model_validate(await userinfo.read(opened.auth, authorization))


@router.post(
    "/userinfo",
    response_model_exclude_unset=True,
    summary="The same, by a form",
    openapi_extra=form_of(UserInfoForm) | _SECURITY,
    responses=responses(TooLargeError, *PROTECTED) | {400: oauth_responses()[400]},
)
async def read_userinfo_by_form(request: Request, opened: Backends) -> UserInfo:
    """As by GET; the access token may also be in a form (RFC 6750, section 2.2)."""
    sent = await read_form(request) if forms.is_form(request.headers.get("content-type", "")) else {}
    authorization = userinfo.find_token(request.headers.getlist("authorization"), sent)
    return UserInfo.model_validate(await userinfo.read(opened.auth, authorization))


@_browsed.api_route("/end-session", methods=["GET", "POST"])
async def end_session_of_browser(request: Request, opened: Backends, source: Source) -> Response:
    """RP-Initiated Logout 1.0: to the client, or to a page of ours."""
    parameters = await read_parameters(request)
    cookie, is_posted = browser_cookie.read(request), request.method == "POST"
    ending = await end_session.begin(opened.auth, parameters, cookie, source, is_posted=is_posted)
    response = authorization_replies.answer(ending.redirect)
    if ending.has_ended:
        browser_cookie.clear(request, response)
    return response


router.include_router(_browsed)
