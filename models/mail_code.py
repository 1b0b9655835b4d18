"""Codes that are sent by mail: how they are asked for, stored, and shown by those who read the mail."""

from typing import Annotated, ClassVar, Final

from beanie import PydanticObjectId
from pydantic import BaseModel, Field
from pymongo import IndexModel

from models import answers
from models.account import Password, SealedPassword
from models.mail import Purpose
from models.stored import GONE_WHEN_DUE, NamedDocument, StoredMoment
from models.user import EXAMPLE_ID
from models.values import Email

MOST_ACTIVATIONS = 1_000
_TOKEN: Final = "dGhpcyBpcyB0aGUgdG9rZW4gb2YgYSBsaW5rLCBvciA"  # noqa: S105 - an example, good for nothing


class MailRequest(BaseModel):
    model_config = answers.shown({"email": "zoe@example.com"}, extra="forbid")

    email: Email


class MailRequested(BaseModel):
    """Empty, whether a user has the address or not."""

    model_config = answers.shown({})


LinkToken = Annotated[
    str,
    Field(
        max_length=43,
        pattern="^[A-Za-z0-9_-]{43}$",
        description="What stands after `token=` in the link of the mail.",
    ),
]


class SentCode(BaseModel):
    """Either the token of the mail's link, or the address it was sent to with its six digits."""

    token: LinkToken | None = None
    email: Annotated[Email | None, Field(description="The address that the mail was sent to.")] = None
    code: Annotated[
        str | None,
        Field(
            max_length=7,
            pattern="^[0-9]{3} ?[0-9]{3}$",
            description="The six digits of the mail; five wrong tries make them void, not the link.",
        ),
    ] = None


class EmailProof(SentCode):
    model_config = answers.shown({"email": "zoe@example.com", "code": "042137"}, extra="forbid")


class LinkProof(BaseModel):
    model_config = answers.shown({"token": _TOKEN}, extra="forbid")

    token: LinkToken


class PasswordReset(SentCode):
    """The code of a mail, and the new password, either plain or as a JWE."""

    model_config = answers.shown({"token": _TOKEN, "password": "correct horse battery"}, extra="forbid")

    password: Password | None = None
    password_jwe: SealedPassword | None = None


class Activations(BaseModel):
    """Users to send a link by which they set their first password."""

    model_config = answers.shown({"ids": [EXAMPLE_ID]}, extra="forbid")

    ids: Annotated[
        list[Annotated[str, Field(pattern="^[0-9a-fA-F]{24}$")]],
        Field(min_length=1, max_length=MOST_ACTIVATIONS),
    ]


class ActivationResult(BaseModel):
    id: Annotated[str, Field(pattern="^[0-9a-fA-F]{24}$")]
    status: Annotated[
        answers.Status,
        Field(description="202: the mail is queued; 404: no such user; 409: the user is deactivated."),
    ]


class ActivationsOutput(BaseModel):
    model_config = answers.shown({"results": [{"id": EXAMPLE_ID, "status": 202}]})

    results: Annotated[
        list[ActivationResult], Field(max_length=MOST_ACTIVATIONS, description="One for each id, in order.")
    ]


class StoredMailCode(NamedDocument):
    """A code as stored, under a hash of its user and purpose, so that the next one replaces it."""

    purpose: Purpose
    user: PydanticObjectId
    """Of a filler, which nothing finds, an id that nobody has."""
    email: str
    """The address it was sent to."""
    email_key: str
    generation: int | None
    """That of the user when it was made; None: it outlives a change of the password."""
    bound_to: str | None
    """The key of the user's own address when it was made; None: it outlives a change of that."""
    token: str
    """The SHA-256 of the link's token."""
    code: str | None
    """A keyed hash of the digits."""
    data: dict[str, str]
    issued_at: StoredMoment
    expires_at: StoredMoment

    class Settings:
        name = "mail_codes"
        indexes: ClassVar[list[IndexModel]] = [
            GONE_WHEN_DUE,
            IndexModel([("token", 1)], name="token", unique=True),
            IndexModel([("email_key", 1), ("purpose", 1), ("expires_at", -1)], name="typed"),
            IndexModel([("user", 1)], name="user"),
        ]
