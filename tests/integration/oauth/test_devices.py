"""Sign-ins on devices without a browser (RFC 8628), with the user's part as the pages call it."""

import asyncio
import re
from dataclasses import dataclass
from typing import Any
from unittest.mock import AsyncMock

import httpx
import pytest

from app.auth.one_time import OneTimeRecords
from app.auth.sessions import BrowserSession, Sessions
from app.core.errors import RosterError, SessionRevokedError, ThrottledError, UserCodeNotFoundError
from app.oauth.devices import Devices
from tests.support.api import serving
from tests.support.applying import resources
from tests.support.clients import new_client
from tests.support.identity import (
    OTHER_PASSWORD,
    ask_refresh,
    call,
    hash_of,
    oauth_error,
    parts,
    post_form,
    register_client,
)
from tests.support.servers import RedisServer
from tests.support.users import create

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
ADDRESS = "203.0.113.7"
THEIR_SCOPES = frozenset({"me", "users:read"})


class Clock:
    """The time by which polls are paced."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(resources(client).auth.devices, "_now", made)
    return made


@dataclass(slots=True)
class Device:
    """A program that has begun, and asks for its tokens."""

    http: httpx.AsyncClient
    said: dict[str, Any]
    proof: dict[str, str]

    async def poll(self, **form: str) -> httpx.Response:
        asked = {"grant_type": GRANT, "device_code": self.said["device_code"]} | self.proof | form
        return await post_form(self.http, "/auth/token", asked)


async def begin(http: httpx.AsyncClient, **form: str) -> Device:
    form = {"client_id": "roster"} | form
    reply = await post_form(http, "/auth/device", form)
    assert reply.status_code == 200, reply.text
    assert reply.headers["cache-control"] == "no-store"
    proof = {name: value for name, value in form.items() if name.startswith("client_")}
    return Device(http, reply.json(), proof)


@dataclass(slots=True)
class Person:
    """Somebody who has signed in by a browser, where the pages ask what they decide."""

    devices: Devices
    browser: BrowserSession

    async def approve(self, typed: str, scopes: frozenset[str] = THEIR_SCOPES) -> None:
        await self.devices.approve(typed, self.browser, scopes, address=ADDRESS)


async def visit(http: httpx.AsyncClient, *scopes: str) -> Person:
    user = await create(http, scopes=list(scopes or THEIR_SCOPES))
    auth = resources(http).auth
    browser, _ = await auth.browsers.begin(user["id"], 0, address=ADDRESS, agent="", cookie=None)
    return Person(auth.devices, browser)


# --- the flow


async def test_a_device_shows_a_code_and_gets_tokens_once_its_user_approved(
    client: httpx.AsyncClient,
) -> None:
    device, person = await begin(client, scope="me users:read users:admin"), await visit(client)
    said = device.said
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", said["user_code"])
    page = said["verification_uri"]
    assert page.endswith("/auth/device")
    assert said["verification_uri_complete"] == f"{page}?user_code={said['user_code']}"
    assert (said["expires_in"], said["interval"]) == (600, 5)
    oauth_error(await device.poll(), "authorization_pending")
    await person.approve(said["user_code"])
    tokens = (await device.poll()).json()
    assert tokens["scope"] == "me users:read"
    me = await call(client, "GET", "/users/me", tokens["access_token"])
    assert me.json()["id"] == person.browser.user_id
    assert me.json()["last_login_at"] is not None
    assert (await ask_refresh(client, tokens["refresh_token"])).status_code == 200
    oauth_error(await device.poll(), "expired_token")


async def test_a_device_s_session_is_its_own(client: httpx.AsyncClient) -> None:
    device, person = await begin(client), await visit(client)
    await person.approve(device.said["user_code"])
    tokens = (await device.poll()).json()
    await resources(client).auth.browsers.end(person.browser)
    assert (await call(client, "GET", "/users/me", tokens["access_token"])).status_code == 200


@pytest.mark.parametrize("form", ["{0}", "{0} ", "  {1}", "{2} {3}", "{2}_{3}", "{4}", "{5}"])
async def test_a_user_types_the_code_as_people_do(client: httpx.AsyncClient, form: str) -> None:
    device = await begin(client)
    code = device.said["user_code"]
    first, _, last = code.partition("-")
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in first + last)
    typed = form.format(code, code.lower(), first, last.lower(), first + last, wide)
    found = await resources(client).auth.devices.find(typed, address=ADDRESS)
    assert (found.user_code, found.client_id) == (code, "roster")


async def test_a_device_gets_no_more_than_its_user_saw_and_has(client: httpx.AsyncClient) -> None:
    device, person = await begin(client, scope="users:read users:export"), await visit(client)
    await person.approve(device.said["user_code"], frozenset({"me", "users:read", "users:export"}))
    assert (await device.poll()).json()["scope"] == "users:read"


async def test_a_device_that_asks_for_openid_is_told_who_its_user_is(client: httpx.AsyncClient) -> None:
    device, person = await begin(client, scope="openid email offline_access me"), await visit(client)
    everything = frozenset({"openid", "email", "offline_access", "me"})
    await person.approve(device.said["user_code"], everything)
    tokens = (await device.poll()).json()
    assert tokens["scope"] == "email me offline_access openid"
    refreshed = (await ask_refresh(client, tokens["refresh_token"])).json()
    signed_in_at = int(person.browser.auth_at.timestamp())
    for each in (tokens, refreshed):
        told, sid = parts(each["id_token"])[1], parts(each["access_token"])[1]["sid"]
        assert (told["sub"], told["aud"], told["sid"]) == (person.browser.user_id, "roster", sid)
        assert told["auth_time"] == signed_in_at
    known = (await call(client, "GET", "/auth/userinfo", tokens["access_token"])).json()
    assert known["email"] == (await call(client, "GET", "/users/me", tokens["access_token"])).json()["email"]


async def test_a_device_that_does_not_ask_for_openid_gets_no_id_token(client: httpx.AsyncClient) -> None:
    device, person = await begin(client), await visit(client)
    await person.approve(device.said["user_code"])
    tokens = (await device.poll()).json()
    assert (tokens["scope"], "id_token" in tokens) == ("me users:read", False)


async def test_a_device_whose_client_lost_its_scopes_meanwhile_gets_nothing(
    client: httpx.AsyncClient,
) -> None:
    auth = resources(client).auth
    new = new_client(is_public=True, scopes=["openid", "me"], grant_types=frozenset({GRANT}))
    held, _ = await auth.clients.register(new)
    person, device = await visit(client), await begin(client, client_id=held.id, scope="openid")
    await person.approve(device.said["user_code"], frozenset({"openid"}))
    await auth.clients.change(held.id, {"scopes": frozenset({"me"})})
    oauth_error(await device.poll(), "invalid_scope")


async def test_an_approval_is_a_consent_whose_withdrawal_ends_the_device_s_session(
    client: httpx.AsyncClient,
) -> None:
    auth = resources(client).auth
    new = new_client(is_public=True, grant_types=frozenset({GRANT, "refresh_token"}))
    held, _ = await auth.clients.register(new)
    person, device = await visit(client), await begin(client, client_id=held.id, scope="me")
    await person.approve(device.said["user_code"])
    tokens = (await device.poll()).json()
    assert await auth.consents.find(person.browser.user_id, held.id) == {"me"}
    await auth.consents.withdraw(person.browser.user_id, held.id)
    refused = await call(client, "GET", "/users/me", tokens["access_token"])
    assert (refused.status_code, refused.json()["code"]) == (401, "session_revoked")


async def test_a_denied_device_is_told_so_once(client: httpx.AsyncClient) -> None:
    device = await begin(client)
    devices = resources(client).auth.devices
    await devices.deny(device.said["user_code"], address=ADDRESS)
    with pytest.raises(UserCodeNotFoundError):
        await devices.find(device.said["user_code"], address=ADDRESS)
    oauth_error(await device.poll(), "access_denied")
    oauth_error(await device.poll(), "expired_token")


async def test_fifty_polls_at_once_get_one_session(client: httpx.AsyncClient) -> None:
    device, person = await begin(client), await visit(client)
    await person.approve(device.said["user_code"])
    replies = await asyncio.gather(*(device.poll() for _ in range(50)))
    assert sorted({reply.status_code for reply in replies}) == [200, 400]
    assert [reply.status_code for reply in replies].count(200) == 1
    errors = {reply.json()["error"] for reply in replies if reply.status_code == 400}
    assert errors <= {"invalid_grant", "expired_token"}


# --- the pace of polls


async def test_a_device_that_asks_too_often_is_slowed_down_and_never_for_ever(
    client: httpx.AsyncClient, clock: Clock
) -> None:
    device, person = await begin(client), await visit(client)
    answers = []
    for _ in range(12):
        answers.append((await device.poll()).json()["error"])
        clock.now += 1
    assert answers == (["authorization_pending"] + ["slow_down"] * 3) * 3
    await person.approve(device.said["user_code"])
    assert (await device.poll()).status_code == 200


async def test_a_device_that_keeps_the_interval_is_never_slowed_down(
    client: httpx.AsyncClient, clock: Clock
) -> None:
    device = await begin(client)
    for early in (0, 0.9, 0, 0.5, 0.9):
        oauth_error(await device.poll(), "authorization_pending")
        clock.now += 5 - early


# --- what is refused


async def test_a_client_that_is_not_registered_for_devices_is_refused(client: httpx.AsyncClient) -> None:
    held, secret = await register_client(client)
    form = {"client_id": held.id, "client_secret": secret}
    oauth_error(await post_form(client, "/auth/device", form), "unauthorized_client")
    oauth_error(
        await post_form(client, "/auth/token", form | {"grant_type": GRANT, "device_code": "x"}),
        "unauthorized_client",
    )


async def test_scopes_that_the_client_may_not_have_are_refused(client: httpx.AsyncClient) -> None:
    held, _ = await register_client(client, is_public=True, scopes=["me"], grant_types=frozenset({GRANT}))
    form = {"client_id": held.id, "scope": "users:read"}
    oauth_error(await post_form(client, "/auth/device", form), "invalid_scope")
    oauth_error(await post_form(client, "/auth/device", {"scope": "users:reed"}), "invalid_scope")


async def test_another_client_gets_nothing_by_a_device_s_code(client: httpx.AsyncClient) -> None:
    device, person = await begin(client), await visit(client)
    held, _ = await register_client(client, is_public=True, grant_types=frozenset({GRANT}))
    await person.approve(device.said["user_code"])
    oauth_error(await device.poll(client_id=held.id), "invalid_grant")
    assert (await device.poll()).status_code == 200


async def test_what_the_device_shows_does_not_collect_its_tokens(client: httpx.AsyncClient) -> None:
    device, person = await begin(client), await visit(client)
    code, _, _ = device.said["device_code"].partition(".")
    await person.approve(device.said["user_code"])
    for guess in (code, f"{code}.", f"{code}.{'A' * 43}"):
        oauth_error(await device.poll(device_code=guess), "invalid_grant")
    oauth_error(await device.poll(device_code=device.said["user_code"]), "expired_token")
    oauth_error(await device.poll(device_code=""), "invalid_request")
    assert (await device.poll()).status_code == 200


async def test_guesses_at_codes_make_their_address_wait(client: httpx.AsyncClient) -> None:
    devices, device = resources(client).auth.devices, await begin(client)
    refused: list[type[RosterError]] = []
    for _ in range(60):
        try:
            await devices.find("BCDF-GHJK", address=ADDRESS)
        except RosterError as error:
            refused.append(type(error))
    assert refused[0] is UserCodeNotFoundError
    assert refused[-1] is ThrottledError
    with pytest.raises(ThrottledError):
        await devices.find(device.said["user_code"], address=ADDRESS)
    found = await devices.find(device.said["user_code"], address="198.51.100.9")
    assert found.user_code == device.said["user_code"]
    counted = (await client.get(f"/addresses/{ADDRESS}/throttle")).json()["counters"]
    assert [counter["counts"] for counter in counted] == ["user_codes"]


# --- what happens between the approval and the tokens


async def test_a_user_who_was_signed_out_everywhere_meanwhile_lets_no_device_in(
    client: httpx.AsyncClient,
) -> None:
    for method, path, said in (
        ("DELETE", "/sessions", None),
        ("PUT", "/password", {"password_hash": hash_of(OTHER_PASSWORD)}),
        ("PATCH", "", {"is_active": False}),
        ("PATCH", "", {"scopes": ["me"]}),
        ("DELETE", "", None),
    ):
        device, person = await begin(client), await visit(client)
        await person.approve(device.said["user_code"])
        reply = await client.request(method, f"/users/{person.browser.user_id}{path}", json=said)
        assert reply.status_code in {200, 204}, reply.text
        oauth_error(await device.poll(), "invalid_grant")


async def test_a_browser_whose_session_has_ended_approves_nothing(client: httpx.AsyncClient) -> None:
    device, person = await begin(client), await visit(client)
    await resources(client).auth.browsers.end(person.browser)
    with pytest.raises(SessionRevokedError):
        await person.approve(device.said["user_code"])
    oauth_error(await device.poll(), "authorization_pending")


@pytest.mark.parametrize(
    ("gone", "of", "error"),
    [("find_generation", Sessions, SessionRevokedError), ("change", OneTimeRecords, UserCodeNotFoundError)],
    ids=["the user", "the code"],
)
async def test_nothing_is_approved_if_the_user_or_the_code_is_gone_by_then(
    client: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    gone: str,
    of: type,
    error: type[RosterError],
) -> None:
    device, person = await begin(client), await visit(client)
    monkeypatch.setattr(of, gone, AsyncMock(return_value=None))
    with pytest.raises(error):
        await person.approve(device.said["user_code"])


async def test_a_code_that_another_poll_uses_meanwhile_is_good_for_one(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    device, person = await begin(client), await visit(client)
    await person.approve(device.said["user_code"])
    monkeypatch.setattr(OneTimeRecords, "use", AsyncMock(return_value=None))
    oauth_error(await device.poll(), "invalid_grant")


async def test_an_approval_of_before_redis_was_killed_is_asked_for_again(
    mongo_uri: str, own_redis: RedisServer
) -> None:
    async with serving(mongo_uri, own_redis.url) as client:
        device, person = await begin(client), await visit(client)
        await person.approve(device.said["user_code"])
        await asyncio.to_thread(own_redis.kill)
        await asyncio.to_thread(own_redis.restart)
        oauth_error(await device.poll(), "expired_token")
        again = await begin(client)
        await person.approve(again.said["user_code"])
        assert (await again.poll()).status_code == 200


async def test_metadata_names_the_endpoint_and_the_grant(client: httpx.AsyncClient) -> None:
    said = (await client.get("/.well-known/oauth-authorization-server")).json()
    assert said["device_authorization_endpoint"] == f"{said['issuer']}/auth/device"
    assert {GRANT, "client_credentials"} <= set(said["grant_types_supported"])
