"""Sign-ins on devices (RFC 8628): what a device asks for, and what its user let it have."""

from app.accounts import account_records
from app.accounts.grants import IssuedTokens, begin, narrow
from app.core.errors import InvalidGrantError, InvalidScopeError, UnauthorizedClientError
from app.oauth import forms
from app.oauth.devices import NewDeviceRequest
from app.oauth.oauth import OAuth
from app.oauth.token_requests import TokenRequest

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


async def begin_device(auth: OAuth, asked: TokenRequest) -> NewDeviceRequest:
    """A device's request, for scopes that its client may be given; the user's count when it is redeemed."""
    client, scopes = asked.client, asked.scopes(forms.EVERY_SCOPE)
    if DEVICE_CODE not in client.grant_types:
        raise UnauthorizedClientError("The client is not registered for sign-ins on devices.")
    wanted = frozenset(forms.USER_SCOPES) if scopes is None else scopes
    allowed = wanted if client.scopes is None else wanted & client.scopes
    if not allowed:
        raise InvalidScopeError("None of these scopes is granted to this client.")
    return await auth.devices.begin(client, allowed)


async def redeem(auth: OAuth, asked: TokenRequest) -> IssuedTokens:
    """The tokens of a new session, once the user has approved; errors of RFC 8628, section 3.5.

    InvalidGrantError: the user was deactivated, or signed out everywhere, since they approved.
    """
    approval = await auth.devices.redeem(asked.require("device_code"), asked.client)
    account = await account_records.read(auth, approval.user_id)
    if account is None or not account.is_active or account.generation != approval.generation:
        raise InvalidGrantError("The user was signed out everywhere since they approved: begin anew.")
    granted = narrow(account, approval.scopes, asked.client)
    await account_records.note_sign_in(auth, account, asked.source.address, asked.source.agent)
    return await begin(auth, account, granted, asked.client, asked.source, auth_time=approval.auth_time)
