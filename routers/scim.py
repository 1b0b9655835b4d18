"""`/scim/v2`: SCIM 2.0 for identity providers (RFC 7644)."""

from typing import Any
from urllib.parse import parse_qsl

import orjson
from fastapi import APIRouter, Request, Response
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from app.auth.access_tokens import Claims
from app.core.errors import InvalidError, RosterError
from app.http.dependencies import backends, find_caller
from app.http.error_handlers import translate
from app.scim.errors import ClientNeededError, describe
from app.scim.pace import throttle

router = APIRouter(prefix="/scim/v2", include_in_schema=False)

_MEDIA_TYPE = "application/scim+json"
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_OPEN = ("ServiceProviderConfig",)
"""What needs no token (RFC 7643, section 5)."""
_LONGEST_PATH = 500
_FIRST_ERROR = 400

Reply = tuple[int, dict[str, Any] | None, dict[str, str]]
"""Status, body and headers."""


@router.api_route("", methods=_METHODS)
@router.api_route("/{path:path}", methods=_METHODS)
async def serve_scim(request: Request, path: str = "") -> Response:
    """Each client sees the users and groups that it made or was given; errors are SCIM's, too."""
    caller = None
    try:
        if path not in _OPEN:
            caller = await _find_client(request)
        status, body, headers = await _serve(request, path, caller)
    except (RosterError, PyMongoError, RedisError) as error:
        told = translate(error)
        status, body = describe(told)
        headers = dict(told.headers)
    if caller is not None:
        _note(request, path, caller, status, body)
    return _reply(status, body, headers)


async def _serve(request: Request, path: str, caller: Claims | None) -> Reply:
    from scim2_server.requests import ScimRequest  # noqa: PLC0415 - the library takes half a second to load

    from app.scim import application  # noqa: PLC0415 - the same

    if caller is not None:
        await throttle(backends(request).auth.quotas, caller.user_id, backends(request).settings)
    if len(path) > _LONGEST_PATH:
        raise InvalidError(f"The path is longer than {_LONGEST_PATH} characters.")
    asked = ScimRequest(
        method=request.method,
        base_url=f"{request.base_url}scim/v2",
        path=f"/{path}",
        query=dict(parse_qsl(request.url.query, keep_blank_values=True)),
        headers=list(request.headers.items()),
        body=await request.body(),
    )
    opened = backends(request)
    return await application.answer(asked, opened.users, opened.auth, caller)


def _note(request: Request, path: str, caller: Claims, status: int, body: dict[str, Any] | None) -> None:
    """For administrators (`GET /clients/{id}/activity`)."""
    told = body if body is not None and status >= _FIRST_ERROR else {}
    backends(request).provisioning.activity.record(
        caller.user_id,
        method=request.method,
        path=f"/{path}",
        status=status,
        scim_type=told.get("scimType"),
        detail=told.get("detail"),
    )


async def _find_client(request: Request) -> Claims:
    """ClientNeededError where a person asks: no user is linked to people."""
    caller = await find_caller(request, "scim")
    if not caller.is_service:
        raise ClientNeededError("SCIM is for clients that act as themselves.")
    return caller


def _reply(status: int, body: object, headers: dict[str, str]) -> Response:
    content = b"" if body is None else orjson.dumps(body)
    return Response(content, status, headers | {"Cache-Control": "no-store"}, _MEDIA_TYPE)
