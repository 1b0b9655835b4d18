"""`POST /auth/device`: where a program without a browser begins (RFC 8628)."""

from fastapi import APIRouter, Request

from app import oauth
from app.core.errors import InvalidScopeError, UnauthorizedClientError
from app.http.dependencies import Backends, Source
from app.http.json_route import JsonRoute
from app.http.oauth_requests import form_of, read_form
from app.http.problems import oauth_responses
from app.oauth.devices import INTERVAL_S, TTL_S
from app.oauth.token_requests import TokenRequest
from models.device import DeviceForm, DeviceOutput

router = APIRouter(prefix="/auth", tags=["auth"], route_class=JsonRoute)


@router.post(
    "/device",
    summary="Begin a sign-in on a device without a browser",
    openapi_extra=form_of(DeviceForm) | {"security": [{}, {"Client": []}]},
    responses=oauth_responses(InvalidScopeError, UnauthorizedClientError),
)
async def begin_device(request: Request, opened: Backends, source: Source) -> DeviceOutput:
    """RFC 8628: show the user `user_code` and `verification_uri`, where they sign in and type the code.

    Meanwhile ask POST /auth/token with `device_code` every `interval` seconds: `authorization_pending` until
    the user has decided, `slow_down` when it is asked sooner.
    """
    form = await read_form(request)
    client = await oauth.identify_client(opened.auth, request.headers.get("authorization"), form, source)
    begun = await oauth.begin_device(opened.auth, TokenRequest(form, client, source))
    page = f"{opened.settings.issuer_url}/auth/device"
    return DeviceOutput(
        device_code=begun.device_code,
        user_code=begun.user_code,
        verification_uri=page,
        verification_uri_complete=f"{page}?user_code={begun.user_code}",
        expires_in=TTL_S,
        interval=INTERVAL_S,
    )
