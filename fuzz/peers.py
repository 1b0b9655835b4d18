"""Object-level authorisation: what Ana makes or owns, Ben must not read, change or delete.

The operations come from the served document: each with a parameter in its path needs a rule here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from fuzz.service import Service

_NOBODY = "0123456789abcdef01234567"
_METHODS = frozenset({"get", "put", "post", "patch", "delete"})
_PARAMETER = re.compile(r"\{(\w+)\}")
_LOOKS_FIRST = ("get", "patch", "put", "post", "delete")
"""The order of asking: what deletes comes last."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Ben's request for what is Ana's, and the status that must answer it."""

    scopes: tuple[str, ...]
    """The scopes of Ben's token: all that do not let Ben in by design."""
    status: int
    sent: Mapping[str, Any] | None = None
    """A body in JSON that would do."""


_ALL = ("me", "users:read", "users:write", "users:export")
_READER = ("me", "users:write", "users:export")
_WRITER = ("me", "users:read", "users:export")
_TOKEN = {"name": "nightly report", "scopes": ["me"]}
_ANNOUNCED = {"bytes": 1, "sha256": "0" * 64}
_BULK = {"ids": ["0" * 24], "change": {"action": "delete"}}
_SCHEDULE = {"name": "weekly", "cron": "0 6 * * 1", "export": {"format": "csv"}}

RULES: dict[str, Rule] = {
    # One's own things: of another's, even that they exist is not told.
    "read_export": Rule(_ALL, 404),
    "download_export": Rule(_ALL, 404),
    "delete_export": Rule(_ALL, 404),
    "read_schedule": Rule(_ALL, 404),
    "patch_schedule": Rule(_ALL, 404, {"is_active": False}),
    "delete_schedule": Rule(_ALL, 404),
    "read_import": Rule(_ALL, 404),
    "download_import": Rule(_ALL, 404),
    "apply_import": Rule(_ALL, 404),
    "revert_import": Rule(_ALL, 404),
    "delete_import": Rule(_ALL, 404),
    "complete_upload": Rule(_ALL, 404),
    "complete_my_avatar": Rule(_ALL, 404),
    "read_bulk": Rule(_ALL, 404),
    "apply_bulk": Rule(_ALL, 404),
    "cancel_bulk": Rule(_ALL, 404),
    "revert_bulk": Rule(_ALL, 404),
    "delete_bulk": Rule(_ALL, 404),
    "read_job": Rule(_ALL, 404),
    "stream_job": Rule(_ALL, 404),
    "cancel_job": Rule(_ALL, 404),
    "end_my_session": Rule(_ALL, 404),
    "end_my_token": Rule(_ALL, 404),
    "read_view": Rule(_ALL, 404),
    "replace_view": Rule(_ALL, 404, {"name": "Mallory's"}),
    "delete_view": Rule(_ALL, 404),
    # Users: a directory is read and written by callers with the scope, and by nobody else.
    "read_user": Rule(_READER, 403),
    "patch_user": Rule(_WRITER, 403, {"name": "Mallory"}),
    "replace_user": Rule(_WRITER, 403, {"name": "Mallory", "email": "mallory@fuzz.example.com"}),
    "delete_user": Rule(_WRITER, 403),
    "show_avatar": Rule(_READER, 403),
    "put_avatar": Rule(_WRITER, 403),
    "remove_avatar": Rule(_WRITER, 403),
    "announce_avatar": Rule(_WRITER, 403, _ANNOUNCED),
    "complete_avatar": Rule(_WRITER, 403),
    "download_avatar": Rule(_ALL, 404),  # by who knows its version, which nobody guesses
    # Another's sign-ins: for administrators.
    "list_sessions": Rule(_ALL, 403),
    "end_sessions": Rule(_ALL, 403),
    "end_session": Rule(_ALL, 403),
    "list_tokens": Rule(_ALL, 403),
    "create_client_token": Rule(_ALL, 403, {"name": "Mallory's", "scopes": ["users:read"]}),
    "list_client_tokens": Rule(_ALL, 403),
    "end_client_token": Rule(_ALL, 403),
    "list_client_users": Rule(_ALL, 403),
    "give_user": Rule(_ALL, 403),
    "take_user": Rule(_ALL, 403),
    "read_client_activity": Rule(_ALL, 403),
    "end_token": Rule(_ALL, 403),
    "send_activation": Rule(_ALL, 403),
    "set_password": Rule(_ALL, 403, {"password": "a staple of Mallory's"}),
    "read_throttle": Rule(_ALL, 403),
    "lift_throttle": Rule(_ALL, 403),
    "read_address_throttle": Rule(_ALL, 403),
    "lift_address_throttle": Rule(_ALL, 403),
    "send_invitation": Rule(_ALL, 403),
    "withdraw_invitation": Rule(_ALL, 403),
    # Mails are for administrators, also those to oneself.
    "read_mail": Rule(_ALL, 403),
    "send_mail": Rule(_ALL, 403),
    "drop_mail": Rule(_ALL, 403),
    # Clients are for administrators; what one let them have, everybody withdraws for themselves.
    "read_client": Rule(_ALL, 403),
    "patch_client": Rule(_ALL, 403, {"name": "Mallory's"}),
    "remove_client": Rule(_ALL, 403),
    "renew_secret": Rule(_ALL, 403, {}),
    "read_registration": Rule(_ALL, 401),
    "replace_registration": Rule(_ALL, 401, {"client_name": "Mallory's"}),
    "remove_registration": Rule(_ALL, 401),
    "withdraw_my_consent": Rule(_ALL, 404),
    "list_consents": Rule(_ALL, 403),
    "withdraw_consent": Rule(_ALL, 403),
    # Webhooks belong to the directory, and to those with the scope.
    "read_webhook": Rule(_ALL, 403),
    "patch_webhook": Rule(_ALL, 403, {"is_active": False}),
    "delete_webhook": Rule(_ALL, 403),
    "renew_webhook_secret": Rule(_ALL, 403, {}),
    "send_test_webhook": Rule(_ALL, 403),
    "list_webhook_deliveries": Rule(_ALL, 403),
    "redeliver_webhook": Rule(_ALL, 403, {"failed": True}),
}

