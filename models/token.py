"""OAuth's shapes: the forms and the replies of its endpoints."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field
from pymongo import IndexModel

from models import answers
from models.stored import NamedDocument
from models.user import EXAMPLE_ID
from models.values import PLAIN, Scopes

EXAMPLE_TOKEN: dict[str, Any] = {
    "access_token": "eyJhbGciOiJFUzI1NiIsImtpZCI6Ii4uLiIsInR5cCI6ImF0K2p3dCJ9.e30.c2ln",
    "token_type": "Bearer",
    "expires_in": 600,
    "refresh_token": "a0VleGFtcGxl.1.c2ln",
    "scope": "me users:read",
}


EXAMPLE_KEY: dict[str, Any] = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    "kid": "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
    "use": "sig",
    "alg": "ES256",
}
"""RFC 7515, appendix A.3."""

EXAMPLE_CLAIMS: dict[str, Any] = {
    "active": True,
    "scope": "me users:read",
    "client_id": "portal",
    "token_type": "Bearer",
    "token_use": "access_token",
    "exp": 1_767_168_600,
    "iat": 1_767_168_000,
    "sub": EXAMPLE_ID,
    "aud": "roster",
    "iss": "https://users.example.com",
    "jti": "dGhpcyBpcyBhIGp0aQ",
    "sid": "Z0LwwaXTuOnwEjRWdGhlIHJlc3QgaXMgcmFuZG9tLg0",
}

LONGEST_VALUE = 1024 * 1024
"""Characters of a form's value: no body may have more bytes (413)."""
MOST_KEYS = 1_000
"""The most published keys; each rotation leaves one for as long as its tokens live."""


def form_text(description: str, *, max_length: int = LONGEST_VALUE, **more: Any) -> Any:
    """A parameter of a form."""
    return Field(max_length=max_length, pattern=PLAIN, description=description, **more)


ClientId = Annotated[str, form_text("The client's id, unless HTTP Basic names it.")]
ClientSecret = Annotated[
    str,
    form_text("The client's secret, unless it is in HTTP Basic.", json_schema_extra={"format": "password"}),
]


