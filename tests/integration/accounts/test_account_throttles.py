"""What wrong tries cost people at the front door, and how administrators see and lift it."""

from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from redis.exceptions import ConnectionError  # noqa: A004 - redis-py's own

from app import accounts
from app.auth.throttles import Throttle
from tests.support.api import serving
from tests.support.identity import (
    OTHER_PASSWORD,
    PASSWORD,
    WRONG_PASSWORD,
    ask_token,
    basic,
    call,
    member,
    oauth_error,
    post_form,
    register_client,
    sign_in,
    wear_out,
    wear_out_refusals,
)
from tests.support.users import person, pointers, problem

FORMS = {
    "e-mail": ["ana@example.com", "  ANA@Example.COM", "ana@example.com "],
    "username": ["ana_w", " Ana_W ", "ａｎａ＿ｗ"],
    "phone": ["+49 151 1234 5678", "+4915112345678", "＋49-151-12345678"],
}


async def statuses(client: httpx.AsyncClient, names: list[str], password: str = WRONG_PASSWORD) -> list[int]:
    return [(await ask_token(client, name, password)).status_code for name in names]


async def wait_of(client: httpx.AsyncClient, user: dict[str, Any]) -> Any:
    reply = await client.get(f"/users/{user['id']}/throttle")
    assert reply.status_code == 200, reply.text
    return reply.json()["waits_until"]


async def weary(client: httpx.AsyncClient) -> dict[str, Any]:
    """A user who must wait."""
    user = await member(client, "me", "users:admin")
    await wear_out(client, user["email"])
    assert await wait_of(client, user) is not None
    return user


async def test_all_names_of_an_account_in_all_forms_share_one_budget(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, tries_per_account=8) as client:
        await member(client, email="ana@example.com", username="ana_w", phone="+4915112345678")
        every = [form for forms in FORMS.values() for form in forms]
        assert await statuses(client, every) == [400] * 9
        assert await statuses(client, every, PASSWORD) == [429] * 9


@pytest.mark.parametrize("kind", FORMS)
async def test_a_name_that_nobody_has_is_as_soon_throttled_in_all_its_forms(
    mongo_uri: str, redis_url: str, kind: str
) -> None:
    async with serving(mongo_uri, redis_url, tries_per_account=2) as client:
        assert await statuses(client, FORMS[kind]) == [400] * 3
        assert await statuses(client, FORMS[kind]) == [429] * 3
        others = [forms[0] for other, forms in FORMS.items() if other != kind]
        assert await statuses(client, others) == [400] * 2


async def test_a_name_that_looks_like_an_id_costs_no_account_a_try(client: httpx.AsyncClient) -> None:
    user = await member(client)
    await wear_out(client, user["id"])
    await wear_out(client, f"id:{user['id']}")
    await client.delete("/addresses/127.0.0.1/throttle")
    await sign_in(client, user)


async def test_a_changed_name_takes_its_failures_with_it(client: httpx.AsyncClient) -> None:
    user = await weary(client)
    reply = await client.patch(f"/users/{user['id']}", json={"email": "renamed@example.com"})
    assert reply.status_code == 200, reply.text
    problem(await ask_token(client, "renamed@example.com"), 429, "too_many_attempts")


async def test_a_success_costs_nothing(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, tries_per_account=1, tries_per_address=2) as client:
        user, other = await member(client, username="often"), await member(client)
        for _ in range(4):
            assert await statuses(client, [user["email"]]) == [400]
            assert await statuses(client, ["often"], PASSWORD) == [200]
        assert await statuses(client, [other["email"]] * 2) == [400, 400]
        for _ in range(3):
            assert await statuses(client, ["often"], PASSWORD) == [200]
        counters = (await client.get(f"/users/{other['id']}/throttle")).json()["counters"]
        assert [(one["counts"], one["failures"]) for one in counters] == [("sign_ins_elsewhere", 2)]


# --- what else is refused


async def register(client: httpx.AsyncClient, **more: Any) -> httpx.Response:
    return await call(client, "POST", "/auth/register", json=person(password=PASSWORD) | more)


async def test_registering_well_is_not_throttled_and_badly_costs_nobody_a_sign_in(
    mongo_uri: str, redis_url: str
) -> None:
    limits = {"registration": "open", "tries_per_address": 2}
    async with serving(mongo_uri, redis_url, **limits) as client:
        user = await member(client)
        for _ in range(4):
            assert (await register(client)).status_code == 201
        for _ in range(3):
            problem(await register(client, email=user["email"]), 409, "already_exists")
            problem(await register(client, password="password1"), 422, "validation_failed")
        await wear_out_refusals(client, "weak_passwords")
        problem(await register(client, password="password1"), 429, "too_many_attempts")
        await client.delete("/addresses/127.0.0.1/throttle")
        for _ in range(4):
            assert (await register(client)).status_code == 201
        problem(await register(client, email=user["email"]), 409, "already_exists")
        await wear_out_refusals(client, "refused_registrations")
        for refused in (await register(client), await register(client, email=user["email"])):
            problem(refused, 429, "too_many_attempts")
        await sign_in(client, user)


async def test_wrong_passwords_keep_nobody_from_registering(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, registration="open") as client:
        await wear_out(client)
        problem(await ask_token(client, "another@example.com"), 429, "too_many_attempts")
        assert (await register(client)).status_code == 201


