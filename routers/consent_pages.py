"""`/auth/consent`: the page on which people decide what an application may do for them."""

from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response

from app import accounts
from app.clients import is_assured
from app.core.errors import OAuthError, UnknownApplicationError
from app.http import authorization_replies, pages, visits
from app.http.dependencies import Source
from app.http.pages import PageRoute
from app.oauth.authorization import steps
from app.pages.views import Consent, scope_texts

router = APIRouter(prefix="/auth", include_in_schema=False, route_class=PageRoute)


@router.get("/consent")
async def show_consent(request: Request, source: Source) -> Response:
    visit = await visits.read(request, source)
    if visit.flow is None or visit.client is None:
        raise UnknownApplicationError("The application was removed, or the parameter flow is missing.")
    if visit.browser is None:
        return visit.lead_to_sign_in()
    try:
        scopes = await steps.asked_of(visit.auth, visit.flow, visit.browser)
    except OAuthError:  # which is for the application, to whom /auth/continue tells it
        return visit.lead_on()
    account = await accounts.read_account(visit.auth, visit.browser.user_id)
    place = urlsplit(visit.flow.redirect_uri)
    return visit.show(
        Consent(
            client=visit.client.name,
            name=account.email,
            scopes=scope_texts(scopes),
            is_vouched_for=not visit.client.is_dynamic,
            is_assured=is_assured(visit.client, visit.flow.redirect_uri),
            place=place.netloc or f"{place.scheme}:",
        )
    )


@router.post("/consent")
async def decide_consent(request: Request, source: Source) -> Response:
    visit = await visits.read(request, source)
    if visit.flow is None or visit.client is None or visit.browser is None:
        return visit.lead_on()
    form = await visit.read_form(Consent)
    if form.get("answer") == "allow":
        answer = await steps.consent(visit.auth, visit.flow, visit.browser)
    else:
        answer = visit.auth.authorization.deny(visit.flow)
    return authorization_replies.answer(answer, pages.find_own_language(request, visit.flow.ui_locales))
