"""What a sign-in gives away: nothing of who is there, and no secret to logs, Redis, replies or exports."""

import asyncio
import io
import random
import secrets
import statistics
import time
import zipfile
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import bcrypt
import httpx
import pytest
from beanie import PydanticObjectId

from tests.support.api import serving
from tests.support.identity import (
    PASSWORD,
    WRONG_PASSWORD,
    ask_refresh,
    ask_token,
    basic,
    call,
    invite,
    member,
    oauth_error,
    post_form,
    register_client,
    seal,
    sign_in,
    wear_out,
)
from tests.support.users import database, problem, read, users

FREE = {"tries_per_account": 100_000, "tries_per_address": 100_000}
ABSENT = "absent@example.com"
OF_THE_REQUEST = ("date", "x-request-id")


# --- who is there


def seen(reply: httpx.Response) -> tuple[Any, ...]:
    """All that a caller sees, but for what is each request's own."""
    headers = [(name, value) for name, value in reply.headers.multi_items() if name not in OF_THE_REQUEST]
    content = reply.json()
    content.pop("request_id", None)
    return reply.status_code, sorted(headers), content


def seen_while_waiting(reply: httpx.Response) -> tuple[Any, ...]:
    """Without the seconds, which go down meanwhile."""
    problem(reply, 429, "too_many_attempts")
    status, headers, content = seen(reply)
    content.pop("detail")
    return (
        status,
        [header for header in headers if header[0] not in {"retry-after", "content-length"}],
        content,
    )


async def find_medians(
    client: httpx.AsyncClient,
    tries: dict[str, tuple[str, str]],
    seen: Callable[[httpx.Response], tuple[Any, ...]] = seen,
) -> dict[str, float]:
    """Of the CPU time of 70 attempts of each kind, interleaved at random; all must be answered alike.

    CPU time, hashing threads and all: on a machine with other things to do, wall time tells of those.
    """
    spent: dict[str, list[float]] = defaultdict(list)
    answers = set()
    for kind in random.sample([*tries] * 70, 70 * len(tries)):
        name, password = tries[kind]
        started = time.process_time()
        reply = await ask_token(client, name, password)
        spent[kind].append(time.process_time() - started)
        answers.add(str(seen(reply)))
    assert len(answers) == 1, answers
    return {kind: statistics.median(times) for kind, times in spent.items()}


async def add_person(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    """A user whose password is hashed at the cost of a real one."""
    user = await member(client, **more)
    reply = await client.put(f"/users/{user['id']}/password", json={"password": PASSWORD})
    assert reply.status_code == 204, reply.text
    return user


@pytest.mark.usefixtures("costly_passwords")
async def test_an_existing_an_absent_and_a_disabled_account_cannot_be_told_apart(
    mongo_uri: str, redis_url: str
) -> None:
    async with serving(mongo_uri, redis_url, **FREE) as client:
        existing, disabled = await add_person(client), await add_person(client)
        await client.patch(f"/users/{disabled['id']}", json={"is_active": False})
        tries = {
            "existing": (existing["email"], WRONG_PASSWORD),
            "absent": (ABSENT, PASSWORD),
            "disabled": (disabled["email"], PASSWORD),  # even with the right one
        }
        await assert_alike(client, tries)


@pytest.mark.usefixtures("costly_passwords")
async def test_nor_can_they_while_they_wait(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, tries_per_address=100_000) as client:
        existing = await add_person(client, username="existing")
        for name in (existing["email"], ABSENT):
            await wear_out(client, name)
        tries = {
            "by e-mail": (existing["email"], WRONG_PASSWORD),
            "by username": ("existing", PASSWORD),
            "absent": (ABSENT, PASSWORD),
        }
        await assert_alike(client, tries, seen_while_waiting)


async def assert_alike(
    client: httpx.AsyncClient,
    tries: dict[str, tuple[str, str]],
    seen: Callable[[httpx.Response], tuple[Any, ...]] = seen,
) -> None:
    """Within 10 %, in one of three runs."""
    for _ in range(3):
        medians = await find_medians(client, tries, seen)
        ratio = max(medians.values()) / min(medians.values())
        shown = ", ".join(f"{kind} {median * 1000:.2f} ms" for kind, median in medians.items())
        print(f"CPU of a failed sign-in: {shown}; ratio {ratio:.3f}")  # noqa: T201 - read with -s
        if ratio <= 1.1:
            return
    pytest.fail(f"told apart by their time: {medians}")


@pytest.mark.parametrize(
    ("scope", "grant"), [("users:admin", {}), ("nonsense", {}), ("me", {"client_id": "nobody"})]
)
async def test_no_other_error_tells_either(
    client: httpx.AsyncClient, scope: str, grant: dict[str, str]
) -> None:
    user, disabled = await member(client), await member(client)
    await client.patch(f"/users/{disabled['id']}", json={"is_active": False})
    answers = {
        str(seen(await ask_token(client, name, WRONG_PASSWORD, scope=scope, **grant)))
        for name in (user["email"], disabled["email"], ABSENT)
    }
    assert len(answers) == 1


async def test_callers_who_must_wait_are_told_the_same_for_an_account_and_for_none(
    mongo_uri: str, redis_url: str
) -> None:
    async with serving(mongo_uri, redis_url, tries_per_address=100_000) as client:
        user = await member(client)
        waits = []
        for name in (user["email"], ABSENT):
            replies = [await ask_token(client, name, WRONG_PASSWORD) for _ in range(12)]
            for reply in replies[:6]:
                oauth_error(reply, "invalid_grant")
            assert 429 in {reply.status_code for reply in replies[6:]}
        for name in (user["email"], ABSENT):
            await wear_out(client, name)
            for password in (PASSWORD, WRONG_PASSWORD):  # the right one waits as well
                reply = await ask_token(client, name, password)
                problem(reply, 429, "too_many_attempts")
                assert 1 <= int(reply.headers["retry-after"]) <= 60
                waits.append(seen(reply)[2].keys())
        assert len({tuple(wait) for wait in waits}) == 1
        other = await member(client)
        await sign_in(client, other)


# --- who has to wait


async def test_many_right_passwords_at_once_never_wait(client: httpx.AsyncClient) -> None:
    user = await member(client)
    replies = await asyncio.gather(*(ask_token(client, user["email"]) for _ in range(60)))
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.json()["refresh_token"] for reply in replies}) == 60


