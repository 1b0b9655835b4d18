"""Swagger UI at `/docs`, from files of an installed package: nothing is fetched from elsewhere."""

import base64
import hashlib
import re
from functools import lru_cache
from pathlib import Path

import fastapi_offline
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html, get_swagger_ui_oauth2_redirect_html
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from app.http.problems import NotFoundError

_ASSETS = Path(fastapi_offline.__file__).parent / "static"
_OURS = Path(__file__).parent
_SERVED = {
    "swagger-ui-bundle.js": _ASSETS,
    "swagger-ui.css": _ASSETS,
    "favicon.png": _ASSETS,
    "page.css": _OURS,
    "page.js": _OURS,
}
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_REDIRECT = "/docs/oauth2-redirect"
"""Where a sign-in by code ends: the redirect URI of the built-in client."""
_SIGN_IN = {"clientId": "roster", "usePkceWithAuthorizationCodeGrant": True}


def install(app: FastAPI) -> None:
    """Serve `/docs`, its files and redirects from `/`; build `app` with `docs_url=None, redoc_url=None`."""

    @app.get("/", include_in_schema=False)
    async def find_front(request: Request) -> Response:
        """The console for a browser, the document for a program that says so, else the documentation."""
        accept = request.headers.get("accept", "")
        place = "/console" if "html" in accept else app.openapi_url if "json" in accept else "/docs"
        return RedirectResponse(f"{request.scope.get('root_path', '')}{place}", headers={"Vary": "Accept"})

    @app.get("/docs", include_in_schema=False)
    async def read_docs(request: Request) -> HTMLResponse:
        page, policy = _page(app.title, request.scope.get("root_path", ""), app.openapi_url or "")
        return HTMLResponse(page, headers={"Content-Security-Policy": policy, "Cache-Control": "no-cache"})

    @app.get(_REDIRECT, include_in_schema=False)
    async def end_sign_in() -> HTMLResponse:
        page = bytes(get_swagger_ui_oauth2_redirect_html().body).decode()
        policy = f"default-src 'none'; script-src {_hashes(page)}; base-uri 'none'; frame-ancestors 'none'"
        return HTMLResponse(page, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store"})

    @app.get("/docs/{name}", include_in_schema=False)
    async def read_docs_asset(name: str) -> Response:
        if name not in _SERVED:
            msg = "The documentation has no such file."
            raise NotFoundError(msg)
        return FileResponse(_SERVED[name] / name, headers={"Cache-Control": "public, max-age=86400"})


@lru_cache(maxsize=8)
def _page(title: str, root: str, openapi_url: str) -> tuple[str, str]:
    """The page, and a policy that allows its one inline script and only our files."""
    script, style, icon, our_style, our_script = (f"{root}/docs/{name}" for name in _SERVED)
    made = get_swagger_ui_html(
        openapi_url=root + openapi_url,
        title=f"{title} API",
        swagger_js_url=script,
        swagger_css_url=style,
        swagger_favicon_url=icon,
        oauth2_redirect_url=root + _REDIRECT,
        init_oauth=_SIGN_IN,
        swagger_ui_parameters={"validatorUrl": None},  # by default it sends the address to its makers' site
    )
    page = bytes(made.body).decode()
    for old, new in (
        ("<html>", '<html lang="en">'),
        ('<div id="swagger-ui">\n    </div>', '<main id="swagger-ui"></main>'),
        ("</head>", f'<link rel="stylesheet" href="{our_style}">\n    </head>'),
        ("</body>", f'<script src="{our_script}"></script>\n    </body>'),
    ):
        page = page.replace(old, new, 1)
    return page, _policy(page)


def _policy(page: str) -> str:
    return (
        f"default-src 'none'; script-src 'self' {_hashes(page)}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _hashes(page: str) -> str:
    """Its inline scripts, as a policy names them."""
    digests = (hashlib.sha256(script.encode()).digest() for script in _INLINE_SCRIPT.findall(page))
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
