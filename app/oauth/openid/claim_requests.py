"""The parameter `claims` (OpenID Connect Core 1.0, section 5.5)."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from app.auth.id_tokens import ACR
from app.core import sealing
from app.core.errors import OAuthError, UnmetAuthenticationError
from app.oauth.openid.claims import SCOPE_OF


class _Wish(BaseModel):
    """How a claim is asked for (section 5.5.1)."""

    essential: bool = False
    value: Any = None
    values: list[Any] = []


class _Wishes(BaseModel):
    userinfo: dict[str, _Wish | None] = {}
    id_token: dict[str, _Wish | None] = {}

    @property
    def subject(self) -> Any:
        wish = self.id_token.get("sub") or self.userinfo.get("sub")
        return wish and wish.value


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    scopes: frozenset[str] = frozenset()
    """Those that hold the claims: a user consents to scopes, and /auth/userinfo goes by them."""
    id_token: frozenset[str] = frozenset()
    """Claims that the ID token is to have, too."""
    subject: str | None = None
    """The only user that will do."""


def read(text: str | None) -> ClaimRequest:
    """OAuthError where it is no such object; UnmetAuthenticationError for an `acr` that is not offered.

    Unknown claims are ignored, as the section asks.
    """
    if text is None:
        return ClaimRequest()
    try:
        wishes = _Wishes.model_validate(sealing.read_object(text.encode()))
    except ValueError:
        raise OAuthError("claims: send an object as OpenID Connect Core has it in section 5.5.") from None
    if (acr := wishes.id_token.get("acr")) is not None:
        _check_acr(acr)
    named = wishes.userinfo.keys() | wishes.id_token.keys()
    return ClaimRequest(
        scopes=frozenset(SCOPE_OF[name] for name in named if name in SCOPE_OF),
        id_token=frozenset(wishes.id_token) & SCOPE_OF.keys(),
        subject=None if wishes.subject is None else str(wishes.subject),
    )


def _check_acr(wish: _Wish) -> None:
    wanted = [*wish.values, *([] if wish.value is None else [wish.value])]
    if wish.essential and wanted and ACR not in wanted:
        raise UnmetAuthenticationError(f"The only acr is {ACR}.")
