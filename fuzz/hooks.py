"""What schemathesis is told of Roster that no document says; it loads this file in its own environment."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import requests
import schemathesis
from schemathesis.auths import refresh_auth
from schemathesis.generation import GenerationMode
from schemathesis.wfc.escalation import restore_identity_assignments

from fuzz import excuses, firsts
from fuzz.successes import Successes

_KNOWN = json.loads(Path(os.environ["FUZZ_KNOWN"]).read_text())
_CALLERS = frozenset(_KNOWN["callers"])
_BYSTANDER = _KNOWN["bystander"]
_ANSWERED = Path(os.environ["FUZZ_ANSWERED"])
_EXCUSED = Path(os.environ["FUZZ_EXCUSED"])
_CANCEL = "POST /jobs/{job_id}/cancel"
_OF_CLIENT = tuple(f"{method} /clients/{{client_id}}" for method in ("GET", "PATCH", "DELETE", "POST"))
_QUEUE = 20
"""Exports, which are not all done when the last is cancelled."""
_successes = Successes(**_KNOWN["successes"])
_answered: set[str] = set()


class ClientAuth:
    """HTTP Basic, by which these two know callers as clients.

    `auth.basic` in the configuration, for two operations, would go with all of them: schemathesis makes one
    session, as the first operation has it.
    """

    paths = ("/auth/introspect", "/auth/revoke", "/auth/par")

    def get(self, _case: Any, _context: Any) -> str:
        pair = f"{os.environ['FUZZ_CLIENT_ID']}:{os.environ['FUZZ_CLIENT_SECRET']}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"

    def set(self, case: Any, data: str, _context: Any) -> None:
        case.headers["Authorization"] = data


@schemathesis.hook
def after_load_schema(_context: Any, schema: Any) -> None:
    """Say who calls what: clients, the guest and the administrator what is theirs, Ana the rest."""
    schema.auth.auth(refresh_interval=None).apply_to(path=list(ClientAuth.paths))(ClientAuth)
    schema.auth.providers.insert(0, schema.auth.providers.pop())
    restore_identity_assignments(schema, _KNOWN["identities"])


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """Give another's id where a case would delete, bar or rename the account or the client that calls."""
    if case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE:
        _successes.enable(case.operation.label, case.path_parameters, case.body)
        if case.operation.label == _CANCEL and _CANCEL not in _answered and "Authorization" in case.headers:
            case.path_parameters["job_id"] = _begin_job(case)
        if case.operation.label not in _answered:
            _make_client(case)
            firsts.prepare(case, _successes)
    if case.path_parameters:
        case.path_parameters = _spare(dict(case.path_parameters))
    if isinstance(case.body, dict | list):
        case.body = _spare(case.body)


def _begin_job(case: Any) -> str:
    """Of the caller, at the end of a queue."""
    for _ in range(_QUEUE):
        reply = requests.post(
            f"{case.operation.base_url.rstrip('/')}/users/exports",
            json={"format": "xlsx"},
            headers={"Authorization": case.headers["Authorization"]},
            timeout=60,
        )
    return str(reply.json().get("job", case.path_parameters["job_id"]))


def _make_client(case: Any) -> None:
    """Give an operation of one client, until it succeeds, a new one: an administrator's, or its own."""
    if case.operation.label.startswith(_OF_CLIENT) and "Authorization" in case.headers:
        made = firsts.post(case, "/clients", json={"name": "Fuzz", "grant_types": []})
        case.path_parameters["client_id"] = made.get("id", "nobody")
    elif case.operation.path == "/auth/clients/{client_id}":
        made = firsts.post(case, "/auth/clients", json={"redirect_uris": [firsts.REDIRECT_URI]})
        case.path_parameters["client_id"] = made["client_id"]
        case.headers["Authorization"] = f"Bearer {made['registration_access_token']}"
        if isinstance(case.body, dict):
            case.body |= {"client_id": made["client_id"], "token_endpoint_auth_method": "client_secret_basic"}
            for name in ("client_secret", "jwks"):
                case.body.pop(name, None)


def _spare(said: Any) -> Any:
    if isinstance(said, dict):
        return {name: _spare(value) for name, value in said.items()}
    if isinstance(said, list):
        return [_spare(value) for value in said]
    if said == os.environ["FUZZ_CLIENT_ID"]:
        return "nobody"
    return _BYSTANDER if isinstance(said, str) and said.lower() in _CALLERS else said


@schemathesis.hook
def after_call(_context: Any, case: Any, response: Any) -> None:
    """Note what was answered; a caller who has signed out signs in again, for the next case."""
    if response.status_code < excuses.FIRST_ERROR and case.operation.label not in _answered:
        _answered.add(case.operation.label)
        _ANSWERED.write_text("\n".join(sorted(_answered)))
    if response.status_code == excuses.UNAUTHORIZED and excuses.read_code(response.content) in excuses.ENDED:
        refresh_auth(case)


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Whether it is a finding."""
    sent = excuses.Sent(
        case.operation.label,
        response.request.url,
        frozenset(name.lower() for name, value in response.request.headers.items() if not value),
    )
    reasons = excuses.find(type(failure).__name__, sent, response.status_code, response.content)
    if reasons:
        with _EXCUSED.open("a") as written:
            written.write("\t".join(reasons) + "\n")
    return not reasons
