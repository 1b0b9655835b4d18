"""`password_jwe`: sealed passwords wherever a password may stand, each good once."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.api import serving_prepared
from tests.support.identity import (
    OTHER_PASSWORD,
    PASSWORD,
    WRONG_PASSWORD,
    ask_token,
    call,
    member,
    oauth_error,
    post_form,
    seal,
    sign_in,
)
from tests.support.users import pointers

USED = "It was used already."


@pytest.fixture
async def public(mongo_uri: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A service where anybody may register."""
    async with serving_prepared(mongo_uri, redis_url, registration="open") as client:
        yield client


async def sealed(client: httpx.AsyncClient, password: str = PASSWORD) -> str:
    return seal((await call(client, "GET", "/auth/keys/password")).json(), password)


async def ask_sealed(client: httpx.AsyncClient, name: str, password_jwe: str, **more: str) -> httpx.Response:
    form = {"grant_type": "password", "username": name, "password_jwe": password_jwe}
    return await post_form(client, "/auth/token", form | more)


async def test_the_published_key_is_public_alone(client: httpx.AsyncClient) -> None:
    reply = await call(client, "GET", "/auth/keys/password")
    key = reply.json()
    assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}
    assert (key["kty"], key["use"], key["alg"]) == ("RSA", "enc", "RSA-OAEP-256")
    assert (await call(client, "GET", "/auth/keys/password")).json() == key
    signing = (await call(client, "GET", "/.well-known/jwks.json")).json()["keys"]
    assert key["kid"] not in {each["kid"] for each in signing}


async def test_a_sealed_password_signs_in_once(client: httpx.AsyncClient) -> None:
    user = await member(client)
    jwe = await sealed(client)
    assert (await ask_sealed(client, user["email"], jwe)).status_code == 200
    assert USED in oauth_error(await ask_sealed(client, user["email"], jwe), "invalid_request")
    assert (await ask_sealed(client, user["email"], await sealed(client))).status_code == 200


async def test_a_sealed_password_is_used_up_by_a_failure_too(client: httpx.AsyncClient) -> None:
    user = await member(client)
    jwe = await sealed(client, WRONG_PASSWORD)
    oauth_error(await ask_sealed(client, user["email"], jwe), "invalid_grant")
    assert USED in oauth_error(await ask_sealed(client, user["email"], jwe), "invalid_request")


async def test_a_sealed_and_a_plain_password_are_one_too_many(client: httpx.AsyncClient) -> None:
    user = await member(client)
    jwe = await sealed(client)
    oauth_error(await ask_sealed(client, user["email"], jwe, password=PASSWORD), "invalid_request")
    assert (await ask_sealed(client, user["email"], jwe)).status_code == 200  # it was not opened


@pytest.mark.parametrize("what", ["x", "a.b.c.d.e", "torn", "long", "another key", "NUL inside"])
async def test_what_is_no_sealed_password_is_refused(client: httpx.AsyncClient, what: str) -> None:
    user = await member(client)
    good = await sealed(client)
    key = (await call(client, "GET", "/auth/keys/password")).json()
    jwe = {
        "torn": good[:-2],
        "long": "x" * 5000,
        "another key": seal(key | {"kid": "password-2020-01-01"}, PASSWORD),
        "NUL inside": seal(key, PASSWORD + "\0"),
    }.get(what, what)
    reply = await ask_sealed(client, user["email"], jwe)
    if what == "NUL inside":
        oauth_error(reply, "invalid_grant")  # only a wrong password
    else:
        assert oauth_error(reply, "invalid_request").startswith("password_jwe: ")


async def test_people_register_with_a_sealed_password(public: httpx.AsyncClient) -> None:
    jwe = await sealed(public)
    body = {"name": "Zoë", "email": "zoe@example.com", "password_jwe": jwe}
    both = await call(public, "POST", "/auth/register", json=body | {"password": PASSWORD})
    assert pointers(both) == {"/password"}
    weak = await call(
        public, "POST", "/auth/register", json=body | {"password_jwe": await sealed(public, "short")}
    )
    assert pointers(weak) == {"/password"}
    made = await call(public, "POST", "/auth/register", json=body)
    assert made.status_code == 201, made.text
    await sign_in(public, made.json())
    again = await call(public, "POST", "/auth/register", json=body | {"email": "other@example.com"})
    assert pointers(again) == {"/password_jwe"}
    assert USED in again.text
    # Nor anywhere else.
    assert USED in oauth_error(await ask_sealed(public, "zoe@example.com", jwe), "invalid_request")


async def test_people_change_their_password_by_two_sealed_ones(client: httpx.AsyncClient) -> None:
    user = await member(client)
    token = (await sign_in(client, user))["access_token"]
    old, new = await sealed(client), await sealed(client, OTHER_PASSWORD)

    async def change(**body: Any) -> httpx.Response:
        return await call(client, "POST", "/users/me/password", token, json=body)

    plain = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
    assert pointers(await change(**plain, new_password_jwe=new)) == {"/new_password"}
    assert pointers(await change(**plain, current_password_jwe=old)) == {"/current_password"}
    same = await change(current_password_jwe=old, new_password_jwe=old)
    assert USED in same.text
    assert pointers(same)
    old = await sealed(client)
    reply = await change(current_password_jwe=old, new_password_jwe=new)
    assert reply.status_code == 200, reply.text
    token = reply.json()["access_token"]
    assert USED in (await change(current_password_jwe=old, new_password=PASSWORD)).text
    assert USED in (await change(current_password=OTHER_PASSWORD, new_password_jwe=new)).text
    await sign_in(client, user, OTHER_PASSWORD)
    oauth_error(await ask_token(client, user["email"]), "invalid_grant")


async def test_a_field_of_a_change_that_is_wrong_is_named_as_it_was_sent(client: httpx.AsyncClient) -> None:
    token = (await sign_in(client, await member(client)))["access_token"]
    for body, at in (
        ({"current_password_jwe": "x", "new_password": OTHER_PASSWORD}, "/current_password_jwe"),
        ({"current_password": PASSWORD, "new_password_jwe": "x"}, "/new_password_jwe"),
    ):
        assert pointers(await call(client, "POST", "/users/me/password", token, json=body)) == {at}
    email = {"email": "x@example.com", "current_password_jwe": "x"}
    reply = await call(client, "POST", "/users/me/email", token, json=email)
    assert pointers(reply) == {"/current_password_jwe"}


async def test_people_change_their_email_with_a_sealed_password(client: httpx.AsyncClient) -> None:
    user = await member(client)
    token = (await sign_in(client, user))["access_token"]
    body = {"email": "new@example.com", "current_password_jwe": await sealed(client)}
    reply = await call(client, "POST", "/users/me/email", token, json=body)
    assert (reply.status_code, reply.json()["email"]) == (200, "new@example.com")
    again = await call(client, "POST", "/users/me/email", token, json=body | {"email": "more@example.com"})
    assert USED in again.text


async def test_an_administrator_sets_a_sealed_password(client: httpx.AsyncClient) -> None:
    user = await member(client)
    path, body = f"/users/{user['id']}/password", {"password_jwe": await sealed(client, OTHER_PASSWORD)}
    assert pointers(await client.put(path, json=body | {"password": PASSWORD})) == {"/password"}
    assert (await client.put(path, json=body)).status_code == 204
    again = await client.put(path, json=body)
    assert pointers(again) == {"/password_jwe"}
    await sign_in(client, user, OTHER_PASSWORD)
