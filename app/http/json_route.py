"""The route class of every JSON operation: media type, strict parsing, then FastAPI's validation."""

import asyncio
from collections.abc import Callable, Coroutine
from email.message import Message
from functools import lru_cache
from typing import Any

from fastapi import Request, Response, params
from fastapi.routing import APIRoute

from app.core import strict_json
from app.core.errors import MalformedJSONError, UnsupportedMediaTypeError
from app.http.dependencies import find_caller, is_guarded
from models import phones

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_JSON = "application/json"
_TAKEN = {"PATCH": ("application/merge-patch+json", _JSON)}
_ACCEPTED_HEADER = {"PATCH": "Accept-Patch", "POST": "Accept-Post"}
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})


class JsonRoute(APIRoute):
    """A route whose bodies are parsed as strict JSON; forms are left alone."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        if self.body_field is None or isinstance(self.body_field.field_info, params.Form):
            return handle
        required = self.body_field.field_info.is_required()
        guarded = is_guarded(self.dependant)

        async def parse_and_handle(request: Request) -> Response:
            if guarded and _is_large(request):
                await find_caller(request)  # first, as FastAPI would validate before the endpoint
            return await handle(await _parse(request, required=required))

        return parse_and_handle


def _is_large(request: Request) -> bool:
    length = request.headers.get("content-length", "")
    return not length.isdigit() or int(length) >= strict_json.LARGE


class _ParsedRequest(Request):
    """A request whose body has been read and parsed, as FastAPI asks for both."""

    def __init__(self, request: Request, body: bytes, document: object) -> None:
        super().__init__(request.scope, request.receive)
        self._body = body
        self._document = document

    async def json(self) -> Any:
        return self._document


async def read(request: Request) -> Any:
    """The body of a request that FastAPI does not read, as strict JSON. MalformedJSONError and the like."""
    return await (await _parse(request, required=True)).json()


async def _parse(request: Request, *, required: bool) -> Request:
    body = await request.body()
    if not body:
        if required:
            msg = "The body is empty: send a JSON document."
            raise MalformedJSONError(msg)
        return _ParsedRequest(request, body, None)
    _check_media_type(request)
    region = getattr(request.app.state, "phone_region", None)
    if len(body) < strict_json.LARGE:
        return _ParsedRequest(request, body, _read(body, region))
    return _ParsedRequest(request, body, await asyncio.to_thread(_read, body, region))


def _read(body: bytes, region: str | None) -> object:
    """The parsed body, in which national phone numbers of the region are made international."""
    document = strict_json.parse(body)
    if region is not None:
        phones.internationalise(document, region)
    return document


def _check_media_type(request: Request) -> None:
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        msg = "Send the body without Content-Encoding."
        raise UnsupportedMediaTypeError(msg, headers={"Accept-Encoding": "identity"})
    taken = _TAKEN.get(request.method, (_JSON,))
    if _is_taken(", ".join(request.headers.getlist("content-type")), taken):
        return
    name = _ACCEPTED_HEADER.get(request.method, "Accept")
    detail = f"Send Content-Type: {' or '.join(taken)}, in UTF-8."
    raise UnsupportedMediaTypeError(detail, headers={name: ", ".join(taken)})


@lru_cache(maxsize=64)
def _is_taken(content_type: str, taken: tuple[str, ...]) -> bool:
    """Whether it is one of these types, in UTF-8, the only encoding of JSON (RFC 8259, section 8.1)."""
    message = Message()
    message["content-type"] = content_type
    charset = message.get_param("charset", "utf-8")
    return message.get_content_type() in taken and str(charset).lower() in _CHARSETS
