"""Device authorization (RFC 8628): the form and the reply."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, Field

from models import answers
from models.token import ClientId, ClientSecret, form_text

_EXAMPLE: Final[dict[str, Any]] = {
    "device_code": "WDJBMJHT.dGhpcyBpcyBhIHNlY3JldCBvZiB0aGUgZGV2aWNlIG5vdw",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://users.example.com/auth/device",
    "verification_uri_complete": "https://users.example.com/auth/device?user_code=WDJB-MJHT",
    "expires_in": 600,
    "interval": 5,
}


class DeviceForm(BaseModel):
    """RFC 8628, section 3.1."""

    model_config = answers.shown({"client_id": "roster", "scope": "users:read"})

    scope: Annotated[str, form_text("Separated by spaces; none: all that are granted.")] = ""
    client_id: ClientId = ""
    client_secret: ClientSecret = ""


class DeviceOutput(BaseModel):
    """RFC 8628, section 3.2."""

    model_config = answers.shown(_EXAMPLE)

    device_code: Annotated[answers.Token, Field(description="For POST /auth/token.")]
    user_code: Annotated[
        str, Field(pattern="^[B-Z]{4}-[B-Z]{4}$", max_length=9, description="To be shown to the user.")
    ]
    verification_uri: Annotated[answers.URL, Field(description="Where the user types the code.")]
    verification_uri_complete: Annotated[
        answers.URL, Field(description="The same with the code, for a QR code.")
    ]
    expires_in: Annotated[answers.Count, Field(description="Seconds.")]
    interval: Annotated[answers.Count, Field(description="Seconds between two polls, at least.")]
