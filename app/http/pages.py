"""Pages as replies: their headers and language, their forms, and errors as pages."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.core.catalogue import LANGUAGES, Language, accepted_language, find_language, texts
from app.core.errors import (
    AuthorizationRequestError,
    FieldError,
    FormExpiredError,
    InvalidError,
    RequestExpiredError,
    RosterError,
)
from app.http import browser_cookie, error_handlers, own_pages
from app.http.dependencies import backends
from app.http.problems import NotFoundError
from app.monitoring.logs import REQUEST_ID
from app.oauth import forms
from app.pages import Pages, Problem, Shown, View
from app.pages.views import Error

KEPT = ("flow", "logout", "next", "user_code", "job")
"""Parameters that say where a page leads to, and that links among pages keep."""
_FIRST_PASSING = 500
_ANY_REQUEST = "error.invalid_request"
_LOGO_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_FORGED = frozenset({"cross-site", "same-site"})


def show(
    request: Request,
    view: View,
    *,
    problem: Problem | None = None,
    status: int = 200,
    bound: str = "",
    leaves: bool = False,
    locales: str | None = None,
) -> Response:
    """The page. `bound`: the session that its form is for. `locales`: what the application wishes.

    `leaves`: whether the reply to its form may lead to another site. Chromium and Safari hold each redirect
    after a form to `form-action`, also those of the application, which nobody can list: such pages have none.
    """
    pages: Pages = request.app.state.pages
    cookie = browser_cookie.FORM.read(request) or ""
    made = cookie or backends(request).auth.form_tokens.make_cookie()
    language = find_own_language(request, locales)
    shown = Shown(
        language=language,
        form_token=backends(request).auth.form_tokens.make(made, bound),
        root=request.scope.get("root_path", ""),
        query={name: value for name in KEPT if (value := request.query_params.get(name))},
    )
    response = HTMLResponse(pages.render(view, shown, problem), status)
    response.headers["Content-Security-Policy"] = policy(pages, leaves=leaves)
    response.headers["Content-Language"] = language
    if not cookie:
        browser_cookie.FORM.write(request, response, made)
    if find_language(request.query_params.get("ui_locales")) is not None:
        browser_cookie.LANGUAGE.write(request, response, language)
    return response


def find_own_language(request: Request, locales: str | None = None) -> Language:
    """What the person chose, here or before; else what the application wishes, else what the browser does."""
    wishes = (request.query_params.get("ui_locales"), browser_cookie.LANGUAGE.read(request), locales)
    by_wish = (language for wish in wishes if (language := find_language(wish)) is not None)
    return next(by_wish, None) or accepted_language(request.headers.get("accept-language")) or LANGUAGES[0]


def policy(pages: Pages, *, leaves: bool) -> str:
    """The Content-Security-Policy of a page; `leaves` as of `show`."""
    images = "'self'" if pages.brand.logo else "data:"  # the empty icon, for which a browser would ask else
    parts = (
        "default-src 'none'",
        f"style-src {pages.style_source}",
        f"img-src {images}",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        *(() if leaves else ("form-action 'self'",)),
    )
    return "; ".join(parts)


def error(request: Request, key: str, *, status: int = 400, **values: object) -> Response:
    """A page that says why there is no other; `key` is the text's in the catalogue."""
    view = Error(number=REQUEST_ID.get(), again=None, detail=None)
    return show(request, view, problem=Problem(key, values), status=status)


def explain(request: Request, error: RosterError) -> Response:
    """The error as a page; it offers to try again what may go better then."""
    problem = problem_of(error)
    is_passing = error.status >= _FIRST_PASSING or isinstance(error, FormExpiredError)
    is_for_developers = problem.text == _ANY_REQUEST or (
        isinstance(error, AuthorizationRequestError) and not isinstance(error, RequestExpiredError)
    )
    view = Error(
        number=REQUEST_ID.get(),
        again=here(request) if is_passing else None,
        detail=error.detail if is_for_developers else None,
    )
    page = show(request, view, problem=problem, status=error.status)
    page.headers.update(passing_headers(error))
    return page


