"""`/users/me`: one's own record, password, e-mail and sessions, and last sign-ins."""

import asyncio
import hashlib
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import bcrypt
import httpx
import pytest
from beanie import PydanticObjectId

from tests.support.api import serving
from tests.support.identity import (
    OTHER_PASSWORD,
    PASSWORD,
    WRONG_PASSWORD,
    ask_refresh,
    ask_token,
    call,
    hash_of,
    member,
    oauth_error,
    sign_in,
    wear_out,
)
from tests.support.users import create, pointers, problem, read, until, users


async def stored_hash(client: httpx.AsyncClient, user: dict[str, Any]) -> str:
    row = await users(client).find_one({"_id": PydanticObjectId(user["id"])})
    return str(row["credentials"]["password_hash"])


# --- reading and changing oneself


async def test_callers_read_themselves_as_others_do(client: httpx.AsyncClient) -> None:
    user = await member(client, username="ana", profile={"age": 30})
    tokens = await sign_in(client, user)
    mine = await call(client, "GET", "/users/me", tokens["access_token"])
    theirs = await client.get(f"/users/{user['id']}")
    assert mine.json() == theirs.json()
    assert mine.headers["etag"] == theirs.headers["etag"]
    assert mine.headers["cache-control"] == "no-store"
    head = await call(client, "HEAD", "/users/me", tokens["access_token"])
    assert (head.status_code, head.content) == (200, b"")


async def test_a_caller_who_is_in_no_directory_is_not_found(client: httpx.AsyncClient) -> None:
    problem(await client.get("/users/me"), 404, "user_not_found")
    problem(await client.patch("/users/me", json={"name": "x"}), 404, "user_not_found")


async def test_callers_change_what_is_their_own(client: httpx.AsyncClient) -> None:
    user = await member(client, tags=["staff"])
    token = (await sign_in(client, user))["access_token"]
    said = {
        "name": "Zoë", "username": "zoe", "phone": "+4915112345678", "locale": "zh-CN",
        "avatar_url": "https://example.com/a.png", "profile": {"bio": "x", "age": 31},
    }  # fmt: skip
    reply = await call(client, "PATCH", "/users/me", token, json=said)
    assert reply.status_code == 200, reply.text
    changed = reply.json()
    assert {name: changed[name] for name in said if name != "profile"} == {
        name: value for name, value in said.items() if name != "profile"
    }
    assert (changed["profile"]["bio"], changed["profile"]["age"]) == ("x", 31)
    assert (changed["tags"], changed["scopes"], changed["email"]) == (["staff"], ["me"], user["email"])
    assert reply.headers["etag"] == '"2"'
    merged = {"profile": {"bio": None}, "username": None}
    kind = {"Content-Type": "application/merge-patch+json"}
    again = await call(client, "PATCH", "/users/me", token, json=merged, headers=kind)
    assert (again.json()["profile"]["bio"], again.json()["profile"]["age"]) == (None, 31)
    assert again.json()["username"] is None


@pytest.mark.parametrize(
    "said",
    [
        {"scopes": ["me", "users:admin"]}, {"is_active": True}, {"tags": ["boss"]}, {"email": "x@x.example"},
        {"version": 9}, {"id": "0" * 24}, {"_id": "0" * 24}, {"created_at": "2020-01-01T00:00:00Z"},
        {"password": PASSWORD}, {"password_hash": "x"}, {"credentials": {"generation": 9}}, {"keys": {}},
        {"facets": []}, {"last_login_at": None}, {"$set": {"scopes": ["users:admin"]}},
        {"credentials.password_hash": "x"}, {"profile": {"scopes": ["users:admin"]}}, {"name": None},
    ],
)  # fmt: skip
async def test_fields_that_are_not_the_callers_own_are_refused(
    client: httpx.AsyncClient, said: dict[str, Any]
) -> None:
    user = await member(client)
    token = (await sign_in(client, user))["access_token"]
    before = await users(client).find_one({"_id": PydanticObjectId(user["id"])})
    reply = await call(client, "PATCH", "/users/me", token, json={"locale": "de"} | said)
    assert pointers(reply)
    assert await users(client).find_one({"_id": PydanticObjectId(user["id"])}) == before