async def test_a_weak_new_password_has_a_budget_of_its_own(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, tries_per_account=2) as client:
        user = await member(client)
        token = (await sign_in(client, user))["access_token"]
        weak = {"current_password": PASSWORD, "new_password": "password1"}
        path = "/users/me/password"
        for _ in range(3):
            refused = await call(client, "POST", path, token, json=weak)
            assert pointers(refused, 422, "validation_failed") == {"/new_password"}
        await wear_out_refusals(client, "weak_passwords")
        problem(await call(client, "POST", path, token, json=weak), 429, "too_many_attempts")
        await sign_in(client, user)
        good = weak | {"new_password": OTHER_PASSWORD}
        assert (await call(client, "POST", path, token, json=good)).status_code == 200
        assert (await client.get(f"/users/{user['id']}/throttle")).json()["counters"] == []


async def test_people_s_wrong_passwords_do_not_stop_clients_nor_wrong_secrets_people(
    mongo_uri: str, redis_url: str
) -> None:
    async with serving(mongo_uri, redis_url) as client:
        held, secret = await register_client(client)
        public, _ = await register_client(client, "Public", is_public=True)
        user = await member(client)
        await wear_out(client)
        form, right = {"token": "x"}, basic(held.id, secret)
        assert (await post_form(client, "/auth/introspect", form, Authorization=right)).status_code == 200
        await client.delete("/addresses/127.0.0.1/throttle")
        wrong = await post_form(client, "/auth/introspect", form, Authorization=basic(held.id, "x"))
        oauth_error(wrong, "invalid_client", 401)
        await wear_out_refusals(client, "client_secrets")
        problem(
            await post_form(client, "/auth/introspect", form, Authorization=right), 429, "too_many_attempts"
        )
        await sign_in(client, user)
        await sign_in(client, user, client_id=public.id)


# --- administrators


async def test_an_administrator_sees_a_throttle_and_lifts_it(client: httpx.AsyncClient) -> None:
    user, other = await member(client), await member(client)
    assert (await client.get(f"/users/{user['id']}/throttle")).json() == {"waits_until": None, "counters": []}
    for one in (user, other):
        await wear_out(client, one["email"])
    seen = (await client.get(f"/users/{user['id']}/throttle")).json()
    (counter,) = seen["counters"]
    assert (counter["counts"], counter["failures"]) == ("sign_ins_elsewhere", 60)
    assert counter["failed_at"] < counter["waits_until"] == seen["waits_until"] < counter["forgotten_at"]
    assert (await client.delete(f"/users/{user['id']}/throttle")).status_code == 204
    assert (await client.get(f"/users/{user['id']}/throttle")).json()["counters"] == []
    problem(await ask_token(client, user["email"]), 429, "too_many_attempts")  # its address still waits
    at_address = (await client.get("/addresses/127.0.0.1/throttle")).json()
    assert [(one["counts"], one["failures"]) for one in at_address["counters"]] == [("sign_ins", 120)]
    assert (await client.delete("/addresses/127.0.0.1/throttle")).status_code == 204
    assert (await client.get("/addresses/127.0.0.1/throttle")).json() == {"waits_until": None, "counters": []}
    await sign_in(client, user)
    problem(await ask_token(client, other["email"]), 429, "too_many_attempts")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_throttle_of_nobody_and_of_no_address_is_refused(
    client: httpx.AsyncClient, method: str
) -> None:
    problem(await client.request(method, f"/users/{'0' * 24}/throttle"), 404, "user_not_found")
    for wrong in ("users.example.com", "203.0.113", "1" * 65, "::g", "203.0.113.7:80", "fe80::1%25eth0"):
        reply = await client.request(method, f"/addresses/{wrong}/throttle")
        assert problem(reply, 422, "validation_failed")["errors"][0]["parameter"] == "address"
    for right in ("2001:db8::1", "203.0.113.9", "unknown"):
        assert (await client.request(method, f"/addresses/{right}/throttle")).is_success


async def test_a_password_set_by_an_administrator_lifts_the_throttle(client: httpx.AsyncClient) -> None:
    user = await weary(client)
    setting = {"password": OTHER_PASSWORD}
    assert (await client.put(f"/users/{user['id']}/password", json=setting)).status_code == 204
    assert await wait_of(client, user) is None


async def test_a_password_set_by_the_command_line_lifts_the_throttle(client: httpx.AsyncClient) -> None:
    user = await weary(client)
    opened = client.app.state.container  # type: ignore[attr-defined]  # set by `serving`
    assert await accounts.create_admin(opened.auth, user["email"], SecretStr(OTHER_PASSWORD)) is False
    assert await wait_of(client, user) is None


async def test_a_changed_password_lifts_the_throttle_of_guesses_from_elsewhere(
    mongo_uri: str, redis_url: str
) -> None:
    async with serving(mongo_uri, redis_url, tries_per_account=2, trusted_proxies="127.0.0.0/8") as client:
        user = await member(client)
        token = (await sign_in(client, user))["access_token"]
        form = {"grant_type": "password", "username": user["email"], "password": WRONG_PASSWORD}
        for _ in range(3):
            await post_form(client, "/auth/token", form, X_Forwarded_For="203.0.113.7")
        assert await wait_of(client, user) is not None
        change = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
        assert (await call(client, "POST", "/users/me/password", token, json=change)).status_code == 200
        assert await wait_of(client, user) is None


async def test_a_password_is_set_though_redis_goes_before_the_throttle_is_lifted(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await member(client)

    async def lose(_: Throttle, account: str) -> None:
        raise ConnectionError(account)

    monkeypatch.setattr(Throttle, "lift_account", lose)
    setting = {"password": OTHER_PASSWORD}
    assert (await client.put(f"/users/{user['id']}/password", json=setting)).status_code == 204
    await sign_in(client, user, OTHER_PASSWORD)
