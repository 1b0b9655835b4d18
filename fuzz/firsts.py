"""Makes for an operation, until it succeeds once, what no generator guesses: things to end, say."""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable
from typing import Any

import requests

from fuzz.successes import Successes

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
REDIRECT_URI = "https://fuzz.example.com/"
_TOKEN = {"name": "Fuzz", "scopes": ["me"]}
_OF_CLIENT = {"name": "Fuzz", "scopes": ["users:read"]}
_FILE = {"file": ("people.csv", "name,email\nZoe,zoe-{}@fuzz.example.com\n", "text/csv")}
PICTURE = base64.b64decode("R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=")
"""One white pixel."""
_WEBHOOK = {"url": "https://receiver.invalid/roster", "types": ["user.deleted"]}
_VIEW = {"name": "Fuzz", "query": "tag=fuzz"}
_TRIES = 20
_PUSHED = {
    "response_type": "code",
    "redirect_uri": REDIRECT_URI,
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",  # RFC 7636, appendix B
    "code_challenge_method": "S256",
}


def prepare(case: Any, successes: Successes) -> None:
    """Change the case in place, where its operation is one of those and, if it must, somebody calls."""
    label = case.operation.label
    if label in successes.bodies:
        case.body = dict(successes.bodies[label])
    case.path_parameters |= successes.places.get(label, {})
    make = _MAKERS.get(label)
    if make is not None and (label in _OF_BROWSERS or "Authorization" in case.headers):
        make(case, successes)


def post(case: Any, path: str, *, wait_s: int = 30, **sent: Any) -> dict[str, Any]:
    """What the service answers the caller of this case."""
    url = f"{case.operation.base_url.rstrip('/')}{path}"
    headers = {"Authorization": case.headers.get("Authorization", ""), "Prefer": f"wait={wait_s}"}
    made: dict[str, Any] = requests.post(url, headers=headers, timeout=60, **sent).json()
    return made


def _own_token(case: Any, _successes: Successes) -> None:
    case.path_parameters["token_id"] = post(case, "/users/me/tokens", json=_TOKEN).get("id", "none")


def _token_of_visitor(case: Any, successes: Successes) -> None:
    if successes.tokens:
        case.path_parameters |= {"user_id": successes.visitor, "token_id": successes.tokens.pop()}


def _client_with_scopes(case: Any, _successes: Successes) -> None:
    client = {"grant_types": ["client_credentials"], "auth_method": "client_secret_basic"} | _OF_CLIENT
    case.path_parameters["client_id"] = post(case, "/clients", json=client).get("id", "nobody")
    if case.operation.method.upper() == "POST":
        case.body = dict(_OF_CLIENT)


def _token_of_client(case: Any, successes: Successes) -> None:
    _client_with_scopes(case, successes)
    made = post(case, f"/clients/{case.path_parameters['client_id']}/tokens", json=_OF_CLIENT)
    case.path_parameters["token_id"] = made.get("id", "none")


def _own_session(case: Any, successes: Successes) -> None:
    """Another session of the guest: the operation begins with the guest."""
    form = {"grant_type": "password", "username": successes.username, "password": successes.password}
    sid = post(case, "/auth/token", data=form).get("refresh_token", "none").partition(".")[0]
    case.path_parameters["session_id"] = sid


def _throttle(case: Any, successes: Successes) -> None:
    case.path_parameters["user_id"] = successes.visitor


def _replacement(case: Any, _successes: Successes) -> None:
    case.body = {"name": "Put", "email": f"put-{secrets.token_hex(4)}@fuzz.example.com"}


def _applied_import(case: Any, _successes: Successes) -> None:
    name, text, kind = _FILE["file"]
    file = {"file": (name, text.format(secrets.token_hex(4)), kind)}
    planned = post(case, "/users/import", files=file).get("id", "none")
    post(case, f"/users/imports/{planned}/apply")
    case.path_parameters["import_id"] = planned


def _upload(case: Any, _successes: Successes) -> None:
    _send(case, "/users/imports/uploads", _FILE["file"][1].format(secrets.token_hex(4)).encode())
    case.query = {}


def _picture(case: Any, successes: Successes) -> None:
    uploads = case.operation.label.removeprefix("POST ").removesuffix("/{upload_id}/complete")
    if "{user_id}" in uploads:
        case.path_parameters["user_id"] = successes.visitor
    _send(case, uploads.format(user_id=successes.visitor), PICTURE)


def _send(case: Any, uploads: str, content: bytes) -> None:
    """Announce the content there, and send it to the bucket."""
    announced = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    offer = post(case, uploads, json=announced)
    if "url" in offer:
        requests.put(offer["url"], data=content, timeout=60)
    case.path_parameters["upload_id"] = offer.get("id", "none")


