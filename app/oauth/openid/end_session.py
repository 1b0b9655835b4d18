"""The end session endpoint: signs out at once where an ID token shows who asks, else by way of a page."""

from dataclasses import dataclass

from app.accounts.browsers import sign_out_browser
from app.accounts.grants import RequestSource
from app.auth.id_tokens import Hint
from app.core.errors import AuthorizationRequestError, UnregisteredAddressError
from app.oauth.authorization import Redirect
from app.oauth.authorization.requests import Parameters
from app.oauth.oauth import OAuth
from app.oauth.openid.logouts import Logout

_PAGE, _AGAIN = "sign-out", "end-session"
"""Relative to /auth/end-session. The page asks who is signed in, and tells others that they are not."""
_LONGEST = 4_000


@dataclass(frozen=True, slots=True)
class Ending:
    redirect: Redirect
    has_ended: bool
    """The cookie is to be cleared."""


async def begin(
    auth: OAuth, parameters: Parameters, cookie: str | None, source: RequestSource, *, is_posted: bool
) -> Ending:
    """AuthorizationRequestError: the request is not in order, and nobody may be sent to the client.

    With a form of another site a browser sends no cookie (SameSite=Lax), but with the redirect that follows.
    """
    if is_posted and cookie is None:
        return Ending(Redirect(_AGAIN, parameters), has_ended=False)
    hint = await auth.id_tokens.read(parameters.get("id_token_hint", ""))
    logout = await _read(auth, parameters, hint)
    browser = await auth.browsers.find(cookie)
    done = Redirect(logout.location or _PAGE, {})
    if browser is None:
        return Ending(done, has_ended=cookie is not None)
    if hint is None or hint.user_id != browser.user_id:
        return Ending(Redirect(_PAGE, {"logout": auth.logouts.seal(logout)}), has_ended=False)
    await sign_out_browser(auth, browser, source=source, client_id=logout.client_id)
    return Ending(done, has_ended=True)


async def _read(auth: OAuth, parameters: Parameters, hint: Hint | None) -> Logout:
    """A hint that is no ID token of ours, or of a key that was rotated out, tells nothing (section 4)."""
    client_id = parameters.get("client_id")
    if hint is not None and client_id not in {None, hint.client_id}:
        raise AuthorizationRequestError("The client_id is not that of the id_token_hint.")
    client_id = client_id or (hint.client_id if hint else None)
    client = None if client_id is None else await auth.clients.find(client_id)
    uri = parameters.get("post_logout_redirect_uri")
    if client is None:
        return auth.logouts.read(parameters, None, None)
    if uri is not None and uri not in client.post_logout_redirect_uris:
        raise UnregisteredAddressError("The post_logout_redirect_uri is not a registered one.")
    if len(uri or "") + len(parameters.get("state", "")) > _LONGEST:
        raise AuthorizationRequestError(f"The state and its address may have {_LONGEST} characters.")
    return auth.logouts.read(parameters, client.id, uri)
