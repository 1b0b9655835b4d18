"""The keys that sign tokens, as administrators see them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from models import answers

EXAMPLE: dict[str, Any] = {
    "kid": "K0mKrJzdDIqTtVh7eXkOgIAqCMGQrmM9rIMnLUJyHDk",
    "algorithm": "ES256",
    "state": "verifies",
    "created_at": "2026-01-31T08:00:00.123000Z",
    "signs_from": "2026-01-31T08:01:00.123000Z",
    "verifies_until": "2026-03-02T08:01:00.123000Z",
}


class SigningKeyOutput(BaseModel, json_schema_extra={"examples": [EXAMPLE]}):
    kid: Annotated[
        str,
        Field(
            max_length=43,
            pattern="^[A-Za-z0-9_-]{43}$",
            description="The thumbprint of the key (RFC 7638), its `kid` in `/.well-known/jwks.json`.",
        ),
    ]
    algorithm: Literal["ES256", "RS256", "EdDSA"]
    state: Literal["will_sign", "signs", "verifies"]
    created_at: answers.Moment
    signs_from: answers.Moment
    verifies_until: Annotated[
        answers.Moment | None,
        Field(description="When its last token has expired; null: until another takes over."),
    ]


class SigningKeyList(BaseModel, json_schema_extra={"examples": [{"items": [EXAMPLE]}]}):
    items: Annotated[list[SigningKeyOutput], Field(max_length=10_000)]
