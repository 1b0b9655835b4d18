"""The user: as stored (`User`), as sent (`UserInput`, `UserPatch`) and as answered (`UserOutput`)."""

import re
import unicodedata
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from beanie import Document, PydanticObjectId
from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pymongo import ASCENDING, IndexModel

from models.letters import INVISIBLE, is_identifier, mixes_look_alikes

CELL_LENGTH = 32_767
"""UTF-16 units that a spreadsheet cell holds; no text of a user is longer, so no export cuts one."""

Scope = Literal["me", "users:read", "users:write", "users:export", "users:admin"]
DEFAULT_SCOPES: tuple[Scope, ...] = ("me",)


def _fits_a_cell(text: str) -> str:
    if len(text) > CELL_LENGTH // 2 and len(text.encode("utf-16-le")) // 2 > CELL_LENGTH:
        msg = f"must be at most {CELL_LENGTH} UTF-16 units, what one spreadsheet cell holds"
        raise ValueError(msg)
    return text


def _not_blank(text: str) -> str:
    if not INVISIBLE.sub("", text).strip():
        msg = "must not be blank"
        raise ValueError(msg)
    return text


def _email(text: str) -> str:
    typed = text.strip()
    if INVISIBLE.search(typed):
        msg = "must not contain invisible characters"
        raise ValueError(msg)
    try:
        validate_email(
            unicodedata.normalize("NFKC", typed), check_deliverability=False, test_environment=True
        )
    except EmailNotValidError:
        msg = "must be an e-mail address such as ana@example.com"
        raise ValueError(msg) from None
    return typed


_USERNAME_LENGTH = 64


def _username(text: str) -> str:
    typed = text.strip()
    normal = unicodedata.normalize("NFKC", typed)
    if (
        not 0 < len(normal) <= _USERNAME_LENGTH
        or not is_identifier(normal, punctuation="._-")
        or normal[0] in ".-"
        or unicodedata.category(normal[0]).startswith("M")
    ):
        msg = "must be 1 to 64 letters, digits, dots, hyphens or underscores, beginning with none of . and -"
        raise ValueError(msg)
    if mixes_look_alikes(normal):
        msg = "must not mix Latin letters with Greek, Cyrillic or others that look like them"
        raise ValueError(msg)
    return typed


_PHONE_PUNCTUATION = re.compile(r"[\s().\-/\u2010-\u2015]")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def _phone(text: str) -> str:
    number = _PHONE_PUNCTUATION.sub("", unicodedata.normalize("NFKC", text))
    if not _E164.fullmatch(number):
        msg = "must be an international number (E.164): + and 7 to 15 digits, such as +8613800138000"
        raise ValueError(msg)
    return number


_URL = TypeAdapter(AnyHttpUrl)


def _url(text: str) -> str:
    try:
        _URL.validate_python(text)
    except ValidationError:
        msg = "must be an http or https URL"
        raise ValueError(msg) from None
    return text


_LOCALE = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*")


def _locale(text: str) -> str:
    if not _LOCALE.fullmatch(text):
        msg = "must be a language tag (BCP 47) such as zh-CN"
        raise ValueError(msg)
    return text


def _tag(text: str) -> str:
    typed = text.strip()
    if not typed or any(unicodedata.category(char) == "Cc" or char in ",;" for char in typed):
        msg = "must be 1 to 64 characters without commas, semicolons or line breaks"
        raise ValueError(msg)
    return typed


def _distinct(items: list[str]) -> list[str]:
    if len(set(items)) != len(items):
        msg = "must not repeat an item"
        raise ValueError(msg)
    return items


def _empty_is_missing(value: Any) -> Any:
    """Forms send "" for what was left blank: a user holds no empty text, only a missing one."""
    return None if value == "" else value


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _printable(text: str) -> str:
    if _CONTROL.search(text):
        msg = "must not contain control characters other than tabs and line breaks"
        raise ValueError(msg)
    return text


