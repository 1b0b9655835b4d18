"""Pydantic's errors as field errors: where, and what would be right, never the value that was sent."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from app.core.errors import FieldError
from app.core.field_names import find_names
from app.core.near_names import find_near
from models.values import PLAIN

MAX_ERRORS = 50
_MAX_NAME = 64
_MAX_DETAIL = 200

_INTEGER = "Must be an integer."
_DATE_TIME = "Must be a date and time with its zone, such as 2026-01-31T12:00:00Z."
_DATE = "Must be a date, such as 2026-01-31."
_BOOLEAN = "Must be true or false."
_NUMBER = "Must be a finite number."
_OBJECT = "Must be an object."
_URL = "Must be an absolute URL, such as https://example.com/ana.png."

_SENTENCES = {
    "bool_parsing": _BOOLEAN,
    "bool_type": _BOOLEAN,
    "date_from_datetime_inexact": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_parsing": _DATE,
    "date_type": _DATE,
    "datetime_from_date_parsing": _DATE_TIME,
    "datetime_object_invalid": _DATE_TIME,
    "datetime_parsing": _DATE_TIME,
    "datetime_type": _DATE_TIME,
    "dict_type": _OBJECT,
    "enum": "Must be one of {expected}.",
    "extra_forbidden": "There is no field of this name here.",
    "finite_number": _NUMBER,
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "greater_than": "Must be greater than {gt}.",
    "greater_than_equal": "Must be at least {ge}.",
    "int_from_float": _INTEGER,
    "int_parsing": _INTEGER,
    "int_parsing_size": _INTEGER,
    "int_type": _INTEGER,
    "less_than": "Must be less than {lt}.",
    "less_than_equal": "Must be at most {le}.",
    "list_type": "Must be an array.",
    "literal_error": "Must be {expected}.",
    "missing": "This is required.",
    "model_attributes_type": _OBJECT,
    "model_type": _OBJECT,
    "none_required": "Must be null.",
    "string_too_long": "Must have at most {max_length} characters.",
    "string_too_short": "Must have at least {min_length} characters.",
    "string_type": "Must be a string.",
    "string_unicode": "Must be a string without halves of surrogate pairs.",
    "timezone_aware": _DATE_TIME,
    "too_long": "Must have at most {max_length} items.",
    "too_short": "Must have at least {min_length} items.",
    "union_tag_invalid": "Its field {discriminator} must be one of {expected_tags}.",
    "union_tag_not_found": "Its field {discriminator} is required.",
    "url_parsing": _URL,
    "url_scheme": "Must be a URL that begins with {expected_schemes}.",
    "url_syntax_violation": _URL,
    "url_too_long": "Must be a URL of at most {max_length} characters.",
    "url_type": _URL,
}


_ID = "Must be an id: 24 hexadecimal digits."
PATTERNS = {
    "^[0-9a-fA-F]{24}$": _ID,
    "^[0-9a-f]{24}$": _ID,
    r"^([^\x00]*,)?[0-9a-fA-F]{24}$": "Must be a value, a comma and an id, or an id alone.",
    "^[a-z_.]+$": "Must be a name of a field: lower-case letters, underscores and dots.",
    "^[0-9a-f]{64}$": "Must be an id: 64 hexadecimal digits, as in the list.",
    "^[0-9a-fA-F]{64}$": "Must be a SHA-256: 64 hexadecimal digits.",
    "^[A-Za-z0-9_.-]*$": "Must be a compact JWE: letters, digits, dots, hyphens and underscores.",
    "^[A-Za-z0-9._~-]*$": "Must be a token as it was given: letters, digits, and . _ ~ -.",
    "^[A-Za-z0-9_-]{43}$": "Must be the 43 characters after `token=` in the link of the mail.",
    "^[0-9]{3} ?[0-9]{3}$": "Must be the six digits of the mail.",
    "^https?://[^/?#@ ]+([/?][^# ]*)?$": "Must be an http or https URL without user, password and fragment.",
    "^[A-Za-z0-9-]{1,64}$": "Must be the name of a header: letters, digits and hyphens.",
    "^[!-~]([ -~]{0,1022}[!-~])?$": "Must be visible ASCII characters, 1,024 at most, spaces only between.",
    "^[!-~]+$": "Must be visible ASCII characters without spaces.",
    r"^[^\x00-\x1f]*$": "Must not contain control characters.",
    PLAIN: "Must not contain the character NUL.",
}
"""What each pattern asks for, in words."""
_CHOICES = re.compile("'([^']*)'")


def from_validation(error: ValidationError, document: object, model: Any = None) -> tuple[FieldError, ...]:
    """The field errors of `document`, which failed to validate; at most 50.

    With the model, the error of an unknown field names the field that was probably meant.
    """
    found = error.errors(include_url=False, include_input=False)
    return _distinct([_in_body(each["loc"], each, document, model) for each in found[:MAX_ERRORS]])


def from_request(
    errors: Sequence[Mapping[str, Any]], body: object, model: Any = None
) -> tuple[FieldError, ...]:
    """The same for FastAPI's errors, whose first step says in which part of the request; at most 50."""
    return _distinct([_in_request(each, body, model) for each in errors[:MAX_ERRORS]])


