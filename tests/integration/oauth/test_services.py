"""Clients as themselves: by their credentials (RFC 6749, section 4.4), and by tokens that they keep."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import httpx
import pytest
from beanie import PydanticObjectId

from app import oauth
from app.clients import Client
from models.client import GrantType
from tests.support.api import serving
from tests.support.applying import resources
from tests.support.identity import (
    basic,
    call,
    member,
    oauth_error,
    parts,
    post_form,
    register_client,
    sign_in,
)
from tests.support.jobs import Start
from tests.support.opaque_tokens import ALIVE
from tests.support.servers import RedisServer
from tests.support.sessions import everything, working
from tests.support.users import create, database, person, pointers, problem

GRANTS: frozenset[GrantType] = frozenset({"client_credentials"})
OWN = ("users:read", "users:write", "users:export")


class Service:
    """A registered client that acts as itself."""

    def __init__(self, http: httpx.AsyncClient, client: Client, secret: str) -> None:
        self.http = http
        self.client = client
        self.proof = {"client_id": client.id, "client_secret": secret}

    async def ask(self, **form: str) -> httpx.Response:
        return await post_form(
            self.http, "/auth/token", {"grant_type": "client_credentials"} | self.proof | form
        )

    async def sign_in(self, **form: str) -> str:
        reply = await self.ask(**form)
        assert reply.status_code == 200, reply.text
        return str(reply.json()["access_token"])

    async def ask_for_token(self, **said: Any) -> httpx.Response:
        body = {"name": "pager", "scopes": ["users:read"]} | said
        return await self.http.post(f"/clients/{self.client.id}/tokens", json=body)

    async def make(self, **said: Any) -> dict[str, Any]:
        reply = await self.ask_for_token(**said)
        assert reply.status_code == 201, reply.text
        return cast("dict[str, Any]", reply.json())

    async def list_all(self) -> list[dict[str, Any]]:
        reply = await self.http.get(f"/clients/{self.client.id}/tokens")
        assert reply.status_code == 200, reply.text
        return cast("list[dict[str, Any]]", reply.json()["items"])


async def service(http: httpx.AsyncClient, *scopes: str, client_id: str | None = None) -> Service:
    held, secret = await register_client(
        http, "Night pager", scopes=scopes or OWN, client_id=client_id, grant_types=GRANTS
    )
    return Service(http, held, secret)


async def fate(http: httpx.AsyncClient, token: str) -> str:
    reply = await call(http, "GET", "/users", token)
    return ALIVE if reply.status_code == 200 else str(reply.json()["code"])


# --- client credentials


async def test_a_service_gets_a_token_of_its_own_and_no_refresh_token(client: httpx.AsyncClient) -> None:
    pager = await service(client)
    reply = await pager.ask(scope="users:read users:admin")
    assert reply.headers["cache-control"] == "no-store"
    said = reply.json()
    assert said == {
        "access_token": said["access_token"],
        "token_type": "Bearer",
        "expires_in": 600,
        "scope": "users:read",
    }
    header, claims = parts(said["access_token"])
    assert header["typ"] == "at+jwt"
    assert claims["sub"] == claims["client_id"] == pager.client.id
    assert await fate(client, said["access_token"]) == ALIVE


async def test_without_a_scope_parameter_a_service_gets_all_its_own(client: httpx.AsyncClient) -> None:
    _, claims = parts(await (await service(client, "me", *OWN)).sign_in())
    assert claims["scope"].split() == sorted(OWN)  # and never `me`, which is a person


@pytest.mark.parametrize("scope", ["me", "users:admin"])
async def test_a_service_is_refused_scopes_that_are_not_its_own(
    client: httpx.AsyncClient, scope: str
) -> None:
    pager = await service(client)
    oauth_error(await pager.ask(scope=scope), "invalid_scope")
    oauth_error(await pager.ask(scope="users:reed"), "invalid_scope")


async def test_a_client_without_scopes_of_its_own_is_told_so(client: httpx.AsyncClient) -> None:
    held, secret = await register_client(client, grant_types=GRANTS)
    said = oauth_error(await Service(client, held, secret).ask(), "unauthorized_client")
    assert said == "The client has no scopes of its own: an administrator names them first."
    for scopes in (("me",),):
        assert oauth_error(await (await service(client, *scopes)).ask(), "unauthorized_client") == said


async def test_a_public_client_cannot_act_as_itself(client: httpx.AsyncClient) -> None:
    held, _ = await register_client(client, is_public=True, scopes=OWN)
    form = {"grant_type": "client_credentials", "client_id": held.id}
    oauth_error(await post_form(client, "/auth/token", form), "unauthorized_client")
    oauth_error(
        await post_form(client, "/auth/token", {"grant_type": "client_credentials"}), "unauthorized_client"
    )


async def test_a_client_registered_for_other_grants_is_refused(client: httpx.AsyncClient) -> None:
    held, secret = await register_client(client, scopes=OWN)
    oauth_error(await Service(client, held, secret).ask(), "unauthorized_client")


async def test_a_wrong_secret_is_an_invalid_client(client: httpx.AsyncClient) -> None:
    pager = await service(client)
    oauth_error(await pager.ask(client_secret="wrong"), "invalid_client", 401)


async def test_a_request_of_a_service_costs_one_trip_to_redis_and_none_to_mongodb(
    client: httpx.AsyncClient, mongo_uri: str, redis_url: str
) -> None:
    pager = await service(client)
    for token in (await pager.sign_in(), (await pager.make())["token"]):
        async with working(mongo_uri, redis_url) as worker:

            async def reads() -> int:
                return int((await worker.redis.info("stats"))["total_reads_processed"])

            assert (await call(client, "GET", "/users/me", token)).status_code == 403
            await worker.database.command("profile", 2)
            before = await reads()
            for _ in range(100):
                assert (await call(client, "GET", "/users/me", token)).status_code == 403
            # and the question itself, and what the processes of the test do besides in so long a time
            assert 100 < await reads() - before < 110
            await worker.database.command("profile", 0)
            assert await worker.database["system.profile"].count_documents({}) == 0
            await worker.database.drop_collection("system.profile")


async def test_sign_ins_of_a_service_displace_nothing_and_leave_nothing_for_long(
    mongo_uri: str, redis_url: str
) -> None:
    async with serving(mongo_uri, redis_url, sessions_per_user=1) as client:
        pager = await service(client)
        tokens = [await pager.sign_in() for _ in range(5)]
        assert [await fate(client, token) for token in tokens] == [ALIVE] * 5
        redis = resources(client).connections.redis
        sessions = [key async for key in redis.scan_iter(f"roster:{{{pager.client.subject}}}:session:*")]
        left_s = [await redis.ttl(key) for key in sessions]
        assert len(left_s) == 5
        assert 0 < min(left_s) <= max(left_s) <= 600


# --- what a service does


async def test_a_client_s_subject_is_told_to_administrators(client: httpx.AsyncClient) -> None:
    pager = await service(client)
    assert (await client.get(f"/clients/{pager.client.id}")).json()["subject"] == pager.client.subject


async def test_the_trail_names_the_client_of_what_a_service_changed(client: httpx.AsyncClient) -> None:
    pager, user = await service(client), await create(client)
    for token in (await pager.sign_in(), (await pager.make(scopes=["users:write"]))["token"]):
        reply = await call(client, "PATCH", f"/users/{user['id']}", token, json={"name": token[-6:]})
        assert reply.status_code == 200, reply.text
        entry = (await client.get("/audit", params={"user": user["id"]})).json()["items"][0]
        assert (entry["action"], entry["by"], entry["client"], entry["via"]) == (
            "changed", pager.client.subject, pager.client.id, "api",
        )  # fmt: skip
    found = await client.get("/audit", params={"by": pager.client.subject})
    assert len(found.json()["items"]) == 2


async def test_a_service_s_jobs_exports_and_imports_are_its_own(starts: Start) -> None:
    http = await starts()
    pager, other = await service(http), await service(http)
    token, stranger = await pager.sign_in(), await other.sign_in()
    wait = {"Prefer": "wait=30"}
    export = await call(http, "POST", "/users/exports", token, json={"format": "csv"}, headers=wait)
    file = {"file": ("people.csv", b"name,email\nZoe,zoe@example.com\n", "text/csv")}
    plan = await call(http, "POST", "/users/import", token, files=file, headers=wait)
    made = {"exports": export.json(), "imports": plan.json()}
    for name, said in made.items():
        assert said["created_by"] == pager.client.subject, said
        for reader, status in ((token, 200), (stranger, 404)):
            reply = await call(http, "GET", f"/users/{name}/{said['id']}", reader)
            assert reply.status_code == status, reply.text
    listed = (await call(http, "GET", "/jobs", token)).json()["items"]
    assert {job["created_by"] for job in listed} == {pager.client.subject}
    applied = await call(http, "POST", f"/users/imports/{plan.json()['id']}/apply", token, headers=wait)
    assert applied.json()["state"] == "applied", applied.text
    entry = (await http.get("/audit", params={"by": pager.client.subject})).json()["items"][0]
    assert (entry["action"], entry["via"]) == ("created", "import")


async def test_a_key_of_idempotency_is_the_service_s_own(client: httpx.AsyncClient) -> None:
    token, headers = await (await service(client)).sign_in(), {"Idempotency-Key": "once"}
    said = person()
    first = await call(client, "POST", "/users", token, json=said, headers=headers)
    again = await call(client, "POST", "/users", token, json=said, headers=headers)
    assert (first.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("GET", "/users/me/sessions", None),
        ("DELETE", "/users/me/sessions", None),
        ("DELETE", f"/users/me/sessions/{'a' * 43}", None),
        ("POST", "/auth/invitations", {}),
        (
            "POST",
            "/users/exports/schedules",
            {"name": "weekly", "cron": "0 6 * * 1", "export": {"format": "csv"}},
        ),
        ("GET", "/views", None),
        ("POST", "/views", {"name": "mine"}),
    ],
)
async def test_what_needs_a_person_refuses_a_service(
    client: httpx.AsyncClient, method: str, path: str, said: Any
) -> None:
    pager = await service(client, *OWN, "users:admin")
    for token in (await pager.sign_in(), (await pager.make(scopes=[*OWN, "users:admin"]))["token"]):
        problem(await call(client, method, path, token, json=said), 403, "sign_in_needed")


@pytest.mark.parametrize("path", ["/users/me", "/users/me/tokens"])
async def test_what_is_one_s_own_needs_a_scope_that_no_service_has(
    client: httpx.AsyncClient, path: str
) -> None:
    reply = await call(client, "GET", path, await (await service(client)).sign_in())
    problem(reply, 403, "insufficient_scope")


async def test_a_service_signs_out(client: httpx.AsyncClient) -> None:
    pager = await service(client)
    for token in (await pager.sign_in(), (await pager.make())["token"]):
        assert (await call(client, "POST", "/auth/logout", token)).status_code == 204
        assert await fate(client, token) == "session_revoked"
    assert await pager.list_all() == []


async def test_a_service_may_administer(client: httpx.AsyncClient) -> None:
    token = await (await service(client, "users:admin", "users:write")).sign_in()
    user = await member(client, "me")
    tokens = await sign_in(client, user)
    reply = await call(client, "DELETE", f"/users/{user['id']}/sessions", token)
    assert reply.status_code == 204, reply.text
    reply = await call(client, "GET", "/users/me", tokens["access_token"])
    problem(reply, 401, "session_revoked")


# --- tokens that clients keep


async def test_a_client_s_token_is_shown_once_listed_and_ended(client: httpx.AsyncClient) -> None:
    pager = await service(client)
    made = await pager.make(name="for the pager", scopes=["users:read"])
    text = made.pop("token")
    assert text.startswith("roster_svc_")
    assert await pager.list_all() == [made]
    assert await fate(client, text) == ALIVE
    assert text not in str(await everything(resources(client).connections.redis))
    path = f"/clients/{pager.client.id}/tokens/{made['id']}"
    assert (await client.delete(path)).status_code == 204
    assert await fate(client, text) == "session_revoked"
    problem(await client.delete(path), 404, "token_not_found")


@pytest.mark.parametrize("scopes", [["me"], ["users:read", "users:admin"]])
async def test_a_client_s_token_has_scopes_of_the_client_s_own(
    client: httpx.AsyncClient, scopes: list[str]
) -> None:
    assert pointers(await (await service(client, "me", *OWN)).ask_for_token(scopes=scopes)) == {"/scopes"}


async def test_a_client_that_cannot_act_as_itself_gets_no_token(client: httpx.AsyncClient) -> None:
    anything, secret = await register_client(client)
    assert pointers(await Service(client, anything, secret).ask_for_token()) == {"/scopes"}
    app, _ = await register_client(client, is_public=True, scopes=OWN)
    problem(await Service(client, app, "").ask_for_token(), 422, "validation_failed")
    body = {"name": "pager", "scopes": ["users:read"]}
    for client_id in ("nobody", "roster"):
        problem(await client.post(f"/clients/{client_id}/tokens", json=body), 404, "client_not_found")
        problem(await client.get(f"/clients/{client_id}/tokens"), 404, "client_not_found")
        problem(await client.delete(f"/clients/{client_id}/tokens/x"), 404, "client_not_found")


async def test_introspection_names_the_client_as_the_subject(client: httpx.AsyncClient) -> None:
    pager = await service(client)
    secret = pager.proof["client_secret"]
    for token in (await pager.sign_in(), (await pager.make())["token"]):
        reply = await post_form(
            client, "/auth/introspect", {"token": token}, Authorization=basic(pager.client.id, secret)
        )
        said = reply.json()
        assert (said["active"], said["sub"], said["client_id"]) == (True, pager.client.id, pager.client.id)


async def test_a_client_revokes_its_own_tokens(client: httpx.AsyncClient) -> None:
    pager, other = await service(client), await service(client)
    for token in (await pager.sign_in(), (await pager.make())["token"]):
        form = {"token": token}
        oauth_error(await post_form(client, "/auth/revoke", form | other.proof), "unauthorized_client")
        assert await fate(client, token) == ALIVE
        assert (await post_form(client, "/auth/revoke", form | pager.proof)).status_code == 200
        assert await fate(client, token) == "session_revoked"


# --- what ends them


async def remove(pager: Service) -> None:
    await oauth.remove_client(resources(pager.http).auth, pager.client.id)


async def flush(pager: Service) -> None:
    """Redis forgets all that it was told of clients, but not who is speaking to the service here."""
    redis = resources(pager.http).connections.redis
    for pattern in (f"roster:{{{pager.client.subject}}}:*", "roster:client:*"):
        for name in await redis.keys(pattern):
            await redis.delete(name)


async def nothing(_: Service) -> None:
    pass


@pytest.mark.parametrize("before", [nothing, flush])
@pytest.mark.parametrize("after", [nothing, flush])
async def test_a_removed_client_s_tokens_are_refused_at_once_and_no_namesake_has_them(
    client: httpx.AsyncClient,
    before: Callable[[Service], Awaitable[None]],
    after: Callable[[Service], Awaitable[None]],
) -> None:
    pager, other = await service(client), await service(client)
    used, unused = await pager.sign_in(), await pager.sign_in()
    kept, new = (await pager.make())["token"], (await pager.make())["token"]
    others = (await other.make())["token"]
    assert await fate(client, used) == await fate(client, kept) == ALIVE
    await before(pager)
    await remove(pager)
    await after(pager)
    for token in (kept, new):
        assert await fate(client, token) == "session_revoked"
    for token in (used, unused):
        assert await fate(client, token) in {"session_revoked", "session_expired"}
    namesake = await service(client, client_id=pager.client.id)
    assert namesake.client.subject != pager.client.subject
    for token in (used, unused, kept, new):
        assert await fate(client, token) != ALIVE
    assert await namesake.list_all() == []
    assert await fate(client, await namesake.sign_in()) == ALIVE
    assert await fate(client, (await namesake.make())["token"]) == ALIVE
    assert await fate(client, others) == ALIVE
    assert await database(client)["tokens"].count_documents({}) == 2


async def test_a_token_on_its_way_does_not_outlive_its_client(client: httpx.AsyncClient) -> None:
    pager, opened = await service(client), resources(client)
    await remove(pager)
    late = await opened.auth.sessions.create(
        pager.client.subject, 1, client=pager.client, scopes=frozenset(OWN), ttl_s=600
    )
    token, _ = opened.auth.tokens.issue(
        user_id=pager.client.subject,
        sid=late.sid,
        client_id=pager.client.id,
        scopes=OWN,
        is_service=True,
    )
    assert await fate(client, token) == "session_revoked"


async def change_scopes(pager: Service, *scopes: str) -> None:
    reply = await pager.http.patch(f"/clients/{pager.client.id}", json={"scopes": list(scopes)})
    assert reply.status_code == 200, reply.text


@pytest.mark.parametrize("lost", [False, True])
async def test_a_client_that_loses_a_scope_loses_the_tokens_that_hold_it(
    client: httpx.AsyncClient, *, lost: bool
) -> None:
    pager = await service(client)
    wide, narrow = await pager.make(scopes=["users:write"]), await pager.make(scopes=["users:read"])
    assert await fate(client, narrow["token"]) == ALIVE
    if lost:
        await flush(pager)
    await change_scopes(pager, "users:read", "users:export")
    for _ in range(2):
        reply = await call(client, "PATCH", f"/users/{PydanticObjectId()}", wide["token"], json={})
        problem(reply, 401, "session_revoked")
        assert await fate(client, narrow["token"]) == ALIVE
        await flush(pager)
    assert [token["id"] for token in await pager.list_all()] == [narrow["id"]]
    oauth_error(await pager.ask(scope="users:write"), "invalid_scope")


async def test_a_token_written_after_the_client_lost_its_scope_is_refused(client: httpx.AsyncClient) -> None:
    pager = await service(client)
    made = await pager.make(scopes=["users:write"])
    await database(client)["clients"].update_one({}, {"$set": {"scopes": ["users:read"]}})
    reply = await call(client, "PATCH", f"/users/{PydanticObjectId()}", made["token"], json={})
    problem(reply, 401, "session_revoked")


async def test_a_new_secret_ends_no_token(client: httpx.AsyncClient) -> None:
    pager = await service(client)
    tokens = await pager.sign_in(), (await pager.make())["token"]
    reply = await client.post(f"/clients/{pager.client.id}/secret", json={"overlap": 0})
    assert reply.status_code == 200, reply.text
    assert [await fate(client, token) for token in tokens] == [ALIVE, ALIVE]
    oauth_error(await pager.ask(), "invalid_client", 401)


async def test_a_client_s_tokens_work_again_after_redis_was_killed(
    mongo_uri: str, own_redis: RedisServer
) -> None:
    async with serving(mongo_uri, own_redis.url) as client:
        pager = await service(client)
        tokens = await pager.sign_in(), (await pager.make())["token"]
        assert [await fate(client, token) for token in tokens] == [ALIVE, ALIVE]
        await asyncio.to_thread(own_redis.kill)
        await asyncio.to_thread(own_redis.restart)
        assert [await fate(client, token) for token in tokens] == [ALIVE, ALIVE]
