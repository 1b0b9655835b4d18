"""The user: as stored (`User`), as sent (`UserInput`, `UserPatch`) and as answered (`UserOutput`)."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from beanie import Document, PydanticObjectId
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr
from pymongo import ASCENDING, IndexModel

from models import answers
from models.values import (
    DEFAULT_SCOPES,
    PLAIN,
    Activity,
    Age,
    AvatarURL,
    Bio,
    Blank,
    Email,
    Line,
    Locale,
    Name,
    Phone,
    Scope,
    Scopes,
    Street,
    Tags,
    Username,
)

EXAMPLE_INPUT: dict[str, Any] = {
    "name": "小中同学",
    "email": "xiaozhong@example.com",
    "profile": {
        "bio": "全栈开发者",
        "age": 30,
        "addresses": [{"street": "天安门大街 1 号", "city": "北京", "zipcode": "100000", "country": "中国"}],
    },
}
EXAMPLE_ID = "6742f0c1a5d3b8e9f0123456"
EXAMPLE_OUTPUT: dict[str, Any] = {
    "id": EXAMPLE_ID,
    "username": None,
    "email": "xiaozhong@example.com",
    "name": "小中同学",
    "phone": "+8613800138000",
    "avatar_url": None,
    "locale": "zh-CN",
    "tags": ["staff"],
    "scopes": ["me"],
    "is_active": True,
    "profile": {
        "bio": "全栈开发者",
        "age": 30,
        "title": None,
        "department": None,
        "addresses": [
            {
                "label": None,
                "street": "天安门大街 1 号",
                "city": "北京",
                "region": None,
                "zipcode": "100000",
                "country": "中国",
            }
        ],
    },
    "created_at": "2026-01-31T08:00:00.123000Z",
    "updated_at": "2026-02-01T09:30:00.456000Z",
    "last_login_at": None,
    "last_login_ip": None,
    "version": 2,
}


class AddressInput(BaseModel):
    model_config = ConfigDict(extra="forbid", title="AddressInput")

    label: Annotated[Line | None, Blank] = None
    street: Annotated[Street | None, Blank] = None
    city: Annotated[Line | None, Blank] = None
    region: Annotated[Line | None, Blank] = None
    zipcode: Annotated[Line | None, Blank] = None
    country: Annotated[Line | None, Blank] = None


def _drop_empty(addresses: list[AddressInput]) -> list[AddressInput]:
    return [address for address in addresses if any(vars(address).values())]


Addresses = Annotated[list[AddressInput], Field(max_length=10), AfterValidator(_drop_empty)]
"""Those with nothing in them, which forms send, are no addresses."""


class ProfileInput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    bio: Annotated[Bio | None, Blank] = None
    age: Age | None = None
    title: Annotated[Line | None, Blank] = None
    department: Annotated[Line | None, Blank] = None
    addresses: Addresses = []


class UserInput(BaseModel):
    """What a caller may say of a user; what is left out is missing."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE_INPUT]})

    name: Name
    email: Email
    username: Annotated[Username | None, Blank] = None
    phone: Annotated[Phone | None, Blank] = None
    avatar_url: Annotated[AvatarURL | None, Blank] = None
    locale: Annotated[Locale | None, Blank] = None
    tags: Tags = []
    profile: ProfileInput = ProfileInput()
    scopes: Scopes = Field(
        default=list(DEFAULT_SCOPES), description="What the user may be granted; needs users:admin."
    )
    is_active: Activity = Field(default=True, description="Whether the user may sign in; needs users:admin.")


_IGNORED = Field(pattern=PLAIN, max_length=64, description="Of a reply that is sent back; ignored.")


class UserReplacement(UserInput):
    """As `UserInput`, and it may be what GET answered: what nobody can set says nothing, or what is."""

    id: Annotated[answers.Id | None, Field(description="The user's id, which stays.")] = None
    created_at: Annotated[str | None, _IGNORED] = None
    updated_at: Annotated[str | None, _IGNORED] = None
    last_login_at: Annotated[str | None, _IGNORED] = None
    last_login_ip: Annotated[str | None, _IGNORED] = None
    version: Annotated[
        int | None, Field(strict=True, ge=1, le=answers.MOST, description="412 unless the user is at it.")
    ] = None


STANDING = frozenset({"scopes", "is_active"})
"""Fields of a user that only users:admin may say; a replacement that leaves them out keeps them."""


class ProfilePatch(BaseModel):
    """A merge patch of the profile: null removes; addresses are replaced as one list."""

    model_config = ConfigDict(extra="forbid")

    bio: Annotated[Bio | None, Blank] = None
    age: Age | None = None
    title: Annotated[Line | None, Blank] = None
    department: Annotated[Line | None, Blank] = None
    addresses: Addresses | None = None