_FOR_OTHERS = frozenset(
    {
        *(
            "list_sessions",
            "list_tokens",
            "read_throttle",
            "read_address_throttle",
            "read_client",
            "list_client_tokens",
            "list_client_users",
            "read_client_activity",
            "list_consents",
            "read_mail",
            "read_webhook",
            "list_webhook_deliveries",
        ),
        "read_registration",
        "download_avatar",
    }
)
"""Of what only reads: for administrators or for a client itself, so the owner may not call it, either.

Or, of a picture, for everybody; there is none here.
"""

LISTS = (
    "/jobs",
    "/users/exports",
    "/users/exports/schedules",
    "/users/imports",
    "/users/bulk",
    "/users/me/sessions",
    "/users/me/tokens",
    "/views",
)
"""Of one's own: nothing of another's is in them."""


@dataclass(frozen=True, slots=True)
class Intrusions:
    """Ben's tries, and those that got too far."""

    requests: int
    operations: int
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Operation:
    id: str
    method: str
    path: str

    def place(self, ids: Mapping[str, str]) -> str:
        return _PARAMETER.sub(lambda found: ids[found[1]], self.path)


def check(service: Service) -> Intrusions:
    """Ben tries each operation on Ana's things and on none, then Ana finds hers as she left them."""
    ana, ben = service.peers
    findings: list[str] = []
    with service.sign_in(ana) as owner:
        operations = _find_operations(owner.get("/openapi.json").json())
        findings += _compare_rules(operations)
        owned = _make(owner) | {"user_id": ana.id}
        before = _look(owner, operations, owned)
        for operation in operations:
            if (rule := RULES.get(operation.id)) is not None:
                with service.sign_in(ben, *rule.scopes) as stranger:
                    findings += _intrude(stranger, operation, rule, owned)
        findings += _compare(before, _look(owner, operations, owned))
    with service.sign_in(ben) as stranger:
        findings += _search_lists(stranger, owned)
    return Intrusions(2 * len(operations) + len(LISTS), len(operations), tuple(findings))


