"""The claims of the user of an access token (OpenID Connect Core 1.0, section 5.3)."""

from collections.abc import Mapping, Sequence
from typing import Any

from beanie import PydanticObjectId

from app.accounts import bearer
from app.accounts.auth import Auth
from app.core.errors import OAuthError
from app.oauth.openid import claims


def find_token(authorization: Sequence[str], form: Mapping[str, str]) -> Sequence[str]:
    """The header with the token, also where the form has it (RFC 6750, section 2.2).

    OAuthError: both have one.
    """
    if "access_token" not in form:
        return authorization
    if authorization:
        raise OAuthError("Send the access token in the header or in the form, not both.")
    return [f"Bearer {form['access_token']}"]


async def read(auth: Auth, authorization: Sequence[str]) -> dict[str, Any]:
    """Errors as `bearer.authorise`; the token needs the scope openid."""
    caller = await bearer.authorise(auth, authorization, "openid")
    wanted = claims.named(caller.scopes)
    told = claims.tell(await auth.users.read(PydanticObjectId(caller.user_id)), wanted) if wanted else {}
    return {"sub": caller.user_id} | told
