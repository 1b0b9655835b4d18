"""`private_key_jwt` (RFC 7523): which assertions prove a client, and that each does so once."""

import base64
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from pymongo import AsyncMongoClient
from redis.asyncio import Redis

from app.clients import Client, Clients
from app.core.errors import InvalidClientError
from tests.support.applying import resources
from tests.support.clients import (
    ISSUER,
    Key,
    asserted,
    claims_of,
    clients_of,
    new_client,
    public_of,
    sign,
)
from tests.support.identity import ask_token, basic, member, oauth_error, post_form, wear_out_refusals

EC, OTHER_EC = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
ED, RSA = OKPKey.generate_key("Ed25519"), RSAKey.generate_key(2048)
WRONG = "The client is unknown or its credentials are wrong."


@dataclass
class Signer:
    """A client that signs assertions with these keys."""

    clients: Clients
    client: Client

    async def refused(self, assertion: str, **more: Any) -> bool:
        named = {"client_id": self.client.id, "secret": None} | more
        try:
            identified = await self.clients.identify(assertion=assertion, **named)
        except InvalidClientError as error:
            return error.detail == WRONG
        return identified != self.client

    def sign(self, key: Key = EC, alg: str = "ES256", header: Any = (), **claims: Any) -> str:
        return sign(key, claims_of(self.client.id, **claims), alg, **dict(header))


@pytest.fixture
async def clients(bare_uri: str, redis_url: str) -> AsyncIterator[Clients]:
    async with AsyncMongoClient[dict[str, Any]](bare_uri) as opened, Redis.from_url(redis_url) as redis:
        yield clients_of(opened.get_default_database(), redis)


async def signer(clients: Clients, *keys: dict[str, Any]) -> Signer:
    new = new_client(auth_method="private_key_jwt", keys=keys or (public_of(EC),))
    client, secret = await clients.register(new)
    assert secret is None
    return Signer(clients, client)


@pytest.mark.parametrize(
    ("key", "alg"),
    [(EC, "ES256"), (RSA, "RS256"), (RSA, "PS256"), (ED, "EdDSA"), (ED, "Ed25519")],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_a_client_proves_itself_by_an_assertion_of_each_algorithm(
    clients: Clients, key: Key, alg: str
) -> None:
    held = await signer(clients, public_of(key))
    assert not await held.refused(held.sign(key, alg))
    assert not await held.refused(held.sign(key, alg, typ="JWT"), client_id=None)
    assert not await held.refused(held.sign(key, alg, {"kid": "of a key without one"}))


async def test_an_assertion_is_good_once_and_a_jti_once_for_each_client(clients: Clients) -> None:
    held, other = await signer(clients), await signer(clients)
    assertion = held.sign(jti="the first")
    assert not await held.refused(assertion)
    assert await held.refused(assertion)
    assert await held.refused(held.sign(jti="the first", iat=int(time.time())))
    assert not await other.refused(other.sign(jti="the first"))


async def test_the_audience_is_the_issuer_or_the_token_endpoint_and_nothing_besides(clients: Clients) -> None:
    held = await signer(clients)
    for audience in (ISSUER, f"{ISSUER}/auth/token"):
        assert not await held.refused(held.sign(audience=audience))
    wrong: list[Any] = [
        *("https://evil.example.com", f"{ISSUER}/", f"{ISSUER}/auth/par", ISSUER.upper(), "", 1, None),
        *([ISSUER], [ISSUER, "https://evil.example.com"], {"iss": ISSUER}),
    ]
    for each in wrong:
        assert await held.refused(held.sign(audience=each)), each


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "another"}, {"sub": "another"}, {"iss": None}, {"sub": None}, {"iss": ["portal"]},
        {"jti": None}, {"jti": ""}, {"jti": 1}, {"jti": "x" * 257},
        {"exp": None}, {"exp": "soon"}, {"exp": True}, {"exp": time.time() - 1}, {"exp": time.time() + 7_200},
        {"iat": time.time() + 3_600}, {"nbf": time.time() + 3_600}, {"iat": "now"}, {"nbf": []},
    ],
    ids=" ".join,
)  # fmt: skip
async def test_a_claim_that_is_missing_or_wrong_proves_nobody(
    clients: Clients, claims: dict[str, Any]
) -> None:
    held = await signer(clients)
    assert await held.refused(held.sign(**claims))


async def test_times_may_have_fractions_and_a_clock_may_be_a_little_ahead(clients: Clients) -> None:
    held = await signer(clients)
    now = time.time()
    assert not await held.refused(held.sign(exp=now + 30.5, iat=now + 5.5, nbf=now + 5.5))
    assert not await held.refused(held.sign(exp=int(now) + 3_600))  # as Authlib asks


async def test_the_key_decides_the_algorithm_and_never_the_token(clients: Clients) -> None:
    held = await signer(clients, public_of(RSA, alg="PS256", kid="one"))
    assert await held.refused(held.sign(RSA, "RS256")), "another algorithm than the key is for"
    assert await held.refused(held.sign(RSA, "PS256", {"kid": "two"})), "another key"
    assert await held.refused(held.sign(RSA, "PS256", {"kid": ["one"]}))
    secret = OctKey.import_key(orjson.dumps(public_of(RSA)))
    assert await held.refused(held.sign(secret, "HS256")), "a public key as a secret"
    assert await held.refused(held.sign(EC, "ES256", {"jwk": public_of(EC)})), "a key that the token brings"
    assert not await held.refused(held.sign(RSA, "PS256", {"kid": "one", "jku": "https://evil.example.com"}))


