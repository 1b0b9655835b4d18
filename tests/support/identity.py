"""What the tests of identity share: people with passwords, their tokens, and the errors of OAuth."""

import base64
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, cast

import httpx
import orjson
from joserfc import jwe
from joserfc.jwk import RSAKey

from app.accounts import account_records
from app.auth.passwords import Cost
from app.clients import Client
from tests.support.applying import resources
from tests.support.clients import new_client
from tests.support.users import create

PASSWORD = "seven otters juggle quietly"
OTHER_PASSWORD = "nine herons argue loudly"
WRONG_PASSWORD = "eight badgers whisper softly"
CHEAP = Cost(memory_kib=8, passes=1, lanes=1)
"""Of the hashes of passwords, where what one costs is not the subject."""
_DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749, section 5.2


@cache
def hash_of(password: str) -> str:
    """As the apps of the tests make it, so that no sign-in renews it."""
    return CHEAP.make_hasher().hash(password)


async def member(
    client: httpx.AsyncClient, *scopes: str, password: str = PASSWORD, **more: Any
) -> dict[str, Any]:
    """A new user with a password and these scopes (`me` unless told), made by the client's administrator."""
    user = await create(client, scopes=list(scopes or ("me",)), **more)
    reply = await client.put(f"/users/{user['id']}/password", json={"password_hash": hash_of(password)})
    assert reply.status_code == 204, reply.text
    return user


async def call(
    client: httpx.AsyncClient, method: str, path: str, token: str | None = None, **more: Any
) -> httpx.Response:
    """A request as another than the client's administrator: with this access token, or with none."""
    request = client.build_request(method, path, **more)
    if "Authorization" not in (more.get("headers") or {}):
        del request.headers["Authorization"]
    if token is not None:
        request.headers["Authorization"] = f"Bearer {token}"
    return await client.send(request)


async def post_form(
    client: httpx.AsyncClient, path: str, form: Mapping[str, str] | bytes, **headers: str
) -> httpx.Response:
    """A form as OAuth's clients send it; headers with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(form, bytes):
        named = {"Content-Type": "application/x-www-form-urlencoded"} | named
        return await call(client, "POST", path, content=form, headers=named)
    return await call(client, "POST", path, data=dict(form), headers=named)


async def ask_token(
    client: httpx.AsyncClient, name: str, password: str = PASSWORD, **form: str
) -> httpx.Response:
    """The password grant, whatever comes of it."""
    asked = {"grant_type": "password", "username": name, "password": password} | form
    return await post_form(client, "/auth/token", asked)


async def sign_in(
    client: httpx.AsyncClient, user: Mapping[str, Any], password: str = PASSWORD, **form: str
) -> dict[str, Any]:
    """The tokens of a new session of the user."""
    reply = await ask_token(client, user["email"], password, **form)
    assert reply.status_code == 200, reply.text
    return cast("dict[str, Any]", reply.json())


async def token_of(client: httpx.AsyncClient, *scopes: str) -> str:
    """An access token of a new member who has these scopes."""
    tokens = await sign_in(client, await member(client, *scopes))
    return str(tokens["access_token"])


async def invite(client: httpx.AsyncClient, **said: Any) -> dict[str, Any]:
    """As a new administrator of the directory; as answered."""
    token = await token_of(client, "users:admin")
    reply = await call(client, "POST", "/auth/invitations", token, json=said)
    assert reply.status_code == 201, reply.text
    assert reply.headers["cache-control"] == "no-store"
    return cast("dict[str, Any]", reply.json())


async def ask_refresh(client: httpx.AsyncClient, refresh_token: str, **form: str) -> httpx.Response:
    return await post_form(
        client, "/auth/token", {"grant_type": "refresh_token", "refresh_token": refresh_token} | form
    )


async def register_client(
    client: httpx.AsyncClient,
    name: str = "Portal",
    *,
    is_public: bool = False,
    scopes: Sequence[str] | None = None,
    client_id: str | None = None,
    **more: Any,
) -> tuple[Client, str]:
    """As the command line does it; the secret of a public client is empty."""
    new = new_client(name, is_public=is_public, scopes=scopes, **more)
    held, secret = await resources(client).auth.clients.register(new, client_id=client_id)
    return held, secret or ""


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def oauth_error(reply: httpx.Response, code: str, status: int = 400) -> str:
    """The description of the reply, which must be this error in the form of RFC 6749, section 5.2."""
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    content = reply.json()
    assert set(content) == {"error", "error_description"}
    assert content["error"] == code, content
    assert _DESCRIPTION.fullmatch(content["error_description"]), content
    return str(content["error_description"])


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a JWT, unverified."""
    header, claims, _ = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
    return orjson.loads(header), orjson.loads(claims)


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")


async def wear_out(client: httpx.AsyncClient, account: str = "nobody@example.com") -> None:
    """So many wrong passwords from the tests' own address that it and the account wait for a minute."""
    opened = client.app.state.container  # type: ignore[attr-defined]  # set by `serving`
    names = account_records.identify(account)
    found = await account_records.find_named(opened, names)
    key = account_records.key_of_nobody(*names.values()) if found is None else found.key
    for _ in range(60):
        await opened.auth.throttle.fail(key, "127.0.0.1")


async def wear_out_refusals(client: httpx.AsyncClient, counts: str) -> None:
    """As `wear_out`, of what was refused of this kind at least once."""
    redis = client.app.state.container.connections.redis  # type: ignore[attr-defined]  # set by `serving`
    (counter,) = [name async for name in redis.scan_iter(f"roster:throttle:*:{counts}")]
    await redis.set(counter, 60, keepttl=True)


def seal(public: Mapping[str, Any], password: str) -> str:
    """The password as a JWE for this key, as a client's JOSE library makes it."""
    key = RSAKey.import_key({name: public[name] for name in ("kty", "n", "e")})
    header = {"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": public["kid"]}
    return jwe.encrypt_compact(header, password.encode(), key, algorithms=[header["alg"], header["enc"]])
