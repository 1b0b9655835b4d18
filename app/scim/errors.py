"""Errors of ours as those of SCIM (RFC 7644, section 3.12)."""

from http import HTTPStatus
from typing import Any, Final

from app.core.errors import InsufficientScopeError, RosterError

SCHEMA: Final = "urn:ietf:params:scim:api:messages:2.0:Error"
_TYPES: Final = {
    "query_too_expensive": "tooMany",
    "already_exists": "uniqueness",
    "validation_failed": "invalidValue",
}


def describe(error: RosterError) -> tuple[int, dict[str, Any]]:
    """Status and body of an error; the body has `status` as text."""
    status = HTTPStatus.BAD_REQUEST if error.status == HTTPStatus.UNPROCESSABLE_ENTITY else error.status
    kind = _TYPES.get(error.code)
    if any(each.parameter == "filter" for each in error.errors):
        kind = "invalidFilter"
    told = [
        f"{each.pointer}: {each.detail}" if each.pointer is not None else each.detail for each in error.errors
    ]
    body = {
        "schemas": [SCHEMA],
        "status": str(int(status)),
        "scimType": kind,
        "detail": " ".join([error.detail, *told]),
    }
    return int(status), {name: value for name, value in body.items() if value is not None}


class ClientNeededError(InsufficientScopeError):
    """A person's token, where only clients that act as themselves are served."""

    def __init__(self, detail: str) -> None:
        super().__init__("scim", detail)
