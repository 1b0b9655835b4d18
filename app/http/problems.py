"""Problem replies (RFC 9457) of errors, and their part of the OpenAPI document."""

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus, client
from typing import Any

import orjson
import structlog
from pydantic import BaseModel
from starlette.responses import Response

from app.core import errors as e
from app.core.catalogue import Language
from app.http import languages
from app.monitoring.logs import REQUEST_ID
from models.account import OwnPatch
from models.audit import AuditEntry, AuditPage
from models.batch import Batch, BatchOutput
from models.bulk import BulkList, BulkPlan
from models.client import ClientOutput, ClientPage, ClientPatch, NewClientOutput
from models.delivery import DeliveryOutput, DeliveryPage
from models.export_job import ExportOutput, ExportPage
from models.imports import ImportList, ImportPlan
from models.job import JobOutput, JobPage
from models.listing import UserPage
from models.mail import MailOutput, MailPage
from models.opaque_token import NewOpaqueToken, OpaqueTokenList
from models.problem import MEDIA_TYPE, Problem, ProblemError
from models.provisioned import LinkPage
from models.schedule import ScheduleOutput, SchedulePage
from models.statistics import Statistics
from models.token import OAuthProblem
from models.user import UserInput, UserOutput, UserPatch
from models.view import ViewPage
from models.webhook import NewWebhook, WebhookKeys, WebhookOutput, WebhookPage, WebhookTest

log = structlog.get_logger("roster.errors")

_MAX_DETAIL = 500
_FIRST_ERROR = 400


class NotFoundError(e.RosterError):
    """No route has this path; a missing user is UserNotFoundError."""

    status = 404
    code = "not_found"
    title = "Nothing is here"


class MethodNotAllowedError(e.RosterError):
    status = 405
    code = "method_not_allowed"
    title = "The path does not accept this method"


class MalformedRequestError(e.RosterError):
    status = 400
    code = "malformed_request"
    title = "The request is not proper HTTP"


class URITooLongError(e.RosterError):
    status = 414
    code = "uri_too_long"
    title = "The request line is too long"


class HeadersTooLargeError(e.RosterError):
    status = 431
    code = "headers_too_large"
    title = "The headers are too large"


class UnknownHTTPError(e.RosterError):
    status = 501
    code = "not_implemented"
    title = "The method or the transfer coding is unknown"


class HTTPVersionError(e.RosterError):
    status = 505
    code = "http_version_not_supported"
    title = "The HTTP version is not supported"


class BodyTooSlowError(e.RosterError):
    status = 408
    code = "body_too_slow"
    title = "The body did not arrive in time"


class MisdirectedError(e.RosterError):
    """The request's host is not ours: a page may have pointed its name at this address (DNS rebinding)."""

    status = 421
    code = "host_not_allowed"
    title = "The service is not reached under this name"


BODY: tuple[type[e.RosterError], ...] = (
    e.MalformedJSONError,
    e.TooLargeError,
    e.UnsupportedMediaTypeError,
    e.InvalidError,
)
"""The errors of every operation with a JSON body."""


SIGNED_IN: tuple[type[e.RosterError], ...] = (
    e.UnauthenticatedError,
    e.InvalidTokenError,
    e.ExpiredTokenError,
    e.SessionExpiredError,
    e.SessionRevokedError,
    e.SessionDisplacedError,
    e.RefreshTokenReusedError,
    e.UnavailableError,
)
"""The errors of every operation that needs a token."""


PROTECTED: tuple[type[e.RosterError], ...] = (*SIGNED_IN, e.InsufficientScopeError)
"""The errors of every operation that needs a token with a scope."""


PAGED: tuple[type[e.RosterError], ...] = (e.InvalidError, e.InvalidCursorError, e.ExpiredCursorError)
"""The errors of every list that comes in pages."""


class ProblemResponse(Response):
    media_type = MEDIA_TYPE


def problem_response(error: e.RosterError) -> ProblemResponse:
    """The reply for `error`; also an ASGI app, for use outside any route."""
    content = describe(error)
    return ProblemResponse(orjson.dumps(content), error.status, error.headers)


def internal_error(error: BaseException) -> e.RosterError:
    """What the caller is told of an unforeseen exception, which goes to the log: only the request's id."""
    log.error("internal_error", exc_info=error)
    return e.RosterError("Something broke on our side; the request_id finds it in the log.")


def internal_error_response(error: BaseException) -> ProblemResponse:
    return problem_response(internal_error(error))


def read(content: bytes) -> e.RosterError:
    """The error of a problem's body, without its headers and fields."""
    told = orjson.loads(content)
    return _make(told["status"], told["code"], told["title"], told["detail"])


