"""`/console`: the page for those who run the directory, and its files. All it does it asks of the API."""

import hashlib

from fastapi import APIRouter, Request, Response

from app.console import Console
from app.core.catalogue import find_language
from app.http import browser_cookie, pages
from app.http.compression import accepts_gzip
from app.http.problems import NotFoundError

router = APIRouter(prefix="/console", include_in_schema=False)

_FOREVER = "public, max-age=31536000, immutable"
"""The address of a file changes with it."""


@router.get("/files/{version}/{name:path}")
async def read_console_file(request: Request, version: str, name: str) -> Response:
    """NotFoundError also for a file of another version, of which others would not fit."""
    assets = _console(request).assets
    asset = assets.files.get(name) if version == assets.version else None
    if asset is None:
        raise NotFoundError("The console has no such file, or not in this version.")
    headers = {"Cache-Control": _FOREVER, "Vary": "Accept-Encoding", "Content-Type": asset.media_type}
    if not accepts_gzip(request.scope):
        return Response(asset.content, headers=headers)
    return Response(asset.compressed, headers=headers | {"Content-Encoding": "gzip"})


@router.get("")
@router.get("/{place:path}")
async def show_console(request: Request, place: str = "") -> Response:
    """The same page for every place in it, in the language that the person chose."""
    language = pages.find_own_language(request)
    page = _console(request).render(language, root=request.scope.get("root_path", ""), place=place)
    headers = {
        "Cache-Control": "no-cache",
        "Content-Language": language,
        "Content-Security-Policy": _console(request).policy,
        "ETag": f'"{hashlib.sha256(page.encode()).hexdigest()[:16]}"',
        "Vary": "Accept-Language, Cookie",
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    response = Response(page, media_type="text/html", headers=headers)
    if find_language(request.query_params.get("ui_locales")) is not None:
        browser_cookie.LANGUAGE.write(request, response, language)
    return response


def _console(request: Request) -> Console:
    console: Console = request.app.state.console
    return console
