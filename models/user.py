"""The user: as stored (`User`), as sent (`UserInput`, `UserPatch`) and as answered (`UserOutput`)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar

from beanie import Document, PydanticObjectId
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr
from pymongo import ASCENDING, IndexModel

from models import answers
from models.fields import Declared, UserField, answered, check_names, made_of, patches, read
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
    Scopes,
    Street,
    Tags,
    Username,
)

_FIRST = ("id", "username", "email", "name")

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


class AddressInput(BaseModel):
    model_config = ConfigDict(extra="forbid", title="AddressInput")

    label: Annotated[Line | None, Blank, Declared(answers.Line, width=12)] = None
    street: Annotated[Street | None, Blank, Declared(answers.Line, width=28)] = None
    city: Annotated[Line | None, Blank, Declared(
        answers.Line, width=18, search=True, filter="City of any of the user's addresses.",
    )] = None  # fmt: skip
    region: Annotated[Line | None, Blank, Declared(answers.Line, width=18)] = None
    zipcode: Annotated[Line | None, Blank, Declared(answers.Line, width=11)] = None
    country: Annotated[Line | None, Blank, Declared(
        answers.Line, width=16, filter="Country of any of the user's addresses.",
    )] = None  # fmt: skip


@made_of(answered(AddressInput))
class AddressOutput(BaseModel):
    pass


def _drop_empty(addresses: list[AddressInput]) -> list[AddressInput]:
    return [address for address in addresses if any(vars(address).values())]


Addresses = Annotated[list[AddressInput], Field(max_length=10), AfterValidator(_drop_empty)]
"""Addresses; empty ones, which forms send, are left out."""
_AddressesAnswer = Annotated[list[AddressOutput], Field(json_schema_extra={"maxItems": 10})]
_VersionAnswer = Annotated[
    answers.Version, Field(description="The version, raised by each write; also the ETag.")
]
_VerifiedAnswer = Annotated[
    bool, Field(description="Whether mail to this e-mail has reached the user: a code that they used.")
]
_AgeAnswer = Annotated[int, Field(json_schema_extra={"minimum": 0, "maximum": 150})]


class ProfileInput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    bio: Annotated[Bio | None, Blank, Declared(answers.Text, width=40)] = None
    age: Annotated[Age | None, Declared(
        _AgeAnswer, width=8, sort=True, filter=("Users of at least this age.", "Users of at most this age."),
    )] = None  # fmt: skip
    title: Annotated[Line | None, Blank, Declared(answers.Line, search=True)] = None
    department: Annotated[Line | None, Blank, Declared(
        answers.Line, search=True, filter="The user's department; accents count, as in each filter.",
    )] = None  # fmt: skip
    addresses: Annotated[Addresses, Declared(_AddressesAnswer, width=30)] = []


@made_of(patches(ProfileInput))
class ProfilePatch(BaseModel):
    """A merge patch of the profile: null removes; addresses are replaced as one list."""

    model_config = ConfigDict(extra="forbid")


@made_of(answered(ProfileInput))
class ProfileOutput(BaseModel):
    pass


class UserInput(BaseModel):
    """The fields of a user that callers set; omitted ones are missing."""

    model_config = answers.shown(EXAMPLE_INPUT, extra="forbid")

    name: Annotated[Name, Declared(answers.Text, owner="sets", width=24, sort=True, search=True)]
    email: Annotated[Email, Declared(
        answers.Email, owner="registers", width=30, unique=True, sort=True, search=True,
        filter="Whole addresses, in any equivalent spelling.",
    )]  # fmt: skip
    username: Annotated[Username | None, Blank, Declared(
        answers.Username, owner="sets", width=18, unique=True, sort=True, search=True,
        filter="Whole user names, in any case.",
    )] = None  # fmt: skip
    phone: Annotated[Phone | None, Blank, Declared(
        answers.Phone, owner="sets", width=18, unique=True, search=True,
        filter="Whole numbers with country code, with any punctuation.",
    )] = None  # fmt: skip
    avatar_url: Annotated[AvatarURL | None, Blank, Declared(answers.AvatarURL, owner="sets", width=30)] = None
    locale: Annotated[Locale | None, Blank, Declared(answers.Locale, owner="sets", width=9)] = None
    tags: Annotated[Tags, Declared(
        answers.Tags, called="tag", filter="One of the user's tags.", search=True,
    )] = []  # fmt: skip
    scopes: Annotated[
        Scopes,
        Field(description="The scopes that the user may be granted; needs users:admin."),
        Declared(answers.Granted, admin=True, called="scope", filter="What the user may be granted."),
    ] = list(DEFAULT_SCOPES)
    is_active: Annotated[
        Activity,
        Field(description="Whether the user may sign in; needs users:admin."),
        Declared(bool, admin=True, width=10, filter="Whether the user may sign in."),
    ] = True
    profile: Annotated[ProfileInput, Declared(ProfileOutput, patch=ProfilePatch, owner="sets")] = (
        ProfileInput()
    )


class Recorded(BaseModel):
    """The fields of a user that the service records and no caller sets."""

    id: Annotated[str, Declared(answers.Id, width=26)]
    email_verified: Annotated[bool, Declared(
        _VerifiedAnswer, width=15, filter="Whether mail to their e-mail reached the users.",
    )] = False  # fmt: skip
    created_at: Annotated[datetime, Declared(
        answers.Moment, sort=True, filter=("Created then or later", "Created then or earlier"),
    )]  # fmt: skip
    updated_at: Annotated[datetime, Declared(
        answers.Moment, sort=True, filter=("Last changed then or later", "Last changed then or earlier"),
    )]  # fmt: skip
    last_login_at: Annotated[datetime | None, Declared(
        answers.Moment, sort=True, filter=("Last signed in then or later", "Last signed in then or earlier"),
    )]  # fmt: skip
    last_login_ip: Annotated[str | None, Declared(answers.Address, width=18)]
    version: Annotated[int, Declared(_VersionAnswer, width=9)]


EXAMPLE_OUTPUT: dict[str, Any] = {
    "id": EXAMPLE_ID,
    **UserInput(**EXAMPLE_INPUT, phone="+8613800138000", locale="zh-CN", tags=["staff"]).model_dump(),
    "email_verified": True,
    "created_at": "2026-01-31T08:00:00.123000Z",
    "updated_at": "2026-02-01T09:30:00.456000Z",
    "last_login_at": None,
    "last_login_ip": None,
    "version": 2,
}


def _in_order(definitions: Mapping[str, Any]) -> dict[str, Any]:
    """The order of fields in replies and columns: first those that identify users."""
    return {name: definitions[name] for name in dict.fromkeys((*_FIRST, *definitions))}


@made_of(_in_order(answered(UserInput) | answered(Recorded)))
class PublicFields(BaseModel):
    """The fields of a user in replies, stored under the same names."""


class UserOutput(PublicFields):
    """A user in replies; times are UTC (RFC 3339)."""

    model_config = answers.shown(EXAMPLE_OUTPUT)


_IGNORED = Field(description="From a reply that is sent back; ignored.")
_IGNORED_TEXT = Annotated[str, Field(pattern=PLAIN, max_length=64)]
_TOLD = {
    name: (Annotated[(Activity if info.annotation is bool else _IGNORED_TEXT) | None, _IGNORED], None)
    for name, info in Recorded.model_fields.items()
}


@made_of({name: told for name, told in _TOLD.items() if name not in ("id", "version")})
class UserReplacement(UserInput):
    """Like `UserInput`; it may be the reply of GET, whose other fields are ignored or checked."""

    id: Annotated[answers.Id | None, Field(description="The user's id, which cannot change.")] = None
    version: Annotated[
        int | None,
        Field(strict=True, ge=1, le=answers.MOST, description="412 unless it is the user's version."),
    ] = None


@made_of(patches(UserInput))
class UserPatch(BaseModel):
    """A JSON Merge Patch (RFC 7396): omitted fields stay, null removes, lists are replaced."""

    model_config = answers.shown(
        {"profile": {"age": 31, "title": None}, "phone": "+8613800138000"}, extra="forbid"
    )


_ORDER = list(UserOutput.model_fields)
FIELDS: tuple[UserField, ...] = tuple(
    sorted((*read(UserInput), *read(Recorded, is_set=False)), key=lambda field: _ORDER.index(field.path[0]))
)
"""All fields of a user, with those of the profile in its place, in the order of replies and columns."""
check_names(FIELDS)
PARTS: tuple[UserField, ...] = tuple(read(AddressInput, "profile", "addresses"))
"""The fields of an address."""
_ALL = (*read(UserInput), *PARTS, *read(Recorded, is_set=False))
FACETS = tuple(
    sorted((field for field in _ALL if field.is_facet), key=lambda field: field.kind.type is not bool)
)
KEPT: dict[str, Any] = {field.name: field.info.default for field in FACETS if not field.is_set}
"""What the service records of a user and filters find, each as users have it of whom nothing is recorded."""
UNIQUE = tuple(field for field in _ALL if field.declared.unique)
RANGES = tuple(field for field in _ALL if field.bounds)
SORTED = tuple(field for field in _ALL if field.declared.sort)
SEARCHED = {field.called: field for field in _ALL if field.declared.search}
"""The searched fields, by their name in the query language."""
KEYS = tuple(field for field in _ALL if field.has_key)
"""Text fields that are compared and sorted by a stored key."""
STANDING = frozenset(field.name for field in FIELDS if field.declared.admin)
"""Fields that only users:admin may set; a replacement that omits them keeps them."""


@made_of({field.name: (str | None if field.kind.nullable else str, ...) for field in KEYS})
class Keys(BaseModel):
    """Normalised values, by which users are unique and sorted; never sent."""


class SearchFields(BaseModel):
    """The search fields of a user; never sent."""

    v: int
    """The version of the scheme."""
    t: list[str]
    """Postings: a class letter and a word, or a pair of words."""
    p: list[str]
    """All suffixes of the phone's digits."""


