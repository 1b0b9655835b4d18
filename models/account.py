"""Requests about accounts: one's own, and those that administrators manage."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, Field, SecretStr, model_validator
from pymongo import IndexModel

from models import answers
from models.fields import inputs, made_of, patches
from models.stored import GONE_WHEN_DUE, NamedDocument, StoredMoment
from models.user import EXAMPLE_ID, UserInput
from models.values import MOST_SCOPES, PLAIN, Email, Scope, Scopes

MONTH_S = 30 * 86_400

Password = Annotated[
    SecretStr, Field(max_length=1024, description="8 to 128 characters, and not a common password.")
]
CurrentPassword = Annotated[SecretStr, Field(max_length=1024)]
SealedPassword = Annotated[
    str,
    Field(
        max_length=4096,
        pattern="^[A-Za-z0-9_.-]*$",
        description="Instead of it: its compact JWE (RSA-OAEP-256, A256GCM), "
        "made with the key of GET /auth/keys/password. Valid once.",
    ),
]


@made_of(inputs(UserInput, "sets", "registers"))
class _OwnInput(BaseModel):
    """Fields that people set at their own registration."""


class Registration(_OwnInput):
    """The registration of oneself, with a password."""

    model_config = answers.shown(
        {"name": "Zoë", "email": "zoe@example.com", "password": "correct horse battery"}, extra="forbid"
    )

    password: Password | None = None
    password_jwe: SealedPassword | None = None
    invitation: Annotated[
        str | None,
        Field(
            max_length=128, pattern=PLAIN, description="The code of an invitation, if registration needs one."
        ),
    ] = None


@made_of(patches(UserInput, "sets"))
class OwnPatch(BaseModel):
    """A JSON Merge Patch (RFC 7396) of the fields that users change themselves, without a password."""

    model_config = answers.shown({"profile": {"bio": None}, "locale": "zh-CN"}, extra="forbid")


class PasswordChange(BaseModel):
    """Both passwords, each either plain or as a JWE."""

    model_config = answers.shown(
        {"current_password": "correct horse battery", "new_password": "staple and battery"}, extra="forbid"
    )

    current_password: CurrentPassword | None = None
    current_password_jwe: SealedPassword | None = None
    new_password: Password | None = None
    new_password_jwe: SealedPassword | None = None


class PasswordSetting(BaseModel):
    """Exactly one of the three."""

    model_config = answers.shown({"password": "correct horse battery"}, extra="forbid")

    password: Password | None = None
    password_jwe: SealedPassword | None = None
    password_hash: Annotated[
        SecretStr | None,
        Field(
            max_length=512,
            description="A hash from another system: bcrypt, Argon2, PBKDF2 of Django or passlib.",
        ),
    ] = None


class EmailChange(BaseModel):
    model_config = answers.shown(
        {"email": "zoe@example.org", "current_password": "correct horse battery"}, extra="forbid"
    )

    email: Email
    current_password: CurrentPassword | None = None
    current_password_jwe: SealedPassword | None = None


class InvitationInput(BaseModel):
    model_config = answers.shown({"email": "zoe@example.com", "scopes": ["me"]}, extra="forbid")

    email: Annotated[
        Email | None, Field(description="The only e-mail that may redeem it; null: anyone with the code.")
    ] = None
    scopes: Scopes = Field(default=["me"], description="What the new user may be granted.")
    expires_in: Annotated[
        int, Field(strict=True, ge=60, le=MONTH_S, description="Seconds for which it is valid.")
    ] = 7 * 86_400
    send: Annotated[
        bool,
        Field(strict=True, description="Whether a mail takes its code to the e-mail, and to nobody else."),
    ] = False


InvitationCode = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{43}$", max_length=43)]


EXAMPLE_INVITATION: dict[str, Any] = {
    "id": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "email": "zoe@example.com",
    "scopes": ["me"],
    "created_by": EXAMPLE_ID,
    "expires_at": "2026-02-07T08:00:00Z",
}


class Invitation(BaseModel):
    """A valid invitation, without its code."""

    id: answers.Sha256
    email: Annotated[
        answers.Email | None, Field(description="The only e-mail that may redeem it; null: anyone.")
    ]
    scopes: Annotated[
        list[Scope], Field(max_length=MOST_SCOPES, description="What the new user may be granted.")
    ]
    created_by: Annotated[
        answers.Id, Field(description="The administrator who invited; it is valid while they are one.")
    ]
    expires_at: answers.Moment


class InvitationPage(BaseModel):
    """A page of invitations, the last to expire first."""

    model_config = answers.shown({"items": [EXAMPLE_INVITATION], "next": "pQ8wZ3kRb1c"})

    items: Annotated[list[Invitation], Field(max_length=100)]
    next: Annotated[answers.Cursor | None, Field(description="The `cursor` of the next page.")]


class InvitationOutput(BaseModel):
    model_config = answers.shown(
        {
            "id": EXAMPLE_INVITATION["id"],
            "code": "dGhpcyBpcyBhbiBpbnZpdGF0aW9uLCBvciBpcyBpdD8",
            "expires_at": "2026-02-07T08:00:00.123000Z",
        }
    )

    id: Annotated[answers.Sha256, Field(description="Its id in the list, by which it is withdrawn.")]
    code: Annotated[
        InvitationCode | None, Field(description="Shown this once; null where a mail takes it to the e-mail.")
    ]
    expires_at: Annotated[answers.Moment, Field(description="When it expires.")]


class StoredInvitation(NamedDocument):
    """An invitation as stored, under the SHA-256 of its code."""

    email: str | None = None
    """None: anyone, as `email_key`, by which it is compared."""
    email_key: str | None
    scopes: list[Scope]
    created_by: str
    is_sent: bool = False
    """Whether a mail has its code, and nobody else."""
    expires_at: StoredMoment

    @model_validator(mode="after")
    def _read_the_oldest(self) -> Self:
        """Those of the first releases have no `email`."""
        self.email = self.email or self.email_key
        return self

    class Settings:
        name = "invitations"
        indexes: ClassVar[list[IndexModel]] = [
            GONE_WHEN_DUE,
            IndexModel([("expires_at", -1), ("_id", -1)], name="listed"),
        ]