class UserPatch(BaseModel):
    """A JSON Merge Patch (RFC 7396): what is left out stays, null removes, lists are replaced."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"profile": {"age": 31, "title": None}, "phone": "+8613800138000"}]},
    )

    name: Name = Field(default_factory=str)  # never used, and unlike None not part of the schema
    email: Email = Field(default_factory=str)
    username: Annotated[Username | None, Blank] = None
    phone: Annotated[Phone | None, Blank] = None
    avatar_url: Annotated[AvatarURL | None, Blank] = None
    locale: Annotated[Locale | None, Blank] = None
    tags: Tags | None = None
    profile: ProfilePatch | None = None
    scopes: Scopes = Field(default_factory=list, description="Needs users:admin.")
    is_active: Activity = Field(default_factory=bool, description="Needs users:admin.")


class AddressOutput(BaseModel):
    label: answers.Line | None
    street: answers.Line | None
    city: answers.Line | None
    region: answers.Line | None
    zipcode: answers.Line | None
    country: answers.Line | None


class ProfileOutput(BaseModel):
    bio: answers.Text | None
    age: Annotated[int, Field(json_schema_extra={"minimum": 0, "maximum": 150})] | None
    title: answers.Line | None
    department: answers.Line | None
    addresses: Annotated[list[AddressOutput], Field(json_schema_extra={"maxItems": 10})]


class UserOutput(BaseModel):
    """A user as every route answers it; times are UTC (RFC 3339)."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_OUTPUT]})

    id: answers.Id
    username: answers.Username | None
    email: answers.Email
    name: answers.Text
    phone: answers.Phone | None
    avatar_url: answers.AvatarURL | None
    locale: answers.Locale | None
    tags: answers.Tags
    scopes: answers.Granted
    is_active: bool
    profile: ProfileOutput
    created_at: answers.Moment
    updated_at: answers.Moment
    last_login_at: answers.Moment | None
    last_login_ip: answers.Address | None
    version: Annotated[answers.Version, Field(description="Raised by each write; the ETag.")]


class Keys(BaseModel):
    """Normalised values, by which users are unique and sorted; never answered."""

    email: str
    username: str | None
    name: str


class SearchFields(BaseModel):
    """What search finds a user by; never answered."""

    v: int
    """Version of the scheme that made the rest."""
    t: list[str]
    """Postings: a class letter and a word, or a pair of words."""
    p: list[str]
    """The phone's digits from every place on."""


class Credentials(BaseModel):
    """What signing in needs; never answered."""

    password_hash: str | None = None
    generation: int = 0
    """Raised by whatever ends all sessions of the user: those of an earlier one are dead."""


class User(Document):
    """A user as stored: every public field present (null when missing), then the hidden ones."""

    id: PydanticObjectId = Field(default_factory=PydanticObjectId)
    username: str | None = None
    email: str
    name: str
    phone: str | None = None
    avatar_url: str | None = None
    locale: str | None = None
    tags: list[str] = Field(default_factory=list)
    scopes: list[Scope] = Field(default_factory=lambda: list(DEFAULT_SCOPES))
    is_active: bool = True
    profile: ProfileInput
    created_at: datetime
    updated_at: datetime
    last_login_at: datetime | None = None
    last_login_ip: str | None = None
    version: int = 1
    keys: Keys
    facets: list[str]
    search: SearchFields
    credentials: Credentials = Field(default_factory=Credentials)
    _words: dict[str, bool] = PrivateAttr(default_factory=dict)

    @property
    def words(self) -> dict[str, bool]:
        """What the dictionary of search must know before the user is stored; stored itself by that alone."""
        return self._words

    @words.setter
    def words(self, words: dict[str, bool]) -> None:
        self._words = words

    class Settings:
        name = "users"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel(
                [("keys.email", ASCENDING)],
                name="email",
                unique=True,
                partialFilterExpression={"keys.email": {"$type": "string"}},
            ),
            IndexModel(
                [("keys.email", ASCENDING), ("_id", ASCENDING)],
                name="email_missing",
                partialFilterExpression={"keys.email": None},
            ),
            IndexModel(
                [("keys.username", ASCENDING)],
                name="username",
                unique=True,
                partialFilterExpression={"keys.username": {"$type": "string"}},
            ),
            IndexModel(
                [("keys.username", ASCENDING), ("_id", ASCENDING)],
                name="username_missing",
                partialFilterExpression={"keys.username": None},
            ),
            IndexModel(
                [("phone", ASCENDING)],
                name="phone",
                unique=True,
                partialFilterExpression={"phone": {"$type": "string"}},
            ),
            IndexModel([("created_at", ASCENDING), ("_id", ASCENDING)], name="created_at"),
            *(
                IndexModel(
                    [("created_at", ASCENDING), ("_id", ASCENDING)],
                    name=f"{name}_missing",
                    partialFilterExpression={path: value},
                )
                for name, path, value in (
                    ("phone", "phone", None),
                    ("department", "profile.department", None),
                    ("tag", "tags", []),
                    ("scope", "scopes", []),
                )
            ),
            IndexModel([("updated_at", ASCENDING), ("_id", ASCENDING)], name="updated_at"),
            IndexModel([("last_login_at", ASCENDING), ("_id", ASCENDING)], name="last_login_at"),
            IndexModel([("keys.name", ASCENDING), ("_id", ASCENDING)], name="name"),
            IndexModel([("profile.age", ASCENDING), ("_id", ASCENDING)], name="age"),
            IndexModel([("facets", ASCENDING), ("created_at", ASCENDING), ("_id", ASCENDING)], name="facets"),
            IndexModel(
                [("search.t", ASCENDING), ("keys.name", ASCENDING), ("_id", ASCENDING)], name="search_words"
            ),
            IndexModel([("search.p", ASCENDING), ("_id", ASCENDING)], name="search_digits"),
        ]
