"""The shapes of the authorization endpoint and of OpenID Connect on the wire."""

from functools import partial
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from models import answers
from models.token import ClientId, ClientSecret, form_text
from models.user import EXAMPLE_ID

_LONGEST = 65_536
"""No head of a request is longer."""


_text = partial(form_text, max_length=_LONGEST)


class AuthorizationForm(BaseModel):
    """RFC 6749, section 4.1.1; OpenID Connect Core 1.0, section 3.1.2.1."""

    model_config = answers.shown(
        {
            "redirect_uri": "https://app.example.com/callback",
            "response_type": "code",
            "scope": "openid profile",
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge_method": "S256",
        }
    )

    client_id: ClientId = ""
    client_secret: ClientSecret = ""
    redirect_uri: Annotated[
        str, _text("A registered address, exactly.", examples=["https://app.example.com/callback"])
    ] = ""
    response_type: Annotated[str, _text("`code`.", examples=["code"])] = ""
    scope: Annotated[str, _text("With one space between.", examples=["openid profile"])] = ""
    state: Annotated[str, _text("Comes back with the answer.")] = ""
    code_challenge: Annotated[str, _text("PKCE: the base64url of the SHA-256 of the code_verifier.")] = ""
    code_challenge_method: Annotated[str, _text("`S256`.", examples=["S256"])] = ""
    response_mode: Annotated[str, _text("`query` or `form_post`.")] = ""
    nonce: Annotated[str, _text("Comes back in the ID token.")] = ""
    prompt: Annotated[str, _text("`none`, or any of `login`, `consent`, `select_account`.")] = ""
    max_age: Annotated[str, _text("Seconds that the sign-in may be old.")] = ""
    login_hint: Annotated[str, _text("The name to sign in with.")] = ""
    id_token_hint: Annotated[str, _text("An ID token of the user who is asked for.")] = ""
    ui_locales: Annotated[str, _text("Languages of the pages, the best first.")] = ""
    claims: Annotated[str, _text("OpenID Connect Core 1.0, section 5.5, as JSON.")] = ""


class PushedRequest(BaseModel):
    """RFC 9126, section 2.2."""

    model_config = answers.shown(
        {"request_uri": "urn:ietf:params:oauth:request_uri:6esc_11ACC5bw", "expires_in": 90}
    )

    request_uri: Annotated[str, Field(pattern="^urn:ietf:params:oauth:request_uri:", max_length=256)]
    expires_in: Annotated[answers.Count, Field(description="Seconds.")]


class AddressClaim(BaseModel):
    """OpenID Connect Core 1.0, section 5.1.1."""

    formatted: answers.Text | None = None
    street_address: answers.Text | None = None
    locality: answers.Text | None = None
    region: answers.Text | None = None
    postal_code: answers.Text | None = None
    country: answers.Text | None = None


class UserInfo(BaseModel):
    """OpenID Connect Core 1.0, section 5.1; a claim without a value is missing."""

    model_config = answers.shown({"sub": EXAMPLE_ID, "email": "ana@example.com", "email_verified": True})

    sub: answers.Id
    name: answers.Text | None = None
    preferred_username: answers.Username | None = None
    picture: answers.AvatarURL | None = None
    locale: answers.Locale | None = None
    updated_at: answers.Count | None = None
    email: answers.Email | None = None
    email_verified: bool | None = None
    phone_number: answers.Phone | None = None
    phone_number_verified: Literal[False] | None = None
    address: AddressClaim | None = None


class UserInfoForm(BaseModel):
    """RFC 6750, section 2.2."""

    model_config = answers.shown({"access_token": "eyJ.e30.c2ln"})

    access_token: Annotated[str, _text("Unless the header Authorization has it.")] = ""
