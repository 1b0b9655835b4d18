"""The values a user is made of, each with what is allowed and the sentence that says so."""

import re
import unicodedata
from typing import Annotated, Any, Literal, get_args

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BeforeValidator,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from models.letters import INVISIBLE, is_identifier, mixes_look_alikes

CELL_LENGTH = 32_767
"""UTF-16 units that a spreadsheet cell holds; no text of a user is longer, so no export cuts one."""

PLAIN = r"^[^\x00]*$"
"""No NUL: none gets in, by JSON (`app.strict_json`), form (`app.oauth_forms`), query or file."""

Scope = Literal["me", "users:read", "users:write", "users:export", "users:admin"]
ALL_SCOPES: tuple[Scope, ...] = get_args(Scope)
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
_LOOSE = f"{_PHONE_PUNCTUATION.pattern}*"
_PUNCTUATED = f"^({_LOOSE}[+]{_LOOSE}[1-9]({_LOOSE}[0-9]){{6,14}}{_LOOSE})?$"


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
_PRINTABLE = Field(json_schema_extra={"pattern": _CONTROL.pattern.replace("[", "^[^", 1) + "*$"})
_PLAIN = Field(json_schema_extra={"pattern": PLAIN})
Line = Annotated[str, StringConstraints(max_length=128), AfterValidator(_printable), _PRINTABLE]
Street = Annotated[str, StringConstraints(max_length=256), AfterValidator(_printable), _PRINTABLE]
Email = Annotated[
    str,
    StringConstraints(max_length=320),
    AfterValidator(_email),
    Field(json_schema_extra={"format": "email"}),
]
Username = Annotated[str, StringConstraints(max_length=64), AfterValidator(_username), _PLAIN]
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=CELL_LENGTH),
    AfterValidator(_not_blank),
    AfterValidator(_fits_a_cell),
    Field(json_schema_extra={"pattern": r"\S"}),
]
Bio = Annotated[str, StringConstraints(max_length=CELL_LENGTH), AfterValidator(_fits_a_cell), _PLAIN]
Phone = Annotated[
    str,
    StringConstraints(max_length=40),
    AfterValidator(_phone),
    Field(json_schema_extra={"pattern": _PUNCTUATED}),
]
AvatarURL = Annotated[str, StringConstraints(max_length=2048), AfterValidator(_url), _PLAIN]
Locale = Annotated[
    str,
    StringConstraints(max_length=35),
    AfterValidator(_locale),
    Field(json_schema_extra={"pattern": f"^({_LOCALE.pattern})?$"}),
]
Tag = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(_tag),
    Field(json_schema_extra={"pattern": r"^[^,;]*[^\s,;][^,;]*$"}),
]
_UNIQUE = Field(json_schema_extra={"uniqueItems": True})
Tags = Annotated[list[Tag], Field(max_length=50), AfterValidator(_distinct), _UNIQUE]
Scopes = Annotated[list[Scope], Field(max_length=5), AfterValidator(_distinct), _UNIQUE]
Activity = Annotated[bool, Field(strict=True)]
Age = Annotated[int, Field(strict=True, ge=0, le=150)]
