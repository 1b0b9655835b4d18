"""Secrets that we make ourselves: 256 random bits each, shown once and kept only as their SHA-256.

A slow hash (Argon2) protects passwords, which can be guessed. A random value of 256 bits cannot: a fast hash
is enough, and a service can authenticate at every request without the cost of a sign-in.
"""

import hashlib
import secrets

_BYTES = 32


def make() -> str:
    """43 characters of base64url."""
    return secrets.token_urlsafe(_BYTES)


def digest(secret: str) -> str:
    """SHA-256 in hexadecimal of any text: one that cannot be encoded is just a wrong secret."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