async def test_an_unsigned_or_damaged_assertion_proves_nobody(clients: Clients) -> None:
    held = await signer(clients)
    header, claims, signature = held.sign().split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    for assertion in (
        *("", "a.b.c", ".", f"{header}.{claims}", f"{header}.{claims}.", f"{none}.{claims}."),
        *(
            f"{none}.{claims}.{signature}",
            f"{header}.{claims}.{signature}=",
            f"{header}.{claims}.{signature[:-4]}",
        ),
        *(held.sign(OTHER_EC), held.sign(EC, header={"crit": ["exp"], "exp": 1}), sign(EC, ["no object"])),
        held.sign(more="x" * 9_000),
    ):
        assert await held.refused(assertion), assertion
        assert await held.refused(assertion, client_id=None), assertion


async def test_only_a_client_with_keys_is_proven_by_them_and_by_nothing_else(clients: Clients) -> None:
    held = await signer(clients)
    confidential, secret = await clients.register(new_client())
    public, _ = await clients.register(new_client(is_public=True))
    assert await held.refused(held.sign(), secret="a secret")
    assert await held.refused(held.sign(), client_id=public.id)
    for client in (confidential, public):
        with pytest.raises(InvalidClientError):
            await clients.identify(client_id=client.id, secret=None, assertion=sign(EC, claims_of(client.id)))
    for wrong in (None, "", secret):
        with pytest.raises(InvalidClientError):
            await clients.identify(client_id=held.client.id, secret=wrong)
    with pytest.raises(InvalidClientError):
        await clients.identify(client_id="roster", secret=None, assertion=sign(EC, claims_of("roster")))


async def test_two_keys_at_once_let_a_client_change_its_key(clients: Clients) -> None:
    held = await signer(clients, public_of(EC), public_of(OTHER_EC))
    assert not await held.refused(held.sign(EC))
    assert not await held.refused(held.sign(OTHER_EC))
    held.client = await clients.change(held.client.id, {"keys": (public_of(OTHER_EC),)})
    assert await held.refused(held.sign(EC))
    assert not await held.refused(held.sign(OTHER_EC))


# --- at the endpoints


async def registered(http: httpx.AsyncClient) -> tuple[Client, str]:
    clients = resources(http).auth.clients
    client, _ = await clients.register(new_client(auth_method="private_key_jwt", keys=(public_of(EC),)))
    return client, resources(http).settings.issuer_url


async def test_an_assertion_stands_in_the_form_of_every_endpoint_for_clients(
    client: httpx.AsyncClient,
) -> None:
    user, (held, issuer) = await member(client), await registered(client)
    reply = await ask_token(client, user["email"], **asserted(sign(EC, claims_of(held.id, issuer))))
    assert reply.status_code == 200, reply.text
    form = asserted(sign(EC, claims_of(held.id, issuer)), token=reply.json()["access_token"])
    introspected = await post_form(client, "/auth/introspect", form)
    assert (introspected.status_code, introspected.json()["client_id"]) == (200, held.id)
    oauth_error(await post_form(client, "/auth/introspect", form), "invalid_client", 401)


async def test_a_form_that_proves_the_client_in_two_ways_or_half_is_refused(
    client: httpx.AsyncClient,
) -> None:
    held, issuer = await registered(client)
    form = asserted(sign(EC, claims_of(held.id, issuer)), token="a.b.c")
    two_ways = form | {"client_id": held.id, "client_secret": "a secret"}
    description = oauth_error(await post_form(client, "/auth/revoke", two_ways), "invalid_request")
    assert description == "Authenticate the client by a secret or an assertion, not both."
    headers = {"Authorization": basic(held.id, "a secret")}
    oauth_error(await post_form(client, "/auth/revoke", form, **headers), "invalid_request")
    for change in (
        {"client_assertion": ""}, {"client_assertion_type": ""}, {"client_assertion_type": "saml2-bearer"},
    ):  # fmt: skip
        description = oauth_error(await post_form(client, "/auth/revoke", form | change), "invalid_request")
        assert description.startswith(
            "Send client_assertion with the client_assertion_type urn:ietf:params:oauth:"
        )
    assert (await post_form(client, "/auth/revoke", form)).status_code == 200, "none of these used it up"


async def test_too_many_wrong_assertions_from_an_address_have_to_wait(client: httpx.AsyncClient) -> None:
    held, issuer = await registered(client)
    wrong = asserted(sign(OTHER_EC, claims_of(held.id, issuer)), token="a.b.c")
    oauth_error(await post_form(client, "/auth/introspect", wrong), "invalid_client", 401)
    await wear_out_refusals(client, "client_secrets")
    good = asserted(sign(EC, claims_of(held.id, issuer)), token="a.b.c")
    assert (await post_form(client, "/auth/introspect", good)).status_code == 429
