"""Secrets that we make ourselves: 256 random bits each, shown once and kept only as their SHA-256.

A slow hash (Argon2) protects what people choose, as that can be guessed. Of 2^256 values none can: a fast
hash is enough, and it lets a service authenticate at every request without costing what a sign-in costs.
"""

import hashlib
import secrets

_BYTES = 32


def make() -> str:
    """43 characters of base64url."""
    return secrets.token_urlsafe(_BYTES)


def digest(secret: str) -> str:
    """SHA-256 in hexadecimal, of any text whatever: what cannot be encoded is still only a wrong secret."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