def _find_operations(document: dict[str, Any]) -> list[_Operation]:
    """Those with a parameter in the path, in the order of asking."""
    found = [
        _Operation(described["operationId"], method, path)
        for path, item in document["paths"].items()
        for method, described in item.items()
        if method in _METHODS and _PARAMETER.search(path)
    ]
    return sorted(found, key=lambda operation: _LOOKS_FIRST.index(operation.method))


def _compare_rules(operations: list[_Operation]) -> Iterator[str]:
    known = {operation.id for operation in operations}
    yield from (f"{name} has no rule in fuzz/peers.py" for name in sorted(known - RULES.keys()))
    yield from (f"{name} has a rule but is no operation" for name in sorted(RULES.keys() - known))


def _make(owner: httpx.Client) -> dict[str, str]:
    """An id for each parameter, of something that is the caller's."""
    wait = {"Prefer": "wait=30"}
    export = owner.post("/users/exports", json={"format": "csv"}, headers=wait).raise_for_status().json()
    schedule = owner.post("/users/exports/schedules", json=_SCHEDULE).raise_for_status().json()
    file = {"file": ("people.csv", b"name,email\nZoe,zoe@fuzz.example.com\n", "text/csv")}
    planned = owner.post("/users/import", files=file, headers=wait).raise_for_status().json()
    upload = owner.post("/users/imports/uploads", json=_ANNOUNCED).raise_for_status().json()
    bulk = owner.post("/users:bulk", json=_BULK, headers=wait).raise_for_status().json()
    sessions = owner.get("/users/me/sessions").raise_for_status().json()["items"]
    token = owner.post("/users/me/tokens", json=_TOKEN).raise_for_status().json()
    view = owner.post("/views", json={"name": "mine"}).raise_for_status().json()
    return {
        "view_id": view["id"],
        "export_id": export["id"],
        "job_id": export["job"],
        "schedule_id": schedule["id"],
        "import_id": planned["id"],
        "bulk_id": bulk["id"],
        "session_id": sessions[0]["id"],
        "token_id": token["id"],
        "address": "203.0.113.7",
        "invitation_id": "0" * 64,
        "mail_id": _NOBODY,
        "webhook_id": _NOBODY,
        "upload_id": upload["id"],
        "client_id": "fuzz",
        "version": "0" * 22,
    }


def _look(owner: httpx.Client, operations: list[_Operation], owned: Mapping[str, str]) -> dict[str, str]:
    """What the owner is answered by each operation that only reads and that she may call."""
    reading = [operation for operation in operations if operation.method == "get"]
    mine = [operation for operation in reading if operation.id not in _FOR_OTHERS]
    replies = {operation.id: owner.get(operation.place(owned)) for operation in mine}
    return {name: f"{reply.status_code} {_settle(name, reply)}" for name, reply in replies.items()}


def _settle(name: str, reply: httpx.Response) -> str:
    """The body; of a workbook, which tells when it was made, only that it came."""
    return "" if name == "download_import" else reply.text


def _intrude(
    stranger: httpx.Client, operation: _Operation, rule: Rule, owned: Mapping[str, str]
) -> Iterator[str]:
    absent = dict.fromkeys(owned, _NOBODY)
    hers = stranger.request(operation.method, operation.place(owned), json=rule.sent)
    none = stranger.request(operation.method, operation.place(absent), json=rule.sent)
    if hers.status_code != rule.status:
        yield f"{operation.id}: {hers.status_code} for what is another's, not {rule.status}"
    if _describe(hers, owned) != _describe(none, absent):
        yield f"{operation.id}: what is another's is told from what is not there"


def _describe(reply: httpx.Response, ids: Mapping[str, str]) -> tuple[int, str]:
    """The answer, without the ids that were asked for and the id of the request."""
    text = re.sub('"request_id":"[0-9a-f]+"', "", reply.text)
    for known in ids.values():
        text = text.replace(known, "")
    return reply.status_code, text


def _compare(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name, answer in before.items():
        if not answer.startswith("200 "):
            yield f"{name}: its owner was answered {answer[:200]}"
        elif answer != after[name]:
            yield f"{name}: its owner finds it changed"


def _search_lists(stranger: httpx.Client, owned: Mapping[str, str]) -> Iterator[str]:
    for path in LISTS:
        listed = stranger.get(path).raise_for_status().text
        yield from (f"{path} lists another's {name}" for name, known in owned.items() if known in listed)
