"""Webhooks: where others want to be told of events, as sent, as answered and as stored."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal

from beanie import Document, PydanticObjectId
from pydantic import AfterValidator, BaseModel, Field
from pymongo import IndexModel

from models import answers, texts
from models.delivery import Failure
from models.event import TYPES, EventType, Payload
from models.stored import GONE_WHEN_DUE, NamedDocument
from models.user import EXAMPLE_ID
from models.values import PLAIN, Text

MOST_WEBHOOKS: Final = 200
MOST_HEADERS: Final = 20
WEEK_S: Final = 7 * 86_400
DAY_S: Final = 86_400

_EXAMPLE_INPUT: Final[dict[str, Any]] = {
    "url": "https://todo.example.com/roster",
    "types": ["user.changed", "user.deleted"],
    "filter": "department=Sales",
    "payload": "thin",
    "headers": {"X-Tenant": "acme"},
}
EXAMPLE_WEBHOOK: Final[dict[str, Any]] = {
    "id": "6b05f0a1e1b7a3d4c9f0123a",
    **_EXAMPLE_INPUT,
    "headers": ["X-Tenant"],
    "state": "active",
    "paused_for": None,
    "failing_since": None,
    "secrets": 1,
    "created_by": EXAMPLE_ID,
    "created_at": "2026-01-31T08:00:00.123000Z",
}
_SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - an example


def _distinct(types: list[EventType]) -> list[EventType]:
    if len(set(types)) < len(types):
        raise ValueError("must not repeat an item")
    return types


_Url = Annotated[
    str,
    Text(2048, texts.line),
    Field(
        pattern="^https?://[^/?#@ ]+([/?][^# ]*)?$",
        description="Where events are posted. Its host must have public addresses only, unless "
        "`ROSTER_WEBHOOK_NETWORKS` names others. Redirects are not followed.",
    ),
]
_Types = Annotated[
    list[EventType],
    Field(max_length=len(TYPES), description="The types that are sent; empty: all."),
    AfterValidator(_distinct),
]
_Filter = Annotated[
    str,
    Field(
        max_length=4_000,
        pattern=PLAIN,
        description="The query string of filters of `GET /users`: of events about users only those about who "
        "matches when they are sent, and all deletions.",
    ),
]
_Payload = Annotated[
    Payload,
    Field(description="`thin`: ids and the names of what changed; `full`: the user as they are, too."),
]
_HeaderName = Annotated[str, Field(pattern="^[A-Za-z0-9-]{1,64}$", max_length=64)]
_HeaderValue = Annotated[str, Field(pattern="^[!-~]([ -~]{0,1022}[!-~])?$", max_length=1_024)]
_Headers = Annotated[
    dict[_HeaderName, _HeaderValue],
    Field(max_length=MOST_HEADERS, description="Sent besides; stored sealed, and never shown."),
]


class WebhookInput(BaseModel):
    model_config = answers.shown(_EXAMPLE_INPUT, extra="forbid")

    url: _Url
    types: _Types = []
    filter: _Filter = ""
    payload: _Payload = "thin"
    headers: _Headers = {}


class WebhookPatch(BaseModel):
    """What is to be changed; what is left out stays."""

    model_config = answers.shown({"is_active": True}, extra="forbid")

    url: _Url = ""
    types: _Types = []
    filter: _Filter = ""
    payload: _Payload = "thin"
    headers: _Headers = {}
    is_active: Annotated[
        bool,
        Field(
            strict=True,
            description="False: nothing is sent. True: what came meanwhile is sent, also after a pause.",
        ),
    ] = True


class WebhookOutput(BaseModel):
    model_config = answers.shown(EXAMPLE_WEBHOOK)

    id: answers.Id
    url: answers.URL
    types: Annotated[list[EventType], Field(max_length=len(TYPES))]
    filter: Annotated[str, Field(pattern=PLAIN, max_length=4_000)]
    payload: Payload
    headers: Annotated[
        list[_HeaderName], Field(max_length=MOST_HEADERS, description="Their names; values are not shown.")
    ]
    state: Annotated[
        Literal["active", "paused", "off"], Field(description="`paused` by Roster, `off` by you.")
    ]
    paused_for: Annotated[
        Literal["failing", "gone"] | None,
        Field(
            description="`failing`: a delivery failed for three days, and no other succeeded; `gone`: 410."
        ),
    ]
    failing_since: Annotated[
        answers.Moment | None, Field(description="The first failure after which nothing was delivered.")
    ]
    secrets: Annotated[answers.Count, Field(description="How many secrets sign now.")]
    created_by: Annotated[answers.Id | None, Field(description="Null: on the command line.")]
    created_at: answers.Moment


class NewWebhook(WebhookOutput):
    model_config = answers.shown(EXAMPLE_WEBHOOK | {"secret": _SECRET})

    secret: Annotated[
        str,
        Field(
            pattern="^whsec_[A-Za-z0-9+/=]+$",
            max_length=100,
            description="By which the receiver verifies `v1` signatures; shown only now.",
        ),
    ]


class WebhookPage(BaseModel):
    model_config = answers.shown({"items": [EXAMPLE_WEBHOOK], "next": None})

    items: Annotated[list[WebhookOutput], Field(max_length=100)]
    next: Annotated[answers.Cursor | None, Field(description="Cursor of the next page; null at the end.")]


class WebhookSecretRenewal(BaseModel):
    model_config = answers.shown({"overlap": DAY_S}, extra="forbid")

    overlap: Annotated[
        int,
        Field(strict=True, ge=0, le=WEEK_S, description="Seconds for which the earlier secrets sign, too."),
    ] = DAY_S


class WebhookSecret(BaseModel):
    model_config = answers.shown({"secret": _SECRET})

    secret: Annotated[
        str, Field(pattern="^whsec_[A-Za-z0-9+/=]+$", max_length=100, description="Shown only now.")
    ]


class WebhookTest(BaseModel):
    """What a receiver answered to an event of the type `webhook.test`."""

    model_config = answers.shown({"status": 204, "failure": None, "took_ms": 41})

    status: Annotated[int | None, Field(ge=100, le=999)]
    failure: Failure | None
    took_ms: answers.Count


class WebhookKey(BaseModel):
    id: Annotated[str, Field(pattern="^[0-9a-f]{16}$", max_length=16)]
    public: Annotated[str, Field(pattern="^whpk_[A-Za-z0-9+/=]+$", max_length=64)]
    created_at: answers.Moment
    expires_at: Annotated[
        answers.Moment | None, Field(description="When it signs no more; null: a later key takes over first.")
    ]


class WebhookKeys(BaseModel):
    """The ed25519 keys of `v1a` signatures; each of them signs every delivery."""

    model_config = answers.shown(
        {
            "keys": [
                {
                    "id": "9f86d081884c7d65",
                    "public": "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
                    "created_at": "2026-01-31T08:00:00.123000Z",
                    "expires_at": None,
                }
            ]
        }
    )

    keys: Annotated[list[WebhookKey], Field(max_length=100)]


class StoredWebhook(Document):
    """A webhook as stored."""

    id: PydanticObjectId = Field(default_factory=PydanticObjectId)
    url: str
    types: list[EventType]
    filter: str
    payload: Payload
    header_names: list[str]
    headers: bytes
    """Sealed, as values may be secrets."""
    secrets: list[dict[str, Any]]
    """`{sealed, expires_at}` each; the newest has no end."""
    is_active: bool = True
    paused_at: datetime | None = None
    paused_for: Literal["failing", "gone"] | None = None
    failing_since: datetime | None = None
    position: int
    """The place in the log up to which events are deliveries."""
    revision: int = 0
    """Counts what a courier must read anew."""
    lease: str | None = None
    lease_until: datetime | None = None
    created_by: PydanticObjectId | None
    created_at: datetime

    class Settings:
        name = "webhooks"


class StoredWebhookKey(NamedDocument):
    """An ed25519 key, its private half sealed."""

    public: str
    sealed: bytes
    created_at: datetime
    expires_at: datetime | None

    class Settings:
        name = "webhook_keys"
        indexes: ClassVar[list[IndexModel]] = [GONE_WHEN_DUE]
