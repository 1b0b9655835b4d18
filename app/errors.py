"""Everything that can go wrong, each with its fixed status, code and title.

The wire form is RFC 9457 (`app.error_handlers`); below the routers only these classes are raised.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One bad field: a JSON pointer (RFC 6901) into the body, or a query parameter's name."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None


class RosterError(Exception):
    """Base of every error that reaches a caller; subclasses fix what it means."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"

    def __init__(
        self, detail: str, *, errors: tuple[FieldError, ...] = (), headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}


class InvalidError(RosterError):
    status = 422
    code = "validation_failed"
    title = "The request is not valid"


class MalformedJSONError(RosterError):
    status = 400
    code = "malformed_json"
    title = "The body is not strict JSON"


class InvalidCursorError(RosterError):
    status = 400
    code = "invalid_cursor"  # RFC 9865's name
    title = "The cursor is not one of ours for this query"


class ExpiredCursorError(RosterError):
    status = 400
    code = "expired_cursor"  # RFC 9865's name
    title = "The cursor has expired"


class UserNotFoundError(RosterError):
    status = 404
    code = "user_not_found"
    title = "No such user"


class NotAcceptableError(RosterError):
    status = 406
    code = "not_acceptable"
    title = "No format that you accept"


class UniqueConflictError(RosterError):
    status = 409
    code = "already_exists"
    title = "The value belongs to another user"


class WriteConflictError(RosterError):
    status = 409
    code = "write_conflict"
    title = "Others kept changing this user"


class PreconditionFailedError(RosterError):
    status = 412
    code = "version_mismatch"
    title = "The user has changed since"


class TooLargeError(RosterError):
    status = 413
    code = "body_too_large"
    title = "The body is too large"


class UnsupportedMediaTypeError(RosterError):
    status = 415
    code = "unsupported_media_type"
    title = "The body's media type is not understood"


class QueryTooExpensiveError(RosterError):
    status = 422
    code = "query_too_expensive"
    title = "The query would take too long"


class PreconditionRequiredError(RosterError):
    status = 428
    code = "if_match_required"
    title = "Say which version you are changing"


class UnavailableError(RosterError):
    """A backend did not answer within its budget; nothing is known to have been done."""

    status = 503
    code = "unavailable"
    title = "A backend is not answering"

    def __init__(self, detail: str, *, retry_after: int = 1) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class BusyError(UnavailableError):
    code = "too_many_exports"
    title = "Enough exports are running"


class StartError(Exception):
    """The process must not start; the message is one sentence that says what to do."""