async def test_a_taken_username_is_named_and_a_stale_version_is_refused(client: httpx.AsyncClient) -> None:
    await create(client, username="taken")
    token = (await sign_in(client, await member(client)))["access_token"]
    taken = await call(client, "PATCH", "/users/me", token, json={"username": "TAKEN"})
    assert pointers(taken, 409, "already_exists") == {"/username"}
    assert "taken" not in taken.text.lower().replace("already", "")
    for path, method, body in (
        ("/users/me", "PATCH", {"name": "New"}),
        ("/users/me/email", "POST", {"email": "new@example.com", "current_password": PASSWORD}),
    ):
        stale = await call(client, method, path, token, json=body, headers={"If-Match": '"9"'})
        problem(stale, 412, "version_mismatch")
        current = (await call(client, "GET", "/users/me", token)).headers["etag"]
        fresh = await call(client, method, path, token, json=body, headers={"If-Match": current})
        assert fresh.status_code == 200, fresh.text


async def test_where_versions_are_required_callers_need_them_for_themselves(
    mongo_uri: str, redis_url: str
) -> None:
    async with serving(mongo_uri, redis_url, require_if_match=True) as client:
        token = (await sign_in(client, await member(client)))["access_token"]
        problem(await call(client, "PATCH", "/users/me", token, json={"name": "x"}), 428, "if_match_required")
        body = {"email": "new@example.com", "current_password": PASSWORD}
        problem(await call(client, "POST", "/users/me/email", token, json=body), 428, "if_match_required")


# --- the password


async def test_a_changed_password_ends_every_session_and_answers_a_new_one(client: httpx.AsyncClient) -> None:
    user = await member(client, "me", "users:read")
    here, there = await sign_in(client, user), await sign_in(client, user)
    body = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
    reply = await call(client, "POST", "/users/me/password", here["access_token"], json=body)
    assert reply.status_code == 200, reply.text
    assert reply.headers["cache-control"] == "no-store"
    for ended in (here, there):
        problem(await call(client, "GET", "/users/me", ended["access_token"]), 401, "session_revoked")
        oauth_error(await ask_refresh(client, ended["refresh_token"]), "invalid_grant")
    new = reply.json()
    assert new["scope"] == "me users:read"
    assert (await call(client, "GET", "/users/me", new["access_token"])).status_code == 200
    assert (await ask_refresh(client, new["refresh_token"])).status_code == 200
    oauth_error(await ask_token(client, user["email"], PASSWORD), "invalid_grant")
    await sign_in(client, user, OTHER_PASSWORD)
    assert (await read(client, user))["version"] == user["version"]


async def test_a_wrong_current_password_is_refused_and_throttled(client: httpx.AsyncClient) -> None:
    user = await member(client)
    token = (await sign_in(client, user))["access_token"]
    body = {"current_password": WRONG_PASSWORD, "new_password": OTHER_PASSWORD}
    replies = [await call(client, "POST", "/users/me/password", token, json=body) for _ in range(12)]
    for reply in replies:
        assert WRONG_PASSWORD not in reply.text
        assert OTHER_PASSWORD not in reply.text
    for reply in replies[:6]:
        assert pointers(reply, 403, "wrong_password") == {"/current_password"}
    assert 429 in {reply.status_code for reply in replies[6:]}
    await wear_out(client, user["email"])
    for path, said in (
        ("password", body | {"current_password": PASSWORD}),
        ("email", {"email": "new@example.com", "current_password": PASSWORD}),
    ):
        throttled = await call(client, "POST", f"/users/me/{path}", token, json=said)
        problem(throttled, 429, "too_many_attempts")
        assert int(throttled.headers["retry-after"]) >= 1
    assert await stored_hash(client, user) == hash_of(PASSWORD)
    assert (await call(client, "GET", "/users/me", token)).status_code == 200


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("short", "at least 8"),
        ("x" * 129, "at most 128"),
        ("password123", "most people choose"),
        ("aaaaaaaaaaaa", "repeated"),
        ("anastasia-x1", "name"),
        ("with\nnewline", "can be typed"),
    ],
)
async def test_a_new_password_against_the_policy_is_refused_and_says_what_would_be_right(
    client: httpx.AsyncClient, new: str, said: str
) -> None:
    user = await member(client, name="Anastasia")
    token = (await sign_in(client, user))["access_token"]
    body = {"current_password": PASSWORD, "new_password": new}
    reply = await call(client, "POST", "/users/me/password", token, json=body)
    (bad,) = problem(reply, 422, "validation_failed")["errors"]
    assert bad["pointer"] == "/new_password"
    assert said in bad["detail"]
    assert new not in reply.json()["detail"] + bad["detail"]
    assert (await call(client, "GET", "/users/me", token)).status_code == 200


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({}, "/current_password"),
        ({"current_password": PASSWORD}, "/new_password"),
        ({"new_password": OTHER_PASSWORD}, "/current_password"),
        ({"current_password": PASSWORD, "new_password": OTHER_PASSWORD, "user_id": "x"}, "/user_id"),
        ({"current_password": 12345678, "new_password": OTHER_PASSWORD}, "/current_password"),
        ({"current_password": PASSWORD, "new_password": ["canary-canary"]}, "/new_password"),
        ({"current_password": PASSWORD, "new_password": "canary" * 200}, "/new_password"),
    ],
)
async def test_a_change_of_password_lacks_nothing_and_has_nothing_more(
    client: httpx.AsyncClient, body: dict[str, Any], at: str
) -> None:
    token = (await sign_in(client, await member(client)))["access_token"]
    reply = await call(client, "POST", "/users/me/password", token, json=body)
    assert pointers(reply) == {at}
    assert "canary" not in reply.text
    assert PASSWORD not in reply.text