async def from_address(client: httpx.AsyncClient, address: str, name: str, password: str) -> httpx.Response:
    form = {"grant_type": "password", "username": name, "password": password}
    return await post_form(client, "/auth/token", form, X_Forwarded_For=address)


async def test_behind_a_trusted_proxy_each_address_counts_for_itself(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, trusted_proxies="127.0.0.0/8", tries_per_address=2) as client:
        user = await member(client)
        names = [f"nobody{number}@example.com" for number in range(9)]
        replies = [await from_address(client, "203.0.113.7", name, "x") for name in names]
        assert [reply.status_code for reply in replies[:3]] == [400] * 3
        assert 429 in {reply.status_code for reply in replies[3:]}
        forged = await from_address(client, "198.51.100.1, 198.51.100.2", user["email"], PASSWORD)
        assert forged.status_code == 200
        assert (await read(client, user))["last_login_ip"] == "198.51.100.2"  # as the proxy wrote


async def test_without_a_trusted_proxy_the_header_says_nothing(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, tries_per_address=2) as client:
        user = await member(client)
        assert (await from_address(client, "203.0.113.7", user["email"], PASSWORD)).status_code == 200
        assert (await read(client, user))["last_login_ip"] == "127.0.0.1"
        replies = [
            await from_address(client, f"203.0.113.{number}", f"nobody{number}@example.com", "x")
            for number in range(9)
        ]
        assert 429 in {reply.status_code for reply in replies}


async def test_guesses_from_elsewhere_keep_nobody_out(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, trusted_proxies="127.0.0.0/8") as client:
        user = await member(client)
        assert (await from_address(client, "203.0.113.7", user["email"], PASSWORD)).status_code == 200
        guesses = [
            await from_address(client, f"198.51.100.{number}", user["email"], WRONG_PASSWORD)
            for number in range(12)
        ]
        assert 429 in {reply.status_code for reply in guesses}
        assert (await from_address(client, "203.0.113.7", user["email"], PASSWORD)).status_code == 200


# --- malformed rows


@pytest.mark.parametrize(
    "wrong",
    [
        {"credentials": "text"}, {"credentials": None}, {"credentials": []},
        {"credentials.password_hash": 5}, {"credentials.password_hash": {}},
        {"credentials.password_hash": "torn"},
        {"credentials.generation": "many"}, {"scopes": [{"a": 1}]}, {"scopes": 5}, {"scopes": "me"},
        {"is_active": "yes"}, {"email": 5}, {"name": None}, {"username": 5},
    ],
    ids=str,
)  # fmt: skip
async def test_a_malformed_user_does_not_exist_for_a_sign_in(
    client: httpx.AsyncClient, wrong: dict[str, Any]
) -> None:
    user = await member(client)
    await database(client).command(
        "update",
        "users",
        updates=[{"q": {"_id": PydanticObjectId(user["id"])}, "u": {"$set": wrong}}],
        bypassDocumentValidation=True,
    )
    oauth_error(await ask_token(client, user["email"]), "invalid_grant")


