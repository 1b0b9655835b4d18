"""Dynamic registration (RFC 7591, RFC 7592): who may, with what, and what becomes of it."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from beanie import PydanticObjectId

from tests.support.api import serving
from tests.support.applying import resources
from tests.support.clients import CALLBACK, KEY
from tests.support.databases import PreparedDatabases
from tests.support.identity import call, oauth_error, post_form, token_of, wear_out_refusals
from tests.support.users import database, problem

SAID: dict[str, Any] = {"client_name": "Notebook", "redirect_uris": [CALLBACK]}
EVERY_SCOPE = "address email me offline_access openid phone profile"


@pytest.fixture(scope="module")
async def shared(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    """Open to anybody; each test registers clients of its own."""
    async with prepared_databases.serving(client_registration="open", tries_per_address=1_000) as client:
        yield client


async def ask(http: httpx.AsyncClient, said: Mapping[str, Any], token: str | None = None) -> httpx.Response:
    return await call(http, "POST", "/auth/clients", token, json=dict(said))


async def register(http: httpx.AsyncClient, **said: Any) -> dict[str, Any]:
    reply = await ask(http, SAID | said)
    assert reply.status_code == 201, reply.text
    assert reply.headers["cache-control"] == "no-store"
    registered: dict[str, Any] = reply.json()
    return registered


async def manage(
    http: httpx.AsyncClient, registered: Mapping[str, Any], method: str, **said: Any
) -> httpx.Response:
    path = f"/auth/clients/{registered['client_id']}"
    body = {"json": {"client_id": registered["client_id"]} | said} if method == "PUT" else {}
    return await call(http, method, path, registered["registration_access_token"], **body)


# --- who may


@pytest.mark.parametrize("page", ["oauth-authorization-server", "openid-configuration"])
async def test_metadata_name_the_endpoint_where_clients_register_themselves(
    shared: httpx.AsyncClient, client: httpx.AsyncClient, page: str
) -> None:
    issuer = resources(shared).settings.issuer_url
    opened = (await shared.get(f"/.well-known/{page}")).json()
    assert opened["registration_endpoint"] == f"{issuer}/auth/clients"
    closed = (await client.get(f"/.well-known/{page}")).json()
    assert "registration_endpoint" not in closed
    assert None not in closed.values()


async def test_registration_is_closed_unless_it_is_opened(client: httpx.AsyncClient) -> None:
    for token in (None, await token_of(client, "users:admin")):
        problem(await ask(client, SAID, token), 403, "registration_closed")
        problem(await ask(client, {}, token), 403, "registration_closed")
    assert await database(client)["clients"].count_documents({}) == 0


async def test_registration_may_ask_for_an_administrators_token(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, client_registration="token", tries_per_address=1) as http:
        problem(await ask(http, SAID), 401, "unauthenticated")
        problem(await ask(http, SAID, await token_of(http, "me", "users:write")), 403, "insufficient_scope")
        token = await token_of(http, "users:admin")
        replies = [await ask(http, SAID, token) for _ in range(3)]
        assert [reply.status_code for reply in replies] == [201] * 3, "administrators are not throttled"
        assert (await manage(http, replies[0].json(), "GET")).status_code == 200


async def test_an_address_registers_a_few_clients_and_then_waits(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, client_registration="open") as http:
        assert (await ask(http, SAID)).status_code == 201
        await wear_out_refusals(http, "client_registrations")
        reply = await ask(http, SAID)
        problem(reply, 429, "too_many_attempts")
        assert int(reply.headers["retry-after"]) > 0
        assert await database(http)["clients"].count_documents({}) == 1


# --- with what


async def test_a_client_says_little_and_is_told_all(shared: httpx.AsyncClient) -> None:
    registered = await register(shared)
    client_id, issuer = registered["client_id"], resources(shared).settings.issuer_url
    assert client_id.startswith("notebook-")
    assert isinstance(registered.pop("client_id_issued_at"), int)
    secret, token = registered.pop("client_secret"), registered.pop("registration_access_token")
    assert len(secret) == len(token) == 43
    assert registered == SAID | {
        "client_id": client_id,
        "client_secret_expires_at": 0,
        "registration_client_uri": f"{issuer}/auth/clients/{client_id}",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "scope": EVERY_SCOPE,
        "post_logout_redirect_uris": [],
        "require_pushed_authorization_requests": False,
    }
    form = {"token": "a.b.c", "client_id": client_id, "client_secret": secret}
    assert (await post_form(shared, "/auth/introspect", form)).status_code == 200
    stored = await database(shared)["clients"].find_one({"_id": client_id})
    assert secret not in str(stored)
    assert token not in str(stored)


async def test_nobody_vouches_for_a_client_that_registered_itself(shared: httpx.AsyncClient) -> None:
    registered = await register(
        shared,
        is_first_party=True,
        scope="openid me users:admin users:read",
        logo_uri="https://evil.example/",
        grant_types=["authorization_code", "password", "client_credentials", "implicit", "refresh_token"],
        response_types=["code", "token", "id_token token"],
        subject="0" * 24,
        id="roster",
        **{"client_name#de": "Heft"},
    )
    assert registered["scope"] == "me openid"
    assert registered["grant_types"] == ["authorization_code", "refresh_token"]
    assert registered["response_types"] == ["code"]
    client = await resources(shared).auth.clients.read(registered["client_id"])
    assert client.is_dynamic
    assert not client.is_first_party
    path = f"/clients/{client.id}"
    assert (await shared.get(path)).json()["is_dynamic"] is True
    content = problem(await shared.patch(path, json={"is_first_party": True}), 422, "validation_failed")
    assert [each["pointer"] for each in content["errors"]] == ["/is_first_party"]


async def test_a_client_registers_each_way_to_authenticate(shared: httpx.AsyncClient) -> None:
    public = await register(shared, token_endpoint_auth_method="none")
    assert "client_secret" not in public
    assert "client_secret_expires_at" not in public
    posting = await register(shared, token_endpoint_auth_method="client_secret_post")
    assert (posting["token_endpoint_auth_method"], len(posting["client_secret"])) == (
        "client_secret_post",
        43,
    )
    signing = await register(shared, token_endpoint_auth_method="private_key_jwt", jwks={"keys": [KEY]})
    assert "client_secret" not in signing
    assert signing["jwks"] == {"keys": [KEY]}


async def test_a_client_without_a_name_is_called_by_its_address(shared: httpx.AsyncClient) -> None:
    nameless = {"client_name": ""}
    assert (await register(shared, **nameless))["client_name"] == "app.example.com"
    device = "urn:ietf:params:oauth:grant-type:device_code"
    told = await register(shared, **nameless, redirect_uris=[], grant_types=[device])
    assert (told["client_name"], told["grant_types"], told["response_types"]) == ("Client", [device], [])


@pytest.mark.parametrize(
    ("said", "code", "told"),
    [
        (
            {"redirect_uris": ["http://app.example.com/"]},
            "invalid_redirect_uri",
            "redirect_uris/0: Must be an https",
        ),
        ({"redirect_uris": [CALLBACK, "javascript:alert(1)"]}, "invalid_redirect_uri", "redirect_uris/1: "),
        ({"redirect_uris": [f"{CALLBACK}#x"]}, "invalid_redirect_uri", "redirect_uris/0: "),
        ({"redirect_uris": [7]}, "invalid_redirect_uri", "redirect_uris/0: Must be a string."),
        ({"redirect_uris": []}, "invalid_client_metadata", "redirect_uris: Must name at least one"),
        ({"redirect_uris": CALLBACK}, "invalid_client_metadata", "redirect_uris: Must be an array."),
        ({"redirect_uris": ["https://[::1"], "client_name": ""}, "invalid_redirect_uri", "redirect_uris/0: "),
        ({"post_logout_redirect_uris": ["x"]}, "invalid_client_metadata", "post_logout_redirect_uris/0: "),
        ({"client_name": "a\nb"}, "invalid_client_metadata", "client_name: A client's name is"),
        ({"client_name": 7}, "invalid_client_metadata", "client_name: Must be a string."),
        ({"client_name": "\u0410CME"}, "invalid_client_metadata", "client_name: Must not mix letters"),
        ({"client_name": "  ROSTER "}, "invalid_client_metadata", "client_name: Must not be that of"),
        ({"grant_types": ["password"]}, "invalid_client_metadata", "grant_types: Must name one of"),
        ({"response_types": ["token"]}, "invalid_client_metadata", "response_types: Must hold code"),
        ({"scope": "users:admin"}, "invalid_client_metadata", "scope: Must name one of"),
        (
            {"token_endpoint_auth_method": "client_secret_jwt"},
            "invalid_client_metadata",
            "token_endpoint_auth_method",
        ),
        (
            {"token_endpoint_auth_method": "private_key_jwt"},
            "invalid_client_metadata",
            "jwks: Must hold 1 to 10",
        ),
        ({"jwks": {"keys": [KEY]}}, "invalid_client_metadata", "jwks: Must be left out"),
    ],
    ids=str,
)
async def test_what_is_wrong_is_named_as_rfc_7591_has_it(
    shared: httpx.AsyncClient, said: dict[str, Any], code: str, told: str
) -> None:
    assert oauth_error(await ask(shared, SAID | said), code).startswith(told)


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": 1, "a": 2}', b"[]", b"null", b'"text"'])
async def test_a_body_that_is_no_object_is_no_metadata(shared: httpx.AsyncClient, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    reply = await call(shared, "POST", "/auth/clients", content=body, headers=headers)
    oauth_error(reply, "invalid_client_metadata")


async def test_a_form_is_no_metadata(shared: httpx.AsyncClient) -> None:
    reply = await call(shared, "POST", "/auth/clients", data={"client_name": "Notebook"})
    problem(reply, 415, "unsupported_media_type")


async def test_no_client_takes_the_name_of_one_that_an_administrator_registered(
    shared: httpx.AsyncClient,
) -> None:
    await shared.post("/clients", json={"name": "ACME Portál", "grant_types": []})
    for name in ("ACME Portál", " acme  portal", "ＡＣＭＥ Portal"):
        description = oauth_error(await ask(shared, SAID | {"client_name": name}), "invalid_client_metadata")
        assert description.startswith("client_name: Must not be that of")
    registered = await register(shared)
    changed = await manage(shared, registered, "PUT", **SAID | {"client_name": "Acme Portal"})
    oauth_error(changed, "invalid_client_metadata")
    assert (await register(shared))["client_name"] == "Notebook", (
        "one that nobody vouches for may be called alike"
    )


# --- what becomes of it


async def test_a_client_reads_changes_and_removes_its_registration(shared: httpx.AsyncClient) -> None:
    registered = await register(shared)
    secret = registered.pop("client_secret")
    registered.pop("client_secret_expires_at")
    read = await manage(shared, registered, "GET")
    assert (read.status_code, read.json()) == (200, registered)
    said = {
        "client_name": "Book", "redirect_uris": ["http://127.0.0.1/callback"], "scope": "openid",
        "client_secret": secret,
    }  # fmt: skip
    changed = await manage(shared, registered, "PUT", **said)
    assert changed.status_code == 200, changed.text
    expected = registered | {name: value for name, value in said.items() if name != "client_secret"}
    assert changed.json() == expected
    assert (await manage(shared, registered, "GET")).json() == expected
    assert (await manage(shared, registered, "DELETE")).status_code == 204
    for method in ("GET", "PUT", "DELETE"):
        problem(await manage(shared, registered, method, **said), 401, "invalid_token")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"client_id": "another"}, "client_id: Must be the id"),
        ({"client_secret": "wrong"}, "client_secret: Must be the present"),
        ({"token_endpoint_auth_method": "none"}, "token_endpoint_auth_method: Must stay"),
        ({"redirect_uris": []}, "redirect_uris: Must name at least one"),
    ],
    ids=str,
)
async def test_what_a_change_may_not_hold_is_named(
    shared: httpx.AsyncClient, said: dict[str, Any], told: str
) -> None:
    registered = await register(shared)
    reply = await manage(shared, registered, "PUT", **SAID | said)
    assert oauth_error(reply, "invalid_client_metadata").startswith(told)


async def test_only_its_own_registration_token_manages_a_client(shared: httpx.AsyncClient) -> None:
    registered, other = await register(shared), await register(shared)
    reply = await shared.post("/clients", json={"name": "Portal", "grant_types": []})
    ours = reply.json()
    path = f"/auth/clients/{registered['client_id']}"
    admin = await token_of(shared, "users:admin")
    for token in (other["registration_access_token"], registered["client_secret"], admin, "a"):
        for method in ("GET", "PUT", "DELETE"):
            named = registered | {"registration_access_token": token}
            problem(await manage(shared, named, method, **SAID), 401, "invalid_token")
    for client_id in (ours["id"], "roster", "nobody", "a:b"):
        named = registered | {"client_id": client_id}
        problem(await manage(shared, named, "GET"), 401, "invalid_token")
    problem(await call(shared, "GET", path), 401, "unauthenticated")
    basic = {"Authorization": "Basic YTpi"}
    problem(await call(shared, "DELETE", path, headers=basic), 401, "unauthenticated")
    assert (await manage(shared, registered, "GET")).status_code == 200


async def test_a_client_that_nobody_uses_is_forgotten_after_a_month(shared: httpx.AsyncClient) -> None:
    unused, used = await register(shared), await register(shared)
    await resources(shared).auth.consents.give(str(PydanticObjectId()), used["client_id"], ["openid"])
    clients = database(shared)["clients"]
    await shared.post("/clients", json={"name": "Portal", "grant_types": [], "id": "lasting"})
    ends = {
        document["_id"]: document["expires_at"]
        for document in await clients.find({}, {"expires_at": 1}).to_list()
    }
    left = ends[unused["client_id"]].replace(tzinfo=UTC) - datetime.now(UTC)
    assert timedelta(days=29) < left <= timedelta(days=30)
    assert ends[used["client_id"]] is None
    assert ends["lasting"] is None
    assert (await clients.index_information())["expires_at"]["expireAfterSeconds"] == 0
