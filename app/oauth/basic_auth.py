"""Client credentials: HTTP Basic, or the form's own parameters (RFC 6749, section 2.3.1)."""

import base64
from collections.abc import Mapping

from app.core.errors import InvalidClientError, OAuthError
from app.oauth.forms import unquote


def credentials(authorization: str | None, form: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Id and secret of the client, each None if missing; an empty secret is none (section 2.3.1).

    InvalidClientError: the header is not proper HTTP Basic. OAuthError: the form has a `client_secret` or
    another `client_id`, too; repeating the id is no second way to authenticate.
    """
    pair = parse(authorization)
    if pair is None:
        return form.get("client_id"), form.get("client_secret")
    client_id, secret = pair
    if "client_secret" in form or form.get("client_id", client_id) != client_id:
        raise OAuthError("Name the client by HTTP Basic or in the form, not both.")
    return client_id or None, secret or None


def parse(authorization: str | None) -> tuple[str, str] | None:
    """Id and secret, form-decoded; None without a header, or if it has no credentials of a client.

    That is an empty one, a Bearer token, which many callers send with each request, and what Swagger UI sends
    when neither is filled in. InvalidClientError for anything else that is not HTTP Basic (RFC 7617), as
    section 5.2 asks.
    """
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() in {"", "bearer"}:
        return None
    if scheme.lower() != "basic":
        raise InvalidClientError("Clients authenticate by HTTP Basic here.")
    try:
        client_id, colon, secret = base64.b64decode(encoded.strip(" "), validate=True).partition(b":")
        pair = unquote(client_id), unquote(secret)
    except ValueError:
        raise _malformed() from None
    if not colon:
        raise _malformed()
    return pair if any(pair) else None


def _malformed() -> InvalidClientError:
    return InvalidClientError(
        "HTTP Basic is the base64 of id and secret, form-encoded, with a colon between."
    )
