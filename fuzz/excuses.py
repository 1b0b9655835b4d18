"""What no check may count as a finding, each with its reason; whatever is not told here is one."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

FIRST_ERROR = 400
UNAUTHORIZED = 401
_INVALID = 422
ENDED = frozenset({"session_revoked", "token_expired", "session_expired"})
"""Codes of a token that was good once."""

_LONGEST_URL = 60_000
"""Bytes; some more and the HTTP parser refuses the head (400 or 431) before there is an operation."""
_ENTITY_TAGS = frozenset({"if-match", "if-none-match"})
_NOTHING = re.compile("/None(/|[?]|$)")
_SCHEMA_SAYS = re.compile(
    "This is required|Must match the pattern|Must be (one of|a string|an array|an object|null|true or false)"
    "|Must be at (least|most) [0-9]+[.]$|There is no (field|parameter) of this name"
)
"""How a refusal begins for which the schema has words, so that no valid value should meet it."""

_BY_CODE = {
    "invalid_cursor": "A cursor is text, and good if the service made it for this query.",
    "foreign_page": "Only browsers say which page asks.",
    "not_signed_in": "A cookie is good if a browser got it by a sign-in.",
    "idempotency_key_reused": "Whether a key is new depends on what was sent before.",
    "too_many_exports": "How many wait is a matter of the moment; the reply says when to try again.",
    "body_too_large": "How long a file may be that is announced is a setting.",
    "unreadable_file": "What stands in a file is no matter of a schema: a heading without rows, say.",
    "unsupported_picture": "Whether bytes are a picture is no matter of a schema.",
    "unreadable_picture": "Whether a picture is whole is no matter of a schema.",
    "unsupported_file": "Whether bytes are a spreadsheet is no matter of a schema: these are a PDF, say.",
}
"""Codes that tell nothing of the form of a request."""

_LINE = "must be one line, and hold nothing unseen but joiners that join"
FINER = {
    **dict.fromkeys(("title", "department", "label", "city", "region", "zipcode", "country"), _LINE),
    **dict.fromkeys(("bio", "street"), "must hold nothing unseen but joiners that join"),
    "phone": "must have as many digits as numbers of its country have",
    "name": f"must hold something that can be seen; {_LINE}",
    "email": "must be an address as RFC 5322 and IDNA have it, under no special name such as arpa",
    "username": "must be letters of one script",
    "avatar_url": "must be a URL that a browser would open",
    "tags": "must hold no control character, and none twice without the spaces around it",
    "password": "must be none of the common ones, and stand without password_jwe",
    "password_jwe": "must be sealed with a key that the service made",
    "password_hash": "must be one of the hashes that are understood",
    "current_password": "must stand without current_password_jwe",
    "current_password_jwe": "must be sealed with a key that the service made",
    "new_password": "must be none of the common ones, and stand without new_password_jwe",
    "new_password_jwe": "must be sealed with a key that the service made",
    "token": "must be given, or email and code in place of it",
    "scopes": "must be among those of the caller's own token",
    "cron": "must be five fields that some moment meets",
    "timezone": "must be one that the machine knows",
    "file": "must hold something, which no schema says of bytes",
    "columns": "must be names of columns, once each",
    "query": "must be a query string that GET /users takes, without cursor",
    "is_shared": "must not take a view of somebody else's back from all others",
    **dict.fromkeys(
        ("delimiter", "encoding", "hidden"), "must be left out of a format to which it does not belong"
    ),
    "filename": "must be a name without a path",
    "destination": "must be below a bucket that the operator allows",
    "recipients": "must be ids of active users with users:export",
    "sheet": "must be in the file, which is to be a workbook",
    "ignore": "must be headings of the file that columns does not name",
    "fields": "must be names of fields",
    "filter": "must be an expression of RFC 7644 that indexes serve",
    "missing": "must name nothing that another filter asks for",
    "address": "must be an IPv4 or IPv6 address",
    "sort": "must be left out where q ranks",
    "skip": "must be left out where q ranks",
    **dict.fromkeys(("from", "to"), "must be a day, and at most a thousand of them a range"),
    "series": "must be one alone in CSV",
    "Operation-Time": "must not be in the future",
    "start": "must hold a value of the order's field, and stand without q, cursor and skip",
    "q": "must hold no control character, and at most ten words",
    **dict.fromkeys(
        ("redirect_uris", "post_logout_redirect_uris", "backchannel_logout_uri"),
        "must be https, loopback or of a private scheme, without user name, fragment and wildcard",
    ),
    "grant_types": "must not hold client_credentials where the client cannot authenticate",
    "is_first_party": "must be false for a client that registered itself",
    **dict.fromkeys(("jwks", "keys"), "must be public keys, for private_key_jwt and for nothing else"),
}
"""Values that the service examines more closely than JSON Schema can say: a valid one may be 422."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What there is to know of a request."""

    operation: str
    """Method and path of the document."""
    url: str
    empty: frozenset[str] = frozenset()
    """Names of headers that were sent without a value, in lower case."""


