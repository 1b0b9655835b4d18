"""Every operation of the published document asks who calls, and whether they may."""

from collections import defaultdict
from typing import Any

import httpx
import pytest

from models.values import ALL_SCOPES
from tests.support.openapi import (
    NEEDED,
    OPEN,
    Operation,
    operations,
    read_document,
    refused_if_endless,
    resolve,
)
from tests.support.tokens import mint
from tests.support.users import NOBODY, person, problem, users

DOCUMENT = read_document()
PROTECTED = [one for one in operations(DOCUMENT) if one[2]["operationId"] not in OPEN]
SCOPED = [one for one in PROTECTED if NEEDED[one[2]["operationId"]]]


FILE: dict[str, Any] = {
    "content": b"name,email\nAna,ana@example.com\n",
    "headers": {"Content-Type": "text/csv"},
}


def name(operation: Operation) -> str:
    return str(operation[2]["operationId"])


def read_example(described: dict[str, Any]) -> Any:
    """A body in JSON that the operation would take; None if it takes none."""
    content = described.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return None
    return resolve(DOCUMENT, content["application/json"]["schema"])["examples"][0]


async def call(client: httpx.AsyncClient, operation: Operation, token: str | None) -> httpx.Response:
    """With a body that would do, about users, sessions and others that there are not."""
    method, path, described = operation
    where = path.format_map(
        defaultdict(lambda: NOBODY, session_id="none", token_id="none", invitation_id="0" * 64)
    )
    where += refused_if_endless(described)
    said = FILE if name(operation) == "import_users" else {"json": read_example(described)}
    request = client.build_request(method.upper(), where, **said)
    request.headers["Prefer"] = "wait=0"  # nobody works on jobs here
    del request.headers["Authorization"]
    if token is not None:
        request.headers["Authorization"] = f"Bearer {token}"
    return await client.send(request)


def test_each_operation_is_open_or_needs_a_token_and_none_is_forgotten() -> None:
    assert sorted(map(name, operations(DOCUMENT))) == sorted([*OPEN, *NEEDED])


@pytest.mark.parametrize("operation", PROTECTED, ids=name)
async def test_without_a_token_each_operation_asks_for_one(
    shared: httpx.AsyncClient, operation: Operation
) -> None:
    reply = await call(shared, operation, None)
    problem(reply, 401, "unauthenticated")
    assert reply.headers["www-authenticate"] == 'Bearer realm="roster"'
    reply = await call(shared, operation, "a.b.c")
    problem(reply, 401, "invalid_token")
    assert reply.headers["www-authenticate"].startswith('Bearer realm="roster", error="invalid_token"')


@pytest.mark.parametrize("operation", SCOPED, ids=name)
async def test_with_every_scope_but_the_right_one_each_operation_names_the_one_it_needs(
    shared: httpx.AsyncClient, operation: Operation
) -> None:
    needed = NEEDED[name(operation)]
    user = person()
    await shared.post("/users", json=user)
    before = [row async for row in users(shared).find({})]
    opened = shared.app.state.container  # type: ignore[attr-defined]  # set by `serving`
    reply = await call(shared, operation, await mint(opened, *(set(ALL_SCOPES) - {needed})))
    problem(reply, 403, "insufficient_scope")
    assert reply.headers["www-authenticate"] == (
        f'Bearer realm="roster", error="insufficient_scope", scope="{needed}"'
    )
    assert [row async for row in users(shared).find({})] == before


@pytest.mark.parametrize("operation", PROTECTED, ids=name)
async def test_with_the_right_scope_alone_each_operation_lets_its_caller_in(
    shared: httpx.AsyncClient, operation: Operation
) -> None:
    opened = shared.app.state.container  # type: ignore[attr-defined]  # set by `serving`
    reply = await call(shared, operation, await mint(opened, NEEDED[name(operation)] or "users:read"))
    assert reply.status_code == LET_IN[name(operation)], reply.text
    if reply.status_code == 401:
        problem(reply, 401, "session_revoked")


