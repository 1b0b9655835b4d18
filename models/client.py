"""OAuth clients and the consents of their users: as administrators see them, and as they are stored."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, get_args

from beanie import Document, PydanticObjectId
from pydantic import BaseModel, ConfigDict, Field
from pymongo import IndexModel

from models import answers, texts
from models.account import MONTH_S
from models.stored import GONE_WHEN_DUE, NamedDocument
from models.values import ALL_SCOPES, IDENTITY_SCOPES, PLAIN, ClientScope, Text, not_blank

GrantType = Literal[
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "password",
    "urn:ietf:params:oauth:grant-type:device_code",
]
AuthMethod = Literal["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]
"""How a client authenticates (RFC 7591, section 2); a secret is taken by either of its two ways."""

OLDER_GRANT_TYPES: tuple[GrantType, ...] = ("password", "refresh_token")
"""What clients could use before they named grant types."""
NAME_LENGTH = 128
MOST_URIS = 20
"""The most URIs of each kind."""
MOST_KEYS = 10
DAY_S = 86_400
_MOST_SCOPES = len(ALL_SCOPES) + len(IDENTITY_SCOPES)
_MOST_GRANTS = len(get_args(GrantType))
_UNIQUE: dict[str, Any] = {"uniqueItems": True}

EXAMPLE_CLIENT: dict[str, Any] = {
    "id": "acme-portal-9f86d081",
    "subject": "6b0d74463f0ad96b0e3cdc4b",
    "name": "ACME Portal",
    "auth_method": "client_secret_basic",
    "scopes": ["openid", "profile", "users:read"],
    "grant_types": ["authorization_code", "refresh_token"],
    "redirect_uris": ["https://portal.example.com/callback"],
    "post_logout_redirect_uris": ["https://portal.example.com/"],
    "is_first_party": True,
    "requires_par": False,
    "backchannel_logout_uri": None,
    "backchannel_logout_session_required": False,
    "jwks": None,
    "is_dynamic": False,
    "created_at": "2026-01-31T08:00:00.123000Z",
    "old_secret_until": None,
}
_SECRET = "dGhpcyBpcyBhIHNlY3JldCwgYW5kIG5vbmUgaXQgaXM"  # noqa: S105 - an example, good nowhere

ClientName = Annotated[str, Text(NAME_LENGTH, not_blank, texts.line, minLength=1)]
URI = Annotated[str, Field(min_length=1, max_length=2048, json_schema_extra={"format": "uri"})]
_AuthMethodField = Annotated[
    AuthMethod,
    Field(
        description="How it authenticates: `none` for an app in a browser or on a phone, which cannot keep a "
        "secret; a secret is taken by HTTP Basic and in the form, whichever of the two is named; "
        "`private_key_jwt` by assertions that its own key signs (RFC 7523)."
    ),
]
_Scopes = Annotated[
    list[ClientScope] | None,
    Field(
        max_length=_MOST_SCOPES, description="The scopes that it may be given; null: any that its user has."
    ),
]
_GrantTypes = Annotated[
    list[GrantType], Field(max_length=_MOST_GRANTS, description="What it may use at the token endpoint.")
]
_RedirectURIs = Annotated[
    list[URI],
    Field(
        max_length=MOST_URIS,
        description="Where sign-ins may end, compared character by character; only the port of a loopback "
        "address is free. https, http to loopback, or a private scheme with a dot.",
    ),
]
_LogoutURIs = Annotated[
    list[URI], Field(max_length=MOST_URIS, description="Where sign-outs may end; compared alike.")
]
_IsFirstParty = Annotated[
    bool, Field(strict=True, description="Whether its users are not asked for their consent.")
]
_RequiresPAR = Annotated[
    bool, Field(strict=True, description="Whether it must push its authorization requests (RFC 9126).")
]
_LogoutURI = Annotated[
    URI | None,
    Field(description="Where it is told of sessions that end (OpenID Connect back-channel logout)."),
]
_LogoutSession = Annotated[
    bool, Field(strict=True, description="Whether it must be told which session ended, by `sid`.")
]


_Word = Annotated[str, Field(max_length=8_192, pattern=PLAIN)]
_Member = _Word | bool | Annotated[int, Field(ge=0, le=2**53)] | Annotated[list[_Word], Field(max_length=16)]
Key = Annotated[dict[str, _Member], Field(max_length=32)]
"""A public JWK (RFC 7517, section 4), with members that others keep in theirs."""


class KeySetInput(BaseModel):
    """A JWK Set (RFC 7517, section 5) of public keys."""

    model_config = ConfigDict(extra="forbid")

    keys: Annotated[list[Key], Field(min_length=1, max_length=MOST_KEYS)]


_Keys = Annotated[
    KeySetInput | None,
    Field(description="For `private_key_jwt`: its public keys, for ES256, RS256, PS256 or EdDSA."),
]


class ClientInput(BaseModel):
    """A client to register."""

    model_config = answers.shown(
        {
            name: EXAMPLE_CLIENT[name]
            for name in ("name", "scopes", "grant_types", "redirect_uris", "is_first_party")
        },
        extra="forbid",
    )

    name: ClientName
    id: Annotated[
        str | None,
        Field(
            pattern="^[A-Za-z0-9._~-]*$",
            min_length=1,
            max_length=64,
            description="Its id; made from the name if it is left out.",
        ),
    ] = None
    auth_method: _AuthMethodField = "client_secret_basic"
    scopes: _Scopes = None
    grant_types: _GrantTypes
    redirect_uris: _RedirectURIs = []
    post_logout_redirect_uris: _LogoutURIs = []
    is_first_party: _IsFirstParty = False
    requires_par: _RequiresPAR = False
    backchannel_logout_uri: _LogoutURI = None
    backchannel_logout_session_required: _LogoutSession = False
    jwks: _Keys = None


class ClientPatch(BaseModel):
    """A JSON Merge Patch (RFC 7396) of a client; lists are replaced as a whole."""

    model_config = answers.shown(
        {"scopes": None, "redirect_uris": EXAMPLE_CLIENT["redirect_uris"]}, extra="forbid"
    )

    name: ClientName = Field(default_factory=str)  # never used; unlike None, not part of the schema
    scopes: _Scopes = None
    grant_types: _GrantTypes = Field(default_factory=list)
    redirect_uris: _RedirectURIs = Field(default_factory=list)
    post_logout_redirect_uris: _LogoutURIs = Field(default_factory=list)
    is_first_party: _IsFirstParty = Field(default_factory=bool)
    requires_par: _RequiresPAR = Field(default_factory=bool)
    backchannel_logout_uri: _LogoutURI = None
    backchannel_logout_session_required: _LogoutSession = Field(default_factory=bool)
    jwks: _Keys = None


class KeySetOutput(BaseModel):
    keys: Annotated[list[Annotated[dict[str, _Word], Field(max_length=32)]], Field(max_length=MOST_KEYS)]


class ClientOutput(BaseModel):
    model_config = answers.shown(EXAMPLE_CLIENT)

    id: answers.ClientId
    subject: Annotated[
        answers.Id, Field(description="What stands in `by` and `created_by` for what it does as itself.")
    ]
    name: answers.Line
    auth_method: AuthMethod
    scopes: Annotated[
        list[ClientScope] | None, Field(max_length=_MOST_SCOPES, description="Null: any that its user has.")
    ]
    grant_types: Annotated[list[GrantType], Field(max_length=_MOST_GRANTS)]
    redirect_uris: Annotated[list[URI], Field(max_length=MOST_URIS)]
    post_logout_redirect_uris: Annotated[list[URI], Field(max_length=MOST_URIS)]
    is_first_party: bool
    requires_par: bool
    backchannel_logout_uri: URI | None
    backchannel_logout_session_required: bool
    jwks: KeySetOutput | None
    is_dynamic: Annotated[
        bool, Field(description="Whether it registered itself, so that nobody vouches for its name.")
    ]
    created_at: answers.Moment
    old_secret_until: Annotated[
        answers.Moment | None,
        Field(description="Until when the secret before the last renewal is good, too."),
    ]


class NewClientOutput(ClientOutput):
    """A client that was just registered."""

    model_config = answers.shown(EXAMPLE_CLIENT | {"secret": _SECRET})

    secret: Annotated[
        answers.Token | None, Field(description="Shown this once; null for a client that has none.")
    ]


class ClientPage(BaseModel):
    """A page of clients, by id."""

    model_config = answers.shown({"items": [EXAMPLE_CLIENT], "next": "pQ8wZ3kRb1c"})

    items: Annotated[list[ClientOutput], Field(max_length=100)]
    next: Annotated[answers.Cursor | None, Field(description="The `cursor` of the next page.")]


class SecretRenewal(BaseModel):
    model_config = answers.shown({"overlap": 3_600}, extra="forbid")

    overlap: Annotated[
        int,
        Field(
            strict=True,
            ge=0,
            le=MONTH_S,
            description="Seconds for which the old secret is good, too; 0: none.",
        ),
    ] = DAY_S


class SecretOutput(BaseModel):
    model_config = answers.shown({"secret": _SECRET})

    secret: Annotated[answers.Token, Field(description="Shown this once.")]


class ConsentOutput(BaseModel):
    client_id: answers.ClientId
    client_name: answers.Line
    scopes: Annotated[list[ClientScope], Field(max_length=_MOST_SCOPES, description="What it may have.")]
    given_at: Annotated[answers.Moment, Field(description="When the user was last asked.")]


class ConsentList(BaseModel):
    model_config = answers.shown(
        {
            "items": [
                {
                    "client_id": EXAMPLE_CLIENT["id"],
                    "client_name": EXAMPLE_CLIENT["name"],
                    "scopes": ["openid", "profile"],
                    "given_at": "2026-01-31T08:00:00.123000Z",
                }
            ]
        }
    )

    items: Annotated[list[ConsentOutput], Field(max_length=1_000)]


class StoredClient(NamedDocument):
    """An OAuth client as stored, by its id. What has a default is missing in documents of older releases."""

    name: str
    secret_hash: str | None
    """None: a client without a secret, be it public or one that signs assertions."""
    scopes: list[ClientScope] | None
    """None: any."""
    registration: str = ""
    """A new one each time that this id is registered; those of the first releases have none."""
    created_at: datetime
    name_key: str = ""
    """The name as it is compared, so that no client that registers itself takes it."""
    auth_method: AuthMethod | None = None
    """None: `none` or `client_secret_basic`, as the secret tells."""
    old_secret: dict[str, Any] | None = None
    """`{hash, until}` of the secret before, while both are good."""
    keys: list[dict[str, Any]] = Field(default=[])
    """Public JWKs of a client that signs assertions."""
    subject: PydanticObjectId | None = None
    """None: derived from id and registration."""
    grant_types: list[GrantType] = Field(default=list(OLDER_GRANT_TYPES))
    redirect_uris: list[str] = Field(default=[])
    post_logout_redirect_uris: list[str] = Field(default=[])
    is_first_party: bool = False
    requires_par: bool = False
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    registration_token_hash: str | None = None
    """Of a client that registered itself: the hash of its registration access token."""
    expires_at: datetime | None = None
    """When a client that registered itself is forgotten, unless a user lets it have something before."""

    class Settings:
        name = "clients"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel(
                [("subject", 1)],
                name="subject",
                unique=True,
                partialFilterExpression={"subject": {"$type": "objectId"}},
            ),
            IndexModel([("name_key", 1)], name="name_key"),
            GONE_WHEN_DUE,
        ]


class StoredConsent(Document):
    """What a user lets a client have."""

    id: PydanticObjectId = Field(default_factory=PydanticObjectId)
    user: PydanticObjectId
    client: str
    registration: str
    """Of the client: one that is registered anew under the same id was let in by nobody."""
    scopes: list[ClientScope]
    given_at: datetime

    class Settings:
        name = "consents"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("user", 1), ("client", 1)], name="of_user", unique=True),
            IndexModel([("client", 1)], name="of_client"),
        ]
