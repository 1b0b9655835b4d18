"""Who the client of a request is, by whichever way it authenticates."""

from collections.abc import Mapping

from app import audit
from app.accounts.auth import Auth
from app.accounts.grants import RequestSource
from app.clients import ASSERTION_TYPE, Client
from app.core.errors import InvalidClientError, OAuthError
from app.oauth import basic_auth


async def identify_client(
    auth: Auth, authorization: str | None, form: Mapping[str, str], source: RequestSource
) -> Client:
    """Authenticate the client by HTTP Basic or the form; guesses at secrets have a throttle of their own.

    InvalidClientError; OAuthError for a form that authenticates in two ways.
    """
    client_id, secret = basic_auth.credentials(authorization, form)
    assertion = _find_assertion(form, secret)
    try:
        if secret is None and assertion is None:
            return await auth.clients.identify(client_id=client_id, secret=None)
        async with auth.throttle.refusals("client_secrets", source.address):
            return await auth.clients.identify(client_id=client_id, secret=secret, assertion=assertion)
    except InvalidClientError:
        audit.log.record("client_refused", address=source.address, reason="invalid_client")
        raise


def _find_assertion(form: Mapping[str, str], secret: str | None) -> str | None:
    """The client's assertion (RFC 7521, section 4.2), if it sends one."""
    assertion, kind = form.get("client_assertion"), form.get("client_assertion_type")
    if assertion is None and kind is None:
        return None
    if assertion is None or kind != ASSERTION_TYPE:
        raise OAuthError(f"Send client_assertion with the client_assertion_type {ASSERTION_TYPE}.")
    if secret is not None:
        raise OAuthError("Authenticate the client by a secret or an assertion, not both.")
    return assertion
