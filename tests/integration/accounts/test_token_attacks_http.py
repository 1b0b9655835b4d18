"""Forged, hostile and stale access tokens on the three ways into the service: 401 with a code, no more."""

import asyncio
import base64
import gc
import hashlib
import hmac
import json
import socket
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.keys.signing_keys import SigningKey
from tests.support.identity import basic, call, decoded, member, parts, sign_in
from tests.support.live import LiveServer
from tests.support.users import NOBODY, problem

PATHS = ["/users", "/users/me", f"/users/{NOBODY}"]
"""Served ahead of FastAPI, the same for oneself, and by FastAPI."""


def encoded(content: bytes | dict[str, Any]) -> str:
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed(client: httpx.AsyncClient, header: dict[str, Any] | bytes, claims: dict[str, Any] | bytes) -> str:
    """By the service's own key: what only a fault of ours, or a thief of the key, could make."""
    key = client.app.state.container.auth.keyring.signing  # type: ignore[attr-defined]  # set by `serving`
    text = f"{encoded(header)}.{encoded(claims)}"
    return f"{text}.{encoded(key.sign(text.encode()))}"


def own(client: httpx.AsyncClient) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a good token."""
    return parts(client.headers["Authorization"].removeprefix("Bearer "))


async def refused(client: httpx.AsyncClient, token: str, code: str = "invalid_token") -> None:
    for path in PATHS:
        reply = await call(client, "GET", path, token)
        problem(reply, 401, code)
        challenge = reply.headers["www-authenticate"]
        assert challenge.startswith('Bearer realm="roster", error="invalid_token"')
        assert challenge.isascii()


async def test_what_a_fault_could_sign_is_good_but_for_the_fault(shared: httpx.AsyncClient) -> None:
    assert (await call(shared, "GET", "/users", signed(shared, *own(shared)))).status_code == 200


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", "nOnE"])
async def test_an_unsigned_token_is_refused(shared: httpx.AsyncClient, alg: str) -> None:
    header, claims = own(shared)
    text = f"{encoded(header | {'alg': alg})}.{encoded(claims)}"
    for signature in ("", encoded(b"x"), encoded(bytes(64))):
        await refused(shared, f"{text}.{signature}")
    await refused(shared, text)


@pytest.mark.parametrize("form", ["raw", "jwk", "base64url"])
async def test_the_public_key_is_no_hmac_secret(shared: httpx.AsyncClient, form: str) -> None:
    (jwk,) = (await call(shared, "GET", "/.well-known/jwks.json")).json()["keys"]
    secret = {
        "raw": decoded(jwk["x"]) + decoded(jwk["y"]),
        "jwk": json.dumps(jwk, separators=(",", ":")).encode(),
        "base64url": jwk["x"].encode(),
    }[form]
    header, claims = own(shared)
    for alg, digest in (("HS256", "sha256"), ("HS512", "sha512"), ("ES256", "sha256")):
        text = f"{encoded(header | {'alg': alg})}.{encoded(claims)}"
        await refused(shared, f"{text}.{encoded(hmac.digest(secret, text.encode(), digest))}")


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[str, list[str]]]:
    """A server on loopback, and who has connected to it."""
    visitors: list[str] = []

    def note(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visitors.append("somebody")
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys.json", visitors


async def test_no_key_that_a_token_brings_or_points_at_is_used_or_fetched(shared: httpx.AsyncClient) -> None:
    theirs = SigningKey.generate("ES256")
    jwk = theirs.public() | {"kid": theirs.kid, "use": "sig", "alg": "ES256"}
    header, claims = own(shared)
    async with listening() as (url, visitors):
        for brought in (
            {"jwk": jwk},
            {"jku": url},
            {"x5u": url},
            {"x5c": [base64.b64encode(b"certificate").decode()]},
            {"x5t": "x", "x5t#S256": "x"},
            {"kid": url},
            {"jwk": jwk, "jku": url, "x5u": url},
        ):
            for kid in (header["kid"], theirs.kid):
                text = f"{encoded({'kid': kid} | {k: v for k, v in header.items() if k != 'kid'} | brought)}"
                text = f"{text}.{encoded(claims)}"
                await refused(shared, f"{text}.{encoded(theirs.sign(text.encode()))}")
            if "kid" not in brought:
                await refused(shared, signed(shared, header | brought, claims))
        await asyncio.sleep(0.1)
        assert visitors == []
        _, writer = await asyncio.open_connection("127.0.0.1", int(url.split(":")[2].split("/")[0]))
        await asyncio.sleep(0.1)
        assert visitors == ["somebody"]  # so it would have been seen
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    "kid",
    [
        "../../../../dev/null", "/etc/passwd", "' OR 1=1 --", "\0", "a\0b", "", "x" * 129, "k" * 6000,
        "$ne", {"$ne": ""}, ["a"], None, 1, True, "｟", "__proto__", "*", "%2e%2e%2f",
    ],
)  # fmt: skip
async def test_a_key_id_is_nothing_but_a_name(shared: httpx.AsyncClient, kid: Any) -> None:
    header, claims = own(shared)
    await refused(shared, signed(shared, header | {"kid": kid}, claims))


@pytest.mark.parametrize(
    "changed",
    [
        {"crit": ["exp"]}, {"crit": ["b64"], "b64": False}, {"crit": []}, {"crit": None}, {"b64": False},
        {"zip": "DEF"}, {"cty": "JWT"}, {"enc": "A256GCM"}, {"anything": 1},
        {"typ": "JWT"}, {"typ": "refresh+jwt"}, {"typ": "id_token"}, {"typ": None}, {"typ": ["at+jwt"]},
        {"typ": "at+jwt\0"}, {"alg": "RS256"}, {"alg": "EdDSA"}, {"alg": "Ed25519"}, {"alg": ["ES256"]},
        {"alg": None}, {"alg": 1},
    ],
)  # fmt: skip
async def test_a_header_that_we_do_not_write_is_refused(
    shared: httpx.AsyncClient, changed: dict[str, Any]
) -> None:
    header, claims = own(shared)
    await refused(shared, signed(shared, header | changed, claims))


@pytest.mark.parametrize("name", ["alg", "kid", "typ"])
async def test_a_header_that_lacks_a_member_is_refused(shared: httpx.AsyncClient, name: str) -> None:
    header, claims = own(shared)
    del header[name]
    await refused(shared, signed(shared, header, claims))


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": "9999999999"}, {"exp": 9999999999.5}, {"exp": True}, {"exp": None}, {"exp": -1},
        {"exp": 2**53}, {"exp": [1]}, {"nbf": 9999999999}, {"iat": 9999999999}, {"nbf": "0"}, {"iat": None},
        {"iss": "http://evil.example"}, {"iss": None}, {"iss": ["http://127.0.0.1:8000"]},
        {"aud": "other"}, {"aud": None}, {"aud": []}, {"aud": {"roster": 1}}, {"aud": "rosterx"},
        {"sub": ""}, {"sub": None}, {"sub": 1}, {"sub": "*"}, {"sub": "A" * 24}, {"sub": {"$ne": 1}},
        {"sid": None}, {"sid": ""}, {"sid": 1}, {"jti": None}, {"client_id": None}, {"client_id": {}},
        {"scope": None}, {"scope": ["users:read"]}, {"scope": 1},
    ],
)  # fmt: skip
async def test_a_claim_of_another_type_or_from_elsewhere_is_refused(
    shared: httpx.AsyncClient, changed: dict[str, Any]
) -> None:
    header, claims = own(shared)
    await refused(shared, signed(shared, header, claims | changed))


@pytest.mark.parametrize(
    "name", ["iss", "aud", "sub", "client_id", "iat", "nbf", "exp", "jti", "sid", "scope"]
)
async def test_a_claim_that_is_missing_is_refused(shared: httpx.AsyncClient, name: str) -> None:
    header, claims = own(shared)
    del claims[name]
    await refused(shared, signed(shared, header, claims))


@pytest.mark.parametrize("number", ["1e400", "NaN", "Infinity", "1" + "0" * 400, "9" * 5000, "1.5"])
async def test_a_time_that_is_no_whole_number_is_refused(shared: httpx.AsyncClient, number: str) -> None:
    header, claims = own(shared)
    text = json.dumps(claims | {"exp": "EXP"}).replace('"EXP"', number)
    await refused(shared, signed(shared, header, text.encode()))


@pytest.mark.parametrize(
    "payload",
    [b"[]", b"null", b"1", b"", b"{", b"\xff", b'{"sub":"\\ud800"}', b"[" * 5000, b'{"a":1,"a":2}'],
)
async def test_claims_that_are_no_strict_json_object_are_refused(
    shared: httpx.AsyncClient, payload: bytes
) -> None:
    header, _ = own(shared)
    await refused(shared, signed(shared, header, payload))
    await refused(shared, signed(shared, payload, own(shared)[1]))


async def test_an_expired_token_says_that_it_is_expired(shared: httpx.AsyncClient) -> None:
    header, claims = own(shared)
    past = int(time.time()) - 1
    await refused(shared, signed(shared, header, claims | {"exp": past}), "token_expired")


@pytest.mark.parametrize("sid", ["x", "../sessions", "a" * 43, "*", "{0}:state", "\r\nFLUSHALL\r\n"])
async def test_a_session_that_never_was_is_refused(shared: httpx.AsyncClient, sid: str) -> None:
    header, claims = own(shared)
    await refused(shared, signed(shared, header, claims | {"sid": sid}), "session_expired")
    assert (await shared.get("/users")).status_code == 200


async def test_a_token_with_another_users_name_in_it_is_of_no_session(shared: httpx.AsyncClient) -> None:
    """Even signed by us: the session belongs to the user whose id is in its key."""
    header, claims = own(shared)
    other = await member(shared)
    await refused(shared, signed(shared, header, claims | {"sub": other["id"]}), "session_expired")


async def test_a_single_changed_character_is_refused(shared: httpx.AsyncClient) -> None:
    token = shared.headers["Authorization"].removeprefix("Bearer ")
    places = [*range(0, len(token), 37), len(token) - 1]
    for place in places:
        other = "A" if token[place] != "A" else "B"
        await refused(shared, token[:place] + other + token[place + 1 :])
    for wrong in (token + "=", token + "A", token + ".", "." + token, token.replace(".", ".."), token[:-1]):
        await refused(shared, wrong)


@pytest.mark.parametrize("size", [8193, 65_536, 1_048_576])
async def test_a_huge_token_is_refused_unread(shared: httpx.AsyncClient, size: int) -> None:
    header, claims = own(shared)
    for token in ("x" * size, ("a." * size)[:size], signed(shared, header, claims | {"pad": "x" * size})):
        await refused(shared, token)


@pytest.mark.parametrize(
    "header", ["", "Bearer", "bearer", "Bear x", "Token x", "Bearer\tx", "x", "DPoP x", basic("a", "b")]
)
async def test_what_is_no_bearer_header_asks_for_one(shared: httpx.AsyncClient, header: str) -> None:
    for path in PATHS:
        reply = await call(shared, "GET", path, headers={"Authorization": header})
        problem(reply, 401, "unauthenticated")
        assert reply.headers["www-authenticate"] == 'Bearer realm="roster"'


@pytest.mark.parametrize("token", ["", " ", "  ", "\xe9", "x y", "x, Bearer y", '"x"', "null", "undefined"])
async def test_what_is_no_token_is_refused(shared: httpx.AsyncClient, token: str) -> None:
    for path in PATHS:
        sent = {"Authorization": f"Bearer {token}".encode("latin-1")}
        assert problem(await call(shared, "GET", path, headers=sent), 401, "invalid_token")


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEaReR"])
async def test_the_scheme_is_read_in_any_case(shared: httpx.AsyncClient, scheme: str) -> None:
    token = shared.headers["Authorization"].removeprefix("Bearer ")
    reply = await call(shared, "GET", "/users", headers={"Authorization": f"{scheme} {token}"})
    assert reply.status_code == 200


@pytest.mark.parametrize("path", PATHS)
async def test_of_two_authorization_headers_none_is_believed(shared: httpx.AsyncClient, path: str) -> None:
    good = ("Authorization", shared.headers["Authorization"])
    for other in (("Authorization", "Bearer x"), good, ("authorization", basic("a", "b"))):
        for both in ([good, other], [other, good]):
            request = httpx.Request("GET", f"http://localhost{path}", headers=both)
            problem(await shared.send(request), 401, "unauthenticated")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["access_token", "token", "authorization", "Authorization"])
async def test_a_token_in_the_query_or_a_cookie_is_none(
    shared: httpx.AsyncClient, path: str, name: str
) -> None:
    token = shared.headers["Authorization"].removeprefix("Bearer ")
    problem(await call(shared, "GET", path, params={name: token}), 401, "unauthenticated")
    cookie = {"Cookie": f"{name}={token}"}
    problem(await call(shared, "GET", path, headers=cookie), 401, "unauthenticated")


async def test_a_token_of_before_a_key_was_stolen_is_refused_after_its_replacement(
    client: httpx.AsyncClient,
) -> None:
    tokens = await sign_in(client, await member(client))
    assert (await call(client, "GET", "/users/me", tokens["access_token"])).status_code == 200
    await client.app.state.container.auth.keyring.rotate(at_once=True)  # type: ignore[attr-defined]  # as above
    problem(await call(client, "GET", "/users/me", tokens["access_token"]), 401, "invalid_token")


async def test_a_denial_is_logged_with_whose_session_it_was_where_that_is_known(
    shared: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    user = await member(shared)
    token = (await sign_in(shared, user))["access_token"]
    await call(shared, "POST", "/auth/logout", token)
    capsys.readouterr()
    for denied in (token, token[:-4] + "AAAA"):
        await call(shared, "GET", "/users/me", denied)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    ended, forged = [line for line in lines if line["event"] == "access_denied"]
    sid = parts(token)[1]["sid"]
    assert ended["session"] == hashlib.sha256(sid.encode()).hexdigest()[:16]
    assert (ended["user_id"], ended["reason"]) == (user["id"], "session_revoked")
    assert {"user_id", "session"}.isdisjoint(forged)
    assert forged["reason"] == "invalid_token"


async def test_memory_stays_flat_over_a_thousand_hostile_tokens(shared: httpx.AsyncClient) -> None:
    header, claims = own(shared)

    async def attack(number: int) -> None:
        unlike = claims | {"jti": f"{number}" * 20, "pad": "x" * 4000}
        makers: tuple[Callable[[], str], ...] = (
            lambda: signed(shared, header | {"kid": f"k{number}"}, unlike),
            lambda: signed(shared, header, unlike)[:-4] + "AAAA",
            lambda: signed(shared, header, unlike | {"exp": 1}),
            lambda: f"{number}" * 200_000,
        )
        reply = await call(shared, "GET", PATHS[number % 3], makers[number % 4]())
        assert reply.status_code == 401

    async def measure(numbers: range) -> int:
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        for number in numbers:
            await attack(number)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
        return after - before

    for number in range(200):
        await attack(number)
    tracemalloc.start()
    try:
        grown = [await measure(range(start, start + 500)) for start in (1000, 2000)]
    finally:
        tracemalloc.stop()
    # 500 such tokens, kept, would be 2 MB and more each time; other work of the service is done once.
    assert min(grown) < 500_000, grown


# --- on a real socket


def sent(address: tuple[str, int], *pieces: bytes) -> bytes:
    """What the service answers, until it closes; it may do so before all pieces are sent."""
    answer = b""
    with socket.create_connection(address, timeout=60) as connection, suppress(ConnectionError):
        for piece in pieces:
            connection.sendall(piece)
        while received := connection.recv(65_536):
            answer += received
    return answer


ASKED = b"GET /users/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
CHUNKED = b"POST /auth/token HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
MEGABYTES = [b"x" * 1_000_000] * 60


def test_no_head_nor_trailer_fills_the_memory(mongo_uri: str, redis_url: str, tmp_path: Path) -> None:
    with LiveServer(tmp_path, mongo_uri=mongo_uri, redis_url=redis_url) as server:
        long = sent(server.address, ASKED, b"Authorization: Bearer ", b"x" * 60_000, b"\r\n\r\n")
        assert long.startswith(b"HTTP/1.1 401 ")
        before = server.read_memory()
        lines = [b"x%d: y\r\n" % number * 1000 for number in range(1000)]
        for attack in (
            [ASKED, b"Authorization: Bearer ", *MEGABYTES],
            [ASKED, *lines],
            [b"GET /", *MEGABYTES],
            [CHUNKED, b"0\r\nx: ", *MEGABYTES],
            [CHUNKED, b"1;x=", *MEGABYTES],
            [b"POST /auth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\nx: ", *MEGABYTES],
        ):
            answer = sent(server.address, *attack)
            assert answer[:13] in {b"", b"HTTP/1.1 431 ", b"HTTP/1.1 414 ", b"HTTP/1.1 400 "}, answer[:200]
        assert server.read_memory() - before < 30_000_000
        assert sent(server.address, ASKED, b"\r\n").startswith(b"HTTP/1.1 401 ")
        assert server.find("internal_error") == []
        assert server.find("request", route="/auth/token", ended_by="client", status=400)


def test_a_body_of_many_small_pieces_is_no_long_head(mongo_uri: str, redis_url: str, tmp_path: Path) -> None:
    with LiveServer(tmp_path, mongo_uri=mongo_uri, redis_url=redis_url) as server:
        pieces = [b"400\r\n" + b"a" * 1024 + b"\r\n"] * 200
        answer = sent(
            server.address, CHUNKED.replace(b"Host", b"Connection: close\r\nHost"), *pieces, b"0\r\n\r\n"
        )
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"invalid_request" in answer
        pipelined = ASKED.replace(b"close", b"keep-alive") + b"\r\n"
        answer = sent(server.address, pipelined * 2000, ASKED, b"\r\n")
        assert answer.count(b"HTTP/1.1 401 ") == 2001