LET_IN = {
    "export_users": 200, "export_users_csv": 200, "export_users_excel": 200,
    "list_users": 200, "create_user": 201, "batch_users": 200,
    "read_user": 404, "patch_user": 404, "replace_user": 404, "delete_user": 404,
    "read_me": 404, "patch_me": 404, "list_my_sessions": 200, "end_my_sessions": 204, "end_my_session": 404,
    "create_client_token": 404, "list_client_tokens": 404, "end_client_token": 404,
    "create_my_token": 422, "list_my_tokens": 200, "end_my_token": 404, "list_tokens": 200, "end_token": 404,
    "list_sessions": 200, "end_sessions": 404, "end_session": 404, "sign_out_users": 200, "set_password": 404,
    "create_invitation": 201, "list_invitations": 200, "withdraw_invitation": 404, "sign_out": 204,
    "send_invitation": 409,  # mail is off
    "submit_export": 202, "list_exports": 200, "read_export": 404, "download_export": 404,
    "delete_export": 404, "create_schedule": 201, "list_schedules": 200, "read_schedule": 404,
    "patch_schedule": 404, "delete_schedule": 404,
    "send_activation": 409, "send_activations": 409, "submit_activations": 409,  # mail is off
    "read_throttle": 404, "lift_throttle": 404,
    "read_address_throttle": 422, "lift_address_throttle": 422,  # what stands in the path is no address
    "import_users": 202, "list_imports": 200, "apply_import": 404, "revert_import": 404,
    "announce_upload": 409, "complete_upload": 404,
    "read_import": 404, "download_import": 404, "delete_import": 404,
    "submit_bulk": 202, "list_bulk": 200, "read_bulk": 404, "apply_bulk": 404, "cancel_bulk": 404,
    "revert_bulk": 404, "delete_bulk": 404,
    "list_settings": 200, "list_signing_keys": 200, "create_signing_key": 200,
    "read_audit": 200, "read_statistics": 200,
    "stream_events": 422,
    "create_webhook": 201, "list_webhooks": 200, "read_webhook": 404, "patch_webhook": 404,
    "delete_webhook": 404, "renew_webhook_secret": 404, "send_test_webhook": 404,
    "list_webhook_deliveries": 404, "redeliver_webhook": 404,
    "create_view": 201, "list_views": 200, "read_view": 404, "replace_view": 404, "delete_view": 404,
    "list_mails": 200, "read_mail": 404, "send_mail": 404, "drop_mail": 404,
    "list_jobs": 200, "read_job": 404, "cancel_job": 404, "stream_job": 404,
    "create_client": 201, "list_clients": 200, "read_client": 404, "patch_client": 404, "remove_client": 404,
    "renew_secret": 404,
    "list_client_users": 404, "give_user": 404, "take_user": 404, "read_client_activity": 404,
    "list_my_consents": 200, "withdraw_my_consent": 404, "list_consents": 200, "withdraw_consent": 404,
    "suggest_users": 422,  # nothing was typed
    "change_password": 401, "change_email": 401,  # a caller who is in no directory has no password
    "ask_own_verification": 404,
    "announce_avatar": 404, "announce_my_avatar": 404, "complete_avatar": 404, "complete_my_avatar": 404,
    "put_my_avatar": 415, "put_avatar": 415,  # nothing was sent
    "remove_my_avatar": 404, "remove_avatar": 404, "show_my_avatar": 404, "show_avatar": 404,
}  # fmt: skip
"""There is no such user, session or job, and the caller is in no directory either."""


async def test_a_large_body_is_not_read_through_before_it_is_known_who_sends_it(
    client: httpx.AsyncClient,
) -> None:
    reply = await client.post(
        "/users:batch",
        content=b"[" * 300_000,
        headers={"Content-Type": "application/json", "Authorization": ""},
    )
    problem(reply, 401, "unauthenticated")