class TokenForm(BaseModel):
    """RFC 6749, sections 4.1.3, 4.3.2 and 6; RFC 7636, section 4.5."""

    model_config = answers.shown(
        {
            "grant_type": "password",
            "username": "ana@example.com",
            "password": "correct horse battery",
            "scope": "users:read",
        },
        {"grant_type": "refresh_token", "refresh_token": EXAMPLE_TOKEN["refresh_token"]},
        {
            "grant_type": "authorization_code",
            "code": "SplxlOBeZQQYbYS6WxSbIA",
            "redirect_uri": "https://app.example.com/callback",
            "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        },
    )

    grant_type: Annotated[
        Literal[
            "authorization_code",
            "client_credentials",
            "password",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code",
        ],
        Field(description="The kind of credentials."),
    ]
    username: Annotated[
        str, form_text("E-mail, username or phone; for `password`.", examples=["ana@example.com"])
    ] = ""
    password: Annotated[str, form_text("For `password`.", json_schema_extra={"format": "password"})] = ""
    password_jwe: Annotated[str, form_text("Instead of `password`: see GET /auth/keys/password.")] = ""
    refresh_token: Annotated[str, form_text("For `refresh_token`.")] = ""
    device_code: Annotated[str, form_text("For a device, of POST /auth/device.")] = ""
    code: Annotated[str, form_text("For `authorization_code`.")] = ""
    redirect_uri: Annotated[
        str, form_text("For `authorization_code`: that of the authorization request.")
    ] = ""
    code_verifier: Annotated[str, form_text("For `authorization_code`: what the challenge was made of.")] = ""
    scope: Annotated[
        str, form_text("Separated by spaces; none: all that are granted.", examples=["users:read"])
    ] = ""
    client_id: ClientId = ""
    client_secret: ClientSecret = ""


class InspectedForm(BaseModel):
    """RFC 7662, section 2.1, and RFC 7009, section 2.1."""

    model_config = answers.shown({"token": EXAMPLE_TOKEN["refresh_token"]})

    token: Annotated[str, form_text("An access token or a refresh token.", min_length=1)]
    token_type_hint: Annotated[str, form_text("Not needed.")] = ""
    client_id: ClientId = ""
    client_secret: ClientSecret = ""


class TokenOutput(BaseModel):
    """RFC 6749, section 5.1."""

    model_config = answers.shown(EXAMPLE_TOKEN)

    access_token: answers.Token
    token_type: Literal["Bearer"]
    expires_in: Annotated[answers.Count, Field(description="Seconds.")]
    refresh_token: Annotated[
        answers.Token | None,
        Field(description="Valid once: each use returns the next one. Missing where the client may not."),
    ] = None
    scope: answers.ScopeLine
    id_token: Annotated[answers.Token | None, Field(description="OpenID Connect: with the scope openid.")] = (
        None
    )


class OAuthProblem(BaseModel):
    """RFC 6749, section 5.2."""

    model_config = answers.shown(
        {"error": "invalid_grant", "error_description": "The name or the password is wrong."}
    )

    error: Annotated[answers.Code, Field(description="A stable name of the error, for programs.")]
    error_description: Annotated[answers.Sentence, Field(description="What happened this time, for people.")]


class Introspection(BaseModel):
    """RFC 7662, section 2.2; for an inactive token only `active`."""

    model_config = answers.shown(EXAMPLE_CLAIMS, {"active": False})

    active: bool
    scope: answers.ScopeLine | None = None
    client_id: answers.ClientId | None = None
    token_type: Annotated[Literal["Bearer"] | None, Field(description="Only for access tokens.")] = None
    token_use: Annotated[
        Literal["access_token", "refresh_token"] | None,
        Field(description="The kind of the token; a refresh token must not be accepted as an access token."),
    ] = None
    exp: Annotated[answers.Count | None, Field(description="When it expires unless it is revoked.")] = None
    iat: answers.Count | None = None
    sub: answers.Line | None = None
    aud: answers.Line | None = None
    iss: answers.URL | None = None
    jti: answers.Token | None = None
    sid: answers.GrantSid | None = None


class BrowserTokenInput(BaseModel):
    """What a page of the service asks for itself."""

    model_config = answers.shown({"client_id": "roster-console", "scopes": ["users:read"]}, extra="forbid")

    client_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            pattern=PLAIN,
            description="The page's client: public, first-party, with a redirect URI at our origin.",
        ),
    ]
    scopes: Annotated[Scopes | None, Field(description="Left out: all that are granted.")] = None


class Revocation(BaseModel):
    """RFC 7009, section 2.2: only the status matters. Empty, for clients that read every reply as JSON."""

    model_config = answers.shown({})


class KeySet(BaseModel):
    """RFC 7517, section 5."""

    model_config = answers.shown({"keys": [EXAMPLE_KEY]})

    keys: Annotated[
        list[dict[str, Any]], Field(max_length=MOST_KEYS, description="Public keys; the newest first.")
    ]


class PasswordKey(BaseModel):
    """A public RSA key (RFC 7517 and RFC 7518, section 6.3.1)."""

    model_config = answers.shown(
        {
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86z",
            "e": "AQAB",
            "kid": "password-2026-01-31",
            "use": "enc",
            "alg": "RSA-OAEP-256",
        }
    )

    kty: Literal["RSA"]
    n: answers.Token
    e: answers.Token
    kid: Annotated[answers.Line, Field(description="The key's id, for the header of the JWE.")]
    use: Literal["enc"]
    alg: Literal["RSA-OAEP-256"]


class SealedKey(NamedDocument):
    """A signing key, by its thumbprint; the number decides which of two that were made at once is kept."""

    number: int
    algorithm: str
    public: dict[str, Any]
    sealed: bytes
    created_at: datetime
    signs_from: datetime
    verifies_until: datetime | None

    class Settings:
        name = "keys"
        indexes: ClassVar[list[IndexModel]] = [IndexModel([("number", 1)], unique=True)]


class SealedPasswordKey(NamedDocument):
    """The key of a day to seal passwords with, by `password-` and the day."""

    sealed: bytes

    class Settings:
        name = "password_keys"