async def test_of_two_changes_of_password_at_once_one_wins_and_its_tokens_work(
    client: httpx.AsyncClient,
) -> None:
    user = await member(client)
    token = (await sign_in(client, user))["access_token"]
    new = [OTHER_PASSWORD, WRONG_PASSWORD]
    replies = await asyncio.gather(
        *(
            call(
                client, "POST", "/users/me/password", token,
                json={"current_password": PASSWORD, "new_password": password},
            )
            for password in new
        )
    )  # fmt: skip
    won = [reply.status_code == 200 for reply in replies]
    assert sorted(won) == [False, True], [reply.text for reply in replies]
    assert replies[won.index(False)].status_code in {401, 403, 409}
    winner = replies[won.index(True)].json()
    assert (await call(client, "GET", "/users/me", winner["access_token"])).status_code == 200
    await sign_in(client, user, new[won.index(True)])
    oauth_error(await ask_token(client, user["email"], new[won.index(False)]), "invalid_grant")


# --- the e-mail


async def test_a_changed_email_needs_the_password_and_leaves_the_sessions(client: httpx.AsyncClient) -> None:
    user = await member(client)
    tokens = await sign_in(client, user)
    token = tokens["access_token"]
    new = {"email": "New.Address@Example.com"}
    wrong = await call(
        client, "POST", "/users/me/email", token, json=new | {"current_password": WRONG_PASSWORD}
    )
    assert pointers(wrong, 403, "wrong_password") == {"/current_password"}
    bare = await call(client, "POST", "/users/me/email", token, json=new)
    assert pointers(bare) == {"/current_password"}
    good = await call(client, "POST", "/users/me/email", token, json=new | {"current_password": PASSWORD})
    assert good.status_code == 200, good.text
    assert (good.json()["email"], good.headers["etag"]) == ("New.Address@Example.com", '"2"')
    assert (await call(client, "GET", "/users/me", token)).status_code == 200
    assert (await ask_refresh(client, tokens["refresh_token"])).status_code == 200
    assert (await ask_token(client, "new.address@example.com")).status_code == 200
    oauth_error(await ask_token(client, user["email"]), "invalid_grant")


async def test_callers_change_their_email_and_password_by_the_password_and_in_no_other_way(
    client: httpx.AsyncClient,
) -> None:
    user = await member(client, "users:write", "users:admin")
    token, path = (await sign_in(client, user))["access_token"], f"/users/{user['id']}"
    other = {"email": "other@example.com"}
    for method, body in (("PATCH", other), ("PUT", {"name": user["name"], **other})):
        reply = await call(client, method, path, token, json=body)
        (bad,) = problem(reply, 403, "password_needed")["errors"]
        assert bad["pointer"] == "/email"
    batch = {"operations": [{"op": "update", "id": user["id"], "patch": other}]}
    (done,) = (await call(client, "POST", "/users:batch", token, json=batch)).json()["results"]
    assert (done["status"], done["error"]["code"]) == (403, "password_needed")
    assert done["error"]["errors"][0]["pointer"] == "/patch/email"
    reply = await call(client, "PUT", f"{path}/password", token, json={"password": OTHER_PASSWORD})
    problem(reply, 403, "password_needed")
    after = await read(client, user)
    assert (after["email"], after["version"]) == (user["email"], user["version"])
    assert (await call(client, "PATCH", path, token, json={"name": "Zoë"})).status_code == 200


async def test_anothers_email_is_not_taken_and_a_bad_one_is_not_echoed(client: httpx.AsyncClient) -> None:
    other = await create(client)
    token = (await sign_in(client, await member(client)))["access_token"]
    body = {"email": other["email"].upper(), "current_password": PASSWORD}
    taken = await call(client, "POST", "/users/me/email", token, json=body)
    assert pointers(taken, 409, "already_exists") == {"/email"}
    assert other["email"] not in taken.text.lower()
    bad = await call(client, "POST", "/users/me/email", token, json=body | {"email": "no address here"})
    assert pointers(bad) == {"/email"}
    assert "no address here" not in bad.text


