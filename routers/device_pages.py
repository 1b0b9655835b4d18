"""`/auth/device`: the page on which people let a program in that shows a code (RFC 8628, section 3.3)."""

from fastapi import APIRouter, Request, Response

from app import accounts
from app.core.errors import RosterError, UserCodeNotFoundError
from app.http import pages, visits
from app.http.dependencies import Source
from app.http.pages import PageRoute
from app.http.visits import Visit
from app.oauth.forms import USER_SCOPES
from app.pages.views import Device, DeviceConfirm, Notice, scope_texts

router = APIRouter(prefix="/auth", include_in_schema=False, route_class=PageRoute)


@router.get("/device")
async def show_device(request: Request, source: Source) -> Response:
    visit = await visits.read(request, source)
    if visit.browser is None:
        return visit.lead_to_sign_in("device")
    return visit.show(Device(request.query_params.get("user_code", "")))


@router.post("/device/verify")
async def decide_device(request: Request, source: Source) -> Response:
    """Shows first whose code it is, and takes the answer after that."""
    visit = await visits.read(request, source)
    if visit.browser is None:
        return visit.lead_to_sign_in("device")
    form = await visit.read_form(Device)
    try:
        pages.require(form, Device.labels)
        return visit.show(await _decide(visit, form["user_code"], form.get("answer")))
    except RosterError as error:
        return visit.refuse(Device(form.get("user_code", "")), error)


async def _decide(visit: Visit, code: str, answer: str | None) -> DeviceConfirm | Notice:
    devices, address = visit.auth.devices, visit.source.address
    if answer == "deny":
        await devices.deny(code, address=address)
        return Notice("device.denied_title", "device.denied")
    asked = await devices.find(code, address=address)
    client = await visit.auth.clients.find(asked.client_id)
    if visit.browser is None or client is None:
        raise UserCodeNotFoundError("The application of this code was removed.")
    account = await accounts.read_account(visit.auth, visit.browser.user_id)
    scopes = asked.scopes - (frozenset(USER_SCOPES) - account.scopes)
    if answer == "allow":
        if not client.is_first_party:
            await visit.auth.consents.give(account.user_id, client.id, scopes)
        await devices.approve(code, visit.browser, scopes, address=address)
        return Notice("device.allowed_title", "device.allowed")
    return DeviceConfirm(
        client=client.name,
        name=account.email,
        code=asked.user_code,
        scopes=scope_texts(scopes),
        is_vouched_for=not client.is_dynamic,
    )
