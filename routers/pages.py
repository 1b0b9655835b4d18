"""`/auth/sign-in` and its like: pages for people, which are no part of the API and its document."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from app import accounts
from app.core.errors import RegistrationClosedError, RosterError
from app.http import browser_cookie, pages, visits
from app.http.dependencies import Source
from app.http.pages import PageRoute
from app.http.visits import Visit
from app.pages.views import Account, Mailed, Notice, Password, SignIn, SignOut, SignUp
from models.account import Registration

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_WRONG = {
    "name": "field.name",
    "email": "field.email",
    "password": "field.too_long",
    "invitation": "error.invalid_invitation",
}
_TAKEN = {"email": "field.taken"}


@router.get("/auth/sign-in")
async def show_sign_in(request: Request, source: Source) -> Response:
    visit = await visits.read(request, source)
    if visit.browser is None or visit.flow is not None:
        return visit.show(_sign_in_page(visit, visit.flow.login_hint if visit.flow else None))
    if "next" in request.query_params:
        return visit.lead_on()
    account = await visit.read_account()
    can_verify = visit.auth.outbox.is_on and not account.is_verified
    return visit.show(Account(account.email, can_verify=can_verify))


@router.post("/auth/sign-in")
async def sign_in(request: Request, source: Source) -> Response:
    visit = await visits.read(request, source)
    form = await visit.read_form(SignIn)
    try:
        pages.require(form, SignIn.labels)
        cookie = await accounts.sign_in_browser(
            visit.auth,
            name=form["username"],
            password=form["password"],
            source=source,
            cookie=visit.cookie,
        )
    except RosterError as error:
        return visit.refuse(_sign_in_page(visit, form.get("username")), error)
    return _lead_on(visit, cookie)


def _sign_in_page(visit: Visit, name: str | None) -> SignIn:
    can_sign_up = visit.auth.settings.registration != "closed"
    return SignIn(
        client=visit.application,
        name=name or "",
        can_sign_up=can_sign_up,
        can_reset=visit.auth.outbox.is_on,
    )


def _lead_on(visit: Visit, cookie: str) -> Response:
    response = visit.lead_on()
    browser_cookie.write(visit.request, response, cookie)
    return response


@router.get("/auth/sign-up")
async def show_sign_up(request: Request, source: Source) -> Response:
    visit = await visits.read(request, source)
    return visit.show(_sign_up_page(visit, request.query_params))


@router.post("/auth/sign-up")
async def sign_up(request: Request, source: Source) -> Response:
    visit = await visits.read(request, source)
    form = await visit.read_form(SignUp)
    page = _sign_up_page(visit, form)
    try:
        asked = _read_registration(form, by_invitation=page.by_invitation)
        cookie = await accounts.register_browser(
            visit.auth,
            asked,
            source=source,
            cookie=visit.cookie,
            language=pages.find_own_language(request),
        )
    except RosterError as error:
        return visit.refuse(page, error, _TAKEN)
    if cookie is None:  # a mail answers, whether or not there was an account
        return visit.show(Mailed("verify_email", form["email"], token=None, is_sent=True))
    return _lead_on(visit, cookie)


def _sign_up_page(visit: Visit, told: Mapping[str, str]) -> SignUp:
    """RegistrationClosedError, which is then the page."""
    registration = visit.auth.settings.registration
    if registration == "closed":
        raise RegistrationClosedError("Ask an administrator for an account.")
    return SignUp(
        client=visit.application,
        name=told.get("name", ""),
        email=told.get("email", ""),
        by_invitation=registration == "invitation",
        invitation=told.get("invitation", ""),
    )


def _read_registration(form: Mapping[str, str], *, by_invitation: bool) -> Registration:
    """InvalidError names the wrong fields."""
    names = [name for name in SignUp.labels if by_invitation or name != "invitation"]
    pages.require(form, names)
    try:
        return Registration.model_validate({name: form[name] for name in names})
    except ValidationError as error:
        raise pages.invalid(pages.find_wrong(error), _WRONG) from None


@router.get("/auth/password")
async def show_password(request: Request, source: Source) -> Response:
    visit = await visits.read(request, source)
    if visit.browser is None:
        return visit.lead_to_sign_in("password")
    return visit.show(Password(await visit.name_user()))


@router.post("/auth/password")
async def change_password(request: Request, source: Source) -> Response:
    visit = await visits.read(request, source)
    if visit.browser is None:
        return visit.lead_to_sign_in("password")
    form = await visit.read_form(Password)
    try:
        pages.require(form, Password.labels)
        cookie = await accounts.change_password_of_browser(
            visit.auth,
            visit.browser,
            current=form["current_password"],
            new=form["new_password"],
            source=source,
            cookie=visit.cookie,
        )
    except RosterError as error:
        return visit.refuse(Password(await visit.name_user()), error)
    response = visit.show(Notice("password.done_title", "password.done"))
    browser_cookie.write(request, response, cookie)
    return response


@router.get("/auth/sign-out")
async def show_sign_out(request: Request, source: Source) -> Response:
    visit = await visits.read(request, source)
    if visit.browser is None and visit.logout is not None:
        return visit.lead_out()
    if visit.browser is None:
        return visit.show(Notice("sign_out.done_title", "sign_out.done", offers_sign_in=True))
    return visit.show(SignOut(visit.application, await visit.name_user()))


@router.post("/auth/sign-out")
async def sign_out(request: Request, source: Source) -> Response:
    visit = await visits.read(request, source)
    if visit.browser is not None:
        await visit.read_form(SignOut)
        await accounts.sign_out_browser(visit.auth, visit.browser, source=source)
    response = visit.lead_out()
    browser_cookie.clear(request, response)
    return response


@router.get("/auth/logo")
async def read_logo(request: Request) -> Response:
    return pages.logo(request)


@router.get("/.well-known/change-password")
async def find_password_page(request: Request) -> Response:
    """Where password managers send people (W3C, "A Well-Known URL for Changing Passwords")."""
    return RedirectResponse(f"{request.scope.get('root_path', '')}/auth/password", 303)