def find(failure: str, sent: Sent, status: int, content: bytes) -> tuple[str, ...]:
    """The reasons why the failure (its class of schemathesis) is none; without any it is a finding."""
    if len(sent.url) > _LONGEST_URL and status in {400, 431}:
        return ("The head of the request is longer than any HTTP server takes.",)
    said = _read(content)
    if failure == "RejectedPositiveData":
        return _excuse_rejection(sent, said)
    return tuple(one.reason for one in _EXCUSES if one.covers(failure, sent, said))[:1]


@dataclass(frozen=True, slots=True)
class _Excuse:
    """For one check of one operation, and only for such a request and reply."""

    failure: str
    operation: str
    reason: str
    holds: Callable[[Sent, dict[str, Any]], bool] = lambda _sent, _said: True

    def covers(self, failure: str, sent: Sent, said: dict[str, Any]) -> bool:
        return (failure, sent.operation) == (self.failure, self.operation) and self.holds(sent, said)


_EXCUSES = (
    _Excuse(
        "JsonSchemaError",
        "GET /jobs/{job_id}/events",
        "In OpenAPI 3.1 the schema of a stream is that of its text, not, as in 3.2, of each event.",
    ),
    _Excuse(
        "JsonSchemaError",
        "GET /events",
        "The same of the stream of all events.",
    ),
    *(
        _Excuse(
            "UseAfterFree",
            f"GET /users/{{user_id}}/{noun}",
            f"The list of {noun} of a user who is gone is empty, as its description says.",
            lambda _sent, said: said == {"items": []},
        )
        for noun in ("sessions", "tokens", "consents")
    ),
    _Excuse(
        "ServerError",
        "POST /users/exports",
        _BY_CODE["too_many_exports"],
        lambda _sent, said: said.get("code") == "too_many_exports",
    ),
    _Excuse(
        "AcceptedNegativeData",
        "POST /users:batch",
        "Each operation of a batch is answered for itself; what is wrong with one is refused there.",
        lambda _sent, said: any(result.get("status") == _INVALID for result in said.get("results", ())),
    ),
    _Excuse(
        "ObjectLevelAuthorizationViolation",
        "GET /users/{user_id}",
        "With users:read callers read everybody; fuzz/peers.py asks that they need it.",
    ),
)


def _excuse_rejection(sent: Sent, said: dict[str, Any]) -> tuple[str, ...]:
    if (reason := _BY_CODE.get(said.get("code", ""))) is not None:
        return (reason,)
    if said.get("error") in {"invalid_client_metadata", "invalid_redirect_uri"}:
        return ("What a client says of itself is examined more closely than a schema can say.",)
    if (reason := _excuse_oauth(sent, said)) is not None:
        return (reason,)
    if _NOTHING.search(sent.url):
        return ("The link that led here found null where an id may be: the fuzzer asks for the id `None`.",)
    reasons = {_excuse_field(error, sent) for error in said.get("errors", ())}
    return () if None in reasons else tuple(sorted(filter(None, reasons)))


_OTHER_WAY = "The fuzzer names itself by the header; the form is the other way, as its description says."
_REGISTERED = "What a client is registered for is no matter of a schema."
_BY_DESCRIPTION = {
    "Name the client by HTTP Basic or in the form, not both.": _OTHER_WAY,
    "Send the access token in the header or in the form, not both.": _OTHER_WAY,
    "A client that has neither secret nor key cannot act as itself.": _REGISTERED,
}
_BY_ERROR = {
    "unauthorized_client": _REGISTERED,
    "invalid_scope": "Which scopes there are, the metadata says; a schema would list each order of them.",
    "invalid_grant": "Which code or refresh token is good depends on what was issued before.",
}


def _excuse_oauth(sent: Sent, said: dict[str, Any]) -> str | None:
    sentence = said.get("error_description") or said.get("detail", "")
    reason = _BY_DESCRIPTION.get(sentence) or _BY_ERROR.get(said.get("error", ""))
    if reason is None and sent.operation == "POST /auth/par" and "error" in said:
        return "Which addresses and grants a client has registered is no matter of a schema."
    return reason


def _excuse_field(error: dict[str, str], sent: Sent) -> str | None:
    name, detail = _name(error), error.get("detail", "")
    if name.lower() in sent.empty & _ENTITY_TAGS:
        return f"{name} was sent empty, which its schema (minLength 1) does not allow."
    if detail == "Must be an integer.":
        return "A number must be written as an integer, which 30.0 is in JSON Schema."
    if detail == "May be given only once: in the query or in the form.":
        return "That what the query names must not stand in the form too, no schema can say."
    if detail == "Must be the id in the path, or be left out.":
        return "That two places must name the same user, no schema can say."
    if name not in FINER or _SCHEMA_SAYS.match(detail):
        return None
    return f"`{name}` {FINER[name]}."


def _name(error: dict[str, str]) -> str:
    """The field that an error is about; of a list's item, the list's."""
    pointer = error.get("pointer") or error.get("parameter") or ""
    words = [word for word in pointer.split("/") if word and not word.isdigit()]
    return words[-1] if words else ""


def read_code(content: bytes) -> str:
    """The code of a problem; empty if it is none."""
    return str(_read(content).get("code", ""))


def _read(content: bytes) -> dict[str, Any]:
    try:
        said = json.loads(content)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