def status_response(status: int, headers: dict[str, str] | None) -> Response:
    """The reply for a bare HTTP status without an error class of ours."""
    if status < _FIRST_ERROR:
        return Response(status_code=status, headers=headers)
    return problem_response(_bare(status, headers))


def _bare(status: int, headers: dict[str, str] | None) -> e.RosterError:
    phrase = client.responses.get(status, "Unknown error")
    name = "_".join(re.findall("[a-z]+", phrase.lower().replace("'", "")))
    return _make(status, name, phrase, f"{phrase}.", headers)


def _make(
    status: int, code: str, title: str, detail: str, headers: dict[str, str] | None = None
) -> e.RosterError:
    kind = type("BareError", (e.RosterError,), {"status": status, "code": code, "title": title})
    error: e.RosterError = kind(detail, headers=headers)
    return error


def describe(error: e.RosterError) -> dict[str, object]:
    """The members of the problem (RFC 9457, section 3.1), in the language of the current request."""
    return _describe(error, languages.say(*_texts(error)), REQUEST_ID.get())


def describe_in(language: Language, error: e.RosterError, *, request_id: str) -> dict[str, object]:
    """The same outside of a request."""
    said, _ = languages.say_in(language, *_texts(error))
    return _describe(error, said, request_id)


def _texts(error: e.RosterError) -> list[str]:
    return [error.title, error.detail, *(bad.detail for bad in error.errors)]


def _describe(error: e.RosterError, said: Sequence[str], request_id: str) -> dict[str, object]:
    title, detail, *details = said
    return {
        "type": f"urn:roster:problem:{error.code}",
        "title": title,
        "status": error.status,
        "detail": _clean(detail),
        "code": error.code,
        "request_id": request_id,
        "errors": [_error_content(*pair) for pair in zip(error.errors, details, strict=True)],
    }


def describe_kept(error: Mapping[str, Any], *, request_id: str) -> dict[str, object]:
    """The members of a problem that a job has stored, in the language of the current request."""
    title, detail, *details = languages.say(
        error["title"], error["detail"], *(bad["detail"] for bad in error["errors"])
    )
    return {
        "type": f"urn:roster:problem:{error['code']}",
        **error,
        "title": title,
        "detail": _clean(detail),
        "errors": [{**bad, "detail": text} for bad, text in zip(error["errors"], details, strict=True)],
        "request_id": request_id,
    }


def _error_content(bad: e.FieldError, detail: str) -> dict[str, str]:
    places = {"pointer": bad.pointer, "parameter": bad.parameter}
    known = {name: _clean(place) for name, place in places.items() if place is not None}
    return {"detail": _clean(detail), **known}


def _clean(text: str) -> str:
    """`text`, bounded, without NUL, and encodable whatever it quotes."""
    return text[:_MAX_DETAIL].replace("\0", "\ufffd").encode(errors="replace").decode()


# --- the OpenAPI document -------------------------------------------------------------------------------

_OAUTH_TYPE = "application/json"
_EXAMPLED = (
    AuditEntry, AuditPage, Batch, BatchOutput, BulkList, BulkPlan, ClientOutput, ClientPage,
    ClientPatch, ExportOutput, ExportPage, ImportList, ImportPlan, JobOutput, JobPage, MailOutput,
    DeliveryOutput, DeliveryPage, NewWebhook, WebhookKeys, WebhookOutput, WebhookPage, WebhookTest,
    MailPage, NewClientOutput, NewOpaqueToken, OpaqueTokenList, OwnPatch, ScheduleOutput, SchedulePage,
    LinkPage, Statistics, UserInput, UserOutput, UserPage, UserPatch, ViewPage,
)  # fmt: skip
"""Schemas whose examples may have nulls."""

_EXAMPLES: dict[type[e.RosterError], e.RosterError] = {
    type(example): example
    for example in (
        e.RosterError("Something broke on our side; the request_id finds it in the log."),
        e.InvalidError(
            "2 values are not valid.",
            errors=(
                e.FieldError("Must be at least 0.", pointer="/profile/age"),
                e.FieldError("There is no field of this name here.", pointer="/nmae"),
            ),
        ),
        e.MalformedJSONError('The key "email" occurs twice in one object.'),
        e.InvalidCursorError("The cursor belongs to another filter or sort: begin at the first page."),
        e.ExpiredCursorError("The cursor is older than a day: begin at the first page."),
        e.UserNotFoundError("No user has the id 6650c5f2e1b7a3d4c9f01234."),
        e.UniqueConflictError(
            "Another user has this email.",
            errors=(e.FieldError("Another user has this email.", pointer="/email"),),
        ),
        e.WriteConflictError("Others changed the user at each try: send the request again."),
        e.PreconditionFailedError('The user is at version "7": read it again.'),
        e.TooLargeError("The body may have at most 1048576 bytes."),
        e.UnsupportedMediaTypeError("Send application/json."),
        e.InsufficientScopeError("users:write"),
        e.InvalidCodeError(),
        e.ThrottledError(8),
        e.QueryTooExpensiveError("The query took over 2000 ms: add a filter on email, phone or department."),
        e.PreconditionRequiredError("Send If-Match with the version that you read."),
        e.UnavailableError("MongoDB did not answer in time: try again."),
        NotFoundError("No route has this path."),
    )
}


