"""The metadata of clients that register themselves (RFC 7591, section 2; RFC 7592, section 2.2)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from models import answers
from models.client import MOST_URIS, NAME_LENGTH, URI, AuthMethod, GrantType, KeySetInput, KeySetOutput
from models.values import PLAIN

DynamicGrantType = Literal[
    "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"
]

EXAMPLE_METADATA: dict[str, Any] = {
    "client_name": "Notebook",
    "redirect_uris": ["http://127.0.0.1/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
    "scope": "openid profile me",
}
_WORD = Annotated[str, Field(max_length=128, pattern=PLAIN)]
_URIs = Annotated[list[URI], Field(max_length=MOST_URIS)]


class ClientMetadata(BaseModel):
    """What a client says of itself. Metadata that is not listed here is ignored (RFC 7591, section 2)."""

    model_config = answers.shown(EXAMPLE_METADATA)

    client_name: Annotated[
        str,
        Field(max_length=NAME_LENGTH, pattern=PLAIN, description="Its name; made of its address otherwise."),
    ] = ""
    redirect_uris: Annotated[_URIs, Field(description="Needed for `authorization_code`.")] = []
    grant_types: Annotated[
        list[_WORD], Field(max_length=20, description="Those that it may not use are left out.")
    ] = ["authorization_code"]
    response_types: Annotated[list[_WORD], Field(max_length=20, description="Only `code` is known.")] = [
        "code"
    ]
    token_endpoint_auth_method: AuthMethod = "client_secret_basic"  # noqa: S105 - the name of a method
    scope: Annotated[
        str | None,
        Field(
            max_length=1_024,
            pattern=PLAIN,
            description="Separated by spaces, out of `me` and the scopes of OpenID Connect; by default all.",
        ),
    ] = None
    jwks: Annotated[KeySetInput | None, Field(description="Its public keys, for `private_key_jwt`.")] = None
    post_logout_redirect_uris: _URIs = []
    require_pushed_authorization_requests: Annotated[bool, Field(strict=True)] = False
    client_id: Annotated[str | None, Field(max_length=64, pattern=PLAIN, description="For a change.")] = None
    client_secret: Annotated[
        str | None,
        Field(
            max_length=128,
            pattern=PLAIN,
            description="For a change, if at all: the present one.",
            json_schema_extra={"format": "password"},
        ),
    ] = None


class RegisteredMetadata(BaseModel):
    """What is registered of a client (RFC 7591, section 3.2.1), and by what it manages that (RFC 7592)."""

    model_config = answers.shown(
        EXAMPLE_METADATA
        | {
            "client_id": "notebook-9f86d081",
            "client_id_issued_at": 1_767_168_000,
            "registration_access_token": "dGhpcyBpcyBhIHRva2VuLCBhbmQgbm9uZSBpdCBpcyE",
            "registration_client_uri": "https://users.example.com/auth/clients/notebook-9f86d081",
            "post_logout_redirect_uris": [],
            "require_pushed_authorization_requests": False,
        }
    )

    client_id: answers.ClientId
    client_id_issued_at: answers.Count
    client_secret: Annotated[
        answers.Token | None, Field(description="Shown this once, to a client that has one.")
    ] = None
    client_secret_expires_at: Annotated[
        answers.Count | None, Field(description="0: never; beside a `client_secret`.")
    ] = None
    registration_access_token: Annotated[
        answers.Token, Field(description="By which the client reads, changes and removes its registration.")
    ]
    registration_client_uri: answers.URL
    client_name: answers.Line
    redirect_uris: Annotated[list[URI], Field(max_length=MOST_URIS)]
    grant_types: Annotated[list[GrantType], Field(max_length=5)]
    response_types: Annotated[list[Literal["code"]], Field(max_length=1)]
    token_endpoint_auth_method: AuthMethod
    scope: answers.ScopeLine
    jwks: KeySetOutput | None = None
    post_logout_redirect_uris: Annotated[list[URI], Field(max_length=MOST_URIS)]
    require_pushed_authorization_requests: bool
