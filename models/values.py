"""The types of a user's values, each with its rules and their error texts."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal, get_args

from annotated_types import GroupedMetadata
from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BeforeValidator,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from models import phones, texts
from models.letters import INVISIBLE, is_identifier, mixes_look_alikes

CELL_LENGTH = 32_767
"""The UTF-16 units of a spreadsheet cell; no text of a user is longer, so that exports cut none."""

PLAIN = r"^[^\x00]*$"
"""A pattern without NUL, which JSON (`app.core.strict_json`), forms, queries and files all refuse."""

Scope = Literal[
    "me", "users:read", "users:write", "users:export", "users:admin", "webhooks", "events:read", "scim"
]
ALL_SCOPES: tuple[Scope, ...] = get_args(Scope)
MOST_SCOPES = len(ALL_SCOPES)
DEFAULT_SCOPES: tuple[Scope, ...] = ("me",)
IdentityScope = Literal["openid", "profile", "email", "phone", "address", "offline_access"]
"""OpenID Connect's scopes (Core, sections 5.4 and 11), which every user may give to a client."""
IDENTITY_SCOPES: tuple[IdentityScope, ...] = get_args(IdentityScope)
ClientScope = Literal[Scope, IdentityScope]
"""What a client may be given: rights over the directory, and what it is told of the user."""


def _fits_a_cell(text: str) -> str:
    if len(text) > CELL_LENGTH // 2 and len(text.encode("utf-16-le")) // 2 > CELL_LENGTH:
        msg = f"must be at most {CELL_LENGTH} UTF-16 units, the limit of a spreadsheet cell"
        raise ValueError(msg)
    return text


def not_blank(text: str) -> str:
    if texts.is_blank(text):
        msg = "must not be blank"
        raise ValueError(msg)
    return text


_LOCAL_PART = 64
"""In octets (RFC 5321, section 4.5.3.1.1)."""


def _email(text: str) -> str:
    typed = texts.trim(text)
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
    if len(typed.replace("\uff20", "@").rpartition("@")[0].encode()) > _LOCAL_PART:
        msg = f"must have at most {_LOCAL_PART} octets of UTF-8 before the @"
        raise ValueError(msg)
    return typed


_USERNAME_LENGTH = 64


def _username(text: str) -> str:
    typed = texts.trim(text)
    normal = unicodedata.normalize("NFKC", typed)
    if (
        not 0 < len(normal) <= _USERNAME_LENGTH
        or not is_identifier(normal, punctuation="._-")
        or normal[0] in ".-"
        or unicodedata.category(normal[0]).startswith("M")
    ):
        msg = "must be 1 to 64 letters, digits, dots, hyphens or underscores, and not begin with . or -"
        raise ValueError(msg)
    if mixes_look_alikes(normal):
        msg = "must not mix Latin letters with Greek, Cyrillic or others that look like them"
        raise ValueError(msg)
    return typed


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
    if texts.is_blank(text) or "," in text or ";" in text:
        msg = "must be 1 to 64 characters without commas, semicolons or line breaks"
        raise ValueError(msg)
    return text


def _distinct(items: list[str]) -> list[str]:
    if len(set(items)) != len(items):
        msg = "must not repeat an item"
        raise ValueError(msg)
    return items


def _blank_is_missing(value: Any) -> Any:
    """None for blank text, which forms send for empty fields: users have no blank values."""
    return None if isinstance(value, str) and texts.is_blank(value) else value


Held = dict[str, set[str]]
"""The stored values of a user, by field."""


def held(user: Mapping[str, Any]) -> Held:
    """The context of a validation: stored values stay valid even if the rules were different."""
    found: Held = {}
    for name, value in user.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                for inner, more in held(each).items():
                    found.setdefault(inner, set()).update(more)
            elif isinstance(each, str):
                found.setdefault(name, set()).add(each)
    return found


class Text(GroupedMetadata):
    """The rules of a text field: a stored value passes, any other is checked by each in turn."""

    def __init__(self, longest: int, *judges: Callable[[str], str], **schema: Any) -> None:
        self._longest = longest
        self._judges = judges
        self._schema = {"pattern": texts.PATTERN} | schema

    def __iter__(self) -> Iterator[object]:
        yield StringConstraints(max_length=self._longest)
        yield WrapValidator(self._judge)
        yield Field(json_schema_extra=self._schema)

    def _judge(self, value: Any, read: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        if info.context and isinstance(value, str) and value in info.context.get(info.field_name, ()):
            return value
        text = read(value)
        for judge in self._judges:
            text = judge(text)
        return text


Blank = BeforeValidator(_blank_is_missing)
_NO_COMMAS = f"[^,;{texts.CONTROLS}]*"
Line = Annotated[str, Text(128, texts.line)]
Street = Annotated[str, Text(256, texts.paragraphs)]
LONGEST_EMAIL = 320
Email = Annotated[str, Text(LONGEST_EMAIL, _email, format="email")]
Username = Annotated[str, Text(64, _username)]
Name = Annotated[str, Text(CELL_LENGTH, not_blank, texts.line, _fits_a_cell, minLength=1)]
Bio = Annotated[str, Text(CELL_LENGTH, texts.paragraphs, _fits_a_cell)]
Phone = Annotated[str, Text(40, phones.read, pattern=phones.PATTERN)]
AvatarURL = Annotated[str, Text(2048, texts.line, _url)]
Locale = Annotated[str, Text(35, texts.line, _locale, pattern=rf"^\s*({_LOCALE.pattern})?\s*$")]
Tag = Annotated[
    str, Text(64, texts.line, _tag, pattern=rf"^{_NO_COMMAS}[^\s,;{texts.CONTROLS}]{_NO_COMMAS}$")
]
_UNIQUE = Field(json_schema_extra={"uniqueItems": True})
Tags = Annotated[list[Tag], Field(max_length=50), AfterValidator(_distinct), _UNIQUE]
Scopes = Annotated[list[Scope], Field(max_length=MOST_SCOPES), AfterValidator(_distinct), _UNIQUE]
Activity = Annotated[bool, Field(strict=True)]
Age = Annotated[int, Field(strict=True, ge=0, le=150)]
