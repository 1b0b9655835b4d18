"""Error handlers: the reply of each exception; nothing of a foreign exception leaves the process."""

from collections.abc import Callable
from typing import Any, cast

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pymongo import errors as mongo
from redis import exceptions as redis
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from app.core import field_errors
from app.core.errors import (
    InvalidError,
    MalformedJSONError,
    OAuthError,
    RosterError,
    TooLargeError,
    UnavailableError,
)
from app.database import driver_errors
from app.http import openapi, problems
from app.http.route_paths import find_methods
from app.monitoring.metrics import BACKEND_ERRORS

log = structlog.get_logger("roster.errors")

_MONGO_AWAY = (
    mongo.ConnectionFailure,
    mongo.CursorNotFound,
    mongo.ExecutionTimeout,
    mongo.WriteConcernError,
)
_COUNTED = {
    "MongoDB": (
        mongo.AutoReconnect,
        mongo.ExecutionTimeout,
        mongo.NetworkTimeout,
        mongo.NotPrimaryError,
        mongo.OperationFailure,
        mongo.ServerSelectionTimeoutError,
    ),
    "Redis": (redis.ConnectionError, redis.ReadOnlyError, redis.ResponseError, redis.TimeoutError),
}
"""The errors whose counters start at 0."""
for _backend, _errors in _COUNTED.items():
    for _error in _errors:
        BACKEND_ERRORS.labels(_backend, _error.__name__)
# Not errors of the query: stepping down, shutting down, no primary, lock or write conflict, disk full.
_MONGO_AWAY_CODES = frozenset(
    {24, 64, 89, 91, 112, 133, 189, 202, 262, 9001, 10107, 11600, 11602, 13435, 13436, 14031}
)


def install(app: FastAPI) -> None:
    """Answer every error of `app` as problem+json, and complete its OpenAPI document."""
    app.add_exception_handler(RosterError, _answer_own)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(mongo.PyMongoError, _answer_backend)
    app.add_exception_handler(redis.RedisError, _answer_backend)
    app.add_exception_handler(ClientDisconnect, _answer_gone)
    app.add_exception_handler(Exception, _answer_unknown)
    _document(app, app.openapi)


def _document(app: FastAPI, make: Callable[[], dict[str, Any]]) -> None:
    def make_document() -> dict[str, Any]:
        password_grant = getattr(app.state, "password_grant", True)
        return openapi.complete(problems.document(make()), password_grant=password_grant)

    app.openapi = make_document  # type: ignore[method-assign]  # FastAPI's documented way to extend its document


async def _answer_own(_: Request, error: Exception) -> Response:
    if isinstance(error, OAuthError):
        return problems.oauth_response(error)
    return problems.problem_response(cast("RosterError", error))


async def _answer_invalid(request: Request, error: Exception) -> Response:
    error = cast("RequestValidationError", error)
    found = error.errors()
    if found and found[0]["type"] == "json_invalid":
        return problems.problem_response(MalformedJSONError("The body is not JSON."))
    body_field = getattr(request.scope.get("route"), "body_field", None)
    model = body_field.field_info.annotation if body_field is not None else None
    fields = field_errors.from_request(found, error.body, model)
    return problems.problem_response(InvalidError(field_errors.summarise(found), errors=fields))


async def _answer_http(request: Request, error: Exception) -> Response:
    error = cast("HTTPException", error)
    headers = dict(error.headers or {})
    match error.status_code:
        case 404:
            return problems.problem_response(problems.NotFoundError("No route has this path."))
        case 405:
            headers["Allow"] = ", ".join(allowed := sorted(_allowed_methods(request)))
            detail = f"This path accepts {', '.join(allowed)}."
            return problems.problem_response(problems.MethodNotAllowedError(detail, headers=headers))
        case 413:
            return problems.problem_response(TooLargeError("The body is too large.", headers=headers))
        case status:
            return problems.status_response(status, headers)


def _allowed_methods(request: Request) -> set[str]:
    """The methods of all routes at this path; the framework names those of the first one only."""
    allowed = find_methods(request.app.routes, request.scope["path"])
    return allowed | {"HEAD"} if "GET" in allowed else allowed


def translate(error: Exception) -> RosterError:
    """What the caller is told of an exception; the rest of it goes to the log."""
    match error:
        case RosterError():
            return error
        case mongo.PyMongoError():
            return _translate_mongo(error)
        case redis.RedisError():
            return _unavailable("Redis", error)
        case _:
            return problems.internal_error(error)


async def _answer_backend(_: Request, error: Exception) -> Response:
    return problems.problem_response(translate(error))


def _translate_mongo(error: mongo.PyMongoError) -> RosterError:
    """503, as the outcome is unknown; unforeseen ones are logged with a traceback."""
    if _is_away(error):
        return _unavailable("MongoDB", error)
    BACKEND_ERRORS.labels("MongoDB", type(error).__name__).inc()
    log.error("mongodb_error", exc_info=error)
    return UnavailableError("MongoDB refused the operation: try again.")


def _is_away(error: mongo.PyMongoError) -> bool:
    return (
        error.timeout
        or isinstance(error, _MONGO_AWAY)
        or error.has_error_label("RetryableWriteError")
        or error.has_error_label("TransientTransactionError")
        or getattr(error, "code", None) in _MONGO_AWAY_CODES
    )


def _unavailable(name: str, error: Exception) -> RosterError:
    BACKEND_ERRORS.labels(name, type(error).__name__).inc()
    log.warning("backend_unavailable", backend=name, error=type(error).__name__, reason=str(error)[:500])
    is_answer = name == "Redis" and driver_errors.is_refusal(error)
    what = "refused the operation" if is_answer else "did not answer in time"
    return UnavailableError(f"{name} {what}: try again.")


async def _answer_gone(_: Request, __: Exception) -> Response:
    """Answer nobody: the client left before its body was complete, as the access log shows."""
    return problems.problem_response(problems.MalformedRequestError("The body is incomplete."))


async def _answer_unknown(_: Request, error: Exception) -> Response:
    return problems.internal_error_response(error)
