"""Compact serialisations of RFC 7515 and RFC 7516, read strictly: one text for one content.

Stricter than the JOSE libraries, so that no second spelling of a token or of a JWE gets past a check.
"""

import base64
from typing import Any

from app.core import strict_json
from app.core.errors import MalformedJSONError


def encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """ValueError where it is not the one base64url of its content, or has none."""
    content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if not content or encode(content) != text:  # padding, `+` and `/`, and bits past the last byte
        raise ValueError("not base64url")
    return content


def split(text: str, count: int) -> list[bytes]:
    """The parts decoded. ValueError unless there are `count` of them. Bound the length before."""
    parts = text.split(".")
    if len(parts) != count:
        raise ValueError("not a compact serialisation")
    return [decode(part) for part in parts]


def read_object(content: bytes) -> dict[str, Any]:
    """ValueError where it is no strict JSON object; duplicate members, NaN, huge integers count."""
    try:
        value = strict_json.parse(content)
    except MalformedJSONError:
        raise ValueError("not strict JSON") from None
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004  (the caller's data, not our types)
    return value
