"""Uploaded pictures in bodies, and pictures in replies."""

from typing import Any

from fastapi import Request, Response
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from app.avatars import initials
from app.avatars.avatars import Square
from app.core.errors import (
    FieldError,
    InvalidError,
    MalformedFormError,
    TooLargeError,
    UnsupportedMediaTypeError,
)
from app.core.mongo import Row
from app.core.settings import AVATAR_MOST_BYTES
from models.avatar import PATH, UPLOADED
from models.pictures import Size

FORM = "multipart/form-data"
_RAW = frozenset({*UPLOADED, "application/octet-stream"})
"""The picture's bytes decide, whatever is said of them."""
_INERT = {"Content-Security-Policy": "default-src 'none'; sandbox"}
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


async def receive(request: Request, limit: int) -> bytes:
    """The picture in a body, or in the part `file` of a form, of at most `limit` bytes."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaTypeError(
            "Send the picture without Content-Encoding.", headers={"Accept-Encoding": "identity"}
        )
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == FORM:
        content = await _read_form(request)
    elif kind in _RAW:
        content = await request.body()
    else:
        taken = f"{FORM}, {', '.join(UPLOADED)}"
        raise UnsupportedMediaTypeError(f"Send the picture with Content-Type {taken}.")
    if len(content) > limit:
        raise TooLargeError(f"The picture may have at most {limit} bytes.")
    if not content:
        raise _bad("Must be a picture: the file is empty.")
    return content


async def _read_form(request: Request) -> bytes:
    try:
        async with request.form(max_files=1, max_fields=0) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise _bad("Must be the picture, in a part of this name that has a file name.")
            return await file.read()
    except HTTPException:  # Starlette's, of a form that is none
        raise MalformedFormError("The body is not a multipart form of one file: see RFC 7578.") from None


def _bad(detail: str) -> InvalidError:
    return InvalidError("The form has no picture.", errors=(FieldError(detail, parameter="file"),))


def _is_known(request: Request, tag: str) -> bool:
    """Whether If-None-Match names it (RFC 9110, section 13.1.2)."""
    known = request.headers.get("if-none-match", "")
    return any(each.strip().removeprefix("W/") in {tag, "*"} for each in known.split(","))


async def show(request: Request, square: Square) -> Response:
    """The picture, which under its URL is the same for ever; nothing in it runs, whatever it is taken for."""
    tag = f'"{square.version}-{square.size}"'
    headers = {"ETag": tag, **_FOR_EVER, **_INERT}
    if _is_known(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(await square.read(), media_type=f"image/{square.form}", headers=headers)


def lead(row: Row, size: Size, base: str) -> Response:
    """A redirect to the user's picture, or their initials where there is none; `base`: this service."""
    url: str | None = row["avatar_url"]
    if url is None:
        drawn = initials.draw(str(row["_id"]), row["name"], size)
        return Response(drawn, media_type="image/svg+xml", headers=_INERT)
    if url.startswith(f"{base}{PATH}"):  # relative, as another name of this service may have been asked
        url = f"../..{url.removeprefix(base)}?size={size}"
    return Response(status_code=302, headers={"Location": url})


def upload() -> dict[str, Any]:
    """The `openapi_extra` of an operation that takes a picture."""
    binary = {"schema": {"format": "binary"}}
    form = {
        "schema": {
            "type": "object",
            "required": ["file"],
            "properties": {"file": {"type": "string", "format": "binary", "maxLength": AVATAR_MOST_BYTES}},
            "additionalProperties": False,
            "examples": [{"file": "GIF89a…"}],
        }
    }
    content = {FORM: form, **dict.fromkeys((*UPLOADED, "application/octet-stream"), binary)}
    return {"requestBody": {"required": True, "content": content}}
