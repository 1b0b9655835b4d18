"""What the service tells clients of itself."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from models import answers
from models.values import ALL_SCOPES, IDENTITY_SCOPES

Name = Annotated[str, Field(pattern="^[A-Za-z0-9_:-]+$", max_length=64)]
Names = Annotated[list[Name], Field(max_length=24)]

_ISSUER = "https://users.example.com"
_CONFIDENTIAL: list[Any] = ["client_secret_basic", "client_secret_post", "private_key_jwt"]


class ServerMetadata(BaseModel):
    """RFC 8414, section 2; OpenID Connect Discovery 1.0, section 3."""

    model_config = answers.shown(
        {
            "issuer": _ISSUER,
            "authorization_endpoint": f"{_ISSUER}/auth/authorize",
            "pushed_authorization_request_endpoint": f"{_ISSUER}/auth/par",
            "device_authorization_endpoint": f"{_ISSUER}/auth/device",
            "token_endpoint": f"{_ISSUER}/auth/token",
            "jwks_uri": f"{_ISSUER}/.well-known/jwks.json",
            "userinfo_endpoint": f"{_ISSUER}/auth/userinfo",
            "end_session_endpoint": f"{_ISSUER}/auth/end-session",
            "introspection_endpoint": f"{_ISSUER}/auth/introspect",
            "revocation_endpoint": f"{_ISSUER}/auth/revoke",
            "scopes_supported": [*ALL_SCOPES, *IDENTITY_SCOPES],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "form_post"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "require_pushed_authorization_requests": False,
            "token_endpoint_auth_methods_supported": ["none", *_CONFIDENTIAL],
            "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
            "introspection_endpoint_auth_methods_supported": _CONFIDENTIAL,
            "introspection_endpoint_auth_signing_alg_values_supported": ["ES256"],
            "revocation_endpoint_auth_methods_supported": ["none", *_CONFIDENTIAL],
            "revocation_endpoint_auth_signing_alg_values_supported": ["ES256"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "acr_values_supported": ["1"],
            "claim_types_supported": ["normal"],
            "claims_supported": ["sub", "name", "email", "email_verified"],
            "claims_parameter_supported": True,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
            "prompt_values_supported": ["consent", "login", "none", "select_account"],
            "ui_locales_supported": ["en", "zh"],
            "backchannel_logout_supported": True,
            "backchannel_logout_session_supported": True,
        }
    )

    issuer: answers.URL
    authorization_endpoint: answers.URL
    pushed_authorization_request_endpoint: answers.URL
    device_authorization_endpoint: answers.URL
    token_endpoint: answers.URL
    jwks_uri: answers.URL
    userinfo_endpoint: answers.URL
    end_session_endpoint: answers.URL
    registration_endpoint: Annotated[
        answers.URL | None, Field(description="Missing where clients do not register themselves.")
    ] = None
    introspection_endpoint: answers.URL
    revocation_endpoint: answers.URL
    scopes_supported: Names
    response_types_supported: Names
    response_modes_supported: Names
    grant_types_supported: Names
    code_challenge_methods_supported: Names
    authorization_response_iss_parameter_supported: bool
    require_pushed_authorization_requests: bool
    token_endpoint_auth_methods_supported: Names
    token_endpoint_auth_signing_alg_values_supported: Names
    introspection_endpoint_auth_methods_supported: Names
    introspection_endpoint_auth_signing_alg_values_supported: Names
    revocation_endpoint_auth_methods_supported: Names
    revocation_endpoint_auth_signing_alg_values_supported: Names
    subject_types_supported: Names
    id_token_signing_alg_values_supported: Names
    acr_values_supported: Names
    claim_types_supported: Names
    claims_supported: Names
    claims_parameter_supported: bool
    request_parameter_supported: bool
    request_uri_parameter_supported: bool
    prompt_values_supported: Names
    ui_locales_supported: Names
    backchannel_logout_supported: bool
    backchannel_logout_session_supported: bool