class Credentials(BaseModel):
    """Password hash and generation; never sent."""

    password_hash: str | None = None
    generation: Annotated[int, Field(ge=0)] = 0
    """Raised to end all sessions of the user: those of an earlier one are void."""


def _unique(field: UserField) -> IndexModel:
    of_text = {field.stored_at: {"$type": "string"}}
    return IndexModel(
        [(field.stored_at, ASCENDING)], name=field.name, unique=True, partialFilterExpression=of_text
    )


def _by(path: str, name: str, **options: Any) -> IndexModel:
    """An index by the path, then by id."""
    return IndexModel([(path, ASCENDING), ("_id", ASCENDING)], name=name, **options)


def _lacking(field: UserField, order: str) -> IndexModel:
    """An index of the users without a value, or without items."""
    missing: Any = {field.stored_at: [] if field.kind.many else None}
    return _by(order, f"{field.called}_missing", partialFilterExpression=missing)


class User(PublicFields, Document):
    """A stored user: all public fields (null if missing), then the hidden ones."""

    id: PydanticObjectId = Field(default_factory=PydanticObjectId)
    keys: Keys
    facets: list[str]
    search: SearchFields
    credentials: Credentials = Field(default_factory=Credentials)
    _words: dict[str, bool] = PrivateAttr(default_factory=dict)

    @property
    def words(self) -> dict[str, bool]:
        """Words for the dictionary of search, which are stored only there, before the user."""
        return self._words

    @words.setter
    def words(self, words: dict[str, bool]) -> None:
        self._words = words

    class Settings:
        name = "users"
        indexes: ClassVar[list[IndexModel]] = [
            *(_unique(field) for field in UNIQUE),
            *(_by(field.stored_at, field.name) for field in SORTED if not field.declared.unique),
            *(_lacking(field, field.stored_at) for field in UNIQUE if field.declared.sort),
            *(_lacking(field, "created_at") for field in UNIQUE if not field.declared.sort),
            *(
                _lacking(field, "created_at")
                for field in FACETS
                if field.may_be_missing and field not in PARTS
            ),
            IndexModel(
                [("locale", ASCENDING)],
                name="locale",
                partialFilterExpression={"locale": {"$gt": ""}},  # by type, MongoDB would read each user
            ),
            IndexModel([("facets", ASCENDING), ("created_at", ASCENDING), ("_id", ASCENDING)], name="facets"),
            IndexModel(
                [("search.t", ASCENDING), ("keys.name", ASCENDING), ("_id", ASCENDING)], name="search_words"
            ),
            IndexModel([("search.p", ASCENDING), ("_id", ASCENDING)], name="search_digits"),
        ]
