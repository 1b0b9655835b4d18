"""What the token endpoint is asked: a form whose client has been authenticated (RFC 6749, section 3.2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.auth import oauth_forms
from app.auth.accounts.grants import RequestSource
from app.clients import Client


@dataclass(frozen=True, slots=True)
class TokenRequest:
    form: Mapping[str, str]
    client: Client
    source: RequestSource

    def require(self, name: str) -> str:
        return oauth_forms.require(self.form, name)

    def scopes(self, known: Sequence[str]) -> frozenset[str] | None:
        return oauth_forms.scope(self.form.get("scope"), known)
