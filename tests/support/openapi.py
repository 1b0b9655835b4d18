"""The published document as a client gets it, and who may call what it describes."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from app.core.settings import Settings
from app.main import create_app

METHODS = {"get", "put", "post", "patch", "delete"}
Operation = tuple[str, str, dict[str, Any]]

OPEN = {
    "get_liveness", "get_readiness", "create_token", "register_user", "introspect_token", "revoke_token",
    "register_client", "read_registration", "replace_registration", "remove_registration",
    "read_keys", "read_metadata", "read_openid_metadata", "read_password_key",
    "push_request", "begin_device", "create_browser_token",
    "ask_reset", "reset_password", "ask_activation", "activate",
    "ask_verification", "verify_email", "confirm_email", "take_back_email",
    "download_avatar",
    "read_webhook_keys",
    "read_userinfo", "read_userinfo_by_form",  # which take a token with a scope that is none of a user's
}  # fmt: skip
"""The operations that take no access token."""

OAUTH = {"create_token", "introspect_token", "revoke_token", "push_request", "begin_device"}
"""Those that take forms and answer errors as RFC 6749 has it; the others take JSON."""

REGISTRATION = {"register_client", "replace_registration"}
"""Those that take JSON and answer what is wrong with it as RFC 7591 has it."""

TOLD = {"read_userinfo", "read_userinfo_by_form"}
"""Those that applications ask of their user (OpenID Connect)."""

NEEDED: dict[str, str | None] = {
    **dict.fromkeys(("create_view", "list_views", "read_view", "replace_view", "delete_view"), "users:read"),
    **dict.fromkeys(
        (
            "create_webhook",
            "list_webhooks",
            "read_webhook",
            "patch_webhook",
            "delete_webhook",
            "renew_webhook_secret",
            "send_test_webhook",
            "list_webhook_deliveries",
            "redeliver_webhook",
        ),
        "webhooks",
    ),
    "stream_events": "events:read",
    "read_statistics": "users:read",
    "export_users": "users:export",
    "export_users_csv": "users:export",
    "export_users_excel": "users:export",
    "submit_export": "users:export",
    "list_exports": "users:export",
    "read_export": "users:export",
    "download_export": "users:export",
    "delete_export": "users:export",
    "create_schedule": "users:export",
    "list_schedules": "users:export",
    "read_schedule": "users:export",
    "patch_schedule": "users:export",
    "delete_schedule": "users:export",
    "import_users": "users:write",
    "announce_upload": "users:write",
    "complete_upload": "users:write",
    "list_imports": "users:write",
    "apply_import": "users:write",
    "revert_import": "users:write",
    "read_import": "users:write",
    "download_import": "users:write",
    "delete_import": "users:write",
    "submit_bulk": "users:write",
    "list_bulk": "users:write",
    "read_bulk": "users:write",
    "apply_bulk": "users:write",
    "cancel_bulk": "users:write",
    "revert_bulk": "users:write",
    "delete_bulk": "users:write",
    "read_audit": "users:admin",
    "list_mails": "users:admin",
    "read_mail": "users:admin",
    "send_mail": "users:admin",
    "drop_mail": "users:admin",
    "list_jobs": None,
    "read_job": None,
    "cancel_job": None,
    "stream_job": None,
    "read_me": "me",
    "patch_me": "me",
    "put_my_avatar": "me",
    "remove_my_avatar": "me",
    "show_my_avatar": "me",
    "announce_my_avatar": "me",
    "complete_my_avatar": "me",
    "change_password": "me",
    "change_email": "me",
    "ask_own_verification": "me",
    "list_my_sessions": None,
    "end_my_sessions": None,
    "end_my_session": None,
    "create_client_token": "users:admin",
    "list_client_tokens": "users:admin",
    "list_client_users": "users:admin",
    "give_user": "users:admin",
    "take_user": "users:admin",
    "read_client_activity": "users:admin",
    "end_client_token": "users:admin",
    "create_my_token": "me",
    "list_my_tokens": "me",
    "end_my_token": "me",
    "list_tokens": "users:admin",
    "end_token": "users:admin",
    "create_user": "users:write",
    "list_users": "users:read",
    "suggest_users": "users:read",
    "batch_users": "users:write",
    "read_user": "users:read",
    "patch_user": "users:write",
    "replace_user": "users:write",
    "delete_user": "users:write",
    "show_avatar": "users:read",
    "put_avatar": "users:write",
    "remove_avatar": "users:write",
    "announce_avatar": "users:write",
    "complete_avatar": "users:write",
    "send_activation": "users:admin",
    "send_activations": "users:admin",
    "submit_activations": "users:admin",
    "list_sessions": "users:admin",
    "end_sessions": "users:admin",
    "end_session": "users:admin",
    "sign_out_users": "users:admin",
    "set_password": "users:admin",
    "read_throttle": "users:admin",
    "list_settings": "users:admin",
    "list_signing_keys": "users:admin",
    "create_signing_key": "users:admin",
    "lift_throttle": "users:admin",
    "read_address_throttle": "users:admin",
    "lift_address_throttle": "users:admin",
    "create_invitation": "users:admin",
    "list_invitations": "users:admin",
    "send_invitation": "users:admin",
    "withdraw_invitation": "users:admin",
    "sign_out": None,
    "create_client": "users:admin",
    "list_clients": "users:admin",
    "read_client": "users:admin",
    "patch_client": "users:admin",
    "remove_client": "users:admin",
    "renew_secret": "users:admin",
    "list_my_consents": "me",
    "withdraw_my_consent": "me",
    "list_consents": "users:admin",
    "withdraw_consent": "users:admin",
}
"""The scope that each other operation needs; None: any token is good for what is its session's own."""


SNAPSHOT = Path(__file__).parents[1] / "snapshots" / "openapi.json"


def read_document() -> dict[str, Any]:
    """As it is published, which is what the program makes, or a test fails: making it takes a second."""
    published: dict[str, Any] = json.loads(SNAPSHOT.read_bytes())
    return published


def make_document() -> dict[str, Any]:
    """Through JSON."""
    made: dict[str, Any] = json.loads(_make_document())
    return made


@cache
def _make_document() -> str:
    """Once for all modules: it takes a second."""
    return json.dumps(create_app(Settings(_env_file=None)).openapi())


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    """Method, path and description of each."""
    for path, item in document["paths"].items():
        assert set(item) <= METHODS | {"parameters"}, path
        yield from ((method, path, item[method]) for method in item if method in METHODS)


ENDLESS = {"stream_events"}


def refused_if_endless(operation: dict[str, Any]) -> str:
    """The query by which a stream without an end is refused; none of other operations."""
    return "?type=none" if operation["operationId"] in ENDLESS else ""


def resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        *_, name = schema["$ref"].split("/")
        schema = document["components"]["schemas"][name]
    return schema