def passing_headers(error: RosterError) -> dict[str, str]:
    """The headers of an error that are no challenge to a client of the API."""
    return {name: value for name, value in error.headers.items() if name == "Retry-After"}


def here(request: Request) -> str:
    """The address to try again."""
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{request.scope.get('root_path', '')}{request.url.path}{query}"


def problem_of(error: RosterError, texts_of: Mapping[str, str] | None = None) -> Problem:
    """What a page says of an error; `texts_of` has the keys for fields whose errors have none."""
    wrong = {(bad.pointer or "").removeprefix("/"): bad.key for bad in error.errors}
    fields = {name: key or (texts_of or {}).get(name) for name, key in wrong.items()}
    key = f"error.{error.code}"
    if key not in texts(LANGUAGES[0]):
        key = "error.internal_error" if error.status >= _FIRST_PASSING else _ANY_REQUEST
    known = {name: text for name, text in fields.items() if text is not None}
    return Problem(key, {"seconds": error.headers.get("Retry-After", "")}, known)


class PageRoute(APIRoute):
    """A route whose errors are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_or_explain(request: Request) -> Response:
            try:
                return await handle(request)
            except (HTTPException, ClientDisconnect):
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, a person waits for a page
                return explain(request, error_handlers.translate(error))

        return handle_or_explain


def logo(request: Request) -> Response:
    """The logo as a file of its own, in which nothing runs or is loaded: an SVG may try. NotFoundError."""
    pages: Pages = request.app.state.pages
    if pages.brand.logo is None:
        raise NotFoundError("No logo is set.")
    headers = {"Cache-Control": "public, max-age=3600", "Content-Security-Policy": _LOGO_POLICY}
    return Response(pages.brand.logo.content, media_type=pages.brand.logo.media_type, headers=headers)


def require(form: Mapping[str, str], names: Iterable[str]) -> None:
    """InvalidError names the fields that are empty."""
    missing = tuple(
        FieldError(texts("en")["field.missing"], pointer=f"/{name}", key="field.missing")
        for name in names
        if name not in form
    )
    if missing:
        raise InvalidError("Some fields are empty.", errors=missing)


def find_wrong(error: ValidationError) -> list[str]:
    """The fields of a form that a model refused."""
    return sorted({str(each["loc"][0]) for each in error.errors(include_input=False) if each["loc"]})


def invalid(names: Iterable[str], keys: Mapping[str, str]) -> InvalidError:
    """What a page says of the wrong fields; `keys` has the text of each."""
    wrong = (FieldError(texts("en")[keys[name]], pointer=f"/{name}", key=keys[name]) for name in names)
    return InvalidError("Some fields are not valid.", errors=tuple(wrong))


async def read_form(request: Request, *, bound: str = "") -> dict[str, str]:
    """The fields of a form that this browser was shown, for this session; FormExpiredError for any other."""
    _refuse_others(request)
    form = forms.parse(await request.body(), request.headers.get("content-type", ""))
    cookie = browser_cookie.FORM.read(request)
    token = form.pop("form_token", "")
    if cookie is None or not backends(request).auth.form_tokens.fits(token, cookie, bound):
        raise FormExpiredError("The form was not shown to this browser and session.")
    return form


def _refuse_others(request: Request) -> None:
    """Refuse what a page of another site sent.

    Our own forms have the Origin `null`, as Referrer-Policy hides it (Fetch, "append a request `Origin`
    header").
    """
    origin = request.headers.get("origin", "null")
    is_own = origin == "null" or own_pages.is_own_origin(request, origin)
    if request.headers.get("sec-fetch-site") in _FORGED or not is_own:
        raise FormExpiredError("The form was sent by a page of another site.")