async def test_administrators_change_their_own_email_with_a_token_that_can_do_only_that(
    client: httpx.AsyncClient,
) -> None:
    admin = await member(client, "me", "users:admin")
    token = (await sign_in(client, admin, scope="me"))["access_token"]
    body = {"email": "boss@example.com", "current_password": PASSWORD}
    assert (await call(client, "POST", "/users/me/email", token, json=body)).status_code == 200
    reply = await call(client, "PATCH", "/users/me", token, json={"name": "Boss"})
    assert reply.json()["scopes"] == ["me", "users:admin"]


# --- the sessions


async def test_callers_list_their_sessions_with_the_current_one_marked(client: httpx.AsyncClient) -> None:
    user = await member(client, "me", "users:read")
    await sign_in(client, await member(client))
    phone = await sign_in(client, user, scope="me")
    request = {"grant_type": "password", "username": user["email"], "password": PASSWORD}
    laptop = (
        await call(client, "POST", "/auth/token", data=request, headers={"User-Agent": "Laptop/1"})
    ).json()
    reply = await call(client, "GET", "/users/me/sessions", laptop["access_token"])
    assert reply.headers["cache-control"] == "no-store"
    listed = reply.json()["items"]
    assert [(each["agent"], each["scopes"], each["current"]) for each in listed] == [
        ("Laptop/1", ["me", "users:read"], True),
        (client.headers["User-Agent"], ["me"], False),
    ]
    assert set(listed[0]) == {
        "id", "client_id", "scopes", "created_at", "used_at", "expires_at", "address", "agent", "current",
        "clients",
    }  # fmt: skip
    assert {each["address"] for each in listed} == {"127.0.0.1"}
    assert {each["client_id"] for each in listed} == {"roster"}
    for secret in (phone["refresh_token"], phone["access_token"], laptop["refresh_token"]):
        assert secret not in reply.text


async def test_callers_end_one_the_others_and_all_of_their_sessions(client: httpx.AsyncClient) -> None:
    user = await member(client)
    one, two, three, four = [await sign_in(client, user) for _ in range(4)]

    async def alive(tokens: dict[str, Any]) -> bool:
        return (await call(client, "GET", "/users/me", tokens["access_token"])).status_code == 200

    async def end(path: str, by: dict[str, Any]) -> None:
        reply = await call(client, "DELETE", f"/users/me/sessions{path}", by["access_token"])
        assert (reply.status_code, reply.content) == (204, b""), reply.text

    listed = (await call(client, "GET", "/users/me/sessions", two["access_token"])).json()["items"]
    current = {each["current"]: each["id"] for each in listed}[True]
    await end(f"/{current}", one)
    assert [await alive(each) for each in (one, two, three, four)] == [True, False, True, True]
    problem(
        await call(client, "DELETE", f"/users/me/sessions/{current}", one["access_token"]),
        404,
        "session_not_found",
    )
    await end("?keep_current=true", three)
    assert [await alive(each) for each in (one, two, three, four)] == [False, False, True, False]
    assert (await ask_refresh(client, three["refresh_token"])).status_code == 200
    five = await sign_in(client, user)
    for wrong in ("1", "yes", "True", ""):
        assert (await client.delete(f"/users/me/sessions?keep_current={wrong}")).status_code == 422
    await end("?keep_current=false", three)
    assert [await alive(each) for each in (three, five)] == [False, False]
    six = await sign_in(client, user)
    await end("", six)
    assert not await alive(six)
    oauth_error(await ask_refresh(client, six["refresh_token"]), "invalid_grant")


async def test_signing_out_ends_this_session_alone_and_twice_is_once(client: httpx.AsyncClient) -> None:
    user = await member(client)
    here, there = await sign_in(client, user), await sign_in(client, user)
    reply = await call(client, "POST", "/auth/logout", here["access_token"])
    assert (reply.status_code, reply.content) == (204, b"")
    problem(await call(client, "POST", "/auth/logout", here["access_token"]), 401, "session_revoked")
    oauth_error(await ask_refresh(client, here["refresh_token"]), "invalid_grant")
    assert (await call(client, "GET", "/users/me", there["access_token"])).status_code == 200


