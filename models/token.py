"""OAuth's own shapes: what its endpoints take as forms, and what they answer."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

EXAMPLE_TOKEN: dict[str, Any] = {
    "access_token": "eyJhbGciOiJFZERTQSIsImtpZCI6Ii4uLiIsInR5cCI6ImF0K2p3dCJ9.e30.c2ln",
    "token_type": "Bearer",
    "expires_in": 600,
    "refresh_token": "a0VleGFtcGxl.1.c2ln",
    "scope": "me users:read",
}


class TokenForm(BaseModel):
    """RFC 6749, sections 4.3.2 and 6."""

    grant_type: Literal["password", "refresh_token"]
    username: Annotated[
        str, Field(description="E-mail, username or phone; for `password`.", examples=["ana@example.com"])
    ] = ""
    password: Annotated[str, Field(json_schema_extra={"format": "password"})] = ""
    password_jwe: Annotated[
        str, Field(description="In place of `password`: see GET /auth/keys/password.")
    ] = ""
    refresh_token: Annotated[str, Field(description="For `refresh_token`.")] = ""
    scope: Annotated[
        str, Field(description="Separated by spaces; none: all that are granted.", examples=["users:read"])
    ] = ""
    client_id: str = ""
    client_secret: Annotated[str, Field(json_schema_extra={"format": "password"})] = ""


class InspectedForm(BaseModel):
    """RFC 7662, section 2.1, and RFC 7009, section 2.1."""

    token: Annotated[str, Field(description="An access token or a refresh token.")]
    token_type_hint: Annotated[str, Field(description="Not needed.")] = ""


class TokenOutput(BaseModel):
    """RFC 6749, section 5.1."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_TOKEN]})

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: Annotated[int, Field(description="Seconds.")]
    refresh_token: Annotated[str, Field(description="Good once: each use answers the next.")]
    scope: str


class OAuthProblem(BaseModel):
    """RFC 6749, section 5.2."""

    error: Annotated[str, Field(examples=["invalid_grant"])]
    error_description: str


class Introspection(BaseModel):
    """RFC 7662, section 2.2; of a token that is not active, `active` alone."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"active": False}]})

    active: bool
    scope: str | None = None
    client_id: str | None = None
    token_type: str | None = None
    exp: int | None = None
    iat: int | None = None
    sub: str | None = None
    aud: str | None = None
    iss: str | None = None
    jti: str | None = None
    sid: str | None = None


class KeySet(BaseModel):
    """RFC 7517, section 5."""

    keys: list[dict[str, Any]]


class ServerMetadata(BaseModel):
    """RFC 8414, section 2."""

    issuer: str
    token_endpoint: str
    jwks_uri: str
    introspection_endpoint: str
    revocation_endpoint: str
    scopes_supported: list[str]
    response_types_supported: list[str]
    grant_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    introspection_endpoint_auth_methods_supported: list[str]
    revocation_endpoint_auth_methods_supported: list[str]