def _applied_bulk(case: Any, successes: Successes) -> None:
    change = {"action": "add_tags", "tags": [secrets.token_hex(4)]}
    planned = post(case, "/users:bulk", json={"ids": [successes.visitor], "change": change}).get("id", "none")
    post(case, f"/users/bulk/{planned}/apply")
    case.path_parameters["bulk_id"] = planned


def _cancelled_bulk(case: Any, _successes: Successes) -> None:
    """Whose job was caught before it had ended: cancelling it again is no error."""
    change = {"filter": {}, "change": {"action": "add_tags", "tags": ["never"]}}
    for _ in range(_TRIES):
        begun = post(case, "/users:bulk", wait_s=0, json=change).get("id", "none")
        case.path_parameters["bulk_id"] = begun
        if post(case, f"/users/bulk/{begun}/cancel").get("state") == "cancelled":
            return


def _openid_token(case: Any, successes: Successes) -> None:
    case.headers["Authorization"] = f"Bearer {successes.openid_token}"
    if case.operation.method.upper() == "POST":
        case.body = {}


def _pushed(case: Any, _successes: Successes) -> None:
    case.body = dict(_PUSHED)


def _page_of_ours(case: Any, successes: Successes) -> None:
    """As a script of the console asks, in a browser in which the guest has just signed in."""
    base = case.operation.base_url.rstrip("/")
    browser = requests.Session()
    form = dict(_HIDDEN.findall(browser.get(f"{base}/auth/sign-in", timeout=60).text))
    form |= {"username": successes.username, "password": successes.password}
    browser.post(f"{base}/auth/sign-in", data=form, allow_redirects=False, timeout=60)
    cookie = browser.cookies.get("roster_session", "none")
    case.headers |= {"Cookie": f"roster_session={cookie}", "Origin": base, "Sec-Fetch-Site": "same-origin"}
    case.body = {"client_id": "roster-console"}


_OF_BROWSERS = frozenset({"POST /auth/browser-token"})


def _view(case: Any, _successes: Successes) -> None:
    case.path_parameters["view_id"] = post(case, "/views", json=_VIEW).get("id", "none")


def _viewed(case: Any, _successes: Successes) -> None:
    case.body = dict(_VIEW)


def _replaced_view(case: Any, successes: Successes) -> None:
    _view(case, successes)
    _viewed(case, successes)


def _webhook(case: Any, _successes: Successes) -> None:
    case.path_parameters["webhook_id"] = post(case, "/webhooks", json=_WEBHOOK).get("id", "none")


def _registered_webhook(case: Any, _successes: Successes) -> None:
    case.body = dict(_WEBHOOK)


def _redelivered(case: Any, successes: Successes) -> None:
    _webhook(case, successes)
    case.body = {"failed": True}


_MAKERS: dict[str, Callable[[Any, Successes], None]] = {
    "DELETE /users/me/tokens/{token_id}": _own_token,
    "DELETE /users/{user_id}/tokens/{token_id}": _token_of_visitor,
    "POST /clients/{client_id}/tokens": _client_with_scopes,
    "DELETE /clients/{client_id}/tokens/{token_id}": _token_of_client,
    "DELETE /users/me/sessions/{session_id}": _own_session,
    "DELETE /users/{user_id}/throttle": _throttle,
    "PUT /users/{user_id}": _replacement,
    "POST /users/imports/{import_id}/revert": _applied_import,
    "POST /users/imports/uploads/{upload_id}/complete": _upload,
    "POST /users/me/avatar/uploads/{upload_id}/complete": _picture,
    "POST /users/{user_id}/avatar/uploads/{upload_id}/complete": _picture,
    "POST /users/bulk/{bulk_id}/revert": _applied_bulk,
    "POST /users/bulk/{bulk_id}/cancel": _cancelled_bulk,
    "GET /auth/userinfo": _openid_token,
    "POST /auth/userinfo": _openid_token,
    "POST /auth/par": _pushed,
    "POST /auth/browser-token": _page_of_ours,
    "POST /webhooks": _registered_webhook,
    "GET /webhooks/{webhook_id}": _webhook,
    "PATCH /webhooks/{webhook_id}": _webhook,
    "DELETE /webhooks/{webhook_id}": _webhook,
    "POST /webhooks/{webhook_id}/secret": _webhook,
    "POST /webhooks/{webhook_id}/test": _webhook,
    "GET /webhooks/{webhook_id}/deliveries": _webhook,
    "POST /webhooks/{webhook_id}/redeliver": _redelivered,
    "POST /views": _viewed,
    "GET /views/{view_id}": _view,
    "PUT /views/{view_id}": _replaced_view,
    "DELETE /views/{view_id}": _view,
}