# --- what must not get out


class Canaries:
    """Secrets that stand nowhere else, so that finding one is a leak."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}

    def make(self, kind: str, text: str = "canary {} sings") -> str:
        self.held[kind] = text.format(secrets.token_hex(8))
        return self.held[kind]

    def keep(self, kind: str, text: str) -> str:
        self.held[kind] = text
        return text

    def found(self, text: str, *, but: tuple[str, ...] = ()) -> list[str]:
        return [kind for kind, secret in self.held.items() if secret in text and kind not in but]


async def everything_in_redis(client: httpx.AsyncClient) -> str:
    redis = client.app.state.container.connections.redis  # type: ignore[attr-defined]  # set by `serving`
    readers = {
        "string": redis.get,
        "hash": redis.hgetall,
        "set": redis.smembers,
        "list": lambda name: redis.lrange(name, 0, -1),
        "zset": lambda name: redis.zrange(name, 0, -1, withscores=True),
    }
    held = [(name, await readers[await redis.type(name)](name)) async for name in redis.scan_iter("*")]
    assert {name.split(":")[0] for name, _ in held} == {"roster"}
    return str(held)


async def everything_in_mongodb(client: httpx.AsyncClient, *, but: set[str]) -> str:
    found = database(client)
    names = set(await found.list_collection_names()) - but
    return str({name: await found[name].find({}).to_list() for name in names})


def unzipped(workbook: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(workbook)) as parts:
        return "".join(parts.read(name).decode() for name in parts.namelist())


PERSONAL = ("email", "username", "name")
TOKENS = (
    "access token",
    "refresh token",
    "successor",
    "narrowed token",
    "new access token",
    "new refresh token",
)


async def test_no_secret_is_found_where_it_has_no_business(
    mongo_uri: str, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    canaries = Canaries()
    replies: list[httpx.Response] = []

    async def hear(reply: httpx.Response) -> None:
        await reply.aread()
        replies.append(reply)

    async with serving(mongo_uri, redis_url, registration="invitation", log_level="debug", **FREE) as client:
        client.event_hooks["response"].append(hear)
        user = await run_through_identity(client, canaries)
        exports = replies[-4:]
        redis = await everything_in_redis(client)
        mongodb = await everything_in_mongodb(client, but={"users", "audit"})
        trail = str(await database(client)["audit"].find({}).to_list())
        row = str(await users(client).find_one({"_id": PydanticObjectId(user["id"])}))
    assert len(canaries.held) == 22
    log = capsys.readouterr().err
    assert "signed_in" in log
    assert "sign_in_failed" in log
    assert canaries.found(log) == []
    assert canaries.found(redis) == []
    assert canaries.found(mongodb) == []
    assert canaries.found(trail, but=PERSONAL) == []
    assert canaries.found(row, but=(*PERSONAL, "new hash")) == []
    for reply in exports:
        text = unzipped(reply.content) if reply.content.startswith(b"PK") else reply.text
        assert canaries.found(text, but=PERSONAL) == []
        assert canaries.found(text) == list(PERSONAL)
    for reply in replies:
        headers = str(reply.headers)
        assert canaries.found(headers) == [], reply.request.url.path
        path, text = reply.request.url.path, reply.text
        told = canaries.found(text)
        if reply.status_code >= 400:
            assert told == [], (path, text)
        elif path in {"/auth/token", "/users/me/password"}:
            assert set(told) <= set(TOKENS), path
        elif path == "/auth/invitations":
            assert told == ["invitation"]
        else:
            assert set(told) <= set(PERSONAL), path


async def run_through_identity(client: httpx.AsyncClient, canaries: Canaries) -> dict[str, Any]:
    """Everything that handles a secret, done well and done wrongly; exports last."""
    user = await register_canary(client, canaries)
    await sign_canary_in(client, canaries, user)
    tokens = await sign_in(client, user, canaries.held["password"])
    canaries.keep("renewed hash", await stored_hash(client, user))
    await use_tokens(client, canaries, tokens)
    await change_passwords(client, canaries, tokens)
    canaries.keep("new hash", await stored_hash(client, user))
    for form in ("csv", "ndjson", "xlsx", "ndjson&columns=id,email,name,username"):
        assert (await client.get(f"/users/export?format={form}")).status_code == 200
    return user


async def stored_hash(client: httpx.AsyncClient, user: dict[str, Any]) -> str:
    row = await users(client).find_one({"_id": PydanticObjectId(user["id"])})
    return str(row["credentials"]["password_hash"])


async def register_canary(client: httpx.AsyncClient, canaries: Canaries) -> dict[str, Any]:
    email, username = canaries.make("email", "canary.{}@example.com"), canaries.make("username", "canary_{}")
    password = canaries.make("password")
    code = (await invite(client, scopes=["me", "users:read"]))["code"]
    canaries.keep("invitation", code)
    who = {"name": canaries.make("name"), "email": email, "username": username}
    asked = who | {"password": password, "invitation": code}
    for bad in ({"password": canaries.make("weak", "{}")[:7]}, {"age": 1}, {"phone": password}, {"name": ""}):
        await call(client, "POST", "/auth/register", json=asked | bad)
    user = (await call(client, "POST", "/auth/register", json=asked)).json()
    await call(client, "POST", "/auth/register", json=asked)  # the code is used up
    await call(client, "POST", "/auth/register", content=b'{"password": "' + password.encode() + b'"')
    await call(client, "POST", "/users", json=who, headers={"Authorization": f"Bearer {password}"})
    await client.post("/users", json=who)  # somebody has them
    imported = canaries.keep("imported hash", bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode())
    for hashed in (imported, imported + "x"):
        await client.put(f"/users/{user['id']}/password", json={"password_hash": hashed})
    return dict(user)


async def sign_canary_in(client: httpx.AsyncClient, canaries: Canaries, user: dict[str, Any]) -> None:
    email, password = user["email"], canaries.held["password"]
    held, client_secret = await register_client(client)
    canaries.keep("client secret", client_secret)
    wrong = canaries.make("wrong password")
    for name in (email, user["username"], canaries.make("typed name", "canary.{}@example.com"), password):
        await ask_token(client, name, wrong)
    for secret in (client_secret, wrong):
        await ask_token(client, ABSENT, password, client_id=held.id, client_secret=secret)
    await ask_token(client, email, password, scope=canaries.make("scope", "canary:{}"))
    await post_form(client, "/auth/token", f"grant_type={password}&username={email}".encode())
    await post_form(client, f"/auth/token?password={password.replace(' ', '+')}", b"")
    jwe = canaries.keep("sealed password", seal((await client.get("/auth/keys/password")).json(), password))
    form = {"grant_type": "password", "username": ABSENT, "password_jwe": jwe}
    for _ in range(2):
        await post_form(client, "/auth/token", form)


async def use_tokens(client: httpx.AsyncClient, canaries: Canaries, tokens: dict[str, Any]) -> None:
    access = canaries.keep("access token", tokens["access_token"])
    refresh = canaries.keep("refresh token", tokens["refresh_token"])
    successor = canaries.keep("successor", (await ask_refresh(client, refresh)).json()["refresh_token"])
    narrowed = (await ask_refresh(client, successor, scope="me")).json()
    canaries.keep("narrowed token", narrowed["access_token"])
    await inspect_everything(client, canaries, access, successor)
    password = canaries.held["password"]
    await call(client, "GET", "/users", access, params={"email": canaries.held["email"]})
    await call(client, "GET", "/users", access, params={"password": password, "token": access})
    await call(client, "GET", "/users/me", access[:-4] + "AAAA")
    await call(client, "GET", f"/users/{refresh}", access)
    await call(client, "DELETE", f"/users/me/sessions/{refresh}", access)
    await call(client, "PATCH", "/users/me", access, json={"username": f"a b {password}"})
    await call(client, "GET", "/users/me/sessions", access)


async def change_passwords(client: httpx.AsyncClient, canaries: Canaries, tokens: dict[str, Any]) -> None:
    """The current one wrong, and right; then a token of before, whose session has ended."""
    new = canaries.make("new password")
    for current in (canaries.held["wrong password"], canaries.held["password"]):
        change = {"current_password": current, "new_password": new}
        reply = await call(client, "POST", "/users/me/password", tokens["access_token"], json=change)
    canaries.keep("new access token", reply.json()["access_token"])
    canaries.keep("new refresh token", reply.json()["refresh_token"])
    await ask_refresh(client, tokens["refresh_token"])
    await call(client, "GET", "/users/me", tokens["access_token"])


async def inspect_everything(client: httpx.AsyncClient, canaries: Canaries, *tokens: str) -> None:
    held, secret = await register_client(client, "Service")
    canaries.keep("service secret", secret)
    for shown in (secret, canaries.held["client secret"], "x"):
        for token in tokens:
            header = basic(held.id, shown)
            await post_form(client, "/auth/introspect", {"token": token}, Authorization=header)
            await post_form(client, "/auth/revoke", {"token": token}, Authorization=header)
