"""`/auth/forgotten`, `/auth/mail/…`: pages that ask for a mail, and those that its link or code leads to."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final, cast, get_args

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter, ValidationError

from app import accounts
from app.accounts import Auth, RequestSource
from app.auth.mail_codes import Given
from app.core.errors import InvalidCodeError, RosterError
from app.http import pages, visits
from app.http.dependencies import Source
from app.http.pages import PageRoute
from app.http.visits import Visit
from app.pages.views import Email, Mailed, MailRequest, Notice
from models.mail import Purpose
from models.values import Email as Address

router = APIRouter(prefix="/auth", include_in_schema=False, route_class=PageRoute)

_EMAIL: Final = TypeAdapter[str](Address)
_TAKEN: Final = {"email": "field.taken"}
_WITH_PASSWORD: Final = frozenset[Purpose]({"reset_password", "activate"})
_FORGOTTEN: Final = MailRequest("forgotten", "forgotten.title", "forgotten.text", "")
_VERIFY: Final = MailRequest("verify", "verify.title", "verify.text", "")
_AGAIN: Final[Mapping[Purpose, MailRequest]] = {
    "reset_password": _FORGOTTEN,
    "activate": _FORGOTTEN,
    "verify_email": _VERIFY,
}
"""The pages that ask for another mail; those of a change of address are no use without the change."""


@router.get("/forgotten")
async def show_forgotten(request: Request, source: Source) -> Response:
    return await _show_request(request, source, _FORGOTTEN)


@router.post("/forgotten")
async def ask_reset(request: Request, source: Source) -> Response:
    return await _ask(request, source, _FORGOTTEN, "reset_password", _reset)


async def _reset(visit: Visit, email: str) -> None:
    language = pages.find_own_language(visit.request)
    await accounts.ask_reset(visit.auth, email, source=visit.source, language=language)


@router.get("/verify")
async def show_verify(request: Request, source: Source) -> Response:
    return await _show_request(request, source, _VERIFY)


@router.post("/verify")
async def ask_verification(request: Request, source: Source) -> Response:
    return await _ask(request, source, _VERIFY, "verify_email", _verify)


async def _verify(visit: Visit, email: str) -> None:
    """Of who is signed in, for their own address; the public request trusts no address that others set."""
    language = pages.find_own_language(visit.request)
    account = None if visit.browser is None else await visit.read_account()
    if account is None or account.email != email:
        await accounts.ask_verification(visit.auth, email, source=visit.source, language=language)
    else:
        await accounts.ask_own_verification(
            visit.auth, account.user_id, source=visit.source, language=language
        )


async def _show_request(request: Request, source: RequestSource, page: MailRequest) -> Response:
    """MailOffError, which is then the page."""
    visit = await visits.read(request, source)
    visit.auth.outbox.check()
    email = "" if visit.browser is None else await visit.name_user()
    return visit.show(replace(page, email=email))


async def _ask(
    request: Request,
    source: RequestSource,
    page: MailRequest,
    purpose: Purpose,
    ask: Callable[[Visit, str], Awaitable[None]],
) -> Response:
    """The same page for every address; it takes the code of the mail."""
    visit = await visits.read(request, source)
    form = await visit.read_form(MailRequest)
    try:
        pages.require(form, page.labels)
        email = _read_email(form["email"])
        await ask(visit, email)
    except RosterError as error:
        return visit.refuse(replace(page, email=form.get("email", "")), error)
    return visit.show(Mailed(purpose, email, token=None, is_sent=True))


@router.get("/email")
async def show_email(request: Request, source: Source) -> Response:
    visit = await visits.read(request, source)
    if visit.browser is None:
        return visit.lead_to_sign_in("email")
    return visit.show(await _email_page(visit, {}))


@router.post("/email")
async def change_email(request: Request, source: Source) -> Response:
    visit = await visits.read(request, source)
    if visit.browser is None:
        return visit.lead_to_sign_in("email")
    form = await visit.read_form(Email)
    try:
        pages.require(form, Email.labels)
        email = _read_email(form["email"])
        await accounts.change_email_of_browser(
            visit.auth,
            visit.browser,
            email=email,
            current=form["current_password"],
            source=source,
            language=pages.find_own_language(request),
        )
    except RosterError as error:
        return visit.refuse(await _email_page(visit, form), error, _TAKEN)
    if visit.auth.outbox.is_on:
        return visit.show(Mailed("change_email", email, token=None, is_sent=True))
    return visit.show(Notice("link_change_email.done_title", "link_change_email.done"))


async def _email_page(visit: Visit, form: Mapping[str, str]) -> Email:
    return Email(await visit.name_user(), form.get("email", ""), is_confirmed=visit.auth.outbox.is_on)


def _read_email(text: str) -> str:
    try:
        return _EMAIL.validate_python(text)
    except ValidationError:
        raise pages.invalid(["email"], {"email": "field.email"}) from None


async def show_mailed(request: Request, source: Source) -> Response:
    """Changes nothing, as programs that look for harm in mails follow each link."""
    purpose, visit = _purpose(request), await visits.read(request, source)
    token = request.query_params.get("token")
    if token is not None:
        return await _show_link(visit, purpose, token)
    if purpose == "take_back_email":  # its mail has no code
        raise InvalidCodeError
    return visit.show(Mailed(purpose, "", token=None, is_sent=False))


async def follow_mail(request: Request, source: Source) -> Response:
    purpose, visit = _purpose(request), await visits.read(request, source)
    form = await visit.read_form(Mailed)
    try:
        pages.require(form, _fields(purpose, form))
        given = Given(*map(form.get, ("token", "email", "code")))
        await _follow(visit.auth, purpose, given, form.get("password", ""), source)
    except RosterError as error:
        if "token" in form:
            return await _show_link(visit, purpose, form["token"], error)
        page = Mailed(purpose, form.get("email", ""), token=None, is_sent=False)
        return visit.refuse(page, error)
    return visit.show(Notice(f"link_{purpose}.done_title", f"link_{purpose}.done", offers_sign_in=True))


async def _show_link(
    visit: Visit, purpose: Purpose, token: str, error: RosterError | None = None
) -> Response:
    """What the link is for; where it is good no more, the page that asks for another mail."""
    found = await visit.auth.mail_codes.find(purpose, token)
    if found is None:
        gone = InvalidCodeError()
        if purpose not in _AGAIN:
            raise gone
        return visit.refuse(_AGAIN[purpose], gone)
    page = Mailed(purpose, found.email, token=token, is_sent=False)
    return visit.show(page) if error is None else visit.refuse(page, error)


def _purpose(request: Request) -> Purpose:
    return cast("Purpose", request.scope["path"].rpartition("/")[2])


for _each in get_args(
    Purpose
):  # paths without a parameter, by which errors of any kind are known as a page's
    router.add_api_route(f"/mail/{_each}", show_mailed)
    router.add_api_route(f"/mail/{_each}", follow_mail, methods=["POST"])


def _fields(purpose: Purpose, form: Mapping[str, str]) -> list[str]:
    """The fields that the form must have."""
    sent = ["token"] if "token" in form else ["email", "code"]
    return [*sent, "password"] if purpose in _WITH_PASSWORD else sent


async def _follow(auth: Auth, purpose: Purpose, given: Given, new: str, source: RequestSource) -> None:
    match purpose:
        case "reset_password" | "activate":
            await accounts.reset_password(auth, given, new=new, source=source)
        case "verify_email":
            await accounts.verify_email(auth, given, source=source)
        case "change_email":
            await accounts.confirm_email(auth, given, source=source)
        case "take_back_email":
            await accounts.take_back_email(auth, given, source=source)