Blank = BeforeValidator(_empty_is_missing)
Line = Annotated[str, StringConstraints(max_length=128), AfterValidator(_printable)]
Street = Annotated[str, StringConstraints(max_length=256), AfterValidator(_printable)]
Email = Annotated[
    str,
    StringConstraints(max_length=320),
    AfterValidator(_email),
    Field(json_schema_extra={"format": "email"}),
]
Username = Annotated[str, StringConstraints(max_length=64), AfterValidator(_username)]
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=CELL_LENGTH),
    AfterValidator(_not_blank),
    AfterValidator(_fits_a_cell),
]
Bio = Annotated[str, StringConstraints(max_length=CELL_LENGTH), AfterValidator(_fits_a_cell)]
Phone = Annotated[str, StringConstraints(max_length=40), AfterValidator(_phone)]
AvatarURL = Annotated[str, StringConstraints(max_length=2048), AfterValidator(_url)]
Locale = Annotated[str, StringConstraints(max_length=35), AfterValidator(_locale)]
Tag = Annotated[str, StringConstraints(max_length=64), AfterValidator(_tag)]
Tags = Annotated[list[Tag], Field(max_length=50), AfterValidator(_distinct)]
Age = Annotated[int, Field(strict=True, ge=0, le=150)]

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


class ProfileInput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    bio: Annotated[Bio | None, Blank] = None
    age: Age | None = None
    title: Annotated[Line | None, Blank] = None
    department: Annotated[Line | None, Blank] = None
    addresses: Annotated[list[AddressInput], Field(max_length=10)] = []


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


class ProfilePatch(BaseModel):
    """A merge patch of the profile: null removes; addresses are replaced as one list."""

    model_config = ConfigDict(extra="forbid")

    bio: Annotated[Bio | None, Blank] = None
    age: Age | None = None
    title: Annotated[Line | None, Blank] = None
    department: Annotated[Line | None, Blank] = None
    addresses: Annotated[list[AddressInput] | None, Field(max_length=10)] = None


class UserPatch(BaseModel):
    """A JSON Merge Patch (RFC 7396): what is left out stays, null removes, lists are replaced."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"profile": {"age": 31, "title": None}, "phone": "+8613800138000"}]},
    )

    name: Name | None = None
    email: Email | None = None
    username: Annotated[Username | None, Blank] = None
    phone: Annotated[Phone | None, Blank] = None
    avatar_url: Annotated[AvatarURL | None, Blank] = None
    locale: Annotated[Locale | None, Blank] = None
    tags: Tags | None = None
    profile: ProfilePatch | None = None


class AddressOutput(BaseModel):
    label: str | None
    street: str | None
    city: str | None
    region: str | None
    zipcode: str | None
    country: str | None


class ProfileOutput(BaseModel):
    bio: str | None
    age: int | None
    title: str | None
    department: str | None
    addresses: list[AddressOutput]


class UserOutput(BaseModel):
    """A user as every route answers it; times are UTC (RFC 3339)."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_OUTPUT]})

    id: Annotated[str, Field(pattern="^[0-9a-f]{24}$")]
    username: str | None
    email: str
    name: str
    phone: str | None
    avatar_url: str | None
    locale: str | None
    tags: list[str]
    scopes: list[str]
    is_active: bool
    profile: ProfileOutput
    created_at: datetime
    updated_at: datetime
    last_login_at: datetime | None
    last_login_ip: str | None
    version: Annotated[int, Field(description="Raised by each write; the ETag.")]


class Keys(BaseModel):
    """Normalised values, by which users are unique and sorted; never answered."""

    email: str
    username: str | None
    name: str


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
            IndexModel([("updated_at", ASCENDING), ("_id", ASCENDING)], name="updated_at"),
            IndexModel([("last_login_at", ASCENDING), ("_id", ASCENDING)], name="last_login_at"),
            IndexModel([("keys.name", ASCENDING), ("_id", ASCENDING)], name="name"),
            IndexModel([("profile.age", ASCENDING), ("_id", ASCENDING)], name="age"),
            IndexModel([("facets", ASCENDING), ("created_at", ASCENDING), ("_id", ASCENDING)], name="facets"),
        ]
