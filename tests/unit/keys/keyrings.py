"""Keyrings held in memory, and tokens made by hand."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from pymongo import AsyncMongoClient

from app.core import sealing
from app.keys.key_store import KeyStore, StoredKey
from app.keys.keyring import Keyring
from app.keys.signing_keys import SigningKey, VerifyingKey
from tests.support.clock import Clock

SECRET = "a secret of the tests, long enough"
ISSUER = "https://users.example.com"
USER = "6742f0c1a5d3b8e9f0123456"


def stored(signing: SigningKey, *, number: int = 1, ends: float | None = None) -> StoredKey:
    return StoredKey(
        number=number,
        created_at=datetime.fromtimestamp(0, UTC),
        signs_from=datetime.fromtimestamp(0, UTC),
        verifies_until=None if ends is None else datetime.fromtimestamp(ends, UTC),
        verifying=VerifyingKey.load(signing.kid, signing.algorithm, signing.public()),
        signing=signing,
    )


@asynccontextmanager
async def holding(clock: Clock, *keys: StoredKey) -> AsyncIterator[Keyring]:
    """Of these keys; it has just looked for others and does not look again."""
    client = AsyncMongoClient[dict[str, Any]]("mongodb://127.0.0.1:1/roster", connect=False)
    store = KeyStore(client.get_default_database(), SECRET)
    try:
        keyring = Keyring(store, keys, algorithm="EdDSA", token_ttl_s=600, now=clock)
        keyring._look_again_at = datetime.max.replace(tzinfo=UTC)
        yield keyring
    finally:
        await client.close()


def sign(key: SigningKey, header: Any, claims: Any) -> str:
    """A token with a good signature, whatever it says; bytes are taken as they are."""
    signed = ".".join(sealing.encode(_dump(part)) for part in (header, claims))
    return f"{signed}.{sealing.encode(key.sign(signed.encode()))}"


def _dump(part: Any) -> bytes:
    return part if isinstance(part, bytes) else json.dumps(part).encode()
