"""Swagger UI at `/docs` from files inside an installed package: nothing is fetched from anywhere else."""

import base64
import hashlib
import re
from functools import lru_cache
from pathlib import Path

import fastapi_offline
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import FileResponse, HTMLResponse, Response

from app.problems import NotFoundError

_ASSETS = Path(fastapi_offline.__file__).parent / "static"
_SERVED = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png")
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def install(app: FastAPI) -> None:
    """Serve `/docs` and its files; build `app` with `docs_url=None, redoc_url=None`."""

    @app.get("/docs", include_in_schema=False)
    async def read_docs(request: Request) -> HTMLResponse:
        page, policy = _page(app.title, request.scope.get("root_path", ""), app.openapi_url or "")
        return HTMLResponse(page, headers={"Content-Security-Policy": policy, "Cache-Control": "no-cache"})

    @app.get("/docs/{name}", include_in_schema=False)
    async def read_docs_asset(name: str) -> Response:
        if name not in _SERVED:
            msg = "The documentation has no such file."
            raise NotFoundError(msg)
        return FileResponse(_ASSETS / name, headers={"Cache-Control": "public, max-age=86400"})


@lru_cache(maxsize=8)
def _page(title: str, root: str, openapi_url: str) -> tuple[str, str]:
    """The page, and the policy under which a browser runs its one inline script and loads only our files."""
    script, style, icon = (f"{root}/docs/{name}" for name in _SERVED)
    made = get_swagger_ui_html(
        openapi_url=root + openapi_url,
        title=title,
        swagger_js_url=script,
        swagger_css_url=style,
        swagger_favicon_url=icon,
        swagger_ui_parameters={"validatorUrl": None},  # its default sends the address to a site of its makers
    )
    page = bytes(made.body).decode()
    return page, _policy(page)


def _policy(page: str) -> str:
    hashes = (hashlib.sha256(script.encode()).digest() for script in _INLINE_SCRIPT.findall(page))
    scripts = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