@pytest.mark.parametrize("session_id", ["x", "a" * 43, "*", "%00", "é", "state"])
async def test_a_session_that_is_not_the_callers_cannot_be_ended(
    client: httpx.AsyncClient, session_id: str
) -> None:
    token = (await sign_in(client, await member(client)))["access_token"]
    reply = await call(client, "DELETE", f"/users/me/sessions/{session_id}", token)
    assert reply.status_code in {404, 405}, reply.text
    assert (await call(client, "GET", "/users/me", token)).status_code == 200


async def test_anothers_session_is_not_found(client: httpx.AsyncClient) -> None:
    mine = (await sign_in(client, await member(client)))["access_token"]
    theirs = (await sign_in(client, await member(client)))["access_token"]
    (session,) = (await call(client, "GET", "/users/me/sessions", theirs)).json()["items"]
    reply = await call(client, "DELETE", f"/users/me/sessions/{session['id']}", mine)
    problem(reply, 404, "session_not_found")
    assert (await call(client, "GET", "/users/me", theirs)).status_code == 200


# --- what a sign-in leaves behind


async def test_the_last_sign_in_is_written_without_a_new_version(client: httpx.AsyncClient) -> None:
    user = await member(client)
    before = await client.get(f"/users/{user['id']}")
    assert (before.json()["last_login_at"], before.json()["last_login_ip"]) == (None, None)
    oauth_error(await ask_token(client, user["email"], WRONG_PASSWORD), "invalid_grant")
    assert (await read(client, user))["last_login_at"] is None
    started = datetime.now(UTC)
    tokens = await sign_in(client, user)
    after = await client.get(f"/users/{user['id']}")
    at = datetime.fromisoformat(after.json()["last_login_at"])
    assert started.replace(microsecond=0) <= at <= datetime.now(UTC)
    assert after.json()["last_login_ip"] == "127.0.0.1"
    assert after.headers["etag"] == before.headers["etag"] == '"1"'
    changed = {"last_login_at", "last_login_ip"}
    assert {k: v for k, v in after.json().items() if k not in changed} == {
        k: v for k, v in before.json().items() if k not in changed
    }
    await ask_refresh(client, tokens["refresh_token"])
    assert (await read(client, user))["last_login_at"] == after.json()["last_login_at"]


def django(password: str, *, digest: str = "sha256", iterations: int = 1000) -> str:
    salt = "NaCl"
    made = hashlib.pbkdf2_hmac(digest, password.encode(), salt.encode(), iterations)
    return f"pbkdf2_{digest}${iterations}${salt}${b64encode(made).decode()}"


@pytest.mark.usefixtures("costly_passwords")
@pytest.mark.parametrize(
    "imported",
    [bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode(), django(PASSWORD)],
    ids=["bcrypt", "PBKDF2"],
)
async def test_an_imported_hash_signs_in_and_is_made_anew(client: httpx.AsyncClient, imported: str) -> None:
    user = await create(client)
    reply = await client.put(f"/users/{user['id']}/password", json={"password_hash": imported})
    assert reply.status_code == 204, reply.text
    assert await stored_hash(client, user) == imported
    oauth_error(await ask_token(client, user["email"], WRONG_PASSWORD), "invalid_grant")
    assert await stored_hash(client, user) == imported
    first = await sign_in(client, user)
    renewed = await stored_hash(client, user)
    assert renewed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    second = await sign_in(client, user)
    assert await stored_hash(client, user) == renewed
    assert (await read(client, user))["version"] == 1
    for tokens in (first, second):  # a better hash of the same password ends nothing
        assert (await call(client, "GET", "/users/me", tokens["access_token"])).status_code == 200


async def test_a_password_set_during_a_sign_in_is_neither_overwritten_nor_outlived(
    client: httpx.AsyncClient,
) -> None:
    user = await create(client)
    slow = django(PASSWORD, digest="sha1", iterations=5_000_000)
    await client.put(f"/users/{user['id']}/password", json={"password_hash": slow})
    signing_in = asyncio.create_task(ask_token(client, user["email"]))
    passwords = client.app.state.container.auth.passwords  # type: ignore[attr-defined]  # set by `serving`

    async def under_way() -> bool:
        return bool(passwords.running)

    await until(under_way)
    reply = await client.put(f"/users/{user['id']}/password", json={"password_hash": hash_of(OTHER_PASSWORD)})
    assert reply.status_code == 204, reply.text
    assert not signing_in.done(), "the sign-in was over before the password was set"
    problem(await signing_in, 503, "unavailable")
    assert await stored_hash(client, user) == hash_of(OTHER_PASSWORD)
    assert (await client.get(f"/users/{user['id']}/sessions")).json()["items"] == []
    await sign_in(client, user, OTHER_PASSWORD)
