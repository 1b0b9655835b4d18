"""Signatures by the Standard Webhooks specification: `v1` by secrets, `v1a` by ed25519 keys."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_SECRET_BYTES = 32
SECRET_PREFIX, PUBLIC_PREFIX = "whsec_", "whpk_"


def make_secret() -> bytes:
    return secrets.token_bytes(_SECRET_BYTES)


def show_secret(secret: bytes) -> str:
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def show_public(key: Ed25519PrivateKey) -> str:
    return PUBLIC_PREFIX + base64.b64encode(key.public_key().public_bytes_raw()).decode()


def sign(
    message: str, moment: int, body: bytes, live: Sequence[bytes], keys: Sequence[Ed25519PrivateKey]
) -> dict[str, str]:
    """The headers of a message; each live secret and key has its signature, so that none must match first."""
    signed = f"{message}.{moment}.".encode() + body
    symmetric = [b"v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)) for secret in live]
    asymmetric = [b"v1a," + base64.b64encode(key.sign(signed)) for key in keys]
    return {
        "webhook-id": message,
        "webhook-timestamp": str(moment),
        "webhook-signature": b" ".join([*symmetric, *asymmetric]).decode(),
    }
