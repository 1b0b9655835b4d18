"""What the token endpoint is asked: a form whose client has been authenticated (RFC 6749, section 3.2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.accounts.grants import RequestSource
from app.clients import Client
from app.oauth import forms


@dataclass(frozen=True, slots=True)
class TokenRequest:
    form: Mapping[str, str]
    client: Client
    source: RequestSource

    def require(self, name: str) -> str:
        return forms.require(self.form, name)

    def scopes(self, known: Sequence[str]) -> frozenset[str] | None:
        return forms.scope(self.form.get("scope"), known)
