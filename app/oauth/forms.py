"""The forms of OAuth: application/x-www-form-urlencoded in UTF-8, read strictly (RFC 6749, appendix B).

Its sentences use only characters that `error_description` allows (section 5.2): no quotes, no backslash.
"""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote_to_bytes

from app.core.errors import InvalidScopeError, OAuthError
from app.core.near_names import find_near
from models.values import ALL_SCOPES, IDENTITY_SCOPES

MEDIA_TYPE = "application/x-www-form-urlencoded"
MAX_PARAMETERS = 30
USER_SCOPES: Sequence[str] = ALL_SCOPES
EVERY_SCOPE: Sequence[str] = (*ALL_SCOPES, *IDENTITY_SCOPES)
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_SHOWN_NAME = re.compile(r"[A-Za-z0-9._-]{1,40}")  # the characters of section 8.2


def parse(body: bytes, content_type: str) -> dict[str, str]:
    """The parameters that have a value. OAuthError says what is wrong, and repeats no value.

    An empty value counts as none (section 3.2). A name that occurs twice is refused, whatever the values.
    """
    if not is_form(content_type):
        raise OAuthError(f"Send the parameters as {MEDIA_TYPE}.")
    parameters: dict[str, str] = {}
    for piece in _pieces(body):
        name, value = (_decode(part) for part in piece.partition(b"=")[::2])
        if name in parameters:
            shown = f"The parameter {name}" if _SHOWN_NAME.fullmatch(name) else "A parameter"
            raise OAuthError(f"{shown} occurs twice.")
        parameters[name] = value
    return {name: value for name, value in parameters.items() if value}


def is_form(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == MEDIA_TYPE


def _pieces(body: bytes) -> list[bytes]:
    if body.count(b"&") <= MAX_PARAMETERS:  # a megabyte of separators would take 8 MB
        pieces = [piece for piece in body.split(b"&") if piece]
        if len(pieces) <= MAX_PARAMETERS:
            return pieces
    raise OAuthError(f"Send at most {MAX_PARAMETERS} parameters.")


def _decode(encoded: bytes) -> str:
    try:
        return unquote(encoded)
    except ValueError:
        raise OAuthError("The form is not percent-encoded UTF-8 without NUL.") from None


def unquote(encoded: bytes) -> str:
    """A form-decoded name or value. ValueError: bad escapes, not UTF-8, or a NUL."""
    text = unquote_to_bytes(encoded.replace(b"+", b" ")).decode()
    if _BAD_ESCAPE.search(encoded) or "\0" in text:
        raise ValueError
    return text


def require(parameters: Mapping[str, str], name: str) -> str:
    if name not in parameters:
        raise OAuthError(f"The parameter {name} is missing.")
    return parameters[name]


def scope(text: str | None, known: Sequence[str] = USER_SCOPES) -> frozenset[str] | None:
    """The requested scopes (section 3.3: names with one space between), or None.

    InvalidScopeError: one is not among the `known`.
    """
    if text is None:
        return None
    names = frozenset(text.split(" "))
    if unknown := sorted(names.difference(known)):
        near = find_near(unknown[0], known)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise InvalidScopeError(f"{hint}Send scopes with one space between, out of: {' '.join(known)}.")
    return names
