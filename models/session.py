"""Sessions, as their users and administrators see them."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from beanie import PydanticObjectId
from pydantic import BaseModel, Field
from pymongo import IndexModel

from models import answers
from models.stored import GONE_WHEN_DUE, NamedDocument
from models.user import EXAMPLE_ID
from models.values import MOST_SCOPES, Scope

MAX_SIGN_OUTS = 1_000
MOST_SESSIONS = 1_000
"""The most sessions in a list."""
MOST_GRANTS = 100
"""The most grants of one browser session, by the script that begins them."""


EXAMPLE_SESSION: dict[str, Any] = {
    "id": "Z0LwwaXTuOnwEjRWdGhlIHJlc3QgaXMgcmFuZG9tLg0",
    "client_id": "portal",
    "scopes": ["me", "users:read"],
    "created_at": "2026-01-31T08:00:00.123000Z",
    "used_at": "2026-02-01T09:30:00.456000Z",
    "expires_at": "2026-02-08T09:30:00.456000Z",
    "address": "203.0.113.7",
    "agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "current": True,
    "clients": [],
}


class SessionOutput(BaseModel):
    id: answers.Sid
    client_id: Annotated[answers.ClientId, Field(description="The client that began it.")]
    scopes: Annotated[list[Scope], Field(max_length=MOST_SCOPES, description="The scopes of its tokens.")]
    created_at: answers.Moment
    used_at: Annotated[answers.Moment, Field(description="When it was last refreshed, or began.")]
    expires_at: Annotated[
        answers.Moment,
        Field(description="When it ends unless it is refreshed: too long unused, or too old."),
    ]
    address: Annotated[answers.Address | None, Field(description="The address from which it was begun.")]
    agent: Annotated[answers.Line | None, Field(description="The User-Agent with which it was begun.")]
    current: Annotated[bool, Field(description="Whether it is the session of this request.")]
    clients: Annotated[
        list[answers.ClientId],
        Field(
            max_length=MOST_GRANTS,
            description="The clients that have tokens through it, if it is a browser's: they end with it.",
        ),
    ]


class SessionList(BaseModel):
    model_config = answers.shown({"items": [EXAMPLE_SESSION]})

    items: Annotated[list[SessionOutput], Field(max_length=MOST_SESSIONS)]


class SignOut(BaseModel):
    """Users to sign out everywhere."""

    model_config = answers.shown({"ids": [EXAMPLE_ID]}, extra="forbid")

    ids: Annotated[
        list[Annotated[str, Field(pattern="^[0-9a-fA-F]{24}$")]],
        Field(min_length=1, max_length=MAX_SIGN_OUTS),
    ]


class SignOutResult(BaseModel):
    id: Annotated[str, Field(pattern="^[0-9a-fA-F]{24}$")]
    status: Annotated[answers.Status, Field(description="204: signed out everywhere; 404: no such user.")]


class SignOutOutput(BaseModel):
    model_config = answers.shown({"results": [{"id": EXAMPLE_ID, "status": 204}]})

    results: Annotated[
        list[SignOutResult], Field(max_length=MAX_SIGN_OUTS, description="One for each id, in order.")
    ]


class EndedSession(NamedDocument):
    """A session that was ended alone, by its id, for as long as one lives: Redis may have forgotten it."""

    reason: str
    expires_at: datetime

    class Settings:
        name = "ended_sessions"
        indexes: ClassVar[list[IndexModel]] = [GONE_WHEN_DUE]


class KnownDevice(NamedDocument):
    """A device of a user, by a keyed hash of what it calls itself and its network."""

    user: PydanticObjectId
    expires_at: datetime

    class Settings:
        name = "known_devices"
        indexes: ClassVar[list[IndexModel]] = [GONE_WHEN_DUE, IndexModel([("user", 1)], name="user")]
