"""OAuth clients for tests: registered beside the service, and with keys that sign assertions."""

import time
import uuid
from collections.abc import Iterable
from typing import Any

import orjson
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from redis.asyncio import Redis

from app.clients import ASSERTION_TYPE, Clients, NewClient
from app.core import sealing
from app.core.cursors import CursorSealer
from app.core.mongo import Database
from models.token import EXAMPLE_KEY

ISSUER = "https://users.example.com"
CALLBACK = "https://app.example.com/callback"
KEY = {name: EXAMPLE_KEY[name] for name in ("kty", "crv", "x", "y")}
"""A public key that is the same in every worker: it is in the names of tests."""
Key = ECKey | OctKey | OKPKey | RSAKey


def clients_of(database: Database, redis: Redis | None = None) -> Clients:
    """The clients of this database; without a Redis, which only assertions need."""
    return Clients(database, redis or Redis(), CursorSealer("a secret of tests"), issuer=ISSUER)


def new_client(
    name: str = "Portal", *, is_public: bool = False, scopes: Iterable[str] | None = None, **more: Any
) -> NewClient:
    """What a client is registered with."""
    more = {"auth_method": "none" if is_public else "client_secret_basic"} | more
    return NewClient(name=name, scopes=None if scopes is None else frozenset(scopes), **more)


def public_of(key: Key, **more: str) -> dict[str, Any]:
    return dict(key.as_dict(private=False)) | more


def claims_of(client_id: str, audience: Any = ISSUER, **more: Any) -> dict[str, Any]:
    """The claims of an assertion that is good; None takes one out."""
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "exp": int(time.time()) + 60,
        "jti": uuid.uuid4().hex,
    } | more
    return {name: value for name, value in claims.items() if value is not None}


def sign(key: Key, claims: Any, alg: str = "ES256", **header: Any) -> str:
    """The claims as a JWT, as a client's library makes it."""
    signed = ".".join(sealing.encode(orjson.dumps(part)) for part in ({"alg": alg} | header, claims))
    model = JWSRegistry.algorithms["Ed25519" if alg == "EdDSA" else alg]
    return f"{signed}.{sealing.encode(model.sign(signed.encode(), key))}"


def asserted(assertion: str, **more: str) -> dict[str, str]:
    """The parameters of a form by which a client authenticates."""
    return {"client_assertion": assertion, "client_assertion_type": ASSERTION_TYPE} | more