def responses(*errors: type[e.RosterError]) -> dict[int | str, dict[str, Any]]:
    """FastAPI's `responses=` of an operation with these errors, and 500, with one example for each code."""
    documented: dict[int | str, dict[str, Any]] = {}
    kinds: set[type[e.RosterError]] = {*errors, e.RosterError}
    for error in sorted(kinds, key=lambda error: (error.status, error.code)):
        example = _EXAMPLES.get(error) or error(f"{error.title}.")
        entry = documented.setdefault(error.status, {"description": "", "content": {MEDIA_TYPE: _media()}})
        entry["description"] = "; ".join(filter(None, (entry["description"], error.title)))
        entry["content"][MEDIA_TYPE]["examples"][error.code] = {
            "summary": error.title,
            "value": describe_in("en", example, request_id="8c2f61d09b3e47a5"),
        }
    return documented


def oauth_responses(*errors: type[e.OAuthError]) -> dict[int | str, dict[str, Any]]:
    """FastAPI's `responses=` of an endpoint of RFC 6749 with these errors, and the common ones."""
    documented: dict[int | str, dict[str, Any]] = {}
    kinds: tuple[type[e.OAuthError], ...] = (e.OAuthError, e.InvalidClientError, *errors)
    for error in kinds:
        entry = documented.setdefault(
            error.status,
            {"model": OAuthProblem, "description": "", "content": {_OAUTH_TYPE: {"examples": {}}}},
        )
        entry["description"] = "; ".join(filter(None, (entry["description"], error.title)))
        example = {"summary": error.title, "value": _describe_oauth(error(f"{error.title}."))}
        entry["content"][_OAUTH_TYPE]["examples"][error.code] = example
    return documented | responses(e.TooLargeError, e.ThrottledError, e.UnavailableError)


def registration_responses(*errors: type[e.OAuthError]) -> dict[int | str, dict[str, Any]]:
    """FastAPI's `responses=` of an endpoint of RFC 7591 with these errors and those of a body in JSON."""
    documented = oauth_responses(*errors)
    del documented[HTTPStatus.UNAUTHORIZED]
    documented[HTTPStatus.BAD_REQUEST]["content"][_OAUTH_TYPE]["examples"].pop(e.OAuthError.code)
    return documented | responses(e.UnsupportedMediaTypeError)


def oauth_response(error: e.OAuthError) -> Response:
    """The reply of RFC 6749, section 5.2, which OAuth clients need instead of problem+json."""
    return Response(orjson.dumps(_describe_oauth(error)), error.status, error.headers, _OAUTH_TYPE)


def _describe_oauth(error: e.OAuthError) -> dict[str, str]:
    return {"error": error.code, "error_description": _clean(error.detail)}


def _media() -> dict[str, Any]:
    return {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}


def document(schema: dict[str, Any]) -> dict[str, Any]:
    """Put our problem in place of FastAPI's 422 in `schema` (an OpenAPI document, changed in place).

    Doing it twice changes nothing more: FastAPI caches its document.
    """
    schemas: dict[str, Any] = schema.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for model in (Problem, ProblemError):
        made = model.model_json_schema(ref_template="#/components/schemas/{model}")
        made.pop("$defs", None)
        schemas[model.__name__] = made
    schema["components"].setdefault("securitySchemes", {})["Client"] = {
        "type": "http",
        "scheme": "basic",
        "description": "A registered client: id and secret, form-urlencoded (RFC 6749, section 2.3.1).",
    }
    schema["components"]["securitySchemes"]["Registration"] = {
        "type": "http",
        "scheme": "bearer",
        "description": "The registration access token of a client that registered itself (RFC 7592).",
    }
    for shape in _EXAMPLED:
        if "examples" in schemas.get(shape.__name__, {}):  # FastAPI drops nulls from examples
            schemas[shape.__name__]["examples"] = _examples(shape)
    for operation in _operations(schema):
        reply = operation.get("responses", {}).get("422", {})
        if "application/json" in reply.get("content", {}):
            operation["responses"]["422"] = responses(e.InvalidError)[422]
    return schema


def _examples(shape: type[BaseModel]) -> Any:
    extra = shape.model_config.get("json_schema_extra")
    return extra["examples"] if isinstance(extra, dict) else []


def _operations(schema: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for path in schema.get("paths", {}).values():
        yield from (operation for operation in path.values() if isinstance(operation, dict))
