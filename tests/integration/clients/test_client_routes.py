"""`/clients`: administrators register clients, list, change and remove them, and renew their secrets."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey

from tests.support.applying import resources
from tests.support.clients import CALLBACK, KEY, public_of
from tests.support.databases import PreparedDatabases
from tests.support.identity import ask_token, call, member, oauth_error, post_form, sign_in
from tests.support.users import database, problem

SAID: dict[str, Any] = {"name": "Portal", "grant_types": ["client_credentials"]}


@pytest.fixture(scope="module")
async def shared(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    """Each test registers clients of its own."""
    async with prepared_databases.serving() as client:
        yield client


async def create(shared: httpx.AsyncClient, **said: Any) -> dict[str, Any]:
    reply = await shared.post("/clients", json=SAID | said)
    assert reply.status_code == 201, reply.text
    created: dict[str, Any] = reply.json()
    assert reply.headers["location"] == f"/clients/{created['id']}"
    return created


async def is_known(shared: httpx.AsyncClient, client_id: str, secret: str) -> bool:
    form = {"token": "a.b.c", "client_id": client_id, "client_secret": secret}
    reply = await post_form(shared, "/auth/introspect", form)
    if reply.status_code != 200:
        oauth_error(reply, "invalid_client", 401)
    return reply.status_code == 200


async def test_a_client_is_registered_with_all_that_a_client_may_have(shared: httpx.AsyncClient) -> None:
    said = {
        "name": "ACME Portal",
        "id": "acme",
        "auth_method": "client_secret_post",
        "scopes": ["openid", "users:read"],
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": ["https://app.example.com/"],
        "is_first_party": True,
        "requires_par": True,
        "backchannel_logout_uri": "https://app.example.com/logout",
        "backchannel_logout_session_required": True,
    }
    created = await create(shared, **said)
    secret = created.pop("secret")
    assert await is_known(shared, "acme", secret)
    created_at = datetime.fromisoformat(created["created_at"])
    assert datetime.now(UTC) - created_at < timedelta(minutes=5)
    more = {"created_at": created["created_at"], "is_dynamic": False, "jwks": None, "old_secret_until": None}
    more["subject"] = created["subject"]
    assert created == said | more
    assert (await shared.get("/clients/acme")).json() == created
    stored = await database(shared)["clients"].find_one({"_id": "acme"})
    assert secret not in str(stored)


async def test_a_client_is_registered_with_few_words(shared: httpx.AsyncClient) -> None:
    created = await create(shared, name="Robot")
    assert created["id"].startswith("robot-")
    assert (created["auth_method"], created["scopes"], created["is_first_party"]) == (
        *("client_secret_basic", None), False,
    )  # fmt: skip
    public = await create(shared, auth_method="none", grant_types=["password", "password"])
    assert (public["secret"], public["grant_types"]) == (None, ["password"])
    signing = await create(shared, auth_method="private_key_jwt", jwks={"keys": [KEY]})
    assert (signing["secret"], signing["jwks"]) == (None, {"keys": [KEY]})


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ({"name": " "}, "/name"),
        ({"name": "a\u202eb"}, "/name"),
        ({"name": None}, "/name"),
        ({"grant_types": None}, "/grant_types"),
        ({"grant_types": ["implicit"]}, "/grant_types/0"),
        ({"grant_types": ["authorization_code"]}, "/redirect_uris"),
        ({"auth_method": "none"}, "/grant_types"),
        ({"auth_method": "client_secret_jwt"}, "/auth_method"),
        ({"auth_method": "private_key_jwt"}, "/jwks"),
        ({"jwks": {"keys": [KEY]}}, "/jwks"),
        ({"jwks": {"keys": []}}, "/jwks/keys"),
        ({"jwks": {"keys": ["a key"]}}, "/jwks/keys/0"),
        ({"auth_method": "private_key_jwt", "jwks": {"keys": [KEY, KEY | {"d": "AA"}]}}, "/jwks/keys/1"),
        ({"scopes": ["users:reed"]}, "/scopes/0"),
        ({"redirect_uris": [CALLBACK, "https://*.example.com/"]}, "/redirect_uris/1"),
        ({"redirect_uris": ["http://app.example.com/"]}, "/redirect_uris/0"),
        ({"post_logout_redirect_uris": ["javascript:alert(1)"]}, "/post_logout_redirect_uris/0"),
        ({"backchannel_logout_uri": "com.example.app:/logout"}, "/backchannel_logout_uri"),
        ({"id": "a/b"}, "/id"),
        ({"id": "a:b"}, "/id"),
        ({"is_first_party": "yes"}, "/is_first_party"),
        ({"secret": "of my own"}, "/secret"),
        ({"is_dynamic": True}, "/is_dynamic"),
    ],
    ids=str,
)
async def test_what_is_wrong_with_a_client_is_named(
    shared: httpx.AsyncClient, said: dict[str, Any], at: str
) -> None:
    content = problem(await shared.post("/clients", json=SAID | said), 422, "validation_failed")
    assert [each["pointer"] for each in content["errors"]] == [at]


async def test_an_id_is_given_once_and_never_that_of_the_built_in_client(shared: httpx.AsyncClient) -> None:
    await create(shared, id="taken")
    for taken in ("taken", "roster"):
        problem(await shared.post("/clients", json=SAID | {"id": taken}), 409, "client_exists")
        problem(await shared.get("/clients/roster"), 404, "client_not_found")


async def test_a_patch_changes_what_it_names_and_at_once(shared: httpx.AsyncClient) -> None:
    user = await member(shared, "me", "users:read")
    created = await create(shared, grant_types=["password", "refresh_token"])
    secret, path = created.pop("secret"), f"/clients/{created['id']}"
    proof = {"client_id": created["id"], "client_secret": secret}
    tokens = await sign_in(shared, user, **proof)
    changes = {"name": "Porch", "scopes": ["me"], "redirect_uris": [CALLBACK, CALLBACK], "requires_par": True}
    reply = await shared.patch(path, json=changes, headers={"Content-Type": "application/merge-patch+json"})
    expected = created | changes | {"redirect_uris": [CALLBACK]}
    assert (reply.status_code, reply.json()) == (200, expected)
    assert (await sign_in(shared, user, **proof))["scope"] == "me"
    assert (await call(shared, "GET", "/users/me", tokens["access_token"])).status_code == 200
    assert (await shared.patch(path, json={"scopes": None})).json() == expected | {"scopes": None}
    assert (await shared.patch(path, json={})).json() == expected | {"scopes": None}
    await shared.patch(path, json={"grant_types": []})
    refused = await ask_token(shared, user["email"], **proof)
    oauth_error(refused, "unauthorized_client")


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"id": "another"}, "/id"),
        ({"auth_method": "none"}, "/auth_method"),
        ({"name": None}, "/name"),
        ({"grant_types": ["authorization_code"]}, "/redirect_uris"),
        ({"jwks": {"keys": [KEY]}}, "/jwks"),
        ({"created_at": "2026-01-31T08:00:00Z"}, "/created_at"),
    ],
    ids=str,
)
async def test_what_cannot_be_changed_is_named(
    shared: httpx.AsyncClient, changes: dict[str, Any], at: str
) -> None:
    created = await create(shared)
    content = problem(await shared.patch(f"/clients/{created['id']}", json=changes), 422, "validation_failed")
    assert [each["pointer"] for each in content["errors"]] == [at]


async def test_the_keys_of_a_client_are_replaced(shared: httpx.AsyncClient) -> None:
    path = f"/clients/{(await create(shared, auth_method='private_key_jwt', jwks={'keys': [KEY]}))['id']}"
    other = public_of(ECKey.generate_key("P-256"), kid="other")
    assert (await shared.patch(path, json={"jwks": {"keys": [other]}})).json()["jwks"] == {"keys": [other]}
    problem(await shared.patch(path, json={"jwks": None}), 422, "validation_failed")
    problem(await shared.post(f"{path}/secret", json={}), 409, "client_has_no_secret")


async def test_a_renewed_secret_is_shown_once_and_the_old_one_good_as_long_as_told(
    shared: httpx.AsyncClient,
) -> None:
    created = await create(shared)
    path = f"/clients/{created['id']}"
    renewed = await shared.post(f"{path}/secret")
    assert renewed.status_code == 200, renewed.text
    new = renewed.json()["secret"]
    assert await is_known(shared, created["id"], new)
    assert await is_known(shared, created["id"], created["secret"])
    until = datetime.fromisoformat((await shared.get(path)).json()["old_secret_until"])
    assert timedelta(hours=23) < until - datetime.now(UTC) <= timedelta(days=1)
    newest = (await shared.post(f"{path}/secret", json={"overlap": 0})).json()["secret"]
    assert [await is_known(shared, created["id"], each) for each in (created["secret"], new, newest)] == [
        *(False, False), True,
    ]  # fmt: skip
    assert (await shared.get(path)).json()["old_secret_until"] is None
    for overlap in (-1, 31 * 86_400, "1", 1.5):
        problem(await shared.post(f"{path}/secret", json={"overlap": overlap}), 422, "validation_failed")


async def test_a_removed_client_is_gone_with_its_sessions(shared: httpx.AsyncClient) -> None:
    user = await member(shared)
    created = await create(shared, auth_method="none", grant_types=["password"])
    tokens = await sign_in(shared, user, client_id=created["id"])
    path = f"/clients/{created['id']}"
    assert (await shared.delete(path)).status_code == 204
    reply = await call(shared, "GET", "/users/me", tokens["access_token"])
    problem(reply, 401, "session_revoked")
    for reply in (
        await shared.get(path),
        await shared.patch(path, json={"name": "Porch"}),
        await shared.post(f"{path}/secret", json={}),
        await shared.delete(path),
    ):
        problem(reply, 404, "client_not_found")


async def test_clients_are_listed_by_id_page_by_page(shared: httpx.AsyncClient) -> None:
    made = [(await create(shared, id=f"listed-{number}"))["id"] for number in (3, 1, 2)]
    listed: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        asked = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        reply = await shared.get("/clients", params=asked)
        assert reply.status_code == 200, reply.text
        listed += reply.json()["items"]
        cursor = reply.json()["next"]
    ids = [each["id"] for each in listed]
    assert ids == sorted(set(ids))
    assert set(made) <= set(ids)
    assert "roster" not in ids
    assert all("secret" not in each for each in listed)
    problem(await shared.get("/clients", params={"cursor": "forged"}), 400, "invalid_cursor")
    problem(await shared.get("/clients", params={"limit": 1000}), 422, "validation_failed")


async def test_a_page_of_clients_is_read_from_the_index_of_ids(shared: httpx.AsyncClient) -> None:
    found = database(shared)["clients"].find({"_id": {"$gt": "a"}}).sort("_id", 1).limit(3)
    plan = (await found.explain())["queryPlanner"]["winningPlan"]
    assert "COLLSCAN" not in str(plan)
    assert "'SORT'" not in str(plan)


# --- consents


async def consented(shared: httpx.AsyncClient) -> tuple[dict[str, Any], str]:
    """A user, and the id of a client that they let have something."""
    user, created = await member(shared), await create(shared, auth_method="none", grant_types=["password"])
    await resources(shared).auth.consents.give(user["id"], created["id"], ["openid", "email"])
    return user, created["id"]


async def test_users_see_and_withdraw_what_they_let_clients_have(shared: httpx.AsyncClient) -> None:
    user, client_id = await consented(shared)
    tokens, others = await sign_in(shared, user), await sign_in(shared, user, client_id=client_id)

    async def ask(method: str, path: str = "") -> httpx.Response:
        return await call(shared, method, f"/users/me/consents{path}", tokens["access_token"])

    (consent,) = (await ask("GET")).json()["items"]
    assert consent.pop("given_at") is not None
    assert consent == {"client_id": client_id, "client_name": "Portal", "scopes": ["email", "openid"]}
    assert (await ask("DELETE", f"/{client_id}")).status_code == 204
    assert (await ask("GET")).json() == {"items": []}
    refused = await call(shared, "GET", "/users/me", others["access_token"])
    problem(refused, 401, "session_revoked")
    problem(await ask("DELETE", f"/{client_id}"), 404, "consent_not_found")


async def test_nobody_withdraws_what_another_let_a_client_have(shared: httpx.AsyncClient) -> None:
    user, client_id = await consented(shared)
    token = (await sign_in(shared, await member(shared)))["access_token"]
    reply = await call(shared, "DELETE", f"/users/me/consents/{client_id}", token)
    problem(reply, 404, "consent_not_found")
    assert await resources(shared).auth.consents.find(user["id"], client_id) == {"openid", "email"}


async def test_administrators_see_and_withdraw_the_consents_of_users(shared: httpx.AsyncClient) -> None:
    user, client_id = await consented(shared)
    path = f"/users/{user['id']}/consents"
    assert [each["client_id"] for each in (await shared.get(path)).json()["items"]] == [client_id]
    assert (await shared.delete(f"{path}/{client_id}")).status_code == 204
    assert (await shared.get(path)).json() == {"items": []}
    problem(await shared.delete(f"{path}/{client_id}"), 404, "consent_not_found")


async def test_a_client_that_another_program_stored_too_long_is_left_out_of_the_list(
    shared: httpx.AsyncClient,
) -> None:
    spoilt, sound = [await create(shared) for _ in range(2)]
    longer = {"$set": {"redirect_uris": ["https://example.com/" + "p" * 20_000]}}
    await database(shared)["clients"].update_one({"_id": spoilt["id"]}, longer)
    reply = await shared.get("/clients", params={"limit": 100})
    assert reply.status_code == 200
    ids = [client["id"] for client in reply.json()["items"]]
    assert (spoilt["id"] in ids, sound["id"] in ids) == (False, True)
