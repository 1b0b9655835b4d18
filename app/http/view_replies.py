"""Replies about views."""

from typing import Any

from fastapi import Response

from app.core.mongo import Row
from app.core.paging import Page
from app.http.replies import etag
from app.http.sound_rows import describe_sound
from models.view import ViewOutput, ViewPage


def _describe(stored: Row) -> ViewOutput:
    said: dict[str, Any] = {name: stored[name] for name in ViewOutput.model_fields if name in stored}
    return ViewOutput(
        **said
        | {
            "id": str(stored["_id"]),
            "created_by": str(stored["created_by"]),
            "is_shared": stored["private_to"] is None,
        }
    )


def page(found: Page[Row]) -> ViewPage:
    sound = describe_sound(found.items, _describe, lambda stored: str(stored["_id"]))
    return ViewPage(items=sound, next=found.next)


def view(stored: Row, *, status: int = 200, **headers: str) -> Response:
    return Response(
        _describe(stored).model_dump_json(),
        status,
        headers={"ETag": etag(stored), **headers},
        media_type="application/json",
    )


def created(stored: Row) -> Response:
    return view(stored, status=201, Location=f"/views/{stored['_id']}")


def view_unless_known(stored: Row, known: frozenset[str]) -> Response:
    """The view, or 304 if If-None-Match names its version, or any."""
    if "*" in known or str(stored["version"]) in known:
        return Response(status_code=304, headers={"ETag": etag(stored)})
    return view(stored)