def summarise(errors: Sequence[object]) -> str:
    if len(errors) > MAX_ERRORS:
        return f"{len(errors)} values are not valid; the first {MAX_ERRORS} are listed."
    return "1 value is not valid." if len(errors) == 1 else f"{len(errors)} values are not valid."


def _distinct(errors: list[FieldError]) -> tuple[FieldError, ...]:
    """The errors without repetitions: branches of a union complain alike about one place."""
    return tuple(dict.fromkeys(errors))


def _in_request(error: Mapping[str, Any], body: object, model: Any) -> FieldError:
    part, *path = error["loc"]
    if part == "body":
        return _in_body(path, error, body, model)
    near = _find_near(path, error, body, error["model"]) if "model" in error else None
    is_unknown = error["type"] == "extra_forbidden"
    sentence = "There is no parameter of this name here." if is_unknown else _sentence(error)
    return FieldError(_join(sentence, near), parameter=_clip(str(path[0]) if path else str(part), _MAX_NAME))


def _in_body(path: Sequence[int | str], error: Mapping[str, Any], document: object, model: Any) -> FieldError:
    sentence = _join(_sentence(error), _find_near(path, error, document, model))
    return FieldError(sentence, pointer=_point(path, document, missing=error["type"] == "missing"))


def _join(sentence: str, near: str | None) -> str:
    if near is None:
        return _clip(sentence, _MAX_DETAIL)
    if len(sentence) < _MAX_DETAIL / 2:
        return _clip(f"{sentence} Did you mean `{near}`?", _MAX_DETAIL)
    return _clip(f"Did you mean `{near}`? {sentence}", _MAX_DETAIL)


def _find_near(
    path: Sequence[int | str], error: Mapping[str, Any], document: object, model: Any
) -> str | None:
    """The known name or choice that was probably meant."""
    near: list[str] = []
    if error["type"] == "extra_forbidden" and model is not None:
        near = find_near(str(path[-1]), find_names(model, path[:-1]))
    elif error["type"] == "literal_error" and isinstance(written := _value(path, document), str):
        near = find_near(written, _CHOICES.findall(error["ctx"]["expected"]))
    return near[0] if near else None


def _value(path: Sequence[int | str], document: object) -> object:
    for step in path:
        known, value = _look(document, step)
        document = value if known else document
    return document


def _point(path: Sequence[int | str], document: object, *, missing: bool) -> str:
    """RFC 6901 pointer; steps that lead nowhere in `document` name a union's branch or a validator."""
    pointer = ""
    for index, step in enumerate(path):
        known, value = _look(document, step)
        if known:
            document = value
        elif not (missing and index == len(path) - 1):
            continue
        pointer += "/" + _clip(str(step), _MAX_NAME).replace("~", "~0").replace("/", "~1")
    return pointer


def _look(document: object, step: int | str) -> tuple[bool, object]:
    if isinstance(document, Mapping) and step in document:
        return True, document[step]
    if isinstance(document, list) and isinstance(step, int) and step < len(document):
        return True, document[step]
    return False, None


def _sentence(error: Mapping[str, Any]) -> str:
    kind, message = str(error["type"]), str(error["msg"])
    if kind == "string_pattern_mismatch":
        return PATTERNS.get(error["ctx"]["pattern"], "Must have another form.")
    if kind in _SENTENCES:
        return _clip(_SENTENCES[kind].format_map(error.get("ctx") or {}), _MAX_DETAIL)
    if message.startswith("value is not a valid email address"):  # its reason quotes the address
        return "Must be an e-mail address, such as ana@example.com."
    message = message.removeprefix("Value error, ").replace("Input should", "Must", 1)
    return _clip(message.replace("Must be a valid", "Must be a", 1), _MAX_DETAIL).rstrip(".") + "."


def _clip(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
